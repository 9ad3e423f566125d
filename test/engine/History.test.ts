/**
 * What the history of an execution says: the events of every update, and the order of events around suspensions,
 * retries, crashes and ends, as the published conformance requirements of the service expect them.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Service from "../../src/engine/Service.ts"
import type { HistoryEvent } from "../../src/wire/HistoryEvent.ts"
import { callback, cancel, context, invoke, midnight, retry, step, TestService, wait } from "./support.ts"

const succeeded = { Status: "SUCCEEDED", Result: "1" }
const failed = { Status: "FAILED", Error: { ErrorType: "Boom", ErrorMessage: "no" } }

/** An event without what differs from run to run. */
const gist = (event: HistoryEvent) => {
  const { EventId: _, EventTimestamp: __, ...rest } = event
  return rest
}

describe("the events of an execution", () => {
  it("begin with its input, name and time-out", () => {
    const service = new TestService()
    const arn = service.start({ executionName: "order-1", executionTimeoutSeconds: 60 })
    const { id } = service.execution(arn).identity
    assert.deepStrictEqual(service.history(arn), [
      {
        EventId: 1,
        EventTimestamp: midnight,
        Id: id,
        Name: "order-1",
        EventType: "ExecutionStarted",
        ExecutionStartedDetails: { Input: { Payload: `{"id":1}`, Truncated: false }, ExecutionTimeout: 60 }
      }
    ])
    assert.isTrue(arn.endsWith(`/durable-execution/order-1/${id}`))
  })

  it("have no payload where there was none", () => {
    const service = new TestService()
    const { executionArn } = service.accept(
      Service.startExecution(service.state, { functionName: "orders:$LATEST" }, service.env)
    )
    service.checkpoint(executionArn, step("a", "SUCCEED"), context("c", "SUCCEED"))
    service.answer(executionArn, { Status: "SUCCEEDED" })
    const nothing = { Truncated: false }
    assert.deepStrictEqual(service.event(executionArn, "ExecutionStarted").ExecutionStartedDetails.Input, nothing)
    assert.deepStrictEqual(service.event(executionArn, "StepSucceeded").StepSucceededDetails.Result, nothing)
    assert.deepStrictEqual(service.event(executionArn, "ContextSucceeded").ContextSucceededDetails.Result, nothing)
    assert.deepStrictEqual(service.event(executionArn, "ExecutionSucceeded").ExecutionSucceededDetails.Result, nothing)
  })

  it("are numbered from 1 without gaps and repeat the labels of their operation", () => {
    const service = new TestService()
    const arn = service.start()
    const labels = { ParentId: "c", Name: "pay", SubType: "Step" }
    service.checkpoint(arn, context("c", "START"), step("a", "START", labels))
    service.checkpoint(arn, { Id: "a", Type: "STEP", Action: "SUCCEED", Payload: "1" }, context("c", "SUCCEED"))
    service.answer(arn, succeeded)
    assert.deepStrictEqual(
      service.history(arn).map(({ EventId }) => EventId),
      [1, 2, 3, 4, 5, 6, 7]
    )
    for (const event of service.history(arn).filter(({ Id }) => Id === "a")) {
      const { Name, ParentId, SubType } = event
      assert.deepStrictEqual({ Name, ParentId, SubType }, labels)
    }
  })

  it("close an invocation before they close the execution", () => {
    const service = new TestService()
    const arn = service.start()
    const { invocationId } = service.invocation(arn)
    service.now += 250
    service.answer(arn, succeeded)
    assert.deepStrictEqual(service.eventTypes(arn), ["ExecutionStarted", "InvocationCompleted", "ExecutionSucceeded"])
    assert.deepStrictEqual(gist(service.event(arn, "InvocationCompleted")), {
      EventType: "InvocationCompleted",
      InvocationCompletedDetails: { StartTimestamp: midnight, EndTimestamp: midnight + 250, RequestId: invocationId }
    })
    assert.deepStrictEqual(service.event(arn, "ExecutionSucceeded").ExecutionSucceededDetails, {
      Result: { Payload: "1", Truncated: false }
    })
  })

  it("tell the error of a failed execution", () => {
    const service = new TestService()
    const arn = service.start()
    service.answer(arn, failed)
    assert.deepStrictEqual(service.event(arn, "ExecutionFailed").ExecutionFailedDetails, {
      Error: { Payload: failed.Error, Truncated: false }
    })
  })
})

