/**
 * A record as it stands after a change, for a store that acknowledges a change without telling the operation.
 *
 * @since 0.1.0
 */
import type { Operation } from "../wire/Operation.ts"
import type { Change, Claim } from "./Claim.ts"

/** What the service told if it told of the change, and otherwise what the change says. */
export const withChange = (told: Operation | undefined, claim: Claim, change: Change, now: number): Operation => {
  const status = statusAfter(change)
  if (told !== undefined && (told.Status === status || isPast(told, status))) return told
  const { kind, name } = claim
  const ends = status === "SUCCEEDED" || status === "FAILED" || status === "CANCELLED"
  const attempts = (told?.StepDetails?.Attempt ?? 0) + (kind.type === "STEP" && status !== "STARTED" ? 1 : 0)
  const outcome = { Result: change.Payload, Error: change.Error }
  return {
    ...told,
    Id: claim.id,
    Name: name,
    Type: kind.type,
    SubType: kind.subType,
    Status: status,
    StartTimestamp: told?.StartTimestamp ?? now,
    ...(ends && { EndTimestamp: now }),
    ...(kind.type === "STEP" && {
      StepDetails: { ...told?.StepDetails, ...outcome, Attempt: attempts, NextAttemptTimestamp: nextAttempt(change, now) }
    }),
    ...(kind.type === "CONTEXT" && {
      ContextDetails: { ...outcome, ReplayChildren: change.ContextOptions?.ReplayChildren ?? false }
    }),
    ...(kind.type === "WAIT" && {
      WaitDetails: told?.WaitDetails ?? { ScheduledEndTimestamp: now + (change.WaitOptions?.WaitSeconds ?? 0) * 1_000 }
    })
  }
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

/** Whether an operation has got further than a change that was acknowledged. */
const isPast = ({ EndTimestamp, Status }: Operation, status: string): boolean =>
  EndTimestamp !== undefined || (status === "PENDING" && Status === "READY") || (status === "STARTED" && Status !== "READY")

const nextAttempt = ({ StepOptions }: Change, now: number): number | undefined =>
  StepOptions?.NextAttemptDelaySeconds === undefined ? undefined : now + StepOptions.NextAttemptDelaySeconds * 1_000
