/**
 * All parts of one invocation, and how code of the workflow finds them.
 *
 * Owns: the service through which a fiber finds the parts and its namespace, and the list of what may have to be undone.
 * Does not own: the parts, each in its own file.
 *
 * Invariants:
 * 1. A fiber that runs code of a workflow carries one execution, with the namespace in which it runs.
 * 2. Work that may have to be undone is listed in the order in which the code asked for it.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import type { ClaimHost } from "./Claim.ts"
import type { Core } from "./Core.ts"
import type { Delivery } from "./Delivery.ts"
import type { AnyFiber } from "./Fibers.ts"
import type { Claimed, Namespace } from "./Namespace.ts"
import type { WorkflowTime } from "./WorkflowTime.ts"

/** Something that is undone if the execution fails, from the moment the code asks for it. */
export interface Part {
  readonly name: string
  /** The time at which it was begun. */
  readonly began: WorkflowTime
  /** The namespace of its work, which belongs to it alone. */
  namespace: Namespace
  /** Its state: begun, done, or failed by itself. */
  state: "begun" | "failed" | Done
  /** Runs it once more over its records, in a namespace that is rebuilt. */
  readonly rebuild: (namespace: Namespace) => Effect.Effect<unknown, unknown, unknown>
}

/** Its label, and the effect that undoes it. */
export interface Done {
  /** The operations in it whose outcomes the code had learned. */
  readonly claims: ReadonlyArray<Claimed>
  readonly undo: (cause: Cause.Cause<unknown>) => Effect.Effect<unknown, unknown, unknown>
}

export interface Parts extends Core {
  readonly delivery: Delivery
  /** The namespace of the workflow. */
  readonly root: Namespace
  /** Times that code has read before they were known. */
  readonly glanced: Set<WorkflowTime>
  /**
   * The work that is undone if the execution fails, by the id of its namespace, in the order in which the code asked
   * for it.
   */
  readonly undoable: Map<string, Part>
  /** The work that could not be undone, and why. The outcome of the execution reports it. */
  readonly notUndone: Array<string>
  /** The parts that claims use. */
  readonly claims: ClaimHost
}

/**
 * The data that the runtime keeps in {@link Execution}. It is an interface, because declarations hide only the internal
 * members of interfaces.
 */
export interface ExecutionService {
  /** @internal */
  readonly parts: Parts
  /** @internal */
  readonly namespace: Namespace
}

/**
 * The execution that a durable operation belongs to. The runtime provides it; a workflow only requires it.
 *
 * @category services
 * @since 0.1.0
 */
export class Execution extends Context.Service<Execution, ExecutionService>()("effect-durable/Execution") {}

/**
 * Whether the services `R` include durable operations. Nothing is known about a type parameter, so a helper that is
 * generic in its services compiles. The compiler tries `any` in place of the parameter, which is why `any` counts as
 * not including them.
 */
export type HoldsOperations<R> = [0] extends [1 & R] ? false : [Extract<R, Execution>] extends [never] ? false : true

/** Returns the execution of a fiber, if it belongs to one. */
export const executionOf = (fiber: AnyFiber): ExecutionService | undefined =>
  Context.getOrUndefined(cast<Context.Context<never>, Context.Context<Execution>>(fiber.context), Execution)
