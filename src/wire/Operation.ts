/**
 * One operation of a durable execution, as the service records it.
 *
 * The state of an execution is a flat map of operations by id. An invocation receives it in its event and, beyond one page,
 * from the API; every checkpoint returns the changed operations. The fields of one type of operation are in the details of
 * that type. Types and statuses that the service adds later decode as plain text.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { ErrorObject } from "./ErrorObject.ts"
import { maybe, open, record } from "./internal/fields.ts"
import { ApiTimestamp, EventTimestamp, type Timestamp } from "./Timestamp.ts"

/**
 * The current types of the service.
 *
 * @since 0.1.0
 * @category models
 */
export const operationTypes = ["EXECUTION", "CONTEXT", "STEP", "WAIT", "CALLBACK", "CHAINED_INVOKE"] as const

/**
 * The type of an operation; a type added later decodes too, as plain text.
 *
 * @since 0.1.0
 * @category models
 */
export type OperationType = (typeof operationTypes)[number] | (string & {})

/**
 * The current statuses of the service.
 *
 * @since 0.1.0
 * @category models
 */
export const operationStatuses = [
  "STARTED",
  "PENDING",
  "READY",
  "SUCCEEDED",
  "FAILED",
  "CANCELLED",
  "TIMED_OUT",
  "STOPPED"
] as const

/**
 * The status of an operation; a status added later decodes too, as plain text.
 *
 * @since 0.1.0
 * @category models
 */
export type OperationStatus = (typeof operationStatuses)[number] | (string & {})

const operation = (timestamp: Timestamp) =>
  record({
    Id: Schema.String,
    ParentId: maybe(Schema.String),
    Name: maybe(Schema.String),
    Type: open<OperationType>(),
    SubType: maybe(Schema.String),
    Status: open<OperationStatus>(),
    StartTimestamp: timestamp,
    EndTimestamp: maybe(timestamp),
    ExecutionDetails: maybe(record({ InputPayload: maybe(Schema.String) })),
    ContextDetails: maybe(
      record({ ReplayChildren: maybe(Schema.Boolean), Result: maybe(Schema.String), Error: maybe(ErrorObject) })
    ),
    StepDetails: maybe(
      record({
        Attempt: maybe(Schema.Finite),
        NextAttemptTimestamp: maybe(timestamp),
        Result: maybe(Schema.String),
        Error: maybe(ErrorObject)
      })
    ),
    WaitDetails: maybe(record({ ScheduledEndTimestamp: maybe(timestamp) })),
    CallbackDetails: maybe(
      record({ CallbackId: maybe(Schema.String), Result: maybe(Schema.String), Error: maybe(ErrorObject) })
    ),
    ChainedInvokeDetails: maybe(record({ Result: maybe(Schema.String), Error: maybe(ErrorObject) }))
  })

/**
 * An operation in the event of an invocation, where times are epoch milliseconds.
 *
 * Decoded times are epoch milliseconds. `StepDetails.Attempt` counts the finished attempts.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Operation = operation(EventTimestamp)

/**
 * @since 0.1.0
 * @category models
 */
export type Operation = typeof Operation.Type

/**
 * The same operation in an answer of the REST API: times are epoch seconds, or `Date`s once AWS's client has read them.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ApiOperation: Schema.Codec<Operation, typeof Operation.Encoded> = operation(ApiTimestamp)

/**
 * Returns whether an operation will change without an update by the function: by time, from outside or through its target.
 *
 * @since 0.1.0
 * @category getters
 */
export const willChange = ({ Status, Type }: Pick<Operation, "Status" | "Type">): boolean =>
  Type === "STEP" ? Status === "PENDING" : Type !== "CONTEXT" && Status === "STARTED"
