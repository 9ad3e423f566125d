import { assert, describe, it } from "@effect/vitest"
import type { Namespace } from "../../src/execution/Namespace.ts"
import { Works } from "../../src/execution/Work.ts"
import { assembled, perform } from "./support.ts"

describe("New work", () => {
  it("does not begin once it was dropped, or what it belongs to has ended", () => {
    const made = assembled()
    const { claim, log, parts, run } = made
    const child = parts.root.inside({ id: "c", path: "c" })
    run(() => {
      parts.delivery.drop(perform(made, "dropped"))
      parts.delivery.perform(claim("inside", { namespace: child }), () => void log.push("began inside"))
      parts.delivery.close(child)
      perform(made, "new")
    })
    assert.deepStrictEqual(log, ["began new"])
  })
})

/** Works of claims that are made in this order. */
const make = (...names: ReadonlyArray<string>) => {
  const { claim, parts } = assembled()
  const works = new Works()
  const begun: Array<string> = []
  const child = parts.root.inside({ id: "c", path: "c" })
  const claims = new Map(names.map((name) => [name, claim(name, name.startsWith("c/") ? { namespace: child } : {})]))
  const add = (name: string, isExempt = false, starts?: Namespace) => {
    const made = claims.get(name)!
    return works.add({
      claim: made,
      index: made.index,
      isEnd: false,
      isExempt,
      begun: starts,
      run: () => void begun.push(name)
    })
  }
  return { works, add, child }
}

describe("Of work that waits", () => {
  it("the first is that whose operation was claimed first, whichever was added first", () => {
    const { add, works } = make("a", "b", "d")
    for (const name of ["d", "a", "b"]) add(name)
    const order = Array.from({ length: 3 }, () => {
      const { first } = works
      if (first !== undefined) works.drop(first)
      return first?.claim.path
    })
    assert.deepStrictEqual(order, ["a", "b", "d"])
  })

  it("what was dropped never begins, however often it is dropped", () => {
    const { add, works } = make("a", "b")
    const [a, b] = [add("a"), add("b")]
    works.drop(a)
    works.drop(a)
    assert.strictEqual(works.first?.claim.path, "b")
    assert.isFalse(works.isEmpty)
    works.drop(b)
    assert.isTrue(works.isEmpty)
  })

  it("what belongs to something that was let go of does not count, also before its turn comes", () => {
    const { add, child, works } = make("c/a")
    add("c/a")
    assert.isFalse(works.isEmpty)
    child.abandon()
    assert.isTrue(works.isEmpty)
  })

  it("what belongs to something that was let go of is dropped when its turn comes, unless it leaves something behind", () => {
    const { add, child, works } = make("c/a", "b")
    add("c/a")
    add("b")
    child.abandon()
    assert.strictEqual(works.first?.claim.path, "b")
    assert.isFalse(works.isEmpty)
  })

  it("what needs no reason has an order of its own", () => {
    const { add, works } = make("a", "b", "d")
    add("a")
    assert.strictEqual(works.firstExempt, undefined)
    add("d", true)
    const b = add("b", true)
    assert.strictEqual(works.firstExempt, b)
    works.drop(b)
    assert.strictEqual(works.firstExempt?.claim.path, "d")
  })

  it("what needs no reason waits for the start of the context that it belongs to", () => {
    const { add, child, works } = make("c", "c/a")
    const start = add("c", false, child)
    const question = add("c/a", true)
    assert.isUndefined(works.firstExempt)
    works.drop(start)
    assert.strictEqual(works.firstExempt, question)
  })
})
