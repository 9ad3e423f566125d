import { assert, describe, it } from "@effect/vitest"
import * as Service from "../../src/engine/Service.ts"
import { callback, cancel, midnight, refused, retry, step, TestService, wait } from "./support.ts"

const kinds = (service: TestService) =>
  Array.from(Service.timers(service.state), ({ due, kind }) => [kind, (due - midnight) / 1_000])

describe("time", () => {
  it("has a timer for everything that will happen by itself", () => {
    const service = new TestService()
    const arn = service.start({ executionTimeoutSeconds: 100 })
    service.checkpoint(
      arn,
      wait("w", 5),
      retry("r", 4),
      callback("c", { TimeoutSeconds: 30, HeartbeatTimeoutSeconds: 10 })
    )
    assert.deepStrictEqual(kinds(service), [
      ["StepRetry", 4],
      ["Wait", 5],
      ["HeartbeatTimeout", 10],
      ["CallbackTimeout", 30],
      ["ExecutionTimeout", 100]
    ])
    assert.strictEqual(Service.nextDue(service.state), midnight + 4_000)
    const [retryTimer] = Service.timers(service.state)
    assert.strictEqual(retryTimer?.operationId, "r")
    assert.strictEqual(retryTimer?.executionArn, arn)
  })

  it("puts what is due next into another order, and leaves alone what is due later", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, wait("a", 5), wait("b", 5), wait("c", 5), wait("d", 6))
    const ids = () => Array.from(Service.timers(service.state), ({ operationId }) => operationId).slice(0, 4)
    assert.deepStrictEqual(ids(), ["a", "b", "c", "d"])
    service.state = Service.rearranged(service.state, (due) => due.toReversed())
    assert.deepStrictEqual(ids(), ["c", "b", "a", "d"])
    service.pass(5)
    const [a, b, c] = ["a", "b", "c"].map((id) => service.operation(arn, id).EndTimestamp ?? 0)
    assert.isTrue(c! < b! && b! < a!)
    assert.strictEqual(service.operation(arn, "d").Status, "STARTED")
  })

  it("has no timer left for what has happened in another way", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, wait("w", 5), callback("c", { TimeoutSeconds: 30, HeartbeatTimeoutSeconds: 10 }))
    service.checkpoint(arn, cancel("w", "WAIT"))
    service.succeed(service.callbackId(arn, "c"))
    assert.deepStrictEqual(
      kinds(service).map(([kind]) => kind),
      ["ExecutionTimeout"]
    )
    service.pass(60)
    assert.strictEqual(service.operation(arn, "w").Status, "CANCELLED")
    assert.strictEqual(service.operation(arn, "c").Status, "SUCCEEDED")
  })

  it("lets everything happen at its own moment, however late the host looks", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, wait("late", 300), wait("early", 10), callback("c", { TimeoutSeconds: 20 }))
    service.suspend(arn)
    service.pass(1_000)
    const ends = service
      .history(arn)
      .slice(-3)
      .map((event) => [event.EventType, (event.EventTimestamp - midnight) / 1_000])
    assert.deepStrictEqual(ends, [
      ["WaitSucceeded", 10],
      ["CallbackTimedOut", 20],
      ["WaitSucceeded", 300]
    ])
    assert.strictEqual(service.operation(arn, "early").EndTimestamp, midnight + 10_000)
    assert.strictEqual(service.invocations(arn).length, 2)
    // The invocation itself starts now.
    service.answer(arn, { Status: "SUCCEEDED" })
    const [, second] = service
      .history(arn)
      .flatMap((event) => (event.EventType === "InvocationCompleted" ? [event.InvocationCompletedDetails] : []))
    assert.strictEqual(second?.StartTimestamp, midnight + 1_000_000)
  })

  it("lets what is due at the same moment happen in the order of its arming", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, wait("b", 2), wait("a", 2))
    service.now += 1_000
    service.checkpoint(arn, wait("c", 1))
    service.pass(1)
    const order = service.history(arn).flatMap((event) => (event.EventType === "WaitSucceeded" ? [event.Id] : []))
    assert.deepStrictEqual(order, ["b", "a", "c"])
  })

  it("does not move backwards", () => {
    const service = new TestService()
    const arn = service.start()
    service.now -= 60_000
    service.checkpoint(arn, step("a", "START"), wait("w", 1))
    assert.strictEqual(service.operation(arn, "a").StartTimestamp, midnight)
    service.pass(60)
    assert.strictEqual(service.operation(arn, "w").Status, "STARTED")
    service.pass(1)
    assert.strictEqual(service.operation(arn, "w").Status, "SUCCEEDED")
  })

  it("passes for all executions, whichever of them is heard of", () => {
    const service = new TestService()
    const waiting = service.start()
    service.checkpoint(waiting, wait("w", 1))
    service.suspend(waiting)
    const other = service.start()
    service.now += 1_000
    service.checkpoint(other)
    assert.strictEqual(service.invocations(waiting).length, 2)
  })

  it("does not pass for a command that is refused", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, wait("w", 1))
    service.suspend(arn)
    const before = service.state
    service.now += 1_000
    refused(service.tryCheckpoint(arn, []))
    assert.strictEqual(service.state, before)
    service.pass(0)
    assert.strictEqual(service.invocations(arn).length, 2)
  })

  it("passes in whole milliseconds", () => {
    const service = new TestService()
    service.now += 0.9
    const arn = service.start()
    service.checkpoint(arn, wait("w", 1), retry("r", 1))
    assert.strictEqual(service.operation(arn, "w").WaitDetails?.ScheduledEndTimestamp, midnight + 1_000)
    assert.strictEqual(service.operation(arn, "r").StepDetails?.NextAttemptTimestamp, midnight + 1_000)
    assert.strictEqual(service.state.now, midnight)
  })

  it("must be a number", () => {
    const service = new TestService()
    service.now = Number.NaN
    assert.throws(() => service.start(), /time is not a number/)
  })
})

