/**
 * Waiting for work that no operation records.
 *
 * Owns: how long the invocation waits for such work, how long recorded outcomes are held back for it, and the warnings
 * about it.
 * Does not own: which fibers are outside, which the run queue notes.
 *
 * Invariants:
 * 1. For a grace time after a fiber went outside, no unclaimed record is skipped. After the grace time, unclaimed
 *    records neither block new work nor count as contradictions until the last such fiber is back. The first time that
 *    this makes a difference, a warning is logged.
 * 2. When everything else waits, the invocation waits for work outside for at most `outsideLimit`. After that, the
 *    execution is suspended if the service will wake it, and paused if work is held back for another invocation. Both
 *    happen earlier if the invocation would end before. Otherwise the invocation fails. In each case a message names
 *    the place of the work.
 * 3. An execution is reported as stuck only after everything that the runtime cannot see had enough time to act.
 *    Neither this nor the end of the limit counts while a fiber of the workflow is about to run, or computes across
 *    turns of the event loop.
 * 4. One warning for each place in the code explains that results from outside are not recorded.
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
  /** Whether work is held back for another invocation. */
  readonly isHeldBack: () => boolean
}

export class Outside {
  /** Whether the grace time is over. */
  isLenient = false
  /** Whether the limit has passed, and the execution has to be paused. */
  isOver = false
  readonly #parts: Core
  readonly #host: OutsideHost
  readonly #told = new Set<string>()
  #isAnyOutside = false
  #grace = 0
  #hasPassedOver = false
  #stopGrace: (() => void) | undefined
  #stopLimit: (() => void) | undefined
  #stopDoubt: (() => void) | undefined

  constructor(parts: Core, host: OutsideHost) {
    this.#parts = parts
    this.#host = host
  }

  /** Whether a fiber is outside, or a hold runs, and the grace time is not over. */
  get isHolding(): boolean {
    return this.#isAnyOutside && !this.isLenient
  }

