import { runInNewContext } from "node:vm"
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableError, DurableFunction, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Duration from "effect/Duration"
import { cast } from "effect/Function"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as SynchronizedRef from "effect/SynchronizedRef"
import * as TxRef from "effect/TxRef"
import { assertSucceeded, defectOf, execute, failureOf, unchecked } from "./support.ts"

/** Runs a step, suspends, and replays it: what it gave live, and what it gave on replay. */
const liveAndReplayed = <A>(
  step: Effect.Effect<A, DurableError.OperationError, Durable.Execution>
): Effect.Effect<readonly [A, A]> =>
  Effect.gen(function* () {
    const seen: Array<A> = []
    const ran = yield* execute(
      Effect.gen(function* () {
        seen.push(yield* step)
        yield* Durable.wait("replay", "1 second")
      })
    )
    assertSucceeded(ran)
    assert.lengthOf(seen, 2)
    return [seen[0]!, seen[1]!]
  })

class Point {
  readonly x = 1
}

/** A step with a value, past the compiler. */
const loosely = (name: string, value: unknown, options: { readonly success?: Schema.Top }): Effect.Effect<unknown> =>
  unchecked<unknown>(
    cast<typeof Durable.step, (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown>>(Durable.step)(
      name,
      Effect.succeed(value),
      options
    )
  )

const cyclic: { self?: unknown } = {}
cyclic.self = [cyclic]

describe("The value of a step without a schema", () => {
  const kept: Record<string, unknown> = {
    void: undefined,
    null: null,
    false: false,
    zero: 0,
    "an empty text": "",
    "an empty array": [],
    "an empty record": {},
    "the largest number": Number.MAX_VALUE,
    "the smallest number": Number.MIN_VALUE,
    "a text of all planes": "é ✓ 😀 \u0000 \u2028 \u{10FFFF}",
    "a lone surrogate": "a\ud800b",
    "a lone surrogate as a key": { "\udfff": 1 },
    "a key called __proto__": JSON.parse(`{"__proto__":{"a":1},"constructor":2,"toString":"x"}`),
    "a record without a prototype": Object.assign(Object.create(null), { a: 1 }),
    "one value in two places": ((shared) => ({ a: shared, b: [shared] }))({ n: 1 }),
    "a deep nest": Array.from({ length: 500 }).reduce<unknown>((inner) => [inner], 1),
    "a text that looks like a date": "2026-01-01T00:00:00.000Z"
  }
  for (const [name, value] of Object.entries(kept)) {
    it.effect(`is the same live and on replay: ${name}`, () =>
      Effect.gen(function* () {
        const [live, replayed] = yield* liveAndReplayed(Durable.step("keep", unchecked(Effect.succeed(value))))
        assert.strictEqual(JSON.stringify(live), JSON.stringify(value))
        assert.deepStrictEqual(live, replayed)
      })
    )
  }

  // What the platform makes in a context of its own, as under Jest and in Vitest's vm pools, has other globals.
  for (const [name, source] of Object.entries({
    "a record": `({ a: [1, { b: null }], c: "x" })`,
    "an array": `[[], {}, [{}]]`,
    "a record without a prototype": `Object.assign(Object.create(null), { a: 1 })`
  })) {
    it.effect(`is plain data from whatever realm it comes: ${name}`, () =>
      Effect.gen(function* () {
        const value: unknown = runInNewContext(source)
        assert.notInstanceOf(value, Object)
        for (const options of [{}, { success: Schema.Any }, { success: Schema.Unknown }]) {
          const [live, replayed] = yield* liveAndReplayed(loosely("keep", value, options))
          assert.strictEqual(JSON.stringify(live), JSON.stringify(value))
          assert.deepStrictEqual(live, replayed)
        }
      })
    )
  }

  it.effect.each([
    [-0, -0],
    [
      { a: [-0, 0], b: "-0", u: undefined },
      { a: [-0, 0], b: "-0" }
    ],
    [[[{ "-0": -0 }]], [[{ "-0": -0 }]]]
  ])("keeps a minus zero: %o", ([value, expected]) =>
    Effect.gen(function* () {
      for (const options of [{}, { success: Schema.Any }]) {
        const [live, replayed] = yield* liveAndReplayed(loosely("keep", value, options))
        assert.deepStrictEqual(live, expected)
        assert.deepStrictEqual(replayed, expected)
      }
    })
  )

  it.effect("is a copy of what the body made, live too", () =>
    Effect.gen(function* () {
      const made = { list: [1] }
      const [live] = yield* liveAndReplayed(Durable.step("copy", Effect.succeed(made)))
      assert.deepStrictEqual(live, made)
      assert.notStrictEqual(live, made)
      assert.notStrictEqual(live.list, made.list)
    })
  )

  it.effect("keeps a key called __proto__ as a key, and no prototype with it", () =>
    Effect.gen(function* () {
      const value: unknown = JSON.parse(`{"__proto__":{"polluted":true}}`)
      const [live] = yield* liveAndReplayed(
        Durable.step("keep", unchecked<{ readonly polluted?: boolean }>(Effect.succeed(value)))
      )
      assert.deepStrictEqual(Object.keys(live), ["__proto__"])
      assert.notProperty({}, "polluted")
      assert.strictEqual(Object.getPrototypeOf(live), Object.prototype)
    })
  )

  it.effect("leaves out fields that are undefined", () =>
    Effect.gen(function* () {
      const [live, replayed] = yield* liveAndReplayed(
        Durable.step("optional", unchecked<{ readonly b: number }>(Effect.succeed({ a: undefined, b: 1 })))
      )
      assert.deepStrictEqual(live, { b: 1 })
      assert.deepStrictEqual(replayed, { b: 1 })
    })
  )

  const lists: Record<string, ReadonlyArray<unknown>> = {
    "nothing else": [undefined, undefined],
    "beside null": [null, undefined, "null"],
    "in a record in a list": [{ list: [undefined, 1] }, [[undefined]]],
    "beside what stands for it": ["~", undefined, "~~", "~~~~", { "~~~": 1 }],
    "beside a minus zero": [-0, undefined]
  }
  for (const [name, value] of Object.entries(lists)) {
    it.effect(`keeps undefined in a list: ${name}`, () =>
      Effect.gen(function* () {
        for (const whole of [value, { value }]) {
          const [live, replayed] = yield* liveAndReplayed(loosely("keep", whole, {}))
          assert.deepStrictEqual(live, whole)
          assert.deepStrictEqual(replayed, whole)
        }
      })
    )
  }

  it.effect("has in its record what stands for undefined in a list, and JSON as ever where there is none", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.andThen(
          Durable.step("with", Effect.succeed(["a", undefined, null])),
          Durable.step("without", Effect.succeed({ list: ["a", "~", null], nothing: undefined }))
        )
      )
      assert.deepStrictEqual(
        ran.operations.map(({ StepDetails }) => StepDetails?.Result),
        [`{"~mark":"~","value":["a","~",null]}`, `{"list":["a","~",null]}`]
      )
    })
  )

  it.effect("is not taken for a list with undefined when it looks like its record", () =>
    Effect.gen(function* () {
      for (const value of [
        { "~mark": "~", value: ["~"] },
        { "~mark": "~", value: [undefined, "~", "~~"] },
        { "~mark": 1 },
        { value: [{ "~mark": "~", value: { "~": {} } }, undefined] }
      ]) {
        const [live, replayed] = yield* liveAndReplayed(loosely("keep", value, {}))
        assert.deepStrictEqual(live, value)
        assert.deepStrictEqual(replayed, value)
      }
    })
  )

  it.effect("is a list of nothing when cells are all that is left over of its parts", () =>
    Effect.gen(function* () {
      const cell = Ref.makeUnsafe(0)
      const [live, replayed] = yield* liveAndReplayed(
        Durable.step(
          "set",
          Effect.forEach([1, 2], (n) => Ref.set(cell, n))
        )
      )
      assert.deepStrictEqual(live, [undefined, undefined])
      assert.deepStrictEqual(replayed, [undefined, undefined])
      const [fields] = yield* liveAndReplayed(
        Durable.step("set", Effect.all({ a: Ref.set(cell, 1), b: Effect.succeed(1) }))
      )
      assert.strictEqual(JSON.stringify(fields), `{"b":1}`)
    })
  )

  it.effect("has no payload when it is void", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Durable.step("nothing", Effect.void))
      assert.notProperty(ran.updates[1], "Payload")
      assert.isUndefined(ran.operations[0]!.StepDetails?.Result)
    })
  )

  const effects: Readonly<Record<string, (ref: Ref.Ref<number>) => Effect.Effect<void>>> = {
    "Ref.set": (ref) => Ref.set(ref, 1),
    "Ref.update": (ref) => Ref.update(ref, (n) => n + 1),
    "SynchronizedRef.set": () => Effect.flatMap(SynchronizedRef.make(1), (ref) => SynchronizedRef.set(ref, 2)),
    "SubscriptionRef.set": () => Effect.flatMap(SubscriptionRef.make(1), (ref) => SubscriptionRef.set(ref, 2)),
    "TxRef.set": () => Effect.flatMap(TxRef.make(1), (ref) => TxRef.set(ref, 2))
  }
  for (const [name, make] of Object.entries(effects)) {
    it.effect(`is nothing when it is void by its type, whatever Effect leaves there: ${name}`, () =>
      Effect.gen(function* () {
        const body = make(yield* Ref.make(0))
        const Nothing = DurableFunction.make("nothing")
        const nothing = Nothing.implement(() => body)
        const seen: Array<unknown> = []
        const ran = yield* execute(
          Effect.gen(function* () {
            seen.push(yield* Durable.step("step", body))
            seen.push(yield* Durable.child("child", body))
            seen.push(yield* Durable.child("flat", Effect.asVoid(body), { flat: true }))
            seen.push(...(yield* Durable.forEach("items", [1], () => body)))
            seen.push(yield* Durable.invoke(Nothing, undefined))
            yield* Durable.wait("replay", "1 hour")
          }),
          { functions: [nothing] }
        )
        assertSucceeded(ran)
        assert.deepStrictEqual(new Set(seen), new Set([undefined]))
        assert.isFalse(ran.updates.some(({ Name, Payload }) => Name === "step" && Payload !== undefined))
      })
    )
  }

  const refused: Record<string, readonly [unknown, RegExp]> = {
    NaN: [Number.NaN, /the top.*NaN/],
    Infinity: [{ a: { b: Infinity } }, /\["a"\]\["b"\].*Infinity/],
    "minus Infinity": [[-Infinity], /\[0\].*-Infinity/],
    "a hole in an array": [Object.assign([], { 0: 1, 2: 3 }), /\[1\].*undefined/],
    "a Date": [{ at: new Date(0) }, /\["at"\].*(Date|toJSON)/],
    "a Map": [new Map([[1, 2]]), /the top.*Map/],
    "a Set in a record": [{ ids: new Set([1]) }, /\["ids"\].*Set/],
    "a cycle": [cyclic, /\["self"\]\[0\].*contains it/],
    "an instance of a class": [[new Point()], /\[0\].*Point/],
    "an Error": [new Error("x"), /the top.*Error/],
    "a Date that is none": [{ at: new Date(Number.NaN) }, /\["at"\].*Date/],
    "an instance of a class of another realm": [runInNewContext("new (class Far { x = 1 })()"), /the top.*Far/],
    "a Map of another realm": [runInNewContext("new Map()"), /the top.*Map/],
    "a Date of another realm": [runInNewContext("new Date(0)"), /the top.*Date/],
    "an array of a subclass of another realm": [runInNewContext("new (class Far extends Array {})()"), /the top.*Far/],
    "a record that inherits": [Object.create({ a: 1 }), /the top.*prototype/],
    "a class that extends nothing": [Object.create(Object.create(null)), /the top.*prototype/],
    "a value with toJSON": [{ a: { toJSON: () => 1 } }, /\["a"\].*toJSON/],
    "a bigint": [{ n: BigInt(1) }, /\["n"\].*bigint/],
    "a symbol": [{ s: Symbol("s") }, /\["s"\].*symbol/],
    "a symbol as key": [{ [Symbol("s")]: 1 }, /the top.*symbol/],
    "a function": [{ f: () => 1 }, /\["f"\].*function/],
    "a buffer": [new Uint8Array(2), /the top.*Uint8Array/],
    "a boxed number": [Object(1), /the top.*Number/],
    "a regular expression": [/x/, /the top.*RegExp/],
    "a promise": [Promise.resolve(1), /the top.*Promise/],
    "an array with fields of its own": [Object.assign([1], { index: 0 }), /the top|index/],
    "an array of a subclass": [new (class Mine extends Array<number> {})(), /the top.*Mine/],
    "a nest that is too deep": [Array.from({ length: 100_000 }).reduce<unknown>((inner) => [inner], 1), /too deep/],
    "a getter that throws": [
      Object.defineProperty({}, "a", {
        enumerable: true,
        get() {
          throw new Error("private")
        }
      }),
      /private/
    ]
  }
  for (const [name, [value, expected]] of Object.entries(refused)) {
    it.effect(`is refused with operation and path, at once and before it is recorded: ${name}`, () =>
      Effect.gen(function* () {
        let runs = 0
        const ran = yield* execute(
          Durable.step("refuse", unchecked(Effect.sync(() => (runs++, value))), { retry: RetryPolicy.fixed() })
        )
        const failed = failureOf(ran)
        assert.strictEqual(failed.errorType, "SerdesFailed")
        assert.include(failed.errorMessage, `"refuse"`)
        assert.match(failed.errorMessage ?? "", expected)
        assert.strictEqual(runs, 1)
        assert.isFalse(ran.updates.some((update) => update.Payload !== undefined))
      })
    )
  }

  it.effect("is recorded up to 262,144 bytes and refused beyond, without a retry", () =>
    Effect.gen(function* () {
      for (const character of ["a", "é", "✓"]) {
        const width = new TextEncoder().encode(character).length
        const padding = "x".repeat((262_144 - 2) % width)
        const largest = padding + character.repeat(Math.floor((262_144 - 2) / width))
        const [live, replayed] = yield* liveAndReplayed(Durable.step("large", Effect.succeed(largest)))
        assert.isTrue(live === largest && replayed === largest)
        let runs = 0
        const ran = yield* execute(
          Durable.step(
            "large",
            Effect.sync(() => (runs++, `${largest}x`)),
            { retry: RetryPolicy.fixed() }
          )
        )
        const defect = defectOf(ran.exits[0])
        assert.instanceOf(defect, DurableError.PayloadTooLarge)
        assert.strictEqual(defect.operation, "large")
        assert.strictEqual(defect.bytes, 262_145)
        assert.strictEqual(defect.limit, 262_144)
        assert.strictEqual(runs, 1)
        assert.strictEqual(failureOf(ran).errorType, "PayloadTooLarge")
      }
    })
  )
})

