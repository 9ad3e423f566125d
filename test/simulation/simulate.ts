/**
 * Runs a program in a world of its own, on the test engine, while faults come between it and the service: processes die,
 * answers are lost, requests arrive twice or late. All of it is drawn beforehand, so that a run can be repeated.
 */
import { CheckpointStore } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import * as Engine from "../../src/engine/Service.ts"
import type { World } from "../../src/testing/World.ts"
import type { HistoryEvent } from "../../src/wire/HistoryEvent.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import { callees } from "./callees.ts"
import { interpret, Program } from "./interpret.ts"
import { inWorld, Outside } from "./outside.ts"
import { longestStep, type Node } from "./program.ts"
import { Tally } from "./tally.ts"

type When = "before" | "after"

/** What happens to a request, before it reaches the service or after the service has applied it. */
export type Fault =
  /** The process dies: nothing of it moves for an hour, or until the end, and the service sees it gone. */
  | { readonly kind: "death"; readonly when: When }
  /** The invocation is told that it no longer owns the execution, and fails. */
  | { readonly kind: "stale"; readonly when: When }
  /** The service gives the invocation up some turns of the event loop after its answer; the process goes on unaware. */
  | { readonly kind: "abandoned"; readonly turns: number }
  /** The request is answered with an error that says to try again, although it may have been applied. */
  | { readonly kind: "unavailable"; readonly when: When }
  /** Either way takes its time. */
  | { readonly kind: "slow"; readonly when: When; readonly millis: number }
  /** The network delivers the request twice. */
  | { readonly kind: "twice" }

export interface Schedule {
  /** Faults by the number of the request, over all executions of the world, from 0. */
  readonly faults: Readonly<Record<number, Fault>>
  /** The ends of the program, over all invocations and from 0, of which the service never hears. */
  readonly lostEnds: ReadonlyArray<number>
  readonly pageItems: number | undefined
  /** Virtual milliseconds after which an invocation is cut off, beyond the longest step of the program. */
  readonly invocationTimeout: number | undefined
  /** Whether every callback is completed a second time at once, in another way. */
  readonly echoes: boolean
  /** Turns of the event loop that requests and answers take, in turn; no virtual time passes meanwhile. */
  readonly latencies: ReadonlyArray<number>
}

export const noFaults: Schedule = {
  faults: {},
  lostEnds: [],
  pageItems: undefined,
  invocationTimeout: undefined,
  echoes: false,
  latencies: []
}

// --- Schedules drawn at random ---------------------------------------------------------------------------------------

const when = fc.constantFrom<When>("before", "after")

const faultOf = (delays: ReadonlyArray<number>): fc.Arbitrary<Fault> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("death"), when }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("stale"), when }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("abandoned"), turns: fc.nat(12) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("unavailable"), when }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant("slow"), when, millis: fc.constantFrom(...delays) })
    },
    { weight: 2, arbitrary: fc.constant({ kind: "twice" }) }
  )

const faultsOf = (delays: ReadonlyArray<number>) =>
  fc
    .array(fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 6 }), faultOf(delays)), { maxLength: 5 })
    .map((list): Schedule["faults"] => {
      const byRequest: Record<number, Fault> = {}
      for (const [at, times, fault] of list) {
        const repeated = fault.kind === "unavailable" ? times : 1
        for (let next = at; next < at + repeated; next++) byRequest[next] = fault
      }
      return byRequest
    })

const schedulesOf = (delays: ReadonlyArray<number>): fc.Arbitrary<Schedule> =>
  fc.record({
    faults: faultsOf(delays),
    lostEnds: fc.oneof(fc.constant([]), fc.constant([]), fc.constant([0]), fc.constant([0, 1])),
    pageItems: fc.constantFrom(undefined, undefined, 1, 2),
    invocationTimeout: fc.constantFrom(undefined, undefined, 2_300),
    echoes: fc.boolean(),
    latencies: fc.oneof(fc.constant([]), fc.array(fc.nat(8), { minLength: 1, maxLength: 7 }))
  })

/** With delays that do not decide what comes in time. */
export const schedules = schedulesOf([1, 50, 999, 3_000])

/** With leaps of time. */
export const racySchedules = schedulesOf([1, 999, 5_000, 3_600_000, 86_400_000])

/** Whether a schedule leaves virtual time as it is. */
export const costsNoTime = ({ faults, invocationTimeout, lostEnds }: Schedule): boolean =>
  invocationTimeout === undefined &&
  lostEnds.length === 0 &&
  Object.values(faults).every(({ kind }) => kind === "twice")

// --- Runs ------------------------------------------------------------------------------------------------------------

