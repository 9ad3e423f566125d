/**
 * The engine on one machine: its state in memory and on disk, its time, and the clients that wait for an execution.
 *
 * Owns: the order of commands, which executions are in memory, the timer of the process, and the reaction to a failure of
 * the database.
 * Does not own: the effect of a command, the form of rows, and how functions run.
 *
 * Invariants:
 * 1. A command is applied to the state in memory after its changes are on disk, so that nothing is acknowledged that a crash
 *    could undo.
 * 2. An execution that is over leaves memory with the command that ended it, and returns for the duration of a command about
 *    it.
 * 3. When the database fails, no further command is executed.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { randomBytes } from "node:crypto"
import { successorOf } from "../DurableClient.ts"
import * as Service from "../engine/Service.ts"
import { longestTimer } from "../internal/longestTimer.ts"
import * as Stored from "../engine/Stored.ts"
import type * as Search from "./Search.ts"
import { StorageError } from "./Sqlite.ts"
import type { StartNote, Store } from "./Store.ts"
import type { Kind, Time } from "./Time.ts"

/** The effects that the engine asks a host to run. */
export type Work = Exclude<Service.HostEffect, { readonly _tag: "ExecutionClosed" }>

/** The execution of a command or a query, in any of its forms, so that it can be loaded into memory. */
interface About {
  readonly executionArn?: string | undefined
  readonly DurableExecutionArn?: string | undefined
  readonly executionName?: string | undefined
  readonly callbackId?: string | undefined
}

type Command<Request, Answer> = (
  state: Service.ServiceState,
  request: Request,
  env: Service.Env
) => Service.Outcome<Answer>

type Query<Request, Answer> = (
  state: Service.ServiceState,
  request: Request,
  env: Service.Env
) => Result.Result<Answer, Service.Refused>

export interface MachineOptions {
  readonly store: Store
  readonly config: Service.Config
  readonly time: Time
}

export class Machine {
  readonly config: Service.Config
  /** Fails when the database cannot be used any more. */
  readonly failed = Deferred.makeUnsafe<never, StorageError>()
  readonly #store: Store
  readonly #time: Time
  /**
   * Milliseconds by which the engine's time is ahead of the clock: an earlier engine may have leapt, or the clock was set
   * back.
   */
  #ahead = 0
  /** The time at which the engine looked last. */
  #seen: number
  readonly #watchers = new Map<string, Set<(end: Effect.Effect<Service.ExecutionOutcome>) => void>>()
  readonly #listeners = new Set<(arns: ReadonlySet<string>) => void>()
  #awaited = 0
  #state: Service.ServiceState
  #work: (work: Work) => void = () => undefined
  #timer: { readonly due: number; readonly kind: Kind; readonly cancel: () => void } | undefined
  #failure: StorageError | undefined
  #stopped = false

  /** Loads the stored state. Throws `StorageError`. */
  constructor({ config, store, time }: MachineOptions) {
    this.#store = store
    this.config = config
    this.#time = time
    this.#state = store.load()
    this.#seen = this.#state.now
    // Time continues from this moment, and not from the first command.
    this.now()
  }

  /** Returns the time in milliseconds since the epoch. It never goes back, also across engines. */
  readonly now = (): number => {
    const time = this.#time.now()
    this.#ahead = Math.max(this.#ahead, this.#seen - time)
    this.#seen = time + this.#ahead
    return this.#seen
  }

