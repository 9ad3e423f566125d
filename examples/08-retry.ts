/**
 * A call that is repeated after waits that double, and whose result contains the number of attempts.
 *
 * `Durable.invoke` repeats nothing by itself. `Durable.retry` repeats a block of operations, here one invoke, and the
 * waits between the attempts cost no compute. Run it with `npm start -- retry`.
 */
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

export class Busy extends Schema.TaggedError<Busy>()("Busy", { queue: Schema.Int }) {}

export const Reserve = DurableFunction.plain("reserve", {
  payload: Schema.String,
  success: Schema.String,
  error: Busy
})

export const BookSeat = DurableFunction.make("book-seat", {
  payload: Schema.Struct({ flight: Schema.NonEmptyString }),
  success: Schema.Struct({ seat: Schema.String, attempts: Schema.Int }),
  error: Busy
})

export const bookSeat = BookSeat.implement(
  Effect.fn("book-seat")(function* ({ flight }) {
    let attempts = 0
    const reserve = Effect.suspend(() => {
      attempts++
      return Effect.map(Durable.invoke(Reserve, flight), (seat) => ({ seat, attempts }))
    })
    return yield* Durable.retry(
      "reserve",
      reserve,
      RetryPolicy.exponential({
        maxAttempts: 6,
        initialDelay: "1 second",
        jitter: "none",
        while: (error) => error._tag === "Busy"
      }),
      { error: Busy }
    )
  })
)

/** The airline's queue, which is shorter at every call. */
export class Queue extends Context.Service<Queue, { readonly next: Effect.Effect<number> }>()("examples/Queue") {
  static readonly layer = Layer.sync(this, () => {
    let length = 3
    return { next: Effect.sync(() => length--) }
  })
}

export const reserve = Reserve.implement((flight) =>
  Effect.gen(function* () {
    const queue = yield* Queue
    const length = yield* queue.next
    return length > 0 ? yield* new Busy({ queue: length }) : `${flight} 12A`
  })
)

export const functions = [bookSeat, reserve] as const

export const payload: (typeof BookSeat)["payload"]["Type"] = { flight: "ED 42" }
