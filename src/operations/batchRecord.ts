/**
 * The content of the record of a batch.
 *
 * Owns: how the outcomes of all items are written and read, and the short form that replaces them when they are too large.
 * Does not own: when the record is written, and how a replay uses it.
 *
 * Invariants:
 * 1. The record of a batch repeats every outcome, so that a replay needs no other record. If that is too large, it holds one
 *    letter for each item, and a replay takes the outcomes from the items.
 * 2. The same outcomes have the same text on every run, regardless of the order of the fields of an error.
 * 3. An item that cannot be read is a failure of the batch, not of the item.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { BatchResult, type Item } from "../BatchResult.ts"
import * as CompletionPolicy from "../CompletionPolicy.ts"
import type { Claim } from "../execution/Claim.ts"
import { operationId } from "../execution/Identity.ts"
import { exitOf } from "../internal/effect.ts"
import { make, type Codec, SerdesError } from "../Serdes.ts"
import { readFailure } from "../values/Failures.ts"
import { readValue, type AnyCodec, type NotForNow, type Recording, type Subject } from "../values/Values.ts"
import { ErrorObject } from "../wire/ErrorObject.ts"
import type { SubType } from "../wire/SubType.ts"
import type { Outcome } from "./child.ts"

/** The part of an item that comes from the code and is not recorded. */
interface Given {
  readonly name: string
  readonly item?: unknown
}

/** The outcomes of the started items, in the order of their indexes, and the completion reason of the batch. */
export interface Ended {
  readonly all: ReadonlyArray<Outcome | undefined>
  readonly completionReason: CompletionPolicy.CompletionReason
}

// --- The short form ------------------------------------------------------------------------------------------------------

/** The status of an item as one letter of a summary. */
export const letter = { succeeded: "S", failed: "F", started: "-" } as const

export const letterOf = (outcome: Outcome | undefined): string =>
  outcome === undefined ? letter.started : "error" in outcome ? letter.failed : letter.succeeded

/** The short form of a result that is too large: one letter for each started item, and counts for people. */
const Summary = Schema.fromJsonString(
  Schema.Struct({
    type: Schema.String,
    totalCount: Schema.Int,
    successCount: Schema.Int,
    failureCount: Schema.Int,
    startedCount: Schema.Int,
    completionReason: CompletionPolicy.CompletionReason,
    itemStatuses: Schema.String.check(Schema.isPattern(/^[SF-]*$/))
  })
)

export type Summary = typeof Summary.Type

export const summaryOf = (subType: SubType, { all, completionReason }: Ended): string => {
  const itemStatuses = all.map(letterOf).join("")
  const count = (one: string): number => itemStatuses.split(one).length - 1
  return Schema.encodeSync(Summary)({
    type: `${subType}Result`,
    totalCount: all.length,
    successCount: count(letter.succeeded),
    failureCount: count(letter.failed),
    startedCount: count(letter.started),
    completionReason,
    itemStatuses
  })
}

export const readSummary = (text: string): Summary | undefined =>
  Option.getOrUndefined(Schema.decodeUnknownOption(Summary)(text))

// --- Write and read ------------------------------------------------------------------------------------------------------

/** The record of a batch. The result of an item is the text that the item's codec wrote. */
const BatchRecord = Schema.fromJsonString(
  Schema.Struct({
    all: Schema.Array(
      Schema.Struct({
        index: Schema.Int,
        status: Schema.Literals(["SUCCEEDED", "FAILED", "STARTED"]),
        result: Schema.optionalKey(Schema.String),
        error: Schema.optionalKey(ErrorObject)
      })
    ).check(
      Schema.makeFilter(
        (all) => all.every(({ index }, place) => index === place) || "items in the order of their indexes"
      )
    ),
    completionReason: CompletionPolicy.CompletionReason
  })
)

const decodeRecord = Schema.decodeUnknownEffect(BatchRecord)

/** The recording rules of a batch. */
export interface BatchRecording extends Recording {
  readonly batchSerdes?: AnyCodec | undefined
}

/** Returns what to do instead of reading this number of recorded items, if they cannot be the items in the code. */
type Refusal = (reason: CompletionPolicy.CompletionReason, recorded: number) => Effect.Effect<never> | undefined

