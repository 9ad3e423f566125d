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
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import type * as Contract from "./Contract.ts"
import type { BatchResult } from "./BatchResult.ts"
import type { CompletionPolicy } from "./CompletionPolicy.ts"
import type * as DurableClient from "./DurableClient.ts"
import {
  InvalidOptions,
  type CallbackFailed,
  type CallbackSubmitFailed,
  type CallbackTimedOut,
  type ConditionExhausted,
  type DurableTimeout,
  type InvokeError,
  type StepInterrupted
} from "./DurableError.ts"
import type * as Schema from "effect/Schema"
import type {
  FromArguments,
  KnownOptions,
  Recordable,
  RecordedError,
  RecordedValue,
  RecordOptions,
  RecordServices
} from "./Plain.ts"
import type { RetryPolicy } from "./RetryPolicy.ts"
import { noted } from "./runtime/CallSite.ts"
import { Execution, nested, tracked } from "./runtime/Execution.ts"
import { md5 } from "./runtime/Identity.ts"
import { isReplayed } from "./runtime/Logging.ts"
import * as batchOperation from "./runtime/operations/batch.ts"
import * as callbackOperation from "./runtime/operations/callback.ts"
import * as childOperation from "./runtime/operations/child.ts"
import * as compensationOperation from "./runtime/operations/compensation.ts"
import * as conditionOperation from "./runtime/operations/condition.ts"
import * as executionsOperation from "./runtime/operations/executions.ts"
import * as invokeOperation from "./runtime/operations/invoke.ts"
import * as patchedOperation from "./runtime/operations/patched.ts"
import * as raceOperation from "./runtime/operations/race.ts"
import * as retryOperation from "./runtime/operations/retry.ts"
import * as stepOperation from "./runtime/operations/step.ts"
import * as waitOperation from "./runtime/operations/wait.ts"
import type { Recording } from "./runtime/Recording.ts"
import type { ErrorObject } from "./wire/ErrorObject.ts"
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
 * How long something may take: a duration (1 second to 366 days, rounded up to whole seconds), or until a point in time.
 * One that has passed already fails before anything is recorded.
 *
 * @category models
 * @since 0.1.0
 */
export type Timeout = Duration.Input | Date | DateTime.DateTime

/**
 * The options of an {@link invoke}.
 *
 * @category models
 * @since 0.1.0
 */
