/**
 * The clock of a workflow: it shows the same times at every replay, while bodies of steps, and the retry policies that
 * judge them, see the host's. It notes the sleeps that are under way, because a suspension cuts them short, and reports
 * long ones.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { DurableContext } from "./DurableContext.ts"
import { currentStrand, executionOf } from "./Execution.ts"
import { isReplaying } from "./Reached.ts"
import type { Run } from "./Run.ts"
import { CurrentUnit } from "./Supervisor.ts"

/** A fibre that sleeps. */
export interface Sleep {
  readonly duration: Duration.Duration
  readonly fiber: Fiber.Fiber<unknown, unknown>
}

/** The shortest sleep that a durable wait could take the place of, in milliseconds. */
const longSleep = 1_000

export class WorkflowClock implements Clock.Clock {
  readonly #run: Run
  /** The contexts whose long sleeps were reported. */
  readonly #reported = new Set<DurableContext>()
  readonly currentTimeMillis: Effect.Effect<number> = Effect.sync(() => this.currentTimeMillisUnsafe())
  readonly currentTimeNanos: Effect.Effect<bigint> = Effect.sync(() => this.currentTimeNanosUnsafe())
  readonly monotonicTimeNanos: Effect.Effect<bigint> = Effect.sync(() => this.monotonicTimeNanosUnsafe())

  constructor(run: Run) {
    this.#run = run
  }

  currentTimeMillisUnsafe(): number {
    const strand = currentStrand()
    return strand === undefined ? this.#run.clock.currentTimeMillisUnsafe() : Math.floor(strand.now)
  }

  currentTimeNanosUnsafe(): bigint {
    const strand = currentStrand()
    return strand === undefined ? this.#run.clock.currentTimeNanosUnsafe() : nanosOf(strand.now)
  }

  /** The time of a strand never goes back, so it is monotonic as it is. */
  monotonicTimeNanosUnsafe(): bigint {
    const strand = currentStrand()
    return strand === undefined ? this.#run.clock.monotonicTimeNanosUnsafe() : nanosOf(strand.now)
  }

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return Effect.withFiber((fiber) => {
      const { clock, sleeps } = this.#run
      const sleep = { duration, fiber }
      const report = this.#reportOf(sleep)
      return Effect.acquireUseRelease(
        Effect.sync(() => sleeps.add(sleep)),
        () => clock.sleep(duration),
        (_, exit) => {
          sleeps.delete(sleep)
          if (Exit.isSuccess(exit)) currentStrand()?.pass(Math.max(0, Duration.toMillis(duration)))
          // A sleep that the workflow itself cuts short, like that of a time-out in time, took no time.
          return Exit.isSuccess(exit) || this.#run.phase !== "running" ? report : Effect.void
        }
      )
    })
  }

  /** What a sleep that lasts is reported with: once per context and invocation, where the code was never before. */
  #reportOf({ duration, fiber }: Sleep): Effect.Effect<void> {
    const context = executionOf(fiber)?.context
    const isLong = Duration.toMillis(duration) >= longSleep
    if (
      !isLong ||
      context === undefined ||
      fiber.getRef(CurrentUnit) !== undefined ||
      isReplaying(this.#run, context)
    ) {
      return Effect.void
    }
    return Effect.suspend(() => {
      if (this.#reported.has(context)) return Effect.void
      this.#reported.add(context)
      return Effect.logWarning(
        `${context.path === "" ? "The workflow" : `"${context.path}"`} slept for ${Duration.format(duration)} outside of a step, ` +
          "which keeps the invocation running, and happens again on every replay. " +
          "Use Durable.wait, or Durable.timeout in the place of Effect.timeout."
      )
    })
  }
}

const nanosOf = (millis: number): bigint => BigInt(Math.round(millis * 1_000)) * BigInt(1_000)
