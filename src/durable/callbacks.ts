/**
 * Answers from outside: wait for somebody to complete a callback.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as callbackOperation from "../runtime/operations/callback.ts"
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type * as Schema from "effect/Schema"
import type * as Serdes from "../Serdes.ts"
import type { CallbackFailed, CallbackSubmitFailed, CallbackTimedOut } from "../DurableError.ts"
import type { Execution } from "../runtime/Execution.ts"
import type { FromArguments, KnownOptions, RecordServices } from "../Plain.ts"
import type { RetryPolicy } from "../RetryPolicy.ts"
import type { StepContext } from "../StepContext.ts"
import { cast } from "effect/Function"
import { type InsideStep, type Timeout, typed } from "./typed.ts"

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
  /** When a failed attempt to submit is repeated. Default: as for a `Durable.step`. */
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
