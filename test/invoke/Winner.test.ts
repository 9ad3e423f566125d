import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, Serdes } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { brief, runToEnd, spy, soon } from "./support.ts"

class CardDeclined extends Schema.TaggedError<CardDeclined>()("CardDeclined", { code: Schema.String }) {}

const Work = DurableFunction.plain("work", { payload: Schema.Int, success: Schema.String, error: CardDeclined })

/** Works for so many virtual milliseconds. */
const working = (millis: number) => TestEngine.stub(Work, (n) => Effect.as(Effect.sleep(millis), `did ${n}`))

const minute = 60_000

type Timeout = NonNullable<Durable.InvokeOptions<typeof Work>["timeout"]>

/** How an invoke with a time-out ends, in one word. */
const briefly = (timeout: Timeout) =>
  Durable.invoke(Work, 1, { timeout }).pipe(Effect.catch((error) => Effect.succeed(error._tag)))

describe("who won the race of an invoke and its time-out", () => {
  /** Looks at the outcome in every invocation: right away, before the other side ends, and long after it. */
  const watch = (timeout: Timeout, stub: TestEngine.Stub) =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const ended = yield* runToEnd(
        Effect.gen(function* () {
          const outcome = yield* briefly(timeout)
          seen.push(outcome)
          yield* Durable.wait("soon", "1 second")
          yield* Durable.wait("later", "1 hour")
          yield* Durable.wait("much later", "1 day")
          return outcome
        }),
        [stub]
      )
      assert.deepStrictEqual(new Set(seen).size, 1, seen.join())
      assert.strictEqual(yield* ended.exit, seen[0])
      return { seen, ended }
    })

  it.effect("is the callee for ever, although the time-out passes later", () =>
    Effect.gen(function* () {
      const { calls, stub } = spy(Work, () => Effect.as(Effect.sleep(minute), "won"))
      const { ended, seen } = yield* watch("5 minutes", stub)
      assert.strictEqual(seen[0], "won")
      assert.isAtLeast(seen.length, 3)
      assert.strictEqual(calls.length, 1)
      assert.include(brief(ended.operations), "WAIT timeout SUCCEEDED")
    })
  )

  it.effect("is the time-out for ever, although the callee answers later", () =>
    Effect.gen(function* () {
      const { calls, stub } = spy(Work, () => Effect.as(Effect.sleep(10 * minute), "too late"))
      const { ended, seen } = yield* watch("5 minutes", stub)
      assert.strictEqual(seen[0], "InvokeTimedOut")
      assert.isAtLeast(seen.length, 3)
      assert.strictEqual(calls.length, 1)
      assert.include(brief(ended.operations), "CHAINED_INVOKE work SUCCEEDED")
    })
  )

  it.effect("is the same for ever when both end at the same moment", () =>
    Effect.gen(function* () {
      yield* watch("5 minutes", working(5 * minute))
      yield* watch("1 second", working(1_000))
    })
  )

  it.effect("is the time-out for ever, although the callee fails later", () =>
    Effect.gen(function* () {
      const { seen } = yield* watch(
        "5 minutes",
        TestEngine.stub(Work, () =>
          Effect.andThen(Effect.sleep(10 * minute), Effect.fail(new CardDeclined({ code: "1" })))
        )
      )
      assert.strictEqual(seen[0], "InvokeTimedOut")
    })
  )

  it.effect("is the callee for ever, although it failed", () =>
    Effect.gen(function* () {
      const { seen } = yield* watch("5 minutes", TestEngine.stub(Work, Reply.fail(new CardDeclined({ code: "1" }))))
      assert.strictEqual(seen[0], "CardDeclined")
    })
  )
})

describe("a result that is too large to keep", () => {
  const large = "x".repeat(300_000)
  const Large = DurableFunction.plain("large", { success: Schema.String })

  const lengthAfterReplays = (options: Durable.InvokeOptions<typeof Large>) =>
    Effect.gen(function* () {
      const { calls, stub } = spy(Large, () => Effect.as(Effect.sleep(1_000), large))
      const lengths: Array<number | string> = []
      const ended = yield* runToEnd(
        Effect.gen(function* () {
          const text = yield* Durable.invoke(Large, undefined, options).pipe(
            Effect.catch((error) => Effect.succeed(error._tag))
          )
          lengths.push(text.length)
          yield* Durable.wait("soon", "1 second")
          yield* Durable.wait("later", "1 hour")
        }),
        [stub]
      )
      yield* ended.exit
      assert.strictEqual(calls.length, 1)
      return { lengths, ended }
    })

  it.effect("is rebuilt from the invoke after every replay, also when the time-out has passed since", () =>
    Effect.gen(function* () {
      const { ended, lengths } = yield* lengthAfterReplays({ timeout: "1 minute" })
      assert.deepStrictEqual(new Set(lengths), new Set([large.length]))
      assert.isAtLeast(lengths.length, 3)
      const context = ended.operations.find((operation) => operation.Type === "CONTEXT")
      assert.isTrue(context?.ContextDetails?.ReplayChildren)
      assert.include(brief(ended.operations), "WAIT timeout SUCCEEDED")
    })
  )

  it.effect("is rebuilt by a serdes that takes its time, and the time-out that passed since does not win", () =>
    Effect.gen(function* () {
      const slow = Serdes.make<string>({
        serialize: (text) => JSON.stringify(text),
        deserialize: (text) => Effect.as(Effect.promise(soon), (text ?? "").slice(1, -1))
      })
      const { lengths } = yield* lengthAfterReplays({ timeout: "1 minute", successSerdes: slow })
      assert.deepStrictEqual(new Set(lengths), new Set([large.length]))
    })
  )

  it.effect("is kept as it is without a time-out", () =>
    Effect.gen(function* () {
      const { ended, lengths } = yield* lengthAfterReplays({})
      assert.deepStrictEqual(new Set(lengths), new Set([large.length]))
      assert.notInclude(JSON.stringify(brief(ended.operations)), "CONTEXT")
    })
  )
})
