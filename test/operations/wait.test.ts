import { assert, describe, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import { actions, assertSucceeded, execute, failureOf } from "./support.ts"

describe("A wait", () => {
  const accepted: Record<string, readonly [Duration.Input, number]> = {
    "one second": ["1 second", 1],
    "a thousand milliseconds as a number": [1_000, 1],
    "a little more than a second": ["1001 millis", 2],
    "a second and a nanosecond": [Duration.nanos(BigInt(1_000_000_001)), 2],
    "half a second more": ["1.5 seconds", 2],
    "just less than two seconds": [1_999.999, 2],
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
    nothing: 0,
    "no time at all": Duration.zero,
    "half a second": "0.5 seconds",
    "just less than a second": 999.999,
    "a negative number": -5_000,
    "a negative duration": "-1 minutes",
    "366 days and a millisecond": 366 * 86_400_000 + 1,
    "367 days": "367 days",
    infinity: Duration.infinity,
    "infinity as a number": Infinity,
    "infinity as a text": "Infinity",
    NaN: Number.NaN,
    "a text that is no duration": "banana",
    "an empty text": "",
    "a date": new Date(Date.UTC(2030, 0, 1)),
    "a date time": DateTime.makeUnsafe("2030-01-01"),
    undefined: undefined,
    null: null,
    "a boolean": true,
    "an empty record": {},
    "an empty array": [],
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
