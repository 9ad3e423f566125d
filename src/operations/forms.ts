/**
 * Forms: an operation takes its effect at once, `step("charge", effect, options)`, or in a pipe,
 * `effect.pipe(step("charge", options))`.
 *
 * Owns: telling the two forms apart, at run time and for the compiler. Does not own: what an operation does.
 *
 * Invariants:
 * 1. The forms are told apart by whether there is an effect, never by the number of arguments: options may be left out.
 * 2. The compiler blames one form only: an overload whose effect is missing, or is in its way, asks for arguments that no
 *    call has, and then the message is that of the other.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import type { Execution } from "../execution/Parts.ts"
import type { KnownArguments, RecordArguments, Recording } from "../Plain.ts"

/** An operation in both forms: its effect is the argument at `index`, or comes later, and then takes that place. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- whoever calls it says what users see
export const inBothForms = <Form>(
  index: number,
  operation: (...args: ReadonlyArray<never>) => Effect.Effect<unknown, unknown, unknown>
): Form => {
  const whole = cast<unknown, (...args: ReadonlyArray<unknown>) => unknown>(operation)
  return cast((...args: ReadonlyArray<unknown>) =>
    Effect.isEffect(args[index]) ? whole(...args) : (effect: unknown) => whole(...args.toSpliced(index, 0, effect))
  )
}

// --- For the compiler ----------------------------------------------------------------------------------------------------

export type AnyEffect = Effect.Effect<unknown, unknown, unknown>

/**
 * Has the compiler infer `V` of whatever is an effect, and `W` of whatever it is at all, and checks nothing. Neither is
 * inferred of a call like `Effect.map(a, f)` at first: the compiler looks at those in a second pass.
 */
export type Sensed<V, W> = ([V] extends [1] ? EffectAs<V> : unknown) & ([W] extends [1] ? W : unknown)

/**
 * The constraint of the options beside a function whose arguments are inferred. The compiler looks at such a function last, and
 * at the options before that, when nothing is known of what they have to fit; what it refuses then, it blames on the function.
 */
export type OnceSeen<V, Options extends ReadonlyArray<unknown>> = [V] extends [never] ? ReadonlyArray<unknown> : Options

/** The rest arguments beside such a function: `Checked` as soon as it was looked at. */
export type OnceSeenArguments<V, O, Checked extends ReadonlyArray<unknown>> = [V] extends [never]
  ? Extract<O, ReadonlyArray<unknown>>
  : Checked

type EffectAs<V> = { readonly [Key in Effect.TypeId]: V }

/** `No` if it is known that there is no effect. A type parameter may be one, so `W` is not asked where `V` is known. */
type IfEffect<V, W, Yes, No> = [V] extends [never] ? (unknown extends W ? Yes : No) : Yes

/** The rest arguments of the form that takes its effect at once. */
export type FirstArguments<V, W, A, E, O extends ReadonlyArray<unknown>, Own = unknown> = IfEffect<
  V,
  W,
  RecordArguments<A, E, O, Own>,
  Inapplicable
>

/** As {@link FirstArguments}, for an operation that records nothing. */
export type FirstUnrecorded<V, W, O extends ReadonlyArray<unknown>, Known> = IfEffect<
  V,
  W,
  KnownArguments<O, Known, O>,
  Inapplicable
>

/** What the form that takes its effect at once gives. Without an effect nothing was wrong but its arguments. */
export type Given<V, W, Operation> = IfEffect<V, W, Operation, Misused>

/** Fits everywhere, so that nothing is said of a call like this but what is wrong with it. */
interface Misused extends Effect.Effect<never, never, Execution> {
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Execution>
}

/**
 * The constraint of the arguments besides the name in the form that takes its effect in a pipe: those of `Lead`, and the
 * options. Its second member is what makes the compiler see that there is an effect.
 */
export type LastOptions<Own = unknown, Lead extends ReadonlyArray<unknown> = readonly []> =
  | readonly [...Lead, options?: (Recording<never> & Own) | undefined]
  | readonly [AnyEffect, ...ReadonlyArray<unknown>]
  | readonly [NoEffect, ...ReadonlyArray<unknown>]

/** What is no options, but meant to be an effect. */
type NoEffect = ((...args: never) => unknown) | PromiseLike<unknown>

/**
 * What the form that takes its effect in a pipe gives. Hidden in a condition, because the compiler would look at every call
 * of an operation that may give a function in its second pass only.
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

/** How many arguments the other form takes, where that is what is wrong. */
type NotInPipe<O extends ReadonlyArray<unknown>, First extends ReadonlyArray<unknown>> = number extends O["length"]
  ? never
  : O["length"] extends First["length"]
    ? Inapplicable
    : First

type Inapplicable = readonly [never, never, never, never, never, never, never, never]
