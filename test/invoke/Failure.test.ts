import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableError, DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { executionFailed, failureOf, fieldsOf, runToEnd, runToError, runToValue, spy } from "./support.ts"

class CardDeclined extends Schema.TaggedError<CardDeclined>()("CardDeclined", { code: Schema.String }) {}
class OutOfStock extends Schema.TaggedError<OutOfStock>()("OutOfStock", {
  since: Schema.Date,
  left: Schema.BigInt
}) {}

const Charge = DurableFunction.make("charge", {
  payload: Schema.Int,
  success: Schema.String,
  error: CardDeclined,
  target: "charge:live"
})
const Reserve = DurableFunction.plain("reserve", {
  payload: Schema.Int,
  success: Schema.String,
  error: Schema.Union([CardDeclined, OutOfStock])
})

const rawError = {
  ErrorType: "BusinessError",
  ErrorMessage: "the till is shut",
  ErrorData: '{"till":7}',
  StackTrace: ["at till (till.js:1:1)"]
}

/** Fails with what is given, and the same again after a replay. */
const seenTwice = <E>(failing: Effect.Effect<unknown, E, Durable.Execution>) => {
  const seen: Array<E> = []
  return {
    seen,
    workflow: Effect.gen(function* () {
      const error = yield* Effect.flip(failing)
      seen.push(error)
      yield* Durable.wait("afterwards", "1 minute")
    }).pipe(Effect.orDie)
  }
}

/** The errors that a failing invoke shows before and after a replay. */
const errorsOf = <E>(failing: Effect.Effect<unknown, E, Durable.Execution>, stub: TestEngine.Stub<never>) =>
  Effect.gen(function* () {
    const { seen, workflow } = seenTwice(failing)
    const { exit } = yield* runToEnd(workflow, [stub])
    yield* Effect.orDie(exit)
    assert.strictEqual(seen.length, 2)
    assert.deepStrictEqual(seen[1], seen[0])
    assert.deepStrictEqual(JSON.stringify(seen[1]), JSON.stringify(seen[0]))
    return seen[0]!
  })

describe("an invoke that fails", () => {
  it.effect("is InvokeFailed with the raw error object, also after a replay", () =>
    Effect.gen(function* () {
      const error = yield* errorsOf(
        Durable.invoke(Charge, 1, { name: "pay" }),
        TestEngine.stub(Charge, TestEngine.fail(rawError))
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
      const error = yield* errorsOf(Durable.invoke(Charge, 1), TestEngine.stub(Charge, TestEngine.fail({})))
      assert.instanceOf(error, DurableError.InvokeFailed)
      assert.strictEqual(error.errorType, undefined)
      assert.strictEqual(error.errorMessage, undefined)
      assert.strictEqual(error.errorData, undefined)
      assert.isNotEmpty(error.message)
    })
  )

  it.effect("is InvokeTimedOut of the service when the callee reached its own time-out", () =>
    Effect.gen(function* () {
      const error = yield* errorsOf(Durable.invoke(Charge, 1), TestEngine.stub(Charge, TestEngine.timeOut(rawError)))
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
      const error = yield* errorsOf(Durable.invoke(Charge, 1), TestEngine.stub(Charge, TestEngine.timeOut()))
      assert.instanceOf(error, DurableError.InvokeTimedOut)
      assert.strictEqual(error.source, "service")
    })
  )

  it.effect("is InvokeStopped when the callee was stopped", () =>
    Effect.gen(function* () {
      const error = yield* errorsOf(
        Durable.invoke(Charge, 1, { name: "pay" }),
        TestEngine.stub(Charge, TestEngine.stop(rawError))
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
      const error = yield* errorsOf(Durable.invoke(Charge, 1), TestEngine.stub(Charge, TestEngine.stop()))
      assert.instanceOf(error, DurableError.InvokeStopped)
    })
  )

  it.effect("is not one of the declared errors when it timed out or was stopped with the data of one", () =>
    Effect.gen(function* () {
      const declared = { ErrorType: "CardDeclined", ErrorData: '{"_tag":"CardDeclined","code":"1"}' }
      const timedOut = yield* errorsOf(Durable.invoke(Charge, 1), TestEngine.stub(Charge, TestEngine.timeOut(declared)))
      const stopped = yield* errorsOf(Durable.invoke(Charge, 1), TestEngine.stub(Charge, TestEngine.stop(declared)))
      assert.instanceOf(timedOut, DurableError.InvokeTimedOut)
      assert.instanceOf(stopped, DurableError.InvokeStopped)
    })
  )

  it.effect("is recognised by one guard and by three tags", () =>
    Effect.gen(function* () {
      const outcomes = [TestEngine.fail({}), TestEngine.timeOut(), TestEngine.stop()]
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
    ["InvokeFailed", TestEngine.fail(rawError)],
    ["InvokeTimedOut", TestEngine.timeOut(rawError)],
    ["InvokeStopped", TestEngine.stop(rawError)]
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
      const error = yield* errorsOf(Durable.invoke(Charge, 1), TestEngine.stub(Charge, TestEngine.throttle))
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
            TestEngine.fail({ ErrorType: "AccessDeniedException", ErrorMessage: "not authorized to perform this" })
          )
        )
        assert.instanceOf(error, DurableError.InvokeFailed)
        assert.include(error.message, "lambda:InvokeFunction")
        assert.include(error.message, "charge:live")
        assert.include(error.message, "region")
      })
  )
})

