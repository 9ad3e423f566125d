import { assert, describe, it } from "@effect/vitest"
import { LimitExceeded } from "../../src/DurableError.ts"
import { Usage } from "../../src/execution/Usage.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import type { OperationUpdate } from "../../src/wire/OperationUpdate.ts"

const operation = (more: Partial<Operation>): Operation => ({
  Id: "a",
  Type: "STEP",
  Status: "SUCCEEDED",
  StartTimestamp: 0,
  ...more
})

const update = (more: Partial<OperationUpdate>): OperationUpdate => ({
  Id: "a",
  Type: "STEP",
  Action: "SUCCEED",
  ...more
})

const usageOf = (
  loaded: ReadonlyArray<Operation>,
  quotas: { readonly maxOperations?: number; readonly maxStorage?: number }
) => {
  const warnings: Array<string> = []
  const usage = new Usage(
    loaded,
    { maxOperations: 1_000, maxStorage: 1_000, ...quotas },
    (message) => void warnings.push(message)
  )
  return { usage, warnings }
}

describe("The usage of an execution", () => {
  it("is what the loaded state shows: operations, attempts, payloads and errors", () => {
    const error = { ErrorType: "E", ErrorMessage: "é" }
    const errorBytes = JSON.stringify(error).length + 1
    const { usage } = usageOf(
      [
        operation({ Type: "EXECUTION", Status: "STARTED", ExecutionDetails: { InputPayload: "12é" } }),
        operation({ StepDetails: { Attempt: 3, Result: "12345" } }),
        operation({ Status: "PENDING", StepDetails: { Attempt: 2, Error: error } }),
        operation({ Status: "STARTED" }),
        operation({ Type: "CONTEXT", Status: "FAILED", ContextDetails: { Error: error } }),
        operation({ Type: "CHAINED_INVOKE", ChainedInvokeDetails: { Result: "1" } }),
        operation({ Type: "CALLBACK", CallbackDetails: { Result: "12" } })
      ],
      {}
    )
    assert.strictEqual(usage.operations, 7 + 2 + 2)
    assert.strictEqual(usage.bytes, 4 + 5 + 1 + 2 + 2 * errorBytes)
  })

  it("grows by new operations, attempts and what updates write", () => {
    const { usage } = usageOf([], {})
    usage.addOperation("a")
    usage.addUpdate("a", update({ Action: "START" }))
    usage.addUpdate("a", update({ Action: "RETRY", Error: {} }))
    usage.addUpdate("a", update({ Payload: "12é" }))
    assert.deepStrictEqual([usage.operations, usage.bytes], [2, 6])
  })

  it("is worth one warning, from 80 % of either quota on", () => {
    const operations = usageOf([], { maxOperations: 5 })
    for (const name of ["a", "b", "c"]) operations.usage.addOperation(name)
    assert.deepStrictEqual(operations.warnings, [])
    for (const name of ["d", "e"]) operations.usage.addOperation(name)
    assert.lengthOf(operations.warnings, 1)
    assert.include(operations.warnings[0], "at least 4 of 5 operations")

    const storage = usageOf([], { maxStorage: 10 })
    storage.usage.addUpdate("a", update({ Payload: "1234567" }))
    assert.deepStrictEqual(storage.warnings, [])
    storage.usage.addUpdate("a", update({ Payload: "8" }))
    storage.usage.addUpdate("a", update({ Payload: "9" }))
    assert.lengthOf(storage.warnings, 1)
    assert.include(storage.warnings[0], "at least 8 of 10 bytes")
    for (const cure of ["larger steps", "references", "Durable.continueWith"]) assert.include(storage.warnings[0], cure)
  })

  it("ends at the quotas, and what was refused does not count", () => {
    const { usage } = usageOf([], { maxOperations: 1, maxStorage: 3 })
    usage.addOperation("a")
    assert.throws(() => usage.addOperation("b"), LimitExceeded, `"b" would be one more`)
    assert.throws(() => usage.addUpdate("b", update({ Action: "RETRY" })), LimitExceeded)
    usage.addUpdate("a", update({ Payload: "123" }))
    assert.throws(() => usage.addUpdate("c", update({ Payload: "4" })), LimitExceeded, `"c" would write 1 more after 3`)
    usage.addUpdate("d", update({}))
    assert.deepStrictEqual([usage.operations, usage.bytes], [1, 3])
  })
})
