import { assert, describe, it } from "@effect/vitest"
import { isFinal } from "../../src/execution/Claim.ts"
import { History } from "../../src/execution/History.ts"
import { operationId } from "../../src/execution/Identity.ts"
import { updatesOf, type Mark } from "../../src/execution/Marks.ts"
import { Namespace } from "../../src/execution/Namespace.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import { claimHost, claimOf, kinds, record, succeeded } from "./support.ts"

const host = claimHost()

/** A history of records, of which some are news, and the workflow whose code begins. */
const open = (records: ReadonlyArray<Operation>, news: ReadonlyArray<string> = []) => {
  const history = new History(records, new Set(news))
  const root = Namespace.root("arn", 0)
  history.open(root)
  return { history, root }
}

const markOf = (mark: Mark): Operation => {
  const [start, end] = updatesOf(mark, undefined)
  return record(start.Id, {
    Name: start.Name,
    Status: "SUCCEEDED",
    EndTimestamp: 9,
    StepDetails: { Result: end.Payload }
  })
}

describe("A history knows", () => {
  it("the record of an operation by its id, the latest that it was told", () => {
    const { history } = open([record("a")])
    assert.strictEqual(history.get("a")?.Status, "STARTED")
    assert.isUndefined(history.get("b"))
    history.apply([record("a", { Status: "SUCCEEDED" }), record("b")])
    assert.strictEqual(history.get("a")?.Status, "SUCCEEDED")
    assert.strictEqual(history.get("b")?.Status, "STARTED")
  })

  it("the execution among the operations, and when it began", () => {
    const operations = [record("a", { StartTimestamp: 7 }), record("b", { StartTimestamp: 5 })]
    const execution = record("e", { Type: "EXECUTION", StartTimestamp: 6 })
    assert.isUndefined(new History([], new Set()).start)
    assert.isUndefined(new History(operations, new Set()).execution)
    assert.strictEqual(new History(operations, new Set()).start, 5)
    const whole = new History([...operations, execution], new Set())
    assert.strictEqual(whole.execution?.Id, "e")
    assert.strictEqual(whole.start, 6)
  })

  it("whether this is the first invocation, and the greatest stamp so far", () => {
    assert.isTrue(new History([record("e", { Type: "EXECUTION" })], new Set()).isFirst)
    const { history } = open([record("a", { EndTimestamp: 5 })])
    assert.isFalse(history.isFirst)
    assert.strictEqual(history.newestStamp, 5)
    history.apply([record("b", { StartTimestamp: 8 })])
    history.apply([record("c", { EndTimestamp: 7 })])
    assert.strictEqual(history.newestStamp, 8)
  })

  it("the stamps of marks, from earlier invocations as from this one", () => {
    const kinds = ["patch", "late", "reading", "cut"] as const
    const stamps = kinds.map((kind) => new History([markOf({ kind, of: "a", label: "a" })], new Set()).newestStamp)
    assert.deepStrictEqual(stamps, [9, 9, 9, 9])
  })

  it("what earlier invocations may have delivered: no news, and on a later page nothing that may have ended since", () => {
    const answer = record("a", { Type: "CALLBACK", Status: "SUCCEEDED", EndTimestamp: 7 })
    const page = (Type: "STEP" | "WAIT") => [answer, record("b", { Type, Status: "SUCCEEDED", EndTimestamp: 10 })]
    const knows = (Type: "STEP" | "WAIT", atOnce: number, beganAt?: number): number =>
      new History(page(Type), new Set(["a"]), atOnce, beganAt).newestKnown
    assert.deepStrictEqual([knows("STEP", 2), knows("WAIT", 2), knows("STEP", 1)], [10, 10, 10])
    assert.isBelow(knows("WAIT", 1), 7)
    assert.isBelow(knows("WAIT", 1, 10), 7)
    assert.strictEqual(knows("WAIT", 1, 11), 10)
    const open = record("b", { Type: "CALLBACK", StartTimestamp: 10 })
    assert.strictEqual(new History([answer, open], new Set(["a"]), 1).newestKnown, 10)
    const patch = markOf({ kind: "patch", of: "", label: "change" })
    assert.strictEqual(new History([answer, patch], new Set(["a"]), 1).newestKnown, 9)
  })
})

