/**
 * Time that leaps: over what would only be waited for, and over nothing else. Time that does not, on a machine that is
 * suspended.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { clockOf, LeapingTime, realTime, type Time } from "../../src/local/Time.ts"

/** A time that a test moves. */
class Hand implements Time {
  readonly leaps = false
  at = 1_000
  #sleepers: Array<{ readonly due: number; readonly run: () => void }> = []
  readonly now = (): number => this.at
  readonly later: Time["later"] = (milliseconds, _, run) => {
    const sleeper = { due: this.at + milliseconds, run }
    this.#sleepers.push(sleeper)
    return () => (this.#sleepers = this.#sleepers.filter((other) => other !== sleeper))
  }
  readonly during: Time["during"] = (work) => work
  readonly awaited = (): void => undefined

  move(milliseconds: number): void {
    this.at += milliseconds
    const due = this.#sleepers.filter((sleeper) => sleeper.due <= this.at)
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.due > this.at)
    for (const { run } of due) run()
  }
}

/** Lets whoever looks in the next turn look. */
const turn = Effect.promise(() => new Promise((resolve) => setImmediate(() => setImmediate(resolve))))

const scene = () => {
  const hand = new Hand()
  const time = new LeapingTime(hand)
  const seen: Array<string> = []
  const note = (name: string) => () => void seen.push(`${name} at ${time.now()}`)
  return { hand, time, seen, note }
}

describe("Leaping time", () => {
  it.live("goes to whatever is next, one after the other", () =>
    Effect.gen(function* () {
      const { note, seen, time } = scene()
      time.later(60_000, "wait", note("minute"))
      time.later(5_000, "wait", note("five"))
      time.awaited(1)
      yield* turn
      yield* turn
      assert.deepStrictEqual(seen, ["five at 6000", "minute at 61000"])
    })
  )

  it.live("goes on like any other while something is at work, or nobody waits", () =>
    Effect.gen(function* () {
      const { hand, note, seen, time } = scene()
      time.later(5_000, "wait", note("five"))
      yield* turn
      assert.deepStrictEqual(seen, [], "nobody waits")
      time.awaited(1)
      yield* time.during(turn)
      assert.deepStrictEqual(seen, [], "something is at work")
      time.later(9_000, "wait", note("nine"))
      yield* time.during(Effect.sync(() => hand.move(5_000)))
      assert.deepStrictEqual(seen, ["five at 6000"], "time goes on")
      yield* turn
      assert.deepStrictEqual(seen, ["five at 6000", "nine at 10000"])
    })
  )

  it.live("stops before a limit, which passes as it does", () =>
    Effect.gen(function* () {
      const { hand, note, seen, time } = scene()
      time.later(5_000, "limit", note("limit"))
      time.later(6_000, "wait", note("wait"))
      time.awaited(1)
      yield* turn
      assert.deepStrictEqual(seen, [])
      hand.move(5_000)
      yield* turn
      assert.deepStrictEqual(seen, ["limit at 6000", "wait at 7000"])
    })
  )

  it.live("forgets what was called off", () =>
    Effect.gen(function* () {
      const { note, seen, time } = scene()
      const cancel = time.later(5_000, "limit", note("limit"))
      time.later(6_000, "wait", note("wait"))
      time.awaited(1)
      cancel()
      yield* turn
      assert.deepStrictEqual(seen, ["wait at 7000"])
    })
  )

  it.live("is slept in by whoever has its clock", () =>
    Effect.gen(function* () {
      const { time } = scene()
      time.awaited(1)
      yield* clockOf(time).sleep(Duration.days(2))
      assert.strictEqual(time.now(), 1_000 + 2 * 86_400_000)
    })
  )
})

describe("Real time", () => {
  it.effect("runs what is due soon after the machine was suspended, while its timers stood still", () =>
    Effect.gen(function* () {
      const timers = yield* Clock.Clock
      let suspended = 0
      const clock = {
        currentTimeMillisUnsafe: () => timers.currentTimeMillisUnsafe() + suspended,
        sleep: (duration: Duration.Duration) => timers.sleep(duration)
      }
      const run: Array<string> = []
      const time = realTime(clock, Effect.runForkWith(yield* Effect.context()))
      time.later(Duration.toMillis("2 hours"), "wait", () => run.push("two"))
      time.later(Duration.toMillis("8 hours"), "wait", () => run.push("eight"))
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(run, [])
      suspended = Duration.toMillis("5 hours")
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(run, ["two"])
      yield* TestClock.adjust("118 minutes")
      assert.deepStrictEqual(run, ["two"])
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(run, ["two", "eight"])
    })
  )
})
