/**
 * In which order what is counted was used: a name, the dice.
 *
 * Owns: whether that order is the same in every run.
 * Does not own: what is counted, and what is said of an order that may change. What comes before what, the run queue notes.
 *
 * Invariants:
 * 1. Slices that outcomes began come in the order of the outcomes.
 * 2. A slice that comes from outside comes after everything that had come before the fiber went there, and before everything
 *    that goes on because of it. Nothing else is known.
 * 3. Each use comes after the last one, and so after all before it.
 *
 * @since 0.1.0
 */

/** A use of it: when it was, and what had come before in every run. See `Fibers.userOf`. */
export interface User {
  /** The slice of the run queue, counted from 1; later ones have greater numbers. */
  readonly slice: number
  /** The last slice that an outcome began and that has come before: the slice itself, if an outcome began it. */
  readonly after: number
  /** Which of the slices from outside it is: one bit, or none. */
  readonly bit: bigint
  /** The slices from outside that have come before, this one included. */
  readonly known: bigint
}

/** Uses something whose order does not matter. */
export const anybody: User = { slice: 0, after: 0, bit: 0n, known: 0n }

export class Users {
  #last: User

  constructor(first: User) {
    this.#last = first
  }

  /** One more use. Answers whether it comes after all others in every run. */
  follow(user: User): boolean {
    const { bit, slice } = this.#last
    this.#last = user
    return bit === 0n ? slice <= user.after : (user.known & bit) === bit
  }
}
