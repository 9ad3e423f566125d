/**
 * The state of each operation, derived from the events of a history, one event after the other.
 *
 * Owns: the meaning of an event for its operation.
 * Does not own: how operations belong together, invocations, and the execution.
 *
 * @since 0.1.0
 */
import type { EventError, EventPayload, HistoryEvent } from "../wire/HistoryEvent.ts"
import type { OperationStatus, OperationType } from "../wire/Operation.ts"

/** An interval in milliseconds since the epoch. Without `end` it is still open, or was left open when the execution ended. */
export interface Span {
  readonly start: number
  readonly end?: number | undefined
}

/** One run of the body of a step, or one poll of a condition. */
export interface Attempt extends Span {
  /** The number, from 1. */
  readonly number: number
  readonly status: "STARTED" | "SUCCEEDED" | "FAILED"
  readonly error?: EventError | undefined
  /** The result of the attempt; for a condition also if it is polled again. */
  readonly output?: EventPayload | undefined
  /** When the next attempt is due, if there will be one. */
  readonly nextAttemptAt?: number | undefined
}

/** The fields of one type of operation. Fields that the history does not contain are absent. */
export type Detail =
  | { readonly _tag: "Step"; readonly attempts: ReadonlyArray<Attempt> }
  | { readonly _tag: "Wait"; readonly until?: number }
  | {
      readonly _tag: "Callback"
      readonly callbackId?: string
      readonly timeoutAt?: number | undefined
      /** The maximum interval between heartbeats. No event records a heartbeat. */
      readonly heartbeatSeconds?: number | undefined
    }
  | {
      readonly _tag: "Invoke"
      readonly functionName?: string
      readonly version?: string | undefined
      readonly tenantId?: string | undefined
      /** The execution, if the function is durable. */
      readonly executionArn?: string | undefined
      readonly input?: EventPayload | undefined
    }
  | { readonly _tag: "Other" }

/** An operation. If the history lacks its start, the start is the time of the first event about it. */
export interface Operation extends Span {
  readonly id: string
  readonly parentId?: string | undefined
  readonly type: OperationType
  readonly subType?: string | undefined
  readonly name?: string | undefined
  readonly status: OperationStatus
  readonly detail: Detail
  readonly output?: EventPayload | undefined
  readonly error?: EventError | undefined
  /** The number of the event that ended it. */
  readonly endEventId?: number | undefined
}

/** Returns every operation in the order of the first event about it. The events are in order. */
export const operationsOf = (events: ReadonlyArray<HistoryEvent>): ReadonlyMap<string, Operation> => {
  const operations = new Map<string, Operation>()
  for (const event of events) {
    const about = aboutOf(event)
    if (event.Id === undefined || about === undefined || about.type === "EXECUTION") continue
    const before = operations.get(event.Id) ?? unknown(event, event.Id, about.type)
    operations.set(event.Id, after(before, event, about.status))
  }
  return operations
}

interface About {
  readonly type: OperationType
  readonly status: OperationStatus
}

/** Returns the type and the status in the name of an event, also for events of new types. */
const aboutOf = (event: HistoryEvent): About | undefined => {
  const name = event.EventType === "Unknown" ? event.UnknownEventType : event.EventType
  const [, type, status] = /^(.+?)(Started|Succeeded|Failed|TimedOut|Stopped|Cancelled)$/.exec(name) ?? []
  return type === undefined || status === undefined ? undefined : { type: upper(type), status: upper(status) }
}

const upper = (words: string): string => words.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase()

/** Returns an operation before its first event. */
const unknown = ({ EventTimestamp, Name, ParentId, SubType }: HistoryEvent, id: string, type: string): Operation => ({
  id,
  parentId: ParentId,
  type,
  subType: SubType,
  name: Name,
  status: "STARTED",
  start: EventTimestamp,
  detail: nothingKnown[type] ?? { _tag: "Other" }
})

const nothingKnown: Readonly<Record<string, Detail>> = {
  STEP: { _tag: "Step", attempts: [] },
  WAIT: { _tag: "Wait" },
  CALLBACK: { _tag: "Callback" },
  CHAINED_INVOKE: { _tag: "Invoke" }
}

