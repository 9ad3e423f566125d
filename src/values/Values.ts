/**
 * Values as text, and text as values.
 *
 * Owns: how the values of an operation or of a contract are written and read, once their types are forgotten.
 * Does not own: what a failed conversion means for an invocation. It is reported in the error channel.
 *
 * Invariants:
 * 1. A conversion that completes at once is returned as an `Exit`, so that no fiber has to wait for it.
 * 2. A permanent failure is a defect `SerdesFailed` with operation and path; one that may pass is a `NotForNow` in the
 *    error channel.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import { hasProperty } from "effect/Predicate"
import * as Schema from "effect/Schema"
import { PayloadTooLarge, SerdesFailed } from "../DurableError.ts"
import { byteLength } from "../internal/bytes.ts"
import { kindOf } from "../internal/found.ts"
import { SerdesError, type Format, type Info, type Writer } from "../Serdes.ts"

/** A writer of values, whose type was checked where it was given. */
export interface AnyWriter {
  readonly serialize: (value: never, info: Info) => Effect.Effect<string | undefined, SerdesError, unknown>
}

/** A reader of values, whose type was checked where it was given. */
export interface AnyReader {
  readonly deserialize: (text: string | undefined, info: Info) => Effect.Effect<unknown, SerdesError, unknown>
}

/** A codec whose value type was checked where it was given. */
export interface AnyCodec extends AnyWriter, AnyReader {}

/** Checks whether a reader also writes. */
export const isCodec = (reader: AnyReader): reader is AnyCodec => hasProperty(reader, "serialize")

/** How the value and the error of an operation are recorded. Without Schemas a value is plain data. */
export interface Recording extends Writing, Reading {
  readonly error?: Schema.Top | undefined
  readonly successSerdes?: AnyCodec | undefined
}

/** How a value is written. */
export interface Writing {
  readonly success?: Schema.Top | undefined
  readonly successSerdes?: AnyWriter | undefined
}

/** How a value is read. */
export interface Reading {
  readonly success?: Schema.Top | undefined
  readonly successSerdes?: AnyReader | undefined
}

/** The owner of the values that are written or read, and their format if no codec is given. */
export interface Subject {
  readonly executionArn: string
  readonly id: string
  readonly path: string
  readonly format: Format
}

/** The failure of a conversion that may succeed later. It differs from every error of the program. */
export class NotForNow {
  readonly message: string

  constructor(message: string) {
    this.message = message
  }
}

/** A conversion whose failure may pass. */
export type Conversion<A, E = never> = Effect.Effect<A, E | NotForNow>

/** What a contract declares about its values. */
interface Declared {
  readonly payload: Schema.Top
  readonly success: Schema.Top
  readonly error: Schema.Top
  readonly payloadSerdes: AnyCodec | undefined
  readonly successSerdes: AnyCodec | undefined
}

/** Checks whether a function takes nothing. If so, its payload is not read, whatever it is. */
export const takesNothing = ({ payload, payloadSerdes }: Declared): boolean =>
  payload.ast._tag === "Void" && payloadSerdes === undefined

/** Returns how the payload of a contract is written and read. */
export const ofPayload = ({ payload, payloadSerdes }: Declared): Recording => ({
  success: payload,
  successSerdes: payloadSerdes
})

/** Returns how the result of a contract, and its errors, are written and read. */
export const ofResult = ({ error, success, successSerdes }: Declared): Recording => ({ success, error, successSerdes })

/** Writes a value as text, with its codec if it has one, otherwise in a format. `undefined` has no text. */
export const write = (
  format: Format,
  { success, successSerdes }: Writing,
  value: unknown,
  info: Info
): Effect.Effect<string | undefined, SerdesError, unknown> =>
  Effect.flatMapEager(
    begun(success, successSerdes, successSerdes?.serialize, () =>
      successSerdes === undefined
        ? format.serialize(success, value, info)
        : cast<AnyWriter, Writer<unknown, unknown>>(successSerdes).serialize(value, info)
    ),
    // A caller without types may have written a function that returns something else.
    (text) =>
      text === undefined || typeof text === "string"
        ? Effect.succeed(text)
        : Effect.fail(
            new SerdesError({ message: `Expected its Serdes to write text, found ${kindOf(text)}`, transient: false })
          )
  )

/**
 * Reads a value from text, with its codec if it has one, otherwise in a format. Where `undefined` needs a text, as in the
 * result of a function, the text is `null`, which not every format can read.
 */
export const read = (
  format: Format,
  reading: Reading,
  text: string | undefined,
  info: Info
): Effect.Effect<unknown, SerdesError, unknown> => {
  const { success, successSerdes } = reading
  const value = begun(success, successSerdes, successSerdes?.deserialize, () =>
    successSerdes === undefined ? format.deserialize(success, text, info) : successSerdes.deserialize(text, info)
  )
  return text === "null"
    ? Effect.catchEager(value, (error) =>
        error.transient ? Effect.fail(error) : Effect.mapErrorEager(read(format, reading, undefined, info), () => error)
      )
    : value
}

/** Writes a value of an operation. */
export const writeValue = (
  subject: Subject,
  kind: Info["value"],
  recording: Writing,
  value: unknown
): Conversion<string | undefined> =>
  settled(subject, "write", kind, write(subject.format, recording, value, infoOf(subject, kind)))

/** Reads a value of an operation. */
export const readValue = (
  subject: Subject,
  kind: Info["value"],
  recording: Reading,
  text: string | undefined
): Conversion<unknown> => settled(subject, "read", kind, read(subject.format, recording, text, infoOf(subject, kind)))

const infoOf = (subject: Subject, value: Info["value"]): Info => ({
  executionArn: subject.executionArn,
  operationId: subject.id,
  operation: subject.path,
  value
})

const settled = <A, R>(
  subject: Subject,
  direction: "write" | "read",
  kind: Info["value"],
  conversion: Effect.Effect<A, SerdesError, R>
): Conversion<A> =>
  cast<Effect.Effect<A, NotForNow, R>, Conversion<A>>(
    Effect.catchEager(conversion, (error) => {
      const message = `Could not ${direction} the ${kind} of "${subject.path}": ${error.message}`
      return error.transient
        ? Effect.fail(new NotForNow(message))
        : Effect.die(new SerdesFailed({ operation: subject.path, message }))
    })
  )

/**
 * Begins a conversion. A caller without types may have given something else than a Schema or a codec. If a codec throws,
 * that is a defect of the codec.
 */
const begun = <A, R>(
  schema: unknown,
  codec: unknown,
  method: unknown,
  convert: () => Effect.Effect<A, SerdesError, R>
): Effect.Effect<A, SerdesError, R> => {
  if (codec === undefined ? schema !== undefined && !Schema.isSchema(schema) : typeof method !== "function") {
    const message = `Expected a Schema or a Serdes.Codec, found ${kindOf(codec ?? schema)}`
    return Effect.fail(new SerdesError({ message, transient: false }))
  }
  try {
    return convert()
  } catch (defect) {
    return Effect.die(defect)
  }
}

/** Fails with `PayloadTooLarge` if the service would refuse a text for its size. */
export const limitSize = (
  { path }: Pick<Subject, "path">,
  what: string,
  text: string | undefined,
  limit: number
): Effect.Effect<void> => {
  const bytes = text === undefined ? 0 : byteLength(text)
  return bytes <= limit
    ? Effect.void
    : Effect.die(
        new PayloadTooLarge({
          operation: path,
          bytes,
          limit,
          message: `Expected the ${what} of "${path}" to be at most ${limit} bytes of JSON, found ${bytes}. Keep large data in a store and pass a reference to it.`
        })
      )
}