describe("A claim", () => {
  it("gets the record of its operation, and what the service tells of it later", () => {
    const { history, root } = open([succeeded("a", 5)])
    const [a, b] = [claimOf(root, "a", { host }), claimOf(root, "b", { host })]
    for (const claim of [a, b]) claim.enter(history.claim(claim))
    assert.strictEqual(a.record?.EndTimestamp, 5)
    assert.isTrue(a.isSettled)
    assert.deepStrictEqual([b.record?.Status, b.isSettled], [undefined, false])
    const told = history.apply([record(b.id), record("somebody else's")])
    assert.deepStrictEqual(told, [b])
    assert.strictEqual(b.record?.Status, "STARTED")
  })

  it("is told of once all of a response is taken in", () => {
    const { history, root } = open([])
    const claims = ["a", "b"].map((name) => claimOf(root, name, { host }))
    for (const claim of claims) claim.enter(history.claim(claim))
    const told = history.apply(claims.map(({ id }) => record(id, { Status: "SUCCEEDED" })))
    assert.deepStrictEqual(
      told.map(({ isSettled, name }) => [name, isSettled]),
      [
        ["a", true],
        ["b", true]
      ]
    )
  })

  it("of an operation that is claimed already finds the other claim", () => {
    const { history, root } = open([])
    const [first, second] = [claimOf(root, "a", { host }), claimOf(root, "a", { host })]
    history.claim(first)
    assert.strictEqual(history.claim(second).claim, first)
  })

  it("has its place in the order of all claims", () => {
    const { history } = open([])
    assert.deepStrictEqual([history.nextIndex, history.nextIndex, history.nextIndex], [0, 1, 2])
  })
})

describe("What the code has not asked for", () => {
  const child = record(operationId("", "c", 0), { Name: "c", Type: "CONTEXT", SubType: "RunInChildContext" })
  const inside = record(operationId(child.Id, "d", 0), { Name: "d", ParentId: child.Id })

  it("is counted in namespaces that are open, and listed in the order in which it was recorded", () => {
    const { history, root } = open([succeeded("b", 2), succeeded("a", 1), child, inside])
    const missing = () => Array.from(history.unclaimedEntries(), (entry) => entry.record?.Name)
    assert.deepStrictEqual(missing(), ["b", "a", "c"])
    assert.strictEqual(history.unclaimed, 3)

    const claim = claimOf(root, "c", { host, kind: kinds.context })
    claim.enter(history.claim(claim))
    const namespace = root.inside({ id: child.Id, path: "c" })
    history.open(namespace)
    assert.deepStrictEqual(missing(), ["b", "a", "d"])
    assert.strictEqual(namespace.unclaimed, 1)

    history.close(namespace)
    assert.deepStrictEqual(missing(), ["b", "a"])
    assert.strictEqual(history.unclaimed, 2)
    assert.deepStrictEqual(
      history.missedIn(namespace).map((entry) => entry.record?.Name),
      ["d"]
    )
    history.close(namespace)
    assert.strictEqual(history.unclaimed, 2)
  })

  it("is nothing for a flat namespace of its own: it stands in the recorded one around it", () => {
    const id = operationId(operationId("", "f", 0), "x", 0)
    const { history, root } = open([record(id, { Name: "x" })])
    const flat = root.inside({ id: operationId("", "f", 0), path: "f", isFlat: true })
    assert.strictEqual(history.unclaimed, 1)
    history.claim(claimOf(flat, "x", { host }))
    assert.strictEqual(history.unclaimed, 0)
    assert.strictEqual(root.unclaimed, 0)
  })

  it("is no mark, and nothing that came after this invocation had begun", () => {
    const { history } = open([
      markOf({ kind: "patch", of: "", label: "p" }),
      markOf({ kind: "late", of: "a", label: "a" }),
      markOf({ kind: "reading", of: "a", label: "a", time: 5 })
    ])
    assert.strictEqual(history.unclaimed, 0)
    history.apply([record("new")])
    assert.strictEqual(history.unclaimed, 0)
    assert.deepStrictEqual(Array.from(history.unclaimedEntries()), [])
  })

  it("was asked for once it was claimed before its namespace opens", () => {
    const { history, root } = open([child, inside])
    const namespace = root.inside({ id: child.Id, path: "c" })
    history.claim(claimOf(namespace, "d", { host }))
    history.open(namespace)
    assert.strictEqual(namespace.unclaimed, 0)
  })
})

