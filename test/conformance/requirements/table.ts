/**
 * The words in which the requirements of this repository are written.
 *
 * An event is written as `StepFailed step in child`: its type, the key of its operation, and the key of the context around
 * it. A row is a requirement: the input, how the execution ends, and its history from the second event on.
 */
import type { Expectations, Requirement } from "../requirement.ts"

type Fields = Readonly<Record<string, unknown>>

/** An event with what it holds beside its details, and in them. */
export interface Expected {
  readonly line: string
  readonly fields?: Fields
  readonly details?: Fields
}

export type Events = ReadonlyArray<Expected | string>

interface Row extends Pick<Expectations, "CallbackActions" | "ExpectedLogs" | "Input" | "Variables"> {
  /** Absent when it fails. */
  readonly result?: unknown
  /** Only the history up to the last event is looked at; the execution may go on. */
  readonly open?: true
  readonly events: Events
}

/** The requirements of a suite, by id. */
export type Rows = Readonly<Record<string, Row>>

// --- Inputs ----------------------------------------------------------------------------------------------------------

/** An input that nobody can know before. */
export const random = { Variables: { TEXT: "${GEN_STR:8}" }, Input: "${TEXT}" }

// --- Details ---------------------------------------------------------------------------------------------------------

export const payload = (value: unknown): Fields =>
  value === undefined ? {} : { Result: { Payload: JSON.stringify(value), Truncated: false } }

/** A payload in a format of its own. */
export const raw = (Payload: string): Fields => ({ Result: { Payload, Truncated: false } })

export const attempt = (CurrentAttempt: number, NextAttemptDelaySeconds?: number): Fields => ({
  RetryDetails: { CurrentAttempt, ...(NextAttemptDelaySeconds === undefined ? {} : { NextAttemptDelaySeconds }) }
})

export const failedWith = (ErrorType: string): Fields => ({ Error: { Payload: { ErrorType, ErrorMessage: "*" } } })

// --- Events ----------------------------------------------------------------------------------------------------------

export const invoked = "InvocationCompleted"

export const died: Expected = {
  line: invoked,
  details: { Error: { Payload: { ErrorType: "Runtime.ExitError", ErrorMessage: "*" } } }
}

/** An event of which nothing is said: what comes when items run beside each other is open. */
export const anything = "*"

/** The same events, with a name. */
export const named = (Name: string, events: Events): Events =>
  events.map((event) => (typeof event === "string" ? event : { ...event, fields: { ...event.fields, Name } }))

export const step = (key: string, value?: unknown, parent?: string): Events => {
  const where = parent === undefined ? key : `${key} in ${parent}`
  return [{ line: `StepStarted ${where}` }, { line: `StepSucceeded ${where}`, details: payload(value) }]
}

/** A wait that suspends the execution. */
export const wait = (Duration: number, where = "pause"): Events => [
  { line: `WaitStarted ${where}`, details: { Duration } },
  invoked,
  { line: `WaitSucceeded ${where}`, details: { Duration } }
]

/** A context with what happens in it. */
export const context = (SubType: string, where: string, details: Fields, ...inside: Events): Events => [
  { line: `ContextStarted ${where}`, fields: { SubType } },
  ...inside,
  { line: `ContextSucceeded ${where}`, fields: { SubType }, details }
]

/** A context that fails, with what happens in it. */
export const failedContext = (SubType: string, where: string, ...inside: Events): Events => [
  { line: `ContextStarted ${where}`, fields: { SubType } },
  ...inside,
  { line: `ContextFailed ${where}`, fields: { SubType }, details: failedWith("*") }
]

/** A child with what happens in it. */
export const child = (value: unknown, ...inside: Events): Events =>
  context("RunInChildContext", "child", payload(value), ...inside)

/** An invoke that suspends the execution. */
export const invoke = (key: string, end: Expected, started: Fields = {}): Events => [
  { line: `ChainedInvokeStarted ${key}`, details: { FunctionName: "*", ExecutedVersion: "*", ...started } },
  invoked,
  end
]

export const answered = (key: string, value: unknown): Expected => ({
  line: `ChainedInvokeSucceeded ${key}`,
  details: { Result: { Payload: JSON.stringify(value) } }
})

export const refused = (key: string): Expected => ({
  line: `ChainedInvokeFailed ${key}`,
  details: { Error: { Payload: { ErrorType: "Error", ErrorMessage: "the target has failed" } } }
})

// --- Callbacks -------------------------------------------------------------------------------------------------------

export const callback = (where: string, limits: Fields = {}): Expected => ({
  line: `CallbackStarted ${where}`,
  details: { CallbackId: "*", ...limits }
})

