/**
 * A program for each message that public text quotes as `text message: NAME`, and what it is told.
 *
 * A name is the tag of the error, or the tag, a slash and what sets this message apart from others of the same error.
 */
import {
  CheckpointStore,
  CompletionPolicy,
  Durable,
  DurableClient,
  type DurableError,
  DurableFunction,
  RetryPolicy,
  Serdes,
  Targets
} from "effect-durable"
import { LambdaClient, LambdaHandler } from "effect-durable/lambda"
import { LocalEngine } from "effect-durable/local"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { cast } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { operationId } from "../../src/execution/Identity.ts"
import {
  crashAt,
  deployed,
  eventOf,
  execute,
  holds,
  invokeOnce,
  type Ran,
  type Store,
  unchecked
} from "../operations/support.ts"

/** An error as its reader has it: on a log line, in the record of an execution, or on the screen of a test. */
interface Told {
  readonly tag: string
  readonly message: string
}

const Order = Schema.Struct({ id: Schema.String, cents: Schema.Int })
const Fulfil = DurableFunction.make("fulfil", { payload: Schema.UndefinedOr(Order) })
const Charge = DurableFunction.make("charge", { payload: Order, target: "payments:live" })
const Watch = DurableFunction.make("watch", { payload: Schema.Int })
const order = { id: "o-1", cents: 1_250 }

type Body = Effect.Effect<unknown, DurableError.OperationError, Durable.Execution>

// --- How programs are run --------------------------------------------------------------------------------------------

const inEngine = (
  body: Body,
  {
    functions = [],
    options,
    targets = {}
  }: {
    readonly functions?: ReadonlyArray<TestEngine.Stub | TestEngine.Answer>
    readonly options?: TestEngine.Options
    readonly targets?: Readonly<Record<string, string>>
  } = {}
): Effect.Effect<Told> =>
  TestEngine.run(Fulfil, undefined, { executionName: "order-1" }).pipe(
    Effect.provide(TestEngine.layer([Fulfil.implement(() => Effect.asVoid(body)), ...functions], options)),
    Effect.provide(Targets.layer(targets)),
    Effect.exit,
    Effect.map(toldBy)
  )

/** What a failure says. An execution that failed says what it recorded. */
const toldBy = (exit: Exit.Exit<unknown, unknown>): Told => {
  if (Exit.isSuccess(exit)) throw new Error("The program was expected to fail.")
  const error = Cause.squash(exit.cause)
  if (error instanceof TestEngine.ExecutionFailed && error.status === "FAILED")
    return { tag: error.errorType ?? "", message: error.errorMessage ?? "" }
  if (error instanceof Error) return { tag: error.name, message: error.message }
  throw new Error(`The program failed with ${String(error)}.`)
}

const inRun = (ran: Effect.Effect<Ran<unknown, unknown>>): Effect.Effect<Told> =>
  Effect.map(ran, ({ result }) => toldBy(result))

/** What the invocation of a handler is told, which Lambda has in its log. */
const inInvocation = (body: Body, options: Parameters<typeof invokeOnce>[1] = {}): Effect.Effect<Told> =>
  Effect.map(invokeOnce(body, options), ({ answer, failure }) => {
    if (failure !== undefined) return { tag: failure._tag, message: failure.message }
    const error = answer?.Status === "FAILED" ? answer.Error : undefined
    return { tag: error?.ErrorType ?? "", message: error?.ErrorMessage ?? "" }
  })

/** What the last invocation was told of an execution that cannot go on. */
const inEveryInvocation = (error: CheckpointStore.StoreError): Effect.Effect<Told> =>
  execute(charge, { store: (): Partial<Store> => ({ checkpoint: () => Effect.fail(error) }) }).pipe(
    inRun,
    Effect.map(({ message }) => {
      const [, tag = "", text = ""] = /The last one: (\w+): (.*)$/.exec(message) ?? []
      return { tag, message: text }
    })
  )

const inHandler = (event: unknown): Effect.Effect<Told> =>
  Effect.tryPromise({
    try: () =>
      LambdaHandler.make(
        Fulfil.implement(() => Effect.void),
        { layer: Layer.empty }
      )(event),
    catch: (error) => error
  }).pipe(Effect.exit, Effect.map(toldBy))

