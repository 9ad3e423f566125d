/** Our own client sends what AWS's client sends, to the last byte, whatever it is asked for. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { CheckpointStore, DurableClient } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Scope from "effect/Scope"
import * as fc from "fast-check"
import process from "node:process"
import type { OperationUpdate } from "../../../src/wire/OperationUpdate.ts"
import { loopback, type Loopback, type Received } from "../loopback.ts"
import { awsSdk, own, type Transport } from "../transports.ts"

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)

type Ports = CheckpointStore.CheckpointStore | DurableClient.DurableClient
type Request = Effect.Effect<unknown, unknown, Ports>

// --- What may be asked for -------------------------------------------------------------------------------------------

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 })
/** What goes into a path: AWS's client sends these two as they are, and the service would take them for folders. */
const label = text.filter((value) => !/^\.{1,2}$/.test(value))
const arn = fc.oneof(
  label,
  fc.constant("arn:aws:lambda:eu-west-1:210987654321:function:shipping:$LATEST/durable-execution/parcel-7/5d1f0c1e")
)
const seconds = fc.integer({ min: 0, max: 1_000_000 })
const maybe = <A>(arbitrary: fc.Arbitrary<A>) => fc.option(arbitrary, { nil: undefined })
const some = { requiredKeys: [] }

/** Objects whose keys come in any order, as code may write them. */
const shuffled = <A extends object>(arbitrary: fc.Arbitrary<A>): fc.Arbitrary<A> =>
  fc.tuple(arbitrary, fc.infiniteStream(fc.nat())).map(([value, dice]) => {
    const entries = Object.entries(value).map((entry) => ({ entry, place: dice.next().value ?? 0 }))
    return Object.assign(
      Object.create(Object.getPrototypeOf(value)),
      Object.fromEntries(entries.sort((one, other) => one.place - other.place).map(({ entry }) => entry))
    )
  })

const error = shuffled(
  fc.record(
    { ErrorType: text, ErrorMessage: text, ErrorData: text, StackTrace: fc.array(text, { maxLength: 3 }) },
    some
  )
)

const update: fc.Arbitrary<OperationUpdate> = shuffled(
  fc.record(
    {
      Id: text,
      Type: fc.constantFrom("STEP", "CONTEXT", "WAIT", "CALLBACK", "CHAINED_INVOKE", "EXECUTION"),
      Action: fc.constantFrom("START", "SUCCEED", "FAIL", "RETRY", "CANCEL"),
      ParentId: text,
      Name: text,
      SubType: text,
      Payload: text,
      Error: error,
      ContextOptions: fc.record({ ReplayChildren: fc.boolean() }, some),
      StepOptions: fc.record({ NextAttemptDelaySeconds: seconds }, some),
      WaitOptions: fc.record({ WaitSeconds: seconds }, some),
      CallbackOptions: shuffled(fc.record({ TimeoutSeconds: seconds, HeartbeatTimeoutSeconds: seconds }, some)),
      ChainedInvokeOptions: shuffled(
        fc.record({ FunctionName: text, TenantId: text, XAmznTraceId: text }, { requiredKeys: ["FunctionName"] })
      )
    },
    { requiredKeys: ["Id", "Type", "Action"] }
  )
)

const store = (use: (store: CheckpointStore.CheckpointStore["Service"]) => Request): Request =>
  Effect.flatMap(CheckpointStore.CheckpointStore, use)

const client = (use: (client: DurableClient.DurableClient["Service"]) => Request): Request =>
  Effect.flatMap(DurableClient.DurableClient, use)

const page = { marker: maybe(text), maxItems: maybe(fc.nat(1_000)), reverseOrder: maybe(fc.boolean()) }
const time = fc.oneof(
  fc.integer({ min: 0, max: 253_402_300_799_999 }),
  fc.integer({ min: 0, max: 253_402_300_799 }).map((second) => second * 1_000)
)
/** What may stand in a header. */
const token = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/)

