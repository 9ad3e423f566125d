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
import type { AnyFiber } from "../execution/Fibers.ts"
import type { Namespace } from "../execution/Namespace.ts"
import { executionOf, type Parts } from "../execution/Parts.ts"
import { InFinalizer, isFinalizing, isLetGo } from "../execution/References.ts"

/** Cancels every other fiber of the workflow, and waits for their durable finalizers. */
export const letGoOfOthers = (parts: Parts): Effect.Effect<void> =>
  Effect.withFiber((self) =>
    Effect.callback<void>((resume) => {
      parts.delivery.abandon([parts.root], othersIn(parts, parts.root, self), () => resume(Effect.void))
    })
  )

/**
 * Cancels the fibers that a block has left in its namespace, and closes the namespace once their durable finalizers have
 * ended.
 */
export const letGoWithin = (parts: Parts, namespace: Namespace): Effect.Effect<void> =>
  Effect.withFiber((self) =>
    Effect.callback<void>((resume) => {
      parts.delivery.letGo([namespace], othersIn(parts, namespace, self), () => resume(Effect.void))
    })
  )

/**
 * Lists the fibers in namespaces, each before those that it forks, because it may handle their ends. Omits the fibers
 * that a durable finalizer needs, because the finalizer runs to its end.
 */
export const fibersIn = ({ fibers }: Parts, namespaces: ReadonlyArray<Namespace>): ReadonlyArray<AnyFiber> => {
  const wanted = new Set(namespaces)
  return Array.from(fibers.live.keys()).filter(
    (fiber) => !isFinalizing(fiber) && executionOf(fiber)?.namespace.isWithin(wanted) === true
  )
}

const othersIn = (parts: Parts, namespace: Namespace, self: AnyFiber): ReadonlyArray<AnyFiber> =>
  fibersIn(parts, [namespace]).filter((fiber) => fiber !== self)

/** Cancels the fibers that durable finalizers have left running, after everything else has been cancelled. */
export const letGoOfForked = ({ fibers }: Parts): void => {
  for (const fiber of Array.from(fibers.live.keys())) {
    const namespace = executionOf(fiber)?.namespace
    if (namespace === undefined || fiber.getRef(InFinalizer) === undefined || !isLetGo(namespace, fiber)) continue
    fiber.interruptUnsafe(fiber.id)
  }
}

/** Hands the execution over to another one, once all durable finalizers of the workflow have run. */
export const handOver = (parts: Parts, executionArn: string): Effect.Effect<never> =>
  Effect.withFiber((self) => {
    const { delivery, lifetime, root } = parts
    const verdict = { _tag: "Continued", executionArn } as const
    // A finalizer that hands over cannot wait for itself.
    if (isFinalizing(self)) {
      lifetime.end(verdict)
      return lifetime.inert
    }
    lifetime.decide()
    delivery.letGo([root], fibersIn(parts, [root]), () => lifetime.end(verdict))
    return Effect.never
  })
