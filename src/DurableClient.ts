/**
 * The client for programs outside of workflows: starts executions, inspects and stops them, and answers their callbacks.
 *
 * Each backend provides the service {@link DurableClient} as a Layer. Its requests and responses are those of the Lambda
 * API. The functions of this module work with contracts: they check and encode what they send by the contract's Schemas,
 * and decode the responses.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import * as Option from "effect/Option"
import { hasProperty } from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import {
  checkName,
  ClientUnavailable,
  DurableClient,
  type ClientError,
  type Outcome,
  type Page,
  type StartRequest,
  type StartResponse
} from "./ClientPort.ts"
import type * as DurableFunction from "./DurableFunction.ts"
import { InvalidOptions, InvalidTenantId, OperationError, SerdesFailed, type InvalidTarget } from "./DurableError.ts"
import { describeFound, kindOf } from "./internal/found.ts"
import { errorDataOf, errorObject, isRecordedAs } from "./values/Failures.ts"
import { limitSize, ofPayload, ofResult, read, write, type Reading, type Writing } from "./values/Values.ts"
import * as Serdes from "./Serdes.ts"
import * as Targets from "./Targets.ts"
import type { ExecutionStatus, ExecutionSummary, GetDurableExecutionResponse } from "./wire/Api.ts"
import { isTenantId, parseFunctionAddress } from "./wire/Constraints.ts"
import { continuedAs } from "./wire/Continuation.ts"
import type { ErrorObject } from "./wire/ErrorObject.ts"
import type { HistoryEvent } from "./wire/HistoryEvent.ts"
import * as Limits from "./wire/Limits.ts"

export * from "./ClientPort.ts"
// Exported here, so that declarations can be written from inferred types that contain them.
export type { ExecutionStatus, ExecutionSummary, GetDurableExecutionResponse } from "./wire/Api.ts"
export type { ErrorObject } from "./wire/ErrorObject.ts"
export type { EventType, HistoryEvent, HistoryEventOf } from "./wire/HistoryEvent.ts"

// --- Executions of a contract ----------------------------------------------------------------------------------------

/**
 * The options for starting an execution of a contract.
 *
 * @category models
 * @since 0.1.0
 */
export interface StartOptions {
  /**
   * A name of 1 to 64 letters, digits, `-` and `_`. Repeated starts with one name start one execution. Default: the
   * result of the contract's `idempotencyKey` for the payload, otherwise a new name.
   */
  readonly executionName?: string | undefined
  /** The tenant of a call to a function with tenant isolation: 1 to 256 letters, digits, spaces and `. _ : / = + - @`. */
  readonly tenantId?: string | undefined
}

/**
 * An execution that was started, and the contract with which to read it. To keep a reference, store the ARN, and create
 * a new reference from the ARN and the contract.
 *
 * @category models
 * @since 0.1.0
 */
export interface Started<out C extends DurableFunction.AnyDurable> {
  readonly contract: C
  readonly executionArn: string
}

/**
 * A reference to an execution: its ARN, the result of {@link start}, or an item of {@link executions}.
 *
 * @category models
 * @since 0.1.0
 */
export type AnyExecution = string | { readonly executionArn: string } | { readonly DurableExecutionArn: string }

const arnOf = (execution: AnyExecution): string => {
  if (typeof execution === "string") return execution
  if (hasProperty(execution, "executionArn")) return execution.executionArn
  if (hasProperty(execution, "DurableExecutionArn")) return execution.DurableExecutionArn
  throw unfit("its ARN, or what DurableClient.start returns", execution)
}

/** The defect for what a caller without types passes as an execution. */
const unfit = (expected: string, found: unknown): InvalidOptions =>
  new InvalidOptions({
    operation: "DurableClient",
    message: `Expected the execution in a call of DurableClient to be ${expected}, found ${kindOf(found)}.`
  })

/**
 * The execution ended without a result, and without an error of its contract or of the library's operations.
 *
 * `status` is the status of the execution; the other fields hold the raw error object.
 *
 * @category errors
 * @since 0.1.0
 */
