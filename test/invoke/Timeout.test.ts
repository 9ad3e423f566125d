import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableError, DurableFunction } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { brief, elapsed, executionFailed, runToEnd, runToValue, spy, type Ended } from "./support.ts"

class CardDeclined extends Schema.TaggedError<CardDeclined>()("CardDeclined", { code: Schema.String }) {}

const Work = DurableFunction.plain("work", { payload: Schema.Int, success: Schema.String, error: CardDeclined })

/** Works for so many virtual milliseconds. */
const working = (millis: number) => TestEngine.stub(Work, (n) => Effect.as(Effect.sleep(millis), `did ${n}`))
const never = TestEngine.stub(Work, Reply.never)

const startTime = Date.UTC(2026, 0, 1)
const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

type Timeout = NonNullable<Durable.InvokeOptions<typeof Work>["timeout"]>

/** How an invoke with a time-out ends, in one word. */
const briefly = (timeout: Timeout, name = "work") =>
  Durable.invoke(Work, 1, { name, timeout }).pipe(Effect.catch((error) => Effect.succeed(error._tag)))

const waitSeconds = ({ history }: Ended): ReadonlyArray<number | undefined> =>
  history.flatMap((event) => (event.EventType === "WaitStarted" ? [event.WaitStartedDetails?.Duration] : []))

describe("the time-out of an invoke", () => {
  const forms: ReadonlyArray<readonly [what: string, timeout: Timeout, seconds: number]> = [
    ["a text", "5 minutes", 300],
    ["a number of milliseconds", 300_000, 300],
    ["a Duration", Duration.minutes(5), 300],
    ["a Date as the deadline", new Date(startTime + 5 * minute), 300],
    ["a DateTime as the deadline", DateTime.makeUnsafe(startTime + 5 * minute), 300],
    [
      "a DateTime with a zone as the deadline",
      DateTime.makeZonedUnsafe(startTime + 5 * minute, { timeZone: "Europe/Berlin" }),
      300
    ],
    ["its shortest, a second", 1_000, 1],
    ["as long as a year", Duration.days(365), 31_536_000],
    ["no whole seconds, which are rounded up", 1_001, 2],
    ["a deadline in less than a second, which is a second", new Date(startTime + 300), 1],
    ["a deadline that is not in whole seconds, which is rounded up", new Date(startTime + 2_500), 3]
  ]
  for (const [what, timeout, seconds] of forms) {
    it.effect(`may be ${what}`, () =>
      Effect.gen(function* () {
        const ended = yield* runToEnd(briefly(timeout), [never])
        assert.strictEqual(yield* ended.exit, "InvokeTimedOut")
        assert.strictEqual(elapsed(ended.history), seconds * 1_000)
        assert.deepStrictEqual(waitSeconds(ended), [seconds])
      })
    )
  }

  it.effect("may be as long as the service allows, 366 days", () =>
    Effect.gen(function* () {
      const ended = yield* runToEnd(briefly("366 days"), [working(hour)])
      assert.strictEqual(yield* ended.exit, "did 1")
      assert.deepStrictEqual(waitSeconds(ended), [31_622_400])
    })
  )

  it.effect("that is already past fails at once and starts nothing", () =>
    Effect.gen(function* () {
      for (const timeout of [
        new Date(startTime - 1),
        new Date(startTime),
        new Date(0),
        DateTime.makeUnsafe(startTime - day)
      ]) {
        const { calls, stub } = spy(Work, () => Reply.never)
        const errors: Array<unknown> = []
        const { exit, operations } = yield* runToEnd(
          Effect.gen(function* () {
            errors.push(yield* Effect.flip(Durable.invoke(Work, 1, { name: "late", timeout })))
            yield* Durable.wait("afterwards", "1 minute")
          }).pipe(Effect.orDie),
          [stub]
        )
        assert.isTrue(exit._tag === "Success")
        assert.strictEqual(calls.length, 0)
        assert.deepStrictEqual(brief(operations), ["WAIT afterwards SUCCEEDED"])
        assert.strictEqual(errors.length, 2)
        assert.deepStrictEqual(errors[1], errors[0])
        assert.instanceOf(errors[0], DurableError.InvokeTimedOut)
        assert.strictEqual(errors[0].source, "caller")
        assert.isFalse(errors[0].calleeMayStillRun)
        assert.include(errors[0].message, "It was not called: the time-out had passed before that.")
        assert.strictEqual(errors[0].operation, "late")
      }
    })
  )

  it.effect("counts a deadline from the moment of the invoke", () =>
    Effect.gen(function* () {
      const ended = yield* runToEnd(
        Effect.gen(function* () {
          yield* Durable.wait("first", "3 minutes")
          return yield* briefly(new Date(startTime + 5 * minute))
        }),
        [never]
      )
      assert.deepStrictEqual(waitSeconds(ended), [180, 120])
      assert.strictEqual(elapsed(ended.history), 5 * minute)
    })
  )

  it.effect("may be a deadline that the workflow computes from its own clock", () =>
    Effect.gen(function* () {
      const ended = yield* runToEnd(
        Effect.gen(function* () {
          yield* Durable.wait("first", "3 minutes")
          const deadline = DateTime.add(yield* DateTime.now, { minutes: 10 })
          const outcome = yield* briefly(deadline)
          yield* Durable.wait("last", "1 hour")
          return outcome
        }),
        [never]
      )
      assert.strictEqual(yield* ended.exit, "InvokeTimedOut")
      assert.deepStrictEqual(waitSeconds(ended), [180, 600, 3_600])
    })
  )

  it.effect("takes a Date of 1970 for the past and not for nothing", () =>
    Effect.gen(function* () {
      const { operations } = yield* runToEnd(briefly(new Date(0)), [never])
      assert.deepStrictEqual(operations, [])
    })
  )

  const invalid: ReadonlyArray<readonly [what: string, timeout: unknown]> = [
    ["less than a second", "999 millis"],
    ["a fraction of a millisecond", 0.5],
    ["zero", 0],
    ["zero as text", "0 seconds"],
    ["negative", -5_000],
    ["negative as a Duration", Duration.millis(-5_000)],
    ["infinite", Infinity],
    ["infinite as a Duration", Duration.infinity],
    ["minus infinity", -Infinity],
    ["no number", Number.NaN],
    ["no duration", "soon"],
    ["an empty text", ""],
    ["a unit without a number", "minutes"],
    ["null", null],
    ["an object", {}],
    ["a boolean", true],
    ["a Date without a time", new Date(Number.NaN)],
    ["a second more than 366 days", Duration.seconds(31_622_401)],
    ["a deadline in more than 366 days", new Date(startTime + 367 * day)]
  ]
  for (const [what, timeout] of invalid) {
    it.effect(`is InvalidDuration before anything is sent when it is ${what}`, () =>
      Effect.gen(function* () {
        const { calls, stub } = spy(Work, () => Reply.never)
        const { exit, operations } = yield* runToEnd(
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what comes from JavaScript has any type
          briefly(timeout as Timeout, "pay"),
          [stub]
        )
        const failed = executionFailed(exit)
        assert.strictEqual(failed.errorType, "InvalidDuration")
        assert.include(failed.errorMessage, `"pay"`)
        assert.deepStrictEqual(operations, [])
        assert.strictEqual(calls.length, 0)
      })
    )
  }
})

