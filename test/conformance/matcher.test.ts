import { assert, describe, it } from "@effect/vitest"
import { correct } from "./corrections.ts"
import { bindVariables, differences, problemsOf, substitute, type Json, type LogRecord } from "./matcher.ts"
import { compareIds, isHistoryOnly, needsCrash, type Expectations, type Requirement } from "./requirement.ts"

const requirement = (expectations: Expectations): Requirement => ({ id: "0-1", suite: "none", ...expectations })

const judge = (expectations: Expectations, seen: Partial<Parameters<typeof problemsOf>[2]>, variables = new Map()) =>
  problemsOf(requirement(expectations), variables, { events: [], logs: [], ...seen })

const met: ReadonlyArray<readonly [string, unknown, unknown]> = [
  ["a literal", "a", "a"],
  ["a number", 1, 1],
  ["null", null, null],
  ["a star for null", "*", null],
  ["a star for an object", "*", { a: 1 }],
  ["an empty mapping for anything", {}, "text"],
  ["an empty mapping for null", {}, null],
  ["some of the fields", { a: 1 }, { a: 1, b: 2 }],
  ["a star for a field that is null", { a: "*" }, { a: null }],
  ["a list", [1, { a: 1 }], [1, { a: 1, b: 2 }]],
  ["an expression that finds something", "${/b.d/}", "abode abide"],
  ["an expression in a number", "${/^4/}", 42],
  ["a name twice", ["${X}", "${X}"], [{ a: 1 }, { a: 1 }]],
  ["a variable", "${V}", "value"],
  ["a variable in a longer text", '"${V}"', '"value"']
]

const unmet: ReadonlyArray<readonly [string, unknown, unknown]> = [
  ["another literal", "a", "b"],
  ["a text for a number", "1", 1],
  ["nothing for null", { a: null }, {}],
  ["a star for a field that is not there", { a: "*" }, {}],
  ["an empty mapping for a field that is not there", { a: {} }, { b: 1 }],
  ["a mapping for a text", { a: 1 }, "a"],
  ["a mapping for null", { a: 1 }, null],
  ["a mapping for a list", { a: 1 }, [1]],
  ["a shorter list", [1], [1, 2]],
  ["a list in another order", [1, 2], [2, 1]],
  ["an expression that finds nothing", "${/^b/}", "abode"],
  ["a name for two values", ["${X}", "${X}"], ["a", "b"]],
  ["a variable with another value", "${V}", "other"],
  ["a longer text around a variable", "x${V}", "value"]
]

describe("an expected value", () => {
  const compare = (expected: unknown, actual: unknown) =>
    differences(expected, actual, "event", new Map([["V", "value"]]))

  it.each(met)("fits: %s", (_, expected, actual) => {
    assert.deepStrictEqual(compare(expected, actual), [])
  })

  it.each(unmet)("does not fit: %s", (_, expected, actual) => {
    assert.isNotEmpty(compare(expected, actual))
  })
})

describe("a history", () => {
  const events: ReadonlyArray<Json> = [
    { EventId: 1, EventType: "ExecutionStarted" },
    { EventId: 2, EventType: "StepStarted", Id: "a" },
    { EventId: 3, EventType: "StepSucceeded", Id: "a" }
  ]

  it("is compared by EventId, in whatever order it is expected", () => {
    const expected = [
      { EventId: 3, EventType: "StepSucceeded", Id: "${S}" },
      { EventId: 2, EventType: "StepStarted", Id: "${S}" }
    ]
    assert.deepStrictEqual(judge({ ExpectedExecutionHistory: expected }, { events }), [])
    assert.isNotEmpty(judge({ ExpectedExecutionHistory: expected }, { events: events.slice(0, 2) }))
    assert.isNotEmpty(judge({ ExpectedExecutionHistory: [{ EventId: 3, EventType: "StepStarted" }] }, { events }))
  })
})

describe("a result", () => {
  const expecting = (ExpectedResult: NonNullable<Expectations["ExpectedResult"]>, status: string, value?: unknown) =>
    judge({ ExpectedResult }, { ended: { status, value } }, new Map([["V", "value"]]))

  it("is equal as a whole, without wildcards", () => {
    const a = { ExecutionStatus: "SUCCEEDED", Result: { a: "${V}" } }
    assert.deepStrictEqual(expecting(a, "SUCCEEDED", { a: "value" }), [])
    assert.isNotEmpty(expecting(a, "SUCCEEDED", { a: "value", b: 1 }))
    assert.isNotEmpty(expecting({ ExecutionStatus: "SUCCEEDED", Result: "*" }, "SUCCEEDED", "anything"))
  })

  it("is nothing where nothing is expected, and is not looked at where it is not mentioned", () => {
    assert.deepStrictEqual(expecting({ ExecutionStatus: "SUCCEEDED", Result: null }, "SUCCEEDED"), [])
    assert.isNotEmpty(expecting({ ExecutionStatus: "SUCCEEDED", Result: null }, "SUCCEEDED", 0))
    assert.deepStrictEqual(expecting({ ExecutionStatus: "SUCCEEDED" }, "SUCCEEDED", 42), [])
  })

  it("comes after the status", () => {
    assert.isNotEmpty(expecting({ ExecutionStatus: "FAILED" }, "SUCCEEDED"))
    assert.deepStrictEqual(expecting({ ExecutionStatus: "FAILED", Result: "x" }, "FAILED"), [])
    assert.isNotEmpty(judge({ ExpectedResult: { ExecutionStatus: "FAILED" } }, {}))
  })
})

