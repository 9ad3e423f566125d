/**
 * Runs a program in a world of its own, on the test engine, while faults come between it and the service: processes die,
 * answers are lost, requests arrive twice or late. All of it is drawn beforehand, so that a run can be repeated.
 */
import { CheckpointStore } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Metric from "effect/Metric"
import * as Result from "effect/Result"
import * as Engine from "../../src/engine/Service.ts"
import { invoke } from "../../src/invocation/Invocation.ts"
import type { World } from "../../src/testing/World.ts"
import type { HistoryEvent } from "../../src/wire/HistoryEvent.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import { callees } from "./callees.ts"
import { Contract, interpret } from "./interpret.ts"
import { inWorld, Outside } from "./outside.ts"
import { longestStep, type Program } from "./program.ts"
import { nextTurn, Saboteur } from "./saboteur.ts"
import { noFaults, type Schedule } from "./schedule.ts"
import { Tally } from "./tally.ts"

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
  /** Whether the failure names what could not be undone. */
  readonly isStillDone: boolean
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
  /** How many invocations there were besides those of the service, with an old event. */
  readonly duplicates: number
  /** Requests that the service found invalid. */
  readonly refused: ReadonlyArray<string>
  /** Operations whose recorded outcome changed. */
  readonly rewritten: ReadonlyArray<string>
  readonly warnings: ReadonlyArray<string>
  /** Fibers that were alive after everything had ended. */
  readonly fibersLeft: number
}

export interface Options {
  /** Services of the host. */
  readonly layer?: Layer.Layer<never>
  /** Real milliseconds without any event after which a run is given up. */
  readonly patience?: number
}

export const simulate = (program: Program, schedule: Schedule = noFaults, options: Options = {}): Promise<Observed> => {
  const { coarse, invocationTimeout, lostEnds, mute, pageItems } = schedule
  const tally = new Tally(mute.length === 0)
  const warnings: Array<string> = []
  let alive = 0
  let ends = 0
  let saboteur: Saboteur | undefined
  const workflow = interpret(program, tally)
  const implementation = Contract.implement(() =>
    Effect.onExit(workflow, () =>
      Effect.sync(() => {
        if (!lostEnds.includes(ends++)) return
        saboteur?.loseProgram()
        tally.forget()
      })
    )
  )
  const again = Contract.implement(() => workflow)
  const logger = Logger.make<unknown, void>(({ logLevel, message }) => {
    if (LogLevel.isGreaterThanOrEqualTo(logLevel, "Warn")) warnings.push([message].flat().map(String).join(" "))
  })
  const metrics = Layer.succeed(Metric.FiberRuntimeMetrics, {
    recordFiberStart: () => void alive++,
    recordFiberEnd: () => void alive--
  })
  const items = coarse === undefined ? pageItems : 1
  const engine = TestEngine.layer([implementation, ...callees(tally)], {
    patience: options.patience ?? 3_000,
    ...(items === undefined ? {} : { pageItems: items }),
    invocationTimeout: invocationTimeout === undefined ? Infinity : longestStep(program.root) + invocationTimeout
  })
  return Effect.gen(function* () {
    const { world } = yield* TestEngine.TestEngine
    const sabotage = new Saboteur(world, schedule)
    saboteur = sabotage
    sabotage.recorded = () => tally.settle()
    const outside = new Outside(inWorld(world), schedule.echoes)
    tally.tell = outside.tell
    const services = Context.add(yield* Effect.context(), Clock.Clock, world.clock)
    const others: Array<Fiber.Fiber<unknown, unknown>> = []
    sabotage.runAgain = (event) =>
      void others.push(
        Effect.runForkWith(Context.add(services, CheckpointStore.CheckpointStore, sabotage.store))(
          invoke(again, event, { warnAboutTargets: false })
        )
      )
    const run = yield* TestEngine.start(Contract, undefined, { executionName: "simulated" })
    sabotage.program = run.executionArn
    const end = endOf(yield* Effect.exit(run.result))
    sabotage.letGo()
    yield* Fiber.interruptAll(others)
    yield* standstill(() => alive, sabotage)
    const executions = executionsOf(world)
    const found = executions.find(({ executionArn }) => executionArn === run.executionArn)
    const outcome = world.execution(run.executionArn)
    if (found === undefined || outcome === undefined) throw new Error("The execution is gone.")
    const started = found.history[0]?.EventTimestamp ?? 0
    const { duplicates, fatal, injected, refused, requests, rewritten } = sabotage
    // Here all records are on later pages, of which nothing says what is news. So of an answer by a clock that is behind nobody can
    // know whether an earlier invocation knew of it.
    if (coarse?.behind.some((millis) => millis > 0) === true) tally.changed.length = 0
    return {
      end,
      isStillDone: JSON.stringify(outcome.outcome ?? "").includes("it is still done"),
      program: found,
      executions,
      tally,
      millis: (outcome.outcome?.endTimestamp ?? Number.NaN) - started,
      requests,
      invocations: found.history.filter(({ EventType }) => EventType === "InvocationCompleted").length,
      injected,
      fatal,
      duplicates,
      refused: [...refused, ...outside.refused],
      rewritten,
      warnings,
      fibersLeft: alive
    }
  }).pipe(
    Effect.provide(
      Layer.provide(engine, Layer.mergeAll(Logger.layer([logger]), metrics, options.layer ?? Layer.empty))
    ),
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
 * Waits until nothing moves in a world any more: what the program has begun may go on after its end. A fiber that never
 * ends is waited for in vain, for a second of real time.
 */
const standstill = Effect.fnUntraced(function* (alive: () => number, saboteur: Saboteur) {
  const began = performance.now()
  let quiet = 0
  let last = 0
  while (quiet < 40 && performance.now() - began < 1_000) {
    yield* nextTurn
    quiet = alive() === 0 && saboteur.requests === last ? quiet + 1 : 0
    last = saboteur.requests
  }
})

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
