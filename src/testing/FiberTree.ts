/**
 * The live fibers of a world that do not run in a workflow, and who forked whom: so that one can tell a fiber that waits for
 * its children from one that waits for something outside the process, and what belongs to the body of a step.
 *
 * Owns: the fibers that its scheduler runs: drivers of invocations, bodies of steps, stubs, and what the runtime forks; and when
 * each of them did something last.
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

/** What a fiber and all that it forks, directly or not, have in common. */
interface Family {
  /** The moment at which the first of them began. */
  readonly since: number
}

interface Node {
  readonly family: Family
  /** The moment of its last operation. */
  since: number
  /** Fibers that it forked and that live. */
  children: number
}

/** What runs beside the workflow of an invocation with its services. */
export interface Beside {
  /** The fibers of bodies, by the paths of their steps. */
  readonly bodies: Map<string, Array<AnyFiber>>
  /** The fibers of what the runtime itself does, such as reading and writing values, by what they belong to. */
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

  /** Hears of every fork, while the fiber that forks is the current one. */
  metrics(base: Metric.FiberRuntimeMetricsService | undefined): Metric.FiberRuntimeMetricsService {
    return {
      recordFiberStart: (context) => {
        this.#forking = Fiber.getCurrent()
        base?.recordFiberStart(context)
      },
      recordFiberEnd: (context, exit) => base?.recordFiberEnd(context, exit)
    }
  }

  /** Notes that a fiber runs. One that is new was queued by its parent, or else is forked by it at this very moment. */
  readonly see = (fiber: AnyFiber, spawner: AnyFiber | undefined): void => {
    if (this.#nodes.has(fiber)) return
    const since = nextMoment()
    const parent = this.#parentOf(fiber, spawner ?? this.#forking)
    this.#nodes.set(fiber, { family: parent?.family ?? { since }, since, children: 0 })
    if (parent !== undefined) parent.children++
    fiber.addObserver(() => {
      this.#nodes.delete(fiber)
      if (this.#last === fiber) this.#last = undefined
      if (parent !== undefined) parent.children--
    })
  }

  /** Whether a fiber has no live children that it could be waiting for. */
  isLeaf(fiber: AnyFiber): boolean {
    return (this.#nodes.get(fiber)?.children ?? 0) === 0
  }

  /** Notes that a fiber does something. */
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

  /** Since when a fiber waits, and since when what it belongs to runs. */
  waiter(fiber: AnyFiber): Waiter {
    this.#noteLast()
    const { children, family, since } = this.#nodes.get(fiber) ?? { children: 0, family: { since: 0 }, since: 0 }
    return { id: fiber.id, since, body: family.since, isLeaf: children === 0 }
  }

  /** What runs beside each workflow. */
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

  /** The runtime forks fibers of its own while others run: they do not belong to those. */
  #parentOf(fiber: AnyFiber, candidate: AnyFiber | undefined): Node | undefined {
    const parent = candidate === undefined ? undefined : this.#nodes.get(candidate)
    return candidate !== undefined && ownerOf(fiber) === ownerOf(candidate) ? parent : undefined
  }
}

/** For whom a fiber runs: the body of a step, the runtime with the services of a workflow, or something else. */
const ownerOf = (fiber: AnyFiber): unknown => stepAround(fiber) ?? executionOf(fiber)?.parts

const entryOf = <K, V>(map: Map<K, V>, key: K, make: () => V): V => {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
