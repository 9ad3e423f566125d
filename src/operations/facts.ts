/**
 * The facts that a workflow can read about its execution.
 *
 * Owns: which facts exist, and that each is the same on every replay or documents that it is not.
 * Does not own: the facts themselves.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { tellDrawn } from "../execution/Outside.ts"
import { Execution } from "../execution/Parts.ts"
import { stepAround } from "../execution/References.ts"
import { md5 } from "../internal/md5.ts"
import { inWorkflow } from "./Operation.ts"
import { typed } from "./typed.ts"

/**
 * Returns a UUID that is the same on every replay and different at every use, in every fiber. The UUID is derived from
 * the execution and the context, and nothing is recorded.
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
export const uuid: Effect.Effect<string, never, Execution> = typed(
  inWorkflow("Durable.uuid", ({ namespace, parts }, fiber) => {
    const { dice } = namespace
    tellDrawn(parts, fiber, namespace)
    const digits = md5(`${parts.executionArn}\0${dice.id}\0uuid\0${dice.drawn++}`)
    // A name-based UUID: version 3, variant 10 (RFC 9562 §5.3).
    const variant = ((Number.parseInt(digits.slice(16, 18), 16) & 0x3f) | 0x80).toString(16)
    return Effect.succeed(
      `${digits.slice(0, 8)}-${digits.slice(8, 12)}-3${digits.slice(13, 16)}-${variant}${digits.slice(18, 20)}-${digits.slice(20)}`
    )
  })
)

/**
 * The facts that are the same for a whole execution.
 *
 * @category models
 * @since 0.1.0
 */
export interface ExecutionInfo {
  readonly executionArn: string
  readonly executionName: string
}

/**
 * Returns the ARN and the name of the current execution.
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
export const execution: Effect.Effect<ExecutionInfo, never, Execution> = Effect.map(Execution, ({ parts }) => ({
  executionArn: parts.executionArn,
  executionName: parts.executionName
}))

/**
 * Returns whether the current code is being replayed: the code has not yet asked for, or not yet received, everything
 * that earlier invocations recorded. Use it only for output that people see, and for no decision of the workflow. Logs
 * need no such check: they are silent during a replay. The body of a step is never replayed.
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
export const isReplaying: Effect.Effect<boolean, never, Execution> = Effect.flatMap(Execution, ({ namespace, parts }) =>
  Effect.withFiber((fiber) =>
    Effect.succeed(stepAround(fiber) === undefined && (namespace.isRebuilding || parts.history.isReplaying))
  )
)

/**
 * Returns whether the invocation is ending while the workflow is not. Use it in finalizers, which run at every
 * suspension.
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
  ({ parts }) => !parts.lifetime.isOpen
)
