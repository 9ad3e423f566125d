/**
 * A persistent list that only grows at its end: older versions stay valid and share their items with newer ones.
 *
 * Appending and reading cost O(log₃₂ n), where a copied array costs O(n) and makes a long history quadratic.
 */
type Node<A> =
  | { readonly _tag: "Leaf"; readonly items: ReadonlyArray<A> }
  | { readonly _tag: "Branch"; readonly nodes: ReadonlyArray<Node<A>> }

export interface AppendLog<out A> {
  readonly size: number
  /** The number of branches between the root and a leaf. */
  readonly depth: number
  readonly root: Node<A>
}

const bits = 5
const slotMask = (1 << bits) - 1

const nothing: AppendLog<never> = { size: 0, depth: 0, root: { _tag: "Leaf", items: [] } }

export const empty = <A = never>(): AppendLog<A> => nothing

export const append = <A>(log: AppendLog<A>, item: A): AppendLog<A> => {
  const full = log.size === 1 << (bits * (log.depth + 1))
  const depth = full ? log.depth + 1 : log.depth
  const root: Node<A> = full ? { _tag: "Branch", nodes: [log.root] } : log.root
  return { size: log.size + 1, depth, root: insert(root, depth, log.size, item) }
}

const insert = <A>(node: Node<A> | undefined, depth: number, index: number, item: A): Node<A> => {
  if (depth === 0) return { _tag: "Leaf", items: node?._tag === "Leaf" ? [...node.items, item] : [item] }
  const nodes = node?._tag === "Branch" ? node.nodes.slice() : []
  const slot = (index >>> (bits * depth)) & slotMask
  nodes[slot] = insert(nodes[slot], depth - 1, index, item)
  return { _tag: "Branch", nodes }
}

/** Returns the item at this index, counted from 0, or undefined beyond the ends. */
export const get = <A>(log: AppendLog<A>, index: number): A | undefined => {
  if (!(index >= 0 && index < log.size)) return undefined
  let node: Node<A> | undefined = log.root
  for (let depth = log.depth; node?._tag === "Branch"; depth--) {
    node = node.nodes[(index >>> (bits * depth)) & slotMask]
  }
  return node?.items[index & slotMask]
}

/** Returns the items from index `from` (inclusive) to index `to` (exclusive). */
export function* between<A>(log: AppendLog<A>, from: number, to: number = log.size): Generator<A> {
  for (let index = Math.max(0, from); index < Math.min(to, log.size); index++) {
    const item = get(log, index)
    if (item !== undefined) yield item
  }
}
