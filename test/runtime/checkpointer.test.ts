import { assert, describe, it } from "@effect/vitest"
import type { CheckpointStore } from "effect-durable"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FastCheck from "fast-check"
import { Checkpointer } from "../../src/runtime/Checkpointer.ts"
import { isClientToken } from "../../src/wire/Constraints.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import type { OperationUpdate } from "../../src/wire/OperationUpdate.ts"
import type { Store } from "../operations/support.ts"

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)
console.log(`SEED=${seed}`)

const update = (id: string, more: Partial<OperationUpdate> = {}): OperationUpdate => ({
  Id: id,
  Name: id,
  Type: "STEP",
  SubType: "Step",
  Action: "SUCCEED",
  ...more
})

const operation = (id: string): Operation => ({ Id: id, Type: "STEP", Status: "READY", StartTimestamp: 0 })

/** A checkpointer with a store that a test answers, and with timers that a test fires. */
const make = (store: Partial<Store> = {}) => {
  const requests: Array<CheckpointStore.CheckpointRequest> = []
  const log: Array<string> = []
  const timers: Array<{ readonly millis: number; readonly fire: () => void }> = []
  let now = 0
  let unanswered = 0
  let most = 0
  const answer: Store = {
    checkpoint: () =>
      Effect.succeed({ CheckpointToken: `token-${requests.length}`, NewExecutionState: { Operations: [] } }),
    loadState: () => Effect.succeed({ Operations: [] }),
    ...store
  }
  const idle = Deferred.makeUnsafe<void>()
  const checkpointer = new Checkpointer("token-0", {
    executionArn: "arn",
    store: {
      loadState: answer.loadState,
      checkpoint: (request) =>
        Effect.acquireUseRelease(
          Effect.sync(() => {
            requests.push(request)
            most = Math.max(most, ++unanswered)
          }),
          () => answer.checkpoint(request),
          () => Effect.sync(() => void unanswered--)
        )
    },
    now: () => now,
    random: () => 0,
    fork: (effect) => Effect.runFork(effect),
    after: (millis, fire) => void timers.push({ millis, fire }),
    onState: (operations) => void log.push(`state ${operations.map(({ Id }) => Id).join(" ")}`),
    onFailure: (error) => void log.push(error._tag),
    onTokenMissing: () => void log.push("no token"),
    onAcknowledged: () => {},
    onRepeat: () => {},
    onIdle: () => {
      log.push("idle")
      Deferred.doneUnsafe(idle, Effect.void)
    }
  })
  return {
    checkpointer,
    requests,
    log,
    timers,
    /** Sends an update and notes when it is acknowledged. */
    submit: (id: string, more?: Partial<OperationUpdate>) =>
      checkpointer.submit(update(id, more), () => void log.push(`acknowledged ${id}`)),
    pass: (millis: number) => void (now += millis),
    idle: Deferred.await(idle),
    mostAtOnce: () => most
  }
}

const ids = (requests: ReadonlyArray<CheckpointStore.CheckpointRequest>) =>
  requests.map((request) => request.Updates.map((update) => update.Id))

const counted = (n: number): ReadonlyArray<string> => Array.from({ length: n }, (_, i) => `op-${i}`)