describe("The code is replaying", () => {
  it("while something old is not asked for", () => {
    const { history, root } = open([succeeded("a", 1)])
    assert.isTrue(history.isReplaying)
    history.claim(claimOf(root, "a", { host }))
    assert.isFalse(history.isReplaying)
  })

  it("while somebody waits for an old outcome", () => {
    const { history } = open([])
    const [first, second] = [history.awaitsOld(), history.awaitsOld()]
    first()
    first()
    assert.isTrue(history.isReplaying)
    second()
    assert.isFalse(history.isReplaying)
  })

  it("until the first news is delivered that an earlier invocation waited for", () => {
    const [a, b] = [succeeded("a", 1), succeeded("b", 2)]
    const { history, root } = open([a, b], [b.Id])
    const claims = ["a", "b"].map((name) => claimOf(root, name, { host }))
    for (const claim of claims) claim.enter(history.claim(claim))
    history.delivered(claims[0]!.entry!)
    assert.isTrue(history.isReplaying)
    history.delivered(claims[1]!.entry!)
    assert.isFalse(history.isReplaying)
  })

  it("not at all in the first invocation", () => assert.isFalse(open([]).history.isReplaying))
})

describe("Marks", () => {
  it("say when an outcome came late, and what code was shown", () => {
    const a = succeeded("a", 1)
    const { history, root } = open([
      a,
      markOf({ kind: "late", of: a.Id, label: "a" }),
      markOf({ kind: "reading", of: a.Id, label: "a", time: 5 })
    ])
    assert.strictEqual(history.claim(claimOf(root, "a", { host })).late, 9)
    assert.strictEqual(history.mark({ kind: "reading", of: a.Id, label: "a" })?.time, 5)
    assert.isUndefined(history.mark({ kind: "reading", of: "b", label: "b" }))
  })

  it("of this invocation have a stamp once the service has told it", () => {
    const { history } = open([])
    const mark: Mark = { kind: "late", of: "a", label: "a" }
    history.addMark(mark)
    assert.strictEqual(history.mark(mark), mark)
    assert.isUndefined(history.stampOf(mark))
    history.apply([markOf(mark)])
    assert.strictEqual(history.stampOf(mark), 9)
  })

  it("of a patch are found by their id like an operation", () => {
    const patch = markOf({ kind: "patch", of: "", label: "p" })
    assert.strictEqual(open([patch]).history.get(patch.Id), patch)
  })
})

describe("An operation has its outcome", () => {
  for (const Status of ["SUCCEEDED", "FAILED", "CANCELLED", "TIMED_OUT", "STOPPED"]) {
    it(`when it is ${Status}`, () => assert.isTrue(isFinal(record("a", { Status }))))
  }
  for (const Status of ["STARTED", "PENDING", "READY"]) {
    it(`not yet when it is ${Status}`, () => {
      assert.isFalse(isFinal(record("a", { Status })))
      assert.isFalse(isFinal(record("a", { Status, EndTimestamp: 1 })))
    })
  }
  it("in a state from the future once it has ended", () => {
    assert.isFalse(isFinal(record("a", { Status: "DREAMING" })))
    assert.isTrue(isFinal(record("a", { Status: "DREAMT", EndTimestamp: 1 })))
  })
})
