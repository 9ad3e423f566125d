/**
 * Time and chance where no fiber runs: what hears of the end of a fiber runs between two of them, and Effect's own caches look
 * at the time there.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as Cache from "effect/Cache"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { everywhere, run, valueOf, type Kit } from "../support/host.ts"

const cached = (kit: Kit) =>
  Effect.gen(function* () {
    const cache = yield* Cache.make({
      capacity: 10,
      timeToLive: "3 hours",
      lookup: (key: string) => kit.step(`look up ${key}`)
    })
    yield* Cache.get(cache, "rate")
    yield* Durable.wait("four", "4 hours")
    yield* Cache.get(cache, "rate")
    return yield* kit.step("after")
  })

describe("a cache with a time to live", () => {
  it.effect("looks up again what has outlived it", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere(cached)
      assert.deepStrictEqual(ran.log, ["look up rate", "look up rate", "after"])
    })
  )

  it.effect("does so in an invocation that is kept awake, as on the replay", () =>
    Effect.gen(function* () {
      const ran = yield* run((kit) =>
        Effect.gen(function* () {
          yield* Effect.forkChild(Durable.step("long", Effect.sleep("5 hours")))
          const found = yield* cached(kit)
          yield* Durable.wait("a day", "1 day")
          return found
        })
      )
      assert.strictEqual(valueOf(ran), "after")
    })
  )
})

describe("who hears of the end of a fiber", () => {
  it.effect("sees the time and the numbers of the workflow", () =>
    Effect.gen(function* () {
      const ran = yield* run((kit) =>
        Effect.gen(function* () {
          const clock = yield* Clock.Clock
          const random = yield* Random.Random
          const seen = yield* Deferred.make<readonly [number, number]>()
          const fiber = yield* Effect.forkChild(Durable.wait("five", "5 hours"))
          fiber.addObserver(() => {
            const both = [clock.currentTimeMillisUnsafe(), random.nextIntUnsafe()] as const
            Deferred.doneUnsafe(seen, Effect.succeed(both))
          })
          const [now, number] = yield* Deferred.await(seen)
          yield* kit.tell("the time", now)
          yield* kit.tell("the number", number)
          yield* Durable.wait("an hour", "1 hour")
          return yield* kit.step("after")
        })
      )
      assert.deepStrictEqual(
        ran.reports.map(({ place, values }) => [place, values.length]),
        [
          ["the time", 1],
          ["the number", 1]
        ]
      )
    })
  )

  it.effect("sees those of the host in the body of a step", () =>
    Effect.gen(function* () {
      const ran = yield* run((kit) =>
        Effect.gen(function* () {
          yield* Durable.wait("a day", "1 day")
          const before = yield* Clock.currentTimeMillis
          const inside = yield* Durable.step(
            "look",
            Effect.gen(function* () {
              const cache = yield* Cache.make({
                capacity: 1,
                timeToLive: "1 hour",
                lookup: () => Effect.succeed("kept")
              })
              yield* Effect.sleep("30 minutes")
              const found = yield* Cache.get(cache, "key")
              yield* Effect.sleep("30 minutes")
              return [found, yield* Cache.has(cache, "key")] as const
            })
          )
          yield* kit.tell("inside", [before > 0, ...inside])
          return yield* kit.step("after")
        })
      )
      assert.strictEqual(valueOf(ran), "after")
    })
  )
})
