/** The suite `invoke`: other functions, called through the service. */
import { invoke, answered, refused, payload, random, step, wait, invoked, named, type Rows } from "./table.ts"

export const rows: Rows = {
  "5-1": {
    ...random,
    result: "${TEXT}",
    events: [
      ...invoke("i", answered("i", "${TEXT}"), { FunctionName: "target-echo", Input: { Payload: '"${TEXT}"' } }),
      invoked
    ]
  },
  "5-2": {
    Input: { name: "call", payload: "in" },
    result: "in",
    events: [...named("call", invoke("i", answered("i", "in"))), invoked]
  },
  "5-3": {
    Input: { deep: { list: [1, 2, 3] } },
    result: { deep: { list: [1, 2, 3] } },
    events: [...invoke("i", answered("i", { deep: { list: [1, 2, 3] } })), invoked]
  },
  "5-5": { events: [...invoke("i", refused("i")), invoked] },
  "5-6": { result: "fallback_result", events: [...invoke("i", refused("i")), invoked] },
  "5-7": {
    result: { data: "x".repeat(204_800) },
    events: [...invoke("i", answered("i", { data: "x".repeat(204_800) })), invoked]
  },
  "5-8": {
    Input: { tenantId: "blue", payload: "in" },
    result: "in",
    events: [...invoke("i", answered("i", "in"), { TenantId: "blue", Input: { Payload: '"in"' } }), invoked]
  },
  "5-9": {
    Input: "in",
    result: "in",
    events: [...invoke("i", answered("i", "in")), ...wait(1), invoked]
  },
  "5-11": {
    result: "step_result",
    events: [...step("s", "step_result"), ...invoke("i", answered("i", "step_result")), invoked]
  },
  "5-12": {
    result: "processed invoke_result",
    events: [...invoke("i", answered("i", "invoke_result")), ...step("s", "processed invoke_result"), invoked]
  },
  "5-14": {
    result: ["first", "second"],
    events: [...invoke("a", answered("a", "first")), ...invoke("b", answered("b", "second")), invoked]
  },
  "5-15": {
    Input: { data: "in" },
    result: { data: "IN" },
    events: [...invoke("i", answered("i", { data: "IN" }), { Input: { Payload: '{"data":"IN"}' } }), invoked]
  },
  "5-4": { result: null, events: [...invoke("i", answered("i", null)), invoked] },
  "5-10": { events: [...invoke("i", refused("i")), ...wait(1), invoked] },
  "5-13": {
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
    Input: "hello",
    result: "HELLO",
    events: [...invoke("i", answered("i", "hello")), invoked]
  }
}