export class ExecutionFailed extends Schema.TaggedError<ExecutionFailed>()("ExecutionFailed", {
  executionArn: Schema.String,
  status: Schema.Literals(["FAILED", "TIMED_OUT", "STOPPED"]),
  errorType: Schema.optionalKey(Schema.String),
  errorMessage: Schema.optionalKey(Schema.String),
  errorData: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    return `The execution ${this.executionArn} ended as ${this.status}: ${this.errorType ?? "no error type"}: ${this.errorMessage ?? "no message"}`
  }
}

/**
 * The errors with which reading the outcome of an execution fails.
 *
 * @category errors
 * @since 0.1.0
 */
export type OutcomeError<C extends DurableFunction.AnyDurable> =
  | DurableFunction.Error<C>
  | OperationError
  | ExecutionFailed
  | ClientError

/**
 * Starts an execution of a contract at the address that `Targets` resolves, and does not wait for it.
 *
 * A repeated start with the same name and payload returns the same execution. Without a name, and without an
 * `idempotencyKey` in the contract, every run of the effect starts another execution, also under `Effect.retry`.
 *
 * **Errors**: `ExecutionAlreadyStarted` when the name belongs to an execution with another payload; `InvalidTarget`;
 * `ClientRefused` for an invalid name, before any request; the other errors of the client. **Defects**: `SerdesFailed`
 * for a payload that does not fit the contract, `InvalidTenantId`.
 *
 * @example
 * ```ts
 * import { DurableClient, DurableFunction } from "effect-durable"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 *
 * const ProcessOrder = DurableFunction.make("process-order", {
 *   payload: Schema.Struct({ id: Schema.String }),
 *   success: Schema.String,
 *   idempotencyKey: (order) => `order-${order.id}`
 * })
 *
 * export const accept = Effect.gen(function*() {
 *   const started = yield* DurableClient.start(ProcessOrder, { id: "o-1" })
 *   return yield* DurableClient.poll(started)
 * })
 * ```
 *
 * @category executions
 * @since 0.1.0
 */
export const start = <C extends DurableFunction.AnyDurable>(
  contract: C,
  ...[payload, options]: DurableFunction.PayloadAndOptions<C, StartOptions>
): Effect.Effect<Started<C>, ClientError | InvalidTarget, DurableClient | DurableFunction.CallerServices<C>> =>
  Effect.map(request(contract, payload, options, "Event"), ({ executionArn }) => ({ contract, executionArn }))

/**
 * Starts an execution of a contract and waits for its result. The service waits for at most 15 minutes, or for a
 * shorter `Timeout` or `ExecutionTimeout` of the function.
 *
 * **Errors**: those of the contract; the operation errors of the library; `ExecutionFailed` for any other end;
 * `InvalidTarget`; those of the client, among them `ClientUnavailable` when the service stopped waiting. **Defects**:
 * those of {@link start}, and `SerdesFailed` for a result that does not fit the contract.
 *
 * @example
 * ```ts
 * import { DurableClient, DurableFunction } from "effect-durable"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 *
 * const Translate = DurableFunction.make("translate", { payload: Schema.String, success: Schema.String })
 *
 * export const translated = DurableClient.run(Translate, "good day", { executionName: "greeting-1" }).pipe(
 *   Effect.catchTag("ExecutionFailed", ({ errorType }) => Effect.succeed(`not translated: ${errorType}`))
 * )
 * ```
 *
 * @category executions
 * @since 0.1.0
 */
export const run = <C extends DurableFunction.AnyDurable>(
  contract: C,
  ...[payload, options]: DurableFunction.PayloadAndOptions<C, StartOptions>
): Effect.Effect<
  DurableFunction.Success<C>,
  OutcomeError<C> | InvalidTarget,
  DurableClient | DurableFunction.CallerServices<C>
