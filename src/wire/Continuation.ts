/**
 * The result of an execution that handed over to another one: not a value of its function, but where to find one.
 *
 * The service knows no such thing, so it is a result like any other, which the clients of this library follow.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

const Continuation = Schema.fromJsonString(Schema.Struct({ "~effect-durable/continuedAs": Schema.String }))

/** A record of a user's own that has more in it is a value. */
const decode = Schema.decodeUnknownOption(Continuation, { onExcessProperty: "error" })

/**
 * The result of an execution that goes on as another one.
 *
 * @since 0.1.0
 * @category constructors
 */
export const continuation = (executionArn: string): string =>
  Schema.encodeSync(Continuation)({ "~effect-durable/continuedAs": executionArn })

/**
 * The execution that a result leads to, if it is no value.
 *
 * @since 0.1.0
 * @category accessors
 */
export const continuedAs = (result: string | undefined): string | undefined =>
  result?.startsWith('{"~effect-durable/continuedAs"')
    ? Option.getOrUndefined(decode(result))?.["~effect-durable/continuedAs"]
    : undefined
