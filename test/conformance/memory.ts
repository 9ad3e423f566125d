/**
 * The backend in memory: this library's model of the service, hosting handlers of anybody in virtual time.
 *
 * A handler finds the two calls of its invocation on the event, as under AWS's test runner. Time stands still while
 * functions run, and leaps to whatever is due next when none does.
 */
import { cast } from "effect/Function"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { setImmediate, setTimeout } from "node:timers/promises"
import * as Engine from "../../src/engine/Service.ts"
import { CheckpointDurableExecutionBody } from "../../src/wire/CheckpointApi.ts"
import type { HistoryEvent } from "../../src/wire/HistoryEvent.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import { parseResult, sentError, sentPayload, type AnyHandler, type Backend, type Run, type Start } from "./backend.ts"
import { DurableExecutionInvocationInputWithClient, type Client } from "./event.ts"
import type { Json } from "./matcher.ts"
import type { Watch } from "./process.ts"
import type { CallbackAction } from "./requirement.ts"

/** What comes between a handler and the service: makes a request, or lets it fail. */
export type Around = <A>(send: () => A) => A

export const memory = (watch: Watch, around: Around = (send) => send()): Backend => ({
  name: "memory",
  width: 8,
  lateness: 0,
  start: async (start) => new Host(start, watch, around).run(),
  close: async () => {}
})

/** The name under which the handler of the requirement is deployed. */
const underTest = "under-test"

type Invocation = Extract<Engine.HostEffect, { readonly _tag: "InvokeFunction" }>
type TargetCall = Extract<Engine.HostEffect, { readonly _tag: "RunTarget" }>

let hosts = 0

class Host {
  readonly #start: Start
  readonly #watch: Watch
  readonly #around: Around
  readonly #config: Engine.Config
  readonly #number = ++hosts
  #state = Engine.empty
  #now = Date.now()
  #ids = 0
  #running = 0
  #stopped = false
  #lastNews = performance.now()
  readonly #queue: Array<Engine.HostEffect> = []
  /** What outsiders do, and when: ends of targets, and callbacks. */
  readonly #outside: Array<{ readonly due: number; readonly act: () => void }> = []
  readonly #callbacks = new Set<unknown>()

