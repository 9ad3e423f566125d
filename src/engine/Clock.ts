/**
 * What happens by the passing of time: everything that fell due before a command happens before it, each at its own
 * moment and in the order of those moments, as if somebody had watched all the time.
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

/** Lets the time pass from the last command to this one. */
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

/** Ends what an execution waits for first, now and not when it is due. Answers the timer of it. */
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

/** The next attempt may start. History tells of that only when it does. */
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
