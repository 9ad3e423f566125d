/**
 * Conversations of AWS's own SDK for JavaScript, as they went over HTTP, held with the engine: what the SDK sent is sent again,
 * and the engine must answer the same. They are not part of this repository: `WIRE_SESSIONS` names a folder with files
 * `session-*.json`, each `{ final, transcript }`. What happened in a context that is over is not handed out, as the service says.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { ask, played, returned, type Json, type Played } from "./support.ts"

const folder = process.env["WIRE_SESSIONS"] ?? ""

const files = folder === "" ? [] : readdirSync(folder).filter((file) => /^session-.*\.json$/.test(file))

/** One entry of a transcript. */
type Entry =
  | { readonly kind: "invocation-event"; readonly event: Json }
  | { readonly kind: "invocation-output"; readonly output: Json }
  | {
      readonly kind: "http"
      readonly target: string
      readonly requestBody: Json
      readonly status: number
      readonly responseBody: Json
    }

interface Session {
  readonly final: Json
  readonly transcript: ReadonlyArray<Entry>
}

/** Times, ids of callbacks and the id of the execution are those of one run. */
const timeless = (value: Json, executionId: string | undefined, callbacks: Array<string>): Json =>
  JSON.parse(
    JSON.stringify(value, (key, inner: unknown) => {
      if (key.endsWith("Timestamp")) return typeof inner === "number" ? "time" : inner
      if (key === "CallbackId" && typeof inner === "string") return (callbacks.push(inner), "callback")
      return key === "Id" && inner === executionId ? "execution" : inner
    })
  )

/** Without what stands in contexts that are over. */
const handedOut = (operations: ReadonlyArray<Json>): ReadonlyArray<Json> => {
  const over = new Set(
    operations
      .filter(
        ({ ContextDetails, Type, EndTimestamp }: Json) =>
          Type === "CONTEXT" && EndTimestamp && !ContextDetails?.ReplayChildren
      )
      .map(({ Id }: Json) => Id)
  )
  return operations.filter(({ ParentId }: Json) => !over.has(ParentId))
}

const byId = (operations: ReadonlyArray<Json>): ReadonlyArray<Json> =>
  operations.toSorted((a: Json, b: Json) => (a.Id < b.Id ? -1 : 1))

/** Lets the seconds pass until the function is called. */
const nextCall = (next: Effect.Effect<Played>) =>
  Effect.gen(function* () {
    const waiting = yield* Effect.forkChild(next, { startImmediately: true })
    while (waiting.pollUnsafe() === undefined) {
      yield* TestClock.adjust("1 second")
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    }
    return yield* Fiber.join(waiting)
  })

const idOf = (arn: string): string | undefined => arn.split("/").at(-1)

/** The engine, and how far a conversation with it is. */
const talk = Effect.gen(function* () {
  const { stage, url } = yield* played()
  const callbacks: Array<string> = []
  let call: Played | undefined
  let token = ""
  const begin = (input: string) =>
    Effect.forkChild(
      ask(url, {
        method: "POST",
        path: "/2015-03-31/functions/orders%3A%24LATEST/invocations",
        headers: { "x-amz-durable-execution-name": "order-42" },
        body: input
      })
    )
  const invoked = (expected: Json) =>
    Effect.gen(function* () {
      call = yield* nextCall(stage.next)
      if (call.functionName === "other") {
        yield* call.end(returned({ echoed: call.event }))
        call = yield* nextCall(stage.next)
      }
      const { CheckpointToken, DurableExecutionArn, InitialExecutionState, UpdatedOperationIds } = call.event
      token = CheckpointToken
      assert.deepStrictEqual(
        timeless(InitialExecutionState.Operations, idOf(DurableExecutionArn), callbacks),
        timeless(handedOut(expected.InitialExecutionState.Operations), idOf(expected.DurableExecutionArn), [])
      )
      assert.deepStrictEqual(UpdatedOperationIds, expected.UpdatedOperationIds)
    })
  const checkpointed = ({ requestBody, responseBody, status }: Extract<Entry, { readonly kind: "http" }>) =>
    Effect.gen(function* () {
      const answer = yield* ask(url, {
        method: "POST",
        path: `/2025-12-01/durable-executions/${encodeURIComponent(call?.event.DurableExecutionArn)}/checkpoint`,
        body: JSON.stringify({ ...requestBody, CheckpointToken: token })
      })
      assert.strictEqual(answer.status, status)
      token = answer.json.CheckpointToken
      assert.deepStrictEqual(
        byId(timeless(answer.json.NewExecutionState.Operations, undefined, callbacks)),
        byId(timeless(responseBody.NewExecutionState.Operations, undefined, []))
      )
    })
  const answered = ({ requestBody, responseBody, status, target }: Extract<Entry, { readonly kind: "http" }>) =>
    Effect.gen(function* () {
      const path = `/2025-12-01/durable-execution-callbacks/${encodeURIComponent(callbacks[0] ?? "")}/${target.split("/").at(-1)}`
      const answer = yield* ask(url, { method: "POST", path, body: JSON.stringify(requestBody) })
      assert.strictEqual(answer.status, status)
      assert.deepStrictEqual(answer.json, responseBody)
    })
  const ended = (output: Json) => call?.end(returned(output)) ?? Effect.void
  return { begin, invoked, checkpointed, answered, ended }
})

const hold = ({ final, transcript }: Session) =>
  Effect.gen(function* () {
    const { answered, begin, checkpointed, ended, invoked } = yield* talk
    const [first] = transcript
    if (first?.kind !== "invocation-event") return assert.fail("A session begins with an invocation.")
    const result = yield* begin(first.event.InitialExecutionState.Operations[0].ExecutionDetails.InputPayload)
    for (const entry of transcript) {
      if (entry.kind === "invocation-event") yield* invoked(entry.event)
      else if (entry.kind === "invocation-output") yield* ended(entry.output)
      else if (entry.target.endsWith("/checkpoint")) yield* checkpointed(entry)
      else yield* answered(entry)
    }
    const answer = yield* Fiber.join(result)
    assert.strictEqual(answer.status, 200)
    if (final.Status === "SUCCEEDED") return assert.strictEqual(answer.text, final.Result)
    assert.strictEqual(answer.json.errorType, final.Error.ErrorType)
    assert.strictEqual(answer.json.errorMessage, final.Error.ErrorMessage)
  })

describe.skipIf(folder === "")("The sessions of AWS's SDK in WIRE_SESSIONS", () => {
  it("are some", () => assert.isNotEmpty(files))

  it.effect.each(files)("%s goes as it went", (file) => hold(JSON.parse(readFileSync(join(folder, file), "utf8"))))
})
