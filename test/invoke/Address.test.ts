import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableError, DurableFunction, Targets } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import { oneInvocation } from "./oneInvocation.ts"
import { addresses, executionFailed, runToEnd, spy } from "./support.ts"

const numbers = { payload: Schema.Int, success: Schema.Int }
const arn = "arn:aws:lambda:eu-west-1:123456789012:function:charge"

describe("the address that an invoke sends", () => {
  const durable: ReadonlyArray<readonly [promise: string, target: string | undefined, sent: string]> = [
    ["is the name with $LATEST when nobody says more", undefined, "charge:$LATEST"],
    ["is a name with an alias", "charge:live", "charge:live"],
    ["is a name with a version", "charge:7", "charge:7"],
    ["is a name with $LATEST", "charge:$LATEST", "charge:$LATEST"],
    ["is a full ARN with an alias", `${arn}:live`, `${arn}:live`],
    ["is a full ARN with a version", `${arn}:42`, `${arn}:42`],
    ["is a partial ARN with an alias", "123456789012:function:charge:live", "123456789012:function:charge:live"]
  ]
  for (const [promise, target, sent] of durable) {
    it.effect(`of a durable function ${promise}`, () =>
      Effect.gen(function* () {
        const Charge = DurableFunction.make("charge", {
          ...numbers,
          ...(target === undefined ? undefined : { target })
        })
        const charge = Charge.implement((n) => Effect.succeed(n + 1))
        const { exit, history } = yield* runToEnd(Durable.invoke(Charge, 1), [charge])
        assert.strictEqual(yield* exit, 2)
        assert.deepStrictEqual(addresses(history), [sent])
      })
    )
  }

  const plain: ReadonlyArray<readonly [promise: string, target: string | undefined, sent: string]> = [
    ["is its name when nobody says more", undefined, "charge"],
    ["is another name", "payments", "payments"],
    ["is a name with an alias", "payments:live", "payments:live"],
    ["is an ARN without a qualifier", arn, arn],
    ["is an ARN with a version", `${arn}:3`, `${arn}:3`]
  ]
  for (const [promise, target, sent] of plain) {
    it.effect(`of a plain function ${promise}`, () =>
      Effect.gen(function* () {
        const Charge = DurableFunction.plain("charge", {
          ...numbers,
          ...(target === undefined ? undefined : { target })
        })
        const { exit, history } = yield* runToEnd(Durable.invoke(Charge, 1), [
          TestEngine.stub(Charge, (n) => Effect.succeed(n + 1))
        ])
        assert.strictEqual(yield* exit, 2)
        assert.deepStrictEqual(addresses(history), [sent])
      })
    )
  }

  it.effect(
    "of a referenced function is that of the reference, and its name is the default name of the operation",
    () =>
      Effect.gen(function* () {
        const Ship = DurableFunction.reference("arn:aws:lambda:eu-west-1:123456789012:function:ship:live", {
          kind: "durable",
          ...numbers
        })
        const { history, operations } = yield* runToEnd(Durable.invoke(Ship, 1), [
          TestEngine.stub(Ship, (n) => Effect.succeed(n))
        ])
        assert.deepStrictEqual(addresses(history), ["arn:aws:lambda:eu-west-1:123456789012:function:ship:live"])
        assert.strictEqual(operations[0]?.Name, "ship")
      })
  )

  it.effect("is the one in Targets rather than the one in the contract", () =>
    Effect.gen(function* () {
      const Charge = DurableFunction.make("charge", { ...numbers, target: "charge:live" })
      const charge = Charge.implement((n) => Effect.succeed(n + 1))
      const { exit, history } = yield* runToEnd(Durable.invoke(Charge, 1), [charge])
      assert.strictEqual(yield* exit, 2)
      assert.deepStrictEqual(addresses(history), ["payment-processor:blue"])
    }).pipe(Effect.provide(Targets.layer({ charge: "payment-processor:blue" })))
  )

  it.effect("is the one in the configuration", () =>
    Effect.gen(function* () {
      const Charge = DurableFunction.make("charge", numbers)
      const charge = Charge.implement((n) => Effect.succeed(n + 1))
      const { history } = yield* runToEnd(Durable.invoke(Charge, 1), [charge])
      assert.deepStrictEqual(addresses(history), ["charge:9"])
    }).pipe(
      Effect.provide(
        Targets.layerConfig(Config.all({ charge: Config.String("CHARGE") })).pipe(
          Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ CHARGE: "charge:9" })))
        )
      )
    )
  )

  it.effect("may be different for two contracts of one function", () =>
    Effect.gen(function* () {
      const Blue = DurableFunction.make("blue", { ...numbers, target: "charge:blue" })
      const Green = DurableFunction.make("green", { ...numbers, target: "other:green" })
      const { exit, history } = yield* runToEnd(Effect.all([Durable.invoke(Blue, 1), Durable.invoke(Green, 2)]), [
        Blue.implement((n) => Effect.succeed(n)),
        Green.implement((n) => Effect.succeed(n))
      ])
      assert.deepStrictEqual(yield* exit, [1, 2])
      assert.deepStrictEqual(addresses(history), ["charge:blue", "other:green"])
    })
  )
})

