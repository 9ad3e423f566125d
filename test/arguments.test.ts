/** What callers without types get from constructors, layers and clients for an argument of another kind: words. */
import { assert, describe, it } from "@effect/vitest"
import {
  BatchResult,
  CompletionPolicy,
  Durable,
  DurableClient,
  DurableFunction,
  RetryPolicy,
  Serdes,
  Targets
} from "effect-durable"
import { LambdaCheckpoints, LambdaClient, LambdaHandler } from "effect-durable/lambda"
import { LocalEngine } from "effect-durable/local"
import { TestEngine, Tree } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

type Untyped = (...args: ReadonlyArray<unknown>) => unknown
type Module = Readonly<Record<string, Untyped>>

/** A module as a caller without types sees it. */
const untyped = (module: object): Module => cast<object, Module>(module)

const W = DurableFunction.make("w")
const done = W.implement(() => Effect.void)
const Fields = { a: Schema.String }

const thrown: ReadonlyArray<readonly [call: string, make: () => unknown, message: string]> = [
  [
    "a contract with fields as payload",
    () => untyped(DurableFunction)["make"]?.("a", { payload: Fields }),
    'DurableFunction.make: the payload of "a" is a Schema, found '
  ],
  [
    "a contract with a class as error",
    () => untyped(DurableFunction)["plain"]?.("a", { error: Error }),
    'DurableFunction.plain: the error of "a" is a Schema, found a function'
  ],
  [
    "a reference to nothing",
    () => untyped(DurableFunction)["reference"]?.(),
    "DurableFunction.reference: expected the name or the ARN of a Lambda function, found undefined"
  ],
  [
    "a reference of no kind",
    () => untyped(DurableFunction)["reference"]?.("a"),
    'DurableFunction.reference: expected the kind "durable" or "plain", found undefined'
  ],
  [
    "RetryPolicy.while without a predicate",
    () => untyped(RetryPolicy)["while"]?.(RetryPolicy.standard, 5),
    "RetryPolicy.while: predicate must be a function, found 5"
  ],
  [
    "RetryPolicy.withDelay of a text",
    () => untyped(RetryPolicy)["withDelay"]?.(RetryPolicy.standard, "1 second"),
    'RetryPolicy.withDelay: delay must be a function, found "1 second"'
  ],
  [
    "RetryPolicy.fromSchedule of options",
    () => untyped(RetryPolicy)["fromSchedule"]?.({ times: 3 }),
    'RetryPolicy.fromSchedule: expected a Schedule, found {"times":3}'
  ],
  [
    "CompletionPolicy.custom of a word",
    () => untyped(CompletionPolicy)["custom"]?.("all"),
    'CompletionPolicy.custom: the predicate must be a function, found "all"'
  ],
  [
    "CompletionPolicy.make with a text",
    () => untyped(CompletionPolicy)["make"]?.({ toleratedFailurePercentage: "5" }),
    'CompletionPolicy.make: toleratedFailurePercentage must be a number from 0 to 100, found "5"'
  ],
  [
    "Serdes.make of nothing",
    () => untyped(Serdes)["make"]?.(),
    "Expected the serialize of a codec to be a function, found undefined."
  ],
  [
    "Serdes.make with one function",
    () => untyped(Serdes)["make"]?.({ serialize: String }),
    "Expected the deserialize of a codec to be a function, found undefined."
  ],
  [
    "BatchResult.fromValues of nothing",
    () => untyped(BatchResult)["fromValues"]?.("a"),
    "Expected the values of BatchResult.fromValues to be an array, found undefined."
  ],
  [
    "BatchResult.Schema of a Schema",
    () => untyped(BatchResult)["Schema"]?.(Schema.String),
    "Expected BatchResult.Schema({ success }), found undefined as the success. It is the Schema of a value."
  ],
  [
    "LambdaHandler.make of a handler alone",
    () => untyped(LambdaHandler)["make"]?.({ handler: () => Effect.void }, { layer: Layer.empty }),
    "Expected LambdaHandler.make(implementation, { layer }), found an object as the implementation."
  ],
  [
    "LambdaCheckpoints.layerAwsSdkWith of a configuration",
    () => untyped(LambdaCheckpoints)["layerAwsSdkWith"]?.({ client: { region: "eu-west-1" } }),
    "Expected layerAwsSdkWith({ client }), found an object as the client. Pass a LambdaClient of @aws-sdk/client-lambda."
  ],
  [
    "LambdaClient.layerAwsSdkWith of nothing",
    () => untyped(LambdaClient)["layerAwsSdkWith"]?.(),
    "Expected layerAwsSdkWith({ client }), found undefined as the client."
  ],
  [
    "LocalEngine.module of an implementation",
    () => untyped(LocalEngine)["module"]?.(done),
    "Expected the file of a function to be a path or a URL, found an object."
  ],
  [
    "LocalEngine.command of a text",
    () => untyped(LocalEngine)["command"]?.("a", "node a.js"),
    "Expected the command of LocalEngine.command to be a list, found a string."
  ],
  [
    "LocalEngine.inProcess without a layer",
    () => untyped(LocalEngine)["inProcess"]?.([done]),
    "Expected LocalEngine.inProcess(implementations, { layer }), found undefined as the layer."
  ],
  [
    "LocalEngine.inProcess of a contract",
    () => untyped(LocalEngine)["inProcess"]?.([W], { layer: Layer.empty }),
    "Expected LocalEngine.inProcess(implementations, { layer }), found an array as the implementations."
  ],
  [
    "TestEngine.failFirst of an error",
    () => untyped(TestEngine)["failFirst"]?.("a", 1, new Error("no")),
    "Expected TestEngine.failFirst to get an Effect that fails, found an instance of Error."
  ],
  ["Tree.text of nothing", () => untyped(Tree)["text"]?.(), "Expected a list of events to draw, found undefined."],
  [
    "Tree.render of an ARN",
    () => untyped(Tree)["render"]?.("arn:x"),
    "Expected a list of events to draw, found a string."
  ]
]

