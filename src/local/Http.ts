/**
 * The engine as an HTTP server: routes, bodies, and failures in the form that AWS's clients read, also for requests that no
 * AWS client sends.
 *
 * Owns: the way from bytes to an operation and back, limits and time-outs of requests, and their log lines.
 * Does not own: the operations, and access control.
 *
 * Invariants:
 * 1. Every HTTP request gets an answer with an id and, unless it succeeded, the name of an exception.
 * 2. No log contains a header, a payload, a token or the id of a callback.
 *
 * @since 0.1.0
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as ByteSize from "effect/ByteSize"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { constTrue } from "effect/Function"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import type { ServeError } from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Scope from "effect/Scope"
import { randomUUID } from "node:crypto"
import { createServer, type Server, type ServerResponse } from "node:http"
import type { Duplex } from "node:stream"
import { Refused } from "../engine/Service.ts"
import { routes, type ApiOperationName } from "../wire/Api.ts"
import { encodeApiError } from "../wire/ApiError.ts"
import { parseDurableExecutionArn } from "../wire/Constraints.ts"
import { operationNames, operations, type Ask, type Backend, type Reply } from "./Api.ts"
import { controlRoute } from "./Control.ts"
import { guard, unsigned, type Denial } from "./Guard.ts"
import { StorageError } from "./Sqlite.ts"

/** The time in milliseconds that a client has to send its request. */
export interface Patience {
  readonly headers: number
  /** The limit for the headers and the body. */
  readonly request: number
}

/** The default limits. The server checks for late clients once a second. */
export const patience: Patience = { headers: 10_000, request: 60_000 }

type App = Effect.Effect<HttpServerResponse.HttpServerResponse, never, HttpServerRequest.HttpServerRequest>

/** A running server on this machine. */
export interface Served {
  readonly port: number
  /** Closes every connection, including active ones. */
  readonly hangUp: () => void
}

/** Serves an app on this machine until the scope closes, on a free port for 0. */
export const serve = (
  host: "127.0.0.1" | "::1",
  port: number,
  app: (port: number) => App,
  { headers, request }: Patience = patience
): Effect.Effect<Served, ServeError, Scope.Scope> =>
  Effect.gen(function* () {
    const node = createServer({
      // Idle connections stay open: a client that was busy meanwhile would send its next request into a closed one.
      keepAliveTimeout: 0,
      headersTimeout: headers,
      requestTimeout: request,
      connectionsCheckingInterval: Math.min(1_000, headers)
    })
    refuseBytes(node)
    const server = yield* NodeHttpServer.make(() => node, { host, port, disablePreemptiveShutdown: true })
    // The server ends with its last connection, and clients keep theirs; a client that waits for an execution waits for
    // long.
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        node.close()
        node.closeAllConnections()
      })
    )
    const bound = portOf(node)
    // Spans would contain the headers and the path of a request.
    // By default an app is not interrupted when its client has gone or when the server stops.
    const served = server.serve(Effect.interruptible(app(bound)))
    yield* Effect.provideService(served, HttpMiddleware.TracerDisabledWhen, constTrue)
    return { port: bound, hangUp: () => node.closeAllConnections() }
  })

const portOf = (node: Server): number => {
  const address = node.address()
  return typeof address === "object" && address !== null ? address.port : 0
}

/**
 * Answers bytes that never become a request: malformed HTTP, or a client that is too slow. If they are the rest of a request
 * that was answered already, the connection is closed.
 */
const refuseBytes = (node: Server): void => {
  const answering = new WeakMap<Duplex, ServerResponse>()
  node.on("request", (request, response) => answering.set(request.socket, response))
  // Node itself refuses a request that expects something of the server, without a word.
  node.on("checkExpectation", (request, response) => node.emit("request", request, response))
  node.on("clientError", (error: Error & { readonly code?: string }, socket) => {
    const last = answering.get(socket)
    const isRest = last?.headersSent === true && !last.req.complete
    if (!socket.writable || isRest) return void socket.destroy()
    const [status, message] = parseFailures[error.code ?? ""] ?? ["400 Bad Request", "The request is not HTTP."]
    const body = JSON.stringify({ Type: "User", message })
    socket.end(
      `HTTP/1.1 ${status}\r\nx-amzn-errortype: InvalidRequestContentException\r\nx-amzn-requestid: ${randomUUID()}\r\n` +
        `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`
    )
  })
}

const parseFailures: Readonly<Record<string, readonly [status: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: ["431 Request Header Fields Too Large", "The headers of the request are too large."],
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "The request did not arrive in time."]
}

// --- One request -------------------------------------------------------------------------------------------------------

/** The pages in addition to the API, at a port, for requests that the guard accepts; nothing for a request of the API. */
export type Pages = (
  port: number
) => (request: HttpServerRequest.HttpServerRequest) => Effect.Effect<HttpServerResponse.HttpServerResponse> | undefined

/** Serves the API of AWS for a backend, and pages for people. */
export const api =
  (backend: Backend, pages: Pages = () => () => undefined) =>
  (port: number): App => {
    const stop = guard(port)
    const pageOf = pages(port)
    return Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
      const stranger = stop(request)
      if (stranger !== undefined) return Effect.succeed(respond(denialReply(403, stranger)))
      const page = pageOf(request)
      if (page !== undefined) return page
      const denial = unsigned(request)
      if (denial !== undefined) return Effect.succeed(respond(denialReply(403, denial)))
      const own = controlRoute(request.method, request.url)
      if (own !== undefined) {
        return Effect.map(
          answered(own.name, request, own.maxBytes, (body) => own.run(backend, body)),
          respond
        )
      }
      const found = route(request.method, request.url)
      if ("name" in found) return Effect.succeed(respond(denialReply(found.status, found)))
      return Effect.map(logged(found, answer(backend, found, request)), respond)
    })
  }

