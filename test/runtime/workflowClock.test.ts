import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { TestClock } from "effect/testing"
import { operationId } from "../../src/execution/Identity.ts"
import { assertSucceeded, eventOf, execute, invokeOnce } from "../operations/support.ts"
import { elapsed, hour, minute, places, start } from "./places.ts"

const both = { concurrency: "unbounded" } as const
const Ask = DurableFunction.plain("ask", { payload: Schema.Int, success: Schema.Int })
const ask = TestEngine.stub(Ask, (hours) => Effect.as(Effect.sleep(Duration.hours(hours)), hours))

/** A step that takes its time. */
const step = (name: string, duration: Duration.Input) => Durable.step(name, Effect.sleep(duration))

describe("The clock of a workflow, at every replay alike,", () => {
  it.effect("shows when the execution began, and then when the last operation ended", () =>
    Effect.gen(function* () {
      const seen = yield* places(
        elapsed,
        (look) =>
          Effect.gen(function* () {
            yield* look("first")
            yield* step("think", "5 minutes")
            yield* look("after a step")
            yield* Durable.wait("nap", "1 hour")
            yield* look("after a wait")
            yield* Durable.invoke(Ask, 2)
            yield* look("after an invoke")
            yield* Effect.exit(
              Durable.step("fail", Effect.delay(Effect.die("no"), "1 minute"), { retry: RetryPolicy.none })
            )
            yield* look("after a failure")
            yield* Durable.step(
              "retried",
              Effect.flatMap(Durable.StepContext, ({ attempt }) => (attempt < 3 ? Effect.die("no") : Effect.void)),
              {
                retry: RetryPolicy.fixed({ maxAttempts: 3, delay: "10 minutes" })
              }
            )
            yield* look("after two retries")
            yield* Durable.wait("end", "1 hour")
          }),
        { functions: [ask] }
      )
      assert.deepStrictEqual(seen, {
        first: 0,
        "after a step": 5 * minute,
        "after a wait": hour + 5 * minute,
        "after an invoke": 3 * hour + 5 * minute,
        "after a failure": 3 * hour + 6 * minute,
        "after two retries": 3 * hour + 26 * minute
      })
    })
  )

  it.effect("shows when a condition came true, and when a patch was marked", () =>
    Effect.gen(function* () {
      const seen = yield* places(elapsed, (look) =>
        Effect.gen(function* () {
          yield* Durable.wait("nap", "1 hour")
          yield* Durable.patched("new-code")
          yield* look("patched")
          yield* Durable.waitForCondition("ready", {
            initial: 0,
            check: (looks) => Effect.delay(Effect.succeed(looks + 1), "1 minute"),
            until: (looks) => looks === 3,
            delay: "10 minutes"
          })
          yield* look("ready")
          yield* Durable.wait("end", "1 hour")
        })
      )
      assert.deepStrictEqual(seen, { patched: hour, ready: hour + 23 * minute })
    })
  )

  it.effect("shows when the callback was completed that was waited for, in a child and after it", () =>
    Effect.gen(function* () {
      const event = eventOf([
        {
          Id: operationId("", "answer", 0),
          Name: "answer",
          Type: "CALLBACK",
          SubType: "Callback",
          EndTimestamp: 5_000,
          CallbackDetails: { CallbackId: "c-1", Result: `"yes"` }
        },
        {
          Id: operationId("", "block", 0),
          Name: "block",
          Type: "CONTEXT",
          SubType: "RunInChildContext",
          Status: "STARTED"
        }
      ])
      const seen: Array<number> = []
      const look = Effect.map(Clock.currentTimeMillis, (millis) => void seen.push(millis))
      const { answer } = yield* invokeOnce(
        Effect.gen(function* () {
          const opened = yield* Durable.callback("answer", { success: Schema.String })
          yield* look
          yield* Durable.child("block", Effect.andThen(Effect.exit(opened.await), look))
          yield* Effect.exit(opened.await)
          yield* look
        }),
        { event }
      )
      assert.strictEqual(answer?.Status, "SUCCEEDED")
      assert.deepStrictEqual(seen, [0, 5_000, 5_000])
    })
  )

  it.effect("goes on in a child and after it, however it is recorded", () =>
    Effect.gen(function* () {
      for (const flat of [false, true]) {
        const seen = yield* places(elapsed, (look) => {
          const block = Effect.gen(function* () {
            yield* look("in the child")
            yield* Durable.wait("inside", "2 hours")
            yield* look("later in the child")
          })
          return Effect.gen(function* () {
            yield* Durable.wait("before", "1 hour")
            yield* flat ? Durable.child("block", block, { flat }) : Durable.child("block", block)
            yield* look("after the child")
            yield* Durable.wait("after", "1 hour")
            yield* look("after the next operation")
          })
        })
        assert.deepStrictEqual(seen, {
          "in the child": hour,
          "later in the child": 3 * hour,
          "after the child": 3 * hour,
          "after the next operation": 4 * hour
        })
      }
    })
  )

  it.effect("is one for all fibers, whoever waits for what", () =>
    Effect.gen(function* () {
      for (const order of [
        [1, 2, 3],
        [3, 2, 1],
        [2, 3, 1]
      ]) {
        const seen = yield* places(elapsed, (look) =>
          Effect.gen(function* () {
            yield* Durable.wait("before", "1 hour")
            const branch = (hours: number) =>
              Effect.gen(function* () {
                yield* look(`${hours} begins`)
                yield* Durable.wait(`nap ${hours}`, Duration.hours(hours))
                yield* look(`${hours} ends`)
              })
            const other = yield* Effect.forkChild(branch(7))
            yield* Effect.forEach(order, branch, both)
            yield* look("after all")
            yield* Durable.step("work", Effect.sleep("1 hour"))
            yield* look("worked")
            yield* Fiber.join(other)
            yield* look("joined")
            yield* Durable.wait("end", "1 hour")
          })
        )
        assert.deepStrictEqual(
          Object.entries(seen).toSorted(([a], [b]) => (a < b ? -1 : 1)),
          Object.entries({
            "1 begins": hour,
            "1 ends": 2 * hour,
            "2 begins": hour,
            "2 ends": 3 * hour,
            "3 begins": hour,
            "3 ends": 4 * hour,
            "7 begins": hour,
            "7 ends": 8 * hour,
            "after all": 4 * hour,
            joined: 8 * hour,
            worked: 5 * hour
          })
        )
      }
    })
  )

  it.effect("is one for concurrent children", () =>
    Effect.gen(function* () {
      const seen = yield* places(elapsed, (look) =>
        Effect.forEach(
          [2, 1],
          (hours) =>
            Durable.child(
              `child ${hours}`,
              Effect.gen(function* () {
                yield* Durable.wait("nap", Duration.hours(hours))
                yield* look(`child ${hours}`)
                yield* Durable.wait("end", "1 day")
              })
            ),
          both
        )
      )
      assert.deepStrictEqual(seen, { "child 1": hour, "child 2": 2 * hour })
    })
  )

  it.effect("is the item's own inside an item of a batch, and the batch brings its parent up to date", () =>
    Effect.gen(function* () {
      const seen = yield* places(elapsed, (look) =>
        Effect.gen(function* () {
          yield* Durable.wait("before", "1 hour")
          yield* Durable.forEach(
            "items",
            [3, 1],
            (hours) =>
              Effect.gen(function* () {
                yield* look(`item ${hours}`)
                yield* Durable.wait("nap", Duration.hours(hours))
                yield* look(`item ${hours} later`)
              }),
            both
          )
          yield* look("after the batch")
          yield* Durable.wait("end", "1 hour")
        })
      )
      assert.deepStrictEqual(seen, {
        "item 3": hour,
        "item 1": hour,
        "item 1 later": 2 * hour,
        "item 3 later": 4 * hour,
        "after the batch": 4 * hour
      })
    })
  )

  it.effect("goes on by sleeps, whose ends are outcomes, and not by holds", () =>
    Effect.gen(function* () {
      const seen = yield* places(elapsed, (look) =>
        Effect.gen(function* () {
          yield* Durable.wait("nap", "1 hour")
          yield* Effect.sleep("300 millis")
          yield* look("napped")
          yield* Effect.all([Effect.sleep("200 millis"), Effect.sleep("500 millis")], both)
          yield* look("napped side by side")
          yield* Effect.exit(Effect.timeout(Effect.never, "100 millis"))
          yield* look("timed out")
          yield* Effect.exit(Effect.timeout(Effect.void, "1 hour"))
          yield* look("in time")
          yield* Effect.sleep("2 days")
          yield* look("slept")
          yield* Durable.hold(Effect.sleep("1 minute"))
          yield* look("held")
          yield* step("think", "1 hour")
          yield* look("after a step")
          yield* Durable.wait("end", "1 hour")
        })
      )
      const day = 24 * hour
      assert.deepStrictEqual(seen, {
        napped: hour + 300,
        "napped side by side": hour + 800,
        "timed out": hour + 900,
        "in time": hour + 900,
        slept: 2 * day + hour + 900,
        held: 2 * day + hour + 900,
        "after a step": 2 * day + 2 * hour + 900 + minute
      })
    })
  )

  it.effect("is one clock in milliseconds and nanoseconds, and measures between operations", () =>
    Effect.gen(function* () {
      const read = Effect.clockWith((clock) =>
        Effect.map(Effect.all([clock.currentTimeNanos, clock.monotonicTimeNanos]), ([wall, monotonic]) =>
          [
            wall - BigInt(start) * 1_000_000n,
            wall - monotonic,
            wall - clock.currentTimeNanosUnsafe(),
            monotonic - clock.monotonicTimeNanosUnsafe(),
            wall / 1_000_000n - BigInt(clock.currentTimeMillisUnsafe())
          ].join()
        )
      )
      const seen = yield* places(read, (look) =>
        Effect.gen(function* () {
          const [took] = yield* Effect.timed(Durable.wait("nap", "1 hour"))
          assert.strictEqual(Duration.toMillis(took), hour)
          yield* Effect.sleep("1500 micros")
          yield* look("here")
          yield* Durable.wait("end", "1 hour")
        })
      )
      assert.deepStrictEqual(seen, { here: "3600001500000,0,0,0,0" })
    })
  )

  it.effect("is the time by which schedules go", () =>
    Effect.gen(function* () {
      const seen = yield* places(elapsed, (look) =>
        Effect.gen(function* () {
          let rounds = 0
          const round = Effect.suspend(() => Durable.wait(`round ${++rounds}`, "1 hour"))
          yield* Effect.repeat(round, Schedule.recurs(100).pipe(Schedule.upTo({ duration: "5 hours" })))
          yield* look(`after ${rounds} rounds`)
          yield* Durable.wait("end", "1 hour")
        })
      )
      assert.lengthOf(Object.keys(seen), 1)
    })
  )
})

