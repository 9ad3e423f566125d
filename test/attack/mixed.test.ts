/**
 * Programs of many constructs at once, each killed at every request: queues, semaphores, fibers that are
 * replaced, finalizers, regions that cannot be interrupted, and local work between them.
 */
import { describe } from "@effect/vitest"
import { Durable, RetryPolicy } from "effect-durable"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberHandle from "effect/FiberHandle"
import * as FiberMap from "effect/FiberMap"
import * as FiberSet from "effect/FiberSet"
import * as Latch from "effect/Latch"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { Kit } from "../support/host.ts"
import { attacks, both, hours, notes } from "./everyWay.ts"

const workers = (kit: Kit, queue: Queue.Dequeue<number, Cause.Done>, note: (text: string) => Effect.Effect<void>) =>
  Effect.forEach(
    ["slow", "quick"],
    (worker) =>
      Effect.gen(function* () {
        for (;;) {
          const item = yield* Queue.take(queue)
          yield* hours(`${worker} ${item}`, worker === "slow" ? 3 : 1)
          yield* note(`${worker} ${item}`)
        }
      }).pipe(Effect.catchCause((cause) => (Cause.hasInterrupts(cause) ? Effect.failCause(cause) : Effect.void))),
    both
  ).pipe(Effect.andThen(kit.step("all done")))

/** Has a fiber beside the workflow fill a queue. */
const fedLater = (queue: Queue.Enqueue<string>) =>
  Durable.local(Effect.forkDetach(Effect.andThen(Effect.sleep("10 millis"), Queue.offer(queue, "event"))))

describe("the same in every way: messages", () => {
  attacks({
    "a Queue of work shared by workers of different speed, until it is ended": {
      program: (kit) =>
        Effect.gen(function* () {
          const { list, note } = notes()
          const queue = yield* Queue.bounded<number, Cause.Done>(2)
          const producer = Effect.andThen(
            Effect.forEach([1, 2, 3, 4, 5], (item) => Queue.offer(queue, item), { discard: true }),
            Queue.end(queue)
          )
          yield* Effect.all([producer, workers(kit, queue, note)], both)
          return list
        }).pipe(Effect.orDie),
      ends: ["quick 2", "quick 3", "slow 1", "quick 4", "slow 5"]
    },
    "a taker that gives up leaves the item for the next one": {
      program: () =>
        Effect.gen(function* () {
          const queue = yield* Queue.unbounded<string>()
          const impatient = Effect.timeoutOption(Queue.take(queue), "1 hour")
          const patient = Effect.andThen(hours("before", 2), Queue.take(queue))
          const offers = Effect.andThen(hours("offer", 3), Queue.offerAll(queue, ["a", "b"]))
          const [first, second] = yield* Effect.all([impatient, patient, offers], both)
          return [first._tag, second, yield* Queue.take(queue)]
        }).pipe(Effect.orDie),
      ends: ["None", "a", "b"]
    },
    "a PubSub that slides keeps the last for who comes late": {
      program: (kit) =>
        Effect.scoped(
          Effect.gen(function* () {
            const pubsub = yield* PubSub.sliding<number>(2)
            const subscription = yield* PubSub.subscribe(pubsub)
            const publishes = Effect.forEach(
              [1, 2, 3],
              (n) => Effect.andThen(kit.step(`publish ${n}`, { takes: `${n} minutes` }), PubSub.publish(pubsub, n)),
              both
            )
            yield* Effect.all([publishes, hours("late", 1)], both)
            return yield* PubSub.takeAll(subscription)
          })
        ),
      ends: [2, 3]
    },
    "an answer races its own time-out in the same hour": {
      program: (kit) =>
        Effect.gen(function* () {
          const answer = yield* Deferred.make<string>()
          yield* Effect.forkChild(Effect.andThen(hours("think", 1), Deferred.succeed(answer, "answer")))
          const found = yield* Effect.timeoutOption(Deferred.await(answer), "1 hour")
          yield* kit.tell("found", found._tag)
          return yield* Deferred.await(answer)
        }),
      ends: "answer"
    },
    "a Latch that opens and closes lets through who stands there": {
      program: () =>
        Effect.gen(function* () {
          const { list, note } = notes()
          const latch = yield* Latch.make(false)
          const passing = (name: string, at: number) =>
            Effect.andThen(hours(name, at), Effect.andThen(latch.await, note(name)))
          const porter = Effect.gen(function* () {
            yield* hours("open at", 2)
            yield* latch.open
            yield* latch.close
            yield* hours("again at", 4)
            yield* note("again")
            yield* latch.open
          })
          yield* Effect.all([passing("first", 1), passing("third", 3), porter], both)
          return list
        }),
      ends: ["first", "again", "third"]
    }
  })
})

