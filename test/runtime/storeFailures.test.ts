import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, Durable, DurableError } from "effect-durable"
import { LambdaCheckpoints } from "effect-durable/lambda"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import { operationId } from "../../src/execution/Identity.ts"
import {
  actions,
  assertSucceeded,
  eventOf,
  execute,
  failureOf,
  holds,
  invokeOnce,
  type Store
} from "../operations/support.ts"

const { StaleCheckpointToken, StoreRefused, StoreUnavailable } = CheckpointStore
const { storeError } = LambdaCheckpoints

const program = Effect.andThen(Durable.step("a", Effect.succeed(1)), Durable.step("b", Effect.succeed(2)))

const paged = {
  ...eventOf([]),
  InitialExecutionState: { ...eventOf([]).InitialExecutionState, NextMarker: "page-2" }
}

/** Lets the time of back-offs pass until a fiber has ended. */
const whileTimePasses = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    for (let i = 0; i < 200 && fiber.pollUnsafe() === undefined; i++) {
      yield* TestClock.adjust("500 millis")
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    }
    return yield* Fiber.join(fiber)
  })

describe("A failed call of the Lambda API is", () => {
  const { Stale, Refused, Unavailable } = {
    Stale: StaleCheckpointToken,
    Refused: StoreRefused,
    Unavailable: StoreUnavailable
  }
  type Failure = Parameters<typeof storeError>[0]
  const table: ReadonlyArray<readonly [string, Failure, typeof Stale | typeof Refused | typeof Unavailable]> = [
    [
      "the service's stale token",
      { status: 400, name: "InvalidParameterValueException", message: "Invalid Checkpoint Token" },
      Stale
    ],
    [
      "an emulator's stale token",
      { status: 400, name: "InvalidParameterValueException", message: "Invalid checkpoint token: expired" },
      Stale
    ],
    ["a stale token in capitals", { status: 400, message: "INVALID CHECKPOINT TOKEN" }, Stale],
    ["a message that only mentions it", { status: 400, message: "Not an Invalid checkpoint token" }, Refused],
    ["its text with another status", { status: 500, message: "Invalid checkpoint token" }, Unavailable],
    [
      "any other 400",
      { status: 400, name: "InvalidParameterValueException", message: "Invalid parent operation id." },
      Refused
    ],
    ["403", { status: 403, name: "AccessDeniedException", message: "no" }, Refused],
    ["404", { status: 404, name: "ResourceNotFoundException", message: "no" }, Refused],
    ["413", { status: 413, name: "RequestTooLargeException", message: "no" }, Refused],
    ["429", { status: 429, name: "TooManyRequestsException", message: "slow" }, Unavailable],
    ["500", { status: 500, name: "ServiceException", message: "oops" }, Unavailable],
    ["502", { status: 502, message: "bad gateway" }, Unavailable],
    ["503", { status: 503, message: "" }, Unavailable],
    ["no status: the network", { name: "TimeoutError", message: "socket hang up" }, Unavailable],
    ["nothing but a message", { message: "what?" }, Unavailable],
    ...["KMSAccessDeniedException", "KMSDisabledException", "KMSInvalidStateException", "KMSNotFoundException"].map(
      (name) => [`${name} at 502`, { status: 502, name, message: "key" }, Refused] as const
    )
  ]
  for (const [name, failure, expected] of table) {
    it(`${expected.identifier}: ${name}`, () => {
      const error = storeError(failure)
      assert.strictEqual(error._tag, expected.identifier)
      assert.include(error.message, failure.message)
    })
  }
})

describe("A stale token", () => {
  for (const message of ["Invalid Checkpoint Token", "Invalid checkpoint token"]) {
    const stale = Effect.fail(storeError({ status: 400, name: "InvalidParameterValueException", message }))

    it.effect(`at a checkpoint fails the invocation, which records nothing more: ${message}`, () =>
      Effect.gen(function* () {
        const { answer, failure, requests } = yield* invokeOnce(program, { store: { checkpoint: () => stale } })
        assert.isUndefined(answer)
        assert.instanceOf(failure, DurableError.InvocationFailed)
        assert.strictEqual(failure.reason, "stale-token")
        assert.lengthOf(requests, 1)
      })
    )

    it.effect(`at a page of the state fails the invocation before the workflow runs: ${message}`, () =>
      Effect.gen(function* () {
        let runs = 0
        const { answer, failure, requests } = yield* invokeOnce(
          Effect.sync(() => void runs++),
          { event: paged, store: { loadState: () => stale } }
        )
        assert.isUndefined(answer)
        assert.strictEqual(failure?.reason, "stale-token")
        assert.strictEqual(runs, 0)
        assert.lengthOf(requests, 0)
      })
    )

    it.effect(`at a page of the new state fails the invocation: ${message}`, () =>
      Effect.gen(function* () {
        const { failure, requests } = yield* invokeOnce(program, {
          store: {
            checkpoint: () =>
              Effect.succeed({ CheckpointToken: "next", NewExecutionState: { Operations: [], NextMarker: "2" } }),
            loadState: () => stale
          }
        })
        assert.strictEqual(failure?.reason, "stale-token")
        assert.lengthOf(requests, 1)
      })
    )
  }

  it.effect("is no failure of the execution: the invocation that owns it goes on", () =>
    Effect.gen(function* () {
      let lost = false
      const ran = yield* execute(program, {
        store: (store) => ({
          checkpoint: (request) => {
            if (lost || !holds("SUCCEED", "b")(request)) return store.checkpoint(request)
            lost = true
            return store.checkpoint({ ...request, CheckpointToken: btoa("stale") })
          }
        })
      })
      assertSucceeded(ran)
      assert.strictEqual(ran.invocations, 2)
      assert.isUndefined(ran.history.find((event) => event.EventType === "StepFailed"))
    })
  )

  it.effect("cannot be caught by the workflow", () =>
    Effect.gen(function* () {
      let caught = 0
      const { failure } = yield* invokeOnce(
        Effect.catchCause(program, () => Effect.sync(() => void caught++)),
        { store: { checkpoint: () => Effect.fail(new StaleCheckpointToken({ message: "Invalid Checkpoint Token" })) } }
      )
      assert.strictEqual(failure?.reason, "stale-token")
      assert.strictEqual(caught, 0)
    })
  )
})

