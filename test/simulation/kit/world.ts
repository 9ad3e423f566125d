/**
 * Runs a workflow on the test engine, kills its invocations as a schedule says, and tells everything that there is to see.
 */
import { CheckpointStore, Durable, DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Schema from "effect/Schema"
import { suffer } from "../../../src/testing/RequestFault.ts"
import type { Schedule } from "./kill.ts"

/** The one error that programs fail with. */
export class Oops extends Schema.TaggedError<Oops>()("Oops", { code: Schema.String }) {}

export type Workflow<A = string> = Effect.Effect<A, Oops, Durable.Execution>

const Work = DurableFunction.make("work", { success: Schema.String, error: Oops })

/** An operation of an execution, as the service keeps it. */
export type Operation = Effect.Success<ReturnType<TestEngine.TestRun<typeof Work>["operations"]>>[number]

/** How an execution ended; `fault` if the test engine gave it up. */
export type Outcome =
  | { readonly status: "SUCCEEDED"; readonly value: string }
  | { readonly status: "FAILED"; readonly type: string; readonly message: string }
  | { readonly status: "fault"; readonly message: string }

/** Everything that there is to see of an execution. */
export interface Seen {
  readonly outcome: Outcome
  /** In the order in which they were started. */
  readonly operations: ReadonlyArray<Operation>
  readonly requests: number
  readonly invocations: number
  /** What was logged as a warning, or as worse. */
  readonly warnings: ReadonlyArray<string>
  /** Fibers that were started and have not ended. */
  readonly fibersLeft: number
  /** Bodies of steps that ran although the service had acknowledged how they ended. */
  readonly repeated: ReadonlyArray<string>
  readonly acknowledged: Acknowledged
}

/** By which request the service first heard of an operation, and of its outcome. */
export interface Acknowledged {
  readonly start: ReadonlyMap<string, number>
  readonly outcome: ReadonlyMap<string, number>
}

/** What a program gets from the world that it runs in. */
export interface Kit {
  /** Number of the invocation, from 1. */
  readonly invocation: number
  /** How many requests the service has applied so far. */
  readonly applied: () => number
  /** Makes the body of a step, in which the world notices that it runs. It is given the id of its operation. */
  readonly body: <A, E>(
    run: (operationId: string, attempt: number) => Effect.Effect<A, E>
  ) => Effect.Effect<A, E, Durable.StepContext>
}

type Part = TestEngine.Stub | TestEngine.Answer

export const observe = async (
  program: (kit: Kit) => Workflow,
  schedule: Schedule,
  parts: ReadonlyArray<Part> = []
): Promise<Seen> => {
  const records = new Records()
  const warnings: Array<string> = []
  let fibersLeft = 0
  let invocations = 0

  const work = Work.implement(() =>
    Effect.suspend(() => program({ invocation: ++invocations, applied: () => records.applied, body: records.body }))
  )
  const logger = Logger.make<unknown, void>(({ logLevel, message }) => {
    if (["Warn", "Error", "Fatal"].includes(logLevel)) warnings.push(`${logLevel} ${String(message)}`)
  })
  const fibers = Layer.succeed(Metric.FiberRuntimeMetrics, {
    recordFiberStart: () => void fibersLeft++,
    recordFiberEnd: () => void fibersLeft--
  })
  const engine = TestEngine.layer([work, ...parts], { patience: "3 seconds" })

  const watched = Effect.gen(function* () {
    yield* records.spyOn(schedule)
    const run = yield* TestEngine.start(Work, undefined, { executionName: "one" })
    const exit = yield* Effect.exit(run.result)
    const last = (yield* run.history).at(-1)
    const error = last?.EventType === "ExecutionFailed" ? last.ExecutionFailedDetails.Error.Payload : undefined
    const outcome: Outcome = Exit.isSuccess(exit)
      ? { status: "SUCCEEDED", value: exit.value }
      : error === undefined
        ? { status: "fault", message: withoutStack(Cause.pretty(exit.cause)) }
        : { status: "FAILED", type: error.ErrorType ?? "", message: error.ErrorMessage ?? "" }
    return { outcome, operations: yield* run.operations() }
  }).pipe(Effect.provide(Layer.provide(engine, Layer.merge(Logger.layer([logger]), fibers))), Effect.orDie)

  const { operations, outcome } = await Effect.runPromise(watched)
  // What was interrupted last may take a turn to end.
  await new Promise((resolve) => setImmediate(resolve))
  const { acknowledged, repeated, requests } = records
  return { outcome, operations, requests, invocations, warnings, fibersLeft, repeated, acknowledged }
}

const withoutStack = (text: string): string =>
  text
    .split("\n")
    .filter((line) => !/^\s+at /.test(line))
    .join("\n")

/** Stands between the invocations and the service, and knows what was acknowledged. */
class Records {
  requests = 0
  readonly repeated: Array<string> = []
  readonly acknowledged = { start: new Map<string, number>(), outcome: new Map<string, number>() }
  /** Attempts of steps that have failed and are followed by another one. */
  readonly #failedAttempts = new Map<string, number>()
  readonly #applied = new Set<string>()

  get applied(): number {
    return this.#applied.size
  }

  readonly body: Kit["body"] = (run) =>
    Effect.flatMap(Durable.StepContext, ({ attempt, name, operationId }) =>
      Effect.suspend(() => {
        const isOver =
          this.acknowledged.outcome.has(operationId) || attempt <= (this.#failedAttempts.get(operationId) ?? 0)
        if (isOver) this.repeated.push(`attempt ${attempt} of the step "${name}"`)
        return run(operationId, attempt)
      })
    )

  /** Every invocation of the engine uses the one object that is changed here. */
  spyOn(schedule: Schedule): Effect.Effect<void, never, CheckpointStore.CheckpointStore> {
    return Effect.map(CheckpointStore.CheckpointStore, (store) => {
      const { checkpoint } = store
      const spy = Effect.fnUntraced({ self: this }, function* (request: CheckpointStore.CheckpointRequest) {
        const number = ++this.requests
        const side = schedule.find(({ at }) => at === number)?.side
        const send = Effect.tap(checkpoint(request), () => Effect.sync(() => this.#acknowledge(request, number)))
        if (side === undefined) return yield* send
        const kind = side === "lost" ? "unavailable" : "stale"
        return yield* suffer({ kind, when: side === "before" ? "before" : "after" }, () => send)
      })
      Object.assign(store, { checkpoint: spy })
    })
  }

  #acknowledge({ ClientToken, Updates }: CheckpointStore.CheckpointRequest, number: number): void {
    if (this.#applied.has(ClientToken)) return
    this.#applied.add(ClientToken)
    const { outcome, start } = this.acknowledged
    for (const { Action, Id } of Updates) {
      if (!start.has(Id)) start.set(Id, number)
      if (Action === "SUCCEED" || Action === "FAIL") outcome.set(Id, number)
      if (Action === "RETRY") this.#failedAttempts.set(Id, (this.#failedAttempts.get(Id) ?? 0) + 1)
    }
  }
}
