/** What the compiler knows of durable operations in a pipe, and where it says what is wrong, in both forms. */
/* oxlint-disable typescript/no-unnecessary-type-parameters -- `F` stands for an effect of any kind */
import { describe, it } from "@effect/vitest"
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { expectTypeOf } from "vitest"
import * as Durable from "../../src/Durable.ts"
import type { DurableTimeout, StepInterrupted } from "../../src/DurableError.ts"
import * as RetryPolicy from "../../src/RetryPolicy.ts"
import * as Serdes from "../../src/Serdes.ts"

class Declined extends Schema.TaggedError<Declined>()("Declined", { code: Schema.String }) {}
class OutOfStock extends Schema.TaggedError<OutOfStock>()("OutOfStock", { sku: Schema.String }) {}
class Database extends Context.Service<Database, { readonly query: string }>()("test/Database") {}
class Keys extends Context.Service<Keys, { readonly key: string }>()("test/Keys") {}

declare const number: Effect.Effect<number>
declare const date: Effect.Effect<Date>
declare const charge: Effect.Effect<number, Declined>
declare const both: Effect.Effect<number, Declined | OutOfStock>
declare const DateWithKeys: Schema.Codec<Date, string, Keys>

type Durably<A, E = never, R = never> = Effect.Effect<A, E, R | Durable.Execution>

const nap = Durable.wait("nap", "1 second")
const attempts = RetryPolicy.fixed({ maxAttempts: 3, delay: "1 second" })
const ofDeclined = RetryPolicy.fixed({ while: (error: Declined) => error.code === "51" })
const ofOutOfStock = RetryPolicy.fixed({ while: (error: OutOfStock) => error.sku === "" })

describe("a step in a pipe", () => {
  it("knows what its body returns, fails with and requires", () => {
    expectTypeOf(number.pipe(Durable.step("a"))).toEqualTypeOf<Durably<number>>()
    expectTypeOf(number.pipe(Durable.step("a", undefined))).toEqualTypeOf<Durably<number>>()
    expectTypeOf(number.pipe(Durable.step("a", {}))).toEqualTypeOf<Durably<number>>()
    expectTypeOf(Durable.step("a")(number)).toEqualTypeOf<Durably<number>>()
    expectTypeOf(Effect.andThen(Database, number).pipe(Durable.step("a"))).toEqualTypeOf<
      Durably<number, never, Database>
    >()
    expectTypeOf(Effect.map(Durable.StepContext, (c) => c.attempt).pipe(Durable.step("a"))).toEqualTypeOf<
      Durably<number>
    >()
    expectTypeOf(charge.pipe(Durable.step("a", { error: Declined }))).toEqualTypeOf<Durably<number, Declined>>()
    expectTypeOf(charge.pipe(Durable.step("a", { error: Schema.Union([Declined, OutOfStock]) }))).toEqualTypeOf<
      Durably<number, Declined>
    >()
    expectTypeOf(date.pipe(Durable.step("a", { success: DateWithKeys }))).toEqualTypeOf<Durably<Date, never, Keys>>()
    expectTypeOf(
      date.pipe(
        Durable.step("a", {
          successSerdes: Serdes.make({
            serialize: (value: Date) => value.toISOString(),
            deserialize: (text) => new Date(text ?? 0)
          })
        })
      )
    ).toEqualTypeOf<Durably<Date>>()
  })

  it("adds what its options add", () => {
    expectTypeOf(number.pipe(Durable.step("a", { semantics: "at-most-once" }))).toEqualTypeOf<
      Durably<number, StepInterrupted>
    >()
    expectTypeOf(number.pipe(Durable.step("a", { maxInterruptions: 3 }))).toEqualTypeOf<
      Durably<number, StepInterrupted>
    >()
    expectTypeOf(number.pipe(Durable.step("a", { semantics: "at-least-once" }))).toEqualTypeOf<Durably<number>>()
  })

  it("stands between other functions, in lists and in loops", () => {
    expectTypeOf(
      charge.pipe(
        Effect.map((n) => `${n}`),
        Durable.step("a", { error: Declined }),
        Effect.map((text) => text.length),
        Effect.catchTag("Declined", (error) => Effect.succeed(error.code))
      )
    ).toEqualTypeOf<Durably<number | string>>()
    expectTypeOf(Effect.all([number.pipe(Durable.step("a")), Durable.step("b", number)])).toEqualTypeOf<
      Durably<[number, number]>
    >()
    expectTypeOf(
      Effect.forEach([1], (i) =>
        number.pipe(
          Effect.map((n) => n + i),
          Durable.step("a")
        )
      )
    ).toEqualTypeOf<Durably<Array<number>>>()
    expectTypeOf(number.pipe(Durable.step("a"), Durable.child("b"))).toEqualTypeOf<Durably<number>>()
  })

  it("has a policy for the errors of its body", () => {
    charge.pipe(Durable.step("a", { error: Declined, retry: ofDeclined }))
    charge.pipe(Durable.step("a", { error: Declined, retry: attempts }))
    number.pipe(Durable.step("a", { retry: ofDeclined }))
    // @ts-expect-error the retry policy is for other errors
    charge.pipe(Durable.step("a", { error: Declined, retry: ofOutOfStock }))
    // @ts-expect-error the retry policy is for some of the errors only
    both.pipe(Durable.step("a", { error: Schema.Union([Declined, OutOfStock]), retry: ofDeclined }))
  })

  it("refuses what it cannot record, and durable operations", () => {
    // @ts-expect-error value is not plain data: give { success: Schema }
    date.pipe(Durable.step("a"))
    // @ts-expect-error the same with other options
    date.pipe(Durable.step("a", { semantics: "at-most-once" }))
    // @ts-expect-error the success schema does not fit the value
    date.pipe(Durable.step("a", { success: Schema.String }))
    // @ts-expect-error an error is recorded through its schema: give { error: Schema }
    charge.pipe(Durable.step("a"))
    // @ts-expect-error the error schema does not fit the error
    charge.pipe(Durable.step("a", { error: OutOfStock }))
    // @ts-expect-error a step cannot hold durable operations
    nap.pipe(Durable.step("a"))
    // @ts-expect-error the same inside a call
    nap.pipe(Effect.as(1), Durable.step("a", { semantics: "at-most-once" }))
    // @ts-expect-error the same applied at once
    Durable.step("a")(nap)
    // @ts-expect-error the same for what needs it beside others
    Effect.andThen(Database, nap).pipe(Durable.step("a"))
  })
})