  constructor(start: Start, watch: Watch, around: Around) {
    this.#start = start
    this.#watch = watch
    this.#around = around
    this.#config = Engine.makeConfig({
      // Handlers see times as `Date`s, which have no fractions of a millisecond.
      stampStep: 1,
      lookup: (name) => {
        const kind =
          name === underTest || name in start.durableTargets ? "durable" : name in start.targets ? "plain" : undefined
        return kind && { kind, name, version: "$LATEST" }
      }
    })
  }

  run(): Run {
    const { executionArn } = this.#command(Engine.startExecution, {
      functionName: underTest,
      qualifier: "$LATEST",
      payload: this.#start.input
    })
    void this.#loop(executionArn)
    return {
      executionArn: () => executionArn,
      events: () => this.#history(executionArn),
      ended: () => {
        const outcome = Engine.execution(this.#state, executionArn)?.outcome
        if (outcome === undefined) return undefined
        return outcome.status === "SUCCEEDED"
          ? { status: outcome.status, value: parseResult(outcome.result) }
          : { status: outcome.status }
      },
      stop: () => {
        this.#stopped = true
      }
    }
  }

  #history(executionArn: string): ReadonlyArray<Json> {
    return JSON.parse(JSON.stringify(Engine.history(this.#state, executionArn).map(withArn)))
  }

  async #loop(executionArn: string): Promise<void> {
    while (!this.#stopped && Engine.execution(this.#state, executionArn)?.outcome === undefined) {
      this.#askOutsiders(executionArn)
      const effect = this.#queue.shift()
      if (effect !== undefined) void this.#perform(effect)
      else if (this.#running > 0 && performance.now() - this.#lastNews < patience) await setTimeout(1)
      else if (!this.#pass()) await setTimeout(1)
    }
  }

  /** Lets the next thing happen, if there is one. */
  #pass(): boolean {
    this.#outside.sort((a, b) => a.due - b.due)
    const due = Math.min(Engine.nextDue(this.#state) ?? Infinity, this.#outside[0]?.due ?? Infinity)
    if (due === Infinity) return false
    this.#now = Math.max(this.#now, due)
    this.#take(Engine.advanceTo(this.#state, this.#env()))
    if ((this.#outside[0]?.due ?? Infinity) <= this.#now) this.#outside.shift()?.act()
    return true
  }

  #env(): Engine.Env {
    return {
      config: this.#config,
      now: this.#now,
      freshId: () =>
        `00000000-0000-4000-8000-${(this.#number * 1_000_000 + ++this.#ids).toString(16).padStart(12, "0")}`
    }
  }

  #take<A>({ answer, effects, state }: Engine.Applied<A>): A {
    this.#lastNews = performance.now()
    this.#state = state
    this.#queue.push(...effects)
    return answer
  }

  /** Applies a command, and throws what the AWS client throws when it is refused. */
  #command<Request, Answer>(
    command: (state: Engine.ServiceState, request: Request, env: Engine.Env) => Engine.Outcome<Answer>,
    request: Request
  ): Answer {
    return this.#take(Result.getOrThrowWith(command(this.#state, request, this.#env()), apiError))
  }

  // --- Functions -----------------------------------------------------------------------------------------------------

  async #perform(effect: Engine.HostEffect): Promise<void> {
    if (effect._tag === "ExecutionClosed") return
    this.#running++
    await (effect._tag === "InvokeFunction" ? this.#invoke(effect) : this.#callTarget(effect))
    this.#running--
  }

  async #invoke(invocation: Invocation): Promise<void> {
    const { executionArn, functionName, invocationId } = invocation
    const handler = functionName === underTest ? this.#start.handler : this.#start.durableTargets[functionName]
    const end = handler === undefined ? crashed("there is no such function") : await this.#answerOf(handler, invocation)
    this.#take(Engine.invocationEnded(this.#state, { executionArn, invocationId, end }, this.#env()))
  }

  /** Runs the handler until it answers, throws, or lets its process die. */
  #answerOf(handler: AnyHandler, { event, functionArn, functionName, invocationId }: Invocation) {
    return new Promise<Engine.InvocationEnd>((resolve) => {
      let alive = true
      if (this.#start.mayCrash) {
        this.#watch.onExit = (code) => {
          alive = false
          resolve(crashed(`RequestId: ${invocationId} Error: Runtime exited with error: exit status ${code}`))
        }
      }
      const context = {
        awsRequestId: invocationId,
        functionName,
        functionVersion: "$LATEST",
        invokedFunctionArn: functionArn,
        memoryLimitInMB: "128",
        logGroupName: "/aws/lambda/under-test",
        logStreamName: "memory",
        getRemainingTimeInMillis: () => 900_000
      }
      const { Operations, NextMarker } = event.InitialExecutionState
      const input = new DurableExecutionInvocationInputWithClient(
        event.DurableExecutionArn,
        event.CheckpointToken,
        { Operations: withDates(Operations), NextMarker: NextMarker ?? "" },
        this.#client(() => alive)
      )
      handler(cast(input), cast(context)).then(
        (answer) => alive && resolve({ _tag: "Answered", answer: JSON.parse(JSON.stringify(answer ?? null)) }),
        (error: unknown) => alive && resolve({ _tag: "Crashed", error: thrown(error) })
      )
    })
  }

  /** The calls of one invocation. A dead process hears of nothing any more. */
  #client(isAlive: () => boolean): Client {
    const answer = async <A>(call: () => A): Promise<A> => {
      await setImmediate()
      return isAlive() ? call() : new Promise<A>(() => {})
    }
    return {
      checkpoint: (params) =>
        answer(() => {
          const request: Engine.CheckpointRequest = JSON.parse(JSON.stringify(params))
          const { CheckpointToken, NewExecutionState } = this.#around(() =>
            this.#command(Engine.checkpoint, {
              ...decodeBody(request),
              DurableExecutionArn: request.DurableExecutionArn
            })
          )
          const { NextMarker, Operations } = NewExecutionState
          return { CheckpointToken, NewExecutionState: { Operations: withDates(Operations), NextMarker } }
        }),
      getExecutionState: (params) =>
        answer(() => {
          const page = Result.getOrThrowWith(
            Engine.getState(this.#state, JSON.parse(JSON.stringify(params)), this.#env()),
            apiError
          )
          return { Operations: withDates(page.Operations), NextMarker: page.NextMarker }
        })
    }
  }

  async #callTarget({ executionArn, functionName, operationId, payload }: TargetCall): Promise<void> {
    const target = this.#start.targets[functionName]
    const end: Engine.TargetEnd = await Promise.resolve()
      .then(() => target?.(payload === undefined ? undefined : JSON.parse(payload)))
      .then(
        (result) => ({ _tag: "Succeeded", result: JSON.stringify(result) }),
        (error: unknown) => ({ _tag: "Failed", error: thrown(error) })
      )
    // It arrives when the caller's invocation has ended, as an answer over the network would.
    this.#outside.push({
      due: this.#now,
      act: () => this.#take(Engine.targetEnded(this.#state, { executionArn, operationId, end }, this.#env()))
    })
  }

  // --- Callbacks -----------------------------------------------------------------------------------------------------

  #askOutsiders(executionArn: string): void {
    for (const event of Engine.history(this.#state, executionArn)) {
      if (event.EventType !== "CallbackStarted" || this.#callbacks.has(event.EventId)) continue
      this.#callbacks.add(event.EventId)
      this.#schedule(executionArn, JSON.parse(JSON.stringify(event)), event.CallbackStartedDetails.CallbackId)
    }
  }

  #schedule(executionArn: string, started: Json, callbackId: string): void {
    const action = this.#start.onCallback(started, this.#history(executionArn))
    if (action === undefined) return
    this.#outside.push({
      due: this.#now + (action.Delay ?? 0) * 1_000,
      act: () => {
        try {
          this.#complete(action, callbackId)
        } catch (error) {
          this.#start.onRefused(started, action, error)
        }
        if (action.Operation === "heartbeat") this.#schedule(executionArn, started, callbackId)
      }
    })
  }

  #complete(action: CallbackAction, callbackId: string): void {
    switch (action.Operation) {
      case "success":
        return this.#command(Engine.succeedCallback, { callbackId, result: sentPayload(action) })
      case "failure":
        return this.#command(Engine.failCallback, { callbackId, error: sentError(action) })
      default:
        return this.#command(Engine.heartbeatCallback, { callbackId })
    }
  }
}

