/**
 * One request over HTTP and its answer, or why there was none.
 *
 * Owns: sockets and time-outs.
 * Does not own: repeats, and what is in an answer.
 *
 * Invariants:
 * 1. It is told once how a request ended, and never after it was given up.
 * 2. No timer is left of a request that has ended.
 *
 * @since 0.1.0
 */
import type * as http from "node:http"
import type { Endpoint } from "./endpoint.ts"
import { nodeHttp, nodeHttps } from "./node.ts"

/** An answer, complete. */
export interface Answer {
  readonly status: number
  /** Names are in lower case. Of a header that came twice the first counts. */
  readonly header: (name: string) => string | undefined
  readonly body: Buffer
}

/** Milliseconds; 0 means no limit. */
export interface Limits {
  /** Until there is a connection. */
  readonly connect: number
  /** Without a byte in either direction. */
  readonly idle: number
  /** From the beginning to the end of the answer. */
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

/** Keeps connections open between requests, at most fifty of them. */
export const makeAgent = (secure: boolean): http.Agent =>
  new (secure ? nodeHttps() : nodeHttp()).Agent({ keepAlive: true, maxSockets: 50 })

/** No answer came in time. The name is that of AWS's clients. */
class TimeoutError extends Error {
  override readonly name = "TimeoutError"
}

/**
 * Sends a request and tells once how it ended: with an answer, or with whatever was thrown or emitted. Answers with how to give it
 * up; nothing is told then.
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
    // The agent takes the connection back in the next tick. A request that is made before that would open another one.
    process.nextTick(end, undefined, answer)
  })
}

const headerOf =
  (headers: http.IncomingHttpHeaders) =>
  (name: string): string | undefined => {
    const value = headers[name]
    return typeof value === "object" ? value[0] : value
  }
