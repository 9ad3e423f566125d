/**
 * What holds for every run of every program, and what a run under faults has in common with a run without.
 */
import { assert } from "@effect/vitest"
import type { HistoryEvent } from "../../src/wire/HistoryEvent.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import { isPlain } from "./callees.ts"
import { contains, isDetached, mayBeLeftBehind, type Program } from "./program.ts"
import { costsNoTime, type Schedule } from "./schedule.ts"
import type { Observed, Recorded } from "./simulate.ts"

/** Holds for every run, whatever happened to it. */
export const assertSound = (run: Observed, program: Program): void => {
  assert.notMatch(
    run.end,
    /NonDeterministic|NameInUse|InvalidName|SerdesFailed|StoreRejected|LimitExceeded|ContextEnded|Stuck/,
    run.end
  )
  assert.match(run.end, /^(value|error) /)
  assert.deepStrictEqual(run.refused, [], "requests that the service refused")
  assert.deepStrictEqual(run.rewritten, [], "recorded outcomes that changed")
  assert.deepStrictEqual(run.tally.changed, [], "code saw something else on a replay")
  assert.deepStrictEqual(run.warnings.filter(isUnexpectedIn(program)), [], "warnings")
  for (const execution of run.executions) assertHistory(execution)
  // What goes on beside the context that it began in may come to its finalizers when that has ended.
  if (!contains(program.root, isDetached)) {
    assert.deepStrictEqual(run.tally.closedFinalizers, [], "durable finalizers in contexts that had ended")
  }
  assertBodies(run)
  assertCalls(run)
  assertUndone(run)
  if (mayBeLeftBehind(program.root)) return
  assert.strictEqual(run.fibersLeft, 0, "fibers that are left")
  assert.strictEqual(run.tally.left, run.tally.entered, "regions that were left")
}

/**
 * A fiber that outlives its context has the clock of the host, which nothing records. A short invocation ends before such a
 * fiber has slept.
 */
const isUnexpectedIn =
  ({ root }: Program) =>
  (warning: string): boolean =>
    !/waits for a promise or a timer( at \S+)? outside of a step|has waited \d+ ms for work outside of steps/.test(
      warning
    ) || !contains(root, isDetached)

const assertHistory = ({ functionName, history, operations }: Recorded): void => {
  assert.deepStrictEqual(
    history.map(({ EventId }) => EventId),
    history.map((_, index) => index + 1)
  )
  const starts = new Map<string, number>()
  const ends = new Map<string, number>()
  for (const event of history) {
    if (event.EventType === "InvocationCompleted") {
      const message = event.InvocationCompletedDetails.Error?.Payload?.ErrorMessage ?? ""
      assert.notInclude(message, "Cannot return PENDING", `an invocation of ${functionName}`)
    }
    const id = event.Id
    if (id === undefined || /^(Execution|Invocation)/.test(event.EventType)) continue
    if (event.EventType.endsWith("Started")) starts.set(id, (starts.get(id) ?? 0) + 1)
    else if (!isRetry(event)) ends.set(id, (ends.get(id) ?? 0) + 1)
  }
  for (const operation of operations) {
    const { Id, Name, Status, Type } = operation
    const attempts = Type === "STEP" ? Math.max(1, operation.StepDetails?.Attempt ?? 1) : 1
    const started = starts.get(Id) ?? 0
    const most = Type === "STEP" ? attempts + 1 : 1
    assert.isTrue(started >= 1 && started <= most, `${started} starts of ${Type} ${Name}`)
    assert.strictEqual(ends.get(Id) ?? 0, isOpen(Status) ? 0 : 1, `ends of ${Type} ${Name}, which is ${Status}`)
  }
  assert.isTrue(
    [...starts.keys(), ...ends.keys()].every((id) => operations.some(({ Id }) => Id === id)),
    "events of unknown operations"
  )
}

const isOpen = (status: string): boolean => ["STARTED", "PENDING", "READY"].includes(status)

/** Whether an event says that an attempt of a step ended, and the step did not. */
const isRetry = (event: HistoryEvent): boolean => {
  const details =
    event.EventType === "StepFailed"
      ? event.StepFailedDetails
      : event.EventType === "StepSucceeded"
        ? event.StepSucceededDetails
        : undefined
  return details?.RetryDetails?.NextAttemptDelaySeconds !== undefined
}

