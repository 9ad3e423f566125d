/**
 * The effect of one checkpoint update. The update has passed every check: nothing is refused here.
 *
 * @since 0.1.0
 */
import * as HashMap from "effect/HashMap"
import type { Operation } from "../wire/Operation.ts"
import type { OperationUpdate } from "../wire/OperationUpdate.ts"
import * as ChainedInvoke from "./ChainedInvoke.ts"
import { change, subject } from "./Change.ts"
import * as Close from "./Close.ts"
import * as Events from "./Events.ts"
import * as Execution from "./Execution.ts"
import { invariant } from "./internal/invariant.ts"
import * as Work from "./Work.ts"

/** Applies one update to an open execution. */
export const apply = (work: Work.Work, arn: string, update: OperationUpdate): void => {
  switch (update.Type) {
    case "STEP":
      return updateStep(work, arn, update)
    case "CONTEXT":
      return updateContext(work, arn, update)
    case "WAIT":
      return update.Action === "START" ? startWait(work, arn, update) : cancelWait(work, arn, update)
    case "CALLBACK":
      return startCallback(work, arn, update)
    case "CHAINED_INVOKE":
      return update.Action === "START" ? ChainedInvoke.start(work, arn, update) : cancelInvoke(work, arn, update)
    default:
      return Close.close(work, arn, endingOf(update))
  }
}

const endingOf = ({ Action, Error, Payload }: OperationUpdate): ChainedInvoke.Ending =>
  Action === "FAIL"
    ? { status: "FAILED", error: Error ?? {} }
    : { status: "SUCCEEDED", ...(Payload !== undefined && { result: Payload }) }

// --- Steps -----------------------------------------------------------------------------------------------------------

const updateStep = (work: Work.Work, arn: string, update: OperationUpdate): void => {
  const execution = Work.execution(work, arn)
  const before = subject(work, execution, update)
  // Attempt counts the finished attempts; an event counts the attempt that it describes.
  const finished = before.StepDetails?.Attempt ?? 0
  const attempt = finished + 1
  const outcome = { ...result(update), ...error(update) }
  switch (update.Action) {
    case "START":
      return change(
        work,
        execution,
        { ...before, Status: "STARTED", StepDetails: { ...before.StepDetails, Attempt: finished } },
        { EventType: "StepStarted", StepStartedDetails: {} }
      )
    case "RETRY": {
      const delay = update.StepOptions?.NextAttemptDelaySeconds
      invariant(delay !== undefined, "a retry without a delay was let through")
      const due = work.time + delay * 1_000
      change(
        work,
        execution,
        { ...before, Status: "PENDING", StepDetails: { Attempt: attempt, NextAttemptTimestamp: due, ...outcome } },
        attemptEvent(update, { CurrentAttempt: attempt, NextAttemptDelaySeconds: delay })
      )
      return Work.arm(work, { kind: "StepRetry", executionArn: arn, operationId: update.Id }, due)
    }
    default:
      return change(
        work,
        execution,
        {
          ...before,
          Status: update.Action === "FAIL" ? "FAILED" : "SUCCEEDED",
          EndTimestamp: Work.stamp(work),
          StepDetails: { Attempt: attempt, ...outcome }
        },
        attemptEvent(update, { CurrentAttempt: attempt })
      )
  }
}

/** Returns the event of an attempt. A poll whose condition does not hold yet is an attempt that succeeded and is repeated. */
const attemptEvent = (
  update: OperationUpdate,
  RetryDetails: { readonly CurrentAttempt: number; readonly NextAttemptDelaySeconds?: number }
): Events.EventBody =>
  update.Action === "FAIL" || update.Error !== undefined
    ? { EventType: "StepFailed", StepFailedDetails: { Error: Events.failure(update.Error ?? {}), RetryDetails } }
    : { EventType: "StepSucceeded", StepSucceededDetails: { Result: Events.payload(update.Payload), RetryDetails } }

// --- Contexts --------------------------------------------------------------------------------------------------------

