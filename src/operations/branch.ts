/**
 * What operations with branches have in common, as users see it.
 *
 * Owns: what a branch is, what names and types it has, and how many may run at once.
 * Does not own: how they run.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { InvalidOptions } from "../DurableError.ts"
import type { BatchItem } from "./batch.ts"

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
export type AnyBranch = Effect.Effect<unknown, unknown, unknown> | { readonly name: string; readonly effect: unknown }

export type EffectOf<B> =
  B extends Effect.Effect<unknown, unknown, unknown> ? B : B extends { readonly effect: infer Body } ? Body : never

// Nothing is inferred from no branch at all.
export type ValueOf<B> = [B] extends [never]
  ? never
  : EffectOf<B> extends Effect.Effect<infer A, unknown, unknown>
    ? A
    : never
export type ErrorOf<B> = [B] extends [never]
  ? never
  : EffectOf<B> extends Effect.Effect<unknown, infer E, unknown>
    ? E
    : never
export type ServicesOf<B> = [B] extends [never]
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
  /**
   * How many branches or items run at once: a whole number of at least 1, or `"unbounded"`. They start in the order of their
   * indexes. Default: 1 for `all` and `forEach`, as in Effect, and `"unbounded"` for `parallel` and `map`.
   */
  readonly concurrency?: number | "unbounded" | undefined
  /**
   * Whether a branch has no record of its own. That saves one operation for each; its body then runs again on every replay
   * until the whole operation is recorded. Default: `false`.
   */
  readonly flat?: boolean | undefined
}

/**
 * How branches or items are run whose values are collected.
 *
 * @category models
 * @since 0.1.0
 */
export interface CollectOptions extends ConcurrencyOptions {
  /** Whether the values are thrown away: the operation ends with nothing, and none of them is recorded. Default: `false`. */
  readonly discard?: boolean | undefined
}

type DiscardOf<O> = O extends readonly [{ readonly discard: infer Discard }] ? Discard : false

/** What there is to record of a value: nothing, if it is thrown away. */
export type Kept<A, O> = [DiscardOf<O>] extends [true] ? void : A

/** What an operation ends with that collects `Values`, unless it throws them away. */
export type Collected<Values, O> = CollectedUnless<DiscardOf<O>, Values>

type CollectedUnless<Discard, Values> = Discard extends true ? void : Values

export const branchOf = (branch: AnyBranch, name: string): BatchItem => {
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

/** The effects of branches whose names nobody reads. */
export const bodiesOf = (branches: ReadonlyArray<AnyBranch>) => branches.map((branch) => branchOf(branch, "").body)
