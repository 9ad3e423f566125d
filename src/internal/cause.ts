/**
 * What the reasons of a cause contain.
 *
 * Owns: reading them. Does not own: what follows from them.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"

/** Returns what a fiber failed or died with, unless it was interrupted. */
export const failureIn = (reason: Cause.Reason<unknown>): unknown => {
  if (Cause.isFailReason(reason)) return reason.error
  return Cause.isDieReason(reason) ? reason.defect : undefined
}
