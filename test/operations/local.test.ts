/**
 * What is no part of the workflow although it is built in its body: exporters, pools and caches with their timers.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable } from "effect-durable"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import { everywhere, run, valueOf } from "../support/host.ts"
import { actions, assertSucceeded, defectOf, execute, unchecked, valueOf as valueIn } from "./support.ts"

const real = (millis: number): Effect.Effect<void> =>
  Effect.promise(() => new Promise((done) => void setTimeout(done, millis)))

const names = (ran: { readonly operations: ReadonlyArray<{ readonly path: string }> }) =>
  ran.operations.flatMap(({ path }) => (path.startsWith("sleep") ? [path] : []))

describe("Durable.local", () => {
  it.effect("records nothing of what sleeps in it, and takes the time of the host", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.gen(function* () {
          const before = yield* Clock.currentTimeMillis
          const [began, ended] = yield* Durable.local(
            Effect.gen(function* () {
              const first = yield* Clock.currentTimeMillis
              yield* Effect.sleep("2 hours")
              return [first, yield* Clock.currentTimeMillis] as const
            })
          )
          return [ended - began, (yield* Clock.currentTimeMillis) - before]
        })
      )
      assert.deepStrictEqual(valueIn(ran), [2 * 3_600_000, 0])
      assert.deepStrictEqual(ran.requests, [])
      assert.strictEqual(ran.invocations, 1)
    })
  )

  it.effect("draws the numbers of the host, and leaves those of the workflow as they are", () =>
    Effect.gen(function* () {
      const drawn = new Set<number>()
      const ran = yield* run((kit) =>
        Effect.gen(function* () {
          drawn.add(yield* Durable.local(Random.next))
          yield* kit.chance("after")
          yield* Durable.wait("replay", "1 hour")
        })
      )
      assert.lengthOf(drawn, 2)
      assert.deepStrictEqual(
        ran.reports.map(({ values }) => values.length),
        [1]
      )
    })
  )

  it.effect("suspends although a fiber that it has forked goes on for ever, and leaves no fiber", () =>
    Effect.gen(function* () {
      let ticks = 0
      const exporter = Effect.forkDetach(
        Effect.repeat(
          Effect.sync(() => ++ticks),
          Schedule.spaced("5 seconds")
        )
      )
      const ran = yield* run((kit) =>
        Effect.gen(function* () {
          yield* Durable.local(exporter)
          yield* kit.step("long", { takes: "1 minute" })
          yield* Durable.wait("a day", "1 day")
          yield* kit.step("after")
        })
      )
      assert.strictEqual(ran.outcome, "completed with null")
      assert.deepStrictEqual(ran.warnings, [])
      assert.deepStrictEqual(names(ran), [])
      assert.isAbove(ticks, 10)
      assert.strictEqual(ran.fibersLeft, 0)
      assert.strictEqual(ran.invocations, 2)
    })
  )

  it.effect("suspends although a fiber that it has forked waits for a promise for ever", () =>
    Effect.gen(function* () {
      const listener = Effect.forkDetach(
        Effect.promise(() => new Promise<never>(() => {})),
        { startImmediately: true }
      )
      const ran = yield* run((kit) =>
        Effect.gen(function* () {
          yield* Durable.local(listener)
          yield* Durable.wait("a day", "1 day")
          yield* kit.step("after")
        })
      )
      assert.strictEqual(ran.outcome, "completed with null")
      assert.deepStrictEqual(ran.warnings, [])
      assert.strictEqual(ran.fibersLeft, 0)
    })
  )

  it.effect("has a promise that is asked for in it, and kept by nobody, keep nobody", () =>
    Effect.gen(function* () {
      const ran = yield* run((kit) =>
        Effect.gen(function* () {
          yield* Durable.local(
            Effect.sync(() => {
              void new Promise<never>(() => {}).then(() => {})
            })
          )
          yield* Durable.wait("a day", "1 day")
          yield* kit.step("after")
        })
      )
      assert.strictEqual(ran.outcome, "completed with null")
      assert.deepStrictEqual(ran.warnings, [])
    })
  )

  it.effect("finds an execution stuck although a fiber that it has forked goes on", () =>
    Effect.gen(function* () {
      const ran = yield* run(() =>
        Effect.andThen(
          Durable.local(Effect.forkDetach(Effect.forever(Effect.sleep("5 seconds")))),
          Effect.flatMap(Deferred.make<void>(), Deferred.await)
        )
      )
      assert.include(ran.outcome, "failed as Stuck")
      assert.strictEqual(ran.fibersLeft, 0)
    })
  )

  it.effect("is waited for while it connects, without a warning, beside waits and before steps", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere((kit) =>
        Effect.gen(function* () {
          const wait = yield* Effect.forkChild(Durable.wait("a day", "1 day"))
          const connection = yield* Durable.local(Effect.as(Effect.timeout(real(20), "1 minute"), "connected"))
          yield* kit.step("use")
          yield* Fiber.join(wait)
          yield* kit.step("after")
          return connection
        }).pipe(Effect.orDie)
      )
      assert.strictEqual(valueOf(ran), "connected")
      assert.deepStrictEqual(ran.warnings, [])
      assert.deepStrictEqual(names(ran), [])
    })
  )

  it.effect("goes on in the order of outcomes with what comes after it", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere((kit) =>
        Effect.gen(function* () {
          const log: Array<string> = []
          const branch = (name: string, hours: number) =>
            Effect.gen(function* () {
              yield* Durable.local(Effect.sleep("20 millis"))
              yield* Durable.wait(name, `${hours} hours`)
              log.push(name)
            })
          yield* Effect.all([branch("slow", 2), branch("fast", 1)], { concurrency: "unbounded" })
          yield* kit.step("after")
          return log
        })
      )
      assert.deepStrictEqual(valueOf(ran), ["fast", "slow"])
    })
  )

  it.effect("runs code of the workflow on its queue again, where time and sleeps are durable", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere((kit) =>
        Effect.gen(function* () {
          yield* Durable.local(real(5))
          yield* Effect.sleep("1 hour")
          yield* kit.time("after")
          const exit = yield* Effect.exit(Durable.local(Effect.andThen(real(5), Effect.fail("no connection"))))
          yield* Effect.sleep("1 hour")
          yield* kit.time("later")
          return exit._tag
        })
      )
      assert.strictEqual(valueOf(ran), "Failure")
      assert.deepStrictEqual(names(ran), ["sleep 3600s", "sleep 3600s"])
    })
  )

  it.effect("is interrupted with its branch", () =>
    Effect.gen(function* () {
      const ended: Array<string> = []
      const ran = yield* run((kit) =>
        Effect.gen(function* () {
          yield* Durable.race("race", [
            Durable.local(Effect.onInterrupt(Effect.never, () => Effect.sync(() => void ended.push("interrupted")))),
            kit.step("winner")
          ])
          yield* Durable.wait("a day", "1 day")
        })
      )
      assert.strictEqual(ran.outcome, "completed with null")
      assert.include(ended, "interrupted")
      assert.strictEqual(ran.fibersLeft, 0)
    })
  )

  it.effect("hands values, errors and defects through", () =>
    Effect.gen(function* () {
      const value = { a: 1 }
      assert.strictEqual(valueIn(yield* execute(Durable.local(Effect.succeed(value)))), value)
      assert.strictEqual(valueIn(yield* execute(Effect.flip(Durable.local(Effect.fail("no"))))), "no")
      assert.strictEqual(defectOf((yield* execute(Durable.local(Effect.die("broken")))).exits[0]), "broken")
    })
  )

  it.effect("is the effect itself in the body of a step", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Durable.step("step", unchecked(Durable.local(Effect.succeed("one")))))
      assert.strictEqual(valueIn(ran), "one")
    })
  )

  it.effect("refuses operations, which would have no place", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Durable.local(unchecked(Durable.step("inner", Effect.succeed(1)))))
      assert.include(String(defectOf(ran.exits[0])), "Durable.local")
      assert.deepStrictEqual(actions(ran.updates), [])
    })
  )
})

describe("Durable.local of resources", () => {
  const log: Array<string> = []
  class Pool extends Context.Service<Pool, { readonly size: number }>()("Pool") {}

  const pool = (name: string) =>
    Effect.gen(function* () {
      yield* Effect.forkScoped(Effect.forever(Effect.sleep("1 minute")))
      yield* Effect.sleep("2 seconds")
      return yield* Effect.acquireRelease(Effect.succeed({ size: 3 }), () =>
        Effect.andThen(
          Effect.sleep("2 seconds"),
          Effect.sync(() => void log.push(`${name} closed`))
        )
      )
    })

  it.effect("builds a layer on the host's clock, and closes it on that clock too", () =>
    Effect.gen(function* () {
      log.length = 0
      const layer = Layer.effect(Pool)(pool("pool"))
      const ran = yield* execute(
        Effect.gen(function* () {
          yield* Durable.wait("a day", "1 day")
          return (yield* Pool).size
        }).pipe(Effect.provide(Durable.local(layer)))
      )
      assertSucceeded(ran)
      assert.strictEqual(valueIn(ran), 3)
      assert.deepStrictEqual(actions(ran.updates), ["START a day"])
      assert.include(log, "pool closed")
    })
  )

  it.effect("keeps what it acquires open until the scope around it closes", () =>
    Effect.gen(function* () {
      log.length = 0
      const ran = yield* execute(
        Effect.gen(function* () {
          const { size } = yield* Effect.scoped(
            Effect.tap(
              Durable.local(pool("scoped")),
              Effect.sync(() => void log.push("in use"))
            )
          )
          return size
        })
      )
      assert.strictEqual(valueIn(ran), 3)
      assert.deepStrictEqual(ran.requests, [])
      assert.deepStrictEqual(log, ["in use", "scoped closed"])
    })
  )
})
