/**
 * The service in memory, with virtual time: the backend for tests.
 *
 * {@link layer} serves functions and stubs and provides the ports of the library; {@link start} and {@link run} start
 * an execution. Durable time costs no real time: waits, retries and time-outs pass at once, in their order, and a test
 * never moves a clock.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type { Scope } from "effect/Scope"
import { CheckpointStore } from "../CheckpointStore.ts"
import * as DurableFunction from "../DurableFunction.ts"
import { DurableClient, readOutcome, type ClientError, type ExecutionFailed } from "../DurableClient.ts"
import type { OperationError } from "../DurableError.ts"
import * as Engine from "../engine/Service.ts"
import type { Execution } from "../execution/Parts.ts"
import { fromEngine } from "../hosting/client.ts"
import { infoOf } from "../hosting/plain.ts"
import { readMillis } from "../internal/durations.ts"
import { kindOf } from "../internal/found.ts"
import { optionsOf, withinExecution, withinInvocation } from "../internal/options.ts"
import type { RecordServices } from "../Plain.ts"
import { Serdes, type Format } from "../Serdes.ts"
import * as Targets from "../Targets.ts"
import { ofPayload } from "../values/Values.ts"
import type { ExecutionStatus } from "../wire/Api.ts"
import { parseFunctionAddress } from "../wire/Constraints.ts"
import type { ErrorObject } from "../wire/ErrorObject.ts"
import type { HistoryEvent } from "../wire/HistoryEvent.ts"
import * as Limits from "../wire/Limits.ts"
import type { Operation, OperationType } from "../wire/Operation.ts"
import {
  handleOf,
  isAnswer,
  type Answer,
  type CallbackFailure,
  type CallbackHandle,
  type CallbackSchemas,
  type CallbackValue
} from "./Answer.ts"
import { crashes, reportMissed, type Crash } from "./Crash.ts"
import { millisBetween, misfit, type ExpectedDuration } from "./elapsed.ts"
import { exploreWith, type Exploration, type Schedule, type Tries } from "./Explore.ts"
import type * as Faults from "./Faults.ts"
import { checkParts, type Part } from "./Part.ts"
import { isStepFault } from "./StepFault.ts"
import {
  lookAt,
  type OperationFailure,
  type OperationSchemas,
  type OperationValue,
  type TestOperation
} from "./Operations.ts"
import { isStub, servePlain, serveStub, type Stub } from "./Stub.ts"
import { TestFailure } from "./TestFailure.ts"
import { write } from "../hosting/values.ts"
import { Watch } from "./Watch.ts"
import type { Served } from "./Served.ts"
import { World, type WorldOptions } from "./World.ts"

export { ExecutionFailed } from "../DurableClient.ts"
export { answer } from "./Answer.ts"
export type { Answer, CallbackFailure, CallbackHandle, CallbackSchemas, CallbackValue, OpenCallback } from "./Answer.ts"
export type { Crash, Side } from "./Crash.ts"
export type { ExpectedDuration } from "./elapsed.ts"
export type { EndStatus, Exploration, Tries } from "./Explore.ts"
export type { OperationFailure, OperationSchemas, OperationValue, TestOperation } from "./Operations.ts"
export { failFirst } from "./StepFault.ts"
export type { StepFault } from "./StepFault.ts"
export { stub } from "./Stub.ts"
export type { Call, Stub } from "./Stub.ts"
export { TestFailure } from "./TestFailure.ts"

/**
 * The filter for listing operations of an execution.
 *
 * @category models
 * @since 0.1.0
 */
export interface OperationFilter {
  readonly type?: OperationType | undefined
  readonly name?: string | undefined
}

interface NoSchemas {
  readonly success?: never
  readonly error?: never
}

/**
 * An execution of a contract that was started on the test engine.
 *
 * @category models
 * @since 0.1.0
 */
