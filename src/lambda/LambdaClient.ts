/**
 * The client of a deployed service: starts, inspects and stops executions on AWS Lambda and answers callbacks, with a small
 * client of this library or with AWS's client.
 *
 * Region, credentials and endpoint come from the environment, as for every AWS client; `AWS_ENDPOINT_URL_LAMBDA` sets
 * another address. The caller's role needs the permission with the name of each call, and `lambda:InvokeFunction` to start
 * executions.
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
import * as AwsSdk from "./internal/awsSdk.ts"
import type { AwsClient } from "./internal/awsSdk.ts"
import * as Calls from "./internal/calls.ts"
import { Connection, type Call } from "./internal/connection.ts"
import { decodedOr } from "./internal/decoded.ts"
import { functionError, readInvoked, type Invoked } from "./internal/invocation.ts"
import * as Own from "./internal/own/connection.ts"
import type { CredentialProvider, Credentials } from "./internal/own/credentials.ts"
import type { ConnectionOptions, HttpAgent } from "./internal/own/options.ts"

export type {
  /**
   * How the Lambda API is called. Missing options come from the environment.
   *
   * @category models
   * @since 0.1.0
   */
  ConnectionOptions,
  /**
   * An agent of `node:http` or `node:https`, or of a package that extends one.
   *
   * @category models
   * @since 0.1.0
   */
  HttpAgent,
  /**
   * Credentials of AWS. Without an `expiration` they never expire.
   *
   * @category models
   * @since 0.1.0
   */
  Credentials,
  /**
   * A function that finds credentials, as the providers of AWS's SDK do.
   *
   * @category models
   * @since 0.1.0
   */
  CredentialProvider,
  /**
   * The part of a Lambda client that is used here: a `LambdaClient` of `@aws-sdk/client-lambda`.
   *
   * @category models
   * @since 0.1.0
   */
  AwsClient
}

/**
 * The client over this library's small HTTP client, which needs no package and tries each request three times, by the rules
 * of AWS's clients. A start that waits for the end waits as long as the service does.
 *
 * Credentials come from the environment, or else from `@aws-sdk/credential-providers` where it is installed: those of a
 * container, an instance, a profile, a web identity.
 *
 * @example
 * ```ts
 * import { DurableClient, DurableFunction } from "effect-durable"
 * import { LambdaClient } from "effect-durable/lambda"
 * import * as Effect from "effect/Effect"
 *
 * const Greet = DurableFunction.make("greet", { target: "greeter:live" })
 *
 * export const greet = DurableClient.start(Greet, undefined, { executionName: "ada-1" }).pipe(Effect.provide(LambdaClient.layer))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<DurableClient> = /* @__PURE__ */ Layer.suspend(() => Layer.provide(service, Own.layer))

/**
 * The client over that small HTTP client with your own configuration: another region or endpoint, credentials, a proxy.
 * Throws when the agent is not one of Node's.
 *
 * @example
 * ```ts
 * import { fromTemporaryCredentials } from "@aws-sdk/credential-providers"
 * import { LambdaClient } from "effect-durable/lambda"
 *
 * const RoleArn = "arn:aws:iam::123456789012:role/support"
 *
 * export const Support = LambdaClient.layerWith({
 *   region: "eu-west-1",
 *   credentials: fromTemporaryCredentials({ params: { RoleArn } })
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerWith = (options: ConnectionOptions): Layer.Layer<DurableClient> =>
  Layer.provide(service, Own.layerOf(options ?? {}))

/**
 * The client over AWS's own client, which this library creates: `@aws-sdk/client-lambda` is loaded at the first call. It
 * also reads profiles and configuration files, and has `effect-durable` in its user agent.
 *
 * @example
 * ```ts
 * import { DurableClient } from "effect-durable"
 * import { LambdaClient } from "effect-durable/lambda"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * export const executions = DurableClient.executions("greeter").pipe(
 *   Stream.runCollect,
 *   Effect.provide(LambdaClient.layerAwsSdk)
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerAwsSdk: Layer.Layer<DurableClient> = /* @__PURE__ */ Layer.suspend(() =>
  Layer.provide(service, AwsSdk.layer)
)

