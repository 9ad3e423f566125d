/** The same function as in `hello.ts`, with Effect imported as a whole. */
import * as Durable from "effect-durable/Durable"
import * as DurableFunction from "effect-durable/DurableFunction"
import * as LambdaHandler from "effect-durable/lambda/LambdaHandler"
import { Effect, Layer, Schema } from "effect"

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
