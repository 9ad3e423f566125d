/** A user's file on effect-durable: contracts, a workflow, its handler and its test. */
import * as Durable from "effect-durable/Durable"
import * as DurableFunction from "effect-durable/DurableFunction"
import * as LambdaHandler from "effect-durable/lambda/LambdaHandler"
import { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

class Declined extends Schema.TaggedError<Declined>()("Declined", { reason: Schema.String }) {}

export const Charge = DurableFunction.make("charge", {
  payload: Schema.Struct({ card: Schema.String, cents: Schema.Int }),
  success: Schema.String,
  error: Declined
})

export const Order = DurableFunction.make("order", {
  payload: Schema.Struct({ card: Schema.String, lines: Schema.Array(Schema.Int) }),
  success: Schema.Struct({ charge: Schema.String, shipped: Schema.Int }),
  error: Declined
})

export const order = Order.implement(
  Effect.fn("order")(function* ({ card, lines }) {
    const cents = yield* Durable.step("sum", Effect.succeed(lines.reduce((total, line) => total + line, 0)))
    const charge = yield* Durable.invoke(Charge, { card, cents })
    yield* Durable.wait("let it settle", "1 hour")
    const shipped = yield* Durable.map("ship", lines, (line) => Durable.step("ship", Effect.succeed(line)), {
      concurrency: 10
    })
    return { charge, shipped: shipped.values.length }
  })
)

export const handler = LambdaHandler.make(order, { layer: Layer.empty })

const charge = Charge.implement(({ cents }) =>
  cents > 1_000 ? Effect.fail(new Declined({ reason: "too much" })) : Effect.succeed("ch_1")
)

export const test = Effect.gen(function* () {
  const { shipped } = yield* TestEngine.run(Order, { card: "visa", lines: [1, 2, 3] })
  return shipped === 3
}).pipe(Effect.provide(TestEngine.layer([order, charge])))
