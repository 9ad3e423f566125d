import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Service from "../../src/engine/Service.ts"
import { callback, context, finish, midnight, refused, retry, step, TestService, wait } from "./support.ts"

const token = "Invalid checkpoint token"

describe("checkpoint tokens", () => {
  it("are replaced by every checkpoint, and only the newest is valid", () => {
    const service = new TestService()
    const arn = service.start()
    const first = service.token(arn)
    service.checkpoint(arn, step("a", "START"))
    const second = service.token(arn)
    service.checkpoint(arn)
    for (const stale of [first, second, "", "x".repeat(3_000), "not base64!"]) {
      const refusal = refused(service.tryCheckpoint(arn, [step("b", "START")], { CheckpointToken: stale }))
      assert.deepStrictEqual(
        [refusal.status, refusal.exception, refusal.message],
        [400, "InvalidParameterValueException", token]
      )
    }
    service.checkpoint(arn, step("b", "START"))
  })

  it("are base64 of what the host's randomness gives, and never given twice", () => {
    const service = new TestService()
    const arn = service.start()
    const seen = new Set<string>()
    for (const name of ["a", "b", "c"]) {
      assert.match(service.token(arn), /^[A-Za-z0-9+/]+={0,2}$/)
      seen.add(service.token(arn))
      service.checkpoint(arn, wait(name, 1))
    }
    service.suspend(arn)
    service.pass(1)
    assert.strictEqual(seen.add(service.token(arn)).size, 4)
  })

  it("of an invocation that has ended are no longer valid", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, wait("w", 1))
    service.suspend(arn)
    assert.strictEqual(service.refusal(arn, step("a", "START")), token)
    const old = service.token(arn)
    service.pass(1)
    assert.strictEqual(refused(service.tryCheckpoint(arn, [], { CheckpointToken: old })).message, token)
    service.checkpoint(arn, step("a", "START"))
  })

  it("of another execution are not valid here", () => {
    const service = new TestService()
    const here = service.start()
    const there = service.start()
    const refusal = refused(service.tryCheckpoint(here, [], { CheckpointToken: service.token(there) }))
    assert.strictEqual(refusal.message, token)
  })

  it("are no longer valid once the execution is over, however it ended", () => {
    const ends: ReadonlyArray<(service: TestService, arn: string) => void> = [
      (service, arn) => void service.checkpoint(arn, finish("SUCCEED")),
      (service, arn) => void service.stop(arn),
      (service) => service.pass(60)
    ]
    for (const end of ends) {
      const service = new TestService()
      const arn = service.start({ executionTimeoutSeconds: 60 })
      end(service, arn)
      assert.strictEqual(service.refusal(arn), token)
    }
  })

  it("cannot be used on an execution that does not exist, and the API has no 404 for that", () => {
    const service = new TestService()
    const arn = `${service.start()}0`
    const refusal = refused(service.tryCheckpoint(arn, []))
    assert.strictEqual(refusal.exception, "InvalidParameterValueException")
    assert.notInclude(refusal.message, "token")
    const read = Service.getState(service.state, { DurableExecutionArn: arn, CheckpointToken: "x" }, service.env)
    assert.strictEqual(refused(read).exception, "InvalidParameterValueException")
  })
})

