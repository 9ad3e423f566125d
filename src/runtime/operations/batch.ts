/**
 * Batch: run items side by side until a policy is met, and record how each of them ended.
 *
 * Each item has a record of its own unless the batch is flat. The record of the batch holds every outcome again, so that
 * a replay needs nothing else; when that is too large, it holds only how far each item came, and a replay reads the
 * outcomes from the items.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { BatchResult, type Item } from "../../BatchResult.ts"
import * as CompletionPolicy from "../../CompletionPolicy.ts"
import { InvalidOptions, NonDeterministic } from "../../DurableError.ts"
import { erase } from "../../internal/erase.ts"
import { make } from "../../Serdes.ts"
import { ErrorObject } from "../../wire/ErrorObject.ts"
import type { SubType } from "../../wire/SubType.ts"
import { branchContext, branchPath, claim, claimAs, type Claim } from "../Execution.ts"
import { DurableContext } from "../DurableContext.ts"
import { operationId } from "../Identity.ts"
import { untyped, type AnyCodec, type Recording } from "../Recording.ts"
import { isEnded, runBranches, type Branch, type State } from "./branches.ts"
import { deliver, inContext, outcomeOf, recorded, write, type Outcome } from "./child.ts"

type Body = Effect.Effect<unknown, unknown, unknown>

export interface BatchOptions extends Recording {
  readonly concurrency?: number | "unbounded" | undefined
  readonly policy?: CompletionPolicy.CompletionPolicy | undefined
  readonly flat?: boolean | undefined
  readonly batchSerdes?: AnyCodec | undefined
}

/** What a batch is on the wire. */
interface Kind {
  readonly subType: SubType
  readonly itemSubType: SubType
}

export const parallel: Kind = { subType: "Parallel", itemSubType: "ParallelBranch" }
export const map: Kind = { subType: "Map", itemSubType: "MapIteration" }

export interface BatchItem {
  readonly name: string
  readonly body: Body
}

export const batch = (
  kind: Kind,
  name: string,
  items: ReadonlyArray<BatchItem>,
  options: BatchOptions
): Effect.Effect<BatchResult<unknown, unknown>, never, unknown> =>
  Effect.flatMap(claim({ type: "CONTEXT", subType: kind.subType, name }), (claimed) => {
    const problem = problemOf(claimed.path, options)
    return problem === undefined
      ? Effect.orDie(asBatch(run(claimed, kind, items, options)))
      : Effect.die(new InvalidOptions({ operation: claimed.path, message: problem }))
  })

const problemOf = (path: string, { concurrency }: BatchOptions): string | undefined =>
  concurrency === undefined ||
  concurrency === "unbounded" ||
  concurrency === Infinity ||
  (Number.isSafeInteger(concurrency) && concurrency >= 1)
    ? undefined
    : `Expected the concurrency of "${path}" to be a whole number of at least 1 or "unbounded", found ${String(concurrency)}.`

/** What the codec of a batch reads is a batch, or else the codec is at fault. */
const asBatch = (effect: Body): Effect.Effect<BatchResult<unknown, unknown>, unknown, unknown> =>
  Effect.flatMap(effect, (value) =>
    value instanceof BatchResult
      ? Effect.succeed(value)
      : Effect.die(
          new TypeError("The batchSerdes read something that is no BatchResult. Make one with BatchResult.fromValues.")
        )
  )

// --- How far a batch has come ----------------------------------------------------------------------------------------

const progressOf = (items: ReadonlyArray<BatchItem>, states: ReadonlyArray<State>): CompletionPolicy.Progress => {
  let successCount = 0
  let failureCount = 0
  for (const state of states) {
    const status = statusOf(state)
    if (status === "SUCCEEDED") successCount++
    else if (status === "FAILED") failureCount++
  }
  return {
    successCount,
    failureCount,
    completedCount: successCount + failureCount,
    totalCount: items.length,
    get items() {
      return states.map((state, index) => ({ index, name: items[index]!.name, status: statusOf(state) }))
    }
  }
}

/** A branch ends with its outcome as it is written; one that dies on the way there is a fault of its own. */
const outcomeIn = (state: State): Outcome | undefined =>
  isEnded(state) && Exit.isSuccess(state) ? cast<unknown, Outcome>(state.value) : undefined

const statusOf = (state: State): Status | undefined => {
  if (state === "waiting") return undefined
  const outcome = outcomeIn(state)
  if (outcome === undefined) return "STARTED"
  return "error" in outcome ? "FAILED" : "SUCCEEDED"
}

type Status = "SUCCEEDED" | "FAILED" | "STARTED"

