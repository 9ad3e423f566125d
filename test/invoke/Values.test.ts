import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, Serdes } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { brief, Double, double, executionFailed, runToEnd, runToValue, spy, type Ended } from "./support.ts"

/** The payloads of invokes as they crossed the wire. */
const sent = ({ history }: Ended): ReadonlyArray<string | undefined> =>
  history.flatMap((event) =>
    event.EventType === "ChainedInvokeStarted" ? [event.ChainedInvokeStartedDetails?.Input?.Payload] : []
  )

/** Invokes an echo with a value and gives back what came, as the callee saw it and as the caller did. */
const roundTrip = <S extends Schema.Top & { readonly EncodingServices: never; readonly DecodingServices: never }>(
  schema: S,
  value: S["Type"],
  options: { readonly timeout?: "1 minute" } = {}
) =>
  Effect.gen(function* () {
    const Echo = DurableFunction.plain("echo", { payload: schema, success: schema })
    const received: Array<unknown> = []
    const returned: Array<unknown> = []
    const ended = yield* runToEnd(
      Effect.gen(function* () {
        returned.push(yield* Durable.invoke(Echo, value, options))
        yield* Durable.wait("replay", "1 minute")
      }),
      [
        TestEngine.stub(Echo, (payload) => {
          received.push(payload)
          return Effect.succeed(payload)
        })
      ]
    )
    yield* ended.exit
    return { received, returned, sent: sent(ended) }
  })

describe("a payload and a result", () => {
  const data: ReadonlyArray<readonly [what: string, schema: Schema.Codec<unknown, unknown>, value: unknown]> = [
    ["a text", Schema.String, "text"],
    ["an empty text", Schema.String, ""],
    ["zero", Schema.Number, 0],
    ["false", Schema.Boolean, false],
    ["null", Schema.Null, null],
    ["null where a value might be", Schema.NullOr(Schema.Int), null],
    ["an empty list", Schema.Array(Schema.Int), []],
    ["an empty record", Schema.Struct({}), {}],
    ["text from all over the world", Schema.String, "żółć 漢字 עברית 👩‍👩‍👧 \u0000 \ud83d\ude00 \u2028"],
    ["text that looks like JSON", Schema.String, '{"a":"\\"}'],
    ["a Date", Schema.Date, new Date(1_234_567)],
    ["a bigint", Schema.BigInt, 2n ** 80n],
    ["a Map", Schema.ReadonlyMap(Schema.String, Schema.Int), new Map([["a", 1]])],
    [
      "a nested structure",
      Schema.Array(Schema.Struct({ at: Schema.Date, tags: Schema.Array(Schema.String) })),
      [{ at: new Date(0), tags: ["x", ""] }]
    ]
  ]
  for (const [what, schema, value] of data) {
    it.effect(`arrive as they are: ${what}`, () =>
      Effect.gen(function* () {
        const { received, returned } = yield* roundTrip(schema, value)
        assert.deepStrictEqual(received, [value])
        assert.deepStrictEqual(returned, [value, value])
      })
    )
    it.effect(`arrive as they are with a time-out: ${what}`, () =>
      Effect.gen(function* () {
        const { received, returned } = yield* roundTrip(schema, value, { timeout: "1 minute" })
        assert.deepStrictEqual(received, [value])
        assert.deepStrictEqual(returned, [value, value])
      })
    )
  }

  it.effect("may hold a key called __proto__, which pollutes nothing", () =>
    Effect.gen(function* () {
      const schema = Schema.Record(Schema.String, Schema.Int)
      const value: Record<string, number> = JSON.parse('{"__proto__":1,"constructor":2,"toString":3}')
      const { received, returned } = yield* roundTrip(schema, value)
      for (const one of [...received, ...returned]) {
        assert.isObject(one)
        assert.strictEqual(JSON.stringify(one), JSON.stringify(value))
        assert.strictEqual(Object.getPrototypeOf(one), Object.prototype)
      }
      assert.strictEqual(({} as Record<string, unknown>)["polluted"], undefined)
    })
  )

  it.effect("may be 900 KB large", () =>
    Effect.gen(function* () {
      const value = "é".repeat(450_000)
      const { received, returned } = yield* roundTrip(Schema.String, value)
      assert.isTrue(received[0] === value)
      assert.isTrue(returned.length === 2 && returned.every((one) => one === value))
    })
  )

  it.effect("may be 900 KB large with a time-out", () =>
    Effect.gen(function* () {
      const value = "é".repeat(450_000)
      const { received, returned } = yield* roundTrip(Schema.String, value, { timeout: "1 minute" })
      assert.isTrue(received[0] === value)
      assert.isTrue(returned.length === 2 && returned.every((one) => one === value))
    })
  )

  it.effect("are copies: changing the payload later changes nothing", () =>
    Effect.gen(function* () {
      const Sum = DurableFunction.plain("sum", { payload: Schema.Array(Schema.Int), success: Schema.Int })
      const { calls, stub } = spy(Sum, () => Effect.succeed(0))
      yield* runToValue(
        Effect.gen(function* () {
          const numbers = [1, 2]
          const fiber = yield* Effect.forkChild(Durable.invoke(Sum, numbers), { startImmediately: true })
          numbers.push(3)
          return yield* Fiber.join(fiber)
        }),
        [stub]
      )
      assert.deepStrictEqual(
        calls.map((call) => call.payload),
        [[1, 2]]
      )
    })
  )
})

