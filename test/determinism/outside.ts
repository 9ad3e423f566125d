/**
 * Work that no operation records: promises of the process.
 */
import * as Effect from "effect/Effect"

/** A promise that is kept after so many turns of the event loop. */
export const turns = (count: number): Effect.Effect<string> =>
  Effect.promise(async () => {
    for (let turn = 0; turn < count; turn++) await new Promise((resolve) => void setImmediate(resolve))
    return "kept"
  })

/** A promise that is kept after so many real milliseconds. */
export const timer = (millis: number): Effect.Effect<string> =>
  Effect.promise(() => new Promise((resolve) => void setTimeout(() => resolve("kept"), millis)))

/** The same as a bare callback, which nothing can tell from a wait for another fiber. */
export const bareTimer = (millis: number): Effect.Effect<string> =>
  Effect.callback((resume) => {
    setTimeout(() => resume(Effect.succeed("kept")), millis)
  })
