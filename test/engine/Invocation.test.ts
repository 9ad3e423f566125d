import { assert, describe, it } from "@effect/vitest"
import * as Service from "../../src/engine/Service.ts"
import { callback, context, invoke, midnight, retry, step, TestService, wait } from "./support.ts"

/** When the function was invoked, in seconds after midnight. */
const invokedAt = (service: TestService, arn: string) =>
  service
    .history(arn)
    .flatMap((event) =>
      event.EventType === "InvocationCompleted" ? [event.InvocationCompletedDetails.StartTimestamp] : []
    )
    .map((time) => (time - midnight) / 1_000)

describe("the function is invoked", () => {
  it("when its execution starts, and by its version", () => {
    const service = new TestService()
    const arn = service.start({ functionName: "orders:live", tenantId: "t1", traceHeader: "Root=1" })
    const { _tag, event: _, invocationId, ...rest } = service.invocation(arn)
    assert.strictEqual(_tag, "InvokeFunction")
    assert.notStrictEqual(invocationId, "")
    assert.deepStrictEqual(rest, {
      functionName: "orders",
      version: "7",
      functionArn: "arn:aws:lambda:us-east-1:123456789012:function:orders:7",
      executionArn: arn,
      tenantId: "t1",
      traceHeader: "Root=1"
    })
  })

  it("once for everything that happens at the same moment", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, wait("a", 1), wait("b", 1), retry("c", 1), wait("d", 2))
    service.suspend(arn)
    service.pass(1)
    assert.strictEqual(service.invocations(arn).length, 2)
    assert.deepStrictEqual(service.invocation(arn).event.UpdatedOperationIds, ["a", "b", "c"])
  })

  it("never while an invocation is in flight, and at once when that ends without having been told", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, callback("c"), wait("w", 1), callback("open"))
    service.succeed(service.callbackId(arn, "c"), "yes")
    service.pass(1)
    assert.strictEqual(service.invocations(arn).length, 1)
    service.suspend(arn)
    assert.strictEqual(service.invocations(arn).length, 2)
    assert.deepStrictEqual(service.invocation(arn).event.UpdatedOperationIds, ["c", "w"])
    service.suspend(arn)
    assert.strictEqual(service.invocations(arn).length, 2, "now it knows")
  })

  it("never for a heartbeat", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, callback("c", { HeartbeatTimeoutSeconds: 10 }))
    service.suspend(arn)
    const callbackId = service.callbackId(arn, "c")
    service.accept(Service.heartbeatCallback(service.state, { callbackId }, service.env))
    assert.strictEqual(service.invocations(arn).length, 1)
  })

  it("never again once the execution is closed", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, wait("w", 1), callback("c"), invoke("i", "email"))
    service.suspend(arn)
    service.stop(arn)
    service.pass(3_600)
    const end: Service.TargetEnd = { _tag: "Succeeded", result: "1" }
    service.take(Service.targetEnded(service.state, { executionArn: arn, operationId: "i", end }, service.env))
    assert.strictEqual(service.invocations(arn).length, 1)
    assert.deepStrictEqual(service.eventTypes(arn).at(-1), "ExecutionStopped")
  })

  it("for what happens inside a context that is finished, which its state leaves out", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(
      arn,
      context("race", "START"),
      wait("loser", 5, { ParentId: "race" }),
      context("race", "SUCCEED"),
      callback("c")
    )
    service.suspend(arn)
    service.pass(5)
    const { InitialExecutionState, UpdatedOperationIds } = service.invocation(arn).event
    assert.strictEqual(service.invocations(arn).length, 2)
    assert.deepStrictEqual(UpdatedOperationIds, [])
    assert.deepStrictEqual(
      InitialExecutionState.Operations.slice(1).map(({ Id }) => Id),
      ["race", "c"]
    )
  })
})

