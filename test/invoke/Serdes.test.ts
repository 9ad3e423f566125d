import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, Serdes } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { sent, soon, Double, double, executionFailed, runToEnd, spy } from "./support.ts"

describe("a serdes", () => {
  /** Writes numbers in another base, as a function in another language might want them. */
  const base = (radix: number): Serdes.Codec<number> =>
    Serdes.make<number>({
      serialize: (n) => `base${radix}:${n.toString(radix)}`,
      deserialize: (text) => {
        const prefix = `base${radix}:`
        if (text === undefined || !text.startsWith(prefix)) throw new Error(`Expected ${prefix}, found ${text}`)
        return Number.parseInt(text.slice(prefix.length), radix)
      }
    })

  it.effect("of the contract writes the payload, and another one reads the result", () =>
    Effect.gen(function* () {
      const Next = DurableFunction.plain("next", {
        payload: Schema.Int,
        success: Schema.Int,
        payloadSerdes: base(2),
        successSerdes: base(16)
      })
      const { calls, stub } = spy(Next, (n) => Effect.succeed(n + 1))
      const ended = yield* runToEnd(Durable.invoke(Next, 254), [stub])
      assert.strictEqual(yield* ended.exit, 255)
      assert.deepStrictEqual(calls, [{ payload: 254, tenantId: undefined }])
      assert.deepStrictEqual(sent(ended), ["base2:11111110"])
      assert.strictEqual(ended.operations[0]?.ChainedInvokeDetails?.Result, "base16:ff")
    })
  )

  it.effect("of the contract is used by a durable callee and by its caller, with a time-out too", () =>
    Effect.gen(function* () {
      const Next = DurableFunction.make("next", {
        payload: Schema.Int,
        success: Schema.Int,
        payloadSerdes: base(2),
        successSerdes: base(16)
      })
      const next = Next.implement((n) => Effect.as(Durable.wait("think", "1 minute"), n + 1))
      const seen: Array<number> = []
      const ended = yield* runToEnd(
        Effect.gen(function* () {
          seen.push(yield* Durable.invoke(Next, 254, { timeout: "1 hour" }))
          yield* Durable.wait("replay", "1 minute")
        }),
        [next]
      )
      yield* ended.exit
      assert.deepStrictEqual(seen, [255, 255])
      assert.deepStrictEqual(sent(ended), ["base2:11111110"])
    })
  )

  it.effect("of the operation comes before that of the contract", () =>
    Effect.gen(function* () {
      const Next = DurableFunction.plain("next", {
        payload: Schema.Int,
        success: Schema.Int,
        payloadSerdes: base(2),
        successSerdes: base(16)
      })
      const Other = DurableFunction.plain("next", {
        payload: Schema.Int,
        success: Schema.Int,
        payloadSerdes: base(8),
        successSerdes: base(36)
      })
      const ended = yield* runToEnd(Durable.invoke(Next, 254, { payloadSerdes: base(8), successSerdes: base(36) }), [
        TestEngine.stub(Other, (n) => Effect.succeed(n + 1))
      ])
      assert.strictEqual(yield* ended.exit, 255)
      assert.deepStrictEqual(sent(ended), ["base8:376"])
    })
  )

  it.effect("of the operation may only write the payload, and only read the result, with a time-out too", () =>
    Effect.gen(function* () {
      const Other = DurableFunction.plain("double", {
        payload: Schema.Int,
        success: Schema.Int,
        payloadSerdes: base(8),
        successSerdes: base(36)
      })
      const halves = {
        payloadSerdes: Serdes.writer((n: number) => `base8:${n.toString(8)}`),
        successSerdes: Serdes.reader((text) => Effect.succeed(Number.parseInt(text?.slice("base36:".length) ?? "", 36)))
      }
      for (const options of [halves, { ...halves, timeout: "1 hour" as const }]) {
        const seen: Array<number> = []
        const ended = yield* runToEnd(
          Effect.gen(function* () {
            seen.push(yield* Durable.invoke(Double, 8, options))
            yield* Durable.wait("replay", "1 minute")
          }),
          [TestEngine.stub(Other, (n) => Effect.succeed(n * 2))]
        )
        yield* ended.exit
        assert.deepStrictEqual(seen, [16, 16])
        assert.deepStrictEqual(sent(ended), ["base8:10"])
      }
    })
  )

  it.effect("of the operation may replace only one of the two", () =>
    Effect.gen(function* () {
      const Other = DurableFunction.plain("double", {
        payload: Schema.Int,
        success: Schema.Int,
        payloadSerdes: base(8)
      })
      const ended = yield* runToEnd(Durable.invoke(Double, 8, { payloadSerdes: base(8) }), [
        TestEngine.stub(Other, (n) => Effect.succeed(n * 2))
      ])
      assert.strictEqual(yield* ended.exit, 16)
      assert.deepStrictEqual(sent(ended), ["base8:10"])
    })
  )

  it.effect("that is ambient writes payloads, results and declared errors", () =>
    Effect.gen(function* () {
      class Odd extends Schema.TaggedError<Odd>()("Odd", { n: Schema.Int }) {}
      const Half = DurableFunction.plain("half", { payload: Schema.Int, success: Schema.Int, error: Odd })
      const reverse = (text: string | undefined) => text?.split("").toReversed().join("")
      const reversed: Serdes.Format = {
        serialize: (schema, value, info) => Effect.map(Serdes.json.serialize(schema, value, info), reverse),
        deserialize: (schema, text, info) => Serdes.json.deserialize(schema, reverse(text), info)
      }
      const ended = yield* runToEnd(
        Effect.gen(function* () {
          const even = yield* Durable.invoke(Half, 120).pipe(Effect.catchTag("Odd", Effect.die))
          const odd = yield* Durable.invoke(Half, 123).pipe(Effect.catchTag("Odd", (error) => Effect.succeed(error.n)))
          return [even, odd]
        }),
        [TestEngine.stub(Half, (n) => (n % 2 === 0 ? Effect.succeed(n / 2) : Effect.fail(new Odd({ n }))))]
      ).pipe(Effect.provide(Serdes.layer(reversed)))
      assert.deepStrictEqual(yield* ended.exit, [60, 123])
      assert.deepStrictEqual(sent(ended), ["021", "321"])
    })
  )

  it.effect("may be asynchronous, and keeps the invocation alive while it works, on a replay too", () =>
    Effect.gen(function* () {
      let reads = 0
      const slow = Serdes.make<number>({
        serialize: (n) => Effect.as(Effect.promise(soon), JSON.stringify(n)),
        deserialize: (text) =>
          Effect.map(Effect.promise(soon), () => {
            reads++
            return Number(text)
          })
      })
      const ended = yield* runToEnd(
        Effect.gen(function* () {
          const sum = yield* Effect.all(
            [Durable.invoke(Double, 1, { payloadSerdes: slow, successSerdes: slow }), Durable.wait("beside", "1 hour")],
            { concurrency: "unbounded" }
          )
          yield* Durable.wait("replay", "1 minute")
          return sum[0]
        }),
        [double]
      )
      assert.strictEqual(yield* ended.exit, 2)
      assert.isAtLeast(reads, 2)
    })
  )

  it.effect("may use services", () =>
    Effect.gen(function* () {
      class Key extends Context.Service<Key, number>()("test/Key") {}
      const secret: Serdes.Codec<number, Key> = Serdes.make<number, Key>({
        serialize: (n) => Effect.map(Key, (key) => String(n + key)),
        deserialize: (text) => Effect.map(Key, (key) => Number(text) - key)
      })
      const Next = DurableFunction.plain("next", {
        payload: Schema.Int,
        success: Schema.Int,
        payloadSerdes: secret,
        successSerdes: secret
      })
      const Main = DurableFunction.make("main", { success: Schema.Int })
      const main = Main.implement(() => Effect.orDie(Durable.invoke(Next, 1)))
      const run = yield* TestEngine.start(Main).pipe(
        Effect.flatMap((started) => Effect.all([started.result, started.history])),
        Effect.provide(
          TestEngine.layer([main, TestEngine.stub(Next, (n) => Effect.succeed(n + 1))]).pipe(
            Layer.provide(Layer.succeed(Key, 1_000))
          )
        )
      )
      assert.strictEqual(run[0], 2)
      assert.include(JSON.stringify(run[1]), `"1001"`)
      assert.include(JSON.stringify(run[1]), `"1002"`)
    })
  )

  it.effect("that fails for the moment fails the invocation, and the callee is called once", () =>
    Effect.gen(function* () {
      let failures = 0
      const flaky = Serdes.make<number>({
        serialize: (n) =>
          failures++ === 0
            ? Effect.fail(new Serdes.SerdesError({ message: "the key service is busy", transient: true }))
            : Effect.succeed(String(n)),
        deserialize: (text) =>
          failures++ === 2
            ? Effect.fail(new Serdes.SerdesError({ message: "the key service is busy", transient: true }))
            : Effect.succeed(Number(text))
      })
      const { calls, stub } = spy(Double, (n) => Effect.succeed(n * 2))
      const ended = yield* runToEnd(Durable.invoke(Double, 1, { payloadSerdes: flaky, successSerdes: flaky }), [stub])
      assert.strictEqual(yield* ended.exit, 2)
      assert.strictEqual(calls.length, 1)
      assert.strictEqual(ended.invocations, 4)
    })
  )

  it.effect("that fails for good is SerdesFailed with what it said", () =>
    Effect.gen(function* () {
      const broken = Serdes.make<number>({
        serialize: () => {
          throw new Error("no such key")
        },
        deserialize: (text) => Number(text)
      })
      const { exit, operations } = yield* runToEnd(Durable.invoke(Double, 1, { name: "pay", payloadSerdes: broken }), [
        double
      ])
      const failed = executionFailed(exit)
      assert.strictEqual(failed.errorType, "SerdesFailed")
      assert.include(failed.errorMessage, "no such key")
      assert.include(failed.errorMessage, `"pay"`)
      assert.deepStrictEqual(operations, [])
    })
  )
})
