/**
 * One HTTP request and its answer, or its error.
 *
 * Owns: sockets and time-outs.
 * Does not own: repeats, and the content of an answer.
 *
 * Invariants:
 * 1. The end of a request is reported once, and never after the request was given up.
 * 2. A request that has ended leaves no timer behind.
 *
 * @since 0.1.0
 */
import type * as http from "node:http"
import type { Endpoint } from "./endpoint.ts"
import { nodeHttp, nodeHttps } from "./node.ts"

/** A complete answer. */
export interface Answer {
  readonly status: number
  /** Returns a header by its lower-case name. If a header came twice, the first one counts. */
  readonly header: (name: string) => string | undefined
  readonly body: Buffer
}

/** Time-outs in milliseconds; 0 means no limit. */
export interface Limits {
  /** The limit until there is a connection. */
  readonly connect: number
  /** The limit without a byte in either direction. */
  readonly idle: number
  /** The limit from the beginning to the end of the answer. */
  readonly total: number
}

/** A request that is ready to be sent. */
export interface Outgoing {
  readonly endpoint: Endpoint
  readonly agent: http.Agent
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string | number>>
  readonly body: Buffer
  readonly limits: Limits
}

/** Creates an agent that keeps connections open between requests, at most fifty of them. */
export const makeAgent = (secure: boolean): http.Agent =>
  new (secure ? nodeHttps() : nodeHttp()).Agent({ keepAlive: true, maxSockets: 50 })

/** The error for a late answer, with the name that AWS's clients use. */
class TimeoutError extends Error {
  override readonly name = "TimeoutError"
}

/**
 * Sends a request and reports its end once: an answer, or the thrown or emitted error. Returns a function that gives the
 * request up; a request that was given up reports nothing.
 */
export const exchange = (
  { agent, body, endpoint, headers, limits, method, target }: Outgoing,
  ended: (error: unknown, answer?: Answer) => void
): (() => void) => {
  const timers: Array<NodeJS.Timeout> = []
  let isOver = false
  const stop = (): boolean => {
    if (isOver) return false
    isOver = true
    for (const timer of timers) clearTimeout(timer)
    return true
  }
  const end = (error: unknown, answer?: Answer): void => {
    if (stop()) ended(error, answer)
  }
  const { hostname, port, secure } = endpoint
  const outgoing = (secure ? nodeHttps() : nodeHttp()).request({
    agent,
    headers,
    hostname,
    method,
    path: target,
    port,
    setHost: false
  })
  const giveUp = (message: string): void => {
    end(new TimeoutError(message))
    outgoing.destroy()
  }
  outgoing.on("error", end)
  outgoing.on("response", (incoming) => collect(incoming, end))
  if (limits.total > 0) {
    timers.push(setTimeout(giveUp, limits.total, `There was no answer within ${limits.total} ms.`))
  }
  if (limits.idle > 0)
    outgoing.setTimeout(limits.idle, () => giveUp(`The connection was silent for ${limits.idle} ms.`))
  if (limits.connect > 0) {
    outgoing.once("socket", (socket) => {
      if (!socket.connecting) return
      const timer = setTimeout(giveUp, limits.connect, `There was no connection within ${limits.connect} ms.`)
      timers.push(timer)
      socket.once("connect", () => clearTimeout(timer))
    })
  }
  outgoing.end(body)
  return () => {
    if (stop()) outgoing.destroy()
  }
}

const collect = (incoming: http.IncomingMessage, end: (error: unknown, answer?: Answer) => void): void => {
  const chunks: Array<Buffer> = []
  incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
  incoming.on("error", end)
  incoming.on("end", () => {
    const { headers, statusCode = 0 } = incoming
    const answer = { status: statusCode, header: headerOf(headers), body: Buffer.concat(chunks) }
    // The agent takes the connection back in the next tick. A request made before that would open another one.
    process.nextTick(end, undefined, answer)
  })
}

const headerOf =
  (headers: http.IncomingHttpHeaders) =>
  (name: string): string | undefined => {
    const value = headers[name]
    return typeof value === "object" ? value[0] : value
  }
