/** Where contracts are found, and which addresses are refused before anything is started. */
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { InvalidTarget } from "../src/DurableError.ts"
import * as DurableFunction from "../src/DurableFunction.ts"
import * as Targets from "../src/Targets.ts"

const Bare = DurableFunction.make("pay")
const Addressed = DurableFunction.make("pay", { target: "charge:live" })
const Plain = DurableFunction.plain("validate")

/** A durable contract with a target that only the run time knows. */
const at = (target: string) => DurableFunction.make("pay", { target })

const refusal = (effect: Effect.Effect<unknown, InvalidTarget>) =>
  Effect.map(Effect.flip(effect), (error) => error.message)

describe("a contract", () => {
  it.effect("is found at the function of its name when nobody says otherwise", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* Targets.resolve(Bare), { address: "pay:$LATEST", defaulted: true })
      assert.deepStrictEqual(yield* Targets.resolve(Plain), { address: "validate", defaulted: true })
    })
  )

  it.effect("is found at its own target", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* Targets.resolve(Addressed), { address: "charge:live", defaulted: false })
      const Ship = DurableFunction.reference("123456789012:function:ship:7", { kind: "durable" })
      assert.deepStrictEqual(yield* Targets.resolve(Ship), {
        address: "123456789012:function:ship:7",
        defaulted: false
      })
    })
  )

  it.effect("is found at its entry in Targets before all", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* Targets.resolve(Addressed), { address: "pay-eu:7", defaulted: false })
      assert.deepStrictEqual(yield* Targets.resolve(Bare), { address: "pay-eu:7", defaulted: false })
      assert.deepStrictEqual(yield* Targets.resolve(Plain), { address: "checks", defaulted: false })
    }).pipe(Effect.provide(Targets.layer({ pay: "pay-eu:7", validate: "checks", other: "never:asked" })))
  )

  it.effect("is found by its name and nothing that every object has", () =>
    Effect.gen(function* () {
      for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
        const contract = DurableFunction.make(name)
        assert.deepStrictEqual(yield* Targets.resolve(contract), { address: `${name}:$LATEST`, defaulted: true })
      }
    }).pipe(Effect.provide(Targets.layer({})))
  )
})

describe("the address of a durable function", () => {
  it.effect("is a name or an ARN with a version or an alias", () =>
    Effect.gen(function* () {
      const addresses = [
        "charge:live",
        "charge:7",
        "charge:$LATEST",
        "charge:$LATEST.PUBLISHED",
        "123456789012:function:charge:live",
        "eu-west-1:123456789012:function:charge:live",
        "arn:aws:lambda:us-east-1:123456789012:function:charge:live",
        "arn:aws-cn:lambda:cn-north-1:123456789012:function:charge:$LATEST"
      ]
      for (const address of addresses) {
        assert.deepStrictEqual(yield* Targets.resolve(at(address)), { address, defaulted: false })
      }
    })
  )

  it.effect("is refused without one, with the cure", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* refusal(Targets.resolve(at("charge"))),
        'The durable function "pay" cannot be invoked at "charge", from the target of its contract: a durable function is invoked by version or alias. Write "charge:live", "charge:7" or "charge:$LATEST".'
      )
      const arn = "arn:aws:lambda:us-east-1:123456789012:function:charge"
      assert.include(yield* refusal(Targets.resolve(at(arn))), `Write "${arn}:live"`)
      assert.include(yield* refusal(Targets.resolve(at("123456789012:function:charge"))), "by version or alias")
    })
  )

  it.effect("is refused when it is malformed, with what is expected", () =>
    Effect.gen(function* () {
      const malformed = [
        "",
        " ",
        ":live",
        "charge:",
        "charge:live:7",
        "charge live:7",
        "charge:bad alias",
        "支払:live",
        "arn:aws:s3:::bucket:live",
        "arn:aws:lambda:us-east-1:1234:function:charge:live",
        "arn:aws:lambda:us-east-1:123456789012:function:charge:7/durable-execution/a/b",
        `${"a".repeat(65)}:live`,
        `charge:${"a".repeat(300)}`
      ]
      for (const address of malformed) {
        const message = yield* refusal(Targets.resolve(at(address)))
        assert.include(
          message,
          `The durable function "pay" cannot be invoked at "${address}", from the target of its contract: it is not an address.`
        )
        assert.include(message, 'with a version or alias, such as "charge:live"')
      }
    })
  )

  it.effect("is refused by its own name when that is too long for a function", () =>
    Effect.gen(function* () {
      const contract = DurableFunction.make("a".repeat(65))
      assert.include(
        yield* refusal(Targets.resolve(contract)),
        "from its own name: it is not an address. Expected a function's name (at most 64 characters)"
      )
    })
  )

  it.effect("is refused from Targets too, as a typed error that says so", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Targets.resolve(Addressed))
      assert.instanceOf(error, InvalidTarget)
      assert.strictEqual(error.operation, "pay")
      assert.include(error.message, 'cannot be invoked at "charge", from Targets.layer: a durable function')
    }).pipe(Effect.provide(Targets.layer({ pay: "charge" })))
  )
})

