/**
 * The service of the commands. By default it is the engine on this machine, so that no command reaches AWS by accident.
 *
 * Owns: the flags that select the service, and its client.
 * Does not own: the requests.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import process from "node:process"
import type { ClientError, DurableClient } from "../DurableClient.ts"
import { defaultPort } from "../internal/engineDefaults.ts"
import * as LambdaClient from "../lambda/LambdaClient.ts"
import { failed, misused, type CommandFailed } from "./CommandFailed.ts"
import { text, toggle } from "./flags.ts"

/** The default address of an engine. */
export const defaultEndpoint = `http://127.0.0.1:${defaultPort}`

/** The flags of every command that uses a service. */
export const connection = {
  endpoint: text("endpoint", "URL", `Where the service is [AWS_ENDPOINT_URL_LAMBDA, or ${defaultEndpoint}]`),
  aws: toggle("aws", "Talk to AWS, with region and credentials of the environment")
}

export interface Connection {
  readonly endpoint: string | undefined
  readonly aws: boolean
}

/** The address of the service, or undefined for AWS's own. */
export class Endpoint extends Context.Service<Endpoint, { readonly url: string | undefined }>()(
  "effect-durable/cli/Endpoint"
) {}

/** Returns the flags that lead another command to the same service, from any terminal. */
export const flagsTo = (url: string | undefined): string =>
  url === undefined ? " --aws" : url === defaultEndpoint ? "" : ` --endpoint ${url}`

/** Runs a command with the client that its flags select, and describes its failures for the user. */
export const connected =
  ({ aws, endpoint }: Connection) =>
  <A, R>(
    command: Effect.Effect<A, ClientError | CommandFailed, R>
  ): Effect.Effect<A, CommandFailed, Exclude<R, DurableClient | Endpoint>> =>
    Effect.flatMap(target(aws, endpoint), (url) =>
      command.pipe(
        Effect.provide(Layer.merge(clientFor(url), Layer.succeed(Endpoint, { url }))),
        Effect.mapError((error) => (error._tag === "CommandFailed" ? error : failed(explained(error, url))))
      )
    )

const target = (aws: boolean, endpoint: string | undefined): Effect.Effect<string | undefined, CommandFailed> => {
  const configured = process.env["AWS_ENDPOINT_URL_LAMBDA"] || undefined
  if (aws && endpoint !== undefined)
    return Effect.fail(misused("--aws and --endpoint lead to two places: give one of them."))
  if (aws && configured !== undefined && isHere(configured)) {
    return Effect.fail(
      misused(`AWS_ENDPOINT_URL_LAMBDA is ${configured}, which is not AWS: unset it, or leave out --aws.`)
    )
  }
  const url = aws ? undefined : (endpoint ?? configured ?? defaultEndpoint)
  return url !== undefined && !/^https?:$/.test(URL.parse(url)?.protocol ?? "")
    ? Effect.fail(misused(`"${url}" is not an address: an endpoint looks like ${defaultEndpoint}.`))
    : Effect.succeed(url?.replace(/\/+$/, ""))
}

const isHere = (url: string): boolean => ["127.0.0.1", "localhost", "[::1]"].includes(URL.parse(url)?.hostname ?? "")

/** Returns the client. A local engine accepts any credentials, and receives no real ones. */
const clientFor = (url: string | undefined): Layer.Layer<DurableClient> => {
  if (url === undefined) return LambdaClient.layer
  const region = process.env["AWS_REGION"] || process.env["AWS_DEFAULT_REGION"] || "us-east-1"
  return LambdaClient.layerWith({
    endpoint: url,
    region,
    ...(isHere(url) && { credentials: { accessKeyId: "local", secretAccessKey: "local" } })
  })
}

const explained = ({ _tag, message }: ClientError, url: string | undefined): string =>
  _tag === "ClientUnavailable" && url !== undefined && /ECONNREFUSED|ENOTFOUND/.test(message) ? nobodyAt(url) : message

/** Returns the message about a missing service. */
export const nobodyAt = (url: string): string =>
  `No engine answers at ${url}. Start an engine with: npx effect-durable dev FILE. For another address there is --endpoint URL, for AWS --aws.`
