/**
 * The runtime of one function: its waiting calls, and Lambda's Runtime API, through which a process in any language requests
 * the next call and reports its end.
 *
 * Owns: calls from their arrival to their end, their time-outs, and that of the start of a process.
 * Does not own: the process.
 *
 * Invariants:
 * 1. A call is handed over once. It ends with the first of: an answer, an error, its time-out, the end of the process.
 * 2. A later end is refused.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import { longestTimer } from "../internal/longestTimer.ts"
import { functionError } from "../lambda/internal/invocation.ts"
import type { ErrorObject } from "../wire/ErrorObject.ts"
import * as Limits from "../wire/Limits.ts"
import type { FunctionCall, FunctionEnd } from "./Functions.ts"
import { guard } from "./Guard.ts"
import { bodyOf, respond } from "./Http.ts"

interface Call {
  readonly call: FunctionCall
  readonly end: (end: FunctionEnd) => void
  /** The end of its time, in milliseconds since the epoch, once it was handed over. */
  deadline: number
  timer: NodeJS.Timeout | undefined
}

export interface RuntimeOptions {
  /** The time-out of a call in seconds. */
  readonly timeoutSeconds: number
  /** Runs when calls wait and no process requests them. */
  readonly onWaiting: () => void
  /** Runs when a call took too long: only the end of its process ends it. */
  readonly onTimeout: () => void
}

/** The least number of seconds that a process has to start: loading its code takes no time of a call. */
const patience = 300

export class Runtime {
  readonly #options: RuntimeOptions
  readonly #waiting: Array<Call> = []
  readonly #running = new Map<string, Call>()
  readonly #asking = new Set<(call: Call) => void>()
  /** Whether the current process has requested a call. */
  #ready = false
  /** Whether the current process is killed, and has not ended yet. */
  #isDying = false
  /** Runs from the first call that waits for a process until that process requests a call. */
  #starting: NodeJS.Timeout | undefined
  #initError: ErrorObject | undefined

  constructor(options: RuntimeOptions) {
    this.#options = options
  }

  /** Calls the function. */
  readonly run = (call: FunctionCall): Effect.Effect<FunctionEnd> =>
    Effect.callback((resume) => {
      const waiting: Call = {
        call,
        deadline: 0,
        timer: undefined,
        end: (end) => {
          this.#forget(waiting)
          resume(Effect.succeed(end))
        }
      }
      this.#waiting.push(waiting)
      this.#handOver()
      this.#wake()
      return Effect.sync(() => this.#forget(waiting))
    })

  /** Hands no more calls over to the process, which is killed. */
  killed(): void {
    this.#isDying = true
    this.#asking.clear()
  }

  /**
   * Handles the end of the process. Its running calls have crashed. If it never requested a call it cannot start, and
   * waiting calls fail too; otherwise, and if it was replaced, another process will take them.
   */
  exited(how: string, isReplaced = false): void {
    const error: ErrorObject = { ErrorType: "Runtime.ExitError", ErrorMessage: `Runtime exited with error: ${how}` }
    for (const { call, end } of Array.from(this.#running.values())) {
      end({
        _tag: "Exited",
        error: { ...error, ErrorMessage: `RequestId: ${call.requestId} Error: ${error.ErrorMessage}` }
      })
    }
    // Its connections may end later than the process, and a call that is handed over to a dead process never ends.
    this.#asking.clear()
    if (!this.#ready && !isReplaced) {
      for (const { end } of Array.from(this.#waiting)) end({ _tag: "Exited", error: this.#initError ?? error })
    }
    this.#ready = false
    this.#isDying = false
    this.#initError = undefined
    this.#started()
    this.#wake()
  }

  /** Sees to it that there is a process for the waiting calls. One that never requests a call is killed. */
  #wake(): void {
    if (this.#waiting.length === 0) return
    if (!this.#ready && this.#starting === undefined) {
      const afterSeconds = Math.max(this.#options.timeoutSeconds, patience)
      this.#starting = timer(afterSeconds, () => {
        for (const { end } of Array.from(this.#waiting)) end({ _tag: "TimedOut", afterSeconds })
        this.#options.onTimeout()
      })?.unref()
    }
    this.#options.onWaiting()
  }

  #started(): void {
    clearTimeout(this.#starting)
    this.#starting = undefined
  }

  #handOver(): void {
    for (const take of this.#asking) {
      const call = this.#waiting.shift()
      if (call === undefined) return
      this.#asking.delete(take)
      this.#start(call)
      take(call)
    }
  }

  #start(call: Call): void {
    const { timeoutSeconds } = this.#options
    this.#running.set(call.call.requestId, call)
    call.deadline = Date.now() + timeoutSeconds * 1_000
    call.timer = timer(timeoutSeconds, () => {
      call.end({ _tag: "TimedOut", afterSeconds: timeoutSeconds })
      this.#options.onTimeout()
    })
  }

  #forget(call: Call): void {
    clearTimeout(call.timer)
    this.#running.delete(call.call.requestId)
    const at = this.#waiting.indexOf(call)
    if (at !== -1) this.#waiting.splice(at, 1)
  }

  // --- The Runtime API -----------------------------------------------------------------------------------------------

  /** Serves the process of this function. */
  readonly api = (
    port: number
  ): Effect.Effect<HttpServerResponse.HttpServerResponse, never, HttpServerRequest.HttpServerRequest> => {
    const stop = guard(port)
    return Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
      const denial = stop(request)
      if (denial !== undefined) return Effect.succeed(refuse(403, denial.name, denial.message))
      const [, method = "", path = ""] =
        /^(GET|POST) \/2018-06-01\/runtime\/([\w/.-]+)$/.exec(`${request.method} ${request.url}`) ?? []
      if (method === "GET" && path === "invocation/next") return this.#next
      const [, id = "", how = ""] = /^invocation\/([\w-]+)\/(response|error)$/.exec(path) ?? []
      if (method === "POST" && how !== "") return this.#ended(id, how, request)
      if (method === "POST" && path === "init/error") return this.#initFailed(request)
      return Effect.succeed(refuse(404, "UnknownOperationException", "The Runtime API has no such operation."))
    })
  }

