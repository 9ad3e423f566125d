/**
 * One change to an operation, as an invocation reports it in a checkpoint request.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { ErrorObject } from "./ErrorObject.ts"
import { maybe } from "./internal/fields.ts"
import type { OperationType } from "./Operation.ts"

export type OperationAction = "START" | "SUCCEED" | "FAIL" | "RETRY" | "CANCEL" | (string & {})

export const OperationUpdate = Schema.Struct({
  Id: Schema.String,
  ParentId: maybe(Schema.String),
  Name: maybe(Schema.String),
  Type: Schema.String as Schema.Codec<OperationType, string>,
  SubType: maybe(Schema.String),
  Action: Schema.String as Schema.Codec<OperationAction, string>,
  Payload: maybe(Schema.String),
  Error: maybe(ErrorObject),
  ContextOptions: maybe(Schema.Struct({ ReplayChildren: maybe(Schema.Boolean) })),
  StepOptions: maybe(Schema.Struct({ NextAttemptDelaySeconds: maybe(Schema.Number) })),
  WaitOptions: maybe(Schema.Struct({ WaitSeconds: maybe(Schema.Number) })),
  CallbackOptions: maybe(
    Schema.Struct({ TimeoutSeconds: maybe(Schema.Number), HeartbeatTimeoutSeconds: maybe(Schema.Number) })
  ),
  ChainedInvokeOptions: maybe(
    Schema.Struct({
      FunctionName: Schema.String,
      TenantId: maybe(Schema.String),
      XAmznTraceId: maybe(Schema.String)
    })
  )
})
export type OperationUpdate = typeof OperationUpdate.Type
