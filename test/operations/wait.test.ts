import { assert, describe, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import * as TestClock from "effect/testing/TestClock"
import { operationId } from "../../src/execution/Identity.ts"
import { everySight } from "./batches.ts"
import { actions, assertSucceeded, deployed, eventOf, execute, failureOf, invokeOnce, valueOf } from "./support.ts"

const start = Date.UTC(2026, 0, 1)

describe("A wait", () => {
  const accepted: Record<string, readonly [Duration.Input, number]> = {
    "one second": ["1 second", 1],
    "a thousand milliseconds as a number": [1_000, 1],
    "a little more than a second": ["1001 millis", 2],
    "a second and a nanosecond": [Duration.nanos(BigInt(1_000_000_001)), 2],
    "half a second more": ["1.5 seconds", 2],
    "just less than two seconds": [1_999.999, 2],
    "just less than a second": [999.999, 1],
    "half a second": ["0.5 seconds", 1],
    "a nanosecond": [Duration.nanos(BigInt(1)), 1],
    "an hour and a millisecond": [Duration.sum(Duration.hours(1), Duration.millis(1)), 3_601],
    "366 days": ["366 days", 31_622_400]
  }
  for (const [name, [duration, seconds]] of Object.entries(accepted)) {
    it.effect(`is recorded in whole seconds, rounded up: ${name}`, () =>
      Effect.gen(function* () {
        const ran = yield* execute(Durable.wait("nap", duration))
        assertSucceeded(ran)
        assert.deepStrictEqual(
          ran.updates.map((update) => [update.Action, update.Type, update.SubType, update.WaitOptions]),
          [["START", "WAIT", "Wait", { WaitSeconds: seconds }]]
        )
        const end = ran.history.at(-1)!.EventTimestamp - ran.history[0]!.EventTimestamp
        assert.strictEqual(end, seconds * 1_000)
        assert.strictEqual(ran.invocations, 2)
      })
    )
  }

  const refused: Record<string, unknown> = {
    "366 days and a millisecond": 366 * 86_400_000 + 1,
    "367 days": "367 days",
    infinity: Duration.infinity,
    "infinity as a number": Infinity,
    "infinity as a text": "Infinity",
    NaN: Number.NaN,
    "a text that is no duration": "banana",
    "an empty text": "",
    "a date that is none": new Date(Number.NaN),
    "a date in a thousand years": new Date(Date.UTC(3030, 0, 1)),
    "a date time in a thousand years": DateTime.makeUnsafe("3030-01-01"),
    undefined: undefined,
    null: null,
    "a boolean": true,
    "an empty record": {},
    "an empty array": [],
    "seconds that are no number": { seconds: Number.NaN },
    "a pair of NaN": [Number.NaN, 0]
  }
  for (const [name, duration] of Object.entries(refused)) {
    it.effect(`is InvalidDuration, names itself and sends nothing: ${name}`, () =>
      Effect.gen(function* () {
        const ran = yield* execute(Durable.child("block", Durable.wait("nap", cast(duration)), { flat: true }))
        const failed = failureOf(ran)
        assert.strictEqual(failed.errorType, "InvalidDuration")
        assert.include(failed.errorMessage, `"block/nap"`)
        assert.include(failed.errorMessage, "between 1 second and 366 days")
        assert.deepStrictEqual(ran.updates, [])
      })
    )
  }

  const over: Record<string, Duration.Input | Date | DateTime.DateTime> = {
    nothing: 0,
    "no time at all": Duration.zero,
    "a negative number": -5_000,
    "a negative duration": "-1 minutes",
    "minus infinity": -Infinity,
    "the time of the workflow": new Date(start),
    "a date that has passed": new Date(start - 1),
    "a date time that has passed": DateTime.makeUnsafe(start - 1),
    "a time in a zone that has passed": DateTime.makeZonedUnsafe(start - 1, { timeZone: "Asia/Tokyo" })
  }
  for (const [name, until] of Object.entries(over)) {
    it.effect(`for ${name} goes on at once and records nothing, live and on replay`, () =>
      Effect.gen(function* () {
        const { ran, seen } = yield* everySight(Effect.as(Durable.wait("nap", until), "on"), {
          engine: { startTime: start }
        })
        assert.deepStrictEqual(seen, ["on", "on"])
        assert.deepStrictEqual(actions(ran.updates), ["START replay"])
      })
    )
  }

  for (const [name, until, seconds] of [
    ["a Date", new Date(start + 10_500), 11],
    ["a DateTime", DateTime.makeUnsafe(start + 10_500), 11],
    ["a time in a zone", DateTime.makeZonedUnsafe(start + 3_600_000, { timeZone: "Europe/Rome" }), 3_600],
    ["a Date in a millisecond", new Date(start + 1), 1],
    ["a Date in 366 days", new Date(start + 366 * 86_400_000), 31_622_400]
  ] as const) {
    it.effect(`lasts until ${name}, in whole seconds`, () =>
      Effect.gen(function* () {
        const ran = yield* execute(Durable.wait("nap", until), { engine: { startTime: start } })
        assertSucceeded(ran)
        assert.deepStrictEqual(
          ran.updates.map(({ WaitOptions }) => WaitOptions),
          [{ WaitSeconds: seconds }]
        )
      })
    )
  }

  it.effect("that has passed counts as a use of its name, so that the next one keeps its identity", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.gen(function* () {
          const seen: Array<number> = []
          for (const at of [0, 20, 10, 30]) {
            yield* Durable.wait("until", new Date(start + at * 1_000))
            seen.push((yield* Clock.currentTimeMillis) - start)
          }
          return seen
        }),
        { engine: { startTime: start } }
      )
      assert.deepStrictEqual(valueOf(ran), [0, 20_000, 20_000, 30_000])
      assert.deepStrictEqual(
        ran.operations.map(({ Id }) => Id),
        [1, 3].map((occurrence) => operationId("", "until", occurrence))
      )
    })
  )

  it.effect("that is recorded is waited for, although newer code has one that has passed", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        deployed(
          Durable.wait("until", new Date(start + 60_000)),
          Effect.andThen(Durable.wait("until", 0), Clock.currentTimeMillis)
        ),
        { engine: { startTime: start } }
      )
      assert.strictEqual(valueOf(ran), start + 60_000)
      assert.lengthOf(ran.operations, 1)
    })
  )

  it.effect("for no time in a loop that never ends is told, and does not hang", () =>
    Effect.gen(function* () {
      const failed = failureOf(yield* execute(Effect.forever(Durable.wait("nap", 0))))
      assert.strictEqual(failed.errorType, "Stuck")
    })
  )

  // The end of a child that nobody waited for is not known when its parent goes on.
  it.effect.each(["2 hours", "20 minutes"] as const)(
    "until a point in time is decided in the same way on a replay, after a child of %s",
    (length) =>
      Effect.gen(function* () {
        const half = new Date(start + 3_600_000)
        const { ran, seen } = yield* everySight(
          Effect.gen(function* () {
            yield* Durable.child("child", Durable.wait("in", length))
            yield* Durable.wait("until", half)
            return yield* Clock.currentTimeMillis
          }),
          { engine: { startTime: start } }
        )
        const end = start + (length === "2 hours" ? 7_200_000 : 3_600_000)
        assert.lengthOf(seen, 2)
        for (const at of seen) assert.isAtMost(Math.abs(at - end), 10)
        assert.lengthOf(
          ran.operations.filter(({ Name }) => Name === "until"),
          length === "2 hours" ? 0 : 1
        )
      })
  )

  it.effect("until a point in time is as long as the service says, after a replay that took its time", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.gen(function* () {
          const slow = Durable.step("slow", Effect.sleep("30 seconds"))
          const waited = Effect.andThen(Durable.callback("other"), Durable.wait("until", new Date(start + 60_000)))
          yield* Effect.all([slow, waited], { concurrency: "unbounded" })
          return yield* Clock.currentTimeMillis
        }),
        { engine: { startTime: start } }
      )
      assert.isAtMost(Math.abs(valueOf(ran) - (start + 60_000)), 1_000)
    })
  )

  it.effect.each([-3_600_000, 0, 3_600_000])(
    "until a point in time is measured by the stamps of the service, where the clock of the host is %s ms off",
    (skew) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(start + skew)
        const event = eventOf([{ Id: operationId("", "first", 0), Name: "first", Type: "WAIT", SubType: "Wait" }])
        const operations = event.InitialExecutionState.Operations.map((operation) => ({
          ...operation,
          StartTimestamp: start,
          EndTimestamp: start + 5_000
        }))
        const body = Effect.gen(function* () {
          yield* Durable.wait("first", "5 seconds")
          yield* Durable.wait("passed", new Date(start + 4_999))
          yield* Durable.wait("until", new Date(start + 65_000))
        })
        const ran = yield* invokeOnce(body, { event: { ...event, InitialExecutionState: { Operations: operations } } })
        assert.deepStrictEqual(
          ran.updates.map(({ Name, WaitOptions }) => [Name, WaitOptions]),
          [["until", { WaitSeconds: 60 }]]
        )
      })
  )

  it.effect("that somebody has cancelled never ends", () =>
    Effect.gen(function* () {
      const body = Effect.andThen(Durable.wait("nap", "1 hour"), Durable.step("after", Effect.void))
      const recorded = {
        Id: operationId("", "nap", 0),
        Name: "nap",
        Type: "WAIT",
        SubType: "Wait",
        Status: "CANCELLED",
        StartTimestamp: start,
        EndTimestamp: start + 1_000
      } as const
      const ran = yield* invokeOnce(body, { event: eventOf([recorded]), run: { outsideLimit: 50 } })
      assert.notStrictEqual(ran.answer?.Status, "SUCCEEDED")
      assert.deepStrictEqual(
        actions(ran.updates).filter((action) => action.includes("after")),
        []
      )
    })
  )

  it.effect("does not look at its duration again on replay", () =>
    Effect.gen(function* () {
      let asked = 0
      const ran = yield* execute(Effect.suspend(() => Durable.wait("nap", asked++ === 0 ? "1 hour" : cast("banana"))))
      assertSucceeded(ran)
      assert.strictEqual(asked, 2)
    })
  )

  it.effect("passes in the same invocation when something else keeps it alive", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      const long = Effect.sleep("20 seconds")
      const ran = yield* execute(
        Effect.all(
          [
            Durable.step("long", long).pipe(Effect.andThen(Effect.sync(() => order.push("long")))),
            Durable.wait("nap", "5 seconds").pipe(Effect.andThen(Effect.sync(() => order.push("nap"))))
          ],
          { concurrency: "unbounded" }
        )
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(order, ["nap", "long"])
      assert.strictEqual(ran.invocations, 1)
      // Both starts in one request, one request to ask for news, one for the outcome of the step.
      assert.deepStrictEqual(
        ran.requests.map((request) => actions(request.Updates)),
        [["START long", "START nap"], [], ["SUCCEED long"]]
      )
    })
  )

  it.effect("has no bearing on the waits beside it: the shortest resumes first", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      const nap = (name: string, duration: Duration.Input) =>
        Durable.wait(name, duration).pipe(
          Effect.andThen(
            Durable.step(
              `after ${name}`,
              Effect.sync(() => void order.push(name))
            )
          )
        )
      const ran = yield* execute(
        Effect.all([nap("c", "3 hours"), nap("a", "1 hour"), nap("b", "2 hours")], { concurrency: "unbounded" })
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(order, ["a", "b", "c"])
      assert.strictEqual(ran.invocations, 4)
    })
  )
})
