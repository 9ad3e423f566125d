/**
 * When the service is polled, while other work keeps the invocation alive.
 *
 * Owns: the times of polling. Does not own: the request, and whether anything keeps the invocation alive.
 *
 * Invariants:
 * 1. The service is polled when an operation is due, if that is known; otherwise after 1 second, 2 seconds, and so on up to
 *    10.
 * 2. The service is not polled if the answer would come too late for the invocation.
 *
 * @since 0.1.0
 */
import type { Door } from "./Claim.ts"

export interface PollerHost {
  readonly now: () => number
  readonly after: (millis: number, action: () => void) => void
  /** The last time at which polling makes sense. */
  readonly latest: number
  readonly poll: () => void
}

interface Watched {
  readonly due: number | undefined
  polls: number
  next: number
}

export class Poller {
  readonly #watched = new Map<Door, Watched>()
  readonly #host: PollerHost
  #timer = Infinity
  #held = 0

  constructor(host: PollerHost) {
    this.#host = host
  }

  /** Watches a door, by the current record of its operation. */
  watch(door: Door): void {
    const now = this.#host.now()
    const record = door.claim?.record
    const due = record?.WaitDetails?.ScheduledEndTimestamp ?? record?.StepDetails?.NextAttemptTimestamp
    const known = this.#watched.get(door)
    const polls = known?.due === due ? (known?.polls ?? 0) : 0
    this.#watched.set(door, {
      due,
      polls,
      next: polls === 0 && due !== undefined ? Math.max(due, now) : now + delayAfter(polls)
    })
  }

  forget(door: Door): void {
    this.#watched.delete(door)
  }

  /**
   * Polls at the planned time, while other work keeps the invocation alive. An outcome that is held back needs an early
   * poll.
   */
  arm(isHeld: boolean): void {
    if (!isHeld) this.#held = 0
    let next = isHeld ? this.#host.now() + Math.min(100 * 2 ** this.#held++, 10_000) : Infinity
    for (const watched of this.#watched.values()) next = Math.min(next, watched.next)
    if (next >= this.#timer || next > this.#host.latest) return
    this.#timer = next
    this.#host.after(Math.max(0, next - this.#host.now()), () => {
      if (this.#timer !== next) return
      this.#timer = Infinity
      this.#fire()
    })
  }

  #fire(): void {
    const now = this.#host.now()
    for (const watched of this.#watched.values()) {
      if (watched.next > now) continue
      watched.polls++
      watched.next = now + delayAfter(watched.polls)
    }
    this.#host.poll()
  }
}

const delayAfter = (polls: number): number => Math.min(Math.max(polls, 1) * 1_000, 10_000)
