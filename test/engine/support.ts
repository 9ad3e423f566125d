/**
 * A service under test with everything that a host does by itself: it keeps the state, remembers the invocation in
 * flight of each execution and its newest token, and moves the time.
 */
import { assert } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Service from "../../src/engine/Service.ts"
import type { HistoryEvent } from "../../src/wire/HistoryEvent.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import type { OperationUpdate } from "../../src/wire/OperationUpdate.ts"

export type Invoke = Extract<Service.HostEffect, { readonly _tag: "InvokeFunction" }>
export type RunTarget = Extract<Service.HostEffect, { readonly _tag: "RunTarget" }>
export type Closed = Extract<Service.HostEffect, { readonly _tag: "ExecutionClosed" }>

/** The seed of this run: SEED, or the time. Printed, so that a failure can be repeated. */
export const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)

export const midnight = Date.UTC(2026, 0, 1)

const functions: ReadonlyArray<Service.FunctionEntry> = [
  { kind: "durable", name: "orders", version: "$LATEST" },
  { kind: "durable", name: "payments", version: "$LATEST", executionTimeoutSeconds: 600 },
  { kind: "plain", name: "email", version: "$LATEST" }
]

/** Functions of the tests; the alias `live` is version 7. */
export const lookup: Service.Config["lookup"] = (name, qualifier) => {
  const entry = functions.find((candidate) => candidate.name === name)
  return entry === undefined
    ? undefined
    : { ...entry, version: qualifier === "live" ? "7" : (qualifier ?? entry.version) }
}

export class TestService {
  state: Service.ServiceState = Service.empty
  now = midnight
  readonly config: Service.Config
  /** What the host was asked to do, all of it, in order. */
  readonly effects: Array<Service.HostEffect> = []
  readonly #tokens = new Map<string, string>()
  #ids = 0

  constructor(options: Partial<Service.Options> = {}) {
    this.config = Service.makeConfig({ lookup, ...options })
  }

  get env(): Service.Env {
    return { config: this.config, now: this.now, freshId: () => `id-${String(++this.#ids).padStart(6, "0")}` }
  }

  // --- Commands, as a host sends them --------------------------------------------------------------------------------

  take<A>(applied: Service.Applied<A>): A {
    this.state = applied.state
    for (const effect of applied.effects) {
      this.effects.push(effect)
      if (effect._tag === "InvokeFunction") this.#tokens.set(effect.executionArn, effect.event.CheckpointToken)
    }
    return applied.answer
  }

  accept<A>(outcome: Service.Outcome<A>): A {
    return this.take(Result.getOrThrow(outcome))
  }

  start(request: Partial<Service.StartRequest> = {}): string {
    return this.accept(Service.startExecution(this.state, startOrders(request), this.env)).executionArn
  }

  tryCheckpoint(arn: string, updates: ReadonlyArray<OperationUpdate>, more: Partial<Service.CheckpointRequest> = {}) {
    const request = { DurableExecutionArn: arn, CheckpointToken: this.token(arn), Updates: updates, ...more }
    return Service.checkpoint(this.state, request, this.env)
  }

  /** Checkpoints with the newest token and answers the operations that came back, by id. */
  checkpoint(arn: string, ...updates: ReadonlyArray<OperationUpdate>): Readonly<Record<string, Operation>> {
    const answer = this.accept(this.tryCheckpoint(arn, updates))
    if (answer.CheckpointToken !== undefined) this.#tokens.set(arn, answer.CheckpointToken)
    return byId(answer.NewExecutionState.Operations)
  }

  /** The message of the refusal that these updates meet. */
  refusal(arn: string, ...updates: ReadonlyArray<OperationUpdate>): string {
    return refused(this.tryCheckpoint(arn, updates)).message
  }

  end(arn: string, end: Service.InvocationEnd): void {
    const { invocationId } = this.invocation(arn)
    this.take(Service.invocationEnded(this.state, { executionArn: arn, invocationId, end }, this.env))
  }

  answer(arn: string, answer: unknown): void {
    this.end(arn, { _tag: "Answered", answer })
  }

  suspend(arn: string): void {
    this.answer(arn, { Status: "PENDING" })
  }

  crash(arn: string): void {
    this.end(arn, { _tag: "Crashed", error: { ErrorType: "Runtime.ExitError", ErrorMessage: "exit status 1" } })
  }

  /** Lets so many seconds pass at once. */
  pass(seconds: number): void {
    this.now += seconds * 1_000
    this.take(Service.advanceTo(this.state, this.env))
  }

  stop(arn: string) {
    return this.accept(Service.stopExecution(this.state, { executionArn: arn }, this.env))
  }

  succeed(callbackId: string, result?: string): void {
    const request = result === undefined ? { callbackId } : { callbackId, result }
    this.accept(Service.succeedCallback(this.state, request, this.env))
  }

  // --- What is to be seen --------------------------------------------------------------------------------------------

  token(arn: string): string {
    return this.#tokens.get(arn) ?? "none"
  }

  /** All invocations of this execution so far. */
  invocations(arn: string): ReadonlyArray<Invoke> {
    return this.effects
      .filter((effect) => effect._tag === "InvokeFunction")
      .filter((effect) => effect.executionArn === arn)
  }

