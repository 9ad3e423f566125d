/**
 * Writes the requests of those who start, inspect and stop executions and answer callbacks, byte by byte as AWS's own client
 * does. See Requests.
 *
 * Owns: what these requests look like, to the last byte.
 * Does not own: what all requests share, and what depends on the connection.
 *
 * @since 0.1.0
 */
import type { ErrorObject } from "./ErrorObject.ts"
import { json, orderedError, requestOf, type ApiRequest } from "./Requests.ts"

/**
 * Which page of a list. What is left out the service decides.
 *
 * @since 0.1.0
 * @category models
 */
export interface Page {
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
  readonly ReverseOrder?: boolean | undefined
}

/** The payload of an invoke and the result of a callback are raw bytes for the service. */
const bytes = { "content-type": "application/octet-stream" } as const

/**
 * Starts an execution. The payload is sent as it is, and a start without one has no body.
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
 * Asks for one execution.
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
 * Asks for a page of the executions of a function.
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
 * Asks for a page of the events of an execution.
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
 * Stops an execution.
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
 * Completes a callback. The result is sent as it is, and one without a result has no body.
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
 * Fails a callback.
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
 * Tells that the work behind a callback goes on.
 *
 * @since 0.1.0
 * @category writing
 */
export const heartbeatCallback = (input: { readonly CallbackId: string }): ApiRequest =>
  requestOf("SendDurableExecutionCallbackHeartbeat", input.CallbackId)