/** Returns the codec that writes the end of a batch and reads it as a result. */
export const codecOf = (
  claim: Claim,
  items: ReadonlyArray<Given>,
  recording: BatchRecording,
  refusal: Refusal
): AnyCodec => {
  const { batchSerdes } = recording
  const asResult = (ended: Ended) =>
    refusal(ended.completionReason, ended.all.length) ?? resultOf(claim, items, recording, ended)
  if (batchSerdes === undefined) {
    return make<unknown>({
      serialize: (ended) => writeEnded(cast(ended)),
      deserialize: (text) => Effect.flatMapEager(readEnded(text), asResult)
    })
  }
  const { deserialize, serialize } = untyped(batchSerdes)
  return make<unknown, unknown>({
    serialize: (ended, info) => Effect.flatMapEager(asResult(cast(ended)), (result) => serialize(result, info)),
    deserialize: (text, info) => Effect.mapEager(deserialize(text, info), (result) => withItems(result, items))
  })
}

/** Replaces the items of a result with those that the code passed. */
const withItems = (result: unknown, items: ReadonlyArray<Given>): unknown => {
  if (!(result instanceof BatchResult)) return result
  const all: BatchResult<unknown, unknown>["all"] = result.all
  const given = all.map((one) => ({ ...one, item: items[one.index]?.item }))
  return new BatchResult<unknown, unknown>(result.name, given, result.completionReason)
}

const untyped = (codec: AnyCodec): Codec<unknown, unknown> => cast<AnyCodec, Codec<unknown, unknown>>(codec)

/** Orders the fields of an error, so that the text is the same on every run. */
const inOrder = ({ ErrorData, ErrorMessage, ErrorType, StackTrace }: ErrorObject): ErrorObject => ({
  ...(ErrorType === undefined ? undefined : { ErrorType }),
  ...(ErrorMessage === undefined ? undefined : { ErrorMessage }),
  ...(ErrorData === undefined ? undefined : { ErrorData }),
  ...(StackTrace === undefined ? undefined : { StackTrace })
})

const writeEnded = ({ all, completionReason }: Ended): string =>
  JSON.stringify({
    all: all.map((outcome, index) => {
      if (outcome === undefined) return { index, status: "STARTED" }
      if ("error" in outcome) return { index, status: "FAILED", error: inOrder(outcome.error) }
      return { index, status: "SUCCEEDED", ...(outcome.text === undefined ? undefined : { result: outcome.text }) }
    }),
    completionReason
  })

const readEnded = (text: string | undefined): Effect.Effect<Ended, Schema.SchemaError> =>
  Effect.mapEager(decodeRecord(text), ({ all, completionReason }) => ({
    all: all.map(({ error, result, status }) => {
      if (status === "STARTED") return undefined
      return status === "FAILED" ? { error: error ?? {} } : { text: result }
    }),
    completionReason
  }))

const resultOf = (
  claim: Claim,
  items: ReadonlyArray<Given>,
  recording: Recording,
  { all, completionReason }: Ended
): Effect.Effect<BatchResult<unknown, unknown>, SerdesError> => {
  const read = all.map((outcome, index) => itemOf(claim, recording, items[index]!, index, outcome))
  const values: Array<Item<unknown, unknown>> = []
  for (const item of read) {
    const exit = exitOf(item)
    if (exit === undefined || Exit.isFailure(exit)) {
      return Effect.map(Effect.all(read), (found) => new BatchResult(claim.name, found, completionReason))
    }
    values.push(exit.value)
  }
  return Effect.succeed(new BatchResult(claim.name, values, completionReason))
}

/** Reads one item. An item that cannot be read is a failure of the batch, not of the item. */
const itemOf = (
  { executionArn, format, id, path }: Claim,
  recording: Recording,
  { item, name }: Given,
  index: number,
  outcome: Outcome | undefined
): Effect.Effect<Item<unknown, unknown>, SerdesError> => {
  if (outcome === undefined) return Effect.succeed({ status: "STARTED", index, name, item })
  const passing = ({ message }: NotForNow): SerdesError => new SerdesError({ message, transient: true })
  const subject: Subject = { executionArn, format, id: operationId(id, "", index), path: `${path}[${index}]` }
  if ("text" in outcome) {
    const value = readValue(subject, "result", recording, outcome.text)
    return Effect.mapErrorEager(
      Effect.mapEager(value, (value) => ({ status: "SUCCEEDED", index, name, item, value })),
      passing
    )
  }
  const exit = Effect.mapErrorEager(readFailure(subject, recording, outcome.error), passing)
  return Effect.mapEager(exit, (exit) => {
    const cause = Exit.isFailure(exit) ? exit.cause : Cause.die(new Error("A failure was read as a success."))
    const failure = cause.reasons.find(Cause.isFailReason)
    return {
      status: "FAILED",
      index,
      name,
      item,
      ...(failure === undefined ? undefined : { error: failure.error }),
      cause
    }
  })
}