export interface TestRun<C extends DurableFunction.AnyDurable> {
  readonly executionArn: string
  /**
   * Waits for the end of the execution, or of the last execution after hand-overs with `Durable.continueWith`. All
   * other members are about this execution alone. Dies with a {@link TestFailure} if nothing happens for the `patience`
   * of the layer.
   */
  readonly result: Effect.Effect<
    DurableFunction.Success<C>,
    DurableFunction.Error<C> | OperationError | ExecutionFailed,
    DurableFunction.CallerServices<C>
  >
  readonly status: Effect.Effect<ExecutionStatus>
  /** The operations so far, in start order, without the execution itself. */
  readonly operations: (filter?: OperationFilter) => Effect.Effect<ReadonlyArray<Operation>>
  /**
   * Returns the operation of a name, or of a path such as `"batch/item/charge"`: the first that was started, or another
   * `occurrence`.
   *
   * Pass the declaration of its outcome, which defines its type: the contract of an invoke, or the Schemas of a step or
   * child. Dies with a {@link TestFailure} that lists the operations if there is no such operation, or if its result
   * does not fit the declaration.
   */
  readonly operation: <const O extends OperationSchemas = NoSchemas>(
    name: string,
    schemas?: O,
    occurrence?: number
  ) => Effect.Effect<TestOperation<OperationValue<O>, OperationFailure<O>>, never, RecordServices<readonly [O]>>
  /** The events so far, in the form of the service. Times are milliseconds of virtual time. */
  readonly history: Effect.Effect<ReadonlyArray<HistoryEvent>>
  /** Virtual time from the start of the execution to its end, or until now. */
  readonly elapsed: Effect.Effect<Duration.Duration>
  /**
   * Waits until the execution has an open callback of this name, and returns a handle to answer it by hand: the oldest one,
   * if there are several. The callback of a `Durable.waitForCallback` is available once its submitter has succeeded.
   *
   * Pass the Schemas of the callback; without them a text is sent unchanged, other plain data as JSON, and an error as an
   * error object. Time passes by itself when nothing else happens, so answer a callback with a time-out at once; for later
   * answers use {@link answer}. Dies with a {@link TestFailure} when the execution ends without the callback.
   */
  readonly callback: <const O extends CallbackSchemas = NoSchemas>(
    name: string,
    schemas?: O
  ) => Effect.Effect<CallbackHandle<CallbackValue<O>, CallbackFailure<O>>, never, RecordServices<readonly [O]>>
  /** Stops the execution for good, without running any of its code. */
  readonly stop: (error?: ErrorObject) => Effect.Effect<void, ClientError>
}

/**
 * The options for starting an execution.
 *
 * @category models
 * @since 0.1.0
 */
export interface StartOptions {
  /**
   * A name of 1 to 64 letters, digits, `-` and `_`. Default: the `idempotencyKey` of the contract, or else a name that the
   * service generates.
   */
  readonly executionName?: string | undefined
}