describe("an invoke with a time-out", () => {
  it.effect("answers with the result of a callee that is faster", () =>
    Effect.gen(function* () {
      const ended = yield* runToEnd(briefly("5 minutes", "pay"), [working(minute)])
      assert.strictEqual(yield* ended.exit, "did 1")
      assert.strictEqual(elapsed(ended.history), minute)
    })
  )

  it.effect("fails as InvokeTimedOut of the caller when the callee is slower, and the callee may still run", () =>
    Effect.gen(function* () {
      const errors: Array<unknown> = []
      const ended = yield* runToEnd(
        Effect.gen(function* () {
          errors.push(yield* Effect.flip(Durable.invoke(Work, 1, { name: "pay", timeout: "5 minutes" })))
          yield* Durable.wait("afterwards", "1 day")
        }).pipe(Effect.orDie),
        [working(hour)]
      )
      assert.isTrue(ended.exit._tag === "Success")
      assert.instanceOf(errors[0], DurableError.InvokeTimedOut)
      assert.strictEqual(errors[0].source, "caller")
      assert.isTrue(errors[0].calleeMayStillRun)
      assert.strictEqual(errors[0].operation, "pay")
      assert.strictEqual(errors[0].function, "work")
      assert.include(errors[0].message, "still be running")
      for (const error of errors) assert.deepStrictEqual(error, errors[0])
    })
  )

  it.effect("costs three operations in one context", () =>
    Effect.gen(function* () {
      const fast = yield* runToEnd(briefly("5 minutes", "pay"), [working(1_000)])
      assert.sameMembers(
        [...brief(fast.operations)],
        ["CONTEXT pay SUCCEEDED", "CHAINED_INVOKE pay SUCCEEDED", "WAIT timeout STARTED"]
      )
      const context = fast.operations.find((operation) => operation.Type === "CONTEXT")
      assert.strictEqual(context?.ParentId, undefined)
      for (const operation of fast.operations) {
        if (operation !== context) assert.strictEqual(operation.ParentId, context?.Id)
      }
      const slow = yield* runToEnd(briefly("5 minutes", "pay"), [never])
      assert.sameMembers(
        [...brief(slow.operations)],
        ["CONTEXT pay FAILED", "CHAINED_INVOKE pay STARTED", "WAIT timeout SUCCEEDED"]
      )
    })
  )

  it.effect("starts its three operations in one request, so no crash can part the invoke from its time-out", () =>
    Effect.gen(function* () {
      const { history } = yield* runToEnd(briefly("5 minutes", "pay"), [working(1_000)])
      const types = history.map((event) => event.EventType)
      assert.deepStrictEqual(types.slice(0, 5), [
        "ExecutionStarted",
        "ContextStarted",
        "ChainedInvokeStarted",
        "WaitStarted",
        "InvocationCompleted"
      ])
    })
  )

  it.effect("costs one operation and no context without a time-out", () =>
    Effect.gen(function* () {
      const { operations } = yield* runToEnd(
        Durable.invoke(Work, 1).pipe(Effect.catchTag("CardDeclined", Effect.die)),
        [working(1_000)]
      )
      assert.deepStrictEqual(brief(operations), ["CHAINED_INVOKE work SUCCEEDED"])
    })
  )

  it.effect("waits as long as it takes without a time-out", () =>
    Effect.gen(function* () {
      const ended = yield* runToEnd(Durable.invoke(Work, 1).pipe(Effect.catchTag("CardDeclined", Effect.die)), [
        working(300 * day)
      ])
      assert.strictEqual(yield* ended.exit, "did 1")
      assert.strictEqual(elapsed(ended.history), 300 * day)
    })
  )

  it.effect("tells its own time-out from that of the service by a field", () =>
    Effect.gen(function* () {
      const sources: Array<readonly [string, boolean]> = []
      const source = (timeout: Timeout) =>
        Durable.invoke(Work, 1, { timeout }).pipe(
          Effect.catchTag("InvokeTimedOut", (error) =>
            Effect.sync(() => void sources.push([error.source, error.calleeMayStillRun]))
          ),
          Effect.catch(Effect.die)
        )
      yield* runToValue(Effect.andThen(source("1 minute"), source("2 minutes")), [
        TestEngine.stub(Work, [Reply.timeOut(), Reply.never])
      ])
      assert.deepInclude(sources, ["service", false])
      assert.deepStrictEqual(sources.at(-1), ["caller", true])
    })
  )

  it.effect("keeps the errors of the callee, declared ones and others", () =>
    Effect.gen(function* () {
      const value = yield* runToValue(
        Effect.all([briefly("1 minute", "a"), briefly("1 minute", "b"), briefly("1 minute", "c")]),
        [
          TestEngine.stub(Work, [
            Reply.fail(new CardDeclined({ code: "1" })),
            Reply.fail({ ErrorType: "Odd" }),
            Reply.stop()
          ])
        ]
      )
      assert.deepStrictEqual(value, ["CardDeclined", "InvokeFailed", "InvokeStopped"])
    })
  )

  it.effect("runs beside others, each with its own time-out", () =>
    Effect.gen(function* () {
      const ended = yield* runToEnd(
        Effect.all([briefly("1 minute", "a"), briefly("3 minutes", "b"), briefly("5 minutes", "c")], {
          concurrency: "unbounded"
        }),
        [working(2 * minute)]
      )
      assert.deepStrictEqual(yield* ended.exit, ["InvokeTimedOut", "did 1", "did 1"])
      assert.strictEqual(elapsed(ended.history), 2 * minute)
    })
  )

  it.effect("is used again and again under one name", () =>
    Effect.gen(function* () {
      const value = yield* runToValue(
        Effect.forEach([1, 2, 3], () => briefly("1 minute")),
        [TestEngine.stub(Work, [Reply.succeed("one"), Reply.never, Reply.succeed("three")])]
      )
      assert.deepStrictEqual(value, ["one", "InvokeTimedOut", "three"])
    })
  )

  it.effect("times out while other work keeps the invocation alive", () =>
    Effect.gen(function* () {
      const ended = yield* runToEnd(
        Effect.all([Durable.step("busy", Effect.as(Effect.sleep(10 * minute), "busy")), briefly("5 minutes")], {
          concurrency: "unbounded"
        }),
        [never]
      )
      assert.deepStrictEqual(yield* ended.exit, ["busy", "InvokeTimedOut"])
      assert.strictEqual(elapsed(ended.history), 10 * minute)
      assert.strictEqual(ended.invocations, 1)
    })
  )

  it.effect("hears of its callee while other work keeps the invocation alive", () =>
    Effect.gen(function* () {
      const ended = yield* runToEnd(
        Effect.all([Durable.step("busy", Effect.as(Effect.sleep(10 * minute), "busy")), briefly("5 minutes")], {
          concurrency: "unbounded"
        }),
        [working(2 * minute)]
      )
      assert.deepStrictEqual(yield* ended.exit, ["busy", "did 1"])
    })
  )
})
