/**
 * What is to be seen of a run from outside, for runs of AWS's SDK and of ours to be held against each other. What the two
 * are known to do in different ways is left out here, each for a reason that `npm run differential` prints.
 */
import { assert } from "@effect/vitest"
import type { HistoryEvent } from "../../src/wire/HistoryEvent.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import { contains, hasJitter, type Common } from "./common.ts"

interface SeenOperation {
  /** What it is and where it stands. The ids are not the same; what they lead to is. */
  readonly identity: string
  /** How it came to its end, and what was recorded. */
  readonly outcome: string
  readonly isOpen: boolean
}

export interface Seen {
  readonly end: string
  readonly operations: ReadonlyArray<SeenOperation>
  /** What happened to the operations, in order. */
  readonly story: ReadonlyArray<string>
}

/** The name of the operation that records a combinator. */
export const combined = (how: string, name: string): string => `combine ${how} ${name}`

/** What is left out of the comparison, and why. */
export const leftOut = {
  wrappedErrors: "AWS's SDK wraps the error of a step as StepError, and that of a child as ChildContextError",
  namesInWaitForCallback: "AWS's SDK names neither of the two operations of a waitForCallback",
  namesOfBackOffs: "a wait between two attempts of a block has the name of the block in AWS's SDK, and none of its own",
  combinators:
    "a combinator of AWS's SDK is given promises that began before it, and records its result beside them; ours holds its branches",
  ofAll: "ours is a batch, in whose record failures are data",
  results: "the result of a batch is written in another way; what it says, the program tells",
  losers:
    "the losers of a race go on in AWS's SDK, as promises do, and ours are let go of; where delays have jitter, a loser may come to its end on either side before the program does"
} as const

const rules = {
  wrappedErrors: (status: string, result: string | undefined) =>
    status === "SUCCEEDED" ? `${status} ${result}` : status,
  namesInWaitForCallback: (name: string | undefined, parent: Operation | undefined) =>
    parent?.SubType === "WaitForCallback" ? "" : (name ?? ""),
  namesOfBackOffs: (name: string) => (/-backoff-\d+$/.test(name) ? "back-off" : name),
  combinators: ({ Name, Type }: Operation) => Type === "CONTEXT" && Name?.startsWith("combine ") === true,
  ofAll: ({ Name }: Operation) => Name?.startsWith("combine all ") === true,
  results: ({ ChainedInvokeDetails, ContextDetails, CallbackDetails, StepDetails, SubType }: Operation) =>
    SubType === "Map" || SubType === "Parallel"
      ? ""
      : (StepDetails?.Result ??
        ContextDetails?.Result ??
        ChainedInvokeDetails?.Result ??
        CallbackDetails?.Result ??
        ""),
  losers: (program: Common, ours: ReadonlyArray<SeenOperation>, theirs: ReadonlyArray<SeenOperation>) =>
    ours.some(({ isOpen }) => isOpen) || (contains(program, hasJitter) && theirs.some(({ isOpen }) => isOpen))
} satisfies Readonly<Record<keyof typeof leftOut, unknown>>

export const seen = (
  outcome: { readonly status: string; readonly result?: string | undefined },
  operations: ReadonlyArray<Operation>,
  history: ReadonlyArray<HistoryEvent>
): Seen => {
  const byId = new Map(operations.map((operation) => [operation.Id, operation]))
  const parentOf = ({ ParentId }: Operation) => (ParentId === undefined ? undefined : byId.get(ParentId))
  const nameOf = (operation: Operation) =>
    rules.namesOfBackOffs(rules.namesInWaitForCallback(operation.Name, parentOf(operation)))
  const pathOf = (operation: Operation): string => {
    const parent = parentOf(operation)
    const own = rules.combinators(operation) ? "" : `/${nameOf(operation)}`
    return parent === undefined ? own : pathOf(parent) + own
  }
  const events = history.flatMap(({ EventType, Id }) => {
    const operation = Id === undefined ? undefined : byId.get(Id)
    return operation === undefined ? [] : [{ EventType, operation }]
  })
  return {
    end: rules.wrappedErrors(outcome.status, outcome.result),
    operations: operations.map((operation) => {
      const { Status, StepDetails, SubType, Type } = operation
      const isCombinator = rules.combinators(operation)
      const result = isCombinator ? "" : rules.results(operation)
      const story = events.filter((event) => event.operation === operation).map(({ EventType }) => EventType)
      return {
        identity: isCombinator
          ? `combinator "${operation.Name}" in "${pathOf(operation)}"`
          : `${Type} ${SubType} "${pathOf(operation)}"`,
        outcome: rules.ofAll(operation)
          ? ""
          : `${story.join(" ")}: ${Status} ${StepDetails?.Attempt ?? ""} ${result} ${errorType(operation)}`,
        isOpen: ["STARTED", "PENDING", "READY"].includes(Status)
      }
    }),
    story: events.map(({ EventType, operation }) => `${EventType} "${pathOf(operation)}"`)
  }
}

// A step that succeeds or waits keeps no error of an earlier attempt to be compared here, and a child keeps the error as
// it was wrapped.
const errorType = ({ CallbackDetails, ChainedInvokeDetails, StepDetails }: Operation): string =>
  (StepDetails?.Error ?? ChainedInvokeDetails?.Error ?? CallbackDetails?.Error)?.ErrorType ?? ""

/**
 * Whether nothing in a program runs side by side, so that everything happens in one order, unless something outside comes
 * in between after delays with jitter.
 */
const isSequential = (program: Common): boolean =>
  !contains(
    program,
    (node) =>
      hasJitter(node) ||
      node.op === "all" ||
      node.op === "combine" ||
      (node.op === "batch" && node.concurrency !== 1 && node.bodies.length > 1)
  )

/** Both came to the same end, with the same operations, each of which came to its end in the same way. */
export const assertAlike = (program: Common, ours: Seen, theirs: Seen): void => {
  const left = grouped(ours)
  const right = grouped(theirs)
  assert.deepStrictEqual(
    { end: ours.end, operations: [...left].map(([identity, all]) => `${all.length} ${identity}`).sort() },
    { end: theirs.end, operations: [...right].map(([identity, all]) => `${all.length} ${identity}`).sort() }
  )
  for (const [identity, all] of left) {
    const others = right.get(identity) ?? []
    if (rules.losers(program, all, others)) continue
    const outcomes = (list: ReadonlyArray<SeenOperation>) => list.map(({ outcome }) => outcome).sort()
    assert.deepStrictEqual(outcomes(all), outcomes(others), identity)
  }
  if (isSequential(program)) assert.deepStrictEqual(ours.story, theirs.story)
}

const grouped = ({ operations }: Seen): ReadonlyMap<string, ReadonlyArray<SeenOperation>> =>
  Map.groupBy(operations, ({ identity }) => identity)
