/**
 * One event in the history of an execution, which the service logs in order, for people and tools.
 *
 * Histories are read by consoles, tests and replay checks; an invocation never receives one. Every event names its type, and
 * has the details of that type in a field named after it: a `StepFailed` event has `StepFailedDetails`. Payloads are absent
 * if they were not requested, and truncated (`Truncated`) if they are too long.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import type * as Types from "effect/Types"
import { ErrorObject } from "./ErrorObject.ts"
import { maybe, nothing, orEmpty, record, stripped } from "./internal/fields.ts"
import { ApiTimestamp, EventTimestamp, type Timestamp } from "./Timestamp.ts"

/**
 * A payload in an event. `Payload` is absent if it was not requested or does not exist.
 *
 * @since 0.1.0
 * @category schemas
 */
export const EventPayload = record({ Payload: maybe(Schema.String), Truncated: maybe(Schema.Boolean) })

/**
 * @since 0.1.0
 * @category models
 */
export type EventPayload = typeof EventPayload.Type

/**
 * An error in an event. `Payload` is absent if it was not requested or does not exist.
 *
 * @since 0.1.0
 * @category schemas
 */
export const EventError = record({ Payload: maybe(ErrorObject), Truncated: maybe(Schema.Boolean) })

/**
 * @since 0.1.0
 * @category models
 */
export type EventError = typeof EventError.Type

// The service sends every field that its model requires. Emulators omit some: missing objects that may be empty decode as
// empty, and the time-out of an execution, which AWS's own test runner never sends, is optional.
const payload = orEmpty(EventPayload)
const failure = orEmpty(EventError)
const withResult = { Result: payload }
const withError = { Error: failure }
const retryDetails = orEmpty(
  record({ CurrentAttempt: maybe(Schema.Finite), NextAttemptDelaySeconds: maybe(Schema.Finite) })
)

/**
 * The current event types, in the order of the service's model.
 *
 * @since 0.1.0
 * @category models
 */
export const eventTypes = [
  "ExecutionStarted",
  "ExecutionSucceeded",
  "ExecutionFailed",
  "ExecutionTimedOut",
  "ExecutionStopped",
  "ContextStarted",
  "ContextSucceeded",
  "ContextFailed",
  "WaitStarted",
  "WaitSucceeded",
  "WaitCancelled",
  "StepStarted",
  "StepSucceeded",
  "StepFailed",
  "ChainedInvokeStarted",
  "ChainedInvokeSucceeded",
  "ChainedInvokeFailed",
  "ChainedInvokeTimedOut",
  "ChainedInvokeStopped",
  "CallbackStarted",
  "CallbackSucceeded",
  "CallbackFailed",
  "CallbackTimedOut",
  "InvocationCompleted"
] as const

/**
 * The type of an event that this library knows.
 *
 * @since 0.1.0
 * @category models
 */
export type EventType = (typeof eventTypes)[number]

const knownTypes: ReadonlySet<string> = new Set(eventTypes)

/**
 * Returns whether the text is the type of an event that this library knows.
 *
 * @since 0.1.0
 * @category guards
 */
export const isEventType = (text: string): text is EventType => knownTypes.has(text)

const detailsByType = (timestamp: Timestamp) =>
  ({
    ExecutionStarted: record({ Input: payload, ExecutionTimeout: maybe(Schema.Finite) }),
    ExecutionSucceeded: record(withResult),
    ExecutionFailed: record(withError),
    ExecutionTimedOut: orEmpty(record({ Error: maybe(EventError) })),
    ExecutionStopped: record(withError),
    ContextStarted: orEmpty(nothing),
    ContextSucceeded: record(withResult),
    ContextFailed: record(withError),
    WaitStarted: record({ Duration: Schema.Finite, ScheduledEndTimestamp: timestamp }),
    WaitSucceeded: orEmpty(record({ Duration: maybe(Schema.Finite) })),
    WaitCancelled: orEmpty(record({ Error: maybe(EventError) })),
    StepStarted: orEmpty(nothing),
    StepSucceeded: record({ ...withResult, RetryDetails: retryDetails }),
    StepFailed: record({ ...withError, RetryDetails: retryDetails }),
    ChainedInvokeStarted: record({
      FunctionName: Schema.String,
      TenantId: maybe(Schema.String),
      Input: maybe(EventPayload),
      ExecutedVersion: maybe(Schema.String),
      DurableExecutionArn: maybe(Schema.String)
    }),
    ChainedInvokeSucceeded: record(withResult),
    ChainedInvokeFailed: record(withError),
    ChainedInvokeTimedOut: record(withError),
    ChainedInvokeStopped: record(withError),
    CallbackStarted: record({
      CallbackId: Schema.String,
      Timeout: maybe(Schema.Finite),
      HeartbeatTimeout: maybe(Schema.Finite)
    }),
    CallbackSucceeded: record(withResult),
    CallbackFailed: record(withError),
    CallbackTimedOut: record(withError),
    InvocationCompleted: record({
      StartTimestamp: timestamp,
      EndTimestamp: timestamp,
      RequestId: Schema.String,
      Error: maybe(EventError)
    })
  }) satisfies Record<EventType, Schema.Constraint>

