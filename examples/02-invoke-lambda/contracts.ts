/**
 * The contracts that the two functions of this example share. Both functions import this file; neither imports the
 * other.
 *
 * No contract contains the address of its function: `template.yaml` sets the addresses.
 */
import { DurableFunction } from "effect-durable"
import * as Schema from "effect/Schema"

export const Values = Schema.NonEmptyArray(Schema.Finite)

/** The callee: an on-demand function, which is any Lambda function that is not durable. */
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

/** The caller. It returns what an HTTP integration expects: a status code and a JSON body. */
export const Orchestrate = DurableFunction.make("invoke-lambda", {
  payload: Schema.Struct({ values: Values }),
  success: Schema.Struct({ statusCode: Schema.Literal(200), body: Schema.String })
})
