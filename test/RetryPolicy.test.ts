/** Retry policies: which failures are repeated, how often, and after how long. */
import {
  createLinearRetryStrategy,
  createRetryStrategy,
  JitterStrategy,
  retryPresets
} from "@aws/durable-execution-sdk-js"
import { assert, describe, it, vi } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { cast, pipe } from "effect/Function"
import * as Predicate from "effect/Predicate"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import * as RetryPolicy from "../src/RetryPolicy.ts"

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)
console.log(`RetryPolicy: SEED=${seed}`)
const check = (property: fc.IRawProperty<unknown>, numRuns = 300) => fc.assert(property, { seed, numRuns })

class Throttled extends Schema.TaggedError<Throttled>()("Throttled", { retryable: Schema.Boolean }) {}
class Declined extends Schema.TaggedError<Declined>()("Declined", {}) {}

const fail = <E>(error: E): RetryPolicy.Failure<E> => ({ _tag: "Fail", error })
const boom: RetryPolicy.Failure<never> = { _tag: "Die", defect: new TypeError("boom") }
const interrupted: RetryPolicy.Failure<never> = { _tag: "Interrupted" }

const decide = <E>(policy: RetryPolicy.RetryPolicy<E>, attempt: Partial<RetryPolicy.Attempt<E>>) =>
  policy.decide({ attempt: 1, failure: interrupted, elapsed: 0, random: 0.5, ...attempt })

/** What a policy decides when it needs nobody's time: its delay in seconds, or undefined when it stops. */
const delayOf = <E>(policy: RetryPolicy.RetryPolicy<E>, attempt: Partial<RetryPolicy.Attempt<E>>) => {
  const decision = Effect.runSync(decide(policy, attempt))
  return decision._tag === "Stop" ? undefined : decision.delaySeconds
}

/** The delays of all attempts until the policy stops. */
const delaysOf = (policy: RetryPolicy.RetryPolicy, random: number): Array<number> => {
  const delays: Array<number> = []
  for (;;) {
    const delay = delayOf(policy, { attempt: delays.length + 1, failure: fail("no"), random })
    if (delay === undefined) return delays
    delays.push(delay)
  }
}

const almostOne = 1 - Number.EPSILON