export interface InvokeOptions<C extends Contract.Any, R = never> {
  /** The name of the operation. Default: the name of the contract. */
  readonly name?: string
  /** How long to wait for the outcome. Without it the invoke waits as long as the callee runs. It costs two more operations. */
  readonly timeout?: Timeout
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

// --- Callbacks -------------------------------------------------------------------------------------------------------

/**
 * How long a callback may stay open.
 *
 * @category models
 * @since 0.1.0
 */
export interface CallbackOptions {
  /** How long it may take until it is completed. Default: as long as the execution. */
  readonly timeout?: Timeout
  /**
   * How long it may take from one heartbeat to the next, and to the first: 1 second to 366 days, rounded up to whole
   * seconds. Default: no heartbeat is needed.
   */
  readonly heartbeatTimeout?: Duration.Input
}

/**
 * An open callback. `callbackId` is for those who complete it; `await` waits for that, as often as it is run.
 *
 * @category models
 * @since 0.1.0
 */
export interface Callback<out A, out E = never, out R = never> {
  /** The id that the service made, to be passed on and to be kept secret: whoever has it may complete the callback. */
  readonly callbackId: string
  readonly await: Effect.Effect<A, E | CallbackFailed | CallbackTimedOut, R | Execution>
}

/** How the answer to a callback is read: by a codec, by a Schema, or as it is. */
interface Answer {
  /** The Schema of the answer, which is read as JSON. Default: the answer is the text as it was sent. */
  readonly success?: Schema.Top
  /** The Schema of the failures that arrive as themselves. */
  readonly error?: Schema.Top
  /** Reads the answer in place of `success`: a `Serdes.Codec`, of which only `deserialize` is used. */
  readonly serdes?: Pick<Serdes.Codec<unknown, unknown>, "deserialize">
}

interface NoOptions {
  readonly timeout?: never
}

type AnswerValue<O> = O extends { readonly serdes: { readonly deserialize: (...args: never) => infer Read } }
  ? Read extends Effect.Effect<infer A, unknown, unknown>
    ? A
    : never
  : O extends { readonly success: { readonly Type: infer A } }
    ? A
    : string

type AnswerError<O> = O extends { readonly error: { readonly Type: infer E } } ? E : never

/** Reading the answer needs no encoding. */
type AnswerServices<O> =
  | (O extends {
      readonly serdes: { readonly deserialize: (...args: never) => Effect.Effect<unknown, unknown, infer R> }
    }
      ? R
      : O extends { readonly success: { readonly DecodingServices: infer R } }
        ? R
        : never)
  | (O extends { readonly error: { readonly DecodingServices: infer R } } ? R : never)

/** A deadline may have passed when the callback is to be created. */
type DeadlineError<O> =
  Extract<O extends { readonly timeout?: infer T } ? T : never, Date | DateTime.DateTime> extends infer Deadline
    ? [Deadline] extends [never]
      ? never
      : CallbackTimedOut
    : never

/**
 * Creates a callback: an operation that somebody outside completes, by an id that the service makes.
 *
 * The answer is the text as it was sent, or with `success` the JSON value that the Schema reads from it; a failure whose
 * data the `error` Schema reads arrives as itself. It is completed with `DurableClient.callback`, or from any language with
 * SendDurableExecutionCallbackSuccess and its siblings in the API of AWS Lambda.
 *
 * **Errors** of `await`: those of the `error` Schema, `CallbackFailed`, `CallbackTimedOut`. With a point in time as
 * time-out, creating fails with `CallbackTimedOut` too.
 * **Defects**: `SerdesFailed` for an answer that the Schema does not read, `InvalidDuration`, `InvalidName`, `NameInUse`,
 * `NestedOperation`.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 *
 * export const approved = Effect.gen(function*() {
 *   const approval = yield* Durable.callback("approval", { timeout: "7 days", success: Schema.Boolean })
 *   yield* Durable.step("ask", Effect.log(`somebody has to answer ${approval.callbackId.length} characters`))
 *   return yield* approval.await
 * })
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const callback = <O extends CallbackOptions & Answer = NoOptions>(
  name: string,
  options?: O & KnownOptions<O, CallbackOptions & Answer>
): Effect.Effect<Callback<AnswerValue<O>, AnswerError<O>, AnswerServices<O>>, DeadlineError<O>, Execution> =>
  typed(callbackOperation.callback(name, cast<unknown, callbackOperation.CallbackOptions>(options ?? {})))

/**
 * The options of a {@link waitForCallback} besides how the answer is read.
 *
 * @category models
 * @since 0.1.0
 */
export interface WaitForCallbackOptions<E> extends CallbackOptions {
  /** When a failed attempt to submit is repeated. Default: as for a {@link step}. */
  readonly retry?: RetryPolicy<E>
}

/**
 * Creates a callback, tells somebody of it in a step, and waits for the answer.
 *
 * `submit` is the body of a step: it gets the id of the callback and may use any service. Whatever it fails with, once
 * its attempts are over, is a `CallbackSubmitFailed`, also when somebody has answered meanwhile. An answer that comes
 * before the submitter has ended is kept. The operation costs three operations and one for each further attempt to submit.
 *
 * **Errors**: those of the `error` Schema, `CallbackFailed`, `CallbackTimedOut`, `CallbackSubmitFailed`.
 * **Defects**: those of {@link callback}.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 *
 * declare const sendMail: (text: string) => Effect.Effect<void>
 *
 * export const approved = Durable.waitForCallback(
 *   "approval",
 *   (callbackId) => sendMail(`Answer at https://example.com/approve?id=${encodeURIComponent(callbackId)}`),
 *   { timeout: "7 days", success: Schema.Boolean }
 * )
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const waitForCallback = <
  E = never,
  R = never,
  const O extends WaitForCallbackOptions<NoInfer<E>> & Answer = NoOptions
>(
  name: string,
  submit: (callbackId: string) => Effect.Effect<unknown, E, R> & InsideStep<R>,
  options?: O & KnownOptions<O, WaitForCallbackOptions<E> & Answer>
): Effect.Effect<
  AnswerValue<O>,
  AnswerError<O> | CallbackFailed | CallbackTimedOut | CallbackSubmitFailed,
  | FromArguments<Exclude<R, StepContext>>
  | Execution
  | AnswerServices<O>
  | RecordServices<readonly [Pick<O, keyof O & "error">]>
> =>
  typed(
    callbackOperation.waitForCallback(name, submit, cast<unknown, callbackOperation.SubmittedOptions>(options ?? {}))
  )

// --- Conditions ------------------------------------------------------------------------------------------------------

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
 * **Defects**: those of {@link step}, `InvalidOptions`, `InvalidDuration`.
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

// --- Concurrency -----------------------------------------------------------------------------------------------------

/**
 * A branch of a concurrent operation: an effect, or one with a name for histories and messages. The name is a label, which
 * need not be unique.
 *
 * @category models
 * @since 0.1.0
 */
export type Branch<A, E, R> =
  | Effect.Effect<A, E, R>
  | { readonly name: string; readonly effect: Effect.Effect<A, E, R> }

/** What a branch has to be as far as the compiler may know before it has inferred the effects. */
type AnyBranch = Effect.Effect<unknown, unknown, unknown> | { readonly name: string; readonly effect: unknown }

type EffectOf<B> =
  B extends Effect.Effect<unknown, unknown, unknown> ? B : B extends { readonly effect: infer Body } ? Body : never

// Nothing is inferred from no branch at all.
type ValueOf<B> = [B] extends [never] ? never : EffectOf<B> extends Effect.Effect<infer A, unknown, unknown> ? A : never
type ErrorOf<B> = [B] extends [never] ? never : EffectOf<B> extends Effect.Effect<unknown, infer E, unknown> ? E : never
type ServicesOf<B> = [B] extends [never]
  ? never
  : EffectOf<B> extends Effect.Effect<unknown, unknown, infer R>
    ? R
    : never

/**
 * How branches or items are run side by side.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConcurrencyOptions {
  /** How many branches or items run at once: a whole number of at least 1, or `"unbounded"`. They start in the order of their indexes. */
  readonly concurrency?: number | "unbounded"
  /**
   * Whether a branch has no record of its own. That saves one operation for each; its body then runs again on every replay
   * until the whole operation is recorded. Default: false.
   */
  readonly flat?: boolean
}

