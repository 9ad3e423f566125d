/** No crash at any checkpoint of an example changes how it ends, or what it records. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { examples } from "../../examples/lib/all.ts"
import { explored } from "../explore/explored.ts"
import { exploredHandler } from "../explore/handlers.ts"

describe("npm run explore", () => {
  it.effect.each(Object.keys(examples))("finds nothing in %s", (name) =>
    Effect.gen(function* () {
      const { failure, schedules } = yield* explored(name, { limit: 24 })
      assert.isUndefined(failure)
      assert.isAbove(schedules, 0)
    })
  )

  it("finds nothing in handlers for requirements", async () => {
    for (const id of ["1-3", "2-1", "4-1", "9-1"]) {
      const { failure, schedules } = await exploredHandler(id, { limit: 6, seed: 1 })
      assert.isUndefined(failure, id)
      assert.isAbove(schedules, 0)
    }
  })
})