type DetailsByType = ReturnType<typeof detailsByType>

const envelope = (timestamp: Timestamp) => ({
  EventId: Schema.Finite,
  EventTimestamp: timestamp,
  Id: maybe(Schema.String),
  ParentId: maybe(Schema.String),
  Name: maybe(Schema.String),
  SubType: maybe(Schema.String)
})

/**
 * The fields of every event: its number in the history, from 1 without gaps; its time in epoch milliseconds; and the
 * operation that it describes, with its labels. `InvocationCompleted` describes no operation and has no `Id`.
 *
 * @since 0.1.0
 * @category models
 */
export type EventEnvelope = Schema.Struct<ReturnType<typeof envelope>>["Type"]

/**
 * The event of one type: `HistoryEventOf<"StepFailed">` has `StepFailedDetails`.
 *
 * @since 0.1.0
 * @category models
 */
export type HistoryEventOf<T extends EventType> = Types.Simplify<
  EventEnvelope & { readonly EventType: T } & { readonly [Key in `${T}Details`]: DetailsByType[T]["Type"] }
>

/**
 * An event of a type that the service added after this library was written: the fields of every event, the name of its type
 * in `UnknownEventType`, and no details. `EventType` is `Unknown`, so that a `switch` over it is exact and can be
 * exhaustive.
 *
 * @since 0.1.0
 * @category models
 */
export type UnknownEvent = Types.Simplify<
  EventEnvelope & { readonly EventType: "Unknown"; readonly UnknownEventType: string }
>

/**
 * An event in the history of an execution. All times are epoch milliseconds, all durations seconds.
 *
 * @since 0.1.0
 * @category models
 */
export type HistoryEvent = { readonly [T in EventType]: HistoryEventOf<T> }[EventType] | UnknownEvent

const historyEvent = (timestamp: Timestamp): Schema.Codec<HistoryEvent, unknown> => {
  const common = envelope(timestamp)
  const known = Object.entries(detailsByType(timestamp)).map(([type, details]) =>
    Schema.Struct({ ...common, EventType: Schema.Literal(type), [`${type}Details`]: details })
  )
  const members = Schema.Union([...known, unknownEvent(common)])
  // The members come from a table, so the mapped types above describe them, not the type of this union.
  return Schema.make(stripped(members).ast)
}

const unknownEvent = (common: ReturnType<typeof envelope>) =>
  Schema.Struct({ ...common, EventType: Schema.String.check(isUnknownType) }).pipe(
    Schema.decodeTo(
      Schema.toType(
        Schema.Struct({ ...common, EventType: Schema.Literal("Unknown"), UnknownEventType: Schema.String })
      ),
      {
        decode: SchemaGetter.transform((event) => ({
          ...event,
          EventType: "Unknown" as const,
          UnknownEventType: event.EventType
        })),
        encode: SchemaGetter.transform(({ UnknownEventType, ...event }) => ({ ...event, EventType: UnknownEventType }))
      }
    )
  )

// A known type with wrong details must not pass as an unknown one.
const isUnknownType = Schema.makeFilter((type: string) => !isEventType(type), { expected: "details of its type" })

/**
 * An event with its times in epoch milliseconds, in the stored form.
 *
 * @since 0.1.0
 * @category schemas
 */
export const HistoryEvent: Schema.Codec<HistoryEvent, unknown> = historyEvent(EventTimestamp)

/**
 * An event in an answer of the REST API: times are epoch seconds, or `Date`s once AWS's client has read them.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ApiHistoryEvent: Schema.Codec<HistoryEvent, unknown> = historyEvent(ApiTimestamp)
