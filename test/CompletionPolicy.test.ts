/** When a batch is complete, and why: the rules by themselves. */
import { assert, describe, it } from "@effect/vitest"
import { CompletionPolicy } from "effect-durable"

const progress = (
  successCount: number,
  failureCount: number,
  totalCount: number,
  items: CompletionPolicy.Progress["items"] = []
): CompletionPolicy.Progress => ({
  successCount,
  failureCount,
  completedCount: successCount + failureCount,
  totalCount,
  items
})

/** What a policy says at a point: whether it goes on, and the reason if it ended there. */
const at = (
  policy: CompletionPolicy.CompletionPolicy,
  ...counts: readonly [succeeded: number, failed: number, total: number]
): readonly [mayStart: boolean, isComplete: boolean, reason: CompletionPolicy.CompletionReason] => {
  const reached = progress(...counts)
  return [policy.mayStart(reached), policy.isComplete(reached), policy.reason(reached)]
}

describe("A policy without bounds", () => {
  it("ends a batch at its first failure", () => {
    for (const policy of [CompletionPolicy.make(), CompletionPolicy.make({}), CompletionPolicy.allSuccessful]) {
      assert.deepStrictEqual(at(policy, 2, 0, 4), [true, false, "ALL_COMPLETED"])
      assert.deepStrictEqual(at(policy, 2, 1, 4), [false, true, "FAILURE_TOLERANCE_EXCEEDED"])
      assert.deepStrictEqual(at(policy, 4, 0, 4), [true, false, "ALL_COMPLETED"])
    }
  })
})

describe("minSuccessful", () => {
  const two = CompletionPolicy.make({ minSuccessful: 2 })

  it("completes a batch when so many have succeeded", () => {
    assert.deepStrictEqual(at(two, 1, 0, 4), [true, false, "ALL_COMPLETED"])
    assert.deepStrictEqual(at(two, 2, 0, 4), [true, true, "MIN_SUCCESSFUL_REACHED"])
  })

  it("lets any number fail when it is the only bound", () => {
    assert.deepStrictEqual(at(two, 1, 50, 60), [true, false, "ALL_COMPLETED"])
  })

  it("is no reason any more when every item has ended", () => {
    assert.deepStrictEqual(at(two, 2, 2, 4), [true, true, "ALL_COMPLETED"])
  })

  it("may be out of reach: then all items run", () => {
    assert.deepStrictEqual(at(CompletionPolicy.make({ minSuccessful: 9 }), 4, 0, 4), [true, false, "ALL_COMPLETED"])
  })
})

describe("Tolerance", () => {
  it("by number ends a batch at the first failure beyond it", () => {
    const one = CompletionPolicy.make({ toleratedFailureCount: 1 })
    assert.deepStrictEqual(at(one, 0, 1, 4), [true, false, "ALL_COMPLETED"])
    assert.deepStrictEqual(at(one, 0, 2, 4), [false, true, "FAILURE_TOLERANCE_EXCEEDED"])
  })

  it("by percentage ends a batch above it, and not at it", () => {
    const half = CompletionPolicy.make({ toleratedFailurePercentage: 50 })
    assert.deepStrictEqual(at(half, 0, 2, 4), [true, false, "ALL_COMPLETED"])
    assert.deepStrictEqual(at(half, 0, 3, 4), [false, true, "FAILURE_TOLERANCE_EXCEEDED"])
  })

  it("by percentage is exact for every whole percentage, whatever binary fractions make of it", () => {
    for (let percentage = 0; percentage <= 100; percentage++) {
      const policy = CompletionPolicy.make({ toleratedFailurePercentage: percentage })
      assert.isFalse(policy.isComplete(progress(0, percentage, 100)), `${percentage} of 100`)
      assert.isTrue(policy.isComplete(progress(0, percentage + 1, 100)), `${percentage + 1} of 100`)
    }
  })

  it("of nothing by percentage ends a batch at the first failure, and of everything never", () => {
    assert.isTrue(CompletionPolicy.make({ toleratedFailurePercentage: 0 }).isComplete(progress(0, 1, 3_000)))
    assert.isFalse(CompletionPolicy.allCompleted.isComplete(progress(0, 3_000, 3_000)))
  })

  it("of both kinds ends a batch when either is exceeded", () => {
    const both = CompletionPolicy.make({ toleratedFailureCount: 3, toleratedFailurePercentage: 10 })
    assert.strictEqual(at(both, 0, 2, 10)[2], "FAILURE_TOLERANCE_EXCEEDED")
    assert.strictEqual(at(both, 0, 4, 100)[2], "FAILURE_TOLERANCE_EXCEEDED")
    assert.strictEqual(at(both, 0, 3, 100)[2], "ALL_COMPLETED")
  })

  it("exceeded comes before every other reason", () => {
    const policy = CompletionPolicy.make({ minSuccessful: 1, toleratedFailureCount: 0 })
    assert.strictEqual(at(policy, 1, 1, 2)[2], "FAILURE_TOLERANCE_EXCEEDED")
    assert.strictEqual(at(policy, 1, 1, 4)[2], "FAILURE_TOLERANCE_EXCEEDED")
    assert.strictEqual(at(policy, 1, 0, 4)[2], "MIN_SUCCESSFUL_REACHED")
  })
})

