/**
 * One execution of one workflow on the test engine, and everything of it that a person could see.
 *
 * {@link run} runs it from its start to its end, and may kill one of its invocations at a request to the service.
 * {@link everywhere} holds what the library promises against a program: wherever it is killed, the execution ends as it
 * would have ended, and has done the same to the world. But for a seam that spoils it, only public modules are used, so that
 * nothing here knows how the runtime works.
 */
import { assert } from "@effect/vitest"
import {
  CheckpointStore,
  Durable,
  DurableFunction,
  RetryPolicy,
  type DurableClient,
  type DurableError
} from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import { InOrderOfClaims } from "../../src/execution/Doors.ts"
import { killsAmong, saying, type Kill } from "./kills.ts"

// --- What is run -----------------------------------------------------------------------------------------------------

/** The typed error of the workflows in these tests. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", { why: Schema.String }) {}

/** How a workflow under test may fail. */
export type Failure = Refused | DurableError.OperationError

/** A workflow under test. It is made anew for every invocation, as a module is loaded anew by a new process. */
export type Program = (
  kit: Kit
) => Effect.Effect<unknown, Failure, Durable.Execution | DurableClient.DurableClient | Scope>

/** What a workflow under test does and tells goes through this, so that the host sees it. */
export interface Kit {
  /** Does something to the world. In the body of a step, which is where such things belong, the host knows of which attempt. */
  readonly log: (text: string) => Effect.Effect<void>
  /** A step that does something of its own name to the world, takes its time, and ends with a text: its name by default. */
  readonly step: (name: string, body?: Body) => Effect.Effect<string, never, Durable.Execution>
  /** A step that does something of its own name to the world and fails, whatever its policy would say, at once and for good. */
  readonly failing: (name: string, why?: string) => Effect.Effect<never, Refused, Durable.Execution>
  /** Tells what the workflow knows at a place. It has to be the same at every replay, and wherever the execution is killed. */
  readonly tell: (place: string, value: unknown) => Effect.Effect<void>
  /** Reads the clock at a place, and tells what it shows: to the millisecond for replays, and to the hour after a kill. */
  readonly time: (place: string) => Effect.Effect<number>
  /** Draws a number at a place, and tells it. */
  readonly chance: (place: string) => Effect.Effect<number>
  /** Which invocation this is, from 1. */
  readonly invocation: number
}

export interface Body {
  readonly takes?: Duration.Input
  readonly value?: string
}

export interface Options {
  readonly kill?: Kill
  readonly engine?: TestEngine.Options
  /** What the world serves besides: stubs, answers to callbacks, other functions. */
  readonly parts?: ReadonlyArray<
    DurableFunction.AnyImplementation<never> | TestEngine.Stub | TestEngine.Answer | TestEngine.StepFault
  >
  /** Services of the host, such as another `Serdes`. */
  readonly layer?: Layer.Layer<never>
  /** Delivers known outcomes in the order in which fibers asked for them: nothing that depends on their order survives. */
  readonly inOrderOfClaims?: boolean
}

/** How a program is run that is killed everywhere. */
interface Everywhere extends Omit<Options, "kill"> {
  /** Which kills are tried, given what each request held. Default: as the project that runs the test says. */
  readonly kills?: (requests: ReadonlyArray<string>) => ReadonlyArray<Kill>
}

// --- What is seen ----------------------------------------------------------------------------------------------------

export interface Ran {
  /** How the execution ended, as a sentence: `completed with …`, `failed as …: …`, or `never ended: …`. */
  readonly outcome: string
  /** What was done to the world, in order, repetitions included. */
  readonly log: ReadonlyArray<string>
  readonly effects: ReadonlyArray<SideEffect>
  readonly reports: ReadonlyArray<Report>
  /** In the order in which they were started. */
  readonly operations: ReadonlyArray<SeenOperation>
  /** What each request held, such as `START charge, SUCCEED charge`. */
  readonly requests: ReadonlyArray<string>
  readonly invocations: number
  /** What was logged as a warning or worse. */
  readonly warnings: ReadonlyArray<string>
  /** Fibers that are alive after the end. */
  readonly fibersLeft: number
  /** Bodies that ran although the service had acknowledged their outcome. */
  readonly violations: ReadonlyArray<string>
  /** Virtual time from the start to the end. */
  readonly elapsed: Duration.Duration
}

