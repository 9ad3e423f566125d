import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableError, DurableFunction, RetryPolicy } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { actions, assertSucceeded, crashAt, defectOf, execute, failureOf, holds, valueOf } from "./support.ts"

class Declined extends Schema.TaggedError<Declined>()("Declined", { code: Schema.String }) {}
class Busy extends Schema.TaggedError<Busy>()("Busy", { until: Schema.Date }) {}

/** A body that fails some times, and notes the number and the time of every attempt. */
const failing = (times: number, failure: Effect.Effect<never> = Effect.die(new Error("not yet"))) => {
  const attempts: Array<number> = []
  const at: Array<number> = []
  const body = Effect.gen(function* () {
    attempts.push((yield* Durable.StepContext).attempt)
    at.push(yield* Clock.currentTimeMillis)
    if (attempts.length <= times) return yield* failure
    return "done"
  })
  const pauses = (): ReadonlyArray<number> => at.slice(1).map((time, i) => (time - at[i]!) / 1_000)
  return { attempts, pauses, body }
}

describe("The attempts of a step", () => {
  const policies: Record<string, readonly [RetryPolicy.RetryPolicy, ReadonlyArray<number>]> = {
    fixed: [RetryPolicy.fixed({ maxAttempts: 4, delay: "7 seconds" }), [7, 7, 7]],
    linear: [
      RetryPolicy.linear({ maxAttempts: 4, initialDelay: "1 second", increment: "10 seconds", jitter: "none" }),
      [1, 11, 21]
    ],
    exponential: [
      RetryPolicy.exponential({ maxAttempts: 5, initialDelay: "5 seconds", maxDelay: "30 seconds", jitter: "none" }),
      [5, 10, 20, 30]
    ],
    none: [RetryPolicy.none, []],
    fromSchedule: [
      RetryPolicy.fromSchedule(Schedule.exponential("2 seconds").pipe(Schedule.upTo({ times: 3 }))),
      [2, 4, 8]
    ],
    "a delay of less than a second": [RetryPolicy.fixed({ maxAttempts: 2, delay: "10 millis" }), [1]],
    "a delay of days": [RetryPolicy.fixed({ maxAttempts: 2, delay: "300 days" }), [300 * 86_400]]
  }
  for (const [name, [retry, delays]] of Object.entries(policies)) {
    it.effect(`are numbered from 1 and as far apart as the policy says: ${name}`, () =>
      Effect.gen(function* () {
        const { attempts, body, pauses } = failing(Infinity)
        const ran = yield* execute(Durable.step("try", body, { retry }))
        assert.deepStrictEqual(
          attempts,
          Array.from({ length: delays.length + 1 }, (_, i) => i + 1)
        )
        assert.deepStrictEqual(pauses(), delays)
        assert.deepStrictEqual(actions(ran.updates), [
          ...delays.flatMap(() => ["START try", "RETRY try"]),
          "START try",
          "FAIL try"
        ])
        assert.strictEqual(ran.invocations, delays.length + 1)
        assert.strictEqual(ran.operations[0]!.StepDetails?.Attempt, delays.length + 1)
      })
    )
  }

  it.effect("are six by default, after 5, 10, 20, 40 and 60 seconds with full jitter", () =>
    Effect.gen(function* () {
      const { attempts, body, pauses } = failing(Infinity)
      yield* execute(Durable.step("try", body))
      assert.deepStrictEqual(attempts, [1, 2, 3, 4, 5, 6])
      const caps = [5, 10, 20, 40, 60]
      pauses().forEach((pause, i) => {
        assert.isAtLeast(pause, 1)
        assert.isAtMost(pause, caps[i]!)
      })
      assert.isAbove(new Set(pauses()).size, 1)
    })
  )

  it.effect("end with the first that succeeds", () =>
    Effect.gen(function* () {
      const { attempts, body } = failing(2)
      const ran = yield* execute(Durable.step("try", body))
      assert.strictEqual(valueOf(ran), "done")
      assert.deepStrictEqual(attempts, [1, 2, 3])
      assert.strictEqual(ran.operations[0]!.StepDetails?.Attempt, 3)
    })
  )

  it.effect("are decided upon once each, and a recorded delay is never computed again", () =>
    Effect.gen(function* () {
      const decided: Array<readonly [number, number]> = []
      const retry: RetryPolicy.RetryPolicy = RetryPolicy.make(({ attempt, elapsed }) =>
        Effect.sync(() => {
          decided.push([attempt, elapsed])
          return attempt < 3 ? { _tag: "Retry", delaySeconds: attempt * 10 } : { _tag: "Stop" }
        })
      )
      const { body, pauses } = failing(Infinity)
      const ran = yield* execute(
        Effect.exit(Durable.step("try", body, { retry })).pipe(Effect.andThen(Durable.wait("replay", "1 hour"))),
        { store: crashAt(holds("RETRY", "try"), "after") }
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(decided, [
        [1, 0],
        [2, 10_000],
        [3, 30_000]
      ])
      assert.deepStrictEqual(pauses(), [10, 20])
    })
  )

  it.effect("are not recorded for a body that other code interrupted", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.raceFirst(
          Durable.step("winner", Effect.sleep("1 second")),
          Durable.step("loser", Effect.sleep("1 hour"))
        )
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(
        actions(ran.updates).filter((action) => action.endsWith("loser")),
        ["START loser"]
      )
    })
  )

  it.effect("go on in the same invocation when something else keeps it alive", () =>
    Effect.gen(function* () {
      const { attempts, body, pauses } = failing(1)
      const ran = yield* execute(
        Effect.all(
          [
            Durable.step("try", body, { retry: RetryPolicy.fixed({ delay: "5 seconds" }) }),
            Durable.step("long", Effect.sleep("1 minute"))
          ],
          { concurrency: "unbounded" }
        )
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(attempts, [1, 2])
      assert.deepStrictEqual(pauses(), [5])
      assert.strictEqual(ran.invocations, 1)
    })
  )

  it.effect("stop at once for an error that the policy does not want to see again", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const decline = Effect.gen(function* () {
        const { attempt } = yield* Durable.StepContext
        return yield* new Declined({ code: attempt < 2 ? "later" : "never" })
      })
      const ran = yield* execute(
        Effect.flip(
          Durable.step("pay", decline, {
            error: Declined,
            retry: RetryPolicy.fixed({
              while: (error: Declined) => {
                seen.push(error.code)
                return error.code === "later"
              }
            })
          })
        )
      )
      assert.deepStrictEqual(seen, ["later", "never"])
      const error = valueOf(ran)
      assert.instanceOf(error, Declined)
      assert.strictEqual(error.code, "never")
    })
  )

  it.effect("see a defect as a failed attempt, or not, as the policy says", () =>
    Effect.gen(function* () {
      const { attempts, body } = failing(Infinity)
      yield* execute(Durable.step("try", body, { retry: RetryPolicy.fixed({ retryDefects: false }) }))
      assert.deepStrictEqual(attempts, [1])
    })
  )

  it.effect("see a body that interrupts itself as a failed attempt of type Interrupted", () =>
    Effect.gen(function* () {
      const { attempts, body } = failing(Infinity, Effect.interrupt)
      const ran = yield* execute(Durable.step("try", body, { retry: RetryPolicy.fixed({ maxAttempts: 3 }) }))
      assert.deepStrictEqual(attempts, [1, 2, 3])
      assert.instanceOf(defectOf(ran.exits[0]), DurableError.Interrupted)
      assert.strictEqual(failureOf(ran).errorType, "Interrupted")
      assert.strictEqual(ran.operations[0]!.StepDetails?.Error?.ErrorType, "Interrupted")
    })
  )

  it.effect("are as far apart as the service allows, whatever a policy of your own says", () =>
    Effect.gen(function* () {
      const delays = [0, -5, 0.2, 1.4, 1.5, 1e12]
      const { body } = failing(Infinity)
      const ran = yield* execute(
        Durable.step("try", body, {
          retry: RetryPolicy.make(({ attempt }) =>
            Effect.succeed(
              attempt <= delays.length ? { _tag: "Retry", delaySeconds: delays[attempt - 1]! } : { _tag: "Stop" }
            )
          )
        })
      )
      assert.deepStrictEqual(
        ran.updates.flatMap((update) => update.StepOptions?.NextAttemptDelaySeconds ?? []),
        [1, 1, 1, 1, 2, 31_622_400]
      )
    })
  )

  const undecided: Record<string, unknown> = {
    '{"_tag":"Retry","delaySeconds":null}': Effect.succeed({ _tag: "Retry", delaySeconds: Number.NaN }),
    '{"_tag":"Again","delaySeconds":1}': Effect.succeed({ _tag: "Again", delaySeconds: 1 }),
    '{"_tag":"Retry"}': Effect.succeed({ _tag: "Retry" }),
    null: Effect.succeed(null),
    undefined,
    true: true
  }
  for (const [found, answer] of Object.entries(undecided)) {
    it.effect(`end with a defect for a policy that decides ${found}`, () =>
      Effect.gen(function* () {
        const { attempts, body } = failing(Infinity)
        const retry = RetryPolicy.make(() => cast<unknown, Effect.Effect<RetryPolicy.Decision>>(answer))
        const ran = yield* execute(Durable.step("try", body, { retry }))
        assert.strictEqual(
          failureOf(ran).errorMessage,
          `Expected the retry policy of "try" to decide { _tag: "Stop" } or { _tag: "Retry", delaySeconds: a number }, found ${found}.`
        )
        assert.deepStrictEqual(attempts, [1])
        assert.deepStrictEqual(actions(ran.updates), ["START try", "FAIL try"])
      })
    )
  }

  const throwing: Record<string, RetryPolicy.RetryPolicy> = {
    "that dies": RetryPolicy.make(() => Effect.die(new TypeError("bad policy"))),
    "that throws": RetryPolicy.make(() => {
      throw new TypeError("bad policy")
    }),
    "whose predicate throws": RetryPolicy.fixed({
      while: () => {
        throw new TypeError("bad policy")
      }
    })
  }
  for (const [name, retry] of Object.entries(throwing)) {
    it.effect(`end with a defect, and do not hang, for a policy ${name}`, () =>
      Effect.gen(function* () {
        const ran = yield* execute(
          Effect.andThen(
            Effect.exit(Durable.step("try", new Declined({ code: "x" }), { retry, error: Declined })),
            Effect.andThen(
              Durable.wait("later", "1 hour"),
              Durable.step("try", new Declined({ code: "x" }), { error: Declined, retry })
            ).pipe(Effect.catch(() => Effect.void))
          )
        )
        const failed = failureOf(ran)
        assert.strictEqual(failed.errorType, "TypeError")
        assert.strictEqual(failed.errorMessage, "bad policy")
        assert.deepStrictEqual(actions(ran.updates), ["START try", "FAIL try", "START later", "START try", "FAIL try"])
      })
    )
  }
})