  /**
   * Starts the machine: invocations in flight when the last engine ended have crashed, and timers that fell due meanwhile
   * fire in order. Returns the number of executions that continue.
   */
  start(work: (work: Work) => void): number {
    this.#work = work
    const { invocations, targets } = Service.outstanding(this.#state)
    this.#report((state, env) => Service.advanceTo(state, env))
    for (const invocation of invocations) {
      const end: Service.InvocationEnd = { _tag: "Crashed", error: cutOff(invocation.invocationId) }
      this.#report((state, env) => Service.invocationEnded(state, { ...invocation, end }, env))
    }
    for (const target of targets) {
      const end: Service.TargetEnd = { _tag: "Failed", error: cutOff(target.operationId) }
      this.#report((state, env) => Service.targetEnded(state, { ...target, end }, env))
    }
    return Array.from(Service.executions(this.#state)).filter(({ outcome }) => outcome === undefined).length
  }

  /** Stops the timer. Work in flight stays recorded as such, for the next engine to find. */
  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  // --- Commands and queries ----------------------------------------------------------------------------------------

  /** Executes a command. Throws `StorageError`, and then nothing has changed. */
  readonly command = <Request extends About, Answer>(
    command: Command<Request, Answer>,
    request: Request,
    note?: (answer: Answer) => StartNote | undefined
  ): Result.Result<Answer, Service.Refused> =>
    this.#using(request, (before) =>
      Result.map(command(before, request, this.#env()), (applied) =>
        this.#take(before, applied, note?.(applied.answer))
      )
    )

  /** Runs a query. Throws `StorageError`. */
  readonly query = <Request extends About, Answer>(
    query: Query<Request, Answer>,
    request: Request
  ): Result.Result<Answer, Service.Refused> => this.#using(request, (state) => query(state, request, this.#env()))

  /**
   * Runs a query about an execution that is over and whose history is sufficient: its operations are not read. Returns
   * undefined for any other execution. Throws `StorageError`.
   */
  readonly recall = <Answer>(
    query: Query<{ readonly executionName: string }, Answer>,
    executionName: string
  ): Result.Result<Answer, Service.Refused> | undefined =>
    this.#guarded(() => {
      const stored = this.#store.recall(executionName)
      return stored === undefined
        ? undefined
        : query(Stored.restore(Service.empty, stored), { executionName }, this.#env())
    })

  /** Returns a page of executions, most of which are not in memory. Throws `StorageError`. */
  readonly list = (query: Parameters<typeof Service.listFrom>[1]): ReturnType<typeof Service.listFrom> =>
    this.#guarded(() =>
      Service.listFrom((functionName, from, step) => this.#store.list(functionName, from, step), query, this.#env())
    )

  /** Returns a page of stored executions of any function. Throws `StorageError`. */
  readonly search = (query: Search.Query): Search.Page => this.#guarded(() => this.#store.search(query))

  /** Returns the number of executions by their status. Throws `StorageError`. */
  readonly counts = (query: Pick<Search.Query, "functionName" | "name">): Search.Counts =>
    this.#guarded(() => this.#store.counts(query))

  /** Notifies a listener after each command of the executions that it has changed. Returns a function that stops this. */
  onChange(listener: (arns: ReadonlySet<string>) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Returns the execution that a call with this id has started. Throws `StorageError`. */
  startedBy(invocationId: string): string | undefined {
    return this.#guarded(() => this.#store.arnOfStart(invocationId))
  }

  /**
   * Waits for the end of an execution; returns undefined for an execution that does not exist. If time leaps only while
   * a client waits, it also waits for the end of the executions that this one continues as: a client polls for that
   * end, and polling does not count as waiting.
   */
  ended(arn: string): Effect.Effect<Service.ExecutionOutcome | undefined> {
    return Effect.flatMap(this.#closed(arn), (outcome) => {
      const successor = this.#time.leaps && outcome !== undefined ? successorOf(outcome) : undefined
      return successor === undefined ? Effect.succeed(outcome) : Effect.as(this.ended(successor), outcome)
    })
  }

  #closed(arn: string): Effect.Effect<Service.ExecutionOutcome | undefined> {
    return Effect.callback((resume) => {
      const found = this.#guarded(() => Service.execution(this.#state, arn) ?? this.#store.find("arn", arn)?.head)
      if (found === undefined || found.outcome !== undefined) return resume(Effect.succeed(found?.outcome))
      const watchers = this.#watchers.get(arn) ?? new Set()
      this.#watchers.set(arn, watchers)
      watchers.add(resume)
      this.#await(1)
      return Effect.sync(() => {
        if (watchers.delete(resume)) this.#await(-1)
      })
    })
  }

  #await(more: number): void {
    this.#awaited += more
    this.#time.awaited(this.#awaited)
  }

  /** Returns the ARNs of the executions that are in memory: those that are not over. */
  readonly inMemory = (): ReadonlyArray<string> =>
    Array.from(Service.executions(this.#state), ({ identity }) => identity.arn)

  // --- Reports of the host -----------------------------------------------------------------------------------------

  invocationEnded(executionArn: string, invocationId: string, end: Service.InvocationEnd): void {
    this.#report((state, env) => Service.invocationEnded(state, { executionArn, invocationId, end }, env))
  }

  targetEnded(executionArn: string, operationId: string, end: Service.TargetEnd): void {
    this.#report((state, env) => Service.targetEnded(state, { executionArn, operationId, end }, env))
  }

  /** Returns the time before which ended executions are no longer kept. */
  readonly keptSince = (): number => this.now() - this.config.retentionDays * 86_400_000

  /** Deletes executions that are older than the retention. */
  readonly tidy = (): void => {
    this.#whileItWorks(() => this.#store.deleteEndedBefore(this.keptSince()))
  }

  #report(report: (state: Service.ServiceState, env: Service.Env) => Service.Applied<undefined>): void {
    this.#whileItWorks(() => this.#take(this.#state, report(this.#state, this.#env())))
  }

  // --- State -------------------------------------------------------------------------------------------------------

  #env(): Service.Env {
    return { config: this.config, now: this.now(), freshId }
  }

