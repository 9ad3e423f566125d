/**
 * An execution for people: its operations as rows of a waterfall, its invocations, and the time in which no code ran. It is
 * derived from the data of `DurableClient`, so it shows executions of any backend and of any SDK.
 *
 * A history need not be complete: the beginning of an operation may be missing, payloads may be truncated, and types may be
 * new. All available data is shown.
 *
 * Owns: the view of an execution as a whole, derived from its history.
 * Does not own: how it is drawn, and facts that no event records, such as heartbeats.
 *
 * Invariants:
 * 1. Rows are in the order in which their operations began, each below its parent.
 * 2. All times are milliseconds since the epoch. An interval without `end` is still open, or was left open when the
 *    execution ended.
 *
 * @since 0.1.0
 */
import type { ExecutionStatus, GetDurableExecutionResponse } from "../wire/Api.ts"
import { continuedAs } from "../wire/Continuation.ts"
import type { EventError, EventPayload, HistoryEvent } from "../wire/HistoryEvent.ts"
import { willChange } from "../wire/Operation.ts"
import { firstIndex } from "./first.ts"
import { type Operation, operationsOf, type Span } from "./Operations.ts"

export type { Attempt, Detail, Span } from "./Operations.ts"

/** An operation as a row of the waterfall. */
export interface Row extends Omit<Operation, "endEventId"> {
  /** The row of its parent; absent for operations of the execution itself. */
  readonly parentId?: string | undefined
  /** The number of its ancestor rows. */
  readonly depth: number
  /**
   * The number of invocations that read its outcome from its record, after the one that learnt the outcome. An operation in
   * a context is not requested again once the context has ended, except in contexts that are replayed through their
   * children; no event shows which those are.
   */
  readonly replays: number
}

/** One run of the function's code. */
export interface Invocation extends Span {
  /** The request id; absent for the invocation in flight. */
  readonly requestId?: string | undefined
  readonly error?: EventError | undefined
}

/** The execution itself. */
export interface Subject extends Span {
  readonly arn: string
  readonly name: string
  readonly functionArn: string
  readonly version?: string | undefined
  readonly status: ExecutionStatus
  readonly timeoutSeconds?: number | undefined
  readonly input?: EventPayload | undefined
  readonly output?: EventPayload | undefined
  readonly error?: EventError | undefined
  /** The execution that this one handed over to. */
  readonly continuedAs?: string | undefined
}

export interface Timeline {
  readonly execution: Subject
  readonly rows: ReadonlyArray<Row>
  readonly invocations: ReadonlyArray<Invocation>
  /** When no code ran, between invocations and after the last one. */
  readonly suspensions: ReadonlyArray<Span>
  /** The number of events before the last one that the history lacks. */
  readonly missingEvents: number
}

/** Facts about an execution that are not in its history. */
export interface Facts {
  /** When the invocation in flight began, if it is known: a history contains only ended invocations. */
  readonly runningSince?: number | undefined
}

/** Returns the timeline of an execution, from its events in any order. */
export const make = (
  execution: GetDurableExecutionResponse,
  history: ReadonlyArray<HistoryEvent>,
  facts: Facts = {}
): Timeline => {
  const events = history.toSorted((a, b) => a.EventId - b.EventId)
  const subject = subjectOf(execution, events)
  const completed = events.filter((event) => event.EventType === "InvocationCompleted")
  const ended = completed.map(
    ({ InvocationCompletedDetails: { EndTimestamp, Error, RequestId, StartTimestamp } }): Invocation => ({
      start: StartTimestamp,
      end: EndTimestamp,
      requestId: RequestId,
      error: Error
    })
  )
  const invocations = [...ended, ...inFlight(subject, events, facts)]
  return {
    execution: subject,
    rows: rowsOf(
      operationsOf(events),
      (eventId) => firstIndex(completed, ({ EventId }) => EventId > eventId),
      invocations.length - 1
    ),
    invocations,
    suspensions: suspensionsOf(subject, invocations),
    missingEvents: (events.at(-1)?.EventId ?? 0) - events.length
  }
}

/** Returns whether the execution is open. */
export const isOpen = ({ end }: Subject): boolean => end === undefined

/** Returns the standing of an operation. `open` is whether its execution is open. */
export const standingOf = ({ end, status, type }: Row, open: boolean): Standing => {
  if (end !== undefined) return "ended"
  if (!open) return "left open"
  if (status === "PENDING") return "to be tried again"
  return type === "STEP" || type === "CONTEXT" ? "running" : "waiting"
}

export type Standing = "ended" | "left open" | "to be tried again" | "running" | "waiting"

/**
 * Returns the operations that have to end by the passing of time or from outside before the code can continue. Empty once
 * the execution has ended. An operation left open in an ended context is not awaited.
 */
export const waitsFor = ({ execution, rows }: Pick<Timeline, "execution" | "rows">): ReadonlyArray<Row> => {
  if (!isOpen(execution)) return []
  const over = new Set<string>()
  for (const { end, id, parentId } of rows) {
    if (end !== undefined || (parentId !== undefined && over.has(parentId))) over.add(id)
  }
  return rows.filter(({ id, status, type }) => !over.has(id) && willChange({ Status: status, Type: type }))
}

