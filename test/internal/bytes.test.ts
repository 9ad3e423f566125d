/** How long a text is in UTF-8, and where it is cut. */
import { assert, describe, it } from "@effect/vitest"
import { byteLength, portableByteLength, truncate } from "../../src/internal/bytes.ts"

/** One character of each length, and surrogates without their other half. */
const characters = ["a", "\u007f", "\u0080", "é", "\u07ff", "\u0800", "✓", "\uffff", "😀", "\ud800", "\udc00"]

/** Each character after each other one, alone and in long texts. */
const texts = characters.flatMap((first) =>
  characters.flatMap((second) => [first + second, (first + second).repeat(100), "x".repeat(62) + first + second])
)

const encoded = (text: string): number => new TextEncoder().encode(text).length

describe.each([
  ["as it is counted", byteLength],
  ["for runtimes without a count", portableByteLength]
] as const)("the length of a text %s", (_, count) => {
  it("is that of its bytes", () => {
    for (const text of ["", ...texts]) assert.strictEqual(count(text), encoded(text), JSON.stringify(text))
  })
})

describe("a text that is cut", () => {
  it("is as long as fits, with whole characters", () => {
    assert.strictEqual(truncate("aé✓😀", 10), "aé✓😀")
    assert.strictEqual(truncate("aé✓😀", 9), "aé✓")
    assert.strictEqual(truncate("aé✓😀", 5), "aé")
    assert.strictEqual(truncate("é".repeat(100), 101), "é".repeat(50))
  })
})
