/**
 * Batch: run items side by side until a policy is met, and record how each of them ended.
 *
 * Each item has a record of its own unless the batch is flat. The record of the batch holds every outcome again, so that
 * a replay needs nothing else; when that is too large, it holds only how far each item came, and a replay reads the
 * outcomes from the items.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { BatchResult, type Item } from "../../BatchResult.ts"
import * as CompletionPolicy from "../../CompletionPolicy.ts"
import { InvalidOptions, NonDeterministic, SerdesFailed } from "../../DurableError.ts"
import { make } from "../../Serdes.ts"
import { ErrorObject } from "../../wire/ErrorObject.ts"
import type { SubType } from "../../wire/SubType.ts"
import { branchContext, branchPath, claim, claimAs, type Claim } from "../Execution.ts"
import { DurableContext } from "../DurableContext.ts"
import { operationId } from "../Identity.ts"
import { isFinal } from "../Journal.ts"
import { readFailure, readValue } from "../Outcome.ts"
import type { Run } from "../Run.ts"
import { untyped, type AnyCodec, type Recording } from "../Recording.ts"
import { firstEnded, isEnded, runBranches, type Branch, type State } from "./branches.ts"
import { inContext, outcomeOf, recorded, write, type Outcome } from "./child.ts"

type Body = Effect.Effect<unknown, unknown, unknown>

export interface BatchOptions extends Recording {
  readonly concurrency?: number | "unbounded" | undefined
  readonly policy?: CompletionPolicy.CompletionPolicy | undefined
  readonly flat?: boolean | undefined
  readonly batchSerdes?: AnyCodec | undefined
  /** Whether only the failure counts that was recorded first; the other items that failed are as good as let go of. */
  readonly failsFirst?: boolean | undefined
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
  Effect.map(claimedBatch(kind, name, items, options), ({ result }) => result)

/** A batch in which every item has to succeed: it ends with all values, or fails as the first item that did. */
export const all = (kind: Kind, name: string, items: ReadonlyArray<BatchItem>, options: BatchOptions) =>
  Effect.flatMap(
    claimedBatch(kind, name, items, { ...options, policy: CompletionPolicy.allSuccessful, failsFirst: true }),
    ({ claimed, result }): Effect.Effect<ReadonlyArray<unknown>, unknown> => {
      const [first] = result.causes
      if (first !== undefined) return Effect.failCause(first)
      if (result.values.length === items.length) return Effect.succeed(result.values)
      return otherItems(claimed, result.values.length, items.length)
    }
  )

