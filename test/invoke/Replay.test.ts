import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, Durable, DurableError, DurableFunction } from "effect-durable"
import { Reply } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { invoked, oneInvocation, operation } from "./oneInvocation.ts"
import { brief, Double, fieldsOf, runToEnd, spy } from "./support.ts"

class CardDeclined extends Schema.TaggedError<CardDeclined>()("CardDeclined", { code: Schema.String }) {}

const Charge = DurableFunction.make("charge", {
  success: Schema.Struct({ id: Schema.String }),
  error: CardDeclined,
  target: "charge:live"
})
const charge = Durable.invoke(Charge)

/** How an invoke shows a record of it: its error, or its value. */
const outcomeOf = (record: Parameters<typeof invoked>[1]) =>
  Effect.gen(function* () {
    const seen: Array<unknown> = []
    const turn = yield* oneInvocation(
      charge.pipe(
        Effect.match({
          onSuccess: (value) => void seen.push(value),
          onFailure: (error) => void seen.push(error)
        })
      ),
      [invoked("charge", record)]
    )
    return { seen, ...turn }
  })

const error = { ErrorType: "Odd", ErrorMessage: "how odd", ErrorData: '{"a":1}', StackTrace: ["at a", "at b"] }

describe("a recorded invoke", () => {
  it.live("that succeeded answers with its result and sends nothing", () =>
    Effect.gen(function* () {
      const { answer, seen, updates } = yield* outcomeOf({
        Status: "SUCCEEDED",
        ChainedInvokeDetails: { Result: '{"id":"c-1"}' }
      })
      assert.deepStrictEqual(seen, [{ id: "c-1" }])
      assert.strictEqual(answer?.Status, "SUCCEEDED")
      assert.deepStrictEqual(updates, [])
    })
  )

  it.live("that has only started suspends the execution and sends nothing", () =>
    Effect.gen(function* () {
      const { answer, seen, updates } = yield* outcomeOf({ Status: "STARTED" })
      assert.deepStrictEqual(answer, { Status: "PENDING" })
      assert.deepStrictEqual(seen, [])
      assert.deepStrictEqual(updates, [])
    })
  )

  it.live("that is pending in words of the future suspends as long as it has no end", () =>
    Effect.gen(function* () {
      const { answer, updates } = yield* outcomeOf({ Status: "QUEUED" })
      assert.deepStrictEqual(answer, { Status: "PENDING" })
      assert.deepStrictEqual(updates, [])
    })
  )

  for (const status of ["CANCELLED", "EVAPORATED"]) {
    it.live(`that ended as ${status} is InvokeFailed with that status`, () =>
      Effect.gen(function* () {
        const { seen } = yield* outcomeOf({
          Status: status,
          EndTimestamp: 2_000,
          ChainedInvokeDetails: { Error: error }
        })
        assert.instanceOf(seen[0], DurableError.InvokeFailed)
        assert.deepStrictEqual(fieldsOf(seen[0]), {
          _tag: "InvokeFailed",
          operation: "charge",
          function: "charge:live",
          status,
          errorType: "Odd",
          errorMessage: "how odd",
          errorData: '{"a":1}',
          stackTrace: ["at a", "at b"]
        })
        assert.include(seen[0].message, status)
      })
    )
  }

  it.live("that was cancelled without a word is InvokeFailed", () =>
    Effect.gen(function* () {
      const { seen } = yield* outcomeOf({ Status: "CANCELLED" })
      assert.instanceOf(seen[0], DurableError.InvokeFailed)
      assert.strictEqual(seen[0].status, "CANCELLED")
    })
  )

  for (const [status, tag] of [
    ["FAILED", "InvokeFailed"],
    ["TIMED_OUT", "InvokeTimedOut"],
    ["STOPPED", "InvokeStopped"]
  ] as const) {
    it.live(`that is ${status} is ${tag} with what the error object says`, () =>
      Effect.gen(function* () {
        const { seen } = yield* outcomeOf({ Status: status, ChainedInvokeDetails: { Error: error } })
        const failure = seen[0]
        if (!DurableError.isInvokeError(failure)) return assert.fail(`found ${String(failure)}`)
        assert.strictEqual(failure._tag, tag)
        assert.deepInclude(fieldsOf(failure), {
          operation: "charge",
          function: "charge:live",
          errorType: "Odd",
          errorMessage: "how odd",
          errorData: '{"a":1}'
        })
        assert.include(failure.message, "how odd")
      })
    )
    for (const [what, details] of [
      ["without an error object", { ChainedInvokeDetails: {} }],
      ["without any details", {}],
      ["with an empty error object", { ChainedInvokeDetails: { Error: {} } }],
      ["with nothing but a message", { ChainedInvokeDetails: { Error: { ErrorMessage: "gone" } } }]
    ] as const) {
      it.live(`that is ${status} ${what} is ${tag} with a message that reads well`, () =>
        Effect.gen(function* () {
          const { seen } = yield* outcomeOf({ Status: status, ...details })
          const failure = seen[0]
          if (!DurableError.isInvokeError(failure)) return assert.fail(`found ${String(failure)}`)
          assert.strictEqual(failure._tag, tag)
          assert.isFalse("errorType" in failure && failure.errorType !== undefined)
          assert.notInclude(failure.message, "undefined")
          assert.include(failure.message, "charge:live")
        })
      )
    }
  }

  it.live("that succeeded without a result is nothing where nothing is due", () =>
    Effect.gen(function* () {
      const Ping = DurableFunction.plain("ping")
      for (const details of [{}, { ChainedInvokeDetails: {} }, { ChainedInvokeDetails: { Result: "null" } }]) {
        const { answer } = yield* oneInvocation(Effect.map(Durable.invoke(Ping), String), [
          invoked("ping", { Status: "SUCCEEDED", ...details })
        ])
        assert.deepStrictEqual(answer, { Status: "SUCCEEDED", Result: '"undefined"' })
      }
    })
  )

  for (const [what, details] of [
    ["no result", {}],
    ["a result that is no JSON", { ChainedInvokeDetails: { Result: "{" } }],
    ["an empty text", { ChainedInvokeDetails: { Result: "" } }],
    ["null", { ChainedInvokeDetails: { Result: "null" } }],
    ["another shape", { ChainedInvokeDetails: { Result: '{"id":7}' } }],
    ["an array", { ChainedInvokeDetails: { Result: "[]" } }]
  ] as const) {
    it.live(`that succeeded with ${what} where a value is due is SerdesFailed, and the execution FAILED`, () =>
      Effect.gen(function* () {
        const { answer, updates } = yield* outcomeOf({ Status: "SUCCEEDED", ...details })
        assert.strictEqual(answer?.Status, "FAILED")
        const recorded = answer?.Status === "FAILED" ? answer.Error : undefined
        assert.strictEqual(recorded?.ErrorType, "SerdesFailed")
        assert.include(recorded?.ErrorMessage, `"charge"`)
        if (what === "another shape") assert.include(recorded?.ErrorMessage, `["id"]`)
        assert.deepStrictEqual(updates, [])
      })
    )
  }

  it.live("has an error in the end that names no part of the payload or result", () =>
    Effect.gen(function* () {
      const { answer } = yield* outcomeOf({
        Status: "SUCCEEDED",
        ChainedInvokeDetails: { Result: '{"id":{"card":"4111-1111"}}' }
      })
      assert.notInclude(JSON.stringify(answer), "4111-1111")
    })
  )

  it.live("is found again whatever the address of the function is by now", () =>
    Effect.gen(function* () {
      const Moved = DurableFunction.make("charge", { success: Schema.Struct({ id: Schema.String }), target: "other:2" })
      const { answer, updates } = yield* oneInvocation(Durable.invoke(Moved), [
        invoked("charge", { Status: "SUCCEEDED", ChainedInvokeDetails: { Result: '{"id":"1"}' } })
      ])
      assert.strictEqual(answer?.Status, "SUCCEEDED")
      assert.deepStrictEqual(updates, [])
    })
  )

  it.live("is found again although payload or tenant would be refused by now", () =>
    Effect.gen(function* () {
      const { answer } = yield* oneInvocation(Durable.invoke(Double, 0.5, { tenantId: "#" }), [
        invoked("double", { Status: "SUCCEEDED", ChainedInvokeDetails: { Result: "2" } })
      ])
      assert.deepStrictEqual(answer, { Status: "SUCCEEDED", Result: "2" })
    })
  )
})