describe("A response without a token", () => {
  it.effect("ends the invocation as PENDING, and nothing more is sent", () =>
    Effect.gen(function* () {
      for (const CheckpointToken of [undefined, ""]) {
        let after = 0
        const { answer, requests } = yield* invokeOnce(
          Effect.andThen(
            program,
            Effect.sync(() => void after++)
          ),
          { store: { checkpoint: () => Effect.succeed({ CheckpointToken, NewExecutionState: { Operations: [] } }) } }
        )
        assert.deepStrictEqual(answer, { Status: "PENDING" })
        assert.lengthOf(requests, 1)
        assert.strictEqual(after, 0)
      }
    })
  )

  it.effect("is PENDING at the last checkpoint too, and never SUCCEEDED", () =>
    Effect.gen(function* () {
      const { answer } = yield* invokeOnce(Durable.child("last", Effect.succeed(1)), {
        store: { checkpoint: () => Effect.succeed({ NewExecutionState: { Operations: [] } }) }
      })
      assert.deepStrictEqual(answer, { Status: "PENDING" })
    })
  )
})

describe("An unavailable store", () => {
  const down = Effect.fail(new StoreUnavailable({ message: "TooManyRequestsException: slow down" }))

  it.effect("is asked a few times with the same request, and then the invocation fails", () =>
    Effect.gen(function* () {
      const { answer, failure, requests } = yield* whileTimePasses(
        invokeOnce(program, { store: { checkpoint: () => Effect.suspend(() => down) } })
      )
      assert.isUndefined(answer)
      assert.strictEqual(failure?.reason, "store-unavailable")
      assert.include(failure?.message, "slow down")
      assert.isAtLeast(requests.length, 1)
      assert.lengthOf(new Set(requests.map((request) => JSON.stringify(request))), 1)
    })
  )

  it.effect("that comes back in time is not noticed", () =>
    Effect.gen(function* () {
      let calls = 0
      const ran = yield* execute(program, {
        store: (store) => ({
          checkpoint: (request) => Effect.suspend(() => (++calls % 5 === 0 ? store.checkpoint(request) : down))
        })
      })
      assertSucceeded(ran)
      assert.strictEqual(ran.invocations, 1)
    })
  )

  it.effect("is asked for a page of the state a few times, and then the invocation fails", () =>
    Effect.gen(function* () {
      let calls = 0
      const { failure } = yield* whileTimePasses(
        invokeOnce(program, {
          event: paged,
          store: { loadState: () => Effect.suspend(() => (calls++, down)) }
        })
      )
      assert.strictEqual(failure?.reason, "store-unavailable")
      assert.strictEqual(calls, 5)
    })
  )

  it.effect("costs the execution an invocation and no more", () =>
    Effect.gen(function* () {
      let calls = 0
      const ran = yield* execute(program, {
        store: (store) => ({
          checkpoint: (request) => Effect.suspend(() => (++calls <= 5 ? down : store.checkpoint(request)))
        })
      })
      assertSucceeded(ran)
      assert.strictEqual(ran.invocations, 2)
    })
  )

  it.effect("at the last checkpoint fails the invocation instead of answering SUCCEEDED", () =>
    Effect.gen(function* () {
      const { answer, failure } = yield* whileTimePasses(
        invokeOnce(Durable.child("last", Effect.succeed(1)), { store: { checkpoint: () => down } })
      )
      assert.isUndefined(answer)
      assert.strictEqual(failure?.reason, "store-unavailable")
    })
  )
})

