/**
 * What executions under way depend on, to the letter: the ids, names, types, sub-types, payloads and error objects that
 * each operation sends. A difference here breaks replays of recorded executions, so it is a new major version; see
 * docs/stability.md. A new operation adds to the file: `npx vitest run test/golden/records --update`.
 */
import { assert, describe, expect, it } from "@effect/vitest"
import { CheckpointStore, Durable, DurableFunction, RetryPolicy } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { OperationUpdate } from "../../src/wire/OperationUpdate.ts"

class Declined extends Schema.TaggedError<Declined>()("Declined", { code: Schema.String, at: Schema.Date }) {
  override get message(): string {
    return `The card was declined: ${this.code}`
  }
}

const Order = Schema.Struct({ id: Schema.String, placed: Schema.Date, lines: Schema.Array(Schema.Int) })
const order = { id: "o-1", placed: new Date(0), lines: [1, 2] }
const declined = new Declined({ code: "expired", at: new Date(0) })

const Charge = DurableFunction.make("charge", {
  payload: Order,
  success: Schema.String,
  error: Declined,
  target: "charge:live"
})
const Validate = DurableFunction.plain("validate", { payload: Order, success: Schema.Boolean })
const All = DurableFunction.make("all", { payload: Order, success: Order, error: Declined })

const once = { retry: RetryPolicy.none }
const twice = RetryPolicy.fixed({ delay: "2 seconds", maxAttempts: 2, jitter: "none" })

const secondAttempt = Effect.flatMap(Durable.StepContext, ({ attempt }) =>
  attempt === 1 ? Effect.fail(declined) : Effect.succeed(attempt)
)

const steps = Effect.gen(function* () {
  yield* Durable.step("nothing", Effect.void)
  yield* Durable.step("text", Effect.succeed("tea — 茶"))
  yield* Durable.step("plain", Effect.succeed({ a: [1, null, { b: true }], c: "" }))
  yield* Durable.step("schema", Effect.succeed(order), { success: Order })
  yield* Durable.step("once", Effect.succeed(1), { semantics: "at-most-once" })
  yield* Durable.step("text", Effect.succeed("a second time"))
  yield* Durable.step("retried", secondAttempt, { error: Declined, retry: twice })
  yield* Effect.exit(Durable.step("declined", Effect.fail(declined), { error: Declined, ...once }))
  yield* Effect.exit(Durable.step("defect", Effect.die(new TypeError("x is not a function")), once))
  yield* Effect.exit(Durable.step("defect of text", Effect.die("out of paper"), once))
  yield* Effect.exit(Durable.step("interrupted", Effect.interrupt, once))
})

const children = Effect.gen(function* () {
  yield* Durable.child("child", Durable.step("inner", Effect.succeed(1)))
  yield* Durable.child("child of a Schema", Effect.succeed(order), { success: Order })
  yield* Durable.child("flat", Durable.step("inner", Effect.succeed(2)), { flat: true })
  yield* Effect.exit(Durable.child("declined child", Effect.fail(declined), { error: Declined }))
  yield* Durable.child("outer", Durable.child("middle", Durable.wait("inner", "1 second")))
})

const calls = Effect.gen(function* () {
  yield* Durable.wait("nap", "90 minutes")
  yield* Durable.invoke(Validate, order)
  yield* Durable.invoke(Charge, order, { name: "charge again", tenantId: "blue" })
  yield* Durable.invoke(Charge, order, { name: "charge in time", timeout: "5 minutes" })
  yield* Effect.exit(Durable.invoke(Charge, order, { name: "declined charge" }))
  yield* Effect.all([Durable.step("left", Effect.succeed("l")), Durable.step("right", Effect.succeed("r"))], {
    concurrency: 2
  })
})

const all = All.implement((order) =>
  Effect.gen(function* () {
    const uuid = yield* Durable.onExit(Durable.hold(Durable.uuid), () => Effect.void)
    yield* Durable.step(
      "derived",
      Effect.map(Durable.StepContext, ({ idempotencyKey }) => ({ idempotencyKey, uuid }))
    )
    yield* steps
    yield* children
    yield* calls
    return order.id === "o-1" ? order : yield* declined
  })
)

const functions = [
  all,
  TestEngine.stub(Validate, Reply.succeed(true)),
  TestEngine.stub(Charge, [Reply.succeed("t-1"), Reply.succeed("t-2"), Reply.fail(declined)])
]

/** Everything that an execution sends, and how it ends. */
const recordsOf = Effect.fnUntraced(
  function* (payload: typeof Order.Type) {
    const store = yield* CheckpointStore.CheckpointStore
    const { checkpoint } = store
    const updates: Array<OperationUpdate> = []
    Object.assign(store, {
      checkpoint: (request: CheckpointStore.CheckpointRequest) => {
        updates.push(...request.Updates)
        return checkpoint(request)
      }
    })
    const run = yield* TestEngine.start(All, payload, { executionName: "order-1" })
    yield* Effect.exit(run.result)
    const { ExecutionFailedDetails, ExecutionSucceededDetails } = Object.assign(
      { ExecutionFailedDetails: undefined, ExecutionSucceededDetails: undefined },
      (yield* run.history).at(-1)
    )
    return { updates, ended: ExecutionSucceededDetails ?? ExecutionFailedDetails }
  },
  (effect) => Effect.provide(effect, TestEngine.layer(functions))
)

/** Stacks name places in this file, and the wording of the library's own messages is nobody's contract. */
const withoutText = (key: string, value: unknown): unknown => {
  if (key === "StackTrace") return ["…"]
  return typeof value === "string" ? value.replaceAll(ownMessage, "…") : value
}

const ownMessage = /\\*"interrupted\\*" ended by interrupting itself\.[^"\\]*/g

describe("the records of this version", () => {
  it.effect("are those that executions under way were written with", () =>
    Effect.gen(function* () {
      const { ended, updates } = yield* recordsOf(order)
      const failed = yield* recordsOf({ ...order, id: "o-2" })
      assert.deepStrictEqual(
        failed.updates.map(({ Id }) => Id),
        updates.map(({ Id }) => Id)
      )
      const found = JSON.stringify({ updates, succeeded: ended, failed: failed.ended }, withoutText, 2)
      yield* Effect.promise(() => expect(`${found}\n`).toMatchFileSnapshot("records.json"))
    })
  )
})