describe("delays", () => {
  it("of the default policy are those of AWS's SDKs: 6 attempts, 5 s doubled up to 60 s, full jitter", () => {
    assert.deepStrictEqual(delaysOf(RetryPolicy.standard, almostOne), [5, 10, 20, 40, 60])
    assert.deepStrictEqual(delaysOf(RetryPolicy.standard, 0.5), [3, 5, 10, 20, 30])
    assert.deepStrictEqual(delaysOf(RetryPolicy.standard, 0), [1, 1, 1, 1, 1])
  })

  it("grow by a rate, up to the longest", () => {
    const policy = RetryPolicy.exponential({
      maxAttempts: 7,
      initialDelay: "2 seconds",
      backoffRate: 3,
      maxDelay: "100 seconds",
      jitter: "none"
    })
    assert.deepStrictEqual(delaysOf(policy, 0.1), [2, 6, 18, 54, 100, 100])
    assert.deepStrictEqual(delaysOf(RetryPolicy.exponential({ jitter: "none" }), 0), [5, 10])
  })

  it("grow by an amount, up to the longest", () => {
    assert.deepStrictEqual(delaysOf(RetryPolicy.linear({ jitter: "none" }), 0), [1, 2, 3, 4, 5])
    const policy = RetryPolicy.linear({
      maxAttempts: 5,
      initialDelay: "10 seconds",
      increment: "20 seconds",
      maxDelay: "45 seconds",
      jitter: "none"
    })
    assert.deepStrictEqual(delaysOf(policy, 0), [10, 30, 45, 45])
  })

  it("stay the same", () => {
    assert.deepStrictEqual(delaysOf(RetryPolicy.fixed(), 0.3), [5, 5, 5, 5])
    assert.deepStrictEqual(delaysOf(RetryPolicy.fixed({ maxAttempts: 3, delay: "1 minute" }), 0.3), [60, 60])
    assert.deepStrictEqual(delaysOf(RetryPolicy.fixed({ delay: 10_000, jitter: "half" }), 0.5), [8, 8, 8, 8])
  })

  it("are whole seconds, at least 1 and at most 366 days", () => {
    const once = (delay: Duration.Input) => delaysOf(RetryPolicy.fixed({ maxAttempts: 2, delay }), 0)
    assert.deepStrictEqual(once(0), [1])
    assert.deepStrictEqual(once(1), [1])
    assert.deepStrictEqual(once(1_499), [1])
    assert.deepStrictEqual(once(1_500), [2])
    assert.deepStrictEqual(once(Duration.millis(2_500)), [3])
    assert.deepStrictEqual(once({ minutes: 1, seconds: 30 }), [90])
    assert.deepStrictEqual(once(5_000_000_000n), [5])
    assert.deepStrictEqual(once("400 days"), [31_622_400])
    const endless = RetryPolicy.exponential({ maxAttempts: 2_000, maxDelay: "10000 days", backoffRate: 10 })
    assert.strictEqual(delayOf(endless, { attempt: 1_999, random: almostOne }), 31_622_400)
    const nothing = RetryPolicy.exponential({ maxAttempts: 2_000, initialDelay: 0, backoffRate: 10, jitter: "none" })
    assert.strictEqual(delayOf(nothing, { attempt: 1_999 }), 1)
  })

  it("with full jitter lie between nothing and the computed delay, with half jitter in its upper half", () => {
    const random = fc.double({ min: 0, max: almostOne, noNaN: true })
    return check(
      fc.property(random, fc.integer({ min: 1, max: 50 }), (random, attempt) => {
        const base = Math.min(7 * 1.5 ** (attempt - 1), 600)
        const options = {
          maxAttempts: 51,
          initialDelay: "7 seconds",
          maxDelay: "10 minutes",
          backoffRate: 1.5
        } as const
        const full = delayOf(RetryPolicy.exponential({ ...options, jitter: "full" }), { attempt, random }) ?? 0
        const half = delayOf(RetryPolicy.exponential({ ...options, jitter: "half" }), { attempt, random }) ?? 0
        assert.isTrue(Number.isInteger(full) && full >= 1 && full <= Math.round(base))
        assert.isTrue(Number.isInteger(half) && half >= Math.round(base / 2) && half <= Math.round(base))
      })
    )
  })
})

describe("conformance with AWS's SDK", () => {
  const seconds = fc.integer({ min: 1, max: 1_000 })
  const shape = fc.record({
    maxAttempts: fc.integer({ min: 1, max: 12 }),
    initial: seconds,
    step: seconds,
    most: seconds,
    rate: fc.double({ min: 1, max: 4, noNaN: true }),
    jitter: fc.constantFrom("full", "half", "none"),
    attempt: fc.integer({ min: 1, max: 14 }),
    random: fc.double({ min: 0, max: almostOne, noNaN: true })
  })
  const jitters = { full: JitterStrategy.FULL, half: JitterStrategy.HALF, none: JitterStrategy.NONE }
  const theirs = (
    strategy: (error: Error, attempts: number) => ReturnType<typeof retryPresets.default>,
    attempt: number
  ) => {
    const { delay, shouldRetry } = strategy(new Error("no"), attempt)
    return shouldRetry ? delay?.seconds : undefined
  }
  const withRandom = (random: number, run: () => void) => {
    const spy = vi.spyOn(Math, "random").mockReturnValue(random)
    try {
      run()
    } finally {
      spy.mockRestore()
    }
  }

  it("decides as its exponential strategy", () => {
    return check(
      fc.property(shape, ({ attempt, initial, jitter, maxAttempts, most, random, rate }) =>
        withRandom(random, () => {
          const strategy = createRetryStrategy({
            maxAttempts,
            initialDelay: { seconds: initial },
            maxDelay: { seconds: most },
            backoffRate: rate,
            jitter: jitters[jitter]
          })
          const policy = RetryPolicy.exponential({
            maxAttempts,
            initialDelay: { seconds: initial },
            maxDelay: { seconds: most },
            backoffRate: rate,
            jitter
          })
          assert.strictEqual(delayOf(policy, { attempt, random }), theirs(strategy, attempt))
        })
      )
    )
  })

  it("decides as its linear strategy", () => {
    return check(
      fc.property(shape, ({ attempt, initial, jitter, maxAttempts, most, random, step }) =>
        withRandom(random, () => {
          const strategy = createLinearRetryStrategy({
            maxAttempts,
            initialDelay: { seconds: initial },
            increment: { seconds: step },
            maxDelay: { seconds: most },
            jitter: jitters[jitter]
          })
          const policy = RetryPolicy.linear({
            maxAttempts,
            initialDelay: { seconds: initial },
            increment: { seconds: step },
            maxDelay: { seconds: most },
            jitter
          })
          assert.strictEqual(delayOf(policy, { attempt, random }), theirs(strategy, attempt))
        })
      )
    )
  })

  it("has its defaults", () => {
    const pairs = [
      [RetryPolicy.standard, retryPresets.default],
      [RetryPolicy.exponential(), createRetryStrategy()],
      [RetryPolicy.linear(), createLinearRetryStrategy()],
      [RetryPolicy.linear({ jitter: "none" }), retryPresets.linear],
      [RetryPolicy.none, retryPresets.noRetry]
    ] as const
    for (const [policy, strategy] of pairs) {
      for (let attempt = 1; attempt <= 8; attempt++) {
        for (const random of [0, 0.25, 0.5, 0.77, almostOne]) {
          withRandom(random, () => assert.strictEqual(delayOf(policy, { attempt, random }), theirs(strategy, attempt)))
        }
      }
    }
  })
})

