/** The errors of a library of workflows, and what its contracts speak of. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

export class SeatTaken extends Schema.TaggedError<SeatTaken>()("SeatTaken", { seat: Schema.String }) {}
export class FareExpired extends Schema.TaggedError<FareExpired>()("FareExpired", { at: Schema.DateFromString }) {}

export const BookingError = Schema.Union([SeatTaken, FareExpired])

export class Seat extends Schema.Class<Seat>("Seat")({ row: Schema.Int, letter: Schema.String }) {}

export const Flight = Schema.Struct({
  number: Schema.String,
  leaves: Schema.DateFromString,
  seats: Schema.Array(Seat),
  note: Schema.optionalKey(Schema.String)
})

export class Airline extends Context.Service<
  Airline,
  {
    readonly reserve: (flight: string) => Effect.Effect<Seat, SeatTaken>
    readonly tell: (text: string) => Effect.Effect<void>
  }
>()("library/Airline") {}