describe("a wait that is cancelled", () => {
  it("is over at once, and its end never comes", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, wait("w", 5), callback("c"))
    service.now += 1_000
    const told = service.checkpoint(arn, cancel("w", "WAIT"))["w"]
    assert.deepStrictEqual([told?.Status, told?.EndTimestamp], ["CANCELLED", midnight + 1_000])
    assert.strictEqual(service.event(arn, "WaitCancelled").EventTimestamp, midnight + 1_000)
    service.suspend(arn)
    service.pass(60)
    assert.deepStrictEqual(service.operation(arn, "w"), told)
    assert.strictEqual(service.invocations(arn).length, 1, "nothing woke the function")
    assert.notInclude(service.eventTypes(arn), "WaitSucceeded")
  })

  it("is nothing that a suspended execution waits for", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, wait("w", 5))
    service.checkpoint(arn, cancel("w", "WAIT"))
    service.suspend(arn)
    assert.strictEqual(
      service.event(arn, "InvocationCompleted").InvocationCompletedDetails.Error?.Payload?.ErrorMessage,
      "Cannot return PENDING status with no pending operations."
    )
  })

  it("is refused once it is over, also when its time ran out as the request came", () => {
    const service = new TestService()
    const arn = service.start()
    const message = "Cannot cancel a WAIT that does not exist or has already completed."
    service.checkpoint(arn, wait("twice", 5), wait("w", 5))
    service.checkpoint(arn, cancel("twice", "WAIT"))
    assert.strictEqual(service.refusal(arn, cancel("twice", "WAIT")), message)
    assert.strictEqual(service.refusal(arn, step("s", "SUCCEED"), cancel("unknown", "WAIT")), message)
    service.now += 5_000
    assert.strictEqual(service.refusal(arn, cancel("w", "WAIT")), message)
    assert.strictEqual(service.checkpoint(arn)["w"]?.Status, "SUCCEEDED")
  })
})

