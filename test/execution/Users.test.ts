/** Who has used something: whether their order is the same in every run. */
import { assert, describe, it } from "@effect/vitest"
import { anybody, Users, type User } from "../../src/execution/Users.ts"

/** In a slice that an outcome began. */
const inside = (slice: number, known = 0n): User => ({ slice, after: slice, bit: 0n, known })

/** In a slice that comes from outside, by who went there in an earlier one. */
const back = (slice: number, after: number, bit: bigint, known = 0n): User => ({
  slice,
  after,
  bit,
  known: known | bit
})

/** Whether each of them comes after all others in every run. */
const orders = (first: User, ...others: ReadonlyArray<User>): ReadonlyArray<boolean> => {
  const users = new Users(first)
  return others.map((user) => users.follow(user))
}

describe("An order is the same in every run", () => {
  it("of what only outcomes began", () => {
    assert.deepStrictEqual(orders(inside(1), inside(1), inside(2), inside(5)), [true, true, true])
  })

  it("of what went outside after another use", () => {
    assert.deepStrictEqual(orders(inside(3), inside(4), back(9, 4, 1n)), [true, true])
  })

  it("of what goes on because of what came from outside", () => {
    assert.deepStrictEqual(orders(back(4, 2, 1n), back(4, 2, 1n), inside(5, 1n), back(9, 5, 2n, 1n)), [
      true,
      true,
      true
    ])
  })

  it("of outcomes after one that came because of it", () => {
    assert.deepStrictEqual(orders(back(4, 2, 1n), inside(5, 1n), inside(6)), [true, true])
  })

  it("of what may come in any order", () => {
    assert.deepStrictEqual(orders(anybody, anybody), [true])
  })
})

describe("An order may change", () => {
  it("of what was outside during another use", () => {
    assert.deepStrictEqual(orders(inside(5), back(9, 4, 1n)), [false])
    assert.deepStrictEqual(orders(inside(3), inside(5), back(9, 4, 1n)), [true, false])
  })

  it("of what does not go on because of what came from outside", () => {
    assert.deepStrictEqual(orders(back(4, 2, 1n), inside(5)), [false])
    assert.deepStrictEqual(orders(back(4, 2, 1n), back(9, 3, 2n)), [false])
    assert.deepStrictEqual(orders(inside(1), back(4, 2, 1n), inside(5)), [true, false])
  })

  it("of what nobody knows when it went outside", () => {
    assert.deepStrictEqual(orders(inside(1), back(9, 0, 1n)), [false])
  })
})
