/**
 * An approval by a person, who has a week to answer.
 *
 * The workflow creates a callback, sends its id to the person, and is suspended until the callback is completed or the
 * week is over. In this example the person answers after two days. Run it with `npm start -- approval`. The person
 * refuses 10,000 and more: `npm start -- approval '{"what":"a yacht","cents":99000000}'`.
 */
import { Durable, DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

export const Decision = Schema.Struct({ approved: Schema.Boolean, by: Schema.String })

export const Purchase = DurableFunction.make("purchase", {
  payload: Schema.Struct({ what: Schema.NonEmptyString, cents: Schema.Int }),
  success: Schema.Struct({ status: Schema.Literals(["bought", "refused", "forgotten"]), by: Schema.String })
})

interface Request {
  readonly what: string
  readonly cents: number
  /** The id with which the answer is sent. Any holder of the id may decide, so send it to nobody else. */
  readonly callbackId: string
}

/** Asks a person for a decision. */
export class Mail extends Context.Service<
  Mail,
  { readonly send: (request: Request) => Effect.Effect<void>; readonly inbox: ReadonlyArray<Request> }
>()("examples/Mail") {
  static readonly layerMemory = Layer.sync(this, () => {
    const inbox: Array<Request> = []
    return { inbox, send: (request) => Effect.sync(() => void inbox.push(request)) }
  })
}

export const purchase = Purchase.implement(
  Effect.fn("purchase")(
    function* ({ cents, what }) {
      const { approved, by } = yield* Durable.waitForCallback(
        "approval",
        (callbackId) => Effect.flatMap(Mail, (mail) => mail.send({ what, cents, callbackId })),
        { timeout: "7 days", success: Decision }
      )
      if (!approved) return { status: "refused" as const, by }
      yield* Durable.step("buy", Effect.void)
      return { status: "bought" as const, by }
    },
    Effect.catchTag("CallbackTimedOut", () => Effect.succeed({ status: "forgotten" as const, by: "nobody" }))
  )
)

/** The decision of the person, who reads her mail after two days and approves less than 10,000. */
export const decide = ({ callbackId }: { readonly callbackId: string }) =>
  Effect.gen(function* () {
    yield* Effect.sleep("2 days")
    const { inbox } = yield* Mail
    const request = inbox.find((mail) => mail.callbackId === callbackId)
    return { approved: (request?.cents ?? Infinity) < 1_000_000, by: "Ada" }
  })

export const functions = [purchase] as const

/** In the test engine an `answer` takes the place of the person. */
export const tested = [...functions, TestEngine.answer("approval", decide, { success: Decision })] as const

export const payload: (typeof Purchase)["payload"]["Type"] = { what: "a kettle", cents: 4_900 }
