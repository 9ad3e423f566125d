/**
 * How the values of an operation or of a contract are written and read, without their types.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import type * as Schema from "effect/Schema"
import type * as Contract from "../Contract.ts"
import { erase } from "../internal/erase.ts"
import { Serdes, type Codec, type Info, type SerdesError } from "../Serdes.ts"

/** A codec whose value type was checked where it was given. */
export type AnyCodec = NonNullable<Contract.Any["payloadSerdes"]>

/** Without Schemas a value is plain data, and there are no errors but the library's own. */
export interface Recording {
  readonly success?: Schema.Top | undefined
  readonly error?: Schema.Top | undefined
  readonly serdes?: AnyCodec | undefined
}

/** How the payload of a contract is written and read. */
export const ofPayload = (
  contract: Contract.Any,
  serdes: AnyCodec | undefined = contract.payloadSerdes
): Recording => ({
  success: contract.payload,
  serdes
})

/** How the result of a contract, and its errors, are written and read. */
export const ofResult = (contract: Contract.Any, serdes: AnyCodec | undefined = contract.resultSerdes): Recording => ({
  success: contract.success,
  error: contract.error,
  serdes
})

/** Writes a value as text; `undefined` has none. */
export const write = (
  recording: Recording,
  value: unknown,
  info: Info
): Effect.Effect<string | undefined, SerdesError> =>
  Effect.flatMap(Serdes, (format) =>
    erase(
      recording.serdes === undefined
        ? format.serialize(recording.success, value, info)
        : untyped(recording.serdes).serialize(value, info)
    )
  )

/** Reads a value from text. */
export const read = (recording: Recording, text: string | undefined, info: Info): Effect.Effect<unknown, SerdesError> =>
  Effect.flatMap(Serdes, (format) =>
    erase(
      recording.serdes === undefined
        ? format.deserialize(recording.success, text, info)
        : recording.serdes.deserialize(text, info)
    )
  )

/** A codec of any value. */
export const untyped = (codec: AnyCodec): Codec<unknown, unknown> => cast<AnyCodec, Codec<unknown, unknown>>(codec)
