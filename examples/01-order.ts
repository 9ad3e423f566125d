/**
 * An order that one function validates and another one charges.
 *
 * It shows all parts of a durable function: contracts that caller and callee share, typed errors that cross from one
 * function to the other, a step with retries, and an invoke with a time-out. The order ends as completed, rejected or
 * declined. Run it with `npm start`, or with an order of your own: `npm start -- order '{"id":"o-7",…}'`.
 */
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

// --- Contracts: what the functions agree on ----------------------------------------------------------------------------

const Cents = Schema.Int.check(Schema.isGreaterThan(0))

export const Order = Schema.Struct({
  id: Schema.NonEmptyString,
  card: Schema.NonEmptyString,
  lines: Schema.NonEmptyArray(
    Schema.Struct({ sku: Schema.NonEmptyString, quantity: Schema.Int.check(Schema.isGreaterThan(0)), price: Cents })
  )
})

export const OrderResult = Schema.Union([
  Schema.Struct({ status: Schema.Literal("completed"), transactionId: Schema.String, cents: Cents }),
  Schema.Struct({ status: Schema.Literal("rejected"), reason: Schema.String }),
  Schema.Struct({ status: Schema.Literal("declined"), code: Schema.String })
])

export class CardDeclined extends Schema.TaggedError<CardDeclined>()("CardDeclined", { code: Schema.String }) {}

export const ValidateOrder = DurableFunction.plain("validate-order", {
  payload: Order,
  success: Schema.Union([
    Schema.Struct({ valid: Schema.Literal(true), cents: Cents }),
    Schema.Struct({ valid: Schema.Literal(false), reason: Schema.String })
  ])
})

export const ProcessPayment = DurableFunction.make("process-payment", {
  payload: Schema.Struct({ orderId: Schema.String, card: Schema.String, cents: Cents }),
  success: Schema.Struct({ transactionId: Schema.String }),
  error: CardDeclined,
  target: "payment-processor:live"
})

export const ProcessOrder = DurableFunction.make("process-order", { payload: Order, success: OrderResult })

// --- The workflow ------------------------------------------------------------------------------------------------------

export const processOrder = ProcessOrder.implement(
  Effect.fn("process-order")(
    function* (order) {
      const check = yield* Durable.invoke(ValidateOrder, order)
      if (!check.valid) return { status: "rejected" as const, reason: check.reason }
      const { transactionId } = yield* Durable.invoke(
        ProcessPayment,
        { orderId: order.id, card: order.card, cents: check.cents },
        { name: "charge", timeout: "5 minutes" }
      )
      return { status: "completed" as const, transactionId, cents: check.cents }
    },
    Effect.catchTag("CardDeclined", ({ code }) => Effect.succeed({ status: "declined" as const, code }))
  )
)

// --- The functions that it calls ---------------------------------------------------------------------------------------

const stock: Readonly<Record<string, number>> = { tea: 40, cup: 12, kettle: 1 }

export const validateOrder = ValidateOrder.implement(({ lines }) => {
  const missing = lines.find(({ quantity, sku }) => quantity > (stock[sku] ?? 0))
  if (missing !== undefined) return Effect.succeed({ valid: false as const, reason: `${missing.sku} is sold out` })
  return Effect.succeed({
    valid: true as const,
    cents: lines.reduce((sum, { price, quantity }) => sum + price * quantity, 0)
  })
})

class GatewayBusy extends Schema.TaggedError<GatewayBusy>()("GatewayBusy", {}) {}

/** The payment provider. It does not repeat a charge whose key it knows already. */
export class Gateway extends Context.Service<
  Gateway,
  {
    readonly charge: (charge: {
      readonly card: string
      readonly cents: number
      readonly key: string
    }) => Effect.Effect<string, CardDeclined | GatewayBusy>
  }
>()("examples/Gateway") {
  /** A gateway that is busy at first, and declines the card 4000 0000 0000 0002. */
  static readonly layerMemory = Layer.sync(this, () => {
    const seen = new Set<string>()
    return {
      charge: Effect.fn("Gateway.charge")(function* ({ card, key }) {
        if (!seen.has(key)) {
          seen.add(key)
          return yield* new GatewayBusy()
        }
        if (card.endsWith("0002")) return yield* new CardDeclined({ code: "card_declined" })
        return `t-${key.slice(-8)}`
      })
    }
  })
}

export const processPayment = ProcessPayment.implement(
  Effect.fn("process-payment")(
    function* ({ card, cents }) {
      const charge = Effect.gen(function* () {
        const gateway = yield* Gateway
        const { idempotencyKey } = yield* Durable.StepContext
        return yield* gateway.charge({ card, cents, key: idempotencyKey })
      })
      const transactionId = yield* Durable.step("charge card", charge, {
        error: Schema.Union([CardDeclined, GatewayBusy]),
        retry: RetryPolicy.exponential({ maxAttempts: 5, while: (error) => error._tag === "GatewayBusy" })
      })
      return { transactionId }
    },
    Effect.catchTag("GatewayBusy", () => Effect.fail(new CardDeclined({ code: "gateway_busy" })))
  )
)

export const functions = [processOrder, validateOrder, processPayment] as const

export const order: typeof Order.Type = {
  id: "o-1001",
  card: "4242 4242 4242 4242",
  lines: [
    { sku: "tea", quantity: 2, price: 450 },
    { sku: "cup", quantity: 4, price: 1_250 }
  ]
}
