import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableError, DurableFunction } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { executionFailed, failureOf, fieldsOf, runToEnd, runToError, runToValue, spy } from "./support.ts"

import { CardDeclined, Charge, errorsOf, rawError } from "./card.ts"

describe("an invoke that fails", () => {
  it.effect("is InvokeFailed with the raw error object, also after a replay", () =>
    Effect.gen(function* () {
      const error = yield* errorsOf(
        Durable.invoke(Charge, 1, { name: "pay" }),
        TestEngine.stub(Charge, Reply.fail(rawError))
      )
      assert.instanceOf(error, DurableError.InvokeFailed)
      assert.deepStrictEqual(fieldsOf(error), {
        _tag: "InvokeFailed",
        operation: "pay",
        function: "charge:live",
        errorType: "BusinessError",
        errorMessage: "the till is shut",
        errorData: '{"till":7}',
        status: "FAILED",
        stackTrace: ["at till (till.js:1:1)"]
      })
      assert.include(error.message, "the till is shut")
    })
  )

  it.effect("is InvokeFailed when the error object is empty", () =>
    Effect.gen(function* () {
      const error = yield* errorsOf(Durable.invoke(Charge, 1), TestEngine.stub(Charge, Reply.fail({})))
      assert.instanceOf(error, DurableError.InvokeFailed)
      assert.strictEqual(error.errorType, undefined)
      assert.strictEqual(error.errorMessage, undefined)
      assert.strictEqual(error.errorData, undefined)
      assert.isNotEmpty(error.message)
    })
  )

  it.effect("is InvokeTimedOut of the service when the callee reached its own time-out", () =>
    Effect.gen(function* () {
      const error = yield* errorsOf(Durable.invoke(Charge, 1), TestEngine.stub(Charge, Reply.timeOut(rawError)))
      assert.instanceOf(error, DurableError.InvokeTimedOut)
      assert.deepInclude(fieldsOf(error), {
        operation: "charge",
        function: "charge:live",
        errorType: "BusinessError",
        errorMessage: "the till is shut",
        errorData: '{"till":7}',
        source: "service",
        calleeMayStillRun: false
      })
    })
  )

  it.effect("is InvokeTimedOut of the service when nothing is said about the time-out", () =>
    Effect.gen(function* () {
      const error = yield* errorsOf(Durable.invoke(Charge, 1), TestEngine.stub(Charge, Reply.timeOut()))
      assert.instanceOf(error, DurableError.InvokeTimedOut)
      assert.strictEqual(error.source, "service")
    })
  )

  it.effect("is InvokeStopped when the callee was stopped", () =>
    Effect.gen(function* () {
      const error = yield* errorsOf(
        Durable.invoke(Charge, 1, { name: "pay" }),
        TestEngine.stub(Charge, Reply.stop(rawError))
      )
      assert.instanceOf(error, DurableError.InvokeStopped)
      assert.deepStrictEqual(fieldsOf(error), {
        _tag: "InvokeStopped",
        operation: "pay",
        function: "charge:live",
        errorType: "BusinessError",
        errorMessage: "the till is shut",
        errorData: '{"till":7}'
      })
    })
  )

  it.effect("is InvokeStopped when nothing is said about the stop", () =>
    Effect.gen(function* () {
      const error = yield* errorsOf(Durable.invoke(Charge, 1), TestEngine.stub(Charge, Reply.stop()))
      assert.instanceOf(error, DurableError.InvokeStopped)
    })
  )

  it.effect("is not one of the declared errors when it timed out or was stopped with the data of one", () =>
    Effect.gen(function* () {
      const declared = { ErrorType: "CardDeclined", ErrorData: '{"_tag":"CardDeclined","code":"1"}' }
      const timedOut = yield* errorsOf(Durable.invoke(Charge, 1), TestEngine.stub(Charge, Reply.timeOut(declared)))
      const stopped = yield* errorsOf(Durable.invoke(Charge, 1), TestEngine.stub(Charge, Reply.stop(declared)))
      assert.instanceOf(timedOut, DurableError.InvokeTimedOut)
      assert.instanceOf(stopped, DurableError.InvokeStopped)
    })
  )

  it.effect("is recognised by one guard and by three tags", () =>
    Effect.gen(function* () {
      const outcomes = [Reply.fail({}), Reply.timeOut(), Reply.stop()]
      const caught: Array<string> = []
      for (const outcome of outcomes) {
        const value = yield* runToValue(
          Durable.invoke(Charge, 1).pipe(
            Effect.tapError((error) => Effect.sync(() => assert.isTrue(DurableError.isInvokeError(error)))),
            Effect.catchTags({
              InvokeFailed: () => Effect.succeed("failed"),
              InvokeTimedOut: () => Effect.succeed("timed out"),
              InvokeStopped: () => Effect.succeed("stopped"),
              CardDeclined: () => Effect.succeed("declined")
            })
          ),
          [TestEngine.stub(Charge, outcome)]
        )
        caught.push(String(value))
      }
      assert.deepStrictEqual(caught, ["failed", "timed out", "stopped"])
    })
  )

  for (const [tag, outcome] of [
    ["InvokeFailed", Reply.fail(rawError)],
    ["InvokeTimedOut", Reply.timeOut(rawError)],
    ["InvokeStopped", Reply.stop(rawError)]
  ] as const) {
    it.effect(`is reported as itself by an execution that does not catch it: ${tag}`, () =>
      Effect.gen(function* () {
        const { exit, history } = yield* runToEnd(
          Durable.invoke(Charge, 1).pipe(Effect.catchTag("CardDeclined", Effect.die)),
          [TestEngine.stub(Charge, outcome)]
        )
        const failure = failureOf(exit)
        assert.isTrue(DurableError.isInvokeError(failure) && failure._tag === tag)
        const last = history.at(-1)
        assert.strictEqual(last?.EventType, "ExecutionFailed")
        assert.include(JSON.stringify(last), `"ErrorType":"${tag}"`)
      })
    )
  }
})

