import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableClient, DurableError, DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { HistoryEvent } from "../../src/wire/HistoryEvent.ts"

class OutOfOrder extends Schema.TaggedError<OutOfOrder>()("OutOfOrder", { machine: Schema.String }) {}
class NotDelivered extends Schema.TaggedError<NotDelivered>()("NotDelivered", {
  because: Schema.Union([OutOfOrder, Schema.String]),
  via: Schema.Array(Schema.String)
}) {}

const D = DurableFunction.make("d", { payload: Schema.Int, success: Schema.Int, error: OutOfOrder, target: "d:live" })
const C = DurableFunction.make("c", {
  payload: Schema.Int,
  success: Schema.Int,
  error: Schema.Union([OutOfOrder, NotDelivered])
})
const B = DurableFunction.make("b", { payload: Schema.Int, success: Schema.Int, error: NotDelivered, target: "b:3" })
const A = DurableFunction.make("a", { payload: Schema.Int, success: Schema.Int, error: NotDelivered })

/** A chain of four workflows, of which the last one works for an hour and then ends as it is told. */
const chainOf = (last: (n: number) => Effect.Effect<number, OutOfOrder>) => {
  const runs = { a: 0, b: 0, c: 0, d: 0 }
  const count = (name: keyof typeof runs) =>
    Durable.step(
      "count",
      Effect.sync(() => void runs[name]++)
    )
  const d = D.implement(
    Effect.fnUntraced(function* (n) {
      yield* count("d")
      yield* Durable.wait("work", "1 hour")
      return yield* last(n)
    })
  )
  // C lets the error of D through as it is.
  const c = C.implement(
    Effect.fnUntraced(function* (n) {
      yield* count("c")
      return (yield* Durable.invoke(D, n)) + 1
    })
  )
  // B wraps what comes from below into an error of its own.
  const b = B.implement(
    Effect.fnUntraced(function* (n) {
      yield* count("b")
      return yield* Durable.child(
        "below",
        Durable.invoke(C, n, { timeout: "2 hours" }).pipe(
          Effect.catchTag("OutOfOrder", (because) => Effect.fail(new NotDelivered({ because, via: ["b"] })))
        ),
        { error: NotDelivered }
      )
    })
  )
  const a = A.implement(
    Effect.fnUntraced(function* (n) {
      yield* count("a")
      return yield* Durable.invoke(B, n).pipe(
        Effect.catchTag("NotDelivered", ({ because, via }) =>
          Effect.fail(new NotDelivered({ because, via: [...via, "a"] }))
        )
      )
    })
  )
  return { runs, functions: [a, b, c, d] as const }
}

const startOf = (events: ReadonlyArray<HistoryEvent>) =>
  events.find((event) => event.EventType === "ChainedInvokeStarted")?.ChainedInvokeStartedDetails?.DurableExecutionArn

describe("a chain of four workflows", () => {
  it.effect("passes a result up, and everybody runs once", () => {
    const { functions, runs } = chainOf((n) => Effect.succeed(n * 10))
    return Effect.gen(function* () {
      const run = yield* TestEngine.start(A, 4)
      assert.strictEqual(yield* run.result, 41)
      assert.deepStrictEqual(runs, { a: 1, b: 1, c: 1, d: 1 })
      const history = yield* run.history
      assert.strictEqual((history.at(-1)?.EventTimestamp ?? 0) - (history[0]?.EventTimestamp ?? 0), 3_600_000)
    }).pipe(Effect.provide(TestEngine.layer(functions)))
  })

  it.effect("passes the declared error of the last one up, as every level declares it", () => {
    const { functions, runs } = chainOf(() => Effect.fail(new OutOfOrder({ machine: "press" })))
    return Effect.gen(function* () {
      const client = yield* DurableClient.DurableClient
      const run = yield* TestEngine.start(A, 4)
      const error = yield* Effect.flip(run.result)
      assert.instanceOf(error, NotDelivered)
      assert.deepStrictEqual(error.via, ["b", "a"])
      assert.instanceOf(error.because, OutOfOrder)
      assert.strictEqual(error.because.machine, "press")
      assert.deepStrictEqual(runs, { a: 1, b: 1, c: 1, d: 1 })

      const types: Array<string | undefined> = []
      let arn: string | undefined = run.executionArn
      while (arn !== undefined) {
        const execution = yield* client.get(arn)
        assert.strictEqual(execution.Status, "FAILED")
        types.push(execution.Error?.ErrorType)
        arn = startOf((yield* client.history(arn)).items)
      }
      assert.deepStrictEqual(types, ["NotDelivered", "NotDelivered", "OutOfOrder", "OutOfOrder"])
    }).pipe(Effect.provide(TestEngine.layer(functions)))
  })

  it.effect("gives the same end when every page of state holds one operation", () => {
    const { functions, runs } = chainOf(() => Effect.fail(new OutOfOrder({ machine: "press" })))
    return Effect.gen(function* () {
      const error = yield* Effect.flip(TestEngine.run(A, 4))
      assert.instanceOf(error, NotDelivered)
      assert.deepStrictEqual(error.via, ["b", "a"])
      assert.deepStrictEqual(runs, { a: 1, b: 1, c: 1, d: 1 })
    }).pipe(Effect.provide(TestEngine.layer(functions, { pageItems: 1 })))
  })

  it.effect("turns a defect of the last one into one InvokeFailed per level, each about the level below", () => {
    const { functions, runs } = chainOf(() => Effect.die(new TypeError("not a press")))
    return Effect.gen(function* () {
      const error = yield* Effect.flip(TestEngine.run(A, 4))
      assert.instanceOf(error, DurableError.InvokeFailed)
      assert.strictEqual(error.function, "b:3")
      assert.strictEqual(error.errorType, "InvokeFailed")
      assert.include(error.errorMessage, "c:$LATEST")
      assert.include(error.errorMessage, "not a press")
      assert.deepStrictEqual(runs, { a: 1, b: 1, c: 1, d: 1 })
    }).pipe(Effect.provide(TestEngine.layer(functions)))
  })

  it.effect("ends at the first time-out, and the callees below go on", () => {
    const { functions, runs } = chainOf((n) => Effect.succeed(n))
    const impatient = DurableFunction.make("impatient", { success: Schema.String })
    const run = impatient.implement(() =>
      Effect.gen(function* () {
        const outcome = yield* Durable.invoke(A, 1, { timeout: "1 minute" }).pipe(
          Effect.as("in time"),
          Effect.catch((error) => Effect.succeed(error._tag))
        )
        yield* Durable.wait("a day", "1 day")
        return outcome
      })
    )
    return Effect.gen(function* () {
      assert.strictEqual(yield* TestEngine.run(impatient), "InvokeTimedOut")
      assert.deepStrictEqual(runs, { a: 1, b: 1, c: 1, d: 1 })
      const client = yield* DurableClient.DurableClient
      const page = yield* client.list("a", { qualifier: "$LATEST" })
      assert.deepStrictEqual(
        page.items.map((item) => item.Status),
        ["SUCCEEDED"]
      )
    }).pipe(Effect.provide(TestEngine.layer([run, ...functions])))
  })
})

