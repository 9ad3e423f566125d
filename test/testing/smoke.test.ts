import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableError, DurableFunction } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

class CardDeclined extends Schema.TaggedError<CardDeclined>()("CardDeclined", { code: Schema.String }) {}

const Order = Schema.Struct({ id: Schema.String, amount: Schema.Number })
const OrderResult = Schema.Union([
  Schema.Struct({ status: Schema.Literal("completed"), transactionId: Schema.String }),
  Schema.Struct({ status: Schema.Literal("rejected"), reason: Schema.optionalKey(Schema.String) }),
  Schema.Struct({ status: Schema.Literal("declined"), code: Schema.String })
])

const ProcessPayment = DurableFunction.make("process-payment", {
  payload: Schema.Struct({ orderId: Schema.String, amount: Schema.Number }),
  success: Schema.Struct({ transactionId: Schema.String }),
  error: CardDeclined,
  target: "payment-processor:live"
})
const ValidateOrder = DurableFunction.plain("validate-order", {
  payload: Order,
  success: Schema.Struct({ valid: Schema.Boolean, reason: Schema.optionalKey(Schema.String) })
})
const ProcessOrder = DurableFunction.make("process-order", { payload: Order, success: OrderResult })

const processOrder = ProcessOrder.implement(
  Effect.fn("process-order")(
    function* (order) {
      const check = yield* Durable.invoke(ValidateOrder, order)
      if (!check.valid) return { status: "rejected" as const, reason: check.reason ?? "" }
      const payment = yield* Durable.invoke(
        ProcessPayment,
        { orderId: order.id, amount: order.amount },
        { name: "charge", timeout: "5 minutes" }
      )
      return { status: "completed" as const, transactionId: payment.transactionId }
    },
    Effect.catchTag("CardDeclined", (e) => Effect.succeed({ status: "declined" as const, code: e.code }))
  )
)

const Steps = DurableFunction.make("steps", { payload: Schema.Int, success: Schema.Array(Schema.Int) })
let ran = 0
const steps = Steps.implement((n) =>
  Effect.gen(function* () {
    const out: Array<number> = []
    for (let i = 0; i < n; i++) {
      out.push(
        yield* Durable.step(
          "add",
          Effect.sync(() => (ran++, i))
        )
      )
      yield* Durable.wait("pause", "1 hour")
    }
    return out
  })
)

describe("smoke", () => {
  it.effect("charges once", () =>
    Effect.gen(function* () {
      const run = yield* TestEngine.start(ProcessOrder, { id: "o-1", amount: 10 })
      assert.deepStrictEqual(yield* run.result, { status: "completed", transactionId: "t-1" })
      console.log(
        (yield* run.history)
          .map((e) => `${e.EventId} ${e.EventType} ${e.Name ?? ""} ${new Date(e.EventTimestamp).toISOString()}`)
          .join("\n")
      )
    }).pipe(
      Effect.provide(
        TestEngine.layer([
          processOrder,
          TestEngine.stub(ValidateOrder, () => Effect.succeed({ valid: true })),
          TestEngine.stub(ProcessPayment, () => Effect.succeed({ transactionId: "t-1" }))
        ])
      )
    )
  )
  it.effect("declined", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* TestEngine.run(ProcessOrder, { id: "o-1", amount: 10 }), {
        status: "declined",
        code: "x"
      })
    }).pipe(
      Effect.provide(
        TestEngine.layer([
          processOrder,
          TestEngine.stub(ValidateOrder, () => Effect.succeed({ valid: true })),
          TestEngine.stub(ProcessPayment, Reply.fail(new CardDeclined({ code: "x" })))
        ])
      )
    )
  )
  it.effect("times out", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(TestEngine.run(ProcessOrder, { id: "o-1", amount: 10 }))
      assert.instanceOf(error, DurableError.InvokeTimedOut)
    }).pipe(
      Effect.provide(
        TestEngine.layer([
          processOrder,
          TestEngine.stub(ValidateOrder, () => Effect.succeed({ valid: true })),
          TestEngine.stub(ProcessPayment, Reply.never)
        ])
      )
    )
  )
  it.effect("steps and waits", () =>
    Effect.gen(function* () {
      const run = yield* TestEngine.start(Steps, 5)
      assert.deepStrictEqual(yield* run.result, [0, 1, 2, 3, 4])
      assert.strictEqual(ran, 5)
    }).pipe(Effect.provide(TestEngine.layer([steps])))
  )
})
