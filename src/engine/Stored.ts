/**
 * Executions as plain data, for hosts that store the state of the service outside of memory: the changes of an execution,
 * how to restore it, and how the state drops one that is over.
 *
 * The answers to earlier checkpoints are not stored. They are for the invocation that sent those checkpoints, and no
 * invocation outlives its host: a later request is answered that its token is not valid.
 *
 * Owns: the data of an execution, and how it becomes an execution again.
 * Does not own: where and when the data is stored.
 *
 * @since 0.1.0
 */
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import type { HistoryEvent } from "../wire/HistoryEvent.ts"
import { willChange, type Operation } from "../wire/Operation.ts"
import * as Execution from "./Execution.ts"
import * as AppendLog from "./internal/AppendLog.ts"
import { invariant } from "./internal/invariant.ts"
import * as Replies from "./Replies.ts"
import * as State from "./State.ts"
import * as Timers from "./Timers.ts"

/**
 * The data that changes with almost every command. `undelivered` are the operations that changed since the last delivery to
 * the function, in that order.
 *
 * @since 0.1.0
 * @category models
 */
export interface Head extends Pick<Execution.Execution, "gate" | "failures" | "usage" | "outcome"> {
  readonly undelivered: ReadonlyArray<string>
}

/**
 * An operation, its place in start order, counted from 1, and the data that the function does not receive.
 *
 * @since 0.1.0
 * @category models
 */
export interface StoredOperation {
  readonly order: number
  readonly operation: Operation
  readonly hidden: Execution.Hidden
}

/**
 * A whole execution. Operations and events are in order.
 *
 * @since 0.1.0
 * @category models
 */
export interface StoredExecution {
  readonly identity: Execution.Identity
  readonly head: Head
  readonly operations: ReadonlyArray<StoredOperation>
  readonly events: ReadonlyArray<HistoryEvent>
}

/**
 * Returns everything that is new or changed between two versions of an execution. The older version may be missing.
 *
 * @since 0.1.0
 * @category getters
 */
export const difference = (
  before: Execution.Execution | undefined,
  after: Execution.Execution
): Omit<StoredExecution, "identity"> => {
  const changed = new Set(AppendLog.between(after.changes, before?.changes.size ?? 0))
  return {
    head: headOf(after),
    operations: Array.from(changed, (id) => storedOperation(Execution.known(after, id))),
    events: Array.from(AppendLog.between(after.events, before?.events.size ?? 0))
  }
}

const headOf = ({ changes, delivered, failures, gate, outcome, usage }: Execution.Execution): Head => ({
  gate,
  failures,
  usage,
  undelivered: Array.from(new Set(AppendLog.between(changes, delivered))),
  ...(outcome !== undefined && { outcome })
})

const storedOperation = ({ childArn, heartbeatSeconds, operation, order }: Execution.Entry): StoredOperation => ({
  order,
  operation,
  hidden: {
    ...(childArn !== undefined && { childArn }),
    ...(heartbeatSeconds !== undefined && { heartbeatSeconds })
  }
})

/**
 * Restores an execution into a state that does not have it.
 *
 * @since 0.1.0
 * @category commands
 */
export const restore = (state: State.ServiceState, stored: StoredExecution): State.ServiceState => {
  const { identity } = stored
  invariant(State.execution(state, identity.arn) === undefined, `the execution ${identity.arn} is put back twice`)
  const callbacks = callbacksOf(stored.operations).map(
    (operation) =>
      [operation.CallbackDetails?.CallbackId ?? "", { executionArn: identity.arn, operationId: operation.Id }] as const
  )
  return {
    ...state,
    executions: HashMap.set(state.executions, identity.arn, assemble(stored)),
    starts: AppendLog.append(state.starts, identity.arn),
    arnByName: HashMap.set(state.arnByName, identity.name, identity.arn),
    callbacks: HashMap.setMany(state.callbacks, callbacks)
  }
}

const assemble = ({ events, head, identity, operations }: StoredExecution): Execution.Execution => ({
  identity,
  operations: HashMap.fromIterable(operations.map((stored) => [stored.operation.Id, entryOf(stored)] as const)),
  started: logOf(operations.map(({ operation }) => operation.Id)),
  changes: logOf(head.undelivered),
  delivered: 0,
  waiting: HashSet.fromIterable(
    operations
      .map(({ operation }) => operation)
      .filter(willChange)
      .map(({ Id }) => Id)
  ),
  events: logOf(events),
  gate: head.gate,
  failures: head.failures,
  usage: head.usage,
  replies: Replies.empty,
  ...(head.outcome !== undefined && { outcome: head.outcome })
})

const entryOf = ({ hidden, operation, order }: StoredOperation): Execution.Entry => ({
  ...hidden,
  operation,
  order,
  bytes: Execution.pageBytes(operation)
})

const logOf = <A>(items: Iterable<A>): AppendLog.AppendLog<A> => {
  let log = AppendLog.empty<A>()
  for (const item of items) log = AppendLog.append(log, item)
  return log
}

const callbacksOf = (operations: ReadonlyArray<StoredOperation>): ReadonlyArray<Operation> =>
  operations
    .map(({ operation }) => operation)
    .filter(({ CallbackDetails }) => CallbackDetails?.CallbackId !== undefined)

/**
 * Restores a timer of an execution, with its place among those that are due at the same time.
 *
 * @since 0.1.0
 * @category commands
 */
export const restoreTimer = (state: State.ServiceState, timer: Timers.Timer): State.ServiceState => ({
  ...state,
  timers: Timers.restore(state.timers, timer)
})

/**
 * Restores the time of a stored state, which continues from there.
 *
 * @since 0.1.0
 * @category commands
 */
export const restoreTime = (
  state: State.ServiceState,
  { lastStamp, now }: Pick<State.ServiceState, "now" | "lastStamp">
): State.ServiceState => ({ ...state, now, lastStamp })

/**
 * Returns whether nothing can happen to an execution any more: it is closed, and no invocation of it is in flight.
 *
 * @since 0.1.0
 * @category getters
 */
export const isOver = ({ gate, outcome }: Execution.Execution): boolean =>
  outcome !== undefined && gate._tag !== "InFlight"

/**
 * Drops an execution that is over and that the host can restore.
 *
 * @since 0.1.0
 * @category commands
 */
export const forget = (state: State.ServiceState, executionArn: string): State.ServiceState => {
  const execution = State.execution(state, executionArn)
  if (execution === undefined) return state
  invariant(isOver(execution), `the execution ${executionArn} is dropped before it is over`)
  const callbackIds = Execution.allOperations(execution).flatMap(({ CallbackDetails }) =>
    CallbackDetails?.CallbackId === undefined ? [] : [CallbackDetails.CallbackId]
  )
  const executions = HashMap.remove(state.executions, executionArn)
  return {
    ...state,
    executions,
    arnByName: HashMap.remove(state.arnByName, execution.identity.name),
    callbacks: HashMap.removeMany(state.callbacks, callbackIds),
    starts: withoutHoles(state.starts, executions)
  }
}

/** Compacts the start order if most of it would be holes. */
const withoutHoles = (
  starts: State.ServiceState["starts"],
  executions: State.ServiceState["executions"]
): State.ServiceState["starts"] =>
  starts.size < 1_000 + 2 * HashMap.size(executions)
    ? starts
    : logOf(Array.from(AppendLog.between(starts, 0)).filter((arn) => HashMap.has(executions, arn)))
