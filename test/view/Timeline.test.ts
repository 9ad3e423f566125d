/** Timelines of histories that the engine has written, of those of the service, and of what is left of some. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Service from "../../src/engine/Service.ts"
import * as Timeline from "../../src/view/Timeline.ts"
import { GetDurableExecutionHistoryResponse, type GetDurableExecutionResponse } from "../../src/wire/Api.ts"
import { continuation } from "../../src/wire/Continuation.ts"
import type { HistoryEvent } from "../../src/wire/HistoryEvent.ts"
import {
  callback,
  cancel,
  context,
  finish,
  invoke,
  midnight,
  retry,
  step,
  TestService,
  wait
} from "../engine/support.ts"
import { decode, golden } from "../wire/support.ts"

const executionOf = (service: TestService, arn: string): GetDurableExecutionResponse =>
  Result.getOrThrow(Service.getExecution(service.state, { DurableExecutionArn: arn }, service.env))

const timelineOf = (service: TestService, arn: string): Timeline.Timeline =>
  Timeline.make(executionOf(service, arn), service.history(arn))

/** Seconds since the first execution began. */
const seconds = (time: number | undefined): number | undefined =>
  time === undefined ? undefined : (time - midnight) / 1_000

const spans = (all: ReadonlyArray<Timeline.Span>) => all.map(({ end, start }) => [seconds(start), seconds(end)])

const find = ({ rows }: Timeline.Timeline, id: string): Timeline.Row => {
  const row = rows.find((candidate) => candidate.id === id)
  assert.isDefined(row)
  return row
}

const attemptsOf = ({ detail }: Timeline.Row) => (detail._tag === "Step" ? detail.attempts : [])

