/** What may be recorded without a Schema, and what the compiler says about the rest. */
/* oxlint-disable typescript/no-unnecessary-type-parameters -- `make<A>()` stands for a value of any type */
import { describe, it } from "@effect/vitest"
import type * as Brand from "effect/Brand"
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { expectTypeOf } from "vitest"
import { EffectError, type InvokeFailed } from "../../src/DurableError.ts"
import type {
  FromArguments,
  IsPlain,
  Plain,
  Recordable,
  RecordedError,
  RecordedValue,
  RecordOptions,
  RecordServices
} from "../../src/Plain.ts"
import * as RetryPolicy from "../../src/RetryPolicy.ts"
import * as Serdes from "../../src/Serdes.ts"

type Any = ReturnType<typeof JSON.parse>

type OrderId = string & Brand.Brand<"OrderId">

interface Line {
  readonly sku: string
  readonly count: number
  readonly note?: string
}

interface Order {
  readonly id: OrderId
  lines: Array<Line>
  readonly address: { readonly street: string | null; zip?: string | undefined }
}

type Status = { readonly _tag: "Paid"; readonly at: number } | { readonly _tag: "Rejected"; readonly reason?: string }

interface Tree {
  readonly value: number
  readonly children: ReadonlyArray<Tree>
  readonly parent?: Tree
}

type Json = string | number | boolean | null | ReadonlyArray<Json> | { readonly [key: string]: Json }

class Point {
  readonly x = 1
  readonly y = 2
}

class Account {
  readonly balance = 0
  deposit(): number {
    return this.balance + 1
  }
}

class Secret {
  readonly #key = "k"
  get length(): number {
    return this.#key.length
  }
}

interface DatedTree {
  readonly children: ReadonlyArray<DatedTree>
  readonly bySku: Record<string, { readonly [key: string]: readonly [DatedTree, Date] }>
}

type Accepted = [
  void,
  undefined,
  null,
  never,
  boolean,
  number,
  string,
  "a" | 1 | true | null,
  `order-${string}`,
  OrderId,
  number & { readonly tag: unique symbol },
  Array<string>,
  Array<void>,
  Array<string | undefined>,
  ReadonlyArray<string | null | undefined>,
  [string | undefined],
  { readonly all: ReadonlyArray<void> },
  ReadonlyArray<ReadonlyArray<number>>,
  readonly [],
  [string, number, { readonly a: string }],
  readonly [a: string, b?: number],
  [a?: string, ...rest: Array<number>],
  [...Array<number>, string],
  Array<string> & Brand.Brand<"Names">,
  Line,
  Order,
  Line & Brand.Brand<"CheckedLine">,
  Line & { readonly extra: boolean },
  Record<string, Line>,
  Record<OrderId, Array<Order>>,
  { [index: number]: string },
  Partial<Record<"a" | "b", string>>,
  { a?: string; b?: { c: Array<number> } | undefined },
  { a: undefined; b: void },
  Status,
  Tree,
  Array<Tree | null>,
  Json,
  Readonly<Pick<Order, "id" | "lines">>,
  Point
]

type Refused = [
  Any,
  unknown,
  object,
  {},
  symbol,
  bigint,
  1n,
  () => void,
  Function,
  new () => Point,
  Date,
  RegExp,
  URL,
  Error,
  Uint8Array,
  Map<string, number>,
  ReadonlySet<number>,
  WeakMap<object, string>,
  Promise<number>,
  AsyncIterable<number>,
  InstanceType<typeof String>,
  Account,
  Secret,
  Effect.Effect<number>,
  Option.Option<number>,
  Duration.Duration,
  DateTime.Utc,
  Array<Any>,
  Array<unknown>,
  Array<Date | undefined>,
  [Date?],
  [Any?],
  [string, ...Array<Date>],
  RegExpMatchArray,
  string | Date,
  { a: string } | { b: Date },
  { a: Any },
  { a?: Any },
  { a: unknown },
  { a: object },
  { a: { b: Date } },
  { run(): void },
  { run?: () => void },
  { [key: symbol]: string },
  { readonly [Symbol.iterator]: string },
  { [index: number]: Date },
  Record<string, Any>,
  Record<string, unknown>,
  DatedTree
]

