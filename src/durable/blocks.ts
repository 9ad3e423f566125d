/**
 * Blocks of operations: group them, repeat them, undo them, and clean up after them.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as childOperation from "../runtime/operations/child.ts"
import * as compensationOperation from "../runtime/operations/compensation.ts"
import * as retryOperation from "../runtime/operations/retry.ts"
import type * as Cause from "effect/Cause"
import type * as Exit from "effect/Exit"
import type {
  FromArguments,
  RecordOptions,
  RecordServices,
  Recordable,
  RecordedError,
  RecordedValue
} from "../Plain.ts"
import type { Recording } from "../runtime/Recording.ts"
import type { RetryPolicy } from "../RetryPolicy.ts"
import { Execution } from "../runtime/Execution.ts"
import { cast } from "effect/Function"
import { recordingOf, typed } from "./typed.ts"

/**
 * Runs a block of operations in a namespace of its own, in which names may be used anew.
 *
 * Its outcome is recorded, so that a replay does not run the block again; a result of more than 262,144 bytes of JSON is
 * not kept but rebuilt from the operations inside. With `flat: true` nothing is recorded for the child itself: it costs
 * no operation, needs no Schema, and its body runs again on every replay.
 *
 * **Errors**: those of the block. **Defects**: those of the block, with type and message kept; `InvalidName`,
 * `NameInUse`, `NestedOperation`, `SerdesFailed`.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const shipping = Durable.child("shipping", Effect.gen(function*() {
 *   const label = yield* Durable.step("label", Effect.succeed("label-1"))
 *   yield* Durable.wait("pick-up", "1 hour")
 *   return label
 * }))
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const child = <
  A = never,
  E = never,
  R = never,
  O extends RecordOptions<A, ChildOptions> = Required<RecordOptions<A, ChildOptions>>
>(
  name: string,
  body: Effect.Effect<A, E, R>,
  ...options: O & (O extends Flat ? unknown : Recordable<A, E, O, ChildOptions>)
): Effect.Effect<
  O extends Flat ? FromArguments<A> : RecordedValue<A, O>,
  O extends Flat ? FromArguments<E> : RecordedError<E, O>,
  FromArguments<R> | Execution | RecordServices<O>
> => {
  const { flat, ...recording } = cast<unknown, Recording & ChildOptions>(options[0] ?? {})
  return typed(flat ? childOperation.flatChild(name, body) : childOperation.child(name, body, recording))
}

/**
 * The options of a {@link child} besides how it is recorded.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChildOptions {
  /** Whether the child has no record of its own: then its body runs again on every replay. Default: false. */
  readonly flat?: boolean
}

type Flat = readonly [{ readonly flat: true }]

/**
 * Runs a block of operations again when it has failed, with durable waits between the attempts.
 *
 * Each attempt has a namespace of its own, so names may be used anew and branches may be concurrent. The time between two
 * attempts is spent without an invocation. A mistake, such as `NameInUse`, is not repeated; an attempt that interrupts
 * itself is. It costs one operation, and one for each wait.
 *
 * **Errors**: those of the block, from its last attempt. **Defects**: those of the block.
 *
 * @example
 * ```ts
 * import { Durable, RetryPolicy } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * const reserve = Effect.andThen(Durable.wait("settle", "1 second"), Durable.step("reserve", Effect.succeed("seat 12")))
 *
 * export const seat = Durable.retry("seat", reserve, RetryPolicy.fixed({ maxAttempts: 3, delay: "1 minute" }))
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const retry = <A = never, E = never, R = never, O extends RecordOptions<A> = Required<RecordOptions<A>>>(
  name: string,
  block: Effect.Effect<A, E, R>,
  policy: RetryPolicy<NoInfer<E>>,
  ...options: O & Recordable<A, E, O>
): Effect.Effect<RecordedValue<A, O>, RecordedError<E, O>, FromArguments<R> | Execution | RecordServices<O>> =>
  typed(retryOperation.retry(name, block, cast<unknown, RetryPolicy<never>>(policy), recordingOf(options)))

/**
 * Does something that is undone if the execution fails.
 *
 * When the execution ends with a typed error or a defect of its own, the undos run, the last first by the time at which
 * what they undo was recorded. An undo may hold durable operations of any kind, and so may take as long as it needs; its
 * value is not used. It has the services of the effect, and a scope of its own. None runs because of a suspension, of an
 * error that was caught, of a mistake such as `NonDeterministic`, or of a limit. One that fails does not keep the others
 * from running, and is told in the message of the execution's failure. Fibres that the workflow has left running do nothing
 * more once the undos begin.
 *
 * The effect has a namespace of its own, and costs nothing besides its operations; an undo costs one operation besides its
 * own. The children and batches around it run again on every replay, over their recorded operations.
 *
 * **Errors**: those of the effect. **Defects**: `InvalidName`, `NameInUse`.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const hotel = Durable.withCompensation(
 *   "hotel",
 *   Durable.step("book", Effect.succeed("room 12")),
 *   (room) => Durable.step("cancel", Effect.log(`cancelled ${room}`))
 * )
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const withCompensation = <A, E, R, X, E2, R2>(
  name: string,
  effect: Effect.Effect<A, E, R>,
  undo: (value: A, cause: Cause.Cause<unknown>) => Effect.Effect<X, E2, R2>
): Effect.Effect<A, E, R | R2 | Execution> =>
  typed(compensationOperation.withCompensation(name, effect, (value, cause) => undo(cast<unknown, A>(value), cause)))

/**
 * Runs a finalizer when an effect really ends, and never because the execution is suspended.
 *
 * The finalizer may hold durable operations. Effect's own finalizers (`ensuring`, `acquireRelease`, `onExit`) run at
 * every suspension: keep them for resources of this process.
 *
 * **Errors** and **Defects**: those of the effect and of the finalizer.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const rented = Durable.onExit(
 *   Durable.wait("rental", "2 days"),
 *   () => Durable.step("return-car", Effect.void)
 * )
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const onExit = <A, E, R, X, E2, R2>(
  effect: Effect.Effect<A, E, R>,
  finalizer: (exit: Exit.Exit<A, E>) => Effect.Effect<X, E2, R2>
): Effect.Effect<A, E | E2, R | R2 | Execution> =>
  Effect.flatMap(Execution, ({ run }) =>
    Effect.onExit(effect, (exit) => (run.phase === "running" ? Effect.asVoid(finalizer(exit)) : Effect.void))
  )