> =>
  cast(
    Effect.flatMap(request(contract, payload, options, "RequestResponse"), ({ executionArn, outcome }) =>
      outcome === undefined
        ? Effect.fail(
            new ClientUnavailable({
              message: `The service stopped waiting for the execution ${executionArn}, which continues. Start it again with the same name and payload to continue waiting, or poll it.`
            })
          )
        : followed(contract, executionArn, outcome)
    )
  )

/** Returns the outcome of an execution, or of the successor that it continued with, as soon as there is one. */
const followed = Effect.fnUntraced(function* (
  contract: DurableFunction.AnyDurable,
  executionArn: string,
  outcome: Outcome
): Effect.fn.Return<unknown, unknown, DurableClient> {
  const client = yield* DurableClient
  let arn = executionArn
  let last: Outcome | undefined = outcome
  while (true) {
    const successor: string | undefined = last && successorOf(last)
    if (last !== undefined && successor === undefined) return yield* readOutcome(contract, arn, last)
    arn = successor ?? arn
    last = outcomeOf(yield* client.get(arn, { includeExecutionData: true }))
    if (last === undefined) yield* Effect.sleep("2 seconds")
  }
})

/** @internal Returns the ARN of the successor that an execution continued with, if there is one. */
export const successorOf = (outcome: Outcome): string | undefined =>
  outcome.status === "SUCCEEDED" ? continuedAs(outcome.result) : undefined

/**
 * Returns the result of an execution that has ended, or `None` while it runs.
 *
 * **Errors**: those of the contract; the operation errors of the library; `ExecutionFailed` for any other end; those of
 * the client. **Defects**: `SerdesFailed` for a result that does not fit the contract.
 *
 * @example
 * ```ts
 * import { DurableClient, DurableFunction } from "effect-durable"
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import * as Schema from "effect/Schema"
 *
 * const Translate = DurableFunction.make("translate", { payload: Schema.String, success: Schema.String })
 *
 * export const look = (executionArn: string) =>
 *   DurableClient.poll({ contract: Translate, executionArn }).pipe(
 *     Effect.map(Option.getOrElse(() => "still at work"))
 *   )
 * ```
 *
 * @category executions
 * @since 0.1.0
 */
export const poll = <C extends DurableFunction.AnyDurable>(
  started: Started<C>
): Effect.Effect<
  Option.Option<DurableFunction.Success<C>>,
  OutcomeError<C>,
  DurableClient | DurableFunction.CallerServices<C>
> =>
  cast(
    Effect.flatMap(DurableClient, (client) => {
      if (!hasProperty(started, "contract")) throw unfit("what DurableClient.start returns", started)
      const { contract, executionArn } = started
      return Effect.flatMap(client.get(executionArn, { includeExecutionData: true }), (execution) => {
        const outcome = outcomeOf(execution)
        if (outcome === undefined) return Effect.succeedNone
        const successor = successorOf(outcome)
        return successor === undefined
          ? Effect.asSome(readOutcome(contract, executionArn, outcome))
          : poll({ contract, executionArn: successor })
      })
    })
  )

/**
 * Returns the service's data about an execution: its status, its times, and with `includeExecutionData` its payload and
 * outcome.
 *
 * **Errors**: `NotFound` when there is no such execution; the other errors of the client.
 *
 * @example
 * ```ts
 * import { DurableClient } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const statusOf = (executionArn: string) =>
 *   Effect.map(DurableClient.get(executionArn), ({ Status }) => Status)
 * ```
 *
 * @category executions
 * @since 0.1.0
 */
export const get = (
  execution: AnyExecution,
  options?: { readonly includeExecutionData?: boolean | undefined }
): Effect.Effect<GetDurableExecutionResponse, ClientError, DurableClient> =>
  Effect.flatMap(DurableClient, (client) => client.get(arnOf(execution), options ?? {}))

