/** What callers without types get for an argument of another kind: a defect that says what to pass instead. */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, RetryPolicy, type DurableClient } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"

const W = DurableFunction.make("w")
const Plain = DurableFunction.plain("x", { payload: Schema.Int })

/** The operations as a caller without types sees them. */
type Untyped = (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, unknown>
const untyped = cast<typeof Durable, Readonly<Record<keyof typeof Durable, Untyped>>>(Durable)

/** How a workflow ends that does this alone, and what it recorded. */
const endOf = (body: () => unknown) =>
  Effect.gen(function* () {
    const handler = cast<() => unknown, () => Effect.Effect<void>>(body)
    const run = yield* Effect.provide(
      Effect.gen(function* () {
        const started = yield* TestEngine.start(W)
        const exit = yield* Effect.exit(started.result)
        return { exit, operations: yield* started.operations() }
      }),
      TestEngine.layer([W.implement(handler)])
    )
    const error = Exit.isFailure(run.exit) ? Cause.squash(run.exit.cause) : undefined
    return {
      failure: cast<unknown, DurableClient.ExecutionFailed | undefined>(error),
      names: run.operations.map(({ Name }) => Name)
    }
  })

const { void: nothing } = Effect
const wrap = "Wrap it in Effect.sync or Effect.promise."
const effect = (found: string, name = "x") =>
  `Expected the effect of "${name}" to be an Effect, found ${found}. ${wrap}`
const contract = (found: string, name = "invoke") =>
  `Expected the contract of "Durable.${name}" to be what DurableFunction.make returns, found ${found}. Pass the contract, not its name or its code.`
const list = (what: string, found: string, advice: string) =>
  `Expected the ${what} of "x" to be a list, found ${found}. ${advice}`
const needsFunction = (what: string, found: string, takes: string) =>
  `Expected the ${what} of "x" to be a function, found ${found}. It takes ${takes}, and returns an Effect.`
const onExit = (found: string) =>
  `Expected the finalizer of "Durable.onExit" to be a function, found ${found}. It takes the exit, and returns an Effect.`
const started = (found: string) =>
  `Expected the execution of "stop" to be what Durable.start returns, found ${found}. It has an executionArn.`
const itemName = (found: string) =>
  `Expected the itemName of "x" to be a function, found ${found}. It takes an item, and returns its label.`
const batchPolicy = (found: string) =>
  `Expected the policy of "x" to be a CompletionPolicy, found ${found}. CompletionPolicy.make creates one from bounds.`
const retryPolicy = (argument: string, found: string) =>
  `Expected the ${argument} of "x" to be a RetryPolicy, found ${found}. RetryPolicy.fromSchedule creates one from a Schedule.`

const wrong: ReadonlyArray<readonly [call: string, body: () => unknown, message: string]> = [
  ["step of a number", () => untyped.step("x", 5), effect("a number")],
  ["step of a function", () => untyped.step("x", () => 5), effect("a function")],
  ["step of a promise", () => untyped.step("x", Promise.resolve(1)), effect("an instance of Promise")],
  ["step in a pipe", () => cast<unknown, Untyped>(untyped.step("x"))(5), effect("a number")],
  ["child of a function", () => untyped.child("x", () => nothing), effect("a function")],
  ["retry of a function", () => untyped.retry("x", () => nothing, RetryPolicy.standard), effect("a function")],
  ["timeout of a function", () => untyped.timeout("x", () => nothing, "1 hour"), effect("a function")],
  [
    "withCompensation of a function",
    () =>
      untyped.withCompensation(
        "x",
        () => nothing,
        () => nothing
      ),
    effect("a function")
  ],
  [
    "withCompensation without an undo",
    () => untyped.withCompensation("x", nothing, 5),
    needsFunction("undo", "a number", "the value")
  ],
  ["onExit of a number", () => untyped.onExit(5, () => nothing), effect("a number", "Durable.onExit")],
  ["onExit with a value", () => untyped.onExit(nothing, () => 5), effect("a number", "Durable.onExit")],
  ["hold of a function", () => untyped.hold(() => 5), effect("a function", "Durable.hold")],
  ["local of a number", () => untyped.local(5), effect("a number", "Durable.local")],
  ["map of a number", () => untyped.map("x", 5, () => nothing), list("items", "a number", "Pass an array.")],
  ["map of nothing", () => untyped.map("x", undefined, () => nothing), list("items", "undefined", "Pass an array.")],
  ["map with a text", () => untyped.map("x", [1], "f"), needsFunction("third argument", "a string", "an item")],
  ["forEach with a text", () => untyped.forEach("x", [1], "f"), needsFunction("third argument", "a string", "an item")],
  ["forEach with values", () => untyped.forEach("x", [1], () => 5), effect("a number", "map-item-0")],
  ["parallel of a number", () => untyped.parallel("x", 5), list("branches", "a number", "Pass an array of effects.")],
  ["race of nothing", () => untyped.race("x"), list("branches", "undefined", "Pass an array of effects.")],
  ["race of values", () => untyped.race("x", [5]), effect("a number", "parallel-branch-0")],
  [
    "all of a number",
    () => untyped.all("x", 5),
    'Expected the branches of "x" to be an array or an object, found a number. Its values are effects.'
  ],
  [
    "all of an effect",
    () => untyped.all("x", Effect.succeed(1)),
    'Expected the branches of "x" to be an array or an object, found an'
  ],
  ["all of a value", () => untyped.all("x", { a: 5 }), effect("a number", "a")],
  ["all of nothing", () => untyped.all("x", [null]), effect("null", "parallel-branch-0")],
  ["all of a branch without an effect", () => untyped.all("x", [{ name: "b", effect: null }]), effect("null", "b")],
  ["invoke of nothing", () => untyped.invoke(undefined, 1), contract("undefined")],
  ["invoke of a name", () => untyped.invoke("charge", 1), contract("a string")],
  ["start of an implementation", () => untyped.start(W.implement(() => nothing)), contract("an object", "start")],
  ["continueWith of nothing", () => untyped.continueWith(undefined), contract("undefined", "continueWith")],
  ["onExit without a finalizer", () => untyped.onExit(nothing), onExit("undefined")],
  ["onExit of two effects", () => untyped.onExit(nothing, nothing), onExit("an object with a prototype of its own")],
  ["stop of nothing", () => untyped.stop(), started("undefined")],
  ["stop of an ARN, with null as options", () => untyped.stop("arn:x", null), started("a string")],
  ["map with a text as itemName", () => untyped.map("x", [1], () => nothing, { itemName: "f" }), itemName("a string")],
  [
    "forEach with a list as itemName",
    () => untyped.forEach("x", [], () => nothing, { itemName: [] }),
    itemName("an array")
  ],
  ["parallel with a number as policy", () => untyped.parallel("x", [nothing], { policy: 1 }), batchPolicy("1")],
  ["map with a word as policy", () => untyped.map("x", [1], () => nothing, { policy: "all" }), batchPolicy('"all"')],
  [
    "all with an object as concurrency",
    () => untyped.all("x", [nothing], { concurrency: Object.create(null) }),
    'Expected the concurrency of "x" to be a whole number of at least 1 or "unbounded", found {}.'
  ],
  ["step with a number as retry", () => untyped.step("x", nothing, { retry: 3 }), retryPolicy("retry", "a number")],
  [
    "step with a schedule as retry",
    () => untyped.step("x", nothing, { retry: Schedule.forever }),
    retryPolicy("retry", "an object with a prototype of its own")
  ],
  ["retry without a policy", () => untyped.retry("x", nothing), retryPolicy("policy", "undefined")],
  [
    "retry with options of a policy",
    () => untyped.retry("x", nothing, { times: 3 }),
    retryPolicy("policy", "an object")
  ],
  [
    "step with another word as semantics",
    () => untyped.step("x", nothing, { semantics: "exactly-once" }),
    'Expected the semantics of "x" to be "at-least-once" or "at-most-once", found "exactly-once". Give that, or leave the option out for its default.'
  ],
  [
    "waitForCallback without a submitter",
    () => untyped.waitForCallback("x", { timeout: "1 day" }),
    'Expected the submit of "x" to be a function, found an object. It takes the id of the callback, and returns an Effect.'
  ],
  [
    "waitForCallback with a submitter that returns a promise",
    () => untyped.waitForCallback("x", () => Promise.resolve(), { timeout: "1 day" }),
    effect("an instance of Promise")
  ],
  [
    "waitForCallback with a number as retry",
    () => untyped.waitForCallback("x", () => nothing, { timeout: "1 day", retry: 3 }),
    'Expected the retry of "x/submit" to be a RetryPolicy, found a number.'
  ],
  [
    "waitForCondition without options",
    () => untyped.waitForCondition("x"),
    'Expected the options of "x" to be an object, found undefined. It has initial, check and until.'
  ],
  [
    "waitForCondition of a function",
    () => untyped.waitForCondition("x", () => nothing),
    'Expected the options of "x" to be an object, found a function. It has initial, check and until.'
  ],
  [
    "waitForCondition without a check",
    () => untyped.waitForCondition("x", { initial: 1, until: () => true }),
    'Expected the check of "x" to be a function, found undefined. It takes the state, and returns an Effect of the next one.'
  ],
  [
    "waitForCondition without an until",
    () => untyped.waitForCondition("x", { initial: 1, check: () => nothing }),
    'Expected the until of "x" to be a function, found undefined. It takes the state, and returns whether the wait is over.'
  ],
  [
    "waitForCondition with a check that returns a value",
    () => untyped.waitForCondition("x", { initial: 1, check: () => 5, until: () => true }),
    effect("a number")
  ],
  [
    "waitForCondition with a text as maxAttempts",
    () => untyped.waitForCondition("x", { initial: 1, check: () => nothing, until: () => true, maxAttempts: "3" }),
    'Expected the maxAttempts of "x" to be a whole number of at least 1 or Infinity, found "3".'
  ],
  ["a workflow that returns a value", () => 5, effect("a number", "workflow")],
  ["a workflow that returns a promise", () => Promise.resolve(), effect("an instance of Promise", "workflow")]
]

describe("An argument of another kind is a defect that says what to pass:", () => {
  for (const [call, body, message] of wrong) {
    it.effect(call, () =>
      Effect.gen(function* () {
        const { failure } = yield* endOf(body)
        assert.strictEqual(failure?.errorType, "InvalidOptions")
        assert.include(failure?.message, message)
      })
    )
  }

  /** A step, and how it ends: what is no Schema and no codec shows when a value is written. */
  const recordings: ReadonlyArray<readonly [call: string, body: () => unknown, what: string, found: string]> = [
    ["fields as success", () => untyped.step("x", nothing, { success: { a: Schema.String } }), "result", "an object"],
    ["a text as successSerdes", () => untyped.child("x", nothing, { successSerdes: "json" }), "result", "a string"],
    [
      "a serializer alone as successSerdes",
      () => untyped.invoke(Plain, 1, { payloadSerdes: { deserialize: () => 1 } }),
      "payload",
      "an object"
    ],
    [
      "a class as error",
      () => untyped.step("x", Effect.fail("no"), { error: Error, retry: RetryPolicy.none }),
      "error",
      "a function"
    ],
    [
      "fields as state",
      () =>
        untyped.waitForCondition("x", {
          initial: 1,
          check: () => nothing,
          until: () => true,
          state: { a: Schema.Int }
        }),
      "state",
      "an object"
    ]
  ]
  for (const [call, body, what, found] of recordings) {
    it.effect(call, () =>
      Effect.gen(function* () {
        const { failure } = yield* endOf(body)
        assert.strictEqual(failure?.errorType, "SerdesFailed")
        assert.include(
          failure?.message,
          `Could not write the ${what} of "x": Expected a Schema or a Serdes.Codec, found ${found}`
        )
      })
    )
  }

  it.effect("a tenant id that is a list with one", () =>
    Effect.gen(function* () {
      for (const [tenantId, found] of [
        [["one"], "an array"],
        [7, "7"],
        [null, "null"]
      ] as const) {
        const { failure, names } = yield* endOf(() => untyped.invoke(Plain, 1, { tenantId }))
        assert.strictEqual(failure?.errorType, "InvalidTenantId")
        assert.include(failure?.message, `spaces and . _ : / = + - @, found ${found}.`)
        assert.deepStrictEqual(names, [])
      }
    })
  )

  it.effect("labels that are numbers are labels", () =>
    Effect.gen(function* () {
      const { failure, names } = yield* endOf(() =>
        Effect.andThen(
          untyped.map("by number", [7], () => nothing, { itemName: (item: unknown) => item }),
          untyped.parallel("named", [{ name: 8, effect: nothing }])
        )
      )
      assert.isUndefined(failure)
      assert.deepStrictEqual(names, ["by number", "7", "named", "8"])
    })
  )

  it.effect("a name that is none", () =>
    Effect.gen(function* () {
      const { failure } = yield* endOf(() => untyped.step(undefined, nothing))
      assert.strictEqual(failure?.errorType, "InvalidName")
      assert.include(failure?.message, "printable ASCII, found undefined.")
    })
  )

  it.effect("and the operations around it are recorded, and code may catch it", () =>
    Effect.gen(function* () {
      const { failure, names } = yield* endOf(() =>
        Effect.gen(function* () {
          yield* Effect.exit(untyped.step("wrong", 5))
          yield* Durable.step("right", nothing)
        })
      )
      assert.isUndefined(failure)
      assert.deepStrictEqual(names, ["right"])
    })
  )

  it.effect("a finalizer that throws ends the execution with what it threw", () =>
    Effect.gen(function* () {
      const { failure } = yield* endOf(() =>
        Durable.onExit(nothing, () => {
          throw new RangeError("no way")
        })
      )
      assert.strictEqual(failure?.errorType, "RangeError")
    })
  )

  it.effect("an undo that returns a value, and the other parts are undone all the same", () =>
    Effect.gen(function* () {
      const { failure, names } = yield* endOf(() =>
        Effect.gen(function* () {
          yield* Durable.withCompensation("first", Durable.step("do", nothing), () => Durable.step("undo", nothing))
          yield* untyped.withCompensation("second", nothing, () => Promise.resolve())
          return yield* Effect.die(new RangeError("no way"))
        })
      )
      assert.include(names, "undo")
      assert.strictEqual(failure?.errorType, "RangeError")
      assert.include(failure?.message, effect("an instance of Promise", "second"))
    })
  )

  it("makes nothing throw where an operation is made", () => {
    for (const [call, make] of wrong) {
      assert.doesNotThrow(make, undefined, undefined, call)
    }
  })
})
