/**
 * The information about the current attempt that the body of a step can read.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"

/**
 * The attempt that the body of a step is running. The step provides it to its body.
 *
 * @category services
 * @since 0.1.0
 */
export class StepContext extends Context.Service<
  StepContext,
  {
    /** The ARN of the execution. */
    readonly executionArn: string
    /** The name of the execution. */
    readonly executionName: string
    /** The id of the step on the wire: 16 hexadecimal digits. */
    readonly operationId: string
    /** The name of the step. */
    readonly name: string
    /** The number of this attempt, from 1. */
    readonly attempt: number
    /** A text of at most 64 letters, digits and `-` that is the same for every attempt of this step and for no other step. */
    readonly idempotencyKey: string
    /** The time that is left before the invocation must end; infinite if there is no such limit. */
    readonly remaining: Effect.Effect<Duration.Duration>
  }
>()("effect-durable/StepContext") {}
