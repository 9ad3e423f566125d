/** Executions of one world that share something in memory, as those do that run in one process. */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"

class Limit extends Context.Service<Limit, Semaphore.Semaphore>()("test/Limit") {}
class Signal extends Context.Service<Signal, Deferred.Deferred<string>>()("test/Signal") {}

const Work = DurableFunction.make("work", { payload: Schema.Int, success: Schema.Int })
const Listener = DurableFunction.make("listener", { success: Schema.String })
const Sender = DurableFunction.make("sender")

const both = { concurrency: "unbounded" } as const

describe("executions of one world", () => {
  it.live("wait for each other's permits", () =>
    Effect.gen(function* () {
      const work = Work.implement((n) =>
        Effect.flatMap(Limit, (limit) =>
          limit.withPermits(1)(Durable.step("s", Effect.as(Effect.sleep("1 minute"), n)))
        )
      )
      const found = yield* Effect.forEach([1, 2, 3], (n) => TestEngine.run(Work, n), both).pipe(
        Effect.provide(TestEngine.layer([work])),
        Effect.provide(Layer.effect(Limit)(Semaphore.make(1)))
      )
      assert.deepStrictEqual(found, [1, 2, 3])
    })
  )

  const listener = Listener.implement(() => Effect.flatMap(Signal, Deferred.await))

  it.live("hear from each other, however long that takes", () =>
    Effect.gen(function* () {
      const sender = Sender.implement(() =>
        Effect.gen(function* () {
          yield* Durable.step("long", Effect.sleep("10 minutes"))
          yield* Effect.flatMap(Signal, Deferred.succeed("done"))
        })
      )
      const [heard] = yield* Effect.all([TestEngine.run(Listener), TestEngine.run(Sender)], both).pipe(
        Effect.provide(TestEngine.layer([listener, sender])),
        Effect.provide(Layer.effect(Signal)(Deferred.make<string>()))
      )
      assert.strictEqual(heard, "done")
    })
  )

  it.live("are stuck once nobody is left to be heard from", () =>
    Effect.gen(function* () {
      const sender = Sender.implement(() => Durable.step("long", Effect.sleep("1 minute")))
      const [heard, sent] = yield* Effect.all(
        [Effect.exit(TestEngine.run(Listener)), Effect.exit(TestEngine.run(Sender))],
        both
      ).pipe(
        Effect.provide(TestEngine.layer([listener, sender])),
        Effect.provide(Layer.effect(Signal)(Deferred.make<string>()))
      )
      assert.include(Exit.isFailure(heard) ? String(heard.cause) : "", "Stuck")
      assert.isTrue(Exit.isSuccess(sent))
    })
  )
})
