/** What the result of a batch says about its items. */
import { assert, describe, it } from "@effect/vitest"
import { BatchResult, type CompletionPolicy, DurableError } from "effect-durable"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

type Items = ReadonlyArray<BatchResult.Item<number | undefined, string>>

const succeeded = (index: number, value: number | undefined) =>
  ({ status: "SUCCEEDED", index, name: `item ${index}`, item: undefined, value }) as const
const failed = (index: number, cause: Cause.Cause<string>) =>
  ({ status: "FAILED", index, name: `item ${index}`, item: undefined, cause }) as const
const started = (index: number) => ({ status: "STARTED", index, name: `item ${index}`, item: undefined }) as const

const resultOf = (all: Items, reason: CompletionPolicy.CompletionReason = "ALL_COMPLETED") =>
  new BatchResult.BatchResult("batch", all, reason)

const mixed = resultOf([
  succeeded(0, 1),
  failed(1, Cause.fail("no")),
  succeeded(2, undefined),
  started(3),
  failed(4, Cause.die(new RangeError("broken")))
])

describe("A batch result", () => {
  it("has its items by what became of them, in the order of their indexes", () => {
    assert.deepStrictEqual(
      [mixed.succeeded, mixed.failed, mixed.started].map((items) => items.map(({ index }) => index)),
      [[0, 2], [1, 4], [3]]
    )
    assert.deepStrictEqual([mixed.successCount, mixed.failureCount, mixed.startedCount, mixed.totalCount], [2, 2, 1, 5])
  })

  it("keeps values that are undefined", () => {
    assert.deepStrictEqual(mixed.values, [1, undefined])
  })

  it("has the cause of every failure, and the errors of those that are typed", () => {
    assert.lengthOf(mixed.causes, 2)
    assert.deepStrictEqual(mixed.errors, ["no"])
  })

  it("is FAILED when any item failed, unless a predicate said otherwise", () => {
    const one = [failed(0, Cause.fail("no"))]
    assert.strictEqual(mixed.status, "FAILED")
    assert.strictEqual(resultOf([started(0)]).status, "SUCCEEDED")
    assert.strictEqual(resultOf(one, "CUSTOM_COMPLETION_SUCCEEDED").status, "SUCCEEDED")
    assert.strictEqual(resultOf([succeeded(0, 1)], "CUSTOM_COMPLETION_FAILED").status, "FAILED")
    assert.isTrue(resultOf(one, "CUSTOM_COMPLETION_SUCCEEDED").hasFailure)
  })

  it.effect("fails on demand as its first failed item", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* Effect.exit(mixed.orFail), Exit.fail("no"))
      const died = resultOf([failed(0, Cause.die("broken"))])
      assert.deepStrictEqual(yield* Effect.exit(died.orFail), Exit.die("broken"))
    })
  )

  it.effect("fails on demand when a predicate ended it as failed although no item had", () =>
    Effect.gen(function* () {
      const result = resultOf([succeeded(0, 1), started(1)], "CUSTOM_COMPLETION_FAILED")
      const error = yield* Effect.flip(result.orFail)
      assert.instanceOf(error, DurableError.BatchFailed)
      assert.include(
        error instanceof DurableError.BatchFailed ? error.message : "",
        `The completion policy of "batch" ended the batch as failed (CUSTOM_COMPLETION_FAILED).`
      )
    })
  )

  it.effect("gives its values on demand when nothing failed", () =>
    Effect.gen(function* () {
      const result = resultOf([succeeded(0, 1), started(1), succeeded(2, 3)], "MIN_SUCCESSFUL_REACHED")
      assert.deepStrictEqual(yield* result.orFail, [1, 3])
      assert.deepStrictEqual(yield* resultOf([]).orFail, [])
    })
  )
})

describe("A batch result that is made of values", () => {
  it("is one in which every item succeeded", () => {
    const result = BatchResult.fromValues("letters", ["a", "b"])
    assert.deepStrictEqual(result.all, [
      { status: "SUCCEEDED", index: 0, name: "0", item: undefined, value: "a" },
      { status: "SUCCEEDED", index: 1, name: "1", item: undefined, value: "b" }
    ])
    assert.deepStrictEqual([result.status, result.completionReason], ["SUCCEEDED", "ALL_COMPLETED"])
  })
})
