/**
 * What a Serdes does to write and read values is no part of the workflow: it may wait, draw and repeat, and has a clock and
 * dice of its own.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable, Serdes } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import { everywhere, valueOf, type Kit, type Program, type Ran } from "../support/host.ts"
import { turns } from "./outside.ts"
import { together, unhurried } from "./survives.ts"

/** Does something around each value that is written or read. */
type Around = <A, R>(effect: Effect.Effect<A, Serdes.SerdesError, R>) => Effect.Effect<A, Serdes.SerdesError, R>

const around = (wrap: Around) =>
  Serdes.layer({
    serialize: (schema, value, info) => wrap(Serdes.json.serialize(schema, value, info)),
    deserialize: (schema, text, info) => wrap(Serdes.json.deserialize(schema, text, info))
  })

const busy = new Serdes.SerdesError({ message: "busy", transient: true })

const formats: Readonly<Record<string, () => Around>> = {
  "that does nothing besides": () => (effect) => effect,
  "with a time-out": () => (effect) =>
    Effect.timeout(effect, "2 seconds").pipe(Effect.catchTag("TimeoutError", (error) => Effect.die(error))),
  "with a pause": () => (effect) => Effect.andThen(Effect.sleep("3 seconds"), effect),
  "that draws an initialisation vector": () => (effect) => Effect.andThen(Random.nextInt, effect),
  "that repeats a read with jitter": () => {
    let reads = 0
    return (effect) =>
      Effect.retry(
        Effect.suspend(() => (reads++ % 3 === 0 ? Effect.fail(busy) : effect)),
        Schedule.max([Schedule.jittered(Schedule.spaced("1 second")), Schedule.recurs(5)])
      )
  },
  "that asks a key service": () => (effect) => Effect.andThen(turns(3), effect),
  "that forks": () => (effect) =>
    Effect.map(Effect.all([effect, Effect.yieldNow, Random.next], together), ([value]) => value)
}

/** A bucket is drawn in a fiber of its own, and named by what was drawn. */
const bucketed: Program = (kit) =>
  Effect.gen(function* () {
    yield* kit.step("a")
    const [bucket] = yield* Effect.all([Random.nextIntBetween(0, 1_000_000), Effect.void], together)
    yield* kit.step(`bucket ${bucket}`)
    yield* Durable.wait("pause", "1 hour")
    return yield* kit.chance("the end")
  })

/** A lot is drawn after a child, whose inside is not replayed. */
const allotted: Program = (kit) =>
  Effect.gen(function* () {
    yield* Durable.child("child", Effect.asVoid(Effect.andThen(kit.step("in"), kit.chance("the child"))))
    yield* kit.step(`lot ${yield* Random.nextIntBetween(0, 1_000_000)}`)
    yield* Durable.wait("pause", "1 hour")
    return [yield* kit.chance("the end"), yield* kit.time("the end")].length
  })

/** Values of two fibers are written and read side by side. */
const sideBySide = (kit: Kit) =>
  Effect.gen(function* () {
    const branch = (name: string, hours: number) =>
      Effect.gen(function* () {
        yield* kit.step(`${name} begins`)
        yield* Durable.wait(`${name} waits`, `${hours} hours`)
        return yield* kit.step(`${name} ends`)
      })
    return yield* Effect.all([branch("slow", 5), branch("quick", 2)], together)
  })

const noSleeps = (ran: Ran): void =>
  assert.deepStrictEqual(
    ran.operations.filter(({ path }) => path.includes("sleep")),
    []
  )

describe("a Serdes does not disturb what the workflow draws, nor its time", () => {
  for (const [name, format] of Object.entries(formats)) {
    it.effect(
      `one ${name}, beside a number that is drawn in a fiber`,
      () => Effect.map(everywhere(bucketed, { layer: around(format()) }), noSleeps),
      unhurried
    )

    it.effect(
      `one ${name}, beside a number that is drawn after a child`,
      () => Effect.map(everywhere(allotted, { layer: around(format()) }), noSleeps),
      unhurried
    )

    it.effect(
      `one ${name}, for two fibers at once`,
      () =>
        Effect.gen(function* () {
          const ran = yield* everywhere(sideBySide, { layer: around(format()) })
          assert.deepStrictEqual(valueOf(ran), ["slow ends", "quick ends"])
          assert.deepStrictEqual(ran.log, ["slow begins", "quick begins", "quick ends", "slow ends"])
          noSleeps(ran)
        }),
      unhurried
    )
  }
})
