/**
 * Other functions and their executions: call one, start one, stop one, and hand over to one.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as executionsOperation from "../runtime/operations/executions.ts"
import * as invokeOperation from "../runtime/operations/invoke.ts"
import type * as Contract from "../Contract.ts"
import type * as DurableClient from "../DurableClient.ts"
import type * as Serdes from "../Serdes.ts"
import type { ErrorObject } from "../wire/ErrorObject.ts"
import type { Execution } from "../runtime/Execution.ts"
import type { FromArguments } from "../Plain.ts"
import type { InvokeError } from "../DurableError.ts"
import { type PayloadAndOptions, type Timeout, typed } from "./typed.ts"

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
 * **Defects**: those of `Durable.step`; before anything is recorded `InvalidTarget`, `InvalidTenantId`, `SerdesFailed`, and
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
 * **Errors**: those of the client. **Defects**: those of `Durable.step`.
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