describe("A store that refuses", () => {
  const refuses = Effect.fail(
    storeError({ status: 400, name: "InvalidParameterValueException", message: "Invalid parent operation id." })
  )

  it.effect("ends the execution as FAILED, and says why", () =>
    Effect.gen(function* () {
      const { answer, requests } = yield* invokeOnce(program, { store: { checkpoint: () => refuses } })
      assert.strictEqual(answer?.Status, "FAILED")
      const error = answer?.Status === "FAILED" ? answer.Error : undefined
      assert.strictEqual(error?.ErrorType, "StoreRejected")
      assert.include(error?.ErrorMessage, "Invalid parent operation id.")
      assert.lengthOf(requests, 1)
    })
  )

  it.effect("to give out the state ends the execution as FAILED before the workflow runs", () =>
    Effect.gen(function* () {
      let runs = 0
      const key = Effect.fail(
        storeError({ status: 502, name: "KMSDisabledException", message: "The key is disabled." })
      )
      const { answer } = yield* invokeOnce(
        Effect.sync(() => void runs++),
        { event: paged, store: { loadState: () => key } }
      )
      const error = answer?.Status === "FAILED" ? answer.Error : undefined
      assert.strictEqual(error?.ErrorType, "StoreRejected")
      assert.include(error?.ErrorMessage, "KMSDisabledException: The key is disabled.")
      assert.strictEqual(runs, 0)
    })
  )

  it.effect("the last checkpoint makes the execution FAILED, not SUCCEEDED", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Durable.child("last", Effect.succeed(1)), {
        store: () => ({ checkpoint: () => refuses })
      })
      assert.strictEqual(failureOf(ran).errorType, "StoreRejected")
      assert.isAtLeast(ran.exits.length, 1)
    })
  )

  it.effect("cannot be caught by the workflow", () =>
    Effect.gen(function* () {
      let caught = 0
      const { answer } = yield* invokeOnce(
        Effect.catchCause(program, () => Effect.sync(() => void caught++)),
        { store: { checkpoint: () => refuses } }
      )
      assert.strictEqual(answer?.Status, "FAILED")
      assert.strictEqual(caught, 0)
    })
  )
})

describe("A store with a fault of its own", () => {
  const faults: Record<string, Partial<Store>> = {
    "that dies": { checkpoint: () => Effect.die(new Error("a bug in the store")) },
    "that throws": {
      checkpoint: () => {
        throw new Error("a bug in the store")
      }
    },
    "that interrupts itself": { checkpoint: () => Effect.interrupt }
  }
  for (const [name, store] of Object.entries(faults)) {
    it.live(`${name} ends the invocation, which does not hang`, () =>
      Effect.gen(function* () {
        const ended = yield* invokeOnce(program, { store }).pipe(Effect.exit, Effect.timeoutOption("1 second"))
        assert.strictEqual(ended._tag, "Some")
      })
    )
  }
})

describe("An invocation", () => {
  it.effect("reads all pages of the state, with its first token, before the workflow runs", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const { answer, updates } = yield* invokeOnce(program, {
        event: { ...paged, InitialExecutionState: { Operations: [], NextMarker: "1" } },
        store: {
          loadState: ({ CheckpointToken, Marker }) => {
            asked.push(`${CheckpointToken} ${Marker}`)
            const operations = eventOf([
              { Id: operationId("", "a", 0), Type: "STEP", SubType: "Step", Name: "a", StepDetails: { Result: "1" } }
            ]).InitialExecutionState.Operations
            return Effect.succeed(
              Marker === "1"
                ? { Operations: [], NextMarker: "2" }
                : Marker === "2"
                  ? { Operations: operations, NextMarker: "3" }
                  : { Operations: [] }
            )
          }
        }
      })
      assert.deepStrictEqual(answer, { Status: "SUCCEEDED" })
      assert.deepStrictEqual(asked, ["token-0 1", "token-0 2", "token-0 3"])
      assert.deepStrictEqual(actions(updates), ["START b", "SUCCEED b"])
    })
  )

  it.effect("takes the last record of an operation that several pages hold", () =>
    Effect.gen(function* () {
      const page = (result: string) =>
        eventOf([
          { Id: operationId("", "a", 0), Type: "STEP", SubType: "Step", Name: "a", StepDetails: { Result: result } }
        ]).InitialExecutionState.Operations
      const seen: Array<unknown> = []
      const { answer, updates } = yield* invokeOnce(
        Effect.andThen(
          Effect.flatMap(Durable.step("a", Effect.succeed(0)), (value) => Effect.sync(() => seen.push(value))),
          Durable.step("b", Effect.void)
        ),
        {
          event: { ...paged, InitialExecutionState: { Operations: page("1"), NextMarker: "1" } },
          store: {
            loadState: ({ Marker }) =>
              Effect.succeed(Marker === "1" ? { Operations: page("2"), NextMarker: "2" } : { Operations: page("3") })
          }
        }
      )
      assert.deepStrictEqual(answer, { Status: "SUCCEEDED" })
      assert.deepStrictEqual(seen, [3])
      assert.deepStrictEqual(actions(updates), ["START b", "SUCCEED b"])
    })
  )
})
