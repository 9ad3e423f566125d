/**
 * Timers in real time, beside the clock of the host: what is waited for that has no time of its own.
 *
 * Owns: that none fires at once because its time is longer than a timer of the host can take.
 *
 * Does not own: what becomes of a time that is longer: whoever waits looks again.
 *
 * Invariants:
 * 1. A timer fires once, and not after it was stopped. The fake timers of a test have no hold on it.
 *
 * @since 0.1.0
 */

/** Captured early: a test framework may replace the timers of the process later, and the run queue watches them. */
const { clearTimeout, setTimeout } = globalThis

/** The longest time that a timer of the host can take, in milliseconds: 24.8 days. */
export const longestTimer = 2 ** 31 - 1

/** Starts a timer. One that is too long for the host fires after the longest time that it can take. */
export const startTimer = (millis: number, action: () => void): (() => void) => {
  const timer = setTimeout(action, Math.min(millis, longestTimer))
  return () => clearTimeout(timer)
}
