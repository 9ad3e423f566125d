/**
 * The client of a deployed service: starts, inspects and stops executions on AWS Lambda and answers callbacks, with AWS's
 * own client.
 *
 * `@aws-sdk/client-lambda` is loaded at the first call. Region, credentials and endpoint come from the environment, as for
 * every AWS client; `AWS_ENDPOINT_URL_LAMBDA` points it at another service. The caller's role needs the permission of the
 * same name for each call, and `lambda:InvokeFunction` to start executions.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  ClientRefused,
  ClientUnavailable,
  DurableClient,
  outcomeOf,
  type ClientError,
  type PageRequest,
  type StartRequest,
  type StartResponse
} from "../DurableClient.ts"
import { clientError } from "../ClientFailure.ts"
import * as Api from "../wire/Api.ts"
import { reader } from "../wire/Malformed.ts"
import { Connection, type AwsClient, type Call } from "./internal/connection.ts"
import { decodedOr } from "./internal/decoded.ts"
import { functionError, readInvoked, type Invoked } from "./internal/invocation.ts"

/**
 * The client over an AWS client of its own, which tries each request three times and says `effect-durable` in its user
 * agent. A start that waits for the end waits as long as the service does.
 *
 * @example
 * ```ts
 * import { DurableClient, DurableFunction } from "effect-durable"
 * import { LambdaClient } from "effect-durable/lambda"
 * import * as Effect from "effect/Effect"
 *
 * const Greet = DurableFunction.make("greet", { target: "greeter:live" })
 *
 * export const greet = DurableClient.start(Greet, undefined, { name: "ada-1" }).pipe(Effect.provide(LambdaClient.layer))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<DurableClient> = Layer.suspend(() => Layer.provide(service, Connection.layer))

/**
 * The client over an AWS client of yours, which keeps your configuration and which nobody closes. Its time-outs have to be
 * longer than the executions that you wait for.
 *
 * @example
 * ```ts
 * import { LambdaClient as AwsClient } from "@aws-sdk/client-lambda"
 * import { LambdaClient } from "effect-durable/lambda"
 *
 * export const Client = LambdaClient.layerWith({ client: new AwsClient({ region: "eu-west-1" }) })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerWith = (options: { readonly client: AwsClient }): Layer.Layer<DurableClient> =>
  Layer.provide(service, Connection.layerOf(options.client))

const service: Layer.Layer<DurableClient, never, Connection> = Layer.effect(
  DurableClient,
  Effect.map(Connection, (connection) => {
    const send: Send = (call) => Effect.mapError(connection.call(call), clientError)
    const answerCallback = (
      operation: Call["operation"],
      callbackId: string,
      outcome: object = {}
    ): Effect.Effect<void, ClientError> =>
      Effect.asVoid(send({ operation, input: { CallbackId: callbackId, ...outcome }, secrets: [callbackId] }))
    const get: DurableClient["Service"]["get"] = (executionArn, { includeExecutionData } = {}) =>
      Effect.flatMap(
        send({
          operation: "GetDurableExecution",
          input: { DurableExecutionArn: executionArn, IncludeExecutionData: includeExecutionData }
        }),
        decoded(readExecution)
      )
    return {
      start: (request) => Effect.flatMap(invoke(send, request), (answer) => startedBy(get, request, answer)),
      get,
      list: (functionName, options = {}) =>
        send({
          operation: "ListDurableExecutionsByFunction",
          input: {
            FunctionName: functionName,
            Qualifier: options.qualifier,
            DurableExecutionName: options.name,
            Statuses: options.statuses,
            StartedAfter: dateOf(options.startedAfter),
            StartedBefore: dateOf(options.startedBefore),
            ...pageOf(options)
          }
        }).pipe(
          Effect.flatMap(decoded(readExecutions)),
          Effect.map((page) => ({ items: page.DurableExecutions, nextMarker: page.NextMarker }))
        ),
      history: (executionArn, options = {}) =>
        send({
          operation: "GetDurableExecutionHistory",
          input: {
            DurableExecutionArn: executionArn,
            IncludeExecutionData: options.includeExecutionData,
            ...pageOf(options)
          }
        }).pipe(
          Effect.flatMap(decoded(readHistory)),
          Effect.map((page) => ({ items: page.Events, nextMarker: page.NextMarker }))
        ),
      stop: (executionArn, error) =>
        send({ operation: "StopDurableExecution", input: { DurableExecutionArn: executionArn, Error: error } }).pipe(
          Effect.flatMap(decoded(readStop)),
          Effect.map((answer) => answer.StopTimestamp)
        ),
      succeedCallback: (callbackId, result) =>
        answerCallback("SendDurableExecutionCallbackSuccess", callbackId, { Result: result }),
      failCallback: (callbackId, error) =>
        answerCallback("SendDurableExecutionCallbackFailure", callbackId, { Error: error }),
      heartbeatCallback: (callbackId) => answerCallback("SendDurableExecutionCallbackHeartbeat", callbackId)
    }
  })
)

type Send = (call: Call) => Effect.Effect<unknown, ClientError>

/**
 * A start without a name gets one: the AWS client repeats a request whose answer was lost, and only the name keeps that
 * from starting a second execution.
 */
