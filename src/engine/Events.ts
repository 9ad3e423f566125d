/**
 * The history of an execution. Events are only appended, and each receives its number then.
 *
 * The number determines the order. The time of an event is that of the command, in whole milliseconds, so the difference of
 * two times is the time that passed. The end time in an operation may be later by a fraction of a millisecond.
 *
 * @since 0.1.0
 */
import type { ErrorObject } from "../wire/ErrorObject.ts"
import type { EventEnvelope, EventError, EventPayload, HistoryEvent } from "../wire/HistoryEvent.ts"
import type { Operation } from "../wire/Operation.ts"
import { type Execution, executionOperation } from "./Execution.ts"
import * as AppendLog from "./internal/AppendLog.ts"

type WithoutEnvelope<Event> = Event extends HistoryEvent ? Omit<Event, keyof EventEnvelope> : never

/** The part of an event that its type defines. */
export type EventBody = WithoutEnvelope<HistoryEvent>

/** Appends an event about an operation, with the operation's labels. */
export const append = (execution: Execution, time: number, about: Operation, body: EventBody): Execution =>
  log(execution, time, body, {
    Id: about.Id,
    ...(about.ParentId !== undefined && { ParentId: about.ParentId }),
    ...(about.Name !== undefined && { Name: about.Name }),
    ...(about.SubType !== undefined && { SubType: about.SubType })
  })

/** Appends an event about the execution itself. */
export const appendOwn = (execution: Execution, time: number, body: EventBody): Execution =>
  append(execution, time, executionOperation(execution), body)

/** Appends an event without an operation. */
export const appendPlain = (execution: Execution, time: number, body: EventBody): Execution =>
  log(execution, time, body, {})

const log = (
  execution: Execution,
  time: number,
  body: EventBody,
  labels: Pick<EventEnvelope, "Id" | "ParentId" | "Name" | "SubType">
): Execution => ({
  ...execution,
  events: AppendLog.append(execution.events, {
    EventId: execution.events.size + 1,
    EventTimestamp: time,
    ...labels,
    ...body
  })
})

/** Returns the payload of an event. The engine keeps all of it, so it is never truncated. */
export const payload = (text: string | undefined): EventPayload => ({
  ...(text !== undefined && { Payload: text }),
  Truncated: false
})

/** Returns the error of an event. */
export const failure = (error: ErrorObject): EventError => ({ Payload: error, Truncated: false })
