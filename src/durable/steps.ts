/**
 * Work and time: run something once, let time pass, and keep an invocation alive.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as stepOperation from "../runtime/operations/step.ts"
import * as waitOperation from "../runtime/operations/wait.ts"
import type * as Duration from "effect/Duration"
import type {
  FromArguments,
  RecordOptions,
  RecordServices,
  Recordable,
  RecordedError,
  RecordedValue
} from "../Plain.ts"
import type { RetryPolicy } from "../RetryPolicy.ts"
import type { StepContext } from "../StepContext.ts"
import type { StepInterrupted } from "../DurableError.ts"
import { Execution, tracked } from "../runtime/Execution.ts"
import { cast } from "effect/Function"
import { type InsideStep, typed } from "./typed.ts"

/**
 * The options of a {@link step} besides how it is recorded.
 *
 * @category models
 * @since 0.1.0
 */
export interface StepOptions<E> {
  /**
   * When a failed attempt is repeated. Default: up to 6 attempts, after 5 s and twice as long each time up to 60 s, with
   * full jitter; with `semantics: "at-most-once"` there is none.
   */
  readonly retry?: RetryPolicy<E>
  /**
   * What an invocation does that finds the step started but without an outcome: run it again (`"at-least-once"`, the
   * default), or fail it as `StepInterrupted` (`"at-most-once"`, and with `retry` at most once per attempt).
   */
  readonly semantics?: "at-least-once" | "at-most-once"
}

type StepError<O> = O extends readonly [{ readonly semantics?: infer Semantics }]
  ? "at-most-once" extends Semantics
    ? StepInterrupted
    : never
  : never

/**
 * Runs an effect once and records how it ended; a replay answers with the record and does not run it.
 *
 * The body may use any service and gets a {@link StepContext}. A failed attempt is repeated as the retry policy says,
 * with the delays between attempts spent without an invocation; after the last one the step fails with the error of the
 * body, or dies with its defect. A value or an error that is not plain data needs its Schema in the options.
 *
 * **Errors**: those of the body, and with `semantics: "at-most-once"` also `StepInterrupted`.
 * **Defects**: `InvalidName`, `NameInUse`, `NestedOperation`, `SerdesFailed`, `PayloadTooLarge` (more than 262,144 bytes
 * of JSON).
 *
 * @example
 * ```ts
 * import { Durable, RetryPolicy } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const draw = Durable.step("draw", Effect.sync(() => Math.ceil(Math.random() * 6)), {
 *   retry: RetryPolicy.fixed({ maxAttempts: 3, delay: "2 seconds" })
 * })
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const step = <
  A = never,
  E = never,
  R = never,
  O extends RecordOptions<A, StepOptions<NoInfer<E>>> = Required<RecordOptions<A, StepOptions<NoInfer<E>>>>
>(
  name: string,
  body: Effect.Effect<A, E, R> & InsideStep<R>,
  ...options: O & Recordable<A, E, O, StepOptions<NoInfer<E>>>
): Effect.Effect<
  RecordedValue<A, O>,
  RecordedError<E, O> | StepError<O>,
  FromArguments<Exclude<R, StepContext>> | Execution | RecordServices<O>
> => typed(stepOperation.step(name, body, cast<unknown, stepOperation.StepOptions>(options[0] ?? {})))

/**
 * Lets time pass without an invocation: the execution is suspended meanwhile and costs no compute.
 *
 * The duration is at least 1 second and at most 366 days, and is rounded up to whole seconds. A number means
 * milliseconds, as everywhere in Effect.
 *
 * **Defects**: `InvalidDuration`, `InvalidName`, `NameInUse`, `NestedOperation`.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 *
 * export const coolOff = Durable.wait("cool-off", "3 days")
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const wait = (name: string, duration: Duration.Input): Effect.Effect<void, never, Execution> =>
  typed(waitOperation.wait(name, duration))

/**
 * Keeps the invocation alive while an effect runs that is no durable operation but still has to finish, such as a
 * request whose answer another branch of the workflow needs.
 *
 * It records nothing: the effect runs again on every replay. Without it, plain asynchronous work outside of a step does
 * not keep the execution from being suspended, and is cut off then.
 *
 * **Errors** and **Defects**: those of the effect.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const warmed = Effect.all([
 *   Durable.wait("cool-off", "1 minute"),
 *   Durable.hold(Effect.sleep("200 millis"))
 * ], { concurrency: "unbounded" })
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const hold = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Execution> =>
  Effect.flatMap(Execution, ({ context, run }) =>
    tracked({ run, context, path: context.path === "" ? "hold" : `${context.path}/hold` }, "hold", effect)
  )
