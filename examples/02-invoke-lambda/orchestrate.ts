/**
 * The caller: a durable function that prepares values in a step and lets an on-demand function compute with them.
 *
 * It is the smallest useful orchestration. Run it without a cloud with `npm start -- invoke-lambda
 * '{"values":[10,20,30]}'`. The `template.yaml` beside this file defines both functions, and docs/deploying.md shows
 * how to deploy them.
 */
import { Durable, Targets } from "effect-durable"
import { LambdaHandler } from "effect-durable/lambda"
import * as Effect from "effect/Effect"
import { Orchestrate, ProcessValues, Values } from "./contracts.ts"

export const orchestrate = Orchestrate.implement(
  Effect.fn("invoke-lambda")(function* ({ values }) {
    const prepared = yield* Durable.step("prepare values", Effect.succeed(values), { success: Values })
    const statistics = yield* Durable.invoke(ProcessValues, prepared)
    return {
      statusCode: 200 as const,
      body: JSON.stringify({
        message: "Durable orchestration completed successfully",
        input_values: prepared,
        processing_result: statistics
      })
    }
  })
)

/** The address of the callee is in the environment: `DURABLE_TARGETS={"process-values":"arn:…"}`. */
export const handler = LambdaHandler.make(orchestrate, { layer: Targets.layerConfig() })
