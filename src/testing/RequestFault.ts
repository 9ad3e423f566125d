/**
 * The faults of one request to the service, on its way there or back.
 *
 * Owns: the answer to the sender, and whether the service receives the request; the form of operations in a service that
 * stamps whole milliseconds, and which updates an answer does not repeat.
 * Does not own: which requests suffer a fault.
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

/** Whether the fault happens before the service receives the request, or after it has applied the request. */
export type When = "before" | "after"

export type RequestFault =
  /** The sender receives the answer that it no longer owns the execution. */
  | { readonly kind: "stale"; readonly when: When; readonly message?: string }
  /** The sender receives the answer to try again. */
  | { readonly kind: "unavailable"; readonly when: When; readonly message?: string }
  /** The request, or its answer, is delayed. */
  | { readonly kind: "slow"; readonly when: When; readonly millis: number }
  /** The network delivers the request twice. */
  | { readonly kind: "twice" }

/** Sends a request that suffers a fault. `told` runs before the sender receives a failure. */
export const suffer = <A>(
  fault: RequestFault,
  call: () => Effect.Effect<A, StoreError>,
  told: Effect.Effect<void> = Effect.void
): Effect.Effect<A, StoreError> => {
  switch (fault.kind) {
    case "stale":
    case "unavailable": {
      // As over a network, no answer comes immediately, not even a failure.
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
 * Returns an operation as a service shows it that stamps whole milliseconds, so that many events have the same time. The
 * clocks that stamp external events may be `behind` by some milliseconds.
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

/** Returns whether an answer may omit an operation, because the request itself contains its current status. */
export const isSaidBy = ({ Updates }: CheckpointRequest, id: string): boolean => {
  const said = Updates.findLast(({ Id }) => Id === id)
  return said?.Type === "STEP" || said?.Type === "CONTEXT"
}

/** Returns an answer without the updates of its own request. */
export const silenced = (request: CheckpointRequest, answer: CheckpointResponse): CheckpointResponse => ({
  ...answer,
  NewExecutionState: {
    ...answer.NewExecutionState,
    Operations: answer.NewExecutionState.Operations.filter(({ Id }) => !isSaidBy(request, Id))
  }
})