describe("the service's reasons", () => {
  it.effect("a function that is not found is InvokeFailed with the advice to check the address", () =>
    Effect.gen(function* () {
      const Nowhere = DurableFunction.make("nowhere", { success: Schema.String, target: "nowhere:live" })
      const error = yield* runToError(Durable.invoke(Nowhere), [])
      assert.instanceOf(error, DurableError.InvokeFailed)
      assert.strictEqual(error.errorType, "ResourceNotFoundException")
      assert.include(error.message, "nowhere:live")
      assert.include(error.message, "version or alias")
    })
  )

  it.effect("a throttled function is InvokeFailed with the advice to invoke again", () =>
    Effect.gen(function* () {
      const error = yield* errorsOf(Durable.invoke(Charge, 1), TestEngine.stub(Charge, Reply.throttle))
      assert.instanceOf(error, DurableError.InvokeFailed)
      assert.strictEqual(error.errorType, "TooManyRequestsException")
      assert.include(error.message, "throttled")
    })
  )

  it.effect(
    "a forbidden account or region is InvokeFailed, and the message names the permission and the function",
    () =>
      Effect.gen(function* () {
        const error = yield* errorsOf(
          Durable.invoke(Charge, 1),
          TestEngine.stub(
            Charge,
            Reply.fail({ ErrorType: "AccessDeniedException", ErrorMessage: "not authorized to perform this" })
          )
        )
        assert.instanceOf(error, DurableError.InvokeFailed)
        assert.include(error.message, "lambda:InvokeFunction")
        assert.include(error.message, "charge:live")
        assert.include(error.message, "region")
      })
  )
})

describe("the name of an invoke", () => {
  for (const [what, name] of [
    ["empty", ""],
    ["of 257 characters", "x".repeat(257)],
    ["with an umlaut", "zahlung für"],
    ["with a line break", "a\nb"]
  ] as const) {
    it.effect(`is InvalidName before anything is sent when it is ${what}`, () =>
      Effect.gen(function* () {
        const { calls, stub } = spy(Charge, () => Reply.succeed("paid"))
        const { exit, operations } = yield* runToEnd(Effect.orDie(Durable.invoke(Charge, 1, { name })), [stub])
        assert.strictEqual(executionFailed(exit).errorType, "InvalidName")
        assert.deepStrictEqual(operations, [])
        assert.strictEqual(calls.length, 0)
      })
    )
  }

  it.effect("may be of 256 printable characters", () =>
    Effect.gen(function* () {
      const name = "a b/c#1~".padEnd(256, "!")
      const value = yield* runToValue(Effect.orDie(Durable.invoke(Charge, 1, { name, timeout: "1 minute" })), [
        TestEngine.stub(Charge, Reply.succeed("paid"))
      ])
      assert.strictEqual(value, "paid")
    })
  )
})

