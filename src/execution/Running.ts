/**
 * Work of operations that runs beside the workflow and can still produce an outcome.
 *
 * Owns: the bodies of attempts and other work that operations run, the holds, and the number of running conversions.
 * Does not own: the work itself, and the consequences of its end. Callers report when no fiber waits for a result any
 * more.
 *
 * Invariants:
 * 1. An operation has at most one running body. Cancelled work does not count: its end is ignored.
 * 2. The end of work is reported outside of the run queue of the workflow, and the queue is woken right after that.
 * 3. A hold whose fibers all wait for operations does not count as working.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { Claim } from "./Claim.ts"
import type { Core } from "./Core.ts"
import type { Doors } from "./Doors.ts"
import type { AnyFiber } from "./Fibers.ts"
import { describeHold, InHold, type Hold } from "./References.ts"

/** The running body of an attempt. It keeps the invocation alive. */
export interface Body {
  readonly claim: Claim
  readonly fiber: AnyFiber
  isCancelled?: boolean
}

export class Running {
  readonly bodies = new Map<Claim, Body>()
  readonly holds = new Set<Hold>()
  readonly #parts: Core
  readonly #doors: Doors
  #conversions = 0

  constructor(parts: Core, doors: Doors) {
    this.#parts = parts
    this.#doors = doors
  }

  /**
   * Runs the work of an operation outside of the run queue. Calls `ended` at its end, unless the work was cancelled, its
   * namespace was closed or the invocation ended before.
   */
  run<A, E>(claim: Claim, fork: () => Fiber.Fiber<A, E>, ended: (exit: Exit.Exit<A, E>) => void): void {
    const { fibers, lifetime, listener } = this.#parts
    const fiber = fibers.unwatched(fork)
    const body: Body = { claim, fiber }
    this.bodies.set(claim, body)
    fiber.addObserver((exit) => {
      if (this.bodies.get(claim) === body) this.bodies.delete(claim)
      listener.moved?.()
      if (body.isCancelled || !lifetime.isOpen || claim.namespace.standing === "closed") return
      ended(exit)
      fibers.wake()
    })
  }

  /** Interrupts the work of an operation whose fiber no longer waits. The outcome is ignored. */
  cancel(claim: Claim): Effect.Effect<void> {
    const body = this.#forget(claim)
    return body === undefined ? Effect.void : Fiber.interrupt(body.fiber)
  }

  /** Interrupts the work without waiting for its end, unless another fiber waits for the operation. */
  cutOff(claim: Claim): void {
    const body = claim.doors.length === 0 ? this.#forget(claim) : undefined
    body?.fiber.interruptUnsafe(body.fiber.id)
  }

  #forget(claim: Claim): Body | undefined {
    const body = this.bodies.get(claim)
    if (body === undefined) return undefined
    this.bodies.delete(claim)
    body.isCancelled = true
    return body
  }

  /** Runs a conversion on the scheduler of the host. */
  convert<A, E>(claim: Claim, conversion: Effect.Effect<A, E>, done: (exit: Exit.Exit<A, E>) => void): void {
    this.#conversions++
    const { fibers, host, lifetime } = this.#parts
    const fiber = fibers.unwatched(() => host.forkAs(claim.fiber, conversion))
    fiber.addObserver((exit) => {
      fibers.enqueue(() => {
        this.#conversions--
        fibers.own(claim.fiber)
        if (lifetime.isOpen) done(exit)
      })
    })
  }

  get isConverting(): boolean {
    return this.#conversions > 0
  }

  /** Whether a body runs. */
  get hasBodies(): boolean {
    return this.bodies.size > 0
  }

  /** Whether a body runs, or a hold has a fiber that waits for no operation. */
  get isAtWork(): boolean {
    return this.hasBodies || this.#holdsAreAtWork
  }

  get #holdsAreAtWork(): boolean {
    if (this.holds.size === 0) return false
    const parked = this.#doors.fibers
    for (const fiber of this.#parts.fibers.leaves()) {
      if (this.#isHeld(fiber) && !parked.has(fiber)) return true
    }
    return false
  }

  /**
   * Whether a hold may continue without a delivery. A fiber that waits for operations cannot, and neither can a fiber
   * that waits, through Effect's own constructs, for the fibers that it forked.
   */
  get mayHoldsMove(): boolean {
    if (this.holds.size === 0) return false
    const parked = this.#doors.fibers
    const { fibers } = this.#parts
    for (const [fiber, { children }] of fibers.live) {
      if (!this.#isHeld(fiber) || parked.has(fiber)) continue
      if (children === 0 || !fibers.isOfEffect(fiber)) return true
    }
    return false
  }

  #isHeld(fiber: AnyFiber): boolean {
    const hold = fiber.getRef(InHold)
    return hold !== undefined && this.holds.has(hold)
  }

  /** Describes, for messages, what runs. */
  describe(): ReadonlyArray<string> {
    const bodies = Array.from(this.bodies.values(), ({ claim }) => `the step "${claim.path}" is running`)
    const holds = Array.from(this.holds, (hold) => `${describeHold(hold)} is running`)
    return [...bodies, ...holds]
  }
}
