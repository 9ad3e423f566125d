/** Functions in the process of the engine, and an engine whose time leaps. */
import { InvokeCommand } from "@aws-sdk/client-lambda"
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableClient, DurableFunction } from "effect-durable"
import { LambdaContext } from "effect-durable/lambda"
import { LocalEngine } from "effect-durable/local"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { join } from "node:path"
import process from "node:process"
import { clientOf, folder } from "./support.ts"

class Till extends Context.Service<Till, { readonly coins: Array<number> }>()("test/Till") {
  static readonly layer = Layer.sync(this, () => ({ coins: [] }))
}

const Pay = DurableFunction.plain("pay", { payload: Schema.Int, success: Schema.String })
const Ship = DurableFunction.make("ship", { success: Schema.Int, target: "shipping:live" })
const Order = DurableFunction.make("order", { payload: Schema.Int, success: Schema.String })

const pay = Pay.implement((coin) =>
  Effect.gen(function* () {
    const { coins } = yield* Till
    coins.push(coin)
    const { functionName, tenantId } = yield* LambdaContext.LambdaContext
    return `${coins.length} coins, ${functionName} for ${tenantId ?? "nobody"}`
  })
)

const ship = Ship.implement(() =>
  Effect.gen(function* () {
    yield* Durable.wait("packing", "3 days")
    const { coins } = yield* Till
    return coins.length * 100 + (process.pid === engineProcess ? 1 : 0)
  })
)

const order = Order.implement((coin) =>
  Effect.gen(function* () {
    const paid = yield* Durable.invoke(Pay, coin, { tenantId: "acme" })
    return `${paid}, ${yield* Durable.invoke(Ship, undefined)}`
  })
)

const engineProcess = process.pid

const engine = (functions: LocalEngine.FunctionSource, options: Partial<LocalEngine.Options> = {}) =>
  Layer.build(LocalEngine.layer({ functions: [functions], database: ":memory:", port: 0, skipTime: true, ...options }))

describe("Functions in the process of the engine", () => {
  it.live("return a result of any size that is allowed, however much of it is escaped in a request", () =>
    Effect.gen(function* () {
      const Quote = DurableFunction.make("quote", { success: Schema.String })
      const quotes = '"'.repeat(1_600_000)
      const services = yield* engine(
        LocalEngine.inProcess([Quote.implement(() => Effect.succeed(quotes))], { layer: Layer.empty })
      )
      assert.isTrue((yield* Effect.provideContext(DurableClient.run(Quote), services)) === quotes)
    })
  )

  it.live("get on with a time-out of a second", () =>
    Effect.gen(function* () {
      const Brief = DurableFunction.make("brief", { success: Schema.String })
      const brief = Brief.implement(() => Durable.step("work", Effect.succeed("done")))
      const services = yield* engine(LocalEngine.inProcess([brief], { layer: Layer.empty, timeout: "1 second" }))
      assert.strictEqual(yield* Effect.provideContext(DurableClient.run(Brief), services), "done")
    })
  )

  it.live("are found by the names of their contracts and targets, and share what their layer provides", () =>
    Effect.gen(function* () {
      const services = yield* engine(LocalEngine.inProcess([order, pay, ship], { layer: Till.layer }))
      assert.deepStrictEqual(Context.get(services, LocalEngine.LocalEngine).functions, ["order", "pay", "ship"])
      const result = yield* Effect.provideContext(DurableClient.run(Order, 5), services)
      assert.strictEqual(result, "1 coins, pay for acme, 101")
    })
  )

  it.live("fail, and run out of time, as any others do", () =>
    Effect.gen(function* () {
      const fails = Pay.implement(() => Effect.die(new Error("no money")))
      const hangs = DurableFunction.plain("hangs", { payload: Schema.Int }).implement(() => Effect.never)
      const services = yield* engine(
        LocalEngine.inProcess([fails, hangs], { layer: Layer.empty, timeout: "50 millis" })
      )
      const aws = yield* clientOf(Context.get(services, LocalEngine.LocalEngine).url)
      const call = (FunctionName: string) =>
        Effect.map(
          Effect.promise(() => aws.send(new InvokeCommand({ FunctionName, Payload: "1" }))),
          ({ FunctionError, Payload }) => `${FunctionError}: ${new TextDecoder().decode(Payload)}`
        )
      assert.match(yield* call("pay"), /^Unhandled: .*no money/)
      assert.match(yield* call("hangs"), /^Unhandled: .*"Sandbox.Timedout"/)
    })
  )

  it.live("are refused with the reason why their layer cannot be built", () =>
    Effect.gen(function* () {
      const broken = Layer.effect(Till, Effect.fail(new Error("no till")))
      const error = yield* Effect.flip(engine(LocalEngine.inProcess([pay], { layer: broken })))
      assert.strictEqual(error._tag, "FunctionsError")
      assert.include(error.message, "no till")
    })
  )
})

