/**
 * The requests of AWS's command line, byte for byte as botocore puts them: other headers than AWS's client for JavaScript sends,
 * no type for payloads, times without fractions, and no attempt of its own to understand an answer.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { ask, played, returned, type Json } from "./support.ts"

const headers = {
  "accept-encoding": "identity",
  "user-agent": "aws-cli/1.45.11 md/Botocore#1.43.11 ua/2.1 os/linux md/arch#x86_64 lang/python#3.11.7",
  "x-amz-date": "20261120T200415Z",
  "amz-sdk-request": "attempt=1"
}

let calls = 0

/** One call of the command line: each has an id of its own. */
const cli = (url: string, method: string, path: string, more: Readonly<Record<string, string>> = {}, body?: string) =>
  ask(url, {
    method,
    path,
    headers: {
      ...headers,
      "amz-sdk-invocation-id": `00000000-0000-4000-8000-${String(++calls).padStart(12, "0")}`,
      ...(body === undefined && method === "POST" && { "content-length": "0" }),
      ...more
    },
    body
  })

const json = { "content-type": "application/json" }

const scene = Effect.gen(function* () {
  const { stage, url } = yield* played()
  const invoke = (name: string, body: string, type?: string) =>
    cli(
      url,
      "POST",
      "/2015-03-31/functions/orders%3A%24LATEST/invocations",
      { "x-amz-durable-execution-name": name, ...(type !== undefined && { "x-amz-invocation-type": type }) },
      body
    )
  const execution = (arn: string): string => `/2025-12-01/durable-executions/${encodeURIComponent(arn)}`
  const list = (query: string) =>
    Effect.map(cli(url, "GET", `/2025-12-01/functions/orders/durable-executions${query}`), (answer) => ({
      ...answer,
      names: (answer.json.DurableExecutions ?? []).map((one: Json) => one.DurableExecutionName).join(" ")
    }))
  return { url, next: stage.next, invoke, execution, list }
})

const arnOf = (answer: { readonly headers: Json }): string => String(answer.headers["x-amz-durable-execution-arn"])

const errorOf = (answer: { readonly status: number; readonly headers: Json }): string =>
  `${answer.status} ${String(answer.headers["x-amzn-errortype"])}`

