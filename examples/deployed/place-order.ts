/**
 * The caller: a durable function that has the order paid by another one, waits for the parcel to be packed, and ships it.
 *
 * This is example 17: `template.yaml` beside this file has both functions, and docs/deploying.md goes through it.
 * `npm start -- deployed` runs the same two functions without a cloud.
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
