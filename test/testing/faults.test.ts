import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, RetryPolicy, Serdes } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"

class Declined extends Schema.TaggedError<Declined>()("Declined", { code: Schema.String }) {}

const Main = DurableFunction.make("main", { success: Schema.Unknown })
const thrice = RetryPolicy.fixed({ maxAttempts: 3, delay: "1 minute" })

/** Runs a workflow in which steps fail, and answers with how it ended and how long it took in milliseconds. */
const ran = <E>(
  workflow: Effect.Effect<unknown, E, Durable.Execution>,
  faults: ReadonlyArray<TestEngine.StepFault>,
  options?: TestEngine.Options
) =>
  Effect.gen(function* () {
    const run = yield* TestEngine.start(Main)
    const exit = yield* Effect.exit(run.result)
    const history = yield* run.history
    const [first] = history
    return {
      value: Exit.isSuccess(exit) ? exit.value : Cause.pretty(exit.cause),
      history,
      millis: (history.at(-1)?.EventTimestamp ?? 0) - (first?.EventTimestamp ?? 0)
    }
  }).pipe(Effect.provide(TestEngine.layer([Main.implement(() => Effect.orDie(workflow)), ...faults], options)))

/** A step that counts the runs of its body. */
const counting = () => {
  const attempts: Array<number> = []
  const body = Effect.map(Durable.StepContext, ({ attempt }) => {
    attempts.push(attempt)
    return attempt
  })
  return { attempts, body }
}

