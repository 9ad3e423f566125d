/**
 * The functions that a world runs.
 *
 * Owns: their two kinds, and how a call of a function that is no workflow ends. Does not own: when they are called.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as DurableFunction from "../DurableFunction.ts"
import type * as Engine from "../engine/Service.ts"

/** A function that the world runs: a workflow, or a function that answers a payload. */
export type Served =
  | { readonly _tag: "Workflow"; readonly implementation: DurableFunction.AnyImplementation }
  | { readonly _tag: "Target"; readonly run: (call: TargetCall) => Effect.Effect<TargetAnswer> }

/** The end of a target, if it ends. */
export type TargetAnswer = Engine.TargetEnd | { readonly _tag: "Never" }

/** One call of a target, with the payload as it crossed the wire. */
export interface TargetCall {
  readonly payload: string | undefined
  readonly tenantId: string | undefined
}
