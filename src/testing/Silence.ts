/**
 * How long nothing has happened: real time that is counted only as far as the process had a chance to do something in it.
 *
 * Owns: when a silence has lasted for long enough. Does not own: what is an event.
 *
 * Silence is counted in beats. A beat that comes late, because the machine or the process was busy, counts no more than one
 * that comes in time: so a slow machine is never taken for a silent world. While something is computed that ends by itself, each
 * counts a tenth.
 *
 * @since 0.1.0
 */

/** What a silence needs to know of the world that it listens to. */
export interface Heard {
  /** Another number after anything has happened. */
  readonly pulse: () => number
  /** Whether something is computed that ends by itself. */
  readonly isComputing: () => boolean
  /** Starts a timer in real time, and answers with how to stop it. */
  readonly startTimer: (millis: number, action: () => void) => () => void
}

/** The longest beat, in milliseconds. */
const longestBeat = 500
const beats = 10

/** Calls back once when nothing has happened for so many milliseconds. Answers with how to listen no longer. */
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
