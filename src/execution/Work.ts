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
