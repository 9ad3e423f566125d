/**
 * What must be true of an execution that was killed, by what its bodies told the log and what the engine says of it.
 */
import type { Json } from "../support.ts"
import type { Note, SceneName } from "./scenes.ts"

/** What is known of one execution after its end. */
export interface Evidence {
  readonly scene: SceneName
  readonly run: string
  /** The answer of GetDurableExecution. */
  readonly execution: Json
  /** The whole history. */
  readonly events: ReadonlyArray<Json>
  /** Every line of the log. */
  readonly notes: ReadonlyArray<Note>
}

/** The bodies whose tokens make the result, in order. */
const results: Readonly<Record<SceneName, ReadonlyArray<string>>> = {
  step: ["first", "second"],
  once: ["once"],
  wait: ["before", "after"],
  retry: ["attempt 2"],
  callback: [],
  race: ["quick"],
  batch: ["item 0", "item 1", "item 2", "item 3"],
  compensation: [],
  invoke: ["called"]
}

/** What is wrong, in sentences. */
export const problemsOf = (evidence: Evidence): ReadonlyArray<string> => [
  ...wrongResult(evidence),
  ...ranTooOften(evidence),
  ...wrongHistory(evidence)
]

const wrongResult = ({ execution, notes, run, scene }: Evidence): ReadonlyArray<string> => {
  const expected = scene === "compensation" ? "FAILED" : "SUCCEEDED"
  if (execution.Status !== expected) {
    return [`ended as ${execution.Status} instead of ${expected}: ${JSON.stringify(execution.Error ?? null)}`]
  }
  if (scene === "compensation") return undone({ notes, run })
  const result: ReadonlyArray<string> = JSON.parse(execution.Result)
  if (scene === "callback") return result[0] === "yes" ? [] : [`has the result ${execution.Result}`]
  // An attempt that was cut off is told as such, and never repeated.
  if (scene === "once" && result[0] === "interrupted") return []
  const marks = result.map((token) => {
    const told = notes.filter((note) => note.token === token && note.run === run)
    return told.length === 2 ? told[0]?.mark : "a body that did not end"
  })
  return JSON.stringify(marks) === JSON.stringify(results[scene]) ? [] : [`has a result of ${marks.join(", ")}`]
}

/** Everything was undone, the last thing first. */
const undone = ({ notes, run }: Pick<Evidence, "notes" | "run">): ReadonlyArray<string> => {
  const ends = notes.filter(({ at, mark, run: of }) => of === run && at === "end" && mark.startsWith("undo "))
  const order = ends.map(({ mark }) => mark)
  const [hotel, flight] = [order.lastIndexOf("undo hotel"), order.indexOf("undo flight")]
  return hotel !== -1 && flight !== -1 && hotel < flight ? [] : [`undid ${order.join(", ") || "nothing"}`]
}

const ranTooOften = ({ notes, run, scene }: Evidence): ReadonlyArray<string> => {
  if (scene !== "once") return []
  const begun = notes.filter(({ at, run: of }) => of === run && at === "begin").length
  return begun <= 1 ? [] : [`began ${begun} times, and not at most once`]
}

const wrongHistory = ({ events, execution }: Evidence): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const ids = events.map(({ EventId }) => EventId)
  if (ids.some((id, index) => id !== index + 1)) problems.push(`has events ${ids.join(" ")}`)
  const count = (wanted: (event: Json) => boolean): ReadonlyMap<string, number> => {
    const counts = new Map<string, number>()
    for (const event of events.filter(wanted)) counts.set(event.Id, (counts.get(event.Id) ?? 0) + 1)
    return counts
  }
  for (const [id, number] of count(isEnd)) if (number > 1) problems.push(`operation ${id} ended ${number} times`)
  const ended = count(isEnd)
  for (const { EventType, Id, Name } of events) {
    const mustEnd = /^(Step|Context|Wait|Callback|ChainedInvoke)Started$/.test(EventType) && Name !== "slow"
    if (mustEnd && Id !== undefined && !ended.has(Id) && !isInLoser(events, Id)) {
      problems.push(`the operation "${Name}" has no end`)
    }
  }
  if (execution.Status !== "RUNNING" && !/^Execution(Succeeded|Failed)$/.test(events.at(-1).EventType)) {
    problems.push(`its last event is ${events.at(-1).EventType}`)
  }
  return problems
}

const isEnd = ({ EventType, StepFailedDetails, StepSucceededDetails }: Json): boolean =>
  /(Succeeded|Failed|TimedOut|Stopped|Cancelled)$/.test(EventType) &&
  (StepFailedDetails ?? StepSucceededDetails)?.RetryDetails.NextAttemptDelaySeconds === undefined

/** The branch of a race that lost stays open. */
const isInLoser = (events: ReadonlyArray<Json>, id: string): boolean =>
  events.some(({ Name, ParentId }) => Name === "slow" && ParentId === id)
