/**
 * Writes the requests of the two operations that a running invocation calls, byte by byte as AWS's own client does: the
 * fields in the order of its model, the parameters of a query in alphabetical order. The requests of the other operations
 * are in ClientRequests, so that a deployed function loads no more than it uses.
 *
 * Owns: the exact bytes of these requests.
 * Does not own: the parts that depend on the connection (host, signature, attempt), and the paths.
 *
 * @since 0.1.0
 */
import { cast } from "effect/Function"
import type { ErrorObject } from "./ErrorObject.ts"
import type { OperationUpdate } from "./OperationUpdate.ts"
import { pathOf, routes, type ApiOperationName } from "./Routes.ts"

/**
 * A request on the wire, without the parts that depend on the connection: host, signature, attempt. The path is
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
 * The parts of a request that differ between operations. An undefined parameter or header is omitted.
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
 * Returns the request of an operation. The label is the resource in its path: an ARN, the address of a function, the id of a
 * callback. Throws if the path with it would be that of another operation.
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
 * The header of a JSON body.
 *
 * @since 0.1.0
 * @category writing
 */
export const json = { "content-type": "application/json" } as const

/**
 * Writes the request that records changes.
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
 * Writes the request for a page of operations.
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

/** How each field of an object is written, in the order of the model: unchanged, or by a function. */
type Order<A> = { readonly [Field in keyof A]-?: typeof asIs | ((value: NonNullable<A[Field]>) => unknown) }

const asIs = "as it is"

/** Writes an object by its order, in which the compiler requires every field. JSON drops undefined fields. */
const inOrder =
  <A extends object>(order: Order<A>) =>
  (value: A): A => {
    const ordered: Partial<A> = {}
    for (const field in order) {
      const write: Order<A>[typeof field] = order[field]
      const content = value[field]
      if (content === undefined || content === null) continue
      ordered[field] = write === asIs ? content : cast(write(content))
    }
    return cast(ordered)
  }

/**
 * An error with its fields in the order of the model.
 *
 * @since 0.1.0
 * @category writing
 */
export const orderedError: (error: ErrorObject) => ErrorObject = inOrder<ErrorObject>({
  ErrorMessage: asIs,
  ErrorType: asIs,
  ErrorData: asIs,
  StackTrace: asIs
})

type Options<Field extends keyof OperationUpdate> = Extract<OperationUpdate[Field], object>

const orderedUpdate = inOrder<OperationUpdate>({
  Id: asIs,
  Type: asIs,
  Action: asIs,
  ParentId: asIs,
  Name: asIs,
  SubType: asIs,
  Payload: asIs,
  Error: orderedError,
  ContextOptions: inOrder<Options<"ContextOptions">>({ ReplayChildren: asIs }),
  StepOptions: inOrder<Options<"StepOptions">>({ NextAttemptDelaySeconds: asIs }),
  WaitOptions: inOrder<Options<"WaitOptions">>({ WaitSeconds: asIs }),
  CallbackOptions: inOrder<Options<"CallbackOptions">>({ TimeoutSeconds: asIs, HeartbeatTimeoutSeconds: asIs }),
  ChainedInvokeOptions: inOrder<Options<"ChainedInvokeOptions">>({
    FunctionName: asIs,
    TenantId: asIs,
    XAmznTraceId: asIs
  })
})