describe("An engine whose time leaps", () => {
  it.live("leaps over waits, and not over what somebody may be about to answer", () =>
    Effect.gen(function* () {
      const Ask = DurableFunction.make("ask", { success: Schema.String })
      const open: Array<string> = []
      const ask = Ask.implement(() =>
        Durable.waitForCallback("approval", (id) => Effect.sync(() => void open.push(id)), {
          timeout: "7 days",
          success: Schema.String
        })
      )
      const services = yield* engine(LocalEngine.inProcess([ask], { layer: Layer.empty }))
      const { clock } = Context.get(services, LocalEngine.LocalEngine)
      const before = clock.currentTimeMillisUnsafe()
      const answer = Effect.gen(function* () {
        while (open.length === 0) yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
        yield* Effect.provideService(Effect.sleep("2 days"), Clock.Clock, clock)
        yield* DurableClient.callback({ success: Schema.String }).succeed(open[0] ?? "", "yes")
      })
      const [result] = yield* Effect.provideContext(
        Effect.all([DurableClient.run(Ask, undefined), answer], { concurrency: 2 }),
        services
      )
      assert.strictEqual(result, "yes")
      const days = (clock.currentTimeMillisUnsafe() - before) / 86_400_000
      assert.isAtLeast(days, 2)
      assert.isBelow(days, 7)
    })
  )

  it.live("leaps for the executions that the first one continues as, too", () =>
    Effect.gen(function* () {
      const Loop = DurableFunction.make("loop", { payload: Schema.Int, success: Schema.Int })
      const loop = Loop.implement((round) =>
        Effect.gen(function* () {
          yield* Durable.wait("a day", "1 day")
          return round === 3 ? round : yield* Durable.continueWith(Loop, round + 1)
        })
      )
      const services = yield* engine(LocalEngine.inProcess([loop], { layer: Layer.empty }))
      const { clock } = Context.get(services, LocalEngine.LocalEngine)
      const before = clock.currentTimeMillisUnsafe()
      assert.strictEqual(yield* Effect.provideContext(DurableClient.run(Loop, 1), services), 3)
      assert.isAtLeast((clock.currentTimeMillisUnsafe() - before) / 86_400_000, 3)
    })
  )

  it.live("is followed by one whose time goes on from there", () =>
    Effect.gen(function* () {
      const database = join(yield* folder, "local.db")
      const run = (skipTime: boolean) =>
        Effect.scoped(
          Effect.gen(function* () {
            const functions = LocalEngine.inProcess([pay, ship], { layer: Till.layer })
            const services = yield* engine(functions, { database, skipTime })
            const started = Effect.flatMap(DurableClient.DurableClient, (client) =>
              client.start({ functionName: "ship", qualifier: "$LATEST", type: skipTime ? "RequestResponse" : "Event" })
            )
            const { executionArn } = yield* Effect.provideContext(started, services)
            return yield* Effect.provideContext(
              Effect.flatMap(DurableClient.DurableClient, (client) => client.get(executionArn)),
              services
            )
          })
        )
      const first = yield* run(true)
      const second = yield* run(false)
      assert.isAtLeast(second.StartTimestamp, first.EndTimestamp ?? Infinity)
    })
  )
})