describe("The timeline of an execution", () => {
  it("has a row for each operation below its parent, in the order of their beginnings", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(
      arn,
      context("outer", "START", { Name: "both" }),
      step("late", "START", { Name: "pay", ParentId: "outer" }),
      wait("w", 5),
      context("inner", "START", { ParentId: "outer" }),
      step("deep", "START", { ParentId: "inner" })
    )
    assert.deepStrictEqual(
      timelineOf(service, arn).rows.map(({ depth, id, name, parentId, status, subType, type }) => [
        id,
        parentId,
        depth,
        type,
        subType,
        name,
        status
      ]),
      [
        ["outer", undefined, 0, "CONTEXT", "RunInChildContext", "both", "STARTED"],
        ["late", "outer", 1, "STEP", "Step", "pay", "STARTED"],
        ["inner", "outer", 1, "CONTEXT", "RunInChildContext", undefined, "STARTED"],
        ["deep", "inner", 2, "STEP", "Step", undefined, "STARTED"],
        ["w", undefined, 0, "WAIT", "Wait", undefined, "STARTED"]
      ]
    )
  })

  it("has the attempts of a step with their errors and with when the next one is due", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, step("s", "START"))
    service.now += 2_000
    service.checkpoint(arn, retry("s", 4))
    const [first] = attemptsOf(find(timelineOf(service, arn), "s"))
    assert.strictEqual(find(timelineOf(service, arn), "s").status, "PENDING")
    assert.deepInclude(first, { number: 1, status: "FAILED", nextAttemptAt: midnight + 6_000 })
    assert.strictEqual(first?.error?.Payload?.ErrorType, "Flaky")
    service.suspend(arn)
    service.pass(4)
    service.checkpoint(arn, step("s", "START"))
    service.now += 1_000
    service.checkpoint(arn, step("s", "SUCCEED", { Payload: `"paid"` }))
    const row = find(timelineOf(service, arn), "s")
    assert.deepStrictEqual(spans([row, ...attemptsOf(row)]), [
      [0, 7],
      [0, 2],
      [6, 7]
    ])
    assert.deepStrictEqual(
      attemptsOf(row).map(({ number, status }) => [number, status]),
      [
        [1, "FAILED"],
        [2, "SUCCEEDED"]
      ]
    )
    assert.strictEqual(row.output?.Payload, `"paid"`)
  })

  it("shows where no code ran, between invocations and after the last one", () => {
    const service = new TestService()
    const arn = service.start()
    service.now += 1_000
    service.checkpoint(arn, wait("w", 60), callback("c", { TimeoutSeconds: 900, HeartbeatTimeoutSeconds: 45 }))
    service.suspend(arn)
    assert.deepStrictEqual(spans(timelineOf(service, arn).suspensions), [[1, undefined]])
    service.pass(10)
    service.succeed(service.callbackId(arn, "c"), `"yes"`)
    service.now += 2_000
    assert.deepStrictEqual(spans(timelineOf(service, arn).suspensions), [[1, 11]])
    service.suspend(arn)
    const timeline = timelineOf(service, arn)
    assert.deepStrictEqual(spans(timeline.invocations), [
      [0, 1],
      [11, 13]
    ])
    assert.deepStrictEqual(spans(timeline.suspensions), [
      [1, 11],
      [13, undefined]
    ])
    assert.deepInclude(find(timeline, "c").detail, { timeoutAt: midnight + 901_000, heartbeatSeconds: 45 })
    service.stop(arn)
    assert.deepStrictEqual(spans(timelineOf(service, arn).suspensions), [[1, 11]])
  })

  it("takes from its host since when an invocation is in flight that no event tells of", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, wait("w", 60))
    service.suspend(arn)
    const timeline = Timeline.make(executionOf(service, arn), service.history(arn), { runningSince: midnight + 9_000 })
    assert.deepStrictEqual(spans(timeline.invocations), [
      [0, 0],
      [9, undefined]
    ])
    assert.deepStrictEqual(spans(timeline.suspensions), [[0, 9]])
  })

  it("counts how often an outcome was replayed after the invocation that learnt of it", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(
      arn,
      step("s", "START"),
      step("s", "SUCCEED"),
      context("done", "START"),
      step("in", "START", { ParentId: "done" }),
      step("in", "SUCCEED", { ParentId: "done" }),
      wait("one", 1, { ParentId: "done" }),
      wait("two", 2)
    )
    service.suspend(arn)
    service.pass(1)
    service.checkpoint(arn, context("done", "SUCCEED"))
    service.suspend(arn)
    service.pass(1)
    const replays = (timeline: Timeline.Timeline) => timeline.rows.map(({ id, replays: count }) => [id, count])
    assert.deepStrictEqual(replays(timelineOf(service, arn)), [
      ["s", 2],
      ["done", 1],
      ["in", 1],
      ["one", 0],
      ["two", 0]
    ])
    service.checkpoint(arn, finish("SUCCEED"))
    assert.deepStrictEqual(replays(timelineOf(service, arn)).slice(0, 1), [["s", 1]])
  })

  it("links the execution of a durable function, and the one that it continues as", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, invoke("i", "payments:$LATEST"), invoke("p", "email:$LATEST"))
    const timeline = timelineOf(service, arn)
    const { detail } = find(timeline, "i")
    assert.deepInclude(detail, { _tag: "Invoke", functionName: "payments:$LATEST", version: "$LATEST" })
    const childArn = detail._tag === "Invoke" ? detail.executionArn : undefined
    assert.isDefined(Service.execution(service.state, childArn ?? ""))
    const plain = find(timeline, "p").detail
    assert.isTrue(plain._tag === "Invoke" && plain.executionArn === undefined && plain.input?.Payload === `{"a":1}`)
    service.answer(arn, { Status: "SUCCEEDED", Result: continuation("arn:next") })
    assert.strictEqual(timelineOf(service, arn).execution.continuedAs, "arn:next")
  })

  it("says what the execution waits for, and nothing of what nobody waits for any more", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(
      arn,
      context("race", "START"),
      invoke("loser", "email:$LATEST", { ParentId: "race" }),
      wait("off", 9),
      retry("s", 4),
      callback("c"),
      wait("w", 5)
    )
    service.checkpoint(arn, context("race", "SUCCEED"), cancel("off", "WAIT"))
    const waits = (timeline: Timeline.Timeline) => Timeline.waitsFor(timeline).map(({ id }) => id)
    assert.deepStrictEqual(waits(timelineOf(service, arn)), ["s", "c", "w"])
    service.stop(arn)
    assert.deepStrictEqual(waits(timelineOf(service, arn)), [])
  })

  it("has the end of the execution also when only the history knows of it, and whole payloads where it can", () => {
    const service = new TestService()
    const arn = service.start()
    const before = executionOf(service, arn)
    service.now += 1_000
    service.crash(arn)
    service.pass(1)
    service.answer(arn, { Status: "FAILED", Error: { ErrorType: "Broken" } })
    const { execution, invocations } = Timeline.make(before, service.history(arn))
    assert.deepInclude(execution, { status: "FAILED", end: midnight + 2_000 })
    assert.strictEqual(execution.error?.Payload?.ErrorType, "Broken")
    assert.strictEqual(execution.input?.Payload, `{"id":1}`)
    assert.deepStrictEqual(
      invocations.map(({ error }) => error?.Payload?.ErrorType),
      ["Runtime.ExitError", undefined]
    )
  })
})

