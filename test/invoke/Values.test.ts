import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { brief, sent, Double, double, executionFailed, runToEnd, runToValue, spy } from "./support.ts"

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