describe("no payload and no result", () => {
  it.effect("a function that takes and returns nothing is called without a payload", () =>
    Effect.gen(function* () {
      const Ping = DurableFunction.plain("ping")
      const { calls, stub } = spy(Ping, () => Effect.void)
      const ended = yield* runToEnd(Effect.map(Durable.invoke(Ping), String), [stub])
      assert.strictEqual(yield* ended.exit, "undefined")
      assert.deepStrictEqual(calls, [{ payload: undefined, tenantId: undefined }])
      assert.deepStrictEqual(sent(ended), [undefined])
    })
  )

  it.effect("a durable function that takes and returns nothing is called without a payload", () =>
    Effect.gen(function* () {
      const Ping = DurableFunction.make("ping")
      const received: Array<unknown> = []
      const ping = Ping.implement((payload) => Effect.sync(() => void received.push(payload)))
      const ended = yield* runToEnd(Effect.map(Durable.invoke(Ping), String), [ping])
      assert.strictEqual(yield* ended.exit, "undefined")
      assert.deepStrictEqual(received, [undefined])
      assert.deepStrictEqual(sent(ended), [undefined])
    })
  )

  it.effect("undefined is no payload, and null is one", () =>
    Effect.gen(function* () {
      const Maybe = DurableFunction.plain("maybe", {
        payload: Schema.UndefinedOr(Schema.NullOr(Schema.Int)),
        success: Schema.UndefinedOr(Schema.NullOr(Schema.Int))
      })
      const { calls, stub } = spy(Maybe, (payload) => Effect.succeed(payload))
      const seen: Array<unknown> = []
      const ended = yield* runToEnd(
        Effect.gen(function* () {
          seen.push(yield* Durable.invoke(Maybe))
          seen.push(yield* Durable.invoke(Maybe, undefined, { name: "explicit" }))
          seen.push(yield* Durable.invoke(Maybe, null))
          seen.push(yield* Durable.invoke(Maybe, 0))
        }),
        [stub]
      )
      yield* ended.exit
      assert.deepStrictEqual(sent(ended), [undefined, undefined, "null", "0"])
      assert.deepStrictEqual(
        calls.map((call) => call.payload),
        [undefined, undefined, null, 0]
      )
      assert.deepStrictEqual(seen.slice(-2), [null, 0])
    })
  )

  it.effect("a function that returns nothing where a value is due fails the caller and says where", () =>
    Effect.gen(function* () {
      const Lying = DurableFunction.plain("lying", { success: Schema.Struct({ id: Schema.String }) })
      const { exit } = yield* runToEnd(Durable.invoke(Lying, undefined, { name: "ask" }), [
        TestEngine.stub(DurableFunction.plain("lying"), () => Effect.void)
      ])
      const failed = executionFailed(exit)
      assert.strictEqual(failed.errorType, "SerdesFailed")
      assert.include(failed.errorMessage, `"ask"`)
    })
  )
})

