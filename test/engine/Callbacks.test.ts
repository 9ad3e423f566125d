import { assert, describe, it } from "@effect/vitest"
import type * as Result from "effect/Result"
import * as Service from "../../src/engine/Service.ts"
import { callback, midnight, refused, TestService, wait } from "./support.ts"

const opened = (options?: Parameters<typeof callback>[1]) => {
  const service = new TestService()
  const arn = service.start()
  service.checkpoint(arn, callback("c", options), wait("w", 31_622_400))
  service.suspend(arn)
  return { service, arn, callbackId: service.callbackId(arn, "c") }
}

type Send = (service: TestService, callbackId: string) => Result.Result<unknown, Service.Refused>

const sends: Readonly<Record<string, Send>> = {
  success: (service, callbackId) => Service.succeedCallback(service.state, { callbackId, result: "yes" }, service.env),
  failure: (service, callbackId) => Service.failCallback(service.state, { callbackId }, service.env),
  heartbeat: (service, callbackId) => Service.heartbeatCallback(service.state, { callbackId }, service.env)
}

const text = (length: number) => "x".repeat(length)

describe("a callback", () => {
  it("keeps the sender's text as it is", () => {
    for (const result of [`{"status": "approved"}`, "not json", `"quoted"`, " ", "ü€😀"]) {
      const { arn, callbackId, service } = opened()
      service.succeed(callbackId, result)
      assert.deepStrictEqual(service.operation(arn, "c").CallbackDetails, { CallbackId: callbackId, Result: result })
      assert.strictEqual(service.event(arn, "CallbackSucceeded").CallbackSucceededDetails.Result.Payload, result)
    }
  })

  it("has no result when the sender sent nothing", () => {
    for (const result of [undefined, ""]) {
      const { arn, callbackId, service } = opened()
      service.succeed(callbackId, result)
      assert.deepStrictEqual(service.operation(arn, "c").CallbackDetails, { CallbackId: callbackId })
    }
  })

  it("passes the sender's error through, the empty one too", () => {
    for (const error of [
      {},
      { ErrorType: "RejectedError", ErrorMessage: "no", ErrorData: "{}", StackTrace: ["at x"] }
    ]) {
      const { arn, callbackId, service } = opened()
      service.accept(Service.failCallback(service.state, { callbackId, error }, service.env))
      assert.deepStrictEqual(service.operation(arn, "c").CallbackDetails?.Error, error)
      assert.deepStrictEqual(service.event(arn, "CallbackFailed").CallbackFailedDetails.Error.Payload, error)
    }
  })

  it("times out", () => {
    const { arn, service } = opened({ TimeoutSeconds: 5, HeartbeatTimeoutSeconds: 0 })
    service.pass(4)
    assert.strictEqual(service.operation(arn, "c").Status, "STARTED")
    service.pass(1)
    const error = { ErrorType: "Callback.Timeout", ErrorMessage: "Callback timed out" }
    assert.strictEqual(service.operation(arn, "c").Status, "TIMED_OUT")
    assert.deepStrictEqual(service.operation(arn, "c").CallbackDetails?.Error, error)
    assert.deepStrictEqual(service.event(arn, "CallbackTimedOut").CallbackTimedOutDetails.Error.Payload, error)
  })

  it("times out on its heartbeat, whichever comes first", () => {
    const { arn, service } = opened({ TimeoutSeconds: 60, HeartbeatTimeoutSeconds: 5 })
    service.pass(60)
    const error = { ErrorType: "Callback.Heartbeat", ErrorMessage: "Callback timed out on heartbeat" }
    assert.deepStrictEqual(service.operation(arn, "c").CallbackDetails?.Error, error)
    assert.strictEqual(service.operation(arn, "c").EndTimestamp, midnight + 5_000)
    assert.strictEqual(service.event(arn, "CallbackTimedOut").EventId, 5)
  })

  it("is prolonged by heartbeats, but not beyond its time-out, and history does not show them", () => {
    const { arn, callbackId, service } = opened({ TimeoutSeconds: 12, HeartbeatTimeoutSeconds: 5 })
    const events = service.history(arn).length
    for (const _ of [1, 2, 3]) {
      service.pass(3)
      service.accept(Service.heartbeatCallback(service.state, { callbackId }, service.env))
    }
    assert.strictEqual(service.history(arn).length, events)
    service.pass(3)
    assert.strictEqual(service.operation(arn, "c").CallbackDetails?.Error?.ErrorType, "Callback.Timeout")
    assert.strictEqual(service.operation(arn, "c").EndTimestamp, midnight + 12_000)
  })

  it("counts the interval from the last heartbeat", () => {
    const { arn, callbackId, service } = opened({ HeartbeatTimeoutSeconds: 5 })
    service.pass(4)
    service.accept(Service.heartbeatCallback(service.state, { callbackId }, service.env))
    service.pass(4.999)
    assert.strictEqual(service.operation(arn, "c").Status, "STARTED")
    service.pass(0.001)
    assert.strictEqual(service.operation(arn, "c").Status, "TIMED_OUT")
  })

  it("without a heartbeat time-out accepts a heartbeat, and nothing happens", () => {
    const { callbackId, service } = opened()
    const before = service.state
    service.accept(Service.heartbeatCallback(service.state, { callbackId }, service.env))
    assert.deepStrictEqual(service.state, before)
  })

  it("has an id that nobody can guess from its execution or its operation", () => {
    const { arn, callbackId, service } = opened()
    const other = service.start()
    service.checkpoint(other, callback("c"))
    assert.notStrictEqual(service.callbackId(other, "c"), callbackId)
    assert.notInclude(atob(callbackId), service.execution(arn).identity.id)
    assert.notStrictEqual(callbackId, service.token(arn))
  })
})