describe("an address that cannot be invoked", () => {
  const Charge = DurableFunction.make("charge", numbers)

  for (const [what, address] of [
    ["an unqualified name", "payment-processor"],
    ["an unqualified ARN", arn],
    ["no address at all", "not an address!"],
    ["an empty text", ""],
    ["a name with an empty qualifier", "charge:"]
  ] as const) {
    it.effect(`${what} for a durable function is InvalidTarget before anything is sent`, () =>
      Effect.gen(function* () {
        const { calls, stub } = spy(Charge, (n) => Effect.succeed(n))
        const { exit, operations } = yield* runToEnd(Durable.invoke(Charge, 1), [stub]).pipe(
          Effect.provide(Targets.layer({ charge: address }))
        )
        assert.strictEqual(executionFailed(exit).errorType, "InvalidTarget")
        assert.deepStrictEqual(operations, [])
        assert.strictEqual(calls.length, 0)
        const message = executionFailed(exit).errorMessage ?? ""
        assert.include(message, `"charge"`)
        assert.include(message, `"${address}"`)
        assert.include(message, "Targets.layer")
      })
    )
  }

  it.effect("is InvalidTarget before anything is sent with a time-out, too", () =>
    Effect.gen(function* () {
      const { exit, operations } = yield* runToEnd(Durable.invoke(Charge, 1, { timeout: "1 minute" }), [
        TestEngine.stub(Charge, (n) => Effect.succeed(n))
      ]).pipe(Effect.provide(Targets.layer({ charge: "payment-processor" })))
      assert.strictEqual(executionFailed(exit).errorType, "InvalidTarget")
      assert.deepStrictEqual(operations, [])
    })
  )

  it.effect("is a defect that names the operation", () =>
    Effect.gen(function* () {
      const defects: Array<unknown> = []
      yield* runToEnd(
        Durable.child(
          "billing",
          Durable.invoke(Charge, 1, { name: "pay" }).pipe(
            Effect.orDie,
            Effect.catchDefect((defect) => Effect.sync(() => void defects.push(defect)))
          )
        ),
        []
      ).pipe(Effect.provide(Targets.layer({ charge: "payment-processor" })))
      assert.instanceOf(defects[0], DurableError.InvalidTarget)
      assert.strictEqual(defects[0].operation, "billing/pay")
    })
  )
})

