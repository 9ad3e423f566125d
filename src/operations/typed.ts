/**
 * What the operations that users see have in common: their types are checked here, and forgotten further inside.
 *
 * Owns: the one place at which types are forgotten, and what the compiler refuses for all operations.
 * Does not own: what an operation does.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type { HoldsOperations } from "../execution/Parts.ts"
import type { RetryPolicy } from "../RetryPolicy.ts"
import type { Recording } from "../values/Values.ts"
import { cast } from "effect/Function"
import { noted } from "../execution/CallSite.ts"

// Operations are implemented without their types: what may be recorded is checked here, at compile time, and again when
// a value is written.
export const typed = <A, E, R>(operation: Effect.Effect<unknown, unknown, unknown>): Effect.Effect<A, E, R> =>
  cast(noted(operation))

/** How an operation is told to record its value, by its rest arguments. */
export const recordingOf = (options: ReadonlyArray<unknown>): Recording => cast<unknown, Recording>(options[0] ?? {})

/** A step that holds durable operations does not compile. */
export type InsideStep<R> =
  HoldsOperations<R> extends true
    ? { readonly "a step cannot hold durable operations: use Durable.child, or move them out of the step": never }
    : unknown

/** A policy that is given before the effect must be one for its errors. */
export type PolicyFor<E, Policy> = [Policy] extends [RetryPolicy<E> | undefined]
  ? unknown
  : { readonly "the retry policy is for other errors": E }

/** The arguments after the first. */
export type AfterFirst<O> = O extends readonly [unknown, ...infer Rest] ? Rest : readonly []

/** An option of the arguments `O`, if it is among them. */
export type OptionOf<O, Key extends string> = O extends readonly [infer Options]
  ? Key extends keyof Options
    ? Options[Key]
    : undefined
  : undefined

/**
 * How long something may take: a duration (1 second to 366 days, rounded up to whole seconds), or until a point in time.
 * One that has passed already fails before anything is recorded.
 *
 * @category models
 * @since 0.1.0
 */
export type Timeout = Duration.Input | Date | DateTime.DateTime