describe("what a workflow does about a failed invoke", () => {
  it.effect("it catches the failure and goes on", () =>
    Effect.gen(function* () {
      const value = yield* runToValue(
        Effect.gen(function* () {
          const first = yield* Durable.invoke(Charge, 1).pipe(Effect.catch((error) => Effect.succeed(error._tag)))
          yield* Durable.wait("pause", "1 minute")
          const second = yield* Durable.invoke(Charge, 2).pipe(Effect.catch((error) => Effect.succeed(error._tag)))
          return [first, second]
        }),
        [TestEngine.stub(Charge, [Reply.fail(new CardDeclined({ code: "1" })), Reply.succeed("paid")])]
      )
      assert.deepStrictEqual(value, ["CardDeclined", "paid"])
    })
  )

  it.effect("it retries by hand with waits in between, and every attempt is an operation of its own", () =>
    Effect.gen(function* () {
      const { calls, stub } = spy(Charge, (_, { number }) =>
        number < 4 ? Reply.throttle : Reply.succeed(`paid at ${number}`)
      )
      const { exit, history, operations } = yield* runToEnd(
        Effect.gen(function* () {
          for (let attempt = 1; ; attempt++) {
            const result = yield* Effect.result(Durable.invoke(Charge, attempt))
            if (result._tag === "Success") return result.success
            if (attempt === 5) return "gave up"
            yield* Durable.wait("back-off", 1_000 * 2 ** attempt)
          }
        }),
        [stub]
      )
      assert.strictEqual(yield* exit, "paid at 4")
      assert.deepStrictEqual(
        calls.map((call) => call.payload),
        [1, 2, 3, 4]
      )
      assert.strictEqual(operations.length, 7)
      assert.strictEqual((history.at(-1)?.EventTimestamp ?? 0) - (history[0]?.EventTimestamp ?? 0), 14_000)
    })
  )

  it.effect("nothing is retried unless the workflow does it", () =>
    Effect.gen(function* () {
      const { calls, stub } = spy(Charge, () => Reply.throttle)
      yield* runToError(Durable.invoke(Charge, 1).pipe(Effect.catchTag("CardDeclined", Effect.die)), [stub])
      assert.strictEqual(calls.length, 1)
    })
  )

  it.effect("Effect.retry repeats it as operations of their own", () =>
    Effect.gen(function* () {
      const { calls, stub } = spy(Charge, (_, { number }) => (number < 3 ? Reply.throttle : Reply.succeed("paid")))
      const value = yield* runToValue(Durable.invoke(Charge, 1).pipe(Effect.retry({ times: 4 }), Effect.orDie), [stub])
      assert.strictEqual(value, "paid")
      assert.strictEqual(calls.length, 3)
    })
  )

  it.effect("it fails with the error after a replay as before it", () =>
    Effect.gen(function* () {
      const causes: Array<Cause.Cause<unknown>> = []
      yield* runToValue(
        Effect.gen(function* () {
          const exit = yield* Effect.exit(Durable.invoke(Charge, 1))
          yield* Durable.wait("one", "1 minute")
          yield* Durable.wait("two", "1 minute")
          if (Exit.isFailure(exit)) causes.push(exit.cause)
          const again = yield* Effect.exit(exit)
          if (Exit.isFailure(again)) causes.push(again.cause)
        }),
        [TestEngine.stub(Charge, Reply.fail(rawError))]
      )
      assert.strictEqual(causes.length, 2)
      assert.deepStrictEqual(Cause.squash(causes[1]!), Cause.squash(causes[0]!))
    })
  )

  for (const [tag, outcome] of [
    ["InvokeFailed", Reply.fail(rawError)],
    ["InvokeTimedOut", Reply.timeOut(rawError)],
    ["InvokeStopped", Reply.stop(rawError)],
    ["CardDeclined", Reply.fail(new CardDeclined({ code: "9" }))]
  ] as const) {
    it.effect(`it lets ${tag} pass two children as itself, before and after a replay of them`, () =>
      Effect.gen(function* () {
        const inner = Durable.child("inner", Durable.invoke(Charge, 1), { error: CardDeclined })
        const error = yield* errorsOf(
          Durable.child("outer", inner, { error: CardDeclined }),
          TestEngine.stub(Charge, outcome)
        )
        assert.strictEqual(error._tag, tag)
        if (DurableError.isInvokeError(error)) assert.strictEqual(error.operation, "outer/inner/charge")
        else assert.instanceOf(error, CardDeclined)
      })
    )
  }
})
