/**
 * All: runs branches as `Effect.all` does, and records the outcome.
 *
 * Owns: the shape of its arguments and its result. Does not own: how branches run (`batch.ts`).
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import type { Execution } from "../execution/Parts.ts"
import type {
  FromArguments,
  RecordOptions,
  RecordServices,
  RecordArguments,
  RecordedError,
  RecordedValue
} from "../Plain.ts"
import { allOf, parallelKind, type BatchRules } from "./batch.ts"
import { isList, unfit } from "./argument.ts"
import {
  branchOf,
  type AnyBranch,
  type Collected,
  type CollectOptions,
  type ErrorOf,
  type Kept,
  type ServicesOf,
  type ValueOf
} from "./branch.ts"
import { typed } from "./typed.ts"

/**
 * Runs branches as `Effect.all` does, each in its own namespace, and records the outcome: all values, or the first
 * failure. A failure cancels the other branches.
 *
 * Takes a tuple, an array or a record of branches. As in Effect, branches run one after the other unless `concurrency`
 * is set. Each branch has its own scope. A recorded branch does not run again, so a replay does not repeat its changes
 * to memory outside of it. With `discard: true` the result is `void`, and the values are not recorded and need no
 * Schema. The batch costs one operation, and one for each branch unless it is `flat`.
 *
 * **Errors**: those of the branches. **Defects**: those of the branches, and those of `Durable.parallel`.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const trip = Durable.all("trip", {
 *   flight: Durable.step("book", Effect.succeed("flight-1")),
 *   hotel: Durable.step("book", Effect.succeed({ room: 12 }))
 * }, { concurrency: "unbounded" })
 * ```
 *
 * @category concurrency
 * @since 0.1.0
 */
export const all = <
  const Branches extends AnyBranches = AnyBranches,
  O extends RecordOptions<ValueOf<BranchIn<Branches>>, CollectOptions> = Required<
    RecordOptions<ValueOf<BranchIn<Branches>>, CollectOptions>
  >
>(
  name: string,
  branches: Branches,
  ...options: RecordArguments<Kept<ValueOf<BranchIn<Branches>>, O>, ErrorOf<BranchIn<Branches>>, O, CollectOptions>
): Effect.Effect<
  Collected<{ -readonly [K in keyof Branches]: RecordedValue<ValueOf<Branches[K]>, O> }, O>,
  RecordedError<ErrorOf<BranchIn<Branches>>, O>,
  FromArguments<ServicesOf<BranchIn<Branches>>> | Execution | RecordServices<O>
> => {
  const list = isArray(branches)
  if (!list && (typeof branches !== "object" || Effect.isEffect(branches) || isList(branches ?? "")))
    return typed(unfit(name, "branches", "an array or an object", branches, "Its values are effects."))
  const keys = Object.keys(branches)
  const items = Object.values(branches).map((branch, index) =>
    branchOf(branch, list ? `parallel-branch-${index}` : keys[index]!)
  )
  return typed(
    allOf(parallelKind, name, items, cast<unknown, BatchRules>(options[0] ?? {}), (values) =>
      list ? values : Object.fromEntries(keys.map((key, index) => [key, values[index]]))
    )
  )
}

type AnyBranches = ReadonlyArray<AnyBranch> | Readonly<Record<string, AnyBranch>>

type BranchIn<Branches> = Branches extends ReadonlyArray<infer B> ? B : Branches[keyof Branches]

const isArray = (value: object): value is ReadonlyArray<unknown> => Array.isArray(value)