/** The members of a list that the rule judges otherwise than expected. */
type Misjudged<List extends ReadonlyArray<unknown>, Expected> = {
  [K in keyof List]: IsPlain<List[K]> extends Expected ? never : [List[K]]
}[number]

declare const record: <A>(value: A & (IsPlain<A> extends true ? unknown : never)) => A
declare const make: <A>() => A

describe("plain data", () => {
  it("accepts what JSON gives back as it was", () => {
    expectTypeOf<Misjudged<Accepted, true>>().toEqualTypeOf<never>()
  })

  it("refuses everything that would come back as something else", () => {
    expectTypeOf<Misjudged<Refused, false>>().toEqualTypeOf<never>()
  })

  it("serves as a constraint of a generic function", () => {
    record("text")
    record(make<Order>())
    record(make<Tree>())
    record(make<Json>())
    record([1, [2, { three: 3 }]])
    // @ts-expect-error a date
    record(new Date())
    // @ts-expect-error a function
    record(() => 1)
    // @ts-expect-error a map, deep inside
    record({ a: [{ b: new Map<string, string>() }] })
    // @ts-expect-error nobody knows
    record(make<unknown>())
    // @ts-expect-error a class with private members
    record(new Secret())
  })

  it("keeps the type of what is plain", () => {
    expectTypeOf<Plain<"a" | 1>>().toEqualTypeOf<"a" | 1>()
    expectTypeOf<Plain<Line>>().toEqualTypeOf<Line>()
  })
})

// --- Operations ------------------------------------------------------------------------------------------------------

class CardDeclined extends Schema.TaggedError<CardDeclined>()("CardDeclined", { code: Schema.String }) {}
class OutOfStock extends Schema.TaggedError<OutOfStock>()("OutOfStock", { sku: Schema.String }) {}
class Keys extends Context.Service<Keys, { readonly key: string }>()("test/Keys") {}

interface StepOptions<E> {
  readonly retry?: RetryPolicy.RetryPolicy<E>
  readonly semantics?: "at-least-once" | "at-most-once"
  readonly onError?: (error: E) => void
}

declare const step: <
  A = never,
  E = never,
  R = never,
  O extends RecordOptions<A, StepOptions<E>> = Required<RecordOptions<A, StepOptions<E>>>
>(
  name: string,
  body: Effect.Effect<A, E, R>,
  ...options: O & Recordable<A, E, O, StepOptions<E>>
) => Effect.Effect<RecordedValue<A, O>, RecordedError<E, O>, FromArguments<R> | RecordServices<O>>

declare const child: <
  A = never,
  E = never,
  R = never,
  O extends RecordOptions<A, { readonly flat?: boolean }> = Required<RecordOptions<A, { readonly flat?: boolean }>>
>(
  name: string,
  body: Effect.Effect<A, E, R>,
  ...options: O & Recordable<A, E, O, { readonly flat?: boolean }>
) => Effect.Effect<RecordedValue<A, O>, RecordedError<E, O>, FromArguments<R> | RecordServices<O>>

declare const number: Effect.Effect<number>
declare const date: Effect.Effect<Date>
declare const pair: Effect.Effect<[number, number]>
declare const charge: Effect.Effect<number, CardDeclined>
declare const invoke: Effect.Effect<number, InvokeFailed>
declare const both: Effect.Effect<number, InvokeFailed | CardDeclined>
declare const DateWithKeys: Schema.Codec<Date, string, Keys>