/** What a handler says whose layer reads its configuration. */
const inConfigured = (provider: ConfigProvider.ConfigProvider): Effect.Effect<Told> =>
  Effect.tryPromise({
    try: () => {
      const layer = Layer.effectDiscard(Config.String("ORDERS_URL")).pipe(Layer.provide(ConfigProvider.layer(provider)))
      return LambdaHandler.make(
        Fulfil.implement(() => Effect.void),
        { layer }
      )(eventOf([]))
    },
    catch: (error) => error
  }).pipe(
    Effect.exit,
    Effect.map((exit) => {
      const answer = Exit.isSuccess(exit) ? exit.value : undefined
      return answer?.Status === "FAILED"
        ? { tag: answer.Error?.ErrorType ?? "", message: answer.Error?.ErrorMessage ?? "" }
        : toldBy(exit)
    })
  )

/** What a handler rejects with when Lambda ends its sandbox. Only its own listener hears the signal. */
/** Those who listen besides handlers. The first handler that is called listens for all. */
const others = process.rawListeners("SIGTERM")

const atSigterm: Effect.Effect<Told> = Effect.tryPromise({
  try: async () => {
    let running = (): void => {}
    const isRunning = new Promise<void>((resolve) => (running = resolve))
    const body = Durable.step("charge", Effect.andThen(Effect.sync(running), Effect.never))
    const store: Store = { checkpoint: () => Effect.never, loadState: () => Effect.never }
    const handler = LambdaHandler.make(
      Fulfil.implement(() => body),
      { layer: Layer.empty, checkpoints: Layer.succeed(CheckpointStore.CheckpointStore, store) }
    )
    const answer = handler(eventOf([]))
    await isRunning
    // While somebody else listens, the handler leaves the process alone.
    const stay = (): void => {}
    process.on("SIGTERM", stay)
    setTimeout(() => process.off("SIGTERM", stay), 1_000).unref()
    for (const listener of process.rawListeners("SIGTERM")) if (!others.includes(listener)) listener("SIGTERM")
    return await answer
  },
  catch: (error) => error
}).pipe(Effect.exit, Effect.map(toldBy))

const afterDisposal: Effect.Effect<Told> = Effect.tryPromise({
  try: async () => {
    const handler = LambdaHandler.make(
      Fulfil.implement(() => Effect.void),
      { layer: Layer.empty }
    )
    await handler.dispose()
    return await handler(eventOf([]))
  },
  catch: (error) => error
}).pipe(Effect.exit, Effect.map(toldBy))

const inClient = (
  use: Effect.Effect<unknown, unknown, DurableClient.DurableClient | TestEngine.TestEngine>,
  body: Body = Effect.void
): Effect.Effect<Told> =>
  use.pipe(
    Effect.provide(TestEngine.layer([Fulfil.implement(() => Effect.asVoid(body))])),
    Effect.exit,
    Effect.map(toldBy)
  )

/** The client over a service that refuses every request. */
const inRefusedClient = (
  failure: { readonly name: string; readonly message: string; readonly status?: number },
  use: (client: DurableClient.DurableClient["Service"]) => Effect.Effect<unknown, DurableClient.ClientError>
): Effect.Effect<Told> => {
  const metadata =
    failure.status === undefined ? {} : { $metadata: { httpStatusCode: failure.status }, $fault: "client" }
  const client = { send: () => Promise.reject(Object.assign(new Error(failure.message), failure, metadata)) }
  return Effect.flatMap(DurableClient.DurableClient, use).pipe(
    Effect.provide(LambdaClient.layerAwsSdkWith({ client })),
    Effect.exit,
    Effect.map(toldBy)
  )
}

// --- Programs --------------------------------------------------------------------------------------------------------

const charge = Durable.step("charge", Effect.succeed("t-1"))
const delivery = Durable.wait("delivery", "2 days")
const rows = Effect.forEach(
  Array.from({ length: 3_001 }, (_, row) => row),
  (row) => Durable.step(`row ${row}`, Effect.void)
)
/** Work that no operation records. */
const request = Effect.promise(() => new Promise<void>((resolve) => void setTimeout(resolve, 2)))
const both = { concurrency: "unbounded" } as const

/** Invokes another function that ends so. */
const invoking = (outcome: Reply.Reply<void, never>, options: Durable.InvokeOptions<typeof Charge> = {}) =>
  inEngine(Durable.invoke(Charge, order, options), { functions: [TestEngine.stub(Charge, outcome)] })

