import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Service from "../../src/engine/Service.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import { context, refused, step, TestService, wait } from "./support.ts"

const ids = (operations: ReadonlyArray<Operation>) => operations.map(({ Id }) => Id)

type StateQuery = Omit<Parameters<typeof Service.getState>[1], "DurableExecutionArn" | "CheckpointToken">

const state = (service: TestService, arn: string, query: StateQuery = {}) =>
  Service.getState(
    service.state,
    { DurableExecutionArn: arn, CheckpointToken: service.token(arn), ...query },
    service.env
  )

/** Follows the markers from a first page to the end. */
const rest = (
  service: TestService,
  arn: string,
  first: string | undefined,
  MaxItems = 1
): ReadonlyArray<ReadonlyArray<string>> => {
  const pages: Array<ReadonlyArray<string>> = []
  for (let Marker = first; Marker !== undefined;) {
    const page = Result.getOrThrow(state(service, arn, { Marker, MaxItems }))
    pages.push(ids(page.Operations))
    Marker = page.NextMarker
  }
  return pages
}

describe("the state of an execution", () => {
  it("comes in pages, each operation once, in the order of their starts", () => {
    const service = new TestService()
    const arn = service.start()
    const { id } = service.execution(arn).identity
    service.checkpoint(arn, step("b", "START"), step("a", "START"), wait("c", 5))
    service.checkpoint(arn, step("b", "SUCCEED"), step("d", "START"))
    const page = Result.getOrThrow(state(service, arn, { MaxItems: 2 }))
    assert.deepStrictEqual(ids(page.Operations), [id, "b"])
    assert.deepStrictEqual(rest(service, arn, page.NextMarker, 2), [["a", "c"], ["d"]])
    assert.deepStrictEqual(ids(Result.getOrThrow(state(service, arn)).Operations), [id, "b", "a", "c", "d"])
  })

  it("has no next page when the last one is just full", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, step("a", "START"))
    assert.isUndefined(Result.getOrThrow(state(service, arn, { MaxItems: 2 })).NextMarker)
  })

  it("has 100 operations on a page unless more or fewer are asked for", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, ...Array.from({ length: 1_200 }, (_, index) => step(`s${index}`, "START")))
    const sizes = [undefined, 0, 1, 999, 1_000].map(
      (MaxItems) => Result.getOrThrow(state(service, arn, MaxItems === undefined ? {} : { MaxItems })).Operations.length
    )
    assert.deepStrictEqual(sizes, [100, 100, 1, 999, 1_000])
    for (const MaxItems of [-1, 1_001, 1.5, Number.NaN]) {
      assert.match(refused(state(service, arn, { MaxItems })).message, /MaxItems/)
    }
  })

  it("ends a page before it has too many bytes, but never before its first operation", () => {
    const service = new TestService({ pageBytes: 2_000 })
    const arn = service.start()
    const { id } = service.execution(arn).identity
    const result = (length: number) => ({ Payload: "x".repeat(length) })
    service.checkpoint(
      arn,
      step("a", "SUCCEED", result(1_000)),
      step("b", "SUCCEED", result(1_000)),
      step("c", "SUCCEED", result(9_000)),
      step("d", "SUCCEED")
    )
    const page = Result.getOrThrow(state(service, arn))
    assert.deepStrictEqual(ids(page.Operations), [id, "a"])
    assert.deepStrictEqual(rest(service, arn, page.NextMarker, 100), [["b"], ["c"], ["d"]])
  })

  it("fills a page to the last byte", () => {
    // An operation counts as 300 bytes and its texts: here name and input of the execution, and the result of the step.
    const full = 300 + `n{"id":1}`.length + 300 + "123".length
    for (const [pageBytes, expected] of [
      [full, 2],
      [full - 1, 1]
    ] as const) {
      const service = new TestService({ pageBytes })
      const arn = service.start({ executionName: "n" })
      service.checkpoint(arn, step("a", "SUCCEED", { Payload: "123" }))
      assert.strictEqual(Result.getOrThrow(state(service, arn)).Operations.length, expected)
    }
  })

  it("is told only to the holder of the valid token", () => {
    const service = new TestService()
    const arn = service.start()
    const old = service.token(arn)
    service.checkpoint(arn, step("a", "START"))
    const query = { DurableExecutionArn: arn, CheckpointToken: old }
    assert.strictEqual(refused(Service.getState(service.state, query, service.env)).message, "Invalid checkpoint token")
  })

  it("refuses markers that it never gave for this", () => {
    const service = new TestService()
    const arn = service.start()
    const about = { DurableExecutionArn: arn }
    service.checkpoint(arn, wait("w", 1))
    const { NextMarker } = Result.getOrThrow(Service.getHistory(service.state, { ...about, MaxItems: 1 }, service.env))
    assert.isDefined(NextMarker)
    for (const Marker of [
      NextMarker,
      "x",
      "%",
      btoa("state"),
      btoa("state -1"),
      btoa("state 1 2"),
      btoa("state 1e3"),
      btoa("changes 1 2"),
      btoa("changes 1 2 3 4")
    ]) {
      assert.strictEqual(refused(state(service, arn, { Marker })).message, "Invalid marker")
    }
    assert.strictEqual(
      Result.getOrThrow(state(service, arn, { Marker: "" })).Operations.length,
      2,
      "the empty text is no marker"
    )
    assert.deepStrictEqual(Result.getOrThrow(state(service, arn, { Marker: btoa("state 999999999") })).Operations, [])
  })
})

