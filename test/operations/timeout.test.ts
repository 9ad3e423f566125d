import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableError } from "effect-durable"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { after, declared, Declined, everySight, failAfter, replay } from "./batches.ts"
import { actions, crashAt, defectOf, errorOf, execute, failureOf, holds, unchecked, valueOf } from "./support.ts"

const start = Date.UTC(2026, 0, 1)

describe("A time-out", () => {
  it.effect("lets what ends in time through: values and errors, live and on replay", () =>
    Effect.gen(function* () {
      const value = yield* everySight(Durable.timeout("limit", after(2, "done"), "1 minute"))
      assert.deepStrictEqual(value.seen, ["done", "done"])
      const failure = yield* everySight(Effect.exit(Durable.timeout("limit", failAfter(2, "no"), "1 minute", declared)))
      for (const exit of failure.seen) assert.instanceOf(errorOf(exit), Declined)
      const defect = yield* everySight(
        Effect.exit(Durable.timeout("limit", Effect.die(new RangeError("too far")), "1 minute"))
      )
      for (const exit of defect.seen) assert.strictEqual(String(defectOf(exit)), "RangeError: too far")
    })
  )

  it.effect("fails as DurableTimeout after its duration, live and on replay", () =>
    Effect.gen(function* () {
      const { ran, seen } = yield* everySight(
        Effect.exit(Durable.timeout("limit", after(86_400, "done"), "90 seconds"))
      )
      assert.lengthOf(seen, 2)
      for (const exit of seen) {
        const error = errorOf(exit)
        assert.instanceOf(error, DurableError.DurableTimeout)
        assert.strictEqual(error.operation, "limit")
        assert.strictEqual(
          error.message,
          `"limit" did not end before its time-out. Work that it started outside the workflow may continue: an invoked function is not stopped.`
        )
      }
      assert.strictEqual(ran.history.at(-1)!.EventTimestamp - ran.history[0]!.EventTimestamp, 91_000)
    })
  )

  it.effect("costs two operations", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Durable.timeout("limit", Durable.step("work", Effect.succeed(1)), "1 minute"))
      assert.deepStrictEqual(
        ran.operations.map(({ Name, Type }) => `${Type} ${Name}`),
        ["CONTEXT limit", "STEP work", "WAIT timeout"]
      )
      assert.deepStrictEqual(ran.updates.find(({ Type }) => Type === "WAIT")?.WaitOptions, { WaitSeconds: 60 })
    })
  )

  it.effect("is not confused by names in what it limits", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Durable.timeout("limit", Effect.as(Durable.wait("timeout", "2 seconds"), "mine"), "1 minute")
      )
      assert.strictEqual(valueOf(ran), "mine")
    })
  )

  it.effect("may be a point in time, as a Date or a DateTime", () =>
    Effect.gen(function* () {
      for (const limit of [new Date(start + 10_500), DateTime.makeUnsafe(start + 10_500)]) {
        const ran = yield* execute(Effect.exit(Durable.timeout("limit", after(3_600, ""), limit)), {
          engine: { startTime: start }
        })
        assert.instanceOf(errorOf(valueOf(ran)), DurableError.DurableTimeout)
        assert.deepStrictEqual(
          ran.updates.flatMap(({ WaitOptions }) => (WaitOptions === undefined ? [] : [WaitOptions.WaitSeconds])),
          [3_600, 11]
        )
      }
    })
  )

  it.effect("that is over already fails before anything is recorded, and does so on every replay", () =>
    Effect.gen(function* () {
      let runs = 0
      const { ran, seen } = yield* everySight(
        Effect.exit(
          Durable.timeout(
            "limit",
            Effect.sync(() => runs++),
            new Date(start - 1)
          )
        ),
        { engine: { startTime: start } }
      )
      assert.lengthOf(seen, 2)
      for (const exit of seen) assert.instanceOf(errorOf(exit), DurableError.DurableTimeout)
      assert.strictEqual(runs, 0)
      assert.deepStrictEqual(actions(ran.updates), ["START replay"])
    })
  )

  // The end of a child that nobody waited for is not known when its parent goes on.
  it.effect("that is over since the child before it has failed on every replay", () =>
    Effect.gen(function* () {
      const { ran, seen } = yield* everySight(
        Effect.gen(function* () {
          yield* Durable.child("child", Durable.wait("in", "2 hours"))
          const limit = new Date(start + 3_600_000)
          const step = yield* Effect.exit(Durable.timeout("limit", Durable.step("late", Effect.void), limit))
          const callback = yield* Effect.exit(Durable.callback("late", { timeout: limit }))
          return [step._tag, callback._tag]
        }),
        { engine: { startTime: start } }
      )
      assert.deepStrictEqual(seen, [
        ["Failure", "Failure"],
        ["Failure", "Failure"]
      ])
      assert.notInclude(actions(ran.updates).join(), "late")
    })
  )

  it.effect("at a point in time goes on when it passes between two invocations", () =>
    Effect.gen(function* () {
      const { seen } = yield* everySight(
        Effect.exit(
          Durable.timeout(
            "limit",
            Effect.andThen(after(5, ""), Durable.step("work", Effect.delay(Effect.succeed("in time"), 2_000))),
            new Date(start + 9_000)
          )
        ),
        { engine: { startTime: start }, store: crashAt(holds("START", "timeout"), "before") }
      )
      assert.lengthOf(seen, 2)
      for (const exit of seen) assert.strictEqual(exit._tag === "Success" ? exit.value : "", "in time")
    })
  )

  it.effect.each([0, -1, "999 millis", "367 days", "soon", Infinity, Number.NaN])(
    "of %s is InvalidDuration before anything is recorded",
    (limit) =>
      Effect.gen(function* () {
        const ran = yield* execute(unchecked(Durable.timeout("limit", Effect.void, JSON.parse("null") ?? limit)))
        assert.strictEqual(failureOf(ran).errorType, "InvalidDuration")
        assert.lengthOf(ran.updates, 0)
      })
  )

  it.effect("may stand in another: the shorter one counts", () =>
    Effect.gen(function* () {
      const inner = Durable.timeout("inner", after(3_600, ""), "10 seconds")
      const { seen } = yield* everySight(Effect.exit(Durable.timeout("outer", inner, "1 minute")))
      for (const exit of seen) assert.strictEqual(errorOf(exit).operation, "outer/inner")
      const late = yield* everySight(Effect.exit(Durable.timeout("outer", inner, "5 seconds")))
      for (const exit of late.seen) assert.strictEqual(errorOf(exit).operation, "outer")
    })
  )

  it.effect("may come back in a loop", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.gen(function* () {
          const outcomes: Array<string> = []
          for (let round = 1; round <= 3; round++) {
            outcomes.push((yield* Effect.exit(Durable.timeout("limit", after(round, ""), "2 seconds")))._tag)
          }
          yield* replay
          return outcomes
        })
      )
      assert.deepStrictEqual(valueOf(ran)[0], "Success")
      assert.deepStrictEqual(valueOf(ran)[2], "Failure")
    })
  )

  it.effect("gives what the Schema decodes", () =>
    Effect.gen(function* () {
      const { seen } = yield* everySight(
        Durable.timeout("limit", Effect.succeed(new Date(7)), "1 minute", { success: Schema.Date })
      )
      assert.deepStrictEqual(seen, [new Date(7), new Date(7)])
    })
  )
})
