import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { operationId } from "../../src/execution/Identity.ts"
import { updatesOf } from "../../src/execution/Marks.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import { asked, assembled, record, settle, slow, succeeded, waitFor } from "./support.ts"

describe("Who waits hears of an answer", () => {
  it("with a response only when all of it is taken in", () => {
    const made = assembled()
    const { parts, run } = made
    run(() => {
      waitFor(made, "a", "b")
      parts.delivery.changed(parts.history.apply([succeeded("b", 20), succeeded("a", 10)]))
    })
    assert.deepStrictEqual(made.log, ["a", "b"])
  })
})

describe("An outcome that came late", () => {
  const late = { kind: "late", of: operationId("", "a", 0), label: "a" } as const
  const markRecord = (EndTimestamp: number): Operation => {
    const [start, end] = updatesOf(late, undefined)
    assert(start !== undefined && end !== undefined)
    const { Id, Name } = start
    return record(Id, { Name, Status: "SUCCEEDED", EndTimestamp, StepDetails: { Result: end.Payload } })
  }

  it("is recorded as late before it is delivered", () =>
    Effect.gen(function* () {
      const store = slow()
      const made = assembled({ records: [asked("b")], store })
      const { log, parts, requests, run, wait } = made
      const b = () => made.claim("b", { kind: { type: "CHAINED_INVOKE", subType: "ChainedInvoke" } })
      run(() => {
        waitFor(made, "a")
        wait(b())
        parts.delivery.run(
          made.claim("busy"),
          () => Effect.runFork(Effect.never),
          () => {}
        )
        parts.delivery.changed(parts.history.apply([succeeded("b", 20)]))
      })
      run(() => parts.delivery.changed(parts.history.apply([succeeded("a", 10)])))
      assert.deepStrictEqual(log, ["b"])
      yield* settle
      assert.deepStrictEqual(requests, [["START late:a", "SUCCEED late:a"]])
      assert.deepStrictEqual(log, ["b"])
      store.answer(markRecord(25))
      assert.deepStrictEqual(log, ["b", "a"])
      assert.strictEqual(parts.root.time.now, 25)
    }).pipe(Effect.runPromise))

  it("is delivered by that record on a replay", () => {
    const made = assembled({ records: [succeeded("a", 10), succeeded("b", 20), markRecord(25)] })
    made.run(() => void waitFor(made, "a", "b"))
    assert.deepStrictEqual(made.log, ["b", "a"])
  })

  it("is none when its fiber asked only after the later one", () => {
    const made = assembled({ records: [succeeded("a", 10), succeeded("b", 20)] })
    const { claim, requests, run, wait } = made
    run(() => {
      wait(claim("b"), { resume: () => void waitFor(made, "a") })
    })
    assert.deepStrictEqual(made.log, ["a"])
    assert.deepStrictEqual(requests, [])
  })
})

describe("A change that the service acknowledges without telling the operation", () => {
  it("is taken at its word", () => {
    const made = assembled()
    const { clock, log, parts, run } = made
    clock.now = 70
    run(() => waitFor(made, "a")[0]!.commit({ Action: "SUCCEED", Payload: "1" }))
    assert.deepStrictEqual(log, ["a"])
    assert.strictEqual(parts.root.time.now, 70)
  })
})
