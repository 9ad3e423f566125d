/**
 * Comes between the executions of a world and its service, and lets happen what a schedule says.
 */
import { CheckpointStore } from "effect-durable"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Engine from "../../src/engine/Service.ts"
import { suffer } from "../../src/testing/RequestFault.ts"
import type { World } from "../../src/testing/World.ts"
import type { InvocationEvent } from "../../src/wire/Invocation.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import { Coarse } from "./coarse.ts"
import type { Fault, Schedule } from "./schedule.ts"

type StoreError = CheckpointStore.StoreError
type Store = CheckpointStore.CheckpointStore["Service"]

const gone = new CheckpointStore.StaleCheckpointToken({ message: "Invalid checkpoint token: this process is dead." })

export class Saboteur {
  requests = 0
  injected = 0
  /** How many events were delivered once more. */
  duplicates = 0
  program = ""
  readonly refused: Array<string> = []
  readonly rewritten: Array<string> = []
  /** The service as invocations have it that nothing happens to. */
  readonly store: Pick<Store, "checkpoint" | "loadState">
  /** Something of the program was recorded. */
  recorded: () => void = () => {}
  /** Runs an invocation whose event was delivered once more. */
  runAgain: (event: InvocationEvent) => void = () => {}
  /** The outcomes that have been recorded, by execution and operation. */
  readonly #outcomes = new Map<string, Operation>()
  /** The event of each invocation of the program, as it is when it sends its first request. */
  readonly #events = new Map<string, InvocationEvent>()
  #afterRequest: Array<{ readonly at: number; readonly action: () => void }> = []
  #fatal = 0
  #travels = 0
  #unavailable = 0
  readonly #world: World
  readonly #coarse: Coarse
  readonly #schedule: Schedule
  readonly #thaw = Deferred.makeUnsafe<void>()

  constructor(world: World, schedule: Schedule) {
    this.#world = world
    this.#schedule = schedule
    const { checkpoint, loadState } = world.store
    this.#coarse = new Coarse(world, schedule)
    const inner = schedule.coarse === undefined && schedule.mute.length === 0 ? { checkpoint, loadState } : this.#coarse
    const reviewed = <A>(request: { readonly DurableExecutionArn: string }, answer: Effect.Effect<A, StoreError>) =>
      Effect.onExit(answer, (exit) => Effect.sync(() => this.#review(request.DurableExecutionArn, exit)))
    this.store = {
      checkpoint: (request) => reviewed(request, inner.checkpoint(request)),
      loadState: (request) => reviewed(request, inner.loadState(request))
    }
    // The engine gives this very object to the workflows that it runs.
    Object.assign(world.store, {
      checkpoint: (request: CheckpointStore.CheckpointRequest) =>
        Effect.suspend(() => {
          this.#noteEvent(request)
          return this.#spoil(this.#next(), request.DurableExecutionArn, () => this.store.checkpoint(request))
        }),
      loadState: (request: CheckpointStore.StateRequest) =>
        Effect.suspend(() =>
          this.#spoil(this.#next(softened), request.DurableExecutionArn, () => this.store.loadState(request))
        ),
      ordered: schedule.coarse === undefined
    })
  }

  /** The service never hears of the end that the program is coming to. */
  loseProgram(): void {
    this.injected++
    this.#fatal++
    this.#lose(this.program)
  }

  /** Lets the dead processes move again, to see whether they come to an end. */
  letGo(): void {
    Deferred.doneUnsafe(this.#thaw, Effect.void)
  }

  /** How many invocations the faults so far may have made fail. */
  get fatal(): number {
    return this.#fatal + Math.floor(this.#unavailable / attemptsPerRequest)
  }

  // --- What is looked at -------------------------------------------------------------------------------------------------

  /** Holds the answer to a request against what the service accepts, and the outcomes against those of before. */
  #review(executionArn: string, exit: Exit.Exit<unknown, StoreError>): void {
    if (Exit.isSuccess(exit) && executionArn === this.program) this.recorded()
    const error = Exit.isSuccess(exit) ? undefined : exit.cause.reasons.find(Cause.isFailReason)?.error
    if (error !== undefined && error._tag !== "StaleCheckpointToken")
      this.refused.push(`${error._tag}: ${error.message}`)
    for (const operation of this.#world.operations(executionArn)) {
      if (["STARTED", "PENDING", "READY"].includes(operation.Status) || operation.Type === "EXECUTION") continue
      const key = `${executionArn} ${operation.Id}`
      const before = this.#outcomes.get(key) ?? operation
      this.#outcomes.set(key, operation)
      if (before === operation || JSON.stringify(before) === JSON.stringify(operation)) continue
      this.rewritten.push(
        `${operation.Type} "${operation.Name}": ${JSON.stringify(before)}, then ${JSON.stringify(operation)}`
      )
    }
  }

  #noteEvent({ CheckpointToken, DurableExecutionArn }: CheckpointStore.CheckpointRequest): void {
    const gate = this.#world.execution(DurableExecutionArn)?.gate
    if (DurableExecutionArn !== this.program || gate?._tag !== "InFlight" || this.#events.has(gate.invocationId)) return
    // A process that is dead may still send something.
    if (gate.token !== CheckpointToken) return
    this.#events.set(gate.invocationId, {
      DurableExecutionArn,
      CheckpointToken,
      InitialExecutionState: { Operations: this.#world.operations(DurableExecutionArn).map(this.#coarse.show) }
    })
  }

  // --- What happens ------------------------------------------------------------------------------------------------------

  #next(change: (fault: Fault) => Fault = (fault) => fault): Fault | undefined {
    const number = this.requests++
    const due = this.#afterRequest.filter(({ at }) => at <= number)
    this.#afterRequest = this.#afterRequest.filter(({ at }) => at > number)
    for (const { action } of due) action()
    const drawn = this.#schedule.faults[number]
    if (drawn === undefined) return undefined
    this.injected++
    const fault = change(drawn)
    if (fault.kind === "unavailable") this.#unavailable++
    else if (fault.kind === "slow" ? fault.millis >= repeatable : fault.kind !== "twice") this.#fatal++
    return fault
  }

