/**
 * The error of an operation or an execution as it crosses the wire: four optional fields, all text.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { maybe } from "./internal/fields.ts"

export const ErrorObject = Schema.Struct({
  ErrorMessage: maybe(Schema.String),
  ErrorType: maybe(Schema.String),
  ErrorData: maybe(Schema.String),
  StackTrace: maybe(Schema.Array(Schema.String))
})
export type ErrorObject = typeof ErrorObject.Type
