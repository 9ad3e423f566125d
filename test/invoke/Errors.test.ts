import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableError, DurableFunction } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { executionFailed, fieldsOf, runToError, runToValue } from "./support.ts"

import { CardDeclined, Charge, errorsOf, OutOfStock, Reserve, seenTwice } from "./card.ts"

describe("errors that the contract declares", () => {
  it.effect("arrive as themselves, also after a replay", () =>
    Effect.gen(function* () {
      const error = yield* errorsOf(
        Durable.invoke(Charge, 1),
        TestEngine.stub(Charge, Reply.fail(new CardDeclined({ code: "51" })))
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
        Reply.fail(new CardDeclined({ code: "1" })),
        Reply.fail(new OutOfStock({ since: new Date(5), left: 1n })),
        Reply.succeed("reserved")
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
        TestEngine.stub(Charge, Reply.fail(new CardDeclined({ code: "51" })))
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
        TestEngine.stub(Charge, Reply.fail({ ErrorType: "java.io.IOException", ErrorMessage: "disk full" }))
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
      yield* runToValue(workflow, [Mistaken.implement(() => Durable.wait("too long", "367 days"))])
      assert.instanceOf(seen[0], DurableError.InvokeFailed)
      assert.strictEqual(seen[0].errorType, "InvalidDuration")
    })
  )

  it.effect("a library error of a callee is InvokeFailed under its own type, and not taken for the caller's", () =>
    Effect.gen(function* () {
      const Middle = DurableFunction.make("middle", { success: Schema.String })
      const middle = Middle.implement(() => Durable.invoke(Charge, 1).pipe(Effect.catchTag("CardDeclined", Effect.die)))
      const { seen, workflow } = seenTwice(Durable.invoke(Middle))
      yield* runToValue(workflow, [middle, TestEngine.stub(Charge, Reply.stop())])
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
          TestEngine.stub(Charge, Reply.fail({ ErrorType: "CardDeclined", ErrorMessage: "declined", ErrorData: data }))
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
      const loose = Loose.implement(() => Effect.as(Durable.wait("too long", "367 days"), ""))
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
      yield* runToValue(workflow, [path, TestEngine.stub(Charge, Reply.stop())])
      assert.instanceOf(seen[0], DurableError.InvokeFailed)
      assert.strictEqual(seen[0].errorType, "InvokeStopped")
    })
  )

  const others: ReadonlyArray<readonly [what: string, end: Effect.Effect<never, { readonly note: string }>]> = [
    ["a defect with a cause", Effect.die(new Error("broken", { cause: new Error("inside") }))],
    ["an error whose data was too large", Effect.fail({ note: "x".repeat(40_000) })],
    ["a defect whose cause was too large", Effect.die(new Error("broken", { cause: new Error("x".repeat(40_000)) }))]
  ]
  for (const [what, end] of others) {
    it.effect(`is not mistaken for what stands in the place of its data: ${what}`, () =>
      Effect.gen(function* () {
        const Note = DurableFunction.make("note", { error: Schema.Struct({ note: Schema.optionalKey(Schema.String) }) })
        const note = Note.implement(() => end)
        const { seen, workflow } = seenTwice(Durable.invoke(Note))
        yield* runToValue(workflow, [note])
        for (const error of seen) {
          assert.instanceOf(error, DurableError.InvokeFailed)
          assert.strictEqual(error.errorType, "Error")
        }
        const exit = yield* Effect.exit(TestEngine.run(Note)).pipe(Effect.provide(TestEngine.layer([note])))
        assert.strictEqual(executionFailed(exit).errorType, "Error")
      })
    )
  }

  it.effect("arrives as itself from a callee in another language, whatever its type is called", () =>
    Effect.gen(function* () {
      const error = yield* errorsOf(
        Durable.invoke(Loose),
        TestEngine.stub(Loose, Reply.fail({ ErrorType: "com.acme.Odd", ErrorData: '{"message":"odd"}' }))
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
  const stub = TestEngine.stub(Charge, Reply.fail(large))

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