describe("the events of a step", () => {
  it("tell its result and that it was the first attempt", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, step("a", "START"), step("a", "SUCCEED", { Payload: `"hi"` }))
    assert.deepStrictEqual(service.history(arn).slice(1).map(gist), [
      { Id: "a", SubType: "Step", EventType: "StepStarted", StepStartedDetails: {} },
      {
        Id: "a",
        SubType: "Step",
        EventType: "StepSucceeded",
        StepSucceededDetails: { Result: { Payload: `"hi"`, Truncated: false }, RetryDetails: { CurrentAttempt: 1 } }
      }
    ])
  })

  it("tell its error, the empty one when there was none", () => {
    const Error = { ErrorType: "CardDeclined", ErrorMessage: "no", StackTrace: ["at charge"] }
    for (const update of [step("a", "FAIL", { Error }), step("a", "FAIL"), retry("a", 1, { Error })]) {
      const service = new TestService()
      const arn = service.start()
      service.checkpoint(arn, update)
      const expected = update.Error ?? {}
      const { Payload } = service.event(arn, "StepFailed").StepFailedDetails.Error
      assert.deepStrictEqual(Payload, expected)
      assert.deepStrictEqual(service.operation(arn, "a").StepDetails?.Error, update.Error)
    }
  })

  it("count attempts, and tell the delay of every retry but no delay of the last failure", () => {
    const service = new TestService()
    const arn = service.start()
    for (const _ of [1, 2, 3]) {
      service.checkpoint(arn, step("a", "START"), retry("a", 1))
      service.suspend(arn)
      service.pass(1)
    }
    const Error = { ErrorType: "Flaky" }
    service.checkpoint(arn, step("a", "START"), step("a", "FAIL", { Error }))
    service.answer(arn, failed)
    const attempts = service
      .history(arn)
      .flatMap((event) => (event.EventType === "StepFailed" ? [event.StepFailedDetails.RetryDetails] : []))
    assert.deepStrictEqual(attempts, [
      { CurrentAttempt: 1, NextAttemptDelaySeconds: 1 },
      { CurrentAttempt: 2, NextAttemptDelaySeconds: 1 },
      { CurrentAttempt: 3, NextAttemptDelaySeconds: 1 },
      { CurrentAttempt: 4 }
    ])
    const round = ["StepStarted", "StepFailed", "InvocationCompleted"]
    assert.deepStrictEqual(service.eventTypes(arn), [
      "ExecutionStarted",
      ...round,
      ...round,
      ...round,
      ...round,
      "ExecutionFailed"
    ])
  })

  it("show a poll that goes on as an attempt that succeeded", () => {
    const service = new TestService()
    const arn = service.start()
    const poll = { SubType: "WaitForCondition", Name: "ready?" }
    service.checkpoint(arn, step("a", "START", poll), {
      ...step("a", "RETRY", poll),
      Payload: "1",
      StepOptions: { NextAttemptDelaySeconds: 7 }
    })
    assert.deepStrictEqual(gist(service.event(arn, "StepSucceeded")), {
      Id: "a",
      ...poll,
      EventType: "StepSucceeded",
      StepSucceededDetails: {
        Result: { Payload: "1", Truncated: false },
        RetryDetails: { CurrentAttempt: 1, NextAttemptDelaySeconds: 7 }
      }
    })
  })

  it("show no second start when an at-least-once step is run again after a crash", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, step("a", "START"))
    service.crash(arn)
    service.pass(1)
    service.checkpoint(arn, step("a", "SUCCEED", { Payload: "1" }))
    service.answer(arn, succeeded)
    assert.deepStrictEqual(service.eventTypes(arn), [
      "ExecutionStarted",
      "StepStarted",
      "InvocationCompleted",
      "StepSucceeded",
      "InvocationCompleted",
      "ExecutionSucceeded"
    ])
  })

  it("show a crash on the invocation, and an at-most-once step that is retried after it", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, step("a", "START"))
    service.crash(arn)
    service.pass(1)
    service.checkpoint(arn, retry("a", 1))
    service.suspend(arn)
    service.pass(1)
    service.checkpoint(arn, step("a", "START"), step("a", "SUCCEED", { Payload: "1" }))
    service.answer(arn, succeeded)
    assert.deepStrictEqual(service.eventTypes(arn), [
      "ExecutionStarted",
      "StepStarted",
      "InvocationCompleted",
      "StepFailed",
      "InvocationCompleted",
      "StepStarted",
      "StepSucceeded",
      "InvocationCompleted",
      "ExecutionSucceeded"
    ])
    const errors = service
      .history(arn)
      .flatMap((event) =>
        event.EventType === "InvocationCompleted" ? [event.InvocationCompletedDetails.Error?.Payload?.ErrorType] : []
      )
    assert.deepStrictEqual(errors, ["Runtime.ExitError", undefined, undefined])
    assert.deepStrictEqual(service.event(arn, "StepSucceeded").StepSucceededDetails.RetryDetails, { CurrentAttempt: 2 })
  })
})

