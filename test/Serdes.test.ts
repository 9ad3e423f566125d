import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, RetryPolicy, Serdes } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { assertSucceeded, execute, failureOf, valueOf } from "./operations/support.ts"

class Declined extends Schema.TaggedError<Declined>()("Declined", { at: Schema.Date }) {}

const backwards = (text: string): string => text.split("").toReversed().join("")

/** A format that nobody can read who does not know it: JSON, backwards, in base64. */
const veiled = (seen: Array<Serdes.Info> = []): Serdes.Format => ({
  serialize: (schema, value, info) => {
    seen.push(info)
    return Effect.map(Serdes.json.serialize(schema, value, info), (text) =>
      text === undefined ? undefined : btoa(backwards(text))
    )
  },
  deserialize: (schema, text, info) => {
    seen.push(info)
    return Effect.try({
      try: () => (text === undefined ? undefined : backwards(atob(text))),
      catch: () => new Serdes.SerdesError({ message: "not in base64", transient: false })
    }).pipe(Effect.flatMap((json) => Serdes.json.deserialize(schema, json, info)))
  }
})

const unveil = (text: string | undefined): unknown => JSON.parse(backwards(atob(text ?? "")))

/** A world in which a format is the ambient one, for the functions and for those who call them. */
const under = <A, R>(format: Serdes.Format, world: Layer.Layer<A, never, R>) =>
  Layer.provideMerge(world, Serdes.layer(format))

const pause = Durable.wait("pause", "1 hour")

/** A codec for numbers that notes what it does. `slow` is how long each direction takes. */
const noting = (options: { readonly slow?: string } = {}) => {
  const log: Array<string> = []
  const note = (text: string) => Effect.sync(() => void log.push(text))
  const delay = Effect.sleep(options.slow === "slow" ? "1 minute" : "0 millis")
  const codec = Serdes.make<number>({
    serialize: (n) => Effect.as(Effect.andThen(delay, note(`write ${n}`)), `#${n}`),
    deserialize: (text) => Effect.as(Effect.andThen(delay, note(`read ${text}`)), Number(text?.slice(1)))
  })
  return { log, codec }
}

