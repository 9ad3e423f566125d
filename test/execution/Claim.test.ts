import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { isBefore, type Change, type Rank } from "../../src/execution/Claim.ts"
import { Namespace } from "../../src/execution/Namespace.ts"
import { withChange } from "../../src/execution/records.ts"
import { NotForNow } from "../../src/values/Values.ts"
import type { OperationUpdate } from "../../src/wire/OperationUpdate.ts"
import { claimHost, claimOf, kinds, record } from "./support.ts"

const root = Namespace.root("arn", 0)

describe("The order of outcomes", () => {
  it("is when they came, then naps before what the execution did, before what the service brought, and then the order of claims", () => {
    const key = (at: number, index: number, rank: Rank = 1) => ({ at, rank, index })
    assert.isTrue(isBefore(key(1, 9), key(2, 0)))
    assert.isTrue(isBefore(key(1, 0), key(1, 1)))
    assert.isFalse(isBefore(key(1, 1), key(1, 1)))
    assert.isFalse(isBefore(key(2, 0), key(1, 9)))
    assert.isTrue(isBefore(key(1, 9), key(1, 0, 2)))
    assert.isFalse(isBefore(key(1, 0, 2), key(1, 9)))
    assert.isTrue(isBefore(key(1, 0, 2), key(1, 1, 2)))
    assert.isTrue(isBefore(key(1, 0, 2), key(2, 9)))
    assert.isTrue(isBefore(key(1, 9, 0), key(1, 0)))
  })
})

describe("A claim records", () => {
  it("changes under its id, name and kind, in the recorded namespace around it", () => {
    const sent: Array<OperationUpdate> = []
    const host = { ...claimHost(), push: (_: unknown, update: OperationUpdate) => void sent.push(update) }
    const child = root.inside({ id: "0123456789abcdef", path: "c" })
    claimOf(root, "a", { host }).later({ Action: "START" })
    const inside = claimOf(child, "w", { host, kind: kinds.wait })
    inside.later({ Action: "START", WaitOptions: { WaitSeconds: 5 } })
    const { Id: _, ...first } = sent[0]!
    assert.deepStrictEqual(first, { Name: "a", Type: "STEP", SubType: "Step", Action: "START" })
    assert.deepStrictEqual(sent[1], {
      Id: inside.id,
      ParentId: "0123456789abcdef",
      Name: "w",
      Type: "WAIT",
      SubType: "Wait",
      Action: "START",
      WaitOptions: { WaitSeconds: 5 }
    })
  })

  it("a change that counts once it is acknowledged, and does something then", () => {
    const said: Array<string> = []
    const claim = claimOf(root, "a", { host: claimHost(said) })
    claim.later({ Action: "START" })
    claim.commit({ Action: "SUCCEED" }, () => void said.push("then"))
    assert.deepStrictEqual(said, ["START a", "committed START a", "SUCCEED a", "committed SUCCEED a", "then"])
  })

  it("its place in the order of claims when its identity was asked for", () => {
    const host = claimHost()
    assert.deepStrictEqual(
      ["a", "b"].map((name) => claimOf(root, name, { host }).index),
      [0, 1]
    )
  })
})

describe("A conversion", () => {
  it("that is done at once is done at once", () => {
    const seen: Array<unknown> = []
    const claim = claimOf(root, "a", { host: { ...claimHost(), convert: () => seen.push("asked the host") } })
    claim.convert(Effect.succeed(1), (exit) => seen.push(exit))
    claim.convert(Effect.fail("no"), (exit) => seen.push(exit))
    assert.deepStrictEqual(seen, [Exit.succeed(1), Exit.fail("no")])
  })

  it.effect("that takes its time is done when it is done", () =>
    Effect.gen(function* () {
      const claim = claimOf(root, "a", { host: claimHost() })
      assert.strictEqual(yield* claim.converted(Effect.as(Effect.yieldNow, 1)), 1)
    })
  )

  it("that may succeed later is told to the invocation, and nothing comes of it", () => {
    const said: Array<string> = []
    const claim = claimOf(root, "a", { host: claimHost(said) })
    claim.convert(Effect.fail(new NotForNow("busy")), () => said.push("done"))
    assert.deepStrictEqual(said, ["busy"])
  })
})

describe("A record after a change that was acknowledged without it", () => {
  const host = claimHost()
  const step = claimOf(root, "a", { host })

  it("is what the change says", () => {
    const begun = withChange(undefined, step, { Action: "START" }, 10)
    assert.deepInclude(begun, { Id: step.id, Name: "a", Status: "STARTED", StartTimestamp: 10 })
    const ended = withChange(begun, step, { Action: "SUCCEED", Payload: "1" }, 20)
    assert.deepInclude(ended, { Status: "SUCCEEDED", StartTimestamp: 10, EndTimestamp: 20 })
    assert.deepInclude(ended.StepDetails, { Result: "1", Attempt: 1 })
  })

  it("is due when the change says", () => {
    const change: Change = { Action: "RETRY", Error: { ErrorType: "E" }, StepOptions: { NextAttemptDelaySeconds: 3 } }
    const retried = withChange(record(step.id), step, change, 10)
    assert.strictEqual(retried.Status, "PENDING")
    assert.deepInclude(retried.StepDetails, { NextAttemptTimestamp: 3_010, Attempt: 1 })
    const wait = claimOf(root, "w", { host, kind: kinds.wait })
    const waiting = withChange(undefined, wait, { Action: "START", WaitOptions: { WaitSeconds: 2 } }, 10)
    assert.strictEqual(waiting.WaitDetails?.ScheduledEndTimestamp, 2_010)
  })

  it("is what the service told, if that is as far or further", () => {
    for (const told of [
      record(step.id, { Status: "SUCCEEDED", EndTimestamp: 15 }),
      record(step.id, { Status: "STARTED" }),
      record(step.id, { Status: "PENDING" })
    ]) {
      assert.strictEqual(withChange(told, step, { Action: "START" }, 20), told)
    }
    const ready = record(step.id, { Status: "READY" })
    assert.strictEqual(withChange(ready, step, { Action: "RETRY" }, 20), ready)
  })
})
