/**
 * Creates the handler of a deployed Lambda function from a workflow.
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
import * as DurableFunction from "../DurableFunction.ts"
import { InvocationFailed } from "../DurableError.ts"
import type { Execution } from "../execution/Parts.ts"
import { defaultMargin, type Invoked, type InvokeOptions } from "../invocation/Invocation.ts"
import { kindOf } from "../internal/found.ts"
import { choiceOption, countOption, millisOption, withinInvocation } from "../internal/options.ts"
import type { InvocationAnswer } from "../wire/Invocation.ts"
import * as Limits from "../wire/Limits.ts"
import * as LambdaCheckpoints from "./LambdaCheckpoints.ts"
import type { LambdaContext, InvocationContext } from "./LambdaContext.ts"
import * as LambdaLogger from "./LambdaLogger.ts"
import { loadEarly } from "./internal/own/connection.ts"
import { primeOnce } from "./internal/prime.ts"
import { runner } from "./internal/run.ts"
import { Sandbox } from "./internal/sandbox.ts"

/**
 * A Lambda handler, which the function's configuration names.
 *
 * It rejects when the invocation ends without an answer. Lambda then invokes the function again.
 *
 * @category models
 * @since 0.1.0
 */
export interface Handler {
  /**
   * Runs an invocation. A test may omit unused parts of the context. Without `getRemainingTimeInMillis` the invocation has
   * no end.
   */
  (event: unknown, context?: Partial<InvocationContext>): Promise<InvocationAnswer>
  /**
   * Interrupts running invocations, releases the resources of the layer and of the checkpoints, and resolves when they are
   * released. It is for tests and for your own servers; on Lambda, SIGTERM does the same.
   *
   * Every call returns the same promise, which rejects with the defect of a finalizer. The handler cannot be used
   * afterwards, like a disposed `ManagedRuntime`: a later invocation rejects as `InvocationFailed` with the reason
   * `"disposed"`.
   */
  readonly dispose: () => Promise<void>
}

/**
 * The options of a handler.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<R, E> {
  /**
   * The services that the workflow requires; `Layer.empty` for none. The layer is built once per sandbox; the next
   * invocation retries a failed build.
   */
  readonly layer: Layer.Layer<R, E>
  /**
   * The checkpoint store. Use `LambdaCheckpoints.layerWith` for another region, endpoint, proxy or credentials. Default:
   * `LambdaCheckpoints.layer`, the service itself.
   */
  readonly checkpoints?: Layer.Layer<CheckpointStore, unknown> | undefined
  /**
   * The map of built layers, to share them with other handlers of the same process or with a `ManagedRuntime`. A layer in
   * the `layer` or the `checkpoints` of several of them is built once, and released when the last of them releases it.
   * Default: none, and each handler builds its own layers.
   */
  readonly memoMap?: Layer.MemoMap | undefined
  /**
   * How long before the end of its time the library ends the invocation: a duration from 0 to 15 minutes, such as
   * `"2 seconds"`, or a number of milliseconds. If an invocation begins with no more time than this, it gets half of
   * that time. Default: 1 second.
   */
  readonly margin?: Duration.Input | undefined
  /**
   * How long work outside of steps, such as a promise, may keep an invocation alive when everything else in the
   * workflow waits: a duration from 0 to 15 minutes, such as `"20 seconds"`, or a number of milliseconds. Default: 10
   * seconds.
   */
  readonly outsideLimit?: Duration.Input | undefined
  /**
   * The reaction to a contradiction between code and history, to a stuck workflow, or to missing configuration of the layer.
   * `"fail"` ends the execution as FAILED; `"retry"` fails only the invocation, so that the execution continues when an
   * older version of the code is deployed again. Default: `"fail"`.
   */
  readonly onNonDeterminism?: "fail" | "retry" | undefined
  /**
   * The largest result of a step or context that is kept unchanged: a whole number of bytes of JSON, from 1 to 6,291,456.
   * Use a number above 262,144 only if the service allows more in future. Default: 262,144, the limit of the service.
   */
  readonly maxPayload?: number | undefined
  /**
   * The maximum number of operations of one execution, counting the execution itself and every further attempt. An execution
   * that would exceed it ends as FAILED with `LimitExceeded`; a warning is logged at 80 %. A small number finds an endless
   * loop before it costs much. A whole number of at least 1. Use a number above 3,000 only if the service allows more in
   * future: until then it refuses operations beyond its own limit. Default: 3,000, the limit of the service.
   */
  readonly maxOperations?: number | undefined
  /**
   * Whether to omit the START of a step if its SUCCEED is sent with the same request. A step with a short body then costs
   * one update instead of two, and a fifth fewer bytes; its history has no `StepStarted`, and begins when it ends. A step
   * whose START was sent already, or that fails, is written as usual. The service's model allows it; it has not been tried
   * in the cloud yet. Default: `false`.
   */
  readonly omitStart?: boolean | undefined
  /**
   * Whether to warn about a contract without a target, which is invoked under its own name. Default: yes.
   *
   * @internal
   */
  readonly warnAboutTargets?: boolean | undefined
}

/**
 * The services that the workflow of an implementation requires from the layer of its handler.
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
 * Creates the handler of a workflow. Throws when an option is out of range.
 *
 * Each call of the handler is one invocation of an execution. Calls may be concurrent. If the event has a client as
 * `durableExecutionClient`, that client replaces the configured checkpoints: AWS's test runner drives handlers in this way.
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
  checkArguments(implementation, options?.layer)
  const sandbox = new Sandbox(Layer.provideMerge(options.layer, LambdaLogger.layer), options.memoMap)
  const checkpoints = new Sandbox<CheckpointStore, unknown>(
    options.checkpoints ?? LambdaCheckpoints.layer,
    options.memoMap
  )
  const fixed = invokeOptions(options)
  const margin = millisOption(["margin", owner], options.margin, withinInvocation, defaultMargin)
  primeOnce()
  if (options.checkpoints === undefined) loadEarly()

  const run = runner(implementation, {
    services: () => sandbox.services,
    checkpoints: () => checkpoints.services,
    options: fixed,
    mayWait: options.onNonDeterminism === "retry",
    margin
  })
  return disposable(implementation.contract.name, [sandbox, checkpoints], run)
}

/** Creates the function that Lambda calls, with its `dispose`. */
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
    // In a later turn, so that invocations interrupted here find that the disposal has begun.
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

/** Refuses arguments that a caller without types may get wrong. */
const checkArguments = (
  implementation: Partial<DurableFunction.AnyImplementation> | undefined,
  layer: unknown
): void => {
  const isImplemented = DurableFunction.isDurableFunction(implementation?.contract)
  if (isImplemented && Layer.isLayer(layer)) return
  const [what, found] = isImplemented ? ["layer", layer] : ["implementation", implementation]
  throw new TypeError(
    `Expected ${owner}(implementation, { layer }), found ${kindOf(found)} as the ${what}. Pass what implement returns, and a Layer.`
  )
}

const payloads = { atLeast: 1, atMost: Limits.maxWirePayload }
const operations = { atLeast: 1, atMost: Infinity }

/** Returns an option as an object if it is given. A missing option must not replace a default. */
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
  ...given("omitStart", options.omitStart),
  ...given("warnAboutTargets", options.warnAboutTargets)
})

/**
 * Returns the error that Lambda receives: the error itself, or the external reason for the end. A thrown value that is not
 * an Error becomes one, so that it has a name.
 */
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