/**
 * The client over your own AWS client. It keeps your configuration, and this library does not close it. Its time-outs have
 * to be longer than the executions that you wait for.
 *
 * @example
 * ```ts
 * import { LambdaClient as AwsClient } from "@aws-sdk/client-lambda"
 * import { LambdaClient } from "effect-durable/lambda"
 *
 * export const Client = LambdaClient.layerAwsSdkWith({ client: new AwsClient({ region: "eu-west-1" }) })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerAwsSdkWith = (options: { readonly client: AwsClient }): Layer.Layer<DurableClient> =>
  Layer.provide(service, AwsSdk.layerOf(options?.client))

/** Fresh, because Effect builds a layer once: two connections would share the client over the first of them. */
const service: Layer.Layer<DurableClient, never, Connection> = /* @__PURE__ */ Layer.fresh(
  /* @__PURE__ */ Layer.effect(
    DurableClient,
    /* @__PURE__ */ Effect.map(Connection, (connection) => {
      const send: Send = (call) => Effect.mapError(connection.call(call), clientError)
      const get: DurableClient["Service"]["get"] = (executionArn, { includeExecutionData } = {}) =>
        Effect.flatMap(
          send(Calls.get({ DurableExecutionArn: executionArn, IncludeExecutionData: includeExecutionData })),
          decoded(readExecution)
        )
      return {
        start: (request) => Effect.flatMap(invoke(send, request), (answer) => startedBy(get, request, answer)),
        get,
        list: (functionName, options = {}) =>
          send(
            Calls.list({
              FunctionName: functionName,
              Qualifier: options.qualifier,
              DurableExecutionName: options.executionName,
              Statuses: options.statuses,
              StartedAfter: dateOf(options.startedAfter),
              StartedBefore: dateOf(options.startedBefore),
              ...pageOf(options)
            })
          ).pipe(
            Effect.flatMap(decoded(readExecutions)),
            Effect.map((page) => ({ items: page.DurableExecutions, nextMarker: page.NextMarker }))
          ),
        history: (executionArn, options = {}) =>
          send(
            Calls.history({
              DurableExecutionArn: executionArn,
              IncludeExecutionData: options.includeExecutionData,
              ...pageOf(options)
            })
          ).pipe(
            Effect.flatMap(decoded(readHistory)),
            Effect.map((page) => ({ items: page.Events, nextMarker: page.NextMarker }))
          ),
        stop: (executionArn, error) =>
          send(Calls.stop({ DurableExecutionArn: executionArn, Error: error })).pipe(
            Effect.flatMap(decoded(readStop)),
            Effect.map((answer) => answer.StopTimestamp)
          ),
        succeedCallback: (callbackId, result) =>
          Effect.asVoid(send(Calls.succeedCallback({ CallbackId: callbackId, Result: result }))),
        failCallback: (callbackId, error) =>
          Effect.asVoid(send(Calls.failCallback({ CallbackId: callbackId, Error: error }))),
        heartbeatCallback: (callbackId) => Effect.asVoid(send(Calls.heartbeatCallback({ CallbackId: callbackId })))
      }
    })
  )
)

type Send = (call: Call) => Effect.Effect<unknown, ClientError>

/**
 * Starts an execution, and generates a name if none is given. The client repeats a request whose answer was lost, and only
 * the name prevents a second execution.
 */
const invoke = (send: Send, request: StartRequest): Effect.Effect<Invoked, ClientError> =>
  Effect.suspend(() =>
    send(
      Calls.invoke({
        FunctionName: request.functionName,
        Qualifier: request.qualifier,
        InvocationType: request.type,
        DurableExecutionName: request.executionName ?? crypto.randomUUID(),
        TenantId: request.tenantId,
        Payload: request.payload
      })
    )
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
  // The answer shows that the execution failed, but neither how it ended nor its complete error.
  return get(executionArn, { includeExecutionData: true }).pipe(
    Effect.map((execution) => ({ executionArn, outcome: outcomeOf(execution, functionError(payload)) })),
    Effect.catch((error): Effect.Effect<StartResponse, ClientError> =>
      error._tag === "ClientUnavailable"
        ? Effect.fail(
            new ClientUnavailable({
              message: `The execution ${executionArn} was started, but its outcome could not be read. Poll it. ${error.message}`
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