describe("The value of a step whose schema says nothing of it", () => {
  const refused: Record<string, readonly [value: unknown, found: RegExp]> = {
    "a Map": [new Map([[1, 2]]), /Map/],
    "a Set": [new Set([1]), /Set/],
    "an instance of a class": [new Point(), /Point/],
    "an Error": [new Error("x"), /Error/],
    "a Date": [new Date(0), /Date/],
    "a Date that is none": [new Date(Number.NaN), /Date/],
    "a buffer": [new Uint8Array(2), /Uint8Array/],
    NaN: [Number.NaN, /NaN/],
    infinity: [Infinity, /Infinity/],
    "a bigint": [1n, /bigint/],
    "a symbol": [Symbol("s"), /symbol/],
    "a function": [() => 1, /function/],
    "a hole": [[undefined], /undefined/],
    "a Map of another realm": [runInNewContext("new Map()"), /Map/]
  }
  const schemas: Record<
    string,
    (schema: Schema.Top) => readonly [schema: Schema.Top, wrap: (value: unknown) => unknown]
  > = {
    "the whole value": (schema) => [schema, (value) => value],
    "a field": (schema) => [Schema.Struct({ a: schema }), (a) => ({ a })],
    "an item": (schema) => [Schema.Array(schema), (item) => [item]]
  }
  for (const [name, [value, found]] of Object.entries(refused)) {
    for (const [where, shape] of Object.entries(schemas)) {
      it.effect(`is refused and never written as something else: ${name} as ${where}`, () =>
        Effect.gen(function* () {
          for (const loose of [Schema.Any, Schema.Unknown]) {
            const [success, wrap] = shape(loose)
            const ran = yield* execute(loosely("refuse", wrap(value), { success }))
            const failed = failureOf(ran)
            assert.strictEqual(failed.errorType, "SerdesFailed")
            if (loose === Schema.Any) assert.match(failed.errorMessage ?? "", found)
            assert.isFalse(ran.updates.some((update) => update.Payload !== undefined))
          }
        })
      )
    }
  }
})