describe("The ready-made policies", () => {
  it("are what their names say", () => {
    assert.isTrue(CompletionPolicy.firstSuccessful.isComplete(progress(1, 3, 9)))
    assert.isFalse(CompletionPolicy.firstSuccessful.isComplete(progress(0, 9, 9)))
    assert.isFalse(CompletionPolicy.allCompleted.isComplete(progress(0, 8, 9)))
    assert.isTrue(CompletionPolicy.allSuccessful.isComplete(progress(8, 1, 9)))
  })
})

describe("A predicate", () => {
  it("decides alone, and its decision is the reason", () => {
    const policy = CompletionPolicy.custom(({ failureCount, successCount }) =>
      successCount > 0 ? "SUCCEEDED" : failureCount > 1 ? "FAILED" : "continue"
    )
    assert.deepStrictEqual(at(policy, 0, 1, 4), [true, false, "ALL_COMPLETED"])
    assert.deepStrictEqual(at(policy, 1, 1, 4), [false, true, "CUSTOM_COMPLETION_SUCCEEDED"])
    assert.deepStrictEqual(at(policy, 0, 2, 4), [false, true, "CUSTOM_COMPLETION_FAILED"])
  })

  it("is refused when it answers something else", () => {
    const answers: ReadonlyArray<unknown> = [undefined, true, "succeeded"]
    for (const answer of answers) {
      const policy = CompletionPolicy.custom(() => JSON.parse(JSON.stringify(answer) ?? "null"))
      assert.throws(() => policy.isComplete(progress(0, 0, 1)), `must answer "continue", "SUCCEEDED" or "FAILED"`)
    }
  })
})

describe("A bound that makes no sense", () => {
  it.each([
    [{ minSuccessful: 0 }, "minSuccessful must be a whole number of at least 1, found 0"],
    [{ minSuccessful: 1.5 }, "minSuccessful must be a whole number of at least 1, found 1.5"],
    [{ minSuccessful: Number.NaN }, "minSuccessful must be a whole number of at least 1, found NaN"],
    [{ minSuccessful: Infinity }, "minSuccessful must be a whole number of at least 1, found Infinity"],
    [{ toleratedFailureCount: -1 }, "toleratedFailureCount must be a whole number of at least 0, found -1"],
    [{ toleratedFailureCount: 0.5 }, "toleratedFailureCount must be a whole number of at least 0, found 0.5"],
    [{ toleratedFailurePercentage: -1 }, "toleratedFailurePercentage must be a number from 0 to 100, found -1"],
    [{ toleratedFailurePercentage: 101 }, "toleratedFailurePercentage must be a number from 0 to 100, found 101"],
    [{ toleratedFailurePercentage: Number.NaN }, "toleratedFailurePercentage must be a number from 0 to 100, found NaN"]
  ])("%o is refused when the policy is made", (bounds, message) => {
    assert.throws(() => CompletionPolicy.make(bounds), message)
  })
})
