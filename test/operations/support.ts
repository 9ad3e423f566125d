/**
 * What the tests of operations share: run a small workflow on the test engine, look at every request it sends, and come
 * between it and the service.
 */
import { assert } from "@effect/vitest"
import { CheckpointStore, Durable, DurableClient, DurableFunction, type DurableError } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { cast } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { invoke } from "../../src/invocation/Invocation.ts"
import type { InvokeOptions } from "../../src/invocation/Invocation.ts"
import type { ErrorObject } from "../../src/wire/ErrorObject.ts"
import type { HistoryEvent } from "../../src/wire/HistoryEvent.ts"
import type { InvocationEvent } from "../../src/wire/Invocation.ts"
import type { Operation } from "../../src/wire/Operation.ts"
import type { OperationUpdate } from "../../src/wire/OperationUpdate.ts"

export type Store = CheckpointStore.CheckpointStore["Service"]
export type Client = DurableClient.DurableClient["Service"]

/** Everything there is to see of one execution. */
export interface Ran<A, E> {
  readonly result: Exit.Exit<unknown, unknown>
  /** How the body ended each time that it came to its end. */
  readonly exits: ReadonlyArray<Exit.Exit<A, E>>
  readonly operations: ReadonlyArray<Operation>
  readonly history: ReadonlyArray<HistoryEvent>
  /** Every checkpoint request, repetitions included. */
  readonly requests: ReadonlyArray<CheckpointStore.CheckpointRequest>
  readonly updates: ReadonlyArray<OperationUpdate>
  readonly invocations: number
  /** What was logged, each line with its level. */
  readonly logs: ReadonlyArray<string>
}

const Work = DurableFunction.make("work")

/** Runs a body as a workflow until its execution is over. */
export const execute = <A, E extends DurableError.OperationError>(
  body: Effect.Effect<A, E, Durable.Execution | DurableClient.DurableClient>,
  options: {
    readonly store?: (store: Store) => Partial<Store>
    readonly client?: (client: Client) => Partial<Client>
    readonly engine?: TestEngine.Options
    /** What the world serves besides. */
    readonly functions?: ReadonlyArray<DurableFunction.AnyImplementation<never>>
    /** What somebody outside does meanwhile. It sleeps in virtual time. */
    readonly outside?: (outside: Outside) => Effect.Effect<unknown, unknown>
  } = {}
): Effect.Effect<Ran<A, E>> => {
  const client = lateClient()
  const exits: Array<Exit.Exit<A, E>> = []
  const requests: Array<CheckpointStore.CheckpointRequest> = []
  const logs: Array<string> = []
  const logger = Logger.make<unknown, void>(({ logLevel, message }) => void logs.push(`${logLevel} ${String(message)}`))
  const work = Work.implement((): Effect.Effect<void, DurableError.OperationError, Durable.Execution> =>
    Effect.flatMap(Effect.exit(Effect.provide(body, client.layer)), (exit) => {
      exits.push(exit)
      return Effect.asVoid(exit)
    })
  )
  return Effect.gen(function* () {
    yield* client.connect(options.client)
    // The engine gives this very object to the workflows that it runs.
    const store = yield* CheckpointStore.CheckpointStore
    const { checkpoint, loadState } = { checkpoint: store.checkpoint, loadState: store.loadState }
    const inner: Store = { checkpoint, loadState }
    const outer: Store = { ...inner, ...options.store?.(inner) }
    Object.assign(store, {
      ...outer,
      checkpoint: (request: CheckpointStore.CheckpointRequest) =>
        Effect.suspend(() => {
          requests.push(request)
          return outer.checkpoint(request)
        })
    })
    const run = yield* TestEngine.start(Work, undefined, { executionName: "execution-1" })
    const outsider = yield* Effect.forkChild(yield* outsideOf(run, options.outside ?? (() => Effect.void)))
    const result = yield* Effect.exit(run.result)
    yield* Fiber.interrupt(outsider)
    const outsiders = yield* Fiber.await(outsider)
    if (Exit.isFailure(outsiders) && !Cause.hasInterruptsOnly(outsiders.cause)) {
      return yield* Effect.die(new Error(`The outsider failed: ${Cause.pretty(outsiders.cause)}`))
    }
    const history = yield* run.history
    return {
      result,
      exits,
      operations: yield* run.operations(),
      history,
      requests,
      updates: requests.flatMap((request) => request.Updates),
      invocations: history.filter((event) => event.EventType === "InvocationCompleted").length,
      logs
    }
  }).pipe(
    Effect.provide(
      Layer.provide(
        TestEngine.layer([work, ...(options.functions ?? [])], {
          invocationTimeout: Duration.infinity,
          ...options.engine
        }),
        Logger.layer([logger])
      )
    ),
    Effect.orDie
  )
}

