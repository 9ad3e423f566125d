/**
 * The live fibres of a world and who forked whom, so that one can tell a fibre that waits for its children from one that
 * waits for something outside the process.
 *
 * @since 0.1.0
 */
import * as Fiber from "effect/Fiber"
import type * as Metric from "effect/Metric"
import { CurrentUnit } from "../runtime/Supervisor.ts"

type AnyFiber = Fiber.Fiber<unknown, unknown>

export class FiberTree {
  readonly #children = new Map<AnyFiber, number>()
  #forking: AnyFiber | undefined

  /** The fibres that have started and not ended. */
  get live(): Iterable<AnyFiber> {
    return this.#children.keys()
  }

  /** Hears of every fork, while the fibre that forks is the current one. */
  metrics(base: Metric.FiberRuntimeMetricsService | undefined): Metric.FiberRuntimeMetricsService {
    return {
      recordFiberStart: (context) => {
        this.#forking = Fiber.getCurrent()
        base?.recordFiberStart(context)
      },
      recordFiberEnd: (context, exit) => base?.recordFiberEnd(context, exit)
    }
  }

  /** Notes that a fibre runs. One that is new was queued by its parent, or else is forked by it at this very moment. */
  readonly see = (fiber: AnyFiber, spawner: AnyFiber | undefined): void => {
    if (this.#children.has(fiber)) return
    this.#children.set(fiber, 0)
    const parent = this.#parentOf(fiber, spawner ?? this.#forking)
    if (parent !== undefined) this.#children.set(parent, this.#children.get(parent)! + 1)
    fiber.addObserver(() => {
      this.#children.delete(fiber)
      const left = parent === undefined ? undefined : this.#children.get(parent)
      if (parent !== undefined && left !== undefined) this.#children.set(parent, left - 1)
    })
  }

  /** Whether a fibre has no live children that it could be waiting for. */
  isLeaf(fiber: AnyFiber): boolean {
    return (this.#children.get(fiber) ?? 0) === 0
  }

  /** The runtime forks fibres of its own while a step runs: they do not belong to the step. */
  #parentOf(fiber: AnyFiber, candidate: AnyFiber | undefined): AnyFiber | undefined {
    if (candidate === undefined || !this.#children.has(candidate)) return undefined
    return fiber.getRef(CurrentUnit) === candidate.getRef(CurrentUnit) ? candidate : undefined
  }
}