describe("errors that the contract declares", () => {
  it.effect("arrive as themselves, also after a replay", () =>
    Effect.gen(function* () {
      const error = yield* errorsOf(
        Durable.invoke(Charge, 1),
        TestEngine.stub(Charge, TestEngine.fail(new CardDeclined({ code: "51" })))
      )
      assert.instanceOf(error, CardDeclined)
      assert.strictEqual(error.code, "51")
    })
  )

  it.effect("arrive as themselves from a workflow, with values that JSON does not know", () =>
    Effect.gen(function* () {
      const Order = DurableFunction.make("order", { success: Schema.String, error: OutOfStock })
      const thrown = new OutOfStock({ since: new Date(0), left: 9_007_199_254_740_993n })
      const { seen, workflow } = seenTwice(Durable.invoke(Order))
      yield* runToValue(workflow, [Order.implement(() => Effect.fail(thrown))])
      assert.strictEqual(seen.length, 2)
      for (const error of seen) {
        assert.instanceOf(error, OutOfStock)
        assert.deepStrictEqual(fieldsOf(error), fieldsOf(thrown))
      }
    })
  )

  it.effect("are told apart in a union", () =>
    Effect.gen(function* () {
      const stub = TestEngine.stub(Reserve, [
        TestEngine.fail(new CardDeclined({ code: "1" })),
        TestEngine.fail(new OutOfStock({ since: new Date(5), left: 1n })),
        TestEngine.succeed("reserved")
      ])
      const reserve = Durable.invoke(Reserve, 1).pipe(
        Effect.catchTag("CardDeclined", (error) => Effect.succeed(`declined ${error.code}`)),
        Effect.catchTag("OutOfStock", (error) => Effect.succeed(`${error.left} left at ${error.since.getTime()}`))
      )
      const value = yield* runToValue(Effect.all([reserve, reserve, reserve]), [stub])
      assert.deepStrictEqual(value, ["declined 1", "1 left at 5", "reserved"])
    })
  )

  it.effect("arrive with a time-out as without one", () =>
    Effect.gen(function* () {
      const error = yield* errorsOf(
        Durable.invoke(Charge, 1, { timeout: "1 minute" }),
        TestEngine.stub(Charge, TestEngine.fail(new CardDeclined({ code: "51" })))
      )
      assert.instanceOf(error, CardDeclined)
    })
  )

  it.effect("arrive even if they are no tagged errors", () =>
    Effect.gen(function* () {
      const Odd = DurableFunction.plain("odd", { error: Schema.Struct({ reason: Schema.String }) })
      const error = yield* errorsOf(
        Durable.invoke(Odd),
        TestEngine.stub(Odd, () => Effect.fail({ reason: "because" }))
      )
      assert.deepStrictEqual(error, { reason: "because" })
    })
  )

  it.effect("that are falsy arrive as well", () =>
    Effect.gen(function* () {
      const Odd = DurableFunction.plain("odd", { error: Schema.NullOr(Schema.Literal(0)) })
      for (const value of [null, 0] as const) {
        const error = yield* errorsOf(
          Durable.invoke(Odd),
          TestEngine.stub(Odd, () => Effect.fail(value))
        )
        assert.strictEqual(error, value)
      }
    })
  )
})

