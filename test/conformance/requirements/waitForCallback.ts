/** The suite `wait_for_callback`: asking somebody, and waiting for the answer. */
import {
  attempt,
  callback,
  child,
  context,
  failedContext,
  heartbeat,
  invoked,
  no,
  rejected,
  step,
  timedOut,
  told,
  wait,
  yes,
  type Events,
  type Expected,
  type Rows
} from "./table.ts"

const SubType = "WaitForCallback"

const asked = (key: string, end: Expected, limits = {}): Events => [
  callback(`cb_${key} in ${key}`, limits),
  ...step(`ask_${key}`, undefined, key),
  invoked,
  end
]

/** Asks, and gets this answer as text. */
const answered = (text: string, limits = {}, key = "wfc", where = key): Events =>
  context(SubType, where, {}, ...asked(key, told(`cb_${key} in ${key}`, text), limits))

/** Asks, and does not get an answer. */
const unanswered = (end: Expected, limits = {}): Events => failedContext(SubType, "wfc", ...asked("wfc", end, limits))

const refused = unanswered(rejected("cb_wfc in wfc"))

const late = (limit: "Timeout" | "Heartbeat"): Events =>
  unanswered(timedOut("cb_wfc in wfc", limit), { [limit === "Timeout" ? "Timeout" : "HeartbeatTimeout"]: 3 })

/** The same events, the context of which has this name. */
const called = (Name: string, events: Events): Events =>
  events.map((event) =>
    typeof event === "object" && event.fields?.["SubType"] === SubType ? { ...event, fields: { SubType, Name } } : event
  )

const Input = "approval"

const agreed = { Input, result: '"yes"', CallbackActions: [yes()] }

export const rows: Rows = {
  "7-1": { ...agreed, events: [...called("approval", answered('"yes"')), invoked] },
  "7-2": {
    ...agreed,
    Input: "another name",
    CallbackActions: [yes("approval")],
    events: [...called("approval", answered('"yes"')), invoked]
  },
  "7-3": { ...agreed, events: [...answered('"yes"'), invoked] },
  "7-4": { Input, CallbackActions: [no()], events: [...called("approval", refused), invoked] },
  "7-5": { Input, events: [...called("approval", late("Timeout")), invoked] },
  "7-6": { Input, result: "recovered", CallbackActions: [no()], events: [...refused, invoked] },
  "7-9": {
    result: '"two"',
    CallbackActions: [yes("*", 1, "one"), yes("*", 1, "two")],
    events: [
      ...called("first", answered('"one"', {}, "one")),
      ...called("second", answered('"two"', {}, "two")),
      invoked
    ]
  },
  "7-10": { ...agreed, events: [...wait(1), ...step("s"), ...called("approval", answered('"yes"')), invoked] },
  "7-11": {
    Input,
    result: "approved",
    CallbackActions: [yes("*", 1, { status: "approved" })],
    events: [...answered('{"status": "approved"}'), invoked]
  },
  "7-13": {
    Input,
    result: '"yes"',
    CallbackActions: [heartbeat(), yes()],
    events: [...answered('"yes"', { HeartbeatTimeout: 10 }), invoked]
  },
  "7-14": { Input, result: "timed-out-handled", events: [...late("Timeout"), invoked] },

  "7-7": {
    Input,
    events: [
      ...failedContext(
        SubType,
        "wfc",
        callback("cb in wfc"),
        "StepStarted ask in wfc",
        { line: "StepFailed ask in wfc", details: attempt(1, 1) },
        invoked,
        "StepStarted ask in wfc",
        { line: "StepFailed ask in wfc", details: attempt(2) }
      ),
      invoked
    ]
  },
  "7-8": { ...agreed, events: [...child('"yes"', ...answered('"yes"', {}, "wfc", "wfc in child")), invoked] },
  "7-12": { Input, events: [...late("Heartbeat"), invoked] },
  "7-15": { Input, result: null, CallbackActions: [yes("*", 1, null)], events: [...answered("null"), invoked] }
}
