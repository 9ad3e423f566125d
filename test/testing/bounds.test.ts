import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"

const Main = DurableFunction.make("main", { success: Schema.Unknown })
const Plain = DurableFunction.plain("plain", { payload: Schema.Int, success: Schema.Int })
const Sub = DurableFunction.make("sub", { payload: Schema.Int, success: Schema.Int })
const all = { concurrency: "unbounded" } as const
const minute = 60_000

/** Runs a workflow on a world with these options, and answers with how it ended and what was recorded. */
const runWith = (
  options: TestEngine.Options,
  workflow: Effect.Effect<unknown, never, Durable.Execution>,
  functions: ReadonlyArray<TestEngine.Stub> = []
) => {
  const sub = Sub.implement((n) => Effect.as(Durable.wait("a while", "90 seconds"), n + 1))
  return Effect.gen(function* () {
    const run = yield* TestEngine.start(Main)
    const exit = yield* Effect.exit(run.result)
    const history = yield* run.history
    return {
      exit,
      history,
      operations: yield* run.operations(),
      total: (history.at(-1)?.EventTimestamp ?? 0) - (history[0]?.EventTimestamp ?? 0),
      failedInvocations: history.flatMap((event) =>
        event.EventType === "InvocationCompleted" && event.InvocationCompletedDetails?.Error?.Payload !== undefined
          ? [event.InvocationCompletedDetails.Error.Payload]
          : []
      )
    }
  }).pipe(Effect.provide(TestEngine.layer([Main.implement(() => workflow), sub, ...functions], options)))
}

describe("the time-out of executions", () => {
  it.effect("closes an execution that waits as TIMED_OUT, exactly then", () =>
    Effect.gen(function* () {
      const ended = yield* runWith({ executionTimeout: "10 minutes" }, Durable.wait("hour", "1 hour"))
      const error = yield* Effect.flip(ended.exit)
      assert.instanceOf(error, TestEngine.ExecutionFailed)
      assert.strictEqual(error.status, "TIMED_OUT")
      assert.strictEqual(ended.total, 10 * minute)
      assert.strictEqual(ended.history.at(-1)?.EventType, "ExecutionTimedOut")
    })
  )

  it.effect("closes an execution in the middle of a step", () =>
    Effect.gen(function* () {
      let finished = false
      const ended = yield* runWith(
        { executionTimeout: "10 minutes" },
        Durable.step(
          "nap",
          Effect.andThen(
            Effect.sleep("1 hour"),
            Effect.sync(() => void (finished = true))
          )
        )
      )
      const error = yield* Effect.flip(ended.exit)
      assert.instanceOf(error, TestEngine.ExecutionFailed)
      assert.strictEqual(error.status, "TIMED_OUT")
      assert.isFalse(finished)
    })
  )

  it.effect("leaves executions alone that are faster", () =>
    Effect.gen(function* () {
      const ended = yield* runWith(
        { executionTimeout: "10 minutes" },
        Effect.as(Durable.wait("most of it", "599 seconds"), "in time")
      )
      assert.strictEqual(yield* ended.exit, "in time")
    })
  )

  it.effect("lets an execution take as long as it needs when there is none", () =>
    Effect.gen(function* () {
      const rounds = Effect.forEach([1, 2, 3], () => Durable.wait("a year", "365 days"), { discard: true })
      const ended = yield* runWith({}, Effect.as(rounds, "at last"))
      assert.strictEqual(yield* ended.exit, "at last")
      assert.strictEqual(ended.total, 3 * 365 * 24 * 60 * minute)
    })
  )

  it.effect("does not pass while an execution only waits for somebody outside", () =>
    Effect.gen(function* () {
      const ended = yield* runWith({ patience: "100 millis" }, Effect.orDie(Durable.invoke(Plain, 1)), [
        TestEngine.stub(Plain, Reply.never)
      ])
      assert.include(JSON.stringify(ended.exit), "did not end")
    })
  )
})

