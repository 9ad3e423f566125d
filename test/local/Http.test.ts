/**
 * The engine over HTTP, as AWS's own client meets it: the ten operations, and every refusal as the exception that the client
 * knows.
 */
import {
  CheckpointDurableExecutionCommand,
  GetDurableExecutionCommand,
  GetDurableExecutionHistoryCommand,
  GetDurableExecutionStateCommand,
  InvokeCommand,
  type InvokeCommandInput,
  type LambdaClient,
  ListDurableExecutionsByFunctionCommand,
  type ListDurableExecutionsByFunctionCommandInput,
  SendDurableExecutionCallbackFailureCommand,
  SendDurableExecutionCallbackHeartbeatCommand,
  SendDurableExecutionCallbackSuccessCommand,
  StopDurableExecutionCommand
} from "@aws-sdk/client-lambda"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { ask, clientOf, type Json, played, type Played, returned } from "./support.ts"

/** An engine and the client for it. */
const scene = Effect.gen(function* () {
  const engine = yield* played()
  const client = yield* clientOf(engine.url)
  return { ...engine, client, next: engine.stage.next }
})

const send = <A>(call: () => Promise<A>): Effect.Effect<A> => Effect.promise(call)

/** The exception that the client throws. */
const thrown = (call: () => Promise<unknown>): Effect.Effect<Json> =>
  Effect.promise(() =>
    call().then(
      () => Promise.reject(new Error("The request was not refused.")),
      (error: unknown) => error
    )
  )

const invoke = (client: LambdaClient, input: Partial<InvokeCommandInput> = {}) =>
  client.send(new InvokeCommand({ FunctionName: "orders:$LATEST", Payload: `{"id":1}`, ...input }))

const startEvent = (client: LambdaClient, input: Partial<InvokeCommandInput> = {}) =>
  Effect.map(
    send(() => invoke(client, { InvocationType: "Event", ...input })),
    (answer) => {
      assert.strictEqual(answer.StatusCode, 202)
      assert.isDefined(answer.DurableExecutionArn)
      return answer.DurableExecutionArn ?? ""
    }
  )

const checkpoint = (client: LambdaClient, call: Played, token: string, updates: ReadonlyArray<Json>) =>
  client.send(
    new CheckpointDurableExecutionCommand({
      DurableExecutionArn: call.event.DurableExecutionArn,
      CheckpointToken: token,
      Updates: [...updates]
    })
  )

const textOf = (payload: Uint8Array | undefined): string => new TextDecoder().decode(payload)

const succeeded = (Result: string) => returned({ Status: "SUCCEEDED", Result })

const startCallback = { Id: "c1", Type: "CALLBACK", SubType: "Callback", Name: "approval", Action: "START" }

/** An execution that waits for a callback. */
const withCallback = (options: Json = {}) =>
  Effect.gen(function* () {
    const found = yield* scene
    const arn = yield* startEvent(found.client)
    const call = yield* found.next
    const update = { ...startCallback, CallbackOptions: options }
    const answer = yield* send(() => checkpoint(found.client, call, call.event.CheckpointToken, [update]))
    const callbackId = answer.NewExecutionState?.Operations?.[0]?.CallbackDetails?.CallbackId ?? ""
    yield* call.end(returned({ Status: "PENDING" }))
    return { ...found, arn, callbackId }
  })

