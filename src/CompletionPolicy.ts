/**
 * When a batch is complete: how many of its items must succeed, and how many may fail.
 *
 * `Durable.parallel` and `Durable.map` take a policy, and record the reason for which they ended. An item that fails does
 * not fail the batch: its failure is part of the result.
 *
 * @since 0.1.0
 */

import * as Schema from "effect/Schema"

/**
 * Why a batch ended.
 *
 * `ALL_COMPLETED`: every item has ended, or no more could be started. `MIN_SUCCESSFUL_REACHED`: enough items have
 * succeeded. `FAILURE_TOLERANCE_EXCEEDED`: too many items have failed. The other two: a predicate said so.
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
 * Why a batch ended: one of the literals of the Schema.
 *
 * @category models
 * @since 0.1.0
 */
export type CompletionReason = typeof CompletionReason.Type

/**
 * How far a batch has come. `items` has one entry for every item of the batch, in the order of the indexes; one that was
 * not started yet has no status.
 *
 * @category models
 * @since 0.1.0
 */
export interface Progress {
  /** Items that have succeeded. */
  readonly successCount: number
  /** Items that have failed. */
  readonly failureCount: number
  /** Items that have succeeded or failed. */
  readonly completedCount: number
  /** Items of the batch, started or not. */
  readonly totalCount: number
  /** Every item of the batch; its `index` counts items from 0. */
  readonly items: ReadonlyArray<{
    readonly index: number
    readonly name: string
    readonly status: "SUCCEEDED" | "FAILED" | "STARTED" | undefined
  }>
}

/**
 * When to start no more items, when to wait for no more, and why the batch ended then.
 *
 * @category models
 * @since 0.1.0
 */
export interface CompletionPolicy {
  readonly _tag: "CompletionPolicy"
  /** Whether another item may be started. @internal */
  readonly mayStart: (progress: Progress) => boolean
  /** Whether the batch is complete although items are left. @internal */
  readonly isComplete: (progress: Progress) => boolean
  /** Why the batch ended. @internal */
  readonly reason: (progress: Progress) => CompletionReason
  /** Whether a batch that it does not end when all items have ended could not have ended earlier in another order. @internal */
  readonly isOrderless: boolean
}

/**
 * The bounds of a policy made by {@link make}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Bounds {
  /** The batch is complete when so many items have succeeded: a whole number of at least 1. */
  readonly minSuccessful?: number | undefined
  /** The batch ends when more items than this have failed: a whole number of at least 0. */
  readonly toleratedFailureCount?: number | undefined
  /** The batch ends when more than this share of all its items has failed: a percentage from 0 to 100. */
  readonly toleratedFailurePercentage?: number | undefined
}

/**
 * Makes a policy from bounds. With `minSuccessful` alone, failures never end the batch; without any bound the first one
 * does. Throws when a bound makes no sense.
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
  const { minSuccessful, toleratedFailureCount, toleratedFailurePercentage } = bounds
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
  if (value === undefined || isValid(value)) return
  throw new Error(`CompletionPolicy.make: ${bound} must be ${expected}, found ${String(value)}`)
}

/**
 * Every item has to succeed: the first failure ends the batch. The default of AWS's SDKs.
 *
 * @category policies
 * @since 0.1.0
 */
export const allSuccessful: CompletionPolicy = make({ toleratedFailureCount: 0 })

/**
 * One success is enough: failures do not end the batch.
 *
 * @category policies
 * @since 0.1.0
 */
export const firstSuccessful: CompletionPolicy = make({ minSuccessful: 1 })

/**
 * Every item runs to its end, however many fail. The default.
 *
 * @category policies
 * @since 0.1.0
 */
export const allCompleted: CompletionPolicy = make({ toleratedFailurePercentage: 100 })

/**
 * Makes a policy from a function, which is called before an item starts and after an item has ended. `"continue"` keeps the
 * batch running; `"SUCCEEDED"` and `"FAILED"` end it with that status. The library may call the function several times for
 * the same progress, so its result must depend on nothing else.
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
  const decided = (progress: Progress): Decision => {
    const decision: string = decide(progress)
    if (decision === "continue" || decision === "SUCCEEDED" || decision === "FAILED") return decision
    throw new Error(
      `CompletionPolicy.custom: the predicate must answer "continue", "SUCCEEDED" or "FAILED", found ${decision}`
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
