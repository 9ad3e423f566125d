import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { besidePromise } from "../operations/support.ts"
import { addresses, brief, Double, double, runToEnd, runToValue, spy } from "./support.ts"

const Add = DurableFunction.plain("add", { payload: Schema.Array(Schema.Int), success: Schema.Int })
const add = TestEngine.stub(Add, (numbers) => Effect.succeed(numbers.reduce((sum, n) => sum + n, 0)))

describe("invoke as part of a program", () => {
  it.effect("one invoke uses the result of the one before", () =>
    Effect.gen(function* () {
      const { exit, operations } = yield* runToEnd(
        Effect.gen(function* () {
          const two = yield* Durable.invoke(Double, 1)
          const sum = yield* Durable.invoke(Add, [two, 10])
          return yield* Durable.invoke(Double, sum)
        }),
        [double, add]
      )
      assert.strictEqual(yield* exit, 24)
      assert.deepStrictEqual(brief(operations), [
        "CHAINED_INVOKE double SUCCEEDED",
        "CHAINED_INVOKE add SUCCEEDED",
        "CHAINED_INVOKE double SUCCEEDED"
      ])
    })
  )

  it.effect("an invoke that the result of another rules out never happens", () =>
    Effect.gen(function* () {
      const { calls, stub } = spy(Add, () => Effect.succeed(0))
      const value = yield* runToValue(
        Effect.gen(function* () {
          const two = yield* Durable.invoke(Double, 1)
          return two > 2 ? yield* Durable.invoke(Add, [two]) : "small"
        }),
        [double, stub]
      )
      assert.strictEqual(value, "small")
      assert.strictEqual(calls.length, 0)
    })
  )

  it.effect("an invoke in a nested Effect belongs to the same history", () =>
    Effect.gen(function* () {
      const quadruple = Effect.fnUntraced(function* (n: number) {
        const doubled = yield* Durable.invoke(Double, n)
        return yield* Durable.invoke(Double, doubled)
      })
      const { exit, operations } = yield* runToEnd(
        Effect.gen(function* () {
          return (yield* quadruple(1)) + (yield* quadruple(2))
        }),
        [double]
      )
      assert.strictEqual(yield* exit, 12)
      assert.strictEqual(operations.length, 4)
    })
  )

  it.effect("an invoke in a child is recorded below it, and a replay of the child calls nobody", () =>
    Effect.gen(function* () {
      const { calls, stub } = spy(Double, (n) => Effect.succeed(n * 2))
      const { exit, operations } = yield* runToEnd(
        Effect.gen(function* () {
          const inner = yield* Durable.child("inner", Durable.invoke(Double, 4))
          yield* Durable.wait("pause", "1 minute")
          return inner
        }),
        [stub]
      )
      assert.strictEqual(yield* exit, 8)
      assert.strictEqual(calls.length, 1)
      const context = operations.find((operation) => operation.Type === "CONTEXT")
      const invoke = operations.find((operation) => operation.Type === "CHAINED_INVOKE")
      assert.strictEqual(invoke?.ParentId, context?.Id)
    })
  )

  it.effect("invokes in parallel all start before any of them is awaited", () =>
    Effect.gen(function* () {
      const names = ["a", "b", "c", "d"]
      const { exit, history, invocations } = yield* runToEnd(
        Effect.all(
          names.map((name, index) => Durable.invoke(Double, index, { name })),
          { concurrency: "unbounded" }
        ),
        [TestEngine.stub(Double, (n) => Effect.as(Effect.sleep(1_000 * (n + 1)), n * 2))]
      )
      assert.deepStrictEqual(yield* exit, [0, 2, 4, 6])
      const types = history.map((event) => event.EventType)
      assert.isTrue(types.lastIndexOf("ChainedInvokeStarted") < types.indexOf("InvocationCompleted"))
      assert.strictEqual(types.filter((type) => type === "ChainedInvokeSucceeded").length, 4)
      // They end a second apart, so each end is an invocation of its own.
      assert.strictEqual(invocations, 5)
    })
  )

  it.effect("parallel invokes that end in the opposite order keep their results apart", () =>
    Effect.gen(function* () {
      const value = yield* runToValue(
        Effect.all(
          Object.fromEntries([1, 2, 3].map((n) => [`k${n}`, Durable.invoke(Double, n, { name: `call-${n}` })])),
          { concurrency: "unbounded" }
        ),
        [TestEngine.stub(Double, (n) => Effect.as(Effect.sleep(10_000 - 1_000 * n), n * 2))]
      )
      assert.deepStrictEqual(value, { k1: 2, k2: 4, k3: 6 })
    })
  )

  it.effect("the same function is invoked several times under its default name", () =>
    Effect.gen(function* () {
      const { calls, stub } = spy(Double, (n) => Effect.succeed(n * 2))
      const { exit, operations } = yield* runToEnd(
        Effect.forEach([1, 2, 3, 2, 1], (n) => Durable.invoke(Double, n)),
        [stub]
      )
      assert.deepStrictEqual(yield* exit, [2, 4, 6, 4, 2])
      assert.deepStrictEqual(
        calls.map((call) => call.payload),
        [1, 2, 3, 2, 1]
      )
      assert.strictEqual(new Set(operations.map((operation) => operation.Id)).size, 5)
      assert.deepStrictEqual(new Set(operations.map((operation) => operation.Name)), new Set(["double"]))
    })
  )

  it.effect("two fibers may use one name: each has its own result, whichever comes first", () =>
    Effect.gen(function* () {
      const { calls, stub } = spy(Double, (n) => Effect.as(Effect.sleep(10_000 - 1_000 * n), n * 2))
      const { exit, invocations, operations } = yield* runToEnd(
        Effect.all([Durable.invoke(Double, 1), Durable.invoke(Double, 2)], { concurrency: "unbounded" }),
        [stub]
      )
      assert.deepStrictEqual(yield* exit, [2, 4])
      assert.strictEqual(invocations, 3)
      assert.lengthOf(calls, 2)
      assert.strictEqual(new Set(operations.map((operation) => operation.Id)).size, 2)
    })
  )

  it.effect("two fibers with one name are told to use two names when one of them comes after a promise", () =>
    Effect.gen(function* () {
      const { exit } = yield* runToEnd(besidePromise(Durable.invoke(Double, 1), Durable.invoke(Double, 2)), [double])
      const error = yield* Effect.flip(exit)
      assert.instanceOf(error, TestEngine.ExecutionFailed)
      assert.strictEqual(error.errorType, "NameInUse")
      assert.include(error.errorMessage, `"double"`)
    })
  )

  it.effect("a forked invoke is joined later", () =>
    Effect.gen(function* () {
      const { calls, stub } = spy(Double, (n) => Effect.succeed(n * 2))
      const value = yield* runToValue(
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(Durable.invoke(Double, 21))
          const seven = yield* Durable.step("seven", Effect.succeed(7))
          return (yield* Fiber.join(fiber)) + seven
        }),
        [stub]
      )
      assert.strictEqual(value, 49)
      assert.strictEqual(calls.length, 1)
    })
  )

  it.effect("a forked invoke is joined after a suspension in which it ended", () =>
    Effect.gen(function* () {
      const { calls, stub } = spy(Double, (n) => Effect.as(Effect.sleep("10 minutes"), n * 2))
      const { exit, history } = yield* runToEnd(
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(Durable.invoke(Double, 21))
          yield* Durable.wait("hour", "1 hour")
          return yield* Fiber.join(fiber)
        }),
        [stub]
      )
      assert.strictEqual(yield* exit, 42)
      assert.strictEqual(calls.length, 1)
      const types = history.map((event) => event.EventType)
      assert.isTrue(types.indexOf("ChainedInvokeSucceeded") < types.indexOf("WaitSucceeded"))
    })
  )

  it.effect("a forked invoke is joined after a suspension before which it had not ended", () =>
    Effect.gen(function* () {
      const { exit } = yield* runToEnd(
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(Durable.invoke(Double, 21))
          yield* Durable.wait("minute", "1 minute")
          return yield* Fiber.join(fiber)
        }),
        [TestEngine.stub(Double, (n) => Effect.as(Effect.sleep("1 day"), n * 2))]
      )
      assert.strictEqual(yield* exit, 42)
    })
  )

  it.effect("an execution ends without waiting for an invoke that nobody joins", () =>
    Effect.gen(function* () {
      const { calls, stub } = spy(Double, () => Reply.never)
      const { exit, operations } = yield* runToEnd(
        Effect.gen(function* () {
          yield* Effect.forkChild(Durable.invoke(Double, 1), { startImmediately: true })
          yield* Durable.wait("second", "1 second")
          return "done"
        }),
        [stub]
      )
      assert.strictEqual(yield* exit, "done")
      assert.strictEqual(calls.length, 1)
      assert.deepStrictEqual(brief(operations), ["CHAINED_INVOKE double STARTED", "WAIT second SUCCEEDED"])
    })
  )

  it.effect("an invoke that ended although nobody joined it does not disturb the replay", () =>
    Effect.gen(function* () {
      const { exit } = yield* runToEnd(
        Effect.gen(function* () {
          yield* Effect.forkChild(Durable.invoke(Double, 1))
          yield* Durable.wait("hour", "1 hour")
          yield* Durable.wait("another", "1 hour")
          return "done"
        }),
        [TestEngine.stub(Double, (n) => Effect.as(Effect.sleep("10 minutes"), n * 2))]
      )
      assert.strictEqual(yield* exit, "done")
    })
  )

  it.effect("an invoke of a durable function is an execution of its own with the same payload", () =>
    Effect.gen(function* () {
      const Slow = DurableFunction.make("slow", { payload: Schema.Int, success: Schema.Int })
      const slow = Slow.implement((n) => Effect.as(Durable.wait("day", "1 day"), n + 1))
      const { exit, history } = yield* runToEnd(Durable.invoke(Slow, 1), [slow])
      assert.strictEqual(yield* exit, 2)
      assert.deepStrictEqual(addresses(history), ["slow:$LATEST"])
      const started = history.find((event) => event.EventType === "ChainedInvokeStarted")?.ChainedInvokeStartedDetails
      assert.match(started?.DurableExecutionArn ?? "", /:function:slow:\$LATEST\/durable-execution\//)
      assert.strictEqual(started?.Input?.Payload, "1")
    })
  )

  it.effect("a plain function written as an Effect is served beside the workflows", () =>
    Effect.gen(function* () {
      const plain = Double.implement((n) => Effect.succeed(n * 2))
      assert.strictEqual(yield* runToValue(Durable.invoke(Double, 4), [plain]), 8)
    })
  )
})
