import { runInNewContext } from "node:vm"
import { assert, describe, it } from "@effect/vitest"
import { defectObject, errorObject, fitError } from "../../src/values/Failures.ts"
import { hostile } from "./hostile.ts"

describe("The error object of a typed error", () => {
  it("has its tag, its message and its encoded form", () => {
    const error = { _tag: "Declined", message: "no money", code: 1 }
    assert.deepStrictEqual(errorObject(error, `{"code":1}`), {
      ErrorType: "Declined",
      ErrorMessage: "no money",
      ErrorData: `{"code":1}`
    })
  })

  it("has a message made of tag and data when the error has none, cut at 500 characters", () => {
    for (const message of [undefined, "", 5]) {
      assert.strictEqual(errorObject({ _tag: "Declined", message }, `{"a":1}`).ErrorMessage, `Declined: {"a":1}`)
    }
    assert.lengthOf(errorObject({ _tag: "Declined" }, "x".repeat(2_000)).ErrorMessage ?? "", 500)
    assert.notMatch(errorObject({ _tag: "D" }, "😀".repeat(500)).ErrorMessage ?? "", /\ud83d$/)
  })

  it("is of type Error when the error has neither tag nor name", () => {
    for (const error of ["text", 5, null, undefined, {}, { _tag: "" }, { _tag: 5 }]) {
      const object = errorObject(error, undefined)
      assert.strictEqual(object.ErrorType, "Error")
      assert.isNotEmpty(object.ErrorMessage)
      assert.isDefined(object.ErrorData)
    }
  })
})

describe("The error object of a defect", () => {
  it("has name, message and stack of an Error, and no data", () => {
    const object = defectObject(new TypeError("no"))
    assert.strictEqual(object.ErrorType, "TypeError")
    assert.strictEqual(object.ErrorMessage, "no")
    assert.match(object.StackTrace?.[0] ?? "", /^at .*Failures\.test\.ts/)
    assert.notProperty(object, "ErrorData")
  })

  it("says what it can of anything else that was thrown", () => {
    const cyclic: { self?: unknown } = {}
    cyclic.self = cyclic
    for (const thrown of [
      "text",
      "",
      5,
      BigInt(5),
      null,
      undefined,
      Symbol("s"),
      () => 1,
      {},
      cyclic,
      [1],
      new Map()
    ]) {
      const object = defectObject(thrown)
      assert.strictEqual(object.ErrorType, "Defect")
      assert.isString(object.ErrorMessage)
    }
    assert.strictEqual(defectObject("text").ErrorMessage, "text")
    assert.strictEqual(defectObject({ a: 1 }).ErrorMessage, `{"a":1}`)
  })

  it("says of a value that JSON would change what it is", () => {
    const told: ReadonlyArray<readonly [thrown: unknown, message: string]> = [
      [Number.NaN, "NaN"],
      [-0, "-0"],
      [5n, "5n"],
      [undefined, "undefined"],
      [Symbol("s"), "Symbol(s)"],
      [new Date(Number.NaN), "Invalid Date"],
      [{ at: Number.NaN, n: 1n }, `{"at":NaN,"n":1n}`],
      [{ ids: new Set([1]) }, `{"ids":Set([1])}`],
      [{ a: -0 }, `{"a":-0}`]
    ]
    for (const [thrown, message] of told) {
      assert.deepStrictEqual(defectObject(thrown), { ErrorType: "Defect", ErrorMessage: message })
    }
  })

  it("is that of an Error from whatever realm it comes", () => {
    const thrown: unknown = runInNewContext(`Object.assign(new RangeError("too far"), { code: "E_FAR" })`)
    assert.notInstanceOf(thrown, Error)
    const { ErrorMessage, ErrorType, StackTrace } = defectObject(thrown)
    assert.deepStrictEqual([ErrorType, ErrorMessage], ["RangeError", "too far"])
    assert.isNotEmpty(StackTrace)
  })

  it("survives whatever throws when it is looked at", () => {
    for (const thrown of hostile()) {
      const object = defectObject(thrown)
      assert.isNotEmpty(object.ErrorType)
      assert.isNotEmpty(object.ErrorMessage)
    }
  })

  it("survives an Error whose name and message are no text", () => {
    const odd = Object.assign(new Error("x"), { name: 5, message: { a: 1 }, stack: undefined })
    const object = defectObject(odd)
    assert.isNotEmpty(object.ErrorType)
    assert.isNotEmpty(object.ErrorMessage)
  })
})

describe("An error object", () => {
  it("gives up the stack first, then the end of the message, then the data", () => {
    const whole = { ErrorType: "T", ErrorMessage: "m".repeat(3_000), ErrorData: "d", StackTrace: ["s"] }
    assert.strictEqual(fitError(whole), whole)
    const { StackTrace: _, ...rest } = whole
    assert.deepStrictEqual(fitError({ ...whole, StackTrace: ["s".repeat(40_000)] }), rest)
    const longMessage = fitError({ ...whole, ErrorMessage: "m".repeat(40_000) })
    assert.strictEqual(longMessage.ErrorData, "d")
    assert.isBelow(longMessage.ErrorMessage?.length ?? 0, 3_000)
    const longData = fitError({ ...whole, ErrorData: "d".repeat(40_000) })
    assert.isBelow(longData.ErrorData?.length ?? 0, 100)
    assert.strictEqual(longData.ErrorType, "T")
  })
})