/** A child whose result is too large to be kept, so that it is rebuilt from its operations. */
const large = (inside: Effect.Effect<unknown, never, Durable.Execution>) =>
  Durable.child("report", Effect.as(inside, "x".repeat(300_000)))

const sleepyFormat = (transient: boolean): Layer.Layer<never> => {
  const failure = Effect.fail(new Serdes.SerdesError({ message: "the key service is busy", transient }))
  return Serdes.layer({ serialize: () => failure, deserialize: () => failure })
}

/** A callback that somebody answers so. */
const approving = (answer: Reply.CallbackReply<unknown, never>) =>
  inEngine(
    Durable.waitForCallback("approval", () => Effect.void),
    { functions: [TestEngine.answer("approval", answer)] }
  )

const item = (name: string) => ({ name, effect: Durable.step("query", Effect.void) })

const operationErrors: Readonly<Record<string, Effect.Effect<Told>>> = {
  StepInterrupted: inRun(
    execute(Durable.step("charge", Effect.void, { semantics: "at-most-once" }), {
      store: crashAt(holds("SUCCEED", "charge"), "before")
    })
  ),
  "StepInterrupted/too often": inRun(
    execute(Durable.step("report", Effect.sleep("1 hour")), { engine: { invocationTimeout: "1 minute" } })
  ),
  InvokeFailed: invoking(Reply.fail({ ErrorType: "TypeError", ErrorMessage: "card is undefined" })),
  "InvokeFailed/not allowed": invoking(
    Reply.fail({
      ErrorType: "AccessDeniedException",
      ErrorMessage: "not authorized to perform lambda:InvokeFunction"
    })
  ),
  "InvokeFailed/not found": invoking(
    Reply.fail({ ErrorType: "ResourceNotFoundException", ErrorMessage: "Function not found" })
  ),
  "InvokeFailed/throttled": invoking(Reply.throttle),
  ExecutionContinued: TestEngine.run(Fulfil).pipe(
    Effect.flip,
    Effect.orDie,
    Effect.map((error) => ({
      tag: error._tag === "InvokeFailed" ? (error.errorType ?? "") : error._tag,
      message: error.message
    })),
    Effect.provide(
      TestEngine.layer([
        Fulfil.implement(() => Durable.invoke(Watch, 1)),
        Watch.implement((rounds) => (rounds > 0 ? Durable.continueWith(Watch, rounds - 1) : Effect.void))
      ])
    )
  ),
  "InvokeTimedOut/caller": invoking(Reply.never, { timeout: "5 minutes" }),
  "InvokeTimedOut/service": invoking(Reply.timeOut({ ErrorMessage: "Execution timed out" })),
  InvokeStopped: invoking(Reply.stop({ ErrorMessage: "stopped by an operator" })),
  CallbackFailed: approving(Reply.fail({ ErrorType: "Rejected", ErrorMessage: "too expensive" })),
  "CallbackTimedOut/timeout": inEngine(Durable.waitForCallback("approval", () => Effect.void, { timeout: "7 days" })),
  "CallbackTimedOut/heartbeat": inEngine(
    Durable.waitForCallback("import", () => Effect.void, { heartbeatTimeout: "10 minutes" })
  ),
  CallbackSubmitFailed: inEngine(
    Durable.waitForCallback("approval", () => Effect.die(new Error("the mail server is down")), {
      retry: RetryPolicy.none
    })
  ),
  ConditionExhausted: inEngine(
    Durable.waitForCondition("job-done", {
      initial: false,
      check: Effect.succeed,
      until: (done) => done,
      maxAttempts: 3
    })
  ),
  DurableTimeout: inEngine(Durable.timeout("shipping", delivery, "1 hour")),
  BatchFailed: inEngine(
    Effect.flatMap(
      Durable.parallel("quotes", [item("fast"), item("cheap")], { policy: CompletionPolicy.custom(() => "FAILED") }),
      (quotes) => quotes.orFail
    )
  )
}

