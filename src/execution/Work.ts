/**
 * Work that waits to begin.
 *
 * Owns: the data of such work, its order, and whether it is still wanted.
 * Does not own: when it begins, which the delivery decides.
 *
 * Invariants:
 * 1. The first work is that whose operation was claimed first.
 * 2. Work of a namespace that has ended or was abandoned is never the first: it is dropped. The end of the workflow is
 *    not dropped, nor is the work of a durable finalizer.
 * 3. Work that is held back is not the first either: it waits for another invocation, and other work begins before it.
 * 4. Dropped work does not begin. Updates that it has queued stay queued. A fiber that waits for it continues.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { Claim } from "./Claim.ts"
import { Heap } from "./Heap.ts"
import type { Namespace } from "./Namespace.ts"
import { isLetGo } from "./References.ts"

/** New work, which waits until all known outcomes are delivered. */
export interface Work {
  readonly claim: Claim
  /** The place in the order of all claims; negative if it ends a block that work outside has ended. */
  readonly index: number
  /** Whether it ends a context or the execution. */
  readonly isEnd: boolean
  /** The namespace whose record begins with it, if one does. */
  readonly begun?: Namespace | undefined
  /** The namespace that ends with it, if one does. */
  readonly ended?: Namespace | undefined
  /** Whether it continues an attempt that is recorded as begun. Such an attempt is cut off if it does not continue. */
  readonly isBegun?: boolean | undefined
  /**
   * Whether it may begin despite unclaimed records: an end with a mistake explains why the code stopped earlier, and
   * the answer of `Durable.patched` decides which operations the code asks for.
   */
  readonly isExempt: boolean
  /** Checks whether it is no longer wanted, for a reason of its own. */
  readonly isMoot?: (() => boolean) | undefined
  readonly run: () => void
  /** Makes the fiber that waits only for this work continue, even in a region that cannot be interrupted. */
  readonly free?: ((effect: Effect.Effect<never>) => void) | undefined
  isGone: boolean
}

/** All work that waits to begin. */
export class Works {
  readonly #all = new Heap<Work>((a, b) => a.index < b.index)
  /** Work that may begin before the code has asked for everything recorded. */
  readonly #exempt = new Set<Work>()
  /** Work that a fiber waits for, by the namespace of its operation. */
  readonly #awaited = new Map<Namespace, Set<Work>>()

  /** Work that waits for another invocation. */
  readonly #held: Array<Work> = []

  /** Whether no work that is still wanted waits to begin. */
  get isEmpty(): boolean {
    return this.first === undefined && !this.isHeldBack
  }

  /** Makes the first work wait for another invocation. */
  holdBack(): void {
    const { first } = this
    if (first !== undefined) this.#held.push(first)
    this.#all.take()
  }

  /** Whether work that is still wanted waits for another invocation. */
  get isHeldBack(): boolean {
    return this.#held.some((work) => !work.isGone && !isMoot(work))
  }

  /** Makes work that waits for another invocation begin in this one after all. */
  release(): void {
    for (const work of this.#held.splice(0)) this.#all.add(work)
  }

  add(work: Omit<Work, "isGone">): Work {
    const added: Work = { ...work, isGone: false }
    this.#all.add(added)
    if (added.isExempt) this.#exempt.add(added)
    if (added.free !== undefined) {
      const { namespace } = added.claim
      const awaited = this.#awaited.get(namespace)
      if (awaited === undefined) this.#awaited.set(namespace, new Set([added]))
      else awaited.add(added)
    }
    return added
  }

  /** Removes work that has begun, or does not begin any more. */
  drop(work: Work): void {
    if (work.isGone) return
    work.isGone = true
    this.#exempt.delete(work)
    const { namespace } = work.claim
    const awaited = this.#awaited.get(namespace)
    if (awaited?.delete(work) === true && awaited.size === 0) this.#awaited.delete(namespace)
  }

  /** Returns the work in these namespaces that a fiber waits for. Default: in all. */
  awaited(namespaces: Iterable<Namespace> = this.#awaited.keys()): ReadonlyArray<Work> {
    const found: Array<Work> = []
    for (const namespace of namespaces) found.push(...(this.#awaited.get(namespace) ?? []))
    return found
  }

  /** The work that begins next. */
  get first(): Work | undefined {
    for (let work = this.#all.first; work !== undefined; work = this.#all.first) {
      if (!work.isGone && !isMoot(work)) return work
      // A fiber that waits for the work continues when the namespace closes.
      if (work.free === undefined) this.drop(work)
      this.#all.take()
    }
    return undefined
  }

  /**
   * The exempt work that begins next: see {@link Work.isExempt}. The service refuses an update in a context that has
   * not begun, so such work waits for the start of its context.
   */
  get firstExempt(): Work | undefined {
    let first: Work | undefined
    if (this.#exempt.size === 0) return first
    const waiting = new Set<Namespace>()
    for (const { begun, isGone } of this.#all.items) if (begun !== undefined && !isGone) waiting.add(begun)
    for (const work of this.#exempt) {
      if (isMoot(work) || (work.ended ?? work.claim.namespace).isWithin(waiting)) continue
      if (work.index < (first?.index ?? Infinity)) first = work
    }
    return first
  }
}

const isMoot = (work: Work): boolean => {
  const { begun, claim } = work
  if (claim.namespace.standing === "closed" && !claim.isRoot) return true
  return begun?.hasFinalizers !== true && (isAbandoned(work) || work.isMoot?.() === true)
}

/** Checks whether work was abandoned, and belongs to no durable finalizer. */
export const isAbandoned = ({ claim }: Work): boolean => !claim.isRoot && isLetGo(claim.namespace, claim.fiber)
