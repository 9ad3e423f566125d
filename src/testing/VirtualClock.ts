/**
 * A clock that stands still until it is moved, and knows which fiber sleeps until when.
 *
 * Owns: virtual time, and its sleepers. Does not own: when it moves.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { AnyFiber } from "../execution/Fibers.ts"
import { executionOf } from "../execution/Parts.ts"

interface Sleeper {
  readonly due: number
  readonly fiber: AnyFiber | undefined
  readonly wake: () => void
}

export class VirtualClock implements Clock.Clock {
  #now: number
  readonly #origin: number
  /** The sleepers in the order in which they are due, and among equals in the order in which they fell asleep. */
  #sleepers: Array<Sleeper> = []
  readonly #onChange: () => void

  constructor(now: number, onChange: () => void) {
    this.#now = now
    this.#origin = now
    this.#onChange = onChange
  }

  readonly currentTimeMillis = Effect.sync(() => this.#now)
  readonly currentTimeNanos = Effect.sync(() => this.currentTimeNanosUnsafe())
  readonly monotonicTimeNanos = Effect.sync(() => this.monotonicTimeNanosUnsafe())

  currentTimeMillisUnsafe(): number {
    return this.#now
  }

  currentTimeNanosUnsafe(): bigint {
    return nanos(this.#now)
  }

  monotonicTimeNanosUnsafe(): bigint {
    return nanos(this.#now - this.#origin)
  }

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const millis = Duration.toMillis(duration)
      if (millis <= 0) return resume(Effect.yieldNow)
      const sleeper: Sleeper = {
        due: this.#now + millis,
        fiber: Fiber.getCurrent(),
        wake: () => resume(Effect.void)
      }
      noteOutside(sleeper.fiber)
      this.#insert(sleeper)
      this.#onChange()
      return Effect.sync(() => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
        this.#onChange()
      })
    })
  }

  /** The time at which the next sleeper is due. */
  get nextDue(): number | undefined {
    const due = this.#sleepers[0]?.due
    return due === Infinity ? undefined : due
  }

  /** The fibers that are asleep. */
  get asleep(): ReadonlySet<AnyFiber> {
    return new Set(this.#sleepers.flatMap((sleeper) => (sleeper.fiber === undefined ? [] : [sleeper.fiber])))
  }

  /** Moves to a later time. The sleepers that are due by then are not woken yet. */
  moveTo(time: number): void {
    this.#now = Math.max(this.#now, time)
  }

  /** Wakes all sleepers that are due, in a given order. */
  wakeDue(arrange: <A>(due: ReadonlyArray<A>) => ReadonlyArray<A>): void {
    const due = this.#sleepers.filter((sleeper) => sleeper.due <= this.#now)
    this.#sleepers = this.#sleepers.slice(due.length)
    for (const sleeper of arrange(due)) sleeper.wake()
  }

  #insert(sleeper: Sleeper): void {
    const after = this.#sleepers.findIndex((other) => other.due > sleeper.due)
    if (after === -1) this.#sleepers.push(sleeper)
    else this.#sleepers.splice(after, 0, sleeper)
  }
}

const nanos = (millis: number): bigint => BigInt(Math.round(millis * 1_000)) * BigInt(1_000)

/**
 * Records that a fiber of a workflow sleeps on the clock of the host: with a real clock it would wait for a timer of the
 * host.
 */
const noteOutside = (fiber: AnyFiber | undefined): void => {
  const fibers = fiber === undefined ? undefined : executionOf(fiber)?.parts.fibers
  if (fiber !== undefined && fibers?.live.has(fiber) === true) fibers.outside.set(fiber, fibers.placeOf?.())
}
