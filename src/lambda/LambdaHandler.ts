/**
 * Makes the handler of a deployed Lambda function out of a workflow.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import * as Inspectable from "effect/Inspectable"
import * as Layer from "effect/Layer"
import type { Scope } from "effect/Scope"
import type { CheckpointStore } from "../CheckpointStore.ts"
import type * as DurableFunction from "../DurableFunction.ts"
import { InvocationFailed } from "../DurableError.ts"
import type { Execution } from "../execution/Parts.ts"
import { defaultMargin, type Invoked, type InvokeOptions } from "../invocation/Invocation.ts"
import { choiceOption, countOption, millisOption, withinInvocation } from "../internal/options.ts"
import type { InvocationAnswer } from "../wire/Invocation.ts"
import * as Limits from "../wire/Limits.ts"
import * as LambdaCheckpoints from "./LambdaCheckpoints.ts"
import type { LambdaContext, InvocationContext } from "./LambdaContext.ts"
import * as LambdaLogger from "./LambdaLogger.ts"
import { primeOnce } from "./internal/prime.ts"
import { runner } from "./internal/run.ts"
import { Sandbox } from "./internal/sandbox.ts"

/**
 * A Lambda handler: what the function's configuration names.
 *
 * It rejects when the invocation ends without an answer, and Lambda invokes the function again then.
 *
 * @category models
 * @since 0.1.0
 */
export interface Handler {
  /** A test may leave out what it does not need of the context. Without `getRemainingTimeInMillis` the invocation has no end. */
  (event: unknown, context?: Partial<InvocationContext>): Promise<InvocationAnswer>
  /**
   * Interrupts what runs, releases the resources of the layer and of the checkpoints, and resolves when they are released. It
   * is for tests and for your own servers; on Lambda, SIGTERM does the same.
   *
   * Every call returns the same promise, which rejects with the defect of a finalizer. The handler cannot be used
   * afterwards, as a `ManagedRuntime` cannot: an invocation that comes later rejects as `InvocationFailed` with the reason
   * `"disposed"`.
   */
  readonly dispose: () => Promise<void>
}

/**
 * How a handler behaves.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<R, E> {
  /**
   * What the workflow requires; `Layer.empty` for nothing. It is built once per sandbox; a build that fails is tried again by the
   * next invocation.
   */
  readonly layer: Layer.Layer<R, E>
  /**
   * Where checkpoints go; `LambdaCheckpoints.layerWith` is for another region, endpoint, proxy or credentials.
   * Default: `LambdaCheckpoints.layer`, the service itself.
   */
  readonly checkpoints?: Layer.Layer<CheckpointStore, unknown> | undefined
  /**
   * Where built layers are kept, to share them with other handlers of the same process, or with a `ManagedRuntime`: what is in
   * the `layer` or the `checkpoints` of several of them is built once. It is released when the last of them releases it.
   * Default: none, and each handler builds its own.
   */
  readonly memoMap?: Layer.MemoMap | undefined
  /**
   * How long before the end of the invocation it is cut off; where no more than that is left, half of it: a duration from 0 to 15
   * minutes, such as `"2 seconds"`, or a number of milliseconds. Default: 1 second.
   */
  readonly margin?: Duration.Input | undefined
  /**
   * How long work of a workflow that no operation records, such as a promise outside of a step, may keep an invocation alive
   * when all else waits: a duration from 0 to 15 minutes, such as `"20 seconds"`, or a number of milliseconds. Default: 10 seconds.
   */
  readonly outsideLimit?: Duration.Input | undefined
  /**
   * What a contradiction between code and history, a workflow that is stuck, or configuration that the layer lacks does: `"fail"`
   * ends the execution as FAILED; `"retry"` fails only the invocation, so that the execution goes on when an older version of the
   * code is back. Default: `"fail"`.
   */
  readonly onNonDeterminism?: "fail" | "retry" | undefined
  /**
   * The largest result of a step or context that is kept as it is: a whole number of bytes of JSON, from 1 to 6,291,456. A number
   * beyond 262,144 is for the day when the service allows more. Default: 262,144, the limit of the service.
   */
  readonly maxPayload?: number | undefined
  /**
   * The most operations of one execution, itself included, and every further attempt counted. An execution that would have more
   * ends as FAILED with `LimitExceeded`, and a warning comes at 80 %. A small number finds a loop that never ends before it costs
   * much. A number beyond 3,000 is for the day when the service allows more: until then it refuses what is beyond its own limit.
   * A number that is not whole, or less than 1, throws when the handler is made. Default: 3,000, the limit of the service.
   */
  readonly maxOperations?: number | undefined
  /**
   * Whether the START of a step is left out where its SUCCEED leaves with the same request. A step of a short body then costs one
   * update in place of two, and a fifth fewer bytes; its history has no `StepStarted`, and begins when it ends. A step whose
   * START has left, or that fails, is written as ever. The service's model allows it; nobody has tried it in the cloud yet.
   * Default: `false`.
   */
  readonly omitStart?: boolean | undefined
  /**
   * Whether to tell that a contract without a target is invoked under its own name. Default: yes.
   *
   * @internal
   */
  readonly warnAboutTargets?: boolean | undefined
}

/**
 * What the workflow of an implementation requires of the layer of its handler.
 *
 * @category models
 * @since 0.1.0
 */