describe("the time-out of an execution", () => {
  it("is its own, else its function's, else the service's", () => {
    const service = new TestService({ executionTimeoutSeconds: 1_000 })
    const timeoutOf = (arn: string) => service.event(arn, "ExecutionStarted").ExecutionStartedDetails.ExecutionTimeout
    assert.strictEqual(timeoutOf(service.start({ functionName: "payments:live", executionTimeoutSeconds: 5 })), 5)
    assert.strictEqual(timeoutOf(service.start({ functionName: "payments:live" })), 600)
    assert.strictEqual(timeoutOf(service.start()), 1_000)
  })

  it("closes it at that moment; its operations stay as they are and nothing is invoked again", () => {
    const service = new TestService()
    const arn = service.start({ executionTimeoutSeconds: 60 })
    service.checkpoint(arn, wait("w", 3_600), callback("c"), step("s", "START"))
    service.suspend(arn)
    service.pass(61)
    const error = { ErrorMessage: "Execution timed out after 60 seconds." }
    assert.deepStrictEqual(service.execution(arn).outcome, {
      status: "TIMED_OUT",
      error,
      endTimestamp: midnight + 60_000
    })
    const details = service.event(arn, "ExecutionTimedOut").ExecutionTimedOutDetails
    assert.deepStrictEqual(details, { Error: { Payload: error, Truncated: false } })
    for (const id of ["w", "c", "s"]) assert.strictEqual(service.operation(arn, id).Status, "STARTED")
    assert.isUndefined(Service.nextDue(service.state))
    assert.strictEqual(service.invocations(arn).length, 1)
  })

  it("comes before what was armed later for the same moment", () => {
    const service = new TestService()
    const arn = service.start({ executionTimeoutSeconds: 5 })
    service.checkpoint(arn, wait("w", 5))
    service.pass(5)
    assert.strictEqual(service.operation(arn, "w").Status, "STARTED")
  })

  it("makes the next checkpoint of the running invocation stale", () => {
    const service = new TestService()
    const arn = service.start({ executionTimeoutSeconds: 5 })
    service.now += 5_000
    assert.strictEqual(service.refusal(arn, step("a", "START")), "Invalid checkpoint token")
  })
})

describe("skipping", () => {
  const skip = (service: TestService, executionArn: string) =>
    service.accept(Service.skipTimer(service.state, { executionArn }, service.env))

  it("ends now what the execution waits for first, and only of that execution", () => {
    const service = new TestService()
    const other = service.start()
    service.checkpoint(other, wait("other", 1))
    const arn = service.start()
    service.checkpoint(arn, wait("long", 86_400), retry("r", 3_600), callback("c", { TimeoutSeconds: 5 }))
    service.suspend(arn)
    service.now += 500
    assert.deepInclude(skip(service, arn), { kind: "StepRetry", operationId: "r", due: midnight + 3_600_000 })
    assert.strictEqual(service.operation(arn, "r").Status, "READY")
    service.suspend(arn)
    assert.deepInclude(skip(service, arn), { kind: "Wait", operationId: "long" })
    assert.deepInclude(service.event(arn, "WaitSucceeded"), {
      EventTimestamp: midnight + 500,
      WaitSucceededDetails: { Duration: 0.5 }
    })
    assert.strictEqual(service.invocations(arn).length, 3, "each woke the function")
    assert.strictEqual(service.operation(other, "other").Status, "STARTED")
    assert.deepStrictEqual(
      kinds(service).map(([kind]) => kind),
      ["Wait", "CallbackTimeout", "ExecutionTimeout", "ExecutionTimeout"]
    )
  })

  it("begins the next invocation of an execution whose last one crashed", () => {
    const service = new TestService()
    const arn = service.start()
    service.crash(arn)
    assert.deepInclude(skip(service, arn), { kind: "InvocationRetry", executionArn: arn })
    assert.strictEqual(service.invocations(arn).length, 2)
  })

  it("is refused where there is no timer to skip, and never ends a limit", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, callback("c", { TimeoutSeconds: 5, HeartbeatTimeoutSeconds: 2 }))
    const refusalOf = (executionArn: string) =>
      refused(Service.skipTimer(service.state, { executionArn }, service.env)).exception
    assert.strictEqual(refusalOf(arn), "InvalidParameterValueException")
    service.checkpoint(arn, wait("w", 5))
    service.stop(arn)
    assert.strictEqual(refusalOf(arn), "InvalidParameterValueException")
    assert.strictEqual(refusalOf("arn:nothing"), "ResourceNotFoundException")
  })
})
