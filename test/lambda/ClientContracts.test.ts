import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import { Durable, DurableClient, DurableError, DurableFunction, Serdes, Targets } from "effect-durable"

import { Reply, TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { loopback, type Received, type Reply as Response } from "./loopback.ts"
import { own } from "./transports.ts"

class Lost extends Schema.TaggedError<Lost>()("Lost", { where: Schema.String }) {}

const Order = Schema.Struct({ id: Schema.String, due: Schema.Date })

const Ship = DurableFunction.make("ship", {
  payload: Order,
  success: Schema.Date,
  error: Lost,
  idempotencyKey: (order) => order.id
})

const ship = Ship.implement(
  Effect.fnUntraced(function* ({ due, id }) {
    yield* Durable.wait("transport", "2 hours")
    if (id === "lost") return yield* new Lost({ where: "at sea" })
    if (id === "broken") return yield* Effect.die(new RangeError("no wheels"))
    if (id === "pay") yield* Durable.invoke(Pay)
    return due
  })
)

const Pay = DurableFunction.plain("pay")
const due = new Date("2027-03-08T00:00:00Z")
const world = () => TestEngine.layer([ship, TestEngine.stub(Pay, Reply.timeOut())])
const port = DurableClient.DurableClient

describe("An execution of a contract", () => {
  it.effect("is started once by its idempotency key, and read when it has ended", () =>
    Effect.gen(function* () {
      const started = yield* DurableClient.start(Ship, { id: "o-1", due })
      const again = yield* DurableClient.start(Ship, { id: "o-1", due })
      assert.strictEqual(started.executionArn, again.executionArn)
      assert.match(started.executionArn, /\/durable-execution\/o-1\//)
      assert.deepStrictEqual(yield* DurableClient.poll(started), Option.none())
      assert.deepStrictEqual(yield* DurableClient.run(Ship, { id: "o-1", due }), due)
      assert.deepStrictEqual(yield* DurableClient.poll(started), Option.some(due))
      assert.deepStrictEqual(
        yield* DurableClient.poll({ contract: Ship, executionArn: started.executionArn }),
        Option.some(due)
      )
    }).pipe(Effect.provide(world()))
  )

  it.effect("conflicts with another payload under the same key, and has other names when it is told so", () =>
    Effect.gen(function* () {
      yield* DurableClient.start(Ship, { id: "o-1", due })
      const error = yield* Effect.flip(DurableClient.start(Ship, { id: "o-1", due: new Date(0) }))
      assert.strictEqual(error._tag, "ExecutionAlreadyStarted")
      const other = yield* DurableClient.start(Ship, { id: "o-1", due: new Date(0) }, { executionName: "second" })
      assert.match(other.executionArn, /\/durable-execution\/second\//)
    }).pipe(Effect.provide(world()))
  )

  it.effect("fails with the errors of its contract, as themselves", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(DurableClient.run(Ship, { id: "lost", due }))
      assert.instanceOf(error, Lost)
      assert.strictEqual(error.where, "at sea")
      const started = yield* DurableClient.start(Ship, { id: "lost", due })
      assert.instanceOf(yield* Effect.flip(DurableClient.poll(started)), Lost)
    }).pipe(Effect.provide(world()))
  )

  it.effect("fails with the errors of the library, as themselves", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(DurableClient.run(Ship, { id: "pay", due }))
      assert.instanceOf(error, DurableError.InvokeTimedOut)
    }).pipe(Effect.provide(world()))
  )

  it.effect("fails with ExecutionFailed when it ends otherwise", () =>
    Effect.gen(function* () {
      const broken = yield* Effect.flip(DurableClient.run(Ship, { id: "broken", due }))
      assert.instanceOf(broken, DurableClient.ExecutionFailed)
      assert.deepInclude(broken, { status: "FAILED", errorType: "RangeError", errorMessage: "no wheels" })
      assert.include(broken.message, "FAILED: RangeError: no wheels")

      const started = yield* DurableClient.start(Ship, { id: "o-9", due })
      assert.strictEqual((yield* DurableClient.get(started)).Status, "RUNNING")
      yield* DurableClient.stop(started, { ErrorType: "Recall" })
      assert.strictEqual((yield* DurableClient.get(started, { includeExecutionData: true })).Status, "STOPPED")
      const stopped = yield* Effect.flip(DurableClient.poll(started))
      assert.deepInclude(stopped, { _tag: "ExecutionFailed", status: "STOPPED", errorType: "Recall" })
    }).pipe(Effect.provide(world()))
  )

  it.effect("is not started by what does not fit", () =>
    Effect.gen(function* () {
      const nothing = yield* port
      const before = yield* nothing.list("ship")
      // @ts-expect-error the payload is an order
      const misfit = yield* Effect.exit(DurableClient.start(Ship, { id: 7, due }))
      assert.include(String(misfit), "SerdesFailed")
      const key = yield* Effect.flip(DurableClient.start(Ship, { id: "not a name: ada@example.com", due }))
      assert.strictEqual(key._tag, "ClientRefused")
      assert.notInclude(key.message, "ada@")
      for (const name of ["", "x".repeat(65), "ä"]) {
        assert.strictEqual(
          (yield* Effect.flip(DurableClient.start(Ship, { id: "o", due }, { executionName: name })))._tag,
          "ClientRefused"
        )
      }
      const tenant = yield* Effect.exit(DurableClient.start(Ship, { id: "o", due }, { tenantId: "a;b" }))
      assert.include(String(tenant), "InvalidTenantId")
      assert.deepStrictEqual(yield* nothing.list("ship"), before)
    }).pipe(Effect.provide(world()))
  )

  it.effect("is not started where no durable function can be", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(DurableClient.start(Ship, { id: "o-1", due }))
      assert.strictEqual(error._tag, "InvalidTarget")
    }).pipe(Effect.provide(Layer.mergeAll(world(), Targets.layer({ ship: "shipping" }))))
  )

  it.effect("is unavailable while its Serdes is, and dies of data that cannot be read", () =>
    Effect.gen(function* () {
      const format = (transient: boolean): Serdes.Format => ({
        ...Serdes.json,
        deserialize: () => Effect.fail(new Serdes.SerdesError({ message: "no key", transient }))
      })
      const started = yield* DurableClient.start(Ship, { id: "o-1", due })
      yield* DurableClient.run(Ship, { id: "o-1", due })
      const poll = DurableClient.poll(started)
      const away = yield* Effect.flip(Effect.provideService(poll, Serdes.Serdes, format(true)))
      assert.strictEqual(away._tag, "ClientUnavailable")
      const broken = yield* Effect.exit(Effect.provideService(poll, Serdes.Serdes, format(false)))
      assert.include(String(broken), "SerdesFailed")
    }).pipe(Effect.provide(world()))
  )

  it("has the types of its contract", () => {
    expectTypeOf(DurableClient.run(Ship, { id: "o", due })).toEqualTypeOf<
      Effect.Effect<
        Date,
        | Lost
        | DurableError.OperationError
        | DurableClient.ExecutionFailed
        | DurableClient.ClientError
        | DurableError.InvalidTarget,
        DurableClient.DurableClient
      >
    >()
    expectTypeOf(DurableClient.start(Ship, { id: "o", due })).toEqualTypeOf<
      Effect.Effect<
        DurableClient.Started<typeof Ship>,
        DurableClient.ClientError | DurableError.InvalidTarget,
        DurableClient.DurableClient
      >
    >()
    // @ts-expect-error a plain function has no executions
    DurableClient.start(Pay)
    // @ts-expect-error an order is needed
    DurableClient.start(Ship)
  })
})

