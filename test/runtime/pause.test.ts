/** What an invocation does that nears its end in a row of short steps: it pauses the execution, and is not cut off. */
import { assert, describe, it } from "@effect/vitest"
import { Durable, RetryPolicy, type DurableError } from "effect-durable"
import { type TestEngine } from "effect-durable/testing"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as TestClock from "effect/testing/TestClock"
import { pause, readPause } from "../../src/execution/Marks.ts"
import {
  actions,
  assertSucceeded,
  crashAt,
  eventOf,
  execute,
  failureOf,
  holds,
  invokeOnce,
  valueOf,
  type Ran
} from "../operations/support.ts"

// Cut off after 19 seconds; no attempt begins in the last 1.9 of them.
const engine: TestEngine.Options = { invocationTimeout: "20 seconds", executionTimeout: "1 day" }

const rejected = ({ history }: Pick<Ran<unknown, unknown>, "history">) =>
  history.filter(
    (event) => event.EventType === "InvocationCompleted" && event.InvocationCompletedDetails.Error !== undefined
  )

const pausesOf = ({ operations }: Pick<Ran<unknown, unknown>, "operations">) =>
  operations.filter((operation) => readPause(operation) !== undefined)

/** Steps of a second each, and how often each of them ran. */
const row = (length: number, options: { readonly semantics?: "at-most-once" } = {}) => {
  const runs = Array.from({ length }, () => 0)
  const steps = Effect.forEach(runs, (_, index) =>
    Durable.step(
      `step ${index}`,
      Effect.delay(
        Effect.sync(() => {
          runs[index] = (runs[index] ?? 0) + 1
          return index
        }),
        "1 second"
      ),
      options
    )
  )
  return { runs, steps }
}