const claimedBatch = (kind: Kind, name: string, items: ReadonlyArray<BatchItem>, options: BatchOptions) =>
  Effect.flatMap(claim({ type: "CONTEXT", subType: kind.subType, name }), (claimed) => {
    const problem = problemOf(claimed.path, options)
    return problem === undefined
      ? Effect.map(Effect.orDie(asBatch(claimed, run(claimed, kind, items, options))), (result) => ({
          claimed,
          result
        }))
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
const asBatch = ({ path }: Claim, effect: Body): Effect.Effect<BatchResult<unknown, unknown>, unknown, unknown> =>
  Effect.flatMap(effect, (value) =>
    value instanceof BatchResult
      ? Effect.succeed(value)
      : Effect.die(
          new SerdesFailed({
            operation: path,
            message: `Could not read the result of "${path}": its batchSerdes made something of it that is no BatchResult. Make one with BatchResult.fromValues.`
          })
        )
  )

/** Whether the items of the code cannot be the recorded ones. A batch that ended early does not tell what it never started. */
const areOther = (reason: CompletionPolicy.CompletionReason | undefined, recorded: number, found: number): boolean =>
  recorded > found || (reason === "ALL_COMPLETED" && recorded < found)

/** The history holds more or fewer items than the code has. */
const otherItems = (claimed: Claim, recorded: number, found: number): Effect.Effect<never> =>
  contradicted(
    claimed,
    `The history holds ${recorded} item${recorded === 1 ? "" : "s"} of "${claimed.path}", but the code has ${found}. Make the list of items in a step, so that a replay has the same.`
  )

// --- How far a batch has come ----------------------------------------------------------------------------------------

/** Counts as it goes, because policies ask often. */
class Tally {
  readonly #items: Array<CompletionPolicy.Progress["items"][number]>
  #successCount = 0
  #failureCount = 0

  constructor(items: ReadonlyArray<BatchItem>) {
    this.#items = items.map(({ name }, index) => ({ index, name, status: undefined }))
  }

  note(index: number, state: State): void {
    const status = statusOf(state)
    this.#items[index] = { ...this.#items[index]!, status }
    if (status === "SUCCEEDED") this.#successCount++
    else if (status === "FAILED") this.#failureCount++
  }

  get progress(): CompletionPolicy.Progress {
    const items = this.#items
    return {
      successCount: this.#successCount,
      failureCount: this.#failureCount,
      completedCount: this.#successCount + this.#failureCount,
      totalCount: items.length,
      // A copy, because a predicate may keep it.
      get items() {
        return items.slice()
      }
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
  /** A batch that breaks off does so when timing has it do so. */
  let isTimed = true
  let summary: string | undefined
  return recorded(
    claimed,
    { serdes: codecOf(claimed, items, options) },
    {
      isTimed: () => isTimed,
      summary: () => summary ?? "",
      body: (context, kept) =>
        Effect.gen(function* () {
          if (context.finished) return yield* rebuild(claimed, context, kind, items, options, kept)
          const branches = items.map((item, index) => branchOf(claimed, context, kind, item, index, options))
          const tally = new Tally(items)
          const states = yield* runBranches(claimed.run, branches, {
            concurrency,
            mayStart: () => policy.mayStart(tally.progress),
            isComplete: () => policy.isComplete(tally.progress),
            onChange: (index, state) => tally.note(index, state),
            // One that is taken up again has a history, in which items may have ended that come late now.
            fair: options.failsFirst === true || claimed.record !== undefined,
            isBehind: behind(claimed.run, context, options)
          })
          const broken = states.find((state) => isEnded(state) && Exit.isFailure(state))
          if (broken !== undefined && isEnded(broken)) return yield* broken
          const { progress } = tally
          isTimed = progress.completedCount < progress.totalCount || !policy.isOrderless || policy.isComplete(progress)
          const isFailed = (state: State): boolean => statusOf(state) === "FAILED"
          const first = options.failsFirst ? firstEnded(branches, states, isFailed) : undefined
          const all = states.flatMap((state, index) => {
            if (state === "waiting") return []
            const isBeaten = first !== undefined && index !== first && isFailed(state)
            return [isBeaten ? undefined : outcomeIn(state)]
          })
          const ended: Ended = { all, completionReason: policy.reason(progress) }
          summary = summaryOf(kind, ended)
          return ended
        })
    }
  )
}

/**
 * Whether items are in the history of a batch that were not started again yet. Records of items say so themselves; of flat
 * ones there are only operations, which may be those of an item that runs.
 */
const behind = (
  run: Run,
  context: DurableContext,
  { flat }: BatchOptions
): ((isCaughtUp: () => boolean) => boolean) => {
  const left = Array.from(run.journal.recordedIn(context.wireId))
  return (isCaughtUp) => {
    while (left.length > 0 && run.journal.isClaimed(left.at(-1)!.Id)) left.pop()
    return left.length > 0 && (!flat || isCaughtUp())
  }
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
  const context = branchContext(batchContext, index, { path: branchPath(batchContext, index) })
  const own = { type: "CONTEXT", subType: kind.itemSubType, name: item.name } as const
  return {
    context,
    body: options.flat
      ? Effect.flatMap(Effect.exit(item.body), (exit) =>
          run.phase === "running"
            ? // As with a record, nobody sees the outcome before those that were forked beside it have begun.
              Effect.tap(write({ run, context, id: context.id, path: context.path }, options, exit), Effect.yieldNow)
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
  kept: string | undefined
): Effect.fn.Return<Ended, never, unknown> {
  const { path, record, run } = claimed
  const isFailed = record?.Status !== "SUCCEEDED"
  const summary = isFailed ? unsummarised(claimed, items, options) : readSummary(kept ?? "")
  if (summary === undefined) {
    return yield* contradicted(
      claimed,
      `The history holds "${path}" without saying how far its items came. Run this execution with the library that recorded it.`
    )
  }
  const { completionReason, itemStatuses } = summary
  if (areOther(isFailed ? undefined : completionReason, itemStatuses.length, items.length)) {
    return yield* otherItems(claimed, itemStatuses.length, items.length)
  }
  const marks = Array.from(itemStatuses)
  const branches = marks.map((mark, index) =>
    mark === started
      ? abandonedBranch(claimed, batchContext, items[index]!, index, options)
      : branchOf(claimed, batchContext, kind, items[index]!, index, options)
  )
  let begun = 0
  let left = marks.filter((mark) => mark !== started).length
  const states = yield* runBranches(run, branches, {
    concurrency: Infinity,
    mayStart: () => true,
    isComplete: () => begun === marks.length && left === 0,
    onChange: (index, state) => {
      if (!isEnded(state)) begun++
      else if (marks[index] !== started) left--
    },
    fair: true,
    isBehind: () => false
  })
  const all = states.map((state, index) => (marks[index] === started ? undefined : outcomeIn(state)))
  const other = all.findIndex((outcome, index) => markOf(outcome) !== marks[index])
  if (other !== -1 && !isFailed) {
    return yield* contradicted(
      claimed,
      `The history holds "${branchPath(batchContext, other)}" as an item that ${marks[other] === "S" ? "succeeded" : "failed"}, but this time it ended otherwise. ` +
        "Its result is not kept but made of the operations inside, so the code between those has to do the same at every replay."
    )
  }
  return { all, completionReason }
})

/** An item that had not ended goes on no further: its operations that had no outcome then never get one. */
const abandonedBranch = (
  claimed: Claim,
  batchContext: DurableContext,
  item: BatchItem,
  index: number,
  { flat }: BatchOptions
): Branch => {
  const path = branchPath(batchContext, index)
  const context = branchContext(batchContext, index, { path, abandoned: true })
  const inner = flat ? context : new DurableContext({ parent: context, id: context.id, path, finished: true })
  return { context, body: Effect.exit(inContext(claimed, inner, item.body)) }
}

/** How far the items of a batch came that broke off: as their records say. Nobody sees their outcomes. */
const unsummarised = (
  { id, run }: Claim,
  items: ReadonlyArray<BatchItem>,
  { flat }: BatchOptions
): Pick<typeof Summary.Type, "itemStatuses" | "completionReason"> => {
  let itemStatuses = ""
  for (let index = 0; index < items.length; index++) {
    const record = run.journal.get(operationId(id, "", index))
    if (record === undefined && !flat) break
    itemStatuses += record === undefined || !isFinal(record) ? started : record.Status === "SUCCEEDED" ? "S" : "F"
  }
  return { itemStatuses, completionReason: "ALL_COMPLETED" }
}

const contradicted = ({ path, run }: Claim, message: string): Effect.Effect<never> => {
  run.contradict(new NonDeterministic({ operation: path, message }))
  return run.inert
}

/** How an item that had not ended is marked in a summary. */
const started = "-"

const markOf = (outcome: Outcome | undefined): string =>
  outcome === undefined ? started : "error" in outcome ? "F" : "S"

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
    itemStatuses: Schema.String.check(Schema.isPattern(/^[SF-]*$/))
  })
)

const summaryOf = ({ subType }: Kind, { all, completionReason }: Ended): string => {
  const itemStatuses = all.map(markOf).join("")
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
  readonly all: ReadonlyArray<Outcome | undefined>
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
    ).check(
      Schema.makeFilter(
        (all) => all.every(({ index }, place) => index === place) || "items in the order of their indexes"
      )
    ),
    completionReason: Reason
  })
)

