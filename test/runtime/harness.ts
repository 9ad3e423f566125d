/**
 * One execution of one workflow on the model of the service, an invocation at a time and in real time, for tests that look
 * at how an invocation ends: its answer, what it recorded, and which fibers it left behind.
 *
 * The test engine runs whole executions and skips time; here a test holds the execution between two invocations, and
 * decides what happens there.
 */
import { assert, beforeAll } from "@effect/vitest"
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { CheckpointStore, type StoreError } from "../../src/CheckpointStore.ts"
import type { InvocationFailed } from "../../src/DurableError.ts"
import * as Engine from "../../src/engine/Service.ts"
import { invoke, type Invoked } from "../../src/invocation/Invocation.ts"
import type { InvokeOptions } from "../../src/invocation/Invocation.ts"
import type { Parts } from "../../src/execution/Parts.ts"
import { storeError } from "../../src/StoreFailure.ts"
import type { InvocationAnswer } from "../../src/wire/Invocation.ts"
import { whenQuiet } from "../execution/support.ts"
import type { Operation } from "../../src/wire/Operation.ts"

/** The typed error of the workflows in these tests. */
export class Declined extends Schema.TaggedError<Declined>()("Declined", { code: Schema.String }) {}

const Workflow = DurableFunction.make("workflow", { success: Schema.UndefinedOr(Schema.Json), error: Declined })
/** A function that somebody else serves: it ends when a test says so. */
export const Outside = DurableFunction.plain("outside", { success: Schema.String, error: Declined })

/** A workflow under test. It is made anew for every invocation, as a module is loaded anew by a new process. */
export type Program = Effect.Effect<unknown, unknown, Durable.Execution>

/** Waits for somebody outside, until a test says with {@link Host.complete} how that ends. */
export const ask = (name: string) => Durable.invoke(Outside, undefined, { name })

/** Notes that code ran, in the log of a host, and answers with the same text. */
export type Note = (text: string) => Effect.Effect<string>

/** The body of a step that is not done at once, although no time passes. */
export const slowly = (note: Note, text: string): Effect.Effect<string> => Effect.andThen(turns(5), note(text))

/** Concurrency of branches that all run at once. */
export const both = { concurrency: "unbounded" } as const

export const declined = Effect.fail(new Declined({ code: "no" }))

/** The options of a step that fails for good with {@link Declined}. */
export const failing = { error: Declined, retry: RetryPolicy.none }

/** What is to be seen of one invocation once it has ended. */
export interface Turn {
  /** Absent when the invocation failed instead of answering. */
  readonly answer: InvocationAnswer | undefined
  readonly failure: InvocationFailed | undefined
  readonly parts: Parts
  /** What it sent and the service accepted, in order, such as `WAIT START nap` and `STEP SUCCEED charge`. */
  readonly sent: ReadonlyArray<string>
  /** The outcomes among it, such as `SUCCEED charge`. */
  readonly recorded: ReadonlyArray<string>
  /** What finalizers failed or died with while the invocation was unwound. */
  readonly unwound: ReadonlyArray<unknown>
  /** Fibers of the invocation that are alive a few turns of the event loop after its end. */
  readonly fibersLeft: number
}

/** How an operation that somebody outside has to complete ends. */
export type Completion = { readonly value: string } | { readonly error: { readonly code: string } }

/** Which of the open operations to complete between two invocations, in this order. Waits end by the passing of time. */
export type Chooser = (open: ReadonlyArray<Operation>) => ReadonlyArray<Operation>

export interface Driven {
  /** The answer that closed the execution. */
  readonly answer: InvocationAnswer
  readonly turns: ReadonlyArray<Turn>
}

/** Time that passes as it really does, except that a test may skip some of it. */
class SkippingClock implements Clock.Clock {
  skipped = 0
  readonly #base: Clock.Clock
  readonly currentTimeMillis = Effect.sync(() => this.currentTimeMillisUnsafe())
  readonly currentTimeNanos = Effect.sync(() => this.currentTimeNanosUnsafe())
  readonly monotonicTimeNanos: Effect.Effect<bigint>

  constructor(base: Clock.Clock) {
    this.#base = base
    this.monotonicTimeNanos = base.monotonicTimeNanos
  }

  currentTimeMillisUnsafe(): number {
    return this.#base.currentTimeMillisUnsafe() + this.skipped
  }

  currentTimeNanosUnsafe(): bigint {
    return this.#base.currentTimeNanosUnsafe() + BigInt(this.skipped) * 1_000_000n
  }

  monotonicTimeNanosUnsafe(): bigint {
    return this.#base.monotonicTimeNanosUnsafe()
  }

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return this.#base.sleep(duration)
  }
}

type Invocation = Extract<Engine.HostEffect, { readonly _tag: "InvokeFunction" }>

