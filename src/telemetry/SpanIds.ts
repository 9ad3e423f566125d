/**
 * Ids of spans that are derived from the execution, so that every invocation knows them in advance. The spans of all
 * invocations are one trace, and an operation is the same span in all of them.
 *
 * Owns: how such ids and the trace header are created and read, and how a tracer is made to use an id.
 * Does not own: which spans there are.
 *
 * @since 0.1.0
 */
import * as Hex from "effect/encoding/Hex"
import * as Predicate from "effect/Predicate"
import type * as Tracer from "effect/Tracer"
import { md5 } from "../internal/md5.ts"

export interface SpanIds {
  readonly traceId: string
  readonly spanId: string
}

/** The content of an X-Ray trace header: the trace, its segment, and whether it is sampled. */
export interface TraceHeader {
  readonly traceId: string
  readonly parent: string | undefined
  readonly sampled: string
}

/**
 * Reads `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`. Returns nothing for any other text.
 */
export const parseTraceHeader = (text: string | undefined): TraceHeader | undefined => {
  const root = /(?:^|;)\s*Root=1-([0-9a-f]{8})-([0-9a-f]{24})(?=;|\s|$)/i.exec(text ?? "")
  if (text === undefined || root === null) return undefined
  return {
    traceId: `${root[1]}${root[2]}`.toLowerCase(),
    parent: /(?:^|;)\s*Parent=([0-9a-f]{16})(?=;|\s|$)/i.exec(text)?.[1]?.toLowerCase(),
    sampled: /(?:^|;)\s*Sampled=([01])/.exec(text)?.[1] ?? "1"
  }
}

export const writeTraceHeader = ({ parent, sampled, traceId }: TraceHeader): string =>
  `Root=1-${traceId.slice(0, 8)}-${traceId.slice(8)}${parent === undefined ? "" : `;Parent=${parent}`};Sampled=${sampled}`

/**
 * Returns the trace id of an execution that was not started within a trace: its start in seconds, and a hash of its ARN.
 */
export const traceIdOf = (executionArn: string, startMillis: number): string =>
  (Math.floor(Math.max(0, startMillis) / 1_000) >>> 0).toString(16).padStart(8, "0") + md5(executionArn).slice(0, 24)

/** Returns the id of the span of the whole execution. */
export const workflowSpanId = (executionArn: string): string => md5(`workflow:${executionArn}`).slice(0, 16)

/** Returns the id of the span of an operation. */
export const operationSpanId = (executionArn: string, id: string): string => md5(`${executionArn}:${id}`).slice(0, 16)

/** The ids of the span that is being created at this moment, if they are known ids. */
let wanted: SpanIds | undefined

export const generateTraceId = (): string => wanted?.traceId ?? Hex.random(32)

export const generateSpanId = (): string => wanted?.spanId ?? Hex.random(16)

/**
 * Creates a span with known ids, if its tracer allows that: a tracer that calls the generators above, or one whose spans
 * choose their ids when they are first read, as those of Effect's own tracers do.
 */
export const withIds = (ids: SpanIds, make: () => Tracer.Span): Tracer.Span => {
  wanted = ids
  try {
    const span = make()
    if (Predicate.hasProperty(span, "_spanId") && span._spanId === undefined) {
      Object.assign(span, { _spanId: ids.spanId, _traceId: ids.traceId })
    }
    return span
  } finally {
    wanted = undefined
  }
}
