/**
 * The spans of one invocation: one for each operation over its whole life, exported by the invocation that observes its
 * end; one for each attempt of a step; one for the invocation; and one for the execution, exported when it has ended.
 *
 * Owns: which spans there are, when they begin and end, and their attributes. Names and attributes are those of AWS's
 * plugins for OpenTelemetry ("execution view"). Errors are reported by their types, because messages may contain data of
 * users.
 * Does not own: ids, and spans of the user.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import { isFinal, type Claim } from "../execution/Claim.ts"
import type { Watched } from "../execution/Listener.ts"
import type { Namespace } from "../execution/Namespace.ts"
import { executionOf } from "../execution/Parts.ts"
import { errorTypeOf } from "../values/Failures.ts"
import type { Operation } from "../wire/Operation.ts"
import { operationSpanId, traceIdOf, withIds, workflowSpanId, writeTraceHeader, type TraceHeader } from "./SpanIds.ts"

/** The end of an invocation: with an answer, or without one, in which case the service repeats it (`RETRYING`). */
export type InvocationStatus = "SUCCEEDED" | "FAILED" | "PENDING" | "RETRYING"

type Attributes = Readonly<Record<string, unknown>>

interface Open {
  readonly span: Tracer.Span
  /** Whether the service knows of the operation. */
  started: boolean
}

interface Options {
  readonly executionArn: string
  /** When the execution started, in milliseconds. */
  readonly startedAt: number
  /** When the invocation began, in milliseconds. */
  readonly beganAt: number
  /** Whether the invocation is the first of its execution. */
  readonly isFirst: boolean
  readonly header: TraceHeader | undefined
  readonly clock: Clock.Clock
}

/** Returns the tracer of an environment, if one was configured: the spans of Effect's default tracer are not exported. */
const tracerIn = (services: Context.Context<never>): Tracer.Tracer | undefined => {
  const tracer = Context.get(services, Tracer.Tracer)
  return tracer === Tracer.nativeTracer || !Context.get(services, References.TracerEnabled) ? undefined : tracer
}

export class Spans {
  readonly #tracer: Tracer.Tracer
  readonly #options: Options
  readonly #open = new Map<string, Open>()
  readonly #traceId: string
  /** The span of the execution, which is created last, but whose id is known first. */
  readonly #workflow: Tracer.ExternalSpan
  readonly invocation: Tracer.Span

