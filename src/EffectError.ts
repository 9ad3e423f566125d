/**
 * The errors of Effect's own functions as a Schema, so that they can be recorded like errors of yours.
 *
 * It is a module of its own, so that a bundle without them does not grow. Users find it in `DurableError`.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

/** An error that is nothing but its message. */
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

/** Characters of JSON that a cause may have: far less than an error object, which would lose all of the error otherwise. */
const longest = 8_000

/** What was thrown, as JSON. What is too long, or throws when it is looked at, is the beginning of its text. */
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
 * The Schema of what Effect's own functions fail with: `UnknownError` of `Effect.tryPromise` and `Effect.try`, `TimeoutError`
 * of `Effect.timeout`, and `NoSuchElementError` of an empty `Option`.
 *
 * Give it to a step as its `error`, alone or in a `Schema.Union` with errors of your own. They are caught by their tags then,
 * live and at every replay. Of an `UnknownError` its `cause` is recorded too: the name, the message and the causes of an
 * `Error` without their stacks, or another value as JSON.
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
