/**
 * What happens to waiting fibers and running work when a namespace is abandoned or closed, an operation is refused, or the
 * invocation ends.
 *
 * Owns: in which order a namespace, its doors and its fibers are released, and the effect with which each fiber
 * continues.
 * Does not own: the decision, and the standing of a namespace.
 *
 * Invariants:
 * 1. A fiber that waits in a closed namespace gets an error that says so. Nothing waits or begins there any more.
 * 2. After a namespace was abandoned, only its durable finalizers continue. The namespace closes when the last of them has ended.
 * 3. Work that runs for an operation ends when no fiber waits for the operation any more.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { LimitExceeded } from "../DurableError.ts"
import type { Claim, Door } from "./Claim.ts"
import * as Contradiction from "./Contradiction.ts"
import type { Core } from "./Core.ts"
import type { Doors } from "./Doors.ts"
import type { AnyFiber } from "./Fibers.ts"
import type { Namespace } from "./Namespace.ts"
import type { Running } from "./Running.ts"
import { isAbandoned, type Work, type Works } from "./Work.ts"

export class Release {
  readonly #parts: Core
  readonly #doors: Doors
  readonly #works: Works
  readonly #running: Running

  constructor(parts: Core, others: { readonly doors: Doors; readonly works: Works; readonly running: Running }) {
    this.#parts = parts
    this.#doors = others.doors
    this.#works = others.works
    this.#running = others.running
  }

  /** Makes a fiber continue without an outcome, even in a region that cannot be interrupted. */
  #free(door: Door, effect: Effect.Effect<never>): void {
    if (door.isGone) return
    this.#doors.leave(door)
    if (door.claim !== undefined) this.#running.cutOff(door.claim)
    door.resume(effect)
  }

  /** Does the same for fibers that wait for work to begin. */
  #freeWork(forsaken: ReadonlyArray<Work>, effectOf: (work: Work) => Effect.Effect<never>): void {
    for (const work of forsaken) {
      this.#works.drop(work)
      work.free?.(effectOf(work))
    }
  }

  /** Refuses to record an operation. Its fiber gets the mistake in place of an outcome. */
  refuse(claim: Claim, mistake: LimitExceeded): void {
    const doors = Array.from(claim.doors)
    for (const door of doors) this.#free(door, Effect.die(mistake))
    if (doors.length === 0) this.#parts.lifetime.end({ _tag: "Condemned", mistake })
  }

  /**
   * Closes a namespace. From then on nothing in it is awaited, and nothing begins. The fibers that wait in it fail with
   * the mistake that it has ended. If the namespace was interrupted, that is not a mistake of these fibers, and they
   * are interrupted, too. If the invocation is ending, every fiber is interrupted anyway, each before those that it
   * waits for.
   */
  close(namespace: Namespace, isInterrupted: boolean): void {
    const freed = (ended: Namespace, path: string): Effect.Effect<never> =>
      isInterrupted ? Effect.interrupt : Contradiction.contextEnded(ended, path)
    const closed = namespace.close()
    let parked = 0
    for (const one of closed) {
      one.missed = one.unclaimed
      this.#parts.history.close(one)
      parked += one.parked
    }
    this.#doors.forgetClosed()
    if (!this.#parts.lifetime.isOpen) return
    this.#parts.fibers.own(undefined)
    this.#freeWork(
      this.#works.awaited(closed).filter(({ claim }) => !claim.isRoot),
      ({ claim }) => freed(claim.namespace, claim.path)
    )
    if (parked === 0) return
    for (const door of Array.from(this.#doors.all)) {
      const ended = [door.namespace, door.claim?.namespace].find((one) => one?.standing === "closed")
      if (ended !== undefined) this.#free(door, freed(ended, door.path))
    }
  }

  /**
   * Abandons namespaces: interrupts the given fibers of them; only their durable finalizers may still do something.
   * Calls `done` when these finalizers have ended and the namespaces are closed, at once if there are none. It does not
   * wait for other work.
   */
  letGo(namespaces: ReadonlyArray<Namespace>, fibers: Iterable<AnyFiber>, done: () => void): void {
    this.abandon(namespaces, fibers, () => {
      for (const namespace of namespaces) this.close(namespace, false)
      done()
    })
  }

  /** Does the same as {@link letGo}, but does not close the namespaces. */
  abandon(namespaces: ReadonlyArray<Namespace>, fibers: Iterable<AnyFiber>, done: () => void): void {
    // A finalizer that runs meanwhile may abandon others. It frees none of these, which are not all interrupted yet.
    const within = new Set(namespaces)
    for (const namespace of namespaces) namespace.abandon()
    this.#parts.fibers.own(undefined)
    for (const fiber of Array.from(fibers)) fiber.interruptUnsafe(fiber.id)
    for (const door of Array.from(this.#doors.all)) {
      const { isFinal, namespace } = door
      if (!isFinal && namespace.standing === "abandoned" && namespace.isWithin(within))
        this.#free(door, Effect.interrupt)
    }
    this.#freeWork(
      this.#works.awaited().filter((work) => isAbandoned(work) && work.claim.namespace.isWithin(within)),
      () => Effect.interrupt
    )
    let left = 1
    const finalized = (): void => {
      if (--left === 0) done()
    }
    for (const namespace of namespaces) {
      if (!namespace.hasFinalizers) continue
      left++
      namespace.onFinalized(finalized)
    }
    finalized()
  }

  /** Interrupts everything that waits or runs, because the invocation is ending. Returns these fibers. */
  stop(): ReadonlyArray<AnyFiber> {
    const fibers = new Set<AnyFiber>()
    for (const { fiber } of this.#running.bodies.values()) fibers.add(fiber)
    for (const door of Array.from(this.#doors.all)) {
      fibers.add(door.fiber)
      door.fiber.interruptUnsafe(door.fiber.id)
      this.#free(door, Effect.interrupt)
    }
    this.#freeWork(this.#works.awaited(), () => Effect.interrupt)
    for (const { fiber } of Array.from(this.#running.bodies.values())) fiber.interruptUnsafe(fiber.id)
    return Array.from(fibers)
  }
}
