/** Runs the refund in every way in which it can go, and prints a line for each. */
import { CheckpointStore, DurableClient } from "effect-durable"
import { LambdaHandler } from "effect-durable/lambda"
import { LocalEngine } from "effect-durable/local"
import { Reply, TestEngine } from "effect-durable/testing"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import assert from "node:assert/strict"
import { approval, CardGone, NotRefunded, Refund, RefundId, ReverseCharge, Score } from "../contracts/refund.ts"
import { refund } from "../functions/refund.ts"
import { reverseCharge } from "../functions/reverse.ts"
import { item, Log, no, outside, request, score, world, yes } from "./world.ts"

const passed = (what: string) => Effect.sync(() => console.log(what))
const inWorld = <A, E, R>(layer: Layer.Layer<R, unknown>, test: Effect.Effect<A, E, R>) =>
  Effect.runPromise(Effect.provide(test, layer))

const many = Array.from({ length: 200 }, (_, n) =>
  item(n % 40 === 7 ? `lost-${n}` : n === 100 ? `slow-${n}` : `sku-${n}`, n === 50 ? 0 : 1)
)

const happy = Object.assign(new Log(), { limited: 2 })
await inWorld(
  world(happy, yes),
  Effect.gen(function* () {
    const run = yield* TestEngine.start(Refund, request(many))
    const report = yield* run.result
    assert.ok(report._tag === "Refunded")
    assert.equal(report.restocked, 193)
    assert.deepEqual(
      report.failed.map(({ reason, sku }) => `${sku}: ${reason}`),
      [7, 47, 50, 87, 100, 127, 167].map((n) =>
        n === 50 ? "sku-50: Damaged" : n === 100 ? "slow-100: TimeoutError" : `lost-${n}: NoShelf`
      )
    )
    assert.deepEqual(happy.mails, ["grace: ask", "grace: remind", "grace: remind", "ada: on its way"])
    const delays = (yield* run.history).flatMap((event) =>
      event.EventType === "StepFailed" && event.Name === "mail"
        ? [event.StepFailedDetails.RetryDetails?.NextAttemptDelaySeconds]
        : []
    )
    assert.deepEqual(delays, [17, 17])
    yield* passed("refunds, reports the items that failed, and waits as long as the mailer asks for")
  })
)

const silent = new Log()
await inWorld(
  world(silent),
  Effect.gen(function* () {
    const run = yield* TestEngine.start(Refund, request([]))
    assert.equal((yield* run.result)._tag, "Forgotten")
    yield* TestEngine.expectElapsed(run, { atLeast: "5 days", atMost: { days: 5, minutes: 1 } })
    assert.equal(silent.mails.filter((mail) => mail === "grace: remind").length, 4)
    yield* passed("reminds every day, and gives up after five")
  })
)

await inWorld(
  world(new Log(), no),
  Effect.gen(function* () {
    const id = RefundId.make("r-1")
    assert.deepEqual(yield* TestEngine.run(Refund, request([])), { _tag: "Refused", id, by: "grace", why: "worn" })
    const listed = yield* Stream.runCollect(DurableClient.executions(Refund, { statuses: ["SUCCEEDED"] }))
    const first = yield* Stream.runHead(Stream.flatMap(Stream.fromIterable(listed), (one) => DurableClient.events(one)))
    assert.equal(Option.getOrThrow(first).EventType, "ExecutionStarted")
    yield* passed("is refused, and listed by its contract")
  })
)

const undone = Object.assign(new Log(), { limited: 1_000 })
await inWorld(
  world(undone, yes),
  Effect.gen(function* () {
    const error = yield* Effect.flip(TestEngine.run(Refund, request([item("a"), item("b")])))
    assert.deepEqual(error, new NotRefunded({ id: RefundId.make("r-1"), because: "mail" }))
    assert.equal(undone.shelves.size, 0)
    yield* passed("undoes every part when the last one fails")
  })
)

for (const [reply, tag] of [
  [Reply.fail(new CardGone({ card: "4242" })), "NotRefunded"],
  [Reply.stop({ ErrorType: "Fraud", ErrorMessage: "stop it" }), "InvokeStopped"],
  [Reply.never, "InvokeTimedOut"],
  [Reply.fail({ ErrorType: "TypeError", ErrorMessage: "card is undefined" }), "InvokeFailed"]
] as const) {
  const functions = [refund, score, yes, TestEngine.stub(ReverseCharge, reply)] as const
  await inWorld(
    Layer.provide(TestEngine.layer(functions), outside(new Log())),
    Effect.gen(function* () {
      assert.equal((yield* Effect.flip(TestEngine.run(Refund, request([item("a")]))))._tag, tag)
      yield* passed(`ends as ${tag} when the reversal does not work`)
    })
  )
}

