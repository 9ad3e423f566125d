/**
 * Timers in real time, independent of the clock of the host: for waits that have no time of their own.
 *
 * Owns: that no timer fires at once because its time is longer than a timer of the host can take.
 *
 * Does not own: what happens with a longer time: the code that waits has to look again.
 *
 * Invariants:
 * 1. A timer fires once, and not after it was stopped. Fake timers of a test do not affect it.
 *
 * @since 0.1.0
 */
import { longestTimer } from "../internal/longestTimer.ts"

/** Captured early, because a test framework may replace the timers of the process later, and the run queue watches them. */
const { clearTimeout, setTimeout } = globalThis

/** Starts a timer. One that is too long for the host fires after the longest time that it can take. */
export const startTimer = (millis: number, action: () => void): (() => void) => {
  const timer = setTimeout(action, Math.min(millis, longestTimer))
  return () => clearTimeout(timer)
}
