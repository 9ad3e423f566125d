/**
 * Writes the requests of the two operations that a running invocation calls, byte by byte as AWS's own client does: the
 * fields in the order of its model, the parameters of a query in that of the alphabet. The requests of the other operations are in
 * ClientRequests, so that a deployed function carries no more than it uses.
 *
 * @since 0.1.0
 */
import type { ErrorObject } from "./ErrorObject.ts"
import type { OperationUpdate } from "./OperationUpdate.ts"
import { pathOf, routes, type ApiOperationName } from "./Routes.ts"

/**
 * A request as it goes over the wire, without what depends on the connection: host, signature, attempt. The path is
 * percent-encoded, the query is not. Header names are in lower case.
 *
 * @since 0.1.0
 * @category models
 */
export interface ApiRequest {
  readonly method: "GET" | "POST"
  readonly path: string
  readonly query: ReadonlyArray<readonly [name: string, value: string]>
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

/**
 * The parts of a request that differ from one operation to the other. A parameter or a header that is undefined is left out.
 *
 * @since 0.1.0
 * @category models
 */
export interface RequestParts {
  readonly query?: Readonly<Record<string, QueryValue>>
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly body?: string | undefined
}

/**
 * A parameter of a query. A list repeats its key.
 *
 * @since 0.1.0
 * @category models
 */
export type QueryValue = string | number | boolean | Date | ReadonlyArray<string> | undefined

/**
 * The request of an operation. The label is what its path is about: an ARN, the address of a function, the id of a callback.
 * Throws when the path with it would be that of another operation.
 *
 * @since 0.1.0
 * @category writing
 */
export const requestOf = (operation: ApiOperationName, label: string, parts: RequestParts = {}): ApiRequest => {
  if (/^\.{0,2}$/.test(label)) {
    throw new Error(`Expected an ARN, a function or a callback for ${operation}, found ${JSON.stringify(label)}.`)
  }
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(parts.headers ?? {})) if (value !== undefined) headers[name] = value
  return {
    method: routes[operation].method,
    path: pathOf(operation, label),
    query: parts.query === undefined ? [] : queryOf(parts.query),
    headers,
    body: parts.body
  }
}

const queryOf = (parameters: Readonly<Record<string, QueryValue>>): ApiRequest["query"] =>
  Object.entries(parameters)
    .flatMap(([name, value]) => textsOf(value).map((text): readonly [string, string] => [name, text]))
    .sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0))

const textsOf = (value: QueryValue): ReadonlyArray<string> => {
  if (value === undefined) return []
  if (value instanceof Date) return [value.toISOString().replace(".000Z", "Z")]
  return typeof value === "object" ? value : [String(value)]
}

/**
 * The header of a body that is JSON.
 *
 * @since 0.1.0
 * @category writing
 */
export const json = { "content-type": "application/json" } as const

/**
 * Records changes.
 *
 * @since 0.1.0
 * @category writing
 */
export const checkpoint = (input: {
  readonly DurableExecutionArn: string
  readonly CheckpointToken: string
  readonly Updates: ReadonlyArray<OperationUpdate>
  readonly ClientToken: string
}): ApiRequest =>
  requestOf("CheckpointDurableExecution", input.DurableExecutionArn, {
    headers: json,
    body: JSON.stringify({
      CheckpointToken: input.CheckpointToken,
      Updates: input.Updates.map(orderedUpdate),
      ClientToken: input.ClientToken
    })
  })

/**
 * Asks for a page of operations.
 *
 * @since 0.1.0
 * @category writing
 */
export const getState = (input: {
  readonly DurableExecutionArn: string
  readonly CheckpointToken: string
  readonly Marker: string
  readonly MaxItems: number
}): ApiRequest =>
  requestOf("GetDurableExecutionState", input.DurableExecutionArn, {
    query: { CheckpointToken: input.CheckpointToken, Marker: input.Marker, MaxItems: input.MaxItems }
  })

/** Undefined fields vanish when this becomes JSON. Options with one field need no order. */
const orderedUpdate = (update: OperationUpdate) => ({
  Id: update.Id,
  Type: update.Type,
  Action: update.Action,
  ParentId: update.ParentId,
  Name: update.Name,
  SubType: update.SubType,
  Payload: update.Payload,
  Error: update.Error && orderedError(update.Error),
  ContextOptions: update.ContextOptions,
  StepOptions: update.StepOptions,
  WaitOptions: update.WaitOptions,
  CallbackOptions: update.CallbackOptions && {
    TimeoutSeconds: update.CallbackOptions.TimeoutSeconds,
    HeartbeatTimeoutSeconds: update.CallbackOptions.HeartbeatTimeoutSeconds
  },
  ChainedInvokeOptions: update.ChainedInvokeOptions && {
    FunctionName: update.ChainedInvokeOptions.FunctionName,
    TenantId: update.ChainedInvokeOptions.TenantId,
    XAmznTraceId: update.ChainedInvokeOptions.XAmznTraceId
  }
})

/**
 * An error with its fields in the order of the model.
 *
 * @since 0.1.0
 * @category writing
 */
export const orderedError = (error: ErrorObject): ErrorObject => ({
  ErrorMessage: error.ErrorMessage,
  ErrorType: error.ErrorType,
  ErrorData: error.ErrorData,
  StackTrace: error.StackTrace
})
