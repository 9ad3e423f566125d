import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableError, DurableFunction } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

class TooMuch extends Schema.TaggedError<TooMuch>()("TooMuch", { limit: Schema.BigInt }) {}

const Charge = DurableFunction.plain("charge", {
  payload: Schema.Struct({ cents: Schema.Int, at: Schema.Date }),
  success: Schema.Struct({ receipt: Schema.String, at: Schema.Date }),
  error: TooMuch
})
const at = new Date(86_400_000)

const Main = DurableFunction.make("main", { payload: Schema.Int, success: Schema.Array(Schema.String) })
/** Charges so many times, and says how each time ended. */
const main = Main.implement((times) =>
  Effect.forEach(
    Array.from({ length: times }, (_, n) => n),
    (n) =>
      Durable.invoke(Charge, { cents: n, at }).pipe(
        Effect.match({
          onSuccess: ({ at: when, receipt }) => `${receipt} ${when.getTime()}`,
          onFailure: (error) =>
            error._tag === "TooMuch" ? `TooMuch ${error.limit}` : `${error._tag}: ${error.message}`
        })
      )
  )
)

const outcomes = (times: number, stub: TestEngine.Stub) =>
  TestEngine.run(Main, times).pipe(Effect.provide(TestEngine.layer([main, stub])))