/**
 * The options of {@link parallel} besides how an item is recorded.
 *
 * @category models
 * @since 0.1.0
 */
export interface BatchOptions<A, E> extends ConcurrencyOptions {
  /** When the batch is complete. Default: `CompletionPolicy.allSuccessful`, which ends it at the first failure. */
  readonly policy?: CompletionPolicy
  /** Writes and reads the whole result in place of the library's own way; for one item there is `serdes`. */
  readonly batchSerdes?: {
    serialize(value: BatchResult<A, E>, info: Serdes.Info): Effect.Effect<string | undefined, Serdes.SerdesError>
    deserialize(text: string | undefined, info: Serdes.Info): Effect.Effect<BatchResult<A, E>, Serdes.SerdesError>
  }
}

/**
 * The options of {@link map} besides how an item is recorded.
 *
 * @category models
 * @since 0.1.0
 */
export interface MapOptions<T, A, E> extends BatchOptions<A, E> {
  /** The label of an item in histories and messages. Default: `map-item-0`, and so on. */
  readonly itemName?: (item: T, index: number) => string
}

/**
 * Runs branches side by side, each in a namespace of its own, until a completion policy is met. How each of them ended is
 * data: the batch itself does not fail.
 *
 * Branches that are under way when the batch ends are let go of: they are interrupted, nothing of them is recorded any
 * more, and the invocation does not wait for them. Options such as `success` are about the value of one branch. Default of
 * `concurrency`: `"unbounded"`. It costs one operation, and one for each branch unless it is `flat`.
 *
 * **Errors**: none; ask for them with `throwIfFailed` of the result.
 * **Defects**: `InvalidOptions`, `InvalidName`, `NameInUse`, `NestedOperation`.
 *
 * @example
 * ```ts
 * import { CompletionPolicy, Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const quotes = Effect.gen(function*() {
 *   const result = yield* Durable.parallel("quotes", [
 *     { name: "fast", effect: Durable.step("ask", Effect.succeed(120)) },
 *     { name: "cheap", effect: Effect.andThen(Durable.wait("think", "1 minute"), Durable.step("ask", Effect.succeed(80))) }
 *   ], { policy: CompletionPolicy.make({ minSuccessful: 1 }) })
 *   return Math.min(...result.values)
 * })
 * ```
 *
 * @category concurrency
 * @since 0.1.0
 */
