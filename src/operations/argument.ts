/**
 * The arguments of operations that a caller without types may get wrong: an effect, a list, a function, a contract, a
 * retry policy.
 *
 * Owns: the defect for such an argument, and what counts as an effect, as a list and as a retry policy. Does not own: other
 * options, names and durations.
 *
 * Invariants:
 * 1. A wrong argument is a defect of its operation. Nothing is thrown where the operation is made.
 * 2. The message shows the kind of what was found, and nothing of its content, unless it is an option.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import { hasProperty } from "effect/Predicate"
import { InvalidOptions } from "../DurableError.ts"
import { kindOf } from "../internal/found.ts"

/**
 * Fails an operation, whose name may be another wrong argument, because of an argument. For an option, `describe` is
 * `describeFound`.
 */
export const unfit = (
  operation: unknown,
  argument: string,
  expected: string,
  found: unknown,
  advice: string,
  describe = kindOf
): Effect.Effect<never> =>
  Effect.die(
    new InvalidOptions({
      operation: String(operation),
      message: `Expected the ${argument} of "${String(operation)}" to be ${expected}, found ${describe(found)}. ${advice}`
    })
  )

/** Returns an effect, or the defect for anything else. */
export const effectIn = (found: unknown, operation: unknown): Effect.Effect<unknown, unknown, unknown> =>
  Effect.isEffect(found)
    ? found
    : unfit(operation, "effect", "an Effect", found, "Wrap it in Effect.sync or Effect.promise.")

/** Returns the defect for anything that is no retry policy. */
export const noPolicy = (found: unknown, operation: unknown, argument: string): Effect.Effect<never> | undefined =>
  hasProperty(found, "decide") && typeof found.decide === "function"
    ? undefined
    : unfit(operation, argument, "a RetryPolicy", found, "RetryPolicy.fromSchedule creates one from a Schedule.")

/** Checks whether something is a list of items. An effect, which can be iterated, is none. */
export const isList = (found: unknown): found is Iterable<unknown> =>
  Symbol.iterator in cast<unknown, object>(Object(found)) && !Effect.isEffect(found)