describe("the same in every way: permits", () => {
  attacks({
    "a Semaphore whose holder is interrupted gives its permit to who waits longest": {
      program: (kit) =>
        Effect.gen(function* () {
          const { list, note } = notes()
          const semaphore = yield* Semaphore.make(1)
          const using = (name: string) =>
            semaphore.withPermits(1)(
              Effect.andThen(note(`${name} begins`), Effect.andThen(hours(name, 5), note(`${name} ends`)))
            )
          const first = yield* Effect.forkChild(using("first"))
          const second = yield* Effect.forkChild(using("second"))
          const third = yield* Effect.forkChild(using("third"))
          yield* hours("interrupt", 1)
          yield* Fiber.interrupt(first)
          yield* kit.step("interrupted")
          yield* Fiber.join(second)
          yield* Fiber.interrupt(third)
          return list
        }),
      ends: ["first begins", "second begins", "second ends"]
    },
    "more permits than there are wait until all are free": {
      program: () =>
        Effect.gen(function* () {
          const { list, note } = notes()
          const semaphore = yield* Semaphore.make(2)
          const use = (name: string, permits: number, time: number) =>
            semaphore.withPermits(permits)(Effect.andThen(hours(name, time), note(name)))
          yield* Effect.all([use("a", 1, 3), use("b", 1, 1), use("both", 2, 1), use("c", 1, 1)], both)
          return list
        }),
      ends: ["b", "c", "a", "both"]
    },
    "what is queued in an uninterruptible region goes on, and the time-out is seen after it": {
      program: (kit) =>
        Effect.gen(function* () {
          const region = Effect.uninterruptible(Effect.andThen(hours("region", 3), kit.step("in the region")))
          const found = yield* Effect.timeoutOption(region, "1 hour")
          return [found._tag, yield* kit.time("after the region")].length
        }),
      ends: 2,
      log: ["in the region"]
    },
    "a region with a place that can be interrupted is left there only": {
      program: (kit) =>
        Effect.gen(function* () {
          const region = Effect.uninterruptibleMask((restore) =>
            Effect.andThen(Effect.exit(restore(hours("restored", 9))), (exit) =>
              Effect.as(kit.step("masked"), Exit.hasInterrupts(exit))
            )
          )
          const fiber = yield* Effect.forkChild(region)
          yield* hours("interrupt", 1)
          yield* Fiber.interrupt(fiber)
          return "left"
        }),
      ends: "left",
      log: ["masked"]
    }
  })
})

describe("the same in every way: fibers that are replaced", () => {
  attacks({
    "a FiberHandle runs the last one only": {
      program: (kit) =>
        Effect.scoped(
          Effect.gen(function* () {
            const handle = yield* FiberHandle.make()
            for (const name of ["first", "second", "third"]) {
              yield* FiberHandle.run(handle, Effect.andThen(hours(name, 3), kit.step(`${name} done`)))
              yield* hours(`next after ${name}`, 2)
            }
            yield* hours("rest", 2)
            return "replaced"
          })
        ).pipe(Effect.orDie),
      ends: "replaced",
      log: ["third done"]
    },
    "a FiberMap replaces by key, and keeps the rest": {
      program: (kit) =>
        Effect.scoped(
          Effect.gen(function* () {
            const map = yield* FiberMap.make<string>()
            const job = (name: string) =>
              Effect.andThen(
                hours(name, 2),
                Effect.flatMap(Random.nextInt, (n) => Effect.andThen(kit.tell(name, n), kit.step(name)))
              )
            yield* FiberMap.run(map, "a", job("a1"))
            yield* FiberMap.run(map, "b", job("b1"))
            yield* hours("replace", 1)
            yield* FiberMap.run(map, "a", job("a2"))
            yield* FiberMap.awaitEmpty(map)
            return "empty"
          })
        ).pipe(Effect.orDie),
      ends: "empty",
      log: ["b1", "a2"]
    },
    "a FiberSet whose scope closes interrupts what is left, after its steps": {
      program: (kit) =>
        Effect.gen(function* () {
          yield* Effect.scoped(
            Effect.gen(function* () {
              const set = yield* FiberSet.make()
              for (const time of [1, 2, 3]) {
                yield* FiberSet.run(set, Effect.andThen(hours(`job ${time}`, time), kit.step(`done ${time}`)))
              }
              yield* hours("closes", 2.5)
            })
          )
          yield* hours("later", 2)
          return "closed"
        }),
      ends: "closed",
      log: ["done 1", "done 2"]
    },
    "a fiber in a scope that another fiber closes": {
      program: (kit) =>
        Effect.gen(function* () {
          const closed: Array<string> = []
          const scope = yield* Scope.make()
          yield* Scope.addFinalizer(
            scope,
            Effect.sync(() => void closed.push("closed"))
          )
          const fiber = yield* Effect.forkIn(Effect.andThen(hours("forked", 5), kit.step("forked done")), scope)
          yield* Effect.forkChild(Effect.andThen(hours("close", 1), Scope.close(scope, Exit.void)))
          const exit = yield* Fiber.await(fiber)
          yield* kit.step("seen")
          return [Exit.hasInterrupts(exit), closed.length]
        }),
      ends: [true, 1]
    },
    "two that interrupt each other at one time": {
      program: (kit) =>
        Effect.gen(function* () {
          const fibers: Array<Fiber.Fiber<void>> = []
          const duel = (name: string, other: number) =>
            Effect.gen(function* () {
              yield* hours(name, 1)
              yield* Fiber.interrupt(fibers[other]!)
              yield* kit.step(`${name} wins`)
            })
          fibers.push(yield* Effect.forkChild(duel("one", 1)))
          fibers.push(yield* Effect.forkChild(duel("two", 0)))
          const exits = yield* Fiber.awaitAll(fibers)
          return exits.map((exit) => exit._tag)
        }),
      ends: ["Success", "Failure"],
      log: ["one wins"]
    }
  })
})