describe("an operation without a Schema", () => {
  it("records plain data as it is", () => {
    expectTypeOf(step("a", number)).toEqualTypeOf<Effect.Effect<number>>()
    expectTypeOf(step("a", number, {})).toEqualTypeOf<Effect.Effect<number>>()
    expectTypeOf(step("a", number, undefined)).toEqualTypeOf<Effect.Effect<number>>()
    expectTypeOf(step("a", number, { semantics: "at-most-once" })).toEqualTypeOf<Effect.Effect<number>>()
    expectTypeOf(step("a", Effect.void)).toEqualTypeOf<Effect.Effect<void>>()
    expectTypeOf(step("a", Effect.never)).toEqualTypeOf<Effect.Effect<never>>()
    expectTypeOf(child("a", make<Effect.Effect<Order>>(), { flat: true })).toEqualTypeOf<Effect.Effect<Order>>()
    expectTypeOf(child("a", Effect.as(Keys, 1))).toEqualTypeOf<Effect.Effect<number, never, Keys>>()
  })

  it("knows the types of bodies that are written in place", () => {
    expectTypeOf(step("a", Effect.succeed({ id: 1 }))).toEqualTypeOf<Effect.Effect<{ id: number }>>()
    expectTypeOf(
      step(
        "a",
        Effect.map(number, (n) => `${n}`)
      )
    ).toEqualTypeOf<Effect.Effect<string>>()
    expectTypeOf(step("a", Effect.andThen(number, number))).toEqualTypeOf<Effect.Effect<number>>()
    expectTypeOf(step("a", Effect.all([number, number]))).toEqualTypeOf<Effect.Effect<[number, number]>>()
    expectTypeOf(
      step(
        "a",
        Effect.forEach([1], () => number)
      )
    ).toEqualTypeOf<Effect.Effect<Array<number>>>()
    expectTypeOf(step("a", number.pipe(Effect.map((n) => ({ n }))))).toEqualTypeOf<Effect.Effect<{ n: number }>>()
    expectTypeOf(
      step(
        "a",
        Effect.catchTag(charge, "CardDeclined", () => Effect.succeed(0))
      )
    ).toEqualTypeOf<Effect.Effect<number>>()
    expectTypeOf(
      step(
        "a",
        Effect.promise(() => Promise.resolve(1))
      )
    ).toEqualTypeOf<Effect.Effect<number>>()
    expectTypeOf(
      child(
        "a",
        Effect.gen(function* () {
          return { total: yield* number, key: (yield* Keys).key }
        })
      )
    ).toEqualTypeOf<Effect.Effect<{ total: number; key: string }, never, Keys>>()
  })

  it("knows them wherever it stands", () => {
    const mapped = Effect.map(number, (n) => n)
    expectTypeOf(
      Effect.all([
        step(
          "a",
          Effect.map(number, (n) => n)
        ),
        step("b", number)
      ])
    ).toEqualTypeOf<typeof pair>()
    expectTypeOf(
      Effect.all({
        a: child(
          "a",
          Effect.map(charge, (n) => n),
          { error: CardDeclined }
        ),
        b: step("b", mapped)
      })
    ).toEqualTypeOf<Effect.Effect<{ a: number; b: number }, CardDeclined>>()
    expectTypeOf(
      Effect.forEach([1], (i) =>
        step(
          "a",
          Effect.map(number, (n) => n + i)
        )
      )
    ).toEqualTypeOf<Effect.Effect<Array<number>>>()
    expectTypeOf(
      Effect.catchTag(
        step(
          "a",
          Effect.map(charge, (n) => n),
          { error: CardDeclined }
        ),
        "CardDeclined",
        () => step("b", Effect.map(number, String))
      )
    ).toEqualTypeOf<Effect.Effect<number | string>>()
    const anything: Effect.Effect<Any, Any, Any> = step(
      "a",
      Effect.map(number, (n) => n)
    )
    const something: Effect.Effect<unknown, unknown, Keys> = step("a", Effect.andThen(Keys, number))
    const dated: Effect.Effect<Date> = step(
      "a",
      Effect.map(date, (d) => d),
      { success: Schema.Date }
    )
    const failing = (): Effect.Effect<unknown, CardDeclined | OutOfStock> =>
      step(
        "a",
        Effect.map(charge, (n) => n),
        { error: CardDeclined }
      )
    expectTypeOf([anything, something, dated, failing()]).toExtend<Array<Effect.Effect<unknown, unknown, Keys>>>()
  })

  it("refuses wherever it stands", () => {
    // @ts-expect-error value is not plain data
    Effect.all([step("a", Effect.andThen(number, date)), step("b", number)])
    // @ts-expect-error an error without a Schema
    Effect.forEach([1], () => step("a", Effect.as(charge, 1)))
    // @ts-expect-error any
    Effect.forEach([1], () => step("a", make<Effect.Effect<Any>>()))
    // @ts-expect-error value is not plain data
    const anything: Effect.Effect<Any, Any, Any> = step("a", Effect.andThen(number, date))
    expectTypeOf(anything).toExtend<Effect.Effect<unknown, unknown, unknown>>()
  })

  it("takes bodies of Effect.fn", () => {
    const body = Effect.fn("body")(function* (order: Order) {
      const n = yield* number
      return { id: order.id, n }
    })
    expectTypeOf(step("a", body(make<Order>()))).toEqualTypeOf<Effect.Effect<{ id: OrderId; n: number }>>()
    const dated = Effect.fn("dated")(function* () {
      return { at: yield* date }
    })
    // @ts-expect-error value.at is not plain data
    step("a", dated())
  })

  it("refuses what is not plain data", () => {
    // @ts-expect-error value is not plain data: give { success: Schema }
    step("a", date)
    // @ts-expect-error the same with other options
    step("a", date, { semantics: "at-most-once" })
    // @ts-expect-error the same with undefined
    step("a", date, undefined)
    // @ts-expect-error the same with types given by hand
    step<Date>("a", date)
    // @ts-expect-error the same inside a call
    step("a", Effect.andThen(number, date))
    // @ts-expect-error any
    step("a", make<Effect.Effect<Any>>())
    // @ts-expect-error unknown
    step("a", make<Effect.Effect<unknown>>())
    // @ts-expect-error value.lines[].at is not plain data
    step("a", make<Effect.Effect<{ lines: Array<{ at?: Date }> }>>())
    // @ts-expect-error value.* is not plain data
    step("a", make<Effect.Effect<Record<string, unknown>>>())
    // @ts-expect-error value.* is not plain data, with numbers as keys
    step("a", make<Effect.Effect<{ [index: number]: Date }>>())
    // @ts-expect-error an array with fields
    step("a", make<Effect.Effect<RegExpMatchArray>>())
    // @ts-expect-error a recursive type that holds a date
    child("a", make<Effect.Effect<DatedTree>>())
  })

  it("needs no Schema for the library's own errors, and one for all others", () => {
    expectTypeOf(step("a", invoke)).toEqualTypeOf<Effect.Effect<number, InvokeFailed>>()
    // @ts-expect-error an error is recorded through its schema: give { error: Schema }
    step("a", charge)
    // @ts-expect-error the same beside an error of the library
    step("a", Effect.andThen(invoke, charge))
    // @ts-expect-error the same with other options
    step("a", charge, { retry: RetryPolicy.none })
    // @ts-expect-error an error of Effect is recorded through its schema: give { error: DurableError.EffectError }
    step(
      "a",
      Effect.tryPromise(() => Promise.resolve(1))
    )
    expectTypeOf(step("a", Effect.timeout(number, "1 second"), { error: EffectError })).toEqualTypeOf<
      Effect.Effect<number, Cause.TimeoutError>
    >()
    // @ts-expect-error an unknown error
    step("a", make<Effect.Effect<number, unknown>>())
    // @ts-expect-error a plain text as error needs its Schema as well
    step("a", Effect.fail("no"))
  })
})

