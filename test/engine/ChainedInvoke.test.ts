import { assert, describe, it } from "@effect/vitest"
import * as Service from "../../src/engine/Service.ts"
import { cancel, finish, invoke, midnight, startOrders, TestService, wait } from "./support.ts"

/** An execution that waits for another function. */
const waitingFor = (
  FunctionName: string,
  more: Parameters<typeof invoke>[2] = {},
  start: Partial<Service.StartRequest> = {}
) => {
  const service = new TestService()
  const arn = service.start(start)
  const answer = service.checkpoint(arn, invoke("i", FunctionName, more))
  service.suspend(arn)
  const childArn = service.event(arn, "ChainedInvokeStarted").ChainedInvokeStartedDetails.DurableExecutionArn ?? "none"
  return { service, arn, childArn, answer }
}

const endTarget = (service: TestService, executionArn: string, end: Service.TargetEnd) =>
  service.take(Service.targetEnded(service.state, { executionArn, operationId: "i", end }, service.env))

const error = { ErrorType: "CardDeclined", ErrorMessage: "no", ErrorData: `{"code":1}` }

describe("a chained invoke of a durable function", () => {
  it("is an execution of its own, with the caller's payload", () => {
    const { childArn, service } = waitingFor(
      "payments:live",
      { ChainedInvokeOptions: { FunctionName: "payments:live", TenantId: "t1" } },
      { traceHeader: "Root=1" }
    )
    assert.match(
      childArn,
      /^arn:aws:lambda:us-east-1:123456789012:function:payments:7\/durable-execution\/[\w-]+\/[\w-]+$/
    )
    const { event, functionName, tenantId, traceHeader, version } = service.invocation(childArn)
    assert.deepStrictEqual([functionName, version, tenantId, traceHeader], ["payments", "7", "t1", "Root=1"])
    assert.strictEqual(event.InitialExecutionState.Operations[0]?.ExecutionDetails?.InputPayload, `{"a":1}`)
    assert.strictEqual(service.event(childArn, "ExecutionStarted").ExecutionStartedDetails.ExecutionTimeout, 600)
  })

  it("hands on a trace header of its own", () => {
    const options = { FunctionName: "payments:live", XAmznTraceId: "Root=2" }
    const { childArn, service } = waitingFor(
      "payments:live",
      { ChainedInvokeOptions: options },
      { traceHeader: "Root=1" }
    )
    assert.strictEqual(service.invocation(childArn).traceHeader, "Root=2")
  })

  const ends: ReadonlyArray<readonly [string, (service: TestService, childArn: string) => void, object]> = [
    [
      "succeeds with its result",
      (s, child) => s.answer(child, { Status: "SUCCEEDED", Result: `"ok"` }),
      { Result: `"ok"` }
    ],
    [
      "succeeds with null when it has no result",
      (s, child) => s.answer(child, { Status: "SUCCEEDED" }),
      { Result: "null" }
    ],
    [
      "succeeds with the result of a checkpoint",
      (s, child) => void s.checkpoint(child, finish("SUCCEED", { Payload: "1" })),
      { Result: "1" }
    ],
    ["fails with its error", (s, child) => s.answer(child, { Status: "FAILED", Error: error }), { Error: error }],
    ["fails with no error", (s, child) => s.answer(child, { Status: "FAILED" }), { Error: {} }],
    ["times out with it", (s) => s.pass(600), { Error: { ErrorMessage: "Execution timed out after 600 seconds." } }],
    [
      "is stopped with it",
      (s, child) => void s.accept(Service.stopExecution(s.state, { executionArn: child, error }, s.env)),
      { Error: error }
    ]
  ]
  const words = new Map<string, string>([
    ["SUCCEEDED", "Succeeded"],
    ["FAILED", "Failed"],
    ["TIMED_OUT", "TimedOut"],
    ["STOPPED", "Stopped"]
  ])
  for (const [what, end, details] of ends) {
    it(what, () => {
      const { arn, childArn, service } = waitingFor("payments:live")
      assert.strictEqual(service.invocations(arn).length, 1)
      end(service, childArn)
      const operation = service.operation(arn, "i")
      assert.deepStrictEqual(operation.ChainedInvokeDetails, details)
      assert.strictEqual(operation.Status, service.execution(childArn).outcome?.status)
      assert.strictEqual(operation.EndTimestamp, service.execution(childArn).outcome?.endTimestamp)
      assert.strictEqual(service.eventTypes(arn).at(-1), `ChainedInvoke${words.get(operation.Status)}`)
      assert.deepStrictEqual(service.invocation(arn).event.UpdatedOperationIds, ["i"])
    })
  }

  it("goes on when its caller is over, and then nobody is told", () => {
    const { arn, childArn, service } = waitingFor("payments:live")
    service.stop(arn)
    assert.isUndefined(service.execution(childArn).outcome)
    service.answer(childArn, { Status: "SUCCEEDED", Result: "1" })
    assert.strictEqual(service.operation(arn, "i").Status, "STARTED")
    assert.strictEqual(service.invocations(arn).length, 1)
  })

  it("goes on when it is cancelled, and then its caller is not told", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, invoke("i", "payments:live"), wait("w", 60))
    const childArn =
      service.event(arn, "ChainedInvokeStarted").ChainedInvokeStartedDetails.DurableExecutionArn ?? "none"
    const events = service.history(arn).length
    const cancelled = service.checkpoint(arn, cancel("i", "CHAINED_INVOKE"))["i"]
    assert.deepStrictEqual([cancelled?.Status, cancelled?.EndTimestamp], ["CANCELLED", midnight])
    assert.strictEqual(service.history(arn).length, events, "the history has no event for it")
    service.answer(childArn, { Status: "SUCCEEDED", Result: "1" })
    assert.strictEqual(service.operation(arn, "i").Status, "CANCELLED")
  })

  it("may invoke in turn, and each caller is told of its own target", () => {
    const { arn, childArn, service } = waitingFor("orders:live")
    service.checkpoint(childArn, invoke("i", "payments:live"))
    service.suspend(childArn)
    const grandchild =
      service.event(childArn, "ChainedInvokeStarted").ChainedInvokeStartedDetails.DurableExecutionArn ?? ""
    service.answer(grandchild, { Status: "SUCCEEDED", Result: "1" })
    assert.strictEqual(service.invocations(childArn).length, 2)
    assert.strictEqual(service.invocations(arn).length, 1)
    service.answer(childArn, { Status: "SUCCEEDED", Result: "2" })
    assert.strictEqual(service.operation(arn, "i").ChainedInvokeDetails?.Result, "2")
  })
})