describe("the same in every way: local work between operations", () => {
  attacks({
    "a cache with a time to live that is built locally is asked by fibers of the workflow": {
      program: (kit) =>
        Effect.gen(function* () {
          const cached = yield* Durable.local(
            Effect.cachedWithTTL(
              Effect.sync(() => "looked up"),
              "1 hour"
            )
          )
          yield* hours("before", 2)
          const found = yield* cached
          yield* kit.step(found)
          return found
        }),
      ends: "looked up",
      log: ["looked up"]
    },
    "a Queue that a local fiber fills is outside, and what is taken goes into a step": {
      program: (kit) =>
        Effect.gen(function* () {
          const queue = yield* Queue.unbounded<string>()
          yield* fedLater(queue)
          const found = yield* Durable.local(Queue.take(queue))
          yield* kit.step(`got ${found}`)
          return found
        }),
      ends: "event",
      log: ["got event"]
    },
    "a Queue that a local fiber fills, which begins while the workflow is in a step": {
      program: (kit) =>
        Effect.gen(function* () {
          const queue = yield* Queue.unbounded<string>()
          yield* fedLater(queue)
          yield* kit.step("subscribed")
          const found = yield* Durable.local(Queue.take(queue))
          yield* kit.step(`got ${found}`)
          return found
        }),
      ends: "event",
      log: ["subscribed", "got event"]
    },
    "local work in both branches of a race of waits": {
      program: (kit) =>
        Durable.race(
          "race",
          [3, 1].map((time) =>
            Effect.gen(function* () {
              yield* Durable.local(Effect.sleep("5 millis"))
              yield* hours("branch", time)
              return yield* kit.step(`won after ${time}`)
            })
          )
        ),
      ends: "won after 1"
    },
    "local work whose scope closes in a finalizer of a loser": {
      program: (kit) =>
        Effect.gen(function* () {
          const held = Effect.scoped(
            Effect.gen(function* () {
              yield* Durable.local(Effect.acquireRelease(Effect.sleep("5 millis"), () => Effect.sleep("5 millis")))
              yield* hours("holds", 9)
            })
          )
          yield* Effect.raceFirst(held, hours("winner", 1))
          return yield* kit.step("after")
        }),
      ends: "after",
      log: ["after"]
    }
  })
})

describe("the same in every way: time", () => {
  attacks({
    "nested time-outs, of which the outer one ends both": {
      program: (kit) =>
        Effect.gen(function* () {
          const inner = Effect.timeoutOption(Effect.andThen(hours("inner", 3), kit.step("inner done")), "4 hours")
          const outer = yield* Effect.timeoutOption(Effect.andThen(inner, hours("outer", 5)), "6 hours")
          yield* hours("rest", 4)
          return outer._tag
        }),
      ends: "None",
      log: ["inner done"]
    },
    "a retry with a schedule and a jitter of seeded dice": {
      program: (kit) =>
        Effect.gen(function* () {
          const tries = yield* Ref.make(0)
          const attempt = Effect.gen(function* () {
            const n = yield* Ref.updateAndGet(tries, (count) => count + 1)
            yield* kit.step(`try ${n}`)
            return n < 4 ? yield* Effect.fail("again") : n
          })
          return yield* Effect.orDie(Effect.retry(attempt, Schedule.exponential("1 hour").pipe(Schedule.jittered)))
        }),
      ends: 4,
      log: ["try 1", "try 2", "try 3", "try 4"]
    },
    "a step in its back-off is interrupted, and another one of its name goes on": {
      program: (kit) =>
        Effect.gen(function* () {
          const retry = RetryPolicy.fixed({ maxAttempts: 5, delay: "2 hours" })
          const failing = Durable.step("same", Effect.die(new Error("no")), { retry })
          const found = yield* Effect.timeoutOption(failing, "3 hours")
          const second = yield* kit.step("same")
          return [found._tag, second]
        }),
      ends: ["None", "same"]
    }
  })
})
