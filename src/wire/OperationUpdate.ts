/**
 * One change to an operation, which an invocation sends in a checkpoint request.
 *
 * The schema checks the shape only. The engine knows which action suits which type and status, and Constraints holds the
 * ranges of seconds.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { ErrorObject } from "./ErrorObject.ts"
import { maybe, open, record } from "./internal/fields.ts"
import type { OperationType } from "./Operation.ts"

/**
 * The current actions of the service.
 *
 * @since 0.1.0
 * @category models
 */
export const operationActions = ["START", "SUCCEED", "FAIL", "RETRY", "CANCEL"] as const

/**
 * The action on an operation; an action added later decodes too, as plain text.
 *
 * @since 0.1.0
 * @category models
 */
export type OperationAction = (typeof operationActions)[number] | (string & {})

/**
 * A change to the operation `Id`. Times are durations in whole seconds. `Payload` is the input of a START of a chained
 * invoke, the state of a RETRY, the result of a SUCCEED.
 *
 * @since 0.1.0
 * @category schemas
 */
export const OperationUpdate = record({
  Id: Schema.String,
  ParentId: maybe(Schema.String),
  Name: maybe(Schema.String),
  Type: open<OperationType>(),
  SubType: maybe(Schema.String),
  Action: open<OperationAction>(),
  Payload: maybe(Schema.String),
  Error: maybe(ErrorObject),
  ContextOptions: maybe(record({ ReplayChildren: maybe(Schema.Boolean) })),
  StepOptions: maybe(record({ NextAttemptDelaySeconds: maybe(Schema.Finite) })),
  WaitOptions: maybe(record({ WaitSeconds: maybe(Schema.Finite) })),
  CallbackOptions: maybe(
    record({ TimeoutSeconds: maybe(Schema.Finite), HeartbeatTimeoutSeconds: maybe(Schema.Finite) })
  ),
  ChainedInvokeOptions: maybe(
    record({
      FunctionName: Schema.String,
      TenantId: maybe(Schema.String),
      XAmznTraceId: maybe(Schema.String)
    })
  )
})

/**
 * @since 0.1.0
 * @category models
 */
export type OperationUpdate = typeof OperationUpdate.Type