export type Requirements<I> = I extends {
  readonly handler: (...args: never) => Effect.Effect<unknown, unknown, infer R>
}
  ? Exclude<R, Execution | Scope | LambdaContext>
  : never

type Provides<R, Required> = [Required] extends [R]
  ? unknown
  : { readonly "the layer lacks services that the workflow requires": Exclude<Required, R> }

/**
 * Makes the handler of a workflow. Throws when an option is not within its range.
 *
 * Each call of the handler is one invocation of an execution. It may be called many times at once. A client that arrives
 * on the event as `durableExecutionClient` is used in place of the configured checkpoints: that is how AWS's test runner
 * drives handlers.
 *
 * @example
 * ```ts
 * import { Durable, DurableFunction } from "effect-durable"
 * import { LambdaHandler } from "effect-durable/lambda"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const Remind = DurableFunction.make("remind")
 *
 * export const handler = LambdaHandler.make(
 *   Remind.implement(() => Durable.wait("a-day", "1 day")),
 *   { layer: Layer.empty }
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <I extends DurableFunction.AnyImplementation, R, E>(
  implementation: I,
  options: Options<R, E> & { readonly layer: Provides<R, Requirements<I>> }
): Handler => {
  const sandbox = new Sandbox(Layer.provideMerge(options.layer, LambdaLogger.layer), options.memoMap)
  const checkpoints = new Sandbox<CheckpointStore, unknown>(
    options.checkpoints ?? LambdaCheckpoints.layer,
    options.memoMap
  )
  const fixed = invokeOptions(options)
  const margin = millisOption(["margin", owner], options.margin, withinInvocation, defaultMargin)
  primeOnce()

  const run = runner(implementation, {
    services: () => sandbox.services,
    checkpoints: () => checkpoints.services,
    options: fixed,
    mayWait: options.onNonDeterminism === "retry",
    margin
  })
  return disposable(implementation.contract.name, [sandbox, checkpoints], run)
}

/** The function that Lambda calls, and the end of it. */
const disposable = (
  name: string,
  sandboxes: ReadonlyArray<Sandbox<never, unknown>>,
  run: (event: unknown, context: Partial<InvocationContext> | undefined) => Effect.Effect<Invoked, unknown>
): Handler => {
  let disposal: Promise<void> | undefined
  const handle = (event: unknown, context?: Partial<InvocationContext>): Promise<InvocationAnswer> =>
    new Promise((resolve, reject) => {
      if (disposal !== undefined) return reject(disposed(name))
      const fiber = Effect.runFork(run(event, context))
      for (const sandbox of sandboxes) sandbox.track(fiber)
      fiber.addObserver((exit) =>
        Exit.isSuccess(exit)
          ? resolve(exit.value.answer)
          : reject(rejection(exit.cause, disposal === undefined ? "The sandbox ended" : "The handler was disposed"))
      )
    })
  const dispose = async (): Promise<void> => {
    // In a later turn: what is interrupted here must find the disposal that has begun.
    await Promise.resolve()
    const released = sandboxes.map((sandbox) => sandbox.dispose())
    await Promise.allSettled(released)
    await Promise.all(released)
  }
  return Object.assign(handle, { dispose: () => (disposal ??= dispose()) })
}

const disposed = (name: string): InvocationFailed =>
  new InvocationFailed({
    reason: "disposed",
    message: `The handler of "${name}" was disposed, and takes no invocation any more. Make a new one with LambdaHandler.make.`
  })

const owner = "LambdaHandler.make"
const payloads = { atLeast: 1, atMost: Limits.maxWirePayload }
const operations = { atLeast: 1, atMost: Infinity }

/** An option that is given. One that is not must not take the place of a default. */
const given = <K extends string, A>(option: K, value: A | undefined): { readonly [Key in K]?: A } | undefined =>
  value === undefined ? undefined : cast({ [option]: value })

const invokeOptions = <R, E>(options: Options<R, E>): Partial<InvokeOptions> => ({
  outsideLimit: millisOption(["outsideLimit", owner], options.outsideLimit, withinInvocation, 10_000),
  ...given(
    "onNonDeterminism",
    choiceOption(["onNonDeterminism", owner], options.onNonDeterminism, ["fail", "retry"], undefined)
  ),
  ...given("maxPayload", countOption(["maxPayload", owner], options.maxPayload, payloads, undefined, "bytes")),
  ...given("maxOperations", countOption(["maxOperations", owner], options.maxOperations, operations, undefined)),
  ...(options.omitStart === undefined ? undefined : { omitStart: options.omitStart }),
  ...(options.warnAboutTargets === undefined ? undefined : { warnAboutTargets: options.warnAboutTargets })
})

/** What Lambda receives: the error itself, or what ended the invocation from outside. Whatever is thrown is an Error, so that it has a name. */
const rejection = (cause: Cause.Cause<unknown>, ended: string): Error => {
  if (Cause.hasInterruptsOnly(cause)) {
    return new InvocationFailed({
      reason: "interrupted",
      message: `${ended} while the invocation was running.`
    })
  }
  const error = Cause.squash(cause)
  return error instanceof Error
    ? error
    : new Error(`The invocation failed: ${Inspectable.toStringUnknown(error)}`, { cause: error })
}
