/**
 * Continue with: hands over to a new execution, and ends this one.
 *
 * Owns: the reference to the new execution with which this one ends, and the check that the new execution differs from this
 * one.
 * Does not own: the step that starts the new execution, and how the invocation ends.
 *
 * Invariants:
 * 1. This execution ends only once the start of the new one is recorded.
 * 2. The `idempotencyKey` of a contract does not name the new execution, because it may lead back to this one.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as DurableFunction from "../DurableFunction.ts"
import type * as DurableClient from "../DurableClient.ts"
import { InvalidOptions } from "../DurableError.ts"
import { Execution } from "../execution/Parts.ts"
import { startAs, type StartRules } from "./executions.ts"
import { handOver } from "./letGo.ts"
import { typed } from "./typed.ts"

/**
 * The options of {@link continueWith}.
 *
 * @category models
 * @since 0.1.0
 */
export interface ContinueWithOptions {
  /** The name of the operation. Default: the name of the contract. */
  readonly name?: string | undefined
  /**
   * The name of the new execution: 1 to 64 letters, digits, `-` and `_`. The `idempotencyKey` of the contract is not used.
   * Default: a name unique to this operation.
   */
  readonly executionName?: string | undefined
  /** The tenant for a function with tenant isolation: 1 to 256 letters, digits, spaces and `. _ : / = + - @`. */
  readonly tenantId?: string | undefined
}

/**
 * Hands over to a new execution with its own history, and ends this execution. Use it for work without an end, and for
 * work beyond the limits of one execution.
 *
 * `poll` and `run` of `DurableClient` return the outcome of the new execution. An `invoke` does not follow: it fails as
 * `InvokeFailed` with the errorType `ExecutionContinued`. Compensations do not run, and are not passed to the new execution.
 * Siblings in progress are cancelled; each `onExit` runs before the hand-over.
 *
 * Without an `executionName` the new execution has a name unique to this operation. The `idempotencyKey` of a contract is
 * not used, because it would lead back to this execution or to an earlier one.
 *
 * **Defects**: the errors of the client, those of `Durable.start`, `InvalidOptions` for an `executionName` that leads back
 * to this execution.
 *
 * @example
 * ```ts
 * import { Durable, DurableFunction } from "effect-durable"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 *
 * const Watch = DurableFunction.make("watch", { payload: Schema.Int })
 *
 * export const watch = Watch.implement(Effect.fn("watch")(function*(round) {
 *   for (let day = 0; day < 30; day++) yield* Durable.wait("day", "1 day")
 *   if (round < 12) yield* Durable.continueWith(Watch, round + 1)
 * }))
 * ```
 *
 * @category executions
 * @since 0.1.0
 */
export const continueWith = <C extends DurableFunction.AnyDurable>(
  contract: C,
  ...[payload, options]: DurableFunction.PayloadAndOptions<C, ContinueWithOptions>
): Effect.Effect<never, never, Execution | DurableClient.DurableClient | DurableFunction.CallerServices<C>> =>
  typed(Effect.orDie(untypedContinueWith(contract, payload, options ?? {})))

// --- Implementation ------------------------------------------------------------------------------------------------------

const untypedContinueWith = (
  contract: DurableFunction.AnyDurable,
  payload: unknown,
  rules: StartRules
): Effect.Effect<never, unknown, unknown> =>
  Effect.flatMap(
    startAs("Durable.continueWith", contract, payload, rules, () => rules.executionName),
    (executionArn) =>
      Effect.flatMap(Execution, ({ namespace, parts }): Effect.Effect<never> => {
        if (executionArn === parts.executionArn) {
          const name = rules.name ?? contract.name
          return Effect.die(
            new InvalidOptions({
              operation: namespace.pathOf(name, 0),
              message: `Expected "${name}" to hand over to a fresh execution, found that the name "${rules.executionName}" leads back to this one. Give the new execution another name, or none.`
            })
          )
        }
        return handOver(parts, executionArn)
      })
  )