/**
 * Stops an execution for good, without running any of its code. Returns the time at which the execution ended, in
 * milliseconds since the epoch.
 *
 * **Errors**: `NotFound` when there is no such execution; the other errors of the client.
 *
 * @example
 * ```ts
 * import { DurableClient } from "effect-durable"
 *
 * export const giveUp = (executionArn: string) =>
 *   DurableClient.stop(executionArn, { ErrorType: "GivenUp", ErrorMessage: "Nobody answered." })
 * ```
 *
 * @category executions
 * @since 0.1.0
 */
export const stop = (execution: AnyExecution, error?: ErrorObject): Effect.Effect<number, ClientError, DurableClient> =>
  Effect.flatMap(DurableClient, (client) => client.stop(arnOf(execution), error))

/** @internal Returns the outcome of an execution that has ended. `unknown` replaces an error that the service omitted. */
export const outcomeOf = (execution: GetDurableExecutionResponse, unknown: ErrorObject = {}): Outcome | undefined => {
  const { Error: error = unknown, Result: result, Status: status } = execution
  if (status === "SUCCEEDED") return { status: "SUCCEEDED", result }
  const failure = (["FAILED", "TIMED_OUT", "STOPPED"] as const).find((known) => known === status)
  return failure === undefined ? undefined : { status: failure, error }
}

const request = Effect.fnUntraced(function* (
  contract: DurableFunction.AnyDurable,
  payload: unknown,
  options: StartOptions | undefined,
  type: StartRequest["type"]
): Effect.fn.Return<StartResponse, ClientError | InvalidTarget, DurableClient> {
  const client = yield* DurableClient
  const { address } = yield* Targets.resolve(contract)
  const subject = { executionArn: contract.name, operation: contract.name }
  const text = yield* encode(subject, "payload", ofPayload(contract), payload)
  const { executionName = contract.idempotencyKey?.(cast<unknown, never>(payload)), tenantId } = options ?? {}
  yield* checkName(contract, executionName)
  if (tenantId !== undefined && !isTenantId(tenantId)) {
    return yield* Effect.die(
      new InvalidTenantId({
        operation: contract.name,
        message: `Expected the tenant id for "${contract.name}" to be 1 to 256 letters, digits, spaces and . _ : / = + - @, found ${describeFound(tenantId)}.`
      })
    )
  }
  return yield* client.start({ functionName: address, payload: text, executionName, tenantId, type })
})

/** @internal Reads the value or the error of an execution that has ended, with its contract. */
export const readOutcome = Effect.fnUntraced(function* (
  contract: DurableFunction.AnyDurable,
  executionArn: string,
  outcome: Outcome
): Effect.fn.Return<unknown, unknown> {
  const subject = { executionArn, operation: contract.name }
  if (outcome.status === "SUCCEEDED") return yield* decode(subject, "result", ofResult(contract), outcome.result)
  const { ErrorData: data, ErrorMessage: message, ErrorType: type } = outcome.error
  const written = errorDataOf(outcome.error)
  if (outcome.status === "FAILED" && written !== undefined) {
    const error = yield* errorAs(subject, contract.error, written, (declared) => isRecordedAs(declared, type)).pipe(
      Effect.flatMap((found) =>
        Option.isSome(found) ? Effect.succeed(found) : errorAs(subject, OperationError, written, () => true)
      )
    )
    if (Option.isSome(error)) return yield* Effect.fail(error.value)
  }
  return yield* new ExecutionFailed({
    executionArn,
    status: outcome.status,
    ...(type === undefined ? undefined : { errorType: type }),
    ...(message === undefined ? undefined : { errorMessage: message }),
    ...(data === undefined ? undefined : { errorData: data })
  })
})

/** Reads error data with a Schema. Returns nothing if the data does not fit it. */
const errorAs = (subject: Subject, schema: Schema.Top, data: string, fits: (error: unknown) => boolean) =>
  inFormat((format) => read(format, { success: schema }, data, infoOf(subject, "error"))).pipe(
    Effect.map((error) => (fits(error) ? Option.some(error) : Option.none())),
    Effect.catch((error) => (error.transient ? serdesFailed(subject, "read the error")(error) : Effect.succeedNone))
  )

