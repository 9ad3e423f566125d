/**
 * The Lambda API over HTTP: signs a request, sends it, repeats it where useful, and reads the answer.
 *
 * Owns: the state that requests share: endpoint, credentials, open connections, the clock offset and the allowance of
 * repeats.
 * Does not own: the implementation of these parts, and the meaning of an answer for the caller.
 *
 * Invariants:
 * 1. A call ends once, with an answer or with a failure. A call that was given up reports no end.
 * 2. No failure contains signatures, credentials or foreign bodies.
 *
 * @since 0.1.0
 */
import type { Agent } from "node:http"
import { decodeApiError } from "../../../wire/ApiError.ts"
import type { Call, Patience } from "../connection.ts"
import { describeFailure, showable, unreadable, type Failure } from "../failure.ts"
import { credentialSource, type CredentialProvider, type Credentials, type CredentialSource } from "./credentials.ts"
import { endpointOf, type Endpoint } from "./endpoint.ts"
import { exchange, makeAgent, type Answer, type Limits } from "./exchange.ts"
import { Allowance, delayOf, kindOf } from "./repeats.ts"
import { queryText, sign } from "./signature.ts"
import { unsignedHeaders } from "./unsigned.ts"

/** The optional settings of a client. Missing ones come from the environment. */
export interface Settings {
  readonly region?: string | undefined
  readonly endpoint?: string | undefined
  readonly credentials?: Credentials | CredentialProvider | undefined
  readonly agent?: Agent | undefined
  readonly maxAttempts?: number | undefined
  readonly limits: Readonly<Record<Patience, Limits>>
}

/** A callback that receives the end of a call once. */
export type Ended = (failure: Failure | undefined, answer?: unknown) => void

export class Client {
  readonly settings: Settings
  readonly credentials: CredentialSource
  readonly allowance = new Allowance()
  /** The difference in milliseconds from the local clock to the clock of the service. */
  offset = 0
  #endpoint: Endpoint | undefined
  /** The agents made here, one for each patience: requests must not wait for the connections that executions hold. */
  #agents: Partial<Record<Patience, Agent>> = {}

  constructor(settings: Settings) {
    this.settings = settings
    this.credentials = credentialSource(settings.credentials)
  }

  /**
   * The endpoint, resolved at the first call, so that a missing region fails calls and not the sandbox. Throws without a
   * region.
   */
  get endpoint(): Endpoint {
    this.#endpoint ??= endpointOf(this.settings)
    return this.#endpoint
  }

  agentFor(patience: Patience): Agent {
    return this.settings.agent ?? (this.#agents[patience] ??= makeAgent(this.endpoint.secure))
  }

  get maxAttempts(): number {
    const attempts = this.settings.maxAttempts ?? Number(process.env["AWS_MAX_ATTEMPTS"] ?? 3)
    return attempts >= 1 ? attempts : 3
  }

  /** Begins a call, and returns a function that gives it up. */
  call(call: Call, ended: Ended): () => void {
    const running = new RunningCall(this, call, ended)
    running.begin()
    return () => running.giveUp()
  }

  /** Closes the open connections, unless the caller provided the agent. */
  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy()
    this.#agents = {}
  }

  /** Learns from the clock of the service. Returns whether the signature with this offset was made at the wrong time. */
  learn(answer: Answer, signedWith: number): boolean {
    const date = answer.header("age") === undefined ? Date.parse(answer.header("date") ?? "") : NaN
    if (Number.isNaN(date)) return false
    const offset = date - Date.now()
    // The date has whole seconds and is as old as the answer: correcting less than a real skew would only make signatures
    // drift.
    this.offset = Math.abs(offset) >= skew ? offset : 0
    return Math.abs(this.offset - signedWith) >= skew
  }
}

/** The smallest offset that counts as a skew. Signatures are valid for five minutes. */
const skew = 240_000

/** One call: as many requests as necessary. */
class RunningCall {
  readonly #client: Client
  readonly #call: Call
  readonly #ended: Ended
  readonly #id = crypto.randomUUID()
  readonly #secrets: Set<string>
  #attempt = 0
  /** The part of the allowance that the last repeat used. */
  #cost: number | undefined
  #isOver = false
  #stop: () => void = () => {}

  constructor(client: Client, call: Call, ended: Ended) {
    this.#client = client
    this.#call = call
    this.#ended = ended
    this.#secrets = new Set(call.secrets)
  }

