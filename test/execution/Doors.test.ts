import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Door, Kind } from "../../src/execution/Claim.ts"
import { Doors } from "../../src/execution/Doors.ts"
import { Poller } from "../../src/execution/Poller.ts"
import { asked, assembled, idle, kinds, succeeded, waitFor } from "./support.ts"

describe("Doors open", () => {
  it("in the order in which they came, whoever asked first", () => {
    const made = assembled({ records: [succeeded("a", 30), succeeded("b", 10), succeeded("c", 20)] })
    made.run(() => void waitFor(made, "a", "b", "c"))
    assert.deepStrictEqual(made.log, ["b", "c", "a"])
  })

  it("in the order of claims when they came at the same time, in whatever order the service lists them", () => {
    for (const records of [
      [succeeded("a", 10), succeeded("b", 10)],
      [succeeded("b", 10), succeeded("a", 10)]
    ]) {
      const made = assembled({ records })
      made.run(() => void waitFor(made, "b", "a"))
      assert.deepStrictEqual(made.log, ["b", "a"])
    }
  })

  it("to all who wait for them", () => {
    const made = assembled({ records: [succeeded("a", 10)] })
    const { claim, log, run, wait } = made
    run(() => {
      const one = claim("a")
      wait(one)
      wait(one)
    })
    assert.deepStrictEqual(log, ["a", "a"])
  })

  it("not to a fiber that has left", () => {
    const made = assembled({ records: [succeeded("a", 10), succeeded("b", 20)] })
    const { claim, log, parts, run, wait } = made
    run(() => {
      parts.delivery.leave(wait(claim("a")))
      wait(claim("b"))
    })
    assert.deepStrictEqual(log, ["b"])
  })
})

/** Doors of an invocation that finds records, which nobody opens. */
const make = (options: Parameters<typeof assembled>[0] = {}) => {
  const made = assembled(options)
  const poller = new Poller({ now: () => 0, after: () => {}, latest: Infinity, poll: () => {} })
  const doors = new Doors(made.parts, poller)
  const wait = (name: string, kind: Kind = kinds.step): Door => {
    const claim = made.claim(name, { kind })
    return doors.wait({
      claim,
      namespace: claim.namespace,
      fiber: idle,
      path: claim.path,
      isFinal: false,
      keyOf: ({ EndTimestamp }) => EndTimestamp,
      outcome: () => Effect.void,
      resume: () => {}
    })
  }
  return { ...made, doors, wait }
}

describe("Doors", () => {
  it("know how far the stream is delivered, which never goes back", () => {
    const { doors, wait } = make({ records: [succeeded("a", 30), succeeded("b", 10)] })
    const a = wait("a")
    doors.open(a)
    assert.deepStrictEqual(doors.last, { at: 30, rank: 1, index: a.index })
    doors.open(wait("b"))
    assert.deepStrictEqual(doors.last, { at: 30, rank: 1, index: a.index })
    assert.strictEqual(doors.count, 2)
  })

  it("are left once, and then nothing counts who waited", () => {
    const { doors, parts, wait } = make({ records: [asked("a")] })
    const door = wait("a", { type: "CHAINED_INVOKE", subType: "ChainedInvoke" })
    assert.deepStrictEqual([doors.hasClaims, doors.awaitsOthers, doors.hasDurable], [true, true, true])
    assert.strictEqual(parts.root.parked, 1)
    doors.leave(door)
    doors.leave(door)
    assert.deepStrictEqual([doors.hasClaims, doors.awaitsOthers, doors.hasDurable], [false, false, false])
    assert.strictEqual(parts.root.parked, 0)
    assert.deepStrictEqual(door.claim?.doors, [])
  })

  it("are contested by two fibers that wait", () => {
    const { doors, wait } = make()
    wait("a")
    assert.isFalse(doors.isContested)
    wait("b")
    assert.isTrue(doors.isContested)
  })

  it("are contested by who waited when an outcome of the same millisecond was delivered", () => {
    const now = make().parts.host.now()
    const { doors, wait } = make({ records: [succeeded("early", now - 1), succeeded("now", now)] })
    wait("waits")
    doors.open(wait("early"))
    assert.isFalse(doors.isContested)
    doors.open(wait("now"))
    assert.isTrue(doors.isContested)
  })

  it("are not contested by who came after that", () => {
    const now = make().parts.host.now()
    const { doors, wait } = make({ records: [succeeded("now", now)] })
    doors.open(wait("now"))
    wait("comes")
    assert.isFalse(doors.isContested)
  })

  it("expect those who may still come for a callback, until it has an outcome or its namespace is closed", () => {
    const { claim, doors, parts } = make({
      records: [succeeded("told", 20, { Type: "CALLBACK", SubType: "Callback" })]
    })
    const child = parts.root.inside({ id: "c", path: "c" })
    doors.expect(claim("told", { kind: kinds.callback }))
    assert.deepStrictEqual([doors.awaitsCallback(10), doors.awaitsCallback(20)], [true, false])
    doors.expect(claim("open", { kind: kinds.callback, namespace: child }))
    assert.isTrue(doors.awaitsCallback(20))
    child.close()
    doors.forgetClosed()
    assert.isFalse(doors.awaitsCallback(20))
  })
})
