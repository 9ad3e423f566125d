/**
 * The part of Lambda's Invoke that starts durable executions: its payload is raw bytes in both directions, and everything
 * else is in the query and the headers. Header names are in lower case here, as HTTP servers and `Headers` return them.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { maybe, open, record, stripped } from "./internal/fields.ts"

/**
 * Version or alias. A durable function has to be invoked with one, here or at the end of its address.
 *
 * @since 0.1.0
 * @category schemas
 */
export const InvokeQuery = record({ Qualifier: maybe(Schema.String) })

/**
 * @since 0.1.0
 * @category models
 */
export type InvokeQuery = typeof InvokeQuery.Type

/**
 * The invocation types: wait for the outcome, only start, or only check the permission.
 *
 * @since 0.1.0
 * @category models
 */
export const invocationTypes = ["RequestResponse", "Event", "DryRun"] as const

/**
 * @since 0.1.0
 * @category models
 */
export type InvocationType = (typeof invocationTypes)[number] | (string & {})

/**
 * The headers of a request. `DurableExecutionName` makes the start idempotent, `InvocationType` defaults to
 * `RequestResponse`, `LogType` is `None` or `Tail`, `ClientContext` is base64 of JSON.
 *
 * @since 0.1.0
 * @category schemas
 */
export const InvokeHeaders = stripped(
  Schema.Struct({
    InvocationType: maybe(open<InvocationType>()),
    LogType: maybe(open<"None" | "Tail">()),
    ClientContext: maybe(Schema.String),
    DurableExecutionName: maybe(Schema.String),
    TenantId: maybe(Schema.String)
  }).pipe(
    Schema.encodeKeys({
      InvocationType: "x-amz-invocation-type",
      LogType: "x-amz-log-type",
      ClientContext: "x-amz-client-context",
      DurableExecutionName: "x-amz-durable-execution-name",
      TenantId: "x-amz-tenant-id"
    })
  )
)

/**
 * @since 0.1.0
 * @category models
 */
export type InvokeHeaders = typeof InvokeHeaders.Type

/**
 * The headers of an answer. `FunctionError` is present when the function failed: the body is then its error as JSON,
 * `{ errorType, errorMessage, trace }`. `LogResult` is base64 of the log's tail.
 *
 * @since 0.1.0
 * @category schemas
 */
export const InvokeResponseHeaders = stripped(
  Schema.Struct({
    ExecutedVersion: maybe(Schema.String),
    FunctionError: maybe(Schema.String),
    LogResult: maybe(Schema.String),
    DurableExecutionArn: maybe(Schema.String)
  }).pipe(
    Schema.encodeKeys({
      ExecutedVersion: "x-amz-executed-version",
      FunctionError: "x-amz-function-error",
      LogResult: "x-amz-log-result",
      DurableExecutionArn: "x-amz-durable-execution-arn"
    })
  )
)

/**
 * @since 0.1.0
 * @category models
 */
export type InvokeResponseHeaders = typeof InvokeResponseHeaders.Type
