/**
 * Behaviour of Effect that this library relies on and Effect does not promise. Each has a test of its own.
 *
 * Owns: what may be done with an effect that already has its exit; and that a fiber can end its children before it ends
 * itself.
 * Does not own: how Effect creates such effects and children.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { cast } from "effect/Function"

/** Returns the exit that an effect already is. `Effect.succeed`, `Effect.fail` and eager computations return one. */
export const exitOf = <A, E, R>(effect: Effect.Effect<A, E, R>): Exit.Exit<A, E> | undefined =>
  Exit.isExit(effect) ? cast<Effect.Effect<A, E, R>, Exit.Exit<A, E>>(effect) : undefined

/** Does the same as `Effect.catchDefect`, at once if the effect already has its exit. */
export const catchDefectEager = <A, E, B, E2, R = never>(
  effect: Effect.Effect<A, E, R>,
  f: (defect: unknown) => Effect.Effect<B, E2>
): Effect.Effect<A | B, E | E2, R> => {
  const exit = exitOf(effect)
  if (exit === undefined) return Effect.catchDefect(effect, f)
  if (Exit.isSuccess(exit)) return exit
  const die = exit.cause.reasons.find((reason) => reason._tag === "Die")
  return die === undefined ? exit : f(die.defect)
}

/** Interrupts the children of a fiber and waits for their end, as Effect does when the fiber ends, but before that. */
export const interruptChildren: Effect.Effect<void> = Effect.withFiber((fiber) => {
  const children = cast<typeof fiber, { readonly _children?: Set<Fiber.Fiber<unknown, unknown>> }>(fiber)._children
  return children === undefined || children.size === 0 ? Effect.void : Fiber.interruptAll(Array.from(children))
})
