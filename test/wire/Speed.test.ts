import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { decodeInvocationEvent } from "../../src/wire/Invocation.ts"
import { timesAsMuch } from "../support/cpu.ts"

// A replay decodes every operation again, so this is paid at each invocation. To parse the same text is the yardstick: that is
// done at every invocation too. The bound catches only a change of kind, such as a transformation per field that allocates
// or does not run eagerly.
describe("the largest event", () => {
  it("of 3,000 operations is read in a few times of what it takes to parse its text", () => {
    const text = JSON.stringify({
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
    const event: unknown = JSON.parse(text)
    const times = timesAsMuch(
      () => assert.isTrue(Result.isSuccess(decodeInvocationEvent(event))),
      () => JSON.parse(text),
      15
    )
    assert.isBelow(times, 20)
  })
})
