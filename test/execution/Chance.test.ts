import { assert, describe, it } from "@effect/vitest"
import { seeded } from "../../src/execution/Chance.ts"

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)
console.log(`SEED=${seed}`)

describe("The random numbers of a seed", () => {
  // Computed by another implementation of sfc32. Other numbers here are other numbers in the executions that are under way.
  it("are these for ever", () => {
    const execution = "arn:aws:lambda:eu-west-1:123456789012:function:f:1/durable-execution/e/r\0"
    const random = seeded(execution)
    const drawn = [random.nextDoubleUnsafe(), random.nextDoubleUnsafe(), random.nextIntUnsafe()]
    assert.deepStrictEqual(drawn, [0.0912685801808466, 0.7979659317593202, -4552007884327193])
    assert.strictEqual(seeded(`${execution}7703ec9140213197`).nextDoubleUnsafe(), 0.4261561161131604)
  })

  it("are fractions that are spread evenly, and integers that are safe", () => {
    const buckets = Array.from({ length: 16 }, () => 0)
    for (let i = 0; i < 100; i++) {
      const random = seeded(`${seed} ${i}`)
      for (let n = 0; n < 160; n++) {
        const fraction = random.nextDoubleUnsafe()
        assert.isTrue(fraction >= 0 && fraction < 1)
        buckets[Math.floor(fraction * 16)]!++
        assert.isTrue(Number.isSafeInteger(random.nextIntUnsafe()))
      }
    }
    for (const count of buckets) assert.closeTo(count, 1_000, 160)
  })
})