// --- Running ---------------------------------------------------------------------------------------------------------

const run = (claimed: Claim, kind: Kind, items: ReadonlyArray<BatchItem>, options: BatchOptions): Body => {
  const policy = options.policy ?? CompletionPolicy.allSuccessful
  const concurrency = typeof options.concurrency === "number" ? options.concurrency : Infinity
  let isTimed = false
  let summary: string | undefined
  return recorded(
    claimed,
    { serdes: codecOf(claimed, items, options) },
    {
      isTimed: () => isTimed,
      summary: () => summary ?? "",
      body: (context, kept) =>
        Effect.gen(function* () {
          if (kept !== undefined) return yield* rebuild(claimed, context, kind, items, options, kept)
          const branches = items.map((item, index) => branchOf(claimed, context, kind, item, index, options))
          const states = yield* runBranches(claimed.run, branches, {
            concurrency,
            mayStart: (current) => policy.mayStart(progressOf(items, current)),
            isComplete: (current) => policy.isComplete(progressOf(items, current)),
            fair: false
          })
          const broken = states.find((state) => isEnded(state) && Exit.isFailure(state))
          if (broken !== undefined && isEnded(broken)) return yield* broken
          const progress = progressOf(items, states)
          isTimed = progress.completedCount < progress.totalCount || !policy.isOrderless || policy.isComplete(progress)
          const all = states.flatMap((state) => (state === "waiting" ? [] : [{ outcome: outcomeIn(state) }]))
          const ended: Ended = { all, completionReason: policy.reason(progress) }
          summary = summaryOf(kind, ended)
          return ended
        })
    }
  )
}

/** The context in which an item is run, and how it ends there: as its record says, or as what there is to write of it. */
const branchOf = (
  { run }: Claim,
  batchContext: DurableContext,
  kind: Kind,
  item: BatchItem,
  index: number,
  options: BatchOptions
): Branch => {
  const context = branchContext(batchContext, index, { path: branchPath(batchContext, index), flat: true })
  const own = { type: "CONTEXT", subType: kind.itemSubType, name: item.name } as const
  return {
    context,
    body: options.flat
      ? Effect.flatMap(Effect.exit(item.body), (exit) =>
          run.phase === "running"
            ? write({ run, context, id: context.id, path: context.path }, options, exit)
            : run.inert
        )
      : Effect.flatMap(claimAs(run, context, context, own), (claimed) =>
          outcomeOf(claimed, options, { body: (inner) => inContext(claimed, inner, item.body) })
        )
  }
}

// --- Rebuilding ------------------------------------------------------------------------------------------------------

/** Runs the items of a batch again that is recorded but not kept, each as far as it came then. */
const rebuild = Effect.fnUntraced(function* (
  claimed: Claim,
  batchContext: DurableContext,
  kind: Kind,
  items: ReadonlyArray<BatchItem>,
  options: BatchOptions,
  kept: string
): Effect.fn.Return<Ended, never, unknown> {
  const { run } = claimed
  const summary = readSummary(kept)
  if (summary === undefined || summary.itemStatuses.length > items.length) {
    run.contradict(
      new NonDeterministic({
        operation: claimed.path,
        message:
          summary === undefined
            ? `The history holds "${claimed.path}" without saying how far its items came. Run this execution with the library that recorded it.`
            : `The history holds ${summary.itemStatuses.length} items of "${claimed.path}", but the code has ${items.length}. Make the list of items in a step, so that a replay has the same.`
      })
    )
    return yield* run.inert
  }
  const marks = [...summary.itemStatuses]
  const branches = marks.map((mark, index): Branch => {
    const branch = branchOf(claimed, batchContext, kind, items[index]!, index, options)
    if (mark !== started || options.flat) return branch
    const { context } = branch
    const { id, path } = context
    const inner = new DurableContext({ parent: context, id, path, finished: true })
    return { context, body: Effect.andThen(Effect.exit(inContext(claimed, inner, items[index]!.body)), Effect.never) }
  })
  const states = yield* runBranches(run, branches, {
    concurrency: Infinity,
    mayStart: () => true,
    isComplete: (current) => current.every((state, index) => marks[index] === started || isEnded(state)),
    fair: true
  })
  return {
    all: states.map((state, index) => ({ outcome: marks[index] === started ? undefined : outcomeIn(state) })),
    completionReason: summary.completionReason
  }
})

/** How an item that had not ended is marked in a summary. */
const started = "-"

const Reason = Schema.Literals([
  "ALL_COMPLETED",
  "MIN_SUCCESSFUL_REACHED",
  "FAILURE_TOLERANCE_EXCEEDED",
  "CUSTOM_COMPLETION_SUCCEEDED",
  "CUSTOM_COMPLETION_FAILED"
])

