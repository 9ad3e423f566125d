/**
 * Parallel: runs branches concurrently until a policy is met. The outcome of each branch is data.
 *
 * Owns: the shape of its arguments and its result. Does not own: how branches run (`batch.ts`).
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import type { BatchResult } from "../BatchResult.ts"
import type { CompletionPolicy } from "../CompletionPolicy.ts"
import type { Execution } from "../execution/Parts.ts"
import type {
  FromArguments,
  RecordOptions,
  RecordServices,
  RecordArguments,
  RecordedError,
  RecordedValue
} from "../Plain.ts"
import type * as Serdes from "../Serdes.ts"
import { batch, parallelKind, type BatchRules } from "./batch.ts"
import {
  branchesOf,
  type AnyBranch,
  type ConcurrencyOptions,
  type ErrorOf,
  type ServicesOf,
  type ValueOf
} from "./branch.ts"
import { typed } from "./typed.ts"

/**
 * The options of {@link parallel}, except those for recording an item.
 *
 * @category models
 * @since 0.1.0
 */
export interface BatchOptions<A, E> extends ConcurrencyOptions {
  /**
   * When the batch is complete: a `CompletionPolicy`. The default of AWS's SDKs is `CompletionPolicy.allSuccessful`.
   * Default: `CompletionPolicy.allCompleted`: all branches run, even if some fail.
   */
  readonly policy?: CompletionPolicy | undefined
  /**
   * A codec that writes and reads the whole `BatchResult`; for one item use `successSerdes`. `BatchResult.fromValues`
   * creates a result. Default: the library's own record of all outcomes.
   */
  readonly batchSerdes?: {
    serialize(value: BatchResult<A, E>, info: Serdes.Info): Effect.Effect<string | undefined, Serdes.SerdesError>
    deserialize(text: string | undefined, info: Serdes.Info): Effect.Effect<BatchResult<A, E>, Serdes.SerdesError>
  }
}

/**
 * Runs branches concurrently, each in its own namespace, until a completion policy is met. The outcome of each branch
 * is data: the batch itself does not fail.
 *
 * Branches in progress when the batch ends are cancelled: they are interrupted, each `onExit` in them runs before the
 * batch ends, and nothing else of them is recorded. Each branch has its own scope. A recorded branch does not run
 * again, so a replay does not repeat its changes to memory outside of it. Options such as `success` apply to the value
 * of one branch. Default of `concurrency`: `"unbounded"`. The batch costs one operation, and one for each branch unless
 * it is `flat`.
 *
 * **Errors**: none; `orFail` of the result fails with the first failure.
 * **Defects**: `InvalidOptions`, `InvalidName`, `NameInUse`, `NestedOperation`.
 *
 * @example
 * ```ts
 * import { CompletionPolicy, Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const quotes = Effect.gen(function*() {
 *   const result = yield* Durable.parallel("quotes", [
 *     { name: "fast", effect: Durable.step("ask", Effect.succeed(120)) },
 *     { name: "cheap", effect: Effect.andThen(Durable.wait("think", "1 minute"), Durable.step("ask", Effect.succeed(80))) }
 *   ], { policy: CompletionPolicy.make({ minSuccessful: 1 }) })
 *   return Math.min(...result.values)
 * })
 * ```
 *
 * @category concurrency
 * @since 0.1.0
 */
export const parallel = <
  const Branches extends ReadonlyArray<AnyBranch> = ReadonlyArray<AnyBranch>,
  O extends RecordOptions<
    ValueOf<Branches[number]>,
    BatchOptions<ValueOf<Branches[number]>, ErrorOf<Branches[number]>>
  > = Required<
    RecordOptions<ValueOf<Branches[number]>, BatchOptions<ValueOf<Branches[number]>, ErrorOf<Branches[number]>>>
  >
>(
  name: string,
  branches: Branches,
  ...options: RecordArguments<
    ValueOf<Branches[number]>,
    ErrorOf<Branches[number]>,
    O,
    BatchOptions<ValueOf<Branches[number]>, ErrorOf<Branches[number]>>
  >
): Effect.Effect<
  BatchResult<RecordedValue<ValueOf<Branches[number]>, O>, RecordedError<ErrorOf<Branches[number]>, O>>,
  never,
  FromArguments<ServicesOf<Branches[number]>> | Execution | RecordServices<O>
> =>
  typed(
    branchesOf(name, branches, (items) => batch(parallelKind, name, items, cast<unknown, BatchRules>(options[0] ?? {})))
  )
