/**
 * Writes the requests that start, inspect and stop executions and answer callbacks, byte by byte as AWS's own client does.
 * See Requests.
 *
 * Owns: the exact bytes of these requests.
 * Does not own: the parts that all requests share, and those that depend on the connection.
 *
 * @since 0.1.0
 */
import type { ErrorObject } from "./ErrorObject.ts"
import { json, orderedError, requestOf, type ApiRequest } from "./Requests.ts"

/**
 * The page of a list. The service sets missing fields.
 *
 * @since 0.1.0
 * @category models
 */
export interface Page {
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
  readonly ReverseOrder?: boolean | undefined
}

/** The header of raw bytes: the payload of an invoke and the result of a callback are raw bytes for the service. */
const bytes = { "content-type": "application/octet-stream" } as const

/**
 * Writes the request that starts an execution. The payload is sent unchanged; without a payload there is no body.
 *
 * @since 0.1.0
 * @category writing
 */
export const invoke = (input: {
  readonly FunctionName: string
  readonly Qualifier?: string | undefined
  readonly InvocationType: string
  readonly DurableExecutionName?: string | undefined
  readonly TenantId?: string | undefined
  readonly Payload?: string | undefined
}): ApiRequest =>
  requestOf("Invoke", input.FunctionName, {
    query: { Qualifier: input.Qualifier },
    headers: {
      ...bytes,
      "x-amz-invocation-type": input.InvocationType,
      "x-amz-durable-execution-name": input.DurableExecutionName,
      "x-amz-tenant-id": input.TenantId
    },
    body: input.Payload ?? ""
  })

/**
 * Writes the request for one execution.
 *
 * @since 0.1.0
 * @category writing
 */
export const get = (input: {
  readonly DurableExecutionArn: string
  readonly IncludeExecutionData?: boolean | undefined
}): ApiRequest =>
  requestOf("GetDurableExecution", input.DurableExecutionArn, {
    query: { IncludeExecutionData: input.IncludeExecutionData }
  })

/**
 * Writes the request for a page of the executions of a function.
 *
 * @since 0.1.0
 * @category writing
 */
export const list = ({
  FunctionName,
  ...query
}: Page & {
  readonly FunctionName: string
  readonly Qualifier?: string | undefined
  readonly DurableExecutionName?: string | undefined
  readonly Statuses?: ReadonlyArray<string> | undefined
  readonly StartedAfter?: Date | undefined
  readonly StartedBefore?: Date | undefined
}): ApiRequest => requestOf("ListDurableExecutionsByFunction", FunctionName, { query })

/**
 * Writes the request for a page of the events of an execution.
 *
 * @since 0.1.0
 * @category writing
 */
export const history = ({
  DurableExecutionArn,
  ...query
}: Page & {
  readonly DurableExecutionArn: string
  readonly IncludeExecutionData?: boolean | undefined
}): ApiRequest => requestOf("GetDurableExecutionHistory", DurableExecutionArn, { query })

/**
 * Writes the request that stops an execution.
 *
 * @since 0.1.0
 * @category writing
 */
export const stop = (input: {
  readonly DurableExecutionArn: string
  readonly Error?: ErrorObject | undefined
}): ApiRequest =>
  requestOf("StopDurableExecution", input.DurableExecutionArn, {
    headers: json,
    body: JSON.stringify(orderedError(input.Error ?? {}))
  })

/**
 * Writes the request that completes a callback. The result is sent unchanged; without a result there is no body.
 *
 * @since 0.1.0
 * @category writing
 */
export const succeedCallback = (input: {
  readonly CallbackId: string
  readonly Result?: string | undefined
}): ApiRequest =>
  requestOf("SendDurableExecutionCallbackSuccess", input.CallbackId, { headers: bytes, body: input.Result ?? "" })

/**
 * Writes the request that fails a callback.
 *
 * @since 0.1.0
 * @category writing
 */
export const failCallback = (input: {
  readonly CallbackId: string
  readonly Error?: ErrorObject | undefined
}): ApiRequest =>
  requestOf("SendDurableExecutionCallbackFailure", input.CallbackId, {
    headers: json,
    body: JSON.stringify(orderedError(input.Error ?? {}))
  })

/**
 * Writes the heartbeat of a callback.
 *
 * @since 0.1.0
 * @category writing
 */
export const heartbeatCallback = (input: { readonly CallbackId: string }): ApiRequest =>
  requestOf("SendDurableExecutionCallbackHeartbeat", input.CallbackId)
