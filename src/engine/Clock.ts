/**
 * The passing of time. Every timer that fell due before a command fires before it, each at its own time and in the order of
 * those times, as if the host had watched continuously.
 *
 * @since 0.1.0
 */
import * as Callbacks from "./Callbacks.ts"
import { change } from "./Change.ts"
import * as Close from "./Close.ts"
import * as Execution from "./Execution.ts"
import { invariant } from "./internal/invariant.ts"
import * as Timers from "./Timers.ts"
import * as Work from "./Work.ts"

/** Advances the time from the last command to this one. */
export const tick = (work: Work.Work): void => {
  const now = work.time
  for (;;) {
    const timer = Timers.first(work.state.timers)
    if (timer === undefined || timer.due > now) break
    Work.moveTo(work, timer.due)
    Work.disarm(work, timer)
    fire(work, timer)
  }
  Work.moveTo(work, now)
}

/** Ends the first timer that an execution waits for now, before it is due, and returns that timer. */
export const skip = (work: Work.Work, executionArn: string): Timers.Timer | undefined => {
  const timer = Timers.firstWait(work.state.timers, executionArn)
  if (timer === undefined) return undefined
  Work.disarm(work, timer)
  fire(work, timer)
  return timer
}

const fire = (work: Work.Work, timer: Timers.Timer): void => {
  const { executionArn, kind } = timer
  switch (kind) {
    case "Wait":
      return endWait(work, executionArn, operationOf(timer))
    case "StepRetry":
      return readyStep(work, executionArn, operationOf(timer))
    case "CallbackTimeout":
      return Callbacks.timeOut(
        work,
        { executionArn, operationId: operationOf(timer) },
        { ErrorType: "Callback.Timeout", ErrorMessage: "Callback timed out" }
      )
    case "HeartbeatTimeout":
      return Callbacks.timeOut(
        work,
        { executionArn, operationId: operationOf(timer) },
        { ErrorType: "Callback.Heartbeat", ErrorMessage: "Callback timed out on heartbeat" }
      )
    case "InvocationRetry":
      return Work.store(work, { ...Work.execution(work, executionArn), gate: { _tag: "Ready" } })
    default:
      return timeOutExecution(work, executionArn)
  }
}

const operationOf = ({ kind, operationId }: Timers.Timer): string => {
  invariant(operationId !== undefined, `a ${kind} timer belongs to no operation`)
  return operationId
}

const endWait = (work: Work.Work, arn: string, id: string): void => {
  const execution = Work.execution(work, arn)
  const { operation } = Execution.known(execution, id)
  change(
    work,
    execution,
    { ...operation, Status: "SUCCEEDED", EndTimestamp: Work.stamp(work) },
    {
      EventType: "WaitSucceeded",
      WaitSucceededDetails: { Duration: (work.time - operation.StartTimestamp) / 1_000 }
    }
  )
}

/** Makes the next attempt ready. The history has an event only when the attempt starts. */
const readyStep = (work: Work.Work, arn: string, id: string): void => {
  const execution = Work.execution(work, arn)
  const { operation } = Execution.known(execution, id)
  const { NextAttemptTimestamp: _, ...details } = operation.StepDetails ?? {}
  change(work, execution, { ...operation, Status: "READY", StepDetails: details }, undefined)
}

const timeOutExecution = (work: Work.Work, arn: string): void => {
  const { executionTimeoutSeconds } = Work.execution(work, arn).identity
  Close.close(work, arn, {
    status: "TIMED_OUT",
    error: { ErrorMessage: `Execution timed out after ${executionTimeoutSeconds} seconds.` }
  })
}
