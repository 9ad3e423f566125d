import { assert, describe, it } from "@effect/vitest"
import { DurableError } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  CardDeclined,
  functions,
  Gateway,
  order,
  ProcessOrder,
  processOrder,
  ProcessPayment,
  validateOrder
} from "../../examples/01-order.ts"

const shop = TestEngine.layer(functions).pipe(Layer.provide(Gateway.layerMemory))

/** The order with another way to pay. */
const withPayment = (payment: Parameters<typeof TestEngine.stub<typeof ProcessPayment>>[1]) =>
  TestEngine.layer([processOrder, validateOrder, TestEngine.stub(ProcessPayment, payment)])

describe("the order example", () => {
  it.effect("completes an order and charges its sum", () =>
    Effect.gen(function* () {
      const result = yield* TestEngine.run(ProcessOrder, order)
      assert.strictEqual(result.status, "completed")
      assert.strictEqual(result.status === "completed" && result.cents, 5_900)
    }).pipe(Effect.provide(shop))
  )

  it.effect("rejects an order beyond the stock, and charges nothing", () =>
    Effect.gen(function* () {
      const lines = [{ sku: "kettle", quantity: 2, price: 9_900 }] as const
      const run = yield* TestEngine.start(ProcessOrder, { ...order, lines })
      assert.deepStrictEqual(yield* run.result, { status: "rejected", reason: "kettle is sold out" })
      assert.lengthOf(yield* run.operations({ type: "CHAINED_INVOKE" }), 1)
    }).pipe(Effect.provide(shop))
  )

  it.effect("tells why a card was declined", () =>
    Effect.gen(function* () {
      const result = yield* TestEngine.run(ProcessOrder, { ...order, card: "4000 0000 0000 0002" })
      assert.deepStrictEqual(result, { status: "declined", code: "card_declined" })
    }).pipe(Effect.provide(shop))
  )

  it.effect("charges once, with the key of its first attempt", () => {
    const keys: Array<string> = []
    const gateway = Layer.succeed(Gateway, {
      charge: ({ key }) =>
        Effect.sync(() => {
          keys.push(key)
          return "t-1"
        })
    })
    return Effect.gen(function* () {
      const result = yield* TestEngine.run(ProcessOrder, order)
      assert.deepStrictEqual(result, { status: "completed", transactionId: "t-1", cents: 5_900 })
      assert.lengthOf(keys, 1)
    }).pipe(Effect.provide(TestEngine.layer(functions).pipe(Layer.provide(gateway))))
  })

  it.effect("hands on an error that the payment declares", () =>
    Effect.gen(function* () {
      const result = yield* TestEngine.run(ProcessOrder, order)
      assert.deepStrictEqual(result, { status: "declined", code: "expired" })
    }).pipe(Effect.provide(withPayment(Reply.fail(new CardDeclined({ code: "expired" })))))
  )

  it.effect("gives up on a payment that does not answer in five minutes", () =>
    Effect.gen(function* () {
      const run = yield* TestEngine.start(ProcessOrder, order)
      const error = yield* Effect.flip(run.result)
      assert.instanceOf(error, DurableError.InvokeTimedOut)
      const [first, ...others] = yield* run.history
      assert.strictEqual((others.at(-1)?.EventTimestamp ?? 0) - (first?.EventTimestamp ?? 0), 300_000)
    }).pipe(Effect.provide(withPayment(Reply.never)))
  )
})