describe("Invoke", () => {
  it.live("waits for the result of a durable execution", () =>
    Effect.gen(function* () {
      const { client, next } = yield* scene
      const answer = yield* Effect.forkChild(send(() => invoke(client, { DurableExecutionName: "order-1" })))
      const call = yield* next
      assert.strictEqual(call.event.InitialExecutionState.Operations[0].ExecutionDetails.InputPayload, `{"id":1}`)
      yield* call.end(succeeded(`{"ok":true}`))
      const { DurableExecutionArn, ExecutedVersion, FunctionError, Payload, StatusCode } = yield* Fiber.join(answer)
      assert.strictEqual(textOf(Payload), `{"ok":true}`)
      assert.strictEqual(StatusCode, 200)
      assert.strictEqual(ExecutedVersion, "$LATEST")
      assert.isUndefined(FunctionError)
      assert.include(DurableExecutionArn, "/durable-execution/order-1/")
    })
  )

  it.live("says how an execution failed", () =>
    Effect.gen(function* () {
      const { client, next } = yield* scene
      const answer = yield* Effect.forkChild(send(() => invoke(client)))
      const error = { ErrorType: "CardDeclined", ErrorMessage: "no money", ErrorData: "{}" }
      yield* (yield* next).end(returned({ Status: "FAILED", Error: error }))
      const { FunctionError, Payload } = yield* Fiber.join(answer)
      assert.strictEqual(FunctionError, "Unhandled")
      assert.deepStrictEqual(JSON.parse(textOf(Payload)), {
        errorType: "CardDeclined",
        errorMessage: "no money",
        errorData: "{}"
      })
    })
  )

  it.live("starts one execution for a name, and refuses another payload for it", () =>
    Effect.gen(function* () {
      const { client, next } = yield* scene
      const first = yield* startEvent(client, { DurableExecutionName: "order-1" })
      const call = yield* next
      assert.strictEqual(yield* startEvent(client, { DurableExecutionName: "order-1" }), first)
      const conflict = yield* thrown(() => invoke(client, { DurableExecutionName: "order-1", Payload: `{"id":2}` }))
      assert.strictEqual(conflict.name, "DurableExecutionAlreadyStartedException")
      assert.strictEqual(conflict.$metadata.httpStatusCode, 409)
      const attached = yield* Effect.forkChild(send(() => invoke(client, { DurableExecutionName: "order-1" })))
      yield* call.end(succeeded("1"))
      assert.strictEqual(textOf((yield* Fiber.join(attached)).Payload), "1")
      const again = yield* send(() => invoke(client, { DurableExecutionName: "order-1" }))
      assert.strictEqual(textOf(again.Payload), "1")
      assert.strictEqual(again.DurableExecutionArn, first)
    })
  )

  it.live("starts one execution for all attempts of a call", () =>
    Effect.gen(function* () {
      const { next, url } = yield* scene
      const attempt = ask(url, {
        method: "POST",
        path: "/2015-03-31/functions/orders%3A%24LATEST/invocations",
        headers: { "amz-sdk-invocation-id": "one-call", "x-amz-invocation-type": "Event" },
        body: "{}"
      })
      const [first, second] = [yield* attempt, yield* attempt]
      assert.strictEqual(first.status, 202)
      assert.strictEqual(second.headers["x-amz-durable-execution-arn"], first.headers["x-amz-durable-execution-arn"])
      yield* next
      const { json } = yield* ask(url, { path: "/2025-12-01/functions/orders/durable-executions" })
      assert.lengthOf(json.DurableExecutions, 1)
    })
  )

  it.live("calls a plain function, and waits for it or not", () =>
    Effect.gen(function* () {
      const { client, next } = yield* scene
      const answer = yield* Effect.forkChild(send(() => invoke(client, { FunctionName: "email" })))
      const call = yield* next
      assert.deepStrictEqual(call.event, { id: 1 })
      yield* call.end(returned({ sent: true }))
      const { DurableExecutionArn, Payload } = yield* Fiber.join(answer)
      assert.strictEqual(textOf(Payload), `{"sent":true}`)
      assert.isUndefined(DurableExecutionArn)
      const later = yield* send(() => invoke(client, { FunctionName: "email", InvocationType: "Event" }))
      assert.strictEqual(later.StatusCode, 202)
      yield* (yield* next).end({ _tag: "Threw", error: { ErrorType: "Oops", ErrorMessage: "no" } })
      const failing = yield* Effect.forkChild(send(() => invoke(client, { FunctionName: "email" })))
      yield* (yield* next).end({ _tag: "Threw", error: { ErrorType: "Oops", ErrorMessage: "no" } })
      const failed = yield* Fiber.join(failing)
      assert.strictEqual(failed.FunctionError, "Unhandled")
      assert.strictEqual(JSON.parse(textOf(failed.Payload)).errorType, "Oops")
    })
  )

  it.live("does not end a function whose client leaves", () =>
    Effect.gen(function* () {
      const began = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const ended = yield* Deferred.make<Exit.Exit<unknown>>()
      const { url } = yield* played({
        functions: () =>
          Effect.succeed({
            names: ["email"],
            find: () => ({ kind: "plain" }),
            run: () =>
              Deferred.succeed(began, undefined).pipe(
                Effect.andThen(Deferred.await(goOn)),
                Effect.as(returned("sent")),
                Effect.onExit((exit) => Deferred.succeed(ended, exit))
              )
          })
      })
      const client = yield* clientOf(url)
      const leaving = new AbortController()
      const answer = yield* Effect.forkChild(
        thrown(() => client.send(new InvokeCommand({ FunctionName: "email" }), { abortSignal: leaving.signal }))
      )
      yield* Deferred.await(began)
      leaving.abort()
      yield* Fiber.join(answer)
      // The engine hears that a client has left before it answers another one.
      for (let turn = 0; turn < 3; turn++) yield* ask(url, { path: "/2025-12-01/functions/email/durable-executions" })
      yield* Deferred.succeed(goOn, undefined)
      assert.isTrue(Exit.isSuccess(yield* Deferred.await(ended)))
    })
  )

  it.live("only looks when it is told to", () =>
    Effect.gen(function* () {
      const { client } = yield* scene
      assert.strictEqual((yield* send(() => invoke(client, { InvocationType: "DryRun" }))).StatusCode, 204)
    })
  )

  it.live("refuses what AWS refuses", () =>
    Effect.gen(function* () {
      const { client } = yield* scene
      const missing = yield* thrown(() => invoke(client, { FunctionName: "nobody:$LATEST" }))
      assert.strictEqual(missing.name, "ResourceNotFoundException")
      assert.include(missing.message, "This engine serves orders, payments, email, other.")
      const unqualified = yield* thrown(() => invoke(client, { FunctionName: "orders" }))
      assert.strictEqual(unqualified.name, "InvalidParameterValueException")
      const noJson = yield* thrown(() => invoke(client, { Payload: "{" }))
      assert.strictEqual(noJson.name, "InvalidRequestContentException")
      const noQualifier = yield* thrown(() => invoke(client, { FunctionName: "orders", Qualifier: "no alias" }))
      assert.strictEqual(noQualifier.name, "InvalidParameterValueException")
      assert.strictEqual(noQualifier.message, "Qualifier must be $LATEST, a version or an alias.")
      for (const FunctionName of ["orders:$LATEST", "email"]) {
        const large = JSON.stringify("x".repeat(6 * 1_024 * 1_024))
        const tooLarge = yield* thrown(() => invoke(client, { FunctionName, Payload: large }))
        assert.strictEqual(tooLarge.name, "RequestTooLargeException", FunctionName)
        assert.strictEqual(tooLarge.$metadata.httpStatusCode, 413)
        const event = JSON.stringify("x".repeat(1_100_000))
        const largeEvent = yield* thrown(() =>
          invoke(client, { FunctionName, Payload: event, InvocationType: "Event" })
        )
        assert.strictEqual(largeEvent.name, "RequestTooLargeException", FunctionName)
        const noTenant = yield* thrown(() => invoke(client, { FunctionName, TenantId: "#1" }))
        assert.strictEqual(noTenant.message, "TenantId is not valid.", FunctionName)
      }
      for (const context of ["", "no JSON", "{"]) {
        const ClientContext = Buffer.from(`${context} `).toString("base64")
        const noContext = yield* thrown(() => invoke(client, { FunctionName: "email", ClientContext }))
        assert.strictEqual(noContext.name, "InvalidRequestContentException", context)
      }
    })
  )
})