describe("a step whose first attempts fail", () => {
  it.each([0, -1, 1.5, Number.NaN])(
    "fails in none for a number of attempts such as %d, which is refused",
    (attempts) => {
      assert.throws(
        () => TestEngine.failFirst("charge", attempts, Effect.die("down")),
        `Expected TestEngine.failFirst to get a whole number of attempts of at least 1, or Infinity, found ${attempts}.`
      )
    }
  )

  it.effect("does not run its body in them, and is repeated as its policy says", () =>
    Effect.gen(function* () {
      const { attempts, body } = counting()
      const { history, millis, value } = yield* ran(Durable.step("charge", body, { retry: thrice }), [
        TestEngine.failFirst("charge", 2, Effect.die(new RangeError("too much")))
      ])
      assert.strictEqual(value, 3)
      assert.deepStrictEqual(attempts, [3])
      assert.strictEqual(millis, 2 * 60_000)
      const failures = history.flatMap((event) =>
        event.EventType === "StepFailed" ? [event.StepFailedDetails.Error.Payload?.ErrorType] : []
      )
      assert.deepStrictEqual(failures, ["RangeError", "RangeError"])
    })
  )

  it.effect("shows its policy a typed error as itself", () =>
    Effect.gen(function* () {
      const { attempts, body } = counting()
      const seen: Array<string> = []
      const retry = RetryPolicy.fixed<Declined>({
        maxAttempts: 5,
        delay: "1 minute",
        while: (error) => {
          seen.push(error.code)
          return error.code === "51"
        }
      })
      const charge = Durable.step("charge", Effect.andThen(body, Effect.fail(new Declined({ code: "14" }))), {
        retry,
        error: Declined
      })
      const { value } = yield* ran(Effect.flip(charge).pipe(Effect.map((error) => error.code)), [
        TestEngine.failFirst("charge", 2, Effect.fail(new Declined({ code: "51" })))
      ])
      assert.strictEqual(value, "14")
      assert.deepStrictEqual(seen, ["51", "51", "14"])
      assert.deepStrictEqual(attempts, [3])
    })
  )

  it.effect("fails for good when they are as many as the policy allows", () =>
    Effect.gen(function* () {
      const { attempts, body } = counting()
      const charge = Durable.step("charge", body, { retry: thrice })
      const { value } = yield* ran(
        Effect.catchDefect(charge, (defect) => Effect.succeed(defect instanceof Error ? defect.message : "")),
        [TestEngine.failFirst("charge", Infinity, Effect.die(new Error("down")))]
      )
      assert.strictEqual(value, "down")
      assert.deepStrictEqual(attempts, [])
    })
  )

  it.effect("may take its time to fail", () =>
    Effect.gen(function* () {
      const { millis } = yield* ran(Durable.step("charge", Effect.void, { retry: thrice }), [
        TestEngine.failFirst("charge", 1, Effect.andThen(Effect.sleep("30 seconds"), Effect.die("no answer")))
      ])
      assert.strictEqual(millis, 90_000)
    })
  )

  it.effect("has the same first attempts although an invocation is cut off in one", () =>
    Effect.gen(function* () {
      const { attempts, body } = counting()
      let tries = 0
      const failure = Effect.suspend(() =>
        Effect.andThen(++tries === 1 ? Effect.sleep("1 hour") : Effect.void, Effect.die("no answer"))
      )
      const { value } = yield* ran(
        Durable.step("charge", body, { retry: thrice }),
        [TestEngine.failFirst("charge", 1, failure)],
        { invocationTimeout: "1 minute" }
      )
      assert.strictEqual(value, 2)
      assert.strictEqual(tries, 2)
      assert.deepStrictEqual(attempts, [2])
    })
  )

  it.effect("is known by its name, its path, a pattern or what a function picks", () =>
    Effect.gen(function* () {
      const tell = (name: string) =>
        Durable.step(
          name,
          Effect.map(Durable.StepContext, ({ attempt }) => attempt)
        )
      const workflow = Effect.gen(function* () {
        return [
          yield* tell("a"),
          yield* tell("a"),
          yield* tell("b"),
          yield* Durable.child("in", Effect.all([tell("a"), tell("b"), tell("c"), tell("d")]))
        ]
      })
      const failure = Effect.die("no")
      const { value } = yield* ran(workflow, [
        TestEngine.failFirst("in/b", 2, failure),
        TestEngine.failFirst("a", 1, failure),
        TestEngine.failFirst(/^in\/c$/, 3, failure),
        TestEngine.failFirst((path) => path.endsWith("d"), 4, failure)
      ])
      assert.deepStrictEqual(value, [2, 2, 1, [2, 3, 4, 5]])
    })
  )

  it.effect("counts an at-most-once step's attempt that failed as made", () =>
    Effect.gen(function* () {
      const { attempts, body } = counting()
      const charge = Durable.step("charge", body, { semantics: "at-most-once" })
      const { value } = yield* ran(
        Effect.catchDefect(charge, () => Effect.succeed("failed")),
        [TestEngine.failFirst("charge", 1, Effect.die("no"))]
      )
      assert.strictEqual(value, "failed")
      assert.deepStrictEqual(attempts, [])
    })
  )

  it.effect("says so when the error does not fit the Schema of the step", () =>
    Effect.gen(function* () {
      const { value } = yield* ran(Durable.step("charge", Effect.void, { retry: RetryPolicy.none }), [
        TestEngine.failFirst("charge", 1, Effect.fail(new Declined({ code: "51" })))
      ])
      assert.match(String(value), /error of "charge".*Declined/s)
    })
  )

  it.effect("may be a look at a condition, which is not repeated", () =>
    Effect.gen(function* () {
      const looks = Durable.waitForCondition("ready", {
        initial: 0,
        check: (n) => Effect.succeed(n + 1),
        until: (n) => n === 3,
        delay: "1 minute",
        error: Declined
      })
      const { value } = yield* ran(
        Effect.map(Effect.flip(looks), (error) => error._tag),
        [TestEngine.failFirst("ready", 1, Effect.fail(new Declined({ code: "14" })))]
      )
      assert.strictEqual(value, "Declined")
    })
  )

  it.effect("has retries of its block too, when Durable.retry is round it", () =>
    Effect.gen(function* () {
      const block = Durable.step("charge", Effect.succeed("charged"), { error: Declined, retry: RetryPolicy.none })
      const { millis, value } = yield* ran(Durable.retry("block", block, thrice, { error: Declined }), [
        TestEngine.failFirst((path) => /^block\/attempt\/charge$/.test(path), 1, Effect.die("down"))
      ])
      assert.strictEqual(value, "charged")
      assert.strictEqual(millis, 60_000)
    })
  )
})

describe("a step that no fault is for", () => {
  it.effect("is recorded as if there were none", () =>
    Effect.gen(function* () {
      const workflow = Durable.step("charge", Effect.succeed(1), {
        successSerdes: Serdes.make({ serialize: String, deserialize: Number })
      })
      const plain = yield* ran(workflow, [])
      const other = yield* ran(workflow, [TestEngine.failFirst("refund", 3, Effect.die("no"))])
      assert.deepStrictEqual(other.history, plain.history)
    })
  )
})