/**
 * Bodies run once for every outcome that is no interruption, and once more at most for every invocation that failed or that
 * began with an old event; where it was asked for at most once, they do not even then.
 */
const assertBodies = ({ duplicates, executions, tally }: Observed): void => {
  const runs = new Map<string, number>()
  for (const { attempt, executionArn, maxAttempts, once, operationId } of tally.bodies) {
    assert.isAtMost(attempt, maxAttempts, "attempts of a step")
    const key = `${executionArn} ${operationId} ${attempt}`
    const count = (runs.get(key) ?? 0) + 1
    runs.set(key, count)
    if (once) assert.strictEqual(count, 1, "runs of one attempt of an at-most-once step")
  }
  for (const { executionArn, functionName, history, operations } of executions) {
    if (functionName !== "program") continue
    const failures = failuresIn(history).length + duplicates
    for (const [key, count] of runs) {
      if (key.startsWith(executionArn)) assert.isAtMost(count, 1 + failures, `runs of ${key}, ${failures} failures`)
    }
    for (const { Id, Name, Status, StepDetails } of operations) {
      if (Status !== "SUCCEEDED" || StepDetails === undefined || isMark(Name)) continue
      const last = runs.get(`${executionArn} ${Id} ${StepDetails.Attempt ?? 1}`) ?? 0
      assert.isAtLeast(last, 1, `runs of the last attempt of "${Name}"`)
    }
  }
}

/** Nothing is undone if the execution succeeded, and otherwise all that was done, once, or the failure says what is not. */
const assertUndone = ({ end, isStillDone, program }: Observed): void => {
  const done = succeeded(program, /^done (\d+)$/)
  const undone = succeeded(program, /^undone (\d+)$/)
  if (end.startsWith("value")) assert.strictEqual(undone.size, 0, "undos of an execution that succeeded")
  else if (!isStillDone) assert.deepStrictEqual(undone, done, "what was undone, beside what was done")
  for (const [key, times] of undone) assert.isAtMost(times, done.get(key) ?? 0, `undos of ${key}`)
}

/** How many steps with a name succeeded, by what the name holds. */
const succeeded = ({ operations }: Recorded, name: RegExp): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const { Name = "", Status, Type } of operations) {
    const [match, key = ""] = name.exec(Name) ?? []
    if (match !== undefined && Type === "STEP" && Status === "SUCCEEDED") counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return counts
}

/** Each invoke called its function once. */
const assertCalls = ({ executions, tally }: Observed): void => {
  const invoked = new Map<string, number>()
  for (const { history } of executions) {
    for (const event of history) {
      if (event.EventType !== "ChainedInvokeStarted") continue
      const name = event.ChainedInvokeStartedDetails.FunctionName.split(":")[0] ?? ""
      invoked.set(name, (invoked.get(name) ?? 0) + 1)
    }
  }
  for (const [name, count] of invoked) {
    const calls = isPlain(name)
      ? tally.calls.filter((callee) => callee === name).length
      : executions.filter(({ functionName }) => functionName === name).length
    assert.strictEqual(calls, count, `calls of ${name}`)
  }
}

const failuresIn = (history: ReadonlyArray<HistoryEvent>): ReadonlyArray<string> =>
  history.flatMap((event) =>
    event.EventType === "InvocationCompleted" && event.InvocationCompletedDetails.Error !== undefined
      ? [event.InvocationCompletedDetails.Error.Payload?.ErrorMessage ?? "no message"]
      : []
  )

/** Without the time-out of an invocation, no more invocations fail than faults can explain. */
export const assertFailures = ({ executions, fatal }: Observed, { invocationTimeout }: Schedule): void => {
  if (invocationTimeout !== undefined) return
  const failures = executions.flatMap(({ history }) => failuresIn(history))
  assert.isAtMost(failures.length, fatal, `failed invocations: ${failures.join("; ")}`)
}

/** Whether a step was interrupted, so that its program may rightly have ended otherwise. */
export const wasInterrupted = ({ program }: Observed): boolean =>
  program.history.some(
    (event) =>
      event.EventType === "StepFailed" && event.StepFailedDetails.Error.Payload?.ErrorType === "StepInterrupted"
  )

