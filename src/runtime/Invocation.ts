/**
 * One invocation from event to answer: load the state, run the workflow, and say how it ended.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import { CheckpointStore, type StoreError } from "../CheckpointStore.ts"
import type * as Contract from "../Contract.ts"
import { InvalidPayload, InvocationFailed, StoreRejected } from "../DurableError.ts"
import { byteLength } from "../internal/bytes.ts"
import { erase } from "../internal/erase.ts"
import { continuation } from "../wire/Continuation.ts"
import type { ErrorObject } from "../wire/ErrorObject.ts"
import * as Telemetry from "../Telemetry.ts"
import type { InvocationAnswer, InvocationEvent } from "../wire/Invocation.ts"
import * as Limits from "../wire/Limits.ts"
import type { Operation } from "../wire/Operation.ts"
import { CaptureCallSites } from "./CallSite.ts"
import { loadPages } from "./Checkpointer.ts"
import { Execution } from "./Execution.ts"
import { compensate } from "./operations/compensation.ts"
import { fitError, limitSize, readValue, writeFailure, writeValue, type Subject } from "./Outcome.ts"
import { observed } from "./Observer.ts"
import { checkReached } from "./Reached.ts"
import { toldBy } from "./RealTime.ts"
import { ofPayload, ofResult, type Recording } from "./Recording.ts"
import { defaultOptions, Run, type RunOptions } from "./Run.ts"
import type { Verdict } from "./Verdict.ts"
import { WorkflowClock } from "./WorkflowClock.ts"
import { WorkflowRandom } from "./WorkflowRandom.ts"

/** An answer together with what a host may want to report about the invocation. */
export interface Invoked {
  readonly answer: InvocationAnswer
  readonly run: Run | undefined
}

/**
 * Runs one invocation. It fails with `InvocationFailed` when it ends without an answer, so that the service repeats it.
 */
export const invoke = (
  implementation: Contract.AnyImplementation,
  event: InvocationEvent,
  options: Partial<RunOptions> = {}
): Effect.Effect<Invoked, InvocationFailed, CheckpointStore> =>
  observed(event.DurableExecutionArn, answerEvent(implementation, event, options))

const answerEvent = Effect.fnUntraced(function* (
  implementation: Contract.AnyImplementation,
  event: InvocationEvent,
  options: Partial<RunOptions>
): Effect.fn.Return<Invoked, InvocationFailed, CheckpointStore> {
  const beganAt = yield* Clock.currentTimeMillis
  const loaded = yield* Effect.result(within(options.deadline, "loaded the state of the execution", load(event)))
  if (Result.isFailure(loaded)) return yield* unreadable(event, loaded.failure)
  const run = yield* Run.make({
    executionArn: event.DurableExecutionArn,
    executionName: nameOf(event.DurableExecutionArn),
    token: event.CheckpointToken,
    operations: loaded.success,
    news: event.UpdatedOperationIds ?? [],
    beganAt,
    options: { ...defaultOptions, ...options }
  })
  return yield* Effect.onExit(
    Effect.map(execute(implementation, run), (answer) => ({ answer, run })),
    (exit) =>
      Effect.sync(() => {
        run.observer.ended(exit)
        run.dispose()
      })
  )
})

/** Ends what an invocation does before its workflow runs, when the invocation must end. */
export const within = <A, E, R>(
  deadline: number | undefined,
  action: string,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E | InvocationFailed, R> =>
  deadline === undefined
    ? effect
    : Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.timeoutOrElse(effect, {
          duration: Math.max(0, deadline - now),
          orElse: () =>
            Effect.fail(
              new InvocationFailed({
                reason: "deadline",
                message: `The invocation ran out of time while it ${action}.`
              })
            )
        })
      )

/** All operations of the execution: those on the event, and the pages that follow. */
const load = Effect.fnUntraced(function* (
  event: InvocationEvent
): Effect.fn.Return<ReadonlyArray<Operation>, StoreError, CheckpointStore> {
  const { NextMarker, Operations } = event.InitialExecutionState
  if (!NextMarker) return Operations
  const store = yield* CheckpointStore
  const random = yield* Random.Random
  const services = yield* Effect.context()
  const more = yield* loadPages(
    {
      executionArn: event.DurableExecutionArn,
      store,
      random: () => random.nextDoubleUnsafe(),
      onRepeat: () => Telemetry.checkpointRetries.updateUnsafe(1, services)
    },
    event.CheckpointToken,
    NextMarker
  )
  return [...Operations, ...more]
})

const unreadable = (
  event: InvocationEvent,
  error: StoreError | InvocationFailed
): Effect.Effect<Invoked, InvocationFailed> => {
  switch (error._tag) {
    case "InvocationFailed":
      return Effect.fail(error)
    case "StaleCheckpointToken":
      return Effect.fail(
        new InvocationFailed({
          reason: "stale-token",
          message: `This invocation no longer owns the execution. ${error.message}`
        })
      )
    case "StoreUnavailable":
      return Effect.fail(
        new InvocationFailed({
          reason: "store-unavailable",
          message: `The state of the execution could not be loaded. ${error.message}`
        })
      )
    case "StoreRefused": {
      const rejected = new StoreRejected({
        operation: nameOf(event.DurableExecutionArn),
        message: `The service refused to give out the state of the execution. ${error.message}`
      })
      return Effect.succeed({
        answer: { Status: "FAILED", Error: { ErrorType: rejected._tag, ErrorMessage: rejected.message } },
        run: undefined
      })
    }
  }
}

