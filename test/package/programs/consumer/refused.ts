/**
 * Programs that do not compile, each in the way that helps: once, at the place that is wrong, with a sentence to act on.
 *
 * `npm run check:types` reads what stands behind each marker as a part of the message that the compiler has for the line
 * below it.
 */
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import { LambdaHandler } from "effect-durable/lambda"
import { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { type Airline, Book, Price, type Seat, SeatTaken, book } from "../library/index.ts"

declare const date: Effect.Effect<Date>
declare const perhaps: boolean
declare const number: Effect.Effect<number>
declare const reserve: Effect.Effect<Seat, SeatTaken, Airline>
declare const counted: Effect.Effect<number, SeatTaken>
declare const nap: Effect.Effect<void, never, Durable.Execution | Airline>

export const withoutSchema = [
  // @ts-expect-error value is not plain data: give { success: Schema }
  Durable.step("a", date),
  // @ts-expect-error an error is recorded through its schema: give { error: Schema }
  Durable.step("a", counted),
  // @ts-expect-error value is not plain data: give { success: Schema }
  Durable.child("a", date),
  // @ts-expect-error value is not plain data: give { success: Schema }
  Durable.timeout("a", date, "1 day"),
  // @ts-expect-error value is not plain data: give { success: Schema }
  Durable.retry("a", date, RetryPolicy.standard),
  // @ts-expect-error value is not plain data: give { success: Schema }
  Durable.forEach("a", [1], () => date),
  // @ts-expect-error value is not plain data: give { success: Schema }
  Durable.map("a", [1], () => date),
  // @ts-expect-error value is not plain data: give { success: Schema }
  Durable.parallel("a", [number, date]),
  // @ts-expect-error value is not plain data: give { success: Schema }
  Durable.all("a", { a: number, b: date }),
  // @ts-expect-error value is not plain data: give { success: Schema }
  Durable.race("a", [number, date]),
  // @ts-expect-error value is not plain data: give { state: Schema }
  Durable.waitForCondition("a", { initial: new Date(0), check: (at) => Effect.succeed(at), until: () => true })
]

export const withAnotherSchema = [
  // @ts-expect-error the success schema does not fit the value
  Durable.step("a", date, { success: Schema.String }),
  // @ts-expect-error the error schema does not fit the error
  Durable.child("a", counted, { error: Schema.String }),
  // @ts-expect-error the success schema does not fit the value
  Durable.forEach("a", [1], () => date, { success: Schema.String }),
  Durable.callback("a", {
    // @ts-expect-error Type 'string' is not assignable to type 'Bottom<
    success: "boolean"
  })
]

export const withOperations = [
  // @ts-expect-error a step cannot hold durable operations: use Durable.child, or move them out of the step
  Durable.step("a", nap),
  Durable.step(
    "a",
    // @ts-expect-error a step cannot hold durable operations: use Durable.child, or move them out of the step
    Effect.gen(function* () {
      yield* Durable.wait("nap", "1 second")
    })
  ),
  // @ts-expect-error a step cannot hold durable operations: use Durable.child, or move them out of the step
  Durable.waitForCallback("a", () => nap, { timeout: "1 day" }),
  Durable.waitForCondition("a", {
    initial: 1,
    // @ts-expect-error a step cannot hold durable operations: use Durable.child, or move them out of the step
    check: (n) => Effect.as(nap, n),
    until: () => true
  }),
  // @ts-expect-error a plain function has no history: use durable operations in a DurableFunction.make contract only
  DurableFunction.plain("a").implement(() => nap)
]

/** What is no effect, and what is no Schema perhaps. Declarations of these calls are written all the same. */
export const withoutEffect = [
  // @ts-expect-error Argument of type '() => Effect.Effect<number, never, never>' is not assignable to parameter of type 'Effect<
  Durable.step("a", () => number),
  // @ts-expect-error Type 'Promise<number>' is missing the following properties from type 'Effect<
  Durable.step("a", Promise.resolve(1)),
  // @ts-expect-error Argument of type '() => Effect.Effect<number, never, never>' is not assignable to parameter of type 'Effect<
  Durable.child("a", () => number),
  // @ts-expect-error Argument of type '() => Effect.Effect<number, never, never>' is not assignable to parameter of type 'Effect<
  Durable.timeout("a", () => number, "1 day"),
  // @ts-expect-error Argument of type '() => Effect.Effect<number, never, never>' is not assignable to parameter of type 'Effect<
  Durable.retry("a", () => number, RetryPolicy.standard),
  // @ts-expect-error an error is recorded through its schema: give { error: Schema }
  Durable.step("a", counted, perhaps ? { error: SeatTaken } : {})
]

/** Options that do not exist, or that are of another type. */
export const withOptions = [
  Durable.step("a", number, {
    // @ts-expect-error Did you mean to write 'semantics'?
    semantic: "at-most-once"
  }),
  Durable.step("a", number, {
    // @ts-expect-error Type '"exactly-once"' is not assignable to type '"at-least-once" | "at-most-once"
    semantics: "exactly-once"
  }),
  Durable.step("a", counted, {
    error: SeatTaken,
    // @ts-expect-error Type 'number' is not assignable to type 'RetryPolicy<
    retry: 3
  }),
  Durable.child("a", number, {
    // @ts-expect-error Did you mean to write 'flat'?
    flatt: true
  }),
  Durable.callback("a", {
    // @ts-expect-error Did you mean to write 'timeout'?
    timout: "1 day"
  }),
  Durable.waitForCallback("a", (id) => Effect.log(id), {
    // @ts-expect-error Did you mean to write 'timeout'?
    timout: "1 day"
  }),
  Durable.waitForCallback("a", (id) => Effect.log(id), {
    success: Schema.Boolean,
    // @ts-expect-error Type 'number' is not assignable to type 'RetryPolicy<
    retry: 3,
    timeout: "1 day"
  }),
  Durable.waitForCallback("a", (id) => Effect.fail(id), {
    // @ts-expect-error Type 'string' is not assignable to type 'SeatTaken'
    retry: RetryPolicy.linear({ while: (error: SeatTaken) => error.seat === "1A" })
  }),
  Durable.waitForCondition("a", {
    initial: 1,
    check: (n) => Effect.succeed(n),
    until: () => true,
    // @ts-expect-error Did you mean to write 'delay'?
    delays: 1
  }),
  Durable.forEach("a", [1], () => number, {
    // @ts-expect-error Did you mean to write 'concurrency'?
    concurency: 1
  }),
  Durable.map("a", [1], () => number, {
    // @ts-expect-error Type '"all"' is not assignable to type 'number | "unbounded"
    concurrency: "all"
  }),
  Durable.forEach("a", [1], (n) => Effect.succeed(n), {
    // @ts-expect-error Did you mean to write 'concurrency'?
    concurency: 1
  }),
  Durable.map("a", [1], (n) => Effect.succeed(n), {
    // @ts-expect-error Type '"all"' is not assignable to type 'number | "unbounded"
    concurrency: "all"
  }),
  Durable.map("a", [1], (n) => Effect.succeed(n), {
    // @ts-expect-error Type 'number' is not assignable to type 'CompletionPolicy'
    policy: 1
  }),
  Durable.parallel("a", [number, number], {
    // @ts-expect-error Did you mean to write 'policy'?
    polcy: 1
  }),
  Durable.parallel("a", [number, number], {
    // @ts-expect-error Type 'number' is not assignable to type 'CompletionPolicy'
    policy: 1
  }),
  Durable.race("a", [number, number], {
    // @ts-expect-error Did you mean to write 'success'?
    sucess: Schema.Int
  }),
  Durable.timeout("a", number, "1 day", {
    // @ts-expect-error Did you mean to write 'success'?
    sucess: Schema.Int
  }),
  Durable.invoke(
    Price,
    { from: "FRA", to: "LIS" },
    {
      // @ts-expect-error Did you mean to write 'timeout'?
      timout: "1 day"
    }
  ),
  Durable.start(
    Book,
    { number: "LH1", leaves: new Date(0), seats: [] },
    {
      // @ts-expect-error Object literal may only specify known properties, but 'nam' does not exist in type 'StartOptions'
      nam: "x"
    }
  ),
  DurableFunction.make("a", {
    // @ts-expect-error Did you mean to write 'payload'?
    paylod: Schema.String
  }),
  DurableFunction.make("a", {
    // @ts-expect-error a durable function is invoked by version or alias: "a:live", "a:7" or "a:$LATEST"
    target: "a"
  })
]

export const withOtherTypes = [
  // @ts-expect-error Property 'to' is missing in type '{ from: string; }'
  Durable.invoke(Price, { from: "FRA" }),
  // @ts-expect-error Type '"plain"' is not assignable to type '"durable"'
  Durable.start(Price, { from: "FRA", to: "LIS" }),
  // @ts-expect-error Type 'number' is not assignable to type 'string'
  DurableFunction.make("a", { success: Schema.String }).implement(() => Effect.succeed(1)),
  // @ts-expect-error the contract does not declare this error: give { error: Schema } to DurableFunction.make, or handle it
  DurableFunction.make("a").implement(() => Effect.asVoid(reserve))
]

export const withoutServices = [
  // @ts-expect-error the layer lacks services that the workflow requires
  LambdaHandler.make(book, { layer: Layer.empty }),
  // @ts-expect-error Type 'Airline' is not assignable to type 'never'
  Effect.runPromise(Effect.provide(Effect.void, TestEngine.layer([book]))),
  // @ts-expect-error Type 'Execution' is not assignable to type 'never'
  Effect.runPromise(Durable.wait("nap", "1 second"))
]