  /** A request on its way, or its answer. */
  get #travel(): Effect.Effect<void> {
    const { latencies } = this.#schedule
    const turns = latencies[this.#travels++ % latencies.length] ?? 0
    return Effect.replicateEffect(Effect.andThen(Effect.sync(this.#world.touch), nextTurn), turns, { discard: true })
  }

  #spoil<A>(
    fault: Fault | undefined,
    executionArn: string,
    deliver: () => Effect.Effect<A, StoreError>
  ): Effect.Effect<A, StoreError> {
    const call = (): Effect.Effect<A, StoreError> =>
      this.#schedule.latencies.length === 0
        ? deliver()
        : Effect.ensuring(Effect.andThen(this.#travel, Effect.suspend(deliver)), this.#travel)
    if (fault === undefined) return call()
    switch (fault.kind) {
      case "death":
        return Effect.andThen(
          fault.when === "after" ? Effect.exit(call()) : Effect.void,
          Effect.suspend(() => {
            this.#lose(executionArn)
            // What is frozen for longer would be asked for its timers again and again, for months of virtual time.
            const thawed = Effect.raceFirst(Deferred.await(this.#thaw), Effect.sleep("1 hour"))
            return Effect.andThen(thawed, Effect.fail(gone))
          })
        )
      case "abandoned":
        return Effect.tap(call(), () => {
          afterTurns(fault.turns, () => this.#lose(executionArn))
          return Effect.void
        })
      case "again":
        return Effect.tap(call(), () => Effect.sync(() => this.#deliverAgain(fault.later)))
      default:
        return suffer(fault, call)
    }
  }

  /** The event of the running invocation is delivered once more, later. */
  #deliverAgain(later: number): void {
    const gate = this.#world.execution(this.program)?.gate
    const event = gate?._tag === "InFlight" ? this.#events.get(gate.invocationId) : undefined
    if (event === undefined) return
    const run = (): void => {
      this.duplicates++
      this.runAgain(event)
    }
    if (later === 0) run()
    else this.#afterRequest.push({ at: this.requests + later, action: run })
  }

  /** The service sees the process of the running invocation gone. */
  #lose(executionArn: string): void {
    const gate = this.#world.execution(executionArn)?.gate
    if (gate?._tag !== "InFlight") return
    const { invocationId } = gate
    const end: Engine.InvocationEnd = {
      _tag: "Crashed",
      error: { ErrorType: "Runtime.ExitError", ErrorMessage: "The process exited." }
    }
    this.#world.command(
      (state, request: { readonly executionArn: string; readonly invocationId: string }, env) =>
        Result.succeed(Engine.invocationEnded(state, { ...request, end }, env)),
      { executionArn, invocationId }
    )
  }
}

/** While an invocation loads its state nothing of it can die half way: it has done nothing yet. */
const softened = (fault: Fault): Fault =>
  fault.kind === "twice" || fault.kind === "again" ? fault : { kind: "stale", when: "before" }

/** How long the service knows a request again, in milliseconds. */
const repeatable = 15 * 60_000

/** How often the runtime sends a request before it gives up. */
const attemptsPerRequest = 5

export const nextTurn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))

const afterTurns = (turns: number, action: () => void): void => {
  if (turns === 0) action()
  else setImmediate(() => afterTurns(turns - 1, action))
}
