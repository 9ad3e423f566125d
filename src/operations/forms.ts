/**
 * The two forms of an operation: with its effect as an argument, `step("charge", effect, options)`, or in a pipe,
 * `effect.pipe(step("charge", options))`.
 *
 * Owns: the distinction of the two forms, at run time and for the compiler. Does not own: the operations.
 *
 * Invariants:
 * 1. The presence of an effect distinguishes the forms, never the number of arguments: options are optional.
 * 2. The compiler reports one form only. An overload whose effect is missing or unexpected requires arguments that no call
 *    has, so the error message is that of the other overload.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import type { Execution } from "../execution/Parts.ts"
import type { KnownArguments, RecordArguments, Recording } from "../Plain.ts"
import { effectIn } from "./argument.ts"

/**
 * Creates an operation in both forms: its effect is the argument at `index`, or is piped in and takes that place. In the
 * second form the argument there is of one of the types `next`. A value of another type was meant as the effect.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller defines the public type
export const inBothForms = <Form>(
  index: number,
  next: string,
  operation: (...args: ReadonlyArray<never>) => Effect.Effect<unknown, unknown, unknown>
): Form => {
  const whole = cast<unknown, (...args: ReadonlyArray<unknown>) => unknown>(operation)
  return cast((...args: ReadonlyArray<unknown>) => {
    const found = args[index]
    if (Effect.isEffect(found)) return whole(...args)
    const name = index === 0 ? "Durable.onExit" : args[0]
    // Only options may follow in the second form.
    return !next.includes(typeof found) || found instanceof Promise || typeof args[index + 1] === "function"
      ? effectIn(found, name)
      : (effect: unknown) =>
          Effect.isEffect(effect) ? whole(...args.toSpliced(index, 0, effect)) : effectIn(effect, name)
  })
}

// --- Types ---------------------------------------------------------------------------------------------------------------

export type AnyEffect = Effect.Effect<unknown, unknown, unknown>

/**
 * Makes the compiler infer `V` from an effect and `W` from any value, and checks nothing. From a call like `Effect.map(a,
 * f)` the compiler infers neither in its first pass: it looks at such calls in a second one.
 */
export type Sensed<V, W> = ([V] extends [1] ? EffectAs<V> : unknown) & ([W] extends [1] ? W : unknown)

/**
 * The constraint of the options next to a function whose arguments are inferred. The compiler checks such a function last,
 * and the options before it, when their expected type is still unknown. It would report an error of the options at the
 * function.
 */
export type OnceSeen<V, Options extends ReadonlyArray<unknown>> = [V] extends [never] ? ReadonlyArray<unknown> : Options

/** The rest arguments next to such a function: `Checked` as soon as the compiler has looked at the function. */
export type OnceSeenArguments<V, O, Checked extends ReadonlyArray<unknown>> = [V] extends [never]
  ? Extract<O, ReadonlyArray<unknown>>
  : Checked

type EffectAs<V> = { readonly [Key in Effect.TypeId]: V }

/** `No` if there is certainly no effect. A type parameter may be an effect, so `W` is ignored where `V` is known. */
type IfEffect<V, W, Yes, No> = [V] extends [never] ? (unknown extends W ? Yes : No) : Yes

/** The rest arguments of the form that takes its effect as an argument. */
export type FirstArguments<V, W, A, E, O extends ReadonlyArray<unknown>, Own = unknown> = IfEffect<
  V,
  W,
  RecordArguments<A, E, O, Own>,
  Inapplicable
>

/** The counterpart of {@link FirstArguments} for an operation that records nothing. */
export type FirstUnrecorded<V, W, O extends ReadonlyArray<unknown>, Known> = IfEffect<
  V,
  W,
  KnownArguments<O, Known, O>,
  Inapplicable
>

/** The result of the form that takes its effect as an argument. Without an effect only the arguments are wrong. */
export type Given<V, W, Operation> = IfEffect<V, W, Operation, Misused>

/**
 * A type that fits everywhere, so that the compiler reports only the actual error of a wrong call. It is no interface: the
 * compiler would report that a declaration cannot name it, too.
 */
type Misused = Effect.Effect<never, never, Execution> &
  (<A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R | Execution>)

/**
 * The constraint of the arguments after the name in the form that takes its effect in a pipe: those of `Lead`, and the
 * options. The second member makes the compiler see that there is an effect.
 */
export type LastOptions<Own = unknown, Lead extends ReadonlyArray<unknown> = readonly []> =
  | readonly [...Lead, options?: (Recording<never> & Own) | undefined]
  | readonly [AnyEffect, ...ReadonlyArray<unknown>]
  | readonly [NoEffect, ...ReadonlyArray<unknown>]

/** A value that is meant as an effect and cannot be options. */
type NoEffect = ((...args: never) => unknown) | PromiseLike<unknown>

/**
 * The result of the form that takes its effect in a pipe. The conditional type hides it, because the compiler checks calls
 * of an operation that may return a function only in its second pass.
 */
export type InPipe<O, Piped> = O extends ReadonlyArray<unknown> ? Piped : never

/** The rest arguments of the form that takes its effect in a pipe. */
export type LastArguments<
  O extends ReadonlyArray<unknown>,
  Own = unknown,
  Lead extends ReadonlyArray<unknown> = readonly []
> = O extends readonly [AnyEffect, ...ReadonlyArray<unknown>]
  ? NotInPipe<O, readonly [effect: AnyEffect, ...Lead, options?: unknown]>
  : O extends readonly [NoEffect, ...ReadonlyArray<unknown>]
    ? number extends O["length"]
      ? never
      : readonly [effect: Effect.Effect<unknown, unknown, unknown>, ...ReadonlyArray<unknown>]
    : KnownArguments<O, Recording<never> & Own, O, Lead>

/** The number of arguments of the other form, if the call has a wrong number. */
type NotInPipe<O extends ReadonlyArray<unknown>, First extends ReadonlyArray<unknown>> = number extends O["length"]
  ? never
  : O["length"] extends First["length"]
    ? Inapplicable
    : First

type Inapplicable = readonly [never, never, never, never, never, never, never, never]
