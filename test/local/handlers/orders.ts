/**
 * Implementations of contracts, as a module of a user exports them: two that are durable, and one that only answers.
 */
import { Durable, DurableFunction } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

export class Declined extends Schema.TaggedError<Declined>()("Declined", { code: Schema.String }) {}

export const Price = DurableFunction.plain("price", { payload: Schema.String, success: Schema.Int })
export const Charge = DurableFunction.make("charge", {
  payload: Schema.Int,
  success: Schema.String,
  error: Declined,
  target: "payments:live"
})
export const Order = DurableFunction.make("order", {
  payload: Schema.Struct({ sku: Schema.String }),
  success: Schema.Struct({ cents: Schema.Int, receipt: Schema.String, pid: Schema.Int })
})

export const price = Price.implement((sku) => Effect.succeed(sku.length * 100))

export const charge = Charge.implement((cents) =>
  cents > 1_000
    ? Effect.fail(new Declined({ code: "limit" }))
    : Durable.step("book", Effect.succeed(`receipt for ${cents}`))
)

export const order = Order.implement(
  Effect.fn("order")(function* ({ sku }) {
    const cents = yield* Durable.invoke(Price, sku)
    yield* Durable.wait("pause", "1 second")
    const receipt = yield* Durable.invoke(Charge, cents).pipe(
      Effect.catchTag("Declined", ({ code }) => Effect.succeed(`declined: ${code}`))
    )
    return { cents, receipt, pid: process.pid }
  })
)
