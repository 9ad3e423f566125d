/** No crash at any checkpoint of an example changes how it ends, or what it records. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { examples } from "../../examples/lib/all.ts"
import { exempt, explored } from "../explore/explored.ts"

describe("npm run explore", () => {
  it.effect.each(Object.keys(examples).filter((name) => exempt[name] === undefined))("finds nothing in %s", (name) =>
    Effect.gen(function* () {
      const { failure, schedules } = yield* explored(name, { limit: 24 })
      assert.isUndefined(failure)
      assert.isAbove(schedules, 0)
    })
  )

  it.effect("says what a crash changes in an example that is left out", () =>
    Effect.gen(function* () {
      const { failure } = yield* explored("polling", {})
      assert.match(failure ?? "", /crash: "before:\d+"/)
    })
  )
})
