import { assert, describe, it } from "@effect/vitest"
import * as AppendLog from "../../../src/engine/internal/AppendLog.ts"

const upTo = (size: number) => {
  let log = AppendLog.empty<number>()
  for (let item = 0; item < size; item++) log = AppendLog.append(log, item)
  return log
}

describe("a list that only grows", () => {
  it("has every item at its place, whatever its size", () => {
    // Around every size at which the tree gets a new leaf or a new level.
    for (const size of [0, 1, 31, 32, 33, 63, 64, 65, 1_023, 1_024, 1_025, 1_056, 1_057, 32_768, 32_769, 33_825]) {
      const log = upTo(size)
      assert.strictEqual(log.size, size)
      const expected = Array.from({ length: size }, (_, index) => index)
      assert.deepStrictEqual(Array.from(AppendLog.between(log, 0)), expected)
      for (const index of [0, 1, size - 1]) assert.strictEqual(AppendLog.get(log, index), expected[index])
    }
  })

  it("has nothing beyond its ends", () => {
    const log = upTo(40)
    for (const index of [-1, 40, 41, 1_000_000, 2 ** 40, Number.NaN]) assert.isUndefined(AppendLog.get(log, index))
  })

  it("shows a part of itself, clipped to its ends", () => {
    const log = upTo(40)
    assert.deepStrictEqual(Array.from(AppendLog.between(log, 30, 34)), [30, 31, 32, 33])
    assert.deepStrictEqual(Array.from(AppendLog.between(log, 38, 1e9)), [38, 39])
    assert.deepStrictEqual(Array.from(AppendLog.between(log, -5, 1)), [0])
    assert.deepStrictEqual(Array.from(AppendLog.between(log, 5, 5)), [])
  })

  it("leaves its older versions as they are, also when two grow from the same one", () => {
    for (const size of [0, 1, 32, 40, 1_024]) {
      const shared = upTo(size)
      const left = AppendLog.append(shared, -1)
      const right = AppendLog.append(shared, -2)
      assert.deepStrictEqual([shared.size, left.size, right.size], [size, size + 1, size + 1])
      assert.strictEqual(AppendLog.get(left, size), -1)
      assert.strictEqual(AppendLog.get(right, size), -2)
      assert.isUndefined(AppendLog.get(shared, size))
    }
  })
})
