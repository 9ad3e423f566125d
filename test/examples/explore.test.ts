/** No crash at any checkpoint of an example changes how it ends, or what it records. */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { examples } from "../../examples/lib/all.ts"
import { explored } from "../explore/explored.ts"
import { exploredHandler } from "../explore/handlers.ts"

describe("npm run explore", () => {
  it.effect.each(Object.entries(examples))("finds nothing in %s", ([, example]) =>
    Effect.gen(function* () {
      const { failure, schedules } = yield* explored(example, { limit: 24 })
      assert.isUndefined(failure)
      assert.isAbove(schedules, 0)
    })
  )

  it.effect("counts what it has tried of an example that fails", () =>
    Effect.gen(function* () {
      let starts = 0
      const Greet = DurableFunction.make("greet", { success: Schema.Finite })
      // Right in the two runs without a crash, and wrong in the one after.
      const greet = Greet.implement(() =>
        Effect.andThen(
          Durable.step("hello", Effect.void),
          Effect.sync(() => Math.max(2, ++starts))
        )
      )
      const example = { functionName: "greet", payload: undefined, memory: () => TestEngine.layer([greet]) }
      const { failure, schedules } = yield* explored(example, {})
      assert.include(failure, "Killed before checkpoint 1")
      assert.strictEqual(schedules, 1)
    })
  )

  it("finds nothing in handlers for requirements", async () => {
    for (const id of ["1-3", "2-1", "2-5", "3-12", "4-1", "9-1"]) {
      const { failure, schedules } = await exploredHandler(id, { limit: 6, seed: 1 })
      assert.isUndefined(failure, id)
      assert.isAbove(schedules, 0)
    }
  })
})
