/**
 * The reading and writing of values outside of workflows: for a stub, for an answer to a callback, for a test that starts
 * an execution.
 *
 * Owns: the use of the format of the environment. Does not own: formats, and the meaning of a failure.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { erase } from "../internal/erase.ts"
import { Serdes, type Info, type SerdesError } from "../Serdes.ts"
import * as Values from "../values/Values.ts"

/** Writes a value as text; `undefined` has no text. */
export const write = (
  recording: Values.Writing,
  value: unknown,
  info: Info
): Effect.Effect<string | undefined, SerdesError> =>
  erase(Effect.flatMap(Serdes, (format) => Values.write(format, recording, value, info)))

/** Reads a value from text. */
export const read = (
  recording: Values.Reading,
  text: string | undefined,
  info: Info
): Effect.Effect<unknown, SerdesError> =>
  erase(Effect.flatMap(Serdes, (format) => Values.read(format, recording, text, info)))