export interface SideEffect {
  readonly text: string
  /** The attempt of the step that did it; undefined outside of steps. */
  readonly attempt: string | undefined
  /** Whether the outcome of that attempt was acknowledged in the end. */
  readonly acknowledged: boolean
}

export interface Report {
  readonly place: string
  /** Every value that was told there; there may be only one. */
  readonly values: ReadonlyArray<string>
  /** The value as it is compared with that of another run. */
  readonly compared: string
}

export interface SeenOperation {
  readonly path: string
  readonly type: string
  readonly status: string
}

/** The minutes that the clock showed at a place, whole ones since the start of the execution. */
export const minutesAt = (ran: Ran, place: string): number | undefined => {
  const [shown] = ran.reports.find((report) => report.place === timeAt(place))?.values ?? []
  return shown === undefined ? undefined : Math.floor(Number.parseFloat(shown) / 60_000)
}

/** The hours that the clock showed at a place since the start of the execution, to the nearest hour. */
export const hoursAt = (ran: Ran, place: string): number | undefined => {
  const compared = ran.reports.find((report) => report.place === timeAt(place))?.compared
  return compared === undefined ? undefined : Number.parseInt(compared, 10)
}

const timeAt = (place: string): string => `the time at ${place}`

/** The value of an execution that completed; otherwise how it ended. */
export const valueOf = (ran: Ran): unknown =>
  ran.outcome.startsWith(completed) ? JSON.parse(ran.outcome.slice(completed.length)) : ran.outcome

const completed = "completed with "

/** The statuses of the operations of a name. */
export const statusesOf = (ran: Ran, name: string): ReadonlyArray<string> =>
  ran.operations.filter(({ path }) => path.split("/").at(-1) === name).map(({ status }) => status)

// --- A run -----------------------------------------------------------------------------------------------------------

const Work = DurableFunction.make("work", { success: Schema.Unknown, error: Refused })

/** Runs a program as an execution of its own, from its start to its end. */
export const run = (program: Program, options: Options = {}): Effect.Effect<Ran> => {
  const witness = new Witness(options.engine?.startTime ?? Date.UTC(2026, 0, 1))
  let started: TestEngine.TestRun<typeof Work> | undefined
  const work = Work.implement(() =>
    Effect.flatMap(started === undefined ? Effect.succeed(0) : completedInvocations(started), (past) =>
      Effect.map(program(witness.kit(past + 1)), plain)
    )
  )
  return Effect.gen(function* () {
    yield* watchStore(witness, options.kill)
    started = yield* TestEngine.start(Work, undefined, { executionName: "execution-1" })
    const exit = yield* Effect.exit(started.result)
    yield* witness.untilQuiet
    return {
      outcome: outcomeOf(exit),
      ...witness.seen,
      operations: yield* operationsOf(started),
      invocations: yield* completedInvocations(started),
      elapsed: yield* started.elapsed
    }
  }).pipe(
    Effect.provide(
      Layer.provide(
        TestEngine.layer([work, ...(options.parts ?? [])], {
          invocationTimeout: Duration.infinity,
          patience: "4 seconds",
          ...options.engine
        }),
        Layer.mergeAll(
          Logger.layer([witness.logger]),
          Layer.succeed(Metric.FiberRuntimeMetrics, witness.metrics),
          Layer.succeed(InOrderOfClaims, options.inOrderOfClaims ?? false),
          options.layer ?? Layer.empty
        )
      )
    ),
    Effect.orDie
  )
}

/** What a program ends with is compared as JSON, where a list may hold nothing for `undefined`. */
const plain = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)))