// --- The execution -------------------------------------------------------------------------------------------------------

const subjectOf = (execution: GetDurableExecutionResponse, events: ReadonlyArray<HistoryEvent>): Subject => {
  const first = events.find((event) => event.EventType === "ExecutionStarted")
  const { output, ...ending } = endingOf(execution, events)
  const { Input: input, ExecutionTimeout: timeout } = first?.ExecutionStartedDetails ?? {}
  return {
    arn: execution.DurableExecutionArn,
    name: execution.DurableExecutionName,
    functionArn: execution.FunctionArn,
    version: execution.Version,
    start: execution.StartTimestamp,
    timeoutSeconds: timeout ?? execution.DurableConfig?.ExecutionTimeout,
    input: execution.InputPayload === undefined ? input : { Payload: execution.InputPayload },
    output,
    continuedAs: continuedAs(output?.Payload),
    ...ending
  }
}

/** Returns the end of an execution. The history may have been read later than the rest, and its payloads may be truncated. */
const endingOf = (
  { EndTimestamp, Error: error, Result: result, Status }: GetDurableExecutionResponse,
  events: ReadonlyArray<HistoryEvent>
): Pick<Subject, "status" | "end" | "output" | "error"> => {
  const whole = {
    output: result === undefined ? undefined : { Payload: result },
    error: error === undefined ? undefined : { Payload: error }
  }
  for (const event of events.toReversed()) {
    const end = event.EventTimestamp
    switch (event.EventType) {
      case "ExecutionSucceeded":
        return { status: "SUCCEEDED", end, output: whole.output ?? event.ExecutionSucceededDetails.Result }
      case "ExecutionFailed":
        return { status: "FAILED", end, error: whole.error ?? event.ExecutionFailedDetails.Error }
      case "ExecutionTimedOut":
        return { status: "TIMED_OUT", end, error: whole.error ?? event.ExecutionTimedOutDetails.Error }
      case "ExecutionStopped":
        return { status: "STOPPED", end, error: whole.error ?? event.ExecutionStoppedDetails.Error }
      default:
    }
  }
  return { status: Status, end: EndTimestamp, ...whole }
}

// --- Invocations ---------------------------------------------------------------------------------------------------------

/**
 * Returns the invocation in flight. While an execution is open, any event after the end of an invocation starts another one.
 */
const inFlight = (
  subject: Subject,
  events: ReadonlyArray<HistoryEvent>,
  { runningSince }: Facts
): ReadonlyArray<Invocation> => {
  if (!isOpen(subject)) return []
  if (runningSince !== undefined) return [{ start: runningSince }]
  const last = events.findLastIndex(({ EventType }) => EventType === "InvocationCompleted")
  const next = events[last + 1]
  return next === undefined ? [] : [{ start: next.EventTimestamp }]
}

const suspensionsOf = ({ end }: Subject, invocations: ReadonlyArray<Invocation>): ReadonlyArray<Span> => {
  const gaps: Array<Span> = []
  let from: number | undefined
  for (const invocation of invocations.toSorted((a, b) => a.start - b.start)) {
    if (from !== undefined && invocation.start > from) gaps.push({ start: from, end: invocation.start })
    // No suspension follows an open invocation.
    from = Math.max(from ?? 0, invocation.end ?? Infinity)
  }
  if (from === undefined || from === Infinity || (end !== undefined && end <= from)) return gaps
  return [...gaps, { start: from, end }]
}

// --- Rows ----------------------------------------------------------------------------------------------------------------

/**
 * Returns the tree of operations from the top down, and how often each was replayed. `learntIn` returns the number of an
 * invocation.
 */
const rowsOf = (
  operations: ReadonlyMap<string, Operation>,
  learntIn: (eventId: number) => number,
  lastInvocation: number
): ReadonlyArray<Row> => {
  const parentOf = ({ id, parentId }: Operation) =>
    parentId !== undefined && parentId !== id && operations.has(parentId) ? parentId : undefined
  const children = Map.groupBy(operations.values(), parentOf)
  const rows: Array<Row> = []
  // A stack instead of recursion: contexts may be nested to any depth.
  const stack: Array<Pick<Row, "depth" | "parentId"> & { readonly operation: Operation; readonly until: number }> = []
  const push = (parentId: string | undefined, depth: number, until: number): void => {
    for (const operation of (children.get(parentId) ?? []).toReversed())
      stack.push({ operation, parentId, depth, until })
  }
  push(undefined, 0, lastInvocation)
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { depth, operation, parentId, until } = next
    const { endEventId, ...row } = operation
    const learnt = endEventId === undefined ? Infinity : learntIn(endEventId)
    rows.push({ ...row, parentId, depth, replays: Math.max(0, until - learnt) })
    push(operation.id, depth + 1, Math.min(until, learnt))
  }
  return rows
}