describe("attempts", () => {
  it("count the first one: a policy of one attempt never repeats", () => {
    for (const policy of [
      RetryPolicy.none,
      RetryPolicy.fixed({ maxAttempts: 1 }),
      RetryPolicy.linear({ maxAttempts: 1 })
    ]) {
      assert.deepStrictEqual(delaysOf(policy, 0), [])
    }
  })

  it("stop at the last one, and after it", () => {
    const policy = RetryPolicy.fixed({ maxAttempts: 4 })
    assert.strictEqual(delayOf(policy, { attempt: 3 }), 5)
    assert.isUndefined(delayOf(policy, { attempt: 4 }))
    assert.isUndefined(delayOf(policy, { attempt: 5 }))
    assert.isUndefined(delayOf(policy, { attempt: 1_000 }))
  })
})

describe("filters", () => {
  it("ask a predicate about typed errors", () => {
    const policy = RetryPolicy.exponential({ while: (error: Throttled) => error.retryable })
    assert.isDefined(delayOf(policy, { failure: fail(new Throttled({ retryable: true })) }))
    assert.isUndefined(delayOf(policy, { failure: fail(new Throttled({ retryable: false })) }))
  })

  it("tell errors apart by class and by tag", () => {
    const byClass = RetryPolicy.linear({ while: (error) => error instanceof Throttled })
    const byTag = RetryPolicy.fixed({ while: Predicate.isTagged("Throttled") })
    const bySchema = RetryPolicy.exponential({ while: Schema.is(Throttled) })
    for (const policy of [byClass, byTag, bySchema]) {
      assert.isDefined(delayOf(policy, { failure: fail(new Throttled({ retryable: false })) }))
      for (const other of [new Declined(), new Error("Throttled"), "Throttled", undefined, null]) {
        assert.isUndefined(delayOf(policy, { failure: fail(other) }))
      }
    }
  })

  it("repeat attempts that died or interrupted themselves, without asking the predicate", () => {
    const policy = RetryPolicy.fixed({ while: () => assert.fail("asked") })
    assert.isDefined(delayOf(policy, { failure: boom }))
    assert.isDefined(delayOf(policy, { failure: interrupted }))
    assert.isUndefined(delayOf(policy, { failure: boom, attempt: 5 }))
  })

  it("leave defects alone when told to", () => {
    const policy = RetryPolicy.exponential({ retryDefects: false })
    assert.isUndefined(delayOf(policy, { failure: boom }))
    assert.isUndefined(delayOf(policy, { failure: interrupted }))
    assert.isDefined(delayOf(policy, { failure: fail("no") }))
  })

  it.effect("that throw are a defect, never a hang and never a retry", () =>
    Effect.gen(function* () {
      const policy = RetryPolicy.exponential<{ readonly a: { readonly b: boolean } }>({ while: (error) => error.a.b })
      const exit = yield* Effect.exit(decide(policy, { failure: fail(cast({})) }))
      assert.isTrue(Exit.hasDies(exit))
      assert.instanceOf(Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined, TypeError)
    })
  )
})

