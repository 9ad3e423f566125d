/**
 * The caller: a durable function that lets another function charge the card, waits for the parcel to be packed, and
 * ships it.
 *
 * The `template.yaml` beside this file defines both functions, and docs/deploying.md explains it. `npm start --
 * deployed` runs the same two functions without a cloud.
 */
import { Durable, Targets } from "effect-durable"
import { LambdaHandler } from "effect-durable/lambda"
import * as Effect from "effect/Effect"
import { ChargeCard, PlaceOrder } from "./contracts.ts"

export const placeOrder = PlaceOrder.implement(
  Effect.fn("place-order")(
    function* (order) {
      const { receipt } = yield* Durable.invoke(ChargeCard, order)
      yield* Durable.wait("packing", "1 hour")
      const parcel = yield* Durable.step("hand over", Effect.succeed(`parcel of ${order.orderId}`))
      return { status: "shipped" as const, receipt, parcel }
    },
    Effect.catchTag("CardDeclined", ({ code }) => Effect.succeed({ status: "declined" as const, code }))
  )
)

/** The address of the callee is in the environment: `DURABLE_TARGETS={"charge-card":"arn:…:live"}`. */
export const handler = LambdaHandler.make(placeOrder, { layer: Targets.layerConfig() })