  /** Runs a function with the execution in memory. An execution loaded for this is dropped afterwards, unless it is open. */
  #using<A>(about: About, body: (state: Service.ServiceState) => A): A {
    return this.#guarded(() => {
      const missing = this.#missing(about)
      if (missing === undefined) return body(this.#state)
      this.#state = Stored.restore(this.#state, missing)
      try {
        return body(this.#state)
      } finally {
        this.#evict(missing.identity.arn)
      }
    })
  }

  #missing({
    DurableExecutionArn,
    callbackId,
    executionArn,
    executionName
  }: About): Stored.StoredExecution | undefined {
    const wanted =
      executionArn ??
      DurableExecutionArn ??
      (callbackId === undefined || Service.hasCallback(this.#state, callbackId)
        ? undefined
        : this.#store.arnOfCallback(callbackId))
    if (wanted !== undefined) {
      return Service.execution(this.#state, wanted) === undefined ? this.#store.find("arn", wanted) : undefined
    }
    if (executionName === undefined || Service.hasName(this.#state, executionName)) return undefined
    return this.#store.find("name", executionName)
  }

  #take<A>(before: Service.ServiceState, applied: Service.Applied<A>, note?: StartNote): A {
    this.#store.save(before, applied, note)
    this.#state = applied.state
    for (const arn of applied.changed.executions) this.#evict(arn)
    for (const effect of applied.effects) this.#perform(effect)
    for (const listener of this.#listeners) listener(applied.changed.executions)
    this.#arm()
    return applied.answer
  }

  #evict(arn: string): void {
    const execution = Service.execution(this.#state, arn)
    if (execution === undefined || !Stored.isOver(execution)) return
    this.#state = Stored.forget(this.#state, arn)
    this.#store.forget(arn)
  }

  #perform(effect: Service.HostEffect): void {
    if (effect._tag !== "ExecutionClosed") return this.#work(effect)
    this.#tell(effect.executionArn, Effect.succeed(effect.outcome))
  }

  /** Ends the waiting of the clients of an execution. */
  #tell(arn: string, end: Effect.Effect<Service.ExecutionOutcome>): void {
    const watchers = this.#watchers.get(arn)
    if (watchers === undefined) return
    this.#watchers.delete(arn)
    this.#await(-watchers.size)
    for (const watcher of watchers) watcher(end)
    watchers.clear()
  }

  // --- Time --------------------------------------------------------------------------------------------------------

  /** Wakes the process when the next timer is due. */
  #arm(): void {
    const next = Service.nextTimer(this.#state)
    const kind = next !== undefined && Service.isWait(next.kind) ? "wait" : "limit"
    if (next?.due === this.#timer?.due && kind === this.#timer?.kind) return
    this.#timer?.cancel()
    this.#timer = undefined
    if (next === undefined || this.#stopped || this.#failure !== undefined) return
    const cancel = this.#time.later(Math.min(Math.max(0, next.due - this.now()), longestTimer), kind, () => {
      this.#timer = undefined
      this.#report((state, env) => Service.advanceTo(state, env))
    })
    this.#timer = { due: next.due, kind, cancel }
  }

  // --- Failures ----------------------------------------------------------------------------------------------------

  #guarded<A>(body: () => A): A {
    if (this.#failure !== undefined) throw this.#failure
    try {
      return body()
    } catch (error) {
      if (error instanceof StorageError) this.#fail(error)
      throw error
    }
  }

  /** Runs a function whose result nothing waits for: a failure is reported, and nothing else. */
  #whileItWorks(body: () => void): void {
    if (this.#failure !== undefined || this.#stopped) return
    try {
      this.#guarded(body)
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
    }
  }

  #fail(error: StorageError): void {
    this.#failure = error
    this.#timer?.cancel()
    Deferred.doneUnsafe(this.failed, Effect.fail(error))
    // No execution ends any more.
    for (const arn of Array.from(this.#watchers.keys())) this.#tell(arn, Effect.die(error))
  }
}

/** Returns an id in the form of a UUID with 128 random bits, because tokens and callback ids contain it. */
const freshId = (): string =>
  randomBytes(16)
    .toString("hex")
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")

const cutOff = (id: string) => ({
  ErrorType: "Runtime.ExitError",
  ErrorMessage: `RequestId: ${id} Error: The engine ended while this was running.`
})
