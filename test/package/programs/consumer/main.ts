/** A program that uses the library by its declarations, and says which types it expects to find in them. */
import { type BatchResult, Durable, type DurableError, DurableFunction } from "effect-durable"
import type { LambdaHandler } from "effect-durable/lambda"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import {
  Airline,
  Book,
  type FareExpired,
  Helpers,
  Nap,
  Price,
  Seat,
  SeatTaken,
  attempt,
  book,
  branched,
  dated,
  handler,
  listed,
  nap,
  open,
  polled,
  priced,
  stepped,
  timed,
  together
} from "../library/index.ts"

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the compiler compares both functions for every T
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Takes a value whose type is exactly this. */
declare const exactly: <Expected>() => <Found>(
  value: Found,
  ...proof: Same<Found, Expected> extends true ? [] : ["expected another type", Expected]
) => void

type Durably<A, E = never, R = never> = Effect.Effect<A, E, R | Durable.Execution>

type AnswerError = DurableError.CallbackFailed | DurableError.CallbackTimedOut
type InvokeError = DurableError.InvokeFailed | DurableError.InvokeStopped | DurableError.InvokeTimedOut

const schemas = { success: Seat, error: SeatTaken }
const reserve = Effect.flatMap(Airline, (airline) => airline.reserve("LH1"))
const number = Effect.as(Airline, 1)

// --- Constants -------------------------------------------------------------------------------------------------------

exactly<Durably<{ a: Array<number> }>>()(stepped)
exactly<Durably<Date, DurableError.StepInterrupted>>()(dated)
exactly<Durably<number>>()(attempt)
exactly<Durably<Durable.Callback<boolean, SeatTaken>>>()(open)
exactly<Durably<string, DurableError.ConditionExhausted>>()(polled)
exactly<Durably<Array<number>>>()(listed)
exactly<Durably<BatchResult.BatchResult<Date | { readonly a: ReadonlyArray<number> }, DurableError.StepInterrupted>>>()(
  branched
)
exactly<Durably<{ n: { a: Array<number> }; m: void }>>()(together)
exactly<Durably<{ a: Array<number> }, DurableError.DurableTimeout>>()(timed)
exactly<Durably<number, InvokeError>>()(priced)
exactly<DurableFunction.Implementation<typeof Nap, never>>()(nap)
exactly<DurableFunction.Implementation<typeof Book, Airline>>()(book)
exactly<LambdaHandler.Handler>()(handler)

// --- Helpers -------------------------------------------------------------------------------------------------------------

exactly<Durably<number, never, Airline>>()(Helpers.stepOfNumbers("a", number))
exactly<Durably<Date>>()(Helpers.stepOfAnything("a", Schema.Date, Effect.succeed(new Date(0))))
exactly<Durably<number, SeatTaken, Airline>>()(Helpers.stepWithErrors("a", Effect.as(reserve, 1), SeatTaken))
exactly<Durably<Seat, SeatTaken | DurableError.StepInterrupted, Airline>>()(Helpers.stepWithAll("a", schemas, reserve))
exactly<Durably<Seat, SeatTaken, Airline>>()(Helpers.stepOfCodec("a", reserve, Seat, SeatTaken))
exactly<Durably<Seat, SeatTaken, Airline>>()(Helpers.child("a", schemas, reserve))
exactly<Durably<Seat, SeatTaken, Airline>>()(Helpers.flatChild("a", reserve))
exactly<Durably<number, never, Airline>>()(Helpers.childOfNumbers("a", number))
exactly<Durably<Seat, SeatTaken | DurableError.DurableTimeout, Airline>>()(Helpers.timeout("a", schemas, reserve))
exactly<Durably<Seat, SeatTaken, Airline>>()(Helpers.retry("a", schemas, reserve))
exactly<Durably<Seat, SeatTaken, Airline>>()(Helpers.hold(reserve))
exactly<Durably<Seat, SeatTaken, Airline>>()(Helpers.local(reserve))
exactly<Durably<Seat, SeatTaken, Airline>>()(Helpers.undoing("a", reserve, () => Effect.void))
exactly<Durably<Array<Seat>, SeatTaken, Airline>>()(Helpers.forEach("a", ["x"], schemas, () => reserve))
exactly<Durably<Array<number>, never, Airline>>()(Helpers.forEachNumber(["x"], () => number))
exactly<Durably<BatchResult.BatchResult<Seat, SeatTaken, string>, never, Airline>>()(
  Helpers.map("a", ["x"], schemas, () => reserve)
)
exactly<Durably<BatchResult.BatchResult<Seat, SeatTaken>, never, Airline>>()(Helpers.parallel("a", schemas, reserve))
exactly<Durably<{ first: Seat; second: Seat }, SeatTaken, Airline>>()(Helpers.all("a", schemas, reserve))
exactly<Durably<[number, number], never, Airline>>()(Helpers.allNumbers(number))
exactly<Durably<Seat, SeatTaken, Airline>>()(Helpers.race("a", schemas, reserve))
exactly<Durably<number, never, Airline>>()(Helpers.raceFirst(number))
exactly<Durably<Durable.Callback<Seat, SeatTaken>>>()(Helpers.callback("a", schemas))
exactly<Durably<Date, AnswerError | DurableError.CallbackSubmitFailed, Airline>>()(
  Helpers.waitForCallback("a", Schema.DateFromString, (id) => Effect.flatMap(Airline, (airline) => airline.tell(id)))
)
exactly<Durably<Seat, SeatTaken | DurableError.ConditionExhausted, Airline>>()(
  Helpers.waitForCondition(
    "a",
    { state: Seat, error: SeatTaken },
    new Seat({ row: 1, letter: "A" }),
    () => reserve,
    ({ row }) => row > 1
  )
)
exactly<Durably<number, InvokeError>>()(Helpers.invoke(Price, { from: "FRA", to: "LIS" }))
exactly<Durably<Seat, InvokeError | SeatTaken | FareExpired>>()(
  Helpers.invoke(Book, { number: "LH1", leaves: new Date(0), seats: [] })
)
exactly<DurableFunction.Implementation<ReturnType<typeof made>, Airline>>()(
  Helpers.implemented(Schema.String, schemas, () => reserve)
)

// --- A workflow of its own -------------------------------------------------------------------------------------------------

const made = () => DurableFunction.make("generic", { payload: Schema.String, ...schemas })

const Trip = DurableFunction.make("trip", { success: Seat, error: SeatTaken })

export const trip = Trip.implement(() =>
  Effect.gen(function* () {
    yield* Effect.orDie(Durable.invoke(Nap))
    const child = yield* Helpers.child(
      "child",
      schemas,
      Helpers.stepWithErrors("a", Effect.as(reserve, 1), SeatTaken).pipe(
        Effect.andThen(Helpers.stepOfCodec("b", reserve, Seat, SeatTaken))
      )
    )
    return child
  })
)

exactly<DurableFunction.Implementation<typeof Trip, Airline>>()(trip)