describe("The value of a step with a schema", () => {
  const Shape = Schema.Struct({
    at: Schema.Date,
    ids: Schema.ReadonlyMap(Schema.String, Schema.BigInt),
    note: Schema.Option(Schema.String),
    tags: Schema.ReadonlySet(Schema.String),
    left: Schema.Duration
  })

  it.effect("is the same live and on replay: dates, maps, big integers, options, sets, durations", () =>
    Effect.gen(function* () {
      const value: typeof Shape.Type = {
        at: new Date(5),
        ids: new Map([["a", BigInt(2) ** BigInt(70)]]),
        note: Option.some("n"),
        tags: new Set(["x"]),
        left: Duration.hours(1)
      }
      const [live, replayed] = yield* liveAndReplayed(Durable.step("shape", Effect.succeed(value), { success: Shape }))
      assert.deepStrictEqual(live, value)
      assert.deepStrictEqual(replayed, value)
    })
  )

  it.effect("is recorded as it is although it is redacted, unless its schema forbids that", () =>
    Effect.gen(function* () {
      const pin = Redacted.make("4711")
      const [live, replayed] = yield* liveAndReplayed(
        Durable.step("pin", Effect.succeed(pin), { success: Schema.Redacted(Schema.String) })
      )
      assert.deepStrictEqual([Redacted.value(live), Redacted.value(replayed)], ["4711", "4711"])
      const forbidden = Schema.Redacted(Schema.String, { disallowJsonEncode: true })
      for (const step of [Durable.step("pin", Effect.succeed(pin), { success: forbidden }), loosely("pin", pin, {})]) {
        const ran = yield* execute(unchecked<unknown>(step))
        assert.strictEqual(failureOf(ran).errorType, "SerdesFailed")
        assert.notInclude(JSON.stringify(ran), "4711")
      }
    })
  )

  it.effect("may be undefined where the schema allows it, beside null", () =>
    Effect.gen(function* () {
      const Maybe = Schema.UndefinedOr(Schema.NullOr(Schema.String))
      for (const value of [undefined, null, "x"]) {
        const [live, replayed] = yield* liveAndReplayed(
          Durable.step("maybe", Effect.succeed(value), { success: Maybe })
        )
        assert.strictEqual(live, value)
        assert.strictEqual(replayed, value)
      }
    })
  )

  it.effect("keeps what JSON cannot say: NaN, Infinity, undefined in an array", () =>
    Effect.gen(function* () {
      const Numbers = Schema.Array(Schema.UndefinedOr(Schema.Number))
      const value = [Number.NaN, Infinity, -Infinity, undefined, 1]
      const [live, replayed] = yield* liveAndReplayed(
        Durable.step("numbers", Effect.succeed(value), { success: Numbers })
      )
      assert.deepStrictEqual(live, value)
      assert.deepStrictEqual(replayed, value)
    })
  )

  it.effect("is what the schema decodes, live too: defaults and transformations included", () =>
    Effect.gen(function* () {
      const Lean = Schema.Struct({ a: Schema.Number })
      const wide = { a: 1, secret: "s" }
      const [live, replayed] = yield* liveAndReplayed(Durable.step("lean", Effect.succeed(wide), { success: Lean }))
      assert.deepStrictEqual(live, { a: 1 })
      assert.deepStrictEqual(replayed, { a: 1 })
    })
  )

  it.effect("is SerdesFailed when it is undefined and the schema does not allow that, before it is recorded", () =>
    Effect.gen(function* () {
      const nothing = unchecked(Effect.succeed(undefined))
      for (const operation of [
        Durable.step("missing", nothing, { success: Schema.String, retry: RetryPolicy.fixed() }),
        Durable.child("missing", nothing, { success: Schema.String })
      ]) {
        const ran = yield* execute(operation)
        assert.strictEqual(failureOf(ran).errorType, "SerdesFailed")
        assert.include(failureOf(ran).errorMessage, `"missing"`)
        assert.strictEqual(ran.operations[0]!.Status, "FAILED")
      }
    })
  )

  it.effect("that does not fit is SerdesFailed with the path, without a retry", () =>
    Effect.gen(function* () {
      let runs = 0
      const Deep = Schema.Struct({ a: Schema.Struct({ b: Schema.Int }) })
      const ran = yield* execute(
        Durable.step("misfit", unchecked<typeof Deep.Type>(Effect.sync(() => (runs++, { a: { b: "no" } }))), {
          success: Deep,
          retry: RetryPolicy.fixed()
        })
      )
      const failed = failureOf(ran)
      assert.strictEqual(failed.errorType, "SerdesFailed")
      assert.match(failed.errorMessage ?? "", /"misfit".*\["a"\]\["b"\]/s)
      assert.strictEqual(runs, 1)
    })
  )
})

