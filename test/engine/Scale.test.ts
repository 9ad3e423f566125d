/**
 * A checkpoint costs what its updates cost, however long the execution is already.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Service from "../../src/engine/Service.ts"
import { step, TestService, wait } from "./support.ts"

const runSteps = (count: number) => {
  const service = new TestService({ maxOperations: 1_000_000 })
  const arn = service.start()
  const begun = performance.now()
  for (let index = 0; index < count; index++) {
    const id = `step-${index}`
    service.checkpoint(arn, step(id, "START"), step(id, "SUCCEED", { Payload: `${index}` }))
  }
  return { service, arn, took: performance.now() - begun }
}

describe("the engine", () => {
  it("takes well under a second for 5,000 steps with a checkpoint each", () => {
    runSteps(500)
    const { arn, service, took } = runSteps(5_000)
    assert.strictEqual(service.history(arn).length, 10_001)
    assert.strictEqual(Service.operations(service.state, arn).length, 5_001)
    console.log(`5,000 steps with a checkpoint each: ${took.toFixed(0)} ms`)
    // Generous, for a busy machine: what would show here is quadratic growth, which takes many times as long.
    assert.isBelow(took, 2_000)
  })

  it("ends thousands of waits that are due at the same moment in one invocation", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, ...Array.from({ length: 2_500 }, (_, index) => wait(`wait-${index}`, 60)))
    service.suspend(arn)
    const begun = performance.now()
    service.pass(60)
    assert.isBelow(performance.now() - begun, 1_000)
    assert.strictEqual(service.invocations(arn).length, 2)
    assert.strictEqual(service.invocation(arn).event.UpdatedOperationIds?.length, 2_500)
  })

  it("keeps thousands of executions apart", () => {
    const service = new TestService()
    const begun = performance.now()
    for (let index = 0; index < 2_000; index++) {
      const arn = service.accept(
        Service.startExecution(service.state, { functionName: "orders:live", name: `n-${index}` }, service.env)
      ).executionArn
      service.accept(Service.stopExecution(service.state, { executionArn: arn }, service.env))
    }
    assert.isBelow(performance.now() - begun, 2_000)
    assert.isUndefined(Service.nextDue(service.state))
  })
})
