/**
 * OnExit: runs a cleanup when an effect really ends.
 *
 * Owns: that a finalizer runs for whatever reason the effect ended, and never because the execution is suspended. Until it
 * has run, the operation around it is not over, although it may have been cancelled.
 * Does not own: how long the finalizer takes.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import { Execution } from "../execution/Parts.ts"
import { InFinalizer, isLetGo, type Finalizer } from "../execution/References.ts"
import { effectIn, unfit } from "./argument.ts"
import { inBothForms } from "./forms.ts"
import { letGoOfForked } from "./letGo.ts"
import type { Body } from "./Operation.ts"

/**
 * Runs a finalizer when an effect ends, for any reason except a suspension of the execution.
 *
 * The reason may be a success, an error, a defect, a time-out, a lost race, a failed sibling, an interruption, the end
 * of the block or the workflow that forked the effect, or `continueWith`. The operation that cancels the effect waits
 * for the finalizer, which may use durable operations. Effect's own finalizers (`ensuring`, `acquireRelease`, `onExit`)
 * run at every suspension: use them for resources of this process. In a pipe: `effect.pipe(onExit(finalizer))`.
 *
 * **Errors** and **Defects**: those of the effect and of the finalizer.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const rented = Durable.onExit(
 *   Durable.wait("rental", "2 days"),
 *   () => Durable.step("return-car", Effect.void)
 * )
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const onExit: {
  // The shorter form comes first: for a wrong call, the compiler reports the first form that accepts the number of
  // arguments.
  <A, E, X, E2, R2>(
    finalizer: (exit: Exit.Exit<NoInfer<A>, NoInfer<E>>) => Effect.Effect<X, E2, R2>
  ): <R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | E2, R | R2 | Execution>
  <A, E, R, X, E2, R2>(
    effect: Effect.Effect<A, E, R>,
    finalizer: (exit: Exit.Exit<A, E>) => Effect.Effect<X, E2, R2>
  ): Effect.Effect<A, E | E2, R | R2 | Execution>
} = /* @__PURE__ */ inBothForms(0, "function", (effect: Body, finalizer: (exit: Exit.Exit<unknown, unknown>) => Body) =>
  Effect.withFiber((fiber) => {
    if (typeof finalizer !== "function")
      return unfit(owner, "finalizer", "a function", finalizer, "It takes the exit, and returns an Effect.")
    const services = cast<Context.Context<never>, Context.Context<Execution>>(fiber.context)
    const { namespace, parts } = Context.get(services, Execution)
    const own: Finalizer = { around: fiber.getRef(InFinalizer), isOver: false }
    const left = namespace.addFinalizer()
    const leave = (): void => {
      own.isOver = true
      // What was cancelled meanwhile has omitted this fiber, so that the finalizer could run.
      if (isLetGo(namespace, fiber)) fiber.interruptUnsafe(fiber.id)
      if (namespace.standing === "abandoned") letGoOfForked(parts)
      left()
    }
    return Effect.onExit(effect, (exit) =>
      parts.lifetime.isOpen
        ? Effect.ensuring(
            Effect.asVoid(
              Effect.provideService(
                Effect.suspend(() => effectIn(finalizer(exit), owner)),
                InFinalizer,
                own
              )
            ),
            Effect.sync(leave)
          )
        : Effect.sync(leave)
    )
  })
)

const owner = "Durable.onExit"