  giveUp(): void {
    this.#isOver = true
    this.#stop()
  }

  begin(): void {
    this.#attempt++
    this.#guarded(() => {
      const found = this.#client.credentials.find()
      if (!(found instanceof Promise)) return this.#send(found)
      found.then(
        (credentials) => this.#guarded(() => this.#send(credentials)),
        (error: unknown) => this.#end(this.#described(error))
      )
    })
  }

  /** Runs a function. An error in the configuration or in the request itself ends the call. */
  #guarded(run: () => void): void {
    if (this.#isOver) return
    try {
      run()
    } catch (error) {
      this.#end(this.#described(error))
    }
  }

  #send(credentials: Credentials): void {
    for (const secret of [credentials.secretAccessKey, credentials.sessionToken, credentials.accessKeyId]) {
      if (secret) this.#secrets.add(secret)
    }
    const { endpoint, offset, settings } = this.#client
    const { patience = "request" } = this.#call
    const request = this.#call.request()
    const body = Buffer.from(request.body ?? "")
    const path = `${endpoint.prefix}${request.path}`
    const headers = sign(
      { ...request, path, headers: { ...request.headers, host: endpoint.host, ...this.#aboutAttempt() }, body },
      credentials,
      { region: endpoint.region, service: "lambda" },
      Date.now() + offset
    )
    this.#secrets.add(/[\da-f]{64}$/.exec(headers["authorization"] ?? "")?.[0] ?? "")
    const query = queryText(request.query)
    this.#stop = exchange(
      {
        agent: this.#client.agentFor(patience),
        body,
        endpoint,
        headers: { ...headers, ...unsignedHeaders(request) },
        limits: settings.limits[patience],
        method: request.method,
        target: query === "" ? path : `${path}?${query}`
      },
      (error, answer) =>
        answer === undefined ? this.#repeat(this.#described(error)) : this.#answered(answer, offset, credentials)
    )
  }

  #aboutAttempt(): Readonly<Record<string, string>> {
    return {
      "amz-sdk-invocation-id": this.#id,
      "amz-sdk-request": `attempt=${this.#attempt}; max=${this.#client.maxAttempts}`
    }
  }

  #answered(answer: Answer, signedWith: number, credentials: Credentials): void {
    const wrongTime = this.#client.learn(answer, signedWith)
    const isGood = answer.status >= 200 && answer.status < 300
    if (isGood && this.#call.read !== undefined) return this.#succeeded(this.#call.read(answer))
    const body = parsed(answer.body)
    if (body === undefined) return this.#repeat(unreadable(answer.status), answer, wrongTime)
    if (isGood) return this.#succeeded(body.json)
    const failure = this.#refused(answer, body.json)
    if (failure.name?.startsWith("ExpiredToken") === true) this.#client.credentials.refuse(credentials)
    this.#repeat(failure, answer, wrongTime)
  }

  #succeeded(answer: unknown): void {
    this.#client.allowance.give(this.#cost)
    this.#end(undefined, answer)
  }

  #refused(answer: Answer, body: unknown): Failure {
    const { message, name } = decodeApiError({
      status: answer.status,
      headers: { "x-amzn-errortype": answer.header("x-amzn-errortype") },
      body
    })
    return {
      status: answer.status,
      ...(name === undefined ? undefined : { name: showable(name, [...this.#secrets]) }),
      message: showable(message, [...this.#secrets])
    }
  }

  #described(error: unknown): Failure {
    return describeFailure(error, [...this.#secrets])
  }

  #repeat(failure: Failure, answer?: Answer, wrongTime = false): void {
    const kind = wrongTime ? "transient" : kindOf(failure)
    if (kind === "final" || this.#attempt >= this.#client.maxAttempts) return this.#end(failure)
    const cost = this.#client.allowance.take(kind)
    if (cost === undefined) return this.#end(failure)
    this.#cost = cost
    const timer = setTimeout(() => this.begin(), delayOf(kind, this.#attempt - 1, answer))
    this.#stop = () => clearTimeout(timer)
  }

  #end(failure: Failure | undefined, answer?: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#ended(failure, answer)
  }
}

/** Returns the JSON of a body, an empty object for an empty body, or undefined for invalid JSON. */
const parsed = (body: Buffer): { readonly json: unknown } | undefined => {
  try {
    return { json: body.length === 0 ? {} : JSON.parse(body.toString("utf8")) }
  } catch {
    return undefined
  }
}