describe("The ambient format", () => {
  it.effect("writes and reads every value of an execution: payload, results, errors", () =>
    Effect.gen(function* () {
      const seen: Array<Serdes.Info> = []
      const Ask = DurableFunction.plain("ask", { payload: Schema.Date, success: Schema.BigInt })
      const Work = DurableFunction.make("work", {
        payload: Schema.Struct({ at: Schema.Date }),
        success: Schema.ReadonlySet(Schema.String),
        error: Declined
      })
      const work = Work.implement(({ at }) =>
        Effect.gen(function* () {
          yield* Durable.step("step", Effect.succeed({ a: 1 }))
          yield* Effect.flip(
            Durable.step("declined", new Declined({ at }), { error: Declined, retry: RetryPolicy.none })
          )
          yield* Durable.child("child", Effect.succeed([at]), { success: Schema.Array(Schema.Date) })
          const n = yield* Effect.orDie(Durable.invoke(Ask, at))
          yield* pause
          return new Set([String(n)])
        })
      )
      const { operations, result } = yield* Effect.gen(function* () {
        const run = yield* TestEngine.start(Work, { at: new Date(3) })
        return { result: yield* run.result, operations: yield* run.operations() }
      }).pipe(
        Effect.provide(
          under(
            veiled(seen),
            TestEngine.layer([work, TestEngine.stub(Ask, (at) => Effect.succeed(BigInt(at.getTime())))])
          )
        )
      )
      assert.deepStrictEqual(result, new Set(["3"]))
      const [step, declined, child, ask] = operations
      assert.deepStrictEqual(unveil(step!.StepDetails?.Result), { a: 1 })
      assert.deepStrictEqual(unveil(declined!.StepDetails?.Error?.ErrorData), {
        _tag: "Declined",
        at: "1970-01-01T00:00:00.003Z"
      })
      assert.deepStrictEqual(unveil(child!.ContextDetails?.Result), ["1970-01-01T00:00:00.003Z"])
      assert.strictEqual(unveil(ask!.ChainedInvokeDetails?.Result), "3")

      const kinds = new Set(seen.map(({ operation, value }) => `${value} of ${operation}`))
      for (const kind of [
        "result of step",
        "error of declined",
        "result of child",
        "payload of ask",
        "result of ask"
      ]) {
        assert.include([...kinds], kind)
      }
      const infos = seen.filter((info) => info.operation === "step")
      assert.isAbove(infos.length, 1)
      for (const info of infos) {
        assert.strictEqual(info.operationId, step!.Id)
        assert.match(info.executionArn, /durable-execution/)
      }
    })
  )

  it.effect("hands on the declared errors of callees", () =>
    Effect.gen(function* () {
      const Pay = DurableFunction.make("pay", { error: Declined })
      const Order = DurableFunction.make("order", { success: Schema.Number })
      const pay = Pay.implement(() => new Declined({ at: new Date(9) }))
      const order = Order.implement(() =>
        Durable.invoke(Pay).pipe(
          Effect.as(0),
          Effect.catchTag("Declined", (error) => Effect.succeed(error.at.getTime()))
        )
      )
      const result = yield* TestEngine.run(Order).pipe(Effect.provide(under(veiled(), TestEngine.layer([pay, order]))))
      assert.strictEqual(result, 9)
    })
  )

  it.effect("does not change what a void value is: nothing", () =>
    Effect.gen(function* () {
      const Work = DurableFunction.make("work")
      const work = Work.implement(() => Effect.andThen(Durable.step("nothing", Effect.void), pause))
      const operations = yield* Effect.gen(function* () {
        const run = yield* TestEngine.start(Work)
        yield* run.result
        return yield* run.operations({ name: "nothing" })
      }).pipe(Effect.provide(under(veiled(), TestEngine.layer([work]))))
      assert.isUndefined(operations[0]!.StepDetails?.Result)
    })
  )

  it.effect("leaves nothing what it is where it has to have a text: in results of functions, and in errors", () =>
    Effect.gen(function* () {
      const Silent = { success: Schema.Undefined, error: Schema.Undefined }
      const Fine = DurableFunction.make("fine", Silent)
      const Bad = DurableFunction.make("bad", Silent)
      const Plain = DurableFunction.plain("plain", Silent)
      const Empty = DurableFunction.make("empty", { success: Schema.Null })
      const Work = DurableFunction.make("work", { success: Schema.Array(Schema.String) })
      const work = Work.implement(() =>
        Effect.gen(function* () {
          const { none: retry } = RetryPolicy
          const exits = yield* Effect.all([
            Effect.exit(Durable.invoke(Fine, undefined)),
            Effect.exit(Durable.invoke(Plain, undefined, { timeout: "1 hour" })),
            Effect.exit(Durable.invoke(Bad, undefined)),
            Effect.exit(Durable.invoke(Empty)),
            Effect.exit(Durable.step("step", Effect.fail(undefined), { error: Schema.Undefined, retry })),
            Effect.exit(Durable.child("child", Effect.fail(undefined), { error: Schema.Undefined }))
          ])
          yield* pause
          return exits.map(String)
        })
      )
      const answers = yield* TestEngine.run(Work).pipe(
        Effect.provide(
          under(
            veiled(),
            TestEngine.layer([
              work,
              Fine.implement(() => Effect.succeed(undefined)),
              Plain.implement(() => Effect.succeed(undefined)),
              Bad.implement(() => Effect.fail(undefined)),
              Empty.implement(() => Effect.succeed(null))
            ])
          )
        )
      )
      const nothing = String(Exit.succeed(undefined))
      const failed = String(Exit.fail(undefined))
      assert.deepStrictEqual(answers, [nothing, nothing, failed, String(Exit.succeed(null)), failed, failed])
    })
  )

  it.effect("that another format wrote is SerdesFailed", () =>
    Effect.gen(function* () {
      let invocations = 0
      const changing: Serdes.Format = {
        serialize: (schema, value, info) => Serdes.json.serialize(schema, value, info),
        deserialize: (schema, text, info) =>
          invocations < 2 ? Serdes.json.deserialize(schema, text, info) : veiled().deserialize(schema, text, info)
      }
      const Work = DurableFunction.make("work")
      const work = Work.implement(() =>
        Effect.suspend(() => {
          invocations++
          return Effect.andThen(Durable.step("step", Effect.succeed("not in base64!")), pause)
        })
      )
      const error = yield* Effect.flip(TestEngine.run(Work)).pipe(
        Effect.provide(under(changing, TestEngine.layer([work])))
      )
      assert.isTrue(error._tag === "ExecutionFailed" && error.errorType === "SerdesFailed", error.message)
    })
  )
})

