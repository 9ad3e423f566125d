import { assert, describe, it } from "@effect/vitest"
import * as Service from "../../src/engine/Service.ts"
import type { OperationUpdate } from "../../src/wire/OperationUpdate.ts"
import { callback, cancel, context, finish, invoke, refused, retry, step, TestService, wait } from "./support.ts"

/** An execution that holds an operation of every kind, in every state that an update may find it in. */
const busyExecution = () => {
  const service = new TestService()
  const arn = service.start()
  service.checkpoint(
    arn,
    step("started", "START", { Name: "charge" }),
    step("done", "SUCCEED"),
    retry("pending", 60),
    retry("ready", 1),
    context("open", "START"),
    context("closed", "SUCCEED"),
    step("inside", "START", { ParentId: "open" }),
    wait("wait", 60),
    wait("waited", 1),
    callback("callback"),
    invoke("invoke", "email")
  )
  service.pass(2)
  return { service, arn }
}

const text = (length: number) => "x".repeat(length)
const at = (field: string, constraint: string) =>
  `1 validation error detected: Value at 'updates.1.member.${field}' failed to satisfy constraint: ${constraint}`
const pattern = (length: number) =>
  `Member must have 1 to ${length} characters and satisfy regular expression pattern: [a-zA-Z0-9-_]+`
const printable = "Member must have 1 to 256 characters and satisfy regular expression pattern: [\\x20-\\x7E]+"
const seconds = "Member must have value between 1 and 31622400"
const timeout = "Member must have value between 0 and 99999999"
const address = "Member must be the name or the ARN of a function"

const other = (Type: string, Action: string): OperationUpdate => ({ Id: "x", Type, Action })

