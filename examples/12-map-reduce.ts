/**
 * Counts words: it invokes a function for each chunk of text, and adds up the counts.
 *
 * The map is a fan-out over invoked functions, a few at a time. The reduce is plain code, which every replay repeats
 * with the same recorded counts. Run it with `npm start -- map-reduce`.
 */
import { Durable, DurableFunction } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const Counts = Schema.Record(Schema.String, Schema.Int)

export const CountChunk = DurableFunction.plain("count-chunk", { payload: Schema.String, success: Counts })
export const CountWords = DurableFunction.make("count-words", { payload: Schema.Array(Schema.String), success: Counts })

export const countWords = CountWords.implement(
  Effect.fn("count-words")(function* (chunks) {
    const counts = yield* Durable.forEach("chunks", chunks, (chunk) => Durable.invoke(CountChunk, chunk), {
      concurrency: 3
    })
    const total: Record<string, number> = {}
    for (const count of counts) {
      for (const [word, times] of Object.entries(count)) total[word] = (total[word] ?? 0) + times
    }
    return total
  })
)

export const countChunk = CountChunk.implement((text) =>
  Effect.sync(() => {
    const counts: Record<string, number> = {}
    for (const [word] of text.toLowerCase().matchAll(/\p{L}+/gu)) counts[word] = (counts[word] ?? 0) + 1
    return counts
  })
)

export const functions = [countWords, countChunk] as const

export const payload: (typeof CountWords)["payload"]["Type"] = [
  "the cat sat on the mat",
  "the dog sat on the cat",
  "the mat was sat on",
  "and nobody was amused"
]
