/** What must not be told: payloads, results, messages of errors, tokens and callback ids. */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import * as Schema from "effect/Schema"
import { observe, type Observed } from "./support.ts"

const secret = (what: string): string => `s3cret-${what}`

class Declined extends Schema.TaggedError<Declined>()("Declined", { card: Schema.String }) {
  override get message(): string {
    return `The card ${this.card} was declined`
  }
}

const Pay = DurableFunction.plain("pay", { payload: Schema.String, success: Schema.String })
const Ship = DurableFunction.plain("ship", { payload: Schema.String, success: Schema.String, error: Declined })

const functions = [
  TestEngine.stub(Pay, () => Effect.succeed(secret("answer"))),
  TestEngine.stub(Ship, Reply.fail(new Declined({ card: secret("callee") })))
]

const once = { retry: RetryPolicy.none, error: Declined }
const twice = { ...once, retry: RetryPolicy.fixed({ delay: "2 seconds", maxAttempts: 2, jitter: "none" }) }

const program = Effect.gen(function* () {
  yield* Effect.log("begin")
  yield* Durable.step("result", Effect.as(Effect.log("in a step"), secret("result")))
  yield* Effect.exit(Durable.step("failing", Effect.fail(new Declined({ card: secret("card") })), once))
  yield* Effect.exit(Durable.step("retried", Effect.fail(new Declined({ card: secret("again") })), twice))
  yield* Effect.exit(Durable.step("dying", Effect.die(new TypeError(secret("defect"))), { retry: RetryPolicy.none }))
  yield* Effect.exit(Durable.step("odd", Effect.die(secret("odd defect")), { retry: RetryPolicy.none }))
  yield* Effect.orDie(Durable.invoke(Pay, secret("argument")))
  yield* Effect.exit(Durable.invoke(Ship, secret("parcel")))
  yield* Durable.child("child", Effect.andThen(Durable.wait("nap", "1 hour"), Effect.succeed(secret("child"))))
  yield* Effect.exit(Durable.waitForCallback("approval", () => Effect.void, { timeout: "1 minute" }))
  return yield* Effect.die(new Error(secret("end")))
})

const toldBy = ({ lines, metrics, spans }: Observed): string => JSON.stringify({ lines, metrics, spans })

describe("what an execution tells by itself", () => {
  it.effect("holds no payload, no result, no message of an error, no token and no callback id", () =>
    Effect.gen(function* () {
      const observed = yield* observe(cast(program), { functions, payload: secret("payload") })
      const { history, operations, requests } = observed
      const told = toldBy(observed)
      // All of it happened, and was told of.
      assert.strictEqual(history.at(-1)?.EventType, "ExecutionFailed")
      assert.isAbove(observed.invocations, 4)
      for (const { Name = "" } of operations) assert.include(told, `"name":"${Name}"`)
      const sent = JSON.stringify([history, requests])
      for (const what of ["payload", "result", "card", "again", "defect", "odd defect", "argument", "parcel", "end"]) {
        assert.include(sent, secret(what), `the run does not have the ${what}`)
      }
      assert.notInclude(told, "s3cret")
      const callbackIds = operations.flatMap(({ CallbackDetails }) => CallbackDetails?.CallbackId ?? [])
      assert.lengthOf(callbackIds, 1)
      const tokens = requests.flatMap(({ CheckpointToken, ClientToken }) => [CheckpointToken, ClientToken])
      for (const hidden of [...callbackIds, ...tokens]) assert.notInclude(told, hidden)
    })
  )
})