/** The client of a world, for its own functions: they are made before the world is. */
export const lateClient = () => {
  let client: Client | undefined
  const now = <A, E>(use: (client: Client) => Effect.Effect<A, E>) =>
    Effect.suspend(() => (client === undefined ? Effect.die("there is no world yet") : use(client)))
  const late: Client = {
    start: (request) => now((known) => known.start(request)),
    get: (...args) => now((known) => known.get(...args)),
    list: (...args) => now((known) => known.list(...args)),
    history: (...args) => now((known) => known.history(...args)),
    stop: (...args) => now((known) => known.stop(...args)),
    succeedCallback: (...args) => now((known) => known.succeedCallback(...args)),
    failCallback: (...args) => now((known) => known.failCallback(...args)),
    heartbeatCallback: (...args) => now((known) => known.heartbeatCallback(...args))
  }
  return {
    layer: Layer.succeed(DurableClient.DurableClient, late),
    connect: (change: (client: Client) => Partial<Client> = () => ({})) =>
      Effect.map(DurableClient.DurableClient, (known) => {
        client = { ...known, ...change(known) }
      })
  }
}

/** Somebody outside of an execution. */
export interface Outside {
  readonly client: DurableClient.DurableClient["Service"]
  readonly stop: Effect.Effect<unknown, unknown>
  /** The id of an open callback, as soon as there is one of that name. */
  readonly callback: (name: string) => Effect.Effect<string>
  /** Completes a callback of a name after a time, counted from now. */
  readonly succeed: (name: string, after: Duration.Input, text?: string) => Effect.Effect<void, unknown>
  readonly fail: (name: string, after: Duration.Input, error?: ErrorObject) => Effect.Effect<void, unknown>
  readonly heartbeat: (name: string, after: Duration.Input) => Effect.Effect<void, unknown>
}

const outsideOf = Effect.fnUntraced(function* (
  run: TestEngine.TestRun<typeof Work>,
  act: (outside: Outside) => Effect.Effect<unknown, unknown>
): Effect.fn.Return<Effect.Effect<unknown, unknown>, never, TestEngine.TestEngine | DurableClient.DurableClient> {
  const { world } = yield* TestEngine.TestEngine
  const client = yield* DurableClient.DurableClient
  const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
  const callback = (name: string): Effect.Effect<string> =>
    Effect.flatMap(run.operations({ type: "CALLBACK", name }), (operations) => {
      const id = operations.find(({ Status }) => Status === "STARTED")?.CallbackDetails?.CallbackId
      return id === undefined ? Effect.andThen(turn, callback(name)) : Effect.succeed(id)
    })
  const after = (name: string, delay: Duration.Input): Effect.Effect<string> =>
    Effect.andThen(Effect.sleep(delay), callback(name))
  return act({
    client,
    stop: run.stop(),
    callback,
    succeed: (name, delay, text) => Effect.flatMap(after(name, delay), (id) => client.succeedCallback(id, text)),
    fail: (name, delay, error) => Effect.flatMap(after(name, delay), (id) => client.failCallback(id, error)),
    heartbeat: (name, delay) => Effect.flatMap(after(name, delay), (id) => client.heartbeatCallback(id))
  }).pipe(Effect.provideService(Clock.Clock, world.clock))
})