export class Host {
  /** What the workflow noted so far, over all invocations. */
  readonly log: Array<string> = []
  /** Warnings of the runtime so far. */
  readonly warnings: Array<string> = []
  readonly executionArn: string
  readonly #workflow: (note: Note) => Program
  readonly #options: Partial<InvokeOptions>
  readonly #latency: HostOptions["latency"]
  readonly #fault: HostOptions["fault"]
  readonly #clock: SkippingClock
  readonly #config = Engine.makeConfig({
    lookup: (name) => ({ kind: name === Workflow.name ? "durable" : "plain", name, version: "$LATEST" })
  })
  readonly #sent: Array<string> = []
  readonly #targets = new Set<string>()
  #requests = 0
  #state = Engine.empty
  #ids = 0
  #pending: Invocation | undefined
  #closed: Engine.ExecutionOutcome | undefined

  constructor(workflow: (note: Note) => Program, clock: Clock.Clock, options: HostOptions) {
    const { fault, latency, ...invokeOptions } = options
    this.#workflow = workflow
    this.#options = invokeOptions
    this.#latency = latency
    this.#fault = fault
    this.#clock = new SkippingClock(clock)
    this.executionArn = this.command(Engine.startExecution, {
      functionName: `${Workflow.name}:$LATEST`,
      name: "one"
    }).executionArn
  }

  // --- The execution between two invocations -------------------------------------------------------------------------

  get closed(): boolean {
    return this.#closed !== undefined
  }

  /** How the execution ended, if it has. */
  get outcome(): Engine.ExecutionOutcome | undefined {
    return this.#closed
  }

  /** Whether the service wants to run the function now. */
  get invoked(): boolean {
    return this.#pending !== undefined
  }

  get operations(): ReadonlyArray<Operation> {
    return Engine.operations(this.#state, this.executionArn).filter((operation) => operation.Type !== "EXECUTION")
  }

  /** What the execution waits for. */
  get open(): ReadonlyArray<Operation> {
    return this.operations.filter(
      (operation) =>
        operation.Status === "PENDING" ||
        (operation.Status === "STARTED" && (operation.Type === "WAIT" || operation.Type === "CHAINED_INVOKE"))
    )
  }

  /** The names of what the execution waits for, in alphabetical order. */
  get waitsFor(): ReadonlyArray<string> {
    return this.open.map((operation) => operation.Name ?? operation.Id).sort()
  }

  /** Ends an operation: time passes until a wait or a retry is due, or somebody outside answers. */
  complete(name: string, completion: Completion = { value: name }): void {
    const operation = this.open.find((candidate) => candidate.Name === name)
    assert(operation !== undefined, `nothing waits for "${name}", only for ${this.waitsFor.join(", ") || "nothing"}`)
    this.#end(operation, completion)
  }

  #end(operation: Operation, completion: Completion): void {
    const due = operation.WaitDetails?.ScheduledEndTimestamp ?? operation.StepDetails?.NextAttemptTimestamp
    if (due !== undefined) return this.skipTo(due)
    assert(this.#targets.delete(operation.Id), `"${operation.Name}" is not to be answered from outside`)
    const error = "error" in completion ? completion.error : undefined
    this.report(Engine.targetEnded, {
      executionArn: this.executionArn,
      operationId: operation.Id,
      end:
        error === undefined
          ? { _tag: "Succeeded", result: JSON.stringify("value" in completion ? completion.value : undefined) }
          : {
              _tag: "Failed",
              error: {
                ErrorType: "Declined",
                ErrorMessage: `declined: ${error.code}`,
                ErrorData: JSON.stringify({ _tag: "Declined", code: error.code })
              }
            }
    })
  }

  /** Skips the time until then. */
  skipTo(time: number): void {
    this.#clock.skipped += Math.max(0, Math.ceil(time - this.#clock.currentTimeMillisUnsafe()))
    this.report((state, _request: undefined, env) => Engine.advanceTo(state, env), undefined)
  }

  /** Lets time pass until the service invokes the function again after a failed invocation. */
  backOff(): void {
    for (const timer of Engine.timers(this.#state)) {
      if (timer.kind === "InvocationRetry") return this.skipTo(timer.due)
    }
  }

  // --- Invocations ---------------------------------------------------------------------------------------------------

  /** Starts the invocation that is due, and answers with its fiber and how to see it to its end. */
  begin(options: Partial<InvokeOptions> = {}): {
    readonly fiber: Fiber.Fiber<Invoked, InvocationFailed>
    readonly ended: Effect.Effect<Turn>
  } {
    const pending = this.#pending
    assert(pending !== undefined, `no invocation is due; the execution waits for ${this.waitsFor.join(", ")}`)
    this.#pending = undefined
    const first = this.#sent.length
    let alive = 0
    let parts: Parts | undefined
    let exit: Exit.Exit<unknown, unknown> | undefined
    const services = Context.make(CheckpointStore, this.#store).pipe(
      Context.add(Clock.Clock, this.#clock),
      Context.add(Logger.CurrentLoggers, new Set([this.#logger])),
      Context.add(Metric.FiberRuntimeMetrics, {
        recordFiberStart: () => void alive++,
        recordFiberEnd: () => void alive--
      })
    )
    const note: Note = (text) =>
      Effect.sync(() => {
        this.log.push(text)
        return text
      })
    const workflow = Effect.onExit(
      Effect.suspend(() => this.#workflow(note)),
      (ended) => Effect.sync(() => void (exit = ended))
    )
    const implementation = { contract: Workflow, handler: () => workflow }
    const fiber = Effect.runForkWith(services)(
      invoke(implementation, pending.event, {
        warnAboutTargets: false,
        whenQuiet,
        ...this.#options,
        ...options,
        onStart: (started) => void (parts = started)
      })
    )
    const ended = Effect.gen({ self: this }, function* () {
      const invoked = yield* Effect.callback<Exit.Exit<Invoked, InvocationFailed>>((resume) => {
        fiber.addObserver((ended) => resume(Effect.succeed(ended)))
      })
      this.#ended(pending, invoked)
      // A request that is under way cannot be taken back.
      while (this.#requests > 0) yield* turns(1)
      yield* turns(5)
      assert(parts !== undefined, "the invocation never began")
      const sent = this.#sent.slice(first)
      return {
        answer: Exit.isSuccess(invoked) ? invoked.value.answer : undefined,
        failure: failureOf(invoked),
        parts,
        sent,
        recorded: sent.flatMap((text) => {
          const [, action = "", ...name] = text.split(" ")
          return action === "START" ? [] : [`${action} ${name.join(" ")}`]
        }),
        unwound: parts.lifetime.verdict === undefined ? [] : failuresIn(exit),
        fibersLeft: alive
      }
    })
    return { fiber, ended }
  }

  /** Runs the invocation that is due. */
  turn(options: Partial<InvokeOptions> = {}): Effect.Effect<Turn> {
    return Effect.suspend(() => this.begin(options).ended)
  }

  /**
   * Runs invocations until the execution is closed, and between them completes what the chooser says: by default
   * everything that somebody outside has to answer, else the wait that is due first.
   */
  drive(choose: Chooser = everything, options: Partial<InvokeOptions> = {}): Effect.Effect<Driven> {
    return Effect.gen({ self: this }, function* () {
      const turns: Array<Turn> = []
      while (!this.closed) {
        assert(turns.length < 100, "the execution does not come to an end")
        if (this.#pending === undefined) {
          if (this.open.length === 0) this.backOff()
          else for (const operation of choose(this.open)) this.#end(operation, { value: operation.Name ?? "" })
        }
        turns.push(yield* this.turn(options))
      }
      const answer = turns.at(-1)?.answer
      assert(answer !== undefined, "the execution was closed without an answer")
      return { answer, turns }
    })
  }

  // --- The service ---------------------------------------------------------------------------------------------------

  command<Request, Answer>(
    command: (state: Engine.ServiceState, request: Request, env: Engine.Env) => Engine.Outcome<Answer>,
    request: Request
  ): Answer {
    return this.#take(Result.getOrThrow(command(this.#state, request, this.#env())))
  }

  report<Request, Answer>(
    command: (state: Engine.ServiceState, request: Request, env: Engine.Env) => Engine.Applied<Answer>,
    request: Request
  ): Answer {
    return this.#take(command(this.#state, request, this.#env()))
  }

  #env(): Engine.Env {
    return { config: this.#config, now: this.#clock.currentTimeMillisUnsafe(), freshId: () => `id-${++this.#ids}` }
  }

  #take<A>({ answer, effects, state }: Engine.Applied<A>): A {
    this.#state = state
    for (const effect of effects) {
      if (effect._tag === "InvokeFunction") this.#pending = effect
      else if (effect._tag === "RunTarget") this.#targets.add(effect.operationId)
      else this.#closed = effect.outcome
    }
    return answer
  }

  #ended({ executionArn, invocationId }: Invocation, exit: Exit.Exit<Invoked, InvocationFailed>): void {
    const end: Engine.InvocationEnd = Exit.isSuccess(exit)
      ? { _tag: "Answered", answer: exit.value.answer }
      : { _tag: "Crashed", error: { ErrorType: "Runtime.ExitError", ErrorMessage: Cause.pretty(exit.cause) } }
    this.report(Engine.invocationEnded, { executionArn, invocationId, end })
  }

  readonly #store: CheckpointStore["Service"] = {
    // What a command ends is stamped later than everything before it.
    ordered: true,
    checkpoint: (request) =>
      this.#later(() =>
        Result.map(Engine.checkpoint(this.#state, request, this.#env()), (applied) => {
          for (const { Action, Name, Type } of request.Updates) {
            this.#sent.push(`${Type} ${Action} ${Name ?? ""}`.trimEnd())
          }
          return this.#take(applied)
        })
      ),
    loadState: (request) => this.#later(() => Engine.getState(this.#state, request, this.#env()))
  }

  /** A request arrives in a later turn of the event loop, as over a network, and its answer takes its time. */
  #later<A>(answer: () => Result.Result<A, Engine.Refused>): Effect.Effect<A, StoreError> {
    return Effect.acquireUseRelease(
      Effect.sync(() => void this.#requests++),
      () =>
        Effect.gen({ self: this }, function* () {
          yield* Effect.yieldNow
          const failure = this.#fault?.()
          const answered = failure === undefined ? fromEngine(answer()) : Effect.fail(failure)
          if (this.#latency !== undefined) yield* turns(this.#latency())
          return yield* answered
        }),
      () => Effect.sync(() => void this.#requests--)
    )
  }

  readonly #logger = Logger.make(({ message, logLevel }) => {
    if (logLevel !== "Debug" && logLevel !== "Trace") this.warnings.push([message].flat().map(String).join(" "))
  })
}

export interface HostOptions extends Partial<InvokeOptions> {
  /** Turns of the event loop that the answer of the service takes. Default: none. */
  readonly latency?: () => number
  /** What happens to a request instead of being answered. */
  readonly fault?: () => StoreError | undefined
}

// The first execution of a process compiles most of the code, which takes longer than what these tests measure.
beforeAll(() =>
  Effect.runPromise(
    Effect.flatMap(
      host((note) => Effect.all([ask("warm"), Durable.child("up", Durable.step("step", note("up")))], both)),
      (execution) => Effect.asVoid(execution.drive())
    )
  )
)

/** Starts an execution of a workflow, which waits for its first invocation. */
export const host = (workflow: (note: Note) => Program, options: HostOptions = {}): Effect.Effect<Host> =>
  Effect.map(Clock.Clock, (clock) => new Host(workflow, clock, options))

/** Lets so many turns of the event loop pass. */
export const turns = (count: number): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const next = (left: number): void => {
      if (left === 0) resume(Effect.void)
      else setImmediate(() => next(left - 1))
    }
    next(count)
  })

/** A timer of the process, which no operation records. */
export const pause = (millis: number): Effect.Effect<void> =>
  Effect.promise(() => new Promise<void>((resolve) => void setTimeout(resolve, millis)))

/** The value of an answer that says SUCCEEDED. */
export const valueOf = (answer: InvocationAnswer | undefined): unknown => {
  assert(answer?.Status === "SUCCEEDED", `expected a success, found ${JSON.stringify(answer)}`)
  return answer.Result === undefined ? undefined : JSON.parse(answer.Result)
}

/** The error type and message of an answer that says FAILED. */
export const errorOf = (answer: InvocationAnswer | undefined): { readonly type: string; readonly message: string } => {
  assert(answer?.Status === "FAILED", `expected a failure, found ${JSON.stringify(answer)}`)
  return { type: answer.Error?.ErrorType ?? "", message: answer.Error?.ErrorMessage ?? "" }
}

const everything: Chooser = (open) => {
  const invokes = open.filter((operation) => operation.Type === "CHAINED_INVOKE")
  return invokes.length > 0 ? invokes : [...open].sort((a, b) => dueOf(a) - dueOf(b)).slice(0, 1)
}

const dueOf = (operation: Operation): number =>
  operation.WaitDetails?.ScheduledEndTimestamp ?? operation.StepDetails?.NextAttemptTimestamp ?? Infinity

const failuresIn = (exit: Exit.Exit<unknown, unknown> | undefined): ReadonlyArray<unknown> =>
  exit === undefined || Exit.isSuccess(exit)
    ? []
    : exit.cause.reasons.flatMap((reason) => {
        if (Cause.isFailReason(reason)) return [reason.error]
        return Cause.isDieReason(reason) ? [reason.defect] : []
      })

const failureOf = (exit: Exit.Exit<unknown, InvocationFailed>): InvocationFailed | undefined =>
  Exit.isSuccess(exit) ? undefined : exit.cause.reasons.find(Cause.isFailReason)?.error

const fromEngine = <A>(result: Result.Result<A, Engine.Refused>): Effect.Effect<A, StoreError> =>
  Result.match(result, {
    onSuccess: Effect.succeed,
    onFailure: ({ exception, message, status }) => Effect.fail(storeError({ status, name: exception, message }))
  })
