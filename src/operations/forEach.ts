/**
 * ForEach: runs a function for every item as `Effect.forEach` does, and records the outcome.
 *
 * Owns: the shape of its arguments and its result. Does not own: how items run (`batch.ts`).
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
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
import { allOf, mapKind, type BatchRules } from "./batch.ts"
import type { Collected, CollectOptions, Kept } from "./branch.ts"
import type { OnceSeen, OnceSeenArguments, Sensed } from "./forms.ts"
import { itemsOf } from "./map.ts"
import { typed } from "./typed.ts"

/**
 * Runs a function for every item as `Effect.forEach` does, each in its own namespace, and records the outcome: all
 * values in the order of the items, or the first failure. A failure cancels the other items.
 *
 * As in Effect, items run one after the other unless `concurrency` is set. The items have to be the same on every
 * replay. Each item has its own scope. A recorded item does not run again, so a replay does not repeat its changes to
 * memory outside of it. With `discard: true` the result is `void`, and the values are not recorded and need no Schema.
 * The batch costs one operation, and one for each item unless it is `flat`.
 *
 * **Errors**: those of the items. **Defects**: those of the items, and those of `Durable.parallel`.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const labels = Durable.forEach(
 *   "labels",
 *   ["a", "b", "c"],
 *   (parcel) => Durable.step("print", Effect.succeed(`label of ${parcel}`)),
 *   { concurrency: 2 }
 * )
 * ```
 *
 * @category concurrency
 * @since 0.1.0
 */
export const forEach = <
  T,
  A = never,
  E = never,
  R = never,
  V = never,
  W = unknown,
  const O extends OnceSeen<V, RecordOptions<A, ForEachOptions<NoInfer<T>>>> = Required<
    RecordOptions<A, ForEachOptions<NoInfer<T>>>
  >
>(
  name: string,
  items: Iterable<T>,
  f: (item: T, index: number) => Effect.Effect<A, E, R> & Sensed<V, W>,
  ...options: OnceSeenArguments<V, O, RecordArguments<Kept<A, O>, E, O, ForEachOptions<NoInfer<T>>>>
): Effect.Effect<
  Collected<Array<RecordedValue<A, O>>, O>,
  RecordedError<E, O>,
  FromArguments<R> | Execution | RecordServices<O>
> => {
  const { itemName, ...rest } = cast<unknown, BatchRules & ForEachOptions<T>>(options[0] ?? {})
  return typed(itemsOf(name, items, f, itemName, (all) => allOf(mapKind, name, all, rest, (values) => values)))
}

/**
 * The options of {@link forEach}, except those for recording an item.
 *
 * @category models
 * @since 0.1.0
 */
export interface ForEachOptions<T> extends CollectOptions {
  /** The label of an item in histories and messages. Default: `map-item-0`, and so on. */
  readonly itemName?: ((item: T, index: number) => string) | undefined
}
