/** What the functions of the refund say to each other, and to those who ask for one. */
import { DurableFunction } from "effect-durable"
import * as Schema from "effect/Schema"

export const RefundId = Schema.String.pipe(Schema.brand("RefundId"))
export type RefundId = typeof RefundId.Type

export const Cents = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)).pipe(Schema.brand("Cents"))
export type Cents = typeof Cents.Type

export class LineItem extends Schema.Class<LineItem>("LineItem")({
  sku: Schema.String,
  quantity: Schema.Int,
  cents: Cents
}) {}

export class NoShelf extends Schema.TaggedError<NoShelf>()("NoShelf", { sku: Schema.String }) {}
export class Damaged extends Schema.TaggedError<Damaged>()("Damaged", {
  sku: Schema.String,
  at: Schema.DateTimeUtcFromString
}) {}
export class Rejected extends Schema.TaggedError<Rejected>()("Rejected", { by: Schema.String, why: Schema.String }) {}

/** What an answer looks like: the workflow reads by it, and whoever answers writes by it. */
export const approval = {
  success: Schema.Struct({ by: Schema.String, at: Schema.DateTimeUtcFromString }),
  error: Rejected
}

export class RefundRequest extends Schema.Class<RefundRequest>("RefundRequest")({
  id: RefundId,
  customer: Schema.String,
  card: Schema.String,
  cents: Cents,
  reason: Schema.optionalKey(Schema.String),
  items: Schema.Array(LineItem)
}) {}

export class NotRefunded extends Schema.TaggedError<NotRefunded>()("NotRefunded", {
  id: RefundId,
  because: Schema.Literals(["charge", "restock", "mail", "bank"])
}) {}

export const RefundReport = Schema.Union([
  Schema.TaggedStruct("Refunded", {
    id: RefundId,
    reference: Schema.String,
    approvedBy: Schema.String,
    settledAt: Schema.DateTimeUtcFromString,
    restocked: Schema.Int,
    failed: Schema.Array(Schema.Struct({ sku: Schema.String, index: Schema.Int, reason: Schema.String }))
  }),
  Schema.TaggedStruct("Refused", { id: RefundId, by: Schema.String, why: Schema.String }),
  Schema.TaggedStruct("Forgotten", { id: RefundId })
])

export const Refund = DurableFunction.make("refund", {
  payload: RefundRequest,
  success: RefundReport,
  error: NotRefunded,
  idempotencyKey: ({ id }) => `refund-${id}`
})

export class CardGone extends Schema.TaggedError<CardGone>()("CardGone", { card: Schema.String }) {}

/** Takes as long as the bank does. */
export const ReverseCharge = DurableFunction.make("reverse-charge", {
  payload: Schema.Struct({ refund: RefundId, card: Schema.String, cents: Cents }),
  success: Schema.Struct({ reference: Schema.String }),
  error: CardGone,
  target: "reverse-charge:live"
})

export const Score = DurableFunction.plain("fraud-score", {
  payload: Schema.Struct({ customer: Schema.String }),
  success: Schema.Struct({ score: Schema.Finite })
})
