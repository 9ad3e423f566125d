/**
 * Naps: sleeps of less than a second, which no operation records.
 *
 * Owns: when a nap has its place in the stream of outcomes.
 * Does not own: that stream.
 *
 * Invariants:
 * 1. A nap ends in the stream at the time when it began plus its length.
 * 2. It gets its place once everything before that time is known: the service has reported something later, nothing
 *    else of the workflow is in progress, or the service was polled. The service is polled at most once a second.
 * 3. A row of naps in which nothing is delivered or recorded keeps an invocation alive no longer than work outside does.
 *
 * @since 0.1.0
 */
import type { Door } from "./Claim.ts"
import type { Core } from "./Core.ts"

/** The factor by which a row of naps may outlast the limit of work outside if nothing else would wake the execution. */
const patience = 60

export class Naps {
  readonly #parts: Core
  readonly #all = new Map<Door, () => void>()
  readonly #reach: (doors: ReadonlyArray<Door>) => void
  readonly #isAlone: () => boolean
  #asked = -Infinity
  #delay = 1_000
  #since: number | undefined
  /** The time up to which the stream is known because of naps. */
  #passed = -Infinity

  constructor(
    parts: Core,
    host: { readonly reach: (doors: ReadonlyArray<Door>) => void; readonly isAlone: () => boolean }
  ) {
    this.#parts = parts
    this.#reach = host.reach
    this.#isAlone = host.isAlone
  }

  get size(): number {
    return this.#all.size
  }

  /**
   * Returns whether only naps have ended for as long as work outside may take, or for much longer if nothing else would
   * ever wake the execution.
   */
  isTiring(isWoken: boolean): boolean {
    const { host, settings } = this.#parts
    const limit = settings.outsideLimit * (isWoken ? 1 : patience)
    return this.#since !== undefined && host.now() - this.#since >= limit
  }

  /** Notes that an outcome was delivered, or that something was recorded. */
  progressed(): void {
    this.#since = undefined
    this.#delay = 1_000
  }

  /** Adds a fiber that naps at a door. */
  add(door: Door, millis: number): void {
    const { history, host } = this.#parts
    if (door.at <= Math.max(history.newestStamp, this.#passed)) return this.#reach([door])
    this.#since ??= host.now()
    door.leave = () => this.#forget(door)
    this.#all.set(
      door,
      host.after(millis, () => this.#elapsed(door))
    )
  }

  /** Removes a fiber that no longer naps. */
  #forget(door: Door): void {
    const stop = this.#all.get(door)
    if (stop === undefined) return
    this.#all.delete(door)
    stop()
  }

  #elapsed(door: Door): void {
    if (!this.#all.has(door)) return
    if (this.#isAlone()) return this.#wake(door)
    const { host, outbox } = this.#parts
    const wait = this.#asked + this.#delay - host.now()
    if (wait > 0) {
      this.#all.set(
        door,
        host.after(wait, () => this.#elapsed(door))
      )
      return
    }
    this.#asked = host.now()
    this.#delay = Math.min(this.#delay * 2, 10_000)
    outbox.ask(() => this.#wake(door))
  }

  #wake(door: Door): void {
    if (!this.#all.has(door)) return
    this.#passed = Math.max(this.#passed, door.at)
    this.look()
  }

  /**
   * Readies the naps before something that the service has reported, or before the end of a nap: everything before that is
   * known.
   */
  look(): void {
    if (this.#all.size === 0) return
    const known = Math.max(this.#parts.history.newestStamp, this.#passed)
    const due = Array.from(this.#all).filter(([{ at }]) => at <= known)
    for (const [door, stop] of due) {
      this.#all.delete(door)
      stop()
    }
    if (due.length > 0) this.#reach(due.map(([door]) => door))
  }
}
