/** The reversal of a charge, which another team owns. */
import { Durable } from "effect-durable"
import { LambdaHandler } from "effect-durable/lambda"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CardGone, ReverseCharge } from "../contracts/refund.ts"

export const reverseCharge = ReverseCharge.implement(
  Effect.fn("reverse-charge")(function* ({ card, refund }) {
    if (card === "gone") return yield* new CardGone({ card })
    yield* Durable.wait("clearing", "2 hours")
    return { reference: yield* Durable.step("reverse", Effect.succeed(`reversal of ${refund}`)) }
  })
)

export const handler = LambdaHandler.make(reverseCharge, { layer: Layer.empty })
