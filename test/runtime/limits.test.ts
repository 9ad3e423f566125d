import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, Durable, DurableClient, DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { operationId } from "../../src/execution/Identity.ts"
import { invoke } from "../../src/invocation/Invocation.ts"
import type { InvocationEvent } from "../../src/wire/Invocation.ts"
import { eventOf, invokeOnce } from "../operations/support.ts"
import { eventHolding, filledThen } from "./filled.ts"

const Text = DurableFunction.make("text", { success: Schema.String })

/** One invocation of a function that returns a text of so many bytes of JSON. */
const returning = (
  bytes: number,
  checkpoint?: CheckpointStore.CheckpointStore["Service"]["checkpoint"],
  options: Parameters<typeof invoke>[2] = {},
  result = "x".repeat(bytes - 2)
) =>
  Effect.gen(function* () {
    const requests: Array<CheckpointStore.CheckpointRequest> = []
    const text = Text.implement(() => Effect.sync(() => result))
    const exit = yield* Effect.exit(
      invoke(text, eventOf([]), options).pipe(
        Effect.provideService(CheckpointStore.CheckpointStore, {
          loadState: () => Effect.die("no page"),
          checkpoint: (request) => {
            requests.push(request)
            return checkpoint?.(request) ?? Effect.succeed({ NewExecutionState: { Operations: [] } })
          }
        })
      )
    )
    return { answer: exit._tag === "Success" ? exit.value.answer : undefined, exit, requests }
  })

describe("The result of an execution", () => {
  it.effect("is in the answer up to 6,291,406 bytes", () =>
    Effect.gen(function* () {
      const { answer, requests } = yield* returning(6_291_406)
      assert.strictEqual(answer?.Status === "SUCCEEDED" ? answer.Result?.length : undefined, 6_291_406)
      assert.lengthOf(requests, 0)
    })
  )

  it.effect("goes through an update of the execution beyond, up to 6,291,456 bytes, and the answer has none", () =>
    Effect.gen(function* () {
      for (const bytes of [6_291_407, 6_291_456]) {
        const { answer, requests } = yield* returning(bytes)
        assert.deepStrictEqual(answer, { Status: "SUCCEEDED", Result: "" })
        assert.lengthOf(requests, 1)
        const [update] = requests[0]!.Updates
        assert.deepStrictEqual([update!.Type, update!.Action, update!.Payload?.length], ["EXECUTION", "SUCCEED", bytes])
      }
    })
  )

  it.effect("goes through it, too, if the answer as JSON would be too large for Lambda", () =>
    Effect.gen(function* () {
      for (const [quotes, isInline] of [
        [1_572_000, true],
        [1_573_000, false]
      ] as const) {
        const { answer, requests } = yield* returning(quotes * 2 + 2, undefined, {}, '"'.repeat(quotes))
        assert.strictEqual(answer?.Status === "SUCCEEDED" && answer.Result !== "", isInline)
        assert.lengthOf(requests, isInline ? 0 : 1)
        assert.isAtMost(JSON.stringify(answer).length, 6_291_456)
      }
    })
  )

  it.effect("is PayloadTooLarge beyond, and nothing is sent", () =>
    Effect.gen(function* () {
      const { answer, requests } = yield* returning(6_291_457)
      const error = answer?.Status === "FAILED" ? answer.Error : undefined
      assert.strictEqual(error?.ErrorType, "PayloadTooLarge")
      assert.include(error?.ErrorMessage, "6291456")
      assert.lengthOf(requests, 0)
    })
  )

  it.effect("is LimitExceeded when its update would write more than an execution may, and nothing is sent", () =>
    Effect.gen(function* () {
      const { answer, requests } = yield* returning(6_291_407, undefined, { maxStorage: 6_291_406 })
      assert.strictEqual(answer?.Status === "FAILED" ? answer.Error?.ErrorType : undefined, "LimitExceeded")
      assert.lengthOf(requests, 0)
    })
  )

  it.effect("is not SUCCEEDED when its update is refused, and fails the invocation when it may be sent again", () =>
    Effect.gen(function* () {
      const refused = yield* returning(6_291_407, () =>
        Effect.fail(new CheckpointStore.StoreRefused({ message: "no" }))
      )
      assert.strictEqual(refused.answer?.Status, "FAILED")
      const stale = yield* returning(6_291_407, () =>
        Effect.fail(new CheckpointStore.StaleCheckpointToken({ message: "Invalid Checkpoint Token" }))
      )
      assert.isUndefined(stale.answer)
    })
  )

  it.effect("arrives whole at whoever waits for it", () =>
    Effect.gen(function* () {
      for (const bytes of [6_291_406, 6_291_407]) {
        const text = Text.implement(() =>
          Effect.andThen(
            Durable.child("last", Effect.succeed(1)),
            Effect.sync(() => "é".repeat((bytes - 2) / 2) + "x".repeat(bytes % 2))
          )
        )
        const result = yield* TestEngine.run(Text).pipe(Effect.provide(TestEngine.layer([text])))
        assert.strictEqual(new TextEncoder().encode(JSON.stringify(result)).length, bytes)
      }
    })
  )

  it.effect("that does not fit the contract is SerdesFailed with the path", () =>
    Effect.gen(function* () {
      const Odd = DurableFunction.make("odd", { success: Schema.Struct({ even: Schema.Int }) })
      const odd = Odd.implement(() => Effect.succeed({ even: 0.5 }))
      const error = yield* Effect.flip(TestEngine.run(Odd)).pipe(Effect.provide(TestEngine.layer([odd])))
      assert.isTrue(error._tag === "ExecutionFailed" && error.errorType === "SerdesFailed")
      assert.include(error.message, `["even"]`)
    })
  )
})