describe("the end of an invocation", () => {
  it("suspends the execution while something is pending", () => {
    for (const pending of [
      wait("x", 9),
      retry("x", 9),
      callback("x"),
      invoke("x", "email"),
      invoke("x", "payments:live")
    ]) {
      const service = new TestService()
      const arn = service.start()
      service.checkpoint(arn, pending)
      service.suspend(arn)
      assert.isUndefined(service.execution(arn).outcome)
      assert.strictEqual(service.invocations(arn).length, 1)
      assert.isUndefined(service.event(arn, "InvocationCompleted").InvocationCompletedDetails.Error)
    }
  })

  it("closes the execution although something is pending, which stays as it is", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, wait("w", 9), callback("c"))
    service.answer(arn, { Status: "SUCCEEDED", Result: "1" })
    assert.strictEqual(service.execution(arn).outcome?.status, "SUCCEEDED")
    assert.strictEqual(service.operation(arn, "w").Status, "STARTED")
    assert.isUndefined(Service.nextDue(service.state), "no timer is left")
  })

  it("is ignored when it is reported twice, or of an invocation that nobody knows", () => {
    const service = new TestService()
    const arn = service.start()
    const { invocationId } = service.invocation(arn)
    service.checkpoint(arn, wait("w", 1))
    service.suspend(arn)
    const before = service.history(arn)
    const end: Service.InvocationEnd = { _tag: "Answered", answer: { Status: "SUCCEEDED" } }
    const reports = [
      { executionArn: arn, invocationId, end },
      { executionArn: arn, invocationId: "other", end },
      { executionArn: "other", invocationId, end }
    ]
    for (const report of reports) service.take(Service.invocationEnded(service.state, report, service.env))
    assert.deepStrictEqual(service.history(arn), before)
    assert.isUndefined(service.execution(arn).outcome)
  })

  it("of an execution that was stopped meanwhile only completes the invocation", () => {
    const service = new TestService()
    const arn = service.start()
    service.stop(arn)
    service.answer(arn, { Status: "PENDING" })
    assert.deepStrictEqual(service.eventTypes(arn), ["ExecutionStarted", "ExecutionStopped", "InvocationCompleted"])
    assert.strictEqual(service.execution(arn).outcome?.status, "STOPPED")
  })
})

describe("an answer that no handler may give", () => {
  const answers: ReadonlyArray<readonly [string, unknown, RegExp]> = [
    ["success with an error", { Status: "SUCCEEDED", Error: { ErrorType: "x" } }, /no Error/],
    ["failure with a result", { Status: "FAILED", Result: "1" }, /no Result/],
    ["a result that is no text", { Status: "SUCCEEDED", Result: 1 }, /text/],
    ["an error that is no object", { Status: "FAILED", Error: "boom" }, /Error object/],
    ["an unknown status", { Status: "DONE" }, /SUCCEEDED, FAILED or PENDING/],
    ["no status", {}, /SUCCEEDED, FAILED or PENDING/],
    ["text that is no JSON", "<html>", /SUCCEEDED, FAILED or PENDING/],
    ["null", null, /SUCCEEDED, FAILED or PENDING/],
    ["nothing", undefined, /SUCCEEDED, FAILED or PENDING/],
    ["an array", [], /SUCCEEDED, FAILED or PENDING/]
  ]
  for (const [what, answer, message] of answers) {
    it(`fails the execution at once: ${what}`, () => {
      const service = new TestService()
      const arn = service.start()
      service.checkpoint(arn, wait("w", 1))
      service.answer(arn, answer)
      const { outcome } = service.execution(arn)
      assert(outcome?.status === "FAILED")
      assert.strictEqual(outcome.error.ErrorType, "InvalidParameterValueException")
      assert.match(outcome.error.ErrorMessage ?? "", message)
      const { Error } = service.event(arn, "InvocationCompleted").InvocationCompletedDetails
      assert.deepStrictEqual(Error, { Payload: outcome.error, Truncated: false })
    })
  }

  const lenient: ReadonlyArray<readonly [string, unknown]> = [
    ["absent fields as null", { Status: "SUCCEEDED", Result: null, Error: null }],
    ["absent fields as undefined", { Status: "SUCCEEDED", Result: undefined, Error: undefined }],
    ["fields that nobody knows", { Status: "SUCCEEDED", Extra: 1 }]
  ]
  for (const [what, answer] of lenient) {
    it(`does not include ${what}`, () => {
      const service = new TestService()
      const arn = service.start()
      service.answer(arn, answer)
      assert.deepStrictEqual(service.execution(arn).outcome, { status: "SUCCEEDED", endTimestamp: midnight })
    })
  }

  it("does not include a failure without an error", () => {
    const service = new TestService()
    const arn = service.start()
    service.answer(arn, { Status: "FAILED" })
    assert.deepStrictEqual(service.execution(arn).outcome, { status: "FAILED", error: {}, endTimestamp: midnight })
  })
})

