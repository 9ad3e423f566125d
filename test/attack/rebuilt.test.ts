/**
 * Blocks whose results are too large to keep, attacked with everything inside of them that depends on order, time and chance:
 * they run again over their records, and nobody can tell.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import { everywhere, valueOf, type Kit, type Program } from "../support/host.ts"

const large = "x".repeat(300_000)
const both = { concurrency: "unbounded" } as const

/** A block with a large result, in the middle of a workflow that goes on for two hours. */
const around =
  (inside: (kit: Kit) => Effect.Effect<unknown, never, Durable.Execution>): Program =>
  (kit) =>
    Effect.gen(function* () {
      yield* kit.step("before")
      const result = yield* Durable.child("block", Effect.as(inside(kit), large))
      yield* kit.tell("the length", result.length)
      yield* kit.time("after the block")
      yield* kit.chance("after the block")
      yield* Durable.wait("an hour", "1 hour")
      yield* kit.tell("an identifier", yield* Durable.uuid)
      yield* Durable.wait("another hour", "1 hour")
      return yield* kit.step("after")
    })

const blocks: Readonly<Record<string, (kit: Kit) => Effect.Effect<unknown, never, Durable.Execution>>> = {
  "a race whose loser is in the middle of a batch": (kit) =>
    Effect.gen(function* () {
      const winner = yield* Durable.race("race", [
        Effect.as(
          Durable.map("items", [1, 2, 3], (n) => Durable.wait(`wait ${n}`, `${n * 2} hours`), both),
          "items"
        ),
        Effect.as(Durable.wait("three hours", "3 hours"), "wait")
      ])
      yield* kit.tell("the winner", winner)
      yield* kit.time("the race")
    }),
  "a flat batch whose last item began when another one had ended": (kit) =>
    Durable.map(
      "items",
      [1, 5, 0],
      (hours) =>
        hours === 0
          ? Effect.as(kit.time("the last item"), large)
          : Effect.as(Durable.wait(`wait ${hours}`, `${hours} hours`), large),
      { concurrency: 2, flat: true }
    ),
  "a plain race of sleeps and of naps": (kit) =>
    Effect.gen(function* () {
      const winner = yield* Effect.race(
        Effect.as(Effect.sleep("2 hours"), "long"),
        Effect.as(Effect.sleep("1 hour"), "short")
      )
      yield* kit.tell("the winner", winner)
      yield* kit.tell(
        "the nap",
        yield* Effect.race(
          Effect.as(Effect.sleep("400 millis"), "long"),
          Effect.as(Effect.sleep("300 millis"), "short")
        )
      )
      yield* kit.time("the race")
    }),
  "a queue between fibers": (kit) =>
    Effect.gen(function* () {
      const queue = yield* Queue.unbounded<string>()
      for (const [index, name] of ["c", "a", "b"].entries()) {
        yield* Effect.forkChild(
          Effect.andThen(
            Effect.andThen(Durable.wait(name, `${3 - index} hours`), Queue.offer(queue, name)),
            Effect.void
          )
        )
      }
      yield* kit.tell("the order", [yield* Queue.take(queue), yield* Queue.take(queue), yield* Queue.take(queue)])
    }),
  "random numbers in forks": (kit) =>
    Effect.gen(function* () {
      const drawn = yield* Effect.all(
        [1, 2, 3].map((n) => Effect.andThen(Durable.wait(`wait ${n}`, `${4 - n} hours`), Random.nextInt)),
        both
      )
      yield* kit.tell("the numbers", drawn)
      yield* kit.tell("an identifier inside", yield* Durable.uuid)
    }),
  "a retry that fails twice": (kit) =>
    Effect.gen(function* () {
      const tried = yield* Effect.exit(
        Durable.retry(
          "retry",
          Effect.andThen(Effect.exit(kit.failing("fails")), Effect.die(new Error("again"))),
          RetryPolicy.fixed({ maxAttempts: 3, delay: "1 hour" })
        )
      )
      yield* kit.tell("how it ended", tried._tag)
      yield* kit.time("the retry")
    }),
  "Effect.repeat with a schedule": (kit) =>
    Effect.gen(function* () {
      yield* Effect.repeat(kit.step("tick"), { schedule: Schedule.jittered(Schedule.spaced("1 hour")), times: 3 })
      yield* kit.time("the ticks")
    }),
  "another large block": (kit) =>
    Effect.gen(function* () {
      const inner = yield* Durable.child(
        "inner",
        Effect.as(Effect.andThen(Durable.wait("inside", "1 hour"), kit.chance("inside")), large)
      )
      yield* kit.tell("the inner length", inner.length)
      yield* kit.time("the inner block")
    }),
  "a large batch": (kit) =>
    Effect.gen(function* () {
      const items = yield* Durable.map(
        "items",
        [3, 1, 2],
        (n) => Effect.as(Effect.andThen(Durable.wait("item wait", `${n} hours`), kit.time(`item ${n}`)), large),
        { concurrency: 2 }
      )
      yield* kit.tell("the items", items.values.length)
    }),
  "a child that is left when its fiber is interrupted": (kit) =>
    Effect.gen(function* () {
      yield* Effect.raceFirst(Durable.child("left", Durable.wait("never", "9 days")), kit.step("quick"))
      yield* Effect.timeoutOption(Durable.child("cut", Durable.wait("never", "9 days")), "1 hour")
      yield* kit.time("the cut")
    }),
  "a change of the code": (kit) =>
    Effect.gen(function* () {
      yield* kit.tell("applies", yield* Durable.patched("change"))
      yield* Durable.wait("inside", "1 hour")
      yield* kit.tell("applies still", yield* Durable.patched("change"))
    }),
  "a callback that nobody awaits inside": (kit) =>
    Effect.gen(function* () {
      const { callbackId } = yield* Durable.callback("callback", { timeout: "1 hour" })
      yield* kit.tell("an id", callbackId.length > 0)
      yield* Durable.wait("inside", "2 hours")
      yield* kit.time("inside")
    })
}

describe("a block whose result is too large to keep is rebuilt", () => {
  for (const [name, inside] of Object.entries(blocks)) {
    it.effect(`with ${name} in it`, () =>
      Effect.gen(function* () {
        const ran = yield* everywhere(around(inside))
        assert.strictEqual(valueOf(ran), "after")
      })
    )
  }
})
