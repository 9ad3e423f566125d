/**
 * A scheduler that tells when fibres move: before every operation of a fibre, and when a task is queued or runs.
 *
 * @since 0.1.0
 */
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"

type AnyFiber = Fiber.Fiber<unknown, unknown>

export class WatchedScheduler implements Scheduler.Scheduler {
  readonly executionMode = "async"
  readonly #base = new Scheduler.MixedScheduler()
  readonly #onActivity: () => void
  readonly #onFiber: ((fiber: AnyFiber, parent: AnyFiber | undefined) => void) | undefined
  #queued = 0
  /** The fibre that ran last, which is the parent of a fibre that runs for the first time right after it. */
  #last: AnyFiber | undefined

  /** `onFiber` hears of every fibre whenever it starts to run, with the fibre that forked it if it is new. */
  constructor(onActivity: () => void, onFiber?: (fiber: AnyFiber, parent: AnyFiber | undefined) => void) {
    this.#onActivity = onActivity
    this.#onFiber = onFiber
  }

  /** Whether a fibre is about to run. */
  get queued(): boolean {
    return this.#queued > 0
  }

  shouldYield(fiber: AnyFiber): boolean {
    this.#onActivity()
    if (this.#onFiber !== undefined) {
      if (fiber.currentOpCount === 1) this.#onFiber(fiber, this.#last)
      this.#last = fiber
    }
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
          this.#last = spawner
          task()
        }, priority)
      },
      flush: () => dispatcher.flush()
    }
  }
}
