/**
 * The live fibres of a world and who forked whom, so that one can tell a fibre that waits for its children from one that
 * waits for something outside the process.
 *
 * @since 0.1.0
 */
import type * as Fiber from "effect/Fiber"

type AnyFiber = Fiber.Fiber<unknown, unknown>

export class FiberTree {
  readonly #children = new Map<AnyFiber, number>()

  /** The fibres that have started and not ended. */
  get live(): Iterable<AnyFiber> {
    return this.#children.keys()
  }

  /** Notes that a fibre runs, and who forked it if it is new. */
  readonly see = (fiber: AnyFiber, parent: AnyFiber | undefined): void => {
    if (this.#children.has(fiber)) return
    this.#children.set(fiber, 0)
    const known = parent !== undefined && parent !== fiber && this.#children.has(parent) ? parent : undefined
    if (known !== undefined) this.#children.set(known, this.#children.get(known)! + 1)
    fiber.addObserver(() => {
      this.#children.delete(fiber)
      const left = known === undefined ? undefined : this.#children.get(known)
      if (known !== undefined && left !== undefined) this.#children.set(known, left - 1)
    })
  }

  /** Whether a fibre has no live children that it could be waiting for. */
  isLeaf(fiber: AnyFiber): boolean {
    return (this.#children.get(fiber) ?? 0) === 0
  }
}
