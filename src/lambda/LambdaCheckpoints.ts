/**
 * The checkpoint store of a deployed function: the durable API of AWS Lambda, called with AWS's own client.
 *
 * `@aws-sdk/client-lambda` is loaded at the first checkpoint. Region, credentials and endpoint come from the environment,
 * as for every AWS client; `AWS_ENDPOINT_URL_LAMBDA` points it at another service. The role of the function needs
 * `lambda:CheckpointDurableExecution` and `lambda:GetDurableExecutionState`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CheckpointStore, storeError } from "../CheckpointStore.ts"
import { Connection, type AwsClient } from "./internal/connection.ts"
import { makeStore } from "./internal/store.ts"

export type {
  /**
   * A client of the Lambda API, as far as it is used here: a `LambdaClient` of `@aws-sdk/client-lambda`.
   *
   * @category models
   * @since 0.1.0
   */
  AwsClient
}

/**
 * The store over a client of its own, which gives up connecting after 5 s, a silent socket after 50 s and a request after
 * 55 s, tries each request three times, and says `effect-durable` in its user agent.
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
export const layer: Layer.Layer<CheckpointStore> = Layer.suspend(() => Layer.provide(store, Connection.layer))

/**
 * The store over a client of yours, which keeps your configuration and which nobody closes.
 *
 * @example
 * ```ts
 * import { LambdaClient } from "@aws-sdk/client-lambda"
 * import { LambdaCheckpoints } from "effect-durable/lambda"
 *
 * export const Checkpoints = LambdaCheckpoints.layerWith({ client: new LambdaClient({ maxAttempts: 5 }) })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerWith = (options: { readonly client: AwsClient }): Layer.Layer<CheckpointStore> =>
  Layer.provide(store, Connection.layerOf(options.client))

const store: Layer.Layer<CheckpointStore, never, Connection> = Layer.effect(
  CheckpointStore,
  Effect.map(Connection, ({ call }) =>
    makeStore({
      checkpoint: (request, read) =>
        Effect.matchEffect(
          call({ operation: "CheckpointDurableExecution", input: request, secrets: [request.CheckpointToken] }),
          { onSuccess: read, onFailure: (failure) => Effect.fail(storeError(failure)) }
        ),
      loadState: (request, read) =>
        Effect.matchEffect(
          call({ operation: "GetDurableExecutionState", input: request, secrets: [request.CheckpointToken] }),
          { onSuccess: read, onFailure: (failure) => Effect.fail(storeError(failure)) }
        )
    })
  )
)
