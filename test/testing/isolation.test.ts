import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, DurableClient, RetryPolicy, type CheckpointStore } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"

/** What steps do here takes as long as it likes. */
const unlimited = { invocationTimeout: Duration.infinity }

const Main = DurableFunction.make("main", { payload: Schema.Int, success: Schema.Array(Schema.Int) })
const Plain = DurableFunction.plain("plain", { payload: Schema.Int, success: Schema.Int })
const main = Main.implement(
  Effect.fnUntraced(function* (n) {
    const first = yield* Durable.step("first", Effect.as(Effect.sleep(`${n + 1} minutes`), n))
    yield* Durable.wait("pause", `${n + 1} hours`)
    const second = yield* Effect.orDie(Durable.invoke(Plain, n, { timeout: "2 days" }))
    const third = yield* Durable.step(
      "third",
      Effect.flatMap(Durable.StepContext, ({ attempt }) =>
        attempt < 2 ? Effect.die("not yet") : Effect.succeed(attempt)
      ),
      { retry: RetryPolicy.fixed({ maxAttempts: 2, delay: "1 minute" }) }
    )
    return [first, second, third]
  })
)
const plain = TestEngine.stub(Plain, (n) => Effect.as(Effect.sleep(`${n + 1} hours`), n * 10))

describe("worlds", () => {
  it.effect("run side by side without knowing of each other", () =>
    Effect.gen(function* () {
      const minutes = (n: number) => n + 1 + (n + 1) * 120 + 1
      const results = yield* Effect.forEach(
        Array.from({ length: 20 }, (_, n) => n),
        (n) =>
          Effect.gen(function* () {
            const run = yield* TestEngine.start(Main, n, { executionName: "same-name" })
            const value = yield* run.result
            const history = yield* run.history
            return { value, span: (history.at(-1)?.EventTimestamp ?? 0) - (history[0]?.EventTimestamp ?? 0) }
          }).pipe(Effect.provide(TestEngine.layer([main, plain], unlimited))),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        results,
        results.map((_, n) => ({ value: [n, n * 10, 2], span: minutes(n) * 60_000 }))
      )
    })
  )

  it.effect("are made anew each time a layer is provided, so that nothing is left of the one before", () =>
    Effect.gen(function* () {
      for (let round = 0; round < 3; round++) {
        const names = yield* Effect.gen(function* () {
          yield* TestEngine.run(Main, 1, { executionName: "order-1" })
          const client = yield* DurableClient.DurableClient
          return (yield* client.list("main", { qualifier: "$LATEST" })).items.map((item) => item.DurableExecutionName)
        }).pipe(Effect.provide(TestEngine.layer([main, plain], unlimited)))
        assert.deepStrictEqual(names, ["order-1"])
      }
    })
  )

  it.effect("hold many executions at once, in one virtual time", () =>
    Effect.gen(function* () {
      const runs = yield* Effect.forEach(
        Array.from({ length: 30 }, (_, n) => n),
        (n) => TestEngine.start(Main, n)
      )
      const values = yield* Effect.forEach(runs, (run) => run.result, { concurrency: "unbounded" })
      assert.deepStrictEqual(
        values,
        runs.map((_, n) => [n, n * 10, 2])
      )
    }).pipe(Effect.provide(TestEngine.layer([main, plain], unlimited)))
  )

  it.effect("end with their layer: what is still running is interrupted", () =>
    Effect.gen(function* () {
      const [begun, interrupted] = [yield* Deferred.make<void>(), yield* Deferred.make<string>()]
      const Stuck = DurableFunction.make("stuck")
      const body = Effect.andThen(Deferred.succeed(begun, undefined), Effect.never).pipe(
        Effect.onInterrupt(() => Deferred.succeed(interrupted, "step"))
      )
      const started = yield* Effect.gen(function* () {
        const run = yield* TestEngine.start(Stuck)
        yield* Deferred.await(begun)
        return run.executionArn
      }).pipe(Effect.provide(TestEngine.layer([Stuck.implement(() => Durable.step("step", body))])))
      assert.isNotEmpty(started)
      assert.strictEqual(yield* Deferred.await(interrupted), "step")
    })
  )
})

