/**
 * The fibers that a workflow or a block leaves running when it ends.
 *
 * Owns: that their durable finalizers run, also when the execution continues as another one.
 * Does not own: raw finalizers, which run at the end of every invocation.
 *
 * Invariants:
 * 1. An execution is handed over only when every durable finalizer has ended, unless a finalizer hands it over: a finalizer
 *    cannot wait for itself.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Namespace } from "../execution/Namespace.ts"
import { executionOf, type Parts } from "../execution/Parts.ts"
import { InFinalizer } from "../execution/References.ts"

/** Lets go of every other fiber of the workflow, and waits for their durable finalizers. */
export const letGoOfOthers = (parts: Parts): Effect.Effect<void> =>
  Effect.withFiber((self) =>
    Effect.callback<void>((resume) => {
      const others = Array.from(parts.fibers.live.keys()).filter((fiber) => fiber !== self)
      parts.delivery.abandon([parts.root], others, () => resume(Effect.void))
    })
  )

/**
 * Lets go of the fibers that a block has left in its namespace, and closes the namespace once their durable finalizers have
 * ended.
 */
export const letGoWithin = (parts: Parts, namespace: Namespace): Effect.Effect<void> =>
  Effect.withFiber((self) =>
    Effect.callback<void>((resume) => {
      const left = Array.from(parts.fibers.live.keys()).filter(
        (fiber) => fiber !== self && namespace.holds(executionOf(fiber)?.namespace)
      )
      parts.delivery.letGo([namespace], left, () => resume(Effect.void))
    })
  )

/** Hands the execution over to another one, once all durable finalizers of the workflow have run. */
export const handOver = (parts: Parts, executionArn: string): Effect.Effect<never> =>
  Effect.withFiber((self) => {
    const { delivery, fibers, lifetime, root } = parts
    const verdict = { _tag: "Continued", executionArn } as const
    // A finalizer that hands over cannot wait for itself.
    if (self.getRef(InFinalizer)) {
      lifetime.end(verdict)
      return lifetime.inert
    }
    lifetime.decide()
    delivery.letGo([root], fibers.live.keys(), () => lifetime.end(verdict))
    return Effect.never
  })
