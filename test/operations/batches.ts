/** What the tests of batches and races share: short forms of results, and a look at how many branches run at once. */
import { assert } from "@effect/vitest"
import { Durable, RetryPolicy, type BatchResult, type DurableError } from "effect-durable"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { OperationUpdate } from "../../src/wire/OperationUpdate.ts"
import { execute, type Ran } from "./support.ts"

export class Declined extends Schema.TaggedError<Declined>()("Declined", { code: Schema.String }) {}

/** The options of operations that fail with {@link Declined}. */
export const declared = { error: Declined }

export const once = { ...declared, retry: RetryPolicy.none }

export const decline = (code = "no") => Effect.fail(new Declined({ code }))

export const replay = Durable.wait("replay", "1 second")

/** Waits so many seconds, and ends with a value. */
export const after = <A>(seconds: number, value: A) => Effect.as(Durable.wait("wait", seconds * 1_000), value)

/** Waits so many seconds, and fails. */
export const failAfter = (seconds: number, code = "no") =>
  Effect.andThen(Durable.wait("wait", seconds * 1_000), decline(code))

/** A result in short: its reason, and one line for each item. */
export const linesOf = (result: BatchResult.BatchResult<unknown, unknown>): ReadonlyArray<string> => [
  result.completionReason,
  ...result.all.map((item) => {
    switch (item.status) {
      case "SUCCEEDED":
        return `${item.index} SUCCEEDED ${JSON.stringify(item.value)}`
      case "FAILED":
        return `${item.index} FAILED ${textOf(Cause.squash(item.cause))}`
      case "STARTED":
        return `${item.index} STARTED`
    }
  })
]

const textOf = (error: unknown): string =>
  error instanceof Declined ? error.code : error instanceof Error ? `${error.name}: ${error.message}` : String(error)

/** How a body ended each time that it got there: live, and on every replay since. */
export const everySight = <A, E extends DurableError.OperationError>(
  body: Effect.Effect<A, E, Durable.Execution>,
  options?: Parameters<typeof execute>[1]
): Effect.Effect<{ readonly seen: ReadonlyArray<A>; readonly ran: Ran<A, E> }> =>
  Effect.suspend(() => {
    const seen: Array<A> = []
    return Effect.map(
      execute(
        Effect.tap(body, (value) => {
          seen.push(value)
          return replay
        }),
        options
      ),
      (ran) => ({ seen, ran })
    )
  })

/** Counts branches that run at the same time in one invocation. */
export const gauge = () => {
  let running = 0
  let most = 0
  return {
    get most() {
      return most
    },
    around: <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      Effect.acquireUseRelease(
        Effect.sync(() => void (most = Math.max(most, ++running))),
        () => effect,
        () => Effect.sync(() => void running--)
      )
  }
}

/** The most contexts of a SubType that were open at once, by what was recorded of them. */
export const mostOpen = (updates: ReadonlyArray<OperationUpdate>, subType: string): number => {
  let open = 0
  let most = 0
  for (const update of updates) {
    if (update.SubType !== subType) continue
    if (update.Action === "START") most = Math.max(most, ++open)
    else open--
  }
  return most
}

export const assertAlike = (seen: ReadonlyArray<unknown>, count: number): void => {
  assert.lengthOf(seen, count)
  for (const one of seen) assert.deepStrictEqual(one, seen[0])
}
