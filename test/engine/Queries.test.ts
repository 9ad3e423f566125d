import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Service from "../../src/engine/Service.ts"
import type { HistoryEvent } from "../../src/wire/HistoryEvent.ts"
import { callback, context, invoke, midnight, refused, retry, step, TestService, wait } from "./support.ts"

describe("one execution", () => {
  it("is described with its input and, once closed, its outcome", () => {
    const service = new TestService()
    const arn = service.start({
      executionName: "n",
      functionName: "orders:live",
      executionTimeoutSeconds: 60,
      traceHeader: "Root=1"
    })
    const about = { DurableExecutionArn: arn }
    const open = {
      DurableExecutionArn: arn,
      DurableExecutionName: "n",
      FunctionArn: "arn:aws:lambda:us-east-1:123456789012:function:orders:7",
      Version: "7",
      Status: "RUNNING",
      StartTimestamp: midnight,
      TraceHeader: { XAmznTraceId: "Root=1" },
      ExecutionDataIncluded: true,
      DurableConfig: { ExecutionTimeout: 60, RetentionPeriodInDays: 14 },
      InputPayload: `{"id":1}`
    }
    assert.deepStrictEqual(Result.getOrThrow(Service.getExecution(service.state, about, service.env)), open)
    service.now += 5
    service.answer(arn, { Status: "SUCCEEDED", Result: `"done"` })
    const closed = { ...open, Status: "SUCCEEDED", EndTimestamp: midnight + 5, Result: `"done"` }
    assert.deepStrictEqual(Result.getOrThrow(Service.getExecution(service.state, about, service.env)), closed)
    const { InputPayload: _, Result: __, ...compact } = { ...closed, ExecutionDataIncluded: false }
    const query = { ...about, IncludeExecutionData: false }
    assert.deepStrictEqual(Result.getOrThrow(Service.getExecution(service.state, query, service.env)), compact)
  })

  it("is described with its error", () => {
    const service = new TestService()
    const arn = service.start()
    service.stop(arn)
    const about = { DurableExecutionArn: arn }
    const { Error, Status } = Result.getOrThrow(Service.getExecution(service.state, about, service.env))
    assert.deepStrictEqual([Status, Error], ["STOPPED", { ErrorMessage: "Execution stopped by user request" }])
    const compact = Service.getExecution(service.state, { ...about, IncludeExecutionData: false }, service.env)
    assert.notProperty(Result.getOrThrow(compact), "Error")
  })

  it("that is not there is not found", () => {
    const service = new TestService()
    const about = { DurableExecutionArn: "nobody" }
    assert.strictEqual(refused(Service.getExecution(service.state, about, service.env)).status, 404)
    assert.strictEqual(refused(Service.getHistory(service.state, about, service.env)).status, 404)
    assert.deepStrictEqual(Service.operations(service.state, "nobody"), [])
    assert.deepStrictEqual(Service.history(service.state, "nobody"), [])
  })
})

describe("a history", () => {
  /** One of every event that has a payload or an error. */
  const eventful = () => {
    const service = new TestService()
    const arn = service.start()
    const Error = { ErrorType: "secret", ErrorMessage: "secret" }
    const Payload = "secret"
    service.checkpoint(arn, step("a", "SUCCEED", { Payload }), step("b", "FAIL", { Error }), retry("c", 1, { Error }))
    service.checkpoint(arn, context("d", "SUCCEED", { Payload }), context("e", "FAIL", { Error }), wait("w", 1))
    service.checkpoint(
      arn,
      invoke("i", "email", { Payload }),
      invoke("j", "nowhere", { Payload }),
      callback("k"),
      callback("l")
    )
    service.checkpoint(arn, { Id: "w", Type: "WAIT", Action: "CANCEL", Error })
    service.succeed(service.callbackId(arn, "k"), Payload)
    service.accept(
      Service.failCallback(service.state, { callbackId: service.callbackId(arn, "l"), error: Error }, service.env)
    )
    const end: Service.TargetEnd = { _tag: "Succeeded", result: Payload }
    service.take(Service.targetEnded(service.state, { executionArn: arn, operationId: "i", end }, service.env))
    service.end(arn, { _tag: "Crashed", error: Error })
    service.accept(Service.stopExecution(service.state, { executionArn: arn, error: Error }, service.env))
    return { service, arn }
  }
  type Query = Omit<Parameters<typeof Service.getHistory>[1], "DurableExecutionArn">
  const read = (service: TestService, arn: string, query: Query = {}) =>
    Service.getHistory(service.state, { DurableExecutionArn: arn, ...query }, service.env)
  const readAll = (service: TestService, arn: string, query: Query): ReadonlyArray<HistoryEvent> => {
    const events: Array<HistoryEvent> = []
    for (let Marker: string | undefined = ""; Marker !== undefined;) {
      const page: ReturnType<typeof Service.getHistory> = read(service, arn, { ...query, Marker })
      const { Events, NextMarker } = Result.getOrThrow(page)
      events.push(...Events)
      Marker = NextMarker
    }
    return events
  }

  it("comes in pages, each event once, forwards and backwards", () => {
    const { arn, service } = eventful()
    const all = service.history(arn)
    assert.isAbove(all.length, 15)
    for (const MaxItems of [1, 2, 7, all.length, 100]) {
      assert.deepStrictEqual(readAll(service, arn, { MaxItems }), all)
      assert.deepStrictEqual(readAll(service, arn, { MaxItems, ReverseOrder: true }), all.toReversed())
    }
    assert.deepStrictEqual(Result.getOrThrow(read(service, arn)).Events, all)
    assert.isUndefined(Result.getOrThrow(read(service, arn, { MaxItems: all.length })).NextMarker)
  })

  it("leaves payloads and errors out when they are not wanted, and nothing else", () => {
    const { arn, service } = eventful()
    const bare = Result.getOrThrow(read(service, arn, { IncludeExecutionData: false })).Events
    assert.notInclude(JSON.stringify(bare), "secret")
    assert.notInclude(JSON.stringify(bare), "Payload")
    assert.include(JSON.stringify(service.history(arn)), "secret")
    assert.deepStrictEqual(
      bare.map(({ EventId, EventType, Id, SubType }) => [EventId, EventType, Id, SubType]),
      service.history(arn).map(({ EventId, EventType, Id, SubType }) => [EventId, EventType, Id, SubType])
    )
    const failure = bare.find((event) => event.EventType === "StepFailed" && event.Id === "c")
    assert(failure?.EventType === "StepFailed")
    assert.deepStrictEqual(failure.StepFailedDetails, {
      Error: { Truncated: false },
      RetryDetails: { CurrentAttempt: 1, NextAttemptDelaySeconds: 1 }
    })
  })

  it("refuses a marker of another kind", () => {
    const { arn, service } = eventful()
    for (const Marker of [btoa("state 1"), "x"])
      assert.strictEqual(refused(read(service, arn, { Marker })).message, "Invalid marker")
    assert.match(refused(read(service, arn, { MaxItems: 1_001 })).message, /MaxItems/)
  })
})