describe("a chained invoke of a plain function", () => {
  it("is run once by the host", () => {
    const options = { FunctionName: "email:live", TenantId: "t1" }
    const { arn, childArn, service } = waitingFor("email:live", { ChainedInvokeOptions: options })
    assert.strictEqual(childArn, "")
    assert.deepStrictEqual(service.targets, [
      {
        _tag: "RunTarget",
        functionName: "email",
        version: "7",
        functionArn: "arn:aws:lambda:us-east-1:123456789012:function:email:7",
        executionArn: arn,
        operationId: "i",
        payload: `{"a":1}`,
        tenantId: "t1"
      }
    ])
    assert.strictEqual(service.event(arn, "ChainedInvokeStarted").ChainedInvokeStartedDetails.ExecutedVersion, "7")
  })

  it("may be called without a qualifier and without a payload", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, {
      Id: "i",
      Type: "CHAINED_INVOKE",
      Action: "START",
      ChainedInvokeOptions: { FunctionName: "email" }
    })
    assert.notProperty(service.targets[0], "payload")
    assert.deepStrictEqual(service.event(arn, "ChainedInvokeStarted").ChainedInvokeStartedDetails.Input, {
      Truncated: false
    })
  })

  const ends: ReadonlyArray<readonly [Service.TargetEnd, string, object]> = [
    [{ _tag: "Succeeded", result: `"ok"` }, "SUCCEEDED", { Result: `"ok"` }],
    [{ _tag: "Succeeded", result: undefined }, "SUCCEEDED", { Result: "null" }],
    [{ _tag: "Succeeded", result: "" }, "SUCCEEDED", { Result: "" }],
    [{ _tag: "Failed", error }, "FAILED", { Error: error }],
    [{ _tag: "TimedOut" }, "TIMED_OUT", { Error: { ErrorMessage: "The invoked function timed out." } }],
    [{ _tag: "TimedOut", error }, "TIMED_OUT", { Error: error }],
    [{ _tag: "Stopped" }, "STOPPED", { Error: { ErrorMessage: "The invoked function was stopped." } }],
    [{ _tag: "Stopped", error }, "STOPPED", { Error: error }]
  ]
  for (const [end, status, details] of ends) {
    it(`ends as ${JSON.stringify(end)}`, () => {
      const { arn, service } = waitingFor("email")
      endTarget(service, arn, end)
      assert.strictEqual(service.operation(arn, "i").Status, status)
      assert.deepStrictEqual(service.operation(arn, "i").ChainedInvokeDetails, details)
      const stored = end._tag === "Succeeded" ? (end.result ?? "null") : JSON.stringify(Object.values(details)[0])
      assert.strictEqual(service.execution(arn).usage.bytes, `{"id":1}{"a":1}${stored}`.length)
      assert.deepStrictEqual(service.invocation(arn).event.UpdatedOperationIds, ["i"])
    })
  }

  it("ends once: a second report changes nothing", () => {
    const { arn, service } = waitingFor("email")
    endTarget(service, arn, { _tag: "Succeeded", result: "1" })
    const before = service.history(arn)
    endTarget(service, arn, { _tag: "Failed", error })
    endTarget(service, "nobody", { _tag: "Failed", error })
    service.take(
      Service.targetEnded(
        service.state,
        { executionArn: arn, operationId: "nothing", end: { _tag: "Failed", error } },
        service.env
      )
    )
    assert.deepStrictEqual(service.history(arn), before)
  })
})

