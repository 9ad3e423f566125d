/**
 * The durable execution service as a pure state machine. A command takes the state and the time, and returns the next state,
 * the answer for the sender, and the effects for the host. The engine uses no I/O, no clock and no random numbers.
 *
 * A host keeps the state, runs handlers and targets as the effects require, reports their ends, and lets time pass with
 * `advanceTo` whenever `nextDue` is reached. Tests do that with virtual time, a local server with real time. Both get the
 * same histories, because there is one model of the service.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import type { StopDurableExecutionResponse } from "../wire/Api.ts"
import type { ErrorObject } from "../wire/ErrorObject.ts"
import type { HistoryEvent } from "../wire/HistoryEvent.ts"
import * as Limits from "../wire/Limits.ts"
import type { Operation } from "../wire/Operation.ts"
import * as Callbacks from "./Callbacks.ts"
import * as ChainedInvoke from "./ChainedInvoke.ts"
import * as Checkpoint from "./Checkpoint.ts"
import * as Clock from "./Clock.ts"
import * as Close from "./Close.ts"
import { allOperations, type Execution, type OperationAddress, runningTargets } from "./Execution.ts"
import * as AppendLog from "./internal/AppendLog.ts"
import { errorSize } from "./internal/size.ts"
import * as Invocation from "./Invocation.ts"
import { invalid, notFound, type Refused } from "./Refused.ts"
import * as Start from "./Start.ts"
import * as State from "./State.ts"
import * as Timers from "./Timers.ts"
import * as Work from "./Work.ts"

export type { TargetEnd } from "./ChainedInvoke.ts"
export type { CheckpointAnswer, CheckpointRequest } from "./Checkpoint.ts"
export { type Config, type FunctionEntry, type InvocationRetry, make as makeConfig, type Options } from "./Config.ts"
export { type Execution, type ExecutionOutcome, hasNews } from "./Execution.ts"
export type { InvocationEnd } from "./Invocation.ts"
export {
  awaited,
  type Awaited,
  getExecution,
  getHistory,
  getState,
  listExecutions,
  listFrom,
  type Listed
} from "./Queries.ts"
export { Refused } from "./Refused.ts"
export type { Started, StartRequest } from "./Start.ts"
export { checkInvoke, resolve as resolveFunction } from "./Start.ts"
export { empty, execution, hasCallback, hasName, named, type ServiceState } from "./State.ts"
export { isWait, type Timer, type TimerKey, type TimerKind } from "./Timers.ts"
export type { Applied, Changed, Env, HostEffect } from "./Work.ts"

/**
 * The result of a command that may be refused. A refused command has changed nothing.
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome<A> = Result.Result<Work.Applied<A>, Refused>

const attempt = <A>(
  state: State.ServiceState,
  env: Work.Env,
  command: (work: Work.Work) => Result.Result<A, Refused>
): Outcome<A> => {
  const work = Work.begin(state, env)
  Clock.tick(work)
  return Result.map(command(work), (answer) => finish(work, answer))
}

const perform = (
  state: State.ServiceState,
  env: Work.Env,
  command: (work: Work.Work) => void
): Work.Applied<undefined> => {
  const work = Work.begin(state, env)
  Clock.tick(work)
  command(work)
  return finish(work, undefined)
}

const finish = <A>(work: Work.Work, answer: A): Work.Applied<A> => {
  Invocation.wake(work)
  return {
    state: work.state,
    answer,
    effects: work.effects,
    changed: { executions: work.touched, timers: work.timed }
  }
}

// --- Commands of the API ---------------------------------------------------------------------------------------------

/**
 * Starts an execution of a durable function.
 *
 * For a known name with the same function and payload it returns the execution with that name, open or closed. Refused with
 * InvalidParameterValueException, ResourceNotFoundException (no such function), RequestTooLargeException, or
 * DurableExecutionAlreadyStartedException (the name is taken).
 *
 * @since 0.1.0
 * @category commands
 */
export const startExecution = (
  state: State.ServiceState,
  request: Start.StartRequest,
  env: Work.Env
): Outcome<Start.Started> => attempt(state, env, (work) => Start.start(work, request))

/**
 * Applies the updates of the running invocation, all or none. The answer holds everything that changed since the last one,
 * and the token for the next checkpoint. A checkpoint that closes the execution has an answer without a token.
 *
 * A repeated request with the same ClientToken, token and updates has the same answer as before, and nothing is applied.
 * Refused with InvalidParameterValueException. Its message is `Invalid checkpoint token` when another invocation or a later
 * checkpoint has taken over.
 *
 * @since 0.1.0
 * @category commands
 */
