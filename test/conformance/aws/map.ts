/** The suite `map`: the same for every item. */
import {
  BatchItemStatus,
  NestingType,
  type BatchResult,
  type CompletionConfig,
  type DurableContext
} from "@aws/durable-execution-sdk-js"
import { cast } from "effect/Function"
import { counts, everything, factsOf, fail, one, values, type Workflow, type Workflows } from "./support.ts"

const upperCase = async (_: DurableContext, item: string): Promise<string> => item.toUpperCase()

/** Items are "ok" or they are not. */
const unlessBad = (_: DurableContext, item: string): Promise<string> => (item === "ok" ? Promise.resolve(item) : fail())

const step = (context: DurableContext, item: string): Promise<string> => context.step(async () => item)

/** Tells how a map has ended that ends under these conditions. */
const ending =
  (items: Array<string>, completionConfig: CompletionConfig, facts: Parameters<typeof factsOf>[1]): Workflow =>
  (_, context) =>
    factsOf(context.map("map", items, unlessBad, { ...one, completionConfig }), facts)

const prefixed = (prefix: string) => ({
  serialize: async (value: string | undefined) => `${prefix}${value}`,
  deserialize: async (data: string | undefined) => data?.slice(prefix.length)
})

/** The requirements that this project was given. */
export const given: Workflows = {
  "9-1": (input, context) =>
    values(context.map("map", listOf(input), (item, name) => item.step(async () => `Hello, ${String(name)}!`), one)),
  "9-2": (input, context) => values(context.map(listOf(input), async (_, item) => Number(item) * 2, one)),
  "9-3": (input, context) =>
    values(context.map("indexed", listOf(input), async (_, item, index) => Number(item) + index, one)),
  "9-5": ending(["ok", "bad", "ok"], { toleratedFailureCount: 0 }, everything),
  "9-6": async (_, context) => {
    const completionConfig = { toleratedFailureCount: 0 }
    const batch = await context.map("throwing", ["bad", "ok"], unlessBad, { ...one, completionConfig })
    batch.throwIfError()
    return batch.getResults()
  },
  "9-7": ending(["ok", "ok", "ok", "ok"], { minSuccessful: 2 }, ["completionReason", "successCount", "totalCount"]),
  "9-8": ending(["ok", "bad", "ok"], { toleratedFailureCount: 1 }, everything),
  "9-9": ending(["bad", "bad", "ok"], { toleratedFailureCount: 1 }, counts),
  "9-10": ending(["bad", "bad", "ok", "ok"], { toleratedFailurePercentage: 25 }, counts),
  "9-11": (_, context) =>
    values(context.map("concurrent", ["r0", "r1", "r2"], async (_, item) => item, { maxConcurrency: 2 })),
  "9-12": (_, context) => values(context.map("flat", ["fa", "fb"], step, { ...one, nesting: NestingType.FLAT })),
  "9-14": (_, context) =>
    values(context.map("serdes", ["x", "y"], upperCase, { ...one, itemSerdes: prefixed("wrapped:") })),
  "9-16": (_, context) =>
    factsOf(
      context.map("large", ["a", "b", "c", "d"], async (_, item) => item.repeat(70 * 1_024), one),
      ["successCount", "totalCount"]
    ),
  "9-17": async (_, context) => {
    const batch = await context.map("map", ["a", "b"], upperCase, one)
    await context.wait({ seconds: 1 })
    return batch.getResults()
  },
  "9-19": (_, context) =>
    values(
      context.map("map", ["x", "y"], upperCase, {
        ...one,
        serdes: {
          serialize: async (batch) => `OPSERDE:${batch?.getResults().join(",")}`,
          deserialize: async (data) => batchOf(data?.slice("OPSERDE:".length).split(",") ?? [])
        }
      })
    )
}

/** Requirements of which only the subject is known. */
export const guessed: Workflows = {
  /** No items. */
  "9-4": (_, context) => values(context.map("empty", [], upperCase)),

  /** Items with names. */
  "9-13": (_, context) => values(context.map("named", ["a", "b"], upperCase, { ...one, itemNamer: (item) => item })),

  /** Every item fails, and that is tolerated. */
  "9-15": ending(["bad", "bad", "bad"], { toleratedFailureCount: 3 }, everything),

  /** A wait in an item. */
  "9-18": (_, context) => {
    const waiting = async (iteration: DurableContext, item: string) => {
      await iteration.wait({ seconds: 1 })
      return item
    }
    return values(context.map("suspending", ["a", "b"], waiting, one))
  },

  /** A map in each item of a map. */
  "9-20": (_, context) =>
    values(
      context.map("outer", [["i1", "i2"]], (iteration, items) => values(iteration.map("inner", items, step, one)), one)
    )
}

/** The SDK gives its methods back to a batch that was read. */
const batchOf = (results: ReadonlyArray<string>): BatchResult<string> =>
  cast({
    all: results.map((result, index) => ({ result, index, status: BatchItemStatus.SUCCEEDED })),
    completionReason: "ALL_COMPLETED"
  })

const listOf = (input: unknown): Array<unknown> => (Array.isArray(input) ? input : [])
