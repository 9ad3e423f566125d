/** What executions count. */
import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, Durable, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Schema from "effect/Schema"
import { TestClock } from "effect/testing"
import { invokeOnce } from "../operations/support.ts"
import { turns } from "../runtime/harness.ts"
import { observe, type Observed } from "./support.ts"

class Refused extends Schema.TaggedError<Refused>()("Refused", {}) {}

const program = Effect.gen(function* () {
  yield* Durable.step("first", Effect.void)
  yield* Durable.child("child", Durable.wait("nap", "1 hour"))
  yield* Effect.orDie(
    Durable.step(
      "flaky",
      Effect.flatMap(Durable.StepContext, ({ attempt }) => (attempt < 3 ? Effect.fail(new Refused()) : Effect.void)),
      { error: Refused, retry: RetryPolicy.fixed({ delay: "2 seconds", maxAttempts: 3, jitter: "none" }) }
    )
  )
})

/** The series of a metric: their states by the values of their attributes. */
const series = ({ metrics }: Pick<Observed, "metrics">, id: string): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    metrics
      .filter((metric) => metric.id === id)
      .map(({ attributes, state }) => [
        Object.values(attributes ?? {}).join(" "),
        "count" in state && !("sum" in state) ? state.count : state
      ])
  )

describe("the metrics of an execution", () => {
  it.effect("count operations by type, and by whether they are fresh, resumed or replayed", () =>
    Effect.gen(function* () {
      const observed = yield* observe(program)
      assert.strictEqual(observed.invocations, 4)
      assert.deepStrictEqual(series(observed, "durable.operations"), {
        "STEP fresh": 2,
        "CONTEXT fresh": 1,
        "WAIT fresh": 1,
        "STEP replayed": 3,
        "STEP resumed": 2,
        "CONTEXT resumed": 1,
        "CONTEXT replayed": 2,
        "WAIT replayed": 1
      })
    })
  )

  it.effect("count invocations by how they end, suspensions, and attempts that are repeated", () =>
    Effect.gen(function* () {
      const observed = yield* observe(program)
      assert.deepStrictEqual(series(observed, "durable.invocations"), { PENDING: 3, SUCCEEDED: 1 })
      assert.deepStrictEqual(series(observed, "durable.suspensions"), { "": 3 })
      assert.deepStrictEqual(series(observed, "durable.step.retries"), { "": 2 })
    })
  )

  it.effect("measure checkpoints: how long they took and what they held", () =>
    Effect.gen(function* () {
      const observed = yield* observe(program)
      const updates = observed.requests.flatMap((request) => request.Updates)
      assert.deepInclude(series(observed, "durable.checkpoint.updates")[""], {
        count: observed.requests.length,
        sum: updates.length
      })
      assert.deepInclude(series(observed, "durable.checkpoint.duration")["ms"], { count: observed.requests.length })
    })
  )

  it.effect("count requests that are repeated, and invocations that are", () =>
    Effect.gen(function* () {
      const unavailable = new CheckpointStore.StoreUnavailable({ message: "Try again." })
      const store = { checkpoint: () => Effect.fail(unavailable) }
      const invocation = yield* Effect.forkChild(invokeOnce(Durable.step("step", Effect.void), { store }))
      while (invocation.pollUnsafe() === undefined) {
        yield* TestClock.adjust("10 seconds")
        yield* turns(1)
      }
      assert.isDefined((yield* Fiber.join(invocation)).failure)
      const observed = { metrics: yield* Metric.snapshot }
      assert.deepStrictEqual(series(observed, "durable.checkpoint.retries"), { "": 4 })
      assert.deepStrictEqual(series(observed, "durable.invocations"), { RETRYING: 1 })
      assert.deepStrictEqual(series(observed, "durable.checkpoint.updates"), {})
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
  )
})