describe("the events of other operations", () => {
  it("tell how long a wait is and that it is over", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, wait("w", 86_400, { Name: "a day" }))
    service.suspend(arn)
    service.pass(86_400)
    service.answer(arn, succeeded)
    const due = midnight + 86_400_000
    assert.deepStrictEqual(service.event(arn, "WaitStarted").WaitStartedDetails, {
      Duration: 86_400,
      ScheduledEndTimestamp: due
    })
    const over = service.event(arn, "WaitSucceeded")
    assert.deepStrictEqual(over.WaitSucceededDetails, { Duration: 86_400 })
    assert.strictEqual(over.EventTimestamp, due)
    assert.strictEqual(over.Name, "a day")
    assert.deepStrictEqual(service.eventTypes(arn), [
      "ExecutionStarted",
      "WaitStarted",
      "InvocationCompleted",
      "WaitSucceeded",
      "InvocationCompleted",
      "ExecutionSucceeded"
    ])
  })

  it("tell that a wait was cancelled, and why", () => {
    const service = new TestService()
    const arn = service.start()
    const why = { ErrorMessage: "the other branch won" }
    service.checkpoint(arn, wait("v", 60), wait("w", 60))
    service.checkpoint(arn, cancel("v", "WAIT"), { ...cancel("w", "WAIT"), Error: why })
    const details = service
      .history(arn)
      .flatMap((event) => (event.EventType === "WaitCancelled" ? [event.WaitCancelledDetails] : []))
    assert.deepStrictEqual(details, [{}, { Error: { Payload: why, Truncated: false } }])
    assert.strictEqual(service.operation(arn, "w").Status, "CANCELLED")
    assert.strictEqual(service.operation(arn, "w").EndTimestamp, midnight)
  })

  it("leave out time-outs that a callback does not have", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(
      arn,
      callback("a"),
      callback("b", { TimeoutSeconds: 0, HeartbeatTimeoutSeconds: 0 }),
      callback("c", { TimeoutSeconds: 300, HeartbeatTimeoutSeconds: 60 })
    )
    const details = service
      .history(arn)
      .flatMap((event) => (event.EventType === "CallbackStarted" ? [event.CallbackStartedDetails] : []))
    assert.deepStrictEqual(details, [
      { CallbackId: service.callbackId(arn, "a") },
      { CallbackId: service.callbackId(arn, "b") },
      { CallbackId: service.callbackId(arn, "c"), Timeout: 300, HeartbeatTimeout: 60 }
    ])
  })

  it("tell the result or the error of a context", () => {
    const service = new TestService()
    const arn = service.start()
    const Error = { ErrorType: "StepError", ErrorMessage: "x", StackTrace: ["at a"] }
    service.checkpoint(
      arn,
      context("a", "START"),
      context("a", "SUCCEED", { Payload: "2" }),
      context("b", "FAIL", { Error }),
      context("d", "FAIL")
    )
    assert.deepStrictEqual(service.event(arn, "ContextSucceeded").ContextSucceededDetails, {
      Result: { Payload: "2", Truncated: false }
    })
    const errors = service
      .history(arn)
      .flatMap((event) => (event.EventType === "ContextFailed" ? [event.ContextFailedDetails.Error.Payload] : []))
    assert.deepStrictEqual(errors, [Error, {}])
  })

  it("tell the target, input, version and execution of a chained invoke", () => {
    const service = new TestService()
    const arn = service.start()
    const options = { FunctionName: "payments:live", TenantId: "tenant 1" }
    service.checkpoint(arn, invoke("i", "payments:live", { Name: "charge", ChainedInvokeOptions: options }))
    const child = service.closed.length === 0 ? service.effects.at(-1) : undefined
    assert(child?._tag === "InvokeFunction")
    assert.deepStrictEqual(gist(service.event(arn, "ChainedInvokeStarted")), {
      Id: "i",
      Name: "charge",
      SubType: "ChainedInvoke",
      EventType: "ChainedInvokeStarted",
      ChainedInvokeStartedDetails: {
        FunctionName: "payments:live",
        TenantId: "tenant 1",
        Input: { Payload: `{"a":1}`, Truncated: false },
        ExecutedVersion: "7",
        DurableExecutionArn: child.executionArn
      }
    })
  })
})
