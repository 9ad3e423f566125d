/**
 * What a conforming backend shows of the handlers in the pack, in this repository's own words: the input, how the execution
 * ends, and its history from the second event on.
 *
 * AWS's requirements say the same of most of them; they are not part of this repository. An event is written as
 * `StepFailed step in child`: its type, the key of its operation, and the key of the context around it.
 */
import type { Expectations, Requirement } from "./requirement.ts"

type Fields = Readonly<Record<string, unknown>>

/** An event with what it holds beside its details, and in them. */
interface Expected {
  readonly line: string
  readonly fields?: Fields
  readonly details?: Fields
}

interface Row extends Pick<Expectations, "CallbackActions" | "ExpectedLogs" | "Input" | "Variables"> {
  readonly suite: string
  /** Absent when it fails. */
  readonly result?: unknown
  /** Only the history up to the last event is looked at; the execution may go on. */
  readonly open?: true
  readonly events: ReadonlyArray<string | Expected>
}

const invoked = "InvocationCompleted"

const died: Expected = {
  line: invoked,
  details: { Error: { Payload: { ErrorType: "Runtime.ExitError", ErrorMessage: "*" } } }
}

const subTypes: Readonly<Record<string, string>> = {
  Step: "Step",
  Wait: "Wait",
  Context: "RunInChildContext",
  Callback: "Callback",
  ChainedInvoke: "ChainedInvoke"
}

const step = (key: string, value?: unknown, parent?: string): ReadonlyArray<Expected> => {
  const inside = parent === undefined ? "" : ` in ${parent}`
  return [{ line: `StepStarted ${key}${inside}` }, { line: `StepSucceeded ${key}${inside}`, details: payload(value) }]
}

const payload = (value: unknown): Fields =>
  value === undefined ? {} : { Result: { Payload: JSON.stringify(value), Truncated: false } }

const attempt = (CurrentAttempt: number, NextAttemptDelaySeconds?: number): Fields => ({
  RetryDetails: { CurrentAttempt, ...(NextAttemptDelaySeconds === undefined ? {} : { NextAttemptDelaySeconds }) }
})

const failedWith = (ErrorType: string): Fields => ({ Error: { Payload: { ErrorType, ErrorMessage: "*" } } })

/** A wait that suspends the execution. */
const wait = (Duration: number, where = "pause"): ReadonlyArray<Expected | string> => [
  { line: `WaitStarted ${where}`, details: { Duration } },
  invoked,
  { line: `WaitSucceeded ${where}`, details: { Duration } }
]

/** An invoke that suspends the execution. */
const invoke = (key: string, end: Expected, started: Fields = {}): ReadonlyArray<Expected | string> => [
  { line: `ChainedInvokeStarted ${key}`, details: { FunctionName: "*", ExecutedVersion: "*", ...started } },
  invoked,
  end
]

const answered = (key: string, value: unknown): Expected => ({
  line: `ChainedInvokeSucceeded ${key}`,
  details: { Result: { Payload: JSON.stringify(value) } }
})

const refused = (key: string): Expected => ({
  line: `ChainedInvokeFailed ${key}`,
  details: { Error: { Payload: { ErrorType: "Error", ErrorMessage: "the target has failed" } } }
})

/** A child with what happens in it. */
const child = (value: unknown, ...inside: ReadonlyArray<Expected | string>): ReadonlyArray<Expected | string> => [
  "ContextStarted child",
  ...inside,
  { line: "ContextSucceeded child", details: payload(value) }
]

const random = { Variables: { TEXT: "${GEN_STR:8}" }, Input: "${TEXT}" }