/** One execution as it stands at the end. */
export interface Recorded {
  readonly executionArn: string
  readonly functionName: string
  readonly operations: ReadonlyArray<Operation>
  readonly history: ReadonlyArray<HistoryEvent>
}

export interface Observed {
  /** How the program ended, in words: its value, its error, or how its execution failed. */
  readonly end: string
  readonly program: Recorded
  /** Every execution of the world, that of the program first. */
  readonly executions: ReadonlyArray<Recorded>
  readonly tally: Tally
  /** Virtual milliseconds from the start of the program to its end. */
  readonly millis: number
  readonly requests: number
  /** Invocations of the program. */
  readonly invocations: number
  /** Faults that came about. */
  readonly injected: number
  /** How many invocations those faults may have made fail. */
  readonly fatal: number
  /** Requests that the service found invalid. */
  readonly refused: ReadonlyArray<string>
  /** Operations whose recorded outcome changed. */
  readonly rewritten: ReadonlyArray<string>
  readonly warnings: ReadonlyArray<string>
  /** Fibres that were alive after everything had ended. */
  readonly fibersLeft: number
}

/** The number that a program begins with. */
const input = 42

export const simulate = (program: Node, schedule: Schedule = noFaults): Promise<Observed> => {
  const { invocationTimeout, lostEnds, pageItems } = schedule
  const tally = new Tally()
  const warnings: Array<string> = []
  let alive = 0
  let ends = 0
  let saboteur: Saboteur | undefined
  const implementation = Program.implement(() =>
    Effect.onExit(interpret(tally, program, input), () =>
      Effect.sync(() => {
        if (lostEnds.includes(ends++)) saboteur?.loseProgram()
      })
    )
  )
  const logger = Logger.make<unknown, void>(({ message }) => void warnings.push(String(message)))
  const metrics = Layer.succeed(Metric.FiberRuntimeMetrics, {
    recordFiberStart: () => void alive++,
    recordFiberEnd: () => void alive--
  })
  const engine = TestEngine.layer([implementation, ...callees(tally)], {
    patience: "3 seconds",
    ...(pageItems === undefined ? {} : { pageItems }),
    invocationTimeout: invocationTimeout === undefined ? Infinity : longestStep(program) + invocationTimeout
  })
  return Effect.gen(function* () {
    const { world } = yield* TestEngine.TestEngine
    saboteur = new Saboteur(world, schedule)
    const outside = new Outside(inWorld(world), schedule.echoes)
    tally.tell = outside.tell
    const run = yield* TestEngine.start(Program, undefined, { name: "simulated" })
    saboteur.program = run.executionArn
    const end = endOf(yield* Effect.exit(run.result))
    saboteur.letGo()
    yield* standstill(() => alive, world)
    const executions = executionsOf(world)
    const found = executions.find(({ executionArn }) => executionArn === run.executionArn)
    const outcome = world.execution(run.executionArn)
    if (found === undefined || outcome === undefined) throw new Error("The execution is gone.")
    const started = found.history[0]?.EventTimestamp ?? 0
    return {
      end,
      program: found,
      executions,
      tally,
      millis: (outcome.outcome?.endTimestamp ?? Number.NaN) - started,
      requests: saboteur.requests,
      invocations: found.history.filter(({ EventType }) => EventType === "InvocationCompleted").length,
      injected: saboteur.injected,
      fatal: saboteur.fatal,
      refused: [...saboteur.refused, ...outside.refused],
      rewritten: saboteur.rewritten,
      warnings,
      fibersLeft: alive
    }
  }).pipe(
    Effect.provide(Layer.provide(engine, Layer.mergeAll(Logger.layer([logger]), metrics))),
    Effect.orDie,
    Effect.runPromise
  )
}

const endOf = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return `value ${JSON.stringify(exit.value)}`
  const failure = exit.cause.reasons.find(Cause.isFailReason)
  if (failure === undefined) return Cause.pretty(exit.cause)
  // The stack of a callee's defect depends on the invocation in which it died.
  return `error ${JSON.stringify(failure.error, (key, value: unknown) => (key === "stackTrace" ? undefined : value))}`
}

/**
 * Waits until nothing moves in a world any more: what the program has begun may go on after its end. A fibre that never
 * ends is waited for in vain, for a second of real time.
 */
const standstill = Effect.fnUntraced(function* (alive: () => number, world: World) {
  const began = performance.now()
  let quiet = 0
  let last = 0
  while (quiet < 40 && performance.now() - began < 1_000) {
    yield* nextTurn
    const events = executionsOf(world).reduce((sum, { history }) => sum + history.length, 0)
    quiet = alive() === 0 && events === last ? quiet + 1 : 0
    last = events
  }
})

const nextTurn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))

const executionsOf = (world: World): ReadonlyArray<Recorded> => Result.getOrThrow(world.query(allExecutions, {}))

