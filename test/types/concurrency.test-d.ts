/** What the compiler knows of branches and items that run side by side. */
import { describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { expectTypeOf } from "vitest"
import * as BatchResult from "../../src/BatchResult.ts"
import * as CompletionPolicy from "../../src/CompletionPolicy.ts"
import * as Durable from "../../src/Durable.ts"
import type { BatchFailed, DurableTimeout } from "../../src/DurableError.ts"
import * as Serdes from "../../src/Serdes.ts"

class Declined extends Schema.TaggedError<Declined>()("Declined", { code: Schema.String }) {}
class Closed extends Schema.TaggedError<Closed>()("Closed", { until: Schema.Int }) {}
class Database extends Context.Service<Database, { readonly query: string }>()("test/Database") {}

declare const number: Effect.Effect<number>
declare const text: Effect.Effect<string, never, Database>
declare const date: Effect.Effect<Date>
declare const charge: Effect.Effect<number, Declined>
declare const open: Effect.Effect<string, Closed>

type Durably<A, E = never, R = never> = Effect.Effect<A, E, R | Durable.Execution>
type Batch<A, E = never, R = never> = Durably<BatchResult.BatchResult<A, E>, never, R>
type Mapped<T, A, E = never, R = never> = Durably<BatchResult.BatchResult<A, E, T>, never, R>

describe("parallel", () => {
  it("knows what its branches end with and need, named or not, in tuples and arrays", () => {
    expectTypeOf(Durable.parallel("a", [number, number])).toEqualTypeOf<Batch<number>>()
    expectTypeOf(Durable.parallel("a", [number, { name: "b", effect: text }])).toEqualTypeOf<
      Batch<number | string, never, Database>
    >()
    expectTypeOf(
      Durable.parallel(
        "a",
        [1, 2].map(() => number)
      )
    ).toEqualTypeOf<Batch<number>>()
    expectTypeOf(Durable.parallel("a", [])).toEqualTypeOf<Batch<never>>()
    expectTypeOf(Durable.parallel("a", [charge, open], { error: Schema.Union([Declined, Closed]) })).toEqualTypeOf<
      Batch<number | string, Declined | Closed>
    >()
    expectTypeOf(
      Durable.parallel("a", [date], { success: Schema.Date, policy: CompletionPolicy.firstSuccessful, flat: true })
    ).toEqualTypeOf<Batch<Date>>()
  })

  it("has its failures as data until they are asked for", () => {
    const result = Durable.parallel("a", [charge], { error: Declined })
    expectTypeOf(Effect.flatMap(result, (batch) => batch.orFail)).toEqualTypeOf<
      Durably<ReadonlyArray<number>, Declined | BatchFailed>
    >()
  })

  it("refuses what it cannot record", () => {
    // @ts-expect-error value is not plain data
    Durable.parallel("a", [date])
    // @ts-expect-error value is not plain data, in one of them
    Durable.parallel("a", [number, { name: "b", effect: date }])
    // @ts-expect-error an error without a Schema
    Durable.parallel("a", [number, charge])
    // @ts-expect-error a Schema of another error
    Durable.parallel("a", [charge], { error: Closed })
    // @ts-expect-error a Schema of another value
    Durable.parallel("a", [number], { success: Schema.String })
    // @ts-expect-error there is no option "maxConcurrency"
    Durable.parallel("a", [number], { maxConcurrency: 2 })
    // @ts-expect-error no such concurrency
    Durable.parallel("a", [number], { concurrency: "inherit" })
    // @ts-expect-error no branch
    Durable.parallel("a", [7])
    // @ts-expect-error no name
    Durable.parallel("a", [{ effect: number }])
    // @ts-expect-error a batchSerdes of another result
    Durable.parallel("a", [number], { batchSerdes: lettersSerdes })
  })
})

const lettersSerdes = Serdes.make<BatchResult.BatchResult<string, never>>({
  serialize: (result) => result.values.join(","),
  deserialize: (all) => BatchResult.fromValues("letters", (all ?? "").split(","))
})
declare const romanSerdes: Serdes.Codec<number>

describe("map and forEach", () => {
  it("know what their function ends with, however it is written", () => {
    expectTypeOf(Durable.map("a", [1, 2], (n, index) => Effect.succeed(`${n}${index}`))).toEqualTypeOf<
      Mapped<number, string>
    >()
    expectTypeOf(Durable.map("a", new Set(["x"]), (key) => Effect.as(text, key.length))).toEqualTypeOf<
      Mapped<string, number, never, Database>
    >()
    expectTypeOf(Durable.map("a", [1], () => charge, { error: Declined, itemName: (n) => n.toFixed() })).toEqualTypeOf<
      Mapped<number, number, Declined>
    >()
    expectTypeOf(Durable.forEach("a", [1, 2], (n) => Effect.succeed({ n }))).toEqualTypeOf<
      Durably<Array<{ n: number }>>
    >()
    expectTypeOf(Durable.forEach("a", [1], () => charge, { error: Declined, concurrency: 2 })).toEqualTypeOf<
      Durably<Array<number>, Declined>
    >()
    expectTypeOf(Durable.forEach("a", [1], (n) => Effect.succeed(new Date(n)), { success: Schema.Date })).toEqualTypeOf<
      Durably<Array<Date>>
    >()
  })

  it("have the item beside how it ended, whether it failed or not", () => {
    const result = Durable.map("a", [new Date(0)], () => charge, { error: Declined })
    expectTypeOf(Effect.map(result, ({ failed }) => failed.map(({ item }) => item))).toEqualTypeOf<
      Durably<Array<Date>>
    >()
    expectTypeOf(Effect.map(result, ({ all }) => all.map(({ item }) => item))).toEqualTypeOf<Durably<Array<Date>>>()
  })

  it("give the same kind of result as parallel, whose branches have no items", () => {
    const choose = (some: boolean): Batch<number> =>
      some ? Durable.parallel("a", [number]) : Durable.map("a", ["x"], () => number)
    expectTypeOf(Effect.map(choose(true), ({ all }) => all.map(({ item }) => item))).toEqualTypeOf<
      Durably<Array<unknown>>
    >()
  })

  it("have an item of whatever type a helper is generic in", () => {
    const mapped = <T>(items: ReadonlyArray<T>): Durably<BatchResult.BatchResult<number, never, T>> =>
      Durable.map("a", items, () => number)
    expectTypeOf(mapped(["a"])).toEqualTypeOf<Mapped<string, number>>()
  })

  it("take codecs beside a function whose argument is inferred", () => {
    expectTypeOf(Durable.map("a", [1], (n) => Effect.succeed(n), { successSerdes: romanSerdes })).toEqualTypeOf<
      Mapped<number, number>
    >()
    expectTypeOf(Durable.map("a", ["x"], (s) => Effect.succeed(s), { batchSerdes: lettersSerdes })).toEqualTypeOf<
      Mapped<string, string>
    >()
    expectTypeOf(Durable.forEach("a", [1], (n) => Effect.succeed(n), { successSerdes: romanSerdes })).toEqualTypeOf<
      Durably<Array<number>>
    >()
  })

  it("refuse what they cannot record", () => {
    // @ts-expect-error value is not plain data
    Durable.map("a", [1], () => date)
    // @ts-expect-error an error without a Schema
    Durable.map("a", [1], () => charge)
    // @ts-expect-error a codec of another value
    Durable.map("a", ["x"], (s) => Effect.succeed(s), { successSerdes: romanSerdes })
    // @ts-expect-error a codec of another result
    Durable.map("a", [1], (n) => Effect.succeed(n), { batchSerdes: lettersSerdes })
    // @ts-expect-error value is not plain data
    Durable.forEach("a", [1], () => date)
    // @ts-expect-error a codec of another value
    Durable.forEach("a", ["x"], (s) => Effect.succeed(s), { successSerdes: romanSerdes })
    // @ts-expect-error there is no option "policy": forEach fails with its first failure
    Durable.forEach("a", [1], () => number, { policy: CompletionPolicy.allCompleted })
  })
})

describe("all", () => {
  it("keeps the shape of a tuple, an array and a record", () => {
    expectTypeOf(Durable.all("a", [number, text])).toEqualTypeOf<Durably<[number, string], never, Database>>()
    expectTypeOf(
      Durable.all(
        "a",
        [1, 2].map(() => number)
      )
    ).toEqualTypeOf<Durably<Array<number>>>()
    expectTypeOf(Durable.all("a", { n: number, s: { name: "b", effect: text } })).toEqualTypeOf<
      Durably<{ n: number; s: string }, never, Database>
    >()
    expectTypeOf(Durable.all("a", [])).toEqualTypeOf<Durably<[]>>()
    // Calls like these are looked at last.
    expectTypeOf(
      Durable.all(
        "a",
        { n: Effect.as(Durable.wait("nap", "1 hour"), 1), s: Effect.map(number, (n) => `${n}`) },
        { concurrency: 2 }
      )
    ).toEqualTypeOf<Durably<{ n: number; s: string }>>()
    expectTypeOf(
      Durable.all("a", { n: charge, s: open }, { error: Schema.Union([Declined, Closed]), concurrency: "unbounded" })
    ).toEqualTypeOf<Durably<{ n: number; s: string }, Declined | Closed>>()
  })

  it("refuses what it cannot record", () => {
    // @ts-expect-error value is not plain data
    Durable.all("a", [number, date])
    // @ts-expect-error an error without a Schema
    Durable.all("a", { n: charge })
    // @ts-expect-error there is no option "discarded"
    Durable.all("a", [number], { discarded: true })
  })
})

describe("all and forEach with discard", () => {
  it("end with nothing, and need no Schema for their values", () => {
    expectTypeOf(Durable.forEach("a", [1], (n) => Effect.succeed(new Date(n)), { discard: true })).toEqualTypeOf<
      Durably<void>
    >()
    expectTypeOf(Durable.all("a", [date, text], { discard: true, concurrency: 2 })).toEqualTypeOf<
      Durably<void, never, Database>
    >()
    expectTypeOf(Durable.all("a", { d: charge }, { discard: true, error: Declined })).toEqualTypeOf<
      Durably<void, Declined>
    >()
    expectTypeOf(
      Effect.map(Durable.all("a", [Effect.as(number, new Date(0))], { discard: true }), (nothing) => nothing)
    ).toEqualTypeOf<Durably<void>>()
  })

  it("are as without it where it is not known to be true", () => {
    expectTypeOf(Durable.forEach("a", [1], () => number, { discard: false })).toEqualTypeOf<Durably<Array<number>>>()
    expectTypeOf(Durable.forEach("a", [1], () => number, { discard: maybe })).toEqualTypeOf<
      Durably<void | Array<number>>
    >()
  })

  it("refuse what they cannot record", () => {
    // @ts-expect-error value is not plain data
    Durable.forEach("a", [1], () => date, { discard: false })
    // @ts-expect-error value is not plain data, which may be kept
    Durable.forEach("a", [1], () => date, { discard: maybe })
    // @ts-expect-error an error without a Schema
    Durable.forEach("a", [1], () => charge, { discard: true })
    // @ts-expect-error a Schema of a value that is not recorded
    Durable.all("a", [date], { discard: true, success: Schema.Date })
  })
})

declare const maybe: boolean

describe("a block", () => {
  it("gives the result of a batch of plain data, whose errors are the library's, without a Schema", () => {
    expectTypeOf(
      Durable.child(
        "a",
        Durable.map("b", ["x"], () => number)
      )
    ).toEqualTypeOf<Mapped<string, number>>()
    expectTypeOf(Durable.child("a", Durable.parallel("b", [number, Effect.void]))).toEqualTypeOf<Batch<number | void>>()
    expectTypeOf(
      Durable.child(
        "a",
        Durable.map("b", [1], () => Durable.timeout("c", number, "1 minute"))
      )
    ).toEqualTypeOf<Mapped<number, number, DurableTimeout>>()
    const nested = Effect.map(
      Durable.map("b", ["x"], () => number),
      (result) => ({ result, all: [result] })
    )
    expectTypeOf(Durable.child("a", nested)).toEqualTypeOf<typeof nested>()
    expectTypeOf(Durable.parallel("b", [number]).pipe(Durable.child("a"))).toEqualTypeOf<Batch<number>>()
  })

  it("takes a Schema of the result of a batch", () => {
    const dates = Durable.map("b", ["x"], () => date, { success: Schema.Date })
    const declined = Durable.map("b", ["x"], () => charge, { error: Declined })
    expectTypeOf(Durable.child("a", dates, { success: BatchResult.Schema({ success: Schema.Date }) })).toEqualTypeOf<
      Batch<Date>
    >()
    expectTypeOf(
      Durable.child("a", declined, {
        success: BatchResult.Schema({ success: Schema.Number, error: Declined, item: Schema.String })
      })
    ).toEqualTypeOf<Mapped<string, number, Declined>>()
    // @ts-expect-error value is a BatchResult of what is not plain data: its values
    Durable.child("a", dates)
    // @ts-expect-error value is a BatchResult of what is not plain data: its errors
    Durable.child("a", declined)
    // @ts-expect-error value is a BatchResult of what is not plain data: its items
    Durable.child(
      "a",
      Durable.map("b", [new Date(0)], () => number)
    )
    // @ts-expect-error the Schema has no errors
    Durable.child("a", declined, { success: BatchResult.Schema({ success: Schema.Number }) })
    // @ts-expect-error the Schema has other items
    Durable.child("a", declined, {
      success: BatchResult.Schema({ success: Schema.Number, error: Declined, item: Schema.Number })
    })
  })

  it("gives lists of nothing without a Schema", () => {
    expectTypeOf(
      Durable.child(
        "a",
        Effect.forEach([1], () => Effect.void)
      )
    ).toEqualTypeOf<Durably<Array<void>>>()
    expectTypeOf(
      Durable.child(
        "a",
        Durable.forEach("b", [1], () => Effect.void)
      )
    ).toEqualTypeOf<Durably<Array<void>>>()
    expectTypeOf(Durable.child("a", Durable.all("b", [number, Effect.void]))).toEqualTypeOf<Durably<[number, void]>>()
    expectTypeOf(
      Durable.child(
        "a",
        Effect.forEach([1], () => Effect.void, { discard: true })
      )
    ).toEqualTypeOf<Durably<void>>()
  })
})

describe("race, raceFirst and timeout", () => {
  it("end with what any branch may end with", () => {
    expectTypeOf(Durable.race("a", [number, text])).toEqualTypeOf<Durably<number | string, never, Database>>()
    expectTypeOf(Durable.raceFirst("a", [charge, { name: "b", effect: number }], { error: Declined })).toEqualTypeOf<
      Durably<number, Declined>
    >()
    expectTypeOf(Durable.race("a", [date], { success: Schema.Date })).toEqualTypeOf<Durably<Date>>()
    expectTypeOf(Durable.timeout("a", charge, "1 minute", { error: Declined })).toEqualTypeOf<
      Durably<number, Declined | DurableTimeout>
    >()
    expectTypeOf(Durable.timeout("a", text, new Date(0))).toEqualTypeOf<Durably<string, DurableTimeout, Database>>()
  })

  it("refuse what they cannot record", () => {
    // @ts-expect-error value is not plain data
    Durable.race("a", [number, date])
    // @ts-expect-error an error without a Schema
    Durable.raceFirst("a", [charge])
    // @ts-expect-error value is not plain data
    Durable.timeout("a", date, "1 minute")
    // @ts-expect-error there is no option "policy"
    Durable.race("a", [number], { policy: CompletionPolicy.allCompleted })
  })
})
