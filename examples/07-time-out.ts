/**
 * A call that may take five seconds, and a fallback when it takes longer.
 *
 * The time-out is durable: no invocation waits for it. It does not stop the slow function, whose answer is no longer
 * needed here. Run it with `npm start -- time-out`, or with a fast service: `npm start -- time-out '{"seconds":1}'`.
 */
import { Durable, DurableFunction } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const Quote = Schema.Struct({ cents: Schema.Int, source: Schema.Literals(["live", "yesterday"]) })

export const LivePrice = DurableFunction.make("live-price", {
  payload: Schema.Struct({ seconds: Schema.Int }),
  success: Schema.Int,
  target: "live-price:live"
})

export const Price = DurableFunction.make("price", { payload: Schema.Struct({ seconds: Schema.Int }), success: Quote })

export const price = Price.implement(({ seconds }) =>
  Durable.invoke(LivePrice, { seconds }, { timeout: "5 seconds" }).pipe(
    Effect.map((cents) => ({ cents, source: "live" as const })),
    Effect.catchTag("InvokeTimedOut", () =>
      Durable.step("look up yesterday's price", Effect.succeed({ cents: 1_190, source: "yesterday" as const }))
    )
  )
)

export const livePrice = LivePrice.implement(({ seconds }) =>
  Effect.gen(function* () {
    yield* Durable.wait("ask the exchange", `${seconds} seconds`)
    return 1_250
  })
)

export const functions = [price, livePrice] as const

export const payload: (typeof Price)["payload"]["Type"] = { seconds: 60 }
