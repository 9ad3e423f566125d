/**
 * What the reasons of a cause contain.
 *
 * Owns: how they are read. Does not own: the consequences.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"

/** Returns the error or defect with which a fiber ended, unless it was interrupted. */
export const failureIn = (reason: Cause.Reason<unknown>): unknown => {
  if (Cause.isFailReason(reason)) return reason.error
  return Cause.isDieReason(reason) ? reason.defect : undefined
}
