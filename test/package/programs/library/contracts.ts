/** What others call: contracts whose types nobody has written down. */
import { DurableFunction, Serdes } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { BookingError, Flight, Seat, SeatTaken } from "./errors.ts"

export const Nap = DurableFunction.make("nap")

export const Book = DurableFunction.make("book", {
  payload: Flight,
  success: Seat,
  error: BookingError,
  target: "book:live",
  idempotencyKey: ({ number }) => `book-${number}`
})

export const Price = DurableFunction.plain("price", {
  payload: Schema.Struct({ from: Schema.String, to: Schema.String }),
  success: Schema.Int
})

export const Rate = DurableFunction.reference("arn:aws:lambda:eu-central-1:123456789012:function:rate", {
  kind: "plain",
  success: Schema.Finite,
  error: SeatTaken
})

export const Upper = DurableFunction.make("upper", {
  payload: Schema.String,
  success: Schema.String,
  successSerdes: Serdes.make({
    serialize: (text: string) => Effect.succeed(text.toUpperCase()),
    deserialize: (text) => text ?? ""
  })
})

export const contracts = { Nap, Book, Price, Rate, Upper }
