/**
 * The end of an execution: by its handler, by an EXECUTION update, by its time-out or by a stop request.
 *
 * Its operations keep their state and its children continue. Its timers are removed, its token becomes invalid, and an
 * invocation in flight may end without any further effect.
 *
 * @since 0.1.0
 */
import { operationKinds, type TimerKind } from "./Timers.ts"
import * as ChainedInvoke from "./ChainedInvoke.ts"
import * as Events from "./Events.ts"
import type * as Execution from "./Execution.ts"
import { invariant } from "./internal/invariant.ts"
import * as Work from "./Work.ts"

/** Closes an open execution and notifies its waiting parent or clients. */
export const close = (work: Work.Work, arn: string, ending: ChainedInvoke.Ending): void => {
  const execution = Work.execution(work, arn)
  invariant(execution.outcome === undefined, `the execution ${arn} is closed twice`)
  disarmAll(work, execution)
  const outcome: Execution.ExecutionOutcome = { ...ending, endTimestamp: work.time }
  Work.store(work, Events.appendOwn({ ...execution, outcome }, work.time, endEvent(ending)))
  work.effects.push({ _tag: "ExecutionClosed", executionArn: arn, outcome })
  const { parent } = execution.identity
  if (parent !== undefined) ChainedInvoke.end(work, parent, ending)
}

const executionTimers: ReadonlyArray<TimerKind> = ["InvocationRetry", "ExecutionTimeout"]

const disarmAll = (work: Work.Work, { identity, waiting }: Execution.Execution): void => {
  const executionArn = identity.arn
  for (const kind of executionTimers) Work.disarm(work, { kind, executionArn })
  for (const operationId of waiting) {
    for (const kind of operationKinds) Work.disarm(work, { kind, executionArn, operationId })
  }
}

const endEvent = (ending: ChainedInvoke.Ending): Events.EventBody => {
  switch (ending.status) {
    case "SUCCEEDED":
      return { EventType: "ExecutionSucceeded", ExecutionSucceededDetails: { Result: Events.payload(ending.result) } }
    case "FAILED":
      return { EventType: "ExecutionFailed", ExecutionFailedDetails: { Error: Events.failure(ending.error) } }
    case "TIMED_OUT":
      return { EventType: "ExecutionTimedOut", ExecutionTimedOutDetails: { Error: Events.failure(ending.error) } }
    default:
      return { EventType: "ExecutionStopped", ExecutionStoppedDetails: { Error: Events.failure(ending.error) } }
  }
}