/**
 * The options of the test engine.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The start of virtual time, in milliseconds since the epoch. Default: 2026-01-01T00:00:00Z. */
  readonly startTime?: number | undefined
  /** The seed of the jitter of retries, and of `Random` in steps and stubs. Default: 1. */
  readonly seed?: number | string | undefined
  /** The time-out of every execution in virtual time, up to 366 days, rounded up to whole seconds. Default: none. */
  readonly executionTimeout?: Duration.Input | undefined
  /**
   * Virtual time after which one invocation is cut off, as by the time-out of a Lambda function: set it to that of your
   * function; `Duration.infinity` means no time-out. Default: 15 minutes, the maximum of Lambda.
   */
  readonly invocationTimeout?: Duration.Input | undefined
  /** Number of operations on one page of state, from 1 to 1,000. Default: as many as fit. */
  readonly pageItems?: number | undefined
  /**
   * Real time without any event after which a test that waits for a result fails with a report: a duration of at least 1
   * millisecond. Default: 4.5 s, a little less than the time-out of a vitest test.
   */
  readonly patience?: Duration.Input | undefined
  /**
   * Real time for which work outside of steps, such as a promise, may keep an invocation alive when everything else in
   * the workflow waits: a duration from 0 to 15 minutes. Default: 10 seconds, as in production.
   */
  readonly outsideLimit?: Duration.Input | undefined
  /**
   * Whether unrecorded behaviour fails the test: a promise or a timer outside of a step, which happens again on every
   * replay, possibly with another result; and changes that a recorded block makes to memory outside of it, which a
   * replay over the records at the end of each invocation detects. Default: false; a promise is then only logged, as in
   * production.
   */
  readonly strict?: boolean | undefined
  /**
   * The points at which invocations are killed, such as `"after:3"` or `{ before: "charge" }`; several crashes are a list.
   * {@link explore} prints the crash that shows a fault in this form. A test in which a crash does not happen fails when its
   * layer is released.
   */
  readonly crash?: Crash | ReadonlyArray<Crash> | undefined
  /**
   * The order of events that are due at the same time: for each such moment, the index of the event that comes first, a
   * whole number from 0. {@link explore} prints this list. Default: the order in which the events were requested.
   */
  readonly order?: ReadonlyArray<number> | undefined
  /**
   * Further faults of requests and invocations, as a seed decides. {@link explore} crashes the workflow under these faults.
   */
  readonly faults?: Faults.EngineOptions | undefined
}

/** The options that each world of a layer has for itself. */
type OwnOptions = Pick<WorldOptions, "crashes" | "onAttempt" | "order">

interface TestEngineService {
  /** @internal */
  readonly world: World
  /** @internal */
  readonly patience: number
  /**
   * Creates another world of the same functions.
   *
   * @internal
   */
  readonly another: (options: OwnOptions) => Effect.Effect<World>
}

/**
 * The world that {@link layer} creates; {@link start} and {@link run} require it.
 *
 * @category services
 * @since 0.1.0
 */
export class TestEngine extends Context.Service<TestEngine, TestEngineService>()("effect-durable/testing/TestEngine") {}

/** The required services of the functions. The world provides a client itself. */
type ServicesOf<F> = F extends { readonly handler: (...args: never) => Effect.Effect<unknown, unknown, infer R> }
  ? Exclude<R, Execution | Scope | DurableClient>
  : F extends Stub<infer R> | Answer<infer R>
    ? Exclude<R, DurableClient>
    : never

