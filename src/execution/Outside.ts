/**
 * Work that no operation records, while an invocation waits for it.
 *
 * Owns: how long it is waited for, how long recorded outcomes are held back for it, and what is told about it.
 * Does not own: which fibers are outside, which their queue notes.
 *
 * Invariants:
 * 1. Nothing is passed over for a grace time after a fiber went outside. Then what is recorded and not asked for neither
 *    blocks nor contradicts, until the last such fiber is back: the first time that it would have is told.
 * 2. When all else waits, work outside is waited for at most for `outsideLimit`. Then the execution is suspended, if the
 *    service will wake it; otherwise the invocation fails. Either way somebody is told where the work is.
 * 3. An execution is found to be stuck only after all that nobody can see had its time to show.
 * 4. It is told once per place that what comes from outside decides nothing that is recorded.
 *
 * @since 0.1.0
 */
import { InvocationFailed } from "../DurableError.ts"
import * as Contradiction from "./Contradiction.ts"
import type { Core } from "./Core.ts"
import type { AnyFiber } from "./Fibers.ts"
import { suspended, type Verdict } from "./Lifetime.ts"
import type { Namespace } from "./Namespace.ts"
import { InHold } from "./References.ts"
import type { Work } from "./Work.ts"

export interface OutsideHost {
  readonly wake: () => void
  /** Whether the service will wake the execution. */
  readonly hasDurable: () => boolean
}

export class Outside {
  /** Whether the grace time is over. */
  isLenient = false
  readonly #parts: Core
  readonly #host: OutsideHost
  readonly #told = new Set<string>()
  #isSomebody = false
  #hasPassedOver = false
  #stopGrace: (() => void) | undefined
  #stopLimit: (() => void) | undefined
  #stopDoubt: (() => void) | undefined

  constructor(parts: Core, host: OutsideHost) {
    this.#parts = parts
    this.#host = host
  }

  /** Whether what is recorded waits for somebody who is outside. */
  get isHolding(): boolean {
    return this.#isSomebody && !this.isLenient
  }

  /** Somebody is outside, or nobody is. */
  look(isSomebody: boolean): void {
    this.#isSomebody = isSomebody
    if (!isSomebody) {
      this.isLenient = false
      this.stop()
      return
    }
    this.#tell()
    if (this.#stopGrace !== undefined || this.isLenient || this.#parts.history.unclaimed === 0) return
    this.#startGrace()
  }

  /** The grace time passes on the clock of the process, or on that of the host, by which somebody outside may sleep. */
  #startGrace(): void {
    const { host, settings } = this.#parts
    const over = (): void => {
      this.#stopGrace?.()
      this.#stopGrace = undefined
      this.isLenient = true
      this.#host.wake()
    }
    const stops = [settings.startTimer(this.#grace, over), host.after(this.#grace, over)]
    this.#stopGrace = () => {
      for (const stop of stops) stop()
    }
  }

  /** Something new is done although somebody outside might still ask for what is recorded. */
  passOver(work: Work): void {
    if (this.#hasPassedOver) return
    this.#hasPassedOver = true
    this.#parts.listener.warned?.(Contradiction.passedOver(this.#parts, work, this.#grace))
  }

  /** What may begin after the grace time has to begin before the execution can be suspended. */
  get #grace(): number {
    const { outsideGrace, outsideLimit } = this.#parts.settings
    return Math.min(outsideGrace, outsideLimit)
  }

  /** Nothing else moves. */
  wait(): void {
    this.#stopLimit ??= this.#parts.settings.startTimer(this.#parts.settings.outsideLimit, () => {
      this.#stopLimit = undefined
      this.#giveUp()
    })
  }

  /**
   * Nothing moves any more, nobody is known to be outside, and nothing will wake the execution. Calls back unless something
   * moves after all: what nobody can see, such as a promise that no fiber asks, gets as long as work outside does, but the
   * invocation has to end with the verdict.
   */
  doubt(decide: (isQuiet: boolean) => void): void {
    const { host, settings } = this.#parts
    const left = (settings.deadline ?? Infinity) - host.now() - 1_000
    this.certain()
    this.#stopDoubt = settings.whenQuiet(Math.max(0, Math.min(settings.outsideLimit, left)), (isQuiet) => {
      this.#stopDoubt = undefined
      decide(isQuiet === true)
    })
  }

  /** Something has moved, or is about to. */
  certain(): void {
    this.#stopDoubt?.()
    this.#stopDoubt = undefined
  }

  /** Nothing has moved: what fibers wait for is something that nobody can see, and no construct of Effect. */
  fail(): void {
    const { lifetime, settings } = this.#parts
    if (lifetime.isOpen) lifetime.end(failed(`The invocation has waited ${settings.outsideLimit} ms for ${unseen}.`))
  }

  /** Something else moves after all. */
  moved(): void {
    this.#stopLimit?.()
    this.#stopLimit = undefined
  }

  stop(): void {
    this.#stopGrace?.()
    this.#stopGrace = undefined
    this.moved()
    this.certain()
  }

  #tell(): void {
    const { fibers, history, listener, placeOf } = this.#parts
    for (const [fiber, place] of fibers.outside) {
      if (fiber.getRef(InHold) !== undefined) continue
      const where = place ?? placeOf(fiber) ?? ""
      if (this.#told.has(where)) continue
      this.#told.add(where)
      const message =
        `${describe(placeOf(fiber))} waits for a promise or a timer${place === undefined ? "" : ` at ${place}`} outside of a step. ` +
        "What comes of it is not recorded, and comes again, and maybe otherwise, on every replay. Put it into a Durable.step."
      listener.outside?.(place, message)
      if (!history.isReplaying) listener.warned?.(message)
    }
  }

  #giveUp(): void {
    const { fibers, lifetime, listener, outbox, placeOf, settings } = this.#parts
    if (!lifetime.isOpen) return
    const places = [...fibers.outside].map(([fiber, place]) => place ?? describe(placeOf(fiber)))
    const work = places.length === 0 ? unseen : `work outside of steps (${places.join(", ")})`
    const waited = `The invocation has waited ${settings.outsideLimit} ms for ${work}.`
    if (!this.#host.hasDurable()) return lifetime.end(failed(waited))
    if (outbox.isBusy) {
      outbox.flush()
      return this.wait()
    }
    listener.warned?.(
      `${waited} It is cut off now, and begins again when the execution goes on. Put it into a Durable.step, or keep the invocation alive with Durable.hold.`
    )
    lifetime.end(suspended)
  }
}

const unseen = "something that it cannot see"

const failed = (waited: string): Verdict => ({
  _tag: "Aborted",
  error: new InvocationFailed({
    reason: "outside",
    message: `${waited} Nothing else would ever wake the execution, so the service repeats the invocation. Put the work into a Durable.step, or raise outsideLimit.`
  })
})

const describe = (path: string | undefined, workflow = "The workflow"): string =>
  path === undefined || path === "" ? workflow : `"${path}"`

/** A fiber draws a number or an identifier: somebody is told if that has no order. */
export const tellDrawn = ({ fibers, history, listener }: Core, fiber: AnyFiber, namespace: Namespace): void => {
  if (!namespace.draws(fibers.userOf(fiber))) return
  const message =
    `Two fibers of ${describe(namespace.path, "the workflow")} draw random numbers or identifiers, and one of them gets ` +
    "there after work that no operation records, such as a promise, so who draws which depends on timing. Put the work into a Durable.step, or give " +
    "each branch numbers of its own with Durable.forEach, Durable.all or Durable.child."
  listener.outside?.(undefined, message)
  if (!history.isReplaying) listener.warned?.(message)
}