describe("A failed step", () => {
  const once = { retry: RetryPolicy.none }

  it.effect("fails with its declared error, live and on replay", () =>
    Effect.gen(function* () {
      const seen: Array<Busy> = []
      const busy = new Busy({ until: new Date(1_000) })
      const ran = yield* execute(
        Effect.gen(function* () {
          seen.push(yield* Effect.flip(Durable.step("busy", busy, { ...once, error: Busy })))
          yield* Durable.wait("replay", "1 second")
        })
      )
      assertSucceeded(ran)
      assert.lengthOf(seen, 2)
      for (const error of seen) {
        assert.instanceOf(error, Busy)
        assert.notStrictEqual(error, busy)
        assert.deepStrictEqual(error.until, new Date(1_000))
      }
      assert.deepStrictEqual(ran.operations[0]!.StepDetails?.Error, {
        ErrorType: "Busy",
        ErrorMessage: `Busy: {"_tag":"Busy","until":"1970-01-01T00:00:01.000Z"}`,
        ErrorData: `{"_tag":"Busy","until":"1970-01-01T00:00:01.000Z"}`
      })
    })
  )

  it.effect("tells the members of a union of errors apart", () =>
    Effect.gen(function* () {
      const AnyError = Schema.Union([Declined, Busy])
      const failWith = (error: Declined | Busy) =>
        Durable.step(
          "pay",
          Effect.suspend(() => Effect.fail(error)),
          { ...once, error: AnyError }
        ).pipe(
          Effect.catchTags({
            Declined: (e) => Effect.succeed(`declined ${e.code}`),
            Busy: (e) => Effect.succeed(`busy ${e.until.getTime()}`)
          })
        )
      const ran = yield* execute(
        Effect.gen(function* () {
          const found = [
            yield* failWith(new Declined({ code: "c" })),
            yield* failWith(new Busy({ until: new Date(7) }))
          ]
          yield* Durable.wait("replay", "1 second")
          return found
        })
      )
      assert.deepStrictEqual(valueOf(ran), ["declined c", "busy 7"])
    })
  )

  it.effect("ends the execution with the declared error of its contract", () =>
    Effect.gen(function* () {
      const Pay = DurableFunction.make("pay", { error: Declined })
      const pay = Pay.implement(() => Durable.step("pay", new Declined({ code: "c" }), { ...once, error: Declined }))
      const error = yield* Effect.flip(TestEngine.run(Pay)).pipe(Effect.provide(TestEngine.layer([pay])))
      assert.instanceOf(error, Declined)
      assert.strictEqual(error.code, "c")
    })
  )

  it.effect("takes an error of plain data with a schema", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.flip(Durable.step("plain", Effect.fail("no" as const), { ...once, error: Schema.Literal("no") }))
      )
      assert.strictEqual(valueOf(ran), "no")
      const recorded = ran.operations[0]!.StepDetails?.Error
      assert.strictEqual(recorded?.ErrorData, `"no"`)
      assert.isNotEmpty(recorded?.ErrorMessage)
    })
  )

  it.effect("is a defect again after a defect, with name, message and stack kept, live and on replay", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const stacks: Array<unknown> = []
      const ran = yield* execute(
        Effect.gen(function* () {
          const step = Durable.step(
            "break",
            Effect.sync((): string => {
              throw new RangeError("too far")
            }),
            once
          )
          seen.push(defectOf(yield* Effect.exit(step)))
          yield* Durable.wait("replay", "1 second")
        })
      )
      assertSucceeded(ran)
      assert.lengthOf(seen, 2)
      for (const defect of seen) {
        assert.instanceOf(defect, Error)
        assert.strictEqual(defect.name, "RangeError")
        assert.strictEqual(defect.message, "too far")
        stacks.push(defect.stack)
        assert.match(defect.stack ?? "", /^RangeError: too far\n {4}at .*stepRetry\.test\.ts/)
      }
      assert.lengthOf(new Set(stacks), 1)
    })
  )

  it.effect("keeps a thrown value that is no Error as text", () =>
    Effect.gen(function* () {
      for (const [thrown, message] of [
        ["text", "text"],
        [{ a: 1 }, `{"a":1}`],
        [undefined, "undefined"],
        [null, "null"],
        ["", ""]
      ] as const) {
        const ran = yield* execute(Effect.exit(Durable.step("break", Effect.die(thrown), once)))
        const defect = defectOf(valueOf(ran))
        assert.instanceOf(defect, Error)
        if (message !== "") assert.strictEqual(defect.message, message)
      }
    })
  )

  it.effect("counts a typed error before a defect, and a defect before an interruption", () =>
    Effect.gen(function* () {
      const both = Effect.failCause(Cause.combine(Cause.die("clean-up"), Cause.fail(new Declined({ code: "c" }))))
      const ran = yield* execute(Effect.flip(Durable.step("both", both, { ...once, error: Declined })))
      assert.strictEqual(valueOf(ran).code, "c")
      const neither = Effect.failCause(Cause.combine(Cause.interrupt(1), Cause.die("broken")))
      const broken = yield* execute(Durable.step("neither", neither, once))
      assert.strictEqual(failureOf(broken).errorMessage, "broken")
    })
  )

  it.effect("fails the execution when its error does not fit its schema", () =>
    Effect.gen(function* () {
      const wrong: Effect.Effect<never, Declined> = cast(Effect.fail({ _tag: "Declined", code: 1 }))
      const ran = yield* execute(Effect.ignore(Durable.step("wrong", wrong, { ...once, error: Declined })))
      const failed = failureOf(ran)
      assert.strictEqual(failed.errorType, "SerdesFailed")
      assert.include(failed.errorMessage, "wrong")
    })
  )

  it.effect("fails the execution when its error is none that is recorded without a Schema, and says what to give", () =>
    Effect.gen(function* () {
      const raw: Effect.Effect<never> = cast(Effect.fail(new RangeError("too far")))
      const inStep = failureOf(yield* execute(Durable.step("raw", raw, once)))
      assert.strictEqual(inStep.errorType, "SerdesFailed")
      assert.strictEqual(
        inStep.errorMessage,
        'Could not write the error of "raw": it has no { error: Schema }. Give it one, or handle the error before. The error was RangeError: too far'
      )
      const inWorkflow = failureOf(yield* execute(raw))
      assert.match(inWorkflow.errorMessage ?? "", /^Could not write the error of ".+": it has no { error: Schema }\./)
    })
  )
})
