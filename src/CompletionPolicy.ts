/**
 * Completion policies: how many items of a batch must succeed, and how many may fail.
 *
 * `Durable.parallel` and `Durable.map` take a policy, and record the reason for which they ended. A failed item does not
 * fail the batch: its failure is part of the result.
 *
 * @since 0.1.0
 */

import * as Schema from "effect/Schema"
import { describeFound } from "./internal/found.ts"

/**
 * The reason for the end of a batch.
 *
 * `ALL_COMPLETED`: every item has ended, or no more could be started. `MIN_SUCCESSFUL_REACHED`: enough items have
 * succeeded. `FAILURE_TOLERANCE_EXCEEDED`: too many items have failed. The other two: a predicate decided it.
 *
 * @category models
 * @since 0.1.0
 */
export const CompletionReason = Schema.Literals([
  "ALL_COMPLETED",
  "MIN_SUCCESSFUL_REACHED",
  "FAILURE_TOLERANCE_EXCEEDED",
  "CUSTOM_COMPLETION_SUCCEEDED",
  "CUSTOM_COMPLETION_FAILED"
])

/**
 * The reason for the end of a batch: one of the literals of the Schema.
 *
 * @category models
 * @since 0.1.0
 */
export type CompletionReason = typeof CompletionReason.Type

/**
 * The progress of a batch. `items` has one entry for every item of the batch, in the order of the indexes; an item that
 * has not started has no status.
 *
 * @category models
 * @since 0.1.0
 */
export interface Progress {
  /** The number of items that have succeeded. */
  readonly successCount: number
  /** The number of items that have failed. */
  readonly failureCount: number
  /** The number of items that have succeeded or failed. */
  readonly completedCount: number
  /** The number of items of the batch, started or not. */
  readonly totalCount: number
  /** The items of the batch; `index` counts them from 0. */
  readonly items: ReadonlyArray<{
    readonly index: number
    readonly name: string
    readonly status: "SUCCEEDED" | "FAILED" | "STARTED" | undefined
  }>
}

/**
 * A rule for when a batch starts no more items, when it is complete, and why it ended.
 *
 * @category models
 * @since 0.1.0
 */
export interface CompletionPolicy {
  readonly _tag: "CompletionPolicy"
  /** Whether another item may be started. @internal */
  readonly mayStart: (progress: Progress) => boolean
  /** Whether the batch is complete although items remain. @internal */
  readonly isComplete: (progress: Progress) => boolean
  /** The reason for the end of the batch. @internal */
  readonly reason: (progress: Progress) => CompletionReason
  /**
   * Whether order cannot matter: if all items have ended and the policy does not call the batch complete, no other order
   * would have ended it earlier. @internal
   */
  readonly isOrderless: boolean
}

/**
 * The bounds of a policy that {@link make} creates.
 *
 * @category models
 * @since 0.1.0
 */
export interface Bounds {
  /** The number of successful items that completes the batch: a whole number of at least 1. */
  readonly minSuccessful?: number | undefined
  /** The largest number of failed items that does not end the batch: a whole number of at least 0. */
  readonly toleratedFailureCount?: number | undefined
  /** The largest percentage of failed items, of all items of the batch, that does not end it: from 0 to 100. */
  readonly toleratedFailurePercentage?: number | undefined
}

