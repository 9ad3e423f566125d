/**
 * The order of events that are due at the same time.
 *
 * Owns: which of them comes first, and the alternatives.
 * Does not own: which events are due.
 *
 * Invariants:
 * 1. Without given numbers, events come in the order in which they were requested.
 * 2. The same sequence of numbers leads to the same order, as long as the same events are due.
 *
 * @since 0.1.0
 */
export class Order {
  readonly #given: ReadonlyArray<number>
  /** The number of events to choose from, each time that there was more than one. */
  readonly choices: Array<number> = []

  constructor(given: ReadonlyArray<number>) {
    this.#given = given
  }

  /** Orders the events that are due at one time. */
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

/** Returns the next sequence of numbers that leads to another order; nothing after the last. */
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
