/**
 * Batch: runs items concurrently until a policy is met, and records the outcome of each item.
 *
 * Owns: when items begin, when the batch is complete, and which items a replay runs again.
 * Does not own: the scheduling of branches, the life of a single context, and the content of the batch's record.
 *
 * Invariants:
 * 1. Each item has a record of its own unless the batch is flat. Each item has a time of its own.
 * 2. A replay of a batch whose record holds every outcome runs no item. Otherwise it runs each item as far as the item
 *    progressed originally. Items then end as they did before, or history and code contradict each other.
 * 3. The items in the code are the recorded ones, or history and code contradict each other. The record of a batch that
 *    ended early does not list items that never started.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import { hasProperty } from "effect/Predicate"
import { BatchResult } from "../BatchResult.ts"
import * as CompletionPolicy from "../CompletionPolicy.ts"
import { InvalidOptions, SerdesFailed, type NonDeterministic } from "../DurableError.ts"
import { isFinal, type Claim } from "../execution/Claim.ts"
import * as Contradiction from "../execution/Contradiction.ts"
import { operationId } from "../execution/Identity.ts"
import type { Namespace } from "../execution/Namespace.ts"
import type { Parts } from "../execution/Parts.ts"
import { WorkflowTime } from "../execution/WorkflowTime.ts"
import { describeFound } from "../internal/found.ts"
import type { AnyCodec, Recording } from "../values/Values.ts"
import type { SubType } from "../wire/SubType.ts"
import { codecOf, letter, letterOf, readSummary, summaryOf, type Ended, type Summary } from "./batchRecord.ts"
import { isEnded, runBranches, type Branch, type State } from "./branches.ts"
import {
  context,
  inNamespace,
  operationInNamespace,
  outcomeIn as contextOutcome,
  write,
  type Outcome
} from "./child.ts"
import { branchNamespace, branchPath, claimAs, claimByName, inWorkflow, type Body } from "./Operation.ts"

export interface BatchRules extends Recording {
  readonly concurrency?: number | "unbounded" | undefined
  readonly policy?: CompletionPolicy.CompletionPolicy | undefined
  readonly flat?: boolean | undefined
  readonly batchSerdes?: AnyCodec | undefined
  /** Whether only the failure that was recorded first counts. The other failed items are treated as cancelled. */
  readonly failsFirst?: boolean | undefined
}

/** The sub-types of a batch and of its items on the wire. */
export interface BatchKind {
  readonly subType: SubType
  readonly itemSubType: SubType
}

export const parallelKind: BatchKind = { subType: "Parallel", itemSubType: "ParallelBranch" }
export const mapKind: BatchKind = { subType: "Map", itemSubType: "MapIteration" }

export interface BatchItem {
  readonly name: string
  /** The item that is passed to the function. */
  readonly item?: unknown
  readonly body: Body
}

/** Runs a batch whose result holds the outcome of each item. */
export const batch = (kind: BatchKind, name: string, items: ReadonlyArray<BatchItem>, rules: BatchRules): Body =>
  inWorkflow(name, ({ namespace, parts }, fiber) =>
    claimedBatch(parts, claimByName({ namespace, parts }, fiber, kindOf(kind.subType), name), kind, items, rules)
  )

const kindOf = (subType: SubType) => ({ type: "CONTEXT", subType }) as const

/**
 * Runs a batch in which every item has to succeed. The result is all values, or nothing with `discard`; the batch fails as
 * the first item that failed. As in Effect, items run one after the other by default.
 */
export const allOf = (
  kind: BatchKind,
  name: string,
  items: ReadonlyArray<BatchItem>,
  { discard, ...rules }: BatchRules & { readonly discard?: boolean | undefined },
  collect: (values: ReadonlyArray<unknown>) => unknown
): Body =>
  inWorkflow(name, ({ namespace, parts }, fiber) => {
    const claim = claimByName({ namespace, parts }, fiber, kindOf(kind.subType), name)
    return discard === true
      ? Effect.asVoid(
          allSucceed(parts, claim, kind, withoutValues(items), {
            ...rules,
            success: undefined,
            successSerdes: undefined
          })
        )
      : Effect.map(allSucceed(parts, claim, kind, items, rules), collect)
  })

