/**
 * Watches one invocation and tells what it sees: metrics, spans, and which logs are news.
 *
 * It is told where an operation is claimed, where a checkpoint is acknowledged and where the service reports changes, so
 * that operations need not tell anything themselves.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Tracer from "effect/Tracer"
import * as Telemetry from "../Telemetry.ts"
import type { InvocationAnswer } from "../wire/Invocation.ts"
import type { Operation } from "../wire/Operation.ts"
import type { OperationUpdate } from "../wire/OperationUpdate.ts"
import type { DurableContext } from "./DurableContext.ts"
import type { Claim } from "./Execution.ts"
import { isFinal, type Journal } from "./Journal.ts"
import * as Logging from "./Logging.ts"
import { parseTraceHeader, writeTraceHeader, type TraceHeader } from "./SpanIds.ts"
import { Spans, type InvocationStatus } from "./Spans.ts"

/** An update, and when it was written, in milliseconds. */
interface Sent {
  readonly update: OperationUpdate
  readonly since: number
}

type AnyFiber = Fiber.Fiber<unknown, unknown>

export class Observer {
  readonly #services: Context.Context<never>
  readonly #journal: Journal
  /** The operations that changed while no invocation ran. */
  readonly #news: ReadonlySet<string>
  readonly #header: TraceHeader | undefined
  readonly #spans: Spans | undefined
  /** Operations whose outcome was there in an earlier invocation. */
  readonly #replayed = new Set<string>()
  /** Fibres, and whether they got further than in an earlier invocation with the last operation that they asked for. */
  readonly #movedOn = new WeakMap<AnyFiber, boolean>()

