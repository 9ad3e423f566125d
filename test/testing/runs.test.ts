import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableClient, DurableError, DurableFunction, RetryPolicy } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"

class Refused extends Schema.TaggedError<Refused>()("Refused", { at: Schema.Date }) {}

const Greet = DurableFunction.make("greet", { payload: Schema.String, success: Schema.String, error: Refused })
const greet = Greet.implement(
  Effect.fnUntraced(function* (name) {
    yield* Durable.wait("think", "2 seconds")
    if (name === "") return yield* new Refused({ at: new Date(0) })
    const greeting = yield* Durable.step("greeting", Effect.succeed("Hello"))
    yield* Durable.wait("breathe", "1 second")
    return `${greeting} ${name}`
  })
)

const Ping = DurableFunction.make("ping")
let pings = 0
const ping = Ping.implement(() => Effect.sync(() => void pings++))

describe("an execution on the test engine", () => {
  it.effect("gives its result to whoever waits, as often as it is asked", () =>
    Effect.gen(function* () {
      const run = yield* TestEngine.start(Greet, "Ada")
      const both = yield* Effect.all([run.result, run.result], { concurrency: "unbounded" })
      assert.deepStrictEqual(both, ["Hello Ada", "Hello Ada"])
      assert.strictEqual(yield* run.result, "Hello Ada")
    }).pipe(Effect.provide(TestEngine.layer([greet])))
  )

  it.effect("is started and awaited in one", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* TestEngine.run(Greet, "Ada"), "Hello Ada")
    }).pipe(Effect.provide(TestEngine.layer([greet])))
  )

  it.effect("runs although nobody waits for its result", () =>
    Effect.gen(function* () {
      const quiet = yield* TestEngine.start(Greet, "Ada")
      const status = Effect.andThen(Effect.yieldNow, quiet.status)
      yield* Effect.repeat(status, { until: (found) => found === "SUCCEEDED" })
    }).pipe(Effect.provide(TestEngine.layer([greet])))
  )

  it.effect("may take nothing and return nothing", () =>
    Effect.gen(function* () {
      const before = pings
      assert.strictEqual(yield* TestEngine.run(Ping), undefined)
      assert.strictEqual(pings, before + 1)
    }).pipe(Effect.provide(TestEngine.layer([ping])))
  )

  it.effect("fails with the error that its contract declares", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(TestEngine.run(Greet, ""))
      assert.instanceOf(error, Refused)
      assert.deepStrictEqual(error.at, new Date(0))
    }).pipe(Effect.provide(TestEngine.layer([greet])))
  )

  it.effect("fails with the library's own errors as themselves", () =>
    Effect.gen(function* () {
      const Ask = DurableFunction.plain("ask", { success: Schema.String })
      const Outer = DurableFunction.make("outer", { success: Schema.String })
      const error = yield* Effect.flip(TestEngine.run(Outer)).pipe(
        Effect.provide(
          TestEngine.layer([Outer.implement(() => Durable.invoke(Ask)), TestEngine.stub(Ask, Reply.stop())])
        )
      )
      assert.instanceOf(error, DurableError.InvokeStopped)
    })
  )

  it.effect("fails as ExecutionFailed with type and message when it died", () =>
    Effect.gen(function* () {
      const Broken = DurableFunction.make("broken")
      const error = yield* Effect.flip(TestEngine.run(Broken)).pipe(
        Effect.provide(TestEngine.layer([Broken.implement(() => Effect.die(new RangeError("off by one")))]))
      )
      assert.instanceOf(error, TestEngine.ExecutionFailed)
      assert.strictEqual(error.status, "FAILED")
      assert.strictEqual(error.errorType, "RangeError")
      assert.strictEqual(error.errorMessage, "off by one")
      assert.include(error.message, "RangeError: off by one")
    })
  )

  it.effect("tells its status", () => {
    const started = Deferred.makeUnsafe<void>()
    const gate = Deferred.makeUnsafe<void>()
    const Slow = DurableFunction.make("slow")
    const slow = Slow.implement(() =>
      Durable.step(
        "io",
        Effect.suspend(() => {
          Deferred.doneUnsafe(started, Effect.void)
          return Deferred.await(gate)
        })
      )
    )
    return Effect.gen(function* () {
      const run = yield* TestEngine.start(Slow)
      assert.strictEqual(yield* run.status, "RUNNING")
      yield* Deferred.await(started)
      assert.strictEqual(yield* run.status, "RUNNING")
      Deferred.doneUnsafe(gate, Effect.void)
      yield* run.result
      assert.strictEqual(yield* run.status, "SUCCEEDED")
    }).pipe(Effect.provide(TestEngine.layer([slow])))
  })

  it.effect("lists its operations in the order in which they started, and without the execution itself", () =>
    Effect.gen(function* () {
      const run = yield* TestEngine.start(Greet, "Ada")
      yield* run.result
      const brief = (operations: ReadonlyArray<{ readonly Type: string; readonly Name?: string | undefined }>) =>
        operations.map(({ Name, Type }) => `${Type} ${Name}`)
      assert.deepStrictEqual(brief(yield* run.operations()), ["WAIT think", "STEP greeting", "WAIT breathe"])
      assert.deepStrictEqual(brief(yield* run.operations({ type: "WAIT" })), ["WAIT think", "WAIT breathe"])
      assert.deepStrictEqual(brief(yield* run.operations({ name: "greeting" })), ["STEP greeting"])
      assert.deepStrictEqual(brief(yield* run.operations({ name: "greeting", type: "WAIT" })), [])
      const [step] = yield* run.operations({ type: "STEP" })
      assert.strictEqual(step?.StepDetails?.Result, '"Hello"')
    }).pipe(Effect.provide(TestEngine.layer([greet])))
  )

  it.effect("tells its history from start to end, with events numbered from 1", () =>
    Effect.gen(function* () {
      const run = yield* TestEngine.start(Greet, "Ada")
      yield* run.result
      const history = yield* run.history
      assert.deepStrictEqual(
        history.map((event) => event.EventType),
        [
          "ExecutionStarted",
          "WaitStarted",
          "InvocationCompleted",
          "WaitSucceeded",
          "StepStarted",
          "StepSucceeded",
          "WaitStarted",
          "InvocationCompleted",
          "WaitSucceeded",
          "InvocationCompleted",
          "ExecutionSucceeded"
        ]
      )
      assert.deepStrictEqual(
        history.map((event) => event.EventId),
        history.map((_, index) => index + 1)
      )
    }).pipe(Effect.provide(TestEngine.layer([greet])))
  )

  it.effect("is stopped for good, and none of its code runs any more", () => {
    const started = Deferred.makeUnsafe<void>()
    let after = 0
    const Slow = DurableFunction.make("slow")
    const slow = Slow.implement(() =>
      Effect.gen(function* () {
        yield* Durable.step(
          "io",
          Effect.suspend(() => {
            Deferred.doneUnsafe(started, Effect.void)
            return Effect.never
          })
        )
        after++
      })
    )
    return Effect.gen(function* () {
      const run = yield* TestEngine.start(Slow)
      yield* Deferred.await(started)
      yield* run.stop({ ErrorType: "Operator", ErrorMessage: "maintenance" })
      assert.strictEqual(yield* run.status, "STOPPED")
      const error = yield* Effect.flip(run.result)
      assert.instanceOf(error, TestEngine.ExecutionFailed)
      assert.strictEqual(error.status, "STOPPED")
      assert.strictEqual(error.errorType, "Operator")
      assert.strictEqual(error.errorMessage, "maintenance")
      assert.strictEqual(after, 0)
      // Once more changes nothing.
      yield* run.stop()
      assert.strictEqual(yield* run.status, "STOPPED")
    }).pipe(Effect.provide(TestEngine.layer([slow])))
  })

  it.effect("is not stopped once it has ended", () =>
    Effect.gen(function* () {
      const run = yield* TestEngine.start(Greet, "Ada")
      yield* run.result
      yield* run.stop()
      assert.strictEqual(yield* run.status, "SUCCEEDED")
      assert.strictEqual(yield* run.result, "Hello Ada")
    }).pipe(Effect.provide(TestEngine.layer([greet])))
  )
})