describe("another operation where the code asks for an invoke", () => {
  const others = [
    operation({ Name: "charge", Type: "STEP", Status: "SUCCEEDED", StepDetails: { Result: "1" } }),
    operation({ Name: "charge", Type: "WAIT", Status: "SUCCEEDED" }),
    operation({ Name: "charge", Type: "WAIT", Status: "STARTED" }),
    operation({ Name: "charge", Type: "CONTEXT", SubType: "RunInChildContext", Status: "STARTED" }),
    operation({ Name: "charge", Type: "CHAINED_INVOKE", SubType: "Else", Status: "SUCCEEDED" })
  ]
  for (const other of others) {
    it.live(`is NonDeterministic at once: ${other.Type} ${other.SubType} ${other.Status}`, () =>
      Effect.gen(function* () {
        const { answer, updates } = yield* oneInvocation(Effect.exit(charge), [other])
        assert.strictEqual(answer?.Status, "FAILED")
        const recorded = answer?.Status === "FAILED" ? answer.Error : undefined
        assert.strictEqual(recorded?.ErrorType, "NonDeterministic")
        assert.include(recorded?.ErrorMessage, `"charge"`)
        assert.include(recorded?.ErrorMessage, `${other.Type} (${other.SubType})`)
        assert.include(recorded?.ErrorMessage, "CHAINED_INVOKE (ChainedInvoke)")
        assert.deepStrictEqual(updates, [])
      })
    )
  }

  it.live("an invoke to which a time-out was added is NonDeterministic, and so is one that lost it", () =>
    Effect.gen(function* () {
      const added = yield* oneInvocation(Effect.exit(Durable.invoke(Charge, undefined, { timeout: "1 minute" })), [
        invoked("charge", { Status: "STARTED" })
      ])
      const lost = yield* oneInvocation(Effect.exit(charge), [
        operation({ Name: "charge", Type: "CONTEXT", SubType: "RunInChildContext", Status: "STARTED" })
      ])
      for (const { answer } of [added, lost]) {
        assert.strictEqual(answer?.Status === "FAILED" ? answer.Error?.ErrorType : answer?.Status, "NonDeterministic")
      }
    })
  )

  it.live("an invoke that the code no longer asks for is NonDeterministic", () =>
    Effect.gen(function* () {
      const { answer } = yield* oneInvocation(Effect.succeed("done"), [
        invoked("charge", { Status: "SUCCEEDED", ChainedInvokeDetails: { Result: '{"id":"1"}' } })
      ])
      assert.strictEqual(answer?.Status === "FAILED" ? answer.Error?.ErrorType : answer?.Status, "NonDeterministic")
    })
  )
})