describe("arguments that make no sense", () => {
  const durations: ReadonlyArray<unknown> = [
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    "Infinity",
    "-Infinity",
    "-5 seconds",
    "soon",
    "",
    Duration.infinity,
    Duration.seconds(-1),
    { seconds: -1 },
    { seconds: Number.NaN },
    [Number.NaN, 0],
    [1, 2, 3],
    new Date()
  ]
  const refused = (message: RegExp, make: () => unknown) => assert.throws(make, message)

  it("throw where the policy is made, and say which", () => {
    for (const maxAttempts of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, cast<string, number>("3")]) {
      const expected = /maxAttempts must be a whole number of at least 1, found/
      refused(expected, () => RetryPolicy.exponential({ maxAttempts }))
      refused(expected, () => RetryPolicy.linear({ maxAttempts }))
      refused(expected, () => RetryPolicy.fixed({ maxAttempts }))
    }
    for (const backoffRate of [0.99, 0, -2, Number.NaN, Number.POSITIVE_INFINITY]) {
      refused(/RetryPolicy.exponential: backoffRate must be a finite number of at least 1, found/, () =>
        RetryPolicy.exponential({ backoffRate })
      )
    }
    refused(/jitter must be "full", "half" or "none", found "FULL"/, () =>
      RetryPolicy.linear({ jitter: cast<string, RetryPolicy.Jitter>("FULL") })
    )
  })

  it("include durations that are negative, infinite, dates or no durations", () => {
    for (const bad of durations) {
      const duration = cast<unknown, Duration.Input>(bad)
      const expected = (name: string) => new RegExp(`${name} must be a finite duration that is not negative, found`)
      refused(expected("initialDelay"), () => RetryPolicy.exponential({ initialDelay: duration }))
      refused(expected("maxDelay"), () => RetryPolicy.exponential({ maxDelay: duration }))
      refused(expected("initialDelay"), () => RetryPolicy.linear({ initialDelay: duration }))
      refused(expected("increment"), () => RetryPolicy.linear({ increment: duration }))
      refused(expected("delay"), () => RetryPolicy.fixed({ delay: duration }))
    }
  })
})

// --- Schedules -------------------------------------------------------------------------------------------------------

/** The delays in seconds that Effect.retry makes of a schedule, for a body that takes no time. */
const delaysOfEffect = Effect.fnUntraced(function* (schedule: Schedule.Schedule<unknown, string, unknown>) {
  const times: Array<number> = []
  const body = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    times.push(now)
    return Effect.fail("no")
  })
  const fiber = yield* Effect.forkChild(Effect.exit(Effect.retry(body, schedule)))
  yield* TestClock.adjust("1 hour")
  yield* Fiber.interrupt(fiber)
  return times.slice(1).map((time, i) => (time - (times[i] ?? 0)) / 1000)
})

/** The delays in seconds that a policy makes, for a body that takes no time: each decision in an invocation of its own. */
const delaysOfPolicy = Effect.fnUntraced(function* (policy: RetryPolicy.RetryPolicy<string>) {
  const start = yield* Clock.currentTimeMillis
  const delays: Array<number> = []
  for (let elapsed = 0; elapsed < 3_600_000;) {
    const decision = yield* decide(policy, { attempt: delays.length + 1, failure: fail("no"), elapsed })
    if (decision._tag === "Stop") break
    yield* TestClock.adjust(decision.delaySeconds * 1000)
    delays.push(decision.delaySeconds)
    elapsed = (yield* Clock.currentTimeMillis) - start
  }
  return delays
})

const fewTimes = (times: number) => Schedule.upTo({ times })

