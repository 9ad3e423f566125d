/**
 * Random batches: a flat one ends as one that is nested.
 */
import { assert, describe, it } from "@effect/vitest"
import { CompletionPolicy, Durable } from "effect-durable"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import process from "node:process"
import { declared, decline, linesOf } from "./batches.ts"
import { execute, valueOf } from "./support.ts"

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)
console.log(`SEED=${seed}`)

describe("A flat map", () => {
  it.effect("ends as one that is nested, whatever its items do", () => {
    const items = fc.array(
      fc.record({
        seconds: fc.integer({ min: 0, max: 9 }),
        fails: fc.boolean(),
        steps: fc.integer({ min: 1, max: 2 })
      }),
      { maxLength: 6 }
    )
    const policies = fc.oneof(
      fc.constant(undefined),
      fc.record({ minSuccessful: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ toleratedFailureCount: fc.nat(3) })
    )
    const program = (
      list: ReadonlyArray<{ readonly seconds: number; readonly fails: boolean; readonly steps: number }>,
      bounds: Parameters<typeof CompletionPolicy.make>[0],
      concurrency: number,
      flat: boolean
    ) =>
      Effect.map(
        Durable.map(
          "map",
          list,
          Effect.fnUntraced(function* ({ fails, seconds, steps }, index) {
            for (let step = 0; step < steps; step++) yield* Durable.step("work", Effect.void)
            // Times that differ, because a batch ends between two of them.
            if (seconds > 0) yield* Durable.wait("nap", (seconds * 10 + index) * 1_000)
            return yield* fails ? decline(`${index}`) : Effect.succeed(index)
          }),
          { ...declared, policy: CompletionPolicy.make(bounds), concurrency, flat }
        ),
        linesOf
      )
    return Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(items, policies, fc.integer({ min: 1, max: 6 }), async (list, bounds, concurrency) => {
          const [nested, flat] = await Effect.runPromise(
            Effect.all([
              execute(program(list, bounds, concurrency, false)),
              execute(program(list, bounds, concurrency, true))
            ])
          )
          assert.deepStrictEqual(valueOf(flat), valueOf(nested))
        }),
        { seed, numRuns: Number(process.env["RUNS"] ?? 100) }
      )
    )
  })
})
