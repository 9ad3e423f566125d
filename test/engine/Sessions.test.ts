/**
 * Nine conversations that AWS's own SDK for JavaScript has with the service, re-enacted: the updates are those that
 * it sends, and the engine must answer what the SDK needs to go on. Ids are shortened.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Service from "../../src/engine/Service.ts"
import {
  byId,
  callback,
  context,
  invoke,
  midnight,
  refused,
  retry,
  startOrders,
  step,
  TestService,
  wait
} from "./support.ts"

const later = (seconds: number) => midnight + seconds * 1_000

/** The operations that the newest invocation was handed, by id, without the EXECUTION one. */
const handed = (service: TestService, arn: string) => {
  const [execution, ...operations] = service.invocation(arn).event.InitialExecutionState.Operations
  assert.strictEqual(execution?.Type, "EXECUTION", "the execution comes first")
  return byId(operations)
}

describe("a session of AWS's SDK", () => {
  it("runs a step, waits, and runs another", () => {
    const service = new TestService()
    const arn = service.start({ executionName: "order-42" })
    assert.deepStrictEqual(service.invocation(arn).event, {
      DurableExecutionArn: arn,
      CheckpointToken: service.token(arn),
      InitialExecutionState: {
        Operations: [
          {
            Id: service.execution(arn).identity.id,
            Name: "order-42",
            Type: "EXECUTION",
            Status: "STARTED",
            StartTimestamp: midnight,
            ExecutionDetails: { InputPayload: `{"id":1}` }
          }
        ]
      },
      UpdatedOperationIds: []
    })
    const first = service.checkpoint(
      arn,
      step("1", "START", { Name: "first" }),
      step("1", "SUCCEED", { Name: "first", Payload: `{"v":41}` })
    )
    assert.deepStrictEqual(first, {
      1: {
        Id: "1",
        Name: "first",
        Type: "STEP",
        SubType: "Step",
        Status: "SUCCEEDED",
        StartTimestamp: midnight,
        EndTimestamp: midnight,
        StepDetails: { Attempt: 1, Result: `{"v":41}` }
      }
    })
    assert.deepStrictEqual(service.checkpoint(arn, wait("2", 1, { Name: "pause" })), {
      2: {
        Id: "2",
        Name: "pause",
        Type: "WAIT",
        SubType: "Wait",
        Status: "STARTED",
        StartTimestamp: midnight,
        WaitDetails: { ScheduledEndTimestamp: later(1) }
      }
    })
    service.suspend(arn)
    service.pass(1)
    assert.deepStrictEqual(service.invocation(arn).event.UpdatedOperationIds, ["2"])
    const waited = handed(service, arn)["2"]
    assert.strictEqual(waited?.Status, "SUCCEEDED")
    assert.strictEqual(waited?.EndTimestamp, later(1))
    assert.deepStrictEqual(handed(service, arn)["1"], first["1"])
    service.checkpoint(arn, step("3", "START"), step("3", "SUCCEED", { Payload: "42" }))
    service.answer(arn, { Status: "SUCCEEDED", Result: "42" })
    assert.deepStrictEqual(service.closed, [
      {
        _tag: "ExecutionClosed",
        executionArn: arn,
        outcome: { status: "SUCCEEDED", result: "42", endTimestamp: later(1) }
      }
    ])
  })

  it("retries a step", () => {
    const service = new TestService()
    const arn = service.start()
    const Error = { ErrorMessage: "boom", ErrorType: "TypeError" }
    const pending = service.checkpoint(arn, step("1", "START"), retry("1", 1, { Error }))["1"]
    assert.strictEqual(pending?.Status, "PENDING")
    assert.deepStrictEqual(pending?.StepDetails, { Attempt: 1, Error, NextAttemptTimestamp: later(1) })
    service.suspend(arn)
    service.pass(1)
    const ready = handed(service, arn)["1"]
    assert.strictEqual(ready?.Status, "READY")
    assert.deepStrictEqual(ready?.StepDetails, { Attempt: 1, Error })
    assert.deepStrictEqual(service.invocation(arn).event.UpdatedOperationIds, ["1"])
    const restarted = service.checkpoint(arn, step("1", "START"))["1"]
    assert.deepStrictEqual([restarted?.Status, restarted?.StepDetails?.Attempt], ["STARTED", 1])
    service.now += 500
    const done = service.checkpoint(arn, step("1", "SUCCEED", { Payload: `"ok"` }))["1"]
    assert.deepStrictEqual(done?.StepDetails, { Attempt: 2, Result: `"ok"` })
    assert.strictEqual(done?.StartTimestamp, midnight)
    assert.strictEqual(done?.EndTimestamp, later(1.5))
  })

  it("creates a callback, runs a step, and is woken by the sender", () => {
    const service = new TestService()
    const arn = service.start()
    const created = service.checkpoint(arn, callback("1", { TimeoutSeconds: 300, HeartbeatTimeoutSeconds: 60 }))["1"]
    assert(created?.Status === "STARTED")
    const callbackId = created.CallbackDetails?.CallbackId
    assert.match(callbackId ?? "", /^[A-Za-z0-9+/]+={0,2}$/)
    service.checkpoint(arn, step("2", "START"), step("2", "SUCCEED", { Payload: "92" }))
    service.suspend(arn)
    service.now += 200
    service.succeed(callbackId ?? "", `"yes"`)
    assert.deepStrictEqual(handed(service, arn)["1"], {
      ...created,
      Status: "SUCCEEDED",
      EndTimestamp: midnight + 200,
      CallbackDetails: { CallbackId: callbackId, Result: `"yes"` }
    })
    assert.deepStrictEqual(service.invocation(arn).event.UpdatedOperationIds, ["1"])
  })

  it("waits for a callback whose sender reports a failure", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(
      arn,
      context("1", "START", { Name: "approve", SubType: "WaitForCallback" }),
      callback("1-1", { TimeoutSeconds: 300 }, { ParentId: "1" })
    )
    service.checkpoint(arn, step("1-2", "START", { ParentId: "1" }), step("1-2", "SUCCEED", { ParentId: "1" }))
    service.suspend(arn)
    const error = { ErrorMessage: "not approved", ErrorType: "RejectedError" }
    service.accept(
      Service.failCallback(service.state, { callbackId: service.callbackId(arn, "1-1"), error }, service.env)
    )
    const failed = handed(service, arn)["1-1"]
    assert.strictEqual(failed?.Status, "FAILED")
    assert.deepStrictEqual(failed?.CallbackDetails?.Error, error)
    assert.deepStrictEqual(handed(service, arn)["1-2"]?.StepDetails, { Attempt: 1 })
    const closed = service.checkpoint(
      arn,
      context("1", "FAIL", { SubType: "WaitForCallback", Error: { ErrorType: "CallbackExternalError" } })
    )
    assert.deepStrictEqual(closed["1"]?.ContextDetails, {
      ReplayChildren: false,
      Error: { ErrorType: "CallbackExternalError" }
    })
  })

  it("runs branches in parallel, one of which waits", () => {
    const service = new TestService()
    const arn = service.start()
    const branch = { ParentId: "par", SubType: "ParallelBranch" }
    const opened = service.checkpoint(
      arn,
      context("par", "START", { SubType: "Parallel" }),
      context("a", "START", branch),
      context("b", "START", branch),
      wait("w", 1, { ParentId: "a" }),
      step("s", "START", { ParentId: "b" }),
      step("s", "SUCCEED", { ParentId: "b", Payload: `"b"` })
    )
    assert.deepStrictEqual(Object.keys(opened), ["par", "a", "b", "w", "s"])
    assert.deepStrictEqual(opened["par"]?.ContextDetails, {})
    assert.deepStrictEqual(
      Object.keys(service.checkpoint(arn, context("b", "SUCCEED", { ...branch, Payload: `"b"` }))),
      ["b"]
    )
    service.suspend(arn)
    service.pass(1)
    // What happened inside the finished branch is left out of the state.
    assert.deepStrictEqual(Object.keys(handed(service, arn)), ["par", "a", "b", "w"])
    assert.deepStrictEqual(service.invocation(arn).event.UpdatedOperationIds, ["w"])
    const closed = service.checkpoint(
      arn,
      context("a", "SUCCEED", branch),
      context("par", "SUCCEED", { SubType: "Parallel" })
    )
    assert.deepStrictEqual(Object.keys(closed), ["par", "a"], "in the order in which they started")
    service.answer(arn, { Status: "SUCCEEDED", Result: `["a","b"]` })
    assert.strictEqual(service.execution(arn).outcome?.status, "SUCCEEDED")
  })

  it("runs a child and a map in one invocation", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(
      arn,
      context("kid", "START"),
      step("in", "START", { ParentId: "kid" }),
      step("in", "SUCCEED", { ParentId: "kid", Payload: "2" })
    )
    const item = { ParentId: "map", SubType: "MapIteration" }
    const answer = service.checkpoint(
      arn,
      context("kid", "SUCCEED", { Payload: "2" }),
      context("map", "START", { SubType: "Map" }),
      context("i0", "START", item),
      context("i1", "START", item),
      step("m0", "START", { ParentId: "i0" }),
      step("m1", "START", { ParentId: "i1" }),
      step("m0", "SUCCEED", { ParentId: "i0", Payload: "2" }),
      step("m1", "SUCCEED", { ParentId: "i1", Payload: "4" })
    )
    assert.deepStrictEqual(Object.keys(answer), ["kid", "map", "i0", "i1", "m0", "m1"])
    assert.deepStrictEqual(answer["kid"]?.ContextDetails, { ReplayChildren: false, Result: "2" })
    service.checkpoint(
      arn,
      context("i0", "SUCCEED", item),
      context("i1", "SUCCEED", item),
      context("map", "SUCCEED", { SubType: "Map" })
    )
    service.answer(arn, { Status: "SUCCEEDED", Result: "[2,4]" })
    assert.strictEqual(service.invocations(arn).length, 1)
  })

  it("invokes another function", () => {
    const service = new TestService()
    const arn = service.start()
    const other = "arn:aws:lambda:us-east-1:123456789012:function:email:$LATEST"
    const started = service.checkpoint(arn, invoke("1", other))["1"]
    assert.deepStrictEqual([started?.Status, started?.ChainedInvokeDetails], ["STARTED", {}])
    service.suspend(arn)
    service.now += 150
    const end: Service.TargetEnd = { _tag: "Succeeded", result: `{"echoed":{"a":1}}` }
    service.take(Service.targetEnded(service.state, { executionArn: arn, operationId: "1", end }, service.env))
    const ended = handed(service, arn)["1"]
    assert.deepStrictEqual([ended?.Status, ended?.EndTimestamp], ["SUCCEEDED", midnight + 150])
    assert.deepStrictEqual(ended?.ChainedInvokeDetails, { Result: `{"echoed":{"a":1}}` })
    assert.deepStrictEqual(service.invocation(arn).event.UpdatedOperationIds, ["1"])
  })

  it("polls a condition", () => {
    const service = new TestService()
    const arn = service.start()
    const poll = { SubType: "WaitForCondition", Name: "poll" }
    const pending = service.checkpoint(arn, step("1", "START", poll), {
      ...step("1", "RETRY", poll),
      Payload: "1",
      StepOptions: { NextAttemptDelaySeconds: 1 }
    })["1"]
    assert.deepStrictEqual(pending?.StepDetails, { Attempt: 1, Result: "1", NextAttemptTimestamp: later(1) })
    service.suspend(arn)
    service.pass(1)
    assert.deepStrictEqual(handed(service, arn)["1"]?.StepDetails, { Attempt: 1, Result: "1" })
    const done = service.checkpoint(arn, step("1", "START", poll), step("1", "SUCCEED", { ...poll, Payload: "2" }))["1"]
    assert.deepStrictEqual(done?.StepDetails, { Attempt: 2, Result: "2" })
  })

  it("fails with the error that its handler threw", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, step("1", "START"), step("1", "SUCCEED", { Payload: "1" }))
    const Error = { ErrorMessage: "bad input", ErrorType: "RangeError" }
    service.answer(arn, { Status: "FAILED", Error })
    assert.deepStrictEqual(service.execution(arn).outcome, { status: "FAILED", error: Error, endTimestamp: midnight })
    assert.strictEqual(refused(service.tryCheckpoint(arn, [])).message, "Invalid checkpoint token")
    // The same name and payload find the execution and its outcome.
    const { name } = service.execution(arn).identity
    const again = service.accept(
      Service.startExecution(service.state, startOrders({ executionName: name }), service.env)
    )
    assert.deepStrictEqual(again, {
      executionArn: arn,
      executedVersion: "$LATEST",
      existing: true,
      outcome: { status: "FAILED", error: Error, endTimestamp: midnight }
    })
  })
})
