/**
 * One question to several services at once. The answers are in the order of the services, and a failed service does not
 * cancel the others.
 *
 * Run it with `npm start -- fan-out '{"services":["stock","prices"]}'`.
 */
import { CompletionPolicy, Durable, DurableFunction } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

export class Unreachable extends Schema.TaggedError<Unreachable>()("Unreachable", { service: Schema.String }) {}

export const AskService = DurableFunction.plain("ask-service", {
  payload: Schema.Struct({ service: Schema.String, sku: Schema.String }),
  success: Schema.Finite,
  error: Unreachable
})

export const Survey = DurableFunction.make("survey", {
  payload: Schema.Struct({ sku: Schema.NonEmptyString, services: Schema.Array(Schema.NonEmptyString) }),
  success: Schema.Struct({
    answers: Schema.Array(Schema.Struct({ service: Schema.String, value: Schema.Finite })),
    missing: Schema.Array(Schema.String)
  })
})

export const survey = Survey.implement(
  Effect.fn("survey")(function* ({ services, sku }) {
    const result = yield* Durable.map("ask", services, (service) => Durable.invoke(AskService, { service, sku }), {
      concurrency: 5,
      policy: CompletionPolicy.allCompleted,
      itemName: (service) => service,
      error: Unreachable
    })
    return {
      answers: result.succeeded.map(({ item, value }) => ({ service: item, value })),
      missing: result.failed.map(({ item }) => item)
    }
  })
)

const known: Readonly<Record<string, number>> = { stock: 40, prices: 4.5, reviews: 3.9 }

export const askService = AskService.implement(({ service }) => {
  const value = known[service]
  return value === undefined ? Effect.fail(new Unreachable({ service })) : Effect.succeed(value)
})

export const functions = [survey, askService] as const

export const payload: (typeof Survey)["payload"]["Type"] = {
  sku: "tea",
  services: ["stock", "prices", "horoscope", "reviews"]
}