describe("Of the clocks in a workflow", () => {
  it.effect("that of a step body and of its retry policy is the real one", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      const look = Effect.map(elapsed, (millis) => void seen.push(millis))
      const ran = yield* execute(
        Effect.gen(function* () {
          const captured = yield* Clock.Clock
          const body = Effect.gen(function* () {
            yield* look
            yield* Effect.sleep("1 hour")
            yield* look
            seen.push(captured.currentTimeMillisUnsafe() - start)
            return yield* Effect.die("no")
          })
          const policy: RetryPolicy.RetryPolicy = RetryPolicy.make(() => Effect.as(look, { _tag: "Stop" }))
          yield* Effect.exit(Durable.step("work", body, { retry: policy }))
        })
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(seen, [0, hour, hour, hour])
    })
  )

  it.effect("none jumps when the clock of the process does", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      const look = Effect.map(Clock.currentTimeMillis, (millis) => void seen.push(millis))
      const event = eventOf([
        { Id: operationId("", "nap", 0), Name: "nap", Type: "WAIT", SubType: "Wait", EndTimestamp: 5_000 },
        { Id: operationId("", "late", 0), Name: "late", Type: "WAIT", SubType: "Wait", EndTimestamp: 4_000 }
      ])
      const body = Effect.gen(function* () {
        yield* look
        yield* Durable.wait("nap", "5 seconds")
        yield* look
        // Nobody sees time go back.
        yield* Durable.wait("late", "4 seconds")
        yield* look
      })
      for (const time of [0, 9e11, 2e12]) {
        yield* TestClock.setTime(time)
        yield* invokeOnce(body, { event })
        assert.deepStrictEqual(seen.splice(0), [0, 5_000, 5_000])
      }
    })
  )
})

