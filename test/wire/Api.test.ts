import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Api from "../../src/wire/Api.ts"
import { reader } from "../../src/wire/Malformed.ts"
import { decode, encode, failureOf } from "./support.ts"

describe("a query", () => {
  const list = reader("query", Api.ListDurableExecutionsByFunctionQuery)

  it("may be empty, and its empty marker is none", () => {
    assert.deepStrictEqual(Result.getOrThrow(list({})), {})
    assert.deepStrictEqual(Result.getOrThrow(list({ Marker: "" })), {})
    assert.deepStrictEqual(Result.getOrThrow(list(Object.create(null))), {})
  })

  it("has a list where a key may be repeated, however often it is", () => {
    assert.deepStrictEqual(Result.getOrThrow(list({ Statuses: "RUNNING" })), { Statuses: ["RUNNING"] })
    assert.deepStrictEqual(Result.getOrThrow(list({ Statuses: ["RUNNING", "LATER"] })), {
      Statuses: ["RUNNING", "LATER"]
    })
  })

  it("is read from the letter: 0 is a number, and false is no true", () => {
    assert.deepStrictEqual(Result.getOrThrow(list({ MaxItems: "0", ReverseOrder: "false" })), {
      MaxItems: 0,
      ReverseOrder: false
    })
    assert.strictEqual(
      Result.getOrThrow(list({ StartedAfter: "2027-03-08T12:00:00.123Z" })).StartedAfter,
      1804507200123
    )
  })

  const wrong: ReadonlyArray<readonly [query: Record<string, unknown>, path: string]> = [
    [{ MaxItems: "ten" }, "MaxItems"],
    [{ MaxItems: "" }, "MaxItems"],
    [{ MaxItems: "1e3" }, "MaxItems"],
    [{ MaxItems: "1.5" }, "MaxItems"],
    [{ MaxItems: "9".repeat(20) }, "MaxItems"],
    [{ MaxItems: 5 }, "MaxItems"],
    [{ MaxItems: ["1", "2"] }, "MaxItems"],
    [{ Marker: ["a", "b"] }, "Marker"],
    [{ ReverseOrder: "yes" }, "ReverseOrder"],
    [{ ReverseOrder: "TRUE" }, "ReverseOrder"],
    [{ StartedAfter: "yesterday" }, "StartedAfter"],
    [{ StartedBefore: "1804507200" }, "StartedBefore"]
  ]

  for (const [query, path] of wrong) {
    it(`is refused: ${JSON.stringify(query)}`, () => {
      assert.strictEqual(failureOf(list(query)).path, path)
    })
  }

  it("needs its token where there is one", () => {
    const failure = failureOf(reader("query", Api.GetDurableExecutionStateQuery)({ Marker: "m" }))
    assert.deepStrictEqual([failure.path, failure.problem], ["CheckpointToken", "it is missing"])
  })
})

describe("what servers leave out of an answer", () => {
  it("is empty for us: no operations, no events, no executions", () => {
    const state = { NewExecutionState: { Operations: [] } }
    for (const sent of [{}, { NewExecutionState: null }, { NewExecutionState: {} }, { CheckpointToken: null }]) {
      assert.deepStrictEqual(decode(Api.CheckpointDurableExecutionResponse, sent), state)
    }
    // Operations that are missing from a page of the state would run again, so the page is malformed.
    assert.throws(() => decode(Api.GetDurableExecutionStateResponse, {}))
    assert.deepStrictEqual(decode(Api.GetDurableExecutionHistoryResponse, { Events: null }), { Events: [] })
    assert.deepStrictEqual(decode(Api.ListDurableExecutionsByFunctionResponse, { NextMarker: "" }), {
      DurableExecutions: []
    })
  })

  it("is written in full by us", () => {
    assert.deepStrictEqual(encode(Api.CheckpointDurableExecutionResponse, { NewExecutionState: { Operations: [] } }), {
      NewExecutionState: { Operations: [] }
    })
  })
})

describe("a path", () => {
  it("holds its label as one segment, whatever is in it", () => {
    assert.strictEqual(
      Api.pathOf("StopDurableExecution", "arn:aws:lambda:x:1:function:f:$LATEST/durable-execution/n/i"),
      "/2025-12-01/durable-executions/arn%3Aaws%3Alambda%3Ax%3A1%3Afunction%3Af%3A%24LATEST%2Fdurable-execution%2Fn%2Fi/stop"
    )
    for (const label of ["../../x", "a?b#c", "$&$1", "%2F", "é\u{1f600}", "{FunctionName}"]) {
      const path = Api.pathOf("GetDurableExecution", label)
      assert.strictEqual(decodeURIComponent(path.split("/")[3] ?? ""), label)
      assert.strictEqual(path.split("/").length, 4)
    }
    assert.strictEqual(Api.pathOf("GetDurableExecution", "\ud800"), "/2025-12-01/durable-executions/%EF%BF%BD")
  })
})