describe("an operation with Schemas", () => {
  it("returns what the success Schema describes", () => {
    expectTypeOf(step("a", date, { success: Schema.Date })).toEqualTypeOf<Effect.Effect<Date>>()
    expectTypeOf(
      step("a", Effect.succeed({ id: "1", secret: "s" }), { success: Schema.Struct({ id: Schema.String }) })
    ).toEqualTypeOf<Effect.Effect<{ readonly id: string }>>()
  })

  it("fails with the members of the error Schema that the body fails with", () => {
    expectTypeOf(step("a", charge, { error: CardDeclined })).toEqualTypeOf<Effect.Effect<number, CardDeclined>>()
    expectTypeOf(step("a", charge, { error: Schema.Union([CardDeclined, OutOfStock]) })).toEqualTypeOf<
      Effect.Effect<number, CardDeclined>
    >()
    expectTypeOf(step("a", Effect.andThen(invoke, charge), { error: CardDeclined })).toEqualTypeOf<
      Effect.Effect<number, CardDeclined | InvokeFailed>
    >()
    expectTypeOf(step("a", number, { error: CardDeclined })).toEqualTypeOf<Effect.Effect<number>>()
  })

  it("requires what the Schemas and the codec require", () => {
    expectTypeOf(step("a", date, { success: DateWithKeys })).toEqualTypeOf<Effect.Effect<Date, never, Keys>>()
    expectTypeOf(
      step("a", date, {
        successSerdes: Serdes.make({
          serialize: (d) => Effect.map(Keys, ({ key }) => key + d.toISOString()),
          deserialize: (text) => new Date(text ?? 0)
        })
      })
    ).toEqualTypeOf<Effect.Effect<Date, never, Keys>>()
  })

  it("takes a codec in the place of a success Schema", () => {
    expectTypeOf(
      step("a", date, {
        successSerdes: Serdes.make({ serialize: (d) => d.toISOString(), deserialize: (text) => new Date(text ?? 0) })
      })
    ).toEqualTypeOf<Effect.Effect<Date>>()
    // @ts-expect-error a codec of something else
    step("a", date, { successSerdes: Serdes.make({ serialize: (d: string) => d, deserialize: (text) => text ?? "" }) })
    // @ts-expect-error a codec does not say how to record an error
    step("a", charge, { successSerdes: Serdes.make({ serialize: (n: number) => `${n}`, deserialize: Number }) })
  })

  it("gives functions among its options the types of the body", () => {
    step("a", charge, { error: CardDeclined, onError: (error) => expectTypeOf(error).toEqualTypeOf<CardDeclined>() })
    step("a", both, {
      error: CardDeclined,
      retry: RetryPolicy.exponential({ while: (error) => error._tag === "InvokeFailed" })
    })
    step("a", charge, { error: CardDeclined, retry: RetryPolicy.standard })
    // @ts-expect-error a policy for an error that the body does not have
    step("a", charge, { error: CardDeclined, retry: RetryPolicy.linear({ while: (e: OutOfStock) => e.sku === "" }) })
  })

  it("refuses Schemas that do not fit, and options that do not exist", () => {
    // @ts-expect-error the success schema does not fit the value
    step("a", date, { success: Schema.String })
    // @ts-expect-error the error schema does not fit the error
    step("a", charge, { error: OutOfStock })
    // @ts-expect-error the error schema does not fit all errors
    step("a", Effect.andThen(make<Effect.Effect<1, OutOfStock>>(), charge), { error: CardDeclined })
    // @ts-expect-error no Schema
    step("a", date, { success: "date" })
    // @ts-expect-error there is no option "semantic"
    step("a", number, { semantic: "at-most-once" })
    // @ts-expect-error no such semantics
    step("a", number, { semantics: "exactly-once" })
    // @ts-expect-error a Schema that may be absent
    step("a", date, make<{ readonly success?: typeof Schema.Date }>())
    // @ts-expect-error one object at most
    step("a", number, {}, {})
  })
})