/** What is refused, the message, and the updates. */
const refusals: ReadonlyArray<readonly [string, string, ReadonlyArray<OperationUpdate>]> = [
  // The batch.
  ["two ends", "Cannot checkpoint multiple EXECUTION updates.", [finish("SUCCEED"), finish("FAIL")]],
  ["anything after the end", "EXECUTION checkpoint must be the last update.", [finish("SUCCEED"), step("a", "START")]],
  ["an empty id", "Operation update must have an Id.", [step("", "START")]],
  [
    "an id twice",
    "Cannot update the same operation twice in a single request.",
    [step("a", "SUCCEED"), step("a", "SUCCEED")]
  ],
  [
    "two starts",
    "Cannot update the same operation twice in a single request.",
    [step("a", "START"), step("a", "START")]
  ],
  [
    "an id three times",
    "Cannot update the same operation twice in a single request.",
    [step("a", "START"), retry("a", 1), step("a", "SUCCEED")]
  ],
  [
    "a wait that is cancelled as it starts",
    "Cannot update the same operation twice in a single request.",
    [wait("a", 1), cancel("a", "WAIT")]
  ],
  [
    "an end with the id of another update",
    "Cannot update the same operation twice in a single request.",
    [step("a", "SUCCEED"), finish("SUCCEED", { Id: "a" })]
  ],

  // Parents.
  ["an unknown parent", "Invalid parent operation id.", [step("a", "START", { ParentId: "nowhere" })]],
  [
    "a parent that starts later",
    "Invalid parent operation id.",
    [step("a", "START", { ParentId: "c" }), context("c", "START")]
  ],
  ["a stored step as parent", "Invalid parent operation id.", [step("a", "START", { ParentId: "done" })]],
  ["a new step as parent", "Invalid parent operation id.", [step("a", "START"), step("b", "START", { ParentId: "a" })]],
  ["a context as its own parent", "Invalid parent operation id.", [context("a", "START", { ParentId: "a" })]],

  // Labels.
  ["another type", "Inconsistent operation type.", [context("started", "SUCCEED")]],
  ["a step with the id of the wait", "Inconsistent operation type.", [step("wait", "START")]],
  [
    "another sub-type",
    "Inconsistent operation subtype.",
    [step("started", "SUCCEED", { SubType: "WaitForCondition" })]
  ],
  ["another name", "Inconsistent operation name.", [step("started", "SUCCEED", { Name: "refund" })]],
  ["a name that the operation never had", "Inconsistent operation name.", [step("inside", "SUCCEED", { Name: "x" })]],
  ["another parent", "Inconsistent parent operation id.", [step("started", "SUCCEED", { ParentId: "open" })]],
  [
    "another name within the batch",
    "Inconsistent operation name.",
    [step("a", "START", { Name: "one" }), step("a", "SUCCEED", { Name: "two" })]
  ],
  ["another type within the batch", "Inconsistent operation type.", [step("a", "START"), context("a", "SUCCEED")]],

  // Fields.
  ["an id of 65 characters", at("id", pattern(64)), [step(text(65), "START")]],
  ["an id with a space", at("id", pattern(64)), [step("a b", "START")]],
  ["an id beyond ASCII", at("id", pattern(64)), [step("é", "START")]],
  ["an empty name", at("name", printable), [step("a", "START", { Name: "" })]],
  ["a name of 257 characters", at("name", printable), [step("a", "START", { Name: text(257) })]],
  ["a name beyond ASCII", at("name", printable), [step("a", "START", { Name: "Zahlung ausführen" })]],
  ["a name with a line break", at("name", printable), [step("a", "START", { Name: "a\n" })]],
  ["a sub-type of 33 characters", at("subType", pattern(32)), [step("a", "START", { SubType: text(33) })]],
  ["a wait of 0 seconds", at("waitOptions.waitSeconds", seconds), [wait("a", 0)]],
  ["a wait of half a second", at("waitOptions.waitSeconds", seconds), [wait("a", 0.5)]],
  ["a negative wait", at("waitOptions.waitSeconds", seconds), [wait("a", -1)]],
  ["a wait of more than 366 days", at("waitOptions.waitSeconds", seconds), [wait("a", 31_622_401)]],
  ["a wait that is no number", at("waitOptions.waitSeconds", seconds), [wait("a", Number.NaN)]],
  ["an endless wait", at("waitOptions.waitSeconds", seconds), [wait("a", Infinity)]],
  ["a retry at once", at("stepOptions.nextAttemptDelaySeconds", seconds), [retry("a", 0)]],
  ["a retry after more than 366 days", at("stepOptions.nextAttemptDelaySeconds", seconds), [retry("a", 31_622_401)]],
  ["a negative time-out", at("callbackOptions.timeoutSeconds", timeout), [callback("a", { TimeoutSeconds: -1 })]],
  [
    "a time-out of 100,000,000 s",
    at("callbackOptions.timeoutSeconds", timeout),
    [callback("a", { TimeoutSeconds: 1e8 })]
  ],
  [
    "half a heartbeat",
    at("callbackOptions.heartbeatTimeoutSeconds", timeout),
    [callback("a", { HeartbeatTimeoutSeconds: 1.5 })]
  ],
  ["no function", at("chainedInvokeOptions.functionName", address), [invoke("a", "")]],
  ["a function with a space", at("chainedInvokeOptions.functionName", address), [invoke("a", "my function")]],
  [
    "an empty tenant",
    at(
      "chainedInvokeOptions.tenantId",
      "Member must have 1 to 256 characters and satisfy regular expression pattern: [a-zA-Z0-9\\._:\\/=+\\-@ ]+"
    ),
    [invoke("a", "email", { ChainedInvokeOptions: { FunctionName: "email", TenantId: "" } })]
  ],

  // Sizes, in bytes of UTF-8.
  [
    "an error of 32,769 bytes",
    "Error object size must be less than 32768 bytes.",
    [step("a", "FAIL", { Error: { ErrorMessage: text(32_769 - `{"ErrorMessage":""}`.length) } })]
  ],
  [
    "a step's result of 262,145 bytes",
    "STEP output payload size must be less than or equal to 262144 bytes.",
    [step("a", "SUCCEED", { Payload: text(262_145) })]
  ],
  [
    "a step's result of 262,146 bytes in 87,382 characters",
    "STEP output payload size must be less than or equal to 262144 bytes.",
    [step("a", "SUCCEED", { Payload: "€".repeat(87_382) })]
  ],
  [
    "a context's result of 262,145 bytes",
    "CONTEXT output payload size must be less than or equal to 262144 bytes.",
    [context("a", "SUCCEED", { Payload: text(262_145) })]
  ],
  [
    "an input of more than 1 MB",
    "CHAINED_INVOKE input payload size must be less than or equal to 1048576 bytes.",
    [invoke("a", "email", { Payload: text(1_048_577) })]
  ],
  [
    "a result of more than 6 MB",
    "EXECUTION output payload size must be less than or equal to 6291456 bytes.",
    [finish("SUCCEED", { Payload: text(6_291_457) })]
  ],

  // Types and actions.
  ["an unknown type", "Unknown operation type.", [other("SLEEP", "START")]],
  ["a type that every object has", "Unknown operation type.", [other("constructor", "START")]],
  ...(
    [
      ["STEP", "CANCEL"],
      ["CONTEXT", "RETRY"],
      ["CONTEXT", "CANCEL"],
      ["WAIT", "SUCCEED"],
      ["WAIT", "FAIL"],
      ["WAIT", "RETRY"],
      ["CALLBACK", "SUCCEED"],
      ["CALLBACK", "CANCEL"],
      ["CHAINED_INVOKE", "SUCCEED"],
      ["EXECUTION", "START"],
      ["EXECUTION", "CANCEL"],
      ["STEP", "PAUSE"],
      ["STEP", "__proto__"]
    ] as const
  ).map(
    ([type, action]) =>
      [`${action} of a ${type}`, "Invalid action for the given operation type.", [other(type, action)]] as const
  ),

  // Transitions.
  ["to start a step that runs", "Invalid current STEP state to start.", [step("started", "START")]],
  ["to start a step that waits for its retry", "Invalid current STEP state to start.", [step("pending", "START")]],
  ["to start a step that is done", "Invalid current STEP state to start.", [step("done", "START")]],
  ["to close a step that is done", "Invalid current STEP state to close.", [step("done", "FAIL")]],
  ["to close a step that waits for its retry", "Invalid current STEP state to close.", [step("pending", "SUCCEED")]],
  ["to repeat a step that is done", "Invalid current STEP state to re-attempt.", [retry("done", 1)]],
  ["to repeat a step that waits for its retry", "Invalid current STEP state to re-attempt.", [retry("pending", 1)]],
  ["a retry without options", "Invalid StepOptions for the given action.", [step("started", "RETRY")]],
  [
    "a retry without a delay",
    "Invalid StepOptions for the given action.",
    [step("started", "RETRY", { StepOptions: {} })]
  ],
  [
    "a retry with error and payload",
    "Cannot provide both error and payload to RETRY a STEP.",
    [retry("started", 1, { Payload: "1" })]
  ],
  [
    "a failure with a payload",
    "Cannot provide a Payload for FAIL action.",
    [step("started", "FAIL", { Payload: "1" })]
  ],
  [
    "a success with an error",
    "Cannot provide an Error for SUCCEED action.",
    [step("started", "SUCCEED", { Error: {} })]
  ],
  [
    "a new step that fails with a payload",
    "Cannot provide a Payload for FAIL action.",
    [step("a", "FAIL", { Payload: "" })]
  ],
  ["to start a context that exists", "Cannot start a CONTEXT that already exists.", [context("open", "START")]],
  ["to start a context that is closed", "Cannot start a CONTEXT that already exists.", [context("closed", "START")]],
  ["to close a context that is closed", "Invalid current CONTEXT state to close.", [context("closed", "SUCCEED")]],
  [
    "a context's failure with a payload",
    "Cannot provide a Payload for FAIL action.",
    [context("open", "FAIL", { Payload: "1" })]
  ],
  [
    "a context's success with an error",
    "Cannot provide an Error for SUCCEED action.",
    [context("open", "SUCCEED", { Error: {} })]
  ],
  ["to start a wait that exists", "Cannot start a WAIT that already exists.", [wait("wait", 1)]],
  ["to start a wait that is over", "Cannot start a WAIT that already exists.", [wait("waited", 1)]],
  ["a wait without options", "Invalid WaitOptions for the given action.", [other("WAIT", "START")]],
  ["to start a callback that exists", "Cannot start a CALLBACK that already exists.", [callback("callback")]],
  ["to start an invoke that exists", "Cannot start a CHAINED_INVOKE that already exists.", [invoke("invoke", "email")]],
  [
    "an invoke without options",
    "Invalid ChainedInvokeOptions for the given action.",
    [other("CHAINED_INVOKE", "START")]
  ],
  [
    "to cancel a wait that is not there",
    "Cannot cancel a WAIT that does not exist or has already completed.",
    [cancel("nowhere", "WAIT")]
  ],
  [
    "to cancel a wait that is over",
    "Cannot cancel a WAIT that does not exist or has already completed.",
    [cancel("waited", "WAIT")]
  ],
  [
    "to cancel an invoke that is not there",
    "Cannot cancel a CHAINED_INVOKE that does not exist or has already completed.",
    [cancel("nowhere", "CHAINED_INVOKE")]
  ],
  ["an end that fails with a payload", "Cannot provide a Payload for FAIL action.", [finish("FAIL", { Payload: "1" })]],
  [
    "an end that succeeds with an error",
    "Cannot provide an Error for SUCCEED action.",
    [finish("SUCCEED", { Error: {} })]
  ]
]

