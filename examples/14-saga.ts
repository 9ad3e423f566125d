/**
 * A trip of three bookings, each of which is cancelled when a later one fails.
 *
 * Here the last booking fails, because there is no car. The cancellations run in reverse order, as durable operations.
 * Run it with `npm start -- saga`, or with a car: `npm start -- saga '{"city":"Lisbon","cars":1}'`.
 */
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

export class SoldOut extends Schema.TaggedError<SoldOut>()("SoldOut", { what: Schema.String }) {}

export const BookTrip = DurableFunction.make("book-trip", {
  payload: Schema.Struct({ city: Schema.NonEmptyString, cars: Schema.Int }),
  success: Schema.Array(Schema.String),
  error: SoldOut
})

const booked = (what: string, book: Effect.Effect<string, SoldOut>) =>
  Durable.withCompensation(
    what,
    Durable.step(`book ${what}`, book, { error: SoldOut, retry: RetryPolicy.none }),
    (booking) =>
      Effect.gen(function* () {
        yield* Durable.wait("settle", "1 minute")
        yield* Durable.step(`cancel ${what}`, Effect.logDebug(`cancelled ${booking}`))
      })
  )

export const bookTrip = BookTrip.implement(
  Effect.fn("book-trip")(function* ({ cars, city }) {
    const flight = yield* booked("flight", Effect.succeed(`flight to ${city}`))
    const hotel = yield* booked("hotel", Effect.succeed(`room in ${city}`))
    const car = yield* booked(
      "car",
      cars > 0 ? Effect.succeed("a small car") : Effect.fail(new SoldOut({ what: "car" }))
    )
    return [flight, hotel, car]
  })
)

export const functions = [bookTrip] as const

export const payload: (typeof BookTrip)["payload"]["Type"] = { city: "Lisbon", cars: 0 }