describe("A row of short steps", () => {
  it.effect("that is longer than an invocation ends in no rejected one, and runs each of them once", () =>
    Effect.gen(function* () {
      const { runs, steps } = row(100)
      const ran = yield* execute(steps, { engine })
      assert.deepStrictEqual(
        valueOf(ran),
        Array.from({ length: 100 }, (_, index) => index)
      )
      assert.deepStrictEqual(new Set(runs), new Set([1]))
      assert.deepStrictEqual(rejected(ran), [])
      assert.isAtLeast(ran.invocations, 5)
      assert.lengthOf(pausesOf(ran), ran.invocations - 1)
    })
  )

  it.effect("is paused by a wait of one second under a reserved name, which is all that it costs", () =>
    Effect.gen(function* () {
      const { steps } = row(20)
      const ran = yield* execute(steps, { engine })
      const [paused, ...more] = ran.updates.filter(({ Type }) => Type === "WAIT")
      assert.deepStrictEqual(paused, pause(1))
      assert.lengthOf(more, 0)
      assert.lengthOf(ran.operations, 21)
      assert.strictEqual(ran.updates.length, 41)
    })
  )

  it.effect("at most once each is never interrupted by the end of an invocation", () =>
    Effect.gen(function* () {
      const { runs, steps } = row(60, { semantics: "at-most-once" })
      const ran = yield* execute(steps, { engine })
      assertSucceeded(ran)
      assert.deepStrictEqual(new Set(runs), new Set([1]))
      assert.deepStrictEqual(rejected(ran), [])
    })
  )

  it.effect("sees the same time and the same dice on every replay: the pause moves neither", () =>
    Effect.gen(function* () {
      const sights: Array<ReadonlyArray<number>> = []
      const ran = yield* execute(
        Effect.gen(function* () {
          const seen: Array<number> = []
          sights.push(seen)
          for (let index = 0; index < 50; index++) {
            yield* Durable.step(`step ${index}`, Effect.sleep("1 second"))
            seen.push(yield* Clock.currentTimeMillis, yield* Random.next)
          }
        }),
        { engine }
      )
      assertSucceeded(ran)
      const last = sights.at(-1) ?? []
      assert.lengthOf(last, 100)
      assert.isAtLeast(sights.length, 3)
      for (const seen of sights) assert.deepStrictEqual(seen, last.slice(0, seen.length))
    })
  )

  it.effect("logs each line once: what follows a pause is no replay", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.forEach(Array.from({ length: 40 }), (_, index) =>
          Effect.andThen(Durable.step(`step ${index}`, Effect.sleep("1 second")), Effect.logInfo(`after ${index}`))
        ),
        { engine }
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(
        ran.logs.filter((line) => line.includes("after")),
        Array.from({ length: 40 }, (_, index) => `Info after ${index}`)
      )
    })
  )

  it.effect("goes on beside a callback that nobody answers for a month", () =>
    Effect.gen(function* () {
      const { runs, steps } = row(40)
      const ran = yield* execute(
        Effect.gen(function* () {
          const callback = yield* Durable.callback("approval", { timeout: "30 days" })
          yield* steps
          return yield* Effect.exit(callback.await)
        }),
        { engine: { ...engine, executionTimeout: "60 days" } }
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(new Set(runs), new Set([1]))
      const last = ran.operations.find(({ Name }) => Name === "step 39")?.EndTimestamp ?? Infinity
      assert.isBelow(last - (ran.history[0]?.EventTimestamp ?? 0), 60_000)
    })
  )

  it.effect("in branches beside each other is paused when none of them runs any more", () =>
    Effect.gen(function* () {
      const rows = [row(30), row(30), row(30)]
      const ran = yield* execute(
        Durable.all(
          "rows",
          rows.map(({ steps }) => steps),
          { concurrency: "unbounded" }
        ),
        { engine }
      )
      assertSucceeded(ran)
      for (const { runs } of rows) assert.deepStrictEqual(new Set(runs), new Set([1]))
      assert.deepStrictEqual(rejected(ran), [])
    })
  )

  it.effect.each(["before", "after"] as const)("survives a process that dies %s the service has the pause", (when) =>
    Effect.gen(function* () {
      const { runs, steps } = row(40)
      const ran = yield* execute(steps, { engine, store: crashAt(holds("START", "pause:1"), when) })
      assertSucceeded(ran)
      assert.deepStrictEqual(new Set(runs), new Set([1]))
      assert.lengthOf(rejected(ran), 1)
    })
  )

  it.effect("may be followed by a change of the code: the pause is not missed, and no reason to say no", () =>
    Effect.gen(function* () {
      const { steps } = row(40)
      const ran = yield* execute(Effect.andThen(steps, Durable.patched("new")), { engine })
      assert.strictEqual(valueOf(ran), true)
    })
  )

  it.effect("of retries, and of looks at a condition, is paused as well", () =>
    Effect.gen(function* () {
      let looks = 0
      const ran = yield* execute(
        Effect.gen(function* () {
          const { steps } = row(17)
          yield* steps
          yield* Durable.waitForCondition("ready", {
            initial: 0,
            check: () => Effect.as(Effect.sleep("1 second"), ++looks),
            until: (state) => state >= 30,
            delay: "1 second"
          })
          return yield* Durable.step(
            "flaky",
            Effect.flatMap(Durable.StepContext, ({ attempt }) =>
              Effect.delay(attempt < 5 ? Effect.die("no") : Effect.succeed(attempt), "1 second")
            ),
            { retry: RetryPolicy.fixed({ maxAttempts: 5, delay: "1 second" }) }
          )
        }),
        { engine }
      )
      assert.strictEqual(valueOf(ran), 5)
      assert.deepStrictEqual(rejected(ran), [])
    })
  )
})

describe("A row of short steps beside work outside that does not come back", () => {
  const forever = Effect.promise(() => new Promise<never>(() => {}))

  it.effect("is paused after the limit of that work, and not suspended with nothing that would wake it", () =>
    Effect.gen(function* () {
      const { runs, steps } = row(80)
      const ran = yield* execute(Effect.andThen(Effect.forkChild(forever), steps), {
        engine: { ...engine, outsideLimit: 1 }
      })
      assertSucceeded(ran)
      assert.deepStrictEqual(new Set(runs), new Set([1]))
      assert.deepStrictEqual(rejected(ran), [])
      assert.lengthOf(pausesOf(ran), ran.invocations - 1)
      assert.include(ran.logs.join(), "This work is interrupted now")
    })
  )

  it.effect("is paused where no fiber waits for that work any more", () =>
    Effect.gen(function* () {
      const { steps } = row(80)
      const ran = yield* execute(Effect.andThen(Effect.timeoutOption(forever, "1 second"), steps), {
        engine: { ...engine, outsideLimit: 1 }
      })
      assertSucceeded(ran)
      assert.deepStrictEqual(rejected(ran), [])
    })
  )
})

