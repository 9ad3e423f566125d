/** Whatever the service counts in time takes exactly as long, and costs none. */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"

const Main = DurableFunction.make("main", { success: Schema.Unknown })

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

const sideBySide = { concurrency: "unbounded", discard: true } as const

type Workflow = Effect.Effect<unknown, never, Durable.Execution>

/** Runs a workflow to its end, and answers with when what happened, in milliseconds from its start. */
const timeline = (
  workflow: Workflow,
  options: TestEngine.Options = {},
  parts: ReadonlyArray<TestEngine.Answer | TestEngine.StepFault> = []
) =>
  Effect.gen(function* () {
    const run = yield* TestEngine.start(Main)
    const exit = yield* Effect.exit(run.result)
    const history = yield* run.history
    const start = history[0]?.EventTimestamp ?? 0
    const all = (type: string, name?: string) =>
      history.flatMap((event) =>
        event.EventType === type && (name === undefined || event.Name === name) ? [event.EventTimestamp - start] : []
      )
    return {
      exit,
      value: Exit.isSuccess(exit) ? exit.value : undefined,
      status: yield* run.status,
      start,
      total: (history.at(-1)?.EventTimestamp ?? 0) - start,
      all,
      at: (type: string, name?: string) => all(type, name)[0]
    }
  }).pipe(
    Effect.provide(
      TestEngine.layer([Main.implement(() => workflow), ...parts], { invocationTimeout: Duration.infinity, ...options })
    )
  )

const reasonOf = <A, E extends { readonly _tag: string }>(effect: Effect.Effect<A, E, Durable.Execution>): Workflow =>
  Effect.match(effect, {
    onSuccess: (value) => value,
    onFailure: (error) => ("reason" in error ? error.reason : error._tag)
  })

const opened = (name: string, options: Durable.CallbackOptions) =>
  Effect.flatMap(Durable.callback(name, options), (callback) => reasonOf(callback.await)).pipe(Effect.orDie)

const flaky = (attempts: number, retry: RetryPolicy.RetryPolicy<never>) =>
  Durable.step(
    "flaky",
    Effect.flatMap(Durable.StepContext, ({ attempt }) => (attempt < attempts ? Effect.die("not yet") : Effect.void)),
    { retry }
  )

/** Times from epoch zero on to the far future, and one between two seconds. */
const clocks = [0, 1, Date.UTC(2026, 0, 1) + 123, Date.UTC(2400, 1, 29, 23, 59, 59, 999)]

const kinds: ReadonlyArray<{
  readonly kind: string
  readonly workflow: Workflow
  /** The event that the timer leads to. */
  readonly event: string
  /** How long that takes, and the whole execution. */
  readonly millis: number
  readonly options?: TestEngine.Options
}> = [
  { kind: "a wait", workflow: Durable.wait("w", "1 hour"), event: "WaitSucceeded", millis: hour },
  { kind: "the shortest wait", workflow: Durable.wait("w", "1 second"), event: "WaitSucceeded", millis: second },
  { kind: "a wait of a fraction", workflow: Durable.wait("w", 1_001), event: "WaitSucceeded", millis: 2 * second },
  { kind: "the longest wait", workflow: Durable.wait("w", "366 days"), event: "WaitSucceeded", millis: 366 * day },
  {
    kind: "the retry of a step",
    workflow: flaky(2, RetryPolicy.fixed({ maxAttempts: 2, delay: "90 seconds" })),
    event: "StepSucceeded",
    millis: 90 * second
  },
  {
    kind: "the time-out of a callback",
    workflow: opened("c", { timeout: "7 days" }),
    event: "CallbackTimedOut",
    millis: 7 * day
  },
  {
    kind: "the heartbeat time-out of a callback",
    workflow: opened("c", { timeout: "7 days", heartbeatTimeout: "15 minutes" }),
    event: "CallbackTimedOut",
    millis: 15 * minute
  },
  {
    kind: "the time-out of an execution",
    workflow: Durable.wait("w", "2 days"),
    event: "ExecutionTimedOut",
    millis: day,
    options: { executionTimeout: "1 day" }
  },
  {
    kind: "the delay between two looks at a condition",
    workflow: Effect.orDie(
      Durable.waitForCondition("ready", {
        initial: 0,
        check: (n) => Effect.succeed(n + 1),
        until: (n) => n === 3,
        delay: ({ attempt }) => `${attempt * 10} minutes`
      })
    ),
    event: "StepSucceeded",
    millis: 30 * minute
  },
  {
    kind: "the back-off of a block",
    workflow: Durable.retry(
      "block",
      Effect.flatMap(Durable.step("try", Effect.succeed(1)), () => Effect.die("again")),
      RetryPolicy.fixed({ maxAttempts: 3, delay: "1 hour" })
    ).pipe(Effect.catchDefect(() => Effect.void)),
    event: "ContextFailed",
    millis: 2 * hour
  },
  {
    kind: "the time-out of a block",
    workflow: reasonOf(Durable.timeout("block", Durable.wait("w", "1 day"), "1 hour")),
    event: "ContextFailed",
    millis: hour
  }
]