/** Converts a value in the format of the environment. */
const inFormat = <A>(
  convert: (format: Serdes.Format) => Effect.Effect<A, Serdes.SerdesError, unknown>
): Effect.Effect<A, Serdes.SerdesError> =>
  cast<Effect.Effect<A, Serdes.SerdesError, unknown>, Effect.Effect<A, Serdes.SerdesError>>(
    Effect.flatMap(Serdes.Serdes, convert)
  )

/** Writes in plain JSON, whatever the format of this environment, because another execution reads the text. */
const inPlainJson = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(effect, Serdes.Serdes, Serdes.json)

// --- Callbacks -------------------------------------------------------------------------------------------------------

/**
 * The options for writing the outcome of a callback, in the form in which the waiting workflow reads it.
 *
 * @category models
 * @since 0.1.0
 */
export interface CallbackOptions<Success extends Schema.Top, Error extends Schema.Top, R> {
  /** The Schema of the value that the callback succeeds with. */
  readonly success: Success
  /** The Schema of the errors that the callback may fail with. Default: `Schema.Never`. */
  readonly error?: Error | undefined
  /**
   * A codec that writes the value in place of JSON through its Schema. The ambient `Serdes` is not used: the answer to a
   * callback is plain JSON.
   */
  readonly successSerdes?: Serdes.Writer<NoInfer<Success["Type"]>, R> | undefined
}

/**
 * The functions that answer callbacks of one kind, by the id that the workflow passed on.
 *
 * @category models
 * @since 0.1.0
 */
export interface Callback<Success extends Schema.Top, Error extends Schema.Top, R> {
  /**
   * Completes the callback with a value.
   *
   * **Defects**: `SerdesFailed`, `PayloadTooLarge` (more than 262,144 bytes of JSON), both before anything is sent.
   */
  readonly succeed: (
    callbackId: string,
    value: Success["Type"]
  ) => Effect.Effect<void, ClientError, DurableClient | Success["EncodingServices"] | R>
  /**
   * Fails the callback with an error. The message and the data of the error are cut to the size that the service accepts.
   *
   * **Defects**: `SerdesFailed`.
   */
  readonly fail: (
    callbackId: string,
    error: Error["Type"]
  ) => Effect.Effect<void, ClientError, DurableClient | Error["EncodingServices"]>
  /** Sends a heartbeat, which restarts the heartbeat time-out. */
  readonly heartbeat: (callbackId: string) => Effect.Effect<void, ClientError, DurableClient>
}

/**
 * Creates the functions that answer callbacks of one kind. They check and encode values and errors by their Schemas
 * before they send them.
 *
 * **Errors** of these functions: `CallbackClosed`, `NotFound`, and the other errors of the client.
 *
 * @example
 * ```ts
 * import { DurableClient } from "effect-durable"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 *
 * class Rejected extends Schema.TaggedError<Rejected>()("Rejected", { reason: Schema.String }) {}
 *
 * const Approval = DurableClient.callback({ success: Schema.Struct({ by: Schema.String }), error: Rejected })
 *
 * export const answer = (callbackId: string, approved: boolean) =>
 *   approved
 *     ? Approval.succeed(callbackId, { by: "Ada" })
 *     : Approval.fail(callbackId, new Rejected({ reason: "too expensive" }))
 * ```
 *
 * @category callbacks
 * @since 0.1.0
 */