/** Returns an operation after an event. */
const after = (before: Operation, event: HistoryEvent, status: OperationStatus): Operation => {
  switch (event.EventType) {
    case "StepStarted":
      return { ...before, status, detail: { _tag: "Step", attempts: begun(attemptsOf(before), event.EventTimestamp) } }
    case "StepSucceeded":
      return attempted(before, event, event.StepSucceededDetails.RetryDetails, {
        status: "SUCCEEDED",
        output: event.StepSucceededDetails.Result
      })
    case "StepFailed":
      return attempted(before, event, event.StepFailedDetails.RetryDetails, {
        status: "FAILED",
        error: event.StepFailedDetails.Error
      })
    default:
      return status === "STARTED"
        ? { ...before, detail: detailOf(event) ?? before.detail }
        : { ...before, status, end: event.EventTimestamp, endEventId: event.EventId, ...outcomeOf(event) }
  }
}

const detailOf = (event: HistoryEvent): Detail | undefined => {
  switch (event.EventType) {
    case "WaitStarted":
      return { _tag: "Wait", until: event.WaitStartedDetails.ScheduledEndTimestamp }
    case "CallbackStarted": {
      const { CallbackId, HeartbeatTimeout, Timeout } = event.CallbackStartedDetails
      return {
        _tag: "Callback",
        callbackId: CallbackId,
        // Some services send 0 for no time-out.
        timeoutAt: Timeout === undefined || Timeout === 0 ? undefined : event.EventTimestamp + Timeout * 1_000,
        heartbeatSeconds: HeartbeatTimeout === 0 ? undefined : HeartbeatTimeout
      }
    }
    case "ChainedInvokeStarted": {
      const { DurableExecutionArn, ExecutedVersion, FunctionName, Input, TenantId } = event.ChainedInvokeStartedDetails
      return {
        _tag: "Invoke",
        functionName: FunctionName,
        version: ExecutedVersion,
        tenantId: TenantId,
        // An empty ARN is that of a plain function.
        executionArn: DurableExecutionArn === "" ? undefined : DurableExecutionArn,
        input: Input
      }
    }
    default:
      return undefined
  }
}

const outcomeOf = (event: HistoryEvent): Pick<Operation, "output" | "error"> => {
  switch (event.EventType) {
    case "ContextSucceeded":
      return { output: event.ContextSucceededDetails.Result }
    case "ContextFailed":
      return { error: event.ContextFailedDetails.Error }
    case "WaitCancelled":
      return { error: event.WaitCancelledDetails.Error }
    case "ChainedInvokeSucceeded":
      return { output: event.ChainedInvokeSucceededDetails.Result }
    case "ChainedInvokeFailed":
      return { error: event.ChainedInvokeFailedDetails.Error }
    case "ChainedInvokeTimedOut":
      return { error: event.ChainedInvokeTimedOutDetails.Error }
    case "ChainedInvokeStopped":
      return { error: event.ChainedInvokeStoppedDetails.Error }
    case "CallbackSucceeded":
      return { output: event.CallbackSucceededDetails.Result }
    case "CallbackFailed":
      return { error: event.CallbackFailedDetails.Error }
    case "CallbackTimedOut":
      return { error: event.CallbackTimedOutDetails.Error }
    default:
      return {}
  }
}

// --- Attempts ------------------------------------------------------------------------------------------------------------

const attemptsOf = ({ detail }: Operation): ReadonlyArray<Attempt> => (detail._tag === "Step" ? detail.attempts : [])

const begun = (attempts: ReadonlyArray<Attempt>, start: number): ReadonlyArray<Attempt> => [
  ...attempts,
  { number: (attempts.at(-1)?.number ?? 0) + 1, status: "STARTED", start }
]

/** Returns an operation after an attempt has ended: another attempt is due, or the step has ended. */
const attempted = (
  before: Operation,
  { EventId, EventTimestamp: end }: HistoryEvent,
  retry: { readonly CurrentAttempt?: number | undefined; readonly NextAttemptDelaySeconds?: number | undefined },
  outcome: Pick<Attempt, "status" | "output" | "error">
): Operation => {
  const all = attemptsOf(before)
  const open = all.at(-1)?.status === "STARTED" ? all.at(-1) : undefined
  const { CurrentAttempt: number = open?.number ?? all.length + 1, NextAttemptDelaySeconds: delay } = retry
  const attempt: Attempt = {
    number,
    start: open?.start ?? end,
    end,
    ...outcome,
    nextAttemptAt: delay === undefined ? undefined : end + delay * 1_000
  }
  const detail: Detail = { _tag: "Step", attempts: [...(open === undefined ? all : all.slice(0, -1)), attempt] }
  if (delay !== undefined) return { ...before, status: "PENDING", detail }
  const { error, output, status } = outcome
  return { ...before, status, end, endEventId: EventId, detail, error, output }
}