describe("a wrong option", () => {
  it("is reported where it stands, and once", () => {
    Durable.step("a", number, {
      retry: RetryPolicy.none,
      // @ts-expect-error there is no option "semantic" here
      semantic: "at-most-once"
    })
    number.pipe(
      Durable.step("a", {
        retry: RetryPolicy.none,
        // @ts-expect-error there is no option "semantic" here
        semantic: "at-most-once"
      })
    )
    Durable.step("a", number, {
      retry: RetryPolicy.none,
      // @ts-expect-error no such semantics
      semantics: "exactly-once"
    })
    number.pipe(
      Durable.step("a", {
        retry: RetryPolicy.none,
        // @ts-expect-error no such semantics
        semantics: "exactly-once"
      })
    )
    date.pipe(
      Durable.step("a", {
        semantics: "at-most-once",
        // @ts-expect-error no Schema
        success: "date"
      })
    )
    Durable.step("a", date, {
      semantics: "at-most-once",
      // @ts-expect-error no Schema
      success: "date"
    })
  })

  it("is reported alone, where there is more to say", () => {
    Durable.step("a", date, {
      retry: RetryPolicy.none,
      // @ts-expect-error there is no option "semantic" here
      semantic: "at-most-once"
    })
    date.pipe(
      Durable.step("a", {
        retry: RetryPolicy.none,
        // @ts-expect-error there is no option "semantic" here
        semantic: "at-most-once"
      })
    )
  })

  it("is found in every operation", () => {
    Durable.child("a", number, {
      success: Schema.Number,
      // @ts-expect-error there is no option "flatt" here
      flatt: true
    })
    number.pipe(
      Durable.child("a", {
        flat: true,
        // @ts-expect-error there is no option "flatt" here
        flatt: true
      })
    )
    Durable.timeout("a", number, "1 minute", {
      success: Schema.Number,
      // @ts-expect-error there is no option "retry" here
      retry: attempts
    })
    number.pipe(
      Durable.timeout("a", "1 minute", {
        success: Schema.Number,
        // @ts-expect-error there is no option "retry" here
        retry: attempts
      })
    )
    Durable.retry("a", number, attempts, {
      success: Schema.Number,
      // @ts-expect-error there is no option "limit" here
      limit: 1
    })
    number.pipe(
      Durable.retry("a", attempts, {
        success: Schema.Number,
        // @ts-expect-error there is no option "limit" here
        limit: 1
      })
    )
    Durable.race("a", [number], {
      success: Schema.Number,
      // @ts-expect-error there is no option "limit" here
      limit: 1
    })
    Durable.map("a", [1], () => number, {
      concurrency: 1,
      // @ts-expect-error there is no option "limit" here
      limit: 1
    })
    Durable.callback("a", {
      success: Schema.Number,
      // @ts-expect-error there is no option "limit" here
      limit: 1
    })
    Durable.waitForCallback("a", () => number, {
      success: Schema.Number,
      // @ts-expect-error there is no option "limit" here
      limit: 1
    })
  })

  it("is found in options that are not written in place", () => {
    const options = { retry: attempts, semantic: "at-most-once" } as const
    // @ts-expect-error there is no option "semantic" here
    Durable.step("a", number, options)
    // @ts-expect-error there is no option "semantic" here
    number.pipe(Durable.step("a", options))
  })
})

