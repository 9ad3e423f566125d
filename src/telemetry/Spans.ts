/**
 * The spans of one invocation: one for each operation over its whole life, exported by the invocation that sees its end; one
 * for each attempt of a step; one for the invocation; and one for the execution, exported when it is over.
 *
 * Owns: which spans there are, when they begin and end, and what they say. Names and attributes are those of AWS's
 * plugins for OpenTelemetry ("execution view"). Errors are reported by their types: messages hold whatever the user put there.
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

/** How an invocation ended: with an answer, or without one, and then it is repeated. */
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
  /** Whether it is the first of its execution. */
  readonly isFirst: boolean
  readonly header: TraceHeader | undefined
  readonly clock: Clock.Clock
}

/** The tracer of an environment, if somebody put one there: the default of Effect makes spans that nobody sees. */
const tracerIn = (services: Context.Context<never>): Tracer.Tracer | undefined => {
  const tracer = Context.get(services, Tracer.Tracer)
  return tracer === Tracer.nativeTracer || !Context.get(services, References.TracerEnabled) ? undefined : tracer
}

export class Spans {
  readonly #tracer: Tracer.Tracer
  readonly #options: Options
  readonly #open = new Map<string, Open>()
  readonly #traceId: string
  /** The span of the execution, which is made last and known first. */
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

  /** The code asked for an operation. One that ended while no invocation ran is exported now. */
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

  /** The service knows of an operation. */
  started(id: string): void {
    const open = this.#open.get(id)
    if (open !== undefined) open.started = true
  }

  /** An operation ended, with the type of its error if it failed. */
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

  /** The service reports the state of an operation. */
  told(operation: Operation): void {
    const { EndTimestamp, Id, Status } = operation
    if (isFinal(operation)) this.ended(Id, EndTimestamp ?? this.#millis(), Status, reportedError(operation))
  }

  /** One attempt of a step. */
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

  /** The span to which the code of a namespace belongs, which is that of the invocation for the workflow itself. */
  in(namespace: Namespace): Tracer.AnySpan {
    return namespace.recorded.id === "" ? this.invocation : this.#parentIn(namespace)
  }

  /** The header for a function that an operation calls. */
  traceHeader(claim: Claim): string {
    return writeTraceHeader({
      traceId: this.#traceId,
      parent: operationSpanId(this.#options.executionArn, claim.id),
      sampled: this.#options.header?.sampled ?? "1"
    })
  }

  /** The invocation ended. */
  end(status: InvocationStatus): void {
    const exit = status === "FAILED" ? failure(status) : status === "RETRYING" ? incomplete : Exit.void
    const isOver = status === "SUCCEEDED" || status === "FAILED"
    for (const [id, { span, started }] of this.#open) {
      // A later invocation exports it as the same span, if there is one and if that is possible.
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
    // Where ids cannot be chosen, a root would begin a trace of its own. Such a span is never ended, so nobody sees it.
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

  /** Ends a span now, or at a time of the service, whose clock may be behind ours. */
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

/** An error of which only the type is reported. */
const failure = (type: string): Exit.Exit<never, Error> => {
  const error = new Error(type)
  error.name = type
  error.stack = type
  return Exit.fail(error)
}

/** Neither a success nor an error: what goes on in another invocation. */
const incomplete: Exit.Exit<never> = Exit.interrupt()

/** Whole milliseconds: a fraction only puts in order what happened within one. */
const nanos = (millis: number): bigint => BigInt(Math.floor(millis)) * 1_000_000n
