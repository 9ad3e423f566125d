/**
 * Catching up: what depends on how far other fibres have come waits until they have replayed what they recorded.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Run } from "../Run.ts"

/**
 * Lets the other fibres get as far as the history takes them: until something holds, or they have fallen silent, or for a
 * bounded number of turns of the event loop. It keeps the invocation alive meanwhile.
 */
export const caughtUp = (run: Run, holds: () => boolean): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const { supervisor } = run
    if (holds()) return resume(Effect.void)
    const leave = supervisor.occupy()
    let seen = -1
    let quiet = 0
    const look = (turns: number): void => {
      if (run.phase === "running") {
        quiet = supervisor.activity === seen ? quiet + 1 : 0
        seen = supervisor.activity
        // A serdes is silent while it takes its time, which says nothing.
        if (!holds() && run.converting().size > 0) return void setTimeout(look, 1, 0)
        if (turns < maxTurns && quiet < quietTurns && !holds()) return void setImmediate(look, turns + 1)
      }
      resume(run.phase === "running" ? Effect.void : run.inert)
      leave()
    }
    setImmediate(look, 0)
  })

/** Turns of the event loop that others get, and of silence that say they need no more. */
const maxTurns = 100
const quietTurns = 2
