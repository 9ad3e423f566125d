/**
 * A host gone mad: it sends commands in any order, with stale tokens, wrong updates and repeated requests, and it
 * remembers what the function and its clients have seen. Commands are drawn as data, so that a failure shrinks to a
 * few of them.
 */
import { assert } from "@effect/vitest"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import * as Service from "../../src/engine/Service.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import type { OperationUpdate } from "../../src/wire/OperationUpdate.ts"
import { type Invoke, lookup, midnight, startOrders } from "./support.ts"

// --- Commands as data ------------------------------------------------------------------------------------------------

/** One update of a checkpoint. `fitting` takes an action that the operation's present state allows. */
interface Change {
  readonly slot: number
  readonly fitting: boolean
  readonly action: number
  readonly parent: number
  readonly seconds: number
}

/**
 * Numbers choose among what there is at that moment. What spoils a run is chosen by numbers in the middle of their
 * range, because fast-check likes the ends.
 */
export type Command =
  | { readonly do: "start"; readonly target: number; readonly name: number | null; readonly timeout: number | null }
  | {
      readonly do: "checkpoint"
      readonly who: number
      readonly changes: ReadonlyArray<Change>
      readonly stale: number
      readonly close: number
    }
  | { readonly do: "repeat"; readonly which: number; readonly otherwise: boolean }
  | { readonly do: "end"; readonly who: number; readonly how: number; readonly stale: boolean }
  | { readonly do: "pass"; readonly seconds: number }
  | { readonly do: "skip" }
  | { readonly do: "callback"; readonly which: number; readonly how: number }
  | { readonly do: "target"; readonly which: number; readonly how: number }
  | { readonly do: "stop"; readonly who: number; readonly really: boolean }

const change: fc.Arbitrary<Change> = fc.record({
  slot: fc.nat(9),
  fitting: fc.integer({ min: 0, max: 9 }).map((number) => number !== 4),
  action: fc.nat(4),
  parent: fc.nat(15),
  seconds: fc.integer({ min: 1, max: 20 })
})

const tasks: ReadonlyArray<{ readonly weight: number; readonly arbitrary: fc.Arbitrary<Command> }> = [
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("start"),
      target: fc.nat(2),
      name: fc.option(fc.nat(1), { nil: null }),
      timeout: fc.option(fc.integer({ min: 1, max: 60 }), { nil: null, freq: 2 })
    })
  },
  {
    weight: 20,
    arbitrary: fc.record({
      do: fc.constant("checkpoint"),
      who: fc.nat(5),
      changes: fc.array(change, { maxLength: 4 }),
      stale: fc.nat(9),
      close: fc.nat(40)
    })
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("repeat"), which: fc.nat(9), otherwise: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("end"),
      who: fc.nat(5),
      how: fc.nat(30),
      stale: fc.nat(9).map((number) => number === 4)
    })
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("pass"), seconds: fc.integer({ min: -5, max: 30 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("skip") }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("callback"), which: fc.nat(9), how: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("target"), which: fc.nat(9), how: fc.nat(3) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("stop"), who: fc.nat(5), really: fc.nat(5).map((number) => number === 3) })
  }
]

const first: Command = { do: "start", target: 0, name: null, timeout: null }

export const commands: fc.Arbitrary<ReadonlyArray<Command>> = fc
  .array(fc.oneof(...tasks), { maxLength: 80, size: "max" })
  .map((list) => [first, ...list])

// --- The mad host ----------------------------------------------------------------------------------------------------

interface Sent {
  readonly request: Service.CheckpointRequest
  readonly answer: Service.CheckpointAnswer
  readonly at: number
}

export class Chaos {
  state = Service.empty
  now = midnight
  readonly config: Service.Config
  readonly arns: Array<string> = []
  /** Every token that was ever given, by execution, the newest last. */
  readonly tokens = new Map<string, Array<string>>()
  readonly invocations: Array<Invoke> = []
  readonly ended = new Set<string>()
  readonly targets: Array<{ readonly executionArn: string; readonly operationId: string }> = []
  readonly closed: Array<string> = []
  readonly callbackIds: Array<string> = []
  readonly sent: Array<Sent> = []
  /** What the running function knows of its execution. */
  readonly known = new Map<string, Map<string, Operation>>()
  refusals = 0
  /** Told of every command that was carried out, before the state is the new one. */
  onApplied: (before: Service.ServiceState, applied: Service.Applied<unknown>) => void = () => undefined
  #ids = 0