const allExecutions = (state: Engine.ServiceState): Result.Result<ReadonlyArray<Recorded>, Engine.Refused> =>
  Result.succeed(
    [...Engine.executions(state)].map(({ identity }) => ({
      executionArn: identity.arn,
      functionName: identity.functionName,
      operations: Engine.operations(state, identity.arn).filter(({ Type }) => Type !== "EXECUTION"),
      history: Engine.history(state, identity.arn)
    }))
  )

type StoreError = CheckpointStore.StoreError
type Store = CheckpointStore.CheckpointStore["Service"]
const gone = new CheckpointStore.StaleCheckpointToken({ message: "Invalid checkpoint token: this process is dead." })
const busy = new CheckpointStore.StoreUnavailable({ message: "The service is too busy." })

/** Comes between the executions of a world and its service. */
class Saboteur {
  requests = 0
  injected = 0
  program = ""
  readonly refused: Array<string> = []
  readonly rewritten: Array<string> = []
  /** The outcomes that have been recorded, by execution and operation. */
  readonly #outcomes = new Map<string, string>()
  #fatal = 0
  #travels = 0
  #unavailable = 0
  readonly #world: World
  readonly #inner: Store
  readonly #schedule: Schedule
  readonly #thaw = Deferred.makeUnsafe<void>()

  constructor(world: World, schedule: Schedule) {
    this.#world = world
    this.#schedule = schedule
    const { checkpoint, loadState } = world.store
    const review = <A>(request: { readonly DurableExecutionArn: string }, answer: Effect.Effect<A, StoreError>) =>
      Effect.onExit(answer, (exit) => Effect.sync(() => this.#review(request.DurableExecutionArn, exit)))
    this.#inner = {
      checkpoint: (request) => review(request, checkpoint(request)),
      loadState: (request) => review(request, loadState(request))
    }
    // The engine gives this very object to the workflows that it runs.
    const outer: Store = {
      checkpoint: (request) =>
        Effect.suspend(() =>
          this.#spoil(this.#next(), request.DurableExecutionArn, () => this.#inner.checkpoint(request))
        ),
      loadState: (request) =>
        Effect.suspend(() =>
          this.#spoil(this.#next(softened), request.DurableExecutionArn, () => this.#inner.loadState(request))
        )
    }
    Object.assign(world.store, outer)
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

  /** Holds the answer to a request against what the service accepts, and the outcomes against those of before. */
  #review(executionArn: string, exit: Exit.Exit<unknown, StoreError>): void {
    const error = Exit.isSuccess(exit) ? undefined : exit.cause.reasons.find(Cause.isFailReason)?.error
    if (error !== undefined && error._tag !== "StaleCheckpointToken")
      this.refused.push(`${error._tag}: ${error.message}`)
    for (const operation of this.#world.operations(executionArn)) {
      if (["STARTED", "PENDING", "READY"].includes(operation.Status)) continue
      const key = `${executionArn} ${operation.Id}`
      const outcome = JSON.stringify(operation)
      const before = this.#outcomes.get(key) ?? outcome
      this.#outcomes.set(key, before)
      if (before !== outcome) this.rewritten.push(`${operation.Type} "${operation.Name}": ${before}, then ${outcome}`)
    }
  }

  /** How many invocations the faults so far may have made fail. */
  get fatal(): number {
    return this.#fatal + Math.floor(this.#unavailable / attemptsPerRequest)
  }

  #next(change: (fault: Fault) => Fault = (fault) => fault): Fault | undefined {
    const drawn = this.#schedule.faults[this.requests++]
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
      case "stale":
        return Effect.andThen(fault.when === "after" ? call() : Effect.void, Effect.fail(gone))
      case "abandoned":
        return Effect.tap(call(), () => {
          afterTurns(fault.turns, () => this.#lose(executionArn))
          return Effect.void
        })
      case "unavailable":
        return Effect.andThen(fault.when === "after" ? Effect.exit(call()) : Effect.void, Effect.fail(busy))
      case "slow": {
        const pause = Effect.sleep(fault.millis)
        return fault.when === "before" ? Effect.andThen(pause, call()) : Effect.tap(call(), () => pause)
      }
      case "twice":
        return Effect.andThen(call(), call())
    }
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
const softened = (fault: Fault): Fault => (fault.kind === "twice" ? fault : { kind: "stale", when: "before" })

/** How long the service knows a request again, in milliseconds. */
const repeatable = 15 * 60_000

/** How often the runtime sends a request before it gives up. */
const attemptsPerRequest = 5

const afterTurns = (turns: number, action: () => void): void => {
  if (turns === 0) action()
  else setImmediate(() => afterTurns(turns - 1, action))
}
