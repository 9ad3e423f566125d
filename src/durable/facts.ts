/**
 * What a workflow may know of its execution.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as patchedOperation from "../runtime/operations/patched.ts"
import { Execution, nested } from "../runtime/Execution.ts"
import { isReplayed } from "../runtime/Logging.ts"
import { md5 } from "../runtime/Identity.ts"
import { typed } from "./typed.ts"

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
