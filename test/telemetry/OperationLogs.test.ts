/** The lines at DEBUG about operations: what is told, when, with which fields, and that they are off by default. */
import { assert, describe, it } from "@effect/vitest"
import { Durable, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import { callee, Callee, messages, observe } from "./support.ts"

class Refused extends Schema.TaggedError<Refused>()("Refused", {}) {}

const debug = Layer.succeed(References.MinimumLogLevel, "Debug")

describe("At DEBUG the log tells of an operation", () => {
  it.effect("that it started, was suspended, and how it ended", () =>
    Effect.gen(function* () {
      const observed = yield* observe(
        Effect.andThen(Durable.step("greet", Effect.void), Durable.wait("nap", "1 hour")),
        { logs: debug }
      )
      assert.deepStrictEqual(messages(observed), [
        '"greet" started',
        '"greet" began attempt 1',
        '"greet" ended as SUCCEEDED',
        '"nap" started',
        '"nap" is suspended',
        '"greet" replayed',
        '"nap" ended as SUCCEEDED'
      ])
      assert.deepStrictEqual([...new Set(observed.lines.map(({ level }) => level))], ["DEBUG"])
    })
  )

  it.effect("its path, its ids, its type and the attempt", () =>
    Effect.gen(function* () {
      const observed = yield* observe(
        Durable.child("payment", Durable.step("charge", Effect.void, { retry: RetryPolicy.none })),
        { logs: debug }
      )
      const line = observed.lines.find(({ message }) => message === '"payment/charge" began attempt 1')!
      assert.deepInclude(line, {
        executionArn: observed.executionArn,
        operation: "payment/charge",
        operationId: observed.operations.find(({ Name }) => Name === "charge")!.Id,
        parentId: observed.operations.find(({ Name }) => Name === "payment")!.Id,
        operationType: "STEP",
        attempt: 1
      })
    })
  )

  it.effect("that an attempt failed, and that the next one began", () =>
    Effect.gen(function* () {
      let attempts = 0
      const observed = yield* observe(
        Durable.step(
          "charge",
          Effect.suspend(() => (++attempts === 1 ? Effect.fail(new Refused()) : Effect.void)),
          { error: Refused, retry: RetryPolicy.fixed({ delay: "1 hour", maxAttempts: 2, jitter: "none" }) }
        ).pipe(Effect.orDie),
        { logs: debug }
      )
      assert.deepStrictEqual(messages(observed), [
        '"charge" started',
        '"charge" began attempt 1',
        '"charge" will be tried again',
        '"charge" is suspended',
        '"charge" resumed',
        '"charge" began attempt 2',
        '"charge" ended as SUCCEEDED'
      ])
    })
  )

  it.effect("that it was called and came back, and nothing of what was sent", () =>
    Effect.gen(function* () {
      const secret = "4242 4242"
      const observed = yield* observe(
        Durable.step("card", Effect.succeed(secret)).pipe(
          Effect.andThen(Durable.invoke(Callee, undefined)),
          Effect.orDie,
          Effect.as(secret)
        ),
        { functions: [callee], logs: debug, payload: secret }
      )
      const told = observed.lines.filter(({ operation }) => operation === "callee").map(({ message }) => message)
      assert.deepStrictEqual(told, ['"callee" started', '"callee" is suspended', '"callee" ended as SUCCEEDED'])
      assert.notInclude(JSON.stringify(observed.lines), secret)
    })
  )

  it.effect("nothing above DEBUG, which is the default", () =>
    Effect.gen(function* () {
      const observed = yield* observe(Durable.step("greet", Effect.void))
      assert.deepStrictEqual(observed.lines, [])
    })
  )
})