describe("a callee that is stopped from outside", () => {
  it.effect("is InvokeStopped at its caller, with the error of whoever stopped it", () => {
    const started = Deferred.makeUnsafe<string>()
    const Long = DurableFunction.make("long", { success: Schema.String })
    // A step that waits for something outside holds virtual time still, so that the test can act.
    const long = Long.implement(() =>
      Durable.step(
        "work",
        Effect.flatMap(Durable.StepContext, ({ executionArn }) => {
          Deferred.doneUnsafe(started, Effect.succeed(executionArn))
          return Effect.never
        })
      )
    )
    const Waiter = DurableFunction.make("waiter", { success: Schema.NullOr(DurableError.InvokeStopped) })
    const waiter = Waiter.implement(() =>
      Durable.invoke(Long).pipe(Effect.as(null), Effect.catchTag("InvokeStopped", Effect.succeed))
    )
    return Effect.gen(function* () {
      const client = yield* DurableClient.DurableClient
      const run = yield* TestEngine.start(Waiter)
      const arn = yield* Deferred.await(started)
      yield* client.stop(arn, { ErrorType: "Operator", ErrorMessage: "maintenance", ErrorData: "7" })
      const seen = yield* run.result
      if (seen === null) return assert.fail("The caller saw no error.")
      assert.strictEqual(seen.function, "long:$LATEST")
      assert.strictEqual(seen.errorType, "Operator")
      assert.strictEqual(seen.errorMessage, "maintenance")
      assert.strictEqual(seen.errorData, "7")
      assert.strictEqual((yield* client.get(arn)).Status, "STOPPED")
    }).pipe(Effect.provide(TestEngine.layer([waiter, long])))
  })

  it.effect("goes on when its caller is stopped", () => {
    const started = Deferred.makeUnsafe<string>()
    const gate = Deferred.makeUnsafe<void>()
    const Long = DurableFunction.make("long", { success: Schema.String })
    const long = Long.implement(() =>
      Durable.step(
        "work",
        Effect.flatMap(Durable.StepContext, ({ executionArn }) => {
          Deferred.doneUnsafe(started, Effect.succeed(executionArn))
          return Effect.as(Deferred.await(gate), "worked")
        })
      )
    )
    const Waiter = DurableFunction.make("waiter", { success: Schema.String })
    const waiter = Waiter.implement(() => Durable.invoke(Long))
    return Effect.gen(function* () {
      const client = yield* DurableClient.DurableClient
      const run = yield* TestEngine.start(Waiter)
      const arn = yield* Deferred.await(started)
      yield* run.stop()
      Deferred.doneUnsafe(gate, Effect.void)
      const error = yield* Effect.flip(run.result)
      assert.instanceOf(error, TestEngine.ExecutionFailed)
      assert.strictEqual(error.status, "STOPPED")
      // Another execution that takes its time shows that the callee came to its end meanwhile.
      const other = yield* client.start({ functionName: "long:$LATEST", type: "RequestResponse" })
      assert.strictEqual(other.outcome?.status, "SUCCEEDED")
      assert.strictEqual((yield* client.get(arn)).Status, "SUCCEEDED")
    }).pipe(Effect.provide(TestEngine.layer([waiter, long])))
  })
})