export const parallel = <
  const Branches extends ReadonlyArray<AnyBranch> = ReadonlyArray<AnyBranch>,
  O extends RecordOptions<
    ValueOf<Branches[number]>,
    BatchOptions<ValueOf<Branches[number]>, ErrorOf<Branches[number]>>
  > = Required<
    RecordOptions<ValueOf<Branches[number]>, BatchOptions<ValueOf<Branches[number]>, ErrorOf<Branches[number]>>>
  >
>(
  name: string,
  branches: Branches,
  ...options: O &
    Recordable<
      ValueOf<Branches[number]>,
      ErrorOf<Branches[number]>,
      O,
      BatchOptions<ValueOf<Branches[number]>, ErrorOf<Branches[number]>>
    >
): Effect.Effect<
  BatchResult<RecordedValue<ValueOf<Branches[number]>, O>, RecordedError<ErrorOf<Branches[number]>, O>>,
  never,
  FromArguments<ServicesOf<Branches[number]>> | Execution | RecordServices<O>
> =>
  typed(
    batchOperation.batch(
      batchOperation.parallel,
      name,
      branches.map((branch, index) => branchOf(branch, `parallel-branch-${index}`)),
      cast<unknown, batchOperation.BatchOptions>(options[0] ?? {})
    )
  )

const branchOf = (branch: AnyBranch, name: string): batchOperation.BatchItem => {
  if (Effect.isEffect(branch)) return { name, body: branch }
  return { name: branch.name, body: Effect.isEffect(branch.effect) ? branch.effect : noBranch(branch.name) }
}

const noBranch = (name: string): Effect.Effect<never> =>
  Effect.die(
    new InvalidOptions({
      operation: name,
      message: `Expected the branch "${name}" to be an effect, or { name, effect }, found something else as its effect.`
    })
  )

/**
 * Runs a function for every item, side by side, each in a namespace of its own, until a completion policy is met. How each
 * of them ended is data: the batch itself does not fail.
 *
 * As {@link parallel}, with one item in place of one branch. The items have to be the same on every replay.
 *
 * **Errors**: none; ask for them with `throwIfFailed` of the result.
 * **Defects**: `InvalidOptions`, `InvalidName`, `NameInUse`, `NestedOperation`.
 *
 * @example
 * ```ts
 * import { CompletionPolicy, Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const mailed = Effect.gen(function*() {
 *   const result = yield* Durable.map(
 *     "mails",
 *     ["ann@example.com", "bob@example.com"],
 *     (address) => Durable.step("send", Effect.log(`mail to ${address.length} characters`)),
 *     { concurrency: 10, policy: CompletionPolicy.make({ toleratedFailurePercentage: 5 }) }
 *   )
 *   return result.failureCount
 * })
 * ```
 *
 * @category concurrency
 * @since 0.1.0
 */
export const map = <
  T,
  A = never,
  E = never,
  R = never,
  O extends RecordOptions<A, MapOptions<NoInfer<T>, unknown, unknown>> = Required<
    RecordOptions<A, MapOptions<NoInfer<T>, unknown, unknown>>
  >
>(
  name: string,
  items: Iterable<T>,
  f: (item: T, index: number) => Effect.Effect<A, E, R>,
  ...options: O & Recordable<A, E, O, MapOptions<NoInfer<T>, A, E>> & BatchRecordable<A, E, O>
): Effect.Effect<
  BatchResult<RecordedValue<A, O>, RecordedError<E, O>>,
  never,
  FromArguments<R> | Execution | RecordServices<O>
> => {
  const { itemName, ...rest } = cast<unknown, batchOperation.BatchOptions & Pick<MapOptions<T, A, E>, "itemName">>(
    options[0] ?? {}
  )
  return typed(batchOperation.batch(batchOperation.map, name, itemsOf(items, f, itemName), rest))
}

/**
 * `unknown` unless the options have a `batchSerdes` of another result. Before it has looked at the function, the compiler
 * tries whether they fit values of type `never`.
 */
