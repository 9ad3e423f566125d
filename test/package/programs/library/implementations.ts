/** Implementations, with services, errors and Schemas, and the handlers and test worlds that are made of them. */
import { CompletionPolicy, Durable, DurableClient, RetryPolicy, Targets } from "effect-durable"
import { LambdaHandler } from "effect-durable/lambda"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Book, Nap, Price, Rate, Upper } from "./contracts.ts"
import { Airline, FareExpired, Seat, SeatTaken } from "./errors.ts"

// --- Operations, as they are kept in constants -----------------------------------------------------------------------

export const stepped = Durable.step("step", Effect.succeed({ a: [1, 2] }))
export const dated = Durable.step(
  "date",
  Effect.sync(() => new Date(0)),
  { success: Schema.DateFromString, semantics: "at-most-once" }
)
export const attempt = Durable.step(
  "attempt",
  Effect.map(Durable.StepContext, ({ attempt: number }) => number)
)
export const napped = Durable.wait("nap", "8 hours")
export const open = Durable.callback("open", { success: Schema.Boolean, error: SeatTaken, timeout: "1 day" })
export const answered = Durable.waitForCallback("ask", (id) => Effect.log(id), {
  success: Schema.DateFromString,
  timeout: "1 day"
})
export const polled = Durable.waitForCondition("poll", {
  initial: "x",
  check: () => Effect.succeed("y"),
  until: (state) => state === "y"
})
export const grouped = Durable.child("child", Effect.andThen(stepped, dated), { success: Schema.Date })
export const flat = Durable.child("flat", dated, { flat: true })
export const listed = Durable.forEach("each", ["a", "b"], (item) => Durable.step("one", Effect.succeed(item.length)))
export const mapped = Durable.map("map", [1, 2], (item) => Durable.step("one", Effect.succeed(item)), {
  policy: CompletionPolicy.allCompleted
})
export const branched = Durable.parallel("parallel", [{ name: "a", effect: stepped }, dated], {
  success: Schema.Union([Schema.Date, Schema.Struct({ a: Schema.Array(Schema.Int) })])
})
export const together = Durable.all("all", { n: stepped, m: napped })
export const raced = Durable.race("race", [stepped, napped])
export const timed = Durable.timeout("in-time", stepped, "1 day")
export const retried = Durable.retry("again", answered, RetryPolicy.standard, { success: Schema.Date })
export const started = Durable.start(Book, { number: "LH1", leaves: new Date(0), seats: [] })
export const priced = Durable.invoke(Price, { from: "FRA", to: "LIS" })
export const undone = Durable.withCompensation("seat", stepped, () => Effect.log("undone"))
export const held = Durable.hold(Effect.promise(() => Promise.resolve(1)))
export const local = Durable.local(Layer.succeed(Airline, { reserve: () => Effect.never, tell: () => Effect.void }))
export const clean = Durable.onExit(stepped, () => Durable.step("tell", Effect.void))
export const policy = RetryPolicy.exponential({ maxAttempts: 3, while: (error: SeatTaken) => error.seat !== "1A" })

// --- Workflows ---------------------------------------------------------------------------------------------------------

export const nap = Nap.implement(() => napped)

export const book = Book.implement(
  Effect.fn("book")(function* (flight) {
    const airline = yield* Airline
    if (flight.leaves.getTime() < 1) return yield* Effect.fail(new FareExpired({ at: flight.leaves }))
    const seat = yield* Durable.step("reserve", airline.reserve(flight.number), { success: Seat, error: SeatTaken })
    yield* Durable.forEach("tell", flight.seats, ({ letter }) => Durable.step("one", airline.tell(letter)))
    yield* Effect.orDie(priced)
    return seat
  })
)

export const rate = Rate.implement(() => Effect.as(Airline, 1.5))

export const upper = Upper.implement((text) => Durable.step("same", Effect.succeed(text)))

// --- Layers ------------------------------------------------------------------------------------------------------------

export const airline = Layer.succeed(Airline, {
  reserve: () => Effect.succeed(new Seat({ row: 1, letter: "A" })),
  tell: () => Effect.void
})
export const targets = Targets.layer({ book: "book:live" })
export const world = TestEngine.layer([nap, book, TestEngine.stub(Price, Reply.succeed(1))])
export const complete = Layer.provide(world, airline)
export const handler = LambdaHandler.make(book, { layer: airline })
export const client = DurableClient.run(Book, { number: "LH1", leaves: new Date(0), seats: [] })
export const tested = TestEngine.run(Nap)
export const testRun = TestEngine.start(Book, { number: "LH1", leaves: new Date(0), seats: [] })
