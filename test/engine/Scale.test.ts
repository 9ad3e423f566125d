/**
 * A checkpoint costs what its updates cost, however long the execution is already.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Service from "../../src/engine/Service.ts"
import { growth } from "../support/cpu.ts"
import { step, TestService, wait } from "./support.ts"

const runSteps = (count: number) => {
  const service = new TestService({ maxOperations: 1_000_000 })
  const arn = service.start()
  for (let index = 0; index < count; index++) {
    const id = `step-${index}`
    service.checkpoint(arn, step(id, "START"), step(id, "SUCCEED", { Payload: `${index}` }))
  }
  return { service, arn }
}

const endWaits = (count: number) => {
  const service = new TestService()
  const arn = service.start()
  service.checkpoint(arn, ...Array.from({ length: count }, (_, index) => wait(`wait-${index}`, 60)))
  service.suspend(arn)
  service.pass(60)
  return { service, arn }
}

const startAndStop = (count: number) => {
  const service = new TestService()
  for (let index = 0; index < count; index++) {
    const arn = service.accept(
      Service.startExecution(service.state, { functionName: "orders:live", executionName: `n-${index}` }, service.env)
    ).executionArn
    service.accept(Service.stopExecution(service.state, { executionArn: arn }, service.env))
  }
  return service
}

// Ten where cost is quadratic. Between one and two are caches and the garbage collector.
const quadratic = 6

describe("the engine", () => {
  it("takes no longer for a step of 5,000 than for one of 500", () => {
    const { arn, service } = runSteps(5_000)
    assert.strictEqual(service.history(arn).length, 10_001)
    assert.strictEqual(Service.operations(service.state, arn).length, 5_001)
    assert.isBelow(growth(runSteps, 200), quadratic)
  })

  it("ends thousands of waits that are due at the same moment in one invocation", () => {
    const { arn, service } = endWaits(2_500)
    assert.strictEqual(service.invocations(arn).length, 2)
    assert.strictEqual(service.invocation(arn).event.UpdatedOperationIds?.length, 2_500)
    assert.isBelow(growth(endWaits, 250), quadratic)
  })

  it("keeps thousands of executions apart", () => {
    assert.isUndefined(Service.nextDue(startAndStop(2_000).state))
    assert.isBelow(growth(startAndStop, 100), quadratic)
  })
})