type BatchRecordable<A, E, O> = O extends readonly [{ readonly batchSerdes: infer Codec }]
  ? [A] extends [never]
    ? unknown
    : Codec extends NonNullable<BatchOptions<A, E>["batchSerdes"]>
      ? unknown
      : { readonly "the batchSerdes is no Serdes.Codec of the result": BatchResult<A, E> }
  : unknown

const itemsOf = <T, A, E, R>(
  items: Iterable<T>,
  f: (item: T, index: number) => Effect.Effect<A, E, R>,
  nameOf = (_: T, index: number): string => `map-item-${index}`
): ReadonlyArray<batchOperation.BatchItem> =>
  Array.from(items, (item, index) => ({ name: nameOf(item, index), body: Effect.suspend(() => f(item, index)) }))

/**
 * Runs branches as `Effect.all` does, each in a namespace of its own, and records how that ended: with all values, or with
 * the first failure, upon which the other branches are let go of.
 *
 * It takes a tuple, an array or a record of branches. As in Effect, they run one after the other unless `concurrency` says
 * otherwise. It costs one operation, and one for each branch unless it is `flat`.
 *
 * **Errors**: those of the branches. **Defects**: those of the branches, and those of {@link parallel}.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const trip = Durable.all("trip", {
 *   flight: Durable.step("book", Effect.succeed("flight-1")),
 *   hotel: Durable.step("book", Effect.succeed({ room: 12 }))
 * }, { concurrency: "unbounded" })
 * ```
 *
 * @category concurrency
 * @since 0.1.0
 */
export const all = <
  const Branches extends AnyBranches = AnyBranches,
  O extends RecordOptions<ValueOf<BranchIn<Branches>>, ConcurrencyOptions> = Required<
    RecordOptions<ValueOf<BranchIn<Branches>>, ConcurrencyOptions>
  >
>(
  name: string,
  branches: Branches,
  ...options: O & Recordable<ValueOf<BranchIn<Branches>>, ErrorOf<BranchIn<Branches>>, O, ConcurrencyOptions>
): Effect.Effect<
  { -readonly [K in keyof Branches]: RecordedValue<ValueOf<Branches[K]>, O> },
  RecordedError<ErrorOf<BranchIn<Branches>>, O>,
  FromArguments<ServicesOf<BranchIn<Branches>>> | Execution | RecordServices<O>
> => {
  const keys = Object.keys(branches)
  const list = isArray(branches)
  const items = Object.values(branches).map((branch, index) =>
    branchOf(branch, list ? `parallel-branch-${index}` : keys[index]!)
  )
  return typed(
    Effect.map(
      allOf(batchOperation.parallel, name, items, cast<unknown, batchOperation.BatchOptions>(options[0] ?? {})),
      (values) => (list ? values : Object.fromEntries(keys.map((key, index) => [key, values[index]])))
    )
  )
}

type AnyBranches = ReadonlyArray<AnyBranch> | Readonly<Record<string, AnyBranch>>

type BranchIn<Branches> = Branches extends ReadonlyArray<infer B> ? B : Branches[keyof Branches]

const isArray = (value: object): value is ReadonlyArray<unknown> => Array.isArray(value)

/** As in Effect, one after the other unless it is said otherwise. */
const allOf = (
  kind: typeof batchOperation.parallel,
  name: string,
  items: ReadonlyArray<batchOperation.BatchItem>,
  options: batchOperation.BatchOptions
) => batchOperation.all(kind, name, items, { ...options, concurrency: options.concurrency ?? 1 })

/**
 * Runs a function for every item as `Effect.forEach` does, each in a namespace of its own, and records how that ended: with
 * all values in the order of the items, or with the first failure, upon which the others are let go of.
 *
 * As in Effect, items are taken one after the other unless `concurrency` says otherwise. The items have to be the same on
 * every replay. It costs one operation, and one for each item unless it is `flat`.
 *
 * **Errors**: those of the items. **Defects**: those of the items, and those of {@link parallel}.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const labels = Durable.forEach(
 *   "labels",
 *   ["a", "b", "c"],
 *   (parcel) => Durable.step("print", Effect.succeed(`label of ${parcel}`)),
 *   { concurrency: 2 }
 * )
 * ```
 *
 * @category concurrency
 * @since 0.1.0
 */
export const forEach = <
  T,
  A = never,
  E = never,
  R = never,
  O extends RecordOptions<A, ForEachOptions<NoInfer<T>>> = Required<RecordOptions<A, ForEachOptions<NoInfer<T>>>>