  /** The newest invocation of this execution. */
  invocation(arn: string): Invoke {
    const newest = this.invocations(arn).at(-1)
    assert(newest !== undefined, "the function was never invoked")
    return newest
  }

  get targets(): ReadonlyArray<RunTarget> {
    return this.effects.filter((effect) => effect._tag === "RunTarget")
  }

  get closed(): ReadonlyArray<Closed> {
    return this.effects.filter((effect) => effect._tag === "ExecutionClosed")
  }

  execution(arn: string): Service.Execution {
    const execution = Service.execution(this.state, arn)
    assert(execution !== undefined, `there is no execution ${arn}`)
    return execution
  }

  operation(arn: string, id: string): Operation {
    const operation = Service.operations(this.state, arn).find((candidate) => candidate.Id === id)
    assert(operation !== undefined, `there is no operation ${id}`)
    return operation
  }

  history(arn: string): ReadonlyArray<HistoryEvent> {
    return Service.history(this.state, arn)
  }

  /** The types of all events. */
  eventTypes(arn: string): ReadonlyArray<string> {
    return this.history(arn).map((event) => event.EventType)
  }

  /** The one event of this type. */
  event<T extends HistoryEvent["EventType"]>(arn: string, type: T): Extract<HistoryEvent, { readonly EventType: T }> {
    const found = this.history(arn).filter(
      (event): event is Extract<HistoryEvent, { readonly EventType: T }> => event.EventType === type
    )
    const [only] = found
    assert(found.length === 1 && only !== undefined, `there are ${found.length} events ${type}`)
    return only
  }

  callbackId(arn: string, operationId: string): string {
    return this.operation(arn, operationId).CallbackDetails?.CallbackId ?? "none"
  }
}

export const startOrders = (request: Partial<Service.StartRequest> = {}): Service.StartRequest => ({
  functionName: "orders:$LATEST",
  payload: `{"id":1}`,
  ...request
})

export const byId = (operations: ReadonlyArray<Operation>): Readonly<Record<string, Operation>> =>
  Object.fromEntries(operations.map((operation) => [operation.Id, operation]))

export const refused = <A>(outcome: Result.Result<A, Service.Refused>): Service.Refused => {
  assert(Result.isFailure(outcome), "the command was not refused")
  return outcome.failure
}

/** The times by which a service says what came first: when operations ended and callbacks were created, by what. */
export const stampsOf = (state: Service.ServiceState): ReadonlyMap<string, number> => {
  const stamps = new Map<string, number>()
  for (const { identity } of Service.executions(state)) {
    for (const { EndTimestamp, Id, StartTimestamp, Type } of Service.operations(state, identity.arn)) {
      if (Type === "EXECUTION") continue
      if (Type === "CALLBACK") stamps.set(`start of ${Id} in ${identity.arn}`, StartTimestamp)
      if (EndTimestamp !== undefined) stamps.set(`end of ${Id} in ${identity.arn}`, EndTimestamp)
    }
  }
  return stamps
}

// --- Updates ---------------------------------------------------------------------------------------------------------

type Extra = Partial<OperationUpdate>

export const step = (Id: string, Action: string, extra: Extra = {}): OperationUpdate => ({
  Id,
  Type: "STEP",
  SubType: "Step",
  Action,
  ...extra
})

export const retry = (Id: string, seconds: number, extra: Extra = {}): OperationUpdate =>
  step(Id, "RETRY", {
    Error: { ErrorType: "Flaky", ErrorMessage: "no luck" },
    StepOptions: { NextAttemptDelaySeconds: seconds },
    ...extra
  })

export const context = (Id: string, Action: string, extra: Extra = {}): OperationUpdate => ({
  Id,
  Type: "CONTEXT",
  SubType: "RunInChildContext",
  Action,
  ...extra
})

export const wait = (Id: string, seconds: number, extra: Extra = {}): OperationUpdate => ({
  Id,
  Type: "WAIT",
  SubType: "Wait",
  Action: "START",
  WaitOptions: { WaitSeconds: seconds },
  ...extra
})

export const callback = (
  Id: string,
  options?: OperationUpdate["CallbackOptions"],
  extra: Extra = {}
): OperationUpdate => ({
  Id,
  Type: "CALLBACK",
  SubType: "Callback",
  Action: "START",
  ...(options !== undefined && { CallbackOptions: options }),
  ...extra
})

export const invoke = (Id: string, FunctionName: string, extra: Extra = {}): OperationUpdate => ({
  Id,
  Type: "CHAINED_INVOKE",
  SubType: "ChainedInvoke",
  Action: "START",
  Payload: `{"a":1}`,
  ChainedInvokeOptions: { FunctionName },
  ...extra
})

export const cancel = (Id: string, Type: string): OperationUpdate => ({ Id, Type, Action: "CANCEL" })

export const finish = (Action: "SUCCEED" | "FAIL", extra: Extra = {}): OperationUpdate => ({
  Id: "end",
  Type: "EXECUTION",
  Action,
  ...extra
})