describe("a value that cannot cross", () => {
  const limit = 1_048_576

  it.effect("a payload of exactly 1,048,576 bytes is sent", () =>
    Effect.gen(function* () {
      const Take = DurableFunction.plain("take", { payload: Schema.String, success: Schema.Int })
      const stub = TestEngine.stub(Take, (text) => Effect.succeed(text.length))
      const value = yield* runToValue(Durable.invoke(Take, "x".repeat(limit - 2)), [stub])
      assert.strictEqual(value, limit - 2)
    })
  )

  for (const [what, payload] of [
    ["one byte more", "x".repeat(limit - 1)],
    ["more bytes, though fewer characters", "é".repeat(limit / 2)]
  ] as const) {
    for (const timeout of [undefined, "1 minute"] as const) {
      it.effect(
        `a payload of ${what} is PayloadTooLarge before anything is sent${timeout ? " with a time-out" : ""}`,
        () =>
          Effect.gen(function* () {
            const Take = DurableFunction.plain("take", { payload: Schema.String, success: Schema.Int })
            const { calls, stub } = spy(Take, () => Effect.succeed(0))
            const { exit, operations } = yield* runToEnd(
              Durable.invoke(Take, payload, { name: "give", ...(timeout === undefined ? undefined : { timeout }) }),
              [stub]
            )
            const failed = executionFailed(exit)
            assert.strictEqual(failed.errorType, "PayloadTooLarge")
            assert.include(failed.errorMessage, `"give"`)
            assert.include(failed.errorMessage, String(limit))
            assert.deepStrictEqual(operations, [])
            assert.strictEqual(calls.length, 0)
          })
      )
    }
  }

  const Positive = DurableFunction.plain("positive", {
    payload: Schema.Struct({ items: Schema.Array(Schema.Struct({ cents: Schema.Int })) })
  })
  for (const [what, cents] of [
    ["half a cent", 0.5],
    ["NaN", Number.NaN],
    ["infinity", Infinity]
  ] as const) {
    for (const timeout of [undefined, "1 minute"] as const) {
      it.effect(
        `a payload that does not fit is SerdesFailed before anything is sent: ${what}${timeout ? ", with a time-out" : ""}`,
        () =>
          Effect.gen(function* () {
            const { calls, stub } = spy(Positive, () => Effect.void)
            const { exit, operations } = yield* runToEnd(
              Durable.invoke(
                Positive,
                { items: [{ cents: 1 }, { cents }] },
                { name: "count", ...(timeout === undefined ? undefined : { timeout }) }
              ),
              [stub]
            )
            const failed = executionFailed(exit)
            assert.strictEqual(failed.errorType, "SerdesFailed")
            assert.include(failed.errorMessage, `"count"`)
            assert.include(failed.errorMessage, `["items"][1]["cents"]`)
            assert.deepStrictEqual(operations, [])
            assert.strictEqual(calls.length, 0)
          })
      )
    }
  }

  it.effect("a payload with a cycle is SerdesFailed before anything is sent", () =>
    Effect.gen(function* () {
      const Any = DurableFunction.plain("any", { payload: Schema.Unknown })
      const { calls, stub } = spy(Any, () => Effect.void)
      const cycle: Array<unknown> = []
      cycle.push(cycle)
      const { exit, operations } = yield* runToEnd(Durable.invoke(Any, cycle), [stub])
      assert.strictEqual(executionFailed(exit).errorType, "SerdesFailed")
      assert.deepStrictEqual(operations, [])
      assert.strictEqual(calls.length, 0)
    })
  )

  it.effect("a result that does not fit is SerdesFailed naming operation and place, and the execution fails once", () =>
    Effect.gen(function* () {
      const Asked = DurableFunction.plain("asked", {
        success: Schema.Struct({ items: Schema.Array(Schema.Struct({ id: Schema.String })) })
      })
      const { calls, stub } = spy(DurableFunction.plain("asked", { success: Schema.Unknown }), () =>
        Effect.succeed({ items: [{ id: "a" }, { id: 7 }] })
      )
      const ended = yield* runToEnd(Durable.child("outer", Durable.invoke(Asked, undefined, { name: "ask" })), [stub])
      const failed = executionFailed(ended.exit)
      assert.strictEqual(failed.status, "FAILED")
      assert.strictEqual(failed.errorType, "SerdesFailed")
      assert.include(failed.errorMessage, `"outer/ask"`)
      assert.include(failed.errorMessage, `["items"][1]["id"]`)
      assert.strictEqual(calls.length, 1)
      assert.strictEqual(ended.invocations, 2)
    })
  )

  it.effect("a result that does not fit is SerdesFailed with a time-out as well", () =>
    Effect.gen(function* () {
      const Asked = DurableFunction.plain("asked", { success: Schema.Int })
      const ended = yield* runToEnd(Durable.invoke(Asked, undefined, { timeout: "1 minute" }), [
        TestEngine.stub(DurableFunction.plain("asked", { success: Schema.String }), () => Effect.succeed("7"))
      ])
      assert.strictEqual(executionFailed(ended.exit).errorType, "SerdesFailed")
    })
  )

  it.effect("a mistake in a payload that is caught leaves no trace in the history", () =>
    Effect.gen(function* () {
      const ended = yield* runToEnd(
        Effect.gen(function* () {
          const first = yield* Effect.exit(Durable.invoke(Double, 0.5))
          const second = yield* Durable.invoke(Double, 2)
          yield* Durable.wait("replay", "1 minute")
          return [first._tag, second]
        }),
        [double]
      )
      assert.deepStrictEqual(yield* ended.exit, ["Failure", 4])
      assert.deepStrictEqual(brief(ended.operations), ["CHAINED_INVOKE double SUCCEEDED", "WAIT replay SUCCEEDED"])
    })
  )
})

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
        resultSerdes: base(16)
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
        resultSerdes: base(16)
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
        resultSerdes: base(16)
      })
      const Other = DurableFunction.plain("next", {
        payload: Schema.Int,
        success: Schema.Int,
        payloadSerdes: base(8),
        resultSerdes: base(36)
      })
      const ended = yield* runToEnd(Durable.invoke(Next, 254, { payloadSerdes: base(8), resultSerdes: base(36) }), [
        TestEngine.stub(Other, (n) => Effect.succeed(n + 1))
      ])
      assert.strictEqual(yield* ended.exit, 255)
      assert.deepStrictEqual(sent(ended), ["base8:376"])
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
            [Durable.invoke(Double, 1, { payloadSerdes: slow, resultSerdes: slow }), Durable.wait("beside", "1 hour")],
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
        resultSerdes: secret
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
      const ended = yield* runToEnd(Durable.invoke(Double, 1, { payloadSerdes: flaky, resultSerdes: flaky }), [stub])
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

/** A little real time. */
const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5))