/** What is kept of a batch whose result is too large: one letter for each item that was started, and some counts for people. */
const Summary = Schema.fromJsonString(
  Schema.Struct({
    type: Schema.String,
    totalCount: Schema.Int,
    successCount: Schema.Int,
    failureCount: Schema.Int,
    startedCount: Schema.Int,
    completionReason: Reason,
    itemStatuses: Schema.String
  })
)

const summaryOf = ({ subType }: Kind, { all, completionReason }: Ended): string => {
  const itemStatuses = all
    .map(({ outcome }) => (outcome === undefined ? started : "error" in outcome ? "F" : "S"))
    .join("")
  const count = (mark: string): number => itemStatuses.split(mark).length - 1
  return Schema.encodeSync(Summary)({
    type: `${subType}Result`,
    totalCount: all.length,
    successCount: count("S"),
    failureCount: count("F"),
    startedCount: count(started),
    completionReason,
    itemStatuses
  })
}

const readSummary = (text: string): typeof Summary.Type | undefined =>
  Option.getOrUndefined(Schema.decodeUnknownOption(Summary)(text))

// --- Writing and reading ---------------------------------------------------------------------------------------------

/** How the items that were started ended, in the order of their indexes, and why the batch did. */
interface Ended {
  readonly all: ReadonlyArray<{ readonly outcome: Outcome | undefined }>
  readonly completionReason: CompletionPolicy.CompletionReason
}

/** The record of a batch. The result of an item is the text that its own serdes made of it. */
const BatchRecord = Schema.fromJsonString(
  Schema.Struct({
    all: Schema.Array(
      Schema.Struct({
        index: Schema.Int,
        status: Schema.Literals(["SUCCEEDED", "FAILED", "STARTED"]),
        result: Schema.optionalKey(Schema.String),
        error: Schema.optionalKey(ErrorObject)
      })
    ),
    completionReason: Reason
  })
)

/** Writes what a batch ended with, and reads it as a result. */
const codecOf = (claimed: Claim, items: ReadonlyArray<BatchItem>, options: BatchOptions): AnyCodec => {
  const { batchSerdes } = options
  const asResult = (ended: Ended) => resultOf(claimed, items, options, ended)
  if (batchSerdes === undefined) {
    return make<unknown>({
      serialize: (ended) => writeEnded(cast(ended)),
      deserialize: (text) => Effect.flatMap(readEnded(text), asResult)
    })
  }
  const { deserialize, serialize } = untyped(batchSerdes)
  return make<unknown, unknown>({
    serialize: (ended, info) => Effect.flatMap(asResult(cast(ended)), (result) => serialize(result, info)),
    deserialize
  })
}

const writeEnded = ({ all, completionReason }: Ended): string =>
  Schema.encodeSync(BatchRecord)({
    all: all.map(({ outcome }, index) => {
      if (outcome === undefined) return { index, status: "STARTED" }
      if ("error" in outcome) return { index, status: "FAILED", error: outcome.error }
      return { index, status: "SUCCEEDED", ...(outcome.text === undefined ? undefined : { result: outcome.text }) }
    }),
    completionReason
  })

const readEnded = (text: string | undefined): Effect.Effect<Ended, Schema.SchemaError> =>
  Effect.map(Schema.decodeUnknownEffect(BatchRecord)(text), ({ all, completionReason }) => ({
    all: all.map(({ error, result, status }) => ({
      outcome: status === "STARTED" ? undefined : status === "FAILED" ? { error: error ?? {} } : { text: result }
    })),
    completionReason
  }))

const resultOf = (
  { context, id, name, path, run }: Claim,
  items: ReadonlyArray<BatchItem>,
  recording: Recording,
  { all, completionReason }: Ended
): Effect.Effect<BatchResult<unknown, unknown>> =>
  Effect.map(
    Effect.forEach(all, ({ outcome }, index): Effect.Effect<Item<unknown, unknown>> => {
      const labelled = { index, name: items[index]?.name ?? String(index) }
      if (outcome === undefined) return Effect.succeed({ status: "STARTED", ...labelled })
      const subject = { run, context, id: operationId(id, "", index), path: `${path}[${index}]` }
      return Effect.map(Effect.exit(erase(deliver(subject, recording, outcome))), (exit) =>
        Exit.isSuccess(exit)
          ? { status: "SUCCEEDED", ...labelled, value: exit.value }
          : { status: "FAILED", ...labelled, cause: exit.cause }
      )
    }),
    (items) => new BatchResult(name, items, completionReason)
  )