describe("what an invoke sends", () => {
  it.live("is one START with address and payload, before it suspends", () =>
    Effect.gen(function* () {
      const { answer, updates } = yield* oneInvocation(
        Durable.invoke(Double, 21, { name: "twice", tenantId: "acme" }),
        []
      )
      assert.deepStrictEqual(answer, { Status: "PENDING" })
      assert.strictEqual(updates.length, 1)
      assert.deepInclude(updates[0], {
        Name: "twice",
        Type: "CHAINED_INVOKE",
        SubType: "ChainedInvoke",
        Action: "START",
        Payload: "21",
        ChainedInvokeOptions: { FunctionName: "double", TenantId: "acme" }
      })
      assert.notProperty(updates[0], "ParentId")
    })
  )

  it.live("has no payload at all when there is none", () =>
    Effect.gen(function* () {
      const { updates } = yield* oneInvocation(Effect.orDie(charge), [])
      assert.notProperty(updates[0], "Payload")
      assert.deepStrictEqual(updates[0]?.ChainedInvokeOptions, { FunctionName: "charge:live" })
    })
  )

  it.live("is one request for any number of invokes that start together", () =>
    Effect.gen(function* () {
      let requests = 0
      const { updates } = yield* oneInvocation(
        Effect.forEach(
          Array.from({ length: 100 }, (_, n) => n),
          (n) => Durable.invoke(Double, n, { name: `call-${n}` }),
          { concurrency: "unbounded" }
        ),
        [],
        () => void requests++
      )
      assert.strictEqual(updates.length, 100)
      assert.strictEqual(requests, 1)
    })
  )

  it.live("is refused as a typed failure of the execution when the service refuses it", () =>
    Effect.gen(function* () {
      const { answer } = yield* oneInvocation(
        Effect.orDie(charge),
        [],
        () => new CheckpointStore.StoreRefused({ message: "InvalidParameterValueException: FunctionName" })
      )
      assert.strictEqual(answer?.Status, "FAILED")
      assert.include(JSON.stringify(answer), "FunctionName")
    })
  )

  it.live("lets the invocation fail when this invocation no longer owns the execution", () =>
    Effect.gen(function* () {
      const { answer, failure } = yield* oneInvocation(
        Effect.exit(charge),
        [],
        () => new CheckpointStore.StaleCheckpointToken({ message: "Invalid checkpoint token" })
      )
      assert.strictEqual(answer, undefined)
      assert.strictEqual(failure?.reason, "stale-token")
    })
  )
})