describe("a generic helper", () => {
  it("passes Schemas on", () => {
    const recorded = <A, E, RD, RE>(
      effect: Effect.Effect<A, E>,
      success: Schema.Codec<A, unknown, RD, RE>,
      error: Schema.Codec<E>
    ): Effect.Effect<A, E, RD | RE> => step("a", effect, { success, error })
    expectTypeOf(recorded(date, DateWithKeys, Schema.Never)).toEqualTypeOf<Effect.Effect<Date, never, Keys>>()
  })

  it("is refused when it has none, since a type parameter can be anything", () => {
    // @ts-expect-error a bare type parameter
    void (<A>(effect: Effect.Effect<A>) => step("a", effect))
    // @ts-expect-error the same with options
    void (<A>(effect: Effect.Effect<A>) => step("a", effect, {}))
    // @ts-expect-error a type parameter in a record
    void (<A>(effect: Effect.Effect<{ readonly a: A }>) => step("a", effect))
    // @ts-expect-error a type parameter in an array
    void (<A>(effect: Effect.Effect<Array<A>>) => child("a", effect))
    // @ts-expect-error a type parameter as error
    void (<E>(effect: Effect.Effect<string, E>) => step("a", effect))
    // @ts-expect-error even a text, which may be a brand
    void (<A extends string>(effect: Effect.Effect<A>) => step("a", effect))
  })
})