describe("PENDING with nothing pending", () => {
  const error = {
    ErrorType: "InvalidParameterValueException",
    ErrorMessage: "Cannot return PENDING status with no pending operations."
  }

  it("is tried three times in a row, and then fails the execution", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, step("running", "START"), step("done", "SUCCEED"))
    service.suspend(arn)
    assert.isUndefined(service.execution(arn).outcome)
    service.pass(1)
    service.suspend(arn)
    service.pass(2)
    assert.isUndefined(service.execution(arn).outcome)
    service.suspend(arn)
    assert.deepStrictEqual(service.execution(arn).outcome, { status: "FAILED", error, endTimestamp: midnight + 3_000 })
    const errors = service
      .history(arn)
      .flatMap((event) =>
        event.EventType === "InvocationCompleted" ? [event.InvocationCompletedDetails.Error?.Payload] : []
      )
    assert.deepStrictEqual(errors, [error, error, error])
  })

  it("is counted anew after any other end of an invocation", () => {
    const service = new TestService()
    const arn = service.start()
    for (const _ of [1, 2, 3]) {
      service.suspend(arn)
      service.pass(300)
      service.suspend(arn)
      service.pass(300)
      service.crash(arn)
      service.pass(300)
    }
    assert.isUndefined(service.execution(arn).outcome)
  })
})

