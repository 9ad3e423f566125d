/**
 * Executions as trees of their operations: to inspect a failed execution, and to pin down the behaviour of one in a test.
 *
 * A tree is text. It is built from the data of the service, so it works for executions of any backend and of any SDK.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import { hasProperty } from "effect/Predicate"
import type { ClientError, DurableClient } from "../DurableClient.ts"
import { kindOf } from "../internal/found.ts"
import { ofHistory, read } from "../view/Families.ts"
import { draw, type Drawing } from "../view/Tree.ts"
import type { HistoryEvent } from "../wire/HistoryEvent.ts"
import { TestFailure } from "./TestFailure.ts"

/**
 * The content of a tree in addition to names, kinds, states, times and attempts.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Whether to include payloads, results and errors. Default: only errors. */
  readonly payloads?: boolean | undefined
  /** The maximum number of operations of one parent. Default: 12. */
  readonly most?: number | undefined
  /** Returns a further note about an operation. */
  readonly noteOf?: ((executionArn: string, operationId: string) => string | undefined) | undefined
}

/**
 * Draws an execution with its times, in seconds since it started.
 *
 * From a run, or any object with an `executionArn`, it reads everything, including the executions that it invoked and the
 * one that it handed over to; executions of other accounts, which cannot be read, are omitted. From a history alone it draws
 * only that execution.
 *
 * **Errors**: those of the client, if anything is read.
 *
 * @example
 * ```ts
 * import { Durable, DurableFunction } from "effect-durable"
 * import { TestEngine, Tree } from "effect-durable/testing"
 * import * as Effect from "effect/Effect"
 *
 * const Greet = DurableFunction.make("greet")
 * const greet = Greet.implement(() => Durable.wait("a moment", "1 minute"))
 *
 * const shown = Effect.gen(function* () {
 *   const run = yield* TestEngine.start(Greet, undefined)
 *   yield* run.result
 *   return yield* Tree.render(run)
 * }).pipe(Effect.provide(TestEngine.layer([greet])))
 *
 * // greet        execution       0.0 s →   60.0 s  succeeded, 2 invocations
 * // └─ a moment  wait            0.0 s →   60.0 s  succeeded
 * console.log(await Effect.runPromise(shown))
 * ```
 *
 * @category rendering
 * @since 0.1.0
 */
export const render: {
  (run: { readonly executionArn: string }, options?: Options): Effect.Effect<string, ClientError, DurableClient>
  (history: ReadonlyArray<HistoryEvent>, options?: Options): string
} = cast((subject: { readonly executionArn: string } | ReadonlyArray<HistoryEvent>, options: Options = {}) => {
  const drawing: Drawing = { times: true, errors: true, ...options }
  return hasProperty(subject, "executionArn")
    ? Effect.map(read(subject.executionArn), (family) => draw(family, drawing).join("\n"))
    : draw(ofHistory(checked(subject)), drawing).join("\n")
})

/** Refuses what a caller without types gives in place of a history. */
const checked = (history: ReadonlyArray<HistoryEvent>): ReadonlyArray<HistoryEvent> => {
  if (Array.isArray(history)) return history
  throw new TestFailure({
    message: `Expected a list of events to draw, found ${kindOf(history)}. Pass what TestEngine.start returns, or its history.`
  })
}

/**
 * Draws the operations of a history as text that is the same for every run with the same behaviour: without times, ids and
 * ARNs, without values, and without the number of invocations. It is intended for the snapshots of tests.
 *
 * @example
 * ```ts
 * import { Durable, DurableFunction } from "effect-durable"
 * import { TestEngine, Tree } from "effect-durable/testing"
 * import * as Effect from "effect/Effect"
 * import assert from "node:assert/strict"
 *
 * const Greet = DurableFunction.make("greet")
 * const greet = Greet.implement(() => Durable.wait("a moment", "1 minute"))
 *
 * const text = Effect.gen(function* () {
 *   const run = yield* TestEngine.start(Greet, undefined)
 *   yield* run.result
 *   return Tree.text(yield* run.history)
 * }).pipe(Effect.provide(TestEngine.layer([greet])))
 *
 * assert.equal(
 *   await Effect.runPromise(text),
 *   ["execution    execution  succeeded", "└─ a moment  wait       succeeded"].join("\n")
 * )
 * ```
 *
 * @category rendering
 * @since 0.1.0
 */
export const text = (history: ReadonlyArray<HistoryEvent>): string =>
  draw(ofHistory(checked(history)), { most: Infinity }).join("\n")