/** The code of the first invocation, and that of all later ones. */
export const deployed = <A, E, B, E2>(
  before: Effect.Effect<A, E, Durable.Execution>,
  after: Effect.Effect<B, E2, Durable.Execution>
): Effect.Effect<A | B, E | E2, Durable.Execution> => {
  let invocations = 0
  return Effect.suspend((): Effect.Effect<A | B, E | E2, Durable.Execution> => (++invocations === 1 ? before : after))
}

/** The value that a body ended with the last time. */
export const valueOf = <A, E>(ran: Ran<A, E>): A => {
  const exit = ran.exits.at(-1)
  if (exit === undefined || Exit.isFailure(exit)) {
    const why = Exit.isFailure(ran.result) ? Cause.pretty(ran.result.cause) : "the body did not end"
    throw new Error(`The body has no value: ${exit === undefined ? why : Cause.pretty(exit.cause)}`)
  }
  return exit.value
}

/** The error object with which an execution failed. */
export const failureOf = (ran: Pick<Ran<unknown, unknown>, "result">): TestEngine.ExecutionFailed => {
  const error = Exit.isFailure(ran.result) ? ran.result.cause.reasons.find(Cause.isFailReason)?.error : undefined
  if (!(error instanceof TestEngine.ExecutionFailed)) {
    const found = Exit.isFailure(ran.result) ? Cause.pretty(ran.result.cause) : "success"
    throw new Error(`Expected the execution to fail, found ${found}`)
  }
  return error
}

export const assertSucceeded = (ran: Pick<Ran<unknown, unknown>, "result">): void => {
  assert.isTrue(Exit.isSuccess(ran.result), Exit.isFailure(ran.result) ? Cause.pretty(ran.result.cause) : "")
}

/** The defect of an exit. */
export const defectOf = (exit: Exit.Exit<unknown, unknown> | undefined): unknown => {
  const reason = exit !== undefined && Exit.isFailure(exit) ? exit.cause.reasons.find(Cause.isDieReason) : undefined
  if (reason === undefined) throw new Error(`Expected a defect, found ${String(exit)}`)
  return reason.defect
}

/** The typed error of an exit. */
export const errorOf = <E>(exit: Exit.Exit<unknown, E> | undefined): E => {
  const reason = exit !== undefined && Exit.isFailure(exit) ? exit.cause.reasons.find(Cause.isFailReason) : undefined
  if (reason === undefined) throw new Error(`Expected a typed error, found ${String(exit)}`)
  return reason.error
}

/** A journal of a few operations that all succeeded, as an invocation finds it. */
export const eventOf = (
  operations: ReadonlyArray<Partial<Operation> & Pick<Operation, "Id" | "Type">>
): InvocationEvent => ({
  DurableExecutionArn: "arn:aws:lambda:eu-west-1:123456789012:function:work:1/durable-execution/execution-1/run-1",
  CheckpointToken: "token-0",
  InitialExecutionState: {
    Operations: [
      { Id: "run-1", Type: "EXECUTION", Status: "STARTED", StartTimestamp: 0, ExecutionDetails: {} },
      ...operations.map((operation) => ({ Status: "SUCCEEDED", StartTimestamp: 0, EndTimestamp: 0, ...operation }))
    ]
  }
})