const answer = (
  backend: Backend,
  { label, operation, query }: Routed,
  request: HttpServerRequest.HttpServerRequest
): Effect.Effect<Reply> => {
  const { maxBytes, run } = operations[operation]
  return answered(operation, request, maxBytes, (body) =>
    run(backend, { label, query, headers: request.headers, body })
  )
}

/** Runs a handler on the body of a request, and returns its reply or the failure. */
const answered = (
  name: string,
  request: HttpServerRequest.HttpServerRequest,
  maxBytes: number,
  run: (body: string) => Effect.Effect<Reply, Refused>
): Effect.Effect<Reply> =>
  bodyOf(request, maxBytes).pipe(
    Effect.flatMap((body) => Effect.suspend(() => run(body))),
    Effect.catch((error) => Effect.succeed(errorReply(error))),
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause) ? Effect.failCause(cause).pipe(Effect.orDie) : broken(name, cause)
    )
  )

/** Returns the text of a body up to its size limit. Invalid UTF-8 is replaced, as the service does. */
export const bodyOf = (
  request: HttpServerRequest.HttpServerRequest,
  maxBytes: number
): Effect.Effect<string, Refused> =>
  request.arrayBuffer.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(maxBytes)),
    Effect.map((bytes) => new TextDecoder().decode(bytes)),
    Effect.mapError(
      () =>
        new Refused({
          exception: "RequestTooLargeException",
          message: `Request must be smaller than ${maxBytes} bytes for this operation, and arrive whole.`
        })
    )
  )

/** Returns the answer to an unexpected failure. The details are logged, and not sent to the client. */
const broken = (operation: string, cause: Cause.Cause<unknown>): Effect.Effect<Reply> => {
  const error = Cause.squash(cause)
  const message = error instanceof StorageError ? error.message : "The engine failed. Its log says how."
  return Effect.as(
    Effect.logError(`${operation} failed`, error instanceof Error ? (error.stack ?? error.message) : String(error)),
    errorReply(new Refused({ exception: "ServiceException", message }))
  )
}

const errorReply = ({ exception, message }: Refused): Reply => {
  const { body, headers, status } = encodeApiError({ name: exception, message })
  return { status, headers, body: JSON.stringify(body) }
}

const denialReply = (status: number, { message, name }: Denial): Reply => ({
  status,
  headers: { "x-amzn-errortype": name },
  body: JSON.stringify({ Type: "User", Message: message, message })
})

/** Returns the header that every answer has. */
export const identified = (): { readonly "x-amzn-requestid": string } => ({ "x-amzn-requestid": randomUUID() })

/** Converts a reply to an HTTP response. */
export const respond = ({ body, headers = {}, status = 200 }: Reply): HttpServerResponse.HttpServerResponse => {
  const all = { ...identified(), ...headers }
  return body === undefined
    ? HttpServerResponse.empty({ status, headers: all })
    : HttpServerResponse.text(body, { status, headers: all, contentType: "application/json" })
}

const logged = ({ label, operation }: Routed, work: Effect.Effect<Reply>): Effect.Effect<Reply> =>
  Effect.flatMap(Effect.timed(work), ([duration, reply]) => {
    const execution = parseDurableExecutionArn(label)?.executionName
    return Effect.as(
      Effect.logDebug("request").pipe(
        Effect.annotateLogs({
          operation,
          status: reply.status ?? 200,
          duration: String(duration),
          ...(execution !== undefined && { execution })
        })
      ),
      reply
    )
  })

// --- Routes ------------------------------------------------------------------------------------------------------------

interface Routed extends Pick<Ask, "label" | "query"> {
  readonly operation: ApiOperationName
}

interface Unrouted extends Denial {
  readonly status: number
}

/** The operations by their method and their path with an empty label. */
const table: ReadonlyMap<string, ApiOperationName> = new Map(
  operationNames.map((operation) => {
    const { method, path } = routes[operation]
    return [`${method} ${path.replace(/\{\w+\}/, "")}`, operation]
  })
)

/** The index of the label segment in every route. */
const labelAt = 3

const route = (method: string, url: string): Routed | Unrouted => {
  const [path = "", search = ""] = url.split(/\?(.*)/s)
  const segments = path.split("/")
  const label = decoded(segments[labelAt] ?? "")
  const operation = table.get(`${method} ${segments.with(Math.min(labelAt, segments.length - 1), "").join("/")}`)
  if (operation === undefined || segments.length <= labelAt || label === "") {
    return {
      status: 404,
      name: "UnknownOperationException",
      message: "The engine has no such operation. It serves the durable part of Lambda's API, and Invoke."
    }
  }
  if (label === undefined) {
    return { status: 400, name: "InvalidParameterValueException", message: "The path is not percent-encoded." }
  }
  return { operation, label, query: queryIn(search) }
}

const decoded = (segment: string): string | undefined => {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}

const queryIn = (search: string): Ask["query"] => {
  const query = new URLSearchParams(search)
  return Object.fromEntries(
    Array.from(new Set(query.keys()), (key) => {
      const values = query.getAll(key)
      return [key, values.length === 1 ? (values[0] ?? "") : values]
    })
  )
}
