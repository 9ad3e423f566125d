/**
 * Fibers that are begun in ways of their own: from plain code, inside of their parents, without a parent; and those that are left.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberMap from "effect/FiberMap"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import { PreventSchedulerYield } from "effect/Scheduler"
import { everywhere, run } from "../support/host.ts"
import { attacks, both, hours, part } from "./everyWay.ts"

describe("the same in every way: fibers", () => {
  attacks({
    "plain code that runs an effect synchronously with the workflow's services": {
      program: (kit) =>
        Effect.gen(function* () {
          const services = yield* Effect.context<Durable.Execution>()
          const seen: Array<number> = []
          for (const n of [1, 2, 3]) {
            yield* hours("w", n)
            const now = Effect.runSyncWith(services)(Clock.currentTimeMillis)
            const dice = Effect.runSyncWith(services)(Random.nextInt)
            seen.push(Math.round((now % 86_400_000) / 3_600_000))
            yield* kit.tell(`dice ${n}`, dice)
          }
          return seen
        }),
      ends: [1, 3, 6]
    },
    "a bare callback that another fiber resumes": {
      program: (kit) =>
        Effect.gen(function* () {
          const waiting: Array<(effect: Effect.Effect<string>) => void> = []
          const take = Effect.callback<string>((resume) => void waiting.push(resume))
          const give = (text: string) => Effect.sync(() => waiting.shift()?.(Effect.succeed(text)))
          const [a, b] = yield* Effect.all(
            [
              Effect.tap(take, (t) => kit.step(`x ${t}`)),
              Effect.tap(take, (t) => kit.step(`y ${t}`)),
              Effect.andThen(hours("w", 2), give("late")),
              Effect.andThen(hours("v", 1), give("early"))
            ],
            both
          )
          return [a, b]
        }),
      ends: ["early", "late"],
      log: ["x early", "y late"]
    },
    "fibers that start at once, inside of their parents": {
      program: (kit) =>
        Effect.gen(function* () {
          const order: Array<string> = []
          const job = (name: string, time: number): Effect.Effect<string, never, Durable.Execution> =>
            Effect.gen(function* () {
              order.push(`${name} starts`)
              const n = yield* Random.nextIntBetween(0, 9)
              yield* kit.tell(`${name} dice`, n)
              const id = yield* Durable.uuid
              yield* kit.tell(`${name} id`, id)
              yield* hours("same", time)
              order.push(name)
              return yield* kit.step("same", { value: name })
            })
          const fibers = [
            yield* Effect.forkChild(job("a", 3), { startImmediately: true }),
            yield* Effect.forkChild(job("b", 2)),
            yield* Effect.forkChild(job("c", 1), { startImmediately: true })
          ]
          order.push("parent")
          const values = yield* Effect.forEach(fibers, Fiber.join)
          return [order.join(" "), values.join()]
        }),
      ends: ["a starts c starts parent b starts c b a", "a,b,c"]
    },
    "fibers that a FiberSet's runtime runs from plain code": {
      program: (kit) =>
        Effect.scoped(
          Effect.gen(function* () {
            const set = yield* FiberSet.make<void, never>()
            const runFork = yield* FiberSet.runtime(set)<Durable.Execution>()
            const order: Array<string> = []
            const job = (name: string, time: number) =>
              Effect.andThen(
                hours(name, time),
                Effect.andThen(
                  kit.step(`done ${name}`),
                  Effect.sync(() => void order.push(name))
                )
              )
            ;["x", "y", "z"].forEach((name, index) => runFork(job(name, 3 - index)))
            yield* hours("beside", 1)
            runFork(job("late", 1))
            yield* FiberSet.awaitEmpty(set)
            return order
          })
        ),
      ends: ["z", "y", "late", "x"]
    },
    "a fiber that Effect.runForkWith starts with the workflow's services": {
      program: (kit) =>
        Effect.gen(function* () {
          const services = yield* Effect.context<Durable.Execution>()
          const answer = yield* Deferred.make<string>()
          Effect.runForkWith(services)(
            Effect.andThen(
              hours("in the fiber", 2),
              Effect.andThen(kit.step("fiber"), Deferred.succeed(answer, "from a fiber"))
            )
          )
          const first = yield* Effect.raceFirst(Deferred.await(answer), Effect.as(hours("beside", 1), "beside"))
          return [first, yield* Deferred.await(answer)]
        }),
      ends: ["beside", "from a fiber"],
      log: ["fiber"]
    },
    "a FiberMap of tools that an agent starts, cancels and waits for": {
      program: (kit) =>
        Effect.scoped(
          Effect.gen(function* () {
            const tools = yield* FiberMap.make<string, void, never>()
            const inbox = yield* Queue.unbounded<string>()
            const start = (name: string, time: number) =>
              FiberMap.run(
                tools,
                name,
                Effect.gen(function* () {
                  yield* hours(`tool ${name}`, time)
                  yield* kit.step(`result ${name}`)
                  yield* Queue.offer(inbox, name)
                })
              )
            yield* start("search", 2)
            yield* start("read", 5)
            yield* start("browse", 9)
            const seen: Array<string> = []
            while (seen.length < 4) {
              const message = yield* Effect.timeoutOption(Queue.take(inbox), "4 hours")
              const name = Option.getOrElse(message, () => "nothing")
              seen.push(name)
              yield* kit.step(`think about ${name} ${seen.length}`)
              if (name === "search") yield* start("write", 6)
              if (name === "read") yield* FiberMap.remove(tools, "browse")
            }
            return seen
          })
        ),
      ends: ["search", "read", "write", "nothing"]
    },
    "a fiber that computes for long beside fibers that talk": {
      program: (kit) =>
        Effect.gen(function* () {
          const queue = yield* Queue.unbounded<string>()
          const compute = (name: string) =>
            Effect.gen(function* () {
              yield* hours("w", 1)
              let n = 0
              for (let i = 0; i < 60_000; i++) n += yield* Effect.suspend(() => Effect.succeed(1))
              yield* Queue.offer(queue, name)
              yield* kit.step(`${name} ${n}`)
            })
          const [, , , a, b, c] = yield* Effect.all(
            [
              compute("x"),
              Effect.andThen(hours("v", 1), Queue.offer(queue, "v")),
              compute("y"),
              Queue.take(queue),
              Queue.take(queue),
              Queue.take(queue)
            ],
            both
          )
          return [a, b, c]
        }),
      ends: ["x", "v", "y"]
    },
    "a detached, disconnected region that cannot be interrupted goes on after its time-out": {
      program: (kit) =>
        Effect.gen(function* () {
          const region = Effect.uninterruptible(
            Effect.andThen(kit.step("a"), Effect.andThen(hours("w", 3), kit.step("b")))
          )
          const found = yield* Effect.timeoutOption(Effect.flatMap(Effect.forkDetach(region), Fiber.join), "1 hour")
          yield* kit.step(`after ${found._tag}`)
          yield* hours("later", 5)
          return found._tag
        }),
      ends: "None",
      log: ["a", "after None", "b"]
    },
    "a region that cannot be interrupted, and that nobody waits for, is left at the end": {
      program: (kit) =>
        Effect.gen(function* () {
          yield* Effect.forkDetach(
            Effect.uninterruptible(Effect.andThen(kit.step("a"), Effect.andThen(hours("w", 3), kit.step("b"))))
          )
          yield* hours("v", 1)
          return "over"
        }),
      ends: "over",
      bare: true,
      log: ["a"]
    },
    "a fiber with a durable finalizer that is left at the end": {
      program: (kit) =>
        Effect.gen(function* () {
          yield* Effect.forkDetach(
            Durable.onExit(hours("w", 30), (exit) => Effect.andThen(hours("tidy", 1), kit.step(`tidy ${exit._tag}`)))
          )
          yield* part(kit, "a", 0, 1)
          yield* hours("v", 1)
          return yield* kit.failing("pay")
        }),
      ends: "failed as Refused: ",
      log: ["do a", "pay", "tidy Failure", "undo a"]
    },
    "a callback that is made in a fiber that is interrupted before it has an id": {
      program: (kit) =>
        Effect.gen(function* () {
          const first = yield* Effect.forkChild(Durable.callback("c"))
          yield* Effect.yieldNow
          yield* Fiber.interrupt(first)
          const second = yield* Durable.callback("c", { timeout: "2 hours" })
          const exit = yield* Effect.exit(second.await)
          yield* kit.step("after")
          return exit._tag
        }).pipe(Effect.orDie),
      ends: "Failure",
      log: ["after"]
    }
  })
})

describe("a bridge to promises", () => {
  it.effect("inside of work outside takes an operation to its end", () =>
    Effect.gen(function* () {
      const ran = yield* run(
        (kit) =>
          Effect.gen(function* () {
            const services = yield* Effect.context<Durable.Execution>()
            const value = yield* Effect.promise(() =>
              Effect.runPromiseWith(services)(Effect.andThen(hours("w", 1), kit.step("inside")))
            )
            yield* hours("v", 1)
            return value
          }),
        { engine: { outsideLimit: "200 millis" } }
      )
      assert.strictEqual(ran.outcome, 'completed with "inside"')
      assert.deepStrictEqual(ran.log, ["inside"])
    })
  )
})

describe("a host whose fibers never ask to yield", () => {
  const layer = Layer.succeed(PreventSchedulerYield, true)

  it.effect("interrupts what the workflow leaves behind", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere(
        (kit) =>
          Effect.gen(function* () {
            yield* Effect.forkDetach(Effect.never)
            yield* hours("w", 1)
            return yield* kit.step("done")
          }),
        { layer }
      )
      assert.strictEqual(ran.outcome, 'completed with "done"')
    })
  )

  it.effect("waits for a promise", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere(
        (kit) =>
          Effect.andThen(
            Effect.promise(() => Promise.resolve()),
            kit.step("done")
          ),
        { layer }
      )
      assert.strictEqual(ran.outcome, 'completed with "done"')
    })
  )
})

describe("a fiber that is left behind at the end", () => {
  const Left = DurableFunction.make("left", { success: Schema.String })
  const left = Left.implement(() =>
    Durable.raceFirst("race", [
      Durable.onExit(Effect.succeed("lost"), () => Durable.step("tidy", Effect.void)),
      Effect.as(Effect.forkDetach(Effect.uninterruptible(Effect.sleep("6 seconds"))), "won")
    ])
  )

  it.effect("keeps nothing from being recorded that was queued before", () =>
    Effect.gen(function* () {
      const { operations, result } = yield* TestEngine.start(Left)
      assert.strictEqual(yield* result, "won")
      assert.deepStrictEqual(
        (yield* operations()).map(({ Name, Status }) => `${Name} ${Status}`),
        ["race SUCCEEDED", "tidy SUCCEEDED"]
      )
    }).pipe(Effect.provide(TestEngine.layer([left], { invocationTimeout: Infinity })))
  )
})
