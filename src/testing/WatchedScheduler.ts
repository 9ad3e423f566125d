/**
 * The scheduler of a world: it reports the activity of fibers before every operation, and when a task is queued or runs.
 *
 * Owns: which tasks are queued. Does not own: the fibers of workflows, which run on a queue of their own.
 *
 * @since 0.1.0
 */
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import type { AnyFiber } from "../execution/Fibers.ts"

/** Receives every operation of a fiber. */
type OnOperation = (fiber: AnyFiber) => void

/**
 * Receives a fiber whenever it starts to run; `spawner` is the fiber that queued it, if it was queued. A new fiber that was
 * not queued runs inside the one that forked it.
 */
export type OnFiber = (fiber: AnyFiber, spawner: AnyFiber | undefined) => void

export class WatchedScheduler implements Scheduler.Scheduler {
  readonly executionMode = "async"
  readonly #base = new Scheduler.MixedScheduler()
  readonly #onActivity: () => void
  readonly #onFiber: OnFiber
  readonly #onOperation: OnOperation
  #queued = 0
  /** The fiber that queued the task that has just begun. */
  #spawner: AnyFiber | undefined
  /** The fiber that ran last. */
  #last: AnyFiber | undefined

  constructor(onActivity: () => void, onFiber: OnFiber, onOperation: OnOperation) {
    this.#onActivity = onActivity
    this.#onFiber = onFiber
    this.#onOperation = onOperation
  }

  /** Whether a fiber is about to run. */
  get queued(): boolean {
    return this.#queued > 0
  }

  shouldYield(fiber: AnyFiber): boolean {
    this.#onActivity()
    // A fiber that has run before may come here too, from the queue of a workflow.
    if (fiber.currentOpCount === 1 || fiber !== this.#last) this.#onFiber(fiber, this.#spawner)
    this.#last = fiber
    this.#spawner = undefined
    this.#onOperation(fiber)
    return this.#base.shouldYield(fiber)
  }

  makeDispatcher(): Scheduler.SchedulerDispatcher {
    const dispatcher = this.#base.makeDispatcher()
    return {
      scheduleTask: (task, priority) => {
        this.#queued++
        const spawner = Fiber.getCurrent()
        dispatcher.scheduleTask(() => {
          this.#queued--
          this.#onActivity()
          this.#spawner = spawner
          task()
        }, priority)
      },
      flush: () => dispatcher.flush()
    }
  }
}
