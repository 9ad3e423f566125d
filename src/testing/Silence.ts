/**
 * The length of a silence: real time without events, counted only as far as the process was able to run.
 *
 * Owns: when a silence has lasted long enough. Does not own: what an event is.
 *
 * Silence is counted in beats. A late beat, because the machine or the process was busy, counts no more than a punctual one,
 * so a slow machine is never mistaken for a silent world. While work is in progress that ends by itself, each beat counts a
 * tenth.
 *
 * @since 0.1.0
 */

/** The world that a silence observes. */
export interface Heard {
  /** Returns another number after any event. */
  readonly pulse: () => number
  /** Returns whether work is in progress that ends by itself. */
  readonly isComputing: () => boolean
  /** Starts a timer in real time, and returns a function that stops it. */
  readonly startTimer: (millis: number, action: () => void) => () => void
}

/** The longest beat, in milliseconds. */
const longestBeat = 500
const beats = 10

/** Calls back once when nothing has happened for `patience` milliseconds. Returns a function that stops listening. */
export const listenForSilence = (world: Heard, patience: number, onSilence: () => void): (() => void) => {
  const beat = Math.min(patience / beats, longestBeat)
  let stop = (): void => {}
  let last = world.pulse()
  let silent = 0
  const next = (): void => {
    const pulse = world.pulse()
    if (pulse !== last) silent = 0
    else silent += world.isComputing() ? beat / beats : beat
    last = pulse
    if (silent >= patience) onSilence()
    else stop = world.startTimer(beat, next)
  }
  stop = world.startTimer(beat, next)
  return () => stop()
}
