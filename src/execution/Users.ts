/**
 * The order in which fibers use something that is counted: a name, or random numbers.
 *
 * Owns: whether that order is the same in every run.
 * Does not own: what is counted, and what is reported when the order may change. The run queue notes what precedes what.
 *
 * Invariants:
 * 1. Slices that outcomes began come in the order of the outcomes.
 * 2. A slice from outside comes after everything that preceded the moment when its fiber went outside, and before
 *    everything that goes on because of it. Nothing else is known.
 * 3. Each use comes after the last one, and so after all before it.
 *
 * @since 0.1.0
 */

/** A use: when it was, and what had come before it in every run. See `Fibers.userOf`. */
export interface User {
  /** The slice of the run queue, counted from 1. Later slices have greater numbers. */
  readonly slice: number
  /** The last preceding slice that an outcome began; the slice itself, if an outcome began it. */
  readonly after: number
  /** Which of the slices from outside it is: one bit, or none. */
  readonly bit: bigint
  /** The slices from outside that have come before, including this one. */
  readonly known: bigint
}

/** A user of something whose order does not matter. */
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