describe("a wrong argument", () => {
  it("is reported where it stands", () => {
    // @ts-expect-error no name
    Durable.step(1, number)
    // @ts-expect-error no effect
    Durable.step("a", () => number)
    // @ts-expect-error no effect
    Durable.child("a", Promise.resolve(1), { flat: true })
    // @ts-expect-error one object at most
    Durable.step("a", number, {}, {})
    // @ts-expect-error no limit
    Durable.timeout("a", number)
    Durable.timeout(
      "a",
      number,
      // @ts-expect-error no duration
      "5 minuts"
    )
    number.pipe(
      Durable.timeout(
        "a",
        // @ts-expect-error no duration
        "5 minuts"
      )
    )
    // @ts-expect-error no policy
    Durable.retry("a", number)
    // @ts-expect-error no policy
    number.pipe(Durable.retry("a", { error: Declined }))
  })
})

describe("a child in a pipe", () => {
  it("knows what its body returns and fails with", () => {
    expectTypeOf(nap.pipe(Effect.as("x"), Durable.child("a"))).toEqualTypeOf<Durably<string>>()
    expectTypeOf(date.pipe(Durable.child("a", { success: Schema.Date }))).toEqualTypeOf<Durably<Date>>()
    expectTypeOf(Effect.andThen(charge, date).pipe(Durable.child("a", { flat: true }))).toEqualTypeOf<
      Durably<Date, Declined>
    >()
    // @ts-expect-error value is not plain data
    date.pipe(Durable.child("a"))
    // @ts-expect-error value is not plain data
    date.pipe(Durable.child("a", { flat: false }))
  })
})

describe("a timeout in a pipe", () => {
  it("knows what its effect returns and fails with", () => {
    expectTypeOf(nap.pipe(Durable.timeout("a", "1 minute"))).toEqualTypeOf<Durably<void, DurableTimeout>>()
    expectTypeOf(charge.pipe(Durable.timeout("a", new Date(0), { error: Declined }))).toEqualTypeOf<
      Durably<number, Declined | DurableTimeout>
    >()
    // @ts-expect-error value is not plain data
    date.pipe(Durable.timeout("a", "1 minute"))
    // @ts-expect-error an error without a Schema
    charge.pipe(Durable.timeout("a", "1 minute", {}))
  })
})

describe("a retry in a pipe", () => {
  it("knows what its block returns and fails with", () => {
    expectTypeOf(nap.pipe(Durable.retry("a", attempts))).toEqualTypeOf<Durably<void>>()
    expectTypeOf(charge.pipe(Durable.retry("a", ofDeclined, { error: Declined }))).toEqualTypeOf<
      Durably<number, Declined>
    >()
    // @ts-expect-error value is not plain data
    date.pipe(Durable.retry("a", attempts))
    // @ts-expect-error the retry policy is for other errors
    charge.pipe(Durable.retry("a", ofOutOfStock, { error: Declined }))
  })
})