describe("A running invocation", () => {
  it.live("checkpoints, reads its state page by page, and hears when its token is stale", () =>
    Effect.gen(function* () {
      const { client, next } = yield* scene
      const arn = yield* startEvent(client)
      const call = yield* next
      const steps = Array.from({ length: 5 }, (_, index) => ({
        Id: `s${index}`,
        Type: "STEP",
        SubType: "Step",
        Action: "SUCCEED",
        Payload: String(index)
      }))
      const { CheckpointToken = "", NewExecutionState } = yield* send(() =>
        checkpoint(client, call, call.event.CheckpointToken, steps)
      )
      assert.lengthOf(NewExecutionState?.Operations ?? [], 5)
      assert.instanceOf(NewExecutionState?.Operations?.[0]?.EndTimestamp, Date)
      const ids: Array<string | undefined> = []
      let marker: string | undefined
      do {
        const page: Json = yield* send(() =>
          client.send(
            new GetDurableExecutionStateCommand({
              DurableExecutionArn: arn,
              CheckpointToken,
              MaxItems: 2,
              ...(marker !== undefined && { Marker: marker })
            })
          )
        )
        ids.push(...page.Operations.map(({ Id }: Json) => Id))
        marker = page.NextMarker
      } while (marker !== undefined)
      assert.deepStrictEqual(ids.slice(1), ["s0", "s1", "s2", "s3", "s4"])
      const stale = yield* thrown(() => checkpoint(client, call, call.event.CheckpointToken, []))
      assert.strictEqual(stale.name, "InvalidParameterValueException")
      assert.strictEqual(stale.message, "Invalid checkpoint token")
    })
  )

  it.live("has a checkpoint applied once that is sent twice", () =>
    Effect.gen(function* () {
      const { client, next, url } = yield* scene
      yield* startEvent(client)
      const { event } = yield* next
      const body = JSON.stringify({
        CheckpointToken: event.CheckpointToken,
        ClientToken: "again",
        Updates: [{ Id: "s1", Type: "STEP", SubType: "Step", Action: "SUCCEED", Payload: "1" }]
      })
      const path = `/2025-12-01/durable-executions/${encodeURIComponent(event.DurableExecutionArn)}/checkpoint`
      const first = yield* ask(url, { method: "POST", path, body })
      const second = yield* ask(url, { method: "POST", path, body })
      assert.strictEqual(first.status, 200)
      assert.strictEqual(second.text, first.text)
    })
  )
})

