/**
 * A whole region in memory: the model of the service, the functions that it serves, and a virtual clock that moves by
 * itself.
 *
 * Owns: the state of the service, the running functions, and the time, which moves only when nothing can happen without it:
 * no fiber is about to run, no request to the service is open, and every running step, hold and function sleeps on the
 * virtual clock. Real I/O stops time until it is done.
 * Does not own: the behaviour of the service, which the engine defines, and of an invocation.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Result from "effect/Result"
import { CheckpointStore, type CheckpointRequest, type StoreError } from "../CheckpointStore.ts"
import { DurableClient, successorOf } from "../DurableClient.ts"
import type { OperationAddress } from "../engine/Execution.ts"
import * as Engine from "../engine/Service.ts"
import type { AnyFiber } from "../execution/Fibers.ts"
import type { Attempt } from "../execution/Listener.ts"
import type { Parts } from "../execution/Parts.ts"
import { makeClient } from "../hosting/client.ts"
import { md5 } from "../internal/md5.ts"
import { invoke, limitsOf } from "../invocation/Invocation.ts"
import { storeError } from "../StoreFailure.ts"
import type { HistoryEvent } from "../wire/HistoryEvent.ts"
import type { Operation } from "../wire/Operation.ts"
import { serveAnswer, type Answer, type Answering } from "./Answer.ts"
import { Callbacks, keyOf } from "./Callbacks.ts"
import { Crashes, type Point } from "./Crash.ts"
import { AskedFor, difference, type Replayed } from "./RecordedBlocks.ts"
import { sent } from "./crossing.ts"
import { EngineFaults } from "./EngineFaults.ts"
import { FailedInvocations, invocationEnd, type InvocationExit } from "./FailedInvocations.ts"
import type { EngineOptions } from "./Faults.ts"
import { Order } from "./Order.ts"
import { picks } from "./pattern.ts"
import { reportOf, type Call } from "./report.ts"
import type { Served, TargetAnswer } from "./Served.ts"
import { faultOf, type StepFault } from "./StepFault.ts"
import { CurrentCall, Stillness, startTimer } from "./Stillness.ts"
import { TestFailure } from "./TestFailure.ts"
import { VirtualClock } from "./VirtualClock.ts"
import { testFailure, Waiters } from "./Waiters.ts"

export interface WorldOptions {
  /** The start of virtual time, in milliseconds since the epoch. */
  readonly startTime: number
  /** The number of quiet turns of the event loop before time may move. */
  readonly quietTurns: number
  /** Virtual milliseconds after which an invocation is cut off. */
  readonly invocationTimeout: number
  /** Virtual seconds after which an execution times out. */
  readonly executionTimeout: number | undefined
  /** Real milliseconds for which work that no operation records may keep an invocation alive. */
  readonly outsideLimit: number
  /** Whether such work is a fault of the test. */
  readonly strict: boolean
  readonly engine: Partial<Omit<Engine.Options, "lookup">>
  /** The points at which invocations are killed. */
  readonly crashes: ReadonlyArray<Point>
  readonly faults: EngineOptions
  /** The choice, each time that several events are due at the same time. */
  readonly order: ReadonlyArray<number>
  /** Receives the start of an attempt of a step. `isLate` marks the later of two invocations of one event. */
  readonly onAttempt?: ((executionArn: string, attempt: Attempt, isLate: boolean) => void) | undefined
}

/** An invocation that the engine has requested. */
type Invoked = Extract<Engine.HostEffect, { readonly _tag: "InvokeFunction" }>

/** A running call of the world. */
interface Running extends Call {
  readonly executionArn: string
  readonly key: string
  readonly fiber: AnyFiber
  parts: Parts | undefined
}