export const callback = <Success extends Schema.Top, Error extends Schema.Top = Schema.Never, R = never>(
  options: CallbackOptions<Success, Error, R>
): Callback<Success, Error, R> => {
  // The subject does not name the id. It is a secret: anyone who has it may answer the callback.
  const subject = { executionArn: "", operation: "callback" }
  const recording: Writing = { success: options.success, successSerdes: options.successSerdes }
  return {
    succeed: (callbackId, value) =>
      Effect.gen(function* () {
        const client = yield* DurableClient
        const text = yield* inPlainJson(encode(subject, "result", recording, value))
        yield* limitSize({ path: subject.operation }, "value", text, Limits.maxOperationPayload)
        yield* client.succeedCallback(callbackId, text)
      }),
    fail: (callbackId, error) =>
      Effect.gen(function* () {
        const client = yield* DurableClient
        const data = yield* inPlainJson(encode(subject, "error", { success: options.error ?? Schema.Never }, error))
        yield* client.failCallback(callbackId, errorObject(error, data))
      }),
    heartbeat: (callbackId) => Effect.flatMap(DurableClient, (client) => client.heartbeatCallback(callbackId))
  }
}

// --- Pages -----------------------------------------------------------------------------------------------------------

/**
 * The options for reading the events of an execution.
 *
 * @category models
 * @since 0.1.0
 */
export interface EventsOptions {
  /** Whether the events contain payloads, results and errors. Default: true. */
  readonly includeExecutionData?: boolean | undefined
  /** Whether the newest event comes first. Default: false. */
  readonly reverseOrder?: boolean | undefined
  /** The number of events per request, from 1 to 1,000. Default: 1,000. */
  readonly pageItems?: number | undefined
}

/**
 * The options for reading the executions of a function.
 *
 * @category models
 * @since 0.1.0
 */
export interface ExecutionsOptions {
  /** A version or an alias of the function. Default: all versions. */
  readonly qualifier?: string | undefined
  /** The name of an execution. Default: any name. */
  readonly executionName?: string | undefined
  /** The statuses of the executions, such as `["FAILED", "TIMED_OUT"]`. Default: all. */
  readonly statuses?: ReadonlyArray<ExecutionStatus> | undefined
  /** The time after which the executions started, in milliseconds since the epoch. Default: any time. */
  readonly startedAfter?: number | undefined
  /** The time before which the executions started, in milliseconds since the epoch. Default: any time. */
  readonly startedBefore?: number | undefined
  /** Whether the oldest execution comes first. Default: false. */
  readonly reverseOrder?: boolean | undefined
  /** The number of executions per request, from 1 to 1,000. Default: 1,000. */
  readonly pageItems?: number | undefined
}

/**
 * Streams the events of an execution up to now, oldest first unless `reverseOrder` is set.
 *
 * The stream requests a page when the page before is used up, so `Stream.take(10)` reads one page. Set `pageItems` if a
 * page is more than you need.
 *
 * **Errors**: `NotFound` when there is no such execution; `ClientUnavailable` also when the service leads back to a page
 * that was already read; the other errors of the client.
 *
 * @example
 * ```ts
 * import { DurableClient } from "effect-durable"
 * import * as Stream from "effect/Stream"
 *
 * export const countAttempts = (executionArn: string) =>
 *   DurableClient.events(executionArn, { includeExecutionData: false }).pipe(
 *     Stream.filter(({ EventType }) => EventType === "StepStarted"),
 *     Stream.runCount
 *   )
 * ```
 *
 * @category pages
 * @since 0.1.0
 */
export const events = (
  execution: AnyExecution,
  options?: EventsOptions
): Stream.Stream<HistoryEvent, ClientError, DurableClient> => {
  const { pageItems: maxItems = Limits.maxPageItems, ...filter } = options ?? {}
  return pageByPage((client, marker) => client.history(arnOf(execution), { ...filter, marker, maxItems }))
}

