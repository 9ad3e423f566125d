/**
 * Search in a sorted list.
 *
 * Owns: the search. Does not own: the order of the list.
 *
 * @since 0.1.0
 */

/**
 * Returns the index of the first item for which the condition holds, as it does for all after it; the length of the list if
 * there is none.
 */
export const firstIndex = <A>(items: ReadonlyArray<A>, holds: (item: A) => boolean): number => {
  let [low, high] = [0, items.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(items[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}
