/**
 * Map: runs a function for every item, concurrently, until a policy is met. The outcome of each item is data.
 *
 * Owns: the shape of its arguments and its result. Does not own: how items run (`batch.ts`).
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import type { BatchResult } from "../BatchResult.ts"
import type { Execution } from "../execution/Parts.ts"
import type {
  FromArguments,
  KnownArguments,
  RecordOptions,
  RecordServices,
  Recordable,
  RecordedError,
  RecordedValue,
  Recording
} from "../Plain.ts"
import { effectIn, isList, unfit } from "./argument.ts"
import { batch, mapKind, type BatchItem, type BatchRules } from "./batch.ts"
import type { Body } from "./Operation.ts"
import type { OnceSeen, OnceSeenArguments, Sensed } from "./forms.ts"
import type { BatchOptions } from "./parallel.ts"
import { typed } from "./typed.ts"

/**
 * The options of {@link map}, except those for recording an item.
 *
 * @category models
 * @since 0.1.0
 */
export interface MapOptions<T, A, E> extends BatchOptions<A, E> {
  /** The label of an item in histories and messages. Default: `map-item-0`, and so on. */
  readonly itemName?: ((item: T, index: number) => string) | undefined
}

/**
 * Runs a function for every item, concurrently, each in its own namespace, until a completion policy is met. The
 * outcome of each item is data: the batch itself does not fail.
 *
 * `map` behaves as `Durable.parallel`, with one item in place of one branch. The items have to be the same on every
 * replay. Items are not recorded: the result holds the `item` that the code passed, together with its outcome.
 *
 * **Errors**: none; `orFail` of the result fails with the first failure.
 * **Defects**: `InvalidOptions`, `InvalidName`, `NameInUse`, `NestedOperation`.
 *
 * @example
 * ```ts
 * import { CompletionPolicy, Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const mailed = Effect.gen(function*() {
 *   const result = yield* Durable.map(
 *     "mails",
 *     ["ann@example.com", "bob@example.com"],
 *     (address) => Durable.step("send", Effect.log(`mail to ${address.length} characters`)),
 *     { concurrency: 10, policy: CompletionPolicy.make({ toleratedFailurePercentage: 5 }) }
 *   )
 *   return result.failureCount
 * })
 * ```
 *
 * @category concurrency
 * @since 0.1.0
 */
export const map = <
  T,
  A = never,
  E = never,
  R = never,
  V = never,
  W = unknown,
  const O extends OnceSeen<V, RecordOptions<A, MapOptions<NoInfer<T>, unknown, unknown>>> = Required<
    RecordOptions<A, MapOptions<NoInfer<T>, unknown, unknown>>
  >
>(
  name: string,
  items: Iterable<T>,
  f: (item: T, index: number) => Effect.Effect<A, E, R> & Sensed<V, W>,
  ...options: OnceSeenArguments<
    V,
    O,
    KnownArguments<
      O,
      Recording<A> & MapOptions<NoInfer<T>, A, E>,
      O & Recordable<A, E, O, MapOptions<NoInfer<T>, A, E>> & BatchRecordable<A, E, O>
    >
  >
): Effect.Effect<
  BatchResult<RecordedValue<A, O>, RecordedError<E, O>, FromArguments<T>>,
  never,
  FromArguments<R> | Execution | RecordServices<O>
> => {
  const { itemName, ...rest } = cast<unknown, BatchRules & Pick<MapOptions<T, A, E>, "itemName">>(options[0] ?? {})
  return typed(itemsOf(name, items, f, itemName, (all) => batch(mapKind, name, all, rest)))
}

/**
 * `unknown` unless the options have a `batchSerdes` of another result. Before the compiler looks at the function, it checks
 * the options against values of type `never`.
 */
type BatchRecordable<A, E, O> = O extends readonly [{ readonly batchSerdes: infer Codec }]
  ? [A] extends [never]
    ? unknown
    : Codec extends NonNullable<BatchOptions<A, E>["batchSerdes"]>
      ? unknown
      : { readonly "the batchSerdes is no Serdes.Codec of the result": BatchResult<A, E> }
  : unknown

/** Goes on with the items of a batch, under their labels. */
export const itemsOf = <T>(
  operation: string,
  items: Iterable<T>,
  f: (item: T, index: number) => Body,
  nameOf = (_: T, index: number): string => `map-item-${index}`,
  next: (items: ReadonlyArray<BatchItem>) => Body
): Body => {
  if (!isList(items)) return unfit(operation, "items", "a list", items, "Pass an array.")
  if (typeof f !== "function")
    return unfit(operation, "third argument", "a function", f, "It takes an item, and returns an Effect.")
  if (typeof nameOf !== "function")
    return unfit(operation, "itemName", "a function", nameOf, "It takes an item, and returns its label.")
  return next(
    Array.from(items, (item, index) => {
      const name = String(cast<string, unknown>(nameOf(item, index)))
      return { name, item, body: Effect.suspend(() => effectIn(f(item, index), name)) }
    })
  )
}
