/**
 * What is in the reasons of a cause.
 *
 * Owns: that. Does not own: what becomes of it.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"

/** What a fiber failed or died with, unless it was interrupted. */
export const failureIn = (reason: Cause.Reason<unknown>): unknown => {
  if (Cause.isFailReason(reason)) return reason.error
  return Cause.isDieReason(reason) ? reason.defect : undefined
}