describe("a stub", () => {
  it.effect("may be an Effect of the payload, which arrives decoded", () =>
    Effect.gen(function* () {
      const ended = yield* outcomes(
        2,
        TestEngine.stub(Charge, (payload) => {
          assert.instanceOf(payload.at, Date)
          return Effect.succeed({ receipt: `r${payload.cents}`, at: payload.at })
        })
      )
      assert.deepStrictEqual(ended, ["r0 86400000", "r1 86400000"])
    })
  )

  it.effect("may be an Effect that fails with a declared error", () =>
    Effect.gen(function* () {
      const ended = yield* outcomes(
        1,
        TestEngine.stub(Charge, () => Effect.fail(new TooMuch({ limit: 5n })))
      )
      assert.deepStrictEqual(ended, ["TooMuch 5"])
    })
  )

  it.effect("may be one reply for every call", () =>
    Effect.gen(function* () {
      const ended = yield* outcomes(3, TestEngine.stub(Charge, Reply.succeed({ receipt: "r", at })))
      assert.deepStrictEqual(ended, ["r 86400000", "r 86400000", "r 86400000"])
    })
  )

  it.effect("may be a function to a reply, which sees the number of the call", () =>
    Effect.gen(function* () {
      const ended = yield* outcomes(
        3,
        TestEngine.stub(Charge, (payload, { number }) =>
          number === 2
            ? Reply.fail(new TooMuch({ limit: BigInt(payload.cents) }))
            : Reply.succeed({ receipt: `call ${number}`, at })
        )
      )
      assert.deepStrictEqual(ended, ["call 1 86400000", "TooMuch 1", "call 3 86400000"])
    })
  )

  it.effect("may be a list with a reply for each call", () =>
    Effect.gen(function* () {
      const ended = yield* outcomes(
        7,
        TestEngine.stub(Charge, [
          Reply.succeed({ receipt: "first", at }),
          Reply.fail(new TooMuch({ limit: 9n })),
          Reply.fail({ ErrorType: "Odd", ErrorMessage: "how odd" }),
          Reply.timeOut({ ErrorMessage: "too slow" }),
          Reply.stop({ ErrorMessage: "stopped by hand" }),
          Reply.throttle,
          Reply.succeed({ receipt: "last", at })
        ])
      )
      assert.strictEqual(ended[0], "first 86400000")
      assert.strictEqual(ended[1], "TooMuch 9")
      assert.match(ended[2] ?? "", /^InvokeFailed: .*Odd: how odd/)
      assert.match(ended[3] ?? "", /^InvokeTimedOut: .*too slow/)
      assert.match(ended[4] ?? "", /^InvokeStopped: .*stopped by hand/)
      assert.match(ended[5] ?? "", /^InvokeFailed: .*TooManyRequestsException/)
      assert.strictEqual(ended[6], "last 86400000")
    })
  )

  it.effect("fails a call beyond the end of its list, and says how many replies it has", () =>
    Effect.gen(function* () {
      const ended = yield* outcomes(3, TestEngine.stub(Charge, [Reply.succeed({ receipt: "only", at })]))
      assert.strictEqual(ended[0], "only 86400000")
      assert.match(ended[1] ?? "", /TestFailure.*"charge" has 1 reply, and this is call 2/)
      assert.match(ended[2] ?? "", /this is call 3/)
    })
  )

  it.effect("fails its caller when its reply does not fit the contract, and says which function it is about", () =>
    Effect.gen(function* () {
      const wrong = cast<unknown, Reply.Succeed<{ readonly receipt: string; readonly at: Date }>>(
        Reply.succeed({ receipt: 7, at })
      )
      const [said] = yield* outcomes(1, TestEngine.stub(Charge, wrong))
      assert.include(
        said,
        `SerdesError: Could not write the result of "charge", as its contract has it: Expected string at ["receipt"], found a number`
      )
    })
  )

  it.effect("fails every call when its list is empty", () =>
    Effect.gen(function* () {
      const ended = yield* outcomes(1, TestEngine.stub(Charge, []))
      assert.match(ended[0] ?? "", /"charge" has 0 replies, and this is call 1/)
    })
  )

  it.effect("that never answers leaves the caller waiting until its time-out", () =>
    Effect.gen(function* () {
      const Patient = DurableFunction.make("patient", { success: Schema.String })
      const patient = Patient.implement(() =>
        Durable.invoke(Charge, { cents: 1, at }, { timeout: "1 hour" }).pipe(
          Effect.as("answered"),
          Effect.catch((error) => Effect.succeed(error._tag))
        )
      )
      const ended = yield* TestEngine.run(Patient).pipe(
        Effect.provide(TestEngine.layer([patient, TestEngine.stub(Charge, Reply.never)]))
      )
      assert.strictEqual(ended, "InvokeTimedOut")
    })
  )

  it.effect("may stand for a workflow", () =>
    Effect.gen(function* () {
      const Sub = DurableFunction.make("sub", { payload: Schema.Int, success: Schema.Int, target: "sub:live" })
      const Top = DurableFunction.make("top", { success: Schema.Int })
      const top = Top.implement(() => Durable.invoke(Sub, 20))
      const value = yield* TestEngine.run(Top).pipe(
        Effect.provide(TestEngine.layer([top, TestEngine.stub(Sub, (n) => Effect.succeed(n + 1))]))
      )
      assert.strictEqual(value, 21)
    })
  )

  it.effect("that returns what its contract forbids fails the call and says why", () =>
    Effect.gen(function* () {
      const Positive = DurableFunction.plain("positive", { success: Schema.Int.check(Schema.isGreaterThan(0)) })
      const Top = DurableFunction.make("top", { success: Schema.Int })
      const top = Top.implement(() => Durable.invoke(Positive))
      const error = yield* Effect.flip(TestEngine.run(Top)).pipe(
        Effect.provide(TestEngine.layer([top, TestEngine.stub(Positive, Reply.succeed(-1))]))
      )
      assert.instanceOf(error, DurableError.InvokeFailed)
      assert.include(error.message, "greater than 0")
    })
  )

  it.effect("that gets a payload which its contract forbids fails the call and says where", () =>
    Effect.gen(function* () {
      const Sent = DurableFunction.plain("taken", { payload: Schema.Struct({ n: Schema.String }) })
      const Taken = DurableFunction.plain("taken", { payload: Schema.Struct({ n: Schema.Int }) })
      const Top = DurableFunction.make("top")
      const top = Top.implement(() => Durable.invoke(Sent, { n: "one" }))
      const error = yield* Effect.flip(TestEngine.run(Top)).pipe(
        Effect.provide(TestEngine.layer([top, TestEngine.stub(Taken, () => Effect.void)]))
      )
      assert.instanceOf(error, DurableError.InvokeFailed)
      assert.include(error.message, `["n"]`)
    })
  )

  it.effect("answers as much as Lambda lets a function answer, and not a byte more", () =>
    Effect.gen(function* () {
      const Read = DurableFunction.plain("read", { payload: Schema.Int, success: Schema.String })
      const Top = DurableFunction.make("top", { payload: Schema.Int, success: Schema.Int })
      const top = Top.implement((length) => Effect.map(Durable.invoke(Read, length), (text) => text.length))
      const answered = (length: number) =>
        TestEngine.run(Top, length).pipe(
          Effect.provide(TestEngine.layer([top, TestEngine.stub(Read, (n) => Effect.succeed("x".repeat(n)))]))
        )
      const most = 6_291_456 - `""`.length
      assert.strictEqual(yield* answered(most), most)
      const error = yield* Effect.flip(answered(most + 1))
      assert.instanceOf(error, DurableError.InvokeFailed)
      assert.strictEqual(error.errorType, "Function.ResponseSizeTooLarge")
    })
  )

  it.effect("counts its calls in each world anew", () =>
    Effect.gen(function* () {
      const stub = TestEngine.stub(Charge, [Reply.succeed({ receipt: "first", at })])
      assert.deepStrictEqual(yield* outcomes(1, stub), ["first 86400000"])
      assert.deepStrictEqual(yield* outcomes(1, stub), ["first 86400000"])
    })
  )

  it.effect("may use services, which the layer then requires", () =>
    Effect.gen(function* () {
      class Till extends Context.Service<Till, { readonly name: string }>()("test/Till") {}
      const stub = TestEngine.stub(Charge, () => Effect.map(Till, ({ name }) => ({ receipt: name, at })))
      const layer = TestEngine.layer([main, stub]).pipe(Layer.provide(Layer.succeed(Till, { name: "till 7" })))
      assert.deepStrictEqual(yield* TestEngine.run(Main, 1).pipe(Effect.provide(layer)), ["till 7 86400000"])
    })
  )
})

