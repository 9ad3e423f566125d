/**
 * What `Durable.parallel` and `Durable.map` end with: how each item ended, and why the batch did.
 *
 * Failures are data: nothing here fails unless it is asked to by {@link BatchResult.orFail}.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { CompletionReason } from "./CompletionPolicy.ts"
import { BatchFailed } from "./DurableError.ts"

/**
 * An item that succeeded. `T` is what the function of `Durable.map` was given for it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Succeeded<out A, out T = unknown> {
  readonly status: "SUCCEEDED"
  /** Which item it is, from 0: one less than its place among all items. */
  readonly index: number
  readonly name: string
  /** The item itself, as the code passed it this time: it is not recorded. A branch of `Durable.parallel` has none. */
  readonly item: T
  readonly value: A
}

/**
 * An item that failed, with its typed error or its defect. `T` is what the function of `Durable.map` was given for it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failed<out E, out T = unknown> {
  readonly status: "FAILED"
  /** Which item it is, from 0: one less than its place among all items. */
  readonly index: number
  readonly name: string
  /** The item itself, as the code passed it this time: it is not recorded. A branch of `Durable.parallel` has none. */
  readonly item: T
  /** The typed error; an item that died has none. */
  readonly error?: E
  readonly cause: Cause.Cause<E>
}

/**
 * An item that was started and had not ended when the batch did. It was let go of, and goes on no further.
 *
 * @category models
 * @since 0.1.0
 */
export interface Started<out T = unknown> {
  readonly status: "STARTED"
  /** Which item it is, from 0: one less than its place among all items. */
  readonly index: number
  readonly name: string
  /** The item itself, as the code passed it this time: it is not recorded. A branch of `Durable.parallel` has none. */
  readonly item: T
}

/**
 * One item of a batch.
 *
 * @category models
 * @since 0.1.0
 */
export type Item<A, E, T = unknown> = Succeeded<A, T> | Failed<E, T> | Started<T>

/**
 * The result of a batch. Items are in the order of their indexes; those that were never started are not among them.
 *
 * `A` is what an item succeeds with, `E` what it fails with, and `T` the item that the function of `Durable.map` was given:
 * nothing is known of it for the branches of `Durable.parallel`, which have none.
 *
 * @category models
 * @since 0.1.0
 */
export class BatchResult<out A, out E, out T = unknown> {
  /** The name of the batch, for messages. */
  readonly name: string
  /** Every item that was started. */
  readonly all: ReadonlyArray<Item<A, E, T>>
  readonly completionReason: CompletionReason

  constructor(name: string, all: ReadonlyArray<Item<A, E, T>>, completionReason: CompletionReason) {
    this.name = name
    this.all = all
    this.completionReason = completionReason
  }

  get succeeded(): ReadonlyArray<Succeeded<A, T>> {
    return this.all.filter((item) => item.status === "SUCCEEDED")
  }

  get failed(): ReadonlyArray<Failed<E, T>> {
    return this.all.filter((item) => item.status === "FAILED")
  }

  get started(): ReadonlyArray<Started<T>> {
    return this.all.filter((item) => item.status === "STARTED")
  }

  /** The values of the items that succeeded. */
  get values(): ReadonlyArray<A> {
    return this.succeeded.map((item) => item.value)
  }

  /** The causes of the items that failed. */
  get causes(): ReadonlyArray<Cause.Cause<E>> {
    return this.failed.map((item) => item.cause)
  }

  /** The typed errors of the items that failed; those that died have none. */
  get errors(): ReadonlyArray<E> {
    return this.causes.flatMap((cause) => {
      const failure = cause.reasons.find(Cause.isFailReason)
      return failure === undefined ? [] : [failure.error]
    })
  }

  /** What a predicate of the policy decided, else `"FAILED"` when any item failed. */
  get status(): "SUCCEEDED" | "FAILED" {
    switch (this.completionReason) {
      case "CUSTOM_COMPLETION_SUCCEEDED":
        return "SUCCEEDED"
      case "CUSTOM_COMPLETION_FAILED":
        return "FAILED"
      default:
        return this.hasFailure ? "FAILED" : "SUCCEEDED"
    }
  }

  get hasFailure(): boolean {
    return this.failed.length > 0
  }

  /** How many items succeeded. */
  get successCount(): number {
    return this.succeeded.length
  }

  /** How many items failed. */
  get failureCount(): number {
    return this.failed.length
  }

  /** How many items had not ended. */
  get startedCount(): number {
    return this.started.length
  }

  /** How many items were started. */
  get totalCount(): number {
    return this.all.length
  }

  /**
   * Fails as the first failed item did, or with `BatchFailed` when a predicate ended the batch as failed although no item
   * had. Otherwise it succeeds with the values.
   */
  get orFail(): Effect.Effect<ReadonlyArray<A>, E | BatchFailed> {
    return Effect.suspend((): Effect.Effect<ReadonlyArray<A>, E | BatchFailed> => {
      const [first] = this.causes
      if (first !== undefined) return Effect.failCause(first)
      return this.status === "SUCCEEDED"
        ? Effect.succeed(this.values)
        : Effect.fail(new BatchFailed({ operation: this.name, completionReason: this.completionReason }))
    })
  }
}

/**
 * Makes the result of a batch in which every item succeeded: for a `batchSerdes`, which reads a result from text. The batch
 * adds its items.
 *
 * @example
 * ```ts
 * import { BatchResult, Serdes } from "effect-durable"
 *
 * export const commaSeparated = Serdes.make<BatchResult.BatchResult<string, never>>({
 *   serialize: (result) => result.values.join(","),
 *   deserialize: (text) => BatchResult.fromValues("letters", (text ?? "").split(","))
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromValues = <A>(name: string, values: ReadonlyArray<A>): BatchResult<A, never> =>
  new BatchResult(
    name,
    values.map((value, index) => ({ status: "SUCCEEDED", index, name: String(index), item: undefined, value })),
    "ALL_COMPLETED"
  )
