/**
 * Fibers of a workflow, however they were forked: which of them goes on first is decided by outcomes, and who draws the next
 * ticket is seen by everybody.
 */
import { describe } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberMap from "effect/FiberMap"
import * as FiberSet from "effect/FiberSet"
import * as Ref from "effect/Ref"
import type { Kit } from "../support/host.ts"
import { hours, survives } from "./survives.ts"

/** Tickets with numbers, drawn by whoever comes next. */
const ticketsOf = (kit: Kit) =>
  Effect.map(Ref.make(0), (drawn) => ({
    after: (name: string, count: number) =>
      Effect.gen(function* () {
        yield* hours(`${name} comes`, count)
        const number = yield* Ref.updateAndGet(drawn, (n) => n + 1)
        yield* kit.step(`${name} has ticket ${number}`)
        return number
      })
  }))

describe("fibers", () => {
  survives("forkChild: children draw tickets in the order of their outcomes, not of their forks", {
    program: (kit) =>
      Effect.gen(function* () {
        const tickets = yield* ticketsOf(kit)
        const slow = yield* Effect.forkChild(tickets.after("slow", 8))
        const quick = yield* Effect.forkChild(tickets.after("quick", 1))
        const third = yield* tickets.after("parent", 3)
        return [yield* Fiber.join(slow), yield* Fiber.join(quick), third]
      }),
    ends: [3, 1, 2],
    log: ["quick has ticket 1", "parent has ticket 2", "slow has ticket 3"],
    hours: 8
  })

  survives("forkChild: a child that starts at once and one that starts later claim in their turns", {
    program: (kit) =>
      Effect.gen(function* () {
        const tickets = yield* ticketsOf(kit)
        const later = yield* Effect.forkChild(tickets.after("later", 2))
        const atOnce = yield* Effect.forkChild(tickets.after("at once", 6), { startImmediately: true })
        yield* Effect.yieldNow
        return yield* Fiber.joinAll([later, atOnce])
      }),
    ends: [1, 2],
    log: ["later has ticket 1", "at once has ticket 2"],
    hours: 6
  })

  survives("forkScoped: a fiber that is not done ends with its scope", {
    program: (kit) =>
      Effect.gen(function* () {
        const tickets = yield* ticketsOf(kit)
        const come = yield* Deferred.make<number>()
        yield* Effect.forkScoped(tickets.after("too late", 9))
        yield* Effect.forkScoped(
          Effect.flatMap(tickets.after("in time", 2), (number) => Deferred.succeed(come, number))
        )
        return yield* Deferred.await(come)
      }).pipe(Effect.scoped),
    ends: 1,
    log: ["in time has ticket 1"],
    hours: 2
  })

  survives("forkDetach: a fiber that outlives its parent still takes its turn", {
    program: (kit) =>
      Effect.gen(function* () {
        const tickets = yield* ticketsOf(kit)
        const both = yield* Deferred.make<number>()
        const detach = Effect.flatMap(tickets.after("child", 1), () =>
          Effect.forkDetach(Effect.flatMap(tickets.after("detached", 5), (number) => Deferred.succeed(both, number)))
        )
        yield* Effect.forkChild(detach)
        const mine = yield* tickets.after("parent", 4)
        return [mine, yield* Deferred.await(both)]
      }),
    ends: [2, 3],
    log: ["child has ticket 1", "parent has ticket 2", "detached has ticket 3"],
    hours: 6
  })

  survives("FiberSet: all fibers of the set are awaited, and end in their own order", {
    program: (kit) =>
      Effect.gen(function* () {
        const tickets = yield* ticketsOf(kit)
        const couriers = yield* FiberSet.make<number, never>()
        yield* FiberSet.run(couriers, tickets.after("third", 6))
        yield* FiberSet.run(couriers, tickets.after("first", 2))
        const second = yield* FiberSet.run(couriers, tickets.after("second", 4))
        yield* FiberSet.awaitEmpty(couriers)
        return yield* Fiber.join(second)
      }).pipe(Effect.scoped),
    ends: 2,
    log: ["first has ticket 1", "second has ticket 2", "third has ticket 3"],
    hours: 6
  })

  survives("FiberMap: a new fiber replaces the one with the same key", {
    program: (kit) =>
      Effect.gen(function* () {
        const tickets = yield* ticketsOf(kit)
        const alarms = yield* FiberMap.make<string, number, never>()
        yield* FiberMap.run(alarms, "lamp", tickets.after("the old lamp", 5))
        yield* FiberMap.run(alarms, "door", tickets.after("the door", 4))
        yield* hours("change the lamp", 2)
        yield* FiberMap.run(alarms, "lamp", tickets.after("the new lamp", 6))
        yield* FiberMap.awaitEmpty(alarms)
        return yield* FiberMap.size(alarms)
      }).pipe(Effect.scoped),
    ends: 0,
    log: ["the door has ticket 1", "the new lamp has ticket 2"],
    hours: 8
  })

  survives("Fiber.interrupt: an interrupted fiber does nothing more, even shortly before its end", {
    program: (kit) =>
      Effect.gen(function* () {
        const tickets = yield* ticketsOf(kit)
        const near = yield* Effect.forkChild(tickets.after("near", 5))
        const far = yield* Effect.forkChild(tickets.after("far", 7))
        yield* Effect.forkChild(Effect.andThen(hours("call it off", 4), Fiber.interrupt(near)))
        return yield* Fiber.join(far)
      }),
    ends: 1,
    log: ["far has ticket 1"],
    hours: 7
  })
})