>(
  name: string,
  items: Iterable<T>,
  f: (item: T, index: number) => Effect.Effect<A, E, R>,
  ...options: O & Recordable<A, E, O, ForEachOptions<NoInfer<T>>>
): Effect.Effect<Array<RecordedValue<A, O>>, RecordedError<E, O>, FromArguments<R> | Execution | RecordServices<O>> => {
  const { itemName, ...rest } = cast<unknown, batchOperation.BatchOptions & ForEachOptions<T>>(options[0] ?? {})
  return typed(allOf(batchOperation.map, name, itemsOf(items, f, itemName), rest))
}

/**
 * The options of {@link forEach} besides how an item is recorded.
 *
 * @category models
 * @since 0.1.0
 */
export interface ForEachOptions<T> extends ConcurrencyOptions {
  /** The label of an item in histories and messages. Default: `map-item-0`, and so on. */
  readonly itemName?: (item: T, index: number) => string
}

/**
 * Runs branches at the same time, each in a namespace of its own, and records the first that succeeds. When all have failed,
 * it fails as the first that did.
 *
 * The others are let go of: what they have begun outside, such as an invoked function, goes on. Which branch won is in the
 * history before anybody sees it, so that every replay has the same winner. It costs one operation besides those of the
 * branches.
 *
 * **Errors**: those of the branches. **Defects**: those of the branches; `InvalidOptions` for a race of nothing.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const quickest = Durable.race("quickest", [
 *   Effect.as(Durable.wait("tortoise", "1 day"), "tortoise"),
 *   Effect.as(Durable.wait("hare", "2 seconds"), "hare")
 * ])
 * ```
 *
 * @category concurrency
 * @since 0.1.0
 */
export const race = <
  const Branches extends ReadonlyArray<AnyBranch> = ReadonlyArray<AnyBranch>,
  O extends RecordOptions<ValueOf<Branches[number]>> = Required<RecordOptions<ValueOf<Branches[number]>>>
>(
  name: string,
  branches: Branches,
  ...options: O & Recordable<ValueOf<Branches[number]>, ErrorOf<Branches[number]>, O>
): Effect.Effect<
  RecordedValue<ValueOf<Branches[number]>, O>,
  RecordedError<ErrorOf<Branches[number]>, O>,
  FromArguments<ServicesOf<Branches[number]>> | Execution | RecordServices<O>
> => typed(raceOperation.race(name, bodiesOf(branches), "success", recordingOf(options)))

/**
 * As {@link race}, but the first branch that ends wins, whether it succeeds or fails. It costs one operation besides those
 * of the branches, too.
 *
 * **Errors**: those of the branches. **Defects**: those of the branches; `InvalidOptions` for a race of nothing.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const decided = Durable.raceFirst("decided", [
 *   Effect.as(Durable.wait("objections", "14 days"), "accepted"),
 *   Effect.as(Durable.wait("veto", "3 days"), "vetoed")
 * ])
 * ```
 *
 * @category concurrency
 * @since 0.1.0
 */
export const raceFirst = <
  const Branches extends ReadonlyArray<AnyBranch> = ReadonlyArray<AnyBranch>,
  O extends RecordOptions<ValueOf<Branches[number]>> = Required<RecordOptions<ValueOf<Branches[number]>>>
>(
  name: string,
  branches: Branches,
  ...options: O & Recordable<ValueOf<Branches[number]>, ErrorOf<Branches[number]>, O>
): Effect.Effect<
  RecordedValue<ValueOf<Branches[number]>, O>,
  RecordedError<ErrorOf<Branches[number]>, O>,
  FromArguments<ServicesOf<Branches[number]>> | Execution | RecordServices<O>
> => typed(raceOperation.race(name, bodiesOf(branches), "end", recordingOf(options)))

const bodiesOf = (branches: ReadonlyArray<AnyBranch>) => branches.map((branch) => branchOf(branch, "").body)

const recordingOf = (options: ReadonlyArray<unknown>): Recording => cast<unknown, Recording>(options[0] ?? {})

