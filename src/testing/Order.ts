/**
 * The order in which things happen that are due at the same time.
 *
 * Owns: which of them comes first, and what else could have.
 * Does not own: what is due.
 *
 * Invariants:
 * 1. Nothing given, each comes in the order in which it was asked for.
 * 2. The same row of numbers makes the same order, as long as the same things are due.
 *
 * @since 0.1.0
 */
export class Order {
  readonly #given: ReadonlyArray<number>
  /** How many things there were to choose from, each time that there was more than one. */
  readonly choices: Array<number> = []

  constructor(given: ReadonlyArray<number>) {
    this.#given = given
  }

  /** Puts what is due at one time in an order. */
  readonly arrange = <A>(due: ReadonlyArray<A>): ReadonlyArray<A> => {
    const left = [...due]
    const arranged: Array<A> = []
    while (left.length > 1) {
      const next = (this.#given[this.choices.length] ?? 0) % left.length
      this.choices.push(left.length)
      arranged.push(...left.splice(next, 1))
    }
    return [...arranged, ...left]
  }
}

/** The row of numbers after this one, of all those that lead to another order; nothing after the last. */
export const nextOrder = (
  given: ReadonlyArray<number>,
  choices: ReadonlyArray<number>
): ReadonlyArray<number> | undefined => {
  for (let at = choices.length - 1; at >= 0; at--) {
    const next = (given[at] ?? 0) + 1
    if (next < (choices[at] ?? 0)) return [...choices.slice(0, at).map((_, index) => given[index] ?? 0), next]
  }
  return undefined
}
