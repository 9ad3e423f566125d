/** What the compiler knows of durable operations whose bodies are written in place. */
import { describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { expectTypeOf } from "vitest"
import * as Durable from "../../src/Durable.ts"
import type {
  CallbackFailed,
  CallbackSubmitFailed,
  CallbackTimedOut,
  ConditionExhausted,
  InvokeError,
  StepInterrupted
} from "../../src/DurableError.ts"
import * as DurableFunction from "../../src/DurableFunction.ts"
import * as RetryPolicy from "../../src/RetryPolicy.ts"
import * as Serdes from "../../src/Serdes.ts"

class CardDeclined extends Schema.TaggedError<CardDeclined>()("CardDeclined", {
  code: Schema.String
}) {}
class Database extends Context.Service<Database, { readonly query: string }>()("test/Database") {}

declare const number: Effect.Effect<number>
declare const date: Effect.Effect<Date>
declare const charge: Effect.Effect<number, CardDeclined>

type Durably<A, E = never, R = never> = Effect.Effect<A, E, R | Durable.Execution>

describe("step", () => {
  it("knows what its body returns, however it is written", () => {
    expectTypeOf(Durable.step("a", number)).toEqualTypeOf<Durably<number>>()
    expectTypeOf(
      Durable.step(
        "a",
        Effect.map(number, (n) => `${n}`)
      )
    ).toEqualTypeOf<Durably<string>>()
    expectTypeOf(Durable.step("a", Effect.andThen(Database, number))).toEqualTypeOf<Durably<number, never, Database>>()
    expectTypeOf(
      Durable.step(
        "a",
        Effect.map(Durable.StepContext, (c) => c.attempt)
      )
    ).toEqualTypeOf<Durably<number>>()
    expectTypeOf(
      Durable.step(
        "a",
        Effect.map(charge, (n) => n + 1),
        { error: CardDeclined }
      )
    ).toEqualTypeOf<Durably<number, CardDeclined>>()
    expectTypeOf(
      Durable.step("a", Effect.andThen(number, date), {
        success: Schema.Date,
        semantics: "at-most-once"
      })
    ).toEqualTypeOf<Durably<Date, StepInterrupted>>()
    expectTypeOf(Durable.step("a", number, { maxInterruptions: 3 })).toEqualTypeOf<Durably<number, StepInterrupted>>()
    expectTypeOf(Durable.step("a", number, { semantics: "at-least-once" })).toEqualTypeOf<Durably<number>>()
    expectTypeOf(Durable.step("a", number, {})).toEqualTypeOf<Durably<number>>()
    Durable.step("a", charge, {
      error: CardDeclined,
      retry: RetryPolicy.exponential({ while: (error) => error.code === "51" })
    })
  })

  it("refuses what it cannot record, and durable operations", () => {
    // @ts-expect-error value is not plain data
    Durable.step("a", Effect.andThen(number, date))
    // @ts-expect-error an error without a Schema
    Durable.step(
      "a",
      Effect.map(charge, (n) => n + 1)
    )
    // @ts-expect-error there is no option "semantic"
    Durable.step("a", number, { semantic: "at-most-once" })
    // @ts-expect-error a step cannot hold durable operations
    Durable.step("a", Durable.wait("nap", "1 second"))
    Durable.step(
      "a",
      // @ts-expect-error the same inside a call
      Effect.map(Durable.wait("nap", "1 second"), () => 1)
    )
  })
})

describe("local", () => {
  it("keeps the types of an effect and of a layer, and needs the execution", () => {
    expectTypeOf(Durable.local(number)).toEqualTypeOf<Durably<number>>()
    expectTypeOf(Durable.local(Effect.andThen(Database, charge))).toEqualTypeOf<
      Durably<number, CardDeclined, Database>
    >()
    expectTypeOf(Durable.local(Effect.acquireRelease(number, () => Effect.void))).toEqualTypeOf<
      Durably<number, never, Scope.Scope>
    >()
    const layer = Layer.effect(Database)(Effect.as(charge, { query: "select 1" }))
    expectTypeOf(Durable.local(layer)).toEqualTypeOf<Layer.Layer<Database, CardDeclined, Durable.Execution>>()
    expectTypeOf(Effect.provide(Effect.as(Database, 1), Durable.local(layer))).toEqualTypeOf<
      Durably<number, CardDeclined>
    >()
  })

  it("refuses durable operations", () => {
    // @ts-expect-error what is local cannot hold durable operations
    Durable.local(Durable.wait("nap", "1 second"))
    // @ts-expect-error the same in a layer
    Durable.local(Layer.effectDiscard(Durable.wait("nap", "1 second")))
    // @ts-expect-error the same in itself
    Durable.local(Durable.local(number))
  })
})

describe("operations in the places where they stand", () => {
  it("keep their types in lists, loops and handlers", () => {
    expectTypeOf(
      Effect.all([
        Durable.step(
          "a",
          Effect.map(number, (n) => n)
        ),
        Durable.step("b", number)
      ])
    ).toEqualTypeOf<Durably<[number, number]>>()
    expectTypeOf(
      Effect.forEach([1], (i) =>
        Durable.step(
          "a",
          Effect.map(number, (n) => n + i)
        )
      )
    ).toEqualTypeOf<Durably<Array<number>>>()
    expectTypeOf(
      Effect.all([
        Durable.child(
          "a",
          Effect.map(Durable.wait("nap", "1 second"), () => "x")
        )
      ])
    ).toEqualTypeOf<Durably<[string]>>()
    const something: Effect.Effect<unknown, CardDeclined, Durable.Execution> = Durable.step(
      "a",
      Effect.map(charge, (n) => n),
      { error: CardDeclined }
    )
    expectTypeOf(something).toExtend<Effect.Effect<unknown, unknown, Durable.Execution>>()
  })
})

describe("child", () => {
  it("knows what its body returns, however it is written", () => {
    expectTypeOf(
      Durable.child(
        "a",
        Effect.map(Durable.wait("nap", "1 second"), () => "x")
      )
    ).toEqualTypeOf<Durably<string>>()
    expectTypeOf(Durable.child("a", Effect.andThen(number, date), { success: Schema.Date })).toEqualTypeOf<
      Durably<Date>
    >()
    expectTypeOf(Durable.child("a", Effect.andThen(charge, date), { flat: true })).toEqualTypeOf<
      Durably<Date, CardDeclined>
    >()
    // @ts-expect-error value is not plain data
    Durable.child("a", Effect.andThen(number, date))
    // @ts-expect-error value is not plain data
    Durable.child("a", Effect.andThen(number, date), { flat: false })
  })
})

const digits = Serdes.make({ serialize: (value: number) => String(value), deserialize: Number })

describe("codecs of what is only written or only read", () => {
  const written = Serdes.writer((value: number) => Effect.as(Database, `${value}`))
  const read = Serdes.reader((text) => Number(text))
  const Double = DurableFunction.plain("double", { payload: Schema.Number, success: Schema.Number })

  it("are halves of one, with the services that they need", () => {
    expectTypeOf(written).toEqualTypeOf<Serdes.Writer<number, Database>>()
    expectTypeOf(read).toEqualTypeOf<Serdes.Reader<number>>()
    expectTypeOf(digits).toExtend<Serdes.Writer<number> & Serdes.Reader<number>>()
  })

  it("do for an invoke and for the answer to a callback", () => {
    expectTypeOf(Durable.invoke(Double, 1, { payloadSerdes: written, successSerdes: read })).toEqualTypeOf<
      Durably<number, InvokeError, Database>
    >()
    expectTypeOf(Durable.callback("a", { successSerdes: read })).toEqualTypeOf<Durably<Durable.Callback<number>>>()
    // @ts-expect-error a payload is written
    Durable.invoke(Double, 1, { payloadSerdes: read })
    // @ts-expect-error a reader of another result
    Durable.invoke(Double, 1, { successSerdes: Serdes.reader((text) => text ?? "") })
  })

  it("do not for what is written and read", () => {
    // @ts-expect-error the value is written, too
    Durable.step("a", number, { successSerdes: read })
    // @ts-expect-error the value is read, too
    Durable.step("a", number, { successSerdes: written })
  })
})

describe("callbacks", () => {
  it("know their answer by a codec, and what a submitter that takes the id fails with", () => {
    expectTypeOf(Durable.callback("a", { successSerdes: digits })).toEqualTypeOf<Durably<Durable.Callback<number>>>()
    expectTypeOf(
      Durable.waitForCallback("a", (id) => Effect.log(id), { successSerdes: digits, timeout: "1 hour" })
    ).toEqualTypeOf<Durably<number, CallbackFailed | CallbackTimedOut | CallbackSubmitFailed>>()
    Durable.waitForCallback("a", (id) => Effect.fail(new CardDeclined({ code: id })), {
      retry: RetryPolicy.fixed({
        maxAttempts: 2,
        delay: "1 second",
        while: (error: CardDeclined) => error.code === "51"
      })
    })
  })
})

describe("waitForCondition", () => {
  it("knows its state, however the check is written", () => {
    expectTypeOf(
      Durable.waitForCondition("a", { initial: 0, check: (n) => Effect.succeed(n + 1), until: (n) => n > 3 })
    ).toEqualTypeOf<Durably<number, ConditionExhausted>>()
    expectTypeOf(
      Durable.waitForCondition("a", { initial: 5, check: Effect.succeed, until: (n) => n > 3 })
    ).toEqualTypeOf<Durably<number, ConditionExhausted>>()
    expectTypeOf(
      Durable.waitForCondition("a", {
        initial: { status: "PENDING", attempts: 0 },
        check: ({ attempts }) => Effect.succeed({ status: attempts > 1 ? "DONE" : "PENDING", attempts: attempts + 1 }),
        until: ({ status }) => status === "DONE"
      })
    ).toEqualTypeOf<Durably<{ status: string; attempts: number }, ConditionExhausted>>()
    expectTypeOf(
      Durable.waitForCondition("a", {
        initial: new Date(0),
        check: (time) => Effect.map(charge, () => time),
        until: (time) => time.getTime() > 0,
        state: Schema.Date,
        error: CardDeclined
      })
    ).toEqualTypeOf<Durably<Date, CardDeclined | ConditionExhausted>>()
    Durable.waitForCondition("a", {
      initial: 0,
      check: (n) => Effect.succeed(n),
      until: () => true,
      stateSerdes: digits
    })
  })

  it("refuses what it cannot record", () => {
    // @ts-expect-error the state is not plain data
    Durable.waitForCondition("a", { initial: new Date(0), check: (time) => Effect.succeed(time), until: () => true })
    // @ts-expect-error an error without a Schema
    Durable.waitForCondition("a", { initial: 0, check: (n) => Effect.map(charge, () => n), until: () => true })
    Durable.waitForCondition("a", {
      initial: "",
      check: (text) => Effect.succeed(text),
      until: () => true,
      // @ts-expect-error the codec is one of numbers
      stateSerdes: digits
    })
    // @ts-expect-error there is no option "delays"
    Durable.waitForCondition("a", { initial: 0, check: (n) => Effect.succeed(n), until: () => true, delays: 1 })
  })
})