describe("an invocation that fails", () => {
  it("is repeated with growing pauses for as long as the execution may run", () => {
    const service = new TestService({ invocationRetry: { initialSeconds: 1, factor: 2, maxSeconds: 10 } })
    const arn = service.start({ executionTimeoutSeconds: 60 })
    for (let failure = 1; failure <= 12 && service.execution(arn).outcome === undefined; failure++) {
      service.crash(arn)
      const due = Service.nextDue(service.state) ?? service.now
      service.pass((due - service.now) / 1_000)
    }
    assert.deepStrictEqual(invokedAt(service, arn), [0, 1, 3, 7, 15, 25, 35, 45, 55])
    assert.strictEqual(service.execution(arn).outcome?.status, "TIMED_OUT")
    assert.strictEqual(service.eventTypes(arn).at(-1), "ExecutionTimedOut")
  })

  it("pauses shortly again after one that went well", () => {
    const service = new TestService()
    const arn = service.start()
    for (const pause of [1, 2, 4]) {
      service.crash(arn)
      assert.strictEqual(Service.nextDue(service.state), service.now + pause * 1_000)
      service.pass(pause)
    }
    service.checkpoint(arn, wait("w", 1))
    service.suspend(arn)
    service.pass(1)
    service.crash(arn)
    assert.strictEqual(Service.nextDue(service.state), service.now + 1_000)
  })

  it("is not repeated earlier for news, which its repetition is told", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, callback("c"))
    service.crash(arn)
    service.succeed(service.callbackId(arn, "c"), "yes")
    assert.strictEqual(service.invocations(arn).length, 1)
    service.pass(1)
    assert.deepStrictEqual(service.invocation(arn).event.UpdatedOperationIds, ["c"])
  })

  it("keeps everything that it checkpointed", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, step("a", "SUCCEED", { Payload: "1" }))
    service.crash(arn)
    service.pass(1)
    const { InitialExecutionState, UpdatedOperationIds } = service.invocation(arn).event
    assert.deepStrictEqual(
      InitialExecutionState.Operations.map(({ Status }) => Status),
      ["STARTED", "SUCCEEDED"]
    )
    assert.deepStrictEqual(UpdatedOperationIds, [], "it changed that itself")
  })

  it("by running out of time says after how long", () => {
    const service = new TestService()
    const arn = service.start()
    const { invocationId } = service.invocation(arn)
    service.end(arn, { _tag: "TimedOut", afterSeconds: 900 })
    assert.deepStrictEqual(service.event(arn, "InvocationCompleted").InvocationCompletedDetails.Error?.Payload, {
      ErrorType: "Sandbox.Timedout",
      ErrorMessage: `RequestId: ${invocationId} Error: Task timed out after 900.00 seconds`
    })
  })

  it("by a result of more than 6 MB is a failure of the invocation", () => {
    const service = new TestService()
    const arn = service.start()
    service.answer(arn, { Status: "SUCCEEDED", Result: "x".repeat(6_291_457) })
    const { Error } = service.event(arn, "InvocationCompleted").InvocationCompletedDetails
    assert.strictEqual(Error?.Payload?.ErrorType, "Function.ResponseSizeTooLarge")
    service.pass(1)
    service.answer(arn, { Status: "SUCCEEDED", Result: "x".repeat(6_291_456) })
    assert.strictEqual(service.execution(arn).outcome?.status, "SUCCEEDED")
  })
})

describe("a host that starts again", () => {
  it("finds what it had been asked to do, ends it, and everything goes on", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, invoke("plain", "email"), invoke("durable", "payments:live"), wait("w", 3_600))
    service.suspend(arn)
    const child =
      service.event(arn, "InvocationCompleted") &&
      service.effects.find((effect) => effect._tag === "InvokeFunction" && effect.functionName === "payments")
    assert(child?._tag === "InvokeFunction")
    const { invocations, targets } = Service.outstanding(service.state)
    assert.deepStrictEqual(invocations, [{ executionArn: child.executionArn, invocationId: child.invocationId }])
    assert.deepStrictEqual(targets, [{ executionArn: arn, operationId: "plain" }])

    const error = { ErrorType: "Runtime.ExitError" }
    for (const lost of invocations) {
      service.take(Service.invocationEnded(service.state, { ...lost, end: { _tag: "Crashed", error } }, service.env))
    }
    for (const lost of targets) {
      service.take(Service.targetEnded(service.state, { ...lost, end: { _tag: "Failed", error } }, service.env))
    }
    service.pass(1)
    assert.strictEqual(service.invocations(child.executionArn).length, 2)
    assert.deepStrictEqual(service.invocation(arn).event.UpdatedOperationIds, ["plain"])
    service.pass(7_200)
    assert.deepStrictEqual(
      Object.keys(service.checkpoint(arn)),
      ["durable", "w"],
      "the child has timed out, the wait is over"
    )
  })

  it("finds every execution, in the order of their starts", () => {
    const service = new TestService()
    const arns = [service.start(), service.start(), service.start()]
    service.stop(arns[1] ?? "")
    assert.deepStrictEqual(
      Array.from(Service.executions(service.state), ({ identity }) => identity.arn),
      arns
    )
  })

  it("also ends an invocation that outlived its execution", () => {
    const service = new TestService()
    const arn = service.start()
    service.stop(arn)
    assert.strictEqual(Service.outstanding(service.state).invocations.length, 1)
    service.crash(arn)
    assert.deepStrictEqual(Service.outstanding(service.state), { invocations: [], targets: [] })
  })
})