describe("The codec of an operation", () => {
  it.effect("writes and reads its value in place of the ambient one, live too", () =>
    Effect.gen(function* () {
      const { codec, log } = noting()
      const ran = yield* execute(
        Effect.tap(
          Effect.all([
            Durable.step("step", Effect.succeed(1), { successSerdes: codec }),
            Durable.child("child", Effect.succeed(2), { successSerdes: codec })
          ]),
          pause
        )
      )
      assert.deepStrictEqual(valueOf(ran), [1, 2])
      assert.deepStrictEqual(
        ran.operations.map((operation) => operation.StepDetails?.Result ?? operation.ContextDetails?.Result),
        ["#1", "#2", undefined]
      )
      assert.deepStrictEqual(log, ["write 1", "read #1", "write 2", "read #2", "read #1", "read #2"])
    })
  )

  it.effect("may be plain functions, and may write nothing", () =>
    Effect.gen(function* () {
      const codec = Serdes.make<Date>({ serialize: () => undefined, deserialize: (text) => new Date(text ?? 5) })
      const ran = yield* execute(
        Effect.tap(Durable.step("step", Effect.succeed(new Date(1)), { successSerdes: codec }), pause)
      )
      assert.deepStrictEqual(valueOf(ran), new Date(5))
      assert.isUndefined(ran.operations[0]!.StepDetails?.Result)
    })
  )

  it.effect("is told which value of which operation it handles", () =>
    Effect.gen(function* () {
      const seen: Array<Serdes.Info> = []
      const codec = Serdes.make<string>({
        serialize: (text, info) => (seen.push(info), text),
        deserialize: (text, info) => (seen.push(info), text ?? "")
      })
      const ran = yield* execute(
        Durable.child("block", Durable.step("step", Effect.succeed("x"), { successSerdes: codec }), { flat: true })
      )
      assert.deepStrictEqual(
        seen.map(({ operation, operationId, value }) => [operation, operationId, value]),
        [
          ["block/step", ran.operations[0]!.Id, "result"],
          ["block/step", ran.operations[0]!.Id, "result"]
        ]
      )
    })
  )

  it.effect("leaves errors to the ambient format", () =>
    Effect.gen(function* () {
      const { codec, log } = noting()
      const failing: Effect.Effect<number, Declined> = Effect.fail(new Declined({ at: new Date(4) }))
      const ran = yield* execute(
        Effect.exit(Durable.step("step", failing, { successSerdes: codec, error: Declined, retry: RetryPolicy.none }))
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(log, [])
    })
  )

  it.effect("is limited like any other value", () =>
    Effect.gen(function* () {
      const codec = Serdes.make<number>({ serialize: () => "x".repeat(262_145), deserialize: () => 1 })
      const ran = yield* execute(Durable.step("step", Effect.succeed(1), { successSerdes: codec }))
      assert.strictEqual(failureOf(ran).errorType, "PayloadTooLarge")
    })
  )
})

describe("A codec that takes its time", () => {
  it.effect("keeps the invocation alive while it writes", () =>
    Effect.gen(function* () {
      const { codec } = noting({ slow: "slow" })
      const ran = yield* execute(
        Effect.all(
          [Durable.wait("nap", "10 seconds"), Durable.step("step", Effect.succeed(1), { successSerdes: codec })],
          {
            concurrency: "unbounded"
          }
        )
      )
      assertSucceeded(ran)
      assert.strictEqual(ran.invocations, 1)
    })
  )

  it.effect("keeps the invocation alive while it reads a record", () =>
    Effect.gen(function* () {
      const { codec, log } = noting({ slow: "slow" })
      const ran = yield* execute(
        Effect.gen(function* () {
          yield* Durable.step("first", Effect.succeed(1), { successSerdes: codec })
          yield* pause
          const again = Durable.step("second", Effect.succeed(2), { successSerdes: codec })
          yield* Effect.all([Durable.wait("nap", "1 second"), again], { concurrency: "unbounded" })
          yield* Durable.wait("last", "1 hour")
        })
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(ran.logs, [])
      assert.strictEqual(ran.invocations, 3)
      assert.deepStrictEqual(log, [
        // Live, in the second invocation, and in the last.
        "write 1",
        "read #1",
        "read #1",
        "write 2",
        "read #2",
        "read #1",
        "read #2"
      ])
    })
  )

  it.effect("of a step that is read beside a wait is not cut off by a suspension", () =>
    Effect.gen(function* () {
      const { codec, log } = noting({ slow: "slow" })
      const read = Effect.andThen(
        Durable.step("step", Effect.succeed(1), { successSerdes: codec }),
        Durable.step("after", Effect.void)
      )
      const ran = yield* execute(
        Effect.all([read, Effect.andThen(Durable.wait("a", "10 seconds"), Durable.wait("b", "1 hour"))], {
          concurrency: "unbounded"
        })
      )
      assertSucceeded(ran)
      // Live, and once in the invocation after the second wait: it came to its end both times.
      assert.deepStrictEqual(log, ["write 1", "read #1", "read #1"])
    })
  )
})

describe("A failure of a codec", () => {
  const thrown = (): never => {
    throw new Error("no key")
  }
  const failing: Record<string, Serdes.Codec<number>> = {
    "that throws while writing": Serdes.make<number>({ serialize: thrown, deserialize: () => 1 }),
    "that fails while writing": Serdes.make<number>({ serialize: () => Effect.fail("no key"), deserialize: () => 1 }),
    "that throws while reading": Serdes.make<number>({ serialize: () => "1", deserialize: thrown }),
    "that fails while reading": Serdes.make<number>({ serialize: () => "1", deserialize: () => Effect.fail("no key") }),
    "that says it is not transient": Serdes.make<number>({
      serialize: () => Effect.fail(new Serdes.SerdesError({ message: "no key", transient: false })),
      deserialize: () => 1
    })
  }
  for (const [name, successSerdes] of Object.entries(failing)) {
    it.effect(`${name} is SerdesFailed, once and for all`, () =>
      Effect.gen(function* () {
        let runs = 0
        const body = Effect.sync(() => ++runs)
        const ran = yield* execute(Durable.step("step", body, { successSerdes, retry: RetryPolicy.fixed() }))
        const failed = failureOf(ran)
        assert.strictEqual(failed.errorType, "SerdesFailed")
        assert.include(failed.errorMessage, `"step"`)
        assert.include(failed.errorMessage, "no key")
        assert.strictEqual(runs, 1)
      })
    )
  }

  const others: Record<string, unknown> = { null: null, "a number": 5, "an instance of Buffer": Buffer.from("5") }
  for (const [found, written] of Object.entries(others)) {
    it.effect(`that writes something else than text is SerdesFailed, once and for all: ${found}`, () =>
      Effect.gen(function* () {
        const serialize = (): string => cast<unknown, string>(written)
        const codec = Serdes.make<number>({ serialize, deserialize: () => 1 })
        const Twice = DurableFunction.plain("twice", { payload: Schema.Int, payloadSerdes: codec })
        const condition = { initial: 1, check: (n: number) => Effect.succeed(n), until: () => true, stateSerdes: codec }
        const operations = {
          step: Durable.step("it", Effect.succeed(1), { successSerdes: codec }),
          child: Durable.child("it", Effect.succeed(1), { successSerdes: codec }),
          waitForCondition: Durable.waitForCondition("it", condition),
          invoke: Durable.invoke(Twice, 1, { name: "it" }).pipe(Effect.orDie)
        }
        for (const [kind, operation] of Object.entries(operations)) {
          const { errorMessage, errorType } = failureOf(yield* execute(operation))
          assert.strictEqual(errorType, "SerdesFailed", kind)
          assert.match(
            errorMessage ?? "",
            new RegExp(`^Could not write the \\w+ of "it": Expected its Serdes to write text, found ${found}`)
          )
        }
      })
    )
  }

  it.effect("that dies is a defect and no hang", () =>
    Effect.gen(function* () {
      const successSerdes = Serdes.make<number>({ serialize: () => Effect.die(new Error("bug")), deserialize: () => 1 })
      const ran = yield* execute(Durable.step("step", Effect.succeed(1), { successSerdes }))
      assert.strictEqual(failureOf(ran).errorMessage, "bug")
    })
  )

  const inside = Durable.step("inside", Effect.succeed("1"))
  const codecs = {
    writes: Serdes.make<number, Durable.Execution>({ serialize: () => inside, deserialize: Number }),
    reads: Serdes.make<number, Durable.Execution>({ serialize: String, deserialize: () => Effect.map(inside, Number) })
  }
  for (const [does, successSerdes] of Object.entries(codecs)) {
    for (const [name, operation] of Object.entries({
      step: Durable.step("value", Effect.succeed(1), { successSerdes }),
      child: Durable.child("value", Effect.as(pause, 1), { successSerdes })
    })) {
      it.effect(`that uses an operation when it ${does} the value of a ${name} is a mistake and no hang`, () =>
        Effect.gen(function* () {
          const ran = yield* execute(operation)
          assert.strictEqual(failureOf(ran).errorType, "NestedOperation")
          assert.include(failureOf(ran).errorMessage, `The durable operation "inside" is used inside of`)
        })
      )
    }
  }

  const transient = Effect.fail(new Serdes.SerdesError({ message: "throttled", transient: true }))

  it.effect("that is transient while writing fails the invocation, and the step runs again", () =>
    Effect.gen(function* () {
      let writes = 0
      let runs = 0
      const successSerdes = Serdes.make<number>({
        serialize: () => (++writes === 1 ? transient : Effect.succeed("1")),
        deserialize: () => 1
      })
      const ran = yield* execute(
        Durable.step(
          "step",
          Effect.sync(() => ++runs),
          { successSerdes, retry: RetryPolicy.none }
        )
      )
      assertSucceeded(ran)
      assert.strictEqual(ran.invocations, 2)
      assert.strictEqual(runs, 2)
      const failed = ran.history.find((event) => event.EventType === "InvocationCompleted")
      assert.include(JSON.stringify(failed), "throttled")
    })
  )

  it.effect("that is transient while reading fails the invocation, and the step does not run again", () =>
    Effect.gen(function* () {
      let reads = 0
      let runs = 0
      const successSerdes = Serdes.make<number>({
        serialize: () => "1",
        deserialize: () => (++reads === 2 ? transient : Effect.succeed(1))
      })
      const ran = yield* execute(
        Effect.tap(
          Durable.step(
            "step",
            Effect.sync(() => ++runs),
            { successSerdes }
          ),
          pause
        )
      )
      assertSucceeded(ran)
      assert.strictEqual(ran.invocations, 3)
      assert.strictEqual(runs, 1)
    })
  )

  it.effect("that is transient cannot be caught by the workflow", () =>
    Effect.gen(function* () {
      let writes = 0
      let caught = 0
      const successSerdes = Serdes.make<number>({
        serialize: () => (++writes === 1 ? transient : Effect.succeed("1")),
        deserialize: () => 1
      })
      const ran = yield* execute(
        Durable.child("block", Effect.succeed(1), { successSerdes }).pipe(
          Effect.catchCause(() => Effect.sync(() => ++caught))
        )
      )
      assertSucceeded(ran)
      assert.strictEqual(caught, 0)
      assert.strictEqual(ran.invocations, 2)
    })
  )

  it.effect("that is transient while the payload is read fails the invocation", () =>
    Effect.gen(function* () {
      let reads = 0
      const Work = DurableFunction.make("work", {
        payload: Schema.Number,
        payloadSerdes: Serdes.make<number>({
          serialize: String,
          deserialize: (text) => (++reads === 1 ? transient : Effect.succeed(Number(text)))
        }),
        success: Schema.Number,
        successSerdes: Serdes.make<number>({ serialize: (n) => `#${n}`, deserialize: (text) => Number(text?.slice(1)) })
      })
      const work = Work.implement((n) => Effect.succeed(n + 1))
      const result = yield* TestEngine.run(Work, 4).pipe(Effect.provide(TestEngine.layer([work])))
      assert.strictEqual(result, 5)
      assert.strictEqual(reads, 2)
    })
  )
})

describe("The JSON format", () => {
  const info: Serdes.Info = { executionArn: "arn", operationId: "id", operation: "op", value: "result" }

  it.effect("reads what it wrote", () =>
    Effect.gen(function* () {
      for (const value of [undefined, null, false, 0, "", [], {}, [null], { a: { b: [1] } }]) {
        const text = yield* Serdes.json.serialize<Schema.Unknown>(undefined, value, info)
        assert.deepStrictEqual(yield* Serdes.json.deserialize<Schema.Unknown>(undefined, text, info), value)
      }
    })
  )

  it.effect("says where a value does not fit, and is never transient", () =>
    Effect.gen(function* () {
      const Shape = Schema.Struct({ a: Schema.Array(Schema.Int) })
      const error = yield* Effect.flip(Serdes.json.deserialize(Shape, `{"a":[1,1.5]}`, info))
      assert.isFalse(error.transient)
      assert.include(error.message, `["a"][1]`)
    })
  )

  it.effect("does not put text that does not parse into its message", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Serdes.json.deserialize<Schema.Unknown>(undefined, `{"secret": hunter2`, info))
      assert.notInclude(error.message, "hunter2")
    })
  )

  class Money {
    readonly cents = 3
  }
  const thrown = (): never => {
    throw new TypeError("no object")
  }
  const Account = Schema.Struct({ id: Schema.String, notes: Schema.Unknown })

  const misfits: ReadonlyArray<readonly [schema: Schema.Codec<unknown, unknown>, value: unknown, message: string]> = [
    [Schema.Struct({ a: Schema.String }), { a: 1 }, `Expected string at ["a"], found a number`],
    [Schema.Struct({ a: Schema.String }), {}, `Missing key at ["a"]`],
    [
      Schema.Struct({ a: Schema.Array(Schema.Int) }),
      { a: [1, "secret"] },
      `Expected number at ["a"][1], found a string`
    ],
    [Schema.String, undefined, "Expected string, found undefined"],
    [Schema.String, null, "Expected string, found null"],
    [Schema.Finite, new Date(0), "Expected number, found a Date"],
    [Schema.Struct({ a: Schema.String }), [1], "Expected object, found an array"],
    [Schema.Date, "secret", "Expected a valid Date, found a string"]
  ]
  for (const [schema, value, message] of misfits) {
    it.effect(`says what kind of thing does not fit, and nothing of what is in it: ${message}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Serdes.json.serialize(schema, value, info))
        assert.strictEqual(error.message, message)
      })
    )
  }

  const numbers = {
    a: Schema.Number,
    "nothing or a": Schema.NullOr(Schema.Number),
    "an optional": Schema.optional(Schema.Number)
  }
  for (const [kind, field] of Object.entries(numbers)) {
    it.effect(
      `says that ${kind} number was expected where something else was sent, and not how JSON has what is none`,
      () =>
        Effect.gen(function* () {
          for (const [sent, found] of [
            [`"4"`, "a string"],
            ["true", "a boolean"]
          ]) {
            const error = yield* Effect.flip(
              Serdes.json.deserialize(Schema.Struct({ n: field }), `{"n":${sent}}`, info)
            )
            assert.match(
              error.message,
              new RegExp(String.raw`^Expected number( \| (null|undefined))* at \["n"\], found ${found}$`)
            )
          }
        })
    )
  }

  it.effect("says in a sentence where a value does not fit, however long its keys are and however deep it goes", () =>
    Effect.gen(function* () {
      const Any: Schema.Codec<unknown> = Schema.Record(
        Schema.String,
        Schema.suspend(() => Schema.Union([Schema.String, Any]))
      )
      const long = JSON.stringify({ [`"`.repeat(500_000)]: 1 })
      const deep = `${`{"a":`.repeat(100)}1${"}".repeat(100)}`
      for (const text of [long, deep]) {
        const error = yield* Effect.flip(Serdes.json.deserialize(Any, text, info))
        assert.match(error.message, / at \[".*…/)
        assert.isBelow(error.message.length, 300)
      }
    })
  )

  it.effect("says nothing of what was found inside of a text, which it does not see", () =>
    Effect.gen(function* () {
      const Inner = Schema.fromJsonString(Schema.Struct({ a: Schema.Array(Schema.Finite) }))
      const error = yield* Effect.flip(Serdes.json.deserialize(Inner, JSON.stringify(`{"a":[true]}`), info))
      assert.strictEqual(error.message, `Expected number at ["a"][0]`)
    })
  )

  it.effect("says what does not fit of a value that throws when it is looked at", () =>
    Effect.gen(function* () {
      const moody = new Proxy(
        {},
        {
          get: () => {
            throw new Error("not now")
          }
        }
      )
      const error = yield* Effect.flip(
        Serdes.json.serialize(Schema.Struct({ a: Schema.String }), cast<object, { readonly a: string }>(moody), info)
      )
      assert.strictEqual(error.message, `Missing key at ["a"]`)
    })
  )

  const unwritten: ReadonlyArray<readonly [value: unknown, at: string, found: string]> = [
    [new Date(0), "the top", "a Date"],
    [new Money(), "the top", "an instance of Money"],
    [{ id: "a", notes: { at: [new Date(0)] } }, `["notes"]["at"][0]`, "a Date"],
    [{ id: "a", notes: 1n }, `["notes"]`, "a bigint"],
    [{ id: "a", notes: Number.NaN }, `["notes"]`, "NaN"]
  ]
  const undefinedIn: ReadonlyArray<readonly [value: unknown, at: string, found: string]> = [
    [{ id: "a", notes: { by: { name: undefined } } }, `["notes"]["by"]["name"]`, "undefined"],
    [{ id: "a", notes: ["b", undefined] }, `["notes"][1]`, "undefined"]
  ]
  for (const [value, at, found] of [...unwritten, ...undefinedIn]) {
    it.effect(`says what a loose Schema cannot write, where, and what to use: ${found} at ${at}`, () =>
      Effect.gen(function* () {
        const schema = at === "the top" ? Schema.Unknown : Account
        const error = yield* Effect.flip(Serdes.json.serialize<Schema.Codec<unknown, unknown>>(schema, value, info))
        assert.strictEqual(
          error.message,
          `Expected plain data at ${at}, found ${found}. Its Schema does not define how to write it: use one that does, such as Schema.ReadonlyMap or Schema.Date.`
        )
      })
    )
  }

  it.effect("says in a sentence where a value is not plain, however long its keys are and however deep it is", () =>
    Effect.gen(function* () {
      let deep: unknown = Number.NaN
      for (let level = 0; level < 300; level++) deep = { deep }
      for (const value of [{ ["k".repeat(500_000)]: Number.NaN }, { ["😀".repeat(1_000)]: Number.NaN }, deep]) {
        const error = yield* Effect.flip(Serdes.json.serialize<Schema.Unknown>(undefined, value, info))
        assert.match(error.message, /^Expected plain data at \["[^"]*.*…, found NaN\. /)
        assert.isBelow(error.message.length, 300)
        assert.isTrue(error.message.isWellFormed())
      }
    })
  )

  it.effect("says that a value is nested too deeply for its Schema", () =>
    Effect.gen(function* () {
      interface Tree {
        readonly below?: Tree
      }
      const Tree: Schema.Codec<Tree> = Schema.Struct({ below: Schema.optionalKey(Schema.suspend(() => Tree)) })
      let deep: Tree = {}
      for (let level = 0; level < 50_000; level++) deep = { below: deep }
      const unwritten = yield* Effect.flip(Serdes.json.serialize(Tree, deep, info))
      assert.strictEqual(unwritten.message, "Expected plain data, found a value that is nested too deeply.")
      const text = `${`{"below":`.repeat(50_000)}{}${"}".repeat(50_000)}`
      const unread = yield* Effect.flip(Serdes.json.deserialize(Tree, text, info))
      assert.strictEqual(unread.message, "Expected plain data, found a value that is nested too deeply.")
    })
  )

  it.effect("asks a Schema only about the value that it converts", () =>
    Effect.gen(function* () {
      // Its check expects an object, as a check of one's own often does.
      const Circle = Schema.declare((value): value is { readonly kind: "circle" } =>
        cast<unknown, string>(Reflect.get(Object(value ?? thrown()), "kind")).startsWith("circle")
      )
      const text = yield* Serdes.json.serialize(Circle, { kind: "circle" }, info)
      assert.deepStrictEqual(yield* Serdes.json.deserialize(Circle, text, info), { kind: "circle" })
    })
  )

  it.effect("says the same of a class without a Schema", () =>
    Effect.gen(function* () {
      const schema: Schema.Codec<unknown, unknown> = Schema.instanceOf(Money)
      const error = yield* Effect.flip(Serdes.json.serialize(schema, new Money(), info))
      assert.match(
        error.message,
        /^Expected plain data at the top, found an instance of Money\. Its Schema does not define/
      )
    })
  )
})