describe("An execution", () => {
  it.live("is described, with its data or without", () =>
    Effect.gen(function* () {
      const { client, next } = yield* scene
      const arn = yield* startEvent(client, { DurableExecutionName: "order-1" })
      const get = (IncludeExecutionData: boolean) =>
        send(() => client.send(new GetDurableExecutionCommand({ DurableExecutionArn: arn, IncludeExecutionData })))
      const open = yield* get(true)
      assert.strictEqual(open.Status, "RUNNING")
      assert.strictEqual(open.InputPayload, `{"id":1}`)
      assert.strictEqual(open.DurableExecutionName, "order-1")
      yield* (yield* next).end(succeeded("7"))
      yield* send(() => invoke(client, { DurableExecutionName: "order-1" }))
      const closed = yield* get(true)
      assert.strictEqual(closed.Status, "SUCCEEDED")
      assert.strictEqual(closed.Result, "7")
      assert.instanceOf(closed.EndTimestamp, Date)
      const bare = yield* get(false)
      assert.isUndefined(bare.Result)
      assert.isFalse(bare.ExecutionDataIncluded)
      const missing = yield* thrown(() =>
        client.send(new GetDurableExecutionCommand({ DurableExecutionArn: arn.replace("order-1", "order-2") }))
      )
      assert.strictEqual(missing.name, "ResourceNotFoundException")
      assert.strictEqual(missing.$metadata.httpStatusCode, 404)
    })
  )

  it.live("has a history that is read forwards and backwards in pages, also when it is over", () =>
    Effect.gen(function* () {
      const { client, next } = yield* scene
      const arn = yield* startEvent(client, { DurableExecutionName: "order-1" })
      const call = yield* next
      const step = { Id: "s1", Type: "STEP", SubType: "Step", Name: "charge", Action: "SUCCEED", Payload: "1" }
      yield* send(() => checkpoint(client, call, call.event.CheckpointToken, [step]))
      yield* call.end(succeeded("7"))
      yield* send(() => invoke(client, { DurableExecutionName: "order-1" }))
      const read = (ReverseOrder: boolean) =>
        Effect.gen(function* () {
          const events: Array<Json> = []
          let marker: string | undefined
          do {
            const page: Json = yield* send(() =>
              client.send(
                new GetDurableExecutionHistoryCommand({
                  DurableExecutionArn: arn,
                  ReverseOrder,
                  MaxItems: 1,
                  ...(marker !== undefined && { Marker: marker })
                })
              )
            )
            events.push(...page.Events)
            marker = page.NextMarker
          } while (marker !== undefined)
          return events.map(({ EventId, EventType }) => `${EventId} ${EventType}`)
        })
      const expected = ["1 ExecutionStarted", "2 StepSucceeded", "3 InvocationCompleted", "4 ExecutionSucceeded"]
      assert.deepStrictEqual(yield* read(false), expected)
      assert.deepStrictEqual(yield* read(true), expected.toReversed())
    })
  )

  it.live("is listed by every filter", () =>
    Effect.gen(function* () {
      const { client, next } = yield* scene
      const names = ["a", "b", "c"]
      for (const DurableExecutionName of names) yield* startEvent(client, { DurableExecutionName })
      yield* (yield* next).end(succeeded("1"))
      yield* send(() => invoke(client, { DurableExecutionName: "a" }))
      yield* startEvent(client, { FunctionName: "payments:$LATEST", DurableExecutionName: "p" })
      const list = (input: Partial<ListDurableExecutionsByFunctionCommandInput>) =>
        Effect.map(
          send(() => client.send(new ListDurableExecutionsByFunctionCommand({ FunctionName: "orders", ...input }))),
          ({ DurableExecutions = [], NextMarker }) => ({
            names: DurableExecutions.map(({ DurableExecutionName }) => DurableExecutionName).join(" "),
            NextMarker
          })
        )
      const expect = (input: Partial<ListDurableExecutionsByFunctionCommandInput>, found: string) =>
        Effect.map(list(input), (page) => assert.strictEqual(page.names, found, JSON.stringify(input)))
      yield* expect({}, "c b a")
      yield* expect({ ReverseOrder: true }, "a b c")
      yield* expect({ Statuses: ["SUCCEEDED"] }, "a")
      yield* expect({ Statuses: ["RUNNING", "FAILED"] }, "c b")
      yield* expect({ DurableExecutionName: "b" }, "b")
      yield* expect({ Qualifier: "$LATEST" }, "c b a")
      yield* expect({ Qualifier: "7" }, "")
      yield* expect({ StartedAfter: new Date(Date.now() + 60_000) }, "")
      yield* expect({ StartedBefore: new Date(Date.now() + 60_000) }, "c b a")
      yield* expect({ FunctionName: "payments" }, "p")
      const first = yield* list({ MaxItems: 2 })
      assert.strictEqual(first.names, "c b")
      yield* expect({ MaxItems: 2, Marker: first.NextMarker }, "a")
      const bad = yield* thrown(() =>
        client.send(new ListDurableExecutionsByFunctionCommand({ FunctionName: "orders", Marker: "bm9uc2Vuc2U=" }))
      )
      assert.strictEqual(bad.message, "Invalid marker")
    })
  )

  it.live("is stopped, once and for all", () =>
    Effect.gen(function* () {
      const { client, next } = yield* scene
      const arn = yield* startEvent(client)
      const call = yield* next
      const stop = () =>
        send(() =>
          client.send(new StopDurableExecutionCommand({ DurableExecutionArn: arn, Error: { ErrorMessage: "enough" } }))
        )
      const { StopTimestamp } = yield* stop()
      assert.instanceOf(StopTimestamp, Date)
      const stale = yield* thrown(() => checkpoint(client, call, call.event.CheckpointToken, []))
      assert.strictEqual(stale.message, "Invalid checkpoint token")
      yield* call.end({ _tag: "Threw", error: { ErrorType: "Stale", ErrorMessage: "lost" } })
      assert.deepStrictEqual((yield* stop()).StopTimestamp, StopTimestamp)
      const found = yield* send(() => client.send(new GetDurableExecutionCommand({ DurableExecutionArn: arn })))
      assert.strictEqual(found.Status, "STOPPED")
      assert.strictEqual(found.Error?.ErrorMessage, "enough")
    })
  )
})

