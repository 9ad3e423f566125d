/**
 * The replies of simulated functions and callbacks: how a call of a stub ends, and how a callback is answered.
 *
 * Use them with `TestEngine.stub` and `TestEngine.answer`, which take one reply for all, a list with a reply for each in
 * turn, or a function that returns one.
 *
 * Owns: the kinds of replies. Does not own: their form on the wire.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import { readMillis } from "../internal/durations.ts"
import { kindOf } from "../internal/found.ts"
import type { ErrorObject } from "../wire/ErrorObject.ts"
import { TestFailure } from "./TestFailure.ts"

/**
 * A value.
 *
 * @category models
 * @since 0.1.0
 */
export interface Succeed<out A> {
  readonly _tag: "Succeed"
  readonly value: A
}

/**
 * An error: a declared one, or a raw error object as it crosses the wire.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fail<out E> {
  readonly _tag: "Fail"
  readonly error: E | ErrorObject
}

/**
 * An end that only functions have: a time-out, or a stop from outside.
 *
 * @category models
 * @since 0.1.0
 */
export interface CutOff {
  readonly _tag: "TimeOut" | "Stop"
  readonly error: ErrorObject | undefined
}

/**
 * A reply that never comes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Never {
  readonly _tag: "Never"
}

/**
 * Another reply, after some milliseconds of virtual time.
 *
 * @category models
 * @since 0.1.0
 */
export interface After<out R> {
  readonly _tag: "After"
  /** The delay in milliseconds. */
  readonly millis: number
  readonly reply: R
}

/**
 * How a call of a stub ends. Create one with {@link succeed}, {@link fail}, {@link timeOut}, {@link stop}, {@link throttle},
 * {@link never} or {@link after}.
 *
 * @category models
 * @since 0.1.0
 */
export type Reply<Success = unknown, Error = unknown> =
  | Succeed<Success>
  | Fail<Error>
  | CutOff
  | Never
  | After<Reply<Success, Error>>

/**
 * How a callback is answered. Create one with {@link succeed}, {@link fail}, {@link never} or {@link after}.
 *
 * @category models
 * @since 0.1.0
 */
export type CallbackReply<Success = unknown, Error = unknown> =
  | Succeed<Success>
  | Fail<Error>
  | Never
  | After<CallbackReply<Success, Error>>

/**
 * Returns the reply with which the call succeeds, or the callback is completed.
 *
 * @example
 * ```ts
 * import { DurableFunction } from "effect-durable"
 * import { Reply, TestEngine } from "effect-durable/testing"
 * import * as Schema from "effect/Schema"
 *
 * const Price = DurableFunction.plain("price", { success: Schema.Int })
 *
 * export const price = TestEngine.stub(Price, Reply.succeed(1_250))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const succeed = <const A>(value: A): Succeed<A> => ({ _tag: "Succeed", value })

/**
 * Returns the reply with which the call or the callback fails: an error that the contract or the callback declares, or a raw
 * error object as it crosses the wire.
 *
 * @example
 * ```ts
 * import { DurableFunction } from "effect-durable"
 * import { Reply, TestEngine } from "effect-durable/testing"
 * import * as Schema from "effect/Schema"
 *
 * class Sold extends Schema.TaggedError<Sold>()("Sold", { by: Schema.String }) {}
 *
 * const Price = DurableFunction.plain("price", { success: Schema.Int, error: Sold })
 *
 * export const price = TestEngine.stub(Price, Reply.fail(new Sold({ by: "Ada" })))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const fail = <const E>(error: E | ErrorObject): Fail<E> => ({ _tag: "Fail", error })

/**
 * Returns the reply of a function that reaches its own time-out.
 *
 * @example
 * ```ts
 * import { DurableFunction } from "effect-durable"
 * import { Reply, TestEngine } from "effect-durable/testing"
 * import * as Schema from "effect/Schema"
 *
 * const Price = DurableFunction.plain("price", { success: Schema.Int })
 *
 * export const price = TestEngine.stub(Price, [Reply.timeOut(), Reply.succeed(1_250)])
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const timeOut = (error?: ErrorObject): CutOff => ({ _tag: "TimeOut", error })

/**
 * Returns the reply of a function whose execution is stopped from outside.
 *
 * @example
 * ```ts
 * import { DurableFunction } from "effect-durable"
 * import { Reply, TestEngine } from "effect-durable/testing"
 * import * as Schema from "effect/Schema"
 *
 * const Price = DurableFunction.plain("price", { success: Schema.Int })
 *
 * export const price = TestEngine.stub(Price, Reply.stop({ ErrorType: "Stopped", ErrorMessage: "by an operator" }))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const stop = (error?: ErrorObject): CutOff => ({ _tag: "Stop", error })

/**
 * The reply of a throttled call: it fails as the service does when a function has no concurrency left.
 *
 * @category constructors
 * @since 0.1.0
 */
export const throttle: Reply<never, never> = {
  _tag: "Fail",
  error: { ErrorType: "TooManyRequestsException", ErrorMessage: "Rate Exceeded." }
}

/**
 * The reply that never comes: the function never ends, or nobody answers the callback.
 *
 * @category constructors
 * @since 0.1.0
 */
export const never: Never = { _tag: "Never" }

/**
 * Returns a reply that comes after a duration of virtual time.
 *
 * @example
 * ```ts
 * import { Reply, TestEngine } from "effect-durable/testing"
 *
 * export const approval = TestEngine.answer("approval", Reply.after("2 days", Reply.succeed("yes")))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const after = <R extends Reply>(delay: Duration.Input, reply: R): After<R> => ({
  _tag: "After",
  millis: readMillis("the delay of Reply.after", delay),
  reply
})

/** @internal Whether something is a reply, which a caller without types may have forgotten to make of a value. */
export const isReply = (found: unknown): boolean =>
  hasProperty(found, "_tag") && typeof found._tag === "string" && tags.has(found._tag)

const tags = new Set<string>(["Succeed", "Fail", "TimeOut", "Stop", "Never", "After"] satisfies Array<Reply["_tag"]>)

/** @internal The defect for what is no reply. */
export const noReply = (whose: string, found: unknown): Effect.Effect<never> =>
  Effect.die(
    new TestFailure({
      message: `Expected ${whose} to be a reply, found ${kindOf(found)}. Wrap a value in Reply.succeed, or return an Effect of it.`
    })
  )
