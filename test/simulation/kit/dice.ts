/**
 * Random choices of one seed: the same seed makes the same choices on every machine.
 */
export interface Dice {
  /** A whole number of at least 0 and below the bound. */
  readonly below: (bound: number) => number
  /** A whole number from the first to the last. */
  readonly from: (first: number, last: number) => number
  /** Whether something happens that happens in so many of a hundred cases. */
  readonly percent: (chance: number) => boolean
  readonly pick: <const Items extends readonly [unknown, ...ReadonlyArray<unknown>]>(items: Items) => Items[number]
  /** Makes one of several things, each with its weight. */
  readonly weighted: <A>(choices: readonly [Choice<A>, ...ReadonlyArray<Choice<A>>]) => A
}

type Choice<A> = readonly [weight: number, make: () => A]

export const dice = (seed: number): Dice => {
  // The generator "mulberry32".
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let word = Math.imul(state ^ (state >>> 15), state | 1)
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61)
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (bound: number): number => Math.floor(next() * bound)
  return {
    below,
    from: (first, last) => first + below(last - first + 1),
    percent: (chance) => next() * 100 < chance,
    pick: (items) => items[below(items.length)] ?? items[0],
    weighted: (choices) => {
      let left = next() * choices.reduce((sum, [weight]) => sum + weight, 0)
      const chosen = choices.find(([weight]) => (left -= weight) < 0) ?? choices[0]
      return chosen[1]()
    }
  }
}