describe("An invocation that nears its end", () => {
  it.effect("begins its first attempt all the same, so that every one gets on", () =>
    Effect.gen(function* () {
      let runs = 0
      const ran = yield* execute(
        Durable.step(
          "long",
          Effect.delay(
            Effect.sync(() => ++runs),
            "18.5 seconds"
          )
        ),
        { engine }
      )
      assert.strictEqual(valueOf(ran), 1)
      assert.deepStrictEqual(pausesOf(ran), [])
    })
  )

  it.effect("lets a step that it has begun go on, and is cut off if that does not end", () =>
    Effect.gen(function* () {
      let runs = 0
      const slow = Effect.suspend(() => Effect.sleep(runs++ === 0 ? "1 minute" : "1 second"))
      const ran = yield* execute(
        Effect.andThen(Durable.step("first", Effect.sleep("10 seconds")), Durable.step("slow", slow)),
        {
          engine
        }
      )
      assertSucceeded(ran)
      assert.strictEqual(runs, 2)
      assert.lengthOf(rejected(ran), 1)
    })
  )

  /** A step that ends in the last part of the invocation, and what comes after it. */
  const then = (name: string, after: Effect.Effect<unknown, DurableError.OperationError, Durable.Execution>) =>
    Effect.andThen(Durable.step(name, Effect.sleep("18 seconds")), after)
  const branches = [
    then("first", Durable.step("held back", Effect.sleep("1 second"))),
    Durable.step("running", Effect.sleep("18.5 seconds"))
  ]

  it.effect("begins the wait of a branch beside one whose step it holds back", () =>
    Effect.gen(function* () {
      const waits = then("second", Durable.wait("rest", "1 hour"))
      const ran = yield* execute(Effect.all([...branches, waits], { concurrency: "unbounded" }), { engine })
      assertSucceeded(ran)
      const said = actions(ran.updates)
      assert.isBelow(said.indexOf("START rest"), said.indexOf("START pause:1"))
      assert.isBelow(said.indexOf("START pause:1"), said.indexOf("START held back"))
    })
  )

  it.effect("ends a child in a hold, beside a step that it holds back, and pauses the execution", () =>
    Effect.gen(function* () {
      const child = Durable.child("child", Durable.step("second", Effect.sleep("18 seconds")))
      const held = Durable.hold(Effect.all([...branches, child], { concurrency: "unbounded", discard: true }))
      const ran = yield* execute(held, { engine })
      assertSucceeded(ran)
      assert.deepStrictEqual(rejected(ran), [])
      assert.lengthOf(pausesOf(ran), 1)
    })
  )

  it.effect("ends the execution in its last moments, and waits for what the service does", () =>
    Effect.gen(function* () {
      const ended = yield* execute(Durable.step("work", Effect.sleep("18.5 seconds")), { engine })
      assert.strictEqual(ended.invocations, 1)
      const waits = yield* execute(
        Effect.andThen(Durable.step("work", Effect.sleep("18.5 seconds")), Durable.wait("rest", "1 hour")),
        { engine }
      )
      assert.deepStrictEqual(actions(waits.updates), ["START work", "SUCCEED work", "START rest"])
    })
  )

  it.effect("without an end is never paused", () =>
    Effect.gen(function* () {
      const { steps } = row(100)
      const ran = yield* execute(steps)
      assertSucceeded(ran)
      assert.strictEqual(ran.invocations, 1)
    })
  )

  it.effect("records no pause where no operation is left for it", () =>
    Effect.gen(function* () {
      const ran: Array<string> = []
      const step = (name: string) =>
        Durable.step(
          name,
          Effect.andThen(
            Effect.sync(() => void ran.push(name)),
            TestClock.adjust("950 millis")
          )
        )
      const once = (maxOperations: number) =>
        Effect.andThen(
          TestClock.setTime(0),
          invokeOnce(Effect.andThen(step("one"), step("two")), {
            event: eventOf([]),
            run: { deadline: 1_000, maxOperations }
          })
        )
      const paused = yield* once(4)
      assert.deepStrictEqual(actions(paused.updates), ["START one", "SUCCEED one", "START pause:1"])
      assert.deepStrictEqual(paused.answer, { Status: "PENDING" })
      const full = yield* once(3)
      assert.notInclude(actions(full.updates).join(), "pause")
      assert.deepStrictEqual(ran, ["one", "one", "two"])
    })
  )

  it.effect("is no excuse for a contradiction, which is found before it", () =>
    Effect.gen(function* () {
      const { steps } = row(17)
      let invocations = 0
      const changed = Effect.suspend(() => (++invocations === 1 ? steps : Durable.step("renamed", Effect.void)))
      const ran = yield* execute(Effect.andThen(changed, Durable.step("after", Effect.sleep("3 seconds"))), { engine })
      assert.strictEqual(failureOf(ran).errorType, "NonDeterministic")
    })
  )
})