const completedInvocations = (started: TestEngine.TestRun<typeof Work>): Effect.Effect<number> =>
  Effect.map(started.history, (events) => events.filter(({ EventType }) => EventType === "InvocationCompleted").length)

const operationsOf = (started: TestEngine.TestRun<typeof Work>): Effect.Effect<ReadonlyArray<SeenOperation>> =>
  Effect.map(started.operations(), (operations) => {
    const byId = new Map(operations.map((operation) => [operation.Id, operation]))
    const pathOf = (id: string | undefined): string => {
      const operation = id === undefined ? undefined : byId.get(id)
      return operation === undefined ? "" : `${pathOf(operation.ParentId)}/${operation.Name ?? operation.Id}`
    }
    return operations.map(({ Id, Status, Type }) => ({ path: pathOf(Id).slice(1), type: Type, status: Status }))
  })

const outcomeOf = (exit: Exit.Exit<unknown, { readonly _tag: string; readonly message: string }>): string => {
  if (Exit.isSuccess(exit)) return `${completed}${JSON.stringify(exit.value) ?? "null"}`
  const failure = exit.cause.reasons.find(Cause.isFailReason)?.error
  if (failure instanceof TestEngine.ExecutionFailed) {
    return `failed as ${failure.errorType ?? failure.status}: ${failure.errorMessage ?? ""}`
  }
  return failure === undefined
    ? `never ended: ${Cause.pretty(exit.cause)}`
    : `failed as ${failure._tag}: ${failure.message}`
}

/** Comes between the runtime and the service: notes what is asked and acknowledged, and kills an invocation at a request. */
const watchStore = (witness: Witness, kill: Kill | undefined) =>
  Effect.map(CheckpointStore.CheckpointStore, (store) => {
    const { checkpoint } = store
    // The engine gives this very object to the workflows that it runs.
    Object.assign(store, {
      checkpoint: (request: CheckpointStore.CheckpointRequest) =>
        Effect.gen(function* () {
          const side = witness.ask(request) === kill?.request ? kill.side : undefined
          if (side === "refused") return yield* Effect.fail(killed)
          // As over a network, no answer is there at once, not even that there will be none.
          if (side === "before") return yield* Effect.andThen(Effect.yieldNow, Effect.fail(killed))
          const response = yield* checkpoint(request)
          witness.acknowledge(request)
          if (side === "after") return yield* Effect.fail(killed)
          return side === "lost" ? yield* Effect.fail(lost) : response
        })
    })
  })

const killed = new CheckpointStore.StaleCheckpointToken({ message: "The process of this invocation is gone." })
const lost = new CheckpointStore.StoreUnavailable({ message: "The connection was closed before the answer arrived." })

/** Keeps what is seen of one execution. */
class Witness {
  readonly #log: Array<Omit<SideEffect, "acknowledged">> = []
  readonly #reports = new Map<string, { readonly values: Set<string>; readonly compared: string }>()
  readonly #requests: Array<string> = []
  readonly #warnings: Array<string> = []
  readonly #violations: Array<string> = []
  /** Attempts whose outcome the service has, and operations that are over. */
  readonly #acknowledged = new Set<string>()
  readonly #attempts = new Map<string, number>()
  readonly #tokens = new Set<string>()
  readonly #began: number
  #fibers = 0

  constructor(began: number) {
    this.#began = began
  }

  readonly metrics: Metric.FiberRuntimeMetricsService = {
    recordFiberStart: () => void this.#fibers++,
    recordFiberEnd: () => void this.#fibers--
  }

  readonly logger = Logger.make<unknown, void>(({ logLevel, message }) => {
    if (LogLevel.isGreaterThanOrEqualTo(logLevel, "Warn")) this.#warnings.push([message].flat().map(String).join(" "))
  })

  kit(invocation: number): Kit {
    const { step, ...noting } = this.#noting
    return {
      ...noting,
      step,
      failing: (name, why = name) =>
        Durable.step(name, Effect.andThen(noting.log(name), Effect.fail(new Refused({ why }))), {
          error: Refused,
          retry: RetryPolicy.make(() => Effect.succeed({ _tag: "Stop" }))
        }),
      invocation
    }
  }