const mistakes: Readonly<Record<string, Effect.Effect<Told>>> = {
  "NonDeterministic/changed": inRun(
    execute(deployed(Effect.andThen(charge, delivery), Effect.andThen(Durable.wait("charge", "1 hour"), delivery)))
  ),
  "NonDeterministic/renamed": inRun(
    execute(
      deployed(Effect.andThen(charge, delivery), Effect.andThen(Durable.step("bill", Effect.succeed("t-1")), delivery))
    )
  ),
  "NonDeterministic/removed": inRun(execute(deployed(Effect.andThen(charge, delivery), delivery))),
  "NonDeterministic/flat": inRun(
    execute(
      deployed(
        Effect.andThen(Durable.child("payment", charge), delivery),
        Effect.andThen(Durable.child("payment", charge, { flat: true }), delivery)
      )
    )
  ),
  "NonDeterministic/rebuilt": inRun(
    execute(
      deployed(
        Effect.andThen(large(charge), delivery),
        Effect.andThen(large(Effect.andThen(charge, Durable.wait("review", "1 hour"))), delivery)
      )
    )
  ),
  "NonDeterministic/items": inRun(
    execute(
      deployed(
        Effect.andThen(Durable.all("rows", [item("a"), item("b")]), delivery),
        Effect.andThen(Durable.all("rows", [item("a"), item("b"), item("c")]), delivery)
      )
    )
  ),
  NameInUse: inEngine(
    Effect.suspend(() =>
      Effect.all(
        [
          Effect.andThen(request, Durable.step("charge", Effect.void)),
          Effect.andThen(request, Durable.step("charge", Effect.void)) // at another place
        ],
        both
      )
    )
  ),
  "Stuck/waiting": inEngine(Effect.flatMap(Deferred.make<void>(), Deferred.await)),
  "Stuck/recorded": inEngine(
    Effect.gen(function* () {
      const labelled = yield* Deferred.make<void>()
      const label = Effect.andThen(Durable.step("label", Effect.void), Deferred.succeed(labelled, undefined))
      yield* Effect.forkChild(Durable.child("parcel", Effect.asVoid(label)))
      yield* delivery
      yield* Deferred.await(labelled)
    })
  ),
  "Stuck/spinning": inEngine(Effect.forever(Effect.yieldNow)),
  InvalidName: inEngine(Durable.step("größe", Effect.void)),
  "InvalidDuration/too short": inEngine(Durable.timeout("answer", charge, "500 millis")),
  "InvalidDuration/too long": inEngine(Durable.wait("warranty", "730 days")),
  "InvalidDuration/none": inEngine(Durable.wait("pause", Number.NaN)),
  "InvalidDuration/spelling": inEngine(Durable.wait("pause", cast<string, `${number} hours`>("1h"))),
  "InvalidOptions/concurrency": inEngine(Durable.all("rows", [charge], { concurrency: 0 })),
  "InvalidOptions/effect": inEngine(
    Durable.step(
      "charge",
      cast<() => void, Effect.Effect<void>>(() => {})
    )
  ),
  "InvalidOptions/attempts": inEngine(
    Durable.waitForCondition("job-done", {
      initial: false,
      check: Effect.succeed,
      until: (done) => done,
      maxAttempts: 0
    })
  ),
  "InvalidOptions/race": inEngine(Durable.race("quickest", [])),
  InvalidPayload: inClient(
    Effect.gen(function* () {
      const client = yield* DurableClient.DurableClient
      const payload = JSON.stringify({ id: "o-1", cents: "12.50" })
      const { executionArn } = yield* client.start({ functionName: "fulfil:$LATEST", type: "RequestResponse", payload })
      return yield* DurableClient.poll({ contract: Fulfil, executionArn })
    })
  ),
  InvalidTarget: inEngine(Durable.invoke(Charge, order), { targets: { charge: "payments" } }),
  InvalidTenantId: inEngine(Durable.invoke(Charge, order, { tenantId: "größe" })),
  PayloadTooLarge: inEngine(Durable.step("rows", Effect.succeed("x".repeat(300_000)))),
  LimitExceeded: inInvocation(rows),
  "LimitExceeded/maxOperations": inInvocation(rows, { run: { maxOperations: 100 } }),
  "SerdesFailed/write": inEngine(Durable.step("ratio", Effect.succeed(Number.NaN))),
  "SerdesFailed/read": inInvocation(Durable.step("charge", Effect.succeed(order), { success: Order }), {
    event: eventOf([
      {
        Id: operationId("", "charge", 0),
        Name: "charge",
        Type: "STEP",
        SubType: "Step",
        StepDetails: { Result: JSON.stringify({ id: "o-1" }) }
      }
    ])
  }),
  NestedOperation: inEngine(Durable.step("charge", unchecked(delivery))),
  ContextEnded: inEngine(
    Effect.gen(function* () {
      const forked: Array<Fiber.Fiber<unknown>> = []
      const fork = Effect.forkDetach(delivery)
      yield* Durable.child(
        "parcel",
        Effect.tap(fork, (fiber) => Effect.sync(() => void forked.push(fiber))).pipe(Effect.asVoid)
      )
      return yield* Fiber.joinAll(forked)
    })
  ),
  Interrupted: inEngine(Effect.interrupt),
  InvalidConfiguration: inConfigured(ConfigProvider.fromEnv({ env: {} })),
  StoreRejected: inInvocation(charge, {
    store: {
      checkpoint: () =>
        Effect.fail(new CheckpointStore.StoreRefused({ message: "AccessDeniedException: not authorized" }))
    }
  })
}

