import { assert, describe, it } from "@effect/vitest"
import { idOf, nameOf, payloadOf, readMark, updatesOf, type Mark } from "../../src/execution/Marks.ts"
import { isOperationName } from "../../src/wire/Constraints.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import { record } from "./support.ts"

/** A mark as the service holds it after its two updates. */
const recorded = (mark: Mark): Operation => {
  const [start, end] = updatesOf(mark, undefined)
  assert(start !== undefined && end !== undefined)
  const { Id, Name, SubType, Type } = start
  return { Id, Name, Type, SubType, Status: "SUCCEEDED", StartTimestamp: 1, StepDetails: { Result: end.Payload } }
}

const marks: ReadonlyArray<Mark> = [
  { kind: "patch", of: "", label: "new: shipping", time: undefined },
  { kind: "patch", of: "0123456789abcdef", label: "x", time: undefined },
  { kind: "late", of: "0123456789abcdef", label: "charge", time: undefined },
  { kind: "reading", of: "0123456789abcdef", label: "charge", time: 1_234.5 },
  { kind: "cut", of: "0123456789abcdef:1:2", label: "charge", time: undefined }
]

describe("A mark", () => {
  for (const mark of marks) {
    it(`is read as what it was written as: a ${mark.kind} of "${mark.of}"`, () => {
      assert.deepStrictEqual(readMark(recorded(mark)), mark)
    })
  }

  it("is a step on the wire, begun and ended in one request, in the context that it is told", () => {
    for (const parentId of [undefined, "parent"]) {
      const updates = updatesOf({ kind: "late", of: "a", label: "a" }, parentId)
      assert.deepStrictEqual(
        updates.map(({ Action, ParentId, SubType, Type }) => [Type, SubType, Action, ParentId]),
        [
          ["STEP", "Step", "START", parentId],
          ["STEP", "Step", "SUCCEED", parentId]
        ]
      )
      assert.strictEqual(updates[0]?.Id, updates[1]?.Id)
    }
  })

  it("has a name that the service accepts, however long its label is", () => {
    for (const { kind } of marks) assert.isTrue(isOperationName(nameOf({ kind, of: "", label: "x".repeat(256) })))
  })

  it("has an id of its own for all that it says", () => {
    const others: ReadonlyArray<Mark> = [
      ...marks,
      { kind: "patch", of: "", label: "x" },
      { kind: "patch", of: "0123456789abcdef", label: "y" },
      { kind: "late", of: "0123456789abcdee", label: "charge" }
    ]
    assert.strictEqual(new Set(others.map(idOf)).size, others.length)
  })

  it("is no step of a user, whatever its name and its result", () => {
    const mark: Mark = { kind: "patch", of: "", label: "x" }
    assert.isUndefined(readMark({ ...recorded(mark), Id: "0123456789abcdef" }))
    assert.isUndefined(readMark(record(idOf(mark), { Name: "charge", StepDetails: { Result: payloadOf(mark) } })))
    for (const Result of [undefined, "", "{", "null", "5", `"patch"`, `{"mark":"patch"}`]) {
      assert.isUndefined(readMark(record("0123456789abcdef", { Name: "patch:x", StepDetails: { Result } })), Result)
    }
    assert.isUndefined(readMark({ ...recorded(mark), Type: "CONTEXT" }))
  })

  it("is seen already when only its beginning is recorded, if it is a patch", () => {
    const patch = recorded({ kind: "patch", of: "parent", label: "x" })
    const begun = { ...patch, ParentId: "parent", Status: "STARTED", StepDetails: {} }
    assert.deepStrictEqual(readMark(begun), { kind: "patch", of: "parent", label: "x" })
    assert.isUndefined(readMark({ ...begun, ParentId: "other" }))
  })
})
