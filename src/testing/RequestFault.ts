/**
 * What can happen to one request to the service, on its way there or back.
 *
 * Owns: what whoever made the request is told then, and whether the service hears of it; how a service shows operations that stamps
 * whole milliseconds, and what an answer does not tell again.
 * Does not own: to which requests it happens.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import {
  StaleCheckpointToken,
  StoreUnavailable,
  type CheckpointRequest,
  type CheckpointResponse,
  type StoreError
} from "../CheckpointStore.ts"
import { isOfOthers } from "../execution/Claim.ts"
import type { Operation } from "../wire/Operation.ts"

/** Before the service hears of the request, or after it has carried it out. */
export type When = "before" | "after"

export type RequestFault =
  /** Whoever asked is told that it no longer owns the execution. */
  | { readonly kind: "stale"; readonly when: When; readonly message?: string }
  /** Whoever asked is told to try again. */
  | { readonly kind: "unavailable"; readonly when: When; readonly message?: string }
  /** The request, or its answer, takes its time. */
  | { readonly kind: "slow"; readonly when: When; readonly millis: number }
  /** The network delivers the request twice. */
  | { readonly kind: "twice" }

/** Makes a request to which something happens. `told` is done before whoever asked learns of a failure. */
export const suffer = <A>(
  fault: RequestFault,
  call: () => Effect.Effect<A, StoreError>,
  told: Effect.Effect<void> = Effect.void
): Effect.Effect<A, StoreError> => {
  switch (fault.kind) {
    case "stale":
    case "unavailable": {
      // As over a network, no answer is there at once, not even that there will be none.
      const first = fault.when === "after" ? Effect.exit(call()) : Effect.yieldNow
      return first.pipe(Effect.andThen(told), Effect.andThen(Effect.fail(errorOf(fault))))
    }
    case "slow": {
      const pause = Effect.andThen(told, Effect.sleep(fault.millis))
      return fault.when === "before" ? Effect.andThen(pause, Effect.suspend(call)) : Effect.tap(call(), () => pause)
    }
    case "twice":
      return call().pipe(Effect.andThen(told), Effect.andThen(Effect.suspend(call)))
  }
}

const errorOf = ({ kind, message }: Extract<RequestFault, { readonly kind: "stale" | "unavailable" }>): StoreError =>
  kind === "stale"
    ? new StaleCheckpointToken({ message: message ?? "This invocation was killed by the test." })
    : new StoreUnavailable({ message: message ?? "The connection was closed before the answer arrived." })

/**
 * An operation as a service shows it that stamps whole milliseconds, so that much happens at the same time. What others bring is
 * stamped by clocks that may be so many milliseconds behind.
 */
export const inWholeMillis = (operation: Operation, behind: number): Operation => {
  const { EndTimestamp, StartTimestamp, Type } = operation
  if (Type === "EXECUTION") return operation
  const start = Math.floor(StartTimestamp)
  const late = Type !== "WAIT" && isOfOthers(Type) ? behind : 0
  return {
    ...operation,
    StartTimestamp: start,
    ...(EndTimestamp !== undefined && { EndTimestamp: Math.max(start, Math.floor(EndTimestamp) - late) })
  }
}

/** Whether an answer need not tell of an operation, because the request itself said how it stands now. */
export const isSaidBy = ({ Updates }: CheckpointRequest, id: string): boolean => {
  const said = Updates.findLast(({ Id }) => Id === id)
  return said?.Type === "STEP" || said?.Type === "CONTEXT"
}

/** An answer that does not tell again what its request said. */
export const silenced = (request: CheckpointRequest, answer: CheckpointResponse): CheckpointResponse => ({
  ...answer,
  NewExecutionState: {
    ...answer.NewExecutionState,
    Operations: answer.NewExecutionState.Operations.filter(({ Id }) => !isSaidBy(request, Id))
  }
})