describe("a checkpoint that is sent again", () => {
  const first = (service: TestService, arn: string, ClientToken = "client-1") => {
    const request = { ClientToken, CheckpointToken: service.token(arn) }
    const updates = [step("a", "START"), callback("c")]
    const answer = service.accept(service.tryCheckpoint(arn, updates, request))
    return { request, updates, answer }
  }

  it("is answered as it was, and applied once", () => {
    const service = new TestService()
    const arn = service.start()
    const { answer, request, updates } = first(service, arn)
    const before = service.state
    service.now += 1_000
    const again = service.accept(service.tryCheckpoint(arn, structuredClone(updates), request))
    assert.deepStrictEqual(again, answer)
    assert.deepStrictEqual(Service.operations(service.state, arn), Service.operations(before, arn))
    assert.deepStrictEqual(service.history(arn), Service.history(before, arn))
    assert.deepStrictEqual(service.execution(arn).usage, { operations: 3, bytes: 8 })
    // The token in the answer is still the valid one.
    service.accept(service.tryCheckpoint(arn, [], { CheckpointToken: answer.CheckpointToken ?? "" }))
  })

  it("is refused when its updates differ", () => {
    const service = new TestService()
    const arn = service.start()
    const { request } = first(service, arn)
    const refusal = refused(service.tryCheckpoint(arn, [step("b", "START")], request))
    assert.deepStrictEqual(
      [refusal.status, refusal.message],
      [400, "The ClientToken was used before with other updates."]
    )
    assert.strictEqual(refused(service.tryCheckpoint(arn, [], request)).message, refusal.message)
  })

  it("is stale without a ClientToken, or with another one", () => {
    const service = new TestService()
    const arn = service.start()
    const { request, updates } = first(service, arn)
    assert.strictEqual(
      refused(service.tryCheckpoint(arn, updates, { CheckpointToken: request.CheckpointToken })).message,
      token
    )
    assert.strictEqual(
      refused(service.tryCheckpoint(arn, updates, { ...request, ClientToken: "client-2" })).message,
      token
    )
  })

  it("is stale when it never had a ClientToken", () => {
    const service = new TestService()
    const arn = service.start()
    const request = { CheckpointToken: service.token(arn) }
    service.accept(service.tryCheckpoint(arn, [wait("w", 1)], request))
    assert.strictEqual(refused(service.tryCheckpoint(arn, [wait("w", 1)], request)).message, token)
  })

  it("is a new one when it comes with the new token", () => {
    const service = new TestService()
    const arn = service.start()
    const { answer } = first(service, arn)
    const more = { ClientToken: "client-1", CheckpointToken: answer.CheckpointToken ?? "" }
    service.accept(service.tryCheckpoint(arn, [step("b", "START")], more))
    assert.strictEqual(service.operation(arn, "b").Status, "STARTED")
  })

  it("is remembered for 15 minutes and no longer", () => {
    const service = new TestService()
    const arn = service.start()
    const { answer, request, updates } = first(service, arn)
    service.now += 15 * 60_000 - 1
    assert.deepStrictEqual(service.accept(service.tryCheckpoint(arn, updates, request)), answer)
    service.now += 1
    assert.strictEqual(refused(service.tryCheckpoint(arn, updates, request)).message, token)
  })

  it("is forgotten for good, so that polling for days needs no more memory", () => {
    const service = new TestService()
    const arn = service.start()
    let CheckpointToken = service.token(arn)
    for (let poll = 0; poll < 100; poll++) {
      service.now += 60_000
      const answer = service.accept(service.tryCheckpoint(arn, [], { CheckpointToken, ClientToken: `poll-${poll}` }))
      CheckpointToken = answer.CheckpointToken ?? ""
    }
    const { byRequest, keys, oldest } = service.execution(arn).replies
    assert.strictEqual(keys.size - oldest, 15)
    assert.strictEqual(Array.from(byRequest).length, 15)
  })

  it("is answered even after the invocation ended, or the checkpoint closed the execution", () => {
    const service = new TestService()
    const arn = service.start()
    const { answer, request, updates } = first(service, arn)
    service.suspend(arn)
    assert.deepStrictEqual(service.accept(service.tryCheckpoint(arn, updates, request)), answer)

    const other = service.start()
    const last = { ClientToken: "last", CheckpointToken: service.token(other) }
    const closing = service.accept(service.tryCheckpoint(other, [finish("SUCCEED")], last))
    const closed = service.closed.length
    assert.deepStrictEqual(service.accept(service.tryCheckpoint(other, [finish("SUCCEED")], last)), closing)
    assert.strictEqual(service.closed.length, closed)
  })

  it("must have a ClientToken that the API accepts", () => {
    const service = new TestService()
    const arn = service.start()
    for (const ClientToken of ["", "with space", "x".repeat(65), "ü"]) {
      assert.strictEqual(refused(service.tryCheckpoint(arn, [], { ClientToken })).message, "ClientToken is not valid.")
    }
  })
})