/**
 * Serves functions, and provides `CheckpointStore`, `DurableClient` and the {@link TestEngine} itself.
 *
 * A function is an implementation of a contract, or a {@link stub} of one. The list may also hold external events: an {@link
 * answer} to callbacks, and with {@link failFirst} failing attempts of steps. The layer requires the services of all of
 * these, except `DurableClient`, which the world provides. Each layer is a world of its own, so tests may run concurrently.
 *
 * @example
 * ```ts
 * import { Durable, DurableFunction } from "effect-durable"
 * import { TestEngine } from "effect-durable/testing"
 * import * as Effect from "effect/Effect"
 *
 * const Ship = DurableFunction.plain("ship")
 * const Fulfil = DurableFunction.make("fulfil")
 *
 * const fulfil = Fulfil.implement(() => Effect.orDie(Durable.invoke(Ship)))
 * const ship = TestEngine.stub(Ship, () => Effect.log("on its way"))
 *
 * export const World = TestEngine.layer([fulfil, ship], { executionTimeout: "30 days" })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <const F extends ReadonlyArray<Part>>(
  parts: F,
  options: Options = {}
): Layer.Layer<TestEngine | CheckpointStore | DurableClient, never, ServicesOf<F[number]>> =>
  Layer.effectContext(
    Effect.gen(function* () {
      yield* checkParts(parts)
      // The functions' own services are among these: the type of the layer requires them.
      const context = yield* Effect.context<ServicesOf<F[number]>>()
      const make = Effect.fnUntraced(function* (own: OwnOptions) {
        const random = yield* Effect.service(Random.Random).pipe(Random.withSeed(options.seed ?? 1))
        const services = Context.add(context as Context.Context<never>, Random.Random, random)
        return new World({
          functions: yield* Effect.provideContext(serve(functionsAmong(parts)), services),
          answers: parts.filter(isAnswer),
          faults: parts.filter(isStepFault),
          services,
          options: { ...worldOptions(options), ...own }
        })
      })
      const world = yield* make({ crashes: crashes(options.crash), order: options.order ?? [] })
      // The world is disposed of first: finalizers run in reverse order.
      yield* reportMissed(
        world.crashes,
        "Run an execution on this engine, with TestEngine.run or a client. TestEngine.explore has engines and crashes of its own: give its layer no crash."
      )
      yield* Effect.addFinalizer(() => world.dispose)
      const patience = read.millis("patience", options.patience, positive, 4_500)
      return Context.make(TestEngine, { world, patience, another: make }).pipe(
        Context.add(CheckpointStore, world.store),
        Context.add(DurableClient, world.client)
      )
    })
  )

const read = optionsOf("TestEngine.layer")
const positive = { atLeast: 1, atMost: Infinity, said: "of at least 1 millisecond" }
const milliseconds = { atLeast: 0, atMost: 8_640_000_000_000_000 } // the range of a Date

const worldOptions = (options: Options): Omit<WorldOptions, keyof OwnOptions> => {
  const executionTimeout = read.millis("executionTimeout", options.executionTimeout, withinExecution, undefined)
  const pageItems = read.count("pageItems", options.pageItems, { atLeast: 1, atMost: Limits.maxPageItems }, undefined)
  return {
    startTime: read.count("startTime", options.startTime, milliseconds, Date.UTC(2026, 0, 1), "milliseconds"),
    quietTurns: 5,
    outsideLimit: read.millis("outsideLimit", options.outsideLimit, withinInvocation, 10_000),
    strict: options.strict ?? false,
    invocationTimeout: read.millis("invocationTimeout", options.invocationTimeout, positive, 900_000),
    executionTimeout: executionTimeout === undefined ? undefined : Math.ceil(executionTimeout / 1_000),
    engine: pageItems === undefined ? {} : { pageItems },
    faults: options.faults ?? {}
  }
}

type Servable = DurableFunction.AnyImplementation | Stub<unknown>

const functionsAmong = (parts: ReadonlyArray<Part>): ReadonlyArray<Servable> =>
  parts.flatMap((part) => (isAnswer(part) || isStepFault(part) ? [] : [part]))

/** Registers the functions under all of their names: that of the contract, and that in the address of the call. */
const serve = Effect.fnUntraced(function* (functions: ReadonlyArray<Servable>) {
  const served = new Map<string, Served>()
  for (const entry of functions) {
    const { contract } = entry
    const one = isStub(entry)
      ? serveStub(entry)
      : contract.kind === "plain"
        ? servePlain(entry)
        : ({ _tag: "Workflow", implementation: entry } as const)
    const target = yield* Effect.option(Targets.resolve(contract))
    const address = Option.isSome(target) ? parseFunctionAddress(target.value.address)?.name : undefined
    for (const name of new Set([contract.name, address ?? contract.name])) {
      if (served.has(name))
        return yield* Effect.die(new TestFailure({ message: `TestEngine.layer serves "${name}" twice.` }))
      served.set(name, one)
    }
  }
  return served
})