describe("errors that the contract does not declare", () => {
  it.effect("an undeclared error of a callee in another language is InvokeFailed with everything it said", () =>
    Effect.gen(function* () {
      const error = yield* errorsOf(
        Durable.invoke(Charge, 1),
        TestEngine.stub(Charge, TestEngine.fail({ ErrorType: "java.io.IOException", ErrorMessage: "disk full" }))
      )
      assert.instanceOf(error, DurableError.InvokeFailed)
      assert.strictEqual(error.errorType, "java.io.IOException")
      assert.strictEqual(error.errorMessage, "disk full")
    })
  )

  it.effect("a defect of a workflow that is invoked is InvokeFailed with its name and message", () =>
    Effect.gen(function* () {
      const Broken = DurableFunction.make("broken", {})
      const { seen, workflow } = seenTwice(Durable.invoke(Broken))
      yield* runToValue(workflow, [Broken.implement(() => Effect.die(new RangeError("off by one")))])
      assert.strictEqual(seen.length, 2)
      assert.deepStrictEqual(seen[1], seen[0])
      assert.instanceOf(seen[0], DurableError.InvokeFailed)
      assert.strictEqual(seen[0].errorType, "RangeError")
      assert.strictEqual(seen[0].errorMessage, "off by one")
    })
  )

  it.effect("a defect of a plain function is InvokeFailed with its name and message", () =>
    Effect.gen(function* () {
      const error = yield* errorsOf(
        Durable.invoke(Reserve, 1),
        TestEngine.stub(Reserve, () => Effect.die(new RangeError("off by one")))
      )
      assert.instanceOf(error, DurableError.InvokeFailed)
      assert.strictEqual(error.errorType, "RangeError")
      assert.strictEqual(error.errorMessage, "off by one")
    })
  )

  it.effect("a stub that throws is InvokeFailed, too", () =>
    Effect.gen(function* () {
      const error = yield* errorsOf(
        Durable.invoke(Reserve, 1),
        TestEngine.stub(Reserve, () => {
          throw new RangeError("off by one")
        })
      )
      assert.instanceOf(error, DurableError.InvokeFailed)
      assert.strictEqual(error.errorType, "RangeError")
    })
  )

  it.effect("a mistake of a callee is InvokeFailed under the type of the mistake", () =>
    Effect.gen(function* () {
      const Mistaken = DurableFunction.make("mistaken", {})
      const { seen, workflow } = seenTwice(Durable.invoke(Mistaken))
      yield* runToValue(workflow, [Mistaken.implement(() => Durable.wait("too short", 5))])
      assert.instanceOf(seen[0], DurableError.InvokeFailed)
      assert.strictEqual(seen[0].errorType, "InvalidDuration")
    })
  )

  it.effect("a library error of a callee is InvokeFailed under its own type, and not taken for the caller's", () =>
    Effect.gen(function* () {
      const Middle = DurableFunction.make("middle", { success: Schema.String })
      const middle = Middle.implement(() => Durable.invoke(Charge, 1).pipe(Effect.catchTag("CardDeclined", Effect.die)))
      const { seen, workflow } = seenTwice(Durable.invoke(Middle))
      yield* runToValue(workflow, [middle, TestEngine.stub(Charge, TestEngine.stop())])
      assert.instanceOf(seen[0], DurableError.InvokeFailed)
      assert.strictEqual(seen[0].errorType, "InvokeStopped")
      assert.strictEqual(seen[0].function, "middle:$LATEST")
    })
  )

  for (const [what, data] of [
    ["text that is no JSON", "not json"],
    ["another shape", '{"_tag":"CardDeclined"}'],
    ["another tag", '{"_tag":"CardAccepted","code":"1"}'],
    ["null", "null"],
    ["an empty text", ""],
    ["a hostile prototype", '{"__proto__":{"_tag":"CardDeclined","code":"1"}}']
  ] as const) {
    it.effect(`error data that cannot be decoded is InvokeFailed holding it: ${what}`, () =>
      Effect.gen(function* () {
        const error = yield* errorsOf(
          Durable.invoke(Charge, 1),
          TestEngine.stub(
            Charge,
            TestEngine.fail({ ErrorType: "CardDeclined", ErrorMessage: "declined", ErrorData: data })
          )
        )
        assert.instanceOf(error, DurableError.InvokeFailed)
        assert.strictEqual(error.errorType, "CardDeclined")
        assert.strictEqual(error.errorMessage, "declined")
        assert.strictEqual(error.errorData, data)
      })
    )
  }

  it.effect("a declared error that is too large for the wire is InvokeFailed with its type and message", () =>
    Effect.gen(function* () {
      const Order = DurableFunction.make("order", { error: CardDeclined })
      const { seen, workflow } = seenTwice(Durable.invoke(Order))
      yield* runToValue(workflow, [Order.implement(() => Effect.fail(new CardDeclined({ code: "x".repeat(40_000) })))])
      assert.instanceOf(seen[0], DurableError.InvokeFailed)
      assert.strictEqual(seen[0].errorType, "CardDeclined")
      assert.isNotEmpty(seen[0].errorMessage)
    })
  )
})

