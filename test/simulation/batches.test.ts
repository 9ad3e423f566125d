/**
 * Random batches written for AWS's own SDK and for ours, run on the same model of the service: they end for the same
 * reason, with the same status, counts and items.
 *
 * RUNS says how many batches to try, and SHRINK=1 cuts one down that fails.
 */
import {
  completeBatch,
  CompletionOutcome,
  continueBatch,
  NestingType,
  withDurableExecution,
  type BatchResult as AwsResult,
  type DurableContext
} from "@aws/durable-execution-sdk-js"
import { assert, describe, it } from "@effect/vitest"
import { CompletionPolicy, Durable, DurableFunction, RetryPolicy, type BatchResult } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { runOnEngine } from "./awsHost.ts"
import { Oops } from "./digest.ts"

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)
const runs = Number(process.env["RUNS"] ?? 60)

interface Item {
  /** Seconds that it takes: so many that no two items end at once, because which of those came first is not said. */
  readonly seconds: number
  readonly fails: boolean
  readonly steps: number
}

type Policy =
  | { readonly kind: "default" }
  | {
      readonly kind: "bounds"
      readonly minSuccessful?: number | undefined
      readonly toleratedFailureCount?: number | undefined
      readonly toleratedFailurePercentage?: number | undefined
    }
  /** Ends the batch when so many have ended; failed if more of them failed than succeeded. */
  | { readonly kind: "custom"; readonly completed: number }

interface Batch {
  readonly items: ReadonlyArray<Item>
  readonly concurrency: number | undefined
  readonly policy: Policy
  readonly flat: boolean
  readonly isMap: boolean
}

const optionally = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })

const batches: fc.Arbitrary<Batch> = fc.record({
  items: fc
    .array(fc.record({ waits: fc.nat(3), fails: fc.boolean(), steps: fc.nat(2) }), { maxLength: 6, size: "max" })
    .map((items) =>
      items.map(({ fails, steps, waits }, index) => ({
        fails,
        steps,
        // A sum of some of them is never a sum of others.
        seconds: 2 ** index + waits * 128
      }))
    ),
  concurrency: optionally(fc.integer({ min: 1, max: 4 })),
  policy: fc.oneof(
    fc.constant<Policy>({ kind: "default" }),
    fc.record({
      kind: fc.constant<"bounds">("bounds"),
      minSuccessful: optionally(fc.integer({ min: 1, max: 5 })),
      toleratedFailureCount: optionally(fc.nat(4)),
      toleratedFailurePercentage: optionally(fc.constantFrom(0, 20, 25, 50, 75, 100))
    }),
    fc.record({ kind: fc.constant<"custom">("custom"), completed: fc.nat(5) })
  ),
  flat: fc.boolean(),
  isMap: fc.boolean()
})

const decided = (policy: { readonly completed: number }, seen: { successCount: number; failureCount: number }) =>
  seen.successCount + seen.failureCount < policy.completed
    ? "continue"
    : seen.failureCount > seen.successCount
      ? "FAILED"
      : "SUCCEEDED"

// --- Ours ------------------------------------------------------------------------------------------------------------

const policyOf = (policy: Policy): CompletionPolicy.CompletionPolicy => {
  switch (policy.kind) {
    case "default":
      return CompletionPolicy.make()
    case "bounds": {
      const { kind: _, ...bounds } = policy
      return CompletionPolicy.make(JSON.parse(JSON.stringify(bounds)))
    }
    case "custom":
      return CompletionPolicy.custom((progress) => decided(policy, progress))
  }
}

const ourItem = ({ fails, seconds, steps }: Item, index: number): Effect.Effect<number, Oops, Durable.Execution> =>
  Effect.gen(function* () {
    for (let step = 0; step < steps; step++) yield* Durable.step("work", Effect.void)
    yield* Durable.wait("nap", seconds * 1_000)
    const end: Effect.Effect<number, Oops> = fails ? Effect.fail(new Oops({ code: index })) : Effect.succeed(index)
    return yield* Durable.step("end", end, {
      error: Oops,
      retry: RetryPolicy.none
    })
  })

const ourBatch = ({ concurrency, flat, isMap, items, policy }: Batch) => {
  const options = { error: Oops, concurrency: concurrency ?? "unbounded", flat, policy: policyOf(policy) } as const
  return isMap
    ? Durable.map("batch", items, ourItem, options)
    : Durable.parallel(
        "batch",
        items.map((item, index) => ourItem(item, index)),
        options
      )
}

