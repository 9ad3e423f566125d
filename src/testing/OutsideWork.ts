/**
 * Counts the work that a world has going on outside of JavaScript: timers, files, sockets, processes.
 *
 * Owns: whether something goes on. Does not own: what that means for time.
 *
 * Timers are told apart by who started them, because a test framework and other worlds have timers too. Of the rest there
 * is so little in a test that more than at the beginning counts as the world's own.
 *
 * @since 0.1.0
 */
import { AsyncLocalStorage, createHook, type AsyncHook } from "node:async_hooks"
import { noteMade } from "../execution/Fibers.ts"

/** What keeps a process alive without being work that will end, and timers, which are counted one by one. */
const isNoWork = /^Immediate$|^Timeout$|Server|^MessagePort$|^TTY|^Signal/

const resources = (): number => process.getActiveResourcesInfo().filter((name) => !isNoWork.test(name)).length

const owner = new AsyncLocalStorage<OutsideWork>()

export class OutsideWork {
  readonly #timers = new Set<number>()
  readonly #hook: AsyncHook
  readonly #baseline = resources()

  constructor() {
    this.#hook = createHook({
      init: (id, type) => {
        if (type === "Timeout" && owner.getStore() === this) this.#timers.add(id)
        else if (type === "PROMISE") noteMade()
      },
      destroy: (id) => {
        this.#timers.delete(id)
      }
    }).enable()
  }

  /** Whether something goes on. */
  get isGoingOn(): boolean {
    return this.#timers.size > 0 || resources() > this.#baseline
  }

  /** Runs what belongs to this world. */
  within<A>(run: () => A): A {
    return owner.run(this, run)
  }

  stop(): void {
    this.#hook.disable()
  }
}

/** Runs what belongs to no world, although one may have asked for it. */
export const outside = <A>(run: () => A): A => owner.exit(run)
