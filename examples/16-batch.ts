/**
 * A batch of a thousand items, twenty at a time, some of which may fail.
 *
 * The items are flat: they have no record of their own, so the batch costs 1,001 operations and not 2,001. The batch
 * ends early when more than five percent have failed. Run it with `npm start -- batch`, or with worse data: `npm start
 * -- batch '{"items":1000,"badEvery":10}'`.
 */
import { CompletionPolicy, Durable, DurableFunction, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

export class Unreadable extends Schema.TaggedError<Unreadable>()("Unreadable", { item: Schema.Int }) {}

export const ImportItems = DurableFunction.make("import-items", {
  payload: Schema.Struct({ items: Schema.Int, badEvery: Schema.Int }),
  success: Schema.Struct({
    reason: Schema.String,
    imported: Schema.Int,
    failed: Schema.Int
  })
})

export const importItems = ImportItems.implement(
  Effect.fn("import-items")(function* ({ badEvery, items }) {
    const numbers = Array.from({ length: items }, (_, index) => index + 1)
    const importOne = (item: number) =>
      Durable.step("import", item % badEvery === 0 ? Effect.fail(new Unreadable({ item })) : Effect.succeed(item), {
        error: Unreadable,
        retry: RetryPolicy.none
      })
    const result = yield* Durable.map("items", numbers, importOne, {
      concurrency: 20,
      flat: true,
      policy: CompletionPolicy.make({ toleratedFailurePercentage: 5 }),
      error: Unreadable
    })
    return { reason: result.completionReason, imported: result.successCount, failed: result.failureCount }
  })
)

export const functions = [importItems] as const

export const payload: (typeof ImportItems)["payload"]["Type"] = { items: 1_000, badEvery: 50 }
