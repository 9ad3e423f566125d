import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore } from "effect-durable"
import * as Effect from "effect/Effect"
import type { OperationUpdate } from "../../src/wire/OperationUpdate.ts"
import { essence, golden, loopback, type Loopback, type Respond } from "./loopback.ts"
import { transports } from "./transports.ts"

const arn =
  "arn:aws:lambda:eu-west-1:210987654321:function:shipping:12/durable-execution/parcel-7/5d1f0c1e-77aa-4c3b-8f6e-0e9d6a1b2c33"
const token = "cGFyY2VsLTctdG9rZW4tMDAw1+/8="

type Store = CheckpointStore.CheckpointStore["Service"]

const checkpoint = (Updates: ReadonlyArray<OperationUpdate>, ClientToken: string) => (store: Store) =>
  store.checkpoint({ DurableExecutionArn: arn, CheckpointToken: token, Updates, ClientToken })

const loadState = (Marker: string) => (store: Store) =>
  store.loadState({ DurableExecutionArn: arn, CheckpointToken: token, Marker, MaxItems: 1_000 })

const updates: ReadonlyArray<OperationUpdate> = [
  { Id: "c1", Type: "CONTEXT", Action: "START", SubType: "RunInChildContext", Name: "customs" },
  { Id: "s1", ParentId: "c1", Type: "STEP", Action: "START", SubType: "Step", Name: "weigh" },
  {
    Id: "s1",
    ParentId: "c1",
    Type: "STEP",
    Action: "RETRY",
    SubType: "Step",
    Name: "weigh",
    Error: {
      ErrorType: "ScaleBusy",
      ErrorMessage: "queue of 3",
      ErrorData: "3",
      StackTrace: ["at scale", "at hall"]
    },
    StepOptions: { NextAttemptDelaySeconds: 7 }
  },
  { Id: "s2", Type: "STEP", Action: "SUCCEED", SubType: "Step", Name: "book", Payload: '"van 4, Malmö 🚚"' },
  {
    Id: "s3",
    Type: "STEP",
    Action: "FAIL",
    SubType: "Step",
    Name: "stamp",
    Error: { ErrorType: "NoInk", ErrorMessage: "dry" }
  },
  { Id: "w1", Type: "WAIT", Action: "START", SubType: "Wait", Name: "night", WaitOptions: { WaitSeconds: 28_800 } },
  {
    Id: "b1",
    Type: "CALLBACK",
    Action: "START",
    SubType: "Callback",
    Name: "signature",
    CallbackOptions: { TimeoutSeconds: 600, HeartbeatTimeoutSeconds: 60 }
  },
  {
    Id: "i1",
    Type: "CHAINED_INVOKE",
    Action: "START",
    SubType: "ChainedInvoke",
    Name: "pay",
    Payload: '{"cents":990}',
    ChainedInvokeOptions: { FunctionName: "payments:live", TenantId: "acme" }
  },
  {
    Id: "c1",
    Type: "CONTEXT",
    Action: "SUCCEED",
    SubType: "RunInChildContext",
    Name: "customs",
    ContextOptions: { ReplayChildren: true }
  },
  { Id: "x1", Type: "EXECUTION", Action: "SUCCEED", Payload: "{}" }
]

for (const transport of transports) {
  describe(transport.name, () => {
    /** Uses the store over a server that answers in this way. */
    const withStore = <A, E>(respond: Respond, use: (store: Store, server: Loopback) => Effect.Effect<A, E>) =>
      Effect.scoped(
        Effect.gen(function* () {
          const server = yield* loopback(respond)
          return yield* Effect.flatMap(CheckpointStore.CheckpointStore, (store) => use(store, server)).pipe(
            Effect.provide(transport.checkpoints(server))
          )
        })
      )

    describe("what the store sends is what the service expects", () => {
      const calls: Readonly<Record<string, (store: Store) => Effect.Effect<unknown, CheckpointStore.StoreError>>> = {
        "updates of every kind": checkpoint(updates, "batch-1"),
        "no updates": checkpoint([], "poll-1"),
        "a page of the state": loadState("page 2/3")
      }
      for (const expected of golden("checkpoints")) {
        it.live(expected.name, () =>
          withStore(
            () => ({ body: { CheckpointToken: "next", NewExecutionState: {}, Operations: [] } }),
            Effect.fnUntraced(function* (store, { requests }) {
              yield* calls[expected.name]?.(store) ?? Effect.die(`no call named ${expected.name}`)
              assert.lengthOf(requests, 1)
              assert.deepStrictEqual(essence(requests[0], expected), expected)
            })
          )
        )
      }

      it.live("a batch of the largest size, to the last byte", () =>
        withStore(
          () => ({ body: { CheckpointToken: "next", NewExecutionState: {} } }),
          Effect.fnUntraced(function* (store, { requests }) {
            const batch = Array.from({ length: 250 }, (_, i): OperationUpdate => ({
              Id: `s${i}`,
              Type: "STEP",
              Action: "SUCCEED",
              Payload: JSON.stringify("é".repeat(1_400))
            }))
            yield* checkpoint(batch, "large")(store)
            assert.deepStrictEqual(JSON.parse(requests[0]?.body ?? "").Updates, batch)
          })
        )
      )
    })

    describe("what the store makes of answers", () => {
      const answers = <A>(body: unknown, call: (store: Store) => Effect.Effect<A, CheckpointStore.StoreError>) =>
        withStore(
          () => ({ body }),
          (store) => call(store)
        )

      it.live("epoch seconds become epoch milliseconds, to the millisecond", () =>
        Effect.gen(function* () {
          const operation = {
            Id: "s1",
            Type: "STEP",
            Status: "PENDING",
            StartTimestamp: 1767356934.93,
            StepDetails: { Attempt: 1, NextAttemptTimestamp: 1767356936.001 }
          }
          const { NewExecutionState } = yield* answers(
            { CheckpointToken: "next", NewExecutionState: { Operations: [operation], NextMarker: "more" } },
            checkpoint([], "poll")
          )
          const page = yield* answers({ Operations: [operation], NextMarker: "more" }, loadState("1"))
          const decoded = {
            ...operation,
            StartTimestamp: 1_767_356_934_930,
            StepDetails: { Attempt: 1, NextAttemptTimestamp: 1_767_356_936_001 }
          }
          assert.deepStrictEqual(NewExecutionState, { Operations: [decoded], NextMarker: "more" })
          assert.deepStrictEqual(page, { Operations: [decoded], NextMarker: "more" })
        })
      )

      it.live("what the service leaves out is empty, and an empty marker is none", () =>
        Effect.gen(function* () {
          const bare = yield* answers({}, checkpoint([], "poll"))
          assert.deepStrictEqual(bare, { NewExecutionState: { Operations: [] } })
          const last = yield* answers({ Operations: [], NextMarker: "" }, loadState("1"))
          assert.deepStrictEqual({ ...last }, { Operations: [] })
        })
      )

      it.live("statuses and types of a later service pass", () =>
        Effect.gen(function* () {
          const page = yield* answers(
            { Operations: [{ Id: "q", Type: "QUEUE", Status: "HELD", StartTimestamp: 1, QueueDetails: { Depth: 1 } }] },
            loadState("1")
          )
          assert.deepStrictEqual(
            page.Operations.map(({ Status, Type }) => ({ Status, Type })),
            [{ Status: "HELD", Type: "QUEUE" }]
          )
        })
      )
    })
  })
}
