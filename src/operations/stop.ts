/**
 * Stop: ends another execution for good.
 *
 * Owns: only its name. Does not own: the call of the client, which is a step.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import * as Schema from "effect/Schema"
import type * as DurableFunction from "../DurableFunction.ts"
import { DurableClient, type ClientError } from "../ClientPort.ts"
import type { Started } from "../DurableClient.ts"
import type { Execution } from "../execution/Parts.ts"
import type { ErrorObject } from "../wire/ErrorObject.ts"
import { unfit } from "./argument.ts"
import { recordedAs } from "./executions.ts"
import { untypedStep } from "./step.ts"
import { typed } from "./typed.ts"

/**
 * The options of {@link stop}.
 *
 * @category models
 * @since 0.1.0
 */
export interface StopOptions {
  /** The name of the operation. Default: `"stop"`. */
  readonly name?: string | undefined
  /** The error with which the execution ends, visible to its callers. Default: the error of the service. */
  readonly error?: ErrorObject | undefined
}

/**
 * Stops another execution for good, without running any of its code. Stopping an execution that has ended does nothing.
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
  execution: Pick<Started<DurableFunction.AnyDurable>, "executionArn">,
  options?: StopOptions
): Effect.Effect<void, ClientError, Execution | DurableClient> => {
  const { error, name = "stop" } = options ?? {}
  if (!hasProperty(execution, "executionArn"))
    return unfit(name, "execution", "what Durable.start returns", execution, "It has an executionArn.")
  const stopped = Effect.flatMap(DurableClient, (client) => client.stop(execution.executionArn, error))
  return typed(untypedStep(name, Effect.asVoid(stopped), recordedAs(Schema.Void)))
}