/**
 * Starts an execution of a contract that the layer serves, and returns a handle to it.
 *
 * The `executionName` makes the start idempotent, as with the real service: the same name and payload lead to the same execution.
 * **Errors**: `ClientError`, for instance when the name belongs to an execution with another payload.
 *
 * @example
 * ```ts
 * import { Durable, DurableFunction } from "effect-durable"
 * import { TestEngine } from "effect-durable/testing"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 *
 * const Nap = DurableFunction.make("nap", { success: Schema.String })
 * const nap = Nap.implement(() => Effect.as(Durable.wait("sleep", "8 hours"), "rested"))
 *
 * export const test = Effect.gen(function*() {
 *   const run = yield* TestEngine.start(Nap)
 *   return yield* run.result
 * }).pipe(Effect.provide(TestEngine.layer([nap])))
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const start = <C extends DurableFunction.AnyDurable>(
  contract: C,
  ...[payload, options]: DurableFunction.PayloadAndOptions<C, StartOptions>
): Effect.Effect<TestRun<C>, ClientError, TestEngine | DurableFunction.CallerServices<C>> =>
  Effect.gen(function* () {
    const { patience, world } = yield* TestEngine
    const format = yield* Serdes
    const executionArn = yield* startIn(world, contract, payload, options)
    return makeRun(contract, format, world, patience, executionArn)
  })

/** Starts an execution in a world, and returns its ARN. */
const startIn = Effect.fnUntraced(function* (
  world: World,
  contract: DurableFunction.AnyDurable,
  payload: unknown,
  options: StartOptions | undefined
) {
  if (!DurableFunction.isDurableFunction(contract)) {
    return yield* Effect.die(
      new TestFailure({
        message: `Expected the contract of an execution, which is what DurableFunction.make returns, found ${kindOf(contract)}. Pass the contract, not its name or its code.`
      })
    )
  }
  const text = yield* Effect.catch(write(ofPayload(contract), payload, infoOf(contract, "payload")), ({ message }) =>
    Effect.die(new TestFailure({ message: `The payload for "${contract.name}" does not fit its contract: ${message}` }))
  )
  const executionName = options?.executionName ?? contract.idempotencyKey?.(cast<unknown, never>(payload))
  const started = yield* fromEngine(
    world.command(Engine.startExecution, {
      functionName: contract.name,
      qualifier: "$LATEST",
      ...(text === undefined ? undefined : { payload: text }),
      ...(executionName === undefined ? undefined : { executionName })
    })
  )
  return started.executionArn
})

/**
 * Starts an execution and waits for its result: {@link start} and `result` in one.
 *
 * **Errors**: the contract's; the operation errors of the library; `ExecutionFailed` for any other end; `ClientError` when
 * the execution cannot be started. **Defects**: `TestFailure`.
 *
 * @example
 * ```ts
 * import { Durable, DurableFunction } from "effect-durable"
 * import { TestEngine } from "effect-durable/testing"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 *
 * const Nap = DurableFunction.make("nap", { success: Schema.String })
 * const nap = Nap.implement(() => Effect.as(Durable.wait("sleep", "8 hours"), "rested"))
 *
 * export const rested = await Effect.runPromise(TestEngine.run(Nap).pipe(Effect.provide(TestEngine.layer([nap]))))
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const run = <C extends DurableFunction.AnyDurable>(
  contract: C,
  ...args: DurableFunction.PayloadAndOptions<C, StartOptions>
): Effect.Effect<
  DurableFunction.Success<C>,
  RunError<DurableFunction.Error<C>>,
  TestEngine | DurableFunction.CallerServices<C>
> => Effect.flatMap(start(contract, ...args), (started) => started.result)

/**
 * The options of an exploration.
 *
 * @category models
 * @since 0.1.0
 */
export interface ExploreOptions extends Tries {
  /**
   * A layer of the test engine that is built again for each run, in place of the layer of the test. Use it for
   * functions and stubs whose services keep state from one run to the next. Default: the layer of the test, whose
   * services all runs share.
   */
  readonly world?: Layer.Layer<TestEngine, unknown> | undefined
}

