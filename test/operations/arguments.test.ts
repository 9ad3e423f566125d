/** What callers without types get for an argument of another kind: a defect that says what to pass instead. */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, RetryPolicy, type DurableClient } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { cast } from "effect/Function"

const W = DurableFunction.make("w")

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