/**
 * Gives an effect that may hold durable operations a time-out: it is raced with a wait, and the winner is recorded.
 *
 * What the effect has begun outside, such as an invoked function, goes on after the time-out. It costs two operations
 * besides those of the effect.
 *
 * **Errors**: those of the effect, `DurableTimeout`. **Defects**: those of the effect, `InvalidDuration`.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const patient = Durable.timeout("patient", Durable.wait("think", "1 hour"), "5 minutes").pipe(
 *   Effect.catchTag("DurableTimeout", () => Effect.log("no answer in five minutes"))
 * )
 * ```
 *
 * @category concurrency
 * @since 0.1.0
 */
export const timeout = <A = never, E = never, R = never, O extends RecordOptions<A> = Required<RecordOptions<A>>>(
  name: string,
  effect: Effect.Effect<A, E, R>,
  limit: Timeout,
  ...options: O & Recordable<A, E, O>
): Effect.Effect<
  RecordedValue<A, O>,
  RecordedError<E, O> | DurableTimeout,
  FromArguments<R> | Execution | RecordServices<O>
> => typed(raceOperation.timeout(name, effect, limit, recordingOf(options)))

// --- Blocks ----------------------------------------------------------------------------------------------------------

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

// --- Other executions ------------------------------------------------------------------------------------------------

/**
 * How to start another execution.
 *
 * @category models
 * @since 0.1.0
 */
export interface StartOptions {
  /** The name of the operation. Default: the name of the contract. */
  readonly name?: string
  /**
   * The name of the execution: 1 to 64 letters, digits, `-` and `_`. Default: what the `idempotencyKey` of the contract makes
   * of the payload, else a name that belongs to this operation alone.
   */
  readonly executionName?: string
  /** The tenant for a function with tenant isolation: 1 to 256 letters, digits, spaces and `. _ : / = + - @`. */
  readonly tenantId?: string
}

/**
 * Starts an execution of a contract without waiting for it, and answers with a reference to it.
 *
 * It is a step that calls the client: the execution is started under a name, so that a repeated attempt with the same
 * payload starts nothing twice. While the client is unavailable it is repeated, up to 6 attempts in all.
 *
 * **Errors**: those of the client, such as `ExecutionAlreadyStarted`.
 * **Defects**: those of {@link step}; before anything is recorded `InvalidTarget`, `InvalidTenantId`, `SerdesFailed`, and
 * `PayloadTooLarge` for more than 1 MB.
 *
 * @example
 * ```ts
 * import { Durable, DurableFunction } from "effect-durable"
 * import * as Schema from "effect/Schema"
 *
 * const Report = DurableFunction.make("report", { payload: Schema.String })
 *
 * export const started = Durable.start(Report, "2026-11")
 * ```
 *
 * @category executions
 * @since 0.1.0
 */
export const start = <C extends Contract.AnyDurable>(
  contract: C,
  ...[payload, options]: PayloadAndOptions<C, StartOptions>
): Effect.Effect<
  DurableClient.Started<C>,
  DurableClient.ClientError,
  Execution | DurableClient.DurableClient | Contract.CallerServices<C>
> => typed(executionsOperation.start(contract, payload, options ?? {}))

/**
 * Stops another execution for good, without running any of its code. Stopping one that has ended does nothing.
 *
 * **Errors**: those of the client. **Defects**: those of {@link step}.
 *
 * @example
 * ```ts
 * import { Durable, DurableFunction } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * const Reminder = DurableFunction.make("reminder")
 *
 * export const reminded = Effect.gen(function*() {
 *   const reminder = yield* Durable.start(Reminder)
 *   yield* Durable.wait("for the answer", "1 hour")
 *   yield* Durable.stop(reminder, { name: "stop-reminder" })
 * })
 * ```
 *
 * @category executions
 * @since 0.1.0
 */
export const stop = (
  execution: Pick<DurableClient.Started<Contract.AnyDurable>, "executionArn">,
  options: {
    /** The name of the operation. Default: `"stop"`. */
    readonly name?: string
    /** What whoever waits for the execution sees as the reason. */
    readonly error?: ErrorObject
  } = {}
): Effect.Effect<void, DurableClient.ClientError, Execution | DurableClient.DurableClient> =>
  typed(executionsOperation.stop(options.name ?? "stop", execution.executionArn, options.error))

