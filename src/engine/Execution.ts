/**
 * One durable execution as the service knows it: what it was started with, its operations, its history, and how far the
 * function has been told of them.
 *
 * The records here are values; only the functions of this file and of the modules around it make new versions of them.
 *
 * @since 0.1.0
 */
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import * as Option from "effect/Option"
import type { ErrorObject } from "../wire/ErrorObject.ts"
import type { HistoryEvent } from "../wire/HistoryEvent.ts"
import { willChange, type Operation } from "../wire/Operation.ts"
import * as AppendLog from "./internal/AppendLog.ts"
import { invariant } from "./internal/invariant.ts"
import { errorSize, textSize } from "./internal/size.ts"
import type { Replies } from "./Replies.ts"

/** Where an operation is. */
export interface OperationAddress {
  readonly executionArn: string
  readonly operationId: string
}

/** What an execution was started with. Never changes. */
export interface Identity {
  readonly arn: string
  /** The last segment of the ARN, and the id of the EXECUTION operation. */
  readonly id: string
  readonly name: string
  readonly functionName: string
  readonly version: string
  readonly functionArn: string
  readonly payload?: string
  readonly tenantId?: string
  readonly traceHeader?: string
  readonly startTimestamp: number
  readonly executionTimeoutSeconds: number
  /** The chained invoke that waits for this execution. */
  readonly parent?: OperationAddress
}

/**
 * How an execution ended. `endTimestamp` is in epoch milliseconds.
 *
 * @since 0.1.0
 * @category models
 */
export type ExecutionOutcome =
  | { readonly status: "SUCCEEDED"; readonly result?: string; readonly endTimestamp: number }
  | {
      readonly status: "FAILED" | "TIMED_OUT" | "STOPPED"
      readonly error: ErrorObject
      readonly endTimestamp: number
    }

/**
 * Whether the function may be invoked. Only one invocation is in flight at any time.
 *
 * - `Ready`: it must be invoked before the command ends that made it so
 * - `InFlight`: it runs; `token` is the one checkpoint token that is valid
 * - `Suspended`: it has ended, and news will wake it
 * - `BackingOff`: its invocation failed, and a timer will wake it
 */
export type Gate =
  | { readonly _tag: "Ready" }
  | {
      readonly _tag: "InFlight"
      readonly invocationId: string
      readonly startTimestamp: number
      readonly token: string
    }
  | { readonly _tag: "Suspended" }
  | { readonly _tag: "BackingOff" }

/** What the service knows of an operation and does not tell the function. */
export interface Hidden {
  /** A heartbeat moves the time-out of the callback to this many seconds later. */
  readonly heartbeatSeconds?: number
  /** The execution of a chained invoke's durable target. */
  readonly childArn?: string
}

/** An operation and its place in the execution. */
export interface Entry extends Hidden {
  readonly operation: Operation
  /** Its place in the order in which operations started; the EXECUTION operation has 0. */
  readonly order: number
  /** Bytes that it takes on a page. */
  readonly bytes: number
}

export interface Execution {
  readonly identity: Identity
  /** All operations but the EXECUTION one, which follows from the rest. */
  readonly operations: HashMap.HashMap<string, Entry>
  /** Ids of operations in the order of their starts. */
  readonly started: AppendLog.AppendLog<string>
  /** Ids of operations in the order of their changes, one for each change. */
  readonly changes: AppendLog.AppendLog<string>
  /** So many changes has the function been told of. Later ones came from outside: it knows what it sent itself. */
  readonly delivered: number
  /** Operations that will change without the function's doing. */
  readonly waiting: HashSet.HashSet<string>
  readonly events: AppendLog.AppendLog<HistoryEvent>
  readonly gate: Gate
  /** Invocations that failed one after the other, and how many of the last ones had nothing to wait for. */
  readonly failures: { readonly inARow: number; readonly withNothingPending: number }
  /** What the service meters. */
  readonly usage: { readonly operations: number; readonly bytes: number }
  readonly replies: Replies
  /** Absent while the execution is open. */
  readonly outcome?: ExecutionOutcome
}

// --- Operations ------------------------------------------------------------------------------------------------------

