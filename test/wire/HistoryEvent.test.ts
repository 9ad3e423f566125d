import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { GetDurableExecutionHistoryResponse } from "../../src/wire/Api.ts"
import { ApiHistoryEvent, eventTypes, type HistoryEvent, isEventType } from "../../src/wire/HistoryEvent.ts"
import { reader } from "../../src/wire/Malformed.ts"
import { decode, failureOf, golden, roundTrip } from "./support.ts"

const read = reader("event", ApiHistoryEvent)
const time = 1804507200.123

describe("a history event", () => {
  it("has a fixture for each of its 24 types", () => {
    const [history] = golden("histories")
    const { Events } = decode(GetDurableExecutionHistoryResponse, history?.wire)
    assert.sameMembers([...new Set(Events.map((event) => event.EventType))], [...eventTypes])
    assert.strictEqual(eventTypes.length, 24)
    assert.deepStrictEqual(
      Events.map((event) => event.EventId),
      Events.map((_, index) => index + 1)
    )
  })

  it("has the details of its type, by its type alone", () => {
    // This compiles only while a switch over EventType narrows, the unknown type included.
    const summary = (event: HistoryEvent): string => {
      switch (event.EventType) {
        case "StepFailed":
          return `${event.StepFailedDetails.Error.Payload?.ErrorType} at ${event.StepFailedDetails.RetryDetails.CurrentAttempt}`
        case "WaitStarted":
          return `until ${event.WaitStartedDetails.ScheduledEndTimestamp}`
        case "InvocationCompleted":
          return event.InvocationCompletedDetails.RequestId
        case "Unknown":
          return `? ${event.UnknownEventType}`
        default:
          return event.EventType
      }
    }
    const [history, , , later] = golden("histories")
    const { Events } = decode(GetDurableExecutionHistoryResponse, history?.wire)
    assert.deepStrictEqual(Events.slice(0, 11).map(summary), [
      "ExecutionStarted",
      "ContextStarted",
      "StepStarted",
      "NoInk at 1",
      "StepSucceeded",
      "ContextSucceeded",
      "ContextFailed",
      "until 1804510808123",
      "WaitSucceeded",
      "WaitCancelled",
      "0f8fad5b-d9cb-469f-a165-70867728950e"
    ])
    const [unknown] = decode(GetDurableExecutionHistoryResponse, later?.wire).Events
    assert.strictEqual(unknown && summary(unknown), "? SignalReceived")
  })
})

describe("an event of a type that a later service may add", () => {
  it("is Unknown, keeps its name, and is written under it again", () => {
    const wire = { EventType: "SignalReceived", EventId: 3, EventTimestamp: time, Id: "s", ParentId: "p" }
    assert.deepStrictEqual(roundTrip(ApiHistoryEvent, wire), {
      EventType: "Unknown",
      UnknownEventType: "SignalReceived",
      EventId: 3,
      EventTimestamp: 1804507200123,
      Id: "s",
      ParentId: "p"
    })
  })

  it("may be called anything, even what objects inherit", () => {
    for (const EventType of ["Unknown", "constructor", "__proto__", "toString", "hasOwnProperty", ""]) {
      assert.isFalse(isEventType(EventType))
      const event = roundTrip(ApiHistoryEvent, { EventType, EventId: 1, EventTimestamp: time })
      assert.strictEqual(event.EventType === "Unknown" && event.UnknownEventType, EventType)
    }
  })
})

describe("what emulators leave out", () => {
  it("are wrappers and details that may be empty: they decode to empty ones", () => {
    const envelope = { EventId: 1, EventTimestamp: time }
    const cases: ReadonlyArray<readonly [sent: Record<string, unknown>, details: Record<string, unknown>]> = [
      [{ EventType: "StepStarted" }, { StepStartedDetails: {} }],
      [{ EventType: "StepStarted", StepStartedDetails: { more: 1 } }, { StepStartedDetails: {} }],
      [{ EventType: "ContextStarted", ContextStartedDetails: null }, { ContextStartedDetails: {} }],
      [{ EventType: "WaitSucceeded" }, { WaitSucceededDetails: {} }],
      [{ EventType: "ExecutionStarted", ExecutionStartedDetails: {} }, { ExecutionStartedDetails: { Input: {} } }],
      [
        { EventType: "StepSucceeded", StepSucceededDetails: { Result: { Payload: "1" } } },
        { StepSucceededDetails: { Result: { Payload: "1" }, RetryDetails: {} } }
      ],
      [{ EventType: "CallbackTimedOut", CallbackTimedOutDetails: {} }, { CallbackTimedOutDetails: { Error: {} } }]
    ]
    for (const [sent, details] of cases) {
      assert.deepStrictEqual<unknown>(decode(ApiHistoryEvent, { ...envelope, ...sent }), {
        EventType: sent["EventType"],
        EventId: 1,
        EventTimestamp: 1804507200123,
        ...details
      })
    }
  })
})

describe("an event that is wrong", () => {
  const cases: ReadonlyArray<readonly [input: unknown, path: string]> = [
    [{ EventType: "WaitStarted", EventId: 1, EventTimestamp: time }, "WaitStartedDetails"],
    [
      { EventType: "WaitStarted", EventId: 1, EventTimestamp: time, WaitStartedDetails: { Duration: 1 } },
      "WaitStartedDetails.ScheduledEndTimestamp"
    ],
    [
      { EventType: "StepStarted", EventId: 1, EventTimestamp: time, StepStartedDetails: "secret" },
      "StepStartedDetails"
    ],
    [{ EventType: "StepStarted", EventTimestamp: time }, "EventId"],
    [{ EventType: "StepStarted", EventId: 1, EventTimestamp: time * 1000 }, "EventTimestamp"],
    [{ EventType: "Later", EventId: 1, EventTimestamp: "secret" }, "EventTimestamp"],
    [{ EventId: 1, EventTimestamp: time }, "EventType"],
    [{ EventType: 4, EventId: 1, EventTimestamp: time }, "EventType"],
    ["secret", ""]
  ]

  for (const [input, path] of cases) {
    it(`is refused, never taken for an unknown one: ${JSON.stringify(input)}`, () => {
      const failure = failureOf(read(input))
      assert.strictEqual(failure.path, path)
      assert.notInclude(failure.message, "secret")
      assert.isBelow(failure.message.length, 2_000)
    })
  }

  it("spoils its page, and says which one it is", () => {
    const page = { Events: [{ EventType: "Later", EventId: 1, EventTimestamp: time }, { EventType: "Later" }] }
    const failure = failureOf(reader("page", GetDurableExecutionHistoryResponse)(page))
    assert.strictEqual(failure.path, "Events[1].EventId")
    assert.isTrue(Result.isSuccess(reader("page", GetDurableExecutionHistoryResponse)({ Events: [] })))
  })
})
