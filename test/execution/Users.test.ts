/** Who has used something: whether their order is the same in every run. */
import { assert, describe, it } from "@effect/vitest"
import { anybody, Users, type User } from "../../src/execution/Users.ts"

/** A fiber that an outcome woke, in a slice. */
const inside = (fiber: number, slice: number): User => ({ fiber, slice, after: slice })

/** A fiber that comes back from outside in a slice, and went there in an earlier one. */
const back = (fiber: number, slice: number, after: number): User => ({ fiber, slice, after })

/** Whether each of them comes after all others in every run. */
const orders = (first: User, ...others: ReadonlyArray<User>): ReadonlyArray<boolean> => {
  const users = new Users(first)
  return others.map((user) => users.follow(user))
}

describe("An order is the same in every run", () => {
  it("of fibers that only outcomes woke", () => {
    assert.deepStrictEqual(orders(inside(1, 1), inside(2, 1), inside(1, 2), inside(3, 5)), [true, true, true])
  })

  it("of one fiber, wherever it comes from", () => {
    assert.deepStrictEqual(orders(back(1, 4, 2), inside(1, 5), back(1, 9, 5)), [true, true])
  })

  it("of a fiber that went outside after another one had used it", () => {
    assert.deepStrictEqual(orders(inside(1, 3), inside(2, 4), back(3, 9, 4)), [true, true])
  })

  it("of what may come in any order", () => {
    assert.deepStrictEqual(orders(anybody, anybody), [true])
  })
})

describe("An order may change", () => {
  it("of a fiber that was outside while another one used it", () => {
    assert.deepStrictEqual(orders(inside(1, 5), back(2, 9, 4)), [false])
    assert.deepStrictEqual(orders(inside(1, 3), inside(2, 5), back(3, 9, 4)), [true, false])
  })

  it("of a fiber that comes after another one that was outside", () => {
    assert.deepStrictEqual(orders(back(1, 4, 2), inside(2, 5)), [false])
    assert.deepStrictEqual(orders(back(1, 4, 2), back(2, 9, 3)), [false])
    assert.deepStrictEqual(orders(inside(1, 1), back(2, 4, 2), inside(1, 5)), [true, false])
  })

  it("of a fiber of which is not known when it went", () => {
    assert.deepStrictEqual(orders(inside(1, 1), back(2, 9, 0)), [false])
  })
})