describe("Where the clock of the process is ahead of the service, the clock of a workflow", () => {
  it.effect("shows no time in a child that is later than the child's end", () => {
    const Timed = DurableFunction.make("timed", { success: Schema.Int })
    const seen: Array<number> = []
    const timed = Timed.implement(() =>
      Effect.gen(function* () {
        const inner = Durable.child("inner", Durable.step("think", Effect.void))
        yield* Durable.child("outer", Effect.asVoid(Effect.timed(inner)))
        seen.push(yield* Clock.currentTimeMillis)
        yield* Durable.wait("nap", "1 hour")
        return seen.length
      })
    )
    const engine = TestEngine.layer([timed], { faults: { clock: { ahead: "20 millis" } } })
    return Effect.gen(function* () {
      assert.strictEqual(yield* TestEngine.run(Timed), 2)
      assert.strictEqual(seen[0], seen[1])
    }).pipe(Effect.provide(engine))
  })
})

describe("Where the service leaves out times, the clock of a workflow", () => {
  const looking = () => {
    const seen: Array<number> = []
    return { seen, look: Effect.map(Clock.currentTimeMillis, (millis) => void seen.push(millis)) }
  }

  it.effect("shows when an outcome was acknowledged, if the answer has no operation", () =>
    Effect.gen(function* () {
      const { look, seen } = looking()
      yield* TestClock.setTime(7_000)
      yield* invokeOnce(Effect.andThen(look, Effect.andThen(Durable.step("work", Effect.void), look)))
      assert.deepStrictEqual(seen, [0, 7_000])
    })
  )

  it.effect("stands still, if an outcome has no end", () =>
    Effect.gen(function* () {
      const { look, seen } = looking()
      yield* TestClock.setTime(7_000)
      const { EndTimestamp: _, ...operation } = eventOf([
        { Id: operationId("", "nap", 0), Name: "nap", Type: "WAIT", SubType: "Wait" }
      ]).InitialExecutionState.Operations[1]!
      const event = eventOf([])
      yield* invokeOnce(Effect.andThen(Durable.wait("nap", "1 second"), look), {
        event: {
          ...event,
          InitialExecutionState: { Operations: [...event.InitialExecutionState.Operations, operation] }
        }
      })
      assert.deepStrictEqual(seen, [0])
    })
  )

  it.effect("begins with the first operation, if the execution is not listed", () =>
    Effect.gen(function* () {
      const { look, seen } = looking()
      const event = eventOf([
        {
          Id: operationId("", "nap", 0),
          Name: "nap",
          Type: "WAIT",
          SubType: "Wait",
          StartTimestamp: 3_000,
          EndTimestamp: 4_000
        }
      ])
      const [, operation] = event.InitialExecutionState.Operations
      yield* invokeOnce(Effect.andThen(look, Effect.andThen(Durable.wait("nap", "1 second"), look)), {
        event: { ...event, InitialExecutionState: { Operations: [operation!] } }
      })
      assert.deepStrictEqual(seen, [3_000, 4_000])
    })
  )
})

