/** The suite `wait_for_condition`: looking again and again until something is so. */
import { attempt, failedWith, invoked, named, raw, step, wait, type Events, type Rows } from "./table.ts"

const SubType = "WaitForCondition"

const started = { line: "StepStarted poll", fields: { SubType } }

/** Looks that suspend the execution, but for the last one: each has seen this state, as text. */
const polls = (states: ReadonlyArray<string>, delay = 1): Events =>
  states.flatMap((state, index) => {
    const isLast = index === states.length - 1
    const details = { ...raw(state), ...attempt(index + 1, isLast ? undefined : delay) }
    return [started, { line: "StepSucceeded poll", fields: { SubType }, details }, ...(isLast ? [] : [invoked])]
  })

/** A look that fails. */
const thrown = (count: number): Events => [
  started,
  { line: "StepFailed poll", fields: { SubType }, details: { ...attempt(count), ...failedWith("*") } }
]

export const rows: Rows = {
  "6-1": { Input: 3, result: 3, events: [...polls(["1", "2", "3"]), invoked] },
  "6-2": { result: 5, events: [...polls(["5"]), invoked] },
  "6-3": { result: 2, events: [...named("poll-status", polls(["1", "2"])), invoked] },
  "6-4": { Input: 8, result: 8, events: [...polls(["6", "7", "8"]), invoked] },
  "6-7": { events: [...thrown(1), invoked] },
  "6-8": { result: "recovered", events: [...thrown(1), invoked] },
  "6-9": {
    result: { status: "DONE", attempts: 2 },
    events: [...polls(['{"status":"PENDING","attempts":1}', '{"status":"DONE","attempts":2}']), invoked]
  },
  "6-10": { result: null, events: [...polls(["null"]), invoked] },
  "6-12": { Input: 2, result: 20, events: [...polls(["1", "2"]), ...step("s", 20), invoked] },

  "6-5": { Input: 3, result: 3, events: [...polls(["1", "2", "3"], 2), invoked] },
  "6-6": { Input: 2, events: [...polls(["1", "unseen"]).slice(0, -2), ...thrown(2), invoked] },
  "6-11": { Input: 2, result: 2, events: [...polls(['{"wrapped":1}', '{"wrapped":2}']), invoked] },
  "6-13": { Input: 2, result: 2, events: [...polls(["1", "2"]), ...wait(1), invoked] }
}
