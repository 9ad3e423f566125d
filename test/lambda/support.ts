/**
 * Lambda in one process, for the tests of handlers: the model of the service invokes handlers with events that have been
 * JSON, takes their checkpoints through either door (a client on the event, or a layer), and skips the time between two
 * invocations.
 *
 * What happens inside one invocation takes real time, as in a deployed function.
 */
import { CheckpointStore } from "effect-durable"
import { LambdaCheckpoints, type LambdaContext, type LambdaHandler } from "effect-durable/lambda"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Engine from "../../src/engine/Service.ts"
import {
  CheckpointDurableExecutionBody,
  CheckpointDurableExecutionResponse,
  GetDurableExecutionStateResponse
} from "../../src/wire/CheckpointApi.ts"
import type { InvocationAnswer } from "../../src/wire/Invocation.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import type { OperationUpdate } from "../../src/wire/OperationUpdate.ts"
import { isState, queryOf, type Received, type Reply } from "./loopback.ts"

/** How a request fails: with an answer of this status, or without one. */
export interface Failure {
  readonly status?: number
  readonly name?: string
  readonly message: string
}

export interface LambdaOptions {
  /** Puts the client on every event, as AWS's test runner does; without it handlers use the layer. */
  readonly client?: boolean
  /** Makes a request fail before the service has it. Requests are counted from 1. */
  readonly fault?: (request: CheckpointStore.CheckpointRequest, count: number) => Failure | undefined
  /** What handlers are called with besides the event. Default: a context with fifteen minutes left. */
  readonly context?: () => Partial<LambdaContext.InvocationContext> | undefined
  /** Operations on one page of state. */
  readonly pageItems?: number
  /** Changes the event of every invocation after it has been JSON. */
  readonly event?: (event: object) => unknown
}

/** How an invocation ended: with an answer, or with whatever the handler rejected with. */
export interface Invocation {
  readonly executionArn: string
  readonly answer: InvocationAnswer | undefined
  readonly error: unknown
  /** Real milliseconds from the call of the handler to its end. */
  readonly millis: number
}

/** A handler of an on-demand function: from an event that has been JSON to what becomes JSON, or a rejection. */
export type OnDemand = (event: unknown) => Promise<unknown>

type Due = Extract<Engine.HostEffect, { readonly _tag: "InvokeFunction" }>
type Call = Extract<Engine.HostEffect, { readonly _tag: "RunTarget" }>

export class Lambda {
  readonly requests: Array<CheckpointStore.CheckpointRequest> = []
  readonly invocations: Array<Invocation> = []
  readonly #handlers = new Map<string, LambdaHandler.Handler>()
  readonly #onDemand = new Map<string, OnDemand>()
  readonly #options: LambdaOptions
  readonly #config: Engine.Config
  #due: Array<Due> = []
  #calls: Array<Call> = []
  #state = Engine.empty
  #skipped = 0
  #ids = 0

