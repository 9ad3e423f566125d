/**
 * What the two functions of this example agree on. Both import this file; neither imports the other.
 *
 * No contract says where its function is: that is the business of `template.yaml`.
 */
import { DurableFunction } from "effect-durable"
import * as Schema from "effect/Schema"

export const Values = Schema.NonEmptyArray(Schema.Finite)

/** The callee: an on-demand function, as every Lambda function is that is not durable. */
export const ProcessValues = DurableFunction.plain("process-values", {
  payload: Values,
  success: Schema.Struct({
    operation: Schema.Literal("sum_and_average"),
    count: Schema.Int,
    sum: Schema.Finite,
    average: Schema.Finite,
    max: Schema.Finite,
    min: Schema.Finite
  })
})

/** The caller. It answers as an HTTP integration does, with a status code and a body of JSON. */
export const Orchestrate = DurableFunction.make("invoke-lambda", {
  payload: Schema.Struct({ values: Values }),
  success: Schema.Struct({ statusCode: Schema.Literal(200), body: Schema.String })
})
