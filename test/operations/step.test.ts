import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableError, DurableFunction, RetryPolicy } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { actions, assertSucceeded, defectOf, execute, failureOf, unchecked, valueOf } from "./support.ts"

describe("A step", () => {
  it.effect("runs once and answers with its record on every replay", () =>
    Effect.gen(function* () {
      let runs = 0
      const ran = yield* execute(
        Effect.gen(function* () {
          const value = yield* Durable.step(
            "draw",
            Effect.sync(() => ++runs)
          )
          yield* Durable.wait("first", "1 hour")
          yield* Durable.wait("second", "1 hour")
          return value
        })
      )
      assert.strictEqual(valueOf(ran), 1)
      assert.strictEqual(runs, 1)
      assert.strictEqual(ran.invocations, 3)
      assert.deepStrictEqual(actions(ran.updates), ["START draw", "SUCCEED draw", "START first", "START second"])
    })
  )

  it.effect("records its name, its type and its sub-type", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Durable.step("draw", Effect.succeed({ n: 1 })))
      const [operation] = ran.operations
      assert.strictEqual(operation?.Type, "STEP")
      assert.strictEqual(operation?.SubType, "Step")
      assert.strictEqual(operation?.Name, "draw")
      assert.strictEqual(operation?.Status, "SUCCEEDED")
      assert.strictEqual(operation?.StepDetails?.Result, `{"n":1}`)
    })
  )

  it.effect("costs one request when it is short and runs by itself", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.andThen(Durable.step("a", Effect.succeed(1)), Durable.step("b", Effect.succeed(2)))
      )
      assert.deepStrictEqual(
        ran.requests.map((request) => actions(request.Updates)),
        [
          ["START a", "SUCCEED a"],
          ["START b", "SUCCEED b"]
        ]
      )
    })
  )

  it.effect("tells the service that a long body has started, 100 ms after it has", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Durable.step("long", Effect.sleep("10 seconds")))
      assert.deepStrictEqual(
        ran.requests.map((request) => actions(request.Updates)),
        [["START long"], ["SUCCEED long"]]
      )
      const [started, succeeded] = ["StepStarted", "StepSucceeded"].map((type) =>
        ran.history.find((event) => event.EventType === type)
      )
      const start = ran.history[0]!.EventTimestamp
      assert.strictEqual(started!.EventTimestamp - start, 100)
      assert.strictEqual(succeeded!.EventTimestamp - start, 10_000)
    })
  )

  it.effect("gives its body its place: execution, operation, name, attempt and time left", () =>
    Effect.gen(function* () {
      const context = Effect.gen(function* () {
        const { remaining, ...facts } = yield* Durable.StepContext
        return { ...facts, left: Duration.toMillis(yield* remaining) }
      })
      const seen: Array<Effect.Success<typeof context>> = []
      const look = Effect.gen(function* () {
        seen.push(yield* context)
      })
      const ran = yield* execute(Durable.step("look", look), { engine: { invocationTimeout: "1 minute" } })
      assertSucceeded(ran)
      const [found] = seen
      assert.match(found!.executionArn, /durable-execution\/execution-1\//)
      assert.strictEqual(found!.executionName, "execution-1")
      assert.strictEqual(found!.operationId, ran.operations[0]!.Id)
      assert.strictEqual(found!.name, "look")
      assert.strictEqual(found!.attempt, 1)
      assert.isAtMost(found!.left, 60_000)
      assert.isAbove(found!.left, 50_000)
      assert.match(found!.idempotencyKey, /^[a-z0-9-]{1,64}$/)
    })
  )

  it.effect("has endless time where the host knows no limit", () =>
    Effect.gen(function* () {
      let left: Duration.Duration | undefined
      yield* execute(
        Durable.step(
          "look",
          Effect.gen(function* () {
            left = yield* (yield* Durable.StepContext).remaining
          })
        )
      )
      assert.strictEqual(left, Duration.infinity)
    })
  )

  it.effect("has one idempotency key for all its attempts, which no other step and no other execution has", () =>
    Effect.gen(function* () {
      const keys: Array<string> = []
      const key = Effect.gen(function* () {
        const { attempt, idempotencyKey } = yield* Durable.StepContext
        keys.push(idempotencyKey)
        if (attempt < 3) return yield* Effect.die("again")
      })
      const Keys = DurableFunction.make("keys")
      const keysFunction = Keys.implement(() =>
        Effect.andThen(Durable.step("key", key), Durable.step("key", key)).pipe(
          Effect.andThen(Durable.child("inner", Durable.step("key", key)))
        )
      )
      yield* Effect.gen(function* () {
        yield* TestEngine.run(Keys)
        yield* TestEngine.run(Keys)
      }).pipe(Effect.provide(TestEngine.layer([keysFunction])))
      assert.lengthOf(keys, 18)
      for (let i = 0; i < 18; i += 3) assert.lengthOf(new Set(keys.slice(i, i + 3)), 1)
      assert.lengthOf(new Set(keys), 6)
    })
  )

  it.effect("uses the services of the layer in its body", () =>
    Effect.gen(function* () {
      class Bank extends Context.Service<Bank, { readonly balance: Effect.Effect<number> }>()("test/Bank") {}
      const Balance = DurableFunction.make("balance", { success: Schema.Number })
      const balance = Balance.implement(() =>
        Durable.step(
          "balance",
          Effect.flatMap(Bank, (bank) => bank.balance)
        )
      )
      const layer = TestEngine.layer([balance]).pipe(
        Layer.provide(Layer.succeed(Bank, { balance: Effect.succeed(42) }))
      )
      assert.strictEqual(yield* Effect.provide(TestEngine.run(Balance), layer), 42)
    })
  )

  it.effect("refuses a durable operation in its body and names both", () =>
    Effect.gen(function* () {
      const inner = unchecked(Durable.wait("inner", "1 second"))
      const ran = yield* execute(
        Durable.step("outer", inner, { retry: RetryPolicy.make(() => Effect.succeed({ _tag: "Stop" })) })
      )
      const failed = failureOf(ran)
      assert.strictEqual(failed.errorType, "NestedOperation")
      assert.include(failed.errorMessage, `"outer"`)
      assert.include(failed.errorMessage, `"inner"`)
      assert.notInclude(actions(ran.updates), "START inner")
    })
  )

  it.effect("refuses every kind of operation in its body", () =>
    Effect.gen(function* () {
      const Other = DurableFunction.plain("other")
      const operations: Record<string, Effect.Effect<unknown, unknown, Durable.Execution>> = {
        step: Durable.step("inner", Effect.succeed(1)),
        wait: Durable.wait("inner", "1 second"),
        child: Durable.child("inner", Effect.succeed(1)),
        "flat child": Durable.child("inner", Effect.succeed(1), { flat: true }),
        invoke: Durable.invoke(Other, undefined, { name: "inner" }),
        "invoke with a time-out": Durable.invoke(Other, undefined, { name: "inner", timeout: "1 minute" })
      }
      for (const [kind, operation] of Object.entries(operations)) {
        const ran = yield* execute(
          Durable.step("outer", unchecked(operation), {
            retry: RetryPolicy.make(() => Effect.succeed({ _tag: "Stop" }))
          })
        )
        assert.instanceOf(defectOf(ran.exits[0]), DurableError.NestedOperation, kind)
      }
    })
  )
})