describe("A sleep outside of a step", () => {
  const warningsOf = (body: Effect.Effect<unknown, never, Durable.Execution>) =>
    Effect.map(execute(body), ({ logs }) => logs.filter((line) => line.startsWith("Warn")))

  it.effect("is reported when a fiber has slept a hundred times, once", () =>
    Effect.gen(function* () {
      const sleeping = (times: number) => Effect.repeat(Effect.sleep("1 hour"), { times: times - 1 })
      assert.deepStrictEqual(yield* warningsOf(sleeping(99)), [])
      const warnings = yield* warningsOf(Durable.child("block", Effect.asVoid(sleeping(101))))
      assert.lengthOf(warnings, 1)
      for (const said of [`"block"`, "100 times", "Durable.continueWith", "Durable.local"]) {
        assert.include(warnings[0], said)
      }
    })
  )

  it.effect("is not reported when it is shorter than a second, held, or in a step", () =>
    Effect.gen(function* () {
      const warnings = yield* warningsOf(
        Effect.gen(function* () {
          yield* Effect.repeat(Effect.sleep("999 millis"), { times: 150 })
          yield* Durable.hold(Effect.repeat(Effect.sleep("1 hour"), { times: 150 }))
          yield* Durable.step("work", Effect.repeat(Effect.sleep("1 hour"), { times: 150 }))
          yield* Durable.wait("end", "1 hour")
        })
      )
      assert.deepStrictEqual(warnings, [])
    })
  )
})
