import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const Main = DurableFunction.make("main", { success: Schema.Unknown })
const Plain = DurableFunction.plain("plain", { payload: Schema.Int, success: Schema.Int })
const all = { concurrency: "unbounded" } as const

/** Real work outside of the process, as far as Effect can tell. */
const io = <A>(value: A, millis = 20): Effect.Effect<A> =>
  Effect.promise(() => new Promise((resolve) => setTimeout(() => resolve(value), millis)))

/** Runs a workflow to its end, and answers with its result and the virtual time that it took. */
const runOf = (
  workflow: Effect.Effect<unknown, never, Durable.Execution>,
  functions: ReadonlyArray<TestEngine.Stub> = [],
  options: TestEngine.Options = {}
) =>
  Effect.gen(function* () {
    const run = yield* TestEngine.start(Main)
    const value = yield* run.result
    const history = yield* run.history
    return {
      value,
      total: (history.at(-1)?.EventTimestamp ?? 0) - (history[0]?.EventTimestamp ?? 0),
      invocations: history.filter((event) => event.EventType === "InvocationCompleted").length
    }
  }).pipe(
    Effect.provide(
      TestEngine.layer([Main.implement(() => workflow), ...functions], {
        invocationTimeout: Duration.infinity,
        ...options
      })
    )
  )

describe("real work in a step", () => {
  it.effect("takes no virtual time", () =>
    Effect.gen(function* () {
      const { total, value } = yield* runOf(Durable.step("io", io("done")))
      assert.strictEqual(value, "done")
      assert.strictEqual(total, 0)
    })
  )

  it.effect("is not overtaken by a virtual time-out around it", () =>
    Effect.gen(function* () {
      const { total, value } = yield* runOf(
        Durable.step(
          "io",
          Effect.map(Effect.timeoutOption(io("done"), "1 second"), (option) => option._tag)
        )
      )
      assert.strictEqual(value, "Some")
      assert.strictEqual(total, 0)
    })
  )

  it.effect("is not overtaken by a virtual time-out that a race makes", () =>
    Effect.gen(function* () {
      const { value } = yield* runOf(
        Durable.step("io", Effect.raceFirst(io("done"), Effect.as(Effect.sleep("1 milli"), "late")))
      )
      assert.strictEqual(value, "done")
      const other = yield* runOf(
        Durable.step("io", Effect.raceFirst(Effect.as(Effect.sleep("1 milli"), "late"), io("done")))
      )
      assert.strictEqual(other.value, "done")
    })
  )

  it.effect("holds time still for everybody: waits, sleeps and stubs beside it", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      const note = (name: string) => Effect.sync(() => void order.push(name))
      const { total } = yield* runOf(
        Effect.all(
          [
            Effect.andThen(Durable.wait("wait", "1 second"), note("wait")),
            Durable.step("sleep", Effect.andThen(Effect.sleep("1 second"), note("sleep"))),
            Durable.step("io", Effect.andThen(io("done", 40), note("io"))),
            Effect.andThen(Durable.invoke(Plain, 1), note("invoke"))
          ],
          { ...all, discard: true }
        ).pipe(Effect.orDie),
        [TestEngine.stub(Plain, (n) => Effect.as(Effect.sleep("1 second"), n))]
      )
      assert.strictEqual(order[0], "io")
      assert.sameMembers(order, ["io", "wait", "sleep", "invoke"])
      assert.strictEqual(total, 1_000)
    })
  )

  for (const [what, branches] of [
    ["before a step that sleeps", [io("done"), Effect.as(Effect.sleep("1 hour"), "slept")]],
    ["after a step that sleeps", [Effect.as(Effect.sleep("1 hour"), "slept"), io("done")]]
  ] as const) {
    it.effect(`holds time still when it was started ${what}`, () =>
      Effect.gen(function* () {
        const times: Array<number> = []
        const { total } = yield* runOf(
          Effect.forEach(
            branches,
            (body, index) =>
              Durable.step(
                `step-${index}`,
                Effect.andThen(
                  body,
                  Effect.clockWith((clock) => Effect.map(clock.currentTimeMillis, (now) => void times.push(now)))
                )
              ),
            { ...all, discard: true }
          )
        )
        assert.strictEqual(total, 3_600_000)
        assert.deepStrictEqual(
          times.map((time) => time - Date.UTC(2026, 0, 1)),
          [0, 3_600_000]
        )
      })
    )
  }

  it.effect("holds time still in a child fiber of the step, and in turns with sleeps", () =>
    Effect.gen(function* () {
      const { total, value } = yield* runOf(
        Durable.step(
          "mixed",
          Effect.gen(function* () {
            const rounds = Effect.gen(function* () {
              for (let round = 0; round < 3; round++) {
                yield* io("done", 5)
                yield* Effect.sleep("1 minute")
              }
              return "rounds"
            })
            return yield* Effect.all([rounds, Effect.as(Effect.sleep("150 seconds"), "between"), rounds], all)
          })
        )
      )
      assert.deepStrictEqual(value, ["rounds", "between", "rounds"])
      assert.strictEqual(total, 180_000)
    })
  )

  it.effect("holds time still although a child fiber of the one that does it sleeps", () =>
    Effect.gen(function* () {
      let beats = 0
      const { total, value } = yield* runOf(
        Durable.step(
          "heartbeat",
          Effect.gen(function* () {
            yield* Effect.forkChild(
              Effect.forever(
                Effect.andThen(
                  Effect.sleep("1 minute"),
                  Effect.sync(() => void beats++)
                )
              )
            )
            return yield* io("done")
          })
        )
      )
      assert.strictEqual(value, "done")
      assert.strictEqual(beats, 0)
      assert.strictEqual(total, 0)
    })
  )

  it.effect("is run once, and its result is kept", () =>
    Effect.gen(function* () {
      let runs = 0
      const { value } = yield* runOf(
        Effect.gen(function* () {
          const first = yield* Durable.step(
            "io",
            Effect.suspend(() => io(++runs))
          )
          yield* Durable.wait("day", "1 day")
          return first
        })
      )
      assert.strictEqual(value, 1)
      assert.strictEqual(runs, 1)
    })
  )

  it.effect("may happen in a stub, which holds time still too", () =>
    Effect.gen(function* () {
      const { total, value } = yield* runOf(Durable.invoke(Plain, 1, { timeout: "1 second" }).pipe(Effect.orDie), [
        TestEngine.stub(Plain, (n) => io(n + 1, 30))
      ])
      assert.strictEqual(value, 2)
      assert.strictEqual(total, 0)
    })
  )
})