  readonly #noting = {
    log: (text: string) =>
      Effect.flatMap(Effect.serviceOption(Durable.StepContext), (step) => Effect.sync(() => this.#note(text, step))),
    step: (name: string, { takes, value = name }: Body = {}) =>
      Durable.step(
        name,
        Effect.as(
          takes === undefined ? this.#noting.log(name) : Effect.andThen(this.#noting.log(name), Effect.sleep(takes)),
          value
        )
      ),
    tell: (place: string, value: unknown) => Effect.sync(() => this.#tell(place, JSON.stringify(value) ?? "nothing")),
    time: (place: string) =>
      Effect.tap(Clock.currentTimeMillis, (now) =>
        Effect.sync(() => {
          const millis = now - this.#began
          this.#tell(timeAt(place), `${millis} ms`, `${Math.round(millis / 3_600_000)} h`)
        })
      ),
    chance: (place: string) =>
      Effect.tap(Random.nextInt, (drawn) => Effect.sync(() => this.#tell(`the number at ${place}`, String(drawn))))
  }

  #note(text: string, step: Option.Option<Durable.StepContext["Service"]>): void {
    if (Option.isNone(step)) return void this.#log.push({ text, attempt: undefined })
    const { attempt, name, operationId } = step.value
    if (this.#acknowledged.has(operationId) || attempt <= (this.#attempts.get(operationId) ?? 0)) {
      this.#violations.push(`attempt ${attempt} of "${name}" ran although its outcome was acknowledged`)
    }
    this.#log.push({ text, attempt: `${operationId} ${attempt}` })
  }

  #tell(place: string, value: string, compared = value): void {
    const known = this.#reports.get(place)
    if (known === undefined) this.#reports.set(place, { values: new Set([value]), compared })
    else known.values.add(value)
  }

  /** Notes a request, and answers with its number. */
  ask({ Updates }: CheckpointStore.CheckpointRequest): number {
    return this.#requests.push(Updates.map(({ Action, Name, Type }) => `${Action} ${Name ?? Type}`).join(", "))
  }

  acknowledge({ ClientToken, Updates }: CheckpointStore.CheckpointRequest): void {
    // A request that is repeated is carried out once.
    if (this.#tokens.has(ClientToken)) return
    this.#tokens.add(ClientToken)
    for (const { Action, Id, Type } of Updates) {
      if (Type !== "STEP" || Action === "START") continue
      const attempt = (this.#attempts.get(Id) ?? 0) + 1
      this.#attempts.set(Id, attempt)
      this.#acknowledged.add(`${Id} ${attempt}`)
      if (Action !== "RETRY") this.#acknowledged.add(Id)
    }
  }

  /** Interrupts may take a few turns of the event loop. */
  readonly untilQuiet: Effect.Effect<void> = Effect.callback((resume) => {
    const look = (turns: number): void => {
      if (this.#fibers === 0 || turns === 0) resume(Effect.void)
      else setImmediate(() => look(turns - 1))
    }
    look(50)
  })

  get seen() {
    return {
      log: this.#log.map(({ text }) => text),
      effects: this.#log.map(({ attempt, text }) => ({
        text,
        attempt,
        acknowledged: attempt !== undefined && this.#acknowledged.has(attempt)
      })),
      reports: Array.from(this.#reports, ([place, { compared, values }]) => ({ place, values: [...values], compared })),
      requests: this.#requests,
      warnings: this.#warnings,
      violations: this.#violations,
      fibersLeft: this.#fibers
    }
  }
}

// --- Killed everywhere -----------------------------------------------------------------------------------------------

/**
 * Runs a program cleanly, then killed at every request, and demands that nobody could tell the difference: the same outcome,
 * operations, effects on the world, times and random numbers, and no fiber left. Answers with the clean run.
 */
export const everywhere = (program: Program, options: Everywhere = {}): Effect.Effect<Ran> =>
  atEveryRequest(program, (ran, clean) => differenceIn(ran) ?? differenceBetween(clean, ran), options)

/**
 * Runs a program cleanly, then killed at every request, and judges each run. A verdict is a sentence that says what is wrong.
 * Answers with the clean run.
 */
export const atEveryRequest = (
  program: Program,
  verdict: (ran: Ran, clean: Ran) => string | undefined,
  { kills = ({ length }) => killsAmong(length), ...options }: Everywhere = {}
): Effect.Effect<Ran> =>
  Effect.gen(function* () {
    const clean = yield* run(program, options)
    demand(verdict(clean, clean), "Without a kill", clean)
    for (const kill of kills(clean.requests)) {
      const ran = yield* run(program, { ...options, kill })
      demand(verdict(ran, clean), saying(kill, clean.requests), ran)
    }
    return clean
  })

const demand = (difference: string | undefined, where: string, ran: Ran): void => {
  if (difference === undefined) return
  const told = ran.warnings.length === 0 ? "" : `\nWarnings:\n${ran.warnings.join("\n")}`
  assert.fail(`${where}: ${difference}\nThe execution ${ran.outcome}\nIts log: ${ran.log.join(", ")}${told}`)
}

/** What is wrong with a run by itself: the first thing, or undefined. */
export const differenceIn = (ran: Ran): string | undefined => {
  const [violation] = ran.violations
  if (violation !== undefined) return violation
  for (const { place, values } of ran.reports) {
    if (values.length > 1) return `replays disagree on ${place}: ${values.join(", then ")}`
  }
  return ran.fibersLeft === 0 ? undefined : `${ran.fibersLeft} fibers are alive after the end`
}

/**
 * The first difference that a person could see between an execution that was never killed and one that was; undefined if
 * there is none. The body of a step whose outcome had not been acknowledged may run again.
 */
export const differenceBetween = (clean: Ran, ran: Ran): string | undefined =>
  lineThatDiffers("the outcome differs", [withoutFibers(clean.outcome)], [withoutFibers(ran.outcome)]) ??
  lineThatDiffers("what was done to the world differs", doneIn(clean), doneIn(ran)) ??
  lineThatDiffers("what was told differs", toldIn(clean), toldIn(ran)) ??
  lineThatDiffers("the operations differ", recordedIn(clean), recordedIn(ran))

/** Effects whose attempt was acknowledged in the end, each where it happened first. */
const doneIn = ({ effects }: Ran): ReadonlyArray<string> => {
  const once = new Map<string, string>()
  for (const { acknowledged, attempt, text } of effects) {
    if (acknowledged) once.set(`${attempt} ${text}`, text)
  }
  return [...once.values()]
}

const toldIn = ({ reports }: Ran): ReadonlyArray<string> =>
  reports.map(({ compared, place }) => `${place}: ${compared}`).toSorted()

/** What the code has asked for: not how often an attempt of it was cut off, which only a run that was killed records. */
const recordedIn = ({ operations }: Ran): ReadonlyArray<string> =>
  operations
    .filter(({ path }) => !/(^|\/)cut:[^/]*$/.test(path))
    .map(({ path, status, type }) => `${path} ${type} ${status}`)
    .toSorted()

/** A message may number fibers, and those of a replay have other numbers. */
const withoutFibers = (text: string): string => text.replaceAll(/#\d+/g, "#")

const lineThatDiffers = (
  what: string,
  expected: ReadonlyArray<string>,
  found: ReadonlyArray<string>
): string | undefined => {
  const at = Array.from({ length: Math.max(expected.length, found.length) }, (_, index) => index).find(
    (index) => expected[index] !== found[index]
  )
  return at === undefined
    ? undefined
    : `${what}: expected ${expected[at] ?? "nothing more"}, found ${found[at] ?? "nothing more"}\n` +
        `All that was expected: ${expected.join("; ")}\nAll that was found: ${found.join("; ")}`
}