describe("an outcome", () => {
  it.effect("that fails with a raw error object reaches the caller as it is, even if it looks like nothing", () =>
    Effect.gen(function* () {
      const Top = DurableFunction.make("top")
      const seen: Array<DurableError.InvokeError | TooMuch> = []
      const top = Top.implement(() =>
        Durable.invoke(Charge, { cents: 1, at }).pipe(
          Effect.asVoid,
          Effect.catch((error) => Effect.sync(() => void seen.push(error)))
        )
      )
      for (const error of [{}, { ErrorType: "A" }, { ErrorMessage: "b" }, { ErrorData: "c" }, { StackTrace: ["d"] }]) {
        yield* TestEngine.run(Top).pipe(
          Effect.provide(TestEngine.layer([top, TestEngine.stub(Charge, Reply.fail(error))]))
        )
      }
      assert.strictEqual(seen.length, 5)
      for (const error of seen) assert.instanceOf(error, DurableError.InvokeFailed)
    })
  )

  it.effect("of a function without payload ignores what it is called with, as a function does", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const Anything = DurableFunction.plain("nightly", { payload: Schema.Record(Schema.String, Schema.String) })
      const Nightly = DurableFunction.plain("nightly")
      const Caller = DurableFunction.make("caller")
      const caller = Caller.implement(() => Effect.orDie(Durable.invoke(Anything, { source: "scheduler" })))
      const note = (payload: unknown): Effect.Effect<void> => Effect.sync(() => void seen.push(payload))
      for (const served of [TestEngine.stub(Nightly, note), Nightly.implement(note)]) {
        yield* TestEngine.run(Caller).pipe(Effect.provide(TestEngine.layer([caller, served])))
      }
      assert.deepStrictEqual(seen, [undefined, undefined])
    })
  )
})
