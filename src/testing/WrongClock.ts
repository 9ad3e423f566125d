/**
 * A clock that is off.
 *
 * Owns: how far it is off. Does not own: where the clock is used.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { seeded } from "../execution/Chance.ts"
import { readMillis } from "../internal/durations.ts"

/**
 * How far a clock is off.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClockOptions {
  /** The seed that decides how far each reading goes back: any whole number. Default: 1. */
  readonly seed?: number | undefined
  /** How far the clock is ahead, a duration. Default: zero. */
  readonly ahead?: Duration.Input | undefined
  /** How far the clock is behind, a duration. Default: zero. */
  readonly behind?: Duration.Input | undefined
  /** How far each reading may lie before an earlier one, a duration. Default: zero. */
  readonly back?: Duration.Input | undefined
}

/** Returns a clock that is off. */
export const wrong = (right: Clock.Clock, options: ClockOptions): Clock.Clock => {
  const { ahead = 0, back = 0, behind = 0, seed = 1 } = options
  const off = readMillis("the clock's ahead", ahead) - readMillis("the clock's behind", behind)
  const furthest = readMillis("the clock's back", back)
  const random = seeded(`${seed} clock`)
  const shift = (): number => Math.round(off - random.nextDoubleUnsafe() * furthest)
  const nanos = (): bigint => BigInt(shift()) * 1_000_000n
  return {
    currentTimeMillisUnsafe: () => right.currentTimeMillisUnsafe() + shift(),
    currentTimeMillis: Effect.map(right.currentTimeMillis, (millis) => millis + shift()),
    currentTimeNanosUnsafe: () => right.currentTimeNanosUnsafe() + nanos(),
    currentTimeNanos: Effect.map(right.currentTimeNanos, (time) => time + nanos()),
    monotonicTimeNanosUnsafe: () => right.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: right.monotonicTimeNanos,
    sleep: (duration) => right.sleep(duration)
  }
}