  get #next(): Effect.Effect<HttpServerResponse.HttpServerResponse> {
    return Effect.callback((resume) => {
      this.#ready = true
      this.#started()
      const take = (call: Call): void => resume(Effect.succeed(handedOver(call)))
      if (!this.#isDying) this.#asking.add(take)
      this.#handOver()
      return Effect.sync(() => void this.#asking.delete(take))
    })
  }

  #ended(
    id: string,
    how: string,
    request: HttpServerRequest.HttpServerRequest
  ): Effect.Effect<HttpServerResponse.HttpServerResponse> {
    return bodyOf(request, Limits.maxWirePayload + 64 * 1_024).pipe(
      Effect.map((body) => (how === "response" ? returnedWith(body) : threwWith(body))),
      // A larger answer ends the call, as an error of the function.
      Effect.catch(() => Effect.succeed(tooLarge)),
      Effect.map((end) => {
        const call = this.#running.get(id)
        if (call === undefined) return refuse(400, "InvalidRequestID", "No call with this id is running.")
        call.end(end)
        return end === tooLarge ? refuse(413, "RequestEntityTooLarge", "The answer is too large.") : accepted
      })
    )
  }

  #initFailed(request: HttpServerRequest.HttpServerRequest): Effect.Effect<HttpServerResponse.HttpServerResponse> {
    return bodyOf(request, Limits.maxWirePayload).pipe(
      Effect.catch(() => Effect.succeed("")),
      Effect.map((body) => {
        this.#initError = functionError(body)
        return accepted
      })
    )
  }
}

/** Runs a function after some seconds. A longer time than a timer of Node can have is as good as no limit. */
const timer = (seconds: number, run: () => void): NodeJS.Timeout | undefined =>
  seconds * 1_000 > longestTimer ? undefined : setTimeout(run, seconds * 1_000)

const handedOver = ({ call, deadline }: Call): HttpServerResponse.HttpServerResponse =>
  respond({
    headers: {
      "lambda-runtime-aws-request-id": call.requestId,
      "lambda-runtime-deadline-ms": String(deadline),
      "lambda-runtime-invoked-function-arn": call.functionArn,
      ...(call.traceHeader !== undefined && { "lambda-runtime-trace-id": inHeader(call.traceHeader) }),
      ...(call.tenantId !== undefined && { "lambda-runtime-aws-tenant-id": inHeader(call.tenantId) }),
      ...(call.clientContext !== undefined && { "lambda-runtime-client-context": inHeader(call.clientContext) })
    },
    body: call.payload
  })

/**
 * Returns text as a header can hold it, with the same meaning if it is JSON: a line break is a space there, and a character
 * beyond ASCII has an escape. Node refuses any other text, and the call, which was handed over, would never end.
 */
const inHeader = (text: string): string =>
  text
    .replaceAll(/[^\x20-\uffff]/g, " ")
    .replaceAll(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)

const accepted = respond({ status: 202, body: `{"status":"OK"}` })

const refuse = (status: number, errorType: string, errorMessage: string): HttpServerResponse.HttpServerResponse =>
  respond({ status, body: JSON.stringify({ errorType, errorMessage }) })

const returnedWith = (body: string): FunctionEnd => ({ _tag: "Returned", body })

const threwWith = (body: string): FunctionEnd => ({ _tag: "Threw", error: functionError(body) })

const tooLarge: FunctionEnd = {
  _tag: "Threw",
  error: {
    ErrorType: "Function.ResponseSizeTooLarge",
    ErrorMessage: `Response payload size exceeded maximum allowed payload size (${Limits.maxWirePayload} bytes).`
  }
}
