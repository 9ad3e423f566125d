/** The suite `child`: operations in a context of their own. */
import {
  died,
  attempt,
  child,
  failedContext,
  failedWith,
  payload,
  random,
  step,
  wait,
  invoked,
  type Rows
} from "./table.ts"

/** A step in a child that has failed once and begins again. */
const tried = [
  "ContextStarted child",
  "StepStarted s in child",
  { line: "StepFailed s in child", details: attempt(1, 1) },
  invoked,
  "StepStarted s in child"
]

export const rows: Rows = {
  "3-1": {
    Input: "in",
    result: "in",
    events: [...child("in", ...step("s", "in", "child")), invoked]
  },
  "3-2": {
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
    Input: "in",
    result: "in",
    events: [...child("in", ...step("a", "in", "child"), ...step("b", "in", "child")), invoked]
  },
  "3-4": {
    events: [
      "ContextStarted child",
      "StepStarted s in child",
      { line: "StepFailed s in child", details: failedWith("*") },
      { line: "ContextFailed child", details: failedWith("*") },
      invoked
    ]
  },
  "3-6": {
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
    events: [
      ...tried,
      { line: "StepFailed s in child", details: attempt(2) },
      { line: "ContextFailed child", details: failedWith("*") },
      invoked
    ]
  },
  "3-9": {
    Input: "in",
    result: "in",
    events: [...child("in", ...step("s", "in", "child")), ...wait(1), invoked]
  },
  "3-10": {
    Input: "in",
    result: "in",
    events: [...child("in", ...step("s", "in", "child"), ...wait(1, "pause in child")), invoked]
  },
  "3-13": {
    Input: "in",
    result: "in",
    events: [...child("in", ...wait(1, "pause in child")), ...step("s", "in"), invoked]
  },
  "3-14": {
    Input: "hello",
    result: "HELLO",
    events: [
      "ContextStarted child",
      ...step("s", "hello", "child"),
      { line: "ContextSucceeded child", details: { Result: { Payload: "HELLO" } } },
      invoked
    ]
  },
  "3-16": { result: null, events: [...child(undefined), invoked] },
  "3-17": {
    ...random,
    result: "${TEXT}",
    events: [...child(undefined), ...wait(1), invoked],
    ExpectedLogs: [{ match: { message: "${TEXT}" }, count: 1 }]
  },

  "3-5": {
    result: "fallback_result",
    events: ["ContextStarted child", "StepStarted s in child", "StepFailed s in child", "ContextFailed child", invoked]
  },
  "3-7": {
    ...random,
    result: "${TEXT}",
    events: [
      ...tried,
      { line: "StepSucceeded s in child", details: { ...attempt(2), ...payload("${TEXT}") } },
      { line: "ContextSucceeded child", details: payload("${TEXT}") },
      invoked
    ]
  },
  "3-11": {
    result: 307_200,
    events: [...child(undefined, ...step("s", "x".repeat(1_024), "child")), ...wait(1), invoked]
  },
  "3-12": {
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
  "3-15": {
    events: [
      ...failedContext("RunInChildContext", "child", "StepStarted s in child", {
        line: "StepFailed s in child",
        details: { ...attempt(1), ...failedWith("Failure") }
      }),
      invoked
    ]
  }
}