describe("An execution of a contract on Lambda", () => {
  const executionArn = "arn:aws:lambda:eu-west-1:123456789012:function:shipping:7/durable-execution/o-1/x"
  const over = <A, E>(
    respond: (request: Received) => Response,
    use: Effect.Effect<A, E, DurableClient.DurableClient>
  ) =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* loopback(respond)
        const result = yield* Effect.result(
          Effect.provide(
            use,
            Layer.mergeAll(own.client(server), Targets.layer({ ship: "shipping:live", quiet: "quiet:7" }))
          )
        )
        return { result, requests: server.requests }
      })
    )
  const started = { "x-amz-durable-execution-arn": executionArn }

  it.live("is invoked at its target, by its key, with the payload as its Schema writes it", () =>
    Effect.gen(function* () {
      const { requests, result } = yield* over(
        () => ({ headers: started, body: '"2027-03-09T00:00:00.000Z"' }),
        DurableClient.run(Ship, { id: "o-1", due }, { tenantId: "acme" })
      )
      assert.strictEqual(result._tag, "Success")
      if (result._tag === "Success") assert.deepStrictEqual(result.success, new Date("2027-03-09T00:00:00Z"))
      const [request] = requests
      assert.strictEqual(request?.target, "/2015-03-31/functions/shipping%3Alive/invocations")
      assert.strictEqual(request?.headers["x-amz-durable-execution-name"], "o-1")
      assert.strictEqual(request?.headers["x-amz-tenant-id"], "acme")
      assert.strictEqual(request?.body, '{"id":"o-1","due":"2027-03-08T00:00:00.000Z"}')
    })
  )

  it.live("fails with the errors of its contract, which only the execution itself holds", () =>
    Effect.gen(function* () {
      const { result } = yield* over(
        ({ method }) =>
          method === "POST"
            ? { headers: { ...started, "x-amz-function-error": "Unhandled" }, body: { errorType: "Lost" } }
            : {
                body: {
                  DurableExecutionArn: executionArn,
                  DurableExecutionName: "o-1",
                  FunctionArn: "f",
                  StartTimestamp: 1,
                  Status: "FAILED",
                  Error: { ErrorType: "Lost", ErrorData: '{"_tag":"Lost","where":"in Bremen"}' }
                }
              },
        DurableClient.run(Ship, { id: "o-1", due })
      )
      assert.strictEqual(result._tag, "Failure")
      if (result._tag === "Failure") assert.deepInclude(result.failure, { _tag: "Lost", where: "in Bremen" })
    })
  )

  for (const [what, body] of Object.entries({ nothing: "", null: "null" })) {
    it.live(`answers a contract without a result with ${what}`, () =>
      Effect.gen(function* () {
        const Quiet = DurableFunction.make("quiet")
        const { requests, result } = yield* over(() => ({ headers: started, body }), DurableClient.run(Quiet))
        assert.deepInclude(result, { _tag: "Success", success: undefined })
        assert.strictEqual(requests[0]?.body, "")
      })
    )
  }
})

