/**
 * Runs a small workflow in memory, once per process, so that the code that every invocation needs is compiled before
 * the first invocation. Lambda gives a function a whole processor while its modules load, but in an invocation only a
 * share of one, in proportion to its memory.
 *
 * Owns: that workflow, the events of its invocations, and the store that stands in for the service.
 * Does not own: when this happens, which is when the first handler is made.
 *
 * Invariants:
 * 1. It runs synchronously: when it returns, no fiber, timer or request is left.
 * 2. It is invisible from outside: it writes no log and no span, and counts in a metric registry of its own.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as References from "effect/References"
import { CheckpointStore } from "../../CheckpointStore.ts"
import * as DurableFunction from "../../DurableFunction.ts"
import { step } from "../../operations/step.ts"
import type { InvocationAnswer } from "../../wire/Invocation.ts"
import type { OperationUpdate } from "../../wire/OperationUpdate.ts"
import * as LambdaLogger from "../LambdaLogger.ts"
import { runner } from "./run.ts"
import { buildScoped } from "./sandbox.ts"
import { makeStore } from "./store.ts"

let isPrimed = false

/** Compiles the code that the invocations of this process need, on the first call. */
export const primeOnce = (): void => {
  if (isPrimed) return
  isPrimed = true
  prime()
}

/** One operation of a history, as the service writes it. */
type Recorded = Readonly<Record<string, unknown>>

/** Runs the workflow twice: from its beginning, and over the complete history. */
export const prime = (): ReadonlyArray<Exit.Exit<InvocationAnswer, unknown>> => {
  const history = new Map<string, Recorded>([["execution", execution]])
  return [run(history), run(history)]
}

const steps = 3

const primer = DurableFunction.make("prime").implement(() =>
  Effect.gen(function* () {
    for (let i = 0; i < steps; i++) yield* step("step", Effect.succeed(i))
  })
)

/** The time of all events. Its value does not matter. */
const then = 1_700_000_000_000

const execution: Recorded = {
  Id: "execution",
  Type: "EXECUTION",
  Status: "STARTED",
  StartTimestamp: then,
  ExecutionDetails: { InputPayload: "null" }
}

const run = (history: Map<string, Recorded>): Exit.Exit<InvocationAnswer, unknown> => {
  const event = {
    DurableExecutionArn: "arn:aws:lambda:us-east-1:123456789012:function:prime:1/durable-execution/prime/prime",
    CheckpointToken: "token",
    InitialExecutionState: { Operations: [...history.values()] }
  }
  const invocation = runner(primer, {
    services: () => built(quiet),
    checkpoints: () => built(Layer.succeed(CheckpointStore, storeOf(history))),
    options: {},
    mayWait: false,
    margin: 1_000
  })(event, { getRemainingTimeInMillis: () => 60_000 })
  return Effect.runSyncExit(Effect.map(invocation, ({ answer }) => answer))
}

/** The layer of every handler, without any output. */
const quiet = Layer.mergeAll(
  LambdaLogger.layer,
  Layer.succeed(Metric.MetricRegistry, new Map()),
  Layer.succeed(References.MinimumLogLevel, "None")
)

const built = <R>(layer: Layer.Layer<R>): Effect.Effect<Context.Context<R>> =>
  Effect.map(buildScoped(layer, Layer.makeMemoMapUnsafe()), ({ services }) => services)

/** A service that keeps everything in the history, and answers at once. */
const storeOf = (history: Map<string, Recorded>): CheckpointStore["Service"] =>
  makeStore({
    checkpoint: ({ Updates }, read) => {
      const changed = Updates.map(recorded)
      for (const one of changed) history.set(String(one["Id"]), one)
      return read({ CheckpointToken: "token", NewExecutionState: { Operations: changed } })
    },
    loadState: (_, read) => read({ Operations: [...history.values()] })
  })

const recorded = ({ Action, Id, Name, Payload, SubType, Type }: OperationUpdate): Recorded => ({
  Id,
  Type,
  ...(Name === undefined ? undefined : { Name }),
  ...(SubType === undefined ? undefined : { SubType }),
  StartTimestamp: new Date(then),
  ...(Action === "SUCCEED"
    ? { Status: "SUCCEEDED", EndTimestamp: new Date(then), StepDetails: { Attempt: 1, Result: Payload } }
    : { Status: "STARTED" })
})
