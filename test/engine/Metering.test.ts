import { assert, describe, it } from "@effect/vitest"
import * as Service from "../../src/engine/Service.ts"
import { callback, context, finish, refused, retry, step, TestService } from "./support.ts"

const text = (length: number) => "x".repeat(length)

describe("the limit of results", () => {
  it("is the host's choice, for steps, contexts and callbacks alike", () => {
    const service = new TestService({ maxOperationPayload: 10 })
    const arn = service.start()
    const [Payload, result] = [text(11), text(11)]
    assert.match(service.refusal(arn, step("a", "SUCCEED", { Payload })), /less than or equal to 10 bytes/)
    assert.match(service.refusal(arn, context("a", "SUCCEED", { Payload })), /less than or equal to 10 bytes/)
    service.checkpoint(arn, callback("c"), step("a", "SUCCEED", { Payload: text(10) }))
    const sent = Service.succeedCallback(
      service.state,
      { callbackId: service.callbackId(arn, "c"), result },
      service.env
    )
    assert.match(refused(sent).message, /less than or equal to 10 bytes/)
  })
})

describe("the quotas of an execution", () => {
  it("refuse an operation beyond the 3,000th", () => {
    const service = new TestService({ maxOperations: 4 })
    const arn = service.start()
    service.checkpoint(arn, step("a", "START"), step("b", "START"))
    const message = "The execution cannot have more than 4 operations."
    assert.strictEqual(service.refusal(arn, step("c", "START"), step("d", "START")), message)
    service.checkpoint(arn, retry("a", 1))
    assert.strictEqual(service.refusal(arn, step("c", "START")), message, "a retry counts as an operation")
    service.checkpoint(arn, step("b", "SUCCEED"))
    service.checkpoint(arn, finish("SUCCEED"))
  })

  it("count an operation once, however often it changes", () => {
    const service = new TestService()
    const arn = service.start({ payload: "12" })
    service.checkpoint(
      arn,
      context("c", "START"),
      step("a", "START", { ParentId: "c" }),
      step("a", "SUCCEED", { Payload: "345" })
    )
    service.checkpoint(arn, context("c", "SUCCEED", { Payload: "€" }))
    assert.deepStrictEqual(service.execution(arn).usage, { operations: 3, bytes: 8 })
  })

  it("count a repeated invocation and its error", () => {
    const service = new TestService()
    const arn = service.start({ payload: "" })
    const { operations } = service.execution(arn).usage
    service.crash(arn)
    const after = service.execution(arn).usage
    assert.strictEqual(after.operations, operations + 1)
    assert.isAbove(after.bytes, 40)
  })

  it("refuse nothing that adds nothing, even beyond them", () => {
    const service = new TestService({ maxOperations: 2, maxStorage: 10 })
    const arn = service.start({ payload: text(20) })
    service.checkpoint(arn, step("a", "START"))
    service.crash(arn)
    service.pass(1)
    assert.isAbove(service.execution(arn).usage.operations, 2)
    assert.isAbove(service.execution(arn).usage.bytes, 10)
    service.checkpoint(arn, step("a", "SUCCEED"), finish("SUCCEED"))
  })

  it("refuse to write more than 100 MB", () => {
    const service = new TestService({ maxStorage: 100 })
    const arn = service.start({ payload: text(50) })
    service.checkpoint(arn, step("a", "SUCCEED", { Payload: text(50) }))
    const message = "The execution cannot write more than 100 bytes."
    assert.strictEqual(service.refusal(arn, step("b", "SUCCEED", { Payload: "1" })), message)
    assert.strictEqual(service.refusal(arn, step("b", "FAIL", { Error: {} })), message)
    service.checkpoint(arn, step("b", "SUCCEED"))
  })
})