export const checkpoint = (
  state: State.ServiceState,
  request: Checkpoint.CheckpointRequest,
  env: Work.Env
): Outcome<Checkpoint.CheckpointAnswer> => attempt(state, env, (work) => Checkpoint.checkpoint(work, request))

/**
 * Completes a callback with the sender's text.
 *
 * Refused with ResourceNotFoundException (the id was never issued), CallbackTimeoutException (the callback is over, for any
 * reason) or InvalidParameterValueException. The same holds for the other two commands about callbacks.
 *
 * @since 0.1.0
 * @category commands
 */
export const succeedCallback = (
  state: State.ServiceState,
  request: { readonly callbackId: string; readonly result?: string },
  env: Work.Env
): Outcome<void> => attempt(state, env, (work) => Callbacks.succeed(work, request.callbackId, request.result))

/**
 * Fails a callback with the sender's error, by default an empty one.
 *
 * @since 0.1.0
 * @category commands
 */
export const failCallback = (
  state: State.ServiceState,
  request: { readonly callbackId: string; readonly error?: ErrorObject },
  env: Work.Env
): Outcome<void> => attempt(state, env, (work) => Callbacks.fail(work, request.callbackId, request.error ?? {}))

/**
 * Extends a callback by its heartbeat time-out. A callback without a heartbeat time-out accepts the command and does not
 * change.
 *
 * @since 0.1.0
 * @category commands
 */
export const heartbeatCallback = (
  state: State.ServiceState,
  request: { readonly callbackId: string },
  env: Work.Env
): Outcome<void> => attempt(state, env, (work) => Callbacks.heartbeat(work, request.callbackId))

/**
 * Stops an execution. Its operations keep their state and its children continue. Its running invocation notices when its
 * next checkpoint is refused. An execution that is closed already does not change; the answer is its end time.
 *
 * Refused with ResourceNotFoundException or, for an error that is too large, InvalidParameterValueException.
 *
 * @since 0.1.0
 * @category commands
 */
export const stopExecution = (
  state: State.ServiceState,
  request: { readonly executionArn: string; readonly error?: ErrorObject },
  env: Work.Env
): Outcome<StopDurableExecutionResponse> =>
  attempt(state, env, (work) => {
    const { error = { ErrorMessage: "Execution stopped by user request" }, executionArn } = request
    const before = State.execution(work.state, executionArn)
    if (before === undefined) return Result.fail(notFound(`There is no durable execution ${executionArn}.`))
    if (errorSize(error) > Limits.maxErrorObject) {
      return Result.fail(invalid(`Error object size must be less than ${Limits.maxErrorObject} bytes.`))
    }
    if (before.outcome === undefined) Close.close(work, executionArn, { status: "STOPPED", error })
    return Result.succeed({ StopTimestamp: before.outcome?.endTimestamp ?? work.time })
  })

/**
 * Ends the first timer that an execution waits for immediately: a wait, or the pause before another attempt of a step or of
 * an invocation. It never ends a limit, such as the time-out of a callback. The service has no such command; it is for
 * people who try out a workflow. Returns the ended timer.
 *
 * Refused with ResourceNotFoundException or, if the execution waits for no timer, InvalidParameterValueException.
 *
 * @since 0.1.0
 * @category commands
 */
export const skipTimer = (
  state: State.ServiceState,
  { executionArn }: { readonly executionArn: string },
  env: Work.Env
): Outcome<Timers.Timer> =>
  attempt(state, env, (work) => {
    if (State.execution(work.state, executionArn) === undefined) {
      return Result.fail(notFound(`There is no durable execution ${executionArn}.`))
    }
    const timer = Clock.skip(work, executionArn)
    return timer === undefined
      ? Result.fail(
          invalid(
            "The execution waits for no timer: no wait is open, and no attempt is due later. Time-outs are not skipped."
          )
        )
      : Result.succeed(timer)
  })

// --- Reports of the host ---------------------------------------------------------------------------------------------

/**
 * Reports the end of the invocation with this id. Ignored if it is not the one in flight.
 *
 * @since 0.1.0
 * @category commands
 */
export const invocationEnded = (
  state: State.ServiceState,
  request: { readonly executionArn: string; readonly invocationId: string; readonly end: Invocation.InvocationEnd },
  env: Work.Env
): Work.Applied<undefined> =>
  perform(state, env, (work) => Invocation.end(work, request.executionArn, request.invocationId, request.end))

/**
 * Reports the end of the plain target of this operation. Ignored if no operation waits for it any more.
 *
 * @since 0.1.0
 * @category commands
 */
