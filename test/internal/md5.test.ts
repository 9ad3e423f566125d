import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import { md5, portableMd5 } from "../../src/internal/md5.ts"

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)
console.log(`SEED=${seed}`)

/** Any characters, of one to four bytes, and halves of pairs. The whole ones of FastCheck cost a table of all that there are. */
const text = FastCheck.array(
  FastCheck.oneof(
    FastCheck.integer({ min: 0, max: 0x7f }),
    FastCheck.integer({ min: 0, max: 0xffff }),
    FastCheck.integer({ min: 0x1_0000, max: 0x10_ffff })
  ),
  { maxLength: 300 }
).map((characters) => String.fromCodePoint(...characters))

describe.each([
  ["of the runtime", md5],
  ["for runtimes without one", portableMd5]
] as const)("MD5 %s", (_, md5) => {
  it("is that of RFC 1321", () => {
    const suite: Record<string, string> = {
      "": "d41d8cd98f00b204e9800998ecf8427e",
      a: "0cc175b9c0f1b6a831c399e269772661",
      abc: "900150983cd24fb0d6963f7d28e17f72",
      "message digest": "f96b697d7cb7938d525a2f31aaf161d0",
      abcdefghijklmnopqrstuvwxyz: "c3fcd3d76192e4007dfb496cca67e13b",
      ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789: "d174ab98d277d9f5a5611c2c9f419d9f",
      "12345678901234567890123456789012345678901234567890123456789012345678901234567890":
        "57edf4a22be3c955ac49da2e2107b67a"
    }
    for (const [text, digest] of Object.entries(suite)) assert.strictEqual(md5(text), digest)
  })

  it("agrees with Node's for any text of any length", () => {
    const check = (text: string): void =>
      assert.strictEqual(md5(text), createHash("md5").update(text, "utf8").digest("hex"))
    for (let length = 0; length < 130; length++) check("x".repeat(length))
    FastCheck.assert(FastCheck.property(text, check), { seed, numRuns: 200 })
  })
})