describe("a callback that is over", () => {
  const ends: Readonly<Record<string, (service: TestService, arn: string, callbackId: string) => void>> = {
    "has succeeded": (service, _, callbackId) => service.succeed(callbackId, "yes"),
    "has failed": (service, _, callbackId) =>
      service.accept(Service.failCallback(service.state, { callbackId }, service.env)),
    "has timed out": (service) => service.pass(60),
    "belongs to an execution that was stopped": (service, arn) => void service.stop(arn)
  }
  for (const [why, end] of Object.entries(ends)) {
    for (const [what, send] of Object.entries(sends)) {
      it(`refuses a ${what} because it ${why}`, () => {
        const { arn, callbackId, service } = opened({ TimeoutSeconds: 60 })
        end(service, arn, callbackId)
        const before = service.state
        const { exception, message, status } = refused(send(service, callbackId))
        assert.deepStrictEqual([exception, status], ["CallbackTimeoutException", 400])
        assert.strictEqual(message, "The callback has expired or is closed already.")
        assert.strictEqual(service.state, before)
      })
    }
  }

  it("is refused at the very moment of its time-out, even if the host has not looked yet", () => {
    const { callbackId, service } = opened({ TimeoutSeconds: 60 })
    service.now += 60_000
    assert.strictEqual(
      refused(Service.succeedCallback(service.state, { callbackId }, service.env)).exception,
      "CallbackTimeoutException"
    )
  })
})

describe("the API of callbacks", () => {
  for (const [what, send] of Object.entries(sends)) {
    it(`does not find an id that was never given: ${what}`, () => {
      const { service } = opened()
      const { exception, status } = refused(send(service, btoa("somebody made this up")))
      assert.deepStrictEqual([exception, status], ["ResourceNotFoundException", 404])
    })

    it(`refuses an id that cannot be one: ${what}`, () => {
      const { service } = opened()
      for (const callbackId of ["", "a-b_c", "a b", "x".repeat(1_025), "=", "ü"]) {
        assert.strictEqual(refused(send(service, callbackId)).exception, "InvalidParameterValueException")
      }
    })
  }

  it("refuses a result or an error that is too large", () => {
    const { arn, callbackId, service } = opened()
    const result = Service.succeedCallback(service.state, { callbackId, result: text(262_145) }, service.env)
    assert.strictEqual(
      refused(result).message,
      "CALLBACK output payload size must be less than or equal to 262144 bytes."
    )
    const error = { ErrorMessage: text(32_769) }
    const failure = Service.failCallback(service.state, { callbackId, error }, service.env)
    assert.strictEqual(refused(failure).message, "Error object size must be less than 32768 bytes.")
    const { arn: otherArn, callbackId: other, service: otherService } = opened()
    const largest = { ErrorMessage: text(32_768 - `{"ErrorMessage":""}`.length) }
    otherService.accept(
      Service.failCallback(otherService.state, { callbackId: other, error: largest }, otherService.env)
    )
    assert.strictEqual(otherService.execution(otherArn).usage.bytes, 32_768 + `{"id":1}`.length)
    service.succeed(callbackId, text(262_144))
    assert.strictEqual(service.operation(arn, "c").Status, "SUCCEEDED")
    assert.strictEqual(service.execution(arn).usage.bytes, 262_144 + `{"id":1}`.length)
  })
})