export class World {
  readonly clock: VirtualClock
  readonly #stillness: Stillness
  readonly #config: Engine.Config
  readonly #options: WorldOptions
  readonly #functions: ReadonlyMap<string, Served>
  readonly #services: Context.Context<CheckpointStore>
  readonly #running = new Map<string, Running>()
  /** The invocations that wait for an event that only another invocation could cause. */
  readonly #doubted = new Set<string>()
  readonly #targets = new Map<string, Running>()
  readonly #answering = new Map<string, Running>()
  readonly #faults: ReadonlyArray<StepFault>
  readonly #disturbed: EngineFaults
  readonly #answers: ReadonlyArray<Answering>
  readonly #callbacks = new Callbacks((executionArn) => this.execution(executionArn))
  readonly #waiters: Waiters
  readonly #failed = new FailedInvocations()
  readonly #pending: Array<() => void> = []
  /** The crashes, and the checkpoints that were sent. */
  readonly crashes: Crashes
  /** The order of events that are due at the same time. */
  readonly order: Order
  /** The port of the workflows. */
  readonly store: CheckpointStore["Service"]
  /** The clock that functions see. */
  readonly #seenClock: Clock.Clock
  /** The latest invocation of each execution. */
  readonly #invoked = new Map<string, Invoked>()
  #state = Engine.empty
  /** How many ids each owner has had. */
  readonly #ids = new Map<string, number>()
  #stopped = false