/** The operation with this id, the EXECUTION one included. */
export const operation = (execution: Execution, id: string): Operation | undefined =>
  id === execution.identity.id ? executionOperation(execution) : entry(execution, id)?.operation

export const entry = (execution: Execution, id: string): Entry | undefined =>
  Option.getOrUndefined(HashMap.get(execution.operations, id))

/** The operation at this place in the order of starts. */
export const entryAt = (execution: Execution, order: number): Entry | undefined => {
  if (order === 0) {
    const first = executionOperation(execution)
    return { operation: first, order, bytes: pageBytes(first) }
  }
  const id = AppendLog.get(execution.started, order - 1)
  return id === undefined ? undefined : entry(execution, id)
}

/** The operation that stands for the execution itself and holds its input. */
export const executionOperation = ({ identity, outcome }: Execution): Operation => ({
  Id: identity.id,
  Name: identity.name,
  Type: "EXECUTION",
  Status: outcome?.status ?? "STARTED",
  StartTimestamp: identity.startTimestamp,
  ...(outcome !== undefined && { EndTimestamp: outcome.endTimestamp }),
  ExecutionDetails: { ...(identity.payload !== undefined && { InputPayload: identity.payload }) }
})

/** Every operation in the order of their starts, the EXECUTION one first, whether a page would show it or not. */
export const allOperations = (execution: Execution): ReadonlyArray<Operation> => [
  executionOperation(execution),
  ...Array.from(AppendLog.between(execution.started, 0), (id) => known(execution, id).operation)
]

/** Chained invokes whose target the host runs by itself. */
export const runningTargets = (execution: Execution): ReadonlyArray<string> =>
  Array.from(execution.waiting).filter((id) => {
    const { childArn, operation: waiting } = known(execution, id)
    return waiting.Type === "CHAINED_INVOKE" && childArn === undefined
  })

/** The entry of an operation that must be there. */
export const known = (execution: Execution, id: string): Entry => {
  const found = entry(execution, id)
  invariant(found !== undefined, `operation ${id} is listed and not stored`)
  return found
}

/** Records a new operation, or a change of one. */
export const put = (execution: Execution, changed: Operation, hidden: Hidden = {}): Execution => {
  const { Id } = changed
  const before = entry(execution, Id)
  const started = before === undefined ? AppendLog.append(execution.started, Id) : execution.started
  const after: Entry = {
    ...before,
    ...hidden,
    operation: changed,
    order: before?.order ?? started.size,
    bytes: pageBytes(changed)
  }
  return {
    ...execution,
    operations: HashMap.set(execution.operations, Id, after),
    started,
    changes: AppendLog.append(execution.changes, Id),
    waiting: willChange(changed) ? HashSet.add(execution.waiting, Id) : HashSet.remove(execution.waiting, Id)
  }
}

const envelopeBytes = 300

export const pageBytes = (of: Operation): number => {
  const details = of.ContextDetails ?? of.StepDetails ?? of.CallbackDetails ?? of.ChainedInvokeDetails
  return (
    envelopeBytes +
    textSize(of.Name) +
    textSize(of.ExecutionDetails?.InputPayload) +
    textSize(details?.Result) +
    errorSize(details?.Error)
  )
}

// --- What the function is shown --------------------------------------------------------------------------------------

/**
 * Whether a page of state shows the operation: what happened inside a finished context is left out, unless the context
 * asked to be replayed through its children.
 */
export const isShown = (execution: Execution, of: Operation): boolean => {
  for (let id = of.ParentId; id !== undefined;) {
    const { operation: context } = known(execution, id)
    if (context.Status !== "STARTED" && context.ContextDetails?.ReplayChildren !== true) return false
    id = context.ParentId
  }
  return true
}

/** Entries changed from one count of changes to another, each once, in the order of their starts. */
export const changedBetween = (execution: Execution, from: number, to: number): ReadonlyArray<Entry> =>
  Array.from(new Set(AppendLog.between(execution.changes, from, to)), (id) => known(execution, id)).sort(
    (a, b) => a.order - b.order
  )

/** Whether something changed that the function has not been told of. */
export const hasNews = (execution: Execution): boolean => execution.changes.size > execution.delivered

export const deliverAll = (execution: Execution): Execution => ({ ...execution, delivered: execution.changes.size })