describe("a crash", () => {
  it.effect("while the callee runs calls it no second time", () =>
    Effect.gen(function* () {
      const { calls, stub } = spy(Double, (n) => Effect.as(Effect.sleep("10 minutes"), n * 2))
      const ended = yield* runToEnd(
        Effect.all([Durable.invoke(Double, 21), Durable.step("long", Effect.as(Effect.sleep("150 seconds"), "long"))], {
          concurrency: "unbounded"
        }),
        [stub],
        // The step needs more time than one invocation has: the first ones are cut off in the middle of it.
        { invocationTimeout: "2 minutes", executionTimeout: "1 hour" }
      )
      assert.strictEqual(ended.exit._tag, "Failure")
      assert.strictEqual(calls.length, 1)
      assert.isAtLeast(ended.invocations, 3)
    })
  )

  it.effect("after the callee finished calls it no second time and finds its result", () =>
    Effect.gen(function* () {
      const { calls, stub } = spy(Double, (n) => Effect.succeed(n * 2))
      let attempts = 0
      const ended = yield* runToEnd(
        Effect.gen(function* () {
          const first = yield* Durable.invoke(Double, 1)
          // The first attempt is cut off with its invocation.
          const step = Effect.suspend(() => (++attempts === 1 ? Effect.sleep("1 hour") : Effect.void))
          yield* Durable.step("work", Effect.asVoid(step))
          const second = yield* Durable.invoke(Double, first)
          return [first, second]
        }),
        [stub],
        { invocationTimeout: "1 minute" }
      )
      assert.deepStrictEqual(yield* ended.exit, [2, 4])
      assert.strictEqual(calls.length, 2)
      assert.strictEqual(attempts, 2)
      const failed = ended.history.filter(
        (event) => event.EventType === "InvocationCompleted" && event.InvocationCompletedDetails?.Error !== undefined
      )
      assert.strictEqual(failed.length, 1)
      assert.deepStrictEqual(brief(ended.operations), [
        "CHAINED_INVOKE double SUCCEEDED",
        "STEP work SUCCEEDED",
        "STEP cut:work SUCCEEDED",
        "CHAINED_INVOKE double SUCCEEDED"
      ])
    })
  )

  it.effect("with a time-out under way calls nobody a second time and keeps the time-out", () =>
    Effect.gen(function* () {
      const { calls, stub } = spy(Double, () => Reply.never)
      let attempts = 0
      const ended = yield* runToEnd(
        Effect.all(
          [
            Durable.invoke(Double, 1, { timeout: "5 minutes" }).pipe(
              Effect.catch((timedOut) => Effect.succeed(timedOut._tag))
            ),
            Durable.step(
              "work",
              Effect.suspend(() =>
                ++attempts === 1 ? Effect.as(Effect.sleep("1 hour"), "") : Effect.succeed("worked")
              )
            )
          ],
          { concurrency: "unbounded" }
        ),
        [stub],
        { invocationTimeout: "1 minute" }
      )
      assert.deepStrictEqual(yield* ended.exit, ["InvokeTimedOut", "worked"])
      assert.strictEqual(calls.length, 1)
      assert.strictEqual(attempts, 2)
      const waits = ended.history.filter((event) => event.Name === "timeout")
      assert.strictEqual((waits.at(-1)?.EventTimestamp ?? 0) - (waits[0]?.EventTimestamp ?? 0), 300_000)
    })
  )
})
