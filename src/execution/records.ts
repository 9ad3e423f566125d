/**
 * A record after a change, for a store that acknowledges a change without returning the operation.
 *
 * Owns: the effect of a change on a record. Does not own: the records, which the history has.
 *
 * Invariants:
 * 1. The report of the service has precedence. A change adds only what the service did not report, and never returns a
 *    record to an earlier state.
 *
 * @since 0.1.0
 */
import type { Operation } from "../wire/Operation.ts"
import { isFinal, type Change, type Claim } from "./Claim.ts"

/** Returns what the service reported if that includes the change; otherwise applies the change. */
export const withChange = (told: Operation | undefined, claim: Claim, change: Change, now: number): Operation => {
  const status = statusAfter(change)
  if (told !== undefined && (told.Status === status || isPast(told, status, claim))) return withOutcome(told, change)
  const { kind, name, namespace } = claim
  const ends = status === "SUCCEEDED" || status === "FAILED" || status === "CANCELLED"
  const attempts = (told?.StepDetails?.Attempt ?? 0) + (kind.type === "STEP" && status !== "STARTED" ? 1 : 0)
  const outcome = { Result: change.Payload, Error: change.Error }
  return {
    ...told,
    Id: claim.id,
    ...(namespace.wireId !== undefined && { ParentId: namespace.wireId }),
    Name: name,
    Type: kind.type,
    SubType: kind.subType,
    Status: status,
    StartTimestamp: told?.StartTimestamp ?? now,
    ...(ends && { EndTimestamp: now }),
    ...(kind.type === "STEP" && {
      StepDetails: {
        ...told?.StepDetails,
        ...outcome,
        Attempt: attempts,
        NextAttemptTimestamp: nextAttempt(change, now)
      }
    }),
    ...(kind.type === "CONTEXT" && {
      ContextDetails: { ...outcome, ReplayChildren: change.ContextOptions?.ReplayChildren ?? false }
    }),
    ...(kind.type === "WAIT" && {
      WaitDetails: told?.WaitDetails ?? { ScheduledEndTimestamp: now + (change.WaitOptions?.WaitSeconds ?? 0) * 1_000 }
    })
  }
}

/** Adds the written payload or error to an outcome that the service reports without it. */
const withOutcome = (told: Operation, { Error: error, Payload: payload }: Change): Operation => {
  if (payload === undefined && error === undefined) return told
  const { ContextDetails, StepDetails, Type } = told
  const missing = ({ Error: known, Result }: { readonly Error?: unknown; readonly Result?: unknown } = {}): boolean =>
    known === undefined && Result === undefined
  const written = { ...(payload !== undefined && { Result: payload }), ...(error !== undefined && { Error: error }) }
  if (Type === "STEP" && missing(StepDetails)) return { ...told, StepDetails: { ...StepDetails, ...written } }
  if (Type === "CONTEXT" && missing(ContextDetails))
    return { ...told, ContextDetails: { ...ContextDetails, ...written } }
  return told
}

const statusAfter = ({ Action }: Change): string => {
  switch (Action) {
    case "SUCCEED":
      return "SUCCEEDED"
    case "FAIL":
      return "FAILED"
    case "CANCEL":
      return "CANCELLED"
    case "RETRY":
      return "PENDING"
    default:
      return "STARTED"
  }
}

/** Returns whether an operation is in a later state than the one after an acknowledged change. */
const isPast = (told: Operation, status: string, { attempt, nextAttempt }: Claim): boolean =>
  isFinal(told) ||
  (status === "PENDING" && told.Status === "READY" && nextAttempt > attempt) ||
  (status === "STARTED" && told.Status !== "READY")

const nextAttempt = ({ StepOptions }: Change, now: number): number | undefined =>
  StepOptions?.NextAttemptDelaySeconds === undefined ? undefined : now + StepOptions.NextAttemptDelaySeconds * 1_000
