/**
 * The telemetry of executions in addition to their logs: the metrics that they count, and the ids of their spans.
 *
 * Metrics are always counted, in the registry of Effect, at almost no cost when nothing reads them. Spans are created
 * when the layer of the handler has a `Tracer`. Neither holds a payload, a result, a token or a callback id.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"
import { generateSpanId, generateTraceId } from "./telemetry/SpanIds.ts"

/**
 * The generator of span ids for an OpenTelemetry SDK. It gives an operation the same span id in every invocation of its
 * execution. Set it in the configuration of the tracer provider; spans outside of executions get random ids.
 *
 * Effect's own tracers (`Otlp`, and the tracer of the dev tools) need no generator.
 *
 * @example
 * ```ts
 * import * as OtelTracer from "@effect/opentelemetry/OtelTracer"
 * import { BasicTracerProvider, ConsoleSpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base"
 * import { Telemetry } from "effect-durable"
 * import * as Layer from "effect/Layer"
 *
 * const provider = new BasicTracerProvider({
 *   idGenerator: Telemetry.idGenerator,
 *   spanProcessors: [new SimpleSpanProcessor(new ConsoleSpanExporter())]
 * })
 *
 * export const Tracing = Layer.provide(OtelTracer.layer, Layer.succeed(OtelTracer.OtelTracerProvider, provider))
 * ```
 *
 * @category spans
 * @since 0.1.0
 */
export const idGenerator: {
  /** 32 hexadecimal digits. */
  readonly generateTraceId: () => string
  /** 16 hexadecimal digits. */
  readonly generateSpanId: () => string
} = { generateTraceId, generateSpanId }

/**
 * Operations that workflows asked for, by `durable.operation.type` (`STEP`, `WAIT`, …) and `durable.operation.origin`: a
 * `fresh` operation has no record yet, a `resumed` one has a record without an outcome, a `replayed` one has its outcome.
 *
 * @category metrics
 * @since 0.1.0
 */
export const operations: Metric.Counter<number> = Metric.counter("durable.operations", {
  description: "Operations that workflows asked for",
  incremental: true
})

/**
 * Invocations that ended, by `durable.invocation.status`: `SUCCEEDED`, `FAILED`, `PENDING`, or `RETRYING` for one that
 * ended without an answer and will be repeated.
 *
 * @category metrics
 * @since 0.1.0
 */
export const invocations: Metric.Counter<number> = Metric.counter("durable.invocations", {
  description: "Invocations that ended",
  incremental: true
})

/**
 * Invocations that ended because the execution could only wait.
 *
 * @category metrics
 * @since 0.1.0
 */
export const suspensions: Metric.Counter<number> = Metric.counter("durable.suspensions", {
  description: "Suspensions of executions",
  incremental: true
})

/**
 * Failed attempts of steps that were followed by another attempt.
 *
 * @category metrics
 * @since 0.1.0
 */
export const stepRetries: Metric.Counter<number> = Metric.counter("durable.step.retries", {
  description: "Failed attempts of steps that are repeated",
  incremental: true
})

/**
 * Milliseconds from a checkpoint request to its acknowledgement, including its repetitions and all pages of the new
 * state.
 *
 * @category metrics
 * @since 0.1.0
 */
export const checkpointDuration: Metric.Histogram<number> = Metric.histogram("durable.checkpoint.duration", {
  description: "Time until a checkpoint is acknowledged",
  attributes: { unit: "ms" },
  boundaries: [5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000]
})

/**
 * Updates in each checkpoint request that was acknowledged. A request without updates only asks for changes.
 *
 * @category metrics
 * @since 0.1.0
 */
export const checkpointUpdates: Metric.Histogram<number> = Metric.histogram("durable.checkpoint.updates", {
  description: "Updates per checkpoint",
  boundaries: [0, 1, 2, 5, 10, 20, 50, 100, 250]
})

/**
 * Requests to the checkpoint service that were repeated because it was unavailable.
 *
 * @category metrics
 * @since 0.1.0
 */
export const checkpointRetries: Metric.Counter<number> = Metric.counter("durable.checkpoint.retries", {
  description: "Repeated requests to the checkpoint service",
  incremental: true
})
