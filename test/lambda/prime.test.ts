import { assert, describe, it } from "@effect/vitest"
import { prime } from "../../src/lambda/internal/prime.ts"

describe("The workflow that is run before the first invocation", () => {
  it("runs from its beginning and over a complete history, all at once", () => {
    assert.deepStrictEqual(
      prime().map((exit) => (exit._tag === "Success" ? exit.value : exit)),
      [{ Status: "SUCCEEDED" }, { Status: "SUCCEEDED" }]
    )
  })
})
