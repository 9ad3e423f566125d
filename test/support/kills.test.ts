/** Which kills a program has to survive. */
import { assert, describe, it } from "@effect/vitest"
import { allKills, saying, someKills, type Kill } from "./kills.ts"

const shown = (kills: ReadonlyArray<Kill>): string => kills.map(({ request, side }) => `${side} ${request}`).join(", ")

/** How many requests the service has carried out when an invocation is gone. */
const statesLeft = (kills: ReadonlyArray<Kill>): ReadonlyArray<number> =>
  kills.flatMap(({ request, side }) => (side === "lost" ? [] : [side === "before" ? request - 1 : request]))

describe("all kills", () => {
  it("are on every side of every request", () => {
    assert.strictEqual(shown(allKills(2)), "before 1, after 1, lost 1, before 2, after 2, lost 2")
  })
})

describe("some kills", () => {
  it("are on both sides of every other request, and the answers between are lost", () => {
    assert.strictEqual(shown(someKills(3)), "before 1, after 1, lost 2, before 3, after 3")
    assert.strictEqual(shown(someKills(4)), "before 1, lost 1, before 2, after 2, lost 3, before 4, after 4")
  })

  for (let requests = 0; requests <= 9; requests++) {
    it(`leave the service in each of its states once, and no request alone, when there are ${requests}`, () => {
      const kills = someKills(requests)
      const numbers = Array.from({ length: requests }, (_, index) => index + 1)
      assert.deepStrictEqual(statesLeft(kills), requests === 0 ? [] : [0, ...numbers])
      assert.deepStrictEqual([...new Set(kills.map(({ request }) => request))], numbers)
    })
  }
})

describe("a kill is told", () => {
  it("with what the request held, and how it went", () => {
    const requests = ["START a", ""]
    assert.strictEqual(
      saying({ request: 1, side: "after" }, requests),
      "Killed at request 1 (START a), after it was carried out"
    )
    assert.strictEqual(
      saying({ request: 2, side: "before" }, requests),
      "Killed at request 2 (a poll), before the service had it"
    )
  })
})