describe("The payload of an execution", () => {
  const Order = Schema.Struct({ id: Schema.String, lines: Schema.Array(Schema.Struct({ amount: Schema.Int })) })
  const Ship = DurableFunction.make("ship", { payload: Order })

  /** Starts an execution with a payload as text, as anybody may. */
  const startWith = (payload: string | undefined) =>
    Effect.gen(function* () {
      let runs = 0
      const ship = Ship.implement(() => Effect.sync(() => void runs++))
      const found = yield* Effect.gen(function* () {
        const client = yield* DurableClient.DurableClient
        const started = yield* client.start({
          functionName: "ship:$LATEST",
          type: "RequestResponse",
          ...(payload === undefined ? undefined : { payload })
        })
        const history = yield* client.history(started.executionArn)
        if (started.outcome === undefined) return yield* Effect.die("The client did not wait for the end.")
        return { outcome: started.outcome, types: history.items.map((event) => event.EventType) }
      }).pipe(Effect.provide(TestEngine.layer([ship])))
      return { ...found, runs }
    })

  const bad: Record<string, readonly [string | undefined, string]> = {
    "a field of the wrong type": [`{"id":"o","lines":[{"amount":1},{"amount":"2"}]}`, `["lines"][1]["amount"]`],
    "a missing field": [`{"id":"o"}`, `["lines"]`],
    "no JSON": [`{"id":`, "JSON"],
    "an empty text": ["", "JSON"],
    "another value": ["5", "Expected object"],
    nothing: [undefined, "ship"]
  }
  for (const [name, [payload, path]] of Object.entries(bad)) {
    it.effect(`that does not fit the contract ends it as InvalidPayload at once: ${name}`, () =>
      Effect.gen(function* () {
        const { outcome, runs, types } = yield* startWith(payload)
        assert.strictEqual(outcome.status, "FAILED")
        const error = outcome.status === "FAILED" ? outcome.error : undefined
        assert.strictEqual(error?.ErrorType, "InvalidPayload")
        assert.include(error?.ErrorMessage, path)
        assert.include(error?.ErrorMessage, `"ship"`)
        assert.strictEqual(runs, 0)
        assert.deepStrictEqual(types, ["ExecutionStarted", "InvocationCompleted", "ExecutionFailed"])
      })
    )
  }

  it.effect("that fits reaches the workflow", () =>
    Effect.gen(function* () {
      const { outcome, runs } = yield* startWith(`{"id":"o","lines":[],"more":1}`)
      assert.strictEqual(outcome.status, "SUCCEEDED")
      assert.strictEqual(runs, 1)
    })
  )

  it.effect("that is absent is undefined", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const Nothing = DurableFunction.make("nothing")
      const Maybe = DurableFunction.make("maybe", { payload: Schema.UndefinedOr(Schema.String) })
      const note = (payload: unknown) => Effect.sync(() => void seen.push(payload))
      yield* Effect.gen(function* () {
        yield* TestEngine.run(Nothing)
        yield* TestEngine.run(Maybe)
        yield* TestEngine.run(Maybe, "x")
      }).pipe(Effect.provide(TestEngine.layer([Nothing.implement(note), Maybe.implement(note)])))
      assert.deepStrictEqual(seen, [undefined, undefined, "x"])
    })
  )

  it.effect("is undefined when the service lists no EXECUTION operation", () =>
    Effect.gen(function* () {
      const event: InvocationEvent = { ...eventOf([]), InitialExecutionState: { Operations: [] } }
      const { answer } = yield* invokeOnce(Effect.void, { event })
      assert.deepStrictEqual(answer, { Status: "SUCCEEDED" })
    })
  )
})

