import { assert, describe, it } from "@effect/vitest"
import * as Service from "../../src/engine/Service.ts"
import { isDurableExecutionArn } from "../../src/wire/Constraints.ts"
import { invoke, midnight, refused, startOrders, TestService, wait } from "./support.ts"

const start = (service: TestService, request: Partial<Service.StartRequest> = {}) =>
  Service.startExecution(service.state, startOrders(request), service.env)

describe("starting an execution", () => {
  it("gives it an ARN that the API accepts", () => {
    const service = new TestService({ region: "eu-central-1", account: "999999999999" })
    const arn = service.start({ functionName: "orders:live", executionName: "order-1" })
    assert.isTrue(isDurableExecutionArn(arn))
    assert.isTrue(
      arn.startsWith("arn:aws:lambda:eu-central-1:999999999999:function:orders:7/durable-execution/order-1/")
    )
  })

  it("finds the function by any form of its address", () => {
    for (const functionName of [
      "orders:$LATEST",
      "orders:7",
      "123456789012:function:orders:live",
      "arn:aws:lambda:us-east-1:123456789012:function:orders:live"
    ]) {
      new TestService().start({ functionName })
    }
    new TestService().start({ functionName: "orders", qualifier: "live" })
    new TestService().start({ functionName: "orders:live", qualifier: "live" })
  })

  it("answers what was started", () => {
    const service = new TestService()
    const started = service.accept(start(service, { functionName: "orders:live" }))
    const { executionArn } = service.invocation(started.executionArn)
    assert.deepStrictEqual(started, { executionArn, executedVersion: "7", existing: false })
  })

  it("gives every execution without a name a new one", () => {
    const service = new TestService()
    const arns = [service.start(), service.start(), service.start()]
    assert.strictEqual(new Set(arns).size, 3)
    assert.strictEqual(new Set(arns.map((arn) => service.execution(arn).identity.name)).size, 3)
  })

  const refusals: ReadonlyArray<readonly [string, Partial<Service.StartRequest>, string, number, RegExp]> = [
    [
      "an unknown function",
      { functionName: "nowhere:live" },
      "ResourceNotFoundException",
      404,
      /Function not found: .*:nowhere:live$/
    ],
    [
      "a durable function without a qualifier",
      { functionName: "orders" },
      "InvalidParameterValueException",
      400,
      /unqualified/
    ],
    [
      "a plain function",
      { functionName: "email:live" },
      "InvalidParameterValueException",
      400,
      /email is not a durable function/
    ],
    [
      "two qualifiers",
      { functionName: "orders:live", qualifier: "7" },
      "InvalidParameterValueException",
      400,
      /differs from Qualifier/
    ],
    ["an address that is none", { functionName: "a b" }, "InvalidParameterValueException", 400, /FunctionName/],
    [
      "a qualifier that is none",
      { functionName: "orders", qualifier: "a b" },
      "InvalidParameterValueException",
      400,
      /Qualifier/
    ],
    ["an empty name", { executionName: "" }, "InvalidParameterValueException", 400, /DurableExecutionName/],
    ["a name with a slash", { executionName: "a/b" }, "InvalidParameterValueException", 400, /DurableExecutionName/],
    [
      "a name of 65 characters",
      { executionName: "x".repeat(65) },
      "InvalidParameterValueException",
      400,
      /DurableExecutionName/
    ],
    ["an empty tenant", { tenantId: "" }, "InvalidParameterValueException", 400, /TenantId/],
    ["a time-out of 0", { executionTimeoutSeconds: 0 }, "InvalidParameterValueException", 400, /ExecutionTimeout/],
    ["half a time-out", { executionTimeoutSeconds: 1.5 }, "InvalidParameterValueException", 400, /ExecutionTimeout/],
    [
      "a time-out of more than 366 days",
      { executionTimeoutSeconds: 31_622_401 },
      "InvalidParameterValueException",
      400,
      /ExecutionTimeout/
    ],
    ["a payload of more than 6 MB", { payload: "x".repeat(6_291_457) }, "RequestTooLargeException", 413, /6291456/],
    [
      "a payload of more than 1 MB that nobody waits for",
      { payload: "€".repeat(349_526), invocationType: "Event" },
      "RequestTooLargeException",
      413,
      /1048576/
    ]
  ]
  for (const [what, request, exception, status, message] of refusals) {
    it(`refuses ${what}`, () => {
      const service = new TestService()
      const before = service.state
      const refusal = refused(start(service, request))
      assert.deepStrictEqual([refusal.exception, refusal.status], [exception, status])
      assert.match(refusal.message, message)
      assert.strictEqual(service.state, before)
    })
  }

  it("accepts payloads of exactly the most", () => {
    const service = new TestService()
    service.start({ payload: "x".repeat(6_291_456), invocationType: "RequestResponse" })
    service.start({ payload: "x".repeat(1_048_576), invocationType: "Event" })
  })

  it("stops a host that gives the same id twice, or a version that is none", () => {
    const service = new TestService()
    const env = { ...service.env, freshId: () => "same" }
    const once = Service.startExecution(service.state, startOrders(), env)
    assert(once._tag === "Success")
    assert.throws(() => Service.startExecution(once.success.state, startOrders({ payload: "2" }), env), /same|twice/)
    const alias = new TestService({ lookup: (name) => ({ kind: "durable", name, version: "live" }) })
    assert.throws(() => alias.start(), /is not the ARN of an execution/)
  })
})