/**
 * Creates a policy from bounds. With `minSuccessful` alone, failures never end the batch; without any bound, the first
 * failure ends it. Throws when a bound is invalid.
 *
 * @example
 * ```ts
 * import { CompletionPolicy } from "effect-durable"
 *
 * export const quorum = CompletionPolicy.make({ minSuccessful: 2, toleratedFailureCount: 1 })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (bounds: Bounds = {}): CompletionPolicy => {
  const { minSuccessful, toleratedFailureCount, toleratedFailurePercentage } = bounds ?? {}
  check("minSuccessful", minSuccessful, "a whole number of at least 1", (n) => Number.isSafeInteger(n) && n >= 1)
  check("toleratedFailureCount", toleratedFailureCount, "a whole number of at least 0", (n) => {
    return Number.isSafeInteger(n) && n >= 0
  })
  check("toleratedFailurePercentage", toleratedFailurePercentage, "a number from 0 to 100", (n) => n >= 0 && n <= 100)
  const isUnbounded =
    minSuccessful === undefined && toleratedFailureCount === undefined && toleratedFailurePercentage === undefined
  const maxFailures = toleratedFailureCount ?? (isUnbounded ? 0 : Infinity)
  const maxPercentage = toleratedFailurePercentage ?? Infinity
  const isExceeded = ({ failureCount, totalCount }: Progress): boolean =>
    // Not a quotient: 7 of 100 would be more than 7 %.
    failureCount > maxFailures || failureCount * 100 > maxPercentage * totalCount
  const isReached = ({ successCount }: Progress): boolean =>
    minSuccessful !== undefined && successCount >= minSuccessful
  return {
    _tag: "CompletionPolicy",
    mayStart: (progress) => !isExceeded(progress),
    isComplete: (progress) => isExceeded(progress) || isReached(progress),
    reason: (progress) => {
      if (isExceeded(progress)) return "FAILURE_TOLERANCE_EXCEEDED"
      if (progress.completedCount === progress.totalCount) return "ALL_COMPLETED"
      return isReached(progress) ? "MIN_SUCCESSFUL_REACHED" : "ALL_COMPLETED"
    },
    isOrderless: true
  }
}

const check = (
  bound: string,
  value: number | undefined,
  expected: string,
  isValid: (value: number) => boolean
): void => {
  if (value === undefined || (typeof value === "number" && isValid(value))) return
  throw new Error(`CompletionPolicy.make: ${bound} must be ${expected}, found ${describeFound(value)}`)
}

/**
 * The policy that requires every item to succeed: the first failure ends the batch. It is the default of AWS's SDKs.
 *
 * @category policies
 * @since 0.1.0
 */
export const allSuccessful: CompletionPolicy = make({ toleratedFailureCount: 0 })

/**
 * The policy that requires one success: failures do not end the batch.
 *
 * @category policies
 * @since 0.1.0
 */
export const firstSuccessful: CompletionPolicy = make({ minSuccessful: 1 })

/**
 * The policy that runs every item to its end, however many fail. It is the default.
 *
 * @category policies
 * @since 0.1.0
 */
export const allCompleted: CompletionPolicy = make({ toleratedFailurePercentage: 100 })

/**
 * Creates a policy from a function. The library calls it before an item starts and after an item has ended. `"continue"`
 * keeps the batch running; `"SUCCEEDED"` and `"FAILED"` end it with that status. The library may call the function
 * several times for the same progress, so its result must depend on nothing else.
 *
 * @example
 * ```ts
 * import { CompletionPolicy } from "effect-durable"
 *
 * export const twoInARow = CompletionPolicy.custom(({ items }) =>
 *   items.some(({ index, status }) => status === "SUCCEEDED" && items[index + 1]?.status === "SUCCEEDED")
 *     ? "SUCCEEDED"
 *     : "continue"
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const custom = (decide: (progress: Progress) => Decision): CompletionPolicy => {
  if (typeof decide !== "function")
    throw new Error(`CompletionPolicy.custom: the predicate must be a function, found ${describeFound(decide)}`)
  const decided = (progress: Progress): Decision => {
    const decision: string = decide(progress)
    if (decision === "continue" || decision === "SUCCEEDED" || decision === "FAILED") return decision
    throw new Error(
      `CompletionPolicy.custom: the predicate must answer "continue", "SUCCEEDED" or "FAILED", found ${describeFound(decision)}`
    )
  }
  return {
    _tag: "CompletionPolicy",
    mayStart: (progress) => decided(progress) === "continue",
    isComplete: (progress) => decided(progress) !== "continue",
    reason: (progress) => {
      const decision = decided(progress)
      return decision === "continue" ? "ALL_COMPLETED" : `CUSTOM_COMPLETION_${decision}`
    },
    isOrderless: false
  }
}

type Decision = "continue" | "SUCCEEDED" | "FAILED"
