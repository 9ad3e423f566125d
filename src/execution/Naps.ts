/**
 * Naps: sleeps of less than a second, which nothing records.
 *
 * Owns: when a nap has its place in the stream of outcomes.
 * Does not own: that stream.
 *
 * Invariants:
 * 1. A nap ends in the stream at the time at which it began, and its length.
 * 2. It has its place once everything before that is known: the service has told something later, or nothing else of the
 *    workflow is under way, or the service was asked. It is asked at most once a second.
 * 3. A row of naps without any outcome keeps an invocation alive no longer than work outside does.
 *
 * @since 0.1.0
 */
import type { Door } from "./Claim.ts"
import type { Core } from "./Core.ts"

interface Nap {
  readonly door: Door
}

export class Naps {
  readonly #parts: Core
  readonly #all = new Set<Nap>()
  readonly #reach: (door: Door) => void
  readonly #isAlone: () => boolean
  #asked = -Infinity
  #delay = 1_000
  #since: number | undefined

  constructor(parts: Core, host: { readonly reach: (door: Door) => void; readonly isAlone: () => boolean }) {
    this.#parts = parts
    this.#reach = host.reach
    this.#isAlone = host.isAlone
  }

  get size(): number {
    return this.#all.size
  }

  /** Whether nothing but naps has ended for as long as work outside may take. */
  get isTiring(): boolean {
    const { host, settings } = this.#parts
    return this.#since !== undefined && host.now() - this.#since >= settings.outsideLimit
  }

  /** An outcome was delivered. */
  delivered(): void {
    this.#since = undefined
    this.#delay = 1_000
  }

  /** A fiber naps at a door. Answers with how to wake it for nothing. */
  add(door: Door, millis: number): () => void {
    const { history, host } = this.#parts
    if (door.at <= history.newestStamp) {
      this.#reach(door)
      return () => {}
    }
    this.#since ??= host.now()
    const nap = { door }
    this.#all.add(nap)
    const stop = host.after(millis, () => this.#elapsed(nap))
    return () => {
      stop()
      this.#all.delete(nap)
    }
  }

  #elapsed(nap: Nap): void {
    if (!this.#all.has(nap)) return
    if (this.#isAlone()) return this.#wake(nap)
    const { host, outbox } = this.#parts
    const wait = this.#asked + this.#delay - host.now()
    if (wait > 0) return void host.after(wait, () => this.#elapsed(nap))
    this.#asked = host.now()
    this.#delay = Math.min(this.#delay * 2, 10_000)
    outbox.ask(() => this.#wake(nap))
  }

  #wake(nap: Nap): void {
    if (!this.#all.delete(nap) || nap.door.isGone) return
    this.#reach(nap.door)
  }

  /** The service has told something: what lies before it is known. */
  look(): void {
    for (const nap of Array.from(this.#all)) if (nap.door.at <= this.#parts.history.newestStamp) this.#wake(nap)
  }
}
