/** What is said of a message that is not what its Schema says. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { reader } from "../../src/wire/Malformed.ts"

const Shape = Schema.Struct({ a: Schema.Array(Schema.String) })

const problemOf = (schema: Schema.Codec<unknown, unknown>, input: unknown): string =>
  Result.match(reader("message", schema)(input), { onSuccess: () => "", onFailure: ({ message }) => message })

describe("What is wrong with a message", () => {
  it("is told with where it is, and what kind of thing was found there", () => {
    const problem = problemOf(Shape, { a: ["", true] })
    assert.strictEqual(problem, "The message is malformed at a[1]: expected string, found a boolean.")
  })

  it("is told without what was found where that stands inside of a text", () => {
    const problem = problemOf(Schema.fromJsonString(Shape), `{"a":["",true]}`)
    assert.strictEqual(problem, "The message is malformed at a[1]: expected string.")
  })
})
