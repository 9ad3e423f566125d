/**
 * The live fibers of a world outside of workflows, with their parents. The tree distinguishes a fiber that waits for its
 * children from one that waits for something outside the process, and shows which fibers belong to the body of a step.
 *
 * Owns: the fibers that its scheduler runs (drivers of invocations, bodies of steps, stubs, and fibers of the runtime), and
 * when each of them was last active.
 * Does not own: the fibers of workflows, which run on a queue of their own.
 *
 * @since 0.1.0
 */
import * as Fiber from "effect/Fiber"
import type * as Metric from "effect/Metric"
import type { AnyFiber } from "../execution/Fibers.ts"
import { executionOf, type Parts } from "../execution/Parts.ts"
import { stepAround } from "../execution/References.ts"
import { nextMoment, type Waiter } from "./RealWork.ts"

/** The shared part of a fiber and all fibers that it forks, directly or not. */
interface Family {
  /** The moment at which the first of them began. */
  readonly since: number
}

interface Node {
  readonly family: Family
  /** The moment of its last operation. */
  since: number
  /** The number of its live children. */
  children: number
}

/** The fibers that run outside of the workflow of an invocation with its services. */
export interface Beside {
  /** The fibers of bodies, by the paths of their steps. */
  readonly bodies: Map<string, Array<AnyFiber>>
  /** The fibers of the runtime itself, such as those that read and write values, by their owner. */
  readonly others: Map<object, Array<AnyFiber>>
}

export class FiberTree {
  readonly #nodes = new Map<AnyFiber, Node>()
  #forking: AnyFiber | undefined
  #last: AnyFiber | undefined
  #moment = 0

  /** The fibers that have started and not ended. */
  get live(): Iterable<AnyFiber> {
    return this.#nodes.keys()
  }

  /** Records every fork while the forking fiber is the current one. */
  metrics(base: Metric.FiberRuntimeMetricsService | undefined): Metric.FiberRuntimeMetricsService {
    return {
      recordFiberStart: (context) => {
        this.#forking = Fiber.getCurrent()
        base?.recordFiberStart(context)
      },
      recordFiberEnd: (context, exit) => base?.recordFiberEnd(context, exit)
    }
  }

  /** Records that a fiber runs. A new fiber was queued by its parent, or else its parent forks it at this moment. */
  readonly see = (fiber: AnyFiber, spawner: AnyFiber | undefined): void => {
    if (this.#nodes.has(fiber)) return
    const since = nextMoment()
    const parent = spawner === undefined ? this.#forkerOf(fiber) : this.#nodes.get(spawner)
    this.#nodes.set(fiber, { family: parent?.family ?? { since }, since, children: 0 })
    if (parent !== undefined) parent.children++
    fiber.addObserver(() => {
      this.#nodes.delete(fiber)
      if (this.#last === fiber) this.#last = undefined
      if (parent !== undefined) parent.children--
    })
  }

  /** Returns whether a fiber has no live children that it could be waiting for. */
  isLeaf(fiber: AnyFiber): boolean {
    return (this.#nodes.get(fiber)?.children ?? 0) === 0
  }

  /** Records that a fiber is active. */
  readonly goesOn = (fiber: AnyFiber): void => {
    if (fiber !== this.#last) {
      this.#noteLast()
      this.#last = fiber
    }
    this.#moment = nextMoment()
  }

  #noteLast(): void {
    const node = this.#last === undefined ? undefined : this.#nodes.get(this.#last)
    if (node !== undefined) node.since = this.#moment
  }

  /** Returns since when a fiber waits, and since when the body or call around it runs. */
  waiter(fiber: AnyFiber): Waiter {
    this.#noteLast()
    const { children, family, since } = this.#nodes.get(fiber) ?? { children: 0, family: { since: 0 }, since: 0 }
    return { id: fiber.id, since, body: family.since, isLeaf: children === 0 }
  }

  /** Returns the fibers outside of each workflow. */
  beside(): ReadonlyMap<Parts, Beside> {
    const found = new Map<Parts, Beside>()
    for (const [fiber, { family }] of this.#nodes) {
      const parts = executionOf(fiber)?.parts
      // A fiber of the workflow that was here is known to its queue.
      if (parts === undefined || parts.fibers.live.has(fiber)) continue
      const beside = entryOf(found, parts, (): Beside => ({ bodies: new Map(), others: new Map() }))
      const step = stepAround(fiber)
      if (step === undefined) entryOf(beside.others, family, () => []).push(fiber)
      else entryOf(beside.bodies, step, () => []).push(fiber)
    }
    return found
  }

  /**
   * Returns the fiber that forks another one at this moment. Fibers that the runtime forks while others run are not children
   * of those.
   */
  #forkerOf(fiber: AnyFiber): Node | undefined {
    const candidate = this.#forking
    const forker = candidate === undefined ? undefined : this.#nodes.get(candidate)
    return candidate !== undefined && ownerOf(fiber) === ownerOf(candidate) ? forker : undefined
  }
}

/** Returns the owner of a fiber: the body of a step, the runtime with the services of a workflow, or something else. */
const ownerOf = (fiber: AnyFiber): unknown => stepAround(fiber) ?? executionOf(fiber)?.parts

const entryOf = <K, V>(map: Map<K, V>, key: K, make: () => V): V => {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