describe("a checkpoint", () => {
  for (const [what, message, updates] of refusals) {
    it(`refuses ${what}`, () => {
      const { arn, service } = busyExecution()
      const { exception, message: found, status } = refused(service.tryCheckpoint(arn, updates))
      assert.deepStrictEqual(
        { exception, message: found, status },
        {
          exception: "InvalidParameterValueException",
          message,
          status: 400
        }
      )
    })
  }

  it("refuses a whole batch for one bad update", () => {
    const { arn, service } = busyExecution()
    const before = service.state
    assert.strictEqual(
      service.refusal(arn, step("fine", "SUCCEED"), wait("wait", 1)),
      "Cannot start a WAIT that already exists."
    )
    assert.strictEqual(service.state, before)
    assert.notInclude(
      Service.operations(service.state, arn).map(({ Id }) => Id),
      "fine"
    )
    // Its token is still the valid one.
    service.checkpoint(arn, step("fine", "SUCCEED"))
  })

  it("reports the first problem in the service's order", () => {
    const { arn, service } = busyExecution()
    const order: ReadonlyArray<readonly [OperationUpdate, string]> = [
      [step("", "START"), "Operation update must have an Id."],
      [step("done", "START", { ParentId: "nowhere", Name: "ü" }), "Invalid parent operation id."],
      [step("done", "CANCEL", { Name: "ü" }), "Inconsistent operation name."],
      [
        step("done", "CANCEL", { Error: { ErrorMessage: text(40_000) } }),
        "Error object size must be less than 32768 bytes."
      ],
      [step("done", "CANCEL"), "Invalid action for the given operation type."],
      [step("done", "START"), "Invalid current STEP state to start."]
    ]
    for (const [update, message] of order) assert.strictEqual(service.refusal(arn, update), message)
    assert.strictEqual(
      service.refusal(arn, step("a", "PAUSE"), step("", "START")),
      "Operation update must have an Id.",
      "the structure of the batch comes before its contents"
    )
  })
})

