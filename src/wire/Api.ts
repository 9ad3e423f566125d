/**
 * The durable part of the Lambda API: the request and the response of each operation, as JSON over HTTP.
 *
 * Each operation has a schema for its request without the label in its path (`…Query`, `…Body`), and one for its response
 * (`…Response`). Decoded times are epoch milliseconds; on the wire they are epoch seconds in bodies and ISO-8601 text in
 * queries. CheckpointDurableExecution and GetDurableExecutionState are defined in CheckpointApi and exported here too.
 * Starting an execution is Lambda's own Invoke, which uses headers: see InvokeApi. Failures: see ApiError.
 *
 * Four operations have no schema of their own. SendDurableExecutionCallbackSuccess takes the result as raw bytes, which the
 * service keeps as text; SendDurableExecutionCallbackFailure and StopDurableExecution take a bare `ErrorObject`, `{}` if
 * there is none; SendDurableExecutionCallbackHeartbeat takes nothing. The three callback operations answer `{}`.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { ErrorObject } from "./ErrorObject.ts"
import { ApiHistoryEvent } from "./HistoryEvent.ts"
import { marker, maybe, open, orNone, record } from "./internal/fields.ts"
import * as Query from "./internal/query.ts"
import { ApiTimestamp } from "./Timestamp.ts"

export * from "./CheckpointApi.ts"
export * from "./Routes.ts"

const page = { Marker: marker, MaxItems: maybe(Query.integer) }

// --- GetDurableExecution ---------------------------------------------------------------------------------------------

/**
 * The current statuses of an execution.
 *
 * @since 0.1.0
 * @category models
 */
export const executionStatuses = ["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED"] as const

/**
 * The status of an execution; a status added later decodes too, as plain text.
 *
 * @since 0.1.0
 * @category models
 */
export type ExecutionStatus = (typeof executionStatuses)[number] | (string & {})

/**
 * `IncludeExecutionData` defaults to true; without it, payload, result and error are omitted.
 *
 * @since 0.1.0
 * @category schemas
 */
export const GetDurableExecutionQuery = record({ IncludeExecutionData: maybe(Query.flag) })

/**
 * @since 0.1.0
 * @category models
 */
export type GetDurableExecutionQuery = typeof GetDurableExecutionQuery.Type

/** The fields with which every answer about an execution begins. */
const summary = {
  DurableExecutionArn: Schema.String,
  DurableExecutionName: Schema.String,
  FunctionArn: Schema.String,
  Status: open<ExecutionStatus>(),
  StartTimestamp: ApiTimestamp,
  EndTimestamp: maybe(ApiTimestamp)
}

/**
 * Everything that the service returns about one execution. `ExecutionTimeout` is in seconds.
 *
 * @since 0.1.0
 * @category schemas
 */
export const GetDurableExecutionResponse = record({
  ...summary,
  InputPayload: maybe(Schema.String),
  Result: maybe(Schema.String),
  Error: maybe(ErrorObject),
  Version: maybe(Schema.String),
  TraceHeader: maybe(record({ XAmznTraceId: maybe(Schema.String) })),
  ExecutionDataIncluded: maybe(Schema.Boolean),
  DurableConfig: maybe(
    record({
      ExecutionTimeout: maybe(Schema.Finite),
      RetentionPeriodInDays: maybe(Schema.Finite),
      KMSKeyArn: maybe(Schema.String)
    })
  )
})

/**
 * @since 0.1.0
 * @category models
 */
export type GetDurableExecutionResponse = typeof GetDurableExecutionResponse.Type

// --- GetDurableExecutionHistory --------------------------------------------------------------------------------------

/**
 * The request of a page of events, oldest first unless `ReverseOrder`. Markers are valid for 24 hours.
 *
 * @since 0.1.0
 * @category schemas
 */
export const GetDurableExecutionHistoryQuery = record({
  IncludeExecutionData: maybe(Query.flag),
  ReverseOrder: maybe(Query.flag),
  ...page
})

/**
 * @since 0.1.0
 * @category models
 */
export type GetDurableExecutionHistoryQuery = typeof GetDurableExecutionHistoryQuery.Type

/**
 * A page of events.
 *
 * @since 0.1.0
 * @category schemas
 */
export const GetDurableExecutionHistoryResponse = record({ Events: orNone(ApiHistoryEvent), NextMarker: marker })

/**
 * @since 0.1.0
 * @category models
 */
export type GetDurableExecutionHistoryResponse = typeof GetDurableExecutionHistoryResponse.Type

// --- ListDurableExecutionsByFunction ---------------------------------------------------------------------------------

/**
 * The request of a page of a function's executions, newest first unless `ReverseOrder`, filtered by the other parameters.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ListDurableExecutionsByFunctionQuery = record({
  Qualifier: maybe(Schema.String),
  DurableExecutionName: maybe(Schema.String),
  Statuses: maybe(Query.list(open<ExecutionStatus>())),
  StartedAfter: maybe(Query.time),
  StartedBefore: maybe(Query.time),
  ReverseOrder: maybe(Query.flag),
  ...page
})

/**
 * @since 0.1.0
 * @category models
 */
export type ListDurableExecutionsByFunctionQuery = typeof ListDurableExecutionsByFunctionQuery.Type

/**
 * One execution in a list.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ExecutionSummary = record({
  ...summary,
  KMSKeyArn: maybe(Schema.String)
})

/**
 * @since 0.1.0
 * @category models
 */
export type ExecutionSummary = typeof ExecutionSummary.Type

/**
 * A page of executions.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ListDurableExecutionsByFunctionResponse = record({
  DurableExecutions: orNone(ExecutionSummary),
  NextMarker: marker
})

/**
 * @since 0.1.0
 * @category models
 */
export type ListDurableExecutionsByFunctionResponse = typeof ListDurableExecutionsByFunctionResponse.Type

// --- StopDurableExecution --------------------------------------------------------------------------------------------

/**
 * The time at which the execution stopped, or had ended before.
 *
 * @since 0.1.0
 * @category schemas
 */
export const StopDurableExecutionResponse = record({ StopTimestamp: ApiTimestamp })

/**
 * @since 0.1.0
 * @category models
 */
export type StopDurableExecutionResponse = typeof StopDurableExecutionResponse.Type