/**
 * Runs an execution once, and then again for every checkpoint of every participating function: killed before it and after
 * it, with the answer lost, and with its event delivered twice. Each run has a world of its own, with the functions, answers
 * and faults of the layer; their services are shared, unless the option `world` provides a layer to build again.
 *
 * Succeeds with a summary if every run ends as the first one: with the same outcome, and the same operations with the same
 * outcomes. The execution has to end; it may fail, and the `status` of the summary says so. The body of a step may begin
 * once more if its outcome was not recorded, but not if it was. No fiber may remain. Otherwise it dies with a
 * {@link TestFailure} that reports the difference, the checkpoint, and how to reproduce it with the option `crash` of
 * {@link layer}.
 *
 * **Errors**: `ClientError` when the execution cannot be started. **Defects**: `TestFailure`.
 *
 * @example
 * ```ts
 * import { Durable, DurableFunction } from "effect-durable"
 * import { TestEngine } from "effect-durable/testing"
 * import * as Effect from "effect/Effect"
 *
 * const Order = DurableFunction.make("order")
 * const order = Order.implement(() =>
 *   Effect.gen(function*() {
 *     yield* Durable.step("charge", Effect.void)
 *     yield* Durable.wait("a day", "1 day")
 *     yield* Durable.step("ship", Effect.void)
 *   })
 * )
 *
 * export const explored = await Effect.runPromise(
 *   TestEngine.explore(Order, undefined, { mayRepeat: ["charge", "ship"] }).pipe(Effect.provide(TestEngine.layer([order])))
 * )
 * console.log(explored.checkpoints)
 * ```
 *
 * @category checks
 * @since 0.1.0
 */
export const explore = <C extends DurableFunction.AnyDurable>(
  contract: C,
  ...[payload, options]: DurableFunction.PayloadAndOptions<C, ExploreOptions>
): Effect.Effect<Exploration, ClientError, TestEngine | DurableFunction.CallerServices<C>> =>
  Effect.gen(function* () {
    const ambient = yield* TestEngine
    const run = Effect.fnUntraced(function* ({ order, points: crashes }: Schedule) {
      const built =
        options?.world === undefined ? undefined : yield* Layer.build(Layer.fresh(Layer.orDie(options.world)))
      const { another, patience } = built === undefined ? ambient : Context.get(built, TestEngine)
      const watch = new Watch()
      const world = yield* another({ crashes, order, onAttempt: watch.onAttempt })
      watch.world = world
      const executionArn = yield* startIn(world, contract, payload, { executionName: options?.executionName })
      const seen = yield* watch.seen(executionArn, patience)
      yield* world.dispose
      return seen
    })
    return yield* exploreWith((schedule) => Effect.scoped(run(schedule)), options ?? {})
  })

/**
 * The errors of a {@link run}: those of the contract, the operation errors of the library, `ExecutionFailed` for any other
 * end, and those of an execution that cannot be started.
 *
 * @category errors
 * @since 0.1.0
 */
export type RunError<E> = E | OperationError | ExecutionFailed | ClientError

const makeRun = <C extends DurableFunction.AnyDurable>(
  contract: C,
  format: Format,
  world: World,
  patience: number,
  executionArn: string
): TestRun<C> => {
  const execution = (): Engine.Execution => {
    const found = world.execution(executionArn)
    if (found === undefined) throw new Error(`There is no execution ${executionArn}.`)
    return found
  }
  return {
    executionArn,
    result: cast(
      Effect.flatMap(world.ended(executionArn, patience), (last) =>
        Effect.provideService(readOutcome(contract, last.execution.identity.arn, last.outcome), Serdes, format)
      )
    ),
    status: Effect.sync(() => execution().outcome?.status ?? "RUNNING"),
    operations: (filter = {}) =>
      Effect.sync(() =>
        world
          .operations(executionArn)
          .filter(
            (operation) =>
              operation.Type !== "EXECUTION" &&
              (filter.type === undefined || operation.Type === filter.type) &&
              (filter.name === undefined || operation.Name === filter.name)
          )
      ),
    operation: (name, schemas, occurrence = 1) =>
      cast(
        Effect.suspend(() =>
          lookAt(executionArn, world.operations(executionArn), name, schemas ?? {}, occurrence)
        ).pipe(Effect.provideService(Serdes, format))
      ),
    history: Effect.sync(() => world.history(executionArn)),
    elapsed: Effect.sync(() => {
      const { identity, outcome } = execution()
      return Duration.millis(
        millisBetween(identity.startTimestamp, outcome?.endTimestamp ?? world.clock.currentTimeMillisUnsafe())
      )
    }),
    callback: (name, schemas) => cast(callbackOf(world, executionArn, patience, name, schemas ?? {})),
    stop: (error) =>
      Effect.suspend(() =>
        Effect.asVoid(
          fromEngine(
            world.command(Engine.stopExecution, { executionArn, ...(error === undefined ? undefined : { error }) })
          )
        )
      )
  }
}

