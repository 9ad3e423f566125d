import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Door } from "../../src/execution/Claim.ts"
import { Naps } from "../../src/execution/Naps.ts"
import { assembled, idle, record } from "./support.ts"

/** Naps of an invocation that began at the time 0, and which of them have their place in the stream. */
const make = (options: Parameters<typeof assembled>[0] & { readonly isAlone?: boolean } = {}) => {
  const { isAlone = false, ...rest } = options
  const made = assembled(rest)
  const reached: Array<number> = []
  const naps = new Naps(made.parts, {
    reach: (doors) => void reached.push(...doors.map(({ at }) => at)),
    isAlone: () => isAlone
  })
  const nap = (millis: number): Door => {
    const door: Door = {
      at: made.clock.now + millis,
      rank: 0,
      index: 0,
      order: 0,
      since: 0,
      claim: undefined,
      namespace: made.parts.root,
      fiber: idle,
      path: "nap",
      isFinal: false,
      keyOf: () => undefined,
      outcome: () => Effect.void,
      resume: () => {},
      isGone: false,
      leave: undefined
    }
    naps.add(door, millis)
    return door
  }
  return { ...made, naps, nap, reached }
}

describe("A nap", () => {
  it("has its place when its time has passed, if nothing else is under way, and the service is not asked", () => {
    const { clock, nap, naps, reached, requests } = make({ isAlone: true })
    nap(300)
    clock.pass(299)
    assert.deepStrictEqual(reached, [])
    clock.pass(1)
    assert.deepStrictEqual(reached, [300])
    assert.strictEqual(naps.size, 0)
    assert.deepStrictEqual(requests, [])
  })

  it("has its place at once when the service has told something later already", () => {
    const { nap, naps, reached } = make({ records: [record("a", { EndTimestamp: 300 })] })
    nap(300)
    assert.deepStrictEqual(reached, [300])
    assert.strictEqual(naps.size, 0)
  })

  it("has its place as soon as the service tells something later", () => {
    const { clock, nap, naps, parts, reached } = make()
    nap(300)
    nap(200)
    parts.history.apply([record("a", { EndTimestamp: 250 })])
    naps.look()
    assert.deepStrictEqual(reached, [200])
    assert.deepStrictEqual(clock.timers, [300])
  })

  it("asks the service when something else is under way, and not more often than once a second", () => {
    const { clock, nap, reached, requests } = make()
    nap(100)
    nap(200)
    nap(300)
    clock.pass(150)
    assert.lengthOf(requests, 1)
    assert.deepStrictEqual(reached, [100])
    clock.pass(949)
    assert.lengthOf(requests, 1)
    clock.pass(10_000)
    assert.deepStrictEqual(reached, [100, 200, 300])
    assert.isAtMost(requests.length, 3)
  })

  it("is forgotten when its fiber leaves", () => {
    const { clock, nap, reached, requests } = make()
    nap(100).leave?.()
    clock.pass(1_000)
    assert.deepStrictEqual(reached, [])
    assert.deepStrictEqual(requests, [])
    assert.deepStrictEqual(clock.timers, [])
  })
})

describe("A row of naps", () => {
  it("keeps an invocation that will be woken no longer than work outside does, and any other much longer", () => {
    const { clock, nap, naps } = make({ isAlone: true, outsideLimit: 1_000 })
    const forSeconds = (seconds: number): void => {
      for (let i = 0; i < seconds * 10; i++) {
        nap(100)
        clock.pass(100)
      }
    }
    forSeconds(0.9)
    assert.isFalse(naps.isTiring(true))
    forSeconds(0.1)
    assert.isTrue(naps.isTiring(true))
    assert.isFalse(naps.isTiring(false))
    naps.progressed()
    assert.isFalse(naps.isTiring(true))
    forSeconds(100)
    assert.isTrue(naps.isTiring(false))
  })
})
