/**
 * Watches one invocation and emits metrics, spans, warnings and lines at DEBUG. It also decides which logs are new.
 *
 * Owns: the meaning of an event of the invocation for each of these.
 * Does not own: how they are emitted. It depends on the parts of an invocation and on no operation, and only the module
 * that composes an invocation depends on it.
 *
 * Invariants:
 * 1. An operation is emitted once over all invocations. What an invocation records is emitted when it is acknowledged.
 *    What the service does by itself is emitted by the first invocation that learns of it.
 * 2. Metrics change when the invocation ends.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import { isFinal, isOfOthers, type Claim } from "../execution/Claim.ts"
import type { History } from "../execution/History.ts"
import type { Listener, Sent, Surroundings, Watched } from "../execution/Listener.ts"
import type { Namespace } from "../execution/Namespace.ts"
import type { InvocationAnswer } from "../wire/Invocation.ts"
import type { Operation } from "../wire/Operation.ts"
import { countStatus, Counters } from "./Counters.ts"
import * as Logs from "./Logs.ts"
import { OperationLogs } from "./OperationLogs.ts"
import { traced } from "./RealTime.ts"
import { parseTraceHeader, writeTraceHeader, type TraceHeader } from "./SpanIds.ts"
import { Spans, type InvocationStatus } from "./Spans.ts"

export class Observer implements Listener, Surroundings {
  readonly #services: Context.Context<never>
  readonly #clock: Clock.Clock
  /** The operations that changed while no invocation ran. */
  readonly #news: ReadonlySet<string>
  readonly #header: TraceHeader | undefined
  readonly #spans: Spans | undefined
  readonly #logs: OperationLogs | undefined
  readonly #counters = new Counters()

  constructor(options: {
    readonly executionArn: string
    /** The services of the host, whose logs name the execution. */
    readonly services: Context.Context<never>
    readonly history: Pick<History, "execution" | "isFirst">
    readonly clock: Clock.Clock
    /** When the invocation began, in milliseconds. */
    readonly beganAt: number
    readonly news: ReadonlySet<string>
    readonly traceHeader: string | undefined
  }) {
    const { beganAt, clock, executionArn, history, news, services, traceHeader } = options
    this.#services = services
    this.#clock = clock
    this.#news = news
    this.#header = parseTraceHeader(traceHeader)
    this.#logs = OperationLogs.make(services)
    this.#spans = Spans.make(services, {
      executionArn,
      startedAt: history.execution?.StartTimestamp ?? beganAt,
      beganAt,
      isFirst: history.isFirst,
      header: this.#header,
      clock
    })
  }

  // --- Events ----------------------------------------------------------------------------------------------------------

  claimed(claim: Claim): void {
    const { id, isSettled, kind, namespace, record } = claim
    const isContinued = kind.type === "CALLBACK" || kind.type === "CONTEXT"
    const isRebuilding = namespace.isRebuilding
    // A rebuilt context runs no further than its records: it reaches an operation without an outcome, but does not run
    // it.
    if (isRebuilding && !isSettled && !(record !== undefined && isContinued)) return
    this.#counters.claimed(kind.type, record === undefined ? "fresh" : isSettled ? "replayed" : "resumed")
    if (isRebuilding) return
    // An invocation recorded the outcomes of steps and contexts, and has emitted them.
    const isNews = isSettled && isOfOthers(kind.type) && this.#news.has(id)
    this.#spans?.claimed(claim, isNews)
    this.#logs?.claimed(claim, isNews)
  }

  acknowledged(sent: ReadonlyArray<Sent>, millis: number): void {
    this.#counters.acknowledged(sent.length, millis)
    for (const { since, update } of sent) {
      const { Action, Error: error, Id, SubType, Type } = update
      if (Action === "RETRY" && SubType === "Step") this.#counters.stepRetries++
      if (Type === "EXECUTION") continue
      if (Action === "START") this.#spans?.started(Id)
      if (Action === "RETRY") this.#logs?.retried(Id)
      const status = statusAfter.get(Action)
      if (status === undefined) continue
      this.#spans?.ended(Id, since, status, error?.ErrorType)
      this.#logs?.ended(Id, status)
    }
  }

  told(records: ReadonlyArray<Operation>): void {
    if (this.#spans === undefined && this.#logs === undefined) return
    for (const record of records) {
      if (!isOfOthers(record.Type)) continue
      this.#spans?.told(record)
      if (isFinal(record)) this.#logs?.ended(record.Id, record.Status)
    }
  }

  repeated(): void {
    this.#counters.requestRetries++
  }

  /** Logs a warning as a line of the host, not of the workflow, so that a replay does not silence it. */
  warned(message: string): void {
    Effect.runForkWith(this.#services)(Effect.logWarning(message))
  }

  /** Emits the end of the invocation. */
  ended(exit: Exit.Exit<{ readonly answer: InvocationAnswer }, unknown>): void {
    const status = statusOf(exit)
    this.#spans?.end(status)
    if (status === "PENDING") this.#logs?.suspended()
    this.#counters.flush(this.#services)
  }

  // --- The environment of the user's code ------------------------------------------------------------------------------

  services<R>(services: Context.Context<R>): Context.Context<R> {
    const loggers = Logs.ofWorkflow(Context.get(services, Logger.CurrentLoggers), this.#clock)
    const told = Context.add(services, Logger.CurrentLoggers, loggers)
    const tracer = Context.get(services, Tracer.Tracer)
    // The native tracer exports no spans, and Effect itself checks for it, so it stays as it is.
    return tracer === Tracer.nativeTracer ? told : Context.add(told, Tracer.Tracer, traced(this.#clock, tracer))
  }

  within<R>(namespace: Namespace, services: Context.Context<R>): Context.Context<R> {
    const spans = this.#spans
    return spans === undefined ? services : Context.add(services, Tracer.ParentSpan, spans.in(namespace))
  }

  attempt<R>(claim: Claim, number: number, services: Context.Context<R>): Watched<R> {
    this.#logs?.attempt(claim, number)
    return this.#spans === undefined ? { services } : this.#spans.attempt(claim, number, services)
  }

  traceHeader(claim: Claim): string | undefined {
    if (this.#spans !== undefined) return this.#spans.traceHeader(claim)
    return this.#header === undefined ? undefined : writeTraceHeader(this.#header)
  }
}

/** Returns the services of an invocation, whose logs name its execution. */
export const observed = <R>(executionArn: string, services: Context.Context<R>): Context.Context<R> =>
  Context.add(services, References.CurrentLogAnnotations, {
    ...Context.get(services, References.CurrentLogAnnotations),
    executionArn
  })

/** Counts an invocation by its exit. */
export const countEnd = (
  exit: Exit.Exit<{ readonly answer: InvocationAnswer }, unknown>,
  services: Context.Context<never>
): void => countStatus(statusOf(exit), services)

const statusOf = (exit: Exit.Exit<{ readonly answer: InvocationAnswer }, unknown>): InvocationStatus =>
  exit._tag === "Success" ? exit.value.answer.Status : "RETRYING"

const statusAfter: ReadonlyMap<string, string> = new Map([
  ["SUCCEED", "SUCCEEDED"],
  ["FAIL", "FAILED"],
  ["CANCEL", "CANCELLED"]
])