const invoke = (send: Send, request: StartRequest): Effect.Effect<Invoked, ClientError> =>
  Effect.suspend(() =>
    send({
      operation: "Invoke",
      input: {
        FunctionName: request.functionName,
        Qualifier: request.qualifier,
        InvocationType: request.type,
        DurableExecutionName: request.name ?? crypto.randomUUID(),
        TenantId: request.tenantId,
        Payload: request.payload
      },
      patience: request.type === "Event" ? "request" : "execution"
    })
  ).pipe(Effect.flatMap(decoded(readInvoked)))

const startedBy = (
  get: DurableClient["Service"]["get"],
  request: StartRequest,
  { executionArn, failed, payload }: Invoked
): Effect.Effect<StartResponse, ClientError> => {
  if (executionArn === undefined) {
    return Effect.fail(
      new ClientRefused({
        message: `${request.functionName} was invoked, but not as a durable execution. Expected a function that was created with a DurableConfig, invoked by version, alias or $LATEST.`
      })
    )
  }
  if (request.type === "Event") return Effect.succeed({ executionArn })
  if (!failed) return Effect.succeed({ executionArn, outcome: { status: "SUCCEEDED", result: payload } })
  // The answer says that the execution failed, but neither how it ended nor all of its error.
  return get(executionArn, { includeExecutionData: true }).pipe(
    Effect.map((execution) => ({ executionArn, outcome: outcomeOf(execution, functionError(payload)) })),
    Effect.catch((error): Effect.Effect<StartResponse, ClientError> =>
      error._tag === "ClientUnavailable"
        ? Effect.fail(
            new ClientUnavailable({
              message: `The execution ${executionArn} was started, and how it ended could not be read. Poll it. ${error.message}`
            })
          )
        : Effect.succeed({ executionArn, outcome: { status: "FAILED", error: functionError(payload) } })
    )
  )
}

const readExecution = reader("answer to GetDurableExecution", Api.GetDurableExecutionResponse)
const readExecutions = reader("answer to ListDurableExecutionsByFunction", Api.ListDurableExecutionsByFunctionResponse)
const readHistory = reader("answer to GetDurableExecutionHistory", Api.GetDurableExecutionHistoryResponse)
const readStop = reader("answer to StopDurableExecution", Api.StopDurableExecutionResponse)

const decoded = decodedOr(({ message }) => new ClientUnavailable({ message }))

const pageOf = (options: PageRequest) => ({
  Marker: options.marker,
  MaxItems: options.maxItems,
  ReverseOrder: options.reverseOrder
})

const dateOf = (milliseconds: number | undefined): Date | undefined =>
  milliseconds === undefined ? undefined : new Date(milliseconds)
