/**
 * Random conditions, under random losses: every look finds what the last one left.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import * as fc from "fast-check"
import process from "node:process"
import { assertSucceeded, crashAt, twice, type Store } from "./support.ts"

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)
console.log(`SEED=${seed}`)

describe("The states and delays of a waitForCondition", () => {
  it.effect("are what they were whatever is lost in between", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.record({ state: fc.jsonValue(), delay: fc.integer({ min: 0, max: 100_000 }) }), {
            minLength: 1,
            maxLength: 6
          }),
          fc.infiniteStream(fc.constantFrom("pass", "pass", "pass", "before", "after")),
          async (looks, fates) => {
            const given: Array<unknown> = []
            let last = 0
            const lossy = (store: Store): Partial<Store> => {
              let left = 8
              return {
                checkpoint: (request) => {
                  const fate = left > 0 ? fates.next().value : "pass"
                  if (fate === "pass") return store.checkpoint(request)
                  left--
                  return crashAt(() => true, fate === "before" ? "before" : "after")(store).checkpoint!(request)
                }
              }
            }
            const { ends, ran } = await Effect.runPromise(
              twice(
                Durable.waitForCondition("ready", {
                  initial: cast("the beginning"),
                  check: (state: unknown): Effect.Effect<never> =>
                    cast(
                      Effect.map(Durable.StepContext, ({ attempt }) => {
                        given[attempt - 1] = state
                        last = attempt
                        return looks[attempt - 1]!.state
                      })
                    ),
                  until: () => last === looks.length,
                  delay: ({ attempt }) => looks[attempt - 1]!.delay
                }),
                undefined,
                lossy
              )
            )
            assertSucceeded(ran)
            const states = JSON.parse(JSON.stringify(["the beginning", ...looks.map(({ state }) => state)]))
            assert.deepStrictEqual(given, states.slice(0, -1))
            assert.deepStrictEqual<unknown>(ends[0], Exit.succeed(states.at(-1)))
            assert.deepStrictEqual(ends.at(-1), ends[0])
          }
        ),
        { seed, numRuns: 100 }
      )
    )
  )
})