describe("what records nothing, in a pipe", () => {
  it("gives an undo the value and the failure", () => {
    const booked = date.pipe(
      Durable.withCompensation("a", (value, cause) => {
        expectTypeOf(value).toEqualTypeOf<Date>()
        expectTypeOf(cause).toEqualTypeOf<Cause.Cause<unknown>>()
        return Effect.andThen(Database, charge)
      })
    )
    expectTypeOf(booked).toEqualTypeOf<Durably<Date, never, Database>>()
    // @ts-expect-error no effect
    number.pipe(Durable.withCompensation("a", () => 1))
    // @ts-expect-error no function
    number.pipe(Durable.withCompensation("a", Effect.void))
  })

  it("gives a finalizer the exit, and adds what it fails with and requires", () => {
    const rented = charge.pipe(
      Durable.onExit((exit) => {
        expectTypeOf(exit).toEqualTypeOf<Exit.Exit<number, Declined>>()
        return Effect.andThen(Database, Effect.fail(new OutOfStock({ sku: "" })))
      })
    )
    expectTypeOf(rented).toEqualTypeOf<Durably<number, Declined | OutOfStock, Database>>()
    // @ts-expect-error no effect
    number.pipe(Durable.onExit(() => 1))
  })

  it("keeps the types of what is held, and of what is local", () => {
    expectTypeOf(charge.pipe(Durable.hold)).toEqualTypeOf<Durably<number, Declined>>()
    expectTypeOf(Effect.andThen(Database, charge).pipe(Durable.local)).toEqualTypeOf<
      Durably<number, Declined, Database>
    >()
    expectTypeOf(Layer.effect(Database)(Effect.as(charge, { query: "" })).pipe(Durable.local)).toEqualTypeOf<
      Layer.Layer<Database, Declined, Durable.Execution>
    >()
    // @ts-expect-error what is local cannot hold durable operations
    nap.pipe(Durable.local)
  })
})

describe("a generic helper", () => {
  it("takes any kind of effect, in both forms", () => {
    const first = <F extends Effect.Effect<number>>(effect: F): Durably<number> => Durable.step("a", effect)
    const last = <F extends Effect.Effect<number>>(effect: F): Durably<number> => effect.pipe(Durable.step("a"))
    const local = <F extends Effect.Effect<number>>(effect: F): Durably<number> => Durable.local(effect)
    expectTypeOf([first, last, local]).toExtend<Array<(effect: Effect.Effect<number>) => Durably<number>>>()
    expectTypeOf(Durable.step("a", new Declined({ code: "" }), { error: Declined })).toEqualTypeOf<
      Durably<never, Declined>
    >()
    const either: Effect.Effect<number> | Effect.Effect<never, Declined> =
      Math.random() > 0 ? number : charge.pipe(Effect.flatMap(() => new Declined({ code: "" })))
    expectTypeOf(Durable.step("a", either, { error: Declined })).toEqualTypeOf<Durably<number, Declined>>()
  })

  it("passes Schemas on", () => {
    const inPipe = <A>(effect: Effect.Effect<A>, success: Schema.Codec<A, unknown>): Durably<A> =>
      effect.pipe(Durable.step("a", { success }))
    expectTypeOf(inPipe(date, Schema.Date)).toEqualTypeOf<Durably<Date>>()
    const withError = <A, E>(
      effect: Effect.Effect<A, E>,
      success: Schema.Codec<A>,
      error: Schema.Codec<E>
    ): Durably<A, E> => effect.pipe(Durable.step("a", { success, error }))
    expectTypeOf(withError).toBeFunction()
    const limited = <A>(effect: Effect.Effect<A>, success: Schema.Codec<A>): Durably<A, DurableTimeout> =>
      effect.pipe(Durable.timeout("a", "1 minute", { success }))
    expectTypeOf(limited).toBeFunction()
    const flat = <A, E, R>(effect: Effect.Effect<A, E, R>): Durably<A, E, R> =>
      effect.pipe(Durable.child("a", { flat: true }))
    expectTypeOf(flat(date)).toEqualTypeOf<Durably<Date>>()
    const needy = <R>(effect: Effect.Effect<string, never, R>) => effect.pipe(Durable.step("a"))
    expectTypeOf(needy).toBeFunction()
  })

  it("makes an operation for any effect, which checks each", () => {
    const once = Durable.step("a", { semantics: "at-most-once" })
    expectTypeOf(once(number)).toEqualTypeOf<Durably<number, StepInterrupted>>()
    expectTypeOf(number.pipe(once)).toEqualTypeOf<Durably<number, StepInterrupted>>()
    expectTypeOf(Effect.succeed("a").pipe(once)).toEqualTypeOf<Durably<string, StepInterrupted>>()
    // @ts-expect-error value is not plain data
    once(date)
    const named = (name: string) => Durable.step(name, { error: Declined })
    expectTypeOf(charge.pipe(named("a"))).toEqualTypeOf<Durably<number, Declined>>()
    // @ts-expect-error the error schema does not fit the error
    both.pipe(named("a"))
  })

  it("is refused when it has no Schema, since a type parameter can be anything", () => {
    // @ts-expect-error a bare type parameter
    void (<A>(effect: Effect.Effect<A>) => effect.pipe(Durable.step("a")))
    // @ts-expect-error a type parameter as error
    void (<E>(effect: Effect.Effect<string, E>) => effect.pipe(Durable.step("a")))
  })
})
