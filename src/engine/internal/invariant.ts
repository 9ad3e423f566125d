/**
 * Asserts a fact that the engine relies on. If it does not hold, the engine itself is wrong, so it stops at once and does
 * not continue in a state that no service could be in.
 */
export function invariant(holds: boolean, fact: string): asserts holds {
  if (!holds) throw new Error(`The engine's state is wrong: ${fact}`)
}
