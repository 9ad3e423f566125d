/**
 * Ids of spans that every invocation of an execution knows in advance, because they are derived from the execution: so
 * the spans of all its invocations are one trace, and an operation is the same span wherever it is spoken of.
 *
 * Owns: how such ids and the trace header are made and read, and how a tracer is made to use an id.
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

/** What an X-Ray trace header says: which trace, which segment of it, and whether it is sampled. */
export interface TraceHeader {
  readonly traceId: string
  readonly parent: string | undefined
  readonly sampled: string
}

/** Reads `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`; anything else is no header. */
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

/** The trace of an execution that was not started within one: its start in seconds, and a hash of its ARN. */
export const traceIdOf = (executionArn: string, startMillis: number): string =>
  (Math.floor(Math.max(0, startMillis) / 1_000) >>> 0).toString(16).padStart(8, "0") + md5(executionArn).slice(0, 24)

/** The span of the whole execution. */
export const workflowSpanId = (executionArn: string): string => md5(`workflow:${executionArn}`).slice(0, 16)

/** The span of an operation. */
export const operationSpanId = (executionArn: string, id: string): string => md5(`${executionArn}:${id}`).slice(0, 16)

/** The ids of the span that is being made in this very moment, if they are to be known ones. */
let wanted: SpanIds | undefined

export const generateTraceId = (): string => wanted?.traceId ?? Hex.random(32)

export const generateSpanId = (): string => wanted?.spanId ?? Hex.random(16)

/**
 * Makes a span that has known ids, where its tracer allows that: one that asks the generator above, or one whose spans
 * choose their ids when they are looked at first, as those of Effect's own tracers do.
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