describe("the process", () => {
  it.effect("keeps its timers and clocks while virtual time runs", () =>
    Effect.gen(function* () {
      const before = {
        setTimeout,
        setInterval,
        setImmediate,
        clearTimeout,
        Date,
        now: Date.now,
        queueMicrotask,
        performance
      }
      const seen: Array<number> = []
      const Look = DurableFunction.make("look")
      const look = Look.implement(() =>
        Effect.gen(function* () {
          yield* Durable.wait("years", "300 days")
          yield* Durable.step(
            "look",
            Effect.sync(() => {
              seen.push(Date.now())
              assert.deepStrictEqual(
                {
                  setTimeout,
                  setInterval,
                  setImmediate,
                  clearTimeout,
                  Date,
                  now: Date.now,
                  queueMicrotask,
                  performance
                },
                before
              )
            })
          )
        })
      )
      const began = Date.now()
      yield* TestEngine.run(Look).pipe(Effect.provide(TestEngine.layer([look])))
      assert.isAtLeast(seen[0] ?? 0, began)
      assert.isAtMost(seen[0] ?? Infinity, Date.now())
    })
  )

  it.effect("and the test keep their own clock and randomness", () =>
    Effect.gen(function* () {
      const before = yield* Clock.currentTimeMillis
      const run = yield* TestEngine.start(Main, 1)
      yield* run.result
      assert.strictEqual(yield* Clock.currentTimeMillis, before)
      assert.notStrictEqual(yield* Random.next, yield* Random.next)
    }).pipe(Effect.provide(TestEngine.layer([main, plain], unlimited)))
  )

  it.live("does not need Effect's own clock for tests", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* TestEngine.run(Main, 3), [3, 30, 2])
    }).pipe(Effect.provide(TestEngine.layer([main, plain], unlimited)))
  )
})

describe("the services of functions", () => {
  class Prices extends Context.Service<Prices, { readonly of: (item: string) => number }>()("test/Prices") {}
  class Mail extends Context.Service<Mail, { readonly send: (text: string) => Effect.Effect<void> }>()("test/Mail") {}

  const Order = DurableFunction.make("order", { payload: Schema.String, success: Schema.Int })
  const order = Order.implement(
    Effect.fnUntraced(function* (item) {
      const price = yield* Durable.step(
        "price",
        Effect.map(Prices, (prices) => prices.of(item))
      )
      yield* Durable.wait("pause", "1 day")
      const mail = yield* Mail
      yield* Durable.step("mail", mail.send(`${item} for ${price}`))
      return price + (yield* Effect.orDie(Durable.invoke(Plain, 1)))
    })
  )
  const Other = DurableFunction.make("other", { success: Schema.Int })
  const other = Other.implement(() =>
    Durable.step(
      "price",
      Effect.map(Prices, (prices) => prices.of("tea"))
    )
  )

  it.effect("are what the layer requires, and each is built once", () =>
    Effect.gen(function* () {
      const sent: Array<string> = []
      let built = 0
      const services = Layer.mergeAll(
        Layer.effect(
          Prices,
          Effect.sync(() => {
            built++
            return { of: (item: string) => item.length * 100 }
          })
        ),
        Layer.succeed(Mail, { send: (text) => Effect.sync(() => void sent.push(text)) })
      )
      const layer: Layer.Layer<
        TestEngine.TestEngine | CheckpointStore.CheckpointStore | DurableClient.DurableClient,
        never,
        Prices | Mail
      > = TestEngine.layer([order, other, plain], unlimited)
      const values = yield* Effect.all([TestEngine.run(Order, "bread"), TestEngine.run(Other)]).pipe(
        Effect.provide(Layer.provide(layer, services))
      )
      assert.deepStrictEqual(values, [510, 300])
      assert.deepStrictEqual(sent, ["bread for 500"])
      assert.strictEqual(built, 1)
    })
  )

  it.effect("may be given back by the layer, for a test that looks at them", () =>
    Effect.gen(function* () {
      const sent: Array<string> = []
      const services = Layer.mergeAll(
        Layer.succeed(Prices, { of: () => 7 }),
        Layer.succeed(Mail, { send: (text) => Effect.sync(() => void sent.push(text)) })
      )
      yield* Effect.gen(function* () {
        assert.strictEqual(yield* TestEngine.run(Order, "tea"), (yield* Prices).of("tea") + 10)
      }).pipe(Effect.provide(Layer.provideMerge(TestEngine.layer([order, plain]), services)))
      assert.deepStrictEqual(sent, ["tea for 7"])
    })
  )
})
