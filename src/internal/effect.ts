/**
 * What this library relies on that Effect does not promise. Each has a test of its own.
 *
 * Owns: what may be done with an effect that has its exit already; that a fiber can end its children before it ends itself.
 * Does not own: how such effects and children come into being, which is Effect's affair.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { cast } from "effect/Function"

/** The exit that an effect is already: `Effect.succeed`, `Effect.fail` and whatever was computed eagerly answer with one. */
export const exitOf = <A, E, R>(effect: Effect.Effect<A, E, R>): Exit.Exit<A, E> | undefined =>
  Exit.isExit(effect) ? cast<Effect.Effect<A, E, R>, Exit.Exit<A, E>>(effect) : undefined

/** As `Effect.catchDefect`, at once where there is an exit at once. */
export const catchDefectEager = <A, E, B, E2>(
  effect: Effect.Effect<A, E>,
  f: (defect: unknown) => Effect.Effect<B, E2>
): Effect.Effect<A | B, E | E2> => {
  const exit = exitOf(effect)
  if (exit === undefined) return Effect.catchDefect(effect, f)
  if (Exit.isSuccess(exit)) return exit
  const die = exit.cause.reasons.find((reason) => reason._tag === "Die")
  return die === undefined ? exit : f(die.defect)
}

/** What Effect does with the children of a fiber when it ends, done before: they are interrupted, and have ended. */
export const interruptChildren: Effect.Effect<void> = Effect.withFiber((fiber) => {
  const children = cast<typeof fiber, { readonly _children?: Set<Fiber.Fiber<unknown, unknown>> }>(fiber)._children
  return children === undefined || children.size === 0 ? Effect.void : Fiber.interruptAll(Array.from(children))
})