/** Waits for an open callback, and returns a handle with the services of the calling fiber. */
const callbackOf = (
  world: World,
  executionArn: string,
  patience: number,
  name: string,
  schemas: CallbackSchemas
): Effect.Effect<CallbackHandle<unknown, unknown>> =>
  Effect.contextWith((services: Context.Context<never>) =>
    Effect.map(world.openCallback(executionArn, name, patience), (callbackId) =>
      handleOf(world.client, { name, callbackId }, schemas, services)
    )
  )

/**
 * Waits until an execution has ended, in any way, and checks how long it took in virtual time: exactly a duration, or `{
 * atLeast, atMost }`.
 *
 * Dies with a {@link TestFailure} that names the longest operations if the time differs, or if nothing happens for the
 * `patience` of the layer.
 *
 * @example
 * ```ts
 * import { Durable, DurableFunction } from "effect-durable"
 * import { TestEngine } from "effect-durable/testing"
 * import * as Effect from "effect/Effect"
 *
 * const Nap = DurableFunction.make("nap")
 * const nap = Nap.implement(() => Durable.wait("sleep", "8 hours"))
 *
 * export const test = Effect.gen(function*() {
 *   const run = yield* TestEngine.start(Nap)
 *   yield* TestEngine.expectElapsed(run, "8 hours")
 *   yield* TestEngine.expectElapsed(run, { atMost: "1 day" })
 * }).pipe(Effect.provide(TestEngine.layer([nap])))
 * ```
 *
 * @category checks
 * @since 0.1.0
 */
export const expectElapsed = (
  run: Pick<TestRun<DurableFunction.AnyDurable>, "executionArn">,
  expected: ExpectedDuration
): Effect.Effect<void, never, TestEngine> =>
  Effect.gen(function* () {
    const { patience, world } = yield* TestEngine
    const { execution, outcome } = yield* world.closed(run.executionArn, patience)
    const { name, startTimestamp: start } = execution.identity
    const operations = world.operations(run.executionArn)
    const message = misfit({ name, start, outcome, operations }, expected)
    if (message !== undefined) return yield* Effect.die(new TestFailure({ message }))
  })

/**
 * Sleeps for a duration of virtual time, for a test that acts in the middle of an execution. Time passes by itself: this
 * does not move the clock.
 *
 * @example
 * ```ts
 * import { Durable, DurableFunction } from "effect-durable"
 * import { TestEngine } from "effect-durable/testing"
 * import * as Effect from "effect/Effect"
 *
 * const Nap = DurableFunction.make("nap")
 * const nap = Nap.implement(() => Durable.wait("sleep", "8 hours"))
 *
 * export const test = Effect.gen(function*() {
 *   const run = yield* TestEngine.start(Nap)
 *   yield* TestEngine.sleep("2 hours")
 *   yield* run.stop()
 *   yield* TestEngine.expectElapsed(run, "2 hours")
 * }).pipe(Effect.provide(TestEngine.layer([nap])))
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const sleep = (duration: Duration.Input): Effect.Effect<void, never, TestEngine> =>
  Effect.flatMap(TestEngine, ({ world }) =>
    world.clock.sleep(Duration.millis(readMillis("the time of TestEngine.sleep", duration)))
  )