/** Milliseconds of real time without a checkpoint after which time passes although a function is running. */
const patience = 2_000

const crashed = (message: string): Engine.InvocationEnd => ({
  _tag: "Crashed",
  error: { ErrorType: "Runtime.ExitError", ErrorMessage: message }
})

const thrown = (error: unknown): { readonly ErrorType: string; readonly ErrorMessage: string } =>
  error instanceof Error
    ? { ErrorType: error.name, ErrorMessage: error.message }
    : { ErrorType: "Error", ErrorMessage: String(error) }

/** What the AWS client throws when the service would not have a request. */
export const apiError = ({
  exception,
  message,
  status
}: Pick<Engine.Refused, "exception" | "message" | "status">): Error =>
  Object.assign(new Error(message), {
    name: exception,
    $fault: status < 500 ? "client" : "server",
    $metadata: { httpStatusCode: status }
  })

const decodeBody = Schema.decodeUnknownSync(CheckpointDurableExecutionBody)

/** AWS's client gives its SDK times as `Date`s. */
const withDates = (operations: ReadonlyArray<Operation>): ReadonlyArray<unknown> =>
  JSON.parse(JSON.stringify(operations), (key, value) =>
    key.endsWith("Timestamp") && typeof value === "number" ? new Date(value) : value
  )

/** The ARN of a callee is a field of every event that starts one, and a plain function has none. */
const withArn = (event: HistoryEvent): unknown =>
  event.EventType === "ChainedInvokeStarted"
    ? {
        ...event,
        ChainedInvokeStartedDetails: { DurableExecutionArn: null, ...event.ChainedInvokeStartedDetails }
      }
    : event
