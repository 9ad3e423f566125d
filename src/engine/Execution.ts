/**
 * One durable execution in the service: its input, its operations, its history, and which changes the function has received.
 *
 * The records are immutable values; only the functions of this file and of the modules around it create new versions.
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

/** The address of an operation. */
export interface OperationAddress {
  readonly executionArn: string
  readonly operationId: string
}

/** Returns the owner of the ids that are made for an operation. */
export const ownerOf = ({ executionArn, operationId }: OperationAddress): string => `${executionArn} ${operationId}`

/** The immutable start data of an execution. */
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
 * The outcome of an execution. `endTimestamp` is in epoch milliseconds.
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
 * Whether the function may be invoked. At most one invocation is in flight.
 *
 * - `Ready`: it has to be invoked before the current command ends
 * - `InFlight`: it is running; `token` is the only valid checkpoint token
 * - `Suspended`: it has ended, and the next change will wake it
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

/** The data of an operation that the service does not send to the function. */
export interface Hidden {
  /** A heartbeat extends the time-out of the callback to this many seconds from now. */
  readonly heartbeatSeconds?: number
  /** The execution of a chained invoke's durable target. */
  readonly childArn?: string
}

/** An operation and its place in the execution. */
export interface Entry extends Hidden {
  readonly operation: Operation
  /** Its place in the order in which operations started; the EXECUTION operation has 0. */
  readonly order: number
  /** The bytes that it takes on a page. */
  readonly bytes: number
}

export interface Execution {
  readonly identity: Identity
  /** All operations except the EXECUTION one, which is derived from the rest. */
  readonly operations: HashMap.HashMap<string, Entry>
  /** The ids of operations in start order. */
  readonly started: AppendLog.AppendLog<string>
  /** The ids of operations in the order of their changes, one entry for each change. */
  readonly changes: AppendLog.AppendLog<string>
  /** The number of changes that the function has received or sent itself. Later changes came from outside. */
  readonly delivered: number
  /** The operations that will change without an update by the function. */
  readonly waiting: HashSet.HashSet<string>
  readonly events: AppendLog.AppendLog<HistoryEvent>
  readonly gate: Gate
  /** The number of consecutive failed invocations, and how many of the last ones had nothing to wait for. */
  readonly failures: { readonly inARow: number; readonly withNothingPending: number }
  /** The metered usage. */
  readonly usage: { readonly operations: number; readonly bytes: number }
  readonly replies: Replies
  /** The outcome; absent while the execution is open. */
  readonly outcome?: ExecutionOutcome
}

// --- Operations ------------------------------------------------------------------------------------------------------

/** Returns the operation with this id, including the EXECUTION one. */
export const operation = (execution: Execution, id: string): Operation | undefined =>
  id === execution.identity.id ? executionOperation(execution) : entry(execution, id)?.operation

export const entry = (execution: Execution, id: string): Entry | undefined =>
  Option.getOrUndefined(HashMap.get(execution.operations, id))

/** Returns the operation at this place in start order. */
export const entryAt = (execution: Execution, order: number): Entry | undefined => {
  if (order === 0) {
    const first = executionOperation(execution)
    return { operation: first, order, bytes: pageBytes(first) }
  }
  const id = AppendLog.get(execution.started, order - 1)
  return id === undefined ? undefined : entry(execution, id)
}

/** Returns the operation that represents the execution itself and holds its input. */
export const executionOperation = ({ identity, outcome }: Execution): Operation => ({
  Id: identity.id,
  Name: identity.name,
  Type: "EXECUTION",
  Status: outcome?.status ?? "STARTED",
  StartTimestamp: identity.startTimestamp,
  ...(outcome !== undefined && { EndTimestamp: outcome.endTimestamp }),
  ExecutionDetails: { ...(identity.payload !== undefined && { InputPayload: identity.payload }) }
})

/** Returns every operation in start order, the EXECUTION one first, including those that pages omit. */
export const allOperations = (execution: Execution): ReadonlyArray<Operation> => [
  executionOperation(execution),
  ...Array.from(AppendLog.between(execution.started, 0), (id) => known(execution, id).operation)
]

/** Returns the chained invokes whose target runs on the host. */
export const runningTargets = (execution: Execution): ReadonlyArray<string> =>
  Array.from(execution.waiting).filter((id) => {
    const { childArn, operation: waiting } = known(execution, id)
    return waiting.Type === "CHAINED_INVOKE" && childArn === undefined
  })

/** Returns the entry of an operation that has to exist. */
export const known = (execution: Execution, id: string): Entry => {
  const found = entry(execution, id)
  invariant(found !== undefined, `operation ${id} is listed and not stored`)
  return found
}

/** Stores a new or changed operation. */
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

// --- What the function receives --------------------------------------------------------------------------------------

/**
 * Returns whether a page of state shows the operation. Operations inside a finished context are omitted, unless the context
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

/** Returns the entries that changed between two counts of changes, each once, in start order. */
export const changedBetween = (execution: Execution, from: number, to: number): ReadonlyArray<Entry> =>
  Array.from(new Set(AppendLog.between(execution.changes, from, to)), (id) => known(execution, id)).sort(
    (a, b) => a.order - b.order
  )

/** Returns whether there are changes that the function has not received. */
export const hasNews = (execution: Execution): boolean => execution.changes.size > execution.delivered

export const deliverAll = (execution: Execution): Execution => ({ ...execution, delivered: execution.changes.size })
