/**
 * The result of `Durable.parallel` and `Durable.map`: how each item ended, and why the batch ended.
 *
 * Failures are data: nothing here fails unless it is asked to by {@link BatchResult.orFail}.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import * as Schema_ from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { CompletionReason } from "./CompletionPolicy.ts"
import { BatchFailed, Mistake, OperationError } from "./DurableError.ts"
import { formed } from "./internal/plainJson.ts"

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
 * An item that was started and had not ended when the batch did. It was let go of, and does not continue.
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
   * Returns the values. Fails with the error of the first failed item, or with `BatchFailed` when a predicate ended the
   * batch as failed although no item had failed.
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

/**
 * The Schema of the result of a batch, by the Schemas of a value, an error and an item.
 *
 * @category models
 * @since 0.1.0
 */
export interface Schema<
  Success extends Schema_.Constraint,
  Error extends Schema_.Constraint = Schema_.Never,
  Item extends Schema_.Constraint = Schema_.Unknown
> extends Schema_.Codec<
  BatchResult<Success["Type"], Error["Type"], Item["Type"]>,
  unknown,
  Success["DecodingServices"] | Error["DecodingServices"] | Item["DecodingServices"],
  Success["EncodingServices"] | Error["EncodingServices"] | Item["EncodingServices"]
> {}

/**
 * Makes the Schema of the result of a batch, for a block or a function that ends with one.
 *
 * `success` is the Schema of a value. `error` is that of the errors, and may be left out when there are none; errors of the
 * library are named in it like others. Items are kept with an `item`, and are `undefined` without. A defect keeps its
 * type, message, stack and cause. A block needs no Schema for a result whose values and items are plain data, and whose errors
 * are the library's own.
 *
 * @example
 * ```ts
 * import { BatchResult, Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 *
 * class Bounced extends Schema.TaggedError<Bounced>()("Bounced", {}) {}
 *
 * const send = (address: string) =>
 *   address.endsWith("@") ? Effect.fail(new Bounced()) : Durable.step("send", Effect.log("sent"))
 *
 * export const mailed = Durable.child(
 *   "mailing",
 *   Durable.map("mails", ["ann@example.com", "bob@"], send, { error: Bounced }),
 *   { success: BatchResult.Schema({ success: Schema.Void, error: Bounced, item: Schema.String }) }
 * )
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Schema = <
  Success extends Schema_.Constraint,
  Error extends Schema_.Constraint = Schema_.Never,
  Item extends Schema_.Constraint = Schema_.Unknown
>(options: {
  readonly success: Success
  readonly error?: Error | undefined
  readonly item?: Item | undefined
}): Schema<Success, Error, Item> => {
  const common = {
    index: Schema_.Int,
    name: Schema_.String,
    ...(options.item === undefined ? undefined : { item: options.item })
  }
  const cause = Schema_.Cause(options.error ?? Schema_.Never, Defect)
  const parts = Schema_.Struct({
    name: Schema_.String,
    all: Schema_.Array(
      Schema_.Union([
        Schema_.Struct({ status: Schema_.Literal("SUCCEEDED"), ...common, value: options.success }),
        Schema_.Struct({ status: Schema_.Literal("FAILED"), ...common, cause }),
        Schema_.Struct({ status: Schema_.Literal("STARTED"), ...common })
      ])
    ),
    completionReason: CompletionReason
  })
  return cast(
    untyped(parts).pipe(Schema_.decodeTo(Whole, SchemaTransformation.transform({ decode: resultOf, encode: partsOf })))
  )
}

const Whole = Schema_.declare((value): value is BatchResult<unknown, unknown> => value instanceof BatchResult, {
  expected: "BatchResult"
})

/** A mistake of the library stays one. */
const Defect = Schema_.Union([Mistake, Schema_.Defect({ includeStack: true })])

/** A Schema of the parts, whatever those of its members are. */
const untyped = (parts: Schema_.Constraint) => cast<Schema_.Constraint, Schema_.Codec<Parts, unknown>>(parts)

interface Parts {
  readonly name: string
  readonly all: ReadonlyArray<Part>
  readonly completionReason: CompletionReason
}

type Part = Started | Omit<Failed<unknown>, "error"> | Succeeded<unknown>

const partsOf = ({ all, completionReason, name }: BatchResult<unknown, unknown>): Parts => ({
  name,
  all,
  completionReason
})

const resultOf = ({ all, completionReason, name }: Parts): BatchResult<unknown, unknown> =>
  new BatchResult(name, all.map(itemOf), completionReason)

const itemOf = (part: Part): Item<unknown, unknown> => {
  const { index, item, name, status } = part
  switch (status) {
    case "SUCCEEDED":
      return { status, index, name, item, value: part.value }
    case "FAILED": {
      const { cause } = part
      const failure = cause.reasons.find(Cause.isFailReason)
      return { status, index, name, item, ...(failure === undefined ? undefined : { error: failure.error }), cause }
    }
    case "STARTED":
      return { status, index, name, item }
  }
}

// --- Without a Schema ------------------------------------------------------------------------------------------------

/** The result of a batch whose parts are plain data, and whose errors are those of the library. */
const compile = () => {
  // Nothing is written for undefined.
  const plain = Schema_.optionalKey(Schema_.Any)
  const codec = Schema_.toCodecJson(Schema({ success: plain, error: OperationError, item: plain }))
  return { encode: Schema_.encodeUnknownSync(codec), decode: Schema_.decodeUnknownSync(codec) }
}

let compiled: ReturnType<typeof compile> | undefined

const ofParts = () => (compiled ??= compile())

formed({
  is: (value) => value instanceof BatchResult,
  toPlain: (value) => ofParts().encode(value),
  fromPlain: (plain) => ofParts().decode(plain)
})
