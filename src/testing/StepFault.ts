/**
 * Faults of steps from outside of the program: attempts that fail before the body runs.
 *
 * Owns: which attempts fail. Does not own: the consequence of a failed attempt, which the step decides as usual.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Attempt } from "../execution/Listener.ts"
import { describeFound, kindOf } from "../internal/found.ts"
import { picks } from "./pattern.ts"
import { TestFailure } from "./TestFailure.ts"

/**
 * The first attempts of some steps, and the failure that replaces their bodies.
 *
 * @category models
 * @since 0.1.0
 */
export interface StepFault {
  readonly _tag: "StepFault"
  readonly step: string | RegExp | ((path: string) => boolean)
  /** The number of attempts of each step. */
  readonly attempts: number
  readonly failure: Effect.Effect<never, unknown>
}

/** @internal */
export const isStepFault = (value: object): value is StepFault => "_tag" in value && value._tag === "StepFault"

/**
 * Fails the first attempts of a step: `failure` runs in place of its body, and the retry policy of the step decides about
 * further attempts.
 *
 * `step` is the name of the step or its path (`"shipping/label"`), a pattern for paths, or a predicate for paths; each
 * matching step has its own first attempts. An error has to match the Schema of the step, like one of the body. The
 * submitter of `Durable.waitForCallback` is a step too (`"approval/submit"`), and so is each check of
 * `Durable.waitForCondition`, although a failed check is not repeated.
 *
 * **Throws** a `TestFailure` if `attempts` is neither a whole number of at least 1 nor `Infinity`.
 *
 * @example
 * ```ts
 * import { TestEngine } from "effect-durable/testing"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 *
 * class Declined extends Schema.TaggedError<Declined>()("Declined", { code: Schema.String }) {}
 *
 * export const declinedTwice = TestEngine.failFirst("charge", 2, Effect.fail(new Declined({ code: "51" })))
 * export const hangs = TestEngine.failFirst("charge", 1, Effect.andThen(Effect.sleep("30 seconds"), Effect.die("no answer")))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const failFirst = (
  step: string | RegExp | ((path: string) => boolean),
  attempts: number,
  failure: Effect.Effect<never, unknown>
): StepFault => {
  if (!(Number.isSafeInteger(attempts) && attempts >= 1) && attempts !== Infinity)
    throw new TestFailure({
      message: `Expected TestEngine.failFirst to get a whole number of attempts of at least 1, or Infinity, found ${describeFound(attempts)}.`
    })
  if (!Effect.isEffect(failure))
    throw new TestFailure({
      message: `Expected TestEngine.failFirst to get an Effect that fails, found ${kindOf(failure)}. Use Effect.fail or Effect.die.`
    })
  return { _tag: "StepFault", step, attempts, failure }
}

/** Returns the failure that replaces the body of an attempt, if there is one. */
export const faultOf = (
  faults: ReadonlyArray<StepFault>,
  { name, number, path }: Attempt
): Effect.Effect<never, unknown> | undefined =>
  faults.find(
    ({ attempts, step }) => number <= attempts && picks(step, typeof step === "string" ? [path, name] : [path])
  )?.failure
