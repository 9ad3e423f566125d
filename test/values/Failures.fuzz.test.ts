import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import { fitError } from "../../src/values/Failures.ts"

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)
console.log(`SEED=${seed}`)

const sizeOf = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).length

describe("An error object", () => {
  it("always fits into 32,768 bytes, with type and message", () => {
    const text = FastCheck.oneof(
      FastCheck.string({ unit: "binary", minLength: 1, maxLength: 50 }),
      FastCheck.tuple(
        FastCheck.constantFrom("a", "é", "😀", "\u0000", `"`, "\\", "\ud800"),
        FastCheck.integer({ min: 1, max: 60_000 })
      ).map(([character, length]) => character.repeat(length))
    )
    FastCheck.assert(
      FastCheck.property(
        text,
        text,
        FastCheck.option(text, { nil: undefined }),
        FastCheck.array(text, { maxLength: 4 }),
        (ErrorType, ErrorMessage, ErrorData, StackTrace) => {
          const fitted = fitError({
            ErrorType,
            ErrorMessage,
            StackTrace,
            ...(ErrorData === undefined ? {} : { ErrorData })
          })
          assert.isAtMost(sizeOf(fitted), 32_768)
          assert.isTrue(ErrorType.startsWith(fitted.ErrorType ?? "?"))
          assert.isTrue(ErrorMessage.startsWith(fitted.ErrorMessage ?? "?"))
          assert.isNotEmpty(fitted.ErrorType)
          assert.isNotEmpty(fitted.ErrorMessage)
          assert.strictEqual(fitted.ErrorData === undefined, ErrorData === undefined)
        }
      ),
      { seed, numRuns: 40 }
    )
  })
})