  constructor(options: {
    readonly executionArn: string
    readonly services: Context.Context<never>
    readonly journal: Journal
    readonly clock: Clock.Clock
    readonly beganAt: number
    readonly news: ReadonlyArray<string>
    readonly traceHeader: string | undefined
  }) {
    const { beganAt, clock, executionArn, journal, news, services, traceHeader } = options
    this.#services = services
    this.#journal = journal
    this.#news = new Set(news)
    this.#header = parseTraceHeader(traceHeader)
    this.#spans = Spans.make(services, {
      executionArn,
      startedAt: journal.execution?.StartTimestamp ?? beganAt,
      beganAt,
      first: journal.recordedIn(undefined).length === 0,
      header: this.#header,
      clock
    })
  }

  // --- What happens ------------------------------------------------------------------------------------------------

  /** The code asked for an operation. */
  claimed(claim: Claim): void {
    const { context, id, record, type } = claim
    const ended = record !== undefined && isFinal(record)
    const origin = record === undefined ? "fresh" : ended ? "replayed" : "resumed"
    seriesOf(type, origin).updateUnsafe(1, this.#services)
    // What is recorded of steps and contexts was recorded by an invocation, which has told of it.
    const isNews = ended && type !== "STEP" && type !== "CONTEXT" && this.#news.has(id)
    if (ended && !isNews) this.#replayed.add(id)
    const fiber = Fiber.getCurrent()
    // A callback that was made before is waited for later, and the code of a context is replayed itself.
    const isLater = record !== undefined && (type === "CALLBACK" || type === "CONTEXT")
    if (fiber !== undefined) this.#movedOn.set(fiber, !isLater && (isNews || !ended))
    if (!context.recorded.finished) this.#spans?.claimed(claim, isNews)
  }

  /** A fibre learns how an operation ended that it waited for. */
  delivered(id: string, fiber: AnyFiber): void {
    this.#movedOn.set(fiber, !this.#replayed.has(id))
  }

  /** The service acknowledged updates after so many milliseconds. */
  acknowledged(sent: ReadonlyArray<Sent>, millis: number): void {
    Telemetry.checkpointDuration.updateUnsafe(millis, this.#services)
    Telemetry.checkpointUpdates.updateUnsafe(sent.length, this.#services)
    for (const { since, update } of sent) {
      const { Action, Error: error, Id, SubType, Type } = update
      if (Action === "RETRY" && SubType === "Step") Telemetry.stepRetries.updateUnsafe(1, this.#services)
      if (Type === "EXECUTION") continue
      if (Action === "START") this.#spans?.started(Id)
      const status = statusAfter.get(Action)
      if (status !== undefined) this.#spans?.ended(Id, since, status, error?.ErrorType)
    }
  }

  /** The service reported changes. What an invocation records itself is told when it is acknowledged. */
  reported(operations: ReadonlyArray<Operation>): void {
    if (this.#spans === undefined) return
    for (const operation of operations) {
      if (operation.Type !== "STEP" && operation.Type !== "CONTEXT") this.#spans.reported(operation)
    }
  }

  /** A request to the service is repeated. */
  repeated(): void {
    Telemetry.checkpointRetries.updateUnsafe(1, this.#services)
  }

  /** The invocation ended. */
  ended(exit: Exit.Exit<{ readonly answer: InvocationAnswer }, unknown>): void {
    this.#spans?.end(statusOf(exit))
  }

  // --- What is around code of the user -----------------------------------------------------------------------------

  /** The workflow. */
  workflow<A, E, R>(context: DurableContext, body: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.withFiber((fiber) =>
      Effect.provideService(
        this.within(context, body),
        Logger.CurrentLoggers,
        Logging.ofWorkflow(fiber.getRef(Logger.CurrentLoggers))
      )
    )
  }

  /** The body of a context. */
  within<A, E, R>(context: DurableContext, body: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    const spans = this.#spans
    return spans === undefined
      ? body
      : Effect.suspend(() => Effect.provideService(body, Tracer.ParentSpan, spans.in(context)))
  }

  /** The body of an attempt of a step. */
  attempt<A, E, R>(claim: Claim, number: number, body: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return this.#spans === undefined ? body : this.#spans.attempt(claim, number, body)
  }

  // --- What it knows -----------------------------------------------------------------------------------------------

  /** Whether the code that a fibre runs in a context ran in an earlier invocation too. */
  isReplaying(context: DurableContext, fiber: AnyFiber): boolean {
    if (context.recorded.finished) return true
    return this.#movedOn.get(fiber) !== true && this.#journal.isReplaying(context.wireId)
  }

  /** The X-Ray header for a function that an operation invokes, if this invocation belongs to a trace. */
  traceHeader(claim: Claim): string | undefined {
    if (this.#spans !== undefined) return this.#spans.traceHeader(claim)
    return this.#header === undefined ? undefined : writeTraceHeader(this.#header)
  }
}

/** Counts an invocation by how it ends, and puts its execution into its logs. */
export const observed = <A extends { readonly answer: InvocationAnswer }, E, R>(
  executionArn: string,
  invocation: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.onExit(Effect.annotateLogs(invocation, { executionArn }), (exit) =>
    Effect.withFiber(({ context }) => {
      const status = statusOf(exit)
      invocationsOf(status).updateUnsafe(1, context)
      if (status === "PENDING") Telemetry.suspensions.updateUnsafe(1, context)
      return Effect.void
    })
  )

const statusOf = (exit: Exit.Exit<{ readonly answer: InvocationAnswer }, unknown>): InvocationStatus =>
  exit._tag === "Success" ? exit.value.answer.Status : "RETRYING"

const statusAfter: ReadonlyMap<string, string> = new Map([
  ["SUCCEED", "SUCCEEDED"],
  ["FAIL", "FAILED"],
  ["CANCEL", "CANCELLED"]
])

const counters = new Map<string, Metric.Counter<number>>()

/** The series of a counter with certain attributes, which is the same for everybody. */
const series = (key: string, make: () => Metric.Metric<number, Metric.CounterState<number>>) => {
  const known = counters.get(key)
  if (known !== undefined) return known
  const made = make()
  counters.set(key, made)
  return made
}

const seriesOf = (type: string, origin: string) =>
  series(`${type} ${origin}`, () =>
    Metric.withAttributes(Telemetry.operations, { "durable.operation.type": type, "durable.operation.origin": origin })
  )

const invocationsOf = (status: InvocationStatus) =>
  series(status, () => Metric.withAttributes(Telemetry.invocations, { "durable.invocation.status": status }))
