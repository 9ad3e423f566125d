/**
 * The conversion of values to text in a checkpoint, and of that text to values.
 *
 * This module converts every recorded value and error, on the first run too, so a workflow sees the same value in the
 * first run as in a replay. The ambient format is JSON through the Schema's JSON codec. Replace it with {@link layer}
 * (to encrypt, compress, or keep large values elsewhere), or override it for one operation with {@link make}.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { catchDefectEager } from "./internal/effect.ts"
import { kindOf } from "./internal/found.ts"
import { misfitOf } from "./internal/misfit.ts"
import { isLeftOver, isTooDeep, readPlain, stringifyPlain, tooDeep, writePlain } from "./internal/plainJson.ts"

/**
 * The identity of the value that is written or read, for messages and for formats that keep values elsewhere.
 *
 * @category models
 * @since 0.1.0
 */
export interface Info {
  readonly executionArn: string
  /** The id of the operation on the wire, or the id of the execution for its payload and result. */
  readonly operationId: string
  /** The path of the operation, for people. */
  readonly operation: string
  readonly value: "payload" | "result" | "error" | "state"
}

/**
 * A value could not be written or read.
 *
 * A `transient` failure (a network, a throttled key service) fails the invocation, which the service then repeats; any
 * other failure ends the execution as `SerdesFailed`.
 *
 * @category errors
 * @since 0.1.0
 */
export class SerdesError extends Schema.TaggedError<SerdesError>()("SerdesError", {
  message: Schema.String,
  transient: Schema.Boolean
}) {}

/**
 * An encoder of the values of one operation as text, for values that are only written, such as the payload of an invoke.
 * The text of a payload must be JSON, because Lambda accepts nothing else.
 *
 * @category models
 * @since 0.1.0
 */
export interface Writer<in A, out R = never> {
  readonly serialize: (value: A, info: Info) => Effect.Effect<string | undefined, SerdesError, R>
}

/**
 * A decoder of the values of one operation from text, for values that are only read, such as the result of an invoke.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reader<out A, out R = never> {
  readonly deserialize: (text: string | undefined, info: Info) => Effect.Effect<A, SerdesError, R>
}

/**
 * An encoder and a decoder for the values of one operation. A text of `undefined` means that the payload is absent.
 *
 * @category models
 * @since 0.1.0
 */
export interface Codec<in out A, out R = never> extends Writer<A, R>, Reader<A, R> {}

/**
 * An encoder and a decoder for any value with a Schema. A value without a Schema is plain data.
 *
 * @category models
 * @since 0.1.0
 */
export interface Format {
  readonly serialize: <S extends Schema.Top>(
    schema: S | undefined,
    value: S["Type"],
    info: Info
  ) => Effect.Effect<string | undefined, SerdesError, S["EncodingServices"]>
  readonly deserialize: <S extends Schema.Top>(
    schema: S | undefined,
    text: string | undefined,
    info: Info
  ) => Effect.Effect<S["Type"], SerdesError, S["DecodingServices"]>
}

/**
 * Creates a codec from two functions, each of which may return its result or an Effect. The codec replaces a Schema; its
 * option has the name of that Schema's option followed by `Serdes`, such as `successSerdes`, `payloadSerdes` or
 * `stateSerdes`.
 *
 * An exception or a failure of a function becomes a {@link SerdesError} that is not transient, unless it is a
 * `SerdesError` already.
 *
 * @example
 * ```ts
 * import { Durable, Serdes } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * const decimal = Serdes.make<bigint>({
 *   serialize: (value) => value.toString(),
 *   deserialize: (text = "") => BigInt(text)
 * })
 *
 * export const grains = Durable.step("grains", Effect.sync(() => 2n ** 64n - 1n), { successSerdes: decimal })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A, R = never>(options: {
  readonly serialize: (value: A, info: Info) => string | undefined | Effect.Effect<string | undefined, unknown, R>
  readonly deserialize: (text: string | undefined, info: Info) => A | Effect.Effect<A, unknown, R>
}): Codec<A, R> => ({ ...writer(options?.serialize), ...reader(options?.deserialize) })

/**
 * Creates a codec that only writes, from a function that may return its result or an Effect, as in {@link make}.
 *
 * @example
 * ```ts
 * import { Serdes } from "effect-durable"
 *
 * export const csv = Serdes.writer((rows: ReadonlyArray<ReadonlyArray<string>>) =>
 *   rows.map((row) => row.join(";")).join("\n")
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const writer = <A, R = never>(
  serialize: (value: A, info: Info) => string | undefined | Effect.Effect<string | undefined, unknown, R>
): Writer<A, R> => {
  checkFunction("serialize", serialize)
  return { serialize: (value, info) => attempt(() => serialize(value, info)) }
}

/**
 * Creates a codec that only reads, from a function that may return its result or an Effect, as in {@link make}.
 *
 * @example
 * ```ts
 * import { Durable, Serdes } from "effect-durable"
 *
 * const percent = Serdes.reader((text = "") => Number(text.replace("%", "")) / 100)
 *
 * export const share = Durable.callback("share", { successSerdes: percent })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const reader = <A, R = never>(
  deserialize: (text: string | undefined, info: Info) => A | Effect.Effect<A, unknown, R>
): Reader<A, R> => {
  checkFunction("deserialize", deserialize)
  return { deserialize: (text, info) => attempt(() => deserialize(text, info)) }
}

/** Refuses what a caller without types gives in place of a function. */
const checkFunction = (name: string, found: unknown): void => {
  if (typeof found !== "function")
    throw new TypeError(`Expected the ${name} of a codec to be a function, found ${kindOf(found)}.`)
}