const fresh = Layer.suspend(() => world(new Log(), yes))
const small = request([item("a"), item("lost-b")])
await inWorld(
  fresh,
  Effect.gen(function* () {
    const { schedules } = yield* TestEngine.explore(Refund, small, { world: fresh, limit: 12 })
    assert.equal(schedules, 12)
    yield* passed("survives a dozen crashes")
  })
)

// --- The handler, with the event that AWS sends ------------------------------------------------------------------------

const executionArn = "arn:aws:lambda:eu-west-1:123456789012:function:reverse-charge:7/durable-execution/r-1/0f1e2d3c"
const event = (payload: unknown) => ({
  DurableExecutionArn: executionArn,
  CheckpointToken: "token-1",
  InitialExecutionState: {
    Operations: [
      {
        Id: "0f1e2d3c",
        Type: "EXECUTION",
        StartTimestamp: 1_767_225_600_000,
        Status: "STARTED",
        ExecutionDetails: { InputPayload: JSON.stringify(payload) }
      }
    ],
    NextMarker: ""
  }
})

const sent: Array<string> = []
const checkpoints = Layer.succeed(CheckpointStore.CheckpointStore, {
  checkpoint: ({ Updates }) =>
    Effect.sync(() => {
      sent.push(...Updates.map(({ Action, Name, Type }) => `${Type} ${Action} ${Name}`))
      const Operations = Updates.map(({ Id, Name, Type }) => ({
        Id,
        Name,
        Type,
        Status: "STARTED" as const,
        StartTimestamp: 1_767_225_600_000,
        WaitDetails: { ScheduledEndTimestamp: 1_767_232_800_000 }
      }))
      return { CheckpointToken: `token-${sent.length + 1}`, NewExecutionState: { Operations } }
    }),
  loadState: () => Effect.succeed({ Operations: [] })
})
const handler = LambdaHandler.make(reverseCharge, { layer: Layer.empty, checkpoints })
const context = { getRemainingTimeInMillis: () => 60_000 }
const reversal = { refund: "r-1", card: "4242", cents: 100 }
assert.deepEqual(await handler(event(reversal), context), { Status: "PENDING" })
assert.deepEqual(sent, ["WAIT START clearing"])
const gone = await handler(event({ ...reversal, card: "gone" }), context)
assert.equal(gone.Status === "FAILED" && gone.Error?.ErrorType, "CardGone")
await assert.rejects(handler({ Records: [] }, context), { name: "NotDurable" })
await handler.dispose()
console.log("answers AWS's events")

// --- Lambda on this machine --------------------------------------------------------------------------------------------

const file = (name: string) => new URL(`../functions/${name}.js`, import.meta.url)
const engine = LocalEngine.layer({
  functions: [
    LocalEngine.handler(file("lambda"), {
      name: "refund",
      env: { REFUND_APPROVER: "grace", DURABLE_TARGETS: "{}", AWS_LAMBDA_LOG_LEVEL: "ERROR" }
    }),
    LocalEngine.handler(file("reverse"), { name: "reverse-charge" }),
    LocalEngine.inProcess([Score.implement(() => Effect.succeed({ score: 0.2 }))], { layer: Layer.empty })
  ],
  port: 0,
  database: ":memory:",
  skipTime: true
})

await inWorld(
  engine,
  Effect.gen(function* () {
    const started = yield* DurableClient.start(Refund, small)
    const opened = yield* DurableClient.events(started).pipe(
      Stream.filter((one) => one.EventType === "CallbackStarted"),
      Stream.runHead,
      Effect.flatMap(Effect.fromOption),
      Effect.retry(Schedule.spaced("200 millis"))
    )
    const answers = DurableClient.callback(approval)
    yield* answers.succeed(opened.CallbackStartedDetails.CallbackId, { by: "grace", at: yield* DateTime.now })
    assert.equal((yield* DurableClient.run(Refund, small))._tag, "Refunded")
    yield* passed("runs on the local engine")
  })
)
