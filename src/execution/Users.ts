/**
 * Which fibers have used what is counted: a name, the dice.
 *
 * Owns: whether the order in which two fibers used it is the same on every replay.
 * Does not own: what is counted, and what is said of an order that may change.
 *
 * Invariants:
 * 1. One fiber, and fibers that only outcomes woke, have an order that every replay repeats.
 * 2. A fiber that comes back from outside comes after everything that had happened when it went, and nothing else is known.
 *
 * @since 0.1.0
 */

/** Who uses it, and when: see `Fibers.moment`. */
export interface User {
  readonly fiber: number
  /** The slice of the run queue, counted from 1; later ones have greater numbers. */
  readonly slice: number
  /** The last slice that has come before in every run. In a slice that an outcome began it is that slice itself. */
  readonly after: number
}

/** Uses something whose order does not matter. */
export const anybody: User = { fiber: 0, slice: 0, after: 0 }

/** No fiber, or several. */
const nobody = -1

export class Users {
  /** The only fiber that has used it. */
  #only: number
  /** The only fiber that has used it after something outside of the workflow. */
  #outsider: number | undefined
  /** The last slice in which it was used that an outcome had begun. */
  #last = 0

  constructor(first: User) {
    this.#only = first.fiber
    this.#note(first)
  }

  /** One more use. Answers whether it comes after all others in every run. */
  follow(user: User): boolean {
    const { after, fiber } = user
    const isOrdered =
      this.#only === fiber || ((this.#outsider === undefined || this.#outsider === fiber) && this.#last <= after)
    if (this.#only !== fiber) this.#only = nobody
    this.#note(user)
    return isOrdered
  }

  #note({ after, fiber, slice }: User): void {
    if (after === slice) this.#last = slice
    else this.#outsider = this.#outsider === undefined || this.#outsider === fiber ? fiber : nobody
  }
}
