/**
 * What fibers, branches and items share, attacked with Effect's ways to share: transactions, permits, queues, caches.
 */
import { describe } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as PartitionedSemaphore from "effect/PartitionedSemaphore"
import * as Queue from "effect/Queue"
import * as Semaphore from "effect/Semaphore"
import * as SynchronizedRef from "effect/SynchronizedRef"
import * as TxDeferred from "effect/TxDeferred"
import * as TxQueue from "effect/TxQueue"
import * as TxRef from "effect/TxRef"
import * as TxSemaphore from "effect/TxSemaphore"
import { attacks, both, hours, part } from "./everyWay.ts"

describe("the same in every way: fibers share", () => {
  attacks({
    "a transaction that retries until another fiber has paid in": {
      program: (kit) =>
        Effect.gen(function* () {
          const balance = yield* TxRef.make(0)
          const withdraw = (amount: number) =>
            Effect.gen(function* () {
              const now = yield* TxRef.get(balance)
              if (now < amount) return yield* Effect.txRetry
              yield* TxRef.set(balance, now - amount)
              return amount
            }).pipe(Effect.tx)
          const buyer = (name: string, amount: number) => Effect.andThen(withdraw(amount), kit.step(`${name} bought`))
          const payer = Effect.forEach([1, 2, 3], (n) =>
            Effect.andThen(
              hours(`pay ${n}`, 1),
              TxRef.update(balance, (now) => now + 10)
            )
          )
          yield* Effect.all([buyer("rich", 20), buyer("poor", 5), payer], both)
          return yield* TxRef.get(balance)
        }),
      ends: 5,
      log: ["poor bought", "rich bought"]
    },
    "a transactional queue between fibers": {
      program: (kit) =>
        Effect.gen(function* () {
          const queue = yield* TxQueue.bounded<string>(1)
          const producer = (name: string, at: number) => Effect.andThen(hours(name, at), TxQueue.offer(queue, name))
          const consumer = Effect.gen(function* () {
            const seen: Array<string> = []
            for (let n = 0; n < 3; n++) {
              const item = yield* TxQueue.take(queue)
              yield* hours(`takes ${item}`, 1.5)
              seen.push(yield* kit.step(`take ${item}`))
            }
            return seen
          })
          const [seen] = yield* Effect.all([consumer, producer("c", 3), producer("a", 1), producer("b", 2)], both)
          return seen
        }),
      ends: ["take a", "take b", "take c"]
    },
    "a SynchronizedRef whose change is a step": {
      program: (kit) =>
        Effect.gen(function* () {
          const ref = yield* SynchronizedRef.make("")
          const add = (name: string, at: number) =>
            Effect.andThen(
              hours(name, at),
              SynchronizedRef.updateEffect(ref, (text) =>
                Effect.as(Effect.andThen(hours("change", 2), kit.step(name)), text + name)
              )
            )
          yield* Effect.all([add("c", 3), add("a", 1), add("b", 2)], both)
          return yield* SynchronizedRef.get(ref)
        }),
      ends: "abc",
      log: ["a", "b", "c"]
    },
    "a Semaphore with permits that grow, and a Latch that opens twice": {
      program: (kit) =>
        Effect.gen(function* () {
          const order: Array<string> = []
          const semaphore = yield* Semaphore.make(1)
          const latch = yield* Latch.make(false)
          const job = (name: string, time: number) =>
            latch.whenOpen(
              semaphore.withPermits(1)(
                Effect.andThen(
                  hours(name, time),
                  Effect.andThen(
                    kit.step(name),
                    Effect.sync(() => void order.push(name))
                  )
                )
              )
            )
          const porter = Effect.gen(function* () {
            yield* hours("open", 1)
            yield* latch.open
            yield* hours("grow", 1)
            yield* semaphore.resize(3)
          })
          yield* Effect.all([job("a", 4), job("b", 2), job("c", 1), porter], both)
          return order
        }),
      ends: ["c", "b", "a"]
    },
    "permits by key in a PartitionedSemaphore, in a TxSemaphore, and a TxDeferred": {
      program: (kit) =>
        Effect.gen(function* () {
          const order: Array<string> = []
          const note = (s: string) => Effect.sync(() => void order.push(s))
          const byKey = yield* PartitionedSemaphore.make<string>({ permits: 1 })
          const tx = yield* TxSemaphore.make(1)
          const go = yield* TxDeferred.make<string>()
          const job = (name: string, key: string, time: number) =>
            PartitionedSemaphore.withPermits(byKey, key, 1)(Effect.andThen(hours(name, time), note(name)))
          yield* Effect.all(
            [
              job("a1", "a", 2),
              job("b1", "b", 1),
              job("a2", "a", 1),
              TxSemaphore.withPermit(tx)(Effect.andThen(hours("t1", 4), note("t1"))),
              TxSemaphore.withPermit(tx)(
                Effect.andThen(hours("t2", 1), Effect.andThen(note("t2"), TxDeferred.succeed(go, "go")))
              ),
              Effect.flatMap(TxDeferred.await(go), (text) => Effect.andThen(note(text), kit.step(text)))
            ],
            both
          )
          return order
        }),
      ends: ["a1", "b1", "t1", "a2", "t2", "go"]
    }
  })
})

describe("the same in every way: branches share", () => {
  attacks({
    "an Effect.cached part that two flat items share is undone once": {
      program: (kit) =>
        Effect.gen(function* () {
          const shared = yield* Effect.cached(part(kit, "shared", 0, 1))
          yield* Durable.forEach(
            "items",
            [1, 2, 3],
            (n) => Effect.andThen(hours("w", n), Effect.andThen(shared, part(kit, `own ${n}`))),
            { ...both, flat: true }
          )
          return yield* kit.failing("pay")
        }),
      ends: "failed as Refused: "
    },
    "a Queue between flat branches of a Durable.all": {
      program: (kit) =>
        Effect.gen(function* () {
          const queue = yield* Queue.bounded<number>(1)
          const [, seen] = yield* Durable.all(
            "both",
            [
              Effect.as(
                Effect.forEach([1, 2, 3], (n) => Effect.andThen(hours("p", 1), Queue.offer(queue, n))),
                0
              ),
              Effect.forEach([1, 2, 3], () =>
                Effect.flatMap(Queue.take(queue), (n) => Effect.andThen(hours("c", 2), kit.step(`took ${n}`)))
              )
            ],
            { ...both, flat: true }
          )
          return seen
        }),
      ends: ["took 1", "took 2", "took 3"]
    },
    "a part within a part within a race within a map within a time-out": {
      program: (kit) =>
        Effect.gen(function* () {
          const deep = (n: number) =>
            Durable.race("race", [
              Effect.as(
                Durable.withCompensation(
                  `outer ${n}`,
                  Effect.gen(function* () {
                    yield* part(kit, `inner ${n}`)
                    yield* hours("between", n)
                    return yield* kit.step(`outer ${n}`)
                  }),
                  () => kit.step(`undo outer ${n}`)
                ),
                n
              ),
              Effect.as(hours("limit", 3), 0)
            ])
          const exit = yield* Effect.exit(
            Durable.timeout(
              "time-out",
              Effect.map(Durable.map("map", [1, 2, 5], deep), (r) => r.values),
              "2 hours"
            )
          )
          yield* kit.tell("exit", exit._tag)
          yield* hours("later", 4)
          return yield* kit.failing("pay")
        }),
      ends: "failed as Refused: ",
      except: ["awake"]
    }
  })
})