describe("a checkpoint accepts", () => {
  const accepted: ReadonlyArray<readonly [string, ReadonlyArray<OperationUpdate>]> = [
    ["nothing at all", []],
    ["a step that starts and succeeds at once", [step("a", "START"), step("a", "SUCCEED")]],
    ["a step that starts and is to be repeated", [step("a", "START"), retry("a", 1)]],
    ["a step without name, sub-type or start", [{ Id: "a", Type: "STEP", Action: "SUCCEED" }]],
    ["a step that was ready to succeed without a start", [step("ready", "SUCCEED")]],
    ["a step that was ready to be repeated without a start", [retry("ready", 1)]],
    [
      "a context and what is inside it",
      [context("a", "START"), step("b", "START", { ParentId: "a" }), context("a", "SUCCEED")]
    ],
    ["a child of a context that is closed", [step("a", "START", { ParentId: "closed" })]],
    ["an update that repeats no label", [{ Id: "inside", Type: "STEP", Action: "SUCCEED" }]],
    [
      "ids, names and sub-types of full length",
      [step(text(64), "START", { Name: "~ ".repeat(128), SubType: text(32) })]
    ],
    ["the shortest and the longest wait", [wait("a", 1), wait("b", 31_622_400)]],
    ["time-outs of zero and of the most", [callback("a", { TimeoutSeconds: 0, HeartbeatTimeoutSeconds: 99_999_999 })]],
    ["a result of exactly 262,144 bytes", [step("a", "SUCCEED", { Payload: text(262_144) })]],
    [
      "an error of exactly 32,768 bytes",
      [step("a", "FAIL", { Error: { ErrorMessage: text(32_768 - `{"ErrorMessage":""}`.length) } })]
    ],
    ["an input of exactly 1 MB", [invoke("a", "email", { Payload: text(1_048_576) })]],
    ["a failure without an error", [step("a", "FAIL")]],
    ["an end under any id", [finish("SUCCEED", { Id: "execution-result-1" })]],
    ["a cancelled wait and a cancelled invoke", [cancel("wait", "WAIT"), cancel("invoke", "CHAINED_INVOKE")]]
  ]
  for (const [what, updates] of accepted) {
    it(what, () => {
      const { arn, service } = busyExecution()
      service.checkpoint(arn, ...updates)
    })
  }

  it("an end under the id of the execution itself", () => {
    const service = new TestService()
    const arn = service.start()
    const { id } = service.execution(arn).identity
    assert.strictEqual(service.refusal(arn, step(id, "START")), "Inconsistent operation type.")
    service.checkpoint(arn, finish("SUCCEED", { Id: id, Payload: "1" }))
    assert.strictEqual(service.execution(arn).outcome?.status, "SUCCEEDED")
  })
})