describe("A record that cannot be read", () => {
  const Shape = Schema.Struct({ a: Schema.Array(Schema.Int) })
  const step = Durable.step("read", Effect.succeed({ a: [1] }), { success: Shape })
  const record = (Result?: string) =>
    eventOf([
      {
        Id: operationId("", "read", 0),
        Name: "read",
        Type: "STEP",
        SubType: "Step",
        StepDetails: { ...(Result === undefined ? undefined : { Result }) }
      }
    ])
  const unreadable: Record<string, readonly [string | undefined, string]> = {
    "another shape": [`{"a":[1,"2"]}`, `["a"][1]`],
    "no JSON": ["{", "JSON"],
    nothing: [undefined, "there is none"]
  }
  for (const [name, [text, path]] of Object.entries(unreadable)) {
    it.effect(`is SerdesFailed with operation and path, for good: ${name}`, () =>
      Effect.gen(function* () {
        const { answer, updates } = yield* invokeOnce(step, { event: record(text) })
        const error = answer?.Status === "FAILED" ? answer.Error : undefined
        assert.strictEqual(error?.ErrorType, "SerdesFailed")
        assert.include(error?.ErrorMessage, `"read"`)
        assert.include(error?.ErrorMessage, path)
        assert.deepStrictEqual(updates, [])
      })
    )
  }

  it.effect("is SerdesFailed when it is an error of another shape", () =>
    Effect.gen(function* () {
      class Declined extends Schema.TaggedError<Declined>()("Declined", { code: Schema.Int }) {}
      const event = eventOf([
        {
          Id: operationId("", "pay", 0),
          Name: "pay",
          Type: "STEP",
          SubType: "Step",
          Status: "FAILED",
          StepDetails: {
            Error: { ErrorType: "Declined", ErrorMessage: "m", ErrorData: `{"_tag":"Declined","code":"x"}` }
          }
        }
      ])
      const { answer } = yield* invokeOnce(
        Effect.ignore(Durable.step("pay", new Declined({ code: 1 }), { error: Declined })),
        { event }
      )
      const error = answer?.Status === "FAILED" ? answer.Error : undefined
      assert.strictEqual(error?.ErrorType, "SerdesFailed")
      assert.include(error?.ErrorMessage, `["code"]`)
    })
  )

  it.effect("is a defect when it has no error at all", () =>
    Effect.gen(function* () {
      const event = eventOf([
        { Id: operationId("", "pay", 0), Name: "pay", Type: "STEP", SubType: "Step", Status: "FAILED" }
      ])
      const { answer } = yield* invokeOnce(Durable.step("pay", Effect.void), { event })
      assert.strictEqual(answer?.Status, "FAILED")
    })
  )
})

describe("An execution", () => {
  it.effect("holds up to 3,000 operations, and is LimitExceeded beyond, before anything is sent", () =>
    Effect.gen(function* () {
      const program = filledThen(Durable.step("one more", Effect.succeed(1)))
      const below = yield* invokeOnce(program, { event: eventHolding(2_998) })
      assert.strictEqual(below.answer?.Status, "SUCCEEDED")
      const { answer, updates } = yield* invokeOnce(program, { event: eventHolding(2_999) })
      const error = answer?.Status === "FAILED" ? answer.Error : undefined
      assert.strictEqual(error?.ErrorType, "LimitExceeded")
      assert.deepStrictEqual(updates, [])
    })
  )
})