export const targetEnded = (
  state: State.ServiceState,
  request: { readonly executionArn: string; readonly operationId: string; readonly end: ChainedInvoke.TargetEnd },
  env: Work.Env
): Work.Applied<undefined> =>
  perform(state, env, (work) => ChainedInvoke.end(work, request, ChainedInvoke.endingOf(request.end)))

/**
 * Lets time pass: every timer that is due by `env.now` fires, in order. Every other command does the same first.
 *
 * @since 0.1.0
 * @category commands
 */
export const advanceTo = (state: State.ServiceState, env: Work.Env): Work.Applied<undefined> =>
  perform(state, env, () => undefined)

// --- Access for a host -----------------------------------------------------------------------------------------------

/**
 * Returns when the next timer is due, in epoch milliseconds.
 *
 * @since 0.1.0
 * @category getters
 */
export const nextDue = (state: State.ServiceState): number | undefined => nextTimer(state)?.due

/**
 * Returns the timer that is due first.
 *
 * @since 0.1.0
 * @category getters
 */
export const nextTimer = (state: State.ServiceState): Timers.Timer | undefined => Timers.first(state.timers)

/**
 * Returns the first timer that an execution waits for, which {@link skipTimer} would end.
 *
 * @since 0.1.0
 * @category getters
 */
export const nextWait = (state: State.ServiceState, executionArn: string): Timers.Timer | undefined =>
  Timers.firstWait(state.timers, executionArn)

/**
 * Returns the timer with this key, if it is armed.
 *
 * @since 0.1.0
 * @category getters
 */
export const timer = (state: State.ServiceState, key: Timers.TimerKey): Timers.Timer | undefined =>
  Timers.get(state.timers, key)

/**
 * Returns all armed timers in the order in which they are due.
 *
 * @since 0.1.0
 * @category getters
 */
export const timers = (state: State.ServiceState): Iterable<Timers.Timer> => Timers.inOrder(state.timers)

/**
 * Returns the same service with another order of the timers that are due next at the same time.
 *
 * @since 0.1.0
 * @category commands
 */
export const rearranged = (
  state: State.ServiceState,
  arrange: (due: ReadonlyArray<Timers.Timer>) => ReadonlyArray<Timers.Timer>
): State.ServiceState => ({ ...state, timers: Timers.rearrange(state.timers, arrange) })

/**
 * Returns all executions, open and closed, in the order in which they started.
 *
 * @since 0.1.0
 * @category getters
 */
export function* executions(state: State.ServiceState): Generator<Execution> {
  for (const arn of AppendLog.between(state.starts, 0)) {
    const execution = State.execution(state, arn)
    if (execution !== undefined) yield execution
  }
}

/**
 * Returns every operation of an execution in start order, the EXECUTION one first, including those that a page of state
 * omits. Empty if there is no such execution.
 *
 * @since 0.1.0
 * @category getters
 */
export const operations = (state: State.ServiceState, executionArn: string): ReadonlyArray<Operation> => {
  const execution = State.execution(state, executionArn)
  return execution === undefined ? [] : allOperations(execution)
}

/**
 * Returns the whole history of an execution, the oldest event first. Empty if there is no such execution.
 *
 * @since 0.1.0
 * @category getters
 */
export const history = (state: State.ServiceState, executionArn: string): ReadonlyArray<HistoryEvent> => {
  const execution = State.execution(state, executionArn)
  return execution === undefined ? [] : Array.from(AppendLog.between(execution.events, 0))
}

/**
 * The effects that the host has received and whose end it has not reported.
 *
 * A host that starts again from a stored state cannot know how these ended. It reports the invocations as crashed, so that
 * they are repeated, and the targets as failed, because a plain target runs only once.
 *
 * @since 0.1.0
 * @category models
 */
export interface Outstanding {
  readonly invocations: ReadonlyArray<{ readonly executionArn: string; readonly invocationId: string }>
  readonly targets: ReadonlyArray<OperationAddress>
}

/**
 * Returns the unreported effects of all executions.
 *
 * @since 0.1.0
 * @category getters
 */
export const outstanding = (state: State.ServiceState): Outstanding => {
  const all = Array.from(executions(state))
  return {
    invocations: all.flatMap(({ gate, identity }) =>
      gate._tag === "InFlight" ? [{ executionArn: identity.arn, invocationId: gate.invocationId }] : []
    ),
    targets: all.flatMap((execution) =>
      execution.outcome === undefined
        ? runningTargets(execution).map((operationId) => ({ executionArn: execution.identity.arn, operationId }))
        : []
    )
  }
}