const Program = DurableFunction.make("program", { success: Schema.Json })

const runOurs = (batch: Batch): Promise<unknown> =>
  Effect.gen(function* () {
    const run = yield* TestEngine.start(Program)
    return yield* run.result
  }).pipe(
    Effect.provide(
      TestEngine.layer([Program.implement(() => Effect.tap(Effect.map(ourBatch(batch), ourView), () => later))])
    ),
    Effect.orDie,
    Effect.runPromise
  )

/** The batch is read again from its record. */
const later = Durable.wait("later", "1 second")

const ourView = (result: BatchResult.BatchResult<number, unknown>) => ({
  reason: result.completionReason,
  status: result.status,
  counts: [result.successCount, result.failureCount, result.startedCount, result.totalCount],
  items: result.all.map(({ index, status }) => `${index} ${status}`),
  values: [...result.values]
})

// --- AWS's -----------------------------------------------------------------------------------------------------------

const runTheirs = async ({ concurrency, flat, isMap, items, policy }: Batch): Promise<unknown> => {
  const config = {
    ...(concurrency === undefined ? {} : { maxConcurrency: concurrency }),
    ...(flat ? { nesting: NestingType.FLAT } : {}),
    ...(policy.kind === "default"
      ? {}
      : {
          completionConfig:
            policy.kind === "bounds"
              ? JSON.parse(JSON.stringify({ ...policy, kind: undefined }))
              : {
                  shouldComplete: (status: { successCount: number; failureCount: number }) => {
                    const decision = decided(policy, status)
                    if (decision === "continue") return continueBatch()
                    return completeBatch(decision === "FAILED" ? CompletionOutcome.FAILED : CompletionOutcome.SUCCEEDED)
                  }
                }
        })
  }
  const { outcome } = await runOnEngine(
    "program",
    {
      program: ({ client }) =>
        withDurableExecution(
          async (_: unknown, context) => {
            const theirItem = async (inner: DurableContext, { fails, seconds, steps }: Item, index: number) => {
              for (let step = 0; step < steps; step++) await inner.step("work", async () => {})
              await inner.wait("nap", { seconds })
              return inner.step(
                "end",
                async () => {
                  if (fails) throw new Error(`${index}`)
                  return index
                },
                { retryStrategy: () => ({ shouldRetry: false }) }
              )
            }
            const result = isMap
              ? await context.map("batch", [...items], (inner, item, index) => theirItem(inner, item, index), config)
              : await context.parallel(
                  "batch",
                  items.map((item, index) => (inner: DurableContext) => theirItem(inner, item, index)),
                  config
                )
            // Known difference: theirs is not suspended any more when it gave up a branch inside of a step.
            if (result.startedCount === 0) await context.wait("later", { seconds: 1 })
            return theirView(result)
          },
          { durableExecutionClient: client }
        )
    },
    {}
  )
  if (outcome.status !== "SUCCEEDED") throw new Error(`AWS's batch ended as ${JSON.stringify(outcome)}`)
  return JSON.parse(outcome.result ?? "null")
}

const theirView = (result: AwsResult<number>) => ({
  reason: result.completionReason,
  status: result.status,
  counts: [result.successCount, result.failureCount, result.startedCount, result.totalCount],
  items: result.all.map(({ index, status }) => `${index} ${status}`),
  values: result.getResults()
})

describe(`Batches for AWS's SDK and for ours (seed ${seed})`, () => {
  it("end for the same reason with the same items", async () => {
    const reasons: Record<string, number> = {}
    await fc.assert(
      fc.asyncProperty(fc.array(batches, { minLength: 1, maxLength: 12, size: "max" }), async (list) => {
        const theirs = await Promise.all(list.map(runTheirs))
        for (const [index, batch] of list.entries()) {
          const ours = await runOurs(batch)
          assert.deepStrictEqual(ours, theirs[index])
          const reason = String(Object(ours).reason)
          reasons[reason] = (reasons[reason] ?? 0) + 1
        }
      }),
      { seed, numRuns: Math.ceil(runs / 6), endOnFailure: process.env["SHRINK"] === undefined }
    )
    console.log(`SEED=${seed} ${JSON.stringify(reasons)}`)
    assert.isAtLeast(Object.keys(reasons).length, 3, `seed ${seed}`)
  })
})