describe("Callbacks of one kind", () => {
  const Approval = DurableClient.callback({
    success: Schema.Struct({ by: Schema.String, at: Schema.Date }),
    error: Lost
  })
  const id = "Y2FsbGJhY2staWQ="
  const sent: Array<readonly [string, ...ReadonlyArray<unknown>]> = []
  const note =
    (name: string) =>
    (...args: ReadonlyArray<unknown>) =>
      Effect.sync(() => void sent.push([name, ...args]))
  const recorder = Layer.effect(
    port,
    Effect.map(port, (client) => {
      sent.length = 0
      return {
        ...client,
        succeedCallback: note("succeed"),
        failCallback: note("fail"),
        heartbeatCallback: note("heartbeat")
      }
    })
  ).pipe(Layer.provide(world()))

  it.effect("are answered as the Schemas write it", () =>
    Effect.gen(function* () {
      yield* Approval.succeed(id, { by: "Zoë", at: due })
      yield* Approval.fail(id, new Lost({ where: "here" }))
      yield* Approval.heartbeat(id)
      yield* DurableClient.callback({ success: Schema.Void }).succeed(id, undefined)
      const upper = Serdes.writer((value: string) => value.toUpperCase())
      yield* DurableClient.callback({ success: Schema.String, successSerdes: upper }).succeed(id, "loud")
      assert.deepStrictEqual(sent, [
        ["succeed", id, '{"by":"Zoë","at":"2027-03-08T00:00:00.000Z"}'],
        [
          "fail",
          id,
          {
            ErrorType: "Lost",
            ErrorMessage: 'Lost: {"_tag":"Lost","where":"here"}',
            ErrorData: '{"_tag":"Lost","where":"here"}'
          }
        ],
        ["heartbeat", id],
        ["succeed", id, undefined],
        ["succeed", id, "LOUD"]
      ])
    }).pipe(Effect.provide(recorder))
  )

  it.effect("are not answered with what does not fit", () =>
    Effect.gen(function* () {
      // @ts-expect-error a time is missing
      assert.include(String(yield* Effect.exit(Approval.succeed(id, { by: "Ada" }))), "SerdesFailed")
      // @ts-expect-error none of the declared errors
      assert.include(String(yield* Effect.exit(Approval.fail(id, new Error("no")))), "SerdesFailed")
      const large = DurableClient.callback({ success: Schema.String })
      const tooLarge = yield* Effect.exit(large.succeed(id, "é".repeat(131_072)))
      assert.include(String(tooLarge), "PayloadTooLarge")
      assert.notInclude(String(tooLarge), id)
      yield* large.succeed(id, "é".repeat(131_071))
      assert.lengthOf(sent, 1)
    }).pipe(Effect.provide(recorder))
  )
})

