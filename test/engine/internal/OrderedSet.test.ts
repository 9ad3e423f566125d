import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as OrderedSet from "../../../src/engine/internal/OrderedSet.ts"
import { seed } from "../support.ts"

const numbers = OrderedSet.empty<number>((a, b) => a - b)

/** The depth of the tree. Everywhere in it, one side may be deeper than the other by one at most. */
const depthOf = (tree: OrderedSet.OrderedSet<number>["root"]): number => {
  if (tree === undefined) return 0
  const [left, right] = [depthOf(tree.left), depthOf(tree.right)]
  assert.isAtMost(Math.abs(left - right), 1, "the tree leans")
  return 1 + Math.max(left, right)
}

describe("an ordered set", () => {
  it("is what a sorted array would be, balanced, and every older version stays as it was", () => {
    const change = fc.record({ add: fc.boolean(), item: fc.integer({ min: 0, max: 60 }) })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
        let set = numbers
        let expected: ReadonlyArray<number> = []
        const versions = [{ set, expected }]
        for (const { add, item } of changes) {
          set = add ? OrderedSet.add(set, item) : OrderedSet.remove(set, item)
          const others = expected.filter((other) => other !== item)
          expected = add ? [...others, item].toSorted((a, b) => a - b) : others
          versions.push({ set, expected })
        }
        for (const version of versions) {
          assert.deepStrictEqual(Array.from(OrderedSet.items(version.set)), [...version.expected])
          assert.strictEqual(OrderedSet.first(version.set), version.expected[0])
          depthOf(version.set.root)
        }
      }),
      { seed, numRuns: 100 }
    )
  })

  it("stays shallow, whatever the order in which it grows and shrinks", () => {
    const size = 4_096
    const orders: Readonly<Record<string, (index: number) => number>> = {
      rising: (index) => index,
      falling: (index) => size - index,
      inwards: (index) => (index % 2 === 0 ? index : size - index),
      scattered: (index) => (index * 2_654_435_761) % size
    }
    for (const order of Object.values(orders)) {
      let set = numbers
      for (let index = 0; index < size; index++) set = OrderedSet.add(set, order(index))
      assert.isAtMost(depthOf(set.root), 17)
      for (let index = 0; index < size; index += 3) set = OrderedSet.remove(set, order(index))
      for (let index = 0; index < size / 2; index++) set = OrderedSet.remove(set, index)
      assert.isAtMost(depthOf(set.root), 17)
    }
  })
})