  constructor(options: {
    /** The functions by all of their names. */
    readonly functions: ReadonlyMap<string, Served>
    readonly answers: ReadonlyArray<Answer<unknown>>
    readonly faults: ReadonlyArray<StepFault>
    readonly services: Context.Context<never>
    readonly options: WorldOptions
  }) {
    this.#functions = options.functions
    this.#faults = options.faults
    this.#answers = options.answers.map((answer) => serveAnswer(answer, this.client))
    this.#options = options.options
    this.crashes = new Crashes(options.options.crashes, options.options.onAttempt !== undefined, {
      runAgain: (request) => this.#invokeAgain(request),
      crashed: options.options.faults.onCrash
    })
    this.clock = new VirtualClock(options.options.startTime, () => this.touch())
    this.order = new Order(options.options.order)
    this.#disturbed = new EngineFaults(options.options.faults)
    this.#seenClock = this.#disturbed.clock(this.clock)
    this.store = this.#makeStore()
    this.#stillness = new Stillness(this.clock, options.options.quietTurns, () => this.#onQuiet())
    this.#waiters = new Waiters(this.#stillness, (executionArn) => this.report(executionArn))
    this.#config = Engine.makeConfig({
      ...options.options.engine,
      executionTimeoutSeconds: options.options.executionTimeout ?? aCentury,
      lookup: this.#lookup,
      missingAdvice: (name) => {
        const served = [...options.functions.keys()].map((other) => `"${other}"`).join(", ")
        return `. This test serves no function "${name}", ${served === "" ? "and no other" : `only ${served}`}. Add it, or a TestEngine.stub of its contract, to the functions of TestEngine.layer.`
      }
    })
    this.#services = options.services.pipe(
      Context.add(Clock.Clock, this.#seenClock),
      Context.add(
        Metric.FiberRuntimeMetrics,
        this.#stillness.tree.metrics(Context.get(options.services, Metric.FiberRuntimeMetrics))
      ),
      Context.add(CheckpointStore, this.store),
      Context.add(DurableClient, this.client)
    )
  }

  // --- Calls from outside ------------------------------------------------------------------------------------------

  /** The client of this world, for tests and for its own functions. */
  readonly client: DurableClient["Service"] = makeClient(this)

  /** Applies a command of the engine, and performs its effects. */
  readonly command = <Request, Answer>(
    command: (state: Engine.ServiceState, request: Request, env: Engine.Env) => Engine.Outcome<Answer>,
    request: Request
  ): Result.Result<Answer, Engine.Refused> => {
    const outcome = command(this.#state, request, this.#env())
    return Result.map(outcome, (applied) => this.#take(applied))
  }

  /** Runs a query of the engine. */
  readonly query = <Query, Answer>(
    query: (state: Engine.ServiceState, query: Query, env: Engine.Env) => Result.Result<Answer, Engine.Refused>,
    request: Query
  ): Result.Result<Answer, Engine.Refused> => query(this.#state, request, this.#env())

  readonly list = (query: Parameters<typeof Engine.listExecutions>[1]): ReturnType<typeof Engine.listExecutions> =>
    this.query(Engine.listExecutions, query)

  /** Returns an execution of the engine. */
  readonly execution = (executionArn: string): Engine.Execution | undefined =>
    Engine.execution(this.#state, executionArn)

  /** Returns the operations of an execution in start order, the execution itself first. */
  readonly operations = (executionArn: string): ReadonlyArray<Operation> => Engine.operations(this.#state, executionArn)

  /** Returns the events of an execution. */
  readonly history = (executionArn: string): ReadonlyArray<HistoryEvent> => Engine.history(this.#state, executionArn)

  /**
   * Waits until an execution has ended, or the last of those that it handed over to. Dies with a report when nothing has
   * happened for `patience` milliseconds of real time.
   */
  readonly ended = (executionArn: string, patience: number): Effect.Effect<Ended> =>
    Effect.flatMap(this.closed(executionArn, patience), (ended) => {
      const successor = successorOf(ended.outcome)
      return successor === undefined ? Effect.succeed(ended) : this.ended(successor, patience)
    })

  /** Waits for the end of this execution alone. */
  readonly closed = (executionArn: string, patience: number): Effect.Effect<Ended> =>
    this.#waiters.wait(executionArn, patience, () => {
      const execution = this.execution(executionArn)
      return execution?.outcome === undefined ? undefined : Effect.succeed({ execution, outcome: execution.outcome })
    })

  /** Waits until a callback of a name is open, and returns its id. */
  readonly openCallback = (executionArn: string, name: string, patience: number): Effect.Effect<string> =>
    this.#waiters.wait(
      executionArn,
      patience,
      () => {
        const open = this.operations(executionArn).find(
          ({ Id: operationId, Name, Status, Type }) =>
            Type === "CALLBACK" &&
            Name === name &&
            Status === "STARTED" &&
            this.#callbacks.isOpen({ executionArn, operationId })
        )?.CallbackDetails?.CallbackId
        const execution = this.execution(executionArn)
        if (execution?.outcome !== undefined) {
          const { name: own } = execution.identity
          return testFailure(
            `The execution "${own}" ended, and no callback "${name}" of it is open any more. Ask for the handle before the execution can end, and check the name.`
          )
        }
        return open === undefined ? undefined : Effect.succeed(open)
      },
      `The test waits for a callback "${name}", and none of this name is open.`
    )

  /** The number of fibers that are alive although no call of the world runs. */
  get fibersLeft(): number {
    return this.#everything().length > 0 ? 0 : Array.from(this.#stillness.tree.live).length
  }

  /** Ends all running calls. */
  readonly dispose: Effect.Effect<void> = Effect.suspend(() => {
    this.#stopped = true
    this.#stillness.stop()
    for (const { fiber } of this.#everything()) fiber.interruptUnsafe()
    return Effect.void
  })

  // --- The port of the workflows -----------------------------------------------------------------------------------

  #makeStore(): CheckpointStore["Service"] {
    const service: CheckpointStore["Service"] = {
      checkpoint: (request) =>
        this.#request(() =>
          Result.map(this.command(Engine.checkpoint, { ...request, ...sent.request(request) }), (answer) => {
            this.#lookForCallbacks(request)
            return sent.response(answer)
          })
        ),
      loadState: (request) => this.#request(() => this.query(Engine.getState, request)),
      ordered: true
    }
    const faulty = this.#disturbed.store(service, (request) => this.#invokeAgain(request))
    return { ...faulty, checkpoint: (request) => this.crashes.around(request, faulty.checkpoint(request)) }
  }

  /** Sends a request. Its answer comes in a later turn of the event loop, as over a network. */
  #request<A>(answer: () => Result.Result<A, Engine.Refused>): Effect.Effect<A, StoreError> {
    const answered = Effect.flatMap(Effect.yieldNow, () =>
      Result.match(answer(), {
        onSuccess: Effect.succeed,
        onFailure: (refused) =>
          Effect.fail(storeError({ status: refused.status, name: refused.exception, message: refused.message }))
      })
    )
    return this.#stillness.whileOpen(answered)
  }

  // --- Effects of the engine ---------------------------------------------------------------------------------------

  #env(): Engine.Env {
    return { config: this.#config, now: this.clock.currentTimeMillisUnsafe(), freshId: this.#freshId }
  }

  readonly #freshId = (owner = ""): string => {
    const count = (this.#ids.get(owner) ?? 0) + 1
    this.#ids.set(owner, count)
    const digits = owner === "" ? "0".repeat(32) : md5(owner)
    return digits.replace(/^(.{8})(.{4}).(.{3}).(.{3}).{12}$/, `$1-$2-4$3-8$4-${count.toString(16).padStart(12, "0")}`)
  }

  readonly #lookup: Engine.Config["lookup"] = (name, qualifier) => {
    const served = this.#functions.get(name)
    if (served === undefined) return undefined
    // Aliases lead to version 1: in this world every function has one version.
    const version =
      qualifier === undefined || qualifier.startsWith("$") ? "$LATEST" : /^\d+$/.test(qualifier) ? qualifier : "1"
    return { kind: served._tag === "Workflow" ? "durable" : "plain", name, version }
  }

  #take<A>(applied: Engine.Applied<A>): A {
    this.#state = applied.state
    for (const effect of applied.effects) this.#perform(effect)
    this.#dropAnswers()
    this.touch()
    return applied.answer
  }

  /**
   * Performs an effect. Functions start when nothing else is about to happen, so that a callee never answers before its
   * caller suspends.
   */
  #perform(effect: Engine.HostEffect): void {
    switch (effect._tag) {
      case "InvokeFunction":
        return void this.#pending.push(() => this.#invoke(effect))
      case "RunTarget":
        return void this.#pending.push(() => this.#callTarget(effect))
      case "ExecutionClosed":
        return this.#waiters.announce(effect.executionArn)
    }
  }

  #invoke(effect: Invoked): void {
    const { executionArn, invocationId } = effect
    this.#invoked.set(executionArn, effect)
    this.#runInvocation(effect, invocationId, (exit) => {
      const end = invocationEnd(exit, sent.answer)
      const problem = this.#failed.count(executionArn, exit, end, this.operations(executionArn).length)
      if (problem !== undefined) this.#waiters.fail(executionArn, problem)
      this.#take(Engine.invocationEnded(this.#state, { executionArn, invocationId, end }, this.#env()))
    })
  }

  /** Delivers the event of an invocation a second time. The answer of this invocation is dropped. */
  #invokeAgain({ DurableExecutionArn }: CheckpointRequest): void {
    const effect = this.#invoked.get(DurableExecutionArn)
    if (effect !== undefined) this.#runInvocation(effect, `${effect.invocationId} again`, () => {})
  }

  #runInvocation(effect: Invoked, key: string, ended: (exit: InvocationExit) => void): void {
    const served = this.#functions.get(effect.functionName)
    if (served?._tag !== "Workflow") throw new Error(`The function ${effect.functionName} is no workflow.`)
    const { executionArn } = effect
    const { onAttempt, outsideLimit, strict } = this.#options
    const asked = new AskedFor()
    const ran = invoke(served.implementation, this.#disturbed.event(sent.event(effect.event)), {
      captureSources: true,
      warnAboutTargets: false,
      outsideLimit,
      startTimer,
      whenQuiet: (limit, action) => this.#doubt(key, limit, action),
      ...limitsOf(this.#seenClock.currentTimeMillisUnsafe(), this.#options.invocationTimeout),
      traceHeader: effect.traceHeader,
      insteadOf:
        this.#faults.length === 0 && onAttempt === undefined
          ? undefined
          : (attempt) => {
              onAttempt?.(executionArn, attempt, key !== effect.invocationId)
              return faultOf(this.#faults, attempt)
            },
      listener: {
        moved: this.touch,
        claimed: strict ? asked.listener.claimed : undefined,
        outside: strict ? (_, message) => this.#waiters.fail(executionArn, message) : undefined
      },
      onStart: (parts) => void (running.parts = parts)
    })
    const { implementation } = served
    const driver = strict
      ? Effect.tap(ran, ({ answer }) => this.#replay({ implementation, executionArn, asked, answer }))
      : ran
    const about = { executionArn, kind: "function", name: effect.functionName } as const
    const running = this.#start(this.#running, key, about, driver, ended)
  }

  /**
   * Handles an invocation that nothing of its own will ever wake. While other invocations run, one of them may wake it
   * through shared memory; nothing waits for the invocation in doubt meanwhile.
   */
  #doubt(key: string, limit: number, action: (isQuiet: boolean) => void): () => void {
    const isForOthers = (): boolean =>
      this.#pending.length > 0 || Array.from(this.#running.keys()).some((other) => !this.#doubted.has(other))
    this.#doubted.add(key)
    // Time may continue only for the sake of the others.
    if (isForOthers()) this.touch()
    const stop = this.#stillness.whenQuiet(limit, isForOthers, (isQuiet) => {
      this.#doubted.delete(key)
      action(isQuiet)
    })
    return () => {
      this.#doubted.delete(key)
      stop()
    }
  }

  /**
   * Checks, in a strict world, whether a replay would do the same as the invocation that has just ended. An invocation
   * that did not receive all records yet, such as the end of a call whose start had to be sent again, proves nothing: a
   * replay knows more than the invocation did. Another invocation follows then, which is checked.
   */
  #replay(replayed: Omit<Replayed, "records">): Effect.Effect<void> {
    const { executionArn } = replayed
    const execution = Engine.execution(this.#state, executionArn)
    if (execution !== undefined && Engine.hasNews(execution)) return Effect.void
    const records = this.operations(executionArn)
    return Effect.map(
      difference({ ...replayed, records }, this.clock.currentTimeMillisUnsafe()),
      (found) => found !== undefined && this.#waiters.fail(executionArn, found)
    )
  }

  #callTarget(effect: Extract<Engine.HostEffect, { readonly _tag: "RunTarget" }>): void {
    const { executionArn, functionName, operationId, payload, tenantId } = effect
    const served = this.#functions.get(functionName)
    if (served?._tag !== "Target") throw new Error(`The function ${functionName} is no target.`)
    const target = served.run({ payload, tenantId })
    const about = { executionArn, kind: "function", name: functionName } as const
    this.#start(this.#targets, keyOf(effect), about, target, (exit) => {
      const end: TargetAnswer = Exit.isSuccess(exit)
        ? exit.value
        : { _tag: "Failed", error: { ErrorType: "Runtime.ExitError", ErrorMessage: Cause.pretty(exit.cause) } }
      if (end._tag === "Never") return
      this.#take(Engine.targetEnded(this.#state, { executionArn, operationId, end }, this.#env()))
    })
  }

  #start<A, E>(
    among: Map<string, Running>,
    key: string,
    about: Pick<Running, "executionArn" | "kind" | "name">,
    effect: Effect.Effect<A, E, CheckpointStore>,
    ended: (exit: Exit.Exit<A, E>) => void
  ): Running {
    // It starts in a later turn of the event loop, when it is registered as running.
    const fiber = this.#stillness.within(() =>
      Effect.runForkWith(this.#services)(
        Effect.andThen(Effect.yieldNow, Effect.provideService(effect, CurrentCall, key)),
        { scheduler: this.#stillness.scheduler }
      )
    )
    const running: Running = { ...about, key, fiber, parts: undefined }
    among.set(key, running)
    fiber.addObserver((exit) => {
      among.delete(key)
      if (!this.#stopped) ended(exit)
    })
    return running
  }

  // --- Answers to callbacks ----------------------------------------------------------------------------------------

  #lookForCallbacks(request: CheckpointRequest): void {
    for (const address of this.#callbacks.opened(request)) {
      this.#pending.push(() => this.#answer(address))
      this.#waiters.announce(address.executionArn)
    }
  }

  #answer(address: OperationAddress): void {
    const { executionArn } = address
    const { CallbackDetails, Name: name = "" } = this.#callbacks.operation(address) ?? {}
    const answer = this.#answers.find((candidate) => picks(candidate.name, [name]))
    const callbackId = CallbackDetails?.CallbackId
    if (answer === undefined || callbackId === undefined || !this.#callbacks.isOpen(address)) return
    const about = { executionArn, kind: "answer to the callback", name } as const
    const work = Effect.suspend(() => answer.run({ executionArn, name, callbackId }))
    this.#start(this.#answering, keyOf(address), about, work, (exit) => {
      if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return
      this.#waiters.fail(executionArn, `The ${about.kind} "${name}" failed: ${reasonOf(exit.cause)}`)
    })
  }

  /** Interrupts the answers to callbacks that are closed: they have nothing more to do. */
  #dropAnswers(): void {
    for (const address of this.#callbacks.closed()) this.#answering.get(keyOf(address))?.fiber.interruptUnsafe()
  }

  // --- Time --------------------------------------------------------------------------------------------------------

  #onQuiet(): void {
    if (this.#pending.length > 0) return this.#startPending()
    // A doubt is resolved in real time; until then no virtual time passes for the invocation.
    const running = Array.from(this.#running.values()).filter(({ key }) => !this.#doubted.has(key))
    if (running.length === 0 && this.#doubted.size > 0) return
    const invocations = running.flatMap(({ fiber, key, parts }) => (parts === undefined ? [] : [{ fiber, key, parts }]))
    // An invocation that loads its state has no parts yet, and waits for time only before it repeats a request.
    const loading = running.flatMap(({ key, parts }) => (parts === undefined ? [key] : []))
    const calls = [...this.#targets.keys(), ...loading]
    if (this.#stillness.waitsForTime(invocations, calls, this.#answering.keys())) this.#move()
  }

  #startPending(): void {
    for (const start of this.order.arrange(this.#pending.splice(0))) start()
    this.touch()
  }

  #move(): void {
    const next = Math.min(this.clock.nextDue ?? Infinity, this.#nextTimer() ?? Infinity)
    if (next === Infinity) return
    this.clock.moveTo(next)
    if (this.#nextTimer() === next) this.#state = Engine.rearranged(this.#state, this.order.arrange)
    this.#take(Engine.advanceTo(this.#state, this.#env()))
    this.clock.wakeDue(this.order.arrange)
  }

  /** Returns the due time of the next timer of the service. An execution's time-out counts only if the test requested one. */
  #nextTimer(): number | undefined {
    for (const timer of Engine.timers(this.#state)) {
      if (this.#waiters.hasProblem(timer.executionArn)) continue
      if (timer.kind !== "ExecutionTimeout" || this.#options.executionTimeout !== undefined) return timer.due
    }
    return undefined
  }

  readonly touch = (): void => this.#stillness.touch()

  // --- Reports -----------------------------------------------------------------------------------------------------

  /** Reports what an execution waits for, and what else is open in the world. */
  report(executionArn: string): string {
    const execution = this.execution(executionArn)
    if (execution === undefined) return `There is no execution ${executionArn}.`
    return reportOf({
      name: execution.identity.name,
      calls: this.#everything(),
      operations: this.operations(executionArn),
      isBeingAnswered: (operationId) => this.#answering.has(keyOf({ executionArn, operationId })),
      signs: this.#stillness.signsFor(this.#stillness.tree.live)
    })
  }

  #everything(): ReadonlyArray<Running> {
    return [...this.#running.values(), ...this.#targets.values(), ...this.#answering.values()]
  }
}

/** An execution that has ended, and its outcome. */
export interface Ended {
  readonly execution: Engine.Execution
  readonly outcome: Engine.ExecutionOutcome
}

/** Returns the reason of a failure. The message of a test failure is already for people. */
const reasonOf = (cause: Cause.Cause<unknown>): string => {
  const reason = Cause.squash(cause)
  return reason instanceof TestFailure ? reason.message : Cause.pretty(cause)
}

/** A century in seconds: longer than any test lets an execution run. */
const aCentury = 100 * 366 * 86_400
