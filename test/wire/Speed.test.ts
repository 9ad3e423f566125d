import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { decodeInvocationEvent } from "../../src/wire/Invocation.ts"

// A replay decodes every operation again, so this is paid at each invocation. The bound is ten times what a laptop needs
// and catches only a change of kind, such as a transformation per field that allocates or does not run eagerly.
describe("the largest event", () => {
  it("of 3,000 operations is read at a few microseconds each", () => {
    const event: unknown = JSON.parse(
      JSON.stringify({
        DurableExecutionArn: "execution-1",
        CheckpointToken: "token",
        InitialExecutionState: {
          Operations: Array.from({ length: 3_000 }, (_, index) => ({
            Id: `operation-${index}`,
            ParentId: index % 2 === 0 ? null : "context-1",
            Name: "charge",
            Type: "STEP",
            SubType: "Step",
            Status: "SUCCEEDED",
            StartTimestamp: 1804507200123 + index,
            EndTimestamp: 1804507201123 + index,
            StepDetails: { Attempt: 1, Result: '{"amount":10}' }
          }))
        }
      })
    )
    const times = Array.from({ length: 15 }, () => {
      const start = performance.now()
      assert.isTrue(Result.isSuccess(decodeInvocationEvent(event)))
      return performance.now() - start
    }).sort((a, b) => a - b)
    const microseconds = ((times[7] ?? 0) * 1_000) / 3_000
    console.log(`${microseconds.toFixed(2)} µs per operation (first read ${((times.at(-1) ?? 0) / 3).toFixed(2)} µs)`)
    assert.isBelow(microseconds, 20)
  })
})
