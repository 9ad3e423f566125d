/**
 * What AWS's LocalDurableTestRunner leaves out of its history, filled in: facts that the service knows. Each correction goes
 * by the type of an event, and none of them hides a wrong payload, name, parent, delay, time-out or tenant.
 */
import type { Json } from "./matcher.ts"

/** What a driver has seen of an execution besides its history. */
export interface Witnessed {
  /** The update that started each chained invoke, by the id of the operation. */
  readonly invokes: ReadonlyMap<unknown, Json>
  /** How long the history was when a process died, oldest first. */
  readonly crashes: ReadonlyArray<number>
}

type Correction = (events: ReadonlyArray<Json>, witnessed: Witnessed) => ReadonlyArray<Json>

/** It knows no crash: the invocation that died has ended, with an error of the runtime. */
const crash: Correction = (events, { crashes }) =>
  crashes
    .toReversed()
    .reduce<ReadonlyArray<Json>>((before, position) => before.toSpliced(position, 0, exitError), events)
    .map((event, index) => ({ ...event, EventId: index + 1 }))

const exitError: Json = {
  EventType: "InvocationCompleted",
  EventTimestamp: "1970-01-01T00:00:00.000Z",
  InvocationCompletedDetails: {
    Error: {
      Payload: { ErrorType: "Runtime.ExitError", ErrorMessage: "Runtime exited with error: exit status 1" }
    }
  }
}

/** It counts one attempt too few from the second one on. */
const attempts: Correction = (events) => {
  const finished = new Map<unknown, number>()
  return events.map((event) => {
    if (event["EventType"] !== "StepFailed" && event["EventType"] !== "StepSucceeded") return event
    const count = (finished.get(event["Id"]) ?? 0) + 1
    finished.set(event["Id"], count)
    return mapDetails(event, (details) => ({
      ...details,
      RetryDetails: { ...fields(details["RetryDetails"]), CurrentAttempt: count }
    }))
  })
}

/** It does not say which time-out a callback has run into. */
const timeout: Correction = (events) => {
  const started = new Map(
    events.flatMap((event) => (event["EventType"] === "CallbackStarted" ? [[event["Id"], detailsOf(event)]] : []))
  )
  return events.map((event) => {
    const limits = started.get(event["Id"])
    if (event["EventType"] !== "CallbackTimedOut" || limits === undefined) return event
    const error = timeoutError(limits["Timeout"], limits["HeartbeatTimeout"])
    return mapDetails(event, (details) => {
      const wrapper = fields(details["Error"])
      return { ...details, Error: { ...wrapper, Payload: { ...error, ...fields(wrapper["Payload"]) } } }
    })
  })
}

export const timeoutError = (limit: unknown, heartbeat: unknown): Json =>
  Number(heartbeat || Infinity) < Number(limit || Infinity)
    ? { ErrorType: "Callback.Heartbeat", ErrorMessage: "Callback timed out on heartbeat" }
    : { ErrorType: "Callback.Timeout", ErrorMessage: "Callback timed out" }

/** It does not say what has been invoked. */
const invoke: Correction = (events, { invokes }) =>
  events.map((event) => {
    const update = invokes.get(event["Id"])
    if (event["EventType"] !== "ChainedInvokeStarted" || update === undefined) return event
    const { FunctionName, TenantId } = fields(update["ChainedInvokeOptions"])
    return mapDetails(event, (details) => ({
      ...details,
      FunctionName,
      ...(TenantId === undefined ? undefined : { TenantId }),
      Input: update["Payload"] === undefined ? {} : { Payload: update["Payload"] },
      ExecutedVersion: "$LATEST"
    }))
  })

/** It does not say that results are whole. */
const truncated: Correction = (events) =>
  events.map((event) =>
    mapDetails(event, (details) =>
      details["Result"] === undefined
        ? details
        : { ...details, Result: { Truncated: false, ...fields(details["Result"]) } }
    )
  )

/** The history as the service would have told it. */
export const correct: Correction = (events, witnessed) =>
  [crash, attempts, timeout, invoke, truncated].reduce(
    (corrected, correction) => correction(corrected, witnessed),
    events
  )

const detailsOf = (event: Json): Json => fields(event[`${String(event["EventType"])}Details`])

const mapDetails = (event: Json, change: (details: Json) => Json): Json => {
  const key = `${String(event["EventType"])}Details`
  return event[key] === undefined ? event : { ...event, [key]: change(detailsOf(event)) }
}

const fields = (value: unknown): Json =>
  typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {}
