/**
 * The Lambda API through this library's client, which closes with the scope of the layer.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Agent } from "node:http"
import { Connection, type Patience } from "../connection.ts"
import type { Failure } from "../failure.ts"
import { Client } from "./client.ts"
import { endpointOf } from "./endpoint.ts"
import type { Limits } from "./exchange.ts"
import { nodeCrypto, nodeHttp, nodeHttps, nodeTls } from "./node.ts"
import type { ConnectionOptions, HttpAgent } from "./options.ts"

/** The default time-outs. The requests of a running invocation have to fail while there is time left to repeat them. */
const defaultLimits: Readonly<Record<Patience, Limits>> = {
  request: { connect: 5_000, idle: 50_000, total: 55_000 },
  execution: { connect: 5_000, idle: 0, total: 0 }
}

/** Creates a connection over a client with these options. Throws when the agent is invalid. */
export const layerOf = (
  { agent, ...options }: ConnectionOptions,
  limits: Readonly<Record<Patience, Limits>> = defaultLimits
): Layer.Layer<Connection> => {
  if (!isAgent(agent)) {
    throw new TypeError("Expected the option agent to be an Agent of node:http or node:https, found something else.")
  }
  return Layer.effect(
    Connection,
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(() => new Client({ ...options, agent, limits })),
        (client) => Effect.sync(() => client.close())
      ),
      (client): Connection["Service"] => ({
        call: (call) =>
          Effect.callback<unknown, Failure>((resume) => {
            const giveUp = client.call(call, (failure, answer) =>
              resume(failure === undefined ? Effect.succeed(answer) : Effect.fail(failure))
            )
            return Effect.sync(giveUp)
          })
      })
    )
  )
}

const isAgent = (agent: HttpAgent | undefined): agent is Agent | undefined =>
  agent === undefined || agent instanceof nodeHttp().Agent

/**
 * A connection over a client that the environment configures. It is a single layer, so that all users share its connections.
 */
export const layer: Layer.Layer<Connection> = /* @__PURE__ */ layerOf({})

/**
 * Loads what the first request needs: the modules of Node, the hash of signatures, and the certificates that TLS trusts. Does
 * nothing outside of Lambda, where a request may never be made.
 */
export const loadEarly = (): void => {
  if (process.env["AWS_LAMBDA_RUNTIME_API"] === undefined) return
  nodeCrypto().createHmac("sha256", "").digest()
  // Without a valid endpoint the first request fails, and says so.
  try {
    if (!endpointOf({}).secure) return void nodeHttp()
    nodeHttps()
    nodeTls().createSecureContext()
  } catch {}
}
