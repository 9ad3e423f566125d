/**
 * Looking something up in a list that is in order.
 *
 * Owns: how. Does not own: what the order is.
 *
 * @since 0.1.0
 */

/** The index of the first item for which this holds, as it does for all after it; how many items there are if for none. */
export const firstIndex = <A>(items: ReadonlyArray<A>, holds: (item: A) => boolean): number => {
  let [low, high] = [0, items.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(items[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}