/** One invocation over a hand-made history and a hand-made store. Without `checkpoint` the store accepts everything. */
export const invokeOnce = <A, E extends DurableError.OperationError>(
  body: Effect.Effect<A, E, Durable.Execution>,
  options: {
    readonly event?: InvocationEvent
    readonly run?: Partial<InvokeOptions>
    readonly store?: Partial<Store>
  } = {}
) =>
  Effect.gen(function* () {
    const requests: Array<CheckpointStore.CheckpointRequest> = []
    const accept: Store = {
      // The clock of a test stands still, so no millisecond could be waited for.
      ordered: true,
      checkpoint: () =>
        Effect.succeed({ CheckpointToken: `token-${requests.length}`, NewExecutionState: { Operations: [] } }),
      loadState: () => Effect.succeed({ Operations: [] }),
      ...options.store
    }
    const store: Store = {
      ...accept,
      checkpoint: (request) =>
        Effect.suspend(() => {
          requests.push(request)
          return accept.checkpoint(request)
        })
    }
    const exit = yield* Effect.exit(
      invoke(
        Work.implement((): Effect.Effect<void, DurableError.OperationError, Durable.Execution> => Effect.asVoid(body)),
        options.event ?? eventOf([]),
        options.run
      ).pipe(Effect.provideService(CheckpointStore.CheckpointStore, store))
    )
    return {
      answer: Exit.isSuccess(exit) ? exit.value.answer : undefined,
      failure: Exit.isFailure(exit) ? errorOf(exit) : undefined,
      requests,
      updates: requests.flatMap((request) => request.Updates)
    }
  })

/** Updates in short: what happened to whom. */
export const actions = (updates: ReadonlyArray<OperationUpdate>): ReadonlyArray<string> =>
  updates.map((update) => `${update.Action} ${update.Name ?? update.Type}`)

/** The process dies at a request: before the service has it, or after, when only its answer is lost. */
export const crashAt =
  (which: (request: CheckpointStore.CheckpointRequest) => boolean, when: "before" | "after") =>
  (store: Store): Partial<Store> => {
    let crashed = false
    const lost = new CheckpointStore.StaleCheckpointToken({ message: "The process of this invocation is gone." })
    return {
      checkpoint: (request) => {
        if (crashed || !which(request)) return store.checkpoint(request)
        crashed = true
        return when === "before" ? Effect.fail(lost) : Effect.andThen(store.checkpoint(request), Effect.fail(lost))
      }
    }
  }

/** Whether a request holds an update of an operation. */
export const holds =
  (action: string, name: string) =>
  (request: CheckpointStore.CheckpointRequest): boolean =>
    request.Updates.some((update) => update.Action === action && update.Name === name)

/** Two fibers, each of which goes on after a promise: nothing recorded says which of them comes first. */
export const besidePromise = <A, E, R, B, E2, R2>(
  first: Effect.Effect<A, E, R>,
  second: Effect.Effect<B, E2, R2>
): Effect.Effect<[A, B], E | E2, R | R2> =>
  Effect.all([Effect.andThen(promise, first), Effect.andThen(promise, second)], { concurrency: "unbounded" })

const promise = Effect.promise(() => Promise.resolve())

/** Gets an effect past the compiler, as callers do who have none. */
export const unchecked = <A = string>(effect: Effect.Effect<unknown, unknown, unknown>): Effect.Effect<A> =>
  cast(effect)

interface Twice<A, E> {
  /** How it ended live, and on the replay after it. */
  readonly ends: ReadonlyArray<Exit.Exit<A, E>>
  /** How it ended in every invocation that came so far. */
  readonly everyEnd: ReadonlyArray<Exit.Exit<A, E>>
  readonly ran: Ran<unknown, never>
}

/** How an operation ends live, and how it ends on the replay after it. */
export const twice = <A, E>(
  operation: Effect.Effect<A, E, Durable.Execution>,
  outside: (outside: Outside) => Effect.Effect<unknown, unknown> = () => Effect.void,
  store: (store: Store) => Partial<Store> = () => ({})
): Effect.Effect<Twice<A, E>> => {
  const ends: Array<Exit.Exit<A, E>> = []
  return Effect.map(
    execute(
      Effect.gen(function* () {
        ends.push(yield* Effect.exit(operation))
        yield* Durable.wait("replay", "1 second")
      }),
      { outside, store }
    ),
    (ran) => ({ ends: ends.slice(-2), everyEnd: ends, ran })
  )
}
