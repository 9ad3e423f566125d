import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import process from "node:process"
import { describeFailure } from "../../src/lambda/internal/failure.ts"

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)
const hold = <T>(arbitrary: fc.Arbitrary<T>, promise: (value: T) => void): void =>
  fc.assert(fc.property(arbitrary, promise), { seed, numRuns: 300 })

const exception = (message: string, more: object = {}) =>
  Object.assign(new Error(message), {
    name: "InvalidParameterValueException",
    $fault: "client",
    $metadata: { httpStatusCode: 400 },
    ...more
  })

describe("The description of a failure", () => {
  it("is there for whatever was thrown, and short", () => {
    hold(fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true }), (thrown) => {
      const { message } = describeFailure(thrown)
      assert.isAtLeast(message.length, 1)
      assert.isAtMost(message.length, 501)
    })
  })

  it("holds no token, as it is or as it is in an address, wherever the service repeats it", () => {
    const token = fc.stringMatching(/^[A-Za-z0-9+/]{16,60}={0,2}$/)
    hold(fc.tuple(token, fc.string(), fc.string(), fc.boolean()), ([secret, before, after, encoded]) => {
      const found = describeFailure(exception(`${before} ${encoded ? encodeURIComponent(secret) : secret} ${after}`), [
        secret
      ])
      assert.notInclude(found.message, secret)
      assert.notInclude(found.message, encodeURIComponent(secret))
    })
  })

  it("holds no value that the service refused", () => {
    hold(fc.oneof(fc.string({ minLength: 8 }), fc.constant("it's at 'home' at 'sea")), (value) => {
      const found = describeFailure(exception(`1 validation error: Value '${value}' at 'updates.1.payload' failed`))
      assert.strictEqual(found.message, "1 validation error: Value '…' at 'updates.1.payload' failed")
    })
  })

  it("keeps the beginning by which a stale token is known", () => {
    const { message, status } = describeFailure(exception("Invalid Checkpoint Token: it was used"))
    assert.deepStrictEqual({ message, status }, { message: "Invalid Checkpoint Token: it was used", status: 400 })
  })

  it("names what has no message by its code", () => {
    const refused = Object.assign(new AggregateError([]), { code: "ECONNREFUSED" })
    assert.deepStrictEqual(describeFailure(refused), { name: "ECONNREFUSED", message: "no reason was given" })
  })

  it("says why the first address of a host did not answer", () => {
    const refused = Object.assign(
      new AggregateError([new Error("connect ECONNREFUSED ::1:443"), new Error("connect ECONNREFUSED 127.0.0.1:443")]),
      { code: "ECONNREFUSED" }
    )
    assert.deepStrictEqual(describeFailure(refused), {
      name: "ECONNREFUSED",
      message: "connect ECONNREFUSED ::1:443"
    })
  })

  it("does not quote an answer that could not be read", () => {
    const unread = Object.assign(new SyntaxError("Unexpected token '<', \"<b>secret</b>\""), {
      $response: {},
      $metadata: { httpStatusCode: 200 }
    })
    assert.deepStrictEqual(describeFailure(unread), {
      status: 200,
      message: "The answer, with HTTP status 200, is not one of the Lambda API."
    })
  })
})
