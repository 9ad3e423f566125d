/**
 * The clock of a workflow: it notes the sleeps that are under way, because a suspension cuts them short.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"

/** A fibre that sleeps. */
export interface Sleep {
  readonly duration: Duration.Duration
  readonly fiber: Fiber.Fiber<unknown, unknown>
}

export class ObservedClock implements Clock.Clock {
  readonly #base: Clock.Clock
  readonly #sleeps: Set<Sleep>
  readonly currentTimeMillis: Effect.Effect<number>
  readonly currentTimeNanos: Effect.Effect<bigint>
  readonly monotonicTimeNanos: Effect.Effect<bigint>

  constructor(base: Clock.Clock, sleeps: Set<Sleep>) {
    this.#base = base
    this.#sleeps = sleeps
    this.currentTimeMillis = base.currentTimeMillis
    this.currentTimeNanos = base.currentTimeNanos
    this.monotonicTimeNanos = base.monotonicTimeNanos
  }

  currentTimeMillisUnsafe(): number {
    return this.#base.currentTimeMillisUnsafe()
  }

  currentTimeNanosUnsafe(): bigint {
    return this.#base.currentTimeNanosUnsafe()
  }

  monotonicTimeNanosUnsafe(): bigint {
    return this.#base.monotonicTimeNanosUnsafe()
  }

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return Effect.withFiber((fiber) => {
      const sleep = { duration, fiber }
      return Effect.acquireUseRelease(
        Effect.sync(() => this.#sleeps.add(sleep)),
        () => this.#base.sleep(duration),
        () => Effect.sync(() => this.#sleeps.delete(sleep))
      )
    })
  }
}