describe("the answer of a checkpoint", () => {
  it("has what it changed itself and nothing else", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, step("a", "START"), step("b", "START"))
    assert.deepStrictEqual(Object.keys(service.checkpoint(arn, step("b", "SUCCEED"))), ["b"])
    assert.deepStrictEqual(Object.keys(service.checkpoint(arn)), [])
  })

  it("has every timer that fell due meanwhile, without a new invocation", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, wait("w", 1), retry("r", 2), callback("c", { TimeoutSeconds: 3 }), wait("long", 60))
    service.now += 3_000
    const news = service.checkpoint(arn, step("a", "START"))
    const statuses = Object.values(news).map(({ Id, Status }) => [Id, Status])
    assert.deepStrictEqual(statuses, [
      ["w", "SUCCEEDED"],
      ["r", "READY"],
      ["c", "TIMED_OUT"],
      ["a", "STARTED"]
    ])
    assert.strictEqual(service.invocations(arn).length, 1)
    assert.deepStrictEqual(Object.keys(service.checkpoint(arn)), [], "once only")
  })

  it("has what came from outside meanwhile", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, callback("c"))
    service.succeed(service.callbackId(arn, "c"), "yes")
    assert.strictEqual(service.invocations(arn).length, 1, "the invocation is in flight")
    assert.strictEqual(service.checkpoint(arn)["c"]?.CallbackDetails?.Result, "yes")
    service.answer(arn, { Status: "SUCCEEDED" })
    assert.strictEqual(service.invocations(arn).length, 1, "it was told")
  })

  it("sees a step become ready that it retried itself, once the delay is over", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, step("a", "START"), retry("a", 1))
    assert.deepStrictEqual(service.checkpoint(arn), {})
    service.pass(1)
    assert.strictEqual(service.checkpoint(arn)["a"]?.Status, "READY")
    assert.strictEqual(service.checkpoint(arn, step("a", "START"))["a"]?.Status, "STARTED")
  })

  it("has no token and holds the execution when it closes it", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, wait("w", 1))
    service.now += 1_000
    const answer = Result.getOrThrow(
      service.tryCheckpoint(arn, [step("a", "SUCCEED"), finish("FAIL", { Error: { ErrorType: "Boom" } })])
    ).answer
    assert.isUndefined(answer.CheckpointToken)
    assert.strictEqual(answer.NewExecutionState.Operations[0]?.EndTimestamp, midnight + 1_000)
    assert.deepStrictEqual(
      answer.NewExecutionState.Operations.map(({ Status, Type }) => [Type, Status]),
      [
        ["EXECUTION", "FAILED"],
        ["WAIT", "SUCCEEDED"],
        ["STEP", "SUCCEEDED"]
      ]
    )
  })
})

describe("an EXECUTION update", () => {
  it("fails the execution with its error, or with the empty one", () => {
    for (const Error of [{ ErrorType: "Boom", ErrorMessage: "no" }, undefined]) {
      const service = new TestService()
      const arn = service.start()
      service.checkpoint(arn, finish("FAIL", Error === undefined ? {} : { Error }))
      assert.deepStrictEqual(service.execution(arn).outcome, {
        status: "FAILED",
        error: Error ?? {},
        endTimestamp: midnight
      })
      assert.deepStrictEqual(service.event(arn, "ExecutionFailed").ExecutionFailedDetails.Error.Payload, Error ?? {})
    }
  })

  it("closes the execution; the handler's answer no longer counts", () => {
    const service = new TestService()
    const arn = service.start()
    const { invocationId } = service.invocation(arn)
    service.checkpoint(arn, wait("w", 5), finish("SUCCEED", { Payload: "1" }))
    service.answer(arn, { Status: "FAILED", Error: { ErrorType: "Late" } })
    assert.deepStrictEqual(service.execution(arn).outcome, { status: "SUCCEEDED", result: "1", endTimestamp: midnight })
    assert.deepStrictEqual(service.event(arn, "InvocationCompleted").InvocationCompletedDetails, {
      StartTimestamp: midnight,
      EndTimestamp: midnight,
      RequestId: invocationId
    })
    assert.strictEqual(service.closed.length, 1)
    assert.isUndefined(Service.nextDue(service.state))
  })

  it("closes it even when the invocation crashes afterwards, and it is not repeated", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, finish("FAIL", { Error: { ErrorType: "Boom" } }))
    service.crash(arn)
    service.pass(3_600)
    assert.strictEqual(service.execution(arn).outcome?.status, "FAILED")
    assert.strictEqual(service.invocations(arn).length, 1)
    const { Error } = service.event(arn, "InvocationCompleted").InvocationCompletedDetails
    assert.strictEqual(Error?.Payload?.ErrorType, "Runtime.ExitError")
  })

  it("may come with other updates, which are applied first", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(
      arn,
      context("c", "START"),
      step("a", "SUCCEED", { ParentId: "c" }),
      context("c", "SUCCEED"),
      finish("SUCCEED")
    )
    assert.deepStrictEqual(service.eventTypes(arn), [
      "ExecutionStarted",
      "ContextStarted",
      "StepSucceeded",
      "ContextSucceeded",
      "ExecutionSucceeded"
    ])
  })
})
