/**
 * Timeout: races an effect with a wait, and records the winner.
 *
 * Owns: what happens when the wait wins. Does not own: the race.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { DurableTimeout } from "../DurableError.ts"
import type { Execution } from "../execution/Parts.ts"
import type {
  FromArguments,
  RecordOptions,
  RecordServices,
  Recordable,
  RecordedError,
  RecordedValue
} from "../Plain.ts"
import type { Recording } from "../values/Values.ts"
import {
  inBothForms,
  type Sensed,
  type FirstArguments,
  type Given,
  type InPipe,
  type LastArguments,
  type LastOptions
} from "./forms.ts"
import { claimByName, inWorkflow, type Body } from "./Operation.ts"
import { recordedRace } from "./race.ts"
import { typed, type AfterFirst, type Timeout } from "./typed.ts"
import { secondsLeft, waitUntil, whenKnown } from "./wait.ts"

/**
 * Adds a time-out to an effect, which may use durable operations: the effect races with a wait, and the winner is
 * recorded.
 *
 * When the time is up, the effect is interrupted, and each `onExit` in it runs before the time-out ends. External work
 * that it started, such as an invoked function, continues. If the effect wins, the wait stays open until its end. A
 * time-out costs two operations in addition to those of the effect. In a pipe:
 * `effect.pipe(timeout(name, limit, options))`.
 *
 * **Errors**: those of the effect, `DurableTimeout`. **Defects**: those of the effect; `InvalidDuration`,
 * `InvalidName`, `NameInUse`, `NestedOperation`.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const patient = Durable.timeout("patient", Durable.wait("think", "1 hour"), "5 minutes").pipe(
 *   Effect.catchTag("DurableTimeout", () => Effect.log("no answer in five minutes"))
 * )
 * ```
 *
 * @category concurrency
 * @since 0.1.0
 */
export const timeout: {
  <A = never, E = never, R = never, O extends RecordOptions<A> = Required<RecordOptions<A>>, V = never, W = unknown>(
    name: string,
    effect: Effect.Effect<A, E, R> & Sensed<V, W>,
    limit: Timeout,
    ...options: FirstArguments<V, W, A, E, O>
  ): Given<
    V,
    W,
    Effect.Effect<
      RecordedValue<A, O>,
      RecordedError<E, O> | DurableTimeout,
      FromArguments<R> | Execution | RecordServices<O>
    >
  >
  <O extends LastOptions<unknown, readonly [limit: Timeout]> = readonly [Timeout, ...Required<RecordOptions<never>>]>(
    name: string,
    ...limitAndOptions: LastArguments<O, unknown, readonly [limit: Timeout]>
  ): InPipe<O, PipedTimeout<AfterFirst<O>>>
} = /* @__PURE__ */ inBothForms(
  1,
  "object string number bigint",
  (name: string, effect: Body, limit: Timeout, recording?: Recording) =>
    typed(untypedTimeout(name, effect, limit, recording ?? {}))
)

/**
 * A {@link timeout} that takes its effect in a pipe.
 *
 * @category models
 * @since 0.1.0
 */
export interface PipedTimeout<O> {
  <A, E, R>(
    effect: Effect.Effect<A, E, R> & Recordable<A, E, O>
  ): Effect.Effect<
    RecordedValue<A, O>,
    RecordedError<E, O> | DurableTimeout,
    FromArguments<R> | Execution | RecordServices<O>
  >
}

// --- Implementation ------------------------------------------------------------------------------------------------------

/** Races an effect with a wait. */
const untypedTimeout = (name: string, body: Body, limit: Timeout, recording: Recording): Body =>
  inWorkflow(name, (execution, fiber) =>
    whenKnown(limit, execution, fiber, () => {
      const { parts } = execution
      const claim = claimByName(execution, fiber, { type: "CONTEXT", subType: "RunInChildContext" }, name)
      const timedOut = new DurableTimeout({ operation: claim.path })
      const expired = Effect.flatMap(waitUntil("timeout", limit), () => Effect.fail(timedOut))
      return recordedRace(parts, claim, [body, expired], {
        until: "end",
        pathOf: () => claim.path,
        recording,
        prepare: () =>
          Effect.flatMapEager(secondsLeft(claim, parts, limit), (seconds) =>
            seconds === undefined ? Effect.fail(timedOut) : Effect.succeed(seconds)
          )
      })
    })
  )
