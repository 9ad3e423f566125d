/**
 * How that ends which a test scripts: calls of stubs, and answers to callbacks.
 *
 * Owns: what can be said. Does not own: what becomes of it on the wire.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type { ErrorObject } from "../wire/ErrorObject.ts"

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
 * An error: one that is declared, or a raw error object as it crosses the wire.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fail<out E> {
  readonly _tag: "Fail"
  readonly error: E | ErrorObject
}

/**
 * What only happens to functions: a time-out, or a stop from outside.
 *
 * @category models
 * @since 0.1.0
 */
export interface CutOff {
  readonly _tag: "TimeOut" | "Stop"
  readonly error: ErrorObject | undefined
}

/**
 * No end.
 *
 * @category models
 * @since 0.1.0
 */
export interface Never {
  readonly _tag: "Never"
}

/**
 * Another outcome, after some milliseconds of virtual time.
 *
 * @category models
 * @since 0.1.0
 */
export interface After<out O> {
  readonly _tag: "After"
  /** In milliseconds. */
  readonly millis: number
  readonly outcome: O
}

/**
 * How a call of a stub ends. Make one with {@link succeed}, {@link fail}, {@link timeOut}, {@link stop}, {@link throttle},
 * {@link never} or {@link after}.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome<Success = unknown, Error = unknown> =
  | Succeed<Success>
  | Fail<Error>
  | CutOff
  | Never
  | After<Outcome<Success, Error>>

/**
 * How a callback is answered. Make one with {@link succeed}, {@link fail}, {@link never} or {@link after}.
 *
 * @category models
 * @since 0.1.0
 */
export type Reply<Success = unknown, Error = unknown> =
  | Succeed<Success>
  | Fail<Error>
  | Never
  | After<Reply<Success, Error>>

/**
 * The call succeeds with a value, or the callback is completed with it.
 *
 * @example
 * ```ts
 * import { DurableFunction } from "effect-durable"
 * import { TestEngine } from "effect-durable/testing"
 * import * as Schema from "effect/Schema"
 *
 * const Price = DurableFunction.plain("price", { success: Schema.Int })
 *
 * export const price = TestEngine.stub(Price, TestEngine.succeed(1_250))
 * ```
 *
 * @category outcomes
 * @since 0.1.0
 */
export const succeed = <A>(value: A): Succeed<A> => ({ _tag: "Succeed", value })

/**
 * The call or the callback fails with an error that the contract or the callback declares, or with a raw error object as it
 * crosses the wire.
 *
 * @example
 * ```ts
 * import { DurableFunction } from "effect-durable"
 * import { TestEngine } from "effect-durable/testing"
 * import * as Schema from "effect/Schema"
 *
 * class Sold extends Schema.TaggedError<Sold>()("Sold", { by: Schema.String }) {}
 *
 * const Price = DurableFunction.plain("price", { success: Schema.Int, error: Sold })
 *
 * export const price = TestEngine.stub(Price, TestEngine.fail(new Sold({ by: "Ada" })))
 * ```
 *
 * @category outcomes
 * @since 0.1.0
 */
export const fail = <E>(error: E | ErrorObject): Fail<E> => ({ _tag: "Fail", error })

/**
 * The function reaches its own time-out.
 *
 * @example
 * ```ts
 * import { DurableFunction } from "effect-durable"
 * import { TestEngine } from "effect-durable/testing"
 * import * as Schema from "effect/Schema"
 *
 * const Price = DurableFunction.plain("price", { success: Schema.Int })
 *
 * export const price = TestEngine.stub(Price, [TestEngine.timeOut(), TestEngine.succeed(1_250)])
 * ```
 *
 * @category outcomes
 * @since 0.1.0
 */
export const timeOut = (error?: ErrorObject): CutOff => ({ _tag: "TimeOut", error })

/**
 * The execution of the function is stopped from outside.
 *
 * @example
 * ```ts
 * import { DurableFunction } from "effect-durable"
 * import { TestEngine } from "effect-durable/testing"
 * import * as Schema from "effect/Schema"
 *
 * const Price = DurableFunction.plain("price", { success: Schema.Int })
 *
 * export const price = TestEngine.stub(Price, TestEngine.stop({ ErrorType: "Stopped", ErrorMessage: "by an operator" }))
 * ```
 *
 * @category outcomes
 * @since 0.1.0
 */
export const stop = (error?: ErrorObject): CutOff => ({ _tag: "Stop", error })

/**
 * The call is throttled: it fails as the service says it when a function has no concurrency left.
 *
 * @category outcomes
 * @since 0.1.0
 */
export const throttle: Outcome<never, never> = {
  _tag: "Fail",
  error: { ErrorType: "TooManyRequestsException", ErrorMessage: "Rate Exceeded." }
}

/**
 * The function, or whoever has the callback, never answers.
 *
 * @category outcomes
 * @since 0.1.0
 */
export const never: Never = { _tag: "Never" }

/**
 * The outcome comes after a time: a duration of virtual time.
 *
 * @example
 * ```ts
 * import { TestEngine } from "effect-durable/testing"
 *
 * export const approval = TestEngine.answer("approval", TestEngine.after("2 days", TestEngine.succeed("yes")))
 * ```
 *
 * @category outcomes
 * @since 0.1.0
 */
export const after = <O extends Outcome>(delay: Duration.Input, outcome: O): After<O> => ({
  _tag: "After",
  millis: Duration.toMillis(Duration.fromInputUnsafe(delay)),
  outcome
})
