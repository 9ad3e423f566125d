/** Options that the compiler knows only in part: of a condition, of a caller, with keys that may be missing. */
import { describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { expectTypeOf } from "vitest"
import * as Durable from "../../src/Durable.ts"
import type { CallbackFailed, CallbackSubmitFailed, CallbackTimedOut, StepInterrupted } from "../../src/DurableError.ts"
import * as RetryPolicy from "../../src/RetryPolicy.ts"

class CardDeclined extends Schema.TaggedError<CardDeclined>()("CardDeclined", { code: Schema.String }) {}
class Keys extends Context.Service<Keys, { readonly key: string }>()("test/Keys") {}

type Durably<A, E = never, R = never> = Effect.Effect<A, E, R | Durable.Execution>

declare const isSlow: boolean
declare const number: Effect.Effect<number>
declare const date: Effect.Effect<Date>
declare const charge: Effect.Effect<number, CardDeclined>
declare const Sealed: Schema.Codec<boolean, string, Keys>
declare const onlyCards: RetryPolicy.RetryPolicy<CardDeclined>

const Short = Schema.Struct({ id: Schema.String })
const declared = { error: CardDeclined }
const patient = { retry: RetryPolicy.standard }
const once = { semantics: "at-most-once" } as const

describe("options that may be missing", () => {
  it("are no options with a Schema", () => {
    // @ts-expect-error an error is recorded through its schema
    Durable.step("a", charge, isSlow ? declared : {})
    // @ts-expect-error the same with undefined
    Durable.step("a", charge, isSlow ? declared : undefined)
    // @ts-expect-error the same with other options
    Durable.step("a", charge, isSlow ? declared : patient)
    // @ts-expect-error value is not plain data
    Durable.step("a", date, isSlow ? { success: Schema.Date } : patient)
    // @ts-expect-error an error is recorded through its schema
    charge.pipe(Durable.step("a", isSlow ? declared : undefined))
    // @ts-expect-error the same for a child
    Durable.child("a", charge, isSlow ? declared : undefined)
    // @ts-expect-error the same for the items of a list
    Durable.forEach("a", [1], () => charge, isSlow ? declared : undefined)
    // @ts-expect-error the same for branches
    Durable.all("a", [charge], isSlow ? declared : undefined)
    // @ts-expect-error the same for a race
    Durable.race("a", [charge], isSlow ? declared : undefined)
    expectTypeOf(Durable.step("a", charge, isSlow ? declared : { ...declared, ...patient })).toEqualTypeOf<
      Durably<number, CardDeclined>
    >()
    expectTypeOf(Durable.step("a", number, isSlow ? patient : undefined)).toEqualTypeOf<Durably<number>>()
  })

  it("add their errors", () => {
    type Once = Durably<number, StepInterrupted>
    expectTypeOf(Durable.step("a", number, isSlow ? { semantics: "at-most-once" } : {})).toEqualTypeOf<Once>()
    expectTypeOf(Durable.step("a", number, isSlow ? once : undefined)).toEqualTypeOf<Once>()
    expectTypeOf(Durable.step("a", number, isSlow ? once : patient)).toEqualTypeOf<Once>()
    expectTypeOf(Durable.step("a", number, isSlow ? { maxInterruptions: 2 } : undefined)).toEqualTypeOf<Once>()
    expectTypeOf(number.pipe(Durable.step("a", isSlow ? once : undefined))).toEqualTypeOf<Once>()
  })

  it("change a value only perhaps", () => {
    const order = Effect.succeed({ id: "1", secret: "s" })
    type Both = Durably<{ readonly id: string } | { id: string; secret: string }>
    expectTypeOf(Durable.step("a", order, isSlow ? { success: Short } : {})).toEqualTypeOf<Both>()
    expectTypeOf(Durable.step("a", order, isSlow ? { success: Short } : undefined)).toEqualTypeOf<Both>()
    expectTypeOf(Durable.step("a", order, {} as { readonly success?: typeof Short })).toEqualTypeOf<Both>()
    expectTypeOf(Durable.step("a", Effect.succeed(true), {} as { readonly success?: typeof Sealed })).toEqualTypeOf<
      Durably<boolean, never, Keys>
    >()
  })

  it("discard values only perhaps", () => {
    const quiet = { discard: true } as const
    expectTypeOf(Durable.forEach("a", [1], () => number, isSlow ? { discard: true } : {})).toEqualTypeOf<
      Durably<Array<number> | void>
    >()
    expectTypeOf(Durable.forEach("a", [1], () => number, { discard: isSlow })).toEqualTypeOf<
      Durably<Array<number> | void>
    >()
    expectTypeOf(Durable.all("a", [number], isSlow ? quiet : undefined)).toEqualTypeOf<Durably<[number] | void>>()
    // @ts-expect-error value is not plain data, and it may be kept
    Durable.forEach("a", [1], () => date, isSlow ? quiet : undefined)
  })

  it("are checked all the same", () => {
    // @ts-expect-error there is no option "semantic"
    Durable.step("a", number, isSlow ? { semantic: "at-most-once", ...patient } : undefined)
    number.pipe(
      Effect.andThen(Effect.fail(1)),
      // @ts-expect-error the retry policy is for other errors
      Durable.step("a", isSlow ? { error: Schema.Int, retry: onlyCards } : { error: Schema.Int })
    )
  })

  it("read an answer only perhaps", () => {
    const options: { readonly success?: typeof Sealed; readonly error?: typeof CardDeclined } = {}
    expectTypeOf(Durable.callback("a", options)).toEqualTypeOf<
      Durably<Durable.Callback<string | boolean, CardDeclined, Keys>>
    >()
    expectTypeOf(Durable.waitForCallback("a", () => Effect.void, options)).toEqualTypeOf<
      Durably<string | boolean, CardDeclined | CallbackFailed | CallbackTimedOut | CallbackSubmitFailed, Keys>
    >()
  })
})
