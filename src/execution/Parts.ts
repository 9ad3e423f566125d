/**
 * All parts of one invocation, and how code of the user carries them.
 *
 * Owns: the service through which a fiber finds the parts and its namespace, and what may have to be undone.
 * Does not own: the parts, each of which has a file of its own.
 *
 * Invariants:
 * 1. A fiber that runs code of a workflow carries one execution, with the namespace that it runs in.
 * 2. What may have to be undone is listed in the order in which it was asked for.
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

/** Something that is undone if the execution fails, from the moment at which it was asked for. */
export interface Part {
  readonly name: string
  /** When it was begun. */
  readonly began: WorkflowTime
  /** The namespace of what is done, which belongs to it alone. */
  namespace: Namespace
  /** How it stands: it was begun, it is done, or it failed by itself. */
  state: "begun" | "failed" | Done
  /** Runs it once more over what is recorded, in a namespace that is rebuilt. */
  readonly rebuild: (namespace: Namespace) => Effect.Effect<unknown, unknown, unknown>
}

/** What was done, and what undoes it. */
export interface Done {
  /** The operations whose outcomes it had. */
  readonly claims: ReadonlyArray<Claimed>
  readonly undo: (cause: Cause.Cause<unknown>) => Effect.Effect<unknown, unknown, unknown>
}

export interface Parts extends Core {
  readonly delivery: Delivery
  /** The namespace of the workflow. */
  readonly root: Namespace
  /** Times that code has looked at before they were known. */
  readonly glanced: Set<WorkflowTime>
  /** What is undone if the execution fails, by the id of its namespace and in the order in which it was asked for. */
  readonly undoable: Map<string, Part>
  /** What could not be undone, and why, for the outcome of the execution. */
  readonly notUndone: Array<string>
  /** What claims need of the parts. */
  readonly claims: ClaimHost
}

/** What the runtime keeps in {@link Execution}: an interface, because declarations hide the internal members of those only. */
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
 * Whether durable operations are among the services `R`. Nothing is known of a type parameter, so a helper that is generic
 * in its services compiles; the compiler tries `any` in its place, hence the answer for that.
 */
export type HoldsOperations<R> = [0] extends [1 & R] ? false : [Extract<R, Execution>] extends [never] ? false : true

/** The execution of a fiber, if it belongs to one. */
export const executionOf = (fiber: AnyFiber): ExecutionService | undefined =>
  Context.getOrUndefined(cast<Context.Context<never>, Context.Context<Execution>>(fiber.context), Execution)