describe("logs", () => {
  const line = (time: number, message: string, more: Json = {}): LogRecord => ({ time, record: { message, ...more } })
  const logs = [line(1, "start"), line(2, " middle  "), line(2, "same time"), line(3, "end", { first: true })]
  const expecting = (...ExpectedLogs: NonNullable<Expectations["ExpectedLogs"]>) => judge({ ExpectedLogs }, { logs })

  it("are found by whole fields, or by expressions between slashes", () => {
    assert.deepStrictEqual(expecting({ match: { message: "middle" } }, { match: { message: "/^s/" }, count: 2 }), [])
    assert.deepStrictEqual(expecting({ match: { first: true }, count: 1 }), [])
    assert.isNotEmpty(expecting({ match: { message: "mid" } }))
    assert.isNotEmpty(expecting({ match: { first: false } }))
  })

  it("are counted", () => {
    assert.deepStrictEqual(expecting({ match: { message: "none" }, count: 0 }), [])
    assert.isNotEmpty(expecting({ match: { message: "none" } }))
    assert.isNotEmpty(expecting({ match: { message: "/./" }, max_count: 3 }))
    assert.isNotEmpty(expecting({ match: { message: "/./" }, min_count: 5 }))
    assert.deepStrictEqual(expecting({ match: { message: "/./" }, min_count: 4, max_count: 4 }), [])
  })

  it("stand before and after others", () => {
    assert.deepStrictEqual(expecting({ match: { message: "end" }, after: [{ message: "start" }] }), [])
    assert.isNotEmpty(expecting({ match: { message: "start" }, after: [{ message: "end" }] }))
    assert.isNotEmpty(expecting({ match: { message: "start" }, before: [{ message: "nothing" }] }))
    const either = {
      match: { message: "middle" },
      before: [{ message: "same time" }],
      after: [{ message: "same time" }]
    }
    assert.deepStrictEqual(expecting(either), [])
  })
})

describe("variables", () => {
  it("get random text, or what they say", () => {
    const Variables = { A: "${GEN_STR:8}", B: "literal" }
    const bound = bindVariables(requirement({ Variables }), () => 0.5)
    assert.match(String(bound.get("A")), /^[a-z0-9]{8}$/)
    assert.strictEqual(bound.get("B"), "literal")
    assert.deepStrictEqual(substitute({ list: ["${B}", "a ${B}", "${C}", 1] }, bound), {
      list: ["literal", "a literal", "${C}", 1]
    })
  })
})

describe("a requirement", () => {
  it("comes in the order of numbers", () => {
    assert.deepStrictEqual(["10-1", "1-10", "1-9"].toSorted(compareIds), ["1-9", "1-10", "10-1"])
  })

  it("tells whether it needs an end, and a crash", () => {
    assert.isTrue(isHistoryOnly(requirement({ AsyncInvoke: true })))
    assert.isFalse(isHistoryOnly(requirement({ AsyncInvoke: true, ExpectedResult: { ExecutionStatus: "FAILED" } })))
    const died = { InvocationCompletedDetails: { Error: { Payload: { ErrorType: "Runtime.ExitError" } } } }
    assert.isTrue(needsCrash(requirement({ ExpectedExecutionHistory: [died] })))
    assert.isFalse(needsCrash(requirement({ ExpectedExecutionHistory: [{}] })))
  })
})

describe("the corrections of AWS's test runner", () => {
  const nothing = { invokes: new Map<unknown, Json>(), crashes: [] }

  it("insert crashes where they happened", () => {
    const events = [1, 2, 3].map((EventId) => ({ EventId, EventType: `E${EventId}` }))
    const corrected = correct(events, { ...nothing, crashes: [2, 2, 3] })
    assert.deepStrictEqual(
      corrected.map(({ EventId, EventType }) => [EventId, EventType]),
      ["E1", "E2", "InvocationCompleted", "InvocationCompleted", "E3", "InvocationCompleted"].map((type, index) => [
        index + 1,
        type
      ])
    )
  })

  it("keep what a handler has sent", () => {
    const started = { EventType: "ChainedInvokeStarted", Id: "i", ChainedInvokeStartedDetails: { FunctionName: "" } }
    const update = { Payload: "1", ChainedInvokeOptions: { FunctionName: "f", TenantId: "t" } }
    const [corrected] = correct([started], { ...nothing, invokes: new Map([["i", update]]) })
    assert.deepStrictEqual(corrected?.["ChainedInvokeStartedDetails"], {
      FunctionName: "f",
      TenantId: "t",
      Input: { Payload: "1" },
      ExecutedVersion: "$LATEST"
    })
  })

  it("name the limit that a callback has run into", () => {
    const timedOut = (limits: Json) =>
      correct(
        [
          { EventType: "CallbackStarted", Id: "c", CallbackStartedDetails: limits },
          { EventType: "CallbackTimedOut", Id: "c", CallbackTimedOutDetails: { Error: { Payload: {} } } }
        ],
        nothing
      )[1]
    const typed = (ErrorType: string) => ({ CallbackTimedOutDetails: { Error: { Payload: { ErrorType } } } })
    const is = (expected: unknown, actual: unknown) => differences(expected, actual, "event", new Map())
    assert.deepStrictEqual(is(typed("Callback.Timeout"), timedOut({ Timeout: 5 })), [])
    assert.deepStrictEqual(is(typed("Callback.Heartbeat"), timedOut({ HeartbeatTimeout: 5 })), [])
    assert.deepStrictEqual(is(typed("Callback.Heartbeat"), timedOut({ Timeout: 9, HeartbeatTimeout: 5 })), [])
  })
})
