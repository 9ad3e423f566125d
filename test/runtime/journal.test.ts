import { assert, describe, it } from "@effect/vitest"
import { isFinal, Journal } from "../../src/runtime/Journal.ts"
import type { Operation } from "../../src/wire/Operation.ts"

const operation = (Id: string, more: Partial<Operation> = {}): Operation => ({
  Id,
  Type: "STEP",
  Status: "STARTED",
  StartTimestamp: 0,
  ...more
})

describe("The journal", () => {
  it("gives the record of an operation by its id, the latest that it was told", () => {
    const journal = new Journal([operation("a")])
    assert.strictEqual(journal.get("a")?.Status, "STARTED")
    assert.isUndefined(journal.get("b"))
    journal.apply([operation("a", { Status: "SUCCEEDED" }), operation("b")])
    assert.strictEqual(journal.get("a")?.Status, "SUCCEEDED")
    assert.strictEqual(journal.get("b")?.Status, "STARTED")
  })

  it("finds the execution among the operations", () => {
    assert.isUndefined(new Journal([operation("a")]).execution)
    assert.strictEqual(new Journal([operation("a"), operation("e", { Type: "EXECUTION" })]).execution?.Id, "e")
  })

  it("knows when the execution began, or else its first operation", () => {
    const operations = [operation("a", { StartTimestamp: 7 }), operation("b", { StartTimestamp: 5 })]
    assert.isUndefined(new Journal([]).start)
    assert.strictEqual(new Journal(operations).start, 5)
    const execution = operation("e", { Type: "EXECUTION", StartTimestamp: 6 })
    assert.strictEqual(new Journal([...operations, execution]).start, 6)
  })

  it("has all that the service reports in place before the first watcher hears of it", () => {
    const journal = new Journal([])
    const seen: Array<string | undefined> = []
    journal.watch("a", () => seen.push(journal.get("b")?.Status))
    journal.watch("b", () => seen.push(journal.get("a")?.Status))
    journal.apply([operation("a", { Status: "READY" }), operation("b", { Status: "SUCCEEDED" })])
    assert.deepStrictEqual(seen, ["SUCCEEDED", "READY"])
  })

  it("calls every watcher of an operation, until it no longer wants to hear", () => {
    const journal = new Journal([])
    const heard: Array<string> = []
    const stopFirst = journal.watch("a", () => {
      heard.push("first")
      stopFirst()
      stopSecond()
    })
    const stopSecond = journal.watch("a", () => heard.push("second"))
    journal.apply([operation("a")])
    journal.apply([operation("a")])
    stopFirst()
    journal.apply([operation("other")])
    assert.deepStrictEqual(heard, ["first", "second"])
  })

  it("refuses that two operations have one id, and names both", () => {
    const journal = new Journal([])
    journal.claim("id", "block/a")
    assert.isTrue(journal.isClaimed("id"))
    assert.isFalse(journal.isClaimed("other"))
    assert.throws(() => journal.claim("id", "block/b"), /"block\/a".*"block\/b"/)
  })

  it("lists what stood in a context when the invocation began, without the execution and without news", () => {
    const journal = new Journal([
      operation("e", { Type: "EXECUTION" }),
      operation("a"),
      operation("c", { Type: "CONTEXT" }),
      operation("d", { ParentId: "c" })
    ])
    journal.apply([operation("new"), operation("newer", { ParentId: "c" })])
    assert.deepStrictEqual(
      journal.recordedIn(undefined).map(({ Id }) => Id),
      ["a", "c"]
    )
    assert.deepStrictEqual(
      journal.recordedIn("c").map(({ Id }) => Id),
      ["d"]
    )
    assert.deepStrictEqual(journal.recordedIn("a"), [])
  })
})

describe("An operation has its outcome", () => {
  for (const Status of ["SUCCEEDED", "FAILED", "CANCELLED", "TIMED_OUT", "STOPPED"]) {
    it(`when it is ${Status}`, () => assert.isTrue(isFinal(operation("a", { Status }))))
  }
  for (const Status of ["STARTED", "PENDING", "READY"]) {
    it(`not yet when it is ${Status}`, () => {
      assert.isFalse(isFinal(operation("a", { Status })))
      assert.isFalse(isFinal(operation("a", { Status, EndTimestamp: 1 })))
    })
  }
  it("in a state from the future once it has ended", () => {
    assert.isFalse(isFinal(operation("a", { Status: "DREAMING" })))
    assert.isTrue(isFinal(operation("a", { Status: "DREAMT", EndTimestamp: 1 })))
  })
})
