/**
 * The scheduler for code beside the workflow: bodies of steps, local effects, and the fibers that they fork.
 *
 * Owns: which of these fibers live, so that none outlasts its invocation.
 * Does not own: the fibers of the workflow, and which fibers wait for one of these.
 *
 * Invariants:
 * 1. Every fiber that begins here is known from its first move until it ends.
 * 2. A fiber of the workflow that continues here counts as outside until it is back on its queue.
 *
 * @since 0.1.0
 */
import type * as Scheduler from "effect/Scheduler"
import type { AnyFiber, Fibers } from "./Fibers.ts"

export class Beside implements Scheduler.Scheduler {
  readonly live = new Set<AnyFiber>()
  readonly #host: Scheduler.Scheduler
  readonly #fibers: Fibers

  constructor(host: Scheduler.Scheduler, fibers: Fibers) {
    this.#host = host
    this.#fibers = fibers
  }

  get executionMode(): "sync" | "async" {
    return this.#host.executionMode
  }

  shouldYield(fiber: AnyFiber): boolean {
    // A fiber that has run before comes here only in a turn of the run queue.
    if (fiber.currentOpCount === 1 || this.#fibers.isRunning) this.#see(fiber)
    return this.#host.shouldYield(fiber)
  }

  makeDispatcher(): Scheduler.SchedulerDispatcher {
    return this.#host.makeDispatcher()
  }

  #see(fiber: AnyFiber): void {
    if (this.live.has(fiber) || this.#fibers.goOutside(fiber)) return
    this.live.add(fiber)
    fiber.addObserver(() => void this.live.delete(fiber))
  }
}
