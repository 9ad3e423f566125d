/**
 * The time of an engine, which goes on as it does, or leaps over what it would only be waited for.
 *
 * Owns: what time it is, and when something is next.
 * Does not own: what happens then, and what the engine records of it.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"

/** Whether time may leap over something: a wait it may, but a person may be about to do what ends a time-out. */
export type Kind = "wait" | "limit"

export interface Time {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Does something after so many milliseconds. Answers how to call it off. */
  readonly later: (milliseconds: number, kind: Kind, run: () => void) => () => void
  /** Something is at work as long as this takes. */
  readonly during: <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** So many wait for the end of an execution. */
  readonly awaited: (count: number) => void
}

/** The time of a clock. */
export const realTime = (
  clock: Clock.Clock,
  fork: (effect: Effect.Effect<unknown>) => { interruptUnsafe(): void }
): Time => ({
  now: () => clock.currentTimeMillisUnsafe(),
  later: (milliseconds, _, run) => {
    const fiber = fork(Effect.andThen(clock.sleep(Duration.millis(milliseconds)), Effect.sync(run)))
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
 * Goes on like another time, and leaps to whatever is next when nothing is at work, somebody waits for the end of an execution,
 * and what is next is a wait.
 */
export class LeapingTime implements Time {
  readonly #time: Time
  /** Milliseconds that were leapt over. */
  #leapt = 0
  #working = 0
  #awaited = 0
  /** In the order in which they are due. */
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

  /** What has just ended may still lead to something, so that it is the next turn of the event loop that tells. */
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

/** The clock of a time, for those outside of the engine who live in it. */
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
