/**
 * The result of an execution that handed over to another one: a reference to the other execution instead of a value.
 *
 * The service does not know this form: for it this is an ordinary result. The clients of this library follow it.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

const Continuation = Schema.fromJsonString(Schema.Struct({ "~effect-durable/continuedAs": Schema.String }))

/** A user's own record with additional fields is a value. */
const decode = Schema.decodeUnknownOption(Continuation, { onExcessProperty: "error" })

/**
 * Returns the result of an execution that continues as another one.
 *
 * @since 0.1.0
 * @category constructors
 */
export const continuation = (executionArn: string): string =>
  Schema.encodeSync(Continuation)({ "~effect-durable/continuedAs": executionArn })

/**
 * Returns the execution that a result refers to, if the result is not a value.
 *
 * @since 0.1.0
 * @category accessors
 */
export const continuedAs = (result: string | undefined): string | undefined =>
  result?.startsWith('{"~effect-durable/continuedAs"')
    ? Option.getOrUndefined(decode(result))?.["~effect-durable/continuedAs"]
    : undefined
