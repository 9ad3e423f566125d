/**
 * Executions as trees of their operations: to look at one that has gone wrong, and to pin down in a test what one does.
 *
 * A tree is text. It is made of what the service tells of an execution, so it is there for executions of any backend and of any
 * SDK.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import type { ClientError, DurableClient } from "../DurableClient.ts"
import { ofHistory, read } from "../view/Families.ts"
import { draw, type Drawing } from "../view/Tree.ts"
import type { HistoryEvent } from "../wire/HistoryEvent.ts"

/**
 * What a tree tells besides names, kinds, states, times and attempts.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Whether payloads, results and errors are in it. Default: only errors. */
  readonly payloads?: boolean | undefined
  /** At most so many operations of one parent. Default: 12. */
  readonly most?: number | undefined
  /** What else to say of an operation. */
  readonly noteOf?: ((executionArn: string, operationId: string) => string | undefined) | undefined
}

/**
 * Draws an execution with its times, in seconds since it started.
 *
 * Of a run, or of whatever has an `executionArn`, everything is read, also of the executions that it invoked and of the one that
 * it handed over to; those of other accounts, which cannot be read, are left out. Of a history alone it is drawn without them.
 *
 * **Errors**: those of the client, if something is read.
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
  return "executionArn" in subject
    ? Effect.map(read(subject.executionArn), (family) => draw(family, drawing).join("\n"))
    : draw(ofHistory(subject), drawing).join("\n")
})

/**
 * The operations of a history as text that is the same for every run that does the same: without times, ids and ARNs, without
 * values, and without how often code was invoked. It is made for the snapshots of tests.
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
  draw(ofHistory(history), { most: Infinity }).join("\n")
