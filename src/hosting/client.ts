/**
 * The client of a backend that hosts the engine: the engine's commands and queries behind the port.
 *
 * Owns: the translation of requests and refusals between the port and the engine. Does not own: what the service does,
 * and where its state is kept.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { ClientError, DurableClient, Outcome, PageRequest } from "../DurableClient.ts"
import * as Engine from "../engine/Service.ts"
import { clientError } from "../ClientFailure.ts"

/** Returns the answer of the engine, or fails with its refusal as an error of the client. */
export const fromEngine = <A>(result: Result.Result<A, Engine.Refused>): Effect.Effect<A, ClientError> =>
  Result.match(result, {
    onSuccess: Effect.succeed,
    onFailure: (refused) => Effect.fail(clientError(refusalOf(refused)))
  })

const refusalOf = ({ exception, message, status }: Engine.Refused) => ({ name: exception, status, message })

/** Returns an outcome without the engine's additional data. */
const plain = (outcome: Engine.ExecutionOutcome): Outcome =>
  outcome.status === "SUCCEEDED"
    ? { status: outcome.status, ...(outcome.result === undefined ? undefined : { result: outcome.result }) }
    : { status: outcome.status, error: outcome.error }

const paged = (options: PageRequest = {}) => ({
  ...(options.marker === undefined ? undefined : { Marker: options.marker }),
  ...(options.maxItems === undefined ? undefined : { MaxItems: options.maxItems }),
  ...(options.reverseOrder === undefined ? undefined : { ReverseOrder: options.reverseOrder })
})

/** The functions that a client requires from its host. */
export interface Host {
  readonly command: <Request extends object, Answer>(
    command: (state: Engine.ServiceState, request: Request, env: Engine.Env) => Engine.Outcome<Answer>,
    request: Request
  ) => Result.Result<Answer, Engine.Refused>
  readonly query: <Query extends object, Answer>(
    query: (state: Engine.ServiceState, query: Query, env: Engine.Env) => Result.Result<Answer, Engine.Refused>,
    request: Query
  ) => Result.Result<Answer, Engine.Refused>
  /** The counterpart of `query` with `Engine.listExecutions`, for a host that keeps most executions elsewhere. */
  readonly list: (query: Parameters<typeof Engine.listExecutions>[1]) => ReturnType<typeof Engine.listExecutions>
  /** Waits until an execution has ended, as long as something happens within `patience` milliseconds. */
  readonly ended: (
    executionArn: string,
    patience: number
  ) => Effect.Effect<{ readonly outcome: Engine.ExecutionOutcome }>
}

type Client = DurableClient["Service"]

export const makeClient = (host: Host): Client => ({ ...makeReader(host), ...makeWriter(host) })

/** Creates the functions that change nothing. */
const makeReader = (host: Host): Pick<Client, "get" | "list" | "history"> => ({
  get: (executionArn, { includeExecutionData = true } = {}) =>
    Effect.suspend(() =>
      fromEngine(
        host.query(Engine.getExecution, {
          DurableExecutionArn: executionArn,
          IncludeExecutionData: includeExecutionData
        })
      )
    ),
  list: (functionName, options = {}) =>
    Effect.suspend(() =>
      fromEngine(
        Result.map(
          host.list({
            FunctionName: functionName,
            ...paged(options),
            ...(options.qualifier === undefined ? undefined : { Qualifier: options.qualifier }),
            ...(options.executionName === undefined ? undefined : { DurableExecutionName: options.executionName }),
            ...(options.statuses === undefined ? undefined : { Statuses: options.statuses }),
            ...(options.startedAfter === undefined ? undefined : { StartedAfter: options.startedAfter }),
            ...(options.startedBefore === undefined ? undefined : { StartedBefore: options.startedBefore })
          }),
          (page) => ({ items: page.DurableExecutions ?? [], nextMarker: page.NextMarker })
        )
      )
    ),
  history: (executionArn, options = {}) =>
    Effect.suspend(() =>
      fromEngine(
        Result.map(
          host.query(Engine.getHistory, {
            DurableExecutionArn: executionArn,
            ...paged(options),
            ...(options.includeExecutionData === undefined
              ? undefined
              : { IncludeExecutionData: options.includeExecutionData })
          }),
          (page) => ({ items: page.Events, nextMarker: page.NextMarker })
        )
      )
    )
})

const makeWriter = (host: Host): Omit<Client, "get" | "list" | "history"> => ({
  start: ({ executionName, functionName, payload, qualifier, tenantId, type }) =>
    Effect.flatMap(
      Effect.suspend(() =>
        fromEngine(
          host.command(Engine.startExecution, {
            functionName,
            invocationType: type,
            ...(qualifier === undefined ? undefined : { qualifier }),
            ...(payload === undefined ? undefined : { payload }),
            ...(executionName === undefined ? undefined : { executionName }),
            ...(tenantId === undefined ? undefined : { tenantId })
          })
        )
      ),
      ({ executionArn }) =>
        type === "Event"
          ? Effect.succeed({ executionArn })
          : Effect.map(host.ended(executionArn, Infinity), ({ outcome }) => ({
              executionArn,
              outcome: plain(outcome)
            }))
    ),
  stop: (executionArn, error) =>
    Effect.suspend(() =>
      fromEngine(
        Result.map(
          host.command(Engine.stopExecution, { executionArn, ...(error === undefined ? undefined : { error }) }),
          (answer) => answer.StopTimestamp
        )
      )
    ),
  succeedCallback: (callbackId, result) =>
    Effect.suspend(() =>
      fromEngine(
        host.command(Engine.succeedCallback, { callbackId, ...(result === undefined ? undefined : { result }) })
      )
    ),
  failCallback: (callbackId, error) =>
    Effect.suspend(() =>
      fromEngine(host.command(Engine.failCallback, { callbackId, ...(error === undefined ? undefined : { error }) }))
    ),
  heartbeatCallback: (callbackId) =>
    Effect.suspend(() => fromEngine(host.command(Engine.heartbeatCallback, { callbackId })))
})