describe("real work outside of a step", () => {
  it.effect("keeps the invocation alive in a hold", () =>
    Effect.gen(function* () {
      const finished: Array<string> = []
      const { invocations, total } = yield* runOf(
        Effect.all(
          [
            Durable.wait("hour", "1 hour"),
            Durable.hold(
              Effect.andThen(
                io("done"),
                Effect.sync(() => void finished.push("io"))
              )
            )
          ],
          { ...all, discard: true }
        )
      )
      assert.strictEqual(total, 3_600_000)
      assert.strictEqual(invocations, 2)
      // It records nothing: the replay does it again.
      assert.deepStrictEqual(finished, ["io", "io"])
    })
  )

  it.effect("keeps the invocation alive in a hold that sleeps, also beyond waits beside it", () =>
    Effect.gen(function* () {
      const { invocations, total } = yield* runOf(
        Effect.all([Durable.wait("hour", "1 hour"), Durable.hold(Effect.sleep("3 hours"))], { ...all, discard: true })
      )
      assert.strictEqual(total, 3 * 3_600_000)
      assert.strictEqual(invocations, 1)
    })
  )

  it.effect("is waited for when nothing durable is going on", () =>
    Effect.gen(function* () {
      const { invocations, value } = yield* runOf(
        Effect.andThen(
          io("a"),
          Effect.map(io("b"), (b) => `a${b}`)
        )
      )
      assert.strictEqual(value, "ab")
      assert.strictEqual(invocations, 1)
    })
  )

  it.effect("holds time still for a step and a wait beside it", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      const note = (name: string) => Effect.sync(() => void order.push(name))
      const { total } = yield* runOf(
        Effect.all(
          [
            Durable.step("nap", Effect.andThen(Effect.sleep("1 second"), note("nap"))),
            Effect.andThen(Durable.wait("wait", "2 seconds"), note("wait")),
            Effect.andThen(io("done", 50), note("io"))
          ],
          { ...all, discard: true }
        )
      )
      // It records nothing: the replay does it again.
      assert.deepStrictEqual(order.slice(0, 2), ["io", "nap"])
      assert.strictEqual(total, 2_000)
    })
  )

  it.effect("holds time still no longer than its invocation would wait for it", () =>
    Effect.gen(function* () {
      const never = Effect.promise(() => new Promise<void>(() => {}))
      for (const slow of [Durable.step("slow", Effect.sleep("1 hour")), Durable.wait("slow", "1 hour")]) {
        const { total } = yield* runOf(Effect.asVoid(Effect.race(slow, never)), [], { outsideLimit: "50 millis" })
        assert.strictEqual(total, 3_600_000)
      }
    })
  )

  it.effect("is no work in virtual time when it is a sleep: one of a second is durable, a shorter one a nap", () =>
    Effect.gen(function* () {
      const hour = yield* runOf(Effect.sleep("1 hour"))
      assert.deepStrictEqual([hour.total, hour.invocations], [3_600_000, 2])
      const nap = yield* runOf(Effect.sleep("500 millis"))
      assert.deepStrictEqual([nap.total, nap.invocations], [500, 1])
    })
  )
})
