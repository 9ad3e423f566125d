/**
 * The callee: a durable function that charges a card at a bank, in a step with retries, and records the receipt.
 */
import { Durable, RetryPolicy } from "effect-durable"
import { LambdaHandler } from "effect-durable/lambda"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { CardDeclined, ChargeCard } from "./contracts.ts"

class BankBusy extends Schema.TaggedError<BankBusy>()("BankBusy", {}) {}

/** The bank. It does not repeat a charge whose key it has seen before. */
export class Bank extends Context.Service<
  Bank,
  {
    readonly charge: (charge: {
      readonly card: string
      readonly cents: number
      readonly key: string
    }) => Effect.Effect<string, CardDeclined | BankBusy>
  }
>()("examples/deployed/Bank") {
  /** A bank that is busy at first and declines the card 0002. Put the client of a real one here. */
  static readonly layer = Layer.sync(this, () => {
    const seen = new Set<string>()
    return {
      charge: Effect.fn("Bank.charge")(function* ({ card, key }) {
        if (!seen.has(key)) {
          seen.add(key)
          return yield* new BankBusy()
        }
        if (card === "0002") return yield* new CardDeclined({ code: "51" })
        return `r-${key.slice(-8)}`
      })
    }
  })
}

export const chargeCard = ChargeCard.implement(
  Effect.fn("charge-card")(
    function* ({ card, cents }) {
      const charge = Effect.gen(function* () {
        const bank = yield* Bank
        const { idempotencyKey } = yield* Durable.StepContext
        return yield* bank.charge({ card, cents, key: idempotencyKey })
      })
      const receipt = yield* Durable.step("charge", charge, {
        error: Schema.Union([CardDeclined, BankBusy]),
        retry: RetryPolicy.exponential({ maxAttempts: 5, while: (error) => error._tag === "BankBusy" })
      })
      return { receipt }
    },
    Effect.catchTag("BankBusy", () => Effect.fail(new CardDeclined({ code: "bank_busy" })))
  )
)

export const handler = LambdaHandler.make(chargeCard, { layer: Bank.layer })
