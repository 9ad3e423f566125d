/**
 * The callee: an on-demand function. Its handler is an ordinary one, and does not know its callers.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ProcessValues } from "./contracts.ts"

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

/**
 * Reads the event, computes, and writes the result. An event or a result that does not fit the contract fails the call,
 * with the reason.
 */
export const handler = (event: unknown): Promise<unknown> =>
  Schema.decodeUnknownEffect(ProcessValues.payload)(event).pipe(
    Effect.flatMap(processValues.handler),
    Effect.flatMap(Schema.encodeEffect(ProcessValues.success)),
    Effect.runPromise
  )
