import { assert, describe, it } from "@effect/vitest"
import { markId, operationId } from "../../src/execution/Identity.ts"

describe("The id of an operation", () => {
  it("is the same for ever: golden vectors", () => {
    assert.strictEqual(operationId("", "charge", 0), "7703ec9140213197")
    assert.strictEqual(operationId("", "charge", 1), "c07685e846a4ed6d")
    assert.strictEqual(operationId("7703ec9140213197", "charge", 0), "8e1a466f0cbfb6b4")
    assert.strictEqual(operationId("7703ec9140213197", "", 0), "654fb0a1440ae1ae")
    assert.strictEqual(operationId("7703ec9140213197", "", 1), "98730decf004f0fe")
    assert.strictEqual(operationId("", "x".repeat(256), 2_999), "f36c73a8afebaa11")
  })

  it("tells names, occurrences and contexts apart, however they are cut", () => {
    const ids = new Set<string>()
    let made = 0
    for (const context of ["", "0", "1", "a"]) {
      for (const name of ["", "0", "1", "a", "a0", "a1", "1 1"]) {
        for (let occurrence = 0; occurrence < 12; occurrence++) {
          ids.add(operationId(context, name, occurrence))
          made++
        }
      }
    }
    assert.strictEqual(ids.size, made)
  })

  it("is never that of a mark, whatever names and labels say", () => {
    const ids = ["patch", "late", "reading"].flatMap((kind) =>
      ["", "x"].flatMap((of) => ["", "x", "x\u00000"].map((label) => markId(kind, of, label)))
    )
    const names = ["patch", "patch:x", "late", "x"].flatMap((name) =>
      ["", "x", "patch"].map((namespace) => operationId(namespace, name, 0))
    )
    assert.strictEqual(new Set([...ids, ...names]).size, ids.length + names.length)
  })
})