  constructor(pageItems: number, options: Partial<Service.Options> = {}) {
    this.config = Service.makeConfig({ lookup, pageItems, maxOperations: 40, ...options })
  }

  get env(): Service.Env {
    return { config: this.config, now: this.now, freshId: () => `id-${++this.#ids}` }
  }

  run(command: Command): void {
    switch (command.do) {
      case "start":
        return this.#start(command)
      case "checkpoint":
        return this.#checkpoint(command)
      case "repeat":
        return this.#repeat(command)
      case "end":
        return this.#end(command)
      case "pass":
        this.now += command.seconds * 1_000
        this.#take(Service.advanceTo(this.state, this.env))
        return
      case "skip":
        this.now = Math.max(this.now, this.#nextDue())
        this.#take(Service.advanceTo(this.state, this.env))
        return
      case "callback":
        return this.#callback(command)
      case "target":
        return this.#target(command)
      default:
        return this.#stop(command)
    }
  }

  /** The next timer, but for time-outs of executions: few would live to see anything else. */
  #nextDue(): number {
    for (const { due, kind } of Service.timers(this.state)) if (kind !== "ExecutionTimeout") return due
    return 0
  }

  #start({ name, target, timeout }: Extract<Command, { readonly do: "start" }>): void {
    const functionName = ["orders:$LATEST", "payments:live", "nowhere:1"][target] ?? ""
    const request = startOrders({
      functionName,
      ...(name !== null && { name: `name-${name}` }),
      ...(timeout !== null && { executionTimeoutSeconds: timeout })
    })
    this.#attempt(Service.startExecution(this.state, request, this.env))
  }

  #checkpoint(command: Extract<Command, { readonly do: "checkpoint" }>): void {
    const running = this.arns.filter((candidate) => this.#isRunning(candidate))
    const arn = pick(command.stale === 5 ? this.arns : running, command.who)
    if (arn === undefined) return
    const tokens = this.tokens.get(arn) ?? []
    const updates = command.changes.map((wanted) => this.#update(arn, wanted))
    if (command.close === 17) updates.push({ Id: "end", Type: "EXECUTION", Action: "SUCCEED", Payload: "1" })
    const request: Service.CheckpointRequest = {
      DurableExecutionArn: arn,
      CheckpointToken: (command.stale === 4 ? tokens.at(-2) : tokens.at(-1)) ?? "none",
      Updates: withoutRepeats(updates),
      ClientToken: `client-${this.sent.length}`
    }
    const at = Math.max(this.now, this.state.now)
    const answer = this.#attempt(Service.checkpoint(this.state, request, this.env))
    if (answer === undefined) return
    this.sent.push({ request, answer, at })
    if (answer.CheckpointToken !== undefined) tokens.push(answer.CheckpointToken)
    this.#learn(arn, answer.NewExecutionState, answer.CheckpointToken)
  }

  /** Sends an old request again, as a client does whose answer was lost. */
  #repeat({ otherwise, which }: Extract<Command, { readonly do: "repeat" }>): void {
    const sent = pick(this.sent, which)
    if (sent === undefined) return
    const { Updates = [] } = sent.request
    const request = otherwise
      ? { ...sent.request, Updates: [...Updates, { Id: "x", Type: "STEP", Action: "START" }] }
      : sent.request
    const view = () => this.arns.map((arn) => [Service.operations(this.state, arn), Service.history(this.state, arn)])
    // Time passes with every command; what happens by that is not the doing of the repetition.
    this.#take(Service.advanceTo(this.state, this.env))
    const before = view()
    const outcome = Service.checkpoint(this.state, structuredClone(request), this.env)
    const isRemembered = this.state.now - sent.at < 15 * 60_000
    if (!isRemembered || otherwise) {
      assert(Result.isFailure(outcome), "an old or changed request was accepted")
      return
    }
    assert(Result.isSuccess(outcome), "a repeated request was refused")
    assert.deepStrictEqual(outcome.success.answer, sent.answer)
    assert.deepStrictEqual(outcome.success.effects, [])
    this.#take(outcome.success)
    assert.deepStrictEqual(view(), before)
  }

  #end({ how, stale, who }: Extract<Command, { readonly do: "end" }>): void {
    const running = this.invocations.filter(({ invocationId }) => stale === this.ended.has(invocationId))
    const invocation = pick(running, who)
    if (invocation === undefined) return
    const { executionArn, invocationId } = invocation
    // Few functions suspend with nothing to wait for.
    const [, ...operations] = Service.operations(this.state, executionArn)
    const isIdle = operations.every(({ Status }) => Status !== "STARTED" && Status !== "PENDING")
    if (isIdle && how > 3 && endings[how - 7] === undefined) return
    this.ended.add(invocationId)
    this.#take(
      Service.invocationEnded(this.state, { executionArn, invocationId, end: endings[how - 7] ?? pending }, this.env)
    )
  }

  #callback({ how, which }: Extract<Command, { readonly do: "callback" }>): void {
    const callbackId = pick(this.callbackIds, which) ?? btoa("never given")
    const send =
      [Service.succeedCallback, Service.failCallback, Service.heartbeatCallback][how] ?? Service.succeedCallback
    this.#attempt(send(this.state, { callbackId }, this.env))
  }

  #target({ how, which }: Extract<Command, { readonly do: "target" }>): void {
    const target = pick(this.targets, which)
    const ends: ReadonlyArray<Service.TargetEnd> = [
      { _tag: "Succeeded", result: undefined },
      { _tag: "Failed", error: {} },
      { _tag: "TimedOut" },
      { _tag: "Stopped" }
    ]
    const end = ends[how]
    if (target !== undefined && end !== undefined) {
      this.#take(Service.targetEnded(this.state, { ...target, end }, this.env))
    }
  }

  #stop({ really, who }: Extract<Command, { readonly do: "stop" }>): void {
    const executionArn = pick(this.arns, who)
    if (executionArn !== undefined && really) {
      this.#attempt(Service.stopExecution(this.state, { executionArn }, this.env))
    }
  }

  // --- What comes back -----------------------------------------------------------------------------------------------

  #attempt<A>(outcome: Service.Outcome<A>): A | undefined {
    if (Result.isSuccess(outcome)) return this.#take(outcome.success)
    this.refusals++
    return undefined
  }

  #take<A>(applied: Service.Applied<A>): A {
    this.onApplied(this.state, applied)
    this.state = applied.state
    for (const effect of applied.effects) {
      switch (effect._tag) {
        case "InvokeFunction": {
          const { CheckpointToken, InitialExecutionState } = effect.event
          this.invocations.push(effect)
          if (!this.arns.includes(effect.executionArn)) this.arns.push(effect.executionArn)
          this.tokens.set(effect.executionArn, [...(this.tokens.get(effect.executionArn) ?? []), CheckpointToken])
          this.known.set(effect.executionArn, new Map())
          this.#learn(effect.executionArn, InitialExecutionState, CheckpointToken)
          break
        }
        case "RunTarget":
          this.targets.push({ executionArn: effect.executionArn, operationId: effect.operationId })
          break
        default:
          this.closed.push(effect.executionArn)
      }
    }
    return applied.answer
  }

  /** Takes in a page and fetches those that follow, as a function does before it goes on. */
  #learn(arn: string, first: Service.CheckpointAnswer["NewExecutionState"], token: string | undefined): void {
    let page = first
    for (;;) {
      for (const operation of page.Operations) {
        this.known.get(arn)?.set(operation.Id, operation)
        const callbackId = operation.CallbackDetails?.CallbackId
        if (callbackId !== undefined && !this.callbackIds.includes(callbackId)) this.callbackIds.push(callbackId)
      }
      if (page.NextMarker === undefined || token === undefined) return
      const query = { DurableExecutionArn: arn, CheckpointToken: token, Marker: page.NextMarker, MaxItems: 1_000 }
      page = Result.getOrThrow(Service.getState(this.state, query, this.env))
    }
  }

  #isRunning(arn: string): boolean {
    const execution = Service.execution(this.state, arn)
    return execution?.outcome === undefined && execution?.gate._tag === "InFlight"
  }

  #update(arn: string, { action, fitting, parent, seconds, slot }: Change): OperationUpdate {
    const kind = kinds[slot] ?? step("step-9")
    const operations = Service.operations(this.state, arn)
    const current = operations.find(({ Id }) => Id === kind.Id)
    const actions = fitting ? (kind.next[current?.Status ?? "NONE"] ?? []) : everyAction
    const Action = pick(actions, action) ?? "START"
    return {
      Id: kind.Id,
      Type: kind.Type,
      Action,
      ...(current === undefined &&
        parentOf(
          operations.filter(({ Type }) => Type === "CONTEXT"),
          parent
        )),
      ...(Action === "RETRY" && { StepOptions: { NextAttemptDelaySeconds: seconds } }),
      ...(Action === "RETRY" && seconds % 2 === 0 && { Error: { ErrorType: "Flaky" } }),
      ...(Action === "SUCCEED" && kind.Type === "CONTEXT" && { ContextOptions: { ReplayChildren: seconds % 3 === 0 } }),
      ...(kind.Type === "WAIT" && { WaitOptions: { WaitSeconds: seconds } }),
      ...(kind.Type === "CALLBACK" && {
        CallbackOptions: { TimeoutSeconds: seconds % 5, HeartbeatTimeoutSeconds: seconds % 3 }
      }),
      ...(kind.Type === "CHAINED_INVOKE" && { ChainedInvokeOptions: { FunctionName: pick(targets, seconds) ?? "" } })
    }
  }
}