describe("the name of an execution", () => {
  it.effect("leads to the same execution when payload and name are the same", () =>
    Effect.gen(function* () {
      const first = yield* TestEngine.start(Greet, "Ada", { executionName: "order-1" })
      const second = yield* TestEngine.start(Greet, "Ada", { executionName: "order-1" })
      assert.strictEqual(second.executionArn, first.executionArn)
      yield* first.result
      const third = yield* TestEngine.start(Greet, "Ada", { executionName: "order-1" })
      assert.strictEqual(third.executionArn, first.executionArn)
      assert.strictEqual(yield* third.result, "Hello Ada")
      assert.strictEqual((yield* third.history).filter((event) => event.EventType === "ExecutionStarted").length, 1)
    }).pipe(Effect.provide(TestEngine.layer([greet])))
  )

  it.effect("belongs to one payload: another one is ExecutionAlreadyStarted", () =>
    Effect.gen(function* () {
      yield* TestEngine.start(Greet, "Ada", { executionName: "order-1" })
      const error = yield* Effect.flip(TestEngine.start(Greet, "Grace", { executionName: "order-1" }))
      assert.instanceOf(error, DurableClient.ExecutionAlreadyStarted)
      assert.include(error.message, "order-1")
    }).pipe(Effect.provide(TestEngine.layer([greet])))
  )

  it.effect("makes a new execution when there is none", () =>
    Effect.gen(function* () {
      const first = yield* TestEngine.start(Greet, "Ada")
      const second = yield* TestEngine.start(Greet, "Ada")
      assert.notStrictEqual(second.executionArn, first.executionArn)
      assert.deepStrictEqual(yield* Effect.all([first.result, second.result]), ["Hello Ada", "Hello Ada"])
    }).pipe(Effect.provide(TestEngine.layer([greet])))
  )

  it.effect("appears in the ARN, and is refused when the service would refuse it", () =>
    Effect.gen(function* () {
      const run = yield* TestEngine.start(Greet, "Ada", { executionName: "order-1" })
      assert.include(run.executionArn, "/order-1/")
      for (const name of ["", "with space", "x".repeat(65), "ünïcode"]) {
        const error = yield* Effect.flip(TestEngine.start(Greet, "Ada", { executionName: name }))
        assert.instanceOf(error, DurableClient.ClientRefused)
      }
    }).pipe(Effect.provide(TestEngine.layer([greet])))
  )
})