describe("a schedule", () => {
  const schedules: Record<string, Schedule.Schedule<unknown, string, unknown>> = {
    spaced: Schedule.spaced("2 seconds").pipe(fewTimes(4)),
    exponential: Schedule.exponential("1 second").pipe(fewTimes(6)),
    "exponential with a rate": Schedule.exponential("2 seconds", 3).pipe(fewTimes(4)),
    fibonacci: Schedule.fibonacci("1 second").pipe(fewTimes(7)),
    fixed: Schedule.fixed("3 seconds").pipe(fewTimes(5)),
    windowed: Schedule.windowed("5 seconds").pipe(fewTimes(4)),
    "the slower of two": Schedule.max([Schedule.exponential("1 second"), Schedule.spaced("5 seconds")]).pipe(
      fewTimes(6)
    ),
    "the faster of two": Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("10 seconds")]).pipe(
      fewTimes(6)
    ),
    "one after the other": pipe(
      Schedule.spaced("1 second").pipe(fewTimes(3)),
      Schedule.concat(Schedule.spaced("10 seconds").pipe(fewTimes(2)))
    ),
    "with a limit of time": Schedule.spaced("3 seconds").pipe(Schedule.upTo({ duration: "10 seconds" })),
    "during some time": Schedule.max([Schedule.spaced("4 seconds"), Schedule.during("20 seconds")]),
    "growing until a limit of time": Schedule.exponential("1 second").pipe(Schedule.upTo({ duration: "1 minute" })),
    "with more delay": Schedule.exponential("1 second").pipe(
      Schedule.addDelay(() => Effect.succeed("2 seconds")),
      fewTimes(4)
    ),
    "with a condition on the attempt": Schedule.spaced("1 second").pipe(Schedule.while(({ attempt }) => attempt < 4)),
    "with a condition on the elapsed time": Schedule.spaced("7 seconds").pipe(
      Schedule.while(({ elapsed }) => elapsed < 30_000)
    ),
    cron: Schedule.cron("*/5 * * * *").pipe(fewTimes(4)),
    "that never repeats": Schedule.recurs(0)
  }

  for (const [name, schedule] of Object.entries(schedules)) {
    it.effect(`decides as Effect.retry does: ${name}`, () =>
      Effect.gen(function* () {
        const expected = yield* delaysOfEffect(schedule)
        // cron looks at the wall clock: begin on a full hour again.
        yield* TestClock.setTime(7_200_000)
        const actual = yield* delaysOfPolicy(RetryPolicy.fromSchedule(schedule, { retryDefects: false }))
        assert.deepStrictEqual(actual, expected)
        if (name !== "that never repeats") assert.isAbove(actual.length, 1)
      })
    )
  }

  it.effect("gets delays of at least a second, rounded", () =>
    Effect.gen(function* () {
      const delays = (schedule: Schedule.Schedule<unknown>) => delaysOfPolicy(RetryPolicy.fromSchedule(schedule))
      assert.deepStrictEqual(yield* delays(Schedule.recurs(3)), [1, 1, 1])
      assert.deepStrictEqual(yield* delays(Schedule.spaced("20 millis").pipe(fewTimes(2))), [1, 1])
      assert.deepStrictEqual(yield* delays(Schedule.exponential("700 millis").pipe(fewTimes(4))), [1, 1, 3, 6])
      const forever = RetryPolicy.fromSchedule(Schedule.spaced(Duration.infinity))
      assert.deepStrictEqual(yield* decide(forever, {}), { _tag: "Retry", delaySeconds: 31_622_400 })
    })
  )

  it.effect("sees the time since the operation was started, however long the attempts took", () =>
    Effect.gen(function* () {
      const policy = RetryPolicy.fromSchedule(
        Schedule.spaced("1 second").pipe(Schedule.upTo({ duration: "10 minutes" }))
      )
      assert.strictEqual((yield* decide(policy, { attempt: 2, elapsed: 600_000 }))._tag, "Retry")
      assert.strictEqual((yield* decide(policy, { attempt: 2, elapsed: 600_001 }))._tag, "Stop")
      assert.strictEqual((yield* decide(policy, { attempt: 50, elapsed: 0 }))._tag, "Retry")
      assert.strictEqual((yield* decide(policy, { attempt: 2, elapsed: -5_000 }))._tag, "Retry")
    })
  )

  it.effect("sees the present error at every step", () =>
    Effect.gen(function* () {
      const seen: Array<Throttled> = []
      const policy = RetryPolicy.fromSchedule(
        Schedule.spaced("1 second").pipe(
          Schedule.setInputType<Throttled>(),
          Schedule.while(({ input }) => {
            seen.push(input)
            return input.retryable
          })
        ),
        { retryDefects: false }
      )
      const error = new Throttled({ retryable: true })
      assert.strictEqual((yield* decide(policy, { attempt: 3, failure: fail(error) }))._tag, "Retry")
      assert.deepStrictEqual(seen, [error, error, error])
      const last = new Throttled({ retryable: false })
      assert.strictEqual((yield* decide(policy, { attempt: 4, failure: fail(last) }))._tag, "Stop")
    })
  )

  it.effect("decides the same for the same facts, with jitter too", () =>
    Effect.gen(function* () {
      const policy = RetryPolicy.fromSchedule(Schedule.exponential("10 seconds").pipe(Schedule.jittered))
      const facts = { attempt: 4, elapsed: 90_000, random: 0.123 }
      const first = yield* decide(policy, facts)
      for (let i = 0; i < 20; i++) assert.deepStrictEqual(yield* decide(policy, facts), first)
      const delays = new Set<number>()
      for (let i = 0; i < 100; i++) {
        const decision = yield* decide(policy, { ...facts, random: i / 100 })
        const delay = decision._tag === "Retry" ? decision.delaySeconds : 0
        assert.isTrue(delay >= 64 && delay <= 96)
        delays.add(delay)
      }
      assert.isAbove(delays.size, 10)
    })
  )

  it.effect("that takes any input sees attempts that died", () =>
    Effect.gen(function* () {
      const inputs: Array<unknown> = []
      const schedule = Schedule.spaced("1 second").pipe(Schedule.while(({ input }) => inputs.push(input) > 0))
      const policy = RetryPolicy.fromSchedule(schedule)
      assert.strictEqual((yield* decide(policy, { failure: boom }))._tag, "Retry")
      assert.strictEqual((yield* decide(policy, { failure: interrupted }))._tag, "Retry")
      assert.deepStrictEqual(inputs, [boom._tag === "Die" ? boom.defect : undefined, undefined])
      const careful = RetryPolicy.fromSchedule(schedule, { retryDefects: false })
      assert.strictEqual((yield* decide(careful, { failure: boom }))._tag, "Stop")
      assert.strictEqual((yield* decide(careful, { failure: interrupted }))._tag, "Stop")
      assert.strictEqual(inputs.length, 2)
    })
  )

  it.effect("that reads errors is told what a defect is", () =>
    Effect.gen(function* () {
      const schedule = Schedule.spaced("1 second").pipe(
        Schedule.setInputType<Throttled>(),
        Schedule.while(({ input }) => input.retryable)
      )
      const policy = RetryPolicy.fromSchedule(schedule, {
        defect: (defect) => new Throttled({ retryable: defect instanceof TypeError })
      })
      assert.strictEqual((yield* decide(policy, { failure: boom }))._tag, "Retry")
      assert.strictEqual((yield* decide(policy, { failure: { _tag: "Die", defect: "bug" } }))._tag, "Stop")
      assert.strictEqual((yield* decide(policy, { failure: interrupted }))._tag, "Stop")
    })
  )

  it.effect("that dies, throws or fails is a defect", () =>
    Effect.gen(function* () {
      const broken = [
        Schedule.spaced("1 second").pipe(
          Schedule.while(() => {
            throw new Error("bug")
          })
        ),
        Schedule.spaced("1 second").pipe(Schedule.while(() => Effect.die(new Error("bug")))),
        Schedule.spaced("1 second").pipe(Schedule.while(() => Effect.fail(new Error("bug")))),
        Schedule.fromStep<unknown, unknown, never, never, never, never>(Effect.die(new Error("bug")))
      ]
      for (const schedule of broken) {
        const exit = yield* Effect.exit(decide(RetryPolicy.fromSchedule(schedule), { attempt: 3 }))
        assert.isTrue(Exit.isFailure(exit) && Exit.hasDies(exit))
        assert.strictEqual(Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "", "Error: bug")
      }
    })
  )

  it.effect("is driven from its start each time, even after ten thousand attempts", () =>
    Effect.gen(function* () {
      const policy = RetryPolicy.fromSchedule(Schedule.exponential("1 second").pipe(fewTimes(10_000)))
      assert.strictEqual((yield* decide(policy, { attempt: 10_000 }))._tag, "Retry")
      assert.strictEqual((yield* decide(policy, { attempt: 10_001 }))._tag, "Stop")
      assert.deepStrictEqual(yield* decide(policy, { attempt: 3 }), { _tag: "Retry", delaySeconds: 4 })
    })
  )

  it.effect("that is shared by policies and used at once keeps no state", () =>
    Effect.gen(function* () {
      const policy = RetryPolicy.fromSchedule(Schedule.fibonacci("1 second"))
      const decisions = yield* Effect.forEach([5, 1, 4, 2, 3], (attempt) => decide(policy, { attempt }), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(
        decisions.map((decision) => decision._tag === "Retry" && decision.delaySeconds),
        [5, 1, 3, 1, 2]
      )
    })
  )
})

