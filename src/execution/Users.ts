/**
 * The order in which fibers use a counted resource: a name, or random numbers.
 *
 * Owns: whether that order is the same in every run.
 * Does not own: the resource, and the report when the order may change. The run queue notes which slice precedes which.
 *
 * Invariants:
 * 1. Slices that outcomes began come in the order of the outcomes.
 * 2. A slice from outside comes after everything that preceded the moment at which its fiber went outside, and before
 *    everything that it causes. Nothing else is known.
 * 3. Each use comes after the previous one, and therefore after all earlier ones.
 *
 * @since 0.1.0
 */

/** The position of a use, and the slices that had come before it in every run. See `Fibers.userOf`. */
export interface User {
  /** The slice of the run queue, counted from 1. Later slices have greater numbers. */
  readonly slice: number
  /** The last preceding slice that an outcome began; the slice itself, if an outcome began it. */
  readonly after: number
  /** Its bit among the slices from outside, or none. */
  readonly bit: bigint
  /** The slices from outside that have come before, including this one. */
  readonly known: bigint
}

/** The user of a resource whose order does not matter. */
export const anybody: User = { slice: 0, after: 0, bit: 0n, known: 0n }

export class Users {
  #last: User

  constructor(first: User) {
    this.#last = first
  }

  /** Counts one more use. Returns whether it comes after all others in every run. */
  follow(user: User): boolean {
    const { bit, slice } = this.#last
    this.#last = user
    return bit === 0n ? slice <= user.after : (user.known & bit) === bit
  }
}
