/**
 * Timers in real time, independent of the clock of the host.
 *
 * Owns: that a time longer than the maximum of the host's timers does not fire at once.
 *
 * Does not own: the rest of a longer time, for which the waiting code has to start another timer.
 *
 * Invariants:
 * 1. A timer fires once, and never after it was stopped. Fake timers of a test do not affect it.
 *
 * @since 0.1.0
 */
import { longestTimer } from "../internal/longestTimer.ts"

/** Captured early, because a test framework may replace the timers of the process later, and the run queue watches them. */
const { clearTimeout, setTimeout } = globalThis

/** Starts a timer. A timer that is too long for the host fires after the maximum of the host's timers. */
export const startTimer = (millis: number, action: () => void): (() => void) => {
  const timer = setTimeout(action, Math.min(millis, longestTimer))
  return () => clearTimeout(timer)
}
