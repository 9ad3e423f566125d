/**
 * Invocations of the function: when one starts, its event, and the meaning of its end.
 *
 * @since 0.1.0
 */
import * as HashSet from "effect/HashSet"
import * as Result from "effect/Result"
import * as SchemaParser from "effect/SchemaParser"
import type { ErrorObject } from "../wire/ErrorObject.ts"
import { InvocationAnswer } from "../wire/Invocation.ts"
import type { Ending } from "./ChainedInvoke.ts"
import * as Close from "./Close.ts"
import * as Events from "./Events.ts"
import * as Execution from "./Execution.ts"
import { answerTooLarge, errorSize, isAnswerTooLarge } from "./internal/size.ts"
import * as Metering from "./Metering.ts"
import * as Paging from "./Paging.ts"
import * as State from "./State.ts"
import * as Work from "./Work.ts"

/**
 * The end of an invocation: an unchecked answer of the handler, an error (thrown by the handler, or the `Runtime.ExitError`
 * of a crashed process), or a time-out.
 *
 * @since 0.1.0
 * @category models
 */
export type InvocationEnd =
  | { readonly _tag: "Answered"; readonly answer: unknown }
  | { readonly _tag: "Crashed"; readonly error: ErrorObject }
  | { readonly _tag: "TimedOut"; readonly afterSeconds: number }

// --- The start of an invocation --------------------------------------------------------------------------------------

/**
 * Invokes every execution that this command has made ready, or that has changes which the function has not received. Called
 * once, at the end of a command, so that simultaneous changes arrive in one invocation.
 */
export const wake = (work: Work.Work): void => {
  for (const arn of work.touched) {
    const execution = Work.execution(work, arn)
    if (execution.outcome !== undefined) continue
    const { _tag } = execution.gate
    if (_tag === "Ready" || (_tag === "Suspended" && Execution.hasNews(execution))) invoke(work, execution)
  }
}

const invoke = (work: Work.Work, execution: Execution.Execution): void => {
  const { identity } = execution
  const invocationId = work.freshId(identity.arn)
  const token = Work.freshToken(work, identity.arn)
  const news = Execution.changedBetween(execution, execution.delivered, execution.changes.size)
  const gate: Execution.Gate = { _tag: "InFlight", invocationId, startTimestamp: work.time, token }
  Work.store(work, Execution.deliverAll({ ...execution, gate }))
  work.effects.push({
    _tag: "InvokeFunction",
    functionName: identity.functionName,
    version: identity.version,
    functionArn: identity.functionArn,
    executionArn: identity.arn,
    invocationId,
    event: {
      DurableExecutionArn: identity.arn,
      CheckpointToken: token,
      InitialExecutionState: Paging.firstStatePage(execution, Paging.largest(work.config)),
      UpdatedOperationIds: news
        .map(({ operation }) => operation)
        .filter((operation) => Execution.isShown(execution, operation))
        .map(({ Id }) => Id)
    },
    ...(identity.tenantId !== undefined && { tenantId: identity.tenantId }),
    ...(identity.traceHeader !== undefined && { traceHeader: identity.traceHeader })
  })
}

// --- The end of an invocation ----------------------------------------------------------------------------------------

/** Ends an invocation. Does nothing if it is not the one in flight. */
export const end = (work: Work.Work, arn: string, invocationId: string, ended: InvocationEnd): void => {
  const execution = State.execution(work.state, arn)
  if (execution?.gate._tag !== "InFlight" || execution.gate.invocationId !== invocationId) return
  const verdict = execution.outcome === undefined ? judge(execution, invocationId, ended) : tooLate(invocationId, ended)
  const after = completed(execution, execution.gate, work.time, "error" in verdict ? verdict.error : undefined)
  Work.store(work, { ...after, gate: { _tag: "Suspended" } })
  switch (verdict._tag) {
    case "Close":
      return Close.close(work, arn, verdict.ending)
    case "Suspend":
      return Work.store(work, { ...Work.execution(work, arn), failures: noFailures })
    case "Retry":
      return retry(work, arn, verdict.error, verdict.withNothingPending)
    case "Nothing":
  }
}

/** The consequence of the end of an invocation; `error` is recorded in the history. */
type Verdict =
  | { readonly _tag: "Close"; readonly ending: Ending; readonly error?: ErrorObject }
  | { readonly _tag: "Suspend" }
  | { readonly _tag: "Retry"; readonly error: ErrorObject; readonly withNothingPending: number }
  | { readonly _tag: "Nothing"; readonly error?: ErrorObject }

