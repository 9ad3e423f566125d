import { assert, describe, it } from "@effect/vitest"
import { callback, finish, TestService, wait } from "./support.ts"

const succeeded = { Status: "SUCCEEDED", Result: "1" }

describe("the order of events around a suspension", () => {
  const callbackThenWait = (complete: (service: TestService, callbackId: string) => void) => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, callback("c", { TimeoutSeconds: 3 }))
    service.suspend(arn)
    complete(service, service.callbackId(arn, "c"))
    service.checkpoint(arn, wait("w", 2))
    service.suspend(arn)
    service.pass(2)
    service.answer(arn, succeeded)
    return service.eventTypes(arn)
  }
  const callbackThenWaitEvents = (completion: string) => [
    "ExecutionStarted",
    "CallbackStarted",
    "InvocationCompleted",
    completion,
    "WaitStarted",
    "InvocationCompleted",
    "WaitSucceeded",
    "InvocationCompleted",
    "ExecutionSucceeded"
  ]

  it("has three invocations for a callback and then a wait", () => {
    assert.deepStrictEqual(
      callbackThenWait((service, callbackId) => service.succeed(callbackId, "yes")),
      callbackThenWaitEvents("CallbackSucceeded")
    )
    assert.deepStrictEqual(
      callbackThenWait((service) => service.pass(3)),
      callbackThenWaitEvents("CallbackTimedOut")
    )
  })

  it("has an invocation for a callback that completes while the code still waits for something else", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, callback("c"), wait("w", 5))
    service.suspend(arn)
    service.pass(1)
    service.succeed(service.callbackId(arn, "c"), "yes")
    assert.deepStrictEqual(service.invocation(arn).event.UpdatedOperationIds, ["c"])
    service.suspend(arn)
    service.pass(4)
    assert.deepStrictEqual(service.invocation(arn).event.UpdatedOperationIds, ["w"])
    service.answer(arn, succeeded)
    assert.deepStrictEqual(service.eventTypes(arn), [
      "ExecutionStarted",
      "CallbackStarted",
      "WaitStarted",
      "InvocationCompleted",
      "CallbackSucceeded",
      "InvocationCompleted",
      "WaitSucceeded",
      "InvocationCompleted",
      "ExecutionSucceeded"
    ])
  })

  it("has one invocation for each of two callbacks", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, callback("a"), callback("b"))
    service.suspend(arn)
    service.succeed(service.callbackId(arn, "a"), "1")
    service.suspend(arn)
    service.succeed(service.callbackId(arn, "b"), "2")
    service.answer(arn, succeeded)
    assert.strictEqual(service.invocations(arn).length, 3)
    assert.deepStrictEqual(service.eventTypes(arn).slice(3), [
      "InvocationCompleted",
      "CallbackSucceeded",
      "InvocationCompleted",
      "CallbackSucceeded",
      "InvocationCompleted",
      "ExecutionSucceeded"
    ])
  })

  it("shows what the execution ended with before the end of an invocation that outlives it", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, finish("SUCCEED", { Payload: "1" }))
    service.answer(arn, { Status: "SUCCEEDED", Result: "" })
    assert.deepStrictEqual(service.eventTypes(arn), ["ExecutionStarted", "ExecutionSucceeded", "InvocationCompleted"])
  })
})
