/**
 * The durable operations: Effects whose outcome is recorded, so that a replay answers with the record.
 *
 * Use them in the workflow of a `DurableFunction`. Between operations a workflow is an ordinary Effect; what it does
 * there runs again on every replay, so whatever touches the world belongs into a {@link step}.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import type * as Contract from "./Contract.ts"
import type { InvokeError, StepInterrupted } from "./DurableError.ts"
import type { FromArguments, Recordable, RecordedError, RecordedValue, RecordOptions, RecordServices } from "./Plain.ts"
import type { RetryPolicy } from "./RetryPolicy.ts"
import { noted } from "./runtime/CallSite.ts"
import { Execution, nested, tracked } from "./runtime/Execution.ts"
import { md5 } from "./runtime/Identity.ts"
import * as childOperation from "./runtime/operations/child.ts"
import * as invokeOperation from "./runtime/operations/invoke.ts"
import * as stepOperation from "./runtime/operations/step.ts"
import * as waitOperation from "./runtime/operations/wait.ts"
import type { Recording } from "./runtime/Recording.ts"
import type * as Serdes from "./Serdes.ts"
import { StepContext } from "./StepContext.ts"

export {
  /**
   * The execution that durable operations belong to: what every one of them requires and the runtime provides.
   *
   * @category services
   * @since 0.1.0
   */
  Execution,
  /**
   * The attempt that the body of a step is running.
   *
   * @category services
   * @since 0.1.0
   */
  StepContext
}

// Operations are implemented without their types: what may be recorded is checked here, at compile time, and again when
// a value is written.
const typed = <A, E, R>(operation: Effect.Effect<unknown, unknown, unknown>): Effect.Effect<A, E, R> =>
  cast(noted(operation))

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

type InsideStep<R> = [Extract<R, Execution>] extends [never]
  ? unknown
  : { readonly "a step cannot hold durable operations: use Durable.child, or move them out of the step": never }

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
 * The options of an {@link invoke}.
 *
 * @category models
 * @since 0.1.0
 */
export interface InvokeOptions<C extends Contract.Any, R = never> {
  /** The name of the operation. Default: the name of the contract. */
  readonly name?: string
  /**
   * How long to wait for the outcome: a duration (1 second to 366 days, rounded up to whole seconds) or a point in time.
   * Without it the invoke waits as long as the callee runs. It costs two more operations.
   */
  readonly timeout?: Duration.Input | Date | DateTime.DateTime
  /** The tenant for a function with tenant isolation: 1 to 256 letters, digits, spaces and `. _ : / = + - @`. */
  readonly tenantId?: string
  /** Writes the payload in place of the contract's own way. */
  readonly payloadSerdes?: Serdes.Codec<Contract.Payload<C>, R>
  /** Reads the result in place of the contract's own way. */
  readonly resultSerdes?: Serdes.Codec<Contract.Success<C>, R>
}

/**
 * The payload argument of an operation that calls a contract: none is needed when the contract takes nothing.
 *
 * @category models
 * @since 0.1.0
 */
export type PayloadAndOptions<C extends Contract.Any, Options> =
  undefined extends Contract.Payload<C>
    ? readonly [payload?: Contract.Payload<C>, options?: Options]
    : readonly [payload: Contract.Payload<C>, options?: Options]

/**
 * Calls another function and waits for its outcome without an invocation of this one.
 *
 * The service calls the function, once, and a replay answers with the recorded outcome. The callee's declared errors
 * arrive as themselves; any other failure is one of the three invoke errors. Nothing is retried implicitly.
 *
 * **Errors**: the contract's, `InvokeFailed`, `InvokeTimedOut`, `InvokeStopped`.
 * **Defects**: `InvalidTarget`, `InvalidTenantId`, `InvalidDuration`, `PayloadTooLarge` (more than 1,048,576 bytes of
 * JSON), `SerdesFailed`, `InvalidName`, `NameInUse`, `NestedOperation`.
 *
 * @example
 * ```ts
 * import { Durable, DurableFunction } from "effect-durable"
 * import * as Schema from "effect/Schema"
 *
 * const Charge = DurableFunction.plain("charge", {
 *   payload: Schema.Struct({ cents: Schema.Int }),
 *   success: Schema.Struct({ receipt: Schema.String })
 * })
 *
 * export const charge = Durable.invoke(Charge, { cents: 1_250 }, { timeout: "5 minutes" })
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const invoke = <C extends Contract.Any, R = never>(
  contract: C,
  ...[payload, options]: PayloadAndOptions<C, InvokeOptions<C, R>>
): Effect.Effect<
  Contract.Success<C>,
  Contract.Error<C> | InvokeError,
  Execution | Contract.CallerServices<C> | FromArguments<R>
> => typed(invokeOperation.invoke(contract, payload, options ?? {}))

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

/**
 * A UUID that is the same on every replay and different at every use. It is derived from the execution and records
 * nothing; like an operation, it belongs to one fibre per context.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const reference = Effect.map(Durable.uuid, (uuid) => `order-${uuid}`)
 * ```
 *
 * @category facts
 * @since 0.1.0
 */
export const uuid: Effect.Effect<string, never, Execution> = Effect.flatMap(Execution, ({ context, run, step: body }) =>
  Effect.withFiber((fiber) => {
    if (body !== undefined) return nested(body, "Durable.uuid")
    const digits = md5(`${run.executionArn}\0${context.id}\0uuid\0${context.use("Durable.uuid\0", fiber, undefined)}`)
    // A name-based UUID: version 3, variant 10 (RFC 9562 §5.3).
    const variant = ((Number.parseInt(digits.slice(16, 18), 16) & 0x3f) | 0x80).toString(16)
    return Effect.succeed(
      `${digits.slice(0, 8)}-${digits.slice(8, 12)}-3${digits.slice(13, 16)}-${variant}${digits.slice(18, 20)}-${digits.slice(20)}`
    )
  })
)