describe("A constructor refuses an argument of another kind in words:", () => {
  for (const [call, make, message] of thrown) {
    it(call, () => {
      assert.throws(make, message)
    })
  }

  it("null in place of options is no options", () => {
    assert.strictEqual(cast<unknown, DurableFunction.Any>(untyped(DurableFunction)["make"]?.("a", null)).name, "a")
    for (const name of ["exponential", "linear", "fixed"])
      assert.doesNotThrow(() => untyped(RetryPolicy)[name]?.(null), undefined, undefined, name)
    assert.doesNotThrow(() => untyped(CompletionPolicy)["make"]?.(null))
    assert.doesNotThrow(() => untyped(LambdaCheckpoints)["layerWith"]?.())
  })
})

const layerOf = cast<typeof TestEngine.layer, (parts: unknown) => ReturnType<typeof TestEngine.layer<[]>>>(
  TestEngine.layer
)
const drained = (stream: unknown) => Stream.runDrain(cast<unknown, Stream.Stream<unknown>>(stream))

/** The failure of something, with a test engine of these parts around it. */
const failureOf = (effect: unknown, parts: unknown = [done]) =>
  Effect.map(Effect.exit(Effect.provide(cast<unknown, Effect.Effect<unknown>>(effect), layerOf(parts))), (exit) => {
    const failure = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
    return cast<unknown, { readonly _tag: string; readonly message: string } | undefined>(failure)
  })

const client = untyped(DurableClient)
const engine = untyped(TestEngine)
const execution = (found: string, expected = "its ARN, or what DurableClient.start returns") =>
  `Expected the execution in a call of DurableClient to be ${expected}, found ${found}.`
const contract = (found: string) =>
  `Expected a contract, which is what DurableFunction.make returns, found ${found}. Pass the contract, not its name or its code.`
const parts = "Pass a list of the results of implement, TestEngine.stub, TestEngine.answer and TestEngine.failFirst."