/** Drops the values of items, so that they are not recorded. */
const withoutValues = (items: ReadonlyArray<BatchItem>): ReadonlyArray<BatchItem> =>
  items.map((item) => ({ ...item, body: Effect.asVoid(item.body) }))

const allSucceed = (
  parts: Parts,
  claim: Claim,
  kind: BatchKind,
  items: ReadonlyArray<BatchItem>,
  rules: BatchRules
): Effect.Effect<ReadonlyArray<unknown>, unknown, unknown> => {
  const failFast = {
    ...rules,
    concurrency: rules.concurrency ?? 1,
    policy: CompletionPolicy.allSuccessful,
    failsFirst: true
  }
  return Effect.flatMap(
    claimedBatch(parts, claim, kind, items, failFast),
    (result): Effect.Effect<ReadonlyArray<unknown>, unknown> => {
      const [first] = result.causes
      if (first !== undefined) return Effect.failCause(first)
      if (result.values.length === items.length) return Effect.succeed(result.values)
      return otherItems(parts, claim, result.values.length, items.length)
    }
  )
}

const claimedBatch = (
  parts: Parts,
  claim: Claim,
  kind: BatchKind,
  items: ReadonlyArray<BatchItem>,
  rules: BatchRules
): Effect.Effect<BatchResult<unknown, unknown>, never, unknown> => {
  const problem = problemOf(claim.path, rules)
  return problem === undefined
    ? Effect.orDie(asBatch(claim, items, run(parts, claim, kind, items, rules)))
    : Effect.die(new InvalidOptions({ operation: claim.path, message: problem }))
}

const problemOf = (path: string, { concurrency, policy = CompletionPolicy.allCompleted }: BatchRules) => {
  if (!hasProperty(policy, "isComplete"))
    return `Expected the policy of "${path}" to be a CompletionPolicy, found ${describeFound(policy)}. CompletionPolicy.make creates one from bounds.`
  return concurrency === undefined ||
    concurrency === "unbounded" ||
    concurrency === Infinity ||
    (Number.isSafeInteger(concurrency) && concurrency >= 1)
    ? undefined
    : `Expected the concurrency of "${path}" to be a whole number of at least 1 or "unbounded", found ${describeFound(concurrency)}.`
}

/** Checks that the value that a batch codec read is a batch of these items. Any other value is an error of the codec. */
const asBatch = (
  { path }: Claim,
  items: ReadonlyArray<BatchItem>,
  effect: Body
): Effect.Effect<BatchResult<unknown, unknown>, unknown, unknown> =>
  Effect.flatMap(effect, (value) => {
    if (!(value instanceof BatchResult)) {
      const fault = "returned a value that is not a BatchResult. Create one with BatchResult.fromValues."
      return Effect.die(misread(path, fault))
    }
    const all: BatchResult<unknown, unknown>["all"] = value.all
    const other = all.find(({ index }) => items[index] === undefined)
    return other === undefined
      ? Effect.succeed(value)
      : Effect.die(
          misread(
            path,
            `returned an item with the index ${other.index}, counted from 0, for a batch of ${items.length}.`
          )
        )
  })

const misread = (operation: string, fault: string): SerdesFailed =>
  new SerdesFailed({ operation, message: `Could not read the result of "${operation}": its batchSerdes ${fault}` })

/** Returns whether the items in the code cannot be the recorded ones. */
const areOther = (reason: CompletionPolicy.CompletionReason | undefined, recorded: number, found: number): boolean =>
  recorded > found || (reason === "ALL_COMPLETED" && recorded < found)