describe("A callback", () => {
  it.live("is completed with the sender's text, and only once, also after its execution", () =>
    Effect.gen(function* () {
      const { arn, callbackId, client, next } = yield* withCallback()
      const complete = () =>
        client.send(new SendDurableExecutionCallbackSuccessCommand({ CallbackId: callbackId, Result: `"yes"` }))
      yield* send(complete)
      const { end, event } = yield* next
      assert.strictEqual(event.InitialExecutionState.Operations[1].CallbackDetails.Result, `"yes"`)
      assert.strictEqual((yield* thrown(complete)).name, "CallbackTimeoutException")
      yield* end(succeeded("1"))
      const found = yield* send(() => client.send(new GetDurableExecutionCommand({ DurableExecutionArn: arn })))
      assert.strictEqual(found.Status, "SUCCEEDED")
      const late = yield* thrown(complete)
      assert.strictEqual(late.name, "CallbackTimeoutException")
      assert.strictEqual(late.$metadata.httpStatusCode, 400)
    })
  )

  it.live("fails with the sender's error", () =>
    Effect.gen(function* () {
      const { callbackId, client, next } = yield* withCallback()
      const error = { ErrorType: "Rejected", ErrorMessage: "too expensive" }
      yield* send(() =>
        client.send(new SendDurableExecutionCallbackFailureCommand({ CallbackId: callbackId, Error: error }))
      )
      const { event } = yield* next
      assert.deepStrictEqual(event.InitialExecutionState.Operations[1].CallbackDetails.Error, error)
    })
  )

  it.live("takes heartbeats, and is unknown under another id", () =>
    Effect.gen(function* () {
      const { callbackId, client } = yield* withCallback({ HeartbeatTimeoutSeconds: 60 })
      const beat = (CallbackId: string) => client.send(new SendDurableExecutionCallbackHeartbeatCommand({ CallbackId }))
      yield* send(() => beat(callbackId))
      assert.strictEqual((yield* thrown(() => beat(btoa("another")))).name, "ResourceNotFoundException")
      assert.strictEqual((yield* thrown(() => beat("no base64!"))).name, "InvalidParameterValueException")
    })
  )
})

