/**
 * Nine conversations of AWS's own SDK for JavaScript, as they went over HTTP, held with the engine: what the SDK sent is sent
 * again, and the engine must answer the same. What happened in a context that is over is not handed out, as the service says.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import { readFileSync } from "node:fs"
import { ask, played, returned, type Json, type Played } from "./support.ts"

type Step =
  | { readonly invoked: ReadonlyArray<Json>; readonly updated: ReadonlyArray<string> }
  | { readonly updates: ReadonlyArray<Json>; readonly status: number; readonly operations: ReadonlyArray<Json> }
  | { readonly output: Json }
  | { readonly callback: string; readonly body: string; readonly status: number; readonly answer: Json }

interface Session {
  readonly steps: ReadonlyArray<Step>
  readonly final: Json
}

const sessions: Readonly<Record<string, Session>> = JSON.parse(
  readFileSync(new URL("../golden/sessions.json", import.meta.url), "utf8")
)

/** Times, ids of callbacks and the id of the execution are those of one run. */
const timeless = (value: Json, executionId: string, callbacks: Array<string>): Json =>
  JSON.parse(
    JSON.stringify(value, (key, inner: unknown) => {
      if (key.endsWith("Timestamp")) return typeof inner === "number" ? "time" : inner
      if (key === "CallbackId" && typeof inner === "string") return (callbacks.push(inner), "callback")
      return key === "Id" && inner === executionId ? "execution" : inner
    })
  )

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

const hold = ({ final, steps }: Session) =>
  Effect.gen(function* () {
    const { stage, url } = yield* played()
    const callbacks: Array<string> = []
    const [first] = steps
    const input: string =
      first !== undefined && "invoked" in first ? first.invoked[0].ExecutionDetails.InputPayload : ""
    const result = yield* Effect.forkChild(
      ask(url, {
        method: "POST",
        path: "/2015-03-31/functions/orders%3A%24LATEST/invocations",
        headers: { "x-amz-durable-execution-name": "order-42" },
        body: input
      })
    )
    let call: Played | undefined
    let token = ""
    for (const step of steps) {
      if ("invoked" in step) {
        call = yield* nextCall(stage.next)
        if (call.functionName === "other") {
          yield* call.end(returned({ echoed: call.event }))
          call = yield* nextCall(stage.next)
        }
        const { CheckpointToken, DurableExecutionArn, InitialExecutionState, UpdatedOperationIds } = call.event
        const id = DurableExecutionArn.split("/").at(-1)
        token = CheckpointToken
        assert.deepStrictEqual(timeless(InitialExecutionState.Operations, id, callbacks), step.invoked)
        assert.deepStrictEqual(UpdatedOperationIds, step.updated)
      } else if ("updates" in step) {
        const answer = yield* ask(url, {
          method: "POST",
          path: `/2025-12-01/durable-executions/${encodeURIComponent(call?.event.DurableExecutionArn)}/checkpoint`,
          body: JSON.stringify({ CheckpointToken: token, Updates: step.updates })
        })
        assert.strictEqual(answer.status, step.status)
        token = answer.json.CheckpointToken
        const found = timeless(answer.json.NewExecutionState.Operations, "", callbacks)
        assert.deepStrictEqual(byId(found), byId(step.operations))
      } else if ("output" in step) {
        yield* call?.end(returned(step.output)) ?? Effect.void
      } else {
        const path = `/2025-12-01/durable-execution-callbacks/${encodeURIComponent(callbacks[0] ?? "")}/${step.callback}`
        const answer = yield* ask(url, { method: "POST", path, body: step.body })
        assert.strictEqual(answer.status, step.status)
        assert.deepStrictEqual(answer.json, step.answer)
      }
    }
    const answer = yield* Fiber.join(result)
    assert.strictEqual(answer.status, 200)
    if (final.Status === "SUCCEEDED") assert.strictEqual(answer.text, final.Result)
    else assert.strictEqual(answer.json.errorMessage, final.Error.ErrorMessage)
  })

describe("The session of AWS's SDK", () => {
  it("is there nine times", () => assert.lengthOf(Object.keys(sessions), 9))

  for (const [name, session] of Object.entries(sessions)) {
    it.effect(`"${name}" goes as it went with the service`, () => hold(session))
  }
})