describe("The checkpointer", () => {
  it.live("sends in the order of submission, one request at a time, along the chain of tokens", () =>
    Effect.gen(function* () {
      const { idle, mostAtOnce, requests, submit } = make({
        checkpoint: ({ CheckpointToken }) =>
          Effect.delay(
            Effect.succeed({ CheckpointToken: `${CheckpointToken}+`, NewExecutionState: { Operations: [] } }),
            2
          )
      })
      submit("a")
      submit("b")
      yield* Effect.sleep(1)
      submit("c")
      yield* Effect.yieldNow
      submit("d")
      yield* idle
      assert.deepStrictEqual(ids(requests), [
        ["a", "b"],
        ["c", "d"]
      ])
      assert.deepStrictEqual(
        requests.map((request) => request.CheckpointToken),
        ["token-0", "token-0+"]
      )
      assert.strictEqual(mostAtOnce(), 1)
    })
  )

  it.live("puts whatever one turn of the event loop submits into one request", () =>
    Effect.gen(function* () {
      const { idle, requests, submit } = make()
      for (const id of counted(100)) submit(id)
      queueMicrotask(() => submit("in a microtask"))
      yield* idle
      assert.lengthOf(requests, 1)
      assert.lengthOf(requests[0]!.Updates, 101)
    })
  )

  it.live("sends at most 250 updates in a request", () =>
    Effect.gen(function* () {
      const { idle, log, requests, submit } = make()
      const all = counted(601)
      for (const id of all) submit(id)
      yield* idle
      assert.deepStrictEqual(
        requests.map((request) => request.Updates.length),
        [250, 250, 101]
      )
      assert.deepStrictEqual(ids(requests).flat(), all)
      assert.lengthOf(
        log.filter((line) => line.startsWith("acknowledged")),
        601
      )
    })
  )

  it.live("sends at most 768,000 bytes in a request, whatever is in them, and never holds back a larger one", () =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(
          FastCheck.array(
            FastCheck.record({
              character: FastCheck.constantFrom("a", "é", "✓", "😀", "\u0000", `"`, "\ud800"),
              length: FastCheck.oneof(
                FastCheck.integer({ min: 0, max: 1_000 }),
                FastCheck.integer({ min: 50_000, max: 260_000 })
              ),
              error: FastCheck.boolean()
            }),
            { minLength: 1, maxLength: 12 }
          ),
          async (items) => {
            const { idle, requests, submit } = make()
            items.forEach(({ character, error, length }, i) => {
              const text = character.repeat(length)
              submit(`op-${i}`, error ? { Action: "FAIL", Error: { ErrorMessage: text } } : { Payload: text })
            })
            await Effect.runPromise(idle)
            assert.deepStrictEqual(
              ids(requests).flat(),
              items.map((_, i) => `op-${i}`)
            )
            for (const { Updates } of requests) {
              const bytes = new TextEncoder().encode(JSON.stringify(Updates)).length
              assert.isTrue(Updates.length === 1 || bytes <= 768_000, `${Updates.length} updates of ${bytes} bytes`)
            }
          }
        ),
        { seed, numRuns: 15 }
      )
    )
  )

  it.live("fills a request as far as it goes", () =>
    Effect.gen(function* () {
      const { idle, requests, submit } = make()
      for (const id of counted(9)) submit(id, { Payload: "x".repeat(250_000) })
      yield* idle
      assert.deepStrictEqual(
        requests.map((request) => request.Updates.length),
        [3, 3, 3]
      )
    })
  )

  it.live("sends the update of the execution alone and last", () =>
    Effect.gen(function* () {
      const { checkpointer, idle, requests, submit } = make({
        checkpoint: ({ Updates }) =>
          Effect.succeed({
            CheckpointToken: Updates[0]?.Type === "EXECUTION" ? undefined : "next",
            NewExecutionState: { Operations: [] }
          })
      })
      checkpointer.post(update("context", { Type: "CONTEXT" }))
      submit("a")
      submit("execution", { Type: "EXECUTION" })
      yield* idle
      assert.deepStrictEqual(ids(requests), [["context", "a"], ["execution"]])
    })
  )

  it.live("takes no token for the end of the execution after its own update", () =>
    Effect.gen(function* () {
      const { idle, log, submit } = make({
        checkpoint: () => Effect.succeed({ NewExecutionState: { Operations: [] } })
      })
      submit("execution", { Type: "EXECUTION" })
      yield* idle
      assert.notInclude(log, "no token")
      assert.include(log, "acknowledged execution")
    })
  )

  it.live("reports a response without a token, and acknowledges nothing", () =>
    Effect.gen(function* () {
      for (const CheckpointToken of [undefined, ""]) {
        const { idle, log, submit } = make({
          checkpoint: () => Effect.succeed({ CheckpointToken, NewExecutionState: { Operations: [operation("x")] } })
        })
        submit("a")
        yield* idle
        assert.deepStrictEqual(log, ["no token", "idle"])
      }
    })
  )

  it.live("names each request with a token of its own, which the service accepts", () =>
    Effect.gen(function* () {
      const { idle, requests, submit } = make({
        // A service that gives the same token again, as an emulator may.
        checkpoint: () => Effect.succeed({ CheckpointToken: "token-0", NewExecutionState: { Operations: [] } })
      })
      for (const id of counted(1_000)) submit(id)
      yield* idle
      assert.lengthOf(requests, 4)
      assert.lengthOf(new Set(requests.map((request) => request.ClientToken)), 4)
      for (const { ClientToken } of requests) assert.isTrue(isClientToken(ClientToken))
    })
  )

  it.live("applies every page of the new state, with the new token, before anybody goes on", () =>
    Effect.gen(function* () {
      const asked: Array<CheckpointStore.StateRequest> = []
      const { idle, log, submit } = make({
        checkpoint: () =>
          Effect.succeed({
            CheckpointToken: "next",
            NewExecutionState: { Operations: [operation("1")], NextMarker: "page-2" }
          }),
        loadState: (request) => {
          asked.push(request)
          return Effect.delay(
            Effect.succeed(
              request.Marker === "page-2"
                ? { Operations: [operation("2")], NextMarker: "page-3" }
                : { Operations: [operation("3")], NextMarker: "" }
            ),
            1
          )
        }
      })
      submit("a")
      yield* idle
      assert.deepStrictEqual(log, ["state 1 2 3", "acknowledged a", "idle"])
      assert.deepStrictEqual(
        asked.map(({ CheckpointToken, Marker }) => [CheckpointToken, Marker]),
        [
          ["next", "page-2"],
          ["next", "page-3"]
        ]
      )
    })
  )

  it.live("does not ask for a page that an empty marker names", () =>
    Effect.gen(function* () {
      const { idle, log, submit } = make({
        checkpoint: () =>
          Effect.succeed({
            CheckpointToken: "next",
            NewExecutionState: { Operations: [operation("1")], NextMarker: "" }
          }),
        loadState: () => Effect.die("asked for a page")
      })
      submit("a")
      yield* idle
      assert.deepStrictEqual(log, ["state 1", "acknowledged a", "idle"])
    })
  )

  it.live("lets updates nobody waits for ride along, or leave after 100 ms", () =>
    Effect.gen(function* () {
      const { checkpointer, idle, pass, requests, timers } = make()
      checkpointer.post(update("a"))
      checkpointer.post(update("b"))
      yield* Effect.sleep(5)
      assert.lengthOf(requests, 0)
      assert.deepStrictEqual(
        timers.map((timer) => timer.millis),
        [100]
      )
      pass(100)
      timers[0]!.fire()
      yield* idle
      assert.deepStrictEqual(ids(requests), [["a", "b"]])
    })
  )

  it.live("counts the 100 ms from the oldest update that is left", () =>
    Effect.gen(function* () {
      const { checkpointer, pass, requests, submit, timers } = make()
      checkpointer.post(update("a"))
      pass(60)
      submit("b")
      yield* Effect.sleep(5)
      assert.deepStrictEqual(ids(requests), [["a", "b"]])
      checkpointer.post(update("c"))
      pass(40)
      timers[0]!.fire()
      yield* Effect.sleep(5)
      assert.lengthOf(requests, 1)
      pass(60)
      timers.at(-1)!.fire()
      yield* Effect.sleep(5)
      assert.deepStrictEqual(ids(requests), [["a", "b"], ["c"]])
    })
  )

  it.live("asks for news with an empty request, and sends none when there is nothing to send", () =>
    Effect.gen(function* () {
      const { checkpointer, idle, requests } = make()
      checkpointer.flush()
      yield* Effect.sleep(5)
      assert.lengthOf(requests, 0)
      checkpointer.poll()
      checkpointer.poll()
      yield* idle
      assert.deepStrictEqual(ids(requests), [[]])
    })
  )

  it.live("sends nothing more once it is closed, and forgets what is queued", () =>
    Effect.gen(function* () {
      const { checkpointer, log, requests, submit } = make()
      submit("a")
      checkpointer.close()
      submit("b")
      checkpointer.post(update("c"))
      checkpointer.flush()
      yield* Effect.sleep(5)
      assert.lengthOf(requests, 0)
      assert.notInclude(log.join(), "acknowledged")
      assert.isFalse(checkpointer.busy)
    })
  )
})
