/**
 * The durable execution service as a pure state machine. A command takes the state and the time, and gives the next
 * state, the answer for whoever sent it, and what the host has to do: there is no I/O, no clock and no chance in
 * here.
 *
 * A host keeps the state, runs handlers and targets as the effects say, reports their ends, and lets time pass with
 * `advanceTo` whenever `nextDue` is reached. Tests do that with virtual time, a local server with real time; both get
 * the same histories, because there is one model of the service.
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
export type { Execution, ExecutionOutcome } from "./Execution.ts"
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
export { resolve as resolveFunction } from "./Start.ts"
export { empty, execution, hasCallback, hasName, named, type ServiceState } from "./State.ts"
export { isWait, type Timer, type TimerKey, type TimerKind } from "./Timers.ts"
export type { Applied, Changed, Env, HostEffect } from "./Work.ts"

/**
 * A command that may be refused. A refused one has changed nothing: the state before it is still the state.
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
 * A name that is known with the same function and payload answers the execution that has it, open or closed. Refused
 * with InvalidParameterValueException, ResourceNotFoundException (no such function), RequestTooLargeException, or
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
 * Applies the updates of the running invocation, all or none, and answers with everything that changed since it was
 * told last, and with the token for the next time. A checkpoint that closes the execution answers without a token.
 *
 * A request that came before with the same ClientToken, token and updates is answered as it was then, and nothing is
 * applied. Refused with InvalidParameterValueException, whose message is `Invalid checkpoint token` when another
 * invocation or a later checkpoint has taken over.
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
 * Refused with ResourceNotFoundException (the id was never given), CallbackTimeoutException (the callback is over, for
 * whatever reason) or InvalidParameterValueException. The same holds for the other two commands about callbacks.
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
 * Fails a callback with the sender's error, the empty one by default.
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
 * Prolongs a callback by its heartbeat time-out. One without a heartbeat time-out accepts it, and nothing happens.
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
 * Stops an execution. Its operations stay as they are, its children go on, and its running invocation learns of it at
 * its next checkpoint, which is refused. One that is closed already stays as it is and answers when it ended.
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
 * Ends now what an execution waits for first: a wait, or the pause before another attempt of a step or of an invocation. It
 * never ends a limit, such as the time-out of a callback. The service has no such command; it is for people who try out a
 * workflow. Answers the timer of what has ended.
 *
 * Refused with ResourceNotFoundException or, when the execution waits for no timer, InvalidParameterValueException.
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
 * The invocation with this id has ended. Ignored when it is not the one in flight.
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
 * The plain target of this operation has ended. Ignored when nobody waits for it any more.
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
 * Lets time pass: everything that is due by `env.now` happens, in the order in which it is due. Every other command
 * does the same first.
 *
 * @since 0.1.0
 * @category commands
 */
export const advanceTo = (state: State.ServiceState, env: Work.Env): Work.Applied<undefined> =>
  perform(state, env, () => undefined)

// --- What a host may look at -----------------------------------------------------------------------------------------

/**
 * When something happens next by the passing of time, in epoch milliseconds.
 *
 * @since 0.1.0
 * @category getters
 */
export const nextDue = (state: State.ServiceState): number | undefined => nextTimer(state)?.due

/**
 * The timer that is due first.
 *
 * @since 0.1.0
 * @category getters
 */
export const nextTimer = (state: State.ServiceState): Timers.Timer | undefined => Timers.first(state.timers)

/**
 * The timer that an execution waits for first, which {@link skipTimer} would skip.
 *
 * @since 0.1.0
 * @category getters
 */
export const nextWait = (state: State.ServiceState, executionArn: string): Timers.Timer | undefined =>
  Timers.firstWait(state.timers, executionArn)

/**
 * The timer of this purpose, if it is armed.
 *
 * @since 0.1.0
 * @category getters
 */
export const timer = (state: State.ServiceState, key: Timers.TimerKey): Timers.Timer | undefined =>
  Timers.get(state.timers, key)

/**
 * All armed timers, the one that is due first coming first.
 *
 * @since 0.1.0
 * @category getters
 */
export const timers = (state: State.ServiceState): Iterable<Timers.Timer> => Timers.inOrder(state.timers)

/**
 * The same service, in which the timers that are due next, all at the same moment, come in another order.
 *
 * @since 0.1.0
 * @category commands
 */
export const rearranged = (
  state: State.ServiceState,
  arrange: (due: ReadonlyArray<Timers.Timer>) => ReadonlyArray<Timers.Timer>
): State.ServiceState => ({ ...state, timers: Timers.rearrange(state.timers, arrange) })

/**
 * All executions, open and closed, in the order in which they started.
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
 * Every operation of an execution in the order of their starts, the EXECUTION one first, also those that a page of
 * state leaves out. Empty when there is no such execution.
 *
 * @since 0.1.0
 * @category getters
 */
export const operations = (state: State.ServiceState, executionArn: string): ReadonlyArray<Operation> => {
  const execution = State.execution(state, executionArn)
  return execution === undefined ? [] : allOperations(execution)
}

/**
 * The whole history of an execution, the oldest event first. Empty when there is no such execution.
 *
 * @since 0.1.0
 * @category getters
 */
export const history = (state: State.ServiceState, executionArn: string): ReadonlyArray<HistoryEvent> => {
  const execution = State.execution(state, executionArn)
  return execution === undefined ? [] : Array.from(AppendLog.between(execution.events, 0))
}

/**
 * What the host has been asked to do and has not reported the end of.
 *
 * A host that starts again from a stored state cannot know how these ended: it reports the invocations as crashed, so
 * that they are repeated, and the targets as failed, because a plain target is run only once.
 *
 * @since 0.1.0
 * @category models
 */
export interface Outstanding {
  readonly invocations: ReadonlyArray<{ readonly executionArn: string; readonly invocationId: string }>
  readonly targets: ReadonlyArray<OperationAddress>
}

/**
 * What the host has been asked to do and has not reported the end of, over all executions.
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