/** Runs a function. The result of a plain function is available at once, so that no fiber has to wait for it. */
const attempt = <A, R>(run: () => A | Effect.Effect<A, unknown, R>): Effect.Effect<A, SerdesError, R> => {
  try {
    const result = run()
    return Effect.isEffect(result) ? Effect.mapErrorEager(result, toSerdesError) : Effect.succeed(result)
  } catch (cause) {
    return Effect.fail(toSerdesError(cause))
  }
}

const toSerdesError = (cause: unknown): SerdesError =>
  cause instanceof SerdesError
    ? cause
    : new SerdesError({ message: cause instanceof Error ? cause.message : String(cause), transient: false })

const codecs = new WeakMap<Schema.Top, ReturnType<typeof compile>>()

const compile = (schema: Schema.Top) => {
  const codec = Schema.toCodecJson(schema)
  const is = Schema.is(Schema.toType(schema))
  return {
    encode: Schema.encodeUnknownEffect(codec),
    decode: Schema.decodeUnknownEffect(codec),
    // Checked only if the value is undefined: a check that expects another value may throw.
    acceptsUndefined: () => is(undefined)
  }
}

const compiled = (schema: Schema.Top) => {
  let found = codecs.get(schema)
  if (found === undefined) {
    found = compile(schema)
    codecs.set(schema, found)
  }
  return found
}

/**
 * Explains why a value was not written. If the Schema does not describe the value, Effect reports only that it is not
 * JSON; this message adds what was found, and where.
 */
const unwritten =
  (value: unknown) =>
  (error: Schema.SchemaError): SerdesError => {
    const { found, message, path } = misfitOf(error.message, value)
    if (message.startsWith("Expected JSON value")) {
      try {
        stringifyPlain(found, looseAdvice, { path })
      } catch (cause) {
        return toSerdesError(cause)
      }
    }
    return new SerdesError({ message, transient: false })
  }

/** Explains why a Schema has failed. A value that it cannot walk through, because it is too deep, does not fit either. */
const explained = <A, R>(
  conversion: Effect.Effect<A, Schema.SchemaError, R>,
  explain: (error: Schema.SchemaError) => SerdesError
): Effect.Effect<A, SerdesError, R> =>
  catchDefectEager(Effect.mapErrorEager(conversion, explain), (defect) =>
    isTooDeep(defect) ? Effect.fail(new SerdesError({ message: tooDeep, transient: false })) : Effect.die(defect)
  )

const unread =
  (value: unknown) =>
  (error: Schema.SchemaError): SerdesError =>
    new SerdesError({ message: misfitOf(error.message, value).message, transient: false })

/**
 * The default format: JSON through the JSON codec of the Schema, with `undefined` as an absent payload.
 *
 * @category formats
 * @since 0.1.0
 */
export const json: Format = {
  serialize: (schema, value) => {
    if (schema === undefined) {
      return value === undefined || isLeftOver(value) ? Effect.succeed(undefined) : attempt(() => writePlain(value))
    }
    if (value === undefined && compiled(schema).acceptsUndefined()) return Effect.succeed(undefined)
    return Effect.flatMapEager(explained(compiled(schema).encode(value), unwritten(value)), (encoded) =>
      attempt(() => stringifyPlain(encoded, looseAdvice))
    )
  },
  deserialize: (schema, text) => {
    const codec = schema === undefined ? undefined : compiled(schema)
    if (text === undefined) {
      return codec === undefined || codec.acceptsUndefined()
        ? Effect.succeed(undefined)
        : Effect.mapErrorEager(codec.decode(null), () => missing)
    }
    let parsed: unknown
    try {
      parsed = codec === undefined ? readPlain(text) : JSON.parse(text)
    } catch (cause) {
      return Effect.fail(Schema.isSchemaError(cause) ? toSerdesError(cause) : notJson(cause))
    }
    return codec === undefined ? Effect.succeed(parsed) : explained(codec.decode(parsed), unread(parsed))
  }
}

/** The advice for a Schema that does not describe a value, and so accepts everything. */
const looseAdvice =
  "Its Schema does not define how to write it: use one that does, such as Schema.ReadonlyMap or Schema.Date."

const missing = new SerdesError({ message: "Expected a value, but there is none", transient: false })

const notJson = (cause: unknown): SerdesError =>
  new SerdesError({
    message: `Expected JSON text, but it does not parse: ${cause instanceof Error ? cause.name : "not text"}`,
    transient: false
  })

/**
 * The format of operations that have no codec of their own.
 *
 * @category services
 * @since 0.1.0
 */
export const Serdes: Context.Reference<Format> = Context.Reference<Format>("effect-durable/Serdes", {
  defaultValue: () => json
})

/**
 * Returns a layer that replaces the ambient format.
 *
 * @example
 * ```ts
 * import { Serdes } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * const reversed = (text: string | undefined) => text?.split("").toReversed().join("")
 *
 * export const Scrambled = Serdes.layer({
 *   serialize: (schema, value, info) => Effect.map(Serdes.json.serialize(schema, value, info), reversed),
 *   deserialize: (schema, text, info) => Serdes.json.deserialize(schema, reversed(text), info)
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (format: Format): Layer.Layer<never> => Layer.succeed(Serdes, format)