  /** Updates whether any fiber is outside, or a hold runs. */
  look(isAnyOutside: boolean): void {
    this.#isAnyOutside = isAnyOutside
    if (!isAnyOutside) {
      this.isLenient = false
      this.#endGrace()
      // A promise that no fiber waits for keeps its limit.
      if (!this.#parts.fibers.isOutside) this.moved()
      return
    }
    this.#tell()
    if (this.#stopGrace !== undefined || this.isLenient || this.#parts.history.unclaimed === 0) return
    this.#startGrace()
  }

  /**
   * Starts the grace time. It runs on two clocks, that of the process and that of the host, by which a fiber outside may
   * sleep; the first to elapse ends it.
   */
  #startGrace(): void {
    const { host, settings } = this.#parts
    const over = (): void => {
      this.#endGrace()
      this.isLenient = true
      this.#host.wake()
    }
    this.#grace = this.#shortened
    const stops = [settings.startTimer(this.#grace, over), host.after(this.#grace, over)]
    this.#stopGrace = () => {
      for (const stop of stops) stop()
    }
  }

  #endGrace(): void {
    this.#stopGrace?.()
    this.#stopGrace = undefined
  }

  /** Warns that new work begins although a fiber outside might still ask for recorded operations. */
  passOver(work: Work): void {
    if (this.#hasPassedOver) return
    this.#hasPassedOver = true
    this.#parts.listener.warned?.(Contradiction.passedOver(this.#parts, work, this.#grace))
  }

  /**
   * The length of the grace time, in milliseconds. Work that may begin after it has to begin before the execution can
   * be suspended or the invocation runs out of time.
   */
  get #shortened(): number {
    const { outsideGrace, outsideLimit } = this.#parts.settings
    return Math.min(outsideGrace, outsideLimit, Math.floor(this.#left / 2))
  }

  /**
   * Starts the limit, because nothing else makes progress. If the invocation ends before the limit does, it keeps
   * enough time to suspend the execution, and waits no longer than that allows.
   */
  wait(): void {
    if (this.#stopLimit !== undefined) return
    const { host, settings } = this.#parts
    const over = (waited: number): void => {
      this.moved()
      this.#giveUp(waited)
    }
    const [limit, left] = [settings.outsideLimit, this.#left]
    const stops = [settings.startTimer(limit, () => over(limit))]
    // This timer uses the clock of the deadline.
    if (0 < left && left < limit) stops.push(host.after(left, () => this.#mayEnd && over(left)))
    this.#stopLimit = () => {
      for (const stop of stops) stop()
    }
  }

  /** How much of the remaining time can be spent on waiting, in milliseconds. The invocation needs the rest to end. */
  get #left(): number {
    const { host, settings } = this.#parts
    const left = (settings.deadline ?? Infinity) - host.now()
    return Math.max(0, Math.floor(left - Math.min(1_000, left / 10)))
  }

  /** Whether the invocation may end without this work. */
  get #mayEnd(): boolean {
    return this.#host.isHeldBack() || this.#host.hasDurable()
  }

  /**
   * Calls `decide` unless something makes progress before that: nothing does now, no fiber is known to be outside, and
   * nothing will wake the execution. Work that the runtime cannot see, such as a promise that no fiber waits for, gets
   * as much time as work outside. An invocation that ends before, and has recorded something, leaves the decision to
   * the next invocation, which gets to this point sooner.
   */
  doubt(decide: (isQuiet: boolean) => void): void {
    const { outbox, settings } = this.#parts
    const limit = Math.min(settings.outsideLimit, this.#left)
    this.certain()
    this.#stopDoubt = settings.whenQuiet(limit, (isQuiet = false) => {
      this.#stopDoubt = undefined
      if (!this.#isAtRest) return
      const isCutShort = limit < settings.outsideLimit && outbox.counts.updates > 0
      if (isCutShort && !isQuiet) this.fail(limit)
      else decide(isQuiet)
    })
  }

  /** Cancels {@link doubt}: something has made progress, or is about to. */
  certain(): void {
    this.#stopDoubt?.()
    this.#stopDoubt = undefined
  }

  /**
   * Fails the invocation. Nothing has made progress, so fibers wait for something that the runtime cannot see, and that
   * may come in another invocation.
   */
  fail(waited = this.#parts.settings.outsideLimit): void {
    const { lifetime } = this.#parts
    if (lifetime.isOpen) lifetime.end(failed(`The invocation has waited ${waited} ms for ${unseen}.`))
  }

  /** Stops the limit: something else makes progress after all. */
  moved(): void {
    this.#stopLimit?.()
    this.#stopLimit = undefined
    this.isOver = false
  }

  stop(): void {
    this.#endGrace()
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
        "Its result is not recorded: the work runs again on every replay, and its result may then differ. Put it into a Durable.step."
      listener.outside?.(place, message)
      if (!history.isReplaying) listener.warned?.(message)
    }
  }

  /** Describes the work outside of steps that fibers wait for, for messages and reports. */
  describe(): ReadonlyArray<string> {
    const { fibers, placeOf } = this.#parts
    const places = [...fibers.outside].flatMap(([fiber, place]) =>
      fiber.getRef(InHold) === undefined ? [place ?? describe(placeOf(fiber))] : []
    )
    return places.length === 0 ? [] : [`work outside of steps (${places.join(", ")})`]
  }

  /**
   * Whether still nothing makes progress. A fiber that is back and computes for long lets time pass, and waits after
   * that.
   */
  get #isAtRest(): boolean {
    return this.#parts.lifetime.isOpen && !this.#parts.fibers.queued
  }

  #giveUp(waited: number): void {
    const { lifetime, listener, outbox } = this.#parts
    if (!this.#isAtRest) return
    const [work = unseen] = this.describe()
    const message = `The invocation has waited ${waited} ms for ${work}.`
    if (!this.#mayEnd) return lifetime.end(failed(message))
    if (outbox.isBusy) {
      outbox.flush()
      return this.wait()
    }
    listener.warned?.(
      `${message} This work is interrupted now, and starts again when the execution resumes. Put it into a Durable.step, or keep the invocation alive with Durable.hold.`
    )
    if (!this.#host.isHeldBack()) return lifetime.end(suspended)
    this.isOver = true
    this.#host.wake()
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

/** Notes that a fiber draws a number or an identifier, and warns if the order of draws may differ between runs. */
export const tellDrawn = ({ fibers, history, listener }: Core, fiber: AnyFiber, namespace: Namespace): void => {
  if (!namespace.draws(fibers.userOf(fiber))) return
  const message =
    `Two fibers of ${describe(namespace.path, "the workflow")} draw random numbers or identifiers, and one of them ` +
    "draws after work that no operation records, such as a promise, so the order of the draws depends on timing. Put the work into a Durable.step, or give " +
    "each branch numbers of its own with Durable.forEach, Durable.all or Durable.child."
  listener.outside?.(undefined, message)
  if (!history.isReplaying) listener.warned?.(message)
}