describe("the time-out of an invocation", () => {
  it.effect("cuts it off, and the step is repeated in the next one", () =>
    Effect.gen(function* () {
      const attempts: Array<number> = []
      const ended = yield* runWith(
        { invocationTimeout: "1 minute" },
        Durable.step(
          "work",
          Effect.flatMap(Durable.StepContext, ({ attempt }) => {
            attempts.push(attempt)
            return attempts.length === 1 ? Effect.as(Effect.sleep("5 minutes"), "slow") : Effect.succeed("fast")
          })
        )
      )
      assert.strictEqual(yield* ended.exit, "fast")
      assert.deepStrictEqual(attempts, [1, 1])
      assert.strictEqual(ended.failedInvocations.length, 1)
      assert.include(ended.failedInvocations[0]?.ErrorMessage, "ran out of time")
      assert.include(ended.failedInvocations[0]?.ErrorMessage, `"work"`)
      // It is cut off a second before its end, and the service invokes again a second later.
      assert.strictEqual(ended.total, minute)
    })
  )

  it.effect("of a second leaves half of it, so that the execution gets on", () =>
    Effect.gen(function* () {
      const ended = yield* runWith(
        { invocationTimeout: "1 second" },
        Durable.step("work", Effect.as(Effect.sleep("300 millis"), "done"))
      )
      assert.strictEqual(yield* ended.exit, "done")
      assert.lengthOf(ended.failedInvocations, 0)
    })
  )

  it.effect("fails an at-most-once step that it cut off", () =>
    Effect.gen(function* () {
      let runs = 0
      const ended = yield* runWith(
        { invocationTimeout: "1 minute" },
        Durable.step(
          "pay",
          Effect.suspend(() => {
            runs++
            return Effect.as(Effect.sleep("5 minutes"), "paid")
          }),
          { semantics: "at-most-once" }
        ).pipe(Effect.catchTag("StepInterrupted", (error) => Effect.succeed(`interrupted ${error.attempt}`)))
      )
      assert.strictEqual(yield* ended.exit, "interrupted 1")
      assert.strictEqual(runs, 1)
    })
  )

  it.effect("keeps what was acknowledged before", () =>
    Effect.gen(function* () {
      const runs = { first: 0, second: 0 }
      const ended = yield* runWith(
        { invocationTimeout: "1 minute" },
        Effect.gen(function* () {
          const first = yield* Durable.step(
            "first",
            Effect.sync(() => ++runs.first)
          )
          const second = yield* Durable.step(
            "second",
            Effect.suspend(() => (++runs.second === 1 ? Effect.as(Effect.sleep("2 minutes"), 0) : Effect.succeed(2)))
          )
          return [first, second]
        })
      )
      assert.deepStrictEqual(yield* ended.exit, [1, 2])
      assert.deepStrictEqual(runs, { first: 1, second: 2 })
    })
  )

  it.effect("does not matter to executions that are suspended most of the time", () =>
    Effect.gen(function* () {
      const ended = yield* runWith({ invocationTimeout: "2 seconds" }, Effect.as(Durable.wait("year", "365 days"), 1))
      assert.strictEqual(yield* ended.exit, 1)
      assert.deepStrictEqual(ended.failedInvocations, [])
    })
  )

  it.effect("cuts off a hold and plain work as well", () =>
    Effect.gen(function* () {
      let runs = 0
      const ended = yield* runWith(
        { invocationTimeout: "1 minute" },
        Durable.hold(Effect.suspend(() => (++runs === 1 ? Effect.sleep("2 minutes") : Effect.void))).pipe(
          Effect.as("held")
        )
      )
      assert.strictEqual(yield* ended.exit, "held")
      assert.strictEqual(runs, 2)
    })
  )
})

describe("a state that comes in pages of one operation", () => {
  const stub = TestEngine.stub(Plain, (n) => Effect.as(Effect.sleep(n * minute), n * 2))
  const workflow = Effect.gen(function* () {
    const attempts: Array<number> = []
    const forked = yield* Effect.forkChild(Durable.invoke(Plain, 3, { name: "forked" }))
    const sum = yield* Durable.child(
      "block",
      Effect.gen(function* () {
        let total = 0
        for (let round = 0; round < 5; round++) {
          total += yield* Durable.step("add", Effect.succeed(round))
          yield* Durable.wait("pause", "30 seconds")
        }
        return total
      })
    )
    const both = yield* Effect.all(
      [
        Durable.invoke(Plain, 1, { name: "in time", timeout: "5 minutes" }),
        Durable.invoke(Plain, 30, { name: "late", timeout: "5 minutes" }).pipe(
          Effect.catchTag("InvokeTimedOut", (error) => Effect.succeed(error.source))
        ),
        Durable.invoke(Sub, 1)
      ],
      all
    )
    const large = yield* Durable.child(
      "large",
      Durable.step("part", Effect.succeed("x".repeat(200_000))).pipe(Effect.map((part) => part + part))
    )
    const flaky = yield* Durable.step(
      "flaky",
      Effect.flatMap(Durable.StepContext, ({ attempt }) => {
        attempts.push(attempt)
        return attempt < 3 ? Effect.die("not yet") : Effect.succeed(attempt)
      }),
      { retry: RetryPolicy.exponential({ maxAttempts: 4, initialDelay: "10 seconds" }) }
    )
    return { sum, both, large: large.length, flaky, forked: yield* Fiber.join(forked) }
  }).pipe(Effect.orDie)

  it.effect("gives the same result, operations and history as one that comes in one page", () =>
    Effect.gen(function* () {
      const whole = yield* runWith({}, workflow, [stub])
      const paged = yield* runWith({ pageItems: 1 }, workflow, [stub])
      const few = yield* runWith({ pageItems: 3 }, workflow, [stub])
      assert.deepStrictEqual(yield* whole.exit, {
        sum: 10,
        both: [2, "caller", 2],
        large: 400_000,
        flaky: 3,
        forked: 6
      })
      for (const other of [paged, few]) {
        assert.deepStrictEqual(other.exit, whole.exit)
        assert.deepStrictEqual(other.operations, whole.operations)
        assert.deepStrictEqual(other.history, whole.history)
      }
    })
  )

  it.effect("gives the same result when invocations are cut off, too", () =>
    Effect.gen(function* () {
      let attempts = 0
      const ended = yield* runWith(
        { pageItems: 1, invocationTimeout: "1 minute" },
        Effect.gen(function* () {
          const sums = yield* Effect.forEach([1, 2, 3], (n) => Durable.step("add", Effect.succeed(n)))
          yield* Durable.step(
            "slow",
            Effect.suspend(() => (++attempts < 3 ? Effect.sleep("2 minutes") : Effect.void))
          )
          return sums
        })
      )
      assert.deepStrictEqual(yield* ended.exit, [1, 2, 3])
      assert.strictEqual(ended.failedInvocations.length, 2)
    })
  )
})
