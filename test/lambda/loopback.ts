/**
 * A server on this machine that clients talk to as they talk to AWS: it keeps every request as it arrived, and answers, refuses
 * or breaks off as a test says.
 */
import { LambdaClient, type LambdaClientConfig } from "@aws-sdk/client-lambda"
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { readFileSync } from "node:fs"
import { createServer, type IncomingMessage, type Server } from "node:http"
import { encodeApiError, type ApiErrorName } from "../../src/wire/ApiError.ts"

/** A request as it came over the wire. Header names are in lower case. */
export interface Received {
  readonly method: string
  /** Path and query, with their percent-encoding. */
  readonly target: string
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  readonly body: string
}

/** What the server does with a request. A body that is no text is sent as JSON. */
export type Reply =
  | {
      readonly status?: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: unknown
    }
  /** The connection breaks before an answer. */
  | "reset"
  /** The connection breaks within an answer. */
  | "cut"
  /** The answer never comes. */
  | "silence"

export type Respond = (request: Received, count: number) => Reply

/** Whom clients of the server say they are, and where they think they are. */
export const accessKey = { accessKeyId: "AKIDLOOPBACK", secretAccessKey: "the-secret-access-key" }
export const region = "eu-west-1"

export interface Loopback {
  readonly url: string
  readonly requests: ReadonlyArray<Received>
  /** Connections that were made, and those of them that are open. */
  readonly connections: () => { readonly made: number; readonly open: number }
  /** Connections that ended before they were answered. */
  readonly abandoned: () => number
  readonly client: (configuration?: LambdaClientConfig) => LambdaClient
}

/** Serves until the scope closes. Clients try once unless they are told otherwise. */
export const loopback = (respond: Respond): Effect.Effect<Loopback, never, Scope> =>
  Effect.gen(function* () {
    const requests: Array<Received> = []
    const connections = { made: 0, open: 0 }
    let abandoned = 0
    const server = createServer((incoming, outgoing) => {
      void bodyOf(incoming).then((body) => {
        const { headers, method = "", url: target = "" } = incoming
        const request = { method, target, headers, body }
        requests.push(request)
        const reply = respond(request, requests.length)
        if (reply === "reset") return incoming.socket.destroy()
        if (reply === "cut") {
          outgoing.writeHead(200, { "content-length": "1000" }).write("{")
          return setImmediate(() => incoming.socket.destroy())
        }
        if (reply === "silence") return incoming.socket.once("close", () => abandoned++)
        const text = typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body ?? {})
        return outgoing.writeHead(reply.status ?? 200, { "x-amzn-requestid": "request-1", ...reply.headers }).end(text)
      })
    })
    server.on("connection", (socket) => {
      connections.made++
      connections.open++
      socket.once("close", () => connections.open--)
    })
    const url = yield* Effect.acquireRelease(listen(server), () =>
      Effect.promise(() => {
        server.closeAllConnections()
        return new Promise((resolve) => server.close(resolve))
      })
    )
    const clients: Array<LambdaClient> = []
    yield* Effect.addFinalizer(() => Effect.sync(() => clients.forEach((client) => client.destroy())))
    return {
      url,
      requests,
      connections: () => ({ ...connections }),
      abandoned: () => abandoned,
      client: (configuration = {}) => {
        const client = new LambdaClient({
          endpoint: url,
          region,
          credentials: accessKey,
          maxAttempts: 1,
          ...configuration
        })
        clients.push(client)
        return client
      }
    }
  })

const listen = (server: Server): Effect.Effect<string> =>
  Effect.callback((resume) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      resume(Effect.succeed(`http://127.0.0.1:${port}`))
    })
  })

const bodyOf = async (incoming: IncomingMessage): Promise<string> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of incoming) chunks.push(chunk)
  return Buffer.concat(chunks).toString("utf8")
}

/** The service refuses a request, in its own words. */
export const refusal = (name: ApiErrorName, message: string): Reply => encodeApiError({ name, message })

/** Which operation of a running invocation a request is for. */
export const isState = (request: Received): boolean => request.target.includes("/state?")

/** The parameters of a query. */
export const queryOf = (request: Received): Readonly<Record<string, string>> =>
  Object.fromEntries(new URL(request.target, "http://localhost").searchParams)

/** A request as the service expects it, from test/golden/requests: what is in `body` is text, or JSON. */
export interface Golden {
  readonly name: string
  readonly method: string
  readonly target: string
  /** Those that depend on the call. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

/** The requests of one side of the API, by name. */
export const golden = (file: "checkpoints" | "client"): ReadonlyArray<Golden> =>
  JSON.parse(readFileSync(new URL(`../golden/requests/${file}.json`, import.meta.url), "utf8"))

/** What a request has of what goldens hold. */
export const essence = (request: Received | undefined, like: Golden): Golden => {
  if (request === undefined) throw new Error("no request was sent")
  const headers = Object.fromEntries(
    Object.entries(request.headers).flatMap(([name, value]) =>
      telling.test(name) && typeof value === "string" ? [[name, value]] : []
    )
  )
  const body: unknown = typeof like.body === "string" ? request.body : JSON.parse(request.body)
  return { name: like.name, method: request.method, target: request.target, headers, body }
}

const telling = /^(content-type|x-amz-(invocation-type|log-type|client-context|durable-execution-name|tenant-id))$/
