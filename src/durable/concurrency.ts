/**
 * Concurrency: branches side by side, whose outcome every replay repeats.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as batchOperation from "../runtime/operations/batch.ts"
import * as raceOperation from "../runtime/operations/race.ts"
import type * as Serdes from "../Serdes.ts"
import type { BatchResult } from "../BatchResult.ts"
import type { CompletionPolicy } from "../CompletionPolicy.ts"
import type { Execution } from "../runtime/Execution.ts"
import type {
  FromArguments,
  RecordOptions,
  RecordServices,
  Recordable,
  RecordedError,
  RecordedValue
} from "../Plain.ts"
import { cast } from "effect/Function"
import { type DurableTimeout, InvalidOptions } from "../DurableError.ts"
import { type Timeout, recordingOf, typed } from "./typed.ts"

/**
 * A branch of a concurrent operation: an effect, or one with a name for histories and messages. The name is a label, which
 * need not be unique.
 *
 * @category models
 * @since 0.1.0
 */
export type Branch<A, E, R> =
  | Effect.Effect<A, E, R>
  | { readonly name: string; readonly effect: Effect.Effect<A, E, R> }

/** What a branch has to be as far as the compiler may know before it has inferred the effects. */
type AnyBranch = Effect.Effect<unknown, unknown, unknown> | { readonly name: string; readonly effect: unknown }

type EffectOf<B> =
  B extends Effect.Effect<unknown, unknown, unknown> ? B : B extends { readonly effect: infer Body } ? Body : never

// Nothing is inferred from no branch at all.
type ValueOf<B> = [B] extends [never] ? never : EffectOf<B> extends Effect.Effect<infer A, unknown, unknown> ? A : never
type ErrorOf<B> = [B] extends [never] ? never : EffectOf<B> extends Effect.Effect<unknown, infer E, unknown> ? E : never
type ServicesOf<B> = [B] extends [never]
  ? never
  : EffectOf<B> extends Effect.Effect<unknown, unknown, infer R>
    ? R
    : never

/**
 * How branches or items are run side by side.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConcurrencyOptions {
  /** How many branches or items run at once: a whole number of at least 1, or `"unbounded"`. They start in the order of their indexes. */
  readonly concurrency?: number | "unbounded"
  /**
   * Whether a branch has no record of its own. That saves one operation for each; its body then runs again on every replay
   * until the whole operation is recorded. Default: false.
   */
  readonly flat?: boolean
}

/**
 * The options of {@link parallel} besides how an item is recorded.
 *
 * @category models
 * @since 0.1.0
 */
export interface BatchOptions<A, E> extends ConcurrencyOptions {
  /** When the batch is complete. Default: `CompletionPolicy.allSuccessful`, which ends it at the first failure. */
  readonly policy?: CompletionPolicy
  /** Writes and reads the whole result in place of the library's own way; for one item there is `serdes`. */
  readonly batchSerdes?: {
    serialize(value: BatchResult<A, E>, info: Serdes.Info): Effect.Effect<string | undefined, Serdes.SerdesError>
    deserialize(text: string | undefined, info: Serdes.Info): Effect.Effect<BatchResult<A, E>, Serdes.SerdesError>
  }
}

/**
 * The options of {@link map} besides how an item is recorded.
 *
 * @category models
 * @since 0.1.0
 */
export interface MapOptions<T, A, E> extends BatchOptions<A, E> {
  /** The label of an item in histories and messages. Default: `map-item-0`, and so on. */
  readonly itemName?: (item: T, index: number) => string
}

/**
 * Runs branches side by side, each in a namespace of its own, until a completion policy is met. How each of them ended is
 * data: the batch itself does not fail.
 *
 * Branches that are under way when the batch ends are let go of: they are interrupted, nothing of them is recorded any
 * more, and the invocation does not wait for them. Options such as `success` are about the value of one branch. Default of
 * `concurrency`: `"unbounded"`. It costs one operation, and one for each branch unless it is `flat`.
 *
 * **Errors**: none; ask for them with `throwIfFailed` of the result.
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
  ...options: O &
    Recordable<
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
    batchOperation.batch(
      batchOperation.parallel,
      name,
      branches.map((branch, index) => branchOf(branch, `parallel-branch-${index}`)),
      cast<unknown, batchOperation.BatchOptions>(options[0] ?? {})
    )
  )

const branchOf = (branch: AnyBranch, name: string): batchOperation.BatchItem => {
  if (Effect.isEffect(branch)) return { name, body: branch }
  return { name: branch.name, body: Effect.isEffect(branch.effect) ? branch.effect : noBranch(branch.name) }
}

const noBranch = (name: string): Effect.Effect<never> =>
  Effect.die(
    new InvalidOptions({
      operation: name,
      message: `Expected the branch "${name}" to be an effect, or { name, effect }, found something else as its effect.`
    })
  )

/**
 * Runs a function for every item, side by side, each in a namespace of its own, until a completion policy is met. How each
 * of them ended is data: the batch itself does not fail.
 *
 * As {@link parallel}, with one item in place of one branch. The items have to be the same on every replay.
 *
 * **Errors**: none; ask for them with `throwIfFailed` of the result.
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
  O extends RecordOptions<A, MapOptions<NoInfer<T>, unknown, unknown>> = Required<
    RecordOptions<A, MapOptions<NoInfer<T>, unknown, unknown>>
  >
>(
  name: string,
  items: Iterable<T>,
  f: (item: T, index: number) => Effect.Effect<A, E, R>,
  ...options: O & Recordable<A, E, O, MapOptions<NoInfer<T>, A, E>> & BatchRecordable<A, E, O>
): Effect.Effect<
  BatchResult<RecordedValue<A, O>, RecordedError<E, O>>,
  never,
  FromArguments<R> | Execution | RecordServices<O>
> => {
  const { itemName, ...rest } = cast<unknown, batchOperation.BatchOptions & Pick<MapOptions<T, A, E>, "itemName">>(
    options[0] ?? {}
  )
  return typed(batchOperation.batch(batchOperation.map, name, itemsOf(items, f, itemName), rest))
}

/**
 * `unknown` unless the options have a `batchSerdes` of another result. Before it has looked at the function, the compiler
 * tries whether they fit values of type `never`.
 */
