/**
 * What the tests of telemetry share: run a workflow on the test engine, and see everything that it logs, exports as spans
 * and counts.
 */
import * as OtelTracer from "@effect/opentelemetry/OtelTracer"
import { SpanStatusCode } from "@opentelemetry/api"
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan
} from "@opentelemetry/sdk-trace-base"
import { CheckpointStore, Durable, DurableFunction, Telemetry } from "effect-durable"
import { LambdaLogger } from "effect-durable/lambda"
import { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Schema from "effect/Schema"
import type { HistoryEvent } from "../../src/wire/HistoryEvent.ts"
import type { Operation } from "../../src/wire/Operation.ts"

/** A span as it was exported. */
export interface Told {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parent: string | undefined
  readonly status: "unset" | "ok" | "error"
  readonly message: string | undefined
  readonly attributes: Readonly<Record<string, unknown>>
  /** The ids of the spans that it links to. */
  readonly links: ReadonlyArray<string>
  readonly events: ReadonlyArray<Readonly<Record<string, unknown>>>
  /** Milliseconds since the epoch. */
  readonly start: number
  readonly end: number
}

/** A record as the logger of handlers writes it. */
export type Line = Readonly<Record<string, unknown>>

export interface Observed {
  readonly executionArn: string
  readonly result: Exit.Exit<unknown, unknown>
  readonly spans: ReadonlyArray<Told>
  readonly lines: ReadonlyArray<Line>
  readonly metrics: ReadonlyArray<Metric.Metric.Snapshot>
  readonly operations: ReadonlyArray<Operation>
  readonly history: ReadonlyArray<HistoryEvent>
  readonly requests: ReadonlyArray<CheckpointStore.CheckpointRequest>
  readonly invocations: number
}

export interface Options {
  /** Whether the tracer provider has the id generator. Default: yes. */
  readonly ids?: boolean
  /** Functions besides the workflow. */
  readonly functions?: ReadonlyArray<TestEngine.Stub | typeof callee>
  readonly payload?: Schema.Json
  /** What stands in the place of the OpenTelemetry SDK. */
  readonly tracing?: Layer.Layer<never>
  /** More about logs, such as their level. */
  readonly logs?: Layer.Layer<never>
}

export const Work = DurableFunction.make("work", { payload: Schema.Json, success: Schema.Json })

/** A durable function that workflows may invoke. */
export const Callee = DurableFunction.make("callee", { success: Schema.Json })
export const callee = Callee.implement(() => Durable.step("work of the callee", Effect.succeed(null)))

/** Runs a body as a workflow until its execution is over. */
export const observe = (
  body: Effect.Effect<Schema.Json | void, never, Durable.Execution>,
  options: Options = {}
): Effect.Effect<Observed> =>
  Effect.suspend(() => {
    const exporter = new InMemorySpanExporter()
    const lines: Array<Line> = []
    const requests: Array<CheckpointStore.CheckpointRequest> = []
    const telemetry = Layer.mergeAll(
      options.tracing ?? openTelemetry(exporter, options.ids ?? true),
      Logger.layer([Logger.map(LambdaLogger.format, (line) => void lines.push(JSON.parse(line)))]),
      Layer.succeed(Metric.MetricRegistry, new Map()),
      options.logs ?? Layer.empty
    )
    const work = Work.implement(() => Effect.map(body, (value) => value ?? null))
    return Effect.gen(function* () {
      const store = yield* CheckpointStore.CheckpointStore
      const { checkpoint } = store
      Object.assign(store, {
        checkpoint: (request: CheckpointStore.CheckpointRequest) => {
          requests.push(request)
          return checkpoint(request)
        }
      })
      const run = yield* TestEngine.start(Work, options.payload ?? null, { executionName: "one" })
      const result = yield* Effect.exit(run.result)
      const history = yield* run.history
      return {
        executionArn: run.executionArn,
        result,
        history,
        operations: yield* run.operations(),
        invocations: history.filter((event) => event.EventType === "InvocationCompleted").length,
        spans: exporter.getFinishedSpans().map(told),
        lines,
        requests,
        metrics: yield* Metric.snapshot
      }
    }).pipe(
      Effect.provide(TestEngine.layer([work, ...(options.functions ?? [])]).pipe(Layer.provideMerge(telemetry))),
      Effect.orDie
    )
  })

const openTelemetry = (exporter: InMemorySpanExporter, ids: boolean) =>
  Layer.provide(
    OtelTracer.layer,
    Layer.sync(
      OtelTracer.OtelTracerProvider,
      () =>
        new BasicTracerProvider({
          spanProcessors: [new SimpleSpanProcessor(exporter)],
          ...(ids ? { idGenerator: Telemetry.idGenerator } : undefined)
        })
    )
  )

const statuses = {
  [SpanStatusCode.UNSET]: "unset",
  [SpanStatusCode.OK]: "ok",
  [SpanStatusCode.ERROR]: "error"
} as const

const told = (span: ReadableSpan): Told => ({
  name: span.name,
  traceId: span.spanContext().traceId,
  spanId: span.spanContext().spanId,
  parent: span.parentSpanContext?.spanId,
  status: statuses[span.status.code],
  message: span.status.message,
  attributes: span.attributes,
  links: span.links.map((link) => link.context.spanId),
  events: span.events.map(({ attributes, name }) => ({ name, ...attributes })),
  start: millis(span.startTime),
  end: millis(span.endTime)
})

const millis = ([seconds, nanos]: readonly [number, number]): number => seconds * 1_000 + nanos / 1_000_000

/** The messages of records, in order. */
export const messages = ({ lines }: Pick<Observed, "lines">): ReadonlyArray<unknown> =>
  lines.map(({ message }) => message)

/** The spans of a name. */
export const named = ({ spans }: Pick<Observed, "spans">, name: string): ReadonlyArray<Told> =>
  spans.filter((span) => span.name === name)

/** The only span of a name. */
export const only = (observed: Pick<Observed, "spans">, name: string): Told => {
  const [span, ...others] = named(observed, name)
  if (span === undefined || others.length > 0) {
    throw new Error(
      `Expected one span "${name}", found ${named(observed, name).length} among ${observed.spans.map((found) => found.name).join(", ")}.`
    )
  }
  return span
}