describe("a tenant id", () => {
  const Charge = DurableFunction.plain("charge", numbers)
  const Durably = DurableFunction.make("durably", numbers)

  it.effect("reaches the function", () =>
    Effect.gen(function* () {
      const { calls, stub } = spy(Charge, (n) => Effect.succeed(n))
      const { history } = yield* runToEnd(Durable.invoke(Charge, 1, { tenantId: "acme co/eu-1" }), [stub])
      assert.deepStrictEqual(calls, [{ payload: 1, tenantId: "acme co/eu-1" }])
      const started = history.find((event) => event.EventType === "ChainedInvokeStarted")
      assert.strictEqual(started?.ChainedInvokeStartedDetails?.TenantId, "acme co/eu-1")
    })
  )

  it.effect("is absent when none is given", () =>
    Effect.gen(function* () {
      const { calls, stub } = spy(Charge, (n) => Effect.succeed(n))
      const { history } = yield* runToEnd(Durable.invoke(Charge, 1), [stub])
      assert.deepStrictEqual(calls, [{ payload: 1, tenantId: undefined }])
      const started = history.find((event) => event.EventType === "ChainedInvokeStarted")
      assert.notProperty(started?.ChainedInvokeStartedDetails, "TenantId")
    })
  )

  it.effect("goes along with a time-out and to a durable function", () =>
    Effect.gen(function* () {
      const { history } = yield* runToEnd(Durable.invoke(Durably, 1, { tenantId: "a@b", timeout: "1 minute" }), [
        Durably.implement((n) => Effect.succeed(n))
      ])
      const started = history.find((event) => event.EventType === "ChainedInvokeStarted")
      assert.strictEqual(started?.ChainedInvokeStartedDetails?.TenantId, "a@b")
    })
  )

  it.effect("may have every character that Lambda allows, and 256 of them", () =>
    Effect.gen(function* () {
      const tenantId = "aZ09. _:/=+-@".padEnd(256, "x")
      const { calls, stub } = spy(Charge, (n) => Effect.succeed(n))
      yield* runToEnd(Durable.invoke(Charge, 1, { tenantId }), [stub])
      assert.strictEqual(calls[0]?.tenantId, tenantId)
    })
  )

  for (const [what, tenantId] of [
    ["an empty one", ""],
    ["257 characters", "x".repeat(257)],
    ["a character outside of the pattern", "acme#1"],
    ["an umlaut", "münchen"],
    ["a line break", "acme\n"]
  ] as const) {
    for (const timeout of [undefined, "1 minute"] as const) {
      it.effect(`is InvalidTenantId before START: ${what}${timeout === undefined ? "" : ", with a time-out"}`, () =>
        Effect.gen(function* () {
          const { calls, stub } = spy(Charge, (n) => Effect.succeed(n))
          const { exit, operations } = yield* runToEnd(
            Durable.invoke(Charge, 1, { name: "pay", tenantId, ...(timeout === undefined ? undefined : { timeout }) }),
            [stub]
          )
          assert.strictEqual(executionFailed(exit).errorType, "InvalidTenantId")
          assert.include(executionFailed(exit).errorMessage, `"pay"`)
          assert.deepStrictEqual(operations, [])
          assert.strictEqual(calls.length, 0)
        })
      )
    }
  }
})

describe("a contract without a target", () => {
  const Charge = DurableFunction.make("charge", numbers)

  /** The warnings of one invocation outside of the test engine. */
  const warnings = (contract: typeof Charge, layer: Layer.Layer<never> = Layer.empty) =>
    Effect.gen(function* () {
      const messages: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => void messages.push(`${logLevel} ${String(message)}`))
      const { updates } = yield* oneInvocation(Durable.invoke(contract, 1), [], () => undefined, {}).pipe(
        Effect.provide([Logger.layer([logger]), layer])
      )
      assert.strictEqual(updates.length, 1)
      return messages
    })

  it.live("is invoked as $LATEST with a warning, because that is no place for executions that live long", () =>
    Effect.gen(function* () {
      const [message, ...others] = yield* warnings(Charge)
      assert.match(message ?? "", /^Warn /)
      assert.include(message, "charge:$LATEST")
      assert.include(message, "Targets")
      assert.deepStrictEqual(others, [])
    })
  )

  it.live("is invoked without a warning once Targets or the contract say where it is", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* warnings(Charge, Targets.layer({ charge: "charge:live" })), [])
      assert.deepStrictEqual(yield* warnings(DurableFunction.make("charge", { ...numbers, target: "charge:live" })), [])
    })
  )
})