type BatchRecordable<A, E, O> = O extends readonly [{ readonly batchSerdes: infer Codec }]
  ? [A] extends [never]
    ? unknown
    : Codec extends NonNullable<BatchOptions<A, E>["batchSerdes"]>
      ? unknown
      : { readonly "the batchSerdes is no Serdes.Codec of the result": BatchResult<A, E> }
  : unknown

const itemsOf = <T, A, E, R>(
  items: Iterable<T>,
  f: (item: T, index: number) => Effect.Effect<A, E, R>,
  nameOf = (_: T, index: number): string => `map-item-${index}`
): ReadonlyArray<batchOperation.BatchItem> =>
  Array.from(items, (item, index) => ({ name: nameOf(item, index), body: Effect.suspend(() => f(item, index)) }))

/**
 * Runs branches as `Effect.all` does, each in a namespace of its own, and records how that ended: with all values, or with
 * the first failure, upon which the other branches are let go of.
 *
 * It takes a tuple, an array or a record of branches. As in Effect, they run one after the other unless `concurrency` says
 * otherwise. It costs one operation, and one for each branch unless it is `flat`.
 *
 * **Errors**: those of the branches. **Defects**: those of the branches, and those of {@link parallel}.
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
  O extends RecordOptions<ValueOf<BranchIn<Branches>>, ConcurrencyOptions> = Required<
    RecordOptions<ValueOf<BranchIn<Branches>>, ConcurrencyOptions>
  >
>(
  name: string,
  branches: Branches,
  ...options: O & Recordable<ValueOf<BranchIn<Branches>>, ErrorOf<BranchIn<Branches>>, O, ConcurrencyOptions>
): Effect.Effect<
  { -readonly [K in keyof Branches]: RecordedValue<ValueOf<Branches[K]>, O> },
  RecordedError<ErrorOf<BranchIn<Branches>>, O>,
  FromArguments<ServicesOf<BranchIn<Branches>>> | Execution | RecordServices<O>
> => {
  const keys = Object.keys(branches)
  const list = isArray(branches)
  const items = Object.values(branches).map((branch, index) =>
    branchOf(branch, list ? `parallel-branch-${index}` : keys[index]!)
  )
  return typed(
    Effect.map(
      allOf(batchOperation.parallel, name, items, cast<unknown, batchOperation.BatchOptions>(options[0] ?? {})),
      (values) => (list ? values : Object.fromEntries(keys.map((key, index) => [key, values[index]])))
    )
  )
}

type AnyBranches = ReadonlyArray<AnyBranch> | Readonly<Record<string, AnyBranch>>

type BranchIn<Branches> = Branches extends ReadonlyArray<infer B> ? B : Branches[keyof Branches]

const isArray = (value: object): value is ReadonlyArray<unknown> => Array.isArray(value)

/** As in Effect, one after the other unless it is said otherwise. */
const allOf = (
  kind: typeof batchOperation.parallel,
  name: string,
  items: ReadonlyArray<batchOperation.BatchItem>,
  options: batchOperation.BatchOptions
) => batchOperation.all(kind, name, items, { ...options, concurrency: options.concurrency ?? 1 })

