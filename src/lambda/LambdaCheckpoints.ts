/**
 * The checkpoint store of a deployed function: the durable API of AWS Lambda, called with a small client of this library or
 * with AWS's client.
 *
 * Region, credentials and endpoint come from the environment, as for every AWS client; `AWS_ENDPOINT_URL_LAMBDA` sets
 * another address. The role of the function needs `lambda:CheckpointDurableExecution` and `lambda:GetDurableExecutionState`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CheckpointStore, type StoreError } from "../CheckpointStore.ts"
import { storeError } from "../StoreFailure.ts"
import * as Requests from "../wire/Requests.ts"
import * as AwsSdk from "./internal/awsSdk.ts"
import type { AwsClient } from "./internal/awsSdk.ts"
import { Connection, type Call } from "./internal/connection.ts"
import * as Own from "./internal/own/connection.ts"
import type { CredentialProvider, Credentials } from "./internal/own/credentials.ts"
import type { ConnectionOptions, HttpAgent } from "./internal/own/options.ts"
import { makeStore } from "./internal/store.ts"

export { storeError }

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
 * The store over this library's small client, which needs no package. The client keeps connections open. It gives up
 * connecting after 5 s, a silent connection after 50 s and a request after 55 s, and tries each request three times, by the
 * rules of AWS's clients.
 *
 * Credentials come from the environment, which a function on Lambda always has, or else from `@aws-sdk/credential-providers`
 * where it is installed.
 *
 * @example
 * ```ts
 * import { DurableFunction } from "effect-durable"
 * import { LambdaCheckpoints, LambdaHandler } from "effect-durable/lambda"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const Greet = DurableFunction.make("greet")
 *
 * // The same as without `checkpoints`.
 * export const handler = LambdaHandler.make(
 *   Greet.implement(() => Effect.log("hello")),
 *   { layer: Layer.empty, checkpoints: LambdaCheckpoints.layer }
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<CheckpointStore> = /* @__PURE__ */ Layer.suspend(() => Layer.provide(store, Own.layer))

/**
 * The store over that small client with your own configuration: another region or endpoint, credentials, a proxy. Throws
 * when the agent is not one of Node's.
 *
 * @example
 * ```ts
 * import { LambdaCheckpoints } from "effect-durable/lambda"
 * import { Agent } from "node:https"
 *
 * // Through the proxy that HTTPS_PROXY names, in Node 24.
 * const agent = new Agent({ keepAlive: true, proxyEnv: process.env })
 *
 * export const Checkpoints = LambdaCheckpoints.layerWith({ agent })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerWith = (options: ConnectionOptions): Layer.Layer<CheckpointStore> =>
  Layer.provide(store, Own.layerOf(options ?? {}))

/**
 * The store over AWS's own client, which this library creates: `@aws-sdk/client-lambda` is loaded at the first checkpoint.
 * The client also reads profiles and configuration files, has the same time-outs, and has `effect-durable` in its user
 * agent.
 *
 * @example
 * ```ts
 * import { DurableFunction } from "effect-durable"
 * import { LambdaCheckpoints, LambdaHandler } from "effect-durable/lambda"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const Greet = DurableFunction.make("greet")
 *
 * export const handler = LambdaHandler.make(
 *   Greet.implement(() => Effect.log("hello")),
 *   { layer: Layer.empty, checkpoints: LambdaCheckpoints.layerAwsSdk }
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerAwsSdk: Layer.Layer<CheckpointStore> = /* @__PURE__ */ Layer.suspend(() =>
  Layer.provide(store, AwsSdk.layer)
)

/**
 * The store over your own AWS client. It keeps your configuration, and this library does not close it.
 *
 * @example
 * ```ts
 * import { LambdaClient } from "@aws-sdk/client-lambda"
 * import { LambdaCheckpoints } from "effect-durable/lambda"
 *
 * export const Checkpoints = LambdaCheckpoints.layerAwsSdkWith({ client: new LambdaClient({ maxAttempts: 5 }) })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerAwsSdkWith = (options: { readonly client: AwsClient }): Layer.Layer<CheckpointStore> =>
  Layer.provide(store, AwsSdk.layerOf(options?.client))

/** Fresh, because Effect builds a layer once: two connections would share the store over the first of them. */
const store: Layer.Layer<CheckpointStore, never, Connection> = /* @__PURE__ */ Layer.fresh(
  /* @__PURE__ */ Layer.effect(
    CheckpointStore,
    /* @__PURE__ */ Effect.map(Connection, ({ call }) => {
      const send = <A>(request: Call, read: (answer: unknown) => Effect.Effect<A, StoreError>) =>
        Effect.matchEffect(call(request), {
          onSuccess: read,
          onFailure: (failure) => Effect.fail(storeError(failure))
        })
      return makeStore({
        checkpoint: (input, read) =>
          send(
            {
              operation: "CheckpointDurableExecution",
              input,
              request: () => Requests.checkpoint(input),
              secrets: [input.CheckpointToken]
            },
            read
          ),
        loadState: (input, read) =>
          send(
            {
              operation: "GetDurableExecutionState",
              input,
              request: () => Requests.getState(input),
              secrets: [input.CheckpointToken]
            },
            read
          )
      })
    })
  )
)