describe("a contract that is not served", () => {
  it.effect("cannot be started, and the failure says so", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(TestEngine.start(Greet, "Ada"))
      assert.instanceOf(error, DurableClient.NotFound)
      assert.include(error.message, `"greet"`)
      assert.include(error.message, `"ping"`)
    }).pipe(Effect.provide(TestEngine.layer([ping])))
  )

  it.effect("that is only a stub cannot be started either", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(TestEngine.start(Greet, "Ada"))
      assert.isTrue(Exit.isFailure(exit))
      assert.include(JSON.stringify(exit), "greet")
    }).pipe(Effect.provide(TestEngine.layer([TestEngine.stub(Greet, Reply.succeed("hi"))])))
  )

  it.effect("is a defect of the layer when it is served twice", () =>
    Effect.gen(function* () {
      for (const functions of [
        [greet, greet],
        [greet, TestEngine.stub(Greet, Reply.succeed("hi"))],
        [greet, TestEngine.stub(DurableFunction.plain("other", { target: "greet:live" }), Reply.succeed(undefined))]
      ]) {
        const exit = yield* Effect.exit(Effect.provide(Effect.void, TestEngine.layer(functions)))
        assert.isTrue(Exit.isFailure(exit))
        assert.include(JSON.stringify(exit), `serves \\"greet\\" twice`)
      }
    })
  )
})

describe("a retry policy", () => {
  const Flaky = DurableFunction.make("flaky", { success: Schema.Int })
  const flaky = Flaky.implement(() =>
    Durable.step(
      "flaky",
      Effect.flatMap(Durable.StepContext, ({ attempt }) =>
        attempt < 4 ? Effect.die("not yet") : Effect.succeed(attempt)
      ),
      { retry: RetryPolicy.exponential({ maxAttempts: 5, initialDelay: "10 seconds" }) }
    )
  )
  const times = (options: TestEngine.Options) =>
    Effect.gen(function* () {
      const run = yield* TestEngine.start(Flaky)
      assert.strictEqual(yield* run.result, 4)
      return (yield* run.history).map((event) => event.EventTimestamp)
    }).pipe(Effect.provide(TestEngine.layer([flaky], options)))

  it.effect("has the same jitter for the same seed, and another one for another", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* times({ seed: 7 }), yield* times({ seed: 7 }))
      assert.deepStrictEqual(yield* times({ seed: "seven" }), yield* times({ seed: "seven" }))
      assert.deepStrictEqual(yield* times({}), yield* times({ seed: 1 }))
      const ends = new Set<number | undefined>()
      for (let seed = 0; seed < 8; seed++) ends.add((yield* times({ seed })).at(-1))
      assert.isAbove(ends.size, 4)
    })
  )
})
