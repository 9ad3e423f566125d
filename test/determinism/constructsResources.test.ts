/**
 * Resources and regions: what is acquired, protected or interrupted while outcomes compete is released once, at the real
 * end, in the order that the outcomes made.
 */
import { describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Ref from "effect/Ref"
import { hours, survives, together } from "./survives.ts"

describe("resources", () => {
  survives("acquireRelease: resources of two fibers are released once, the last one first", {
    program: (kit) =>
      Effect.gen(function* () {
        const open = (name: string, count: number) =>
          Effect.andThen(
            hours(`find ${name}`, count),
            Effect.acquireRelease(kit.step(`open ${name}`), () => kit.step(`close ${name}`))
          )
        const opened = yield* Effect.all([open("the vault", 3), open("the door", 1)], together)
        yield* hours("carry", 2)
        return opened
      }).pipe(Effect.scoped),
    ends: ["open the vault", "open the door"],
    log: ["open the door", "open the vault", "close the vault", "close the door"],
    hours: 5
  })

  survives("acquireUseRelease: a loser releases its resource before the winner continues", {
    program: (kit) =>
      Effect.raceFirst(
        Effect.acquireUseRelease(
          kit.step("rent a car"),
          () => Effect.as(hours("drive", 9), "by car"),
          () => kit.step("return the car")
        ),
        Effect.andThen(kit.step("put on boots"), Effect.as(hours("walk", 2), "on foot"))
      ),
    ends: "on foot",
    log: ["rent a car", "put on boots", "return the car"],
    hours: 2
  })

  survives("uninterruptible: a time-out waits for the end of the region", {
    program: (kit) =>
      Effect.gen(function* () {
        const done = yield* Ref.make("nothing")
        const region = Effect.andThen(hours("work", 5), Ref.set(done, "everything"))
        const option = yield* Effect.timeoutOption(Effect.uninterruptible(region), "2 hours")
        yield* kit.step(`finish with ${option._tag}`)
        return [option._tag, yield* Ref.get(done)]
      }),
    ends: ["None", "everything"],
    log: ["finish with None"],
    hours: 5,
    sleeps: ["sleep 7200s"]
  })

  survives("uninterruptible: a fiber that is called off goes on to the end of its region, and no further", {
    program: (kit) =>
      Effect.gen(function* () {
        const reached = yield* Ref.make("the end of the region")
        const fiber = yield* Effect.forkChild(
          Effect.andThen(
            Effect.uninterruptible(Effect.andThen(kit.step("begin"), hours("must be done", 4))),
            Effect.andThen(Ref.set(reached, "what follows"), kit.step("never done"))
          ),
          { startImmediately: true }
        )
        yield* kit.step("look on")
        yield* hours("call it off", 2)
        yield* Fiber.interrupt(fiber)
        yield* kit.time("called off")
        return yield* Ref.get(reached)
      }),
    ends: "the end of the region",
    log: ["begin", "look on"],
    hours: 4
  })

  survives("onInterrupt: operations in its finalizer run once, at an interruption and not at a suspension", {
    program: (kit) =>
      Effect.gen(function* () {
        const called = (name: string, count: number) =>
          Effect.onInterrupt(Effect.andThen(hours(name, count), kit.step(`${name} is done`)), () =>
            kit.step(`${name} is called off`)
          )
        const late = yield* Effect.forkChild(called("late", 5))
        const early = yield* Effect.forkChild(called("early", 1))
        yield* hours("call them off", 3)
        yield* Fiber.interruptAll([late, early])
        return yield* Fiber.join(early)
      }),
    ends: "early is done",
    log: ["early is done", "late is called off"],
    hours: 3
  })

  survives("ensuring: the finalizer of a branch that fails runs before those of the branches that it ends", {
    program: (kit) =>
      Effect.all(
        [
          Effect.ensuring(hours("long", 8), kit.step("tidy up after long")),
          Effect.ensuring(
            Effect.andThen(hours("short", 2), kit.failing("short fails")),
            kit.step("tidy up after short")
          )
        ],
        together
      ).pipe(Effect.catchTag("Refused", ({ why }) => Effect.succeed(why))),
    ends: "short fails",
    log: ["short fails", "tidy up after short", "tidy up after long"],
    hours: 2
  })
})
