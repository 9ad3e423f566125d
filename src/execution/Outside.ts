/**
 * Work that no operation records, while an invocation waits for it.
 *
 * Owns: how long it is waited for, how long recorded outcomes are held back for it, and what is told about it.
 * Does not own: which fibers are outside, which their queue notes.
 *
 * Invariants:
 * 1. Nothing is passed over for a grace time after a fiber went outside. Then what is recorded and not asked for neither
 *    blocks nor contradicts, until the last such fiber is back.
 * 2. When all else waits, work outside is waited for at most for `outsideLimit`. Then the execution is suspended, if the
 *    service will wake it; otherwise the invocation fails. Either way somebody is told where the work is.
 * 3. It is told once per place that what comes from outside decides nothing that is recorded.
 *
 * @since 0.1.0
 */
import { InvocationFailed } from "../DurableError.ts"
import type { Core } from "./Core.ts"
import { suspended } from "./Lifetime.ts"
import { InHold } from "./References.ts"

/** Captured early: a test framework may replace the timers of the process later, and the run queue watches them. */
const { clearTimeout, setTimeout } = globalThis

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
  #grace: ReturnType<typeof setTimeout> | undefined
  #limit: ReturnType<typeof setTimeout> | undefined

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
    if (this.#grace !== undefined || this.isLenient || this.#parts.history.unclaimed === 0) return
    this.#grace = setTimeout(() => {
      this.#grace = undefined
      this.isLenient = true
      this.#host.wake()
    }, this.#parts.settings.outsideGrace)
  }

  /** Nothing else moves. */
  wait(): void {
    this.#limit ??= setTimeout(() => {
      this.#limit = undefined
      this.#giveUp()
    }, this.#parts.settings.outsideLimit)
  }

  /** Something else moves after all. */
  moved(): void {
    if (this.#limit === undefined) return
    clearTimeout(this.#limit)
    this.#limit = undefined
  }

  stop(): void {
    clearTimeout(this.#grace)
    this.#grace = undefined
    this.moved()
  }

  /** Whether the process has something under way that may wake a fiber although no fiber is known to wait for it. */
  get isPossible(): boolean {
    const names: ReadonlyArray<string> = globalThis.process?.getActiveResourcesInfo?.() ?? []
    return names.some((name) =>
      /Req|^FSEvent|^Process|^ChildProcess|^Worker|^Zlib|^PBKDF2|^Random|^Sign|^Check/.test(name)
    )
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
    const work = places.length === 0 ? "something that it cannot see" : `work outside of steps (${places.join(", ")})`
    const waited = `The invocation has waited ${settings.outsideLimit} ms for ${work}.`
    if (!this.#host.hasDurable()) {
      const message = `${waited} Nothing else would ever wake the execution, so the service repeats the invocation. Put the work into a Durable.step, or raise outsideLimit.`
      return lifetime.end({ _tag: "Aborted", error: new InvocationFailed({ reason: "outside", message }) })
    }
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

const describe = (path: string | undefined): string =>
  path === undefined || path === "" ? "The workflow" : `"${path}"`
