/**
 * A persistent set in the order of its items: an AVL tree whose older versions stay valid.
 *
 * It holds the armed timers. A removed timer is really gone, so that time never advances to a timer without effect. Adding,
 * removing and finding the earliest cost O(log n).
 */
type Tree<A> = Node<A> | undefined
interface Node<A> {
  readonly left: Tree<A>
  readonly item: A
  readonly right: Tree<A>
  readonly height: number
}

/** Compares two items: negative if `a` comes first, 0 if both are the same item. */
export type Compare<A> = (a: A, b: A) => number

export interface OrderedSet<A> {
  readonly compare: Compare<A>
  readonly root: Tree<A>
}

export const empty = <A>(compare: Compare<A>): OrderedSet<A> => ({ compare, root: undefined })

export const add = <A>(set: OrderedSet<A>, item: A): OrderedSet<A> => ({
  compare: set.compare,
  root: insert(set.root, item, set.compare)
})

export const remove = <A>(set: OrderedSet<A>, item: A): OrderedSet<A> => ({
  compare: set.compare,
  root: without(set.root, item, set.compare)
})

export const first = <A>(set: OrderedSet<A>): A | undefined =>
  set.root === undefined ? undefined : leftmost(set.root).item

export const items = <A>(set: OrderedSet<A>): Generator<A> => walk(set.root)

function* walk<A>(tree: Tree<A>): Generator<A> {
  if (tree === undefined) return
  yield* walk(tree.left)
  yield tree.item
  yield* walk(tree.right)
}

const insert = <A>(tree: Tree<A>, item: A, compare: Compare<A>): Node<A> => {
  if (tree === undefined) return join(undefined, item, undefined)
  const side = compare(item, tree.item)
  if (side < 0) return balance(insert(tree.left, item, compare), tree.item, tree.right)
  if (side > 0) return balance(tree.left, tree.item, insert(tree.right, item, compare))
  return join(tree.left, item, tree.right)
}

const without = <A>(tree: Tree<A>, item: A, compare: Compare<A>): Tree<A> => {
  if (tree === undefined) return undefined
  const side = compare(item, tree.item)
  if (side < 0) return balance(without(tree.left, item, compare), tree.item, tree.right)
  if (side > 0) return balance(tree.left, tree.item, without(tree.right, item, compare))
  if (tree.left === undefined) return tree.right
  if (tree.right === undefined) return tree.left
  const next = leftmost(tree.right).item
  return balance(tree.left, next, without(tree.right, next, compare))
}

const leftmost = <A>(tree: Node<A>): Node<A> => (tree.left === undefined ? tree : leftmost(tree.left))

const height = <A>(tree: Tree<A>): number => tree?.height ?? 0

const join = <A>(left: Tree<A>, item: A, right: Tree<A>): Node<A> => ({
  left,
  item,
  right,
  height: 1 + Math.max(height(left), height(right))
})

/** Joins two trees whose heights differ by at most two into one whose sides differ by at most one. */
const balance = <A>(left: Tree<A>, item: A, right: Tree<A>): Node<A> => {
  const lean = height(left) - height(right)
  if (lean > 1 && left !== undefined) {
    return height(left.left) >= height(left.right) || left.right === undefined
      ? join(left.left, left.item, join(left.right, item, right))
      : join(join(left.left, left.item, left.right.left), left.right.item, join(left.right.right, item, right))
  }
  if (lean < -1 && right !== undefined) {
    return height(right.right) >= height(right.left) || right.left === undefined
      ? join(join(left, item, right.left), right.item, right.right)
      : join(join(left, item, right.left.left), right.left.item, join(right.left.right, right.item, right.right))
  }
  return join(left, item, right)
}
