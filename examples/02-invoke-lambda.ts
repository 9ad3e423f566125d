/**
 * A durable function that prepares values in a step and lets an ordinary Lambda function compute with them.
 *
 * It is the smallest useful orchestration, with the answer of an HTTP integration: a status code and a body of JSON. Run
 * it with `npm start -- invoke-lambda '{"values":[10,20,30,40,50]}'`.
 */
import { Durable, DurableFunction } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const Values = Schema.NonEmptyArray(Schema.Finite)

const Statistics = Schema.Struct({
  operation: Schema.Literal("sum_and_average"),
  count: Schema.Int,
  sum: Schema.Finite,
  average: Schema.Finite,
  max: Schema.Finite,
  min: Schema.Finite
})

export const ProcessValues = DurableFunction.plain("process-values", { payload: Values, success: Statistics })

export const Orchestrate = DurableFunction.make("invoke-lambda", {
  payload: Schema.Struct({ values: Values }),
  success: Schema.Struct({ statusCode: Schema.Literal(200), body: Schema.String })
})

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

export const processValues = ProcessValues.implement((values) => {
  const sum = values.reduce((total, value) => total + value, 0)
  return Effect.succeed({
    operation: "sum_and_average" as const,
    count: values.length,
    sum,
    average: sum / values.length,
    max: values.reduce((a, b) => Math.max(a, b)),
    min: values.reduce((a, b) => Math.min(a, b))
  })
})

export const functions = [orchestrate, processValues] as const

export const payload: (typeof Orchestrate)["payload"]["Type"] = { values: [10, 20, 30, 40, 50] }
