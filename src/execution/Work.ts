/**
 * Work that waits to begin.
 *
 * Owns: what is known of such work. Does not own: when it begins, which the delivery decides.
 *
 * @since 0.1.0
 */
import type { Claim } from "./Claim.ts"
import type { Namespace } from "./Namespace.ts"

/** New work that waits until the past is delivered. */
export interface Work {
  readonly claim: Claim
  /** Its place in the order of all claims. */
  readonly index: number
  /** Whether it ends a context or the execution. */
  readonly isEnd: boolean
  /** The namespace whose record begins with it, if one does. */
  readonly begun?: Namespace | undefined
  /** The namespace that ends with it, if one does. */
  readonly ended?: Namespace | undefined
  /** Whether it ends with a mistake, which is a reason of its own for not having gone on. */
  readonly isExempt: boolean
  /** Whether nobody wants it any more, for a reason of its own. */
  readonly isMoot?: (() => boolean) | undefined
  readonly run: () => void
  isGone: boolean
}
