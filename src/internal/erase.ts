/**
 * Effects whose requirements are forgotten, for the hosts of tests, which handle effects of all types alike.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import { cast } from "effect/Function"

/**
 * Forgets what an effect requires. The types of the public functions demand it, so the context in which the runtime runs
 * the effect has it. Inside, the runtime handles effects of all types alike.
 */
export const erase = <A, E>(effect: Effect.Effect<A, E, unknown>): Effect.Effect<A, E> =>
  cast<Effect.Effect<A, E, unknown>, Effect.Effect<A, E>>(effect)
