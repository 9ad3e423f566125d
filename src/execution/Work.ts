/**
 * Work that waits to begin.
 *
 * Owns: what is known of such work. Does not own: when it begins, which the delivery decides.
 *
 * @since 0.1.0
 */
import type { Claim } from "./Claim.ts"

/** New work that waits until the past is delivered. */
export interface Work {
  readonly claim: Claim
  /** Its place in the order of all claims. */
  readonly index: number
  /** Whether it ends a context or the execution. */
  readonly isEnd: boolean
  /** Whether it ends with a mistake, which is a reason of its own for not having gone on. */
  readonly isExempt: boolean
  readonly run: () => void
  isGone: boolean
}
