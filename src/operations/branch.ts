/**
 * The user-facing types that operations with branches share.
 *
 * Owns: the definition of a branch, its name and types, and the concurrency options.
 * Does not own: how branches run.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import type { OptionOf } from "../Plain.ts"
import { effectIn, isList, unfit } from "./argument.ts"
import type { BatchItem } from "./batch.ts"
import type { Body } from "./Operation.ts"

/**
 * A branch of a concurrent operation: an effect, optionally with a name for histories and messages. The name is a label and
 * need not be unique.
 *
 * @category models
 * @since 0.1.0
 */
export type Branch<A, E, R> =
  | Effect.Effect<A, E, R>
  | { readonly name: string; readonly effect: Effect.Effect<A, E, R> }

/** The constraint of a branch before the compiler has inferred the effects. */
export type AnyBranch = Effect.Effect<unknown, unknown, unknown> | { readonly name: string; readonly effect: unknown }

export type EffectOf<B> =
  B extends Effect.Effect<unknown, unknown, unknown> ? B : B extends { readonly effect: infer Body } ? Body : never

// Without any branch the compiler infers nothing.
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
 * The options for running branches or items concurrently.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConcurrencyOptions {
  /**
   * The maximum number of branches or items that run at once: a whole number of at least 1, or `"unbounded"`. They
   * start in index order. Default: 1 for `all` and `forEach`, as in Effect, and `"unbounded"` for `parallel` and `map`.
   */
  readonly concurrency?: number | "unbounded" | undefined
  /**
   * Whether branches have no record of their own. This saves one operation for each branch. The body of a branch then
   * runs again on every replay until the batch has ended. Default: `false`.
   */
  readonly flat?: boolean | undefined
}

/**
 * The options for branches or items whose values are collected.
 *
 * @category models
 * @since 0.1.0
 */
export interface CollectOptions extends ConcurrencyOptions {
  /** Whether to discard the values: the result is `void`, and no value is recorded. Default: `false`. */
  readonly discard?: boolean | undefined
}

type DiscardOf<O> = OptionOf<O, "discard">

/** The recorded type of a value: `void` if the values are discarded. */
export type Kept<A, O> = [DiscardOf<O>] extends [true] ? void : A

/** The result type of an operation that collects `Values`: `void` if it discards them. */
export type Collected<Values, O> = CollectedUnless<DiscardOf<O>, Values>

type CollectedUnless<Discard, Values> = Discard extends true ? void : Values

export const branchOf = (branch: AnyBranch, name: string): BatchItem => {
  if (Effect.isEffect(branch)) return { name, body: branch }
  const { effect = branch, name: own = name } = cast<unknown, Partial<typeof branch>>(Object(branch))
  return { name: String(cast<string, unknown>(own)), body: effectIn(effect, own) }
}

/** Goes on with the branches in a list, under the names that they have or are given. */
export const branchesOf = (
  name: string,
  branches: ReadonlyArray<AnyBranch>,
  next: (items: ReadonlyArray<BatchItem>) => Body
): Body =>
  isList(branches)
    ? next(Array.from(branches, (branch, index) => branchOf(branch, `parallel-branch-${index}`)))
    : unfit(name, "branches", "a list", branches, "Pass an array of effects.")