/**
 * Runs a function for every item as `Effect.forEach` does, each in a namespace of its own, and records how that ended: with
 * all values in the order of the items, or with the first failure, upon which the others are let go of.
 *
 * As in Effect, items are taken one after the other unless `concurrency` says otherwise. The items have to be the same on
 * every replay. It costs one operation, and one for each item unless it is `flat`.
 *
 * **Errors**: those of the items. **Defects**: those of the items, and those of {@link parallel}.
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
  O extends RecordOptions<A, ForEachOptions<NoInfer<T>>> = Required<RecordOptions<A, ForEachOptions<NoInfer<T>>>>
>(
  name: string,
  items: Iterable<T>,
  f: (item: T, index: number) => Effect.Effect<A, E, R>,
  ...options: O & Recordable<A, E, O, ForEachOptions<NoInfer<T>>>
): Effect.Effect<Array<RecordedValue<A, O>>, RecordedError<E, O>, FromArguments<R> | Execution | RecordServices<O>> => {
  const { itemName, ...rest } = cast<unknown, batchOperation.BatchOptions & ForEachOptions<T>>(options[0] ?? {})
  return typed(allOf(batchOperation.map, name, itemsOf(items, f, itemName), rest))
}

/**
 * The options of {@link forEach} besides how an item is recorded.
 *
 * @category models
 * @since 0.1.0
 */
export interface ForEachOptions<T> extends ConcurrencyOptions {
  /** The label of an item in histories and messages. Default: `map-item-0`, and so on. */
  readonly itemName?: (item: T, index: number) => string
}

/**
 * Runs branches at the same time, each in a namespace of its own, and records the first that succeeds. When all have failed,
 * it fails as the first that did.
 *
 * The others are let go of: what they have begun outside, such as an invoked function, goes on. Which branch won is in the
 * history before anybody sees it, so that every replay has the same winner. It costs one operation besides those of the
 * branches.
 *
 * **Errors**: those of the branches. **Defects**: those of the branches; `InvalidOptions` for a race of nothing.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const quickest = Durable.race("quickest", [
 *   Effect.as(Durable.wait("tortoise", "1 day"), "tortoise"),
 *   Effect.as(Durable.wait("hare", "2 seconds"), "hare")
 * ])
 * ```
 *
 * @category concurrency
 * @since 0.1.0
 */
export const race = <
  const Branches extends ReadonlyArray<AnyBranch> = ReadonlyArray<AnyBranch>,
  O extends RecordOptions<ValueOf<Branches[number]>> = Required<RecordOptions<ValueOf<Branches[number]>>>
>(
  name: string,
  branches: Branches,
  ...options: O & Recordable<ValueOf<Branches[number]>, ErrorOf<Branches[number]>, O>
): Effect.Effect<
  RecordedValue<ValueOf<Branches[number]>, O>,
  RecordedError<ErrorOf<Branches[number]>, O>,
  FromArguments<ServicesOf<Branches[number]>> | Execution | RecordServices<O>
> => typed(raceOperation.race(name, bodiesOf(branches), "success", recordingOf(options)))

/**
 * As {@link race}, but the first branch that ends wins, whether it succeeds or fails. It costs one operation besides those
 * of the branches, too.
 *
 * **Errors**: those of the branches. **Defects**: those of the branches; `InvalidOptions` for a race of nothing.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const decided = Durable.raceFirst("decided", [
 *   Effect.as(Durable.wait("objections", "14 days"), "accepted"),
 *   Effect.as(Durable.wait("veto", "3 days"), "vetoed")
 * ])
 * ```
 *
 * @category concurrency
 * @since 0.1.0
 */
export const raceFirst = <
  const Branches extends ReadonlyArray<AnyBranch> = ReadonlyArray<AnyBranch>,
  O extends RecordOptions<ValueOf<Branches[number]>> = Required<RecordOptions<ValueOf<Branches[number]>>>
>(
  name: string,
  branches: Branches,
  ...options: O & Recordable<ValueOf<Branches[number]>, ErrorOf<Branches[number]>, O>
): Effect.Effect<
  RecordedValue<ValueOf<Branches[number]>, O>,
  RecordedError<ErrorOf<Branches[number]>, O>,
  FromArguments<ServicesOf<Branches[number]>> | Execution | RecordServices<O>
> => typed(raceOperation.race(name, bodiesOf(branches), "end", recordingOf(options)))

const bodiesOf = (branches: ReadonlyArray<AnyBranch>) => branches.map((branch) => branchOf(branch, "").body)

/**
 * Gives an effect that may hold durable operations a time-out: it is raced with a wait, and the winner is recorded.
 *
 * What the effect has begun outside, such as an invoked function, goes on after the time-out. It costs two operations
 * besides those of the effect.
 *
 * **Errors**: those of the effect, `DurableTimeout`. **Defects**: those of the effect, `InvalidDuration`.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const patient = Durable.timeout("patient", Durable.wait("think", "1 hour"), "5 minutes").pipe(
 *   Effect.catchTag("DurableTimeout", () => Effect.log("no answer in five minutes"))
 * )
 * ```
 *
 * @category concurrency
 * @since 0.1.0
 */
export const timeout = <A = never, E = never, R = never, O extends RecordOptions<A> = Required<RecordOptions<A>>>(
  name: string,
  effect: Effect.Effect<A, E, R>,
  limit: Timeout,
  ...options: O & Recordable<A, E, O>
): Effect.Effect<
  RecordedValue<A, O>,
  RecordedError<E, O> | DurableTimeout,
  FromArguments<R> | Execution | RecordServices<O>
> => typed(raceOperation.timeout(name, effect, limit, recordingOf(options)))