const decodeRecord = Schema.decodeUnknownEffect(BatchRecord)

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
    all: all.map((outcome, index) => {
      if (outcome === undefined) return { index, status: "STARTED" }
      if ("error" in outcome) return { index, status: "FAILED", error: outcome.error }
      return { index, status: "SUCCEEDED", ...(outcome.text === undefined ? undefined : { result: outcome.text }) }
    }),
    completionReason
  })

const readEnded = (text: string | undefined): Effect.Effect<Ended, Schema.SchemaError> =>
  Effect.map(decodeRecord(text), ({ all, completionReason }) => ({
    all: all.map(({ error, result, status }) => {
      if (status === "STARTED") return undefined
      return status === "FAILED" ? { error: error ?? {} } : { text: result }
    }),
    completionReason
  }))

const resultOf = (
  claimed: Claim,
  items: ReadonlyArray<BatchItem>,
  recording: Recording,
  { all, completionReason }: Ended
): Effect.Effect<BatchResult<unknown, unknown>> =>
  areOther(completionReason, all.length, items.length)
    ? otherItems(claimed, all.length, items.length)
    : Effect.map(
        Effect.forEach(all, (outcome, index) => itemOf(claimed, recording, items[index]!.name, index, outcome)),
        (read) => new BatchResult(claimed.name, read, completionReason)
      )

/** What cannot be read is no failure of the item, but of the batch. */
const itemOf = (
  { context, id, path, run }: Claim,
  recording: Recording,
  name: string,
  index: number,
  outcome: Outcome | undefined
): Effect.Effect<Item<unknown, unknown>> => {
  if (outcome === undefined) return Effect.succeed({ status: "STARTED", index, name })
  const subject = { run, context, id: operationId(id, "", index), path: `${path}[${index}]` }
  if ("text" in outcome) {
    const value = readValue(subject, "result", recording, outcome.text)
    return Effect.map(value, (value) => ({ status: "SUCCEEDED", index, name, value }))
  }
  const cause = Effect.flatMap(readFailure(subject, recording, outcome.error), (exit) =>
    Effect.flip(Effect.sandbox(exit))
  )
  return Effect.map(cause, (cause) => {
    const failure = cause.reasons.find(Cause.isFailReason)
    return { status: "FAILED", index, name, ...(failure === undefined ? undefined : { error: failure.error }), cause }
  })
}
