/** Contracts as values: what they hold, what they refuse, and how they join with code. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import * as Schema from "effect/Schema"
import * as DurableFunction from "../src/DurableFunction.ts"
import * as Serdes from "../src/Serdes.ts"

class CardDeclined extends Schema.TaggedError<CardDeclined>()("CardDeclined", { code: Schema.String }) {}

const Order = Schema.Struct({ id: Schema.String, amount: Schema.Number })

describe("a contract", () => {
  it("holds what was agreed, and no code", () => {
    const codec = Serdes.make({
      serialize: (order: typeof Order.Type) => order.id,
      deserialize: () => ({ id: "", amount: 0 })
    })
    const idempotencyKey = (order: typeof Order.Type) => order.id
    const Pay = DurableFunction.make("pay", {
      payload: Order,
      success: Schema.String,
      error: CardDeclined,
      target: "payments:live",
      payloadSerdes: codec,
      idempotencyKey
    })
    const { implement, ...held } = Pay
    assert.isFunction(implement)
    assert.deepStrictEqual(held, {
      [DurableFunction.TypeId]: DurableFunction.TypeId,
      kind: "durable",
      name: "pay",
      payload: Order,
      success: Schema.String,
      error: CardDeclined,
      target: "payments:live",
      payloadSerdes: codec,
      successSerdes: undefined,
      idempotencyKey
    })
  })

  it("is told from everything else by its type id, also if another copy of the package made it", () => {
    const Pay = DurableFunction.make("pay")
    assert.isTrue(DurableFunction.isDurableFunction(Pay))
    assert.isTrue(DurableFunction.isDurableFunction(DurableFunction.plain("pay")))
    for (const other of [
      undefined,
      null,
      "pay",
      {},
      { kind: "durable", name: "pay" },
      Pay.implement(() => Effect.void)
    ])
      assert.isFalse(DurableFunction.isDurableFunction(other))
  })

  it("takes and returns nothing, and declares no error, unless it says so", () => {
    for (const contract of [
      DurableFunction.make("tick"),
      DurableFunction.plain("tick"),
      DurableFunction.make("tick", {})
    ]) {
      assert.strictEqual(contract.payload, Schema.Void)
      assert.strictEqual(contract.success, Schema.Void)
      assert.strictEqual(contract.error, Schema.Never)
      assert.isUndefined(contract.target)
      assert.isUndefined(contract.idempotencyKey)
    }
  })

  it("is durable or plain", () => {
    assert.strictEqual(DurableFunction.make("pay").kind, "durable")
    assert.strictEqual(DurableFunction.plain("pay").kind, "plain")
  })

  it("has a name that Lambda could have given", () => {
    const longest = "a".repeat(140)
    for (const name of ["a", "A-b_9", "constructor", "__proto__", longest]) {
      assert.strictEqual(DurableFunction.make(name).name, name)
    }
    for (const name of ["", " ", "a b", "pay:live", "a.b", "a/b", "é", "支払", "a\n", `${longest}a`]) {
      const refused = new RegExp("the name of a contract is 1 to 140 of a-z A-Z 0-9 - _, found")
      assert.throws(() => DurableFunction.make(name), refused)
      assert.throws(() => DurableFunction.plain(name), refused)
    }
    for (const name of [5, undefined, null, true]) {
      assert.throws(() => DurableFunction.make(cast<unknown, string>(name)), `of a-z A-Z 0-9 - _, found ${name}`)
    }
    assert.throws(
      () => DurableFunction.make("a b"),
      'DurableFunction.make: the name of a contract is 1 to 140 of a-z A-Z 0-9 - _, found "a b"'
    )
  })
})

describe("a reference", () => {
  it("is a contract under the name in its address", () => {
    const addresses = [
      "ship:live",
      "123456789012:function:ship:7",
      "eu-west-1:123456789012:function:ship:7",
      "arn:aws:lambda:eu-west-1:123456789012:function:ship:$LATEST"
    ] as const
    for (const address of addresses) {
      const Ship = DurableFunction.reference(address, { kind: "durable", payload: Order })
      assert.strictEqual(Ship.name, "ship")
      assert.strictEqual(Ship.kind, "durable")
      assert.strictEqual(Ship.target, address)
      assert.strictEqual(Ship.payload, Order)
    }
    const Mail = DurableFunction.reference("mail", { kind: "plain" })
    assert.deepStrictEqual([Mail.name, Mail.kind, Mail.target], ["mail", "plain", "mail"])
  })

  it("takes another name", () => {
    const Ship = DurableFunction.reference("team-b_ship:live", { kind: "durable", name: "ship" })
    assert.deepStrictEqual([Ship.name, Ship.target], ["ship", "team-b_ship:live"])
  })

  it("refuses what is no address, and a name that is none", () => {
    const elsewhere: ReadonlyArray<string> = [
      "",
      ":",
      "ship:",
      "a b",
      "arn:aws:s3:::bucket",
      "ship:live:7",
      "https://example.com"
    ]
    for (const address of elsewhere) {
      assert.throws(
        () => DurableFunction.reference(address, { kind: "durable" }),
        `DurableFunction.reference: expected the name or the ARN of a Lambda function, found "${address}"`
      )
    }
    assert.throws(
      () => DurableFunction.reference("ship:live", { kind: "durable", name: "a b" }),
      'DurableFunction.reference: the name of a contract is 1 to 140 of a-z A-Z 0-9 - _, found "a b"'
    )
  })
})

describe("implement", () => {
  it("refuses what is no function", () => {
    assert.throws(
      () => DurableFunction.make("a").implement(cast<unknown, () => Effect.Effect<void>>(5)),
      'Expected a function that implements "a", found 5. It returns an Effect.'
    )
  })

  it.effect("joins a contract with its code, and leaves the contract as it is", () =>
    Effect.gen(function* () {
      const Double = DurableFunction.plain("double", {
        payload: Schema.Number,
        success: Schema.Number,
        error: CardDeclined
      })
      const before = { ...Double }
      const double = Double.implement((n) => (n < 0 ? new CardDeclined({ code: "51" }) : Effect.succeed(n * 2)))
      const triple = Double.implement(
        Effect.fn("triple")(function* (n) {
          return yield* Effect.succeed(n * 3)
        })
      )
      assert.strictEqual(double.contract, Double)
      assert.strictEqual(triple.contract, Double)
      assert.deepStrictEqual({ ...Double }, before)
      assert.strictEqual(yield* double.handler(2), 4)
      assert.strictEqual(yield* triple.handler(2), 6)
      assert.deepStrictEqual(yield* Effect.flip(double.handler(-1)), new CardDeclined({ code: "51" }))
    })
  )

  it("does not run the code", () => {
    const Boom = DurableFunction.make("boom")
    const boom = Boom.implement(() => assert.fail("ran"))
    assert.strictEqual(boom.contract, Boom)
  })
})