const rows: Readonly<Record<string, Row>> = {
  // --- Steps ---------------------------------------------------------------------------------------------------------
  "1-1": { suite: "step", Input: "Ada", result: "Hello, Ada!", events: [...step("s", "Hello, Ada!"), invoked] },
  "1-2": {
    suite: "step",
    Input: "Ada",
    result: "Hello, Ada!",
    events: ["StepStarted s", "StepSucceeded s"]
      .map((line): Expected | string => ({ line, fields: { Name: "custom_step_name" } }))
      .concat(invoked)
  },
  "1-3": {
    suite: "step",
    result: "first_second",
    events: [...step("one", "first"), ...step("two", "first_second"), invoked]
  },
  "1-4": {
    suite: "step",
    Input: { name: "Ada", tags: ["a", "b"] },
    result: { user: { name: "Ada", tags: ["a", "b"] }, count: 2 },
    events: [...step("s"), invoked]
  },
  "1-5": { suite: "step", result: null, events: [...step("s"), invoked] },
  "1-7": {
    suite: "step",
    ...random,
    result: "Hello, ${TEXT}!",
    events: [...step("s"), invoked],
    ExpectedLogs: [
      { match: { message: "Greeting step started for: ${TEXT}" }, count: 1 },
      {
        match: { message: "/completed with: Hello, ${TEXT}!/" },
        count: 1,
        after: [{ message: "/started for/" }]
      },
      { match: { level: "ERROR" }, count: 0 }
    ]
  },
  "1-8": { suite: "step", result: "computed", events: [...step("s"), ...wait(2), invoked] },
  "1-9": { suite: "step", result: "cached_value", events: [...step("s", "cached_value"), ...wait(1), invoked] },
  "1-11": {
    suite: "step",
    result: "Operation succeeded",
    events: [
      "StepStarted s",
      { line: "StepFailed s", details: attempt(1, 1) },
      invoked,
      "StepStarted s",
      { line: "StepSucceeded s", details: attempt(2) },
      invoked
    ]
  },
  "1-12": {
    suite: "step",
    events: [1, 2, 3, 4].flatMap((count) => [
      "StepStarted s",
      { line: "StepFailed s", details: attempt(count, count < 4 ? 1 : undefined) },
      invoked
    ])
  },
  "1-15": {
    suite: "step",
    result: "recovered",
    events: [
      "StepStarted s",
      { line: "StepFailed s", details: { ...attempt(1, 1), ...failedWith("TransientError") } },
      invoked,
      "StepStarted s",
      { line: "StepSucceeded s", details: attempt(2) },
      invoked
    ]
  },
  "1-18": {
    suite: "step",
    ...random,
    result: "succeeded on second attempt",
    events: [
      "StepStarted s",
      died,
      { line: "StepFailed s", details: { ...attempt(1, 1), ...failedWith("${/StepInterrupted/}") } },
      invoked,
      "StepStarted s",
      { line: "StepSucceeded s", details: { ...attempt(2), ...payload("succeeded on second attempt") } },
      invoked
    ],
    ExpectedLogs: [{ match: { message: "/${TEXT}/" }, count: 2 }]
  },
  "1-19": { suite: "step", events: ["StepStarted s", { line: "StepFailed s", details: attempt(1) }, invoked] },
  "1-20": {
    suite: "step",
    result: "fallback_result",
    events: ["StepStarted a", "StepFailed a", ...step("b", "fallback_result"), invoked]
  },

  "1-6": {
    suite: "step",
    Input: "hello",
    result: "HELLO",
    events: ["StepStarted s", { line: "StepSucceeded s", details: { Result: { Payload: "HELLO" } } }, invoked]
  },
  "1-10": {
    suite: "step",
    events: ["StepStarted s", { line: "StepFailed s", details: failedWith("Failure") }, ...wait(1), invoked]
  },
  "1-13": {
    suite: "step",
    result: "Operation succeeded",
    events: [
      "StepStarted s",
      {
        line: "StepFailed s",
        details: { RetryDetails: { CurrentAttempt: 1, NextAttemptDelaySeconds: "${/^[1-5]$/}" } }
      },
      invoked,
      "StepStarted s",
      { line: "StepSucceeded s", details: attempt(2) },
      invoked
    ]
  },
  "1-14": {
    suite: "step",
    result: "Operation succeeded",
    events: [
      "StepStarted s",
      { line: "StepFailed s", details: attempt(1, 1) },
      invoked,
      "StepStarted s",
      { line: "StepSucceeded s", details: attempt(2) },
      invoked
    ]
  },
  "1-16": {
    suite: "step",
    events: ["StepStarted s", { line: "StepFailed s", details: { ...attempt(1), ...failedWith("Failure") } }, invoked]
  },
  "1-17": {
    suite: "step",
    ...random,
    events: [
      "StepStarted s",
      died,
      { line: "StepFailed s", details: { ...attempt(1), ...failedWith("StepInterrupted") } },
      invoked
    ],
    ExpectedLogs: [{ match: { message: "${TEXT}" }, count: 1 }]
  },

  // --- Waits ---------------------------------------------------------------------------------------------------------
  "2-1": { suite: "wait", result: null, events: [...wait(2), invoked] },
  "2-2": {
    suite: "wait",
    result: null,
    events: wait(2)
      .map((event) => (typeof event === "string" ? event : { ...event, fields: { Name: "custom_wait_name" } }))
      .concat(invoked)
  },
  "2-3": { suite: "wait", result: null, events: [...wait(1, "a"), ...wait(1, "b"), invoked] },
  "2-4": { suite: "wait", open: true, events: wait(60).slice(0, 2) },
  "2-5": { suite: "wait", open: true, events: wait(3_600).slice(0, 2) },

  // --- Children ------------------------------------------------------------------------------------------------------
  "3-1": {
    suite: "child",
    Input: "in",
    result: "in",
    events: [...child("in", ...step("s", "in", "child")), invoked]
  },
  "3-2": {
    suite: "child",
    Variables: { NAME: "${GEN_STR:8}" },
    Input: { name: "${NAME}", value: "in" },
    result: "in",
    events: [
      { line: "ContextStarted child", fields: { Name: "${NAME}" } },
      ...step("s", "in", "child"),
      { line: "ContextSucceeded child", fields: { Name: "${NAME}" }, details: payload("in") },
      invoked
    ]
  },
  "3-3": {
    suite: "child",
    Input: "in",
    result: "in",
    events: [...child("in", ...step("a", "in", "child"), ...step("b", "in", "child")), invoked]
  },
  "3-4": {
    suite: "child",
    events: [
      "ContextStarted child",
      "StepStarted s in child",
      { line: "StepFailed s in child", details: failedWith("*") },
      { line: "ContextFailed child", details: failedWith("*") },
      invoked
    ]
  },
  "3-6": {
    suite: "child",
    Input: "in",
    result: "in",
    events: [
      ...child("in", ...step("a", "in", "child"), "ContextStarted inner in child", ...step("b", "in", "inner"), {
        line: "ContextSucceeded inner in child",
        details: payload("in")
      }),
      invoked
    ]
  },
  "3-8": {
    suite: "child",
    events: [
      "ContextStarted child",
      "StepStarted s in child",
      { line: "StepFailed s in child", details: attempt(1, 1) },
      invoked,
      "StepStarted s in child",
      { line: "StepFailed s in child", details: attempt(2) },
      { line: "ContextFailed child", details: failedWith("*") },
      invoked
    ]
  },
  "3-9": {
    suite: "child",
    Input: "in",
    result: "in",
    events: [...child("in", ...step("s", "in", "child")), ...wait(1), invoked]
  },
  "3-10": {
    suite: "child",
    Input: "in",
    result: "in",
    events: [...child("in", ...step("s", "in", "child"), ...wait(1, "pause in child")), invoked]
  },
  "3-13": {
    suite: "child",
    Input: "in",
    result: "in",
    events: [...child("in", ...wait(1, "pause in child")), ...step("s", "in"), invoked]
  },
  "3-14": {
    suite: "child",
    Input: "hello",
    result: "HELLO",
    events: [
      "ContextStarted child",
      ...step("s", "hello", "child"),
      { line: "ContextSucceeded child", details: { Result: { Payload: "HELLO" } } },
      invoked
    ]
  },
  "3-16": { suite: "child", result: null, events: [...child(undefined), invoked] },
  "3-17": {
    suite: "child",
    ...random,
    result: "${TEXT}",
    events: [...child(undefined), ...wait(1), invoked],
    ExpectedLogs: [{ match: { message: "${TEXT}" }, count: 1 }]
  },

  "3-5": {
    suite: "child",
    result: "fallback_result",
    events: ["ContextStarted child", "StepStarted s in child", "StepFailed s in child", "ContextFailed child", invoked]
  },
  "3-11": {
    suite: "child",
    result: 307_200,
    events: [...child(undefined, ...step("s", "x".repeat(1_024), "child")), ...wait(1), invoked]
  },
  "3-12": {
    suite: "child",
    Input: "in",
    result: "in",
    events: [
      "ContextStarted child",
      "StepStarted s in child",
      died,
      { line: "StepSucceeded s in child", details: payload("in") },
      { line: "ContextSucceeded child", details: payload("in") },
      invoked
    ]
  },

  // --- Callbacks -----------------------------------------------------------------------------------------------------
  "4-1": {
    suite: "callback",
    Input: "approval",
    result: '"yes"',
    CallbackActions: [{ CallbackName: "approval", Operation: "success", Payload: "yes" }],
    events: [
      { line: "CallbackStarted cb", fields: { Name: "approval" }, details: { CallbackId: "*" } },
      invoked,
      { line: "CallbackSucceeded cb", details: { Result: { Payload: '"yes"' } } },
      invoked
    ]
  },
  "4-3": {
    suite: "callback",
    Input: "approval",
    events: [
      { line: "CallbackStarted cb", details: { Timeout: 5 } },
      invoked,
      { line: "CallbackTimedOut cb", details: failedWith("Callback.Timeout") },
      invoked
    ]
  },
  "4-5": {
    suite: "callback",
    Input: "approval",
    result: '"yes"',
    CallbackActions: [
      { CallbackName: "approval", Operation: "heartbeat" },
      { CallbackName: "${/^appr/}", Operation: "success", Payload: "yes", Delay: 1 }
    ],
    events: [
      { line: "CallbackStarted cb", details: { HeartbeatTimeout: 10 } },
      invoked,
      { line: "CallbackSucceeded cb", details: { Result: { Payload: '"yes"' } } },
      invoked
    ]
  },
  "4-9": {
    suite: "callback",
    Input: "approval",
    result: '"yes"',
    CallbackActions: [{ CallbackName: "*", Operation: "success", Payload: "yes", Delay: 1 }],
    events: [
      "CallbackStarted cb",
      { line: "WaitStarted pause", details: { Duration: 5 } },
      invoked,
      "CallbackSucceeded cb",
      invoked,
      "WaitSucceeded pause",
      invoked
    ]
  },

  // --- Invokes -------------------------------------------------------------------------------------------------------
  "5-1": {
    suite: "invoke",
    ...random,
    result: "${TEXT}",
    events: [
      ...invoke("i", answered("i", "${TEXT}"), { FunctionName: "target-echo", Input: { Payload: '"${TEXT}"' } }),
      invoked
    ]
  },
  "5-2": {
    suite: "invoke",
    Input: { name: "call", payload: "in" },
    result: "in",
    events: invoke("i", answered("i", "in"))
      .map((event) => (typeof event === "string" ? event : { ...event, fields: { Name: "call" } }))
      .concat(invoked)
  },
  "5-3": {
    suite: "invoke",
    Input: { deep: { list: [1, 2, 3] } },
    result: { deep: { list: [1, 2, 3] } },
    events: [...invoke("i", answered("i", { deep: { list: [1, 2, 3] } })), invoked]
  },
  "5-5": { suite: "invoke", events: [...invoke("i", refused("i")), invoked] },
  "5-6": { suite: "invoke", result: "fallback_result", events: [...invoke("i", refused("i")), invoked] },
  "5-7": {
    suite: "invoke",
    result: { data: "x".repeat(204_800) },
    events: [...invoke("i", answered("i", { data: "x".repeat(204_800) })), invoked]
  },
  "5-8": {
    suite: "invoke",
    Input: { tenantId: "blue", payload: "in" },
    result: "in",
    events: [...invoke("i", answered("i", "in"), { TenantId: "blue", Input: { Payload: '"in"' } }), invoked]
  },
  "5-9": {
    suite: "invoke",
    Input: "in",
    result: "in",
    events: [...invoke("i", answered("i", "in")), ...wait(1), invoked]
  },
  "5-11": {
    suite: "invoke",
    result: "step_result",
    events: [...step("s", "step_result"), ...invoke("i", answered("i", "step_result")), invoked]
  },
  "5-12": {
    suite: "invoke",
    result: "processed invoke_result",
    events: [...invoke("i", answered("i", "invoke_result")), ...step("s", "processed invoke_result"), invoked]
  },
  "5-14": {
    suite: "invoke",
    result: ["first", "second"],
    events: [...invoke("a", answered("a", "first")), ...invoke("b", answered("b", "second")), invoked]
  },
  "5-15": {
    suite: "invoke",
    Input: { data: "in" },
    result: { data: "IN" },
    events: [...invoke("i", answered("i", { data: "IN" }), { Input: { Payload: '{"data":"IN"}' } }), invoked]
  },
  "5-4": { suite: "invoke", result: null, events: [...invoke("i", answered("i", null)), invoked] },
  "5-10": { suite: "invoke", events: [...invoke("i", refused("i")), ...wait(1), invoked] },
  "5-13": {
    suite: "invoke",
    Input: "in",
    result: "in",
    events: [
      "ContextStarted child",
      { line: "ChainedInvokeStarted i in child" },
      invoked,
      { line: "ChainedInvokeSucceeded i in child", details: { Result: { Payload: '"in"' } } },
      { line: "ContextSucceeded child", details: payload("in") },
      invoked
    ]
  },
  "5-16": {
    suite: "invoke",
    Input: "hello",
    result: "HELLO",
    events: [...invoke("i", answered("i", "hello")), invoked]
  }
}

