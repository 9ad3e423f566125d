/**
 * The time of an engine, which passes in real time, or leaps over waits.
 *
 * Owns: the current time, and when the next timer runs.
 * Does not own: what a timer does, and what the engine records of it.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"

/** Whether time may leap over a timer: it may leap over a wait, but before a time-out a person may still act. */
export type Kind = "wait" | "limit"

export interface Time {
  /** Whether it may leap over waits. */
  readonly leaps: boolean
  /** Returns the milliseconds since the epoch. */
  readonly now: () => number
  /** Runs a function after some milliseconds. Returns a function that cancels it. */
  readonly later: (milliseconds: number, kind: Kind, run: () => void) => () => void
  /** Marks the engine as busy while an effect runs. */
  readonly during: <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Sets the number of clients that wait for the end of an execution. */
  readonly awaited: (count: number) => void
}

/**
 * The longest sleep in milliseconds without a look at the clock. The timers of a machine stop while it is suspended, and do
 * not notice when its clock is set.
 */
const longestSleep = 60_000

/** Returns the time of a clock. */
export const realTime = (
  clock: Pick<Clock.Clock, "currentTimeMillisUnsafe" | "sleep">,
  fork: (effect: Effect.Effect<unknown>) => { interruptUnsafe(): void }
): Time => ({
  leaps: false,
  now: () => clock.currentTimeMillisUnsafe(),
  later: (milliseconds, _, run) => {
    const due = clock.currentTimeMillisUnsafe() + milliseconds
    const after = (left: number): Effect.Effect<void> => {
      const sleep = Math.min(left, longestSleep)
      return Effect.flatMap(clock.sleep(Duration.millis(sleep)), () =>
        sleep < left && clock.currentTimeMillisUnsafe() < due ? after(left - sleep) : Effect.sync(run)
      )
    }
    const fiber = fork(after(milliseconds))
    return () => fiber.interruptUnsafe()
  },
  during: identity,
  awaited: () => undefined
})

interface Sleeper {
  readonly due: number
  readonly kind: Kind
  readonly run: () => void
}

/**
 * A time that passes like another one, and leaps to the next timer when the engine is idle, a client waits for the end of an
 * execution, and the next timer is a wait.
 */
export class LeapingTime implements Time {
  readonly leaps = true
  readonly #time: Time
  /** The milliseconds that were leapt over. */
  #leapt = 0
  #working = 0
  #awaited = 0
  /** The sleepers, in the order in which they are due. */
  #sleepers: ReadonlyArray<Sleeper> = []
  #cancel: (() => void) | undefined
  #looks = false

  constructor(time: Time) {
    this.#time = time
  }

  readonly now = (): number => this.#time.now() + this.#leapt

  readonly later: Time["later"] = (milliseconds, kind, run) => {
    const sleeper: Sleeper = { due: this.now() + milliseconds, kind, run }
    const after = this.#sleepers.findIndex(({ due }) => due > sleeper.due)
    this.#sleep(this.#sleepers.toSpliced(after === -1 ? this.#sleepers.length : after, 0, sleeper))
    return () => this.#sleep(this.#sleepers.filter((other) => other !== sleeper))
  }

  readonly during: Time["during"] = (work) =>
    Effect.suspend(() => {
      this.#working++
      return Effect.ensuring(
        work,
        Effect.sync(() => {
          this.#working--
          this.#lookSoon()
        })
      )
    })

  readonly awaited = (count: number): void => {
    this.#awaited = count
    this.#lookSoon()
  }

  #sleep(sleepers: ReadonlyArray<Sleeper>): void {
    this.#sleepers = sleepers
    this.#cancel?.()
    const [first] = sleepers
    this.#cancel =
      first === undefined
        ? undefined
        : this.#time.later(Math.max(0, first.due - this.now()), first.kind, () => this.#wake(first))
    this.#lookSoon()
  }

  /** Checks in the next turn of the event loop, because work that has just ended may lead to more work. */
  #lookSoon(): void {
    if (this.#looks) return
    this.#looks = true
    setImmediate(() => {
      this.#looks = false
      const [first] = this.#sleepers
      if (first?.kind !== "wait" || this.#working > 0 || this.#awaited === 0) return
      this.#leapt += Math.max(0, first.due - this.now())
      this.#wake(first)
    })
  }

  #wake(sleeper: Sleeper): void {
    this.#sleep(this.#sleepers.filter((other) => other !== sleeper))
    sleeper.run()
  }
}

/** Returns the clock of a time, for code outside of the engine that lives in it. */
export const clockOf = ({ later, now }: Pick<Time, "later" | "now">): Clock.Clock => {
  const nanos = (): bigint => BigInt(Math.round(now() * 1_000)) * BigInt(1_000)
  return {
    currentTimeMillisUnsafe: now,
    currentTimeMillis: Effect.sync(now),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: nanos,
    monotonicTimeNanos: Effect.sync(nanos),
    sleep: (duration) =>
      Effect.callback((resume) => {
        const cancel = later(Duration.toMillis(duration), "wait", () => resume(Effect.void))
        return Effect.sync(cancel)
      })
  }
}
