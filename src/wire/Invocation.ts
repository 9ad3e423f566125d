/**
 * What the service hands to an invocation of a durable function, and what the invocation answers.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { ErrorObject } from "./ErrorObject.ts"
import { maybe } from "./internal/fields.ts"
import { Operation } from "./Operation.ts"

export const InvocationEvent = Schema.Struct({
  DurableExecutionArn: Schema.String,
  CheckpointToken: Schema.String,
  InitialExecutionState: Schema.Struct({
    Operations: Schema.Array(Operation),
    NextMarker: maybe(Schema.String)
  }),
  UpdatedOperationIds: maybe(Schema.Array(Schema.String))
})
export type InvocationEvent = typeof InvocationEvent.Type

/** The answer of an invocation. An invocation that throws instead is retried by the service. */
export type InvocationAnswer =
  | { readonly Status: "SUCCEEDED"; readonly Result?: string }
  | { readonly Status: "FAILED"; readonly Error?: ErrorObject }
  | { readonly Status: "PENDING" }
export const InvocationAnswer = Schema.Union([
  Schema.Struct({ Status: Schema.Literal("SUCCEEDED"), Result: Schema.optionalKey(Schema.String) }),
  Schema.Struct({ Status: Schema.Literal("FAILED"), Error: Schema.optionalKey(ErrorObject) }),
  Schema.Struct({ Status: Schema.Literal("PENDING") })
])
