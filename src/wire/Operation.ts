/**
 * One operation of a durable execution, as the service hands it to an invocation.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { ErrorObject } from "./ErrorObject.ts"
import { maybe } from "./internal/fields.ts"
import { EventTimestamp } from "./Timestamp.ts"

/** The types that the service knows today; a later one decodes too, as plain text. */
export type OperationType = "EXECUTION" | "CONTEXT" | "STEP" | "WAIT" | "CALLBACK" | "CHAINED_INVOKE" | (string & {})

/** The states that the service knows today; a later one decodes too, as plain text. */
export type OperationStatus =
  | "STARTED"
  | "PENDING"
  | "READY"
  | "SUCCEEDED"
  | "FAILED"
  | "CANCELLED"
  | "TIMED_OUT"
  | "STOPPED"
  | (string & {})

export const Operation = Schema.Struct({
  Id: Schema.String,
  ParentId: maybe(Schema.String),
  Name: maybe(Schema.String),
  Type: Schema.String as Schema.Codec<OperationType, string>,
  SubType: maybe(Schema.String),
  Status: Schema.String as Schema.Codec<OperationStatus, string>,
  StartTimestamp: EventTimestamp,
  EndTimestamp: maybe(EventTimestamp),
  ExecutionDetails: maybe(Schema.Struct({ InputPayload: maybe(Schema.String) })),
  ContextDetails: maybe(
    Schema.Struct({ ReplayChildren: maybe(Schema.Boolean), Result: maybe(Schema.String), Error: maybe(ErrorObject) })
  ),
  StepDetails: maybe(
    Schema.Struct({
      Attempt: maybe(Schema.Number),
      NextAttemptTimestamp: maybe(EventTimestamp),
      Result: maybe(Schema.String),
      Error: maybe(ErrorObject)
    })
  ),
  WaitDetails: maybe(Schema.Struct({ ScheduledEndTimestamp: maybe(EventTimestamp) })),
  CallbackDetails: maybe(
    Schema.Struct({ CallbackId: maybe(Schema.String), Result: maybe(Schema.String), Error: maybe(ErrorObject) })
  ),
  ChainedInvokeDetails: maybe(Schema.Struct({ Result: maybe(Schema.String), Error: maybe(ErrorObject) }))
})
export type Operation = typeof Operation.Type