const invocationErrors: Readonly<Record<string, Effect.Effect<Told>>> = {
  "InvocationFailed/stale-token": inEveryInvocation(
    new CheckpointStore.StaleCheckpointToken({ message: "InvalidParameterValueException: Invalid checkpoint token" })
  ),
  "InvocationFailed/store-unavailable": inEveryInvocation(
    new CheckpointStore.StoreUnavailable({ message: "TooManyRequestsException: Rate exceeded" })
  ),
  "InvocationFailed/deadline": inInvocation(
    Durable.step("report", Effect.andThen(TestClock.adjust("1 minute"), Effect.never)),
    { run: { deadline: 60_000 } }
  ).pipe(Effect.provide(TestClock.layer())),
  "InvocationFailed/interrupted": atSigterm,
  "InvocationFailed/disposed": afterDisposal,
  "InvocationFailed/configuration": inConfigured(
    ConfigProvider.make(() => Effect.fail(new ConfigProvider.SourceError({ message: "busy" })))
  ),
  "InvocationFailed/serdes": Effect.provide(inInvocation(charge), sleepyFormat(true)),
  "InvocationFailed/non-deterministic": inInvocation(delivery, {
    event: eventOf([{ Id: operationId("", "delivery", 0), Name: "delivery", Type: "STEP", SubType: "Step" }]),
    run: { onNonDeterminism: "retry" }
  }),
  "InvocationFailed/outside": inInvocation(
    Effect.promise(() => new Promise(() => {})),
    { run: { outsideLimit: 20 } }
  ),
  NotDurable: inHandler(order),
  MalformedEvent: inHandler({ ...eventOf([]), InitialExecutionState: { Operations: "none" } })
}

const testFailures: Readonly<Record<string, Effect.Effect<Told>>> = {
  "TestFailure/stuck": inEngine(Durable.step("charge", Effect.never), { options: { patience: "50 millis" } }),
  "TestFailure/failing": inRun(
    execute(charge, {
      store: () => ({
        checkpoint: () => Effect.fail(new CheckpointStore.StaleCheckpointToken({ message: "Invalid checkpoint token" }))
      })
    })
  ),
  "TestFailure/outside": inEngine(Effect.andThen(request, charge), { options: { strict: true } }),
  "TestFailure/memory": inEngine(
    Effect.gen(function* () {
      const tariff = yield* Ref.make(0)
      const lookUp = Durable.step("look-up", Effect.succeed(7))
      yield* Durable.child("tariffs", Effect.asVoid(Effect.flatMap(lookUp, (found) => Ref.set(tariff, found))))
      yield* Durable.step(`bill ${yield* Ref.get(tariff)}`, Effect.void)
    }),
    { options: { strict: true } }
  ),
  "TestFailure/elapsed": inClient(
    Effect.flatMap(TestEngine.start(Fulfil, order), (run) => TestEngine.expectElapsed(run, { atMost: "1 day" })),
    delivery
  ),
  "TestFailure/answer": approving(Reply.succeed(Number.NaN)),
  "TestFailure/error": approving(Reply.fail(cast<Error, never>(new RangeError("no stock")))),
  "TestFailure/closed": inClient(Effect.flatMap(TestEngine.start(Fulfil, order), (run) => run.callback("approval"))),
  "CallbackFailed/list": inEngine(
    Effect.forEach([1, 2], () => Durable.waitForCallback("approval", () => Effect.void)),
    { functions: [TestEngine.answer("approval", [Reply.succeed("yes")])] }
  ),
  "TestFailure/twice": inEngine(Effect.void, { functions: [TestEngine.stub(Fulfil, Reply.never)] }),
  "TestFailure/payload": inClient(TestEngine.start(Fulfil, cast<object, never>({}))),
  "InvokeFailed/stub": inEngine(Effect.andThen(Durable.invoke(Charge, order), Durable.invoke(Charge, order)), {
    functions: [TestEngine.stub(Charge, [Reply.succeed(undefined)])]
  })
}

