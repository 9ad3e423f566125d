/**
 * Timers in real time, beside the clock of the host: what is waited for that has no time of its own.
 *
 * Owns: that none fires at once because its time is longer than a timer of the host can take.
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
