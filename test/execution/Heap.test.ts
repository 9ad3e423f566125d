import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import { Heap } from "../../src/execution/Heap.ts"

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)
console.log(`SEED=${seed}`)

describe("A heap", () => {
  it("gives the least first, whatever is added and taken in between", () => {
    const steps = FastCheck.array(FastCheck.option(FastCheck.integer({ min: 0, max: 50 })), { maxLength: 200 })
    FastCheck.assert(
      FastCheck.property(steps, (all) => {
        const heap = new Heap<number>((a, b) => a < b)
        let held: Array<number> = []
        for (const item of all) {
          if (item === null) {
            assert.strictEqual(heap.take(), held.shift())
          } else {
            heap.add(item)
            held = [...held, item].toSorted((a, b) => a - b)
          }
          assert.strictEqual(heap.first, held[0])
          assert.strictEqual(heap.size, held.length)
        }
      }),
      { seed }
    )
  })
})