/** Mostly none or a context, rarely something that cannot be a parent. */
const parentOf = (contexts: ReadonlyArray<Operation>, number: number): { readonly ParentId?: string } => {
  if (number === 8) return { ParentId: "nowhere" }
  if (number === 9) return { ParentId: "step-0" }
  const context = number < 8 ? pick(contexts, number) : undefined
  return context === undefined ? {} : { ParentId: context.Id }
}

const pick = <A>(items: ReadonlyArray<A>, number: number): A | undefined => items[number % Math.max(1, items.length)]

/** Mostly drops what would make the whole batch fail for a repeated id. */
const withoutRepeats = (updates: ReadonlyArray<OperationUpdate>): ReadonlyArray<OperationUpdate> =>
  updates.filter((update, index) => updates.findIndex(({ Id }) => Id === update.Id) === index)

const everyAction = ["START", "SUCCEED", "FAIL", "RETRY", "CANCEL"]

const stepActions: Readonly<Record<string, ReadonlyArray<string>>> = {
  NONE: ["START", "START", "RETRY", "SUCCEED"],
  STARTED: ["SUCCEED", "FAIL", "RETRY"],
  READY: ["START", "SUCCEED", "FAIL", "RETRY"]
}
const contextActions = { NONE: ["START"], STARTED: ["SUCCEED", "FAIL"] }
const waitActions = { NONE: ["START"], STARTED: ["CANCEL"] }