describe("the list of a function's executions", () => {
  const three = () => {
    const service = new TestService()
    service.start({ executionName: "first" })
    service.pass(10)
    const second = service.start({ executionName: "second", functionName: "orders:live" })
    service.stop(second)
    service.pass(10)
    const third = service.start({ executionName: "third" })
    service.answer(third, { Status: "SUCCEEDED" })
    service.start({ executionName: "other", functionName: "payments:live" })
    return service
  }
  type Query = Omit<Parameters<typeof Service.listExecutions>[1], "FunctionName">
  const read = (service: TestService, query: Query = {}, FunctionName = "orders") =>
    Service.listExecutions(service.state, { FunctionName, ...query }, service.env)
  const names = (service: TestService, query: Query = {}, FunctionName = "orders") =>
    Result.getOrThrow(read(service, query, FunctionName)).DurableExecutions.map(
      (execution) => execution.DurableExecutionName
    )

  it("has the newest first, or the oldest", () => {
    assert.deepStrictEqual(names(three()), ["third", "second", "first"])
    assert.deepStrictEqual(names(three(), { ReverseOrder: true }), ["first", "second", "third"])
  })

  it("says what each is and how it is doing", () => {
    const service = three()
    const [, second, oldest] = Result.getOrThrow(read(service)).DurableExecutions
    assert.deepStrictEqual(second, {
      DurableExecutionArn: second?.DurableExecutionArn ?? "",
      DurableExecutionName: "second",
      FunctionArn: "arn:aws:lambda:us-east-1:123456789012:function:orders:7",
      Status: "STOPPED",
      StartTimestamp: midnight + 10_000,
      EndTimestamp: midnight + 10_000
    })
    assert.strictEqual(oldest?.Status, "RUNNING")
    assert.notProperty(oldest, "EndTimestamp")
  })

  it("can be narrowed", () => {
    const service = three()
    assert.deepStrictEqual(names(service, { Qualifier: "live" }), ["second"])
    assert.deepStrictEqual(names(service, {}, "orders:$LATEST"), ["third", "first"])
    assert.deepStrictEqual(names(service, { Statuses: ["RUNNING", "SUCCEEDED"] }), ["third", "first"])
    assert.deepStrictEqual(names(service, { Statuses: ["STOPPED"] }), ["second"])
    assert.strictEqual(names(service, { Statuses: Array.from({ length: 10 }, () => "STOPPED") }).length, 1)
    assert.deepStrictEqual(names(service, { DurableExecutionName: "first" }), ["first"])
    assert.deepStrictEqual(names(service, { StartedAfter: midnight }), ["third", "second"])
    assert.deepStrictEqual(names(service, { StartedBefore: midnight + 20_000 }), ["second", "first"])
    assert.deepStrictEqual(names(service, { DurableExecutionName: "nobody" }), [])
    assert.deepStrictEqual(names(service, {}, "payments"), ["other"])
  })

  it("comes in pages, each execution once", () => {
    const service = three()
    for (const [ReverseOrder, expected] of [
      [false, ["third", "second", "first"]],
      [true, ["first", "second", "third"]]
    ] as const) {
      const found: Array<string> = []
      for (let Marker: string | undefined = ""; Marker !== undefined;) {
        const page: ReturnType<typeof Service.listExecutions> = read(service, { ReverseOrder, MaxItems: 1, Marker })
        const { DurableExecutions, NextMarker } = Result.getOrThrow(page)
        found.push(...DurableExecutions.map((execution) => execution.DurableExecutionName))
        Marker = NextMarker
      }
      assert.deepStrictEqual(found, [...expected])
    }
  })

  it("refuses what the API refuses", () => {
    const service = three()
    assert.strictEqual(refused(read(service, {}, "nowhere")).status, 404)
    assert.strictEqual(refused(read(service, {}, "a b")).status, 400)
    assert.match(refused(read(service, { Statuses: ["PAUSED"] })).message, /Statuses/)
    assert.match(refused(read(service, { Statuses: [] })).message, /Statuses/)
    assert.match(refused(read(service, { Statuses: Array.from({ length: 11 }, () => "RUNNING") })).message, /Statuses/)
    assert.match(refused(read(service, { MaxItems: -1 })).message, /MaxItems/)
    assert.match(refused(read(service, { Marker: btoa("history 1") })).message, /Invalid marker/)
  })
})