const clientErrors: Readonly<Record<string, Effect.Effect<Told>>> = {
  ExecutionFailed: Effect.map(
    TestEngine.run(Fulfil).pipe(
      Effect.provide(TestEngine.layer([Fulfil.implement(() => Effect.die(new RangeError("no stock")))])),
      Effect.flip,
      Effect.orDie
    ),
    (error) => ({ tag: error._tag, message: error.message })
  ),
  ExecutionAlreadyStarted: inClient(
    Effect.andThen(
      DurableClient.start(Fulfil, order, { executionName: "order-1" }),
      DurableClient.start(Fulfil, { ...order, cents: 1 }, { executionName: "order-1" })
    )
  ),
  ClientRefused: inClient(DurableClient.start(Fulfil, order, { executionName: "order 1" })),
  NotFound: inRefusedClient(
    { name: "ResourceNotFoundException", message: "Function not found: fulfil:live", status: 404 },
    (client) => client.start({ functionName: "fulfil:live", type: "Event" })
  ),
  CallbackClosed: inRefusedClient(
    { name: "CallbackTimeoutException", message: "The callback is closed", status: 400 },
    (client) => client.heartbeatCallback("callback-1")
  ),
  ClientUnavailable: inRefusedClient(
    { name: "CredentialsProviderError", message: "Could not load credentials from any providers" },
    (client) => client.start({ functionName: "fulfil:live", type: "Event" })
  )
}

/** What an engine says that is given these options, and a folder of its own. */
const inLocalEngine = (
  options: (folder: string) => LocalEngine.Options,
  prepare: (folder: string) => Effect.Effect<unknown, unknown, Scope.Scope> = () => Effect.void
): Effect.Effect<Told> =>
  Effect.scoped(
    Effect.gen(function* () {
      const path = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-durable-docs-"))),
        (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
      )
      yield* Effect.orDie(prepare(path))
      const failure = Effect.flatMap(Layer.build(LocalEngine.layer({ port: 0, ...options(path) })), (services) => {
        const { failure: broken } = Context.get(services, LocalEngine.LocalEngine)
        const start = Context.get(services, DurableClient.DurableClient).start
        return Effect.andThen(
          Effect.exit(start({ functionName: "orders:1", payload: JSON.stringify("x".repeat(200_000)), type: "Event" })),
          broken
        )
      })
      const error = yield* Effect.orDie(Effect.flip(failure))
      return { tag: error._tag, message: error.message }
    })
  )

const orders = LocalEngine.command("orders", ["true"])

const localErrors: Readonly<Record<string, Effect.Effect<Told>>> = {
  "StorageError/foreign": inLocalEngine(
    (folder) => ({ functions: [], database: join(folder, "notes.txt") }),
    (folder) => Effect.sync(() => writeFileSync(join(folder, "notes.txt"), "Buy milk. ".repeat(200)))
  ),
  "StorageError/locked": inLocalEngine(
    (folder) => ({ functions: [], database: join(folder, "local.db") }),
    (folder) => Layer.build(LocalEngine.layer({ functions: [], database: join(folder, "local.db"), port: 0 }))
  ),
  "StorageError/full": inLocalEngine((folder) => ({
    functions: [orders],
    database: join(folder, "local.db"),
    maxDatabaseBytes: 150_000
  })),
  FunctionsError: inLocalEngine(() => ({ functions: [orders, orders], database: ":memory:" }))
}

export const messages: Readonly<Record<string, Effect.Effect<Told>>> = {
  ...operationErrors,
  ...mistakes,
  ...invocationErrors,
  ...testFailures,
  ...clientErrors,
  ...localErrors
}