/**
 * Hands over to a fresh execution, with a history of its own, and ends this one: for work without an end, or beyond the
 * limits of one execution.
 *
 * Whoever reads the outcome of this execution through `DurableClient` gets that of the other. An `invoke` does not follow:
 * it fails as `InvokeFailed` with the errorType `ExecutionContinued`. Compensations do not run, and are not taken along.
 * What siblings have in flight is let go of.
 *
 * Without an `executionName` the other has a name that belongs to this operation alone: the `idempotencyKey` of a contract is
 * not asked, because it would lead back to this execution or to an earlier one.
 *
 * **Defects**: the errors of the client, those of {@link start}, `InvalidOptions` for an `executionName` that leads back to
 * this execution.
 *
 * @example
 * ```ts
 * import { Durable, DurableFunction } from "effect-durable"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 *
 * const Watch = DurableFunction.make("watch", { payload: Schema.Int })
 *
 * export const watch = Watch.implement(Effect.fn("watch")(function*(round) {
 *   for (let day = 0; day < 30; day++) yield* Durable.wait("day", "1 day")
 *   if (round < 12) yield* Durable.continueWith(Watch, round + 1)
 * }))
 * ```
 *
 * @category executions
 * @since 0.1.0
 */
export const continueWith = <C extends Contract.AnyDurable>(
  contract: C,
  ...[payload, options]: PayloadAndOptions<C, StartOptions>
): Effect.Effect<never, never, Execution | DurableClient.DurableClient | Contract.CallerServices<C>> =>
  typed(Effect.orDie(executionsOperation.continueWith(contract, payload, options ?? {})))

// --- Facts -----------------------------------------------------------------------------------------------------------

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

/**
 * What is the same for a whole execution.
 *
 * @category models
 * @since 0.1.0
 */
export interface ExecutionFacts {
  readonly executionArn: string
  readonly executionName: string
}

/**
 * Which execution this is.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const link = Effect.map(Durable.execution, ({ executionName }) => `https://example.com/orders/${executionName}`)
 * ```
 *
 * @category facts
 * @since 0.1.0
 */
export const execution: Effect.Effect<ExecutionFacts, never, Execution> = Effect.map(Execution, ({ run }) => ({
  executionArn: run.executionArn,
  executionName: run.executionName
}))

/**
 * Whether what runs now has run before: whether the current context has recorded operations that it has not asked for
 * again. Logs are silent then by themselves, and the body of a step is never replayed. Nothing of what a workflow does may depend on it but what it tells people, such as logs.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const greeted = Effect.flatMap(Durable.isReplaying, (again) => (again ? Effect.void : Effect.log("for the first time")))
 * ```
 *
 * @category facts
 * @since 0.1.0
 */
export const isReplaying: Effect.Effect<boolean, never, Execution> = Effect.flatMap(Execution, (execution) =>
  Effect.withFiber((fiber) => Effect.succeed(isReplayed(execution, fiber)))
)

/**
 * Whether the invocation is ending, although the workflow is not: for finalizers, which run at every suspension.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const rented = Durable.wait("rental", "2 days").pipe(
 *   Effect.ensuring(Effect.flatMap(Durable.isSuspending, (pause) => Effect.log(pause ? "to be continued" : "over")))
 * )
 * ```
 *
 * @category facts
 * @since 0.1.0
 */
export const isSuspending: Effect.Effect<boolean, never, Execution> = Effect.map(
  Execution,
  ({ run }) => run.phase !== "running"
)

/**
 * Whether a change of the code applies to this execution: so that executions which are under way go on as they began.
 *
 * An execution that gets here for the first time records a mark, and from then on the answer is `true`; one that replays
 * what it recorded before the change gets `false`. The first answer holds for the whole context: the workflow, a child, an
 * attempt or a branch. Once no execution from
 * before the change is left, the question and the old code may go; the mark of the others is passed over. It costs one
 * operation where it applies.
 *
 * **Defects**: `InvalidName` (it has up to 250 characters of printable ASCII), `NameInUse`, `NestedOperation`.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const checked = Effect.gen(function*() {
 *   if (yield* Durable.patched("fraud-check")) yield* Durable.step("fraud-check", Effect.log("checked"))
 *   return yield* Durable.step("charge", Effect.succeed("charge-1"))
 * })
 * ```
 *
 * @category facts
 * @since 0.1.0
 */
export const patched = (id: string): Effect.Effect<boolean, never, Execution> => typed(patchedOperation.patched(id))
