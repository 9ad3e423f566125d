/**
 * The error of an operation or an execution on the wire: four optional fields, all text.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { list, maybe, record } from "./internal/fields.ts"

/**
 * `ErrorType` names the kind of error, `ErrorMessage` is for people, `ErrorData` holds the sender's encoded data, and
 * `StackTrace` has one line per frame. The service stores all four unchanged and interprets none of them.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ErrorObject = record({
  ErrorMessage: maybe(Schema.String),
  ErrorType: maybe(Schema.String),
  ErrorData: maybe(Schema.String),
  StackTrace: maybe(list(Schema.String))
})

/**
 * @since 0.1.0
 * @category models
 */
export type ErrorObject = typeof ErrorObject.Type