  private constructor(tracer: Tracer.Tracer, options: Options) {
    const { beganAt, executionArn, header, isFirst, startedAt } = options
    this.#tracer = tracer
    this.#options = options
    this.#traceId = header?.traceId ?? traceIdOf(executionArn, startedAt)
    this.#workflow = this.#external(workflowSpanId(executionArn))
    this.invocation = this.#make("Invocation", {
      parent: this.#workflow,
      start: nanos(beganAt),
      attributes: { "durable.invocation.first": isFirst }
    })
  }

  static make(services: Context.Context<never>, options: Options): Spans | undefined {
    const tracer = tracerIn(services)
    return tracer === undefined ? undefined : new Spans(tracer, options)
  }

  /**
   * Begins the span of an operation that the code asked for. An operation that ended while no invocation ran is exported
   * now.
   */
  claimed(claim: Claim, endedBefore: boolean): void {
    const { record } = claim
    if (record !== undefined && isFinal(record) && !endedBefore) return
    const span = this.#make(claim.name, {
      parent: this.#parentIn(claim.namespace),
      id: operationSpanId(this.#options.executionArn, claim.id),
      start: record === undefined ? this.#now() : nanos(record.StartTimestamp),
      attributes: attributesOf(claim)
    })
    this.#open.set(claim.id, { span, started: record !== undefined })
    if (record !== undefined && endedBefore) this.told(record)
  }

  /** Notes that the service knows of an operation. */
  started(id: string): void {
    const open = this.#open.get(id)
    if (open !== undefined) open.started = true
  }

  /** Ends the span of an operation, with the type of its error if it failed. */
  ended(id: string, at: number, status: string, error: string | undefined): void {
    const open = this.#open.get(id)
    if (open === undefined) return
    this.#open.delete(id)
    const { span } = open
    span.attribute("durable.operation.status", status)
    if (error !== undefined) span.attribute("error.type", error)
    span.addLinks([{ span: this.invocation, attributes: {} }])
    this.#end(span, status === "SUCCEEDED" ? Exit.void : failure(error ?? status), nanos(at))
  }

  /** Ends the span of an operation if the service reports that it has ended. */
  told(operation: Operation): void {
    const { EndTimestamp, Id, Status } = operation
    if (isFinal(operation)) this.ended(Id, EndTimestamp ?? this.#millis(), Status, reportedError(operation))
  }

  /** Begins the span of an attempt of a step. */
  attempt<R>(claim: Claim, number: number, services: Context.Context<R>): Watched<R> {
    const operation = this.#open.get(claim.id)?.span
    operation?.attribute("durable.attempt.number", number)
    const span = this.#make(`${claim.name} attempt ${number}`, {
      parent: operation ?? this.#external(operationSpanId(this.#options.executionArn, claim.id)),
      links: [{ span: this.invocation, attributes: {} }],
      start: this.#now(),
      attributes: { ...attributesOf(claim), "durable.attempt.number": number }
    })
    const ended = (exit: Exit.Exit<unknown, unknown>): void => {
      if (executionOf(claim.fiber)?.parts.lifetime.isOpen !== true) return this.#end(span, incomplete)
      span.attribute("durable.attempt.outcome", Exit.isSuccess(exit) ? "SUCCEEDED" : "FAILED")
      if (Exit.isSuccess(exit)) return this.#end(span, Exit.void)
      const type = errorTypeOf(exit.cause)
      span.attribute("error.type", type)
      this.#end(span, failure(type))
    }
    return { services: Context.add(services, Tracer.ParentSpan, span), ended }
  }

  /** Returns the span to which the code of a namespace belongs: that of the invocation for the workflow itself. */
  in(namespace: Namespace): Tracer.AnySpan {
    return namespace.recorded.id === "" ? this.invocation : this.#parentIn(namespace)
  }

  /** Returns the trace header for a function that an operation calls. */
  traceHeader(claim: Claim): string {
    return writeTraceHeader({
      traceId: this.#traceId,
      parent: operationSpanId(this.#options.executionArn, claim.id),
      sampled: this.#options.header?.sampled ?? "1"
    })
  }

  /**
   * Ends the spans of open operations that no later invocation exports, that of the invocation, and that of the execution
   * if it has ended.
   */
  end(status: InvocationStatus): void {
    const exit = status === "FAILED" ? failure(status) : status === "RETRYING" ? incomplete : Exit.void
    const isOver = status === "SUCCEEDED" || status === "FAILED"
    for (const [id, { span, started }] of this.#open) {
      // A later invocation exports it as the same span, if there is one and the tracer accepts known ids.
      const isToldLater = !isOver && span.spanId === operationSpanId(this.#options.executionArn, id)
      if (!started || isToldLater) continue
      span.attribute("durable.operation.status", "STARTED")
      this.#end(span, incomplete)
    }
    this.invocation.attribute("durable.invocation.status", status)
    this.#end(this.invocation, exit)
    if (isOver) this.#endWorkflow(status, exit)
  }

  #endWorkflow(status: string, exit: Exit.Exit<void, Error>): void {
    const options = {
      id: this.#workflow.spanId,
      start: nanos(this.#options.startedAt),
      attributes: { "durable.execution.status": status }
    }
    const root = this.#make("Workflow", options)
    // If the tracer does not accept ids, a root begins its own trace. That span is never ended, so it is not exported.
    const span = root.traceId === this.#traceId ? root : this.#make("Workflow", { ...options, parent: this.#workflow })
    this.#end(span, exit)
  }

  #parentIn(namespace: Namespace): Tracer.AnySpan {
    const { id } = namespace.recorded
    if (id === "") return this.#workflow
    return this.#open.get(id)?.span ?? this.#external(operationSpanId(this.#options.executionArn, id))
  }

  #external(spanId: string): Tracer.ExternalSpan {
    return Tracer.externalSpan({ traceId: this.#traceId, spanId })
  }

  #make(
    name: string,
    options: {
      readonly start: bigint
      readonly attributes: Attributes
      readonly parent?: Tracer.AnySpan
      readonly id?: string
      readonly links?: Array<Tracer.SpanLink>
    }
  ): Tracer.Span {
    const { attributes, id, links = [], parent, start } = options
    const make = (): Tracer.Span =>
      this.#tracer.span({
        name,
        parent: Option.fromUndefinedOr(parent),
        annotations: Context.empty(),
        links,
        startTime: start,
        kind: "internal",
        root: parent === undefined,
        sampled: true
      })
    const span = id === undefined ? make() : withIds({ traceId: this.#traceId, spanId: id }, make)
    span.attribute("durable.execution.arn", this.#options.executionArn)
    for (const [key, value] of Object.entries(attributes)) span.attribute(key, value)
    return span
  }

  /** Ends a span now, or at a time of the service, whose clock may be behind the local one. */
  #end(span: Tracer.Span, exit: Exit.Exit<void, Error>, at = this.#now()): void {
    span.end(at < span.status.startTime ? span.status.startTime : at, exit)
  }

  #now(): bigint {
    return this.#options.clock.currentTimeNanosUnsafe()
  }

  #millis(): number {
    return this.#options.clock.currentTimeMillisUnsafe()
  }
}

const attributesOf = ({ id, kind, name }: Claim): Attributes => ({
  "durable.operation.id": id,
  "durable.operation.type": kind.type,
  "durable.operation.name": name,
  "durable.operation.subtype": kind.subType
})

const reportedError = ({ CallbackDetails, ChainedInvokeDetails, Status }: Operation): string | undefined =>
  Status === "SUCCEEDED" ? undefined : ((ChainedInvokeDetails ?? CallbackDetails)?.Error?.ErrorType ?? Status)

/** Creates a failure that reports only the type of an error. */
const failure = (type: string): Exit.Exit<never, Error> => {
  const error = new Error(type)
  error.name = type
  error.stack = type
  return Exit.fail(error)
}

/** The exit of a span that continues in another invocation: neither a success nor an error. */
const incomplete: Exit.Exit<never> = Exit.interrupt()

/** Returns whole milliseconds in nanoseconds: the fraction only orders events within a millisecond. */
const nanos = (millis: number): bigint => BigInt(Math.floor(millis)) * 1_000_000n