const failing: ReadonlyArray<readonly [call: string, make: () => unknown, tag: string, message: string]> = [
  ["start of a name", () => client["start"]?.("w"), "InvalidTarget", contract("a string")],
  ["run of an implementation", () => client["run"]?.(done), "InvalidTarget", contract("an object")],
  ["executions of nothing", () => drained(client["executions"]?.()), "InvalidTarget", contract("undefined")],
  ["Targets.resolve of a list", () => untyped(Targets)["resolve"]?.([W]), "InvalidTarget", contract("an array")],
  [
    "a tenant id that is a list",
    () => client["start"]?.(W, undefined, { tenantId: ["a"] }),
    "InvalidTenantId",
    "found an array."
  ],
  ["get of nothing", () => client["get"]?.(), "InvalidOptions", execution("undefined")],
  ["stop of a number", () => client["stop"]?.(5), "InvalidOptions", execution("a number")],
  ["events of null", () => drained(client["events"]?.(null)), "InvalidOptions", execution("null")],
  [
    "poll of an ARN",
    () => client["poll"]?.("arn:x"),
    "InvalidOptions",
    execution("a string", "what DurableClient.start returns")
  ],
  [
    "TestEngine.run of a name",
    () => engine["run"]?.("w"),
    "TestFailure",
    "Expected the contract of an execution, which is what DurableFunction.make returns, found a string."
  ]
]

describe("A call of a client fails in words for an argument of another kind:", () => {
  for (const [call, make, tag, message] of failing) {
    it.effect(call, () =>
      Effect.gen(function* () {
        const failure = yield* failureOf(make())
        assert.strictEqual(failure?._tag, tag)
        assert.include(failure?.message, message)
      })
    )
  }
})

describe("A layer that cannot be built says so in words:", () => {
  const wrong: ReadonlyArray<readonly [name: string, parts: unknown, message: string]> = [
    ["no list", null, `Expected TestEngine.layer to get a list, found null. ${parts}`],
    [
      "a number in the list",
      [done, 5],
      `Expected TestEngine.layer to get its parts, found a number at index 1. ${parts}`
    ],
    ["null in the list", [null], "found null at index 0"],
    ["a contract", [W], 'found the contract "w" without an implementation at index 0'],
    [
      "a stub of a name",
      [cast<unknown, Untyped>(TestEngine.stub)("w", () => Effect.void)],
      "found an object at index 0"
    ]
  ]
  for (const [name, list, message] of wrong) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const failure = yield* failureOf(Effect.void, list)
        assert.strictEqual(failure?._tag, "TestFailure")
        assert.include(failure?.message, message)
      })
    )
  }

  it.effect("functions of a local engine that are no sources", () =>
    Effect.gen(function* () {
      for (const [options, message] of [
        [undefined, "to be a list, found undefined."],
        [{ functions: "handlers.ts" }, "to be a list, found a string."],
        [{ functions: [done] }, "to be sources, and so that at index 0, found an object."]
      ] as const) {
        const layer = cast<unknown, typeof LocalEngine.layer>(LocalEngine.layer)
        const exit = yield* Effect.exit(Effect.scoped(Layer.build(layer(cast<unknown, LocalEngine.Options>(options)))))
        const failure = Exit.isFailure(exit)
          ? cast<unknown, Error & { _tag: string }>(Cause.squash(exit.cause))
          : undefined
        assert.strictEqual(failure?._tag, "FunctionsError")
        assert.include(failure?.message, message)
      }
    })
  )

  it("addresses that are no object", () => {
    const layer = cast<unknown, Layer.Layer<never>>(untyped(Targets)["layer"]?.())
    const exit = Effect.runSyncExit(Effect.scoped(Layer.build(layer)))
    assert.include(String(exit), "Expected the addresses of Targets.layer to be an object, found undefined.")
  })
})

describe("A stub or an answer that gives no reply", () => {
  const Charge = DurableFunction.plain("charge", { success: Schema.String })
  const Shop = DurableFunction.make("shop", { success: Schema.String, error: Schema.Any })
  const shop = Shop.implement(() => Effect.catch(Durable.invoke(Charge), (error) => Effect.succeed(error.message)))

  it.effect("fails the call at once, instead of never answering", () =>
    Effect.gen(function* () {
      const stub = cast<unknown, Untyped>(TestEngine.stub)
      for (const [respond, found] of [
        ["receipt", "a string"],
        [() => ({ _tag: "Receipt" }), "an object"],
        [() => undefined, "undefined"]
      ] as const) {
        const message = yield* Effect.provide(TestEngine.run(Shop), layerOf([shop, stub(Charge, respond)]))
        assert.include(
          message,
          `Expected the stub of "charge" to be a reply, found ${found}. Wrap a value in Reply.succeed`
        )
      }
    })
  )
})