/** The end of a callback to which somebody has sent this text. */
export const told = (where: string, text: string): Expected => ({
  line: `CallbackSucceeded ${where}`,
  details: raw(text)
})

/** The end of a callback that somebody has let fail. */
export const rejected = (where: string): Expected => ({
  line: `CallbackFailed ${where}`,
  details: { Error: { Payload: rejection } }
})

const rejection = { ErrorType: "Rejected", ErrorMessage: "not like this" }

export const timedOut = (where: string, limit: "Timeout" | "Heartbeat" = "Timeout"): Expected => ({
  line: `CallbackTimedOut ${where}`,
  details: failedWith(`Callback.${limit}`)
})

/** Somebody says yes to the callback of this name. */
export const yes = (CallbackName = "*", Delay = 1, Payload: unknown = "yes") => ({
  CallbackName,
  Operation: "success" as const,
  Payload,
  Delay
})

/** Somebody lets the callback fail. */
export const no = (CallbackName = "*", Delay = 1) => ({
  CallbackName,
  Operation: "failure" as const,
  Payload: rejection,
  Delay
})

export const heartbeat = (CallbackName = "*") => ({ CallbackName, Operation: "heartbeat" as const })

// --- Batches ---------------------------------------------------------------------------------------------------------

const itemSubTypes = { Parallel: "ParallelBranch", Map: "MapIteration" }

type Kind = keyof typeof itemSubTypes

/** What is seen of an item of a batch whose key is `where`. */
type Item = (SubType: string, key: string, where: string) => Events

/** A batch whose items run one after the other. */
export const batch = (kind: Kind, items: ReadonlyArray<Item>, details: Fields = {}, where = "batch"): Events => {
  const [key = where] = where.split(" ")
  return context(
    kind,
    where,
    details,
    ...items.flatMap((item, index) => item(itemSubTypes[kind], `${key}_${index}`, `${key}_${index} in ${key}`))
  )
}

/** An item that gives this value, after this has happened in it. */
export const item =
  (value?: unknown, inside: (key: string) => Events = () => []): Item =>
  (SubType, key, where) =>
    context(SubType, where, payload(value), ...inside(key))

/** An item that gives the value of its only step. */
export const stepped = (value: unknown): Item => item(value, (key) => step(`${key}_step`, value, key))

export const broken: Item = (SubType, _, where) => failedContext(SubType, where)

export const itemNamed =
  (name: string, item: Item): Item =>
  (...at) =>
    named(name, item(...at))

/** What a handler tells of a batch. */
export const counts = (completionReason: string, successCount: number, failureCount: number): Fields => ({
  completionReason,
  successCount,
  failureCount,
  totalCount: successCount + failureCount
})

// --- Requirements ----------------------------------------------------------------------------------------------------

const subTypes: Readonly<Record<string, string>> = {
  Step: "Step",
  Wait: "Wait",
  Context: "RunInChildContext",
  Callback: "Callback",
  ChainedInvoke: "ChainedInvoke"
}

export const requirementsOf = (suite: string, rows: Rows): ReadonlyArray<Requirement> =>
  Object.entries(rows).map(([id, row]) => requirement(suite, id, row))

const requirement = (suite: string, id: string, row: Row): Requirement => {
  const { events, open, result, ...others } = row
  const end = "result" in row ? "SUCCEEDED" : "FAILED"
  const last = end === "SUCCEEDED" ? "ExecutionSucceeded" : "ExecutionFailed"
  return {
    id,
    suite,
    ...others,
    AsyncInvoke: open === true,
    ExpectedExecutionHistory: [...events, ...(open === true ? [] : [last])].map((event, index) =>
      expectedEvent(typeof event === "string" ? { line: event } : event, index + 2)
    ),
    ...(open === true
      ? undefined
      : { ExpectedResult: { ExecutionStatus: end, ...(end === "SUCCEEDED" ? { Result: result } : undefined) } })
  }
}

const expectedEvent = ({ details = {}, fields = {}, line }: Expected, EventId: number): Fields => {
  if (line === anything) return { EventId }
  const [, type = "", key, parent] = /^(\w+)(?: (\w+))?(?: in (\w+))?$/.exec(line) ?? []
  const SubType = subTypes[/^(Step|Wait|Context|Callback|ChainedInvoke)/.exec(type)?.[0] ?? ""]
  return {
    EventId,
    EventType: type,
    EventTimestamp: "*",
    ...(key === undefined ? undefined : { Id: `\${id_${key}}`, SubType }),
    ...(parent === undefined ? undefined : { ParentId: `\${id_${parent}}` }),
    ...fields,
    [`${type}Details`]: details
  }
}
