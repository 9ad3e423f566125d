/**
 * Counts what Effect does, independently of the machine: turns of the run loop, one for each primitive, and how often a
 * fiber stops to wait. It changes the internals of Effect's fibers, because a workflow may have any scheduler. It works
 * with effect 4.1.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

export interface Counts {
  primitives: number
  suspensions: number
}

/** The members of a fiber that are changed here. */
interface FiberInternals {
  cache: Cache
  setContext: (this: FiberInternals, context: unknown) => void
  /** Runs until the fiber ends, and returns its exit, or until the fiber has to wait. */
  runLoop: (this: FiberInternals, effect: unknown) => unknown
}

/** The cached parts of a fiber's context. A `tracerContext` evaluates every primitive. */
interface Cache {
  readonly tracerContext: ((primitive: Primitive, fiber: FiberInternals) => unknown) | undefined
}

interface Primitive {
  "~effect/Effect/evaluate"(fiber: FiberInternals): unknown
}

/** Counts, in all fibers that begin from now on, until it is stopped. */
export const countFibers = (): Counts & { readonly stop: () => void } => {
  const counts: Counts = { primitives: 0, suspensions: 0 }
  const fibers: FiberInternals = Object.getPrototypeOf(Effect.runFork(Effect.void))
  const { runLoop, setContext } = fibers
  const counting = new WeakMap<Cache, Cache>()

  const countingFor = (cache: Cache): Cache => {
    const known = counting.get(cache)
    if (known !== undefined) return known
    const { tracerContext } = cache
    const changed: Cache = {
      ...cache,
      tracerContext: (primitive, fiber) => {
        counts.primitives++
        return tracerContext === undefined
          ? primitive["~effect/Effect/evaluate"](fiber)
          : tracerContext(primitive, fiber)
      }
    }
    counting.set(cache, changed)
    counting.set(changed, changed)
    return changed
  }

  fibers.setContext = function (context) {
    setContext.call(this, context)
    this.cache = countingFor(this.cache)
  }
  fibers.runLoop = function (effect) {
    const exit = runLoop.call(this, effect)
    if (!Exit.isExit(exit)) counts.suspensions++
    return exit
  }
  return Object.assign(counts, {
    stop: (): void => {
      fibers.setContext = setContext
      fibers.runLoop = runLoop
    }
  })
}