/** Reports that the history holds more or fewer items than the code has. */
const otherItems = (parts: Parts, { path }: Claim, recorded: number, found: number): Effect.Effect<never> =>
  contradicted(parts, Contradiction.otherItems(path, recorded, found))

const contradicted = (parts: Parts, mistake: NonDeterministic): Effect.Effect<never> =>
  Effect.suspend(() => {
    Contradiction.tell(parts, mistake)
    return parts.lifetime.inert
  })

// --- Progress of a batch ---------------------------------------------------------------------------------------------

/** Counts that are kept up to date, because policies ask often. */
class Tally {
  /** All items in their state before the start. */
  readonly #items: CompletionPolicy.Progress["items"]
  /** The state changes of items, in the order in which they happened. */
  readonly #notes: Array<CompletionPolicy.Progress["items"][number]> = []
  #successCount = 0
  #failureCount = 0
  #startedCount = 0
  /** The number of failed items whose failures are not acknowledged yet. */
  #failing = 0
  /** The cached progress, until the next change. */
  #progress: CompletionPolicy.Progress | undefined

  constructor(items: ReadonlyArray<BatchItem>) {
    this.#items = items.map(({ name }, index) => ({ index, name, status: undefined }))
  }

  note(index: number, state: State): void {
    const status = statusOf(state)
    this.#progress = undefined
    this.#notes.push({ ...this.#items[index]!, status })
    if (status === "SUCCEEDED") this.#successCount++
    else if (status === "FAILED") {
      this.#failureCount++
      if (this.#failing > 0) this.#failing--
    } else if (state === "running") this.#startedCount++
  }

  /** Notes that an item is failing, which may end the batch once the failure is acknowledged. */
  fails(): void {
    this.#failing++
  }

  /**
   * Returns whether the order in which items end affects neither which item starts next nor which are left: no item is
   * failing, and either every item has started, or at most one item runs and nothing else of the workflow can have its
   * outcome before the next item starts.
   */
  isOrderless(isAlone: () => boolean): boolean {
    if (this.#failing > 0) return false
    if (this.#startedCount === this.#items.length) return true
    return this.#startedCount - this.#successCount - this.#failureCount <= 1 && isAlone()
  }

  /** The progress as an immutable snapshot, because a predicate may keep it and read its items later. */
  get progress(): CompletionPolicy.Progress {
    return (this.#progress ??= new Progress(this.#items, this.#notes, this.#successCount, this.#failureCount))
  }
}

/** The progress of a batch at one moment. The list of its items is created when a policy asks for it. */
class Progress implements CompletionPolicy.Progress {
  readonly successCount: number
  readonly failureCount: number
  readonly completedCount: number
  readonly totalCount: number
  readonly #items: CompletionPolicy.Progress["items"]
  readonly #notes: CompletionPolicy.Progress["items"]
  readonly #until: number

  constructor(
    items: CompletionPolicy.Progress["items"],
    notes: CompletionPolicy.Progress["items"],
    successCount: number,
    failureCount: number
  ) {
    this.#items = items
    this.#notes = notes
    this.#until = notes.length
    this.successCount = successCount
    this.failureCount = failureCount
    this.completedCount = successCount + failureCount
    this.totalCount = items.length
  }

  get items(): CompletionPolicy.Progress["items"] {
    const items = this.#items.slice()
    for (const item of this.#notes.slice(0, this.#until)) items[item.index] = item
    return items
  }
}

/** Returns the outcome of a branch in its written form. A branch that died on the way has none. */
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

const run = (parts: Parts, claim: Claim, kind: BatchKind, items: ReadonlyArray<BatchItem>, rules: BatchRules): Body => {
  let summary: string | undefined
  const refusal = (reason: CompletionPolicy.CompletionReason, recorded: number) =>
    areOther(reason, recorded, items.length) ? otherItems(parts, claim, recorded, items.length) : undefined
  return context(parts, claim, {
    recording: { successSerdes: codecOf(claim, items, rules, refusal) },
    summary: () => summary ?? "",
    body: (namespace, _, kept) => {
      const recorded = claim.record
      if (recorded !== undefined && isFinal(recorded)) {
        return rebuild(parts, claim, namespace, kind, items, rules, kept)
      }
      return Effect.map(runItems(parts, namespace, kind, items, rules), (ended) => {
        summary = summaryOf(kind.subType, ended)
        return ended
      })
    }
  })
}

const runItems = Effect.fnUntraced(function* (
  parts: Parts,
  namespace: Namespace,
  kind: BatchKind,
  items: ReadonlyArray<BatchItem>,
  rules: BatchRules
): Effect.fn.Return<Ended, never, unknown> {
  const policy = rules.policy ?? CompletionPolicy.allCompleted
  const tally = new Tally(items)
  const branches = items.map((item, index) => branchOf(parts, namespace, kind, item, index, rules, tally))
  /** The first item that failed. With `failsFirst` the other failed items are treated as cancelled. */
  let first: number | undefined
  const states = yield* runBranches(parts, branches, {
    concurrency: concurrencyOf(rules),
    mayStart: () => policy.mayStart(tally.progress),
    isComplete: () => policy.isComplete(tally.progress),
    isRecorded: (index) => rules.flat !== true && parts.history.get(branches[index]!.namespace.id) !== undefined,
    onChange: (index, state) => {
      tally.note(index, state)
      if (statusOf(state) === "FAILED") first ??= index
    }
  })
  const broken = states.find((state) => isEnded(state) && Exit.isFailure(state))
  if (broken !== undefined && isEnded(broken) && Exit.isFailure(broken)) {
    return yield* Effect.orDie(Effect.failCause(broken.cause))
  }
  const all = states.flatMap((state, index) => {
    if (state === "waiting") return []
    const isBeaten = rules.failsFirst === true && index !== first && statusOf(state) === "FAILED"
    return [isBeaten ? undefined : outcomeIn(state)]
  })
  return { all, completionReason: policy.reason(tally.progress) }
})

const concurrencyOf = ({ concurrency }: BatchRules): number =>
  typeof concurrency === "number" ? concurrency : Infinity

/**
 * Creates the branch of an item: its namespace, and the body that ends with the recorded outcome or with the outcome to
 * write.
 */
const branchOf = (
  parts: Parts,
  batchNamespace: Namespace,
  kind: BatchKind,
  item: BatchItem,
  index: number,
  rules: BatchRules,
  tally?: Tally
): Branch => {
  const path = branchPath(batchNamespace, index)
  const namespace = branchNamespace(batchNamespace, index, { path })
  const body = Effect.withFiber((fiber): Body => {
    const claim = claimAs({ namespace, parts }, fiber, kindOf(kind.itemSubType), {
      id: namespace.id,
      path,
      label: item.name,
      movesTime: false
    })
    return rules.flat === true
      ? Effect.flatMap(Effect.exit(item.body), (exit) => flatEnd(parts, claim, rules, exit))
      : contextOutcome(parts, claim, {
          recording: rules,
          body: (inner) => inNamespace(parts, inner, item.body),
          isUnseen: (outcome, inner) => {
            if ("error" in outcome) tally?.fails()
            const isAlone = (): boolean => parts.delivery.isAlone(parts.host.now())
            return tally?.isOrderless(isAlone) === true && isUnseen(parts, rules, outcome, inner)
          },
          namespaceOf: (own, isRebuilding) => itemNamespace(parts, own, isRebuilding)
        })
  })
  return { namespace, body: (rules.flat === true ? inNamespace : operationInNamespace)(parts, namespace, body) }
}

/** Creates the namespace of an item. Its time is its own and starts at the recorded start of the item. */
const itemNamespace = (parts: Parts, claim: Claim, isRebuilding: boolean): Namespace => {
  const time = new WorkflowTime(claim.time.now)
  time.leaveUnread({ claim, of: "start" }, parts.history.shown(claim))
  return claim.namespace.inside({ id: claim.id, path: claim.path, isRebuilding, time })
}

/** Ends an item without a record, as soon as its body ends. */
const flatEnd = (
  parts: Parts,
  claim: Claim,
  rules: BatchRules,
  exit: Exit.Exit<unknown, unknown>
): Effect.Effect<Outcome> => (parts.lifetime.isOpen ? write(claim, rules, exit) : parts.lifetime.inert)

/** Returns whether the order in which an item ended relative to others cannot be observed. */
const isUnseen = ({ delivery }: Parts, { policy }: BatchRules, outcome: Outcome, inner: Namespace): boolean =>
  "text" in outcome && (policy?.isOrderless ?? true) && !inner.isKept && !delivery.awaitsOthers

// --- Rebuilding ------------------------------------------------------------------------------------------------------

/**
 * Runs the items of a batch again whose result was recorded but not kept, each item as far as it progressed originally.
 */
const rebuild = Effect.fnUntraced(function* (
  parts: Parts,
  claim: Claim,
  batchNamespace: Namespace,
  kind: BatchKind,
  items: ReadonlyArray<BatchItem>,
  rules: BatchRules,
  kept: string | undefined
): Effect.fn.Return<Ended, never, unknown> {
  const isFailed = claim.record?.Status !== "SUCCEEDED"
  const summary = isFailed ? unsummarised(parts, claim, items, rules) : readSummary(kept ?? "")
  if (summary === undefined) {
    return yield* contradicted(parts, Contradiction.withoutProgress(claim.path))
  }
  const { completionReason, itemStatuses } = summary
  if (areOther(isFailed ? undefined : completionReason, itemStatuses.length, items.length)) {
    return yield* otherItems(parts, claim, itemStatuses.length, items.length)
  }
  const letters = Array.from(itemStatuses)
  const branches = letters.map((_, index) => branchOf(parts, batchNamespace, kind, items[index]!, index, rules))
  let begun = 0
  let left = letters.filter((one) => one !== letter.started).length
  const states = yield* runBranches(parts, branches, {
    // Only the ends of earlier items determine when an item without a record began.
    concurrency: rules.flat === true ? concurrencyOf(rules) : Infinity,
    mayStart: () => true,
    isComplete: () => begun === letters.length && left === 0,
    onChange: (index, state) => {
      if (!isEnded(state)) begun++
      else if (letters[index] !== letter.started) left--
    }
  })
  const all = states.map((state, index) => (letters[index] === letter.started ? undefined : outcomeIn(state)))
  // Items that are rebuilt only to be undone may be cut off before their end.
  if (batchNamespace.standing === "closed") return yield* Effect.interrupt
  const other = all.findIndex((outcome, index) => letterOf(outcome) !== letters[index])
  if (other !== -1 && !isFailed) {
    return yield* contradicted(
      parts,
      Contradiction.otherEnd(claim.path, branchPath(batchNamespace, other), letters[other] === letter.succeeded)
    )
  }
  return { all, completionReason }
})

/** Returns how far the items of a failed batch progressed, by their records. Their outcomes are not observed. */
const unsummarised = (
  { history }: Parts,
  { id }: Claim,
  items: ReadonlyArray<BatchItem>,
  { flat }: BatchRules
): Pick<Summary, "itemStatuses" | "completionReason"> => {
  let itemStatuses = ""
  for (let index = 0; index < items.length; index++) {
    const record = history.get(operationId(id, "", index))
    if (record === undefined && flat !== true) break
    itemStatuses +=
      record === undefined || !isFinal(record)
        ? letter.started
        : record.Status === "SUCCEEDED"
          ? letter.succeeded
          : letter.failed
  }
  return { itemStatuses, completionReason: "ALL_COMPLETED" }
}
