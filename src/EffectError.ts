/**
 * The Schema of the errors of Effect's own functions, which records them like your own errors.
 *
 * It is a separate module, so that bundles that do not use it do not grow. Users import it from `DurableError`.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

/** Creates the Schema of an error that consists only of its message. */
const messageOnly = <Tag extends string, E extends Error>(
  tag: Tag,
  is: (value: unknown) => value is E,
  make: new (message?: string) => E
) =>
  Schema.Struct({ _tag: Schema.tag(tag), message: Schema.String }).pipe(
    Schema.decodeTo(
      Schema.declare(is),
      SchemaTransformation.transform({
        decode: ({ message }) => new make(message),
        encode: ({ message }) => ({ _tag: tag, message })
      })
    )
  )

const Thrown = Schema.Defect()
const encodeThrown = Schema.encodeSync(Thrown)
const decodeThrown = Schema.decodeSync(Thrown)

/**
 * The most characters of JSON for a cause: far fewer than an error object may have, which would otherwise lose the whole
 * error.
 */
const longest = 8_000

/**
 * Returns a thrown value as JSON: only the beginning of its text if it is too long, and a fixed text if reading it
 * throws.
 */
const writeThrown = (thrown: unknown): Schema.Json => {
  try {
    const written = encodeThrown(thrown)
    if (JSON.stringify(written).length <= longest) return written
    const { name, message } = thrown instanceof Error ? thrown : { name: "", message: JSON.stringify(written) }
    return name === "" ? beginning(message) : { name: beginning(name), message: beginning(message) }
  } catch {
    return "a value that throws when it is looked at"
  }
}

const beginning = (text: string): string => text.slice(0, longest / 4)

const UnknownError = Schema.Struct({
  _tag: Schema.tag("UnknownError"),
  message: Schema.String,
  cause: Schema.Json
}).pipe(
  Schema.decodeTo(
    Schema.declare(Cause.isUnknownError),
    SchemaTransformation.transform({
      decode: ({ cause, message }) => new Cause.UnknownError(decodeThrown(cause), message),
      encode: ({ cause, message }) => ({ _tag: "UnknownError" as const, cause: writeThrown(cause), message })
    })
  )
)

/**
 * The Schema of the errors of Effect's own functions: `UnknownError` of `Effect.tryPromise` and `Effect.try`,
 * `TimeoutError` of `Effect.timeout`, and `NoSuchElementError` of an empty `Option`.
 *
 * Pass it to a step as its `error`, alone or in a `Schema.Union` with your own errors. The workflow can then catch these
 * errors by their tags, live and on every replay. The `cause` of an `UnknownError` is recorded too: the name, the message
 * and the causes of an `Error` without their stacks, or another value as JSON.
 *
 * @example
 * ```ts
 * import { Durable, DurableError } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * const rate = Effect.tryPromise(async () => (await fetch("https://example.com/rate")).text())
 *
 * export const known = Durable.step("rate", Effect.timeout(rate, "5 seconds"), { error: DurableError.EffectError }).pipe(
 *   Effect.catchTags({
 *     TimeoutError: () => Effect.succeed("too slow"),
 *     UnknownError: ({ cause }) => Effect.succeed(`no rate: ${String(cause)}`)
 *   })
 * )
 * ```
 *
 * @category errors of Effect
 * @since 0.1.0
 */
export const EffectError = Schema.Union([
  UnknownError,
  messageOnly("TimeoutError", Cause.isTimeoutError, Cause.TimeoutError),
  messageOnly("NoSuchElementError", Cause.isNoSuchElementError, Cause.NoSuchElementError)
])

/**
 * @category errors of Effect
 * @since 0.1.0
 */
export type EffectError = typeof EffectError.Type