describe("virtual time passes exactly, and without real time,", () => {
  for (const { event, kind, millis, options, workflow } of kinds) {
    it.effect(`for ${kind}, wherever the clock starts`, () =>
      Effect.gen(function* () {
        for (const startTime of clocks) {
          const { all, start, total } = yield* timeline(workflow, { ...options, startTime })
          assert.strictEqual(start, startTime)
          assert.strictEqual(all(event).at(-1), millis)
          assert.strictEqual(total, millis)
        }
      })
    )
  }

  it.effect("for each retry of a step by an exponential policy", () =>
    Effect.gen(function* () {
      const retry = RetryPolicy.exponential({
        maxAttempts: 6,
        initialDelay: "5 seconds",
        backoffRate: 2,
        maxDelay: "1 minute",
        jitter: "none"
      })
      const { all, at } = yield* timeline(flaky(6, retry))
      assert.deepStrictEqual(
        all("StepFailed").map((millis) => millis / second),
        [0, 5, 15, 35, 75]
      )
      assert.strictEqual(at("StepSucceeded"), 135 * second)
    })
  )

  it.effect("for a heartbeat time-out that heartbeats move, each from its heartbeat", () =>
    Effect.gen(function* () {
      const { at, value } = yield* timeline(opened("c", { timeout: "1 day", heartbeatTimeout: "10 minutes" }), {}, [
        TestEngine.answer("c", ({ heartbeat }) =>
          Effect.gen(function* () {
            for (const pause of ["1 minute", "9 minutes", "599 seconds"] as const) yield* Effect.delay(heartbeat, pause)
            yield* Effect.never
          })
        )
      ])
      assert.strictEqual(value, "heartbeat")
      assert.strictEqual(at("CallbackTimedOut"), 10 * minute + 599 * second + 10 * minute)
    })
  )

  it.effect("for the time-out of a callback that heartbeats do not move", () =>
    Effect.gen(function* () {
      const { at, value } = yield* timeline(opened("c", { timeout: "1 hour", heartbeatTimeout: "10 minutes" }), {}, [
        TestEngine.answer("c", ({ heartbeat }) => Effect.forever(Effect.delay(heartbeat, "5 minutes")))
      ])
      assert.strictEqual(value, "timeout")
      assert.strictEqual(at("CallbackTimedOut"), hour)
    })
  )

  it.effect("for the time-out of an execution that is busy, waits or polls", () =>
    Effect.gen(function* () {
      const busy: ReadonlyArray<Workflow> = [
        Durable.step("busy", Effect.sleep("365 days")),
        Durable.wait("w", "30 days"),
        opened("c", {}),
        Effect.forever(Effect.andThen(Durable.wait("w", "1 hour"), Durable.step("s", Effect.void)))
      ]
      for (const workflow of busy) {
        const { status, total } = yield* timeline(workflow, { executionTimeout: "1 day" })
        assert.strictEqual(status, "TIMED_OUT")
        assert.strictEqual(total, day)
      }
    })
  )
})

describe("timers that run side by side", () => {
  it.effect("of all kinds end in their order, each after its own time", () =>
    Effect.gen(function* () {
      const { at, total } = yield* timeline(
        Effect.all(
          [
            Durable.wait("w", "40 minutes"),
            flaky(2, RetryPolicy.fixed({ maxAttempts: 2, delay: "10 minutes" })),
            opened("t", { timeout: "20 minutes" }),
            opened("h", { timeout: "2 hours", heartbeatTimeout: "30 minutes" }),
            Durable.step("nap", Effect.sleep("50 minutes"))
          ],
          sideBySide
        )
      )
      assert.deepStrictEqual(
        [
          at("StepSucceeded", "flaky"),
          at("CallbackTimedOut", "t"),
          at("CallbackTimedOut", "h"),
          at("WaitSucceeded", "w"),
          at("StepSucceeded", "nap")
        ],
        [10, 20, 30, 40, 50].map((minutes) => minutes * minute)
      )
      assert.strictEqual(total, 50 * minute)
    })
  )

  it.effect("race: the shortest decides when it is over", () =>
    Effect.gen(function* () {
      const { total, value } = yield* timeline(
        Effect.gen(function* () {
          const first = yield* Durable.race("first", [
            Effect.as(Durable.wait("tortoise", "1 day"), "tortoise"),
            Effect.as(Durable.wait("hare", "2 seconds"), "hare")
          ])
          const second = yield* Durable.raceFirst("second", [
            Effect.as(Durable.wait("snail", "366 days"), "snail"),
            Effect.as(flaky(2, RetryPolicy.fixed({ maxAttempts: 2, delay: "1 hour" })), "flaky")
          ])
          return [first, second]
        })
      )
      assert.deepStrictEqual(value, ["hare", "flaky"])
      assert.strictEqual(total, 2 * second + hour)
    })
  )

  it.effect("that are due at one moment all end then", () =>
    Effect.gen(function* () {
      const { all, total } = yield* timeline(
        Effect.all(
          [
            Durable.wait("a", "1 hour"),
            Durable.wait("b", "3600 seconds"),
            opened("c", { timeout: "1 hour" }),
            Durable.step("d", Effect.sleep("1 hour"))
          ],
          sideBySide
        )
      )
      const ends = [...all("WaitSucceeded"), ...all("CallbackTimedOut"), ...all("StepSucceeded")]
      assert.deepStrictEqual(ends, [hour, hour, hour, hour])
      assert.strictEqual(total, hour)
    })
  )

  it.effect("end while a step runs, in the middle of its time", () =>
    Effect.gen(function* () {
      const { at, total } = yield* timeline(
        Effect.all(
          [
            Durable.step("nap", Effect.sleep("1 hour")),
            Effect.forEach([1, 2, 3], () => Durable.wait("w", "10 minutes"))
          ],
          sideBySide
        )
      )
      assert.strictEqual(at("WaitSucceeded", "w"), 10 * minute)
      assert.strictEqual(total, hour)
    })
  )
})

