/**
 * Polling: look at something until it is as it should be.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as conditionOperation from "../runtime/operations/condition.ts"
import type * as Duration from "effect/Duration"
import type * as Schema from "effect/Schema"
import type * as Serdes from "../Serdes.ts"
import type { ConditionExhausted } from "../DurableError.ts"
import type { Execution } from "../runtime/Execution.ts"
import type { FromArguments, RecordServices, Recordable, RecordedError, RecordedValue } from "../Plain.ts"
import type { StepContext } from "../StepContext.ts"
import { cast } from "effect/Function"
import { type InsideStep, typed } from "./typed.ts"

/**
 * What the delay of a {@link waitForCondition} may depend on.
 *
 * @category models
 * @since 0.1.0
 */
export interface Look<S> {
  /** The number of the check that has just been made, from 1. */
  readonly attempt: number
  /** What that check ended with. */
  readonly state: S
  /** A random number of at least 0 and less than 1, for jitter. */
  readonly random: number
}

/**
 * What a {@link waitForCondition} looks at, and when it is content.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConditionOptions<S, A extends S = S, E = never, R = never> {
  /** What the first check begins with. */
  readonly initial: S
  /** Looks at something and says how it is now: the body of a step, without retries. */
  readonly check: (state: S) => Effect.Effect<A, E, R> & Effect.Effect<S, E, R> & InsideStep<R>
  /** Whether that is how it should be. */
  readonly until: (state: NoInfer<S>) => boolean
  /**
   * The time from one check to the next, in whole seconds of at least 1. Default: 5 seconds, half as long again each time,
   * up to 5 minutes, with full jitter.
   */
  readonly delay?: Duration.Input | ((look: Look<NoInfer<S>>) => Duration.Input)
  /** How many attempts there may be: a whole number of at least 1, or `Infinity`. Default: 60. */
  readonly maxAttempts?: number
}

/**
 * How the state of a {@link waitForCondition} and its errors are recorded.
 *
 * @category models
 * @since 0.1.0
 */
export interface StateRecording<State, Error, Codec> {
  /** The Schema of the state. Needed unless the state is plain data. */
  readonly state?: State
  /** The Schema of the errors. Needed unless there are none besides the library's own. */
  readonly error?: Error
  /** Writes and reads the state in place of the ambient Serdes; `state` is then not needed. */
  readonly serdes?: Codec
}

/** The same as the arguments of an operation that records a value. What is `never` was not given. */
type StateArguments<State, Error, Codec> = readonly [
  Given<"success", State> & Given<"error", Error> & Given<"serdes", Codec>
]

/** What the Schema reads, the next check begins with. */
interface Readable<S> {
  readonly state?: { readonly Type: S }
}

type Given<Key extends string, T> = [T] extends [never] ? unknown : Readonly<Record<Key, T>>

/**
 * Looks at something again and again, without an invocation between two looks, until it is as it should be.
 *
 * Each look is an attempt of one operation: `check` takes the state that the last one ended with and gives a new one,
 * which is recorded; the last state is the result. It is not repeated when it fails. The operation costs one operation
 * for each look.
 *
 * **Errors**: those of `check`, `ConditionExhausted`.
 * **Defects**: those of `Durable.step`, `InvalidOptions`, `InvalidDuration`.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * declare const statusOf: (job: string) => Effect.Effect<"RUNNING" | "DONE" | "BROKEN">
 *
 * export const finished = Durable.waitForCondition("job-finished", {
 *   initial: "RUNNING",
 *   check: () => statusOf("job-1"),
 *   until: (status) => status !== "RUNNING",
 *   delay: ({ attempt }) => `${Math.min(attempt * 10, 120)} seconds`
 * })
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const waitForCondition = <
  S,
  A extends S = S,
  E = never,
  R = never,
  State extends Schema.Top = never,
  Error extends Schema.Top = never,
  Codec extends Serdes.Codec<A, unknown> = never
>(
  name: string,
  options: ConditionOptions<S, A, E, R> &
    StateRecording<State, Error, Codec> &
    Readable<S> &
    NoInfer<Recordable<A, E, StateArguments<State, Error, Codec>, unknown, "state">>
): Effect.Effect<
  RecordedValue<A, StateArguments<State, Error, Codec>>,
  RecordedError<E, StateArguments<State, Error, Codec>> | ConditionExhausted,
  FromArguments<Exclude<R, StepContext>> | Execution | RecordServices<StateArguments<State, Error, Codec>>
> => typed(conditionOperation.waitForCondition(name, cast<unknown, conditionOperation.ConditionOptions>(options)))
