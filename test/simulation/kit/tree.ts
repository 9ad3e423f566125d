/**
 * Programs as trees: how they are shown to a person, and how they are made smaller.
 */
export interface Tree<N> {
  /** Stays what it is while a program is made smaller, so that names and seeds of values do too. */
  readonly id: number
  readonly bodies: ReadonlyArray<N>
}

export interface Grammar<N> {
  readonly nothing: (id: number) => N
  readonly isNothing: (node: N) => boolean
  /** Whether a node may have fewer bodies. */
  readonly isList: (node: N) => boolean
  /** The same node doing less by itself. */
  readonly simpler: (node: N) => ReadonlyArray<N>
  readonly label: (node: N) => string
}

/** The kind of a node, its number, and how it was drawn. */
export const labelOf = (node: Tree<unknown> & { readonly kind: string }): string => {
  const details = Object.entries(node)
    .filter(([key]) => !["bodies", "id", "kind"].includes(key))
    .map(([key, value]) => `${key} ${typeof value === "object" ? JSON.stringify(value) : value}`)
  return `${node.kind} ${node.id}${details.length === 0 ? "" : ` (${details.join(", ")})`}`
}

/** A program as lines, the bodies of a node further to the right. */
export const showTree = <N extends Tree<N>>(node: N, grammar: Grammar<N>, margin = ""): string =>
  [`${margin}${grammar.label(node)}`, ...node.bodies.map((body) => showTree(body, grammar, `${margin}  `))].join("\n")

/** Every program that is a little smaller, those first that leave out most. */
export function* cuts<N extends Tree<N>>(node: N, grammar: Grammar<N>): Generator<N> {
  if (!grammar.isNothing(node)) yield grammar.nothing(node.id)
  yield* node.bodies.filter((body) => !grammar.isNothing(body))
  if (grammar.isList(node) && node.bodies.length > 1) {
    for (const index of node.bodies.keys()) yield { ...node, bodies: node.bodies.toSpliced(index, 1) }
  }
  yield* grammar.simpler(node)
  for (const [index, body] of node.bodies.entries()) {
    for (const cut of cuts(body, grammar)) yield { ...node, bodies: node.bodies.with(index, cut) }
  }
}

/** Follows cuts that still show the same for as long as there are any, and the patience for so many looks lasts. */
export const shrink = async <N extends Tree<N>, F>(
  tree: N,
  found: F,
  grammar: Grammar<N>,
  look: (tree: N) => Promise<F | undefined>,
  patience: number
): Promise<{ readonly tree: N; readonly found: F }> => {
  for (const cut of cuts(tree, grammar)) {
    if (patience-- <= 0) break
    const again = await look(cut)
    if (again !== undefined) return shrink(cut, again, grammar, look, patience)
  }
  return { tree, found }
}
