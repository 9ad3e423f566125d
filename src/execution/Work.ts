/**
 * Work that waits to begin.
 *
 * Owns: what is known of such work, its order, and whether anybody still wants it.
 * Does not own: when it begins, which the delivery decides.
 *
 * Invariants:
 * 1. The first is that whose operation was claimed first.
 * 2. What belongs to something that has ended, or was let go of, is never the first: it is dropped. The end of the workflow
 *    is not, nor what a durable finalizer does.
 * 3. What was dropped does not begin. What was queued because of it stays queued. A fiber that waits for it is let go on.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { Claim } from "./Claim.ts"
import { Heap } from "./Heap.ts"
import type { Namespace } from "./Namespace.ts"
import { InFinalizer } from "./References.ts"

/** New work that waits until the past is delivered. */
export interface Work {
  readonly claim: Claim
  /** Its place in the order of all claims. */
  readonly index: number
  /** Whether it ends a context or the execution. */
  readonly isEnd: boolean
  /** The namespace whose record begins with it, if one does. */
  readonly begun?: Namespace | undefined
  /** The namespace that ends with it, if one does. */
  readonly ended?: Namespace | undefined
  /** Whether it goes on with an attempt that is recorded as begun, which is cut off if it does not go on. */
  readonly isBegun?: boolean | undefined
  /** Whether it ends with a mistake, which is a reason of its own for not having gone on. */
  readonly isExempt: boolean
  /** Whether nobody wants it any more, for a reason of its own. */
  readonly isMoot?: (() => boolean) | undefined
  readonly run: () => void
  /** Lets the fiber go on that waits only for this, even where it cannot be interrupted. */
  readonly free?: ((effect: Effect.Effect<never>) => void) | undefined
  isGone: boolean
}

/** All of it. */
export class Works {
  readonly #all = new Heap<Work>((a, b) => a.index < b.index)
  /** What may begin before everything recorded has been asked for. */
  readonly #exempt = new Set<Work>()
  /** What a fiber waits for. */
  readonly #awaited = new Set<Work>()
  #size = 0

  /** How much waits to begin, with what nobody wants any more and was not looked at yet. */
  get size(): number {
    return this.#size
  }

  add(work: Omit<Work, "isGone">): Work {
    const added: Work = { ...work, isGone: false }
    this.#all.add(added)
    this.#size++
    if (added.isExempt) this.#exempt.add(added)
    if (added.free !== undefined) this.#awaited.add(added)
    return added
  }

  /** It does not begin any more, or it has. */
  drop(work: Work): void {
    if (work.isGone) return
    work.isGone = true
    this.#size--
    this.#exempt.delete(work)
    this.#awaited.delete(work)
  }

  /** What a fiber waits for, that does not begin any more if `isForsaken` is right. */
  awaited(isForsaken: (work: Work) => boolean): ReadonlyArray<Work> {
    return Array.from(this.#awaited).filter(isForsaken)
  }

  /** What begins next. */
  get first(): Work | undefined {
    for (let work = this.#all.first; work !== undefined; work = this.#all.first) {
      if (!work.isGone && !isMoot(work)) return work
      this.drop(work)
      this.#all.take()
    }
    return undefined
  }

  /** What begins next of that which may begin before everything recorded has been asked for. */
  get firstExempt(): Work | undefined {
    let first: Work | undefined
    for (const work of this.#exempt) if (!isMoot(work) && work.index < (first?.index ?? Infinity)) first = work
    return first
  }
}

const isMoot = (work: Work): boolean => {
  const { begun, claim } = work
  if (claim.namespace.standing === "closed" && !claim.isRoot) return true
  return begun?.hasFinalizers !== true && (isAbandoned(work) || work.isMoot?.() === true)
}

/** Whether it was let go of, and no durable finalizer does it. */
export const isAbandoned = ({ claim }: Work): boolean =>
  claim.namespace.standing === "abandoned" && !claim.isRoot && !claim.fiber.getRef(InFinalizer)