describe("expectElapsed", () => {
  const checked = (workflow: Workflow, expected: TestEngine.ExpectedDuration, options?: TestEngine.Options) =>
    Effect.gen(function* () {
      const run = yield* TestEngine.start(Main, undefined, { executionName: "nap-1" })
      const exit = yield* Effect.exit(TestEngine.expectElapsed(run, expected))
      if (Exit.isSuccess(exit)) return ""
      const defect = exit.cause.reasons[0]
      assert.strictEqual(defect?._tag, "Die")
      if (defect?._tag !== "Die" || !(defect.defect instanceof TestEngine.TestFailure))
        throw new Error("no TestFailure")
      return defect.defect.message
    }).pipe(
      Effect.provide(
        TestEngine.layer([Main.implement(() => workflow)], { invocationTimeout: Duration.infinity, ...options })
      )
    )

  const nap = Effect.gen(function* () {
    yield* Durable.child("night", Durable.wait("sleep", "8 hours"))
    yield* Durable.wait("snooze", "5 minutes")
    yield* Durable.step("rise", Effect.void)
  })

  it.effect("waits for the end, and holds for the exact duration", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* checked(nap, "485 minutes"), "")
      assert.strictEqual(yield* checked(nap, { hours: 8, minutes: 5 }), "")
    })
  )

  it.effect("holds within bounds", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* checked(nap, { atLeast: "485 minutes", atMost: "485 minutes" }), "")
      assert.strictEqual(yield* checked(nap, { atLeast: "8 hours" }), "")
      assert.strictEqual(yield* checked(nap, { atMost: "1 day" }), "")
    })
  )

  it.effect("holds however the execution ended", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* checked(Effect.andThen(nap, Effect.die("tired")), "485 minutes"), "")
      assert.strictEqual(yield* checked(nap, "1 hour", { executionTimeout: "1 hour" }), "")
    })
  )

  it.effect("says what was expected, what was found, and where the time went", () =>
    Effect.gen(function* () {
      const where = `found 8h 5m. The longest of its operations: WAIT "night/sleep" 8h, WAIT "snooze" 5m.`
      const said = (expected: string) => `Expected the execution "nap-1" to take ${expected}, ${where}`
      assert.strictEqual(yield* checked(nap, "8 hours"), said("exactly 8h"))
      assert.strictEqual(yield* checked(nap, { atMost: "1 hour" }), said("at most 1h"))
      assert.strictEqual(yield* checked(nap, { atLeast: "1 day" }), said("at least 1d"))
      assert.strictEqual(
        yield* checked(nap, { atLeast: "1 hour", atMost: "2 hours" }),
        said("at least 1h and at most 2h")
      )
    })
  )

  it.effect("says which operations had no outcome, and when none took any time", () =>
    Effect.gen(function* () {
      const timedOut = yield* checked(Durable.wait("long", "1 day"), "1 day", { executionTimeout: "1 hour" })
      assert.include(timedOut, `WAIT "long" 1h without an outcome`)
      assert.include(yield* checked(Effect.void, "1 hour"), "found 0. None of its operations took any time.")
    })
  )

  it.effect("says how the execution ended if it did not succeed", () =>
    Effect.gen(function* () {
      const tired = Effect.andThen(nap, Effect.die(new Error("tired")))
      assert.match(yield* checked(tired, "1 day"), /"snooze" 5m\. It ended as FAILED: Error: tired$/)
      assert.match(yield* checked(nap, "1 day", { executionTimeout: "1 hour" }), / It ended as TIMED_OUT: /)
      assert.notInclude(yield* checked(nap, "1 day"), "It ended as")
    })
  )
})