describe("A huge error of a step", () => {
  const once = { retry: RetryPolicy.none }
  const encoded = (error: unknown): number => new TextEncoder().encode(JSON.stringify(error)).length

  it.effect("loses its stack first", () =>
    Effect.gen(function* () {
      const huge = new Error("kept")
      huge.stack = `Error: kept\n${Array.from({ length: 2_000 }, (_, i) => `    at frame ${i} (file.ts)`).join("\n")}`
      const ran = yield* execute(Effect.exit(Durable.step("huge", Effect.die(huge), once)))
      const error = ran.operations[0]!.StepDetails?.Error
      assert.strictEqual(error?.ErrorMessage, "kept")
      assert.isUndefined(error?.StackTrace)
    })
  )

  it.effect("then has its message cut, without cutting a character", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Effect.exit(Durable.step("huge", Effect.die(new Error("😀".repeat(20_000))), once)))
      const error = ran.operations[0]!.StepDetails?.Error
      assert.isAtMost(encoded(error), 32_768)
      assert.match(error?.ErrorMessage ?? "", /^(😀)+$/u)
    })
  )

  it.effect("then loses its data, and is a defect with type and message", () =>
    Effect.gen(function* () {
      class Big extends Schema.TaggedError<Big>()("Big", { data: Schema.String }) {}
      const seen: Array<unknown> = []
      const ran = yield* execute(
        Effect.gen(function* () {
          const step = Durable.step("huge", new Big({ data: "x".repeat(40_000) }), { ...once, error: Big })
          seen.push(defectOf(yield* Effect.exit(step)))
          yield* Durable.wait("replay", "1 second")
        })
      )
      assertSucceeded(ran)
      const error = ran.operations[0]!.StepDetails?.Error
      assert.strictEqual(error?.ErrorType, "Big")
      assert.isAtMost(encoded(error), 32_768)
      assert.lengthOf(seen, 2)
      for (const defect of seen) {
        assert.instanceOf(defect, Error)
        assert.strictEqual(defect.name, "Big")
      }
    })
  )

  it.effect("that just fits is kept as it is", () =>
    Effect.gen(function* () {
      class Big extends Schema.TaggedError<Big>()("Big", { data: Schema.String }) {}
      const ran = yield* execute(
        Durable.step("huge", new Big({ data: "x".repeat(30_000) }), { ...once, error: Big }).pipe(Effect.flip)
      )
      assertSucceeded(ran)
      assert.lengthOf(
        ran.operations[0]!.StepDetails?.Error?.ErrorData ?? "",
        30_000 + `{"_tag":"Big","data":""}`.length
      )
    })
  )

  it.effect("has a type and a message even when it has neither", () =>
    Effect.gen(function* () {
      const nameless = new Error("")
      nameless.name = ""
      const ran = yield* execute(Effect.exit(Durable.step("nameless", Effect.die(nameless), once)))
      const error = ran.operations[0]!.StepDetails?.Error
      assert.isNotEmpty(error?.ErrorType)
      assert.isNotEmpty(error?.ErrorMessage)
    })
  )
})
