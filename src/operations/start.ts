/**
 * Start: starts another execution without waiting for it.
 *
 * Owns: the name of the started execution, and the reference that the code receives.
 * Does not own: the step that starts it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import type * as DurableFunction from "../DurableFunction.ts"
import type * as DurableClient from "../DurableClient.ts"
import type { Execution } from "../execution/Parts.ts"
import { startAs, type StartRules } from "./executions.ts"
import type { Body } from "./Operation.ts"
import { typed } from "./typed.ts"

/**
 * The options for starting another execution.
 *
 * @category models
 * @since 0.1.0
 */
export interface StartOptions {
  /** The name of the operation. Default: the name of the contract. */
  readonly name?: string | undefined
  /**
   * The name of the execution: 1 to 64 letters, digits, `-` and `_`. Default: the result of the contract's `idempotencyKey`
   * for the payload, else a name unique to this operation.
   */
  readonly executionName?: string | undefined
  /** The tenant for a function with tenant isolation: 1 to 256 letters, digits, spaces and `. _ : / = + - @`. */
  readonly tenantId?: string | undefined
}

/**
 * Starts an execution of a contract without waiting for it, and returns a reference to it.
 *
 * `start` is a step that calls the client. The execution has a fixed name, so a repeated attempt with the same payload
 * starts no second execution. While the client is unavailable the step is repeated, up to 6 attempts in all.
 *
 * **Errors**: those of the client, such as `ExecutionAlreadyStarted`.
 * **Defects**: those of `Durable.step`; before anything is recorded `InvalidTarget`, `InvalidTenantId`, `SerdesFailed`,
 * and `PayloadTooLarge` (more than 1,048,576 bytes of JSON).
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
export const start = <C extends DurableFunction.AnyDurable>(
  contract: C,
  ...[payload, options]: DurableFunction.PayloadAndOptions<C, StartOptions>
): Effect.Effect<
  DurableClient.Started<C>,
  DurableClient.ClientError,
  Execution | DurableClient.DurableClient | DurableFunction.CallerServices<C>
> => typed(untypedStart(contract, payload, options ?? {}))

// --- Implementation ------------------------------------------------------------------------------------------------------

const untypedStart = (contract: DurableFunction.AnyDurable, payload: unknown, rules: StartRules): Body =>
  Effect.map(
    startAs(
      "Durable.start",
      contract,
      payload,
      rules,
      () => rules.executionName ?? contract.idempotencyKey?.(cast<unknown, never>(payload))
    ),
    (executionArn) => ({ contract, executionArn })
  )