/**
 * Streams the executions of a function that match the options, newest first unless `reverseOrder` is set. The function is
 * a contract, whose address `Targets` resolves, or a name or an ARN. Without a `qualifier` the stream contains the
 * executions of all versions.
 *
 * The stream requests a page when the page before is used up, so `Stream.take(10)` reads one page. Set `pageItems` if a
 * page is more than you need.
 *
 * **Errors**: `NotFound` when there is no such function; `InvalidTarget` for a contract; `ClientUnavailable` also when
 * the service leads back to a page that was already read; the other errors of the client.
 *
 * @example
 * ```ts
 * import { DurableClient, DurableFunction } from "effect-durable"
 * import * as Stream from "effect/Stream"
 *
 * const ProcessOrder = DurableFunction.make("process-order", { target: "process-order:live" })
 *
 * export const stopAll = DurableClient.executions(ProcessOrder, { statuses: ["RUNNING"] }).pipe(
 *   Stream.mapEffect((execution) => DurableClient.stop(execution), { concurrency: 5 }),
 *   Stream.runDrain
 * )
 *
 * export const lastFailure = Stream.runHead(
 *   DurableClient.executions("process-order", { statuses: ["FAILED"], pageItems: 1 })
 * )
 * ```
 *
 * @category pages
 * @since 0.1.0
 */
export const executions: {
  (contract: DurableFunction.AnyDurable, options?: ExecutionsOptions): ExecutionStream<InvalidTarget>
  (functionName: string, options?: ExecutionsOptions): ExecutionStream
} = (of: string | DurableFunction.AnyDurable, options?: ExecutionsOptions): ExecutionStream => {
  const { pageItems: maxItems = Limits.maxPageItems, ...filter } = options ?? {}
  const named = (functionName: string) =>
    pageByPage((client, marker) => client.list(functionName, { ...filter, marker, maxItems }))
  if (typeof of === "string") return named(of)
  return cast(Stream.unwrap(Effect.map(Targets.resolve(of), ({ address }) => named(unqualified(address)))))
}

type ExecutionStream<E = never> = Stream.Stream<ExecutionSummary, ClientError | E, DurableClient>

/** Returns the address of a function without its version or alias, which the API takes separately. */
const unqualified = (address: string): string => {
  const qualifier = parseFunctionAddress(address)?.qualifier
  return qualifier === undefined ? address : address.slice(0, -qualifier.length - 1)
}

/** Streams pages one after the other, each on demand. Every run of the stream remembers its own markers. */
const pageByPage = <A>(
  load: (client: DurableClient["Service"], marker: string | undefined) => Effect.Effect<Page<A>, ClientError>
): Stream.Stream<A, ClientError, DurableClient> =>
  Stream.unwrap(
    Effect.map(DurableClient, (client) => {
      const read = new Set<string | undefined>()
      return Stream.paginate<string | undefined, A, ClientError>(undefined, (marker) => {
        if (read.has(marker)) return Effect.fail(new ClientUnavailable({ message: repeated }))
        read.add(marker)
        return Effect.map(load(client, marker), ({ items, nextMarker }) => [
          items,
          nextMarker === undefined || nextMarker === "" ? Option.none() : Option.some(nextMarker)
        ])
      })
    })
  )

/** The message for a repeated marker, which would lead in a circle. */
const repeated = "The service led back to a page that was already read. Try again."

// --- Values ----------------------------------------------------------------------------------------------------------

type Subject = Pick<Serdes.Info, "executionArn" | "operation">

const infoOf = ({ executionArn, operation }: Subject, value: Serdes.Info["value"]): Serdes.Info => ({
  executionArn,
  operationId: executionArn,
  operation,
  value
})

const encode = (subject: Subject, kind: Serdes.Info["value"], recording: Writing, value: unknown) =>
  Effect.catch(
    inFormat((format) => write(format, recording, value, infoOf(subject, kind))),
    serdesFailed(subject, `write the ${kind}`)
  )

const decode = (subject: Subject, kind: Serdes.Info["value"], recording: Reading, text: string | undefined) =>
  Effect.catch(
    inFormat((format) => read(format, recording, text, infoOf(subject, kind))),
    serdesFailed(subject, `read the ${kind}`)
  )

const serdesFailed =
  ({ operation }: Subject, action: string) =>
  (error: Serdes.SerdesError): Effect.Effect<never, ClientUnavailable> => {
    const message = `Could not ${action} of "${operation}": ${error.message}`
    return error.transient
      ? Effect.fail(new ClientUnavailable({ message }))
      : Effect.die(new SerdesFailed({ operation, message }))
  }
