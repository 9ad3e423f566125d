import { assert, describe, it } from "@effect/vitest"
import { Namespace } from "../../src/execution/Namespace.ts"
import type { User } from "../../src/execution/Users.ts"
import { WorkflowTime } from "../../src/execution/WorkflowTime.ts"

const rootOf = (): Namespace => Namespace.root("arn", 5)
const inside = (parent: Namespace, id: string, isFlat = false): Namespace => parent.inside({ id, path: id, isFlat })
/** A use in a slice that an outcome began, or that comes from outside. */
interface Caller extends User {
  readonly site: Error
}

const use = (slice: number, bit = 0n, known = bit): Caller => ({
  slice,
  after: bit === 0n ? slice : slice - 3,
  bit,
  known,
  site: new Error(`slice ${slice}`)
})

const usedBy = (namespace: Namespace, name: string, caller: Caller) => namespace.use(name, caller, caller.site)

describe("How a namespace stands", () => {
  it("goes from open to abandoned to closed, with everything below it, and never back", () => {
    const root = rootOf()
    const child = inside(root, "c")
    const below = [inside(child, "d"), inside(inside(child, "e"), "f")]
    assert.strictEqual(child.standing, "open")
    child.abandon()
    assert.deepStrictEqual(
      [child, ...below].map(({ standing }) => standing),
      ["abandoned", "abandoned", "abandoned"]
    )
    assert.strictEqual(inside(child, "late").standing, "abandoned")
    const closed = child.close()
    assert.includeMembers([...closed], [child, ...below])
    child.abandon()
    assert.deepStrictEqual(
      [child, ...below, inside(child, "later")].map(({ standing }) => standing),
      ["closed", "closed", "closed", "closed"]
    )
    assert.deepStrictEqual(child.close(), [])
    assert.strictEqual(root.standing, "open")
    assert.deepStrictEqual(Array.from(root.below), [])
  })

  it("is rebuilding inside of what is, and where its outcome is known", () => {
    const child = rootOf().inside({ id: "c", path: "c", isRebuilding: true })
    assert.isTrue(child.isRebuilding)
    assert.isTrue(inside(child, "d").isRebuilding)
    const again = inside(rootOf(), "c").rebuilt(new WorkflowTime(7))
    assert.deepStrictEqual([again.id, again.path, again.isRebuilding], ["c", "c", true])
  })

  it("is rebuilding also after it was let go of", () => {
    const child = rootOf().inside({ id: "c", path: "c", isRebuilding: true })
    child.abandon()
    assert.deepStrictEqual([child.standing, child.isRebuilding], ["abandoned", true])
    assert.isTrue(inside(child, "late").isRebuilding)
  })

  it("is open again, with the time that has passed, for what comes after the workflow", () => {
    const root = rootOf()
    root.time.advanceTo(70)
    root.close()
    const after = root.afterwards()
    assert.strictEqual(after.standing, "open")
    assert.strictEqual(after.time, root.time)
  })
})

describe("The occurrences of a name", () => {
  it("are counted in the order in which it is used, whoever uses it, in each namespace anew", () => {
    const root = rootOf()
    assert.deepStrictEqual(
      [7, 7, 8, 9].map((slice) => usedBy(root, "n", use(slice))),
      [0, 1, 2, 3]
    )
    assert.strictEqual(usedBy(root, "m", use(9)), 0)
    assert.strictEqual(usedBy(inside(root, "c"), "n", use(9)), 0)
    assert.strictEqual(usedBy(inside(root, "f", true), "n", use(9)), 0)
  })

  it("have no order where one comes from outside, and nothing goes on because of another", () => {
    for (const [first, second] of [
      [use(7, 1n), use(8)],
      [use(7), use(8, 1n)],
      [use(7, 1n), use(8, 2n)]
    ] as const) {
      const root = rootOf()
      assert.strictEqual(usedBy(root, "n", first), 0)
      assert.deepStrictEqual(usedBy(root, "n", second), { first: first.site })
    }
  })

  it("have one where each goes on because of the one before, wherever it comes from", () => {
    const root = rootOf()
    assert.deepStrictEqual(
      [use(4), use(7, 1n), use(8, 0n, 1n)].map((caller) => usedBy(root, "n", caller)),
      [0, 1, 2]
    )
    assert.isObject(usedBy(root, "n", use(9, 2n)))
  })
})

describe("Where something stands", () => {
  it("is told by the names around it and how often each was used", () => {
    const root = rootOf()
    assert.strictEqual(root.pathOf("a", 0), "a")
    assert.strictEqual(root.pathOf("a", 2), "a#3")
    assert.strictEqual(root.inside({ id: "c", path: "c" }).pathOf("a", 1), "c/a#2")
  })

  it("is the nearest recorded namespace on the wire", () => {
    const root = rootOf()
    const child = inside(root, "c")
    const flat = inside(inside(child, "f", true), "g", true)
    assert.isUndefined(root.wireId)
    assert.isUndefined(inside(root, "f", true).wireId)
    assert.strictEqual(child.wireId, "c")
    assert.strictEqual(flat.wireId, "c")
    assert.strictEqual(flat.recorded, child)
  })
})

describe("Time and chance", () => {
  it("are those of the namespace around it, unless it has a time of its own or is recorded", () => {
    const root = rootOf()
    const [child, flat] = [inside(root, "c"), inside(root, "f", true)]
    assert.strictEqual(root.time.now, 5)
    assert.strictEqual(child.time, root.time)
    const time = new WorkflowTime(9)
    assert.strictEqual(root.inside({ id: "i", path: "i", time }).time, time)
    assert.strictEqual(flat.random, root.random)
    assert.notStrictEqual(child.random, root.random)
  })

  it("give each recorded namespace of each execution other numbers, the same every time", () => {
    const draw = (arn: string, id: string): number => {
      const root = Namespace.root(arn, 0)
      return (id === "" ? root : inside(root, id)).random.nextDoubleUnsafe()
    }
    const places = [
      ["arn", ""],
      ["arn", "c"],
      ["arn", "d"],
      ["other", ""],
      ["other", "c"]
    ] as const
    const drawn = places.map(([arn, id]) => draw(arn, id))
    assert.strictEqual(new Set(drawn).size, places.length)
    assert.deepStrictEqual(
      places.map(([arn, id]) => draw(arn, id)),
      drawn
    )
  })
})

describe("Durable finalizers", () => {
  it("stand in a namespace and in those around it, until they have ended", () => {
    const root = rootOf()
    const child = inside(root, "c")
    const told: Array<string> = []
    const [first, second] = [child.addFinalizer(), inside(child, "d").addFinalizer()]
    child.onFinalized(() => told.push("child"))
    assert.isTrue(root.hasFinalizers && child.hasFinalizers)
    first()
    first()
    assert.isTrue(child.hasFinalizers)
    assert.deepStrictEqual(told, [])
    second()
    assert.isFalse(root.hasFinalizers || child.hasFinalizers)
    assert.deepStrictEqual(told, ["child"])
    child.addFinalizer()()
    assert.deepStrictEqual(told, ["child"])
  })
})

describe("What may have to be undone", () => {
  it("has the bodies around it run again", () => {
    const root = rootOf()
    const [child, other] = [inside(root, "c"), inside(root, "o")]
    inside(child, "d", true).keep()
    assert.isTrue(root.isKept && child.isKept)
    assert.isFalse(other.isKept)
  })
})
