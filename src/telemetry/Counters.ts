/**
 * The counters of one invocation.
 *
 * Owns: plain numbers while the invocation runs, and their conversion to metrics when it ends.
 * Does not own: when something counts, and the meaning of the metrics, which `Telemetry.ts` defines.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import type { ClaimedType } from "../execution/Claim.ts"
import * as Telemetry from "../Telemetry.ts"
import type { InvocationStatus } from "./Spans.ts"

/** The record of an operation that the code asks for: none, one without an outcome, or one with an outcome. */
export type Origin = "fresh" | "resumed" | "replayed"

type Tally = Record<Origin, number>

const none = (): Tally => ({ fresh: 0, resumed: 0, replayed: 0 })

export class Counters {
  readonly #operations: Record<ClaimedType, Tally> = {
    STEP: none(),
    CONTEXT: none(),
    WAIT: none(),
    CALLBACK: none(),
    CHAINED_INVOKE: none()
  }
  /** The milliseconds, and the number of updates, of each request that was acknowledged. */
  readonly #durations: Array<number> = []
  readonly #updates: Array<number> = []
  /** The number of step attempts that are repeated, and of requests that were repeated. */
  stepRetries = 0
  requestRetries = 0

  claimed(type: ClaimedType, origin: Origin): void {
    this.#operations[type][origin]++
  }

  acknowledged(updates: number, millis: number): void {
    this.#durations.push(millis)
    this.#updates.push(updates)
  }

  /** Adds all numbers to the metrics of an environment. It is called once. */
  flush(services: Context.Context<never>): void {
    for (const [{ origin, type }, metric] of operations) add(metric, this.#operations[type][origin], services)
    for (const millis of this.#durations) Telemetry.checkpointDuration.updateUnsafe(millis, services)
    for (const updates of this.#updates) Telemetry.checkpointUpdates.updateUnsafe(updates, services)
    add(Telemetry.stepRetries, this.stepRetries, services)
    add(Telemetry.checkpointRetries, this.requestRetries, services)
  }
}

/** Counts an invocation by its status. */
export const countStatus = (status: InvocationStatus, services: Context.Context<never>): void => {
  invocations[status].updateUnsafe(1, services)
  if (status === "PENDING") Telemetry.suspensions.updateUnsafe(1, services)
}

type Counter = Metric.Metric<number, Metric.CounterState<number>>

/** Adds a count to a series. A count of 0 would create the series, and is omitted. */
const add = (metric: Counter, count: number, services: Context.Context<never>): void => {
  if (count > 0) metric.updateUnsafe(count, services)
}

/** The series of operations, which all invocations share. */
const operations = (["STEP", "CONTEXT", "WAIT", "CALLBACK", "CHAINED_INVOKE"] as const).flatMap((type) =>
  (["fresh", "resumed", "replayed"] as const).map(
    (origin): readonly [{ readonly type: ClaimedType; readonly origin: Origin }, Counter] => [
      { type, origin },
      Metric.withAttributes(Telemetry.operations, {
        "durable.operation.type": type,
        "durable.operation.origin": origin
      })
    ]
  )
)

const ended = (status: InvocationStatus): Counter =>
  Metric.withAttributes(Telemetry.invocations, { "durable.invocation.status": status })

const invocations: Readonly<Record<InvocationStatus, Counter>> = {
  SUCCEEDED: ended("SUCCEEDED"),
  FAILED: ended("FAILED"),
  PENDING: ended("PENDING"),
  RETRYING: ended("RETRYING")
}
