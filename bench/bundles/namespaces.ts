/** The smallest durable function. It imports from the entry points of the package. */
import { Durable, DurableFunction } from "effect-durable"
import { LambdaHandler } from "effect-durable/lambda"
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