describe("starting under a name", () => {
  it("answers the execution that is running, and starts nothing", () => {
    const service = new TestService()
    const arn = service.start({ executionName: "n" })
    const again = service.accept(start(service, { executionName: "n" }))
    assert.deepStrictEqual(again, { executionArn: arn, executedVersion: "$LATEST", existing: true })
    assert.strictEqual(service.invocations(arn).length, 1)
    assert.strictEqual(service.history(arn).length, 1)
  })

  it("answers the outcome of the execution that is closed, however it ended", () => {
    const service = new TestService()
    const arn = service.start({ executionName: "n" })
    service.stop(arn)
    const again = service.accept(start(service, { executionName: "n" }))
    assert.deepStrictEqual(again.outcome, service.execution(arn).outcome)
    assert.isTrue(again.existing)
  })

  const conflicts: ReadonlyArray<readonly [string, Partial<Service.StartRequest>]> = [
    ["another payload", { payload: `{"id": 1}` }],
    ["another function", { functionName: "payments:live" }]
  ]
  for (const [what, request] of conflicts) {
    for (const closed of [false, true]) {
      it(`refuses ${what} while its execution is ${closed ? "closed" : "running"}`, () => {
        const service = new TestService()
        const arn = service.start({ executionName: "n" })
        if (closed) service.stop(arn)
        const { exception, message, status } = refused(start(service, { executionName: "n", ...request }))
        assert.deepStrictEqual([exception, status], ["DurableExecutionAlreadyStartedException", 409])
        assert.include(message, arn)
      })
    }
  }

  it("tells no payload from the empty one", () => {
    const service = new TestService()
    const request = { functionName: "orders:$LATEST", executionName: "n" }
    service.accept(Service.startExecution(service.state, request, service.env))
    assert.isTrue(service.accept(Service.startExecution(service.state, request, service.env)).existing)
    assert.strictEqual(refused(start(service, { executionName: "n", payload: "" })).status, 409)
  })
})

describe("stopping an execution", () => {
  it("closes it with the given error, or says that somebody did", () => {
    const service = new TestService()
    const arn = service.start()
    const error = { ErrorType: "Cancelled", ErrorMessage: "by the customer" }
    service.accept(Service.stopExecution(service.state, { executionArn: arn, error }, service.env))
    assert.deepStrictEqual(service.execution(arn).outcome, { status: "STOPPED", error, endTimestamp: midnight })
    assert.deepStrictEqual(service.event(arn, "ExecutionStopped").ExecutionStoppedDetails.Error.Payload, error)
    const other = service.start()
    service.stop(other)
    const { Error } = service.event(other, "ExecutionStopped").ExecutionStoppedDetails
    assert.deepStrictEqual(Error.Payload, { ErrorMessage: "Execution stopped by user request" })
  })

  it("leaves its operations as they are and its children running", () => {
    const service = new TestService()
    const arn = service.start()
    service.checkpoint(arn, wait("w", 5), invoke("i", "payments:live"))
    const child = service.event(arn, "ChainedInvokeStarted").ChainedInvokeStartedDetails.DurableExecutionArn ?? ""
    service.stop(arn)
    service.pass(5)
    assert.strictEqual(service.operation(arn, "w").Status, "STARTED")
    assert.strictEqual(service.operation(arn, "i").Status, "STARTED")
    assert.isUndefined(service.execution(child).outcome)
  })

  it("twice answers the time of the first, and of one that ended by itself its end", () => {
    const service = new TestService()
    const arn = service.start()
    assert.deepStrictEqual(service.stop(arn), { StopTimestamp: midnight })
    service.pass(10)
    assert.deepStrictEqual(service.stop(arn), { StopTimestamp: midnight })
    const done = service.start()
    service.answer(done, { Status: "SUCCEEDED" })
    service.pass(10)
    assert.deepStrictEqual(service.stop(done), { StopTimestamp: midnight + 10_000 })
    assert.strictEqual(service.execution(done).outcome?.status, "SUCCEEDED")
    assert.strictEqual(service.closed.length, 2)
  })

  it("refuses an unknown execution and an error that is too large", () => {
    const service = new TestService()
    const arn = service.start()
    const unknown = Service.stopExecution(service.state, { executionArn: `${arn}0` }, service.env)
    assert.strictEqual(refused(unknown).exception, "ResourceNotFoundException")
    const error = { ErrorMessage: "x".repeat(32_769) }
    const large = Service.stopExecution(service.state, { executionArn: arn, error }, service.env)
    assert.strictEqual(refused(large).exception, "InvalidParameterValueException")
    const largest = { ErrorMessage: "x".repeat(32_768 - `{"ErrorMessage":""}`.length) }
    service.accept(Service.stopExecution(service.state, { executionArn: arn, error: largest }, service.env))
  })
})
