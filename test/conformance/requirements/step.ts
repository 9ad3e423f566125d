/** The suite `step`: one unit of work, recorded once. */
import { died, attempt, failedWith, payload, random, step, wait, invoked, named, type Rows } from "./table.ts"

export const rows: Rows = {
  "1-1": { Input: "Ada", result: "Hello, Ada!", events: [...step("s", "Hello, Ada!"), invoked] },
  "1-2": {
    Input: "Ada",
    result: "Hello, Ada!",
    events: [...named("custom_step_name", step("s")), invoked]
  },
  "1-3": {
    result: "first_second",
    events: [...step("one", "first"), ...step("two", "first_second"), invoked]
  },
  "1-4": {
    Input: { name: "Ada", tags: ["a", "b"] },
    result: { user: { name: "Ada", tags: ["a", "b"] }, count: 2 },
    events: [...step("s"), invoked]
  },
  "1-5": { result: null, events: [...step("s"), invoked] },
  "1-7": {
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
  "1-8": { result: "computed", events: [...step("s"), ...wait(2), invoked] },
  "1-9": { result: "cached_value", events: [...step("s", "cached_value"), ...wait(1), invoked] },
  "1-11": {
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
    events: [1, 2, 3, 4].flatMap((count) => [
      "StepStarted s",
      { line: "StepFailed s", details: attempt(count, count < 4 ? 1 : undefined) },
      invoked
    ])
  },
  "1-15": {
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
  "1-19": { events: ["StepStarted s", { line: "StepFailed s", details: attempt(1) }, invoked] },
  "1-20": {
    result: "fallback_result",
    events: ["StepStarted a", "StepFailed a", ...step("b", "fallback_result"), invoked]
  },

  "1-6": {
    Input: "hello",
    result: "HELLO",
    events: ["StepStarted s", { line: "StepSucceeded s", details: { Result: { Payload: "HELLO" } } }, invoked]
  },
  "1-10": {
    events: ["StepStarted s", { line: "StepFailed s", details: failedWith("Failure") }, ...wait(1), invoked]
  },
  "1-13": {
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
    events: ["StepStarted s", { line: "StepFailed s", details: { ...attempt(1), ...failedWith("Failure") } }, invoked]
  },
  "1-17": {
    ...random,
    events: [
      "StepStarted s",
      died,
      { line: "StepFailed s", details: { ...attempt(1), ...failedWith("StepInterrupted") } },
      invoked
    ],
    ExpectedLogs: [{ match: { message: "${TEXT}" }, count: 1 }]
  }
}
