/** What programs outside of workflows and tests keep in constants: nobody has written the types down. */
import {
  BatchResult,
  CheckpointStore,
  CompletionPolicy,
  Durable,
  DurableClient,
  DurableError,
  DurableFunction,
  RetryPolicy,
  Serdes,
  Targets,
  Telemetry
} from "effect-durable"
import { LambdaCheckpoints, LambdaClient, LambdaContext, LambdaLogger } from "effect-durable/lambda"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Book, Nap, Price } from "./contracts.ts"
import { BookingError, Seat, SeatTaken } from "./errors.ts"

// --- The client --------------------------------------------------------------------------------------------------------

const flight = { number: "LH1", leaves: new Date(0), seats: [] }
export const begun = DurableClient.start(Book, flight)
export const looked = Effect.flatMap(begun, DurableClient.poll)
export const known = Effect.flatMap(begun, (started) => DurableClient.get(started, { includeExecutionData: true }))
export const ended = Effect.flatMap(begun, (started) => DurableClient.stop(started))
export const events = Stream.unwrap(Effect.map(begun, (started) => DurableClient.events(started)))
export const kinds = Stream.map(events, ({ EventType }) => EventType)
export const failed = DurableClient.executions(Book, { statuses: ["FAILED"] })
export const named = DurableClient.executions("book")
export const answers = DurableClient.callback({ success: Seat, error: SeatTaken })
export const answer = (id: string) => answers.succeed(id, new Seat({ row: 1, letter: "A" }))

// --- Facts, policies, formats ------------------------------------------------------------------------------------------

export const facts = Effect.all({
  execution: Durable.execution,
  uuid: Durable.uuid,
  isReplaying: Durable.isReplaying,
  isSuspending: Durable.isSuspending,
  patched: Durable.patched("fares")
})
export const stopped = Effect.flatMap(Durable.start(Book, flight), (started) => Durable.stop(started))
export const policies = {
  make: CompletionPolicy.make({ minSuccessful: 1 }),
  custom: CompletionPolicy.custom(() => "continue"),
  first: CompletionPolicy.firstSuccessful,
  all: CompletionPolicy.allSuccessful
}
export const retries = {
  make: RetryPolicy.make(({ attempt }) =>
    Effect.succeed(attempt > 3 ? { _tag: "Stop" } : { _tag: "Retry", delaySeconds: 1 })
  ),
  fixed: RetryPolicy.fixed({ maxAttempts: 3 }),
  linear: RetryPolicy.linear({ increment: "1 second" }),
  schedule: RetryPolicy.fromSchedule(Schedule.spaced("1 minute")),
  none: RetryPolicy.none,
  joined: RetryPolicy.standard.pipe(
    RetryPolicy.while((error: SeatTaken) => error.seat !== "1A"),
    RetryPolicy.withDelay<SeatTaken>(() => "1 minute"),
    RetryPolicy.upTo({ attempts: 5 })
  )
}
export const formats = {
  json: Serdes.json,
  writer: Serdes.writer((value: bigint) => value.toString()),
  reader: Serdes.reader((text = "") => BigInt(text)),
  layer: Serdes.layer(Serdes.json)
}
export const result = BatchResult.Schema({ success: Seat, error: BookingError, item: Schema.String })
export const values = BatchResult.fromValues("rows", [1, 2])
export const isInvokeError = DurableError.isInvokeError
export const isContract = DurableFunction.isDurableFunction
export const address = Targets.resolve(Price)
export const addresses = Targets.layerConfig()
export const ids = Telemetry.idGenerator

// --- Backends ----------------------------------------------------------------------------------------------------------

export const store = Layer.succeed(CheckpointStore.CheckpointStore, {
  checkpoint: ({ Updates }) =>
    Effect.succeed({ NewExecutionState: { Operations: [] }, CheckpointToken: Updates[0]?.Id }),
  loadState: () => Effect.succeed({ Operations: [] })
})
export const sent = (request: CheckpointStore.CheckpointRequest) =>
  request.Updates.filter(({ Type }) => Type === "STEP")
export const loaded = Effect.flatMap(CheckpointStore.CheckpointStore, ({ loadState }) =>
  loadState({ DurableExecutionArn: "", CheckpointToken: "", Marker: "", MaxItems: 1 })
)
export const clients = [LambdaClient.layer, LambdaClient.layerWith({ region: "eu-west-1" })]
export const checkpoints = [LambdaCheckpoints.layer, LambdaCheckpoints.layerWith({ region: "eu-west-1" })]
export const requestId = Effect.map(LambdaContext.LambdaContext, ({ awsRequestId }) => awsRequestId)
export const loggers = [LambdaLogger.layer, LambdaLogger.json, LambdaLogger.format]

// --- Tests -------------------------------------------------------------------------------------------------------------

export const run = TestEngine.start(Nap)
export const history = Effect.flatMap(run, (started) => started.history)
export const operations = Effect.flatMap(run, (started) => started.operations({ type: "STEP" }))
export const operation = Effect.flatMap(run, (started) => started.operation("price", Price))
export const opened = Effect.flatMap(run, (started) => started.callback("open", { success: Seat, error: SeatTaken }))
export const explored = TestEngine.explore(Book, flight)
export const elapsed = Effect.flatMap(run, (started) => TestEngine.expectElapsed(started, { atLeast: "1 day" }))
export const slept = TestEngine.sleep("1 day")
export const parts = [
  TestEngine.answer("open", Reply.after("1 day", Reply.succeed(true)), { success: Schema.Boolean }),
  TestEngine.stub(Price, [Reply.succeed(1), Reply.throttle, Reply.stop(), Reply.timeOut(), Reply.never]),
  TestEngine.failFirst("reserve", 1, Effect.die("no line"))
]
export const refused = Reply.fail(new SeatTaken({ seat: "1A" }))
