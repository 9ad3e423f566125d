import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import { continuation, continuedAs } from "../../src/wire/Continuation.ts"

const arn = "arn:aws:lambda:eu-west-1:123456789012:function:work:1/durable-execution/one/run-1"

describe("the result of an execution that handed over", () => {
  it("leads to the other, whatever its ARN looks like", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.string(), (text) => {
        assert.strictEqual(continuedAs(continuation(text)), text)
      })
    )
  })

  it("is plain JSON with one key, so that people can read it in a history", () => {
    assert.deepStrictEqual(JSON.parse(continuation(arn)), { "~effect-durable/continuedAs": arn })
  })

  it("is told from every other result", () => {
    for (const result of [
      undefined,
      "",
      "null",
      JSON.stringify(arn),
      JSON.stringify({ continuedAs: arn }),
      JSON.stringify({ other: 1, "~effect-durable/continuedAs": arn }),
      '{"~effect-durable/continuedAs"',
      '{"~effect-durable/continuedAs":1}',
      '{"~effect-durable/continuedAs":null}',
      // The result of a function that returns a record with such a key, and others.
      JSON.stringify({ "~effect-durable/continuedAs": arn, other: 1 })
    ]) {
      assert.isUndefined(continuedAs(result), result)
    }
  })

  it("is no other JSON", () => {
    const values = FastCheck.jsonValue()
    FastCheck.assert(FastCheck.property(values, (value) => continuedAs(JSON.stringify(value)) === undefined))
  })
})
