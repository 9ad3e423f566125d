import { assert, describe, it } from "@effect/vitest"
import { Durable, RetryPolicy } from "effect-durable"
import type { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import { assertSucceeded, execute, unchecked } from "../operations/support.ts"
import { places } from "./places.ts"

const both = { concurrency: "unbounded" } as const

describe("The randomness of a workflow", () => {
  it.effect("gives the same numbers at every replay, and others at every draw and in every context", () =>
    Effect.gen(function* () {
      const seen = yield* places(Random.next, (look) => {
        const block = Effect.gen(function* () {
          yield* look("in a child")
          yield* Durable.wait("nap", "1 hour")
          yield* look("later in a child")
        })
        const flat = Effect.andThen(look("in a flat child"), Durable.wait("nap", "1 hour"))
        return Effect.gen(function* () {
          yield* look("first")
          yield* look("second")
          yield* Durable.wait("nap", "1 hour")
          yield* look("after a wait")
          yield* Durable.child("block", block)
          yield* look("after a child")
          yield* Durable.child("flat", flat, { flat: true })
          yield* look("after a flat child")
          yield* Durable.wait("end", "1 hour")
        })
      })
      assert.lengthOf(Object.keys(seen), 8)
      assert.strictEqual(new Set(Object.values(seen)).size, 8)
    })
  )

  it.effect("gives each fiber the same numbers at every replay, in the order in which outcomes come", () =>
    Effect.gen(function* () {
      const seen = yield* places(Random.nextInt, (look) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(Effect.andThen(Durable.wait("forked", "90 minutes"), look("forked")))
          yield* Effect.forEach(
            [3, 1, 2],
            (hours) => Effect.andThen(Durable.wait(`nap ${hours}`, `${hours} hours`), look(`after ${hours} hours`)),
            both
          )
          yield* Fiber.join(fiber)
          yield* look("joined")
          yield* Durable.wait("end", "1 hour")
        })
      )
      assert.strictEqual(new Set(Object.values(seen)).size, 5)
    })
  )

  it.effect("differs between executions", () =>
    Effect.gen(function* () {
      const draw = (name: string) =>
        places(Random.next, (look) => Effect.andThen(look("here"), Durable.wait("end", "1 hour")), { name })
      const [one, same, two] = yield* Effect.all([draw("one"), draw("one"), draw("two")])
      assert.deepStrictEqual(one, same)
      assert.notDeepEqual(one, two)
    })
  )

  it.effect("is not used up by steps, their retries and their policies, which draw from the host's", () =>
    Effect.gen(function* () {
      const hosts = yield* Random.Random.pipe(Random.withSeed(1))
      const [first, second] = [hosts.nextDoubleUnsafe(), hosts.nextDoubleUnsafe()]
      const drawn: Array<number> = []
      const draw = (withStep: boolean) =>
        places(Random.next, (look) =>
          Effect.gen(function* () {
            yield* look("before")
            if (withStep) {
              const body = Effect.gen(function* () {
                drawn.push(yield* Random.next)
                if (drawn.length === 1) return yield* Effect.die("no")
              })
              const retry: RetryPolicy.RetryPolicy = RetryPolicy.make(({ random }) =>
                Effect.sync(() => {
                  drawn.push(random)
                  return { _tag: "Retry", delaySeconds: 1 }
                })
              )
              yield* Durable.step("work", body, { retry })
            }
            yield* look("after")
            yield* Durable.wait("end", "1 hour")
          })
        )
      assert.deepStrictEqual(yield* draw(false), yield* draw(true))
      assert.lengthOf(drawn, 3)
      assert.deepStrictEqual(drawn.slice(0, 2), [first, second])
    })
  )

  it.effect("is not used up by a hold in a step either", () =>
    Effect.gen(function* () {
      const drawn: Array<number> = []
      const ran = yield* execute(
        Effect.gen(function* () {
          yield* Durable.step("draw", unchecked<number>(Durable.hold(Random.next)))
          drawn.push(yield* Random.next)
          yield* Durable.wait("replay", "1 second")
        })
      )
      assertSucceeded(ran)
      assert.lengthOf(drawn, 2)
      assert.strictEqual(drawn[0], drawn[1])
    })
  )

  it.effect("gives way to one that the program brings along, in steps too", () =>
    Effect.gen(function* () {
      const drawn: Array<number> = []
      const draw = Effect.map(Random.next, (number) => void drawn.push(number))
      const ran = yield* execute(Effect.andThen(draw, Durable.step("draw", draw)).pipe(Random.withSeed("mine")))
      const [one, two] = yield* Effect.all([Random.next, Random.next]).pipe(Random.withSeed("mine"))
      assertSucceeded(ran)
      assert.deepStrictEqual(drawn, [one, two])
    })
  )

  it.effect("of the test engine still decides the jitter of retries by its seed", () =>
    Effect.gen(function* () {
      const delayOf = (seed: number) =>
        Effect.map(
          execute(
            Effect.exit(
              Durable.step(
                "flaky",
                Effect.flatMap(Durable.StepContext, ({ attempt }) => (attempt === 1 ? Effect.die("no") : Effect.void))
              )
            ),
            { engine: { seed } satisfies TestEngine.Options }
          ),
          ({ updates }) => updates.find(({ Action }) => Action === "RETRY")?.StepOptions?.NextAttemptDelaySeconds
        )
      const delays = yield* Effect.forEach([1, 1, 2, 3, 4, 5, 6], delayOf)
      assert.strictEqual(delays[0], delays[1])
      assert.isAbove(new Set(delays).size, 1)
    })
  )
})