describe("a chained invoke that cannot be", () => {
  const impossible = [
    ["nowhere:live", "ResourceNotFoundException", /^Function not found: arn:.*:function:nowhere:live$/],
    ["payments", "InvalidParameterValueException", /unqualified/]
  ] as const
  for (const [address, type, message] of impossible) {
    it(`fails the operation at once: ${address}`, () => {
      const { answer, arn, service } = waitingFor(address)
      const operation = service.operation(arn, "i")
      assert.strictEqual(operation.Status, "FAILED")
      assert.strictEqual(operation.ChainedInvokeDetails?.Error?.ErrorType, type)
      assert.match(operation.ChainedInvokeDetails?.Error?.ErrorMessage ?? "", message)
      assert.deepStrictEqual(answer["i"], operation, "the answer of the checkpoint tells")
      assert.deepStrictEqual(service.eventTypes(arn).slice(1, 3), ["ChainedInvokeStarted", "ChainedInvokeFailed"])
      const { ExecutedVersion } = service.event(arn, "ChainedInvokeStarted").ChainedInvokeStartedDetails
      assert.isUndefined(ExecutedVersion)
    })
  }
})

describe("an execution that is started and not chained", () => {
  it("tells no caller", () => {
    const service = new TestService()
    const { executionArn } = service.accept(Service.startExecution(service.state, startOrders(), service.env))
    service.answer(executionArn, { Status: "SUCCEEDED" })
    assert.deepStrictEqual(
      service.closed.map((closed) => closed.executionArn),
      [executionArn]
    )
  })
})