describe("A policy made from another", () => {
  const busy = { retryAfter: 17, isBusy: true }
  const refused = { retryAfter: 17, isBusy: false }
  const base = RetryPolicy.fixed({ maxAttempts: 4, delay: "10 seconds" })

  it("stops at errors for which a predicate does not hold, and keeps its attempts", () => {
    const policy = base.pipe(RetryPolicy.while((error: typeof busy) => error.isBusy))
    assert.strictEqual(delayOf(policy, { attempt: 3, failure: fail(busy) }), 10)
    assert.strictEqual(delayOf(policy, { attempt: 4, failure: fail(busy) }), undefined)
    assert.strictEqual(delayOf(policy, { attempt: 1, failure: fail(refused) }), undefined)
    assert.strictEqual(delayOf(policy, { attempt: 1, failure: { _tag: "Die", defect: refused } }), 10)
    assert.strictEqual(delayOf(policy, { attempt: 1, failure: { _tag: "Interrupted" } }), 10)
  })

  it("asks all predicates, whichever was added first", () => {
    const policy = base.pipe(
      RetryPolicy.while((error: typeof busy) => error.isBusy),
      RetryPolicy.while((error: typeof busy) => error.retryAfter < 100)
    )
    assert.strictEqual(delayOf(policy, { failure: fail(busy) }), 10)
    assert.strictEqual(delayOf(policy, { failure: fail(refused) }), undefined)
    assert.strictEqual(delayOf(policy, { failure: fail({ isBusy: true, retryAfter: 100 }) }), undefined)
  })

  it("stops after so many attempts", () => {
    assert.deepStrictEqual(delaysOf(RetryPolicy.upTo(base, { attempts: 3 }), 0), [10, 10])
    assert.deepStrictEqual(delaysOf(RetryPolicy.upTo(base, { attempts: 9 }), 0), [10, 10, 10])
    assert.deepStrictEqual(delaysOf(base.pipe(RetryPolicy.upTo({})), 0), [10, 10, 10])
  })

  it("begins no attempt later than a duration after the first", () => {
    const policy = base.pipe(RetryPolicy.upTo({ duration: "25 seconds" }))
    assert.strictEqual(delayOf(policy, { elapsed: 15_000 }), 10)
    assert.strictEqual(delayOf(policy, { elapsed: 15_001 }), undefined)
  })

  it("takes its delays from the error, and keeps its own where that has none", () => {
    const policy = RetryPolicy.standard.pipe(
      RetryPolicy.withDelay<typeof busy>(({ delaySeconds, failure }) =>
        failure._tag === "Fail" ? { seconds: failure.error.retryAfter + delaySeconds } : undefined
      )
    )
    const random = almostOne
    assert.strictEqual(delayOf(policy, { attempt: 2, failure: fail(busy), random }), 27)
    assert.strictEqual(delayOf(policy, { attempt: 2, failure: { _tag: "Interrupted" }, random }), 10)
    assert.strictEqual(delayOf(policy, { attempt: 6, failure: fail(busy), random }), undefined)
    assert.strictEqual(
      delayOf(
        RetryPolicy.withDelay(base, () => "1 milli"),
        {}
      ),
      1
    )
  })

  it("refuses what makes no sense", () => {
    assert.throws(() => RetryPolicy.upTo(base, { attempts: 0 }), "RetryPolicy.upTo: attempts must be")
    assert.throws(() => RetryPolicy.upTo(base, { duration: "-1 seconds" }), "RetryPolicy.upTo: duration must be")
    const wrong = RetryPolicy.withDelay(base, () => ({ seconds: Number.NaN }))
    assert.throws(() => delayOf(wrong, {}), "RetryPolicy.withDelay: delay must be a finite duration")
  })
})