/** The name of an execution: the last part but one of its ARN, or all of an ARN that is none. */
const nameOf = (arn: string): string => arn.split("/").at(-2) ?? arn

const execute = Effect.fnUntraced(function* (
  implementation: Contract.AnyImplementation,
  run: Run
): Effect.fn.Return<InvocationAnswer, InvocationFailed> {
  const { contract } = implementation
  const self: Subject = {
    run,
    context: run.context,
    id: run.journal.execution?.Id ?? run.executionArn,
    path: contract.name
  }
  const workflow = Effect.gen(function* () {
    const payload = yield* readPayload(self, contract)
    return yield* erase(implementation.handler(cast<unknown, never>(payload)))
  }).pipe(
    Effect.scoped,
    Effect.exit,
    // Fibres that were forked last begin before the workflow has ended, as they may have done in an earlier invocation.
    Effect.tap(() => Effect.yieldNow),
    Effect.flatMap((exit) => erase(compensate(run, exit))),
    Effect.flatten,
    Effect.provideService(Execution, { run, context: run.context, step: undefined }),
    Effect.provideService(CaptureCallSites, run.options.captureSources),
    Effect.provideService(Clock.Clock, new WorkflowClock(run)),
    Effect.provideService(Random.Random, new WorkflowRandom(run.random)),
    toldBy(run.clock)
  )
  const ending = yield* run.supervise(run.observer.workflow(run.context, workflow))
  if (ending._tag !== "Ended") return yield* answerVerdict(self, ending)
  const answer = yield* Effect.raceFirst(answerExit(self, contract, ending.exit), run.verdict)
  if ("_tag" in answer) return yield* answerVerdict(self, answer)
  const verdict = yield* run.drain
  return verdict === undefined ? answer : yield* answerVerdict(self, verdict)
})

const readPayload = (self: Subject, contract: Contract.Any): Effect.Effect<unknown> =>
  readValue(self, "payload", ofPayload(contract), self.run.journal.execution?.ExecutionDetails?.InputPayload).pipe(
    Effect.catchDefect((defect) =>
      Effect.die(
        new InvalidPayload({
          operation: self.path,
          message: `The payload does not fit the contract "${contract.name}". ${defect instanceof Error ? defect.message : String(defect)}`
        })
      )
    )
  )

const answerVerdict = (self: Subject, verdict: Verdict): Effect.Effect<InvocationAnswer, InvocationFailed> => {
  switch (verdict._tag) {
    case "Suspended":
      return Effect.succeed({ Status: "PENDING" })
    case "Continued":
      return Effect.succeed({ Status: "SUCCEEDED", Result: continuation(verdict.executionArn) })
    case "Aborted":
      return Effect.fail(verdict.error)
    case "Condemned":
      return Effect.map(writeFailure(self, {}, Cause.die(verdict.mistake)), (error) => ({
        Status: "FAILED",
        Error: error
      }))
  }
}

const answerExit = Effect.fnUntraced(function* (
  self: Subject,
  contract: Contract.Any,
  exit: Exit.Exit<unknown, unknown>
): Effect.fn.Return<InvocationAnswer> {
  const recording = ofResult(contract)
  const written = yield* checkReached(self.run, self.context, exit).pipe(
    Effect.andThen(Exit.isSuccess(exit) ? writeResult(self, recording, exit.value) : Effect.failCause(exit.cause)),
    Effect.exit
  )
  if (Exit.isSuccess(written)) return written.value
  const error = yield* Effect.catchCause(writeFailure(self, recording, written.cause), (unwritable) =>
    writeFailure(self, {}, unwritable)
  )
  return { Status: "FAILED", Error: withNotUndone(error, self.run.notUndone) }
})

/** What could not be undone is told with the failure that was the reason for undoing it. */
const withNotUndone = (error: ErrorObject, notUndone: ReadonlyArray<string>): ErrorObject =>
  notUndone.length === 0
    ? error
    : fitError({
        ...error,
        ErrorMessage: `${error.ErrorMessage ?? ""} The compensation failed as well, so it is still done: ${notUndone.join(", ")}.`
      })

/** The answer with the result; one that is too large for it goes through an update of the execution. */
const writeResult = Effect.fnUntraced(function* (
  self: Subject,
  recording: Recording,
  value: unknown
): Effect.fn.Return<InvocationAnswer> {
  const text = yield* writeValue(self, "result", recording, value)
  if (text === undefined) return { Status: "SUCCEEDED" }
  if (byteLength(text) <= Limits.maxInlineResult) return { Status: "SUCCEEDED", Result: text }
  yield* limitSize(self, "result", text, Limits.maxWirePayload)
  const update = { Id: self.id, Type: "EXECUTION", Action: "SUCCEED", Payload: text }
  self.run.usage.addUpdate(self.path, update)
  self.run.checkpointer.post(update)
  return { Status: "SUCCEEDED", Result: "" }
})