/** Holds for a run under faults of a program that does not depend on timing, unless a step was interrupted. */
export const assertSame = (run: Observed, oracle: Observed, schedule: Schedule, { sharesNames }: Program): void => {
  assert.strictEqual(run.end, oracle.end)
  assert.strictEqual(run.tally.interruptedFinalizers, 0, "finalizers that ran because of an interruption")
  // Nobody waits any more for what is let go of. Its time may pass before the program ends, or it may never begin.
  const open = new Set([...openIn(oracle), ...openIn(run)])
  assert.deepStrictEqual(linesOf(run, open, sharesNames), linesOf(oracle, open, sharesNames))
  if (!costsNoTime(schedule)) return
  assert.strictEqual(run.millis, oracle.millis, "virtual milliseconds")
  // What happens while requests are under way may save an invocation.
  if (schedule.pageItems !== undefined || schedule.latencies.length > 0) return
  assert.deepStrictEqual(storyOf(run), storyOf(oracle))
}

/** Marks of ours, which have no body. */
const isMark = (name = ""): boolean => name.startsWith("patch:") || isOfChance(name)

/** What we record for ourselves: in which order something came, or when, that it was cut off, a pause. Not every run has the same. */
const isOfChance = (name = ""): boolean => /^(late|reading|cut|pause):/.test(name)

/** What is open in the end, and waits that limits and races have let go of, whose time has passed meanwhile. */
const openIn = ({ program: { operations } }: Observed): ReadonlyArray<string> => {
  const ends = new Map(operations.map(({ EndTimestamp, Id }) => [Id, EndTimestamp]))
  const outlives = ({ EndTimestamp = 0, ParentId = "" }: Operation): boolean =>
    EndTimestamp > (ends.get(ParentId) ?? Infinity)
  return operations
    .filter((operation) => {
      const { Name = "", Status, Type } = operation
      return isOpen(Status) || (Type === "WAIT" && (Name === "timeout" || isLimit(Name) || outlives(operation)))
    })
    .map(({ Id }) => Id)
}

/** Limits of Effect's own last for days, other sleeps for seconds. */
const isLimit = (name: string): boolean => Number(/^sleep (\d+)s$/.exec(name)?.[1] ?? 0) >= 86_400

/**
 * Every operation, with where it stands and how it ended. Fibers that share names, of operations or of sleeps, count them
 * in the order in which they come by, which timing decides.
 */
const linesOf = (
  { program: { operations } }: Observed,
  open: ReadonlySet<string>,
  sharesNames: boolean
): ReadonlyArray<string> => {
  const byId = new Map(operations.map((operation) => [operation.Id, operation]))
  const pathOf = ({ Id, Name, ParentId }: Operation): string => {
    const parent = ParentId === undefined ? undefined : byId.get(ParentId)
    const id = sharesNames || Name?.startsWith("sleep ") ? "" : ` ${Id}`
    return `${parent === undefined ? "" : `${pathOf(parent)} / `}${Name}${id}`
  }
  return operations
    .filter(({ Id, Name }) => !isOfChance(Name) && !open.has(Id))
    .map((operation) => {
      const { ContextDetails, Name, Status, StepDetails, SubType, Type } = operation
      const isTime = Type === "STEP" && Name?.includes("clock ") === true
      const found = isTime ? "" : (StepDetails?.Result ?? ContextDetails?.Result ?? "")
      const result = sharesNames ? found.replaceAll(/#\d+/g, "") : found
      return `${Type} ${SubType} "${pathOf(operation)}" ${Status} ${StepDetails?.Attempt ?? ""} ${inOrder(result)}`
    })
    .sort()
}

/** A value whose fields are in one order, if it is one. What has been recorded may have them in another. */
const inOrder = (text: string): string => text.split(/[,{}]/).sort().join().slice(0, 100)

const storyOf = ({ program }: Observed): ReadonlyArray<string> =>
  program.history.filter(({ Name }) => !isOfChance(Name)).map(story)

const story = ({ EventTimestamp, EventType, Id, Name }: HistoryEvent): string =>
  `${EventTimestamp} ${EventType} "${Name ?? ""}" ${EventType === "ExecutionStarted" ? "" : (Id ?? "")}`