interface Kind {
  readonly Id: string
  readonly Type: string
  readonly next: Readonly<Record<string, ReadonlyArray<string>>>
}

const step = (Id: string): Kind => ({ Id, Type: "STEP", next: stepActions })

const kinds: ReadonlyArray<Kind> = [
  step("step-0"),
  step("step-1"),
  step("step-2"),
  { Id: "context-0", Type: "CONTEXT", next: contextActions },
  { Id: "context-1", Type: "CONTEXT", next: contextActions },
  { Id: "wait-0", Type: "WAIT", next: waitActions },
  { Id: "wait-1", Type: "WAIT", next: waitActions },
  { Id: "callback-0", Type: "CALLBACK", next: { NONE: ["START"] } },
  { Id: "callback-1", Type: "CALLBACK", next: { NONE: ["START"] } },
  { Id: "invoke-0", Type: "CHAINED_INVOKE", next: waitActions }
]

const targets = ["email", "payments:live", "orders:live", "nowhere:1"]

const pending: Service.InvocationEnd = { _tag: "Answered", answer: { Status: "PENDING" } }

/** Most invocations end with PENDING, and some with these. */
const endings: ReadonlyArray<Service.InvocationEnd> = [
  { _tag: "Answered", answer: { Status: "SUCCEEDED", Result: "1" } },
  { _tag: "Answered", answer: { Status: "FAILED" } },
  { _tag: "Answered", answer: "nonsense" },
  { _tag: "Crashed", error: { ErrorType: "Runtime.ExitError" } },
  { _tag: "Crashed", error: { ErrorType: "Error" } },
  { _tag: "TimedOut", afterSeconds: 900 }
]