describe("AWS's command line", () => {
  it.live("starts executions, with and without waiting, once for a name", () =>
    Effect.gen(function* () {
      const { invoke, next } = yield* scene
      const started = yield* invoke("order-42", `{"id":42}`, "Event")
      assert.strictEqual(started.status, 202)
      assert.strictEqual(started.text, "")
      const call = yield* next
      const waiting = yield* Effect.forkChild(invoke("order-42", `{"id":42}`))
      yield* call.end(returned({ Status: "SUCCEEDED", Result: `{"ok":true}` }))
      const ended = yield* Fiber.join(waiting)
      assert.strictEqual(ended.status, 200)
      assert.strictEqual(ended.text, `{"ok":true}`)
      assert.strictEqual(arnOf(ended), arnOf(started))
      assert.strictEqual(errorOf(yield* invoke("order-42", `{"id":43}`)), "409 DurableExecutionAlreadyStartedException")
      assert.strictEqual(
        errorOf(yield* invoke("large", JSON.stringify("x".repeat(6 * 1_024 * 1_024)))),
        "413 RequestTooLargeException"
      )
      assert.strictEqual(
        errorOf(yield* invoke("large", JSON.stringify("x".repeat(1_048_576)), "Event")),
        "413 RequestTooLargeException"
      )
    })
  )

  it.live("lists executions by every filter, page by page", () =>
    Effect.gen(function* () {
      const { invoke, list, next } = yield* scene
      for (const name of ["a", "b", "c"]) yield* invoke(name, "{}", "Event")
      yield* (yield* next).end(returned({ Status: "FAILED", Error: { ErrorMessage: "no" } }))
      yield* invoke("a", "{}")
      const expectations: ReadonlyArray<readonly [query: string, names: string]> = [
        ["", "c b a"],
        ["?ReverseOrder=true", "a b c"],
        ["?Statuses=FAILED", "a"],
        ["?Statuses=RUNNING&Statuses=FAILED&StartedAfter=2026-01-02T03%3A04%3A05Z", "c b a"],
        ["?StartedBefore=2026-01-02T03%3A04%3A05Z", ""],
        ["?DurableExecutionName=b&Qualifier=%24LATEST", "b"],
        ["?Qualifier=7", ""]
      ]
      for (const [query, names] of expectations) assert.strictEqual((yield* list(query)).names, names, query)
      const first = yield* list("?MaxItems=2")
      assert.strictEqual(first.names, "c b")
      assert.strictEqual((yield* list(`?Marker=${encodeURIComponent(first.json.NextMarker)}&MaxItems=2`)).names, "a")
      assert.isNumber(first.json.DurableExecutions[0].StartTimestamp)
    })
  )

  it.live("reads the history forwards and backwards, and hears of a stale token", () =>
    Effect.gen(function* () {
      const { execution, invoke, next, url } = yield* scene
      const arn = arnOf(yield* invoke("order-42", "{}", "Event"))
      const { end, event } = yield* next
      const checkpoint = (updates: ReadonlyArray<Json>) =>
        cli(
          url,
          "POST",
          `${execution(arn)}/checkpoint`,
          json,
          JSON.stringify({ CheckpointToken: event.CheckpointToken, Updates: updates })
        )
      const step = { Id: "s1", Type: "STEP", Action: "SUCCEED", SubType: "Step", Name: "charge", Payload: "1" }
      assert.strictEqual((yield* checkpoint([step])).status, 200)
      const stale = yield* checkpoint([])
      assert.strictEqual(errorOf(stale), "400 InvalidParameterValueException")
      assert.strictEqual(stale.json.message, "Invalid checkpoint token")
      yield* end(returned({ Status: "SUCCEEDED", Result: "1" }))
      yield* invoke("order-42", "{}")
      const read = (order: string) =>
        Effect.gen(function* () {
          const types: Array<string> = []
          let marker = ""
          do {
            const page = yield* cli(
              url,
              "GET",
              `${execution(arn)}/history?IncludeExecutionData=true&MaxItems=3&ReverseOrder=${order}${marker}`
            )
            types.push(...page.json.Events.map(({ EventType }: Json) => EventType))
            marker = page.json.NextMarker === undefined ? "" : `&Marker=${encodeURIComponent(page.json.NextMarker)}`
          } while (marker !== "")
          return types
        })
      const expected = ["ExecutionStarted", "StepSucceeded", "InvocationCompleted", "ExecutionSucceeded"]
      assert.deepStrictEqual(yield* read("false"), expected)
      assert.deepStrictEqual(yield* read("true"), expected.toReversed())
    })
  )

  it.live("answers callbacks, and stops executions", () =>
    Effect.gen(function* () {
      const { execution, invoke, next, url } = yield* scene
      const arn = arnOf(yield* invoke("order-42", "{}", "Event"))
      const { end, event } = yield* next
      const started = ["good", "bad"].map((Id) => ({
        Id,
        Type: "CALLBACK",
        Action: "START",
        SubType: "Callback",
        CallbackOptions: { HeartbeatTimeoutSeconds: 60 }
      }))
      const body = JSON.stringify({ CheckpointToken: event.CheckpointToken, Updates: started })
      const { json: answer } = yield* cli(url, "POST", `${execution(arn)}/checkpoint`, json, body)
      yield* end(returned({ Status: "PENDING" }))
      const [good, bad] = answer.NewExecutionState.Operations.map(({ CallbackDetails }: Json) =>
        encodeURIComponent(CallbackDetails.CallbackId)
      )
      const send = (id: string, what: string, more = {}, text?: string) =>
        cli(url, "POST", `/2025-12-01/durable-execution-callbacks/${id}/${what}`, more, text)
      assert.strictEqual((yield* send(good, "heartbeat")).status, 200)
      assert.strictEqual((yield* send(good, "succeed", {}, `{"ok":true}`)).status, 200)
      assert.strictEqual((yield* send(bad, "fail", json, `{"ErrorType": "T", "ErrorMessage": "m"}`)).status, 200)
      const { json: history } = yield* cli(url, "GET", `${execution(arn)}/history?IncludeExecutionData=true`)
      const detailsOf = (type: string): Json =>
        history.Events.find(({ EventType }: Json) => EventType === type)[`${type}Details`]
      assert.strictEqual(detailsOf("CallbackSucceeded").Result.Payload, `{"ok":true}`)
      assert.deepStrictEqual(detailsOf("CallbackFailed").Error.Payload, { ErrorType: "T", ErrorMessage: "m" })
      assert.strictEqual(errorOf(yield* send("ab%2B%2Fc%3D%3D", "heartbeat")), "404 ResourceNotFoundException")

      const stopped = yield* cli(url, "POST", `${execution(arn)}/stop`, json, `{"ErrorMessage": "x"}`)
      assert.isNumber(stopped.json.StopTimestamp)
      const found = yield* cli(url, "GET", execution(arn))
      assert.strictEqual(found.json.Status, "STOPPED")
      assert.strictEqual(found.json.Error.ErrorMessage, "x")
      assert.strictEqual(
        errorOf(yield* cli(url, "GET", "/2025-12-01/durable-executions/NOTFOUND")),
        "404 ResourceNotFoundException"
      )
    })
  )
})
