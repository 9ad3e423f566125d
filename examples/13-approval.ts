/**
 * An approval by a person, who has a week to answer.
 *
 * The workflow makes a callback, tells the person its id, and is suspended until somebody completes it or the week is
 * over. In this example the person answers after two days. Run it with `npm start -- approval`; nobody approves more than
 * 10,000: `npm start -- approval '{"what":"a yacht","cents":99000000}'`.
 */
import { Durable, DurableFunction } from "effect-durable"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

export const Decision = Schema.Struct({ approved: Schema.Boolean, by: Schema.String })

export const Purchase = DurableFunction.make("purchase", {
  payload: Schema.Struct({ what: Schema.NonEmptyString, cents: Schema.Int }),
  success: Schema.Struct({ status: Schema.Literals(["bought", "refused", "forgotten"]), by: Schema.String })
})

/** Tells a person what there is to decide, and by which id. */
export class Mail extends Context.Service<
  Mail,
  { readonly send: (mail: { readonly text: string; readonly callbackId: string }) => Effect.Effect<void> }
>()("examples/Mail") {
  static readonly layerNowhere = Layer.succeed(this, { send: () => Effect.void })
}

export const purchase = Purchase.implement(
  Effect.fn("purchase")(
    function* ({ cents, what }) {
      const { approved, by } = yield* Durable.waitForCallback(
        "approval",
        (callbackId) =>
          Effect.flatMap(Mail, (mail) => mail.send({ text: `May we buy ${what} for ${cents / 100}?`, callbackId })),
        { timeout: "7 days", success: Decision }
      )
      if (!approved) return { status: "refused" as const, by }
      yield* Durable.step("buy", Effect.void)
      return { status: "bought" as const, by }
    },
    Effect.catchTag("CallbackTimedOut", () => Effect.succeed({ status: "forgotten" as const, by: "nobody" }))
  )
)

export const functions = [purchase] as const

export const payload: (typeof Purchase)["payload"]["Type"] = { what: "a kettle", cents: 4_900 }
