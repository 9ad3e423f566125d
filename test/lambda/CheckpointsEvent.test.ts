import { assert, describe, it } from "@effect/vitest"
import type { CheckpointStore } from "effect-durable"
import * as Effect from "effect/Effect"
import { fromDurableExecutionClient, type DurableExecutionClient } from "../../src/lambda/internal/eventClient.ts"

const token = "dG9rZW4tb2YtdGhlLWV2ZW50"

const both = (answer: () => Promise<unknown>) => {
  const calls: Array<unknown> = []
  const client: DurableExecutionClient = {
    checkpoint: (params) => (calls.push(params), answer()),
    getExecutionState: (params) => (calls.push(params), answer())
  }
  const store = fromDurableExecutionClient(client)
  const request = { DurableExecutionArn: "arn", CheckpointToken: token, Updates: [], ClientToken: "c" }
  const page = { DurableExecutionArn: "arn", CheckpointToken: token, Marker: "m", MaxItems: 10 }
  return { calls, checkpoint: store.checkpoint(request), loadState: store.loadState(page), request, page }
}

describe("A client that came with the event", () => {
  it.effect("gets the requests of the API, and answers with Dates", () =>
    Effect.gen(function* () {
      const operation = { Id: "s", Type: "STEP", Status: "STARTED", StartTimestamp: new Date(1_234) }
      const state = { Operations: [operation], NextMarker: "n" }
      const { calls, checkpoint, loadState, page, request } = both(async () => ({
        ...state,
        CheckpointToken: "next",
        NewExecutionState: state,
        $metadata: {}
      }))
      const decoded = { Operations: [{ ...operation, StartTimestamp: 1_234 }], NextMarker: "n" }
      assert.deepStrictEqual(yield* checkpoint, { CheckpointToken: "next", NewExecutionState: decoded })
      assert.deepStrictEqual(yield* loadState, decoded)
      assert.deepStrictEqual(calls, [request, page])
    })
  )

  const marked = (scope: unknown, more: object = {}) =>
    Object.assign(new Error("the transport says so"), { isDurableExecutionClientError: true, scope, ...more })
  const aws = (status: number, name: string, message: string) =>
    Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } })

  const table: ReadonlyArray<readonly [string, unknown, CheckpointStore.StoreError["_tag"]]> = [
    ["a failure of the invocation", marked("INVOCATION"), "StoreUnavailable"],
    ["a failure of the execution", marked("EXECUTION"), "StoreRefused"],
    [
      "a failure of the invocation, whatever its status",
      marked("INVOCATION", { $metadata: { httpStatusCode: 413 } }),
      "StoreUnavailable"
    ],
    [
      "a failure of the execution, whatever its status",
      marked("EXECUTION", { $metadata: { httpStatusCode: 503 } }),
      "StoreRefused"
    ],
    [
      "a marked failure of an unknown reach, by its status",
      marked("GALAXY", { $metadata: { httpStatusCode: 413 } }),
      "StoreRefused"
    ],
    ["a marker that is not true", marked("EXECUTION", { isDurableExecutionClientError: "yes" }), "StoreUnavailable"],
    ["a stale token", aws(400, "InvalidParameterValueException", "Invalid checkpoint token"), "StaleCheckpointToken"],
    [
      "a stale token, marked",
      Object.assign(
        aws(400, "InvalidParameterValueException", "Invalid Checkpoint Token"),
        marked("INVOCATION", {
          message: "Invalid Checkpoint Token"
        })
      ),
      "StaleCheckpointToken"
    ],
    ["any other 400", aws(400, "InvalidParameterValueException", "Invalid parent operation id."), "StoreRefused"],
    ["429", aws(429, "TooManyRequestsException", "slow down"), "StoreUnavailable"],
    ["a key that is disabled", aws(502, "KMSDisabledException", "disabled"), "StoreRefused"],
    ["an Error", new Error(`socket hang up at ${token}`), "StoreUnavailable"],
    ["a text", "no", "StoreUnavailable"],
    ["nothing", undefined, "StoreUnavailable"],
    [
      "an error that cannot be looked at",
      new Proxy(new Error("x"), {
        get: () => {
          throw new Error("hands off")
        },
        has: () => {
          throw new Error("hands off")
        }
      }),
      "StoreUnavailable"
    ]
  ]
  for (const [name, error, expected] of table) {
    it.effect(`${expected}: ${name}`, () =>
      Effect.gen(function* () {
        // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- what a client throws is not ours to choose
        const { checkpoint, loadState } = both(() => Promise.reject(error))
        for (const failure of [yield* Effect.flip(checkpoint), yield* Effect.flip(loadState)]) {
          assert.strictEqual(failure._tag, expected)
          assert.notStrictEqual(failure.message, "")
          assert.notInclude(failure.message, token)
        }
      })
    )
  }

  it.effect("may throw instead of rejecting", () =>
    Effect.gen(function* () {
      const { checkpoint } = both(() => {
        throw marked("EXECUTION")
      })
      assert.strictEqual((yield* Effect.flip(checkpoint))._tag, "StoreRefused")
    })
  )

  for (const answer of [undefined, null, "text", 7, { Operations: 7, NewExecutionState: { Operations: 7 } }]) {
    it.effect(`is unavailable when it answers ${JSON.stringify(answer)}`, () =>
      Effect.gen(function* () {
        const { checkpoint, loadState } = both(async () => answer)
        assert.strictEqual((yield* Effect.flip(checkpoint))._tag, "StoreUnavailable")
        const failure = yield* Effect.flip(loadState)
        assert.strictEqual(failure._tag, "StoreUnavailable")
        assert.include(failure.message, "GetDurableExecutionState is malformed")
      })
    )
  }
})