describe("what a state leaves out", () => {
  const shown = (replayOuter: boolean, replayInner: boolean, endInner = "SUCCEED") => {
    const service = new TestService()
    const arn = service.start()
    const inner = { ParentId: "outer" }
    service.checkpoint(
      arn,
      context("outer", "START"),
      context("inner", "START", inner),
      step("leaf", "SUCCEED", { ParentId: "inner" }),
      context("inner", endInner, { ...inner, ContextOptions: { ReplayChildren: replayInner } }),
      context("outer", "SUCCEED", { ContextOptions: { ReplayChildren: replayOuter } })
    )
    return ids(Result.getOrThrow(state(service, arn)).Operations).slice(1)
  }

  it("is everything inside a finished context, however deep", () => {
    assert.deepStrictEqual(shown(false, false), ["outer"])
    assert.deepStrictEqual(shown(false, true), ["outer"])
  })

  it("is not what is inside a context that is replayed through its children", () => {
    assert.deepStrictEqual(shown(true, false), ["outer", "inner"])
    assert.deepStrictEqual(shown(true, true), ["outer", "inner", "leaf"])
  })

  it("is also what is inside a context that failed", () => {
    assert.deepStrictEqual(shown(true, false, "FAIL"), ["outer", "inner"])
    assert.deepStrictEqual(shown(true, true, "FAIL"), ["outer", "inner", "leaf"])
  })

  it("is nothing inside a context that is open", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, context("c", "START"), step("a", "SUCCEED", { ParentId: "c" }))
    assert.deepStrictEqual(ids(Result.getOrThrow(state(service, arn)).Operations).slice(1), ["c", "a"])
  })
})

describe("a service with one item on a page", () => {
  const service = () => new TestService({ pageItems: 1 })

  it("hands an invocation its execution and lets it fetch the rest", () => {
    const pages = service()
    const arn = pages.start()
    const { id } = pages.execution(arn).identity
    assert.isUndefined(pages.invocation(arn).event.InitialExecutionState.NextMarker)
    pages.checkpoint(
      arn,
      context("c", "START"),
      step("hidden", "START", { ParentId: "c" }),
      context("c", "SUCCEED"),
      wait("w", 1)
    )
    pages.suspend(arn)
    pages.pass(1)
    const { NextMarker, Operations } = pages.invocation(arn).event.InitialExecutionState
    assert.deepStrictEqual(ids(Operations), [id])
    assert.deepStrictEqual(rest(pages, arn, NextMarker, 1_000), [["c"], ["w"]])
  })

  it("answers a checkpoint with one change and lets the function fetch the rest with the new token", () => {
    const pages = service()
    const arn = pages.start()
    pages.checkpoint(arn, wait("w", 1), step("old", "SUCCEED"))
    pages.now += 1_000
    const answer = pages.accept(
      pages.tryCheckpoint(arn, [step("a", "START"), step("b", "START"), step("a", "SUCCEED")])
    )
    const { NextMarker, Operations } = answer.NewExecutionState
    assert.deepStrictEqual(ids(Operations), ["w"])
    const query = { DurableExecutionArn: arn, CheckpointToken: answer.CheckpointToken ?? "" }
    const second = Result.getOrThrow(Service.getState(pages.state, { ...query, Marker: NextMarker }, pages.env))
    assert.deepStrictEqual(
      second.Operations.map(({ Id, Status }) => [Id, Status]),
      [["a", "SUCCEEDED"]]
    )
    const third = Result.getOrThrow(Service.getState(pages.state, { ...query, Marker: second.NextMarker }, pages.env))
    assert.deepStrictEqual(ids(third.Operations), ["b"])
    assert.isUndefined(third.NextMarker)
  })

  it("leaves an input out of the event that fills a page by itself", () => {
    const pages = new TestService({ pageBytes: 1_000 })
    const arn = pages.start({ payload: "x".repeat(5_000) })
    const { NextMarker, Operations } = pages.invocation(arn).event.InitialExecutionState
    assert.deepStrictEqual(Operations, [])
    const page = Result.getOrThrow(state(pages, arn, { Marker: NextMarker }))
    assert.strictEqual(page.Operations[0]?.ExecutionDetails?.InputPayload?.length, 5_000)
    const fits = new TestService({ pageBytes: 1_000 })
    const small = fits.start({ executionName: "n", payload: "x".repeat(1_000 - 300 - 1) })
    assert.strictEqual(fits.invocation(small).event.InitialExecutionState.Operations.length, 1)
    const large = fits.start({ executionName: "m", payload: "x".repeat(1_000 - 300) })
    assert.strictEqual(fits.invocation(large).event.InitialExecutionState.Operations.length, 0)
  })

  it("cannot be configured with less", () => {
    for (const pageItems of [0, -1, 0.5]) assert.throws(() => new TestService({ pageItems }), /at least one item/)
  })
})
