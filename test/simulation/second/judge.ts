/**
 * What is right about a run of a program.
 *
 * By itself: the program ends well, every replay sees what was seen before it, records hold what the code makes of what it
 * has seen, no body of a step runs again once its outcome is acknowledged, no fiber is left, nothing is warned of.
 *
 * And beside a run that was not killed: the same end, the same operations and the same values, where the delay of a crash
 * can change nothing, but for what was let go of in either. Times are compared within a run only, since a crash changes them.
 */
import type { Problem, Ran } from "../kit/campaign.ts"
import type { Operation, Seen } from "../kit/world.ts"
import type { Node, Program } from "./program.ts"
import type { Trace } from "./trace.ts"

export type Kind = "end" | "replay" | "record" | "repeated" | "fibers" | "warning" | "difference"

export interface Judged extends Ran<Kind> {
  readonly seen: Seen
}

export const judge = (program: Program, trace: Trace, seen: Seen, undisturbed?: Judged): Judged => {
  const { fibersLeft, outcome, repeated, requests, warnings } = seen
  const problems: ReadonlyArray<Problem<Kind>> = [
    ...(outcome.status === "SUCCEEDED" ? [] : [problem("end", `The execution ended as ${endOf(seen)}.`)]),
    ...trace.mistakes.map((mistake) => problem("end", `Something died with ${mistake.slice(0, 300)}`)),
    ...trace.departures.map((text) => problem("replay", text)),
    ...trace.contradictions.map((text) => problem("record", text)),
    ...repeated.map((what) => problem("repeated", `The body of ${what} ran again.`)),
    ...(fibersLeft > 0 && outcome.status !== "fault" && !holdsOn(program.root)
      ? [problem("fibers", `${fibersLeft} fibers are left.`)]
      : []),
    ...warnings.map((warning) => problem("warning", warning.slice(0, 600))),
    ...(program.isSteady && undisturbed !== undefined && isSteady(undisturbed.seen)
      ? differences(undisturbed.seen, seen)
      : [])
  ]
  return { requests, problems, seen }
}

/** Whether something in a program cannot be interrupted: it may wait for ever for what was, and is collected then. */
const holdsOn = ({ bodies, kind }: Node): boolean =>
  ["uninterruptible", "acquireRelease", "Durable.onExit"].includes(kind) || bodies.some(holdsOn)

const problem = (kind: Kind, text: string): Problem<Kind> => ({ kind, text })

const endOf = ({ outcome }: Seen): string =>
  outcome.status === "SUCCEEDED"
    ? outcome.value
    : `${outcome.status === "FAILED" ? `${outcome.type}: ` : ""}${outcome.message.slice(0, 600)}`

/** More seconds than crashes can delay anything. */
const delay = 30

/** Whether everything happens at once, or far apart. */
const isSteady = ({ operations }: Seen): boolean => {
  const times = operations.flatMap(({ EndTimestamp, StartTimestamp, StepDetails, WaitDetails }) =>
    [StartTimestamp, EndTimestamp, StepDetails?.NextAttemptTimestamp, WaitDetails?.ScheduledEndTimestamp]
      .filter((time) => time !== undefined)
      .map(Math.floor)
  )
  const sorted = [...new Set(times)].sort((left, right) => left - right)
  return sorted.every((time, index) => time - (sorted[index - 1] ?? -Infinity) > delay * 1_000)
}

const differences = (undisturbed: Seen, seen: Seen): ReadonlyArray<Problem<Kind>> => {
  const ends = [endOf(undisturbed), endOf(seen)]
  const left = new Set([...lettingGo(undisturbed), ...lettingGo(seen)])
  const [before, after] = [linesOf(undisturbed, left), linesOf(seen, left)]
  const missing = before.filter((line, index) => countIn(before.slice(0, index + 1), line) > countIn(after, line))
  const added = after.filter((line, index) => countIn(after.slice(0, index + 1), line) > countIn(before, line))
  return [
    ...(ends[0] === ends[1] ? [] : [problem("difference", `It ended as ${ends[1]}, and undisturbed as ${ends[0]}.`)]),
    ...missing.map((line) => problem("difference", `Only undisturbed there is ${line}.`)),
    ...added.map((line) => problem("difference", `Only killed there is ${line}.`))
  ]
}

/** What did not end before its context did. How far that came by then, or whether it just ended, is a matter of timing. */
const lettingGo = ({ operations }: Seen): ReadonlyArray<string> => {
  const byId = new Map(operations.map((operation) => [operation.Id, operation]))
  return operations.flatMap(({ Id, ParentId, Status }) => {
    const around = ParentId === undefined ? undefined : byId.get(ParentId)
    return Status === "STARTED" && around?.Status !== "STARTED" ? [Id] : []
  })
}

const countIn = (lines: ReadonlyArray<string>, line: string): number => lines.filter((one) => one === line).length

/** Every operation with its path, its type, its status and its value, but for times, and but for what was let go of. */
const linesOf = ({ operations }: Seen, left: ReadonlySet<string>): ReadonlyArray<string> => {
  const byId = new Map(operations.map((operation) => [operation.Id, operation]))
  const pathOf = ({ Name, ParentId }: Operation): string => {
    const parent = ParentId === undefined ? undefined : byId.get(ParentId)
    return `${parent === undefined ? "" : `${pathOf(parent)}/`}${Name}`
  }
  const isLetGo = ({ Id, ParentId }: Operation): boolean => {
    if (left.has(Id)) return true
    const parent = ParentId === undefined ? undefined : byId.get(ParentId)
    return parent !== undefined && isLetGo(parent)
  }
  // Whether the time has to be recorded that a fiber saw depends on what else came with the answer, and cuts depend on kills.
  const isMark = (operation: Operation): boolean => /^\{"mark":"(reading|cut)"/.test(resultOf(operation) ?? "")
  const kept = operations.filter((operation) => !isLetGo(operation) && !isMark(operation))
  return kept.map((operation) => {
    const value = resultOf(operation)
    // A reading that was lost with its invocation is taken again, later.
    const isTime = value?.startsWith('"at ') === true
    const shown = value === undefined || isTime ? "" : ` ${value}`
    return `${operation.Type} "${pathOf(operation)}" ${operation.Status}${shown}`
  })
}

const resultOf = (operation: Operation): string | undefined =>
  operation.StepDetails?.Result ??
  operation.ContextDetails?.Result ??
  operation.CallbackDetails?.Result ??
  operation.ChainedInvokeDetails?.Result