describe("the address of a plain function", () => {
  it.effect("may have a version or an alias, or none", () =>
    Effect.gen(function* () {
      for (const target of ["checks", "checks:live", "arn:aws:lambda:us-east-1:123456789012:function:checks"]) {
        const contract = DurableFunction.plain("validate", { target })
        assert.deepStrictEqual(yield* Targets.resolve(contract), { address: target, defaulted: false })
      }
    })
  )

  it.effect("is refused when it is malformed", () =>
    Effect.gen(function* () {
      const message = yield* refusal(Targets.resolve(DurableFunction.plain("validate", { target: "checks:" })))
      assert.include(message, 'The plain function "validate" cannot be invoked at "checks:"')
      assert.notInclude(message, "version or alias")
    })
  )
})

describe("addresses in the environment", () => {
  const environment = (variables: Record<string, string>) => ConfigProvider.layer(ConfigProvider.fromUnknown(variables))
  const resolveWith = (layer: Layer.Layer<never, unknown>, variables: Record<string, string>) =>
    Effect.exit(Effect.provide(Targets.resolve(Addressed), Layer.provide(layer, environment(variables))))

  const payments = Config.all({ pay: Config.String("PAYMENTS") })

  it.effect("are a JSON object in DURABLE_TARGETS, or what another configuration says", () =>
    Effect.gen(function* () {
      const found = Exit.succeed({ address: "pay-eu:7", defaulted: false })
      const text = '{"pay":"pay-eu:7"}'
      assert.deepStrictEqual(yield* resolveWith(Targets.layerConfig(), { DURABLE_TARGETS: text }), found)
      assert.deepStrictEqual(yield* resolveWith(Targets.layerConfig(payments), { PAYMENTS: "pay-eu:7" }), found)
    })
  )

  it.effect("may be none", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        yield* resolveWith(Targets.layerConfig(), { DURABLE_TARGETS: "{}" }),
        Exit.succeed({ address: "charge:live", defaulted: false })
      )
    })
  )

  it.effect("that are missing or malformed are an error of the configuration", () =>
    Effect.gen(function* () {
      for (const variables of [
        {},
        { DURABLE_TARGETS: "pay:7" },
        { DURABLE_TARGETS: "[]" },
        { DURABLE_TARGETS: '{"pay":7}' }
      ]) {
        const exit = yield* resolveWith(Targets.layerConfig(), variables)
        assert.isTrue(Exit.isFailure(exit))
        assert.include(String(exit), "ConfigError")
      }
    })
  )

  it.effect("are named by where they come from when they are refused", () =>
    Effect.gen(function* () {
      const text = '{"pay":"charge"}'
      const first = yield* resolveWith(Targets.layerConfig(), { DURABLE_TARGETS: text })
      assert.include(String(first), 'cannot be invoked at "charge", from the variable DURABLE_TARGETS')
      const other = yield* resolveWith(Targets.layerConfig(payments), { PAYMENTS: "charge" })
      assert.include(String(other), 'cannot be invoked at "charge", from the configuration')
    })
  )
})