describe("Anything else", () => {
  it.live("is refused in the shape that the client reads", () =>
    Effect.gen(function* () {
      const { url } = yield* scene
      const expectations: ReadonlyArray<readonly [method: string, path: string, status: number, type: string]> = [
        ["GET", "/", 404, "UnknownOperationException"],
        ["GET", "/2025-12-01/durable-executions", 404, "UnknownOperationException"],
        ["DELETE", "/2025-12-01/durable-executions/x", 404, "UnknownOperationException"],
        ["GET", "/2025-12-01/durable-executions/a/b", 404, "UnknownOperationException"],
        ["GET", "/2025-12-01/durable-executions/%E0%A4%A", 400, "InvalidParameterValueException"],
        ["GET", "/2025-12-01/durable-executions/x/state", 400, "InvalidParameterValueException"],
        ["GET", "/2025-12-01/durable-executions/x/history?MaxItems=many", 400, "InvalidParameterValueException"],
        ["POST", "/2025-12-01/durable-executions/x/checkpoint", 400, "InvalidRequestContentException"]
      ]
      for (const [method, path, status, type] of expectations) {
        const answer = yield* ask(url, { method, path })
        assert.strictEqual(answer.status, status, path)
        assert.strictEqual(answer.headers["x-amzn-errortype"], type, path)
        assert.isString(answer.headers["x-amzn-requestid"])
        assert.isString(answer.json.message ?? answer.json.Message)
      }
    })
  )
})
