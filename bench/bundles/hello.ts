/** The smallest durable function. It imports each module by its own path. */
import * as Durable from "effect-durable/Durable"
import * as DurableFunction from "effect-durable/DurableFunction"
import * as LambdaHandler from "effect-durable/lambda/LambdaHandler"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

const Hello = DurableFunction.make("hello", { success: Schema.String })

export const handler = LambdaHandler.make(
  Hello.implement(() =>
    Durable.step(
      "greet",
      Effect.sync(() => "hello")
    )
  ),
  { layer: Layer.empty }
)