describe("All pages", () => {
  it.effect("of a history, and of the executions of a function", () =>
    Effect.gen(function* () {
      const { executionArn } = yield* DurableClient.start(Ship, { id: "o-1", due })
      yield* DurableClient.run(Ship, { id: "o-1", due })
      yield* DurableClient.run(Ship, { id: "o-2", due })
      const events = yield* Stream.runCollect(DurableClient.events(executionArn))
      assert.deepStrictEqual(
        events.map(({ EventId }) => EventId),
        events.map((_, i) => i + 1)
      )
      const reversed = yield* Stream.runCollect(
        DurableClient.events(executionArn, { reverseOrder: true, includeExecutionData: false })
      )
      assert.deepStrictEqual(
        reversed.map(({ EventId }) => EventId),
        events.map(({ EventId }) => EventId).toReversed()
      )
      const all = yield* Stream.runCollect(DurableClient.executions("ship", { statuses: ["SUCCEEDED"] }))
      assert.deepStrictEqual(
        all.map(({ DurableExecutionName }) => DurableExecutionName),
        ["o-2", "o-1"]
      )
      const failed = DurableClient.executions("ship", { statuses: ["FAILED"] })
      assert.deepStrictEqual(yield* Stream.runCollect(failed), [])
    }).pipe(Effect.provide(world()))
  )

  it.live("are asked for one after the other", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* loopback((_, count) => ({
          body: { Events: [], DurableExecutions: [], ...(count % 4 !== 0 && { NextMarker: `m${count}` }) }
        }))
        const both = Stream.concat(DurableClient.events("arn"), DurableClient.executions("f"))
        yield* Effect.provide(Stream.runDrain(both), own.client(server))
        assert.deepStrictEqual(
          server.requests.map(({ target }) => new URL(target, "http://x").search),
          [1, 2, 3, 4, 5, 6, 7, 8].map((i) => (i % 4 === 1 ? "?MaxItems=1000" : `?Marker=m${i - 1}&MaxItems=1000`))
        )
      })
    )
  )
})