const requirement = (id: string, row: Row): Requirement => {
  const { events, open, result, suite, ...others } = row
  const end = "result" in row ? "SUCCEEDED" : "FAILED"
  const last = end === "SUCCEEDED" ? "ExecutionSucceeded" : "ExecutionFailed"
  return {
    id,
    suite,
    ...others,
    AsyncInvoke: open === true,
    ExpectedExecutionHistory: [...events, ...(open === true ? [] : [last])].map((event, index) =>
      expectedEvent(typeof event === "string" ? { line: event } : event, index + 2)
    ),
    ...(open === true
      ? undefined
      : { ExpectedResult: { ExecutionStatus: end, ...(end === "SUCCEEDED" ? { Result: result } : undefined) } })
  }
}

const expectedEvent = ({ details = {}, fields = {}, line }: Expected, EventId: number): Fields => {
  const [, type = "", key, parent] = /^(\w+)(?: (\w+))?(?: in (\w+))?$/.exec(line) ?? []
  const SubType = subTypes[/^(Step|Wait|Context|Callback|ChainedInvoke)/.exec(type)?.[0] ?? ""]
  return {
    EventId,
    EventType: type,
    EventTimestamp: "*",
    ...(key === undefined ? undefined : { Id: `\${id_${key}}`, SubType }),
    ...(parent === undefined ? undefined : { ParentId: `\${id_${parent}}` }),
    ...fields,
    [`${type}Details`]: details
  }
}

export const requirements: ReadonlyArray<Requirement> = Object.entries(rows).map(([id, row]) => requirement(id, row))
