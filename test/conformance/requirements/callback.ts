/** The suite `callback`: answers from outside. */
import {
  callback,
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

const succeeded = told("cb", '"yes"')

/** A callback that suspends the execution until this happens to it. */
const awaited = (end: Expected, limits = {}): Events => [
  { ...callback("cb", limits), fields: { Name: "approval" } },
  invoked,
  { ...end, fields: { Name: "approval" } }
]

/** A callback to which this happens during a wait, so that it is known of before the wait ends. */
const duringWait = (end: Expected, limits = {}): Events => [
  callback("cb", limits),
  { line: "WaitStarted pause", details: { Duration: 5 } },
  invoked,
  end,
  invoked,
  "WaitSucceeded pause",
  invoked
]

const afterStep = (end: Expected, limits = {}): Events => [callback("cb", limits), ...step("s"), invoked, end, invoked]

const two = {
  Input: ["a", "b"],
  result: ['"from a"', '"from b"'],
  CallbackActions: [yes("a", 3, "from a"), yes("b", 4, "from b")]
}

const bothAtOnce: Events = [
  { ...callback("a"), fields: { Name: "a" } },
  { ...callback("b"), fields: { Name: "b" } },
  invoked,
  told("a", '"from a"'),
  invoked,
  told("b", '"from b"'),
  invoked
]

const Input = "approval"

export const rows: Rows = {
  "4-1": { Input, result: '"yes"', CallbackActions: [yes("approval")], events: [...awaited(succeeded), invoked] },
  "4-2": { result: '"yes"', CallbackActions: [yes("approval")], events: [...awaited(succeeded), invoked] },
  "4-3": { Input, events: [...awaited(timedOut("cb"), { Timeout: 5 }), invoked] },
  "4-4": { Input, events: [...awaited(timedOut("cb", "Heartbeat"), { HeartbeatTimeout: 5 }), invoked] },
  "4-5": {
    Input,
    result: '"yes"',
    CallbackActions: [heartbeat("approval"), yes("${/^appr/}")],
    events: [...awaited(succeeded, { HeartbeatTimeout: 10 }), invoked]
  },
  "4-7": { Input, CallbackActions: [no()], events: afterStep(rejected("cb")) },
  "4-8": { Input, events: afterStep(timedOut("cb"), { Timeout: 5 }) },
  "4-9": { Input, result: '"yes"', CallbackActions: [yes()], events: duringWait(succeeded) },
  "4-12": {
    Input,
    result: '"yes"',
    CallbackActions: [yes()],
    events: [...awaited(succeeded), ...wait(2), invoked]
  },
  "4-13": {
    Input,
    result: "the callback has failed",
    CallbackActions: [no()],
    events: [...awaited(rejected("cb")), ...wait(2), invoked]
  },
  "4-14": {
    Input,
    result: "the callback has failed",
    events: [...awaited(timedOut("cb"), { Timeout: 3 }), ...wait(2), invoked]
  },
  "4-16": {
    Input,
    result: { count: 21, doubled: 42 },
    CallbackActions: [yes("*", 1, 21)],
    events: [...awaited(told("cb", "21")), invoked]
  },
  "4-17": {
    ...two,
    events: [callback("a"), invoked, told("a", '"from a"'), callback("b"), invoked, told("b", '"from b"'), invoked]
  },
  "4-18": { ...two, events: bothAtOnce },

  "4-6": { Input, result: '"yes"', CallbackActions: [yes()], events: afterStep(succeeded) },
  "4-10": { Input, CallbackActions: [no()], events: duringWait(rejected("cb")) },
  "4-11": { Input, events: duringWait(timedOut("cb"), { Timeout: 3 }) },
  "4-15": {
    Input,
    result: { status: "approved" },
    CallbackActions: [yes("*", 1, { status: "approved" })],
    events: [...awaited(told("cb", '{"status": "approved"}')), invoked]
  },
  "4-19": { ...two, events: bothAtOnce }
}