const judge = (execution: Execution.Execution, invocationId: string, ended: InvocationEnd): Verdict => {
  if (ended._tag !== "Answered") return { _tag: "Retry", error: errorOf(invocationId, ended), withNothingPending: 0 }
  const decoded = decodeAnswer(ended.answer)
  if (Result.isFailure(decoded)) return failing(invalidAnswer(problemWith(ended.answer)))
  const answer = decoded.success
  switch (answer.Status) {
    case "SUCCEEDED":
      if (isAnswerTooLarge(answer.Result)) {
        return { _tag: "Retry", error: answerTooLarge, withNothingPending: 0 }
      }
      return {
        _tag: "Close",
        ending: { status: "SUCCEEDED", ...(answer.Result !== undefined && { result: answer.Result }) }
      }
    case "FAILED":
      return { _tag: "Close", ending: { status: "FAILED", error: answer.Error ?? {} } }
    default:
      return Execution.hasNews(execution) || HashSet.size(execution.waiting) > 0
        ? { _tag: "Suspend" }
        : nothingPending(execution)
  }
}

/** Returns the verdict for an execution that is over already: the handler's answer no longer counts. */
const tooLate = (invocationId: string, ended: InvocationEnd): Verdict =>
  ended._tag === "Answered" ? { _tag: "Nothing" } : { _tag: "Nothing", error: errorOf(invocationId, ended) }

const decodeAnswer = SchemaParser.decodeUnknownResult(InvocationAnswer)

const errorOf = (invocationId: string, ended: Exclude<InvocationEnd, { readonly _tag: "Answered" }>): ErrorObject =>
  ended._tag === "Crashed"
    ? ended.error
    : {
        ErrorType: "Sandbox.Timedout",
        ErrorMessage: `RequestId: ${invocationId} Error: Task timed out after ${ended.afterSeconds.toFixed(2)} seconds`
      }

/** Returns the verdict for an answer that no handler may give: it ends the execution at once. */
const failing = (error: ErrorObject): Verdict => ({ _tag: "Close", ending: { status: "FAILED", error }, error })

const invalidAnswer = (message: string): ErrorObject => ({
  ErrorType: "InvalidParameterValueException",
  ErrorMessage: message
})

const problemWith = (answer: unknown): string => {
  const status: unknown = typeof answer === "object" && answer !== null ? Reflect.get(answer, "Status") : undefined
  if (status === "SUCCEEDED") return "Status SUCCEEDED goes with a Result that is text, and with no Error."
  if (status === "FAILED") return "Status FAILED goes with an Error object, and with no Result."
  return "The answer of the invocation must be an object with the Status SUCCEEDED, FAILED or PENDING."
}

/**
 * Returns the verdict for a PENDING answer with nothing pending. It may be a race in the SDK that the next replay avoids:
 * the service tries three times before it gives up.
 */
const nothingPending = ({ failures }: Execution.Execution): Verdict => {
  const error = invalidAnswer("Cannot return PENDING status with no pending operations.")
  const withNothingPending = failures.withNothingPending + 1
  return withNothingPending < 3 ? { _tag: "Retry", error, withNothingPending } : failing(error)
}

const completed = (
  execution: Execution.Execution,
  gate: Extract<Execution.Gate, { readonly _tag: "InFlight" }>,
  time: number,
  error: ErrorObject | undefined
): Execution.Execution =>
  Events.appendPlain(execution, time, {
    EventType: "InvocationCompleted",
    InvocationCompletedDetails: {
      StartTimestamp: gate.startTimestamp,
      EndTimestamp: time,
      RequestId: gate.invocationId,
      ...(error !== undefined && { Error: Events.failure(error) })
    }
  })

const noFailures: Execution.Execution["failures"] = { inARow: 0, withNothingPending: 0 }

/** Repeats the invocation after a pause that grows with every failure. Only the execution's time-out ends this. */
const retry = (work: Work.Work, arn: string, error: ErrorObject, withNothingPending: number): void => {
  const execution = Work.execution(work, arn)
  const inARow = execution.failures.inARow + 1
  const { factor, initialSeconds, maxSeconds } = work.config.invocationRetry
  const delay = Math.min(initialSeconds * factor ** (inARow - 1), maxSeconds)
  Work.store(work, {
    ...Metering.charge(execution, { operations: 1, bytes: errorSize(error) }),
    gate: { _tag: "BackingOff" },
    failures: { inARow, withNothingPending }
  })
  Work.arm(work, { kind: "InvocationRetry", executionArn: arn }, work.time + Math.round(delay * 1_000))
}