const updateContext = (work: Work.Work, arn: string, update: OperationUpdate): void => {
  const execution = Work.execution(work, arn)
  const before = subject(work, execution, update)
  if (update.Action === "START") {
    return change(
      work,
      execution,
      { ...before, ContextDetails: {} },
      { EventType: "ContextStarted", ContextStartedDetails: {} }
    )
  }
  const failed = update.Action === "FAIL"
  change(
    work,
    execution,
    {
      ...before,
      Status: failed ? "FAILED" : "SUCCEEDED",
      EndTimestamp: Work.stamp(work),
      ContextDetails: {
        ReplayChildren: update.ContextOptions?.ReplayChildren ?? false,
        ...result(update),
        ...error(update)
      }
    },
    failed
      ? { EventType: "ContextFailed", ContextFailedDetails: { Error: Events.failure(update.Error ?? {}) } }
      : { EventType: "ContextSucceeded", ContextSucceededDetails: { Result: Events.payload(update.Payload) } }
  )
}

// --- Waits -----------------------------------------------------------------------------------------------------------

const startWait = (work: Work.Work, arn: string, update: OperationUpdate): void => {
  const seconds = update.WaitOptions?.WaitSeconds
  invariant(seconds !== undefined, "a wait without a duration was let through")
  const due = work.time + seconds * 1_000
  const execution = Work.execution(work, arn)
  change(
    work,
    execution,
    { ...subject(work, execution, update), WaitDetails: { ScheduledEndTimestamp: due } },
    { EventType: "WaitStarted", WaitStartedDetails: { Duration: seconds, ScheduledEndTimestamp: due } }
  )
  Work.arm(work, { kind: "Wait", executionArn: arn, operationId: update.Id }, due)
}

const cancelWait = (work: Work.Work, arn: string, update: OperationUpdate): void => {
  const execution = Work.execution(work, arn)
  change(work, execution, cancelled(work, subject(work, execution, update)), {
    EventType: "WaitCancelled",
    WaitCancelledDetails: { ...(update.Error !== undefined && { Error: Events.failure(update.Error) }) }
  })
  Work.disarm(work, { kind: "Wait", executionArn: arn, operationId: update.Id })
}

/** Cancels an invoke. The target continues, but nothing waits for it any more. The history has no event for this. */
const cancelInvoke = (work: Work.Work, arn: string, update: OperationUpdate): void => {
  const execution = Work.execution(work, arn)
  change(work, execution, cancelled(work, subject(work, execution, update)), undefined)
}

const cancelled = (work: Work.Work, operation: Operation): Operation => ({
  ...operation,
  Status: "CANCELLED",
  EndTimestamp: Work.stamp(work)
})

// --- Callbacks -------------------------------------------------------------------------------------------------------

const startCallback = (work: Work.Work, arn: string, update: OperationUpdate): void => {
  const address = { executionArn: arn, operationId: update.Id }
  const callbackId = Work.freshToken(work, Execution.ownerOf(address))
  const timeout = orNone(update.CallbackOptions?.TimeoutSeconds)
  const heartbeat = orNone(update.CallbackOptions?.HeartbeatTimeoutSeconds)
  const execution = Work.execution(work, arn)
  change(
    work,
    execution,
    // The function continues with the id as with an outcome, so the creation needs a place in the order of outcomes as well.
    {
      ...subject(work, execution, update),
      StartTimestamp: Work.stamp(work),
      CallbackDetails: { CallbackId: callbackId }
    },
    {
      EventType: "CallbackStarted",
      CallbackStartedDetails: {
        CallbackId: callbackId,
        ...(timeout !== undefined && { Timeout: timeout }),
        ...(heartbeat !== undefined && { HeartbeatTimeout: heartbeat })
      }
    },
    heartbeat === undefined ? {} : { heartbeatSeconds: heartbeat }
  )
  work.state = { ...work.state, callbacks: HashMap.set(work.state.callbacks, callbackId, address) }
  if (timeout !== undefined) Work.arm(work, { kind: "CallbackTimeout", ...address }, work.time + timeout * 1_000)
  if (heartbeat !== undefined) Work.arm(work, { kind: "HeartbeatTimeout", ...address }, work.time + heartbeat * 1_000)
}

/** Returns nothing for a time-out of 0 seconds, which means no time-out. */
const orNone = (seconds: number | undefined): number | undefined => (seconds === 0 ? undefined : seconds)

const result = ({ Payload }: OperationUpdate) => (Payload === undefined ? {} : { Result: Payload })

const error = ({ Error }: OperationUpdate) => (Error === undefined ? {} : { Error })
