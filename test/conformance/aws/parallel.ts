/** The suite `parallel`: branches beside each other. */
import { NestingType, type CompletionConfig, type DurableContext } from "@aws/durable-execution-sdk-js"
import { counts, everything, factsOf, fail, one, values, type Workflow, type Workflows } from "./support.ts"

type Branch = (context: DurableContext) => Promise<string>

const always =
  (value: string): Branch =>
  async () =>
    value

const step =
  (value: string): Branch =>
  (context) =>
    context.step(async () => value)

const ok = always("ok")

const large = always("x".repeat(70 * 1_024))

/** Tells how a batch has ended that ends under these conditions. */
const ending =
  (branches: Array<Branch>, completionConfig: CompletionConfig, facts: Parameters<typeof factsOf>[1]): Workflow =>
  (_, context) =>
    factsOf(context.parallel("parallel", branches, { ...one, completionConfig }), facts)

/** The requirements that this project was given. */
export const given: Workflows = {
  "8-1": (_, context) => values(context.parallel("parallel", [step("task-1"), step("task-2")], one)),
  "8-2": (_, context) => values(context.parallel([always("alpha"), always("beta")], one)),
  "8-3": (_, context) => {
    const first = { name: "first", func: always("one") }
    const second = { name: "second", func: always("two") }
    return values(context.parallel("named", [first, second], one))
  },
  "8-4": (_, context) =>
    values(context.parallel<unknown>("hetero", [async () => "hello", async () => 42, async () => ({ k: "v" })], one)),
  "8-5": (_, context) => values(context.parallel<string>("empty", [])),
  "8-6": ending([ok, fail, ok], { toleratedFailureCount: 0 }, everything),
  "8-8": ending([ok, ok, ok, ok], { minSuccessful: 2 }, ["completionReason", "successCount", "totalCount"]),
  "8-9": ending([ok, fail, ok], { toleratedFailureCount: 1 }, everything),
  "8-10": ending([fail, fail, ok], { toleratedFailureCount: 1 }, counts),
  "8-11": (_, context) =>
    values(context.parallel("concurrent", [always("r0"), always("r1"), always("r2")], { maxConcurrency: 2 })),
  "8-13": ending([fail, fail, ok, ok], { toleratedFailurePercentage: 25 }, counts),
  "8-15": (_, context) =>
    values(
      context.parallel("serde", [always("x"), always("y")], {
        ...one,
        itemSerdes: {
          serialize: async (value) => JSON.stringify({ wrapped: value }),
          deserialize: async (data) => JSON.parse(data ?? "{}").wrapped
        }
      })
    ),
  "8-16": ending([fail, fail, fail], { toleratedFailureCount: 3 }, everything),
  "8-17": ending([ok, fail, ok], { minSuccessful: 3 }, everything),
  "8-20": async (_, context) => {
    const completionConfig = { toleratedFailureCount: 1 }
    const batch = await context.parallel("accessors", [ok, fail, ok], { ...one, completionConfig })
    return {
      hasFailure: batch.hasFailure,
      successCount: batch.succeeded().length,
      failureCount: batch.failed().length,
      errorCount: batch.getErrors().length
    }
  },
  "8-21": (_, context) => {
    const inner = (branch: DurableContext) => values(branch.parallel("inner", [step("i1"), step("i2")], one))
    return values(context.parallel("outer", [inner], one))
  }
}

/** Requirements of which only the subject is known. */
export const guessed: Workflows = {
  /** The failure of a branch, thrown again. */
  "8-7": async (_, context) => {
    const completionConfig = { toleratedFailureCount: 0 }
    const batch = await context.parallel("throwing", [fail, ok], { ...one, completionConfig })
    batch.throwIfError()
    return batch.getResults()
  },

  /** Branches without contexts of their own. */
  "8-12": (_, context) =>
    values(context.parallel("flat", [step("fa"), step("fb")], { ...one, nesting: NestingType.FLAT })),

  /** A wait in a branch. */
  "8-14": (_, context) => {
    const waiting: Branch = async (branch) => {
      await branch.wait({ seconds: 1 })
      return "waited"
    }
    return values(context.parallel("suspending", [waiting, always("direct")], one))
  },

  /** A whole that is too large to be kept, so the branches are run again on replay. */
  "8-18": ending([large, large, large, large], {}, ["successCount", "totalCount"]),

  /** A concurrency that no branch can run with. */
  "8-19": (_, context) => values(context.parallel("none", [ok, ok], { maxConcurrency: 0 })),

  /** As large a percentage of failures as is tolerated. */
  "8-22": ending([fail, ok], { toleratedFailurePercentage: 50 }, everything)
}
