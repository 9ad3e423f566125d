/**
 * Values and names that are hard to record, attacked in every place that records them.
 */
import { describe } from "@effect/vitest"
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import { type Program } from "../support/host.ts"
import { attacks, both, hours, part } from "./everyWay.ts"

const Echo = DurableFunction.plain("echo", { payload: Schema.Unknown, success: Schema.Unknown })

type Value = null | string | number | ReadonlyArray<Value> | { readonly [key: string]: Value }

const values: Readonly<Record<string, Value>> = {
  null: null,
  "an empty text": "",
  "an empty list": [],
  "a list of null": [null, [null]],
  "keys of prototypes": { ["__proto__"]: { a: 1 }, constructor: 2, toJSON: 3 },
  "half a surrogate": "\ud800x\udc00",
  "signs that JavaScript minds": "\u2028\u2029\u0000\ufeff😀é",
  "numbers at the edge": [Number.MAX_SAFE_INTEGER, 5e-324, 1.7976931348623157e308, -1e21],
  "a text that looks like a record": '{"~effect-durable/continuedAs":"arn:aws:lambda"}',
  "an object that looks like a record": {
    "~effect-durable/continuedAs": "arn:aws:lambda:x",
    _tag: "Refused",
    why: "no"
  },
  "keys in an order": { b: 1, a: 2, 10: 3, 9: 4 },
  "a long text": "ä".repeat(100_000)
}

/** Answers with how many places have changed a value. */
const everyPlace =
  (value: Value): Program =>
  (kit) =>
    Effect.gen(function* () {
      const inner = Durable.step("inner", Effect.succeed(value))
      const step = yield* Durable.step("step", Effect.as(kit.log("step"), value))
      const child = yield* Durable.child("child", inner)
      const [item] = yield* Durable.forEach("items", [0], () => inner)
      const race = yield* Durable.race("race", [inner, Effect.as(hours("w", 1), value)])
      const invoked = yield* Durable.invoke(Echo, value)
      yield* hours("w", 1)
      const texts = [step, child, item, race, invoked].map((found) => JSON.stringify(found))
      yield* kit.tell("the values", texts)
      return texts.filter((text) => text !== JSON.stringify(value)).length
    }).pipe(Effect.orDie)

describe("a value comes back from every place as it was", () => {
  const parts = [TestEngine.stub(Echo, (payload) => Effect.succeed(payload))]
  attacks(
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        { program: everyPlace(value), parts, ends: 0, except: ["killed"] }
      ])
    )
  )
})

describe("the same in every way: values and names", () => {
  attacks({
    "undefined, in every place": {
      program: () =>
        Effect.gen(function* () {
          const found = [
            yield* Durable.step("step", Effect.succeed(undefined)),
            yield* Durable.child("child", Effect.succeed(undefined)),
            yield* Durable.race("race", [Effect.succeed(undefined), hours("w", 3)]),
            yield* Durable.timeout("time-out", Effect.succeed(undefined), "1 hour"),
            (yield* Durable.map("map", [1, 2], () => Effect.succeed(undefined))).values.length,
            yield* Durable.retry("retry", Effect.succeed(undefined), RetryPolicy.none)
          ]
          yield* hours("later", 1)
          return found.map((value) => (value === undefined ? "nothing" : value))
        }).pipe(Effect.orDie),
      ends: ["nothing", "nothing", "nothing", "nothing", 2, "nothing"]
    },
    "a large child with random numbers, time, forks and a time-out, which is rebuilt": {
      program: (kit) =>
        Effect.gen(function* () {
          const large = yield* Durable.child(
            "large",
            Effect.gen(function* () {
              const n = yield* Random.nextInt
              yield* Effect.timeoutOption(hours("long", 9), "1 hour")
              const [a] = yield* Effect.all(
                [Durable.child("inner", Effect.map(Random.nextInt, String)), hours("beside", 2)],
                both
              )
              const t = yield* Clock.currentTimeMillis
              return `${n} ${a} ${t % 7_200_000 < 60_000} ${"x".repeat(300_000)}`
            })
          )
          yield* kit.tell("large", large.slice(0, 60))
          yield* hours("later", 1)
          yield* kit.time("later")
          return large.slice(0, 60).split(" ").length
        }),
      ends: 4
    },
    "Options, dates and large integers with Schemas": {
      program: (kit) =>
        Effect.gen(function* () {
          const success = Schema.Struct({ at: Schema.Date, some: Schema.Option(Schema.Number), big: Schema.BigInt })
          const value = { at: new Date(5), some: Option.some(3), big: 12345678901234567890n }
          const found = yield* Durable.step("s", Effect.as(kit.log("s"), value), { success })
          const child = yield* Durable.child("c", Effect.succeed(value), { success })
          yield* hours("w", 1)
          return [found, child].map((v) => `${v.at.getTime()} ${Option.getOrNull(v.some)} ${v.big}`)
        }),
      ends: ["5 3 12345678901234567890", "5 3 12345678901234567890"]
    },
    "names that look like those of the library": {
      program: (kit) =>
        Effect.gen(function* () {
          yield* kit.step("reading:c")
          yield* Durable.child("c", kit.step("timeout"))
          yield* Effect.timed(Effect.void)
          yield* kit.step("compensate:p")
          yield* part(kit, "p")
          yield* kit.step("back-off")
          yield* Durable.wait("sleep 3600s", "2 hours")
          yield* Effect.sleep("1 hour")
          yield* kit.step("late:x")
          yield* kit.step("a/b")
          yield* kit.step("a#2")
          yield* kit.step("a")
          yield* kit.step("a")
          return yield* kit.failing("pay")
        }),
      ends: "failed as Refused: "
    }
  })
})