describe("a declared error that is no tagged error", () => {
  const Loose = DurableFunction.make("loose", {
    success: Schema.String,
    error: Schema.Struct({ message: Schema.String })
  })

  it.effect("is not mistaken for a mistake of the callee that happens to have its shape", () =>
    Effect.gen(function* () {
      const loose = Loose.implement(() => Effect.as(Durable.wait("too short", 5), ""))
      const { seen, workflow } = seenTwice(Durable.invoke(Loose))
      yield* runToValue(workflow, [loose])
      assert.instanceOf(seen[0], DurableError.InvokeFailed)
      assert.strictEqual(seen[0].errorType, "InvalidDuration")
      const exit = yield* Effect.exit(TestEngine.run(Loose)).pipe(Effect.provide(TestEngine.layer([loose])))
      assert.strictEqual(executionFailed(exit).errorType, "InvalidDuration")
    })
  )

  it.effect("is not mistaken for a library error of the callee that happens to have its shape", () =>
    Effect.gen(function* () {
      const Path = DurableFunction.make("path", { error: Schema.Struct({ operation: Schema.String }) })
      const path = Path.implement(() =>
        Effect.asVoid(Durable.invoke(Charge, 1).pipe(Effect.catchTag("CardDeclined", Effect.die)))
      )
      const { seen, workflow } = seenTwice(Durable.invoke(Path))
      yield* runToValue(workflow, [path, TestEngine.stub(Charge, TestEngine.stop())])
      assert.instanceOf(seen[0], DurableError.InvokeFailed)
      assert.strictEqual(seen[0].errorType, "InvokeStopped")
    })
  )

  it.effect("arrives as itself from a callee in another language, whatever its type is called", () =>
    Effect.gen(function* () {
      const error = yield* errorsOf(
        Durable.invoke(Loose),
        TestEngine.stub(Loose, TestEngine.fail({ ErrorType: "com.acme.Odd", ErrorData: '{"message":"odd"}' }))
      )
      assert.deepStrictEqual(error, { message: "odd" })
    })
  )
})