describe("The timeline of a history that is not whole", () => {
  const scene = () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(
      arn,
      context("ctx", "START"),
      retry("s", 4, { ParentId: "ctx" }),
      wait("w", 5, { ParentId: "ctx" })
    )
    service.suspend(arn)
    service.pass(4)
    service.checkpoint(arn, step("s", "START", { ParentId: "ctx" }), step("s", "SUCCEED", { ParentId: "ctx" }))
    return { execution: executionOf(service, arn), history: service.history(arn) }
  }

  it("is the same in whatever order the events come", () => {
    const { execution, history } = scene()
    assert.deepStrictEqual(Timeline.make(execution, history.toReversed()), Timeline.make(execution, history))
  })

  it("can be made of any part of it", () => {
    const { execution, history } = scene()
    for (let from = 0; from <= history.length; from++) {
      for (let to = from; to <= history.length; to++) {
        const part = history.slice(from, to)
        const { missingEvents, rows } = Timeline.make(execution, part)
        const ids = new Set(
          part.flatMap(({ EventType, Id }) => (Id === undefined || EventType.startsWith("Exec") ? [] : [Id]))
        )
        assert.sameMembers(
          rows.map(({ id }) => id),
          [...ids]
        )
        assert.strictEqual(missingEvents, part.length === 0 ? 0 : from)
        for (const { parentId } of rows) assert.isTrue(parentId === undefined || ids.has(parentId))
      }
    }
  })

  it("knows of an attempt by its number when its beginning is missing", () => {
    const { execution, history } = scene()
    const rest = history.filter(({ EventType }) => EventType === "StepSucceeded")
    const [row] = Timeline.make(execution, rest).rows
    assert.deepInclude(row, { id: "s", status: "SUCCEEDED", parentId: undefined, depth: 0 })
    assert.deepStrictEqual(row && attemptsOf(row).map(({ number }) => number), [2])
  })
})

describe("The timeline of the service's own histories", () => {
  const historyNamed = (name: string): ReadonlyArray<HistoryEvent> => {
    const sample = golden("histories").find((candidate) => candidate.name.startsWith(name))
    return decode(GetDurableExecutionHistoryResponse, sample?.wire).Events
  }

  const parcel: GetDurableExecutionResponse = {
    DurableExecutionArn: "arn:parcel",
    DurableExecutionName: "parcel-7",
    FunctionArn: "arn:function",
    Status: "RUNNING",
    StartTimestamp: 1
  }

  it("reads each type of event", () => {
    const { invocations, rows } = Timeline.make(parcel, historyNamed("one event of each"))
    assert.deepStrictEqual(
      rows.map(({ id, status, type }) => [id, type, status]),
      [
        ["cx-1", "CONTEXT", "SUCCEEDED"],
        ["st-1", "STEP", "SUCCEEDED"],
        ["cx-2", "CONTEXT", "FAILED"],
        ["wt-1", "WAIT", "SUCCEEDED"],
        ["wt-2", "WAIT", "CANCELLED"],
        ["cb-1", "CALLBACK", "SUCCEEDED"],
        ["cb-2", "CALLBACK", "FAILED"],
        ["cb-3", "CALLBACK", "TIMED_OUT"],
        ["iv-1", "CHAINED_INVOKE", "SUCCEEDED"],
        ["iv-2", "CHAINED_INVOKE", "FAILED"],
        ["iv-3", "CHAINED_INVOKE", "TIMED_OUT"],
        ["iv-4", "CHAINED_INVOKE", "STOPPED"]
      ]
    )
    assert.isTrue(
      rows.every(({ error, output }) => (output === undefined) !== (error === undefined) || output === error)
    )
    assert.strictEqual(rows[0]?.output?.Truncated, true)
    assert.strictEqual(invocations.length, 2)
  })

  it("shows operations of a type that a later service may add", () => {
    const later: ReadonlyArray<HistoryEvent> = [
      { EventType: "Unknown", UnknownEventType: "TimerBoxStarted", EventId: 1, EventTimestamp: 5, Id: "t" },
      { EventType: "Unknown", UnknownEventType: "TimerBoxCancelled", EventId: 2, EventTimestamp: 9, Id: "t" },
      { EventType: "Unknown", UnknownEventType: "SignalReceived", EventId: 3, EventTimestamp: 9, Id: "u" }
    ]
    const { rows } = Timeline.make(parcel, later)
    assert.deepStrictEqual(
      rows.map(({ end, id, start, status, type }) => [id, type, status, start, end]),
      [["t", "TIMER_BOX", "CANCELLED", 5, 9]]
    )
  })
})
