/**
 * The result of `Durable.parallel` and `Durable.map`: the outcome of each item, and the reason for which the batch ended.
 *
 * Failures are data: only {@link BatchResult.orFail} turns them into a failure.
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
import { kindOf } from "./internal/found.ts"
import { formed } from "./internal/plainJson.ts"

/**
 * An item that succeeded. `T` is the type of the item that the function of `Durable.map` received.
 *
 * @category models
 * @since 0.1.0
 */
export interface Succeeded<out A, out T = unknown> {
  readonly status: "SUCCEEDED"
  /** The index of the item among all items, from 0. */
  readonly index: number
  readonly name: string
  /** The item as the code passed it this time: it is not recorded. A branch of `Durable.parallel` has none. */
  readonly item: T
  readonly value: A
}

/**
 * An item that failed, with its typed error or its defect. `T` is the type of the item that the function of `Durable.map`
 * received.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failed<out E, out T = unknown> {
  readonly status: "FAILED"
  /** The index of the item among all items, from 0. */
  readonly index: number
  readonly name: string
  /** The item as the code passed it this time: it is not recorded. A branch of `Durable.parallel` has none. */
  readonly item: T
  /** The typed error, absent for an item that died. */
  readonly error?: E
  readonly cause: Cause.Cause<E>
}

/**
 * An item that had started and not ended when the batch ended. The batch cancelled it, and it does not continue.
 *
 * @category models
 * @since 0.1.0
 */
export interface Started<out T = unknown> {
  readonly status: "STARTED"
  /** The index of the item among all items, from 0. */
  readonly index: number
  readonly name: string
  /** The item as the code passed it this time: it is not recorded. A branch of `Durable.parallel` has none. */
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
 * The result of a batch. Items are in the order of their indexes; items that never started are not included.
 *
 * `A` is the type of the values, `E` that of the errors, and `T` that of the items that the function of `Durable.map`
 * received. The branches of `Durable.parallel` have no items, so `T` is `unknown` for them.
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

  /** The typed errors of the items that failed. An item that died has none. */
  get errors(): ReadonlyArray<E> {
    return this.causes.flatMap((cause) => {
      const failure = cause.reasons.find(Cause.isFailReason)
      return failure === undefined ? [] : [failure.error]
    })
  }

  /** The status that a predicate of the policy decided, otherwise `"FAILED"` when any item failed. */
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

  /** The number of items that succeeded. */
  get successCount(): number {
    return this.succeeded.length
  }

  /** The number of items that failed. */
  get failureCount(): number {
    return this.failed.length
  }

  /** The number of items that had not ended. */
  get startedCount(): number {
    return this.started.length
  }

  /** The number of items that were started. */
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
 * Creates the result of a batch in which every item succeeded. A `batchSerdes` uses it to read a result from text; the
 * batch then adds its items.
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
export const fromValues = <A>(name: string, values: ReadonlyArray<A>): BatchResult<A, never> => {
  if (!Array.isArray(values))
    throw new TypeError(`Expected the values of BatchResult.fromValues to be an array, found ${kindOf(values)}.`)
  return new BatchResult(
    name,
    values.map((value, index) => ({ status: "SUCCEEDED", index, name: String(index), item: undefined, value })),
    "ALL_COMPLETED"
  )
}

/**
 * The Schema of the result of a batch, from the Schemas of a value, an error and an item.
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
 * Creates the Schema of the result of a batch, for a block or a function that returns one.
 *
 * `success` is the Schema of a value. `error` is the Schema of the errors: omit it when there are none, and include
 * errors of the library like others. `item` is the Schema of the items: without it, recorded items are `undefined`. A
 * defect keeps its type, message, stack and cause. A block needs no Schema for a result whose values and items are plain
 * data, and whose errors are the library's own.
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
  if (!Schema_.isSchema(options?.success))
    throw new TypeError(
      `Expected BatchResult.Schema({ success }), found ${kindOf(options?.success)} as the success. It is the Schema of a value.`
    )
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

/** The Schema of a defect. A mistake of the library stays one. */
const Defect = Schema_.Union([Mistake, Schema_.Defect({ includeStack: true })])

/** Removes the types of the members from a Schema of the parts. */
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

/** Compiles the codec of a batch whose parts are plain data and whose errors are those of the library. */
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
