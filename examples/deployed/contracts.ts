/**
 * The contracts that the two functions of this example share. Both functions import this file; neither imports the
 * other.
 *
 * No contract contains the address of its function: `template.yaml` sets the addresses.
 */
import { DurableFunction } from "effect-durable"
import * as Schema from "effect/Schema"

export class CardDeclined extends Schema.TaggedError<CardDeclined>()("CardDeclined", { code: Schema.String }) {}

export const Order = Schema.Struct({
  orderId: Schema.String.check(Schema.isPattern(/^[a-zA-Z0-9_-]{1,40}$/)),
  card: Schema.NonEmptyString,
  cents: Schema.Int.check(Schema.isGreaterThan(0))
})

/** The callee. */
export const ChargeCard = DurableFunction.make("charge-card", {
  payload: Order,
  success: Schema.Struct({ receipt: Schema.String }),
  error: CardDeclined
})

/** The caller. Placing an order twice starts one execution. */
export const PlaceOrder = DurableFunction.make("place-order", {
  payload: Order,
  success: Schema.Union([
    Schema.Struct({ status: Schema.Literal("shipped"), receipt: Schema.String, parcel: Schema.String }),
    Schema.Struct({ status: Schema.Literal("declined"), code: Schema.String })
  ]),
  idempotencyKey: ({ orderId }) => `place-order-${orderId}`
})
