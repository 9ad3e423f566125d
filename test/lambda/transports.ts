/**
 * The two ways to the Lambda API, for tests that hold for both: our own client, and AWS's.
 */
import type { LambdaClient as AwsClient } from "@aws-sdk/client-lambda"
import type { CheckpointStore, DurableClient } from "effect-durable"
import { LambdaCheckpoints, LambdaClient } from "effect-durable/lambda"
import type * as Layer from "effect/Layer"
import { accessKey, region, type Loopback } from "./loopback.ts"

export interface Configuration {
  /** Default: 1. */
  readonly maxAttempts?: number
}

/** A transport, with layers that talk to a server. */
export interface Transport {
  readonly name: string
  readonly checkpoints: (
    server: Loopback,
    configuration?: Configuration
  ) => Layer.Layer<CheckpointStore.CheckpointStore>
  readonly client: (server: Loopback, configuration?: Configuration) => Layer.Layer<DurableClient.DurableClient>
}

const options = (
  { url: endpoint }: Loopback,
  configuration: Configuration = {}
): LambdaCheckpoints.ConnectionOptions => ({
  endpoint,
  region,
  credentials: accessKey,
  maxAttempts: 1,
  ...configuration
})

const aws = (server: Loopback, configuration: Configuration = {}): { readonly client: AwsClient } => ({
  client: server.client(configuration)
})

export const own: Transport = {
  name: "with our own client",
  checkpoints: (server, configuration) => LambdaCheckpoints.layerWith(options(server, configuration)),
  client: (server, configuration) => LambdaClient.layerWith(options(server, configuration))
}

export const awsSdk: Transport = {
  name: "with AWS's client",
  checkpoints: (server, configuration) => LambdaCheckpoints.layerAwsSdkWith(aws(server, configuration)),
  client: (server, configuration) => LambdaClient.layerAwsSdkWith(aws(server, configuration))
}

export const transports: ReadonlyArray<Transport> = [own, awsSdk]
