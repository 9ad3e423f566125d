/**
 * A request context that travels through three functions: the user, the language, and the correlation id.
 *
 * Only the payload travels from one function to the next. So the context is part of every contract, and one small
 * Schema defines it. Run it with `npm start -- context`.
 */
import { Durable, DurableFunction } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

export const RequestContext = Schema.Struct({
  correlationId: Schema.NonEmptyString,
  user: Schema.NonEmptyString,
  locale: Schema.Literals(["en", "de"])
})

const withContext = <F extends Schema.Struct.Fields>(fields: F) => Schema.Struct({ context: RequestContext, ...fields })

export const Greet = DurableFunction.plain("greet", { payload: withContext({}), success: Schema.String })

export const Notify = DurableFunction.make("notify", {
  payload: withContext({ subject: Schema.String }),
  success: Schema.Struct({ message: Schema.String, trail: Schema.Array(Schema.String) }),
  target: "notify:live"
})

export const Welcome = DurableFunction.make("welcome", {
  payload: withContext({ product: Schema.String }),
  success: Schema.Struct({ message: Schema.String, trail: Schema.Array(Schema.String) })
})

const trace = (functionName: string, { correlationId }: typeof RequestContext.Type): string =>
  `${functionName} ${correlationId}`

export const welcome = Welcome.implement(
  Effect.fn("welcome")(function* ({ context, product }) {
    const { message, trail } = yield* Durable.invoke(Notify, { context, subject: product })
    return { message, trail: [trace("welcome", context), ...trail] }
  })
)

export const notify = Notify.implement(
  Effect.fn("notify")(function* ({ context, subject }) {
    const greeting = yield* Durable.invoke(Greet, { context })
    return { message: `${greeting} ${subject}!`, trail: [trace("notify", context), trace("greet", context)] }
  })
)

export const greet = Greet.implement(({ context: { locale, user } }) =>
  Effect.succeed(locale === "de" ? `Hallo ${user}, willkommen bei` : `Hello ${user}, welcome to`)
)

export const functions = [welcome, notify, greet] as const

export const payload: (typeof Welcome)["payload"]["Type"] = {
  context: { correlationId: "r-1", user: "Ada", locale: "en" },
  product: "effect-durable"
}
