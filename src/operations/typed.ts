/**
 * The shared types of the public operations: types are checked here, and erased for the implementation.
 *
 * Owns: the one place that erases types, and the compile errors that all operations share.
 * Does not own: the operations.
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

// The implementation of operations is untyped: recordable values are checked here at compile time, and again when a value is
// written.
export const typed = <A, E, R>(operation: Effect.Effect<unknown, unknown, unknown>): Effect.Effect<A, E, R> =>
  cast(noted(operation))

/** Returns the recording rules of an operation from its rest arguments. */
export const recordingOf = (options: ReadonlyArray<unknown>): Recording => cast<unknown, Recording>(options[0] ?? {})

/** A compile error for a step that holds durable operations. */
export type InsideStep<R> =
  HoldsOperations<R> extends true
    ? { readonly "a step cannot hold durable operations: use Durable.child, or move them out of the step": never }
    : unknown

/** A compile error for a policy that is given before the effect and does not fit its errors. */
export type PolicyFor<E, Policy> = [Policy] extends [RetryPolicy<E> | undefined]
  ? unknown
  : { readonly "the retry policy is for other errors": E }

/** The arguments after the first. */
export type AfterFirst<O> = O extends readonly [unknown, ...infer Rest] ? Rest : readonly []

/**
 * A limit of time: a duration (1 second to 366 days, rounded up to whole seconds), or a point in time. A point in time
 * that has already passed fails before anything is recorded.
 *
 * @category models
 * @since 0.1.0
 */
export type Timeout = Duration.Input | Date | DateTime.DateTime
