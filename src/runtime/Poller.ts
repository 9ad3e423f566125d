/**
 * Decides when to ask the service for news of parked operations, while other work keeps the invocation alive: at the time
 * at which an operation is due, if that is known, and otherwise after 1 second, 2 seconds, and so on up to 10.
 *
 * @since 0.1.0
 */
import type { Operation } from "../wire/Operation.ts"

export interface PollerHost {
  readonly now: () => number
  readonly after: (millis: number, action: () => void) => void
  /** The last moment at which a poll makes sense. */
  readonly latest: number
  readonly poll: () => void
}

/** One operation that is waited for. */
export interface Watch {
  /** Takes into account what is known of the operation now. */
  readonly update: (record: Operation | undefined) => void
  readonly stop: () => void
}

interface Entry {
  polls: number
  next: number
}

export class Poller {
  readonly #entries = new Set<Entry>()
  readonly #host: PollerHost
  #next = Infinity

  constructor(host: PollerHost) {
    this.#host = host
  }

  watch(record: Operation | undefined): Watch {
    const entry: Entry = { polls: 0, next: Infinity }
    this.#entries.add(entry)
    const update = (known: Operation | undefined): void => {
      const now = this.#host.now()
      const due = known?.WaitDetails?.ScheduledEndTimestamp ?? known?.StepDetails?.NextAttemptTimestamp
      entry.next = entry.polls === 0 && due !== undefined ? Math.max(due, now) : now + delayAfter(entry.polls)
      this.#arm(entry.next)
    }
    update(record)
    return { update, stop: () => void this.#entries.delete(entry) }
  }

  #arm(at: number): void {
    if (at >= this.#next || at > this.#host.latest) return
    this.#next = at
    this.#host.after(at - this.#host.now(), () => {
      if (this.#next !== at) return
      this.#next = Infinity
      this.#fire()
    })
  }

  #fire(): void {
    const now = this.#host.now()
    let isDue = false
    let next = Infinity
    for (const entry of this.#entries) {
      if (entry.next <= now) {
        isDue = true
        entry.polls++
        entry.next = now + delayAfter(entry.polls)
      }
      next = Math.min(next, entry.next)
    }
    if (next < Infinity) this.#arm(next)
    if (isDue) this.#host.poll()
  }
}

const delayAfter = (polls: number): number => Math.min(Math.max(polls, 1) * 1_000, 10_000)