const requests: fc.Arbitrary<Request> = fc.oneof(
  fc
    .record({
      DurableExecutionArn: arn,
      CheckpointToken: text,
      Updates: fc.array(update, { maxLength: 5 }),
      ClientToken: text
    })
    .map((input) => store(({ checkpoint }) => checkpoint(input))),
  fc
    .record({ DurableExecutionArn: arn, CheckpointToken: text, Marker: text, MaxItems: fc.nat(1_000) })
    .map((input) => store(({ loadState }) => loadState(input))),
  fc
    .record({
      functionName: arn,
      qualifier: maybe(text),
      payload: maybe(text),
      executionName: token,
      tenantId: maybe(token),
      type: fc.constantFrom("RequestResponse", "Event")
    })
    .map((input) => client(({ start }) => start(input))),
  fc
    .tuple(arn, fc.record({ includeExecutionData: fc.boolean() }, some))
    .map(([of, options]) => client(({ get }) => get(of, options))),
  fc
    .tuple(
      arn,
      fc.record(
        {
          qualifier: text,
          executionName: text,
          statuses: fc.array(text, { maxLength: 3 }),
          startedAfter: time,
          startedBefore: time
        },
        some
      ),
      fc.record(page)
    )
    .map(([of, options, which]) => client(({ list }) => list(of, { ...options, ...which }))),
  fc
    .tuple(arn, fc.record({ includeExecutionData: fc.boolean() }, some), fc.record(page))
    .map(([of, options, which]) => client(({ history }) => history(of, { ...options, ...which }))),
  fc.tuple(arn, maybe(error)).map(([of, reason]) => client(({ stop }) => stop(of, reason))),
  fc.tuple(label, maybe(text)).map(([id, result]) => client(({ succeedCallback }) => succeedCallback(id, result))),
  fc.tuple(label, maybe(error)).map(([id, reason]) => client(({ failCallback }) => failCallback(id, reason))),
  label.map((id) => client(({ heartbeatCallback }) => heartbeatCallback(id)))
)

// --- Both send it ----------------------------------------------------------------------------------------------------

const scope = Scope.makeUnsafe()
let server: Loopback

beforeAll(async () => {
  const body = {
    DurableExecutionArn: "arn",
    DurableExecutionName: "n",
    FunctionArn: "f",
    Status: "RUNNING",
    StartTimestamp: 1,
    StopTimestamp: 1,
    Operations: []
  }
  server = await Effect.runPromise(
    Scope.provide(
      loopback(() => ({ headers: { "x-amz-durable-execution-arn": "arn" }, body })),
      scope
    )
  )
})

afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

const runtimeOf = (transport: Transport) =>
  ManagedRuntime.make(Layer.suspend(() => Layer.merge(transport.checkpoints(server), transport.client(server))))

const [ours, theirs] = [runtimeOf(own), runtimeOf(awsSdk)]

afterAll(() => Promise.all([ours.dispose(), theirs.dispose()]))

const sentBy = async (runtime: typeof ours, request: Request): Promise<Received | undefined> => {
  const before = server.requests.length
  await runtime.runPromise(request)
  assert.strictEqual(server.requests.length, before + 1)
  return server.requests.at(-1)
}

/** Headers that say who asks, and those that differ from one request to the next. */
const changing = /^(x-amz-user-agent|user-agent|amz-sdk-invocation-id|x-amz-date|authorization)$/

const comparable = (received: Received | undefined): unknown =>
  received && {
    ...received,
    headers: Object.fromEntries(Object.entries(received.headers).filter(([name]) => !changing.test(name)))
  }

describe("What our own client sends", () => {
  it("is what AWS's client sends", async () => {
    await fc.assert(
      fc.asyncProperty(requests, async (request) => {
        assert.deepStrictEqual(comparable(await sentBy(ours, request)), comparable(await sentBy(theirs, request)))
      }),
      { seed, numRuns: 400 }
    )
  })

  it("has the names of the headers that only one of them sends", async () => {
    const request = client(({ get }) => get("arn"))
    const namesOf = (received: Received | undefined) => Object.keys(received?.headers ?? {})
    const [one, other] = [namesOf(await sentBy(ours, request)), namesOf(await sentBy(theirs, request))]
    assert.deepStrictEqual(
      one.filter((name) => !other.includes(name)),
      []
    )
    assert.deepStrictEqual(
      other.filter((name) => !one.includes(name)),
      ["x-amz-user-agent"]
    )
  })
})
