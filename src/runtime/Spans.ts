/**
 * The spans of one invocation: one for each operation over its whole life, told by the invocation that sees its end; one
 * for each attempt of a step; one for the invocation; and one for the execution, told when it is over.
 *
 * Names and attributes are those of AWS's plugins for OpenTelemetry ("execution view"). Errors are told by their types:
 * messages hold whatever the user put there.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import type { Operation } from "../wire/Operation.ts"
import type { DurableContext } from "./DurableContext.ts"
import type { Claim } from "./Execution.ts"
import { isFinal } from "./Journal.ts"
import { errorTypeOf } from "./Outcome.ts"
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
  readonly first: boolean
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
    const { beganAt, executionArn, first, header, startedAt } = options
    this.#tracer = tracer
    this.#options = options
    this.#traceId = header?.traceId ?? traceIdOf(executionArn, startedAt)
    this.#workflow = this.#external(workflowSpanId(executionArn))
    this.invocation = this.#make("Invocation", {
      parent: this.#workflow,
      start: nanos(beganAt),
      attributes: { "durable.invocation.first": first }
    })
  }

  static make(services: Context.Context<never>, options: Options): Spans | undefined {
    const tracer = tracerIn(services)
    return tracer === undefined ? undefined : new Spans(tracer, options)
  }

  /** The code asked for an operation. One that ended while no invocation ran is told now. */
  claimed(claim: Claim, endedBefore: boolean): void {
    const { record } = claim
    if (record !== undefined && isFinal(record) && !endedBefore) return
    const span = this.#make(claim.name, {
      parent: this.#parentIn(claim.context),
      id: operationSpanId(this.#options.executionArn, claim.id),
      start: record === undefined ? this.#now() : nanos(record.StartTimestamp),
      attributes: attributesOf(claim)
    })
    this.#open.set(claim.id, { span, started: record !== undefined })
    if (record !== undefined && endedBefore) this.reported(record)
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

  /** The service says how an operation stands. */
  reported(operation: Operation): void {
    const { EndTimestamp, Id, Status } = operation
    if (isFinal(operation)) this.ended(Id, EndTimestamp ?? this.#millis(), Status, reportedError(operation))
  }

  /** One attempt of a step, around its body. */
  attempt<A, E, R>(claim: Claim, number: number, body: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.suspend(() => {
      const operation = this.#open.get(claim.id)?.span
      operation?.attribute("durable.attempt.number", number)
      const span = this.#make(`${claim.name} attempt ${number}`, {
        parent: operation ?? this.#external(operationSpanId(this.#options.executionArn, claim.id)),
        links: [{ span: this.invocation, attributes: {} }],
        start: this.#now(),
        attributes: { ...attributesOf(claim), "durable.attempt.number": number }
      })
      const end = (exit: Exit.Exit<A, E>): void => {
        if (claim.run.phase !== "running") return this.#end(span, incomplete)
        span.attribute("durable.attempt.outcome", Exit.isSuccess(exit) ? "SUCCEEDED" : "FAILED")
        if (Exit.isSuccess(exit)) return this.#end(span, Exit.void)
        const type = errorTypeOf(exit.cause)
        span.attribute("error.type", type)
        this.#end(span, failure(type))
      }
      return Effect.onExit(Effect.provideService(body, Tracer.ParentSpan, span), (exit) => Effect.sync(() => end(exit)))
    })
  }

  /** The span to which the code of a context belongs, which is that of the invocation for the workflow itself. */
  in(context: DurableContext): Tracer.AnySpan {
    return context.recorded.id === "" ? this.invocation : this.#parentIn(context)
  }

  /** What a function is told that an operation invokes. */
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
      // A later invocation tells it as the same span, if there is one and if that is possible.
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

  #parentIn(context: DurableContext): Tracer.AnySpan {
    const { id } = context.recorded
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

const attributesOf = ({ id, name, subType, type }: Claim): Attributes => ({
  "durable.operation.id": id,
  "durable.operation.type": type,
  "durable.operation.name": name,
  "durable.operation.subtype": subType
})

const reportedError = ({ CallbackDetails, ChainedInvokeDetails, Status }: Operation): string | undefined =>
  Status === "SUCCEEDED" ? undefined : ((ChainedInvokeDetails ?? CallbackDetails)?.Error?.ErrorType ?? Status)

/** An error of which only the type is told. */
const failure = (type: string): Exit.Exit<never, Error> => {
  const error = new Error(type)
  error.name = type
  error.stack = type
  return Exit.fail(error)
}

/** Neither a success nor an error: what goes on in another invocation. */
const incomplete: Exit.Exit<never> = Exit.interrupt()

const nanos = (millis: number): bigint => BigInt(Math.round(millis)) * 1_000_000n
