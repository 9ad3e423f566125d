/** The refund as a deployed function, with a world in which everything works. */
import { Targets } from "effect-durable"
import { LambdaHandler } from "effect-durable/lambda"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { refund } from "./refund.ts"
import { Bank, Mailer, Settings, Warehouse } from "./services.ts"

const layer = Layer.mergeAll(
  Settings.layer,
  Targets.layerConfig(),
  Layer.succeed(Bank, { status: () => Effect.succeed({ state: "settled", seenAt: 1_767_225_600_000 }) }),
  Layer.succeed(Mailer, { send: ({ text }) => Effect.log(`mail: ${text}`) }),
  Layer.succeed(Warehouse, {
    restock: (sku) => Promise.resolve({ shelf: `shelf of ${sku}` }),
    unstock: () => Promise.resolve()
  })
)

export const handler = LambdaHandler.make(refund, { layer, outsideLimit: "5 seconds", margin: "2 seconds" })
