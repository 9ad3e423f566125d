/**
 * What holds for every run of every program, and what a run under faults has in common with a run without.
 */
import { assert } from "@effect/vitest"
import type { HistoryEvent } from "../../src/wire/HistoryEvent.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import { isPlain } from "./callees.ts"
import { letsGo, mayBeLeftBehind, type Node } from "./program.ts"
import { costsNoTime, type Observed, type Recorded, type Schedule } from "./simulate.ts"

/** Holds for every run, whatever happened to it. */
export const assertSound = (run: Observed, program: Node): void => {
  assert.notMatch(
    run.end,
    /NonDeterministic|NameInUse|InvalidName|SerdesFailed|StoreRejected|LimitExceeded|ContextEnded/,
    run.end
  )
  assert.match(run.end, /^(value|error) /)
  assert.deepStrictEqual(run.refused, [], "requests that the service refused")
  assert.deepStrictEqual(run.rewritten, [], "recorded outcomes that changed")
  assert.deepStrictEqual(run.tally.changed, [], "outcomes that were seen in two ways")
  for (const execution of run.executions) assertHistory(execution)
  assertBodies(run, letsGo(program))
  assertCalls(run)
  assertUndone(run)
  if (mayBeLeftBehind(program)) return
  assert.strictEqual(run.fibersLeft, 0, "fibres that are left")
  assert.strictEqual(run.tally.left, run.tally.entered, "regions that were left")
}

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
 * Bodies run once for every outcome that is no interruption, and once more at most for every invocation that failed; where
 * it was asked for at most once, they do not even then. What a race of Effect's own has let go of runs `again` on every
 * replay, until the race is over again.
 */
const assertBodies = ({ executions, tally }: Observed, again: boolean): void => {
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
    const failures = failuresIn(history).length
    for (const [key, count] of runs) {
      if (!again && key.startsWith(executionArn))
        assert.isAtMost(count, 1 + failures, `runs of ${key}, ${failures} failures`)
    }
    for (const { Id, Name, Status, StepDetails } of operations) {
      // The mark of a change has no body.
      if (Status !== "SUCCEEDED" || StepDetails === undefined || Name?.startsWith("patch:")) continue
      const last = runs.get(`${executionArn} ${Id} ${StepDetails.Attempt ?? 1}`) ?? 0
      assert.isAtLeast(last, 1, `runs of the last attempt of "${Name}"`)
    }
  }
}

/** Nothing is undone if the execution succeeded, and otherwise only what was done, once. */
const assertUndone = ({ end, program }: Observed): void => {
  const done = succeeded(program, /^done (\d+)$/)
  const undone = succeeded(program, /^undone (\d+)$/)
  if (end.startsWith("value")) assert.strictEqual(undone.size, 0, "undos of an execution that succeeded")
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
export const assertSame = (run: Observed, oracle: Observed, schedule: Schedule): void => {
  assert.strictEqual(run.end, oracle.end)
  assert.strictEqual(run.tally.interruptedFinalizers, 0, "finalizers that ran because of an interruption")
  if (!run.end.startsWith("value")) {
    assert.deepStrictEqual(
      succeeded(run.program, /^undone (\d+)$/),
      succeeded(run.program, /^done (\d+)$/),
      "what was undone"
    )
  }
  assert.deepStrictEqual(identities(run.program), identities(oracle.program))
  // The time-out of an invoke that was answered may pass before the program ends, or not.
  const open = oracle.program.operations
    .filter(({ Name, Status, Type }) => isOpen(Status) || (Type === "WAIT" && Name === "timeout"))
    .map(({ Id }) => Id)
  const closed = ({ operations }: Recorded) => operations.filter(({ Id }) => !open.includes(Id))
  assert.deepStrictEqual(closed(run.program).map(outcome).sort(), closed(oracle.program).map(outcome).sort())
  if (!costsNoTime(schedule)) return
  assert.strictEqual(run.millis, oracle.millis, "virtual milliseconds")
  // What happens while requests are under way may save an invocation.
  if (schedule.pageItems !== undefined || schedule.latencies.length > 0) return
  assert.deepStrictEqual(run.program.history.map(story), oracle.program.history.map(story))
}

const identities = ({ operations }: Recorded): ReadonlyArray<string> =>
  operations
    .map(
      ({ Id, Name, ParentId, SubType, Type }) => `${Type} ${SubType} "${Name}" ${Id} in ${ParentId ?? "the workflow"}`
    )
    .sort()

const outcome = ({ ContextDetails, Id, Name, Status, StepDetails, Type }: Operation): string => {
  const result = StepDetails?.Result ?? ContextDetails?.Result ?? ""
  return `${Id} ${Type} "${Name}" ${Status} ${StepDetails?.Attempt ?? ""} ${result.slice(0, 100)}`
}

const story = ({ EventTimestamp, EventType, Id, Name }: HistoryEvent): string =>
  `${EventTimestamp} ${EventType} "${Name ?? ""}" ${EventType === "ExecutionStarted" ? "" : (Id ?? "")}`
