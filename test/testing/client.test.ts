import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableClient, DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const Greet = DurableFunction.make("greet", { payload: Schema.String, success: Schema.String })
const greet = Greet.implement(
  Effect.fnUntraced(function* (name) {
    yield* Durable.wait("think", "2 seconds")
    if (name === "") return yield* Effect.die(new RangeError("no name"))
    return `Hello ${name}`
  })
)
const Plain = DurableFunction.plain("plain")
const plain = TestEngine.stub(Plain, () => Effect.void)

const startTime = Date.UTC(2026, 0, 1)
const layer = () => TestEngine.layer([greet, plain])
const client = DurableClient.DurableClient

describe("the client of a test world", () => {
  it.effect("starts an execution and waits for its result", () =>
    Effect.gen(function* () {
      const answer = yield* (yield* client).start({
        functionName: "greet:$LATEST",
        payload: '"Ada"',
        type: "RequestResponse"
      })
      assert.deepStrictEqual(answer.outcome, { status: "SUCCEEDED", result: '"Hello Ada"' })
      assert.match(answer.executionArn, /:function:greet:\$LATEST\/durable-execution\//)
    }).pipe(Effect.provide(layer()))
  )

  it.effect("starts an execution and waits for its failure", () =>
    Effect.gen(function* () {
      const answer = yield* (yield* client).start({
        functionName: "greet",
        qualifier: "$LATEST",
        payload: '""',
        type: "RequestResponse"
      })
      assert.strictEqual(answer.outcome?.status, "FAILED")
      if (answer.outcome?.status !== "FAILED") return
      assert.strictEqual(answer.outcome.error.ErrorType, "RangeError")
      assert.strictEqual(answer.outcome.error.ErrorMessage, "no name")
    }).pipe(Effect.provide(layer()))
  )

  it.effect("starts an execution without waiting for it", () =>
    Effect.gen(function* () {
      const durable = yield* client
      const answer = yield* durable.start({ functionName: "greet:$LATEST", payload: '"Ada"', type: "Event" })
      assert.notProperty(answer, "outcome")
      const found = yield* durable.get(answer.executionArn)
      assert.strictEqual(found.Status, "RUNNING")
      // Whoever uses the same name later waits for the same execution.
      const run = yield* TestEngine.start(Greet, "Grace")
      yield* run.result
      assert.strictEqual((yield* durable.get(answer.executionArn)).Status, "SUCCEEDED")
    }).pipe(Effect.provide(layer()))
  )

  it.effect("starts one execution per name, and refuses another payload under it", () =>
    Effect.gen(function* () {
      const durable = yield* client
      const request = { functionName: "greet:$LATEST", payload: '"Ada"', executionName: "order-1" }
      const first = yield* durable.start({ ...request, type: "Event" })
      const second = yield* durable.start({ ...request, type: "RequestResponse" })
      assert.strictEqual(second.executionArn, first.executionArn)
      assert.strictEqual(second.outcome?.status, "SUCCEEDED")
      const error = yield* Effect.flip(durable.start({ ...request, payload: '"Grace"', type: "Event" }))
      assert.instanceOf(error, DurableClient.ExecutionAlreadyStarted)
    }).pipe(Effect.provide(layer()))
  )

  it.effect("tells everything about one execution, with times in milliseconds", () =>
    Effect.gen(function* () {
      const durable = yield* client
      const { executionArn } = yield* durable.start({
        functionName: "greet:$LATEST",
        payload: '"Ada"',
        executionName: "order-1",
        type: "RequestResponse"
      })
      const found = yield* durable.get(executionArn)
      assert.deepInclude(found, {
        DurableExecutionArn: executionArn,
        DurableExecutionName: "order-1",
        Status: "SUCCEEDED",
        InputPayload: '"Ada"',
        Result: '"Hello Ada"',
        StartTimestamp: startTime,
        EndTimestamp: startTime + 2_000
      })
      assert.include(found.FunctionArn, ":function:greet")
    }).pipe(Effect.provide(layer()))
  )

  it.effect("keeps payload and result to itself when it is told to", () =>
    Effect.gen(function* () {
      const durable = yield* client
      const { executionArn } = yield* durable.start({
        functionName: "greet:$LATEST",
        payload: '"secret"',
        type: "RequestResponse"
      })
      const found = yield* durable.get(executionArn, { includeExecutionData: false })
      assert.notInclude(JSON.stringify(found), "secret")
      const { items } = yield* durable.history(executionArn, { includeExecutionData: false })
      assert.notInclude(JSON.stringify(items), "secret")
    }).pipe(Effect.provide(layer()))
  )

  it.effect("lists the executions of a function: all of them, by name, by status, by time, page by page", () =>
    Effect.gen(function* () {
      const durable = yield* client
      const arns: Array<string> = []
      for (const [index, name] of ["Ada", "", "Grace"].entries()) {
        const { executionArn } = yield* durable.start({
          functionName: "greet:$LATEST",
          payload: JSON.stringify(name),
          executionName: `order-${index}`,
          type: "RequestResponse"
        })
        arns.push(executionArn)
      }
      const listed = (options: Parameters<typeof durable.list>[1]) =>
        Effect.map(durable.list("greet", { qualifier: "$LATEST", ...options }), ({ items }) =>
          items.map((item) => item.DurableExecutionName)
        )
      assert.sameMembers(yield* listed({}), ["order-0", "order-1", "order-2"])
      assert.deepStrictEqual(yield* listed({ executionName: "order-1" }), ["order-1"])
      assert.deepStrictEqual(yield* listed({ statuses: ["FAILED"] }), ["order-1"])
      assert.deepStrictEqual(yield* listed({ statuses: ["STOPPED"] }), [])
      assert.deepStrictEqual(yield* listed({ startedAfter: startTime + 3_000 }), ["order-2"])
      assert.deepStrictEqual(yield* listed({ startedBefore: startTime + 1_000 }), ["order-0"])
      assert.deepStrictEqual(
        (yield* listed({ reverseOrder: true })).toReversed(),
        yield* listed({ reverseOrder: false })
      )

      const paged: Array<string> = []
      let marker: string | undefined
      do {
        const page: DurableClient.Page<{ readonly DurableExecutionArn: string }> = yield* durable.list("greet", {
          qualifier: "$LATEST",
          maxItems: 1,
          marker
        })
        assert.isAtMost(page.items.length, 1)
        paged.push(...page.items.map((item) => item.DurableExecutionArn))
        marker = page.nextMarker
      } while (marker !== undefined)
      assert.sameMembers(paged, arns)
    }).pipe(Effect.provide(layer()))
  )

  it.effect("pages through a history, forwards and backwards", () =>
    Effect.gen(function* () {
      const durable = yield* client
      const run = yield* TestEngine.start(Greet, "Ada")
      yield* run.result
      const whole = yield* run.history
      for (const reverseOrder of [false, true]) {
        const ids: Array<number | undefined> = []
        let marker: string | undefined
        do {
          const page: Effect.Success<ReturnType<typeof durable.history>> = yield* durable.history(run.executionArn, {
            maxItems: 2,
            marker,
            reverseOrder
          })
          assert.isAtMost(page.items.length, 2)
          ids.push(...page.items.map((event) => event.EventId))
          marker = page.nextMarker
        } while (marker !== undefined)
        const expected = whole.map((event) => event.EventId)
        assert.deepStrictEqual(ids, reverseOrder ? expected.toReversed() : expected)
      }
    }).pipe(Effect.provide(layer()))
  )

  it.effect("stops an execution and answers with the time at which it ended", () => {
    const started = Deferred.makeUnsafe<void>()
    const Slow = DurableFunction.make("slow")
    const slow = Slow.implement(() =>
      Effect.gen(function* () {
        yield* Durable.wait("hour", "1 hour")
        yield* Durable.step(
          "stuck",
          Effect.suspend(() => {
            Deferred.doneUnsafe(started, Effect.void)
            return Effect.never
          })
        )
      })
    )
    return Effect.gen(function* () {
      const durable = yield* client
      const { executionArn } = yield* durable.start({ functionName: "slow:$LATEST", type: "Event" })
      yield* Deferred.await(started)
      const ended = yield* durable.stop(executionArn, { ErrorType: "Operator", ErrorMessage: "enough" })
      assert.strictEqual(ended, startTime + 3_600_000)
      const found = yield* durable.get(executionArn)
      assert.strictEqual(found.Status, "STOPPED")
      assert.deepInclude(found.Error, { ErrorType: "Operator", ErrorMessage: "enough" })
    }).pipe(Effect.provide(TestEngine.layer([slow])))
  })

  it.effect("lets somebody who waits for the result hear that it was stopped", () => {
    const started = Deferred.makeUnsafe<string>()
    const Slow = DurableFunction.make("slow")
    const slow = Slow.implement(() =>
      Durable.step(
        "stuck",
        Effect.flatMap(Durable.StepContext, ({ executionArn }) => {
          Deferred.doneUnsafe(started, Effect.succeed(executionArn))
          return Effect.never
        })
      )
    )
    return Effect.gen(function* () {
      const durable = yield* client
      const [answer] = yield* Effect.all(
        [
          durable.start({ functionName: "slow:$LATEST", type: "RequestResponse" }),
          Effect.flatMap(Deferred.await(started), (arn) => durable.stop(arn))
        ],
        { concurrency: "unbounded" }
      )
      assert.strictEqual(answer.outcome?.status, "STOPPED")
    }).pipe(Effect.provide(TestEngine.layer([slow])))
  })

  it.effect("does not know an execution that was never started", () =>
    Effect.gen(function* () {
      const durable = yield* client
      const arn =
        "arn:aws:lambda:us-east-1:123456789012:function:greet:$LATEST/durable-execution/nobody/00000000-0000-4000-8000-0000000000ff"
      const failures: ReadonlyArray<Effect.Effect<unknown, DurableClient.ClientError>> = [
        durable.get(arn),
        durable.get("no arn at all"),
        durable.history(arn),
        durable.stop(arn)
      ]
      for (const failing of failures) {
        const error = yield* Effect.flip(failing)
        assert.instanceOf(error, DurableClient.NotFound)
        assert.isNotEmpty(error.message)
      }
    }).pipe(Effect.provide(layer()))
  )

  it.effect("does not know a function that the layer does not serve, and names those that it does", () =>
    Effect.gen(function* () {
      const durable = yield* client
      const error = yield* Effect.flip(durable.start({ functionName: "nowhere:$LATEST", type: "Event" }))
      assert.instanceOf(error, DurableClient.NotFound)
      assert.include(error.message, "nowhere")
      assert.include(error.message, "greet")
    }).pipe(Effect.provide(layer()))
  )

  it.effect("does not start a plain function as a durable one", () =>
    Effect.gen(function* () {
      const durable = yield* client
      const error = yield* Effect.flip(durable.start({ functionName: "plain:1", type: "Event" }))
      assert.instanceOf(error, DurableClient.ClientRefused)
      assert.include(error.message, "plain is not a durable function")
    }).pipe(Effect.provide(layer()))
  )

  it.effect("refuses what the service would refuse", () =>
    Effect.gen(function* () {
      const durable = yield* client
      const failures: ReadonlyArray<Effect.Effect<unknown, DurableClient.ClientError>> = [
        durable.start({ functionName: "greet", type: "Event" }),
        durable.start({ functionName: "not a name!", type: "Event" }),
        durable.start({ functionName: "greet:$LATEST", executionName: "with space", type: "Event" }),
        durable.start({ functionName: "greet:$LATEST", tenantId: "#", type: "Event" }),
        durable.start({ functionName: "greet:$LATEST", payload: "x".repeat(1_048_577), type: "Event" }),
        durable.list("greet", { qualifier: "$LATEST", maxItems: -1 }),
        durable.list("greet", { qualifier: "$LATEST", maxItems: 1_001 }),
        durable.list("greet", { qualifier: "$LATEST", marker: "no marker" })
      ]
      for (const failing of failures) {
        const error = yield* Effect.flip(failing)
        assert.instanceOf(error, DurableClient.ClientRefused, error.message)
        assert.isNotEmpty(error.message)
      }
    }).pipe(Effect.provide(layer()))
  )

  it.effect("refuses to answer callbacks that nobody has made", () =>
    Effect.gen(function* () {
      const durable = yield* client
      for (const failing of [
        durable.succeedCallback("bm9ib2R5", "1"),
        durable.failCallback("bm9ib2R5"),
        durable.heartbeatCallback("bm9ib2R5")
      ]) {
        const error = yield* Effect.flip(failing)
        assert.isTrue(
          error instanceof DurableClient.NotFound ||
            error instanceof DurableClient.CallbackClosed ||
            error instanceof DurableClient.ClientRefused
        )
      }
    }).pipe(Effect.provide(layer()))
  )
})