describe("an error object that is as large as the service allows", () => {
  // Quotes and backslashes grow with every level of JSON around them.
  const large = {
    ErrorType: "Large",
    ErrorMessage: "m".repeat(9_000),
    ErrorData: JSON.stringify({ text: '"'.repeat(9_000) })
  }
  const stub = TestEngine.stub(Charge, TestEngine.fail(large))

  it.effect("is InvokeFailed with all of it", () =>
    Effect.gen(function* () {
      const error = yield* errorsOf(Durable.invoke(Charge, 1), stub)
      assert.instanceOf(error, DurableError.InvokeFailed)
      assert.strictEqual(error.errorData, large.ErrorData)
    })
  )

  it.effect("is still InvokeFailed with a time-out", () =>
    Effect.gen(function* () {
      const error = yield* errorsOf(Durable.invoke(Charge, 1, { timeout: "1 minute" }), stub)
      assert.instanceOf(error, DurableError.InvokeFailed)
      assert.strictEqual(error.errorType, "Large")
    })
  )

  it.effect("is still InvokeFailed beyond a child", () =>
    Effect.gen(function* () {
      const error = yield* errorsOf(Durable.child("outer", Durable.invoke(Charge, 1), { error: CardDeclined }), stub)
      assert.instanceOf(error, DurableError.InvokeFailed)
      assert.strictEqual(error.errorType, "Large")
    })
  )

  it.effect("is still InvokeFailed at the end of the execution", () =>
    Effect.gen(function* () {
      const error = yield* runToError(Durable.invoke(Charge, 1).pipe(Effect.catchTag("CardDeclined", Effect.die)), [
        stub
      ])
      assert.instanceOf(error, DurableError.InvokeFailed)
      assert.strictEqual(error.errorType, "Large")
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
        const { calls, stub } = spy(Charge, () => TestEngine.succeed("paid"))
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
        TestEngine.stub(Charge, TestEngine.succeed("paid"))
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
        [TestEngine.stub(Charge, [TestEngine.fail(new CardDeclined({ code: "1" })), TestEngine.succeed("paid")])]
      )
      assert.deepStrictEqual(value, ["CardDeclined", "paid"])
    })
  )

  it.effect("it retries by hand with waits in between, and every attempt is an operation of its own", () =>
    Effect.gen(function* () {
      const { calls, stub } = spy(Charge, (_, { number }) =>
        number < 4 ? TestEngine.throttle : TestEngine.succeed(`paid at ${number}`)
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
      const { calls, stub } = spy(Charge, () => TestEngine.throttle)
      yield* runToError(Durable.invoke(Charge, 1).pipe(Effect.catchTag("CardDeclined", Effect.die)), [stub])
      assert.strictEqual(calls.length, 1)
    })
  )

  it.effect("Effect.retry repeats it as operations of their own", () =>
    Effect.gen(function* () {
      const { calls, stub } = spy(Charge, (_, { number }) =>
        number < 3 ? TestEngine.throttle : TestEngine.succeed("paid")
      )
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
        [TestEngine.stub(Charge, TestEngine.fail(rawError))]
      )
      assert.strictEqual(causes.length, 2)
      assert.deepStrictEqual(Cause.squash(causes[1]!), Cause.squash(causes[0]!))
    })
  )

  for (const [tag, outcome] of [
    ["InvokeFailed", TestEngine.fail(rawError)],
    ["InvokeTimedOut", TestEngine.timeOut(rawError)],
    ["InvokeStopped", TestEngine.stop(rawError)],
    ["CardDeclined", TestEngine.fail(new CardDeclined({ code: "9" }))]
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
