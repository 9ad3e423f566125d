/** The page of limits tells the numbers that the code has, and all of them. */
import { assert, describe, it } from "@effect/vitest"
import * as Limits from "../../src/wire/Limits.ts"
import { proseOf } from "./blocks.ts"

/** The rows of the tables of a page: a number, and the name that the module has for it. */
const rows = proseOf("docs/limits.md").flatMap((line) => {
  const [, , number = "", name = ""] = line.split("|").map((cell) => cell.trim())
  const [, constant] = /^`(\w+)`$/.exec(name) ?? []
  return constant === undefined ? [] : [{ constant, number: Number(number.replaceAll(",", "")) }]
})

describe("docs/limits.md", () => {
  it.each(rows)("says of $constant what the code says", ({ constant, number }) => {
    assert.strictEqual(number, Reflect.get(Limits, constant))
  })

  it("has every limit", () => {
    assert.sameMembers([...new Set(rows.map(({ constant }) => constant))], Object.keys(Limits))
  })
})