  constructor(options: LambdaOptions = {}) {
    this.#options = options
    this.#config = Engine.makeConfig({
      lookup: (name) =>
        this.#handlers.has(name)
          ? { kind: "durable", name, version: "$LATEST" }
          : this.#onDemand.has(name)
            ? { kind: "plain", name, version: "$LATEST" }
            : undefined,
      ...(options.pageItems === undefined ? undefined : { pageItems: options.pageItems })
    })
  }

  deploy(functionName: string, handler: LambdaHandler.Handler): this {
    this.#handlers.set(functionName, handler)
    return this
  }

  deployOnDemand(functionName: string, handler: OnDemand): this {
    this.#onDemand.set(functionName, handler)
    return this
  }

  /** Starts an execution, and answers with its ARN. Its first invocation is due then. */
  start(functionName: string, payload?: unknown): string {
    return this.#command(Engine.startExecution, {
      functionName,
      qualifier: "$LATEST",
      ...(payload === undefined ? undefined : { payload: JSON.stringify(payload) })
    }).executionArn
  }

  /** Runs the invocations that are due now, all at once, and answers with how they ended. */
  invoke(): Promise<ReadonlyArray<Invocation>> {
    const due = this.#due
    this.#due = []
    return Promise.all(due.map((invocation) => this.#invoke(invocation)))
  }

  /** Starts an execution and runs its first invocation. */
  async first(functionName: string, payload?: unknown): Promise<Invocation> {
    this.start(functionName, payload)
    const [invocation] = await this.invoke()
    if (invocation === undefined) throw new Error("No invocation is due.")
    return invocation
  }

  /** Runs executions to their ends, and skips the time in which nothing happens. */
  async settle(): Promise<void> {
    for (let rounds = 0; ; rounds++) {
      if (rounds > 1_000) throw new Error("The executions do not come to an end.")
      if (this.#due.length > 0) await this.invoke()
      else if (this.#calls.length > 0) await this.#call()
      else if (!this.pass()) return
    }
  }

  /** Starts an execution and runs it to its end. */
  async run(functionName: string, payload?: unknown): Promise<Engine.ExecutionOutcome> {
    const executionArn = this.start(functionName, payload)
    await this.settle()
    return this.outcome(executionArn)
  }

  /** Lets time pass until something is due. Answers whether anything was. Executions do not live to their time-outs. */
  pass(): boolean {
    const [timer] = [...Engine.timers(this.#state)].filter(({ kind }) => kind !== "ExecutionTimeout")
    if (timer === undefined) return false
    this.#skipped += Math.max(0, Math.ceil(timer.due - this.#now()))
    this.#apply(Engine.advanceTo(this.#state, this.#env()))
    return true
  }

  outcome(executionArn: string): Engine.ExecutionOutcome {
    const outcome = Engine.execution(this.#state, executionArn)?.outcome
    if (outcome === undefined) throw new Error("The execution is not over.")
    return outcome
  }

  operations(executionArn: string): ReadonlyArray<Operation> {
    return Engine.operations(this.#state, executionArn).filter(({ Type }) => Type !== "EXECUTION")
  }

  get updates(): ReadonlyArray<OperationUpdate> {
    return this.requests.flatMap(({ Updates }) => Updates)
  }

  /** Takes the ownership of an execution from its running invocation, as a second invocation of it would. */
  stop(executionArn: string): void {
    this.#command(Engine.stopExecution, { executionArn })
  }

  /** The door for handlers that are configured with a layer. */
  readonly checkpoints: Layer.Layer<CheckpointStore.CheckpointStore> = Layer.sync(
    CheckpointStore.CheckpointStore,
    () => ({
      checkpoint: (request) => Effect.suspend(() => this.#answer(() => this.#checkpoint(request))),
      loadState: (request) => Effect.suspend(() => this.#answer(() => this.#loadState(request)))
    })
  )

  /** The door for handlers that find a client on the event: requests and answers as AWS's client has them. */
  readonly client = {
    checkpoint: async (request: CheckpointStore.CheckpointRequest): Promise<unknown> =>
      encodeCheckpoint(orThrow(this.#checkpoint(decodeRequest(request)))),
    getExecutionState: async (request: CheckpointStore.StateRequest): Promise<unknown> =>
      encodeState(orThrow(this.#loadState(request)))
  }

  /** The door for handlers that call the service with AWS's client: what `loopback` answers. */
  readonly respond = (request: Received): Reply => {
    const DurableExecutionArn = decodeURIComponent(/\/durable-executions\/([^/]+)\//.exec(request.target)?.[1] ?? "")
    if (isState(request)) {
      const { CheckpointToken = "", Marker = "", MaxItems = "0" } = queryOf(request)
      const page = this.#loadState({ DurableExecutionArn, CheckpointToken, Marker, MaxItems: Number(MaxItems) })
      return replyOf(Result.map(page, encodeState))
    }
    const { ClientToken = "", Updates = [], ...rest } = decodeBody(JSON.parse(request.body))
    return replyOf(
      Result.map(this.#checkpoint({ ...rest, DurableExecutionArn, ClientToken, Updates }), encodeCheckpoint)
    )
  }

  async #invoke({ event, executionArn, functionName, invocationId }: Due): Promise<Invocation> {
    const handler = this.#handlers.get(functionName)
    if (handler === undefined) throw new Error(`There is no function ${functionName}.`)
    const overWire: object = JSON.parse(JSON.stringify(event))
    const input = this.#options.event?.(overWire) ?? overWire
    const began = performance.now()
    const ended = await handler(
      this.#options.client === true ? Object.assign(input, { durableExecutionClient: this.client }) : input,
      this.#options.context === undefined ? contextOf() : this.#options.context()
    ).then(
      (answer) => ({ answer, error: undefined }),
      (error: unknown) => ({ answer: undefined, error })
    )
    const invocation = { executionArn, ...ended, millis: performance.now() - began }
    this.invocations.push(invocation)
    const end: Engine.InvocationEnd =
      ended.answer === undefined
        ? { _tag: "Crashed", error: { ErrorMessage: String(ended.error) } }
        : { _tag: "Answered", answer: JSON.parse(JSON.stringify(ended.answer)) }
    this.#apply(Engine.invocationEnded(this.#state, { executionArn, invocationId, end }, this.#env()))
    return invocation
  }

  /** Runs the on-demand functions that were invoked, each once. */
  async #call(): Promise<void> {
    const calls = this.#calls
    this.#calls = []
    for (const { executionArn, functionName, operationId, payload } of calls) {
      const handler = this.#onDemand.get(functionName)
      if (handler === undefined) throw new Error(`There is no function ${functionName}.`)
      const end = await handler(payload === undefined ? {} : JSON.parse(payload)).then(
        (value): Engine.TargetEnd => ({ _tag: "Succeeded", result: JSON.stringify(value ?? null) }),
        (error: unknown): Engine.TargetEnd => ({
          _tag: "Failed",
          error:
            error instanceof Error
              ? { ErrorType: error.name, ErrorMessage: error.message }
              : { ErrorMessage: JSON.stringify(error) }
        })
      )
      this.#apply(Engine.targetEnded(this.#state, { executionArn, operationId, end }, this.#env()))
    }
  }

  #checkpoint(request: CheckpointStore.CheckpointRequest): Result.Result<Engine.CheckpointAnswer, Failure> {
    this.requests.push(request)
    const fault = this.#options.fault?.(request, this.requests.length)
    if (fault !== undefined) return Result.fail(fault)
    const applied = Engine.checkpoint(this.#state, request, this.#env())
    return Result.mapError(
      Result.map(applied, (taken) => this.#apply(taken)),
      failureOf
    )
  }

  #loadState(request: CheckpointStore.StateRequest): Result.Result<CheckpointStore.StatePage, Failure> {
    return Result.mapError(Engine.getState(this.#state, request, this.#env()), failureOf)
  }

  /** The answer of the layer comes in a later turn of the event loop, as over a network. */
  #answer<A>(answer: () => Result.Result<A, Failure>): Effect.Effect<A, CheckpointStore.StoreError> {
    return Effect.flatMap(
      Effect.promise(() => Promise.resolve().then(answer)),
      (result) => Effect.mapError(Effect.fromResult(result), LambdaCheckpoints.storeError)
    )
  }

  #command<Request, Answer>(
    command: (state: Engine.ServiceState, request: Request, env: Engine.Env) => Engine.Outcome<Answer>,
    request: Request
  ): Answer {
    return this.#apply(orThrow(Result.mapError(command(this.#state, request, this.#env()), failureOf)))
  }

  #apply<A>({ answer, effects, state }: Engine.Applied<A>): A {
    this.#state = state
    this.#due.push(...effects.filter((effect) => effect._tag === "InvokeFunction"))
    this.#calls.push(...effects.filter((effect) => effect._tag === "RunTarget"))
    return answer
  }

  #now(): number {
    return Date.now() + this.#skipped
  }

  #env(): Engine.Env {
    return { config: this.#config, now: this.#now(), freshId: () => `id-${++this.#ids}` }
  }
}

const failureOf = ({ exception, message, status }: Engine.Refused): Failure => ({ status, name: exception, message })

/** Throws a failure in the shape of an exception of AWS's client. */
const orThrow = <A>(result: Result.Result<A, Failure>): A => {
  if (Result.isSuccess(result)) return result.success
  const { message, name, status } = result.failure
  throw Object.assign(new Error(message), {
    ...(name === undefined ? undefined : { name }),
    ...(status === undefined ? undefined : { $fault: "client", $metadata: { httpStatusCode: status } })
  })
}

const replyOf = (result: Result.Result<unknown, Failure>): Reply =>
  Result.match(result, {
    onSuccess: (body) => ({ body }),
    onFailure: ({ message, name = "", status = 500 }) => ({
      status,
      headers: { "x-amzn-errortype": name },
      body: { Message: message }
    })
  })

const decodeBody = Schema.decodeUnknownSync(CheckpointDurableExecutionBody)
const decodeRequest = (request: CheckpointStore.CheckpointRequest): CheckpointStore.CheckpointRequest => ({
  ...request,
  Updates: decodeBody(JSON.parse(JSON.stringify(request))).Updates ?? []
})
const encodeCheckpoint = Schema.encodeSync(CheckpointDurableExecutionResponse)
const encodeState = Schema.encodeSync(GetDurableExecutionStateResponse)

/** A context as Lambda gives it. The time left is that of a clock that runs, as on Lambda. */
export const contextOf = (
  millis = 900_000,
  fields: Partial<LambdaContext.InvocationContext> = {}
): LambdaContext.InvocationContext => {
  const end = performance.now() + millis
  return {
    awsRequestId: "4f8d7a52-0000-4000-8000-000000000001",
    functionName: "work",
    functionVersion: "7",
    invokedFunctionArn: "arn:aws:lambda:eu-west-1:123456789012:function:work:7",
    memoryLimitInMB: "128",
    logGroupName: "/aws/lambda/work",
    logStreamName: "2026/01/01/[7]0000",
    getRemainingTimeInMillis: () => end - performance.now(),
    ...fields
  }
}

/** What a promise was rejected with. */
export const rejectionOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => {
      throw new Error(`Expected a rejection, found ${JSON.stringify(value)}`)
    },
    (error: unknown) => error
  )
