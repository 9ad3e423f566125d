/**
 * Faults between a workflow and the service that stores its record, for any backend: wrap its `CheckpointStore`, and a seed
 * decides which requests are disturbed. The test engine supports more faults.
 *
 * Owns: the options. Does not own: the implementation of the faults.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CheckpointStore } from "../CheckpointStore.ts"
import { Crashes, crashes, reportMissed, show } from "./Crash.ts"
import { faulty, type Options } from "./FaultyStore.ts"
import { TestFailure } from "./TestFailure.ts"
import { wrong, type ClockOptions } from "./WrongClock.ts"

export { crashes } from "./Crash.ts"
export type { Crash, Crashed, Point, Side } from "./Crash.ts"
export type { Fault, Kind, Options } from "./FaultyStore.ts"
export type { ClockOptions } from "./WrongClock.ts"

/**
 * Wraps the `CheckpointStore` of the layer below, so that its requests suffer the faults of the options.
 *
 * A store sees requests and no invocations. Faults that require the host of the functions have options there. On the test
 * engine these are a second delivery of an invocation's event (`crash: "twice:1"`), an invocation that takes too long
 * (`invocationTimeout`), and clocks, stamps and silent answers (`faults`); on the local engine it is the `timeout` of a
 * function.
 *
 * **Defects**: `TestFailure` for an invalid option, and for crashes that have not happened when the layer is released after a
 * success. {@link around} has no release, and reports none.
 *
 * @example
 * ```ts
 * import { LambdaCheckpoints } from "effect-durable/lambda"
 * import { Faults } from "effect-durable/testing"
 * import * as Layer from "effect/Layer"
 *
 * // For LambdaHandler.make(…, { checkpoints }): a tenth of the requests is throttled, and the fifth is never made.
 * export const checkpoints = Faults.layer({ seed: 7, throttle: 0.1, crash: "before:5" }).pipe(
 *   Layer.provide(LambdaCheckpoints.layer)
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<CheckpointStore, never, CheckpointStore> =>
  Layer.effect(
    CheckpointStore,
    Effect.gen(function* () {
      const { crashes: killer, store } = disturbed(yield* CheckpointStore, options)
      yield* reportMissed(killer, "Run the workflow on the store with these faults.")
      return store
    })
  )

/**
 * Wraps an existing store as {@link layer} does.
 *
 * **Throws** a `TestFailure` for an invalid option.
 *
 * @example
 * ```ts
 * import type { CheckpointStore } from "effect-durable"
 * import { Faults } from "effect-durable/testing"
 *
 * export const unreliable = (store: CheckpointStore.CheckpointStore["Service"]) =>
 *   Faults.around(store, { seed: 7, lost: 0.1, delay: 0.2, longest: "2 seconds" })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const around = (store: CheckpointStore["Service"], options: Options): CheckpointStore["Service"] =>
  disturbed(store, options).store

const disturbed = (
  store: CheckpointStore["Service"],
  options: Options
): { readonly store: CheckpointStore["Service"]; readonly crashes: Crashes } => {
  const points = crashes(options.crash)
  const twice = points.find(({ side }) => side === "twice")
  if (twice !== undefined)
    throw new TestFailure({
      message: `Expected crashes of the sides before, after and lost, found "${show(twice)}". A store has no event that could be delivered twice: use the option crash of TestEngine.layer.`
    })
  const inner = faulty(store, options)
  const killer = new Crashes(points, false, { runAgain: () => {}, crashed: options.onCrash })
  return {
    crashes: killer,
    store: { ...inner, checkpoint: (request) => killer.around(request, inner.checkpoint(request)) }
  }
}

/**
 * A process clock that is off, or goes back: for the layer of a handler. Sleeps keep their length.
 *
 * @example
 * ```ts
 * import { Faults } from "effect-durable/testing"
 *
 * export const layer = Faults.clock({ ahead: "3 minutes", back: "20 millis" })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const clock = (options: ClockOptions): Layer.Layer<never> =>
  Layer.effect(
    Clock.Clock,
    Effect.map(Effect.service(Clock.Clock), (right) => wrong(right, options))
  )

/**
 * The further faults of the test engine, which controls the events of invocations, their clocks and the stamps of the
 * service.
 *
 * @category models
 * @since 0.1.0
 */
export interface EngineOptions extends Omit<Options, "crash" | "pageItems"> {
  /** The share of checkpoints at which the event of the invocation is delivered a second time. */
  readonly again?: number | undefined
  /** The clock of the functions. Default: unchanged virtual time. */
  readonly clock?: Omit<ClockOptions, "seed"> | undefined
  /** Whether the service stamps whole milliseconds, as AWS does, so that many events have the same time. Default: false. */
  readonly wholeMillis?: boolean | undefined
  /**
   * With `wholeMillis`, how many milliseconds the clocks are behind that stamp external events, the ends of callbacks and of
   * calls. Default: 0.
   */
  readonly behind?: number | undefined
  /**
   * With `wholeMillis`, without `delay` and without `clock`, the share of checkpoints whose answer does not repeat their own
   * updates.
   */
  readonly silent?: number | undefined
}
