/**
 * Knows when a world stands still: when nothing can happen in it any more unless time passes.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Fiber from "effect/Fiber"
import { executionOf } from "../runtime/Execution.ts"
import type { Run } from "../runtime/Run.ts"
import { CurrentUnit, type Unit } from "../runtime/Supervisor.ts"
import { WatchedScheduler } from "../runtime/WatchedScheduler.ts"
import { FiberTree } from "./FiberTree.ts"
import { outside, OutsideWork } from "./OutsideWork.ts"
import type { VirtualClock } from "./VirtualClock.ts"

type AnyFiber = Fiber.Fiber<unknown, unknown>

// Captured early: a test framework may replace the timers of the process later.
const { clearTimeout, performance, setImmediate, setTimeout } = globalThis

/** How long time waits for something outside to show, in milliseconds of real time. */
const recheckMillis = 30

/** Starts a timer in real time that does not count as work of the program under test. Answers with how to stop it. */
export const startTimer = (millis: number, action: () => void): (() => void) => {
  const timer = outside(() => setTimeout(action, millis))
  return () => clearTimeout(timer)
}

/** How unclear it is whether fibres wait for time alone. */
type Doubt = "none" | "small" | "large"

/** The key of the call that the current fibre runs for. */
export const CurrentCall: Context.Reference<string | undefined> = Context.Reference<string | undefined>(
  "effect-durable/testing/CurrentCall",
  { defaultValue: () => undefined }
)

export class Stillness {
  /** Runs the fibres of the world, and hears of every move of theirs. */
  readonly scheduler: WatchedScheduler
  readonly tree = new FiberTree()
  /** Fibres that wait for an execution of this very world, and so for time as much as that does. */
  readonly awaiting = new Set<AnyFiber>()
  /** Requests to the service that are not answered yet. */
  openRequests = 0
  readonly #clock: VirtualClock
  readonly #quietTurns: number
  readonly #onQuiet: () => void
  readonly #endings = new WeakMap<Run, number>()
  #activity = 0
  #armed = false
  #stopped = false
  #lastActive = performance.now()
  /** Since when it is unclear whether something goes on outside. */
  #unclear: { readonly activity: number; readonly since: number } | undefined
  readonly #outside = new OutsideWork()

  /** Calls `onQuiet` whenever the event loop has turned a number of times without any activity in the world. */
  constructor(clock: VirtualClock, quietTurns: number, onQuiet: () => void) {
    this.#clock = clock
    this.#quietTurns = quietTurns
    this.#onQuiet = onQuiet
    this.scheduler = new WatchedScheduler(this.touch, this.tree.see)
  }

  /** Milliseconds of real time since something moved. */
  get quietFor(): number {
    return performance.now() - this.#lastActive
  }

  /** Runs what belongs to the world. */
  within<A>(run: () => A): A {
    return this.#outside.within(run)
  }

  stop(): void {
    this.#stopped = true
    this.#outside.stop()
  }

  /** Notes that something moved. */
  readonly touch = (): void => {
    this.#activity++
    if (this.#armed || this.#stopped) return
    this.#armed = true
    let seen = this.#activity
    let quiet = 0
    const tick = (): void => {
      if (this.#activity === seen) quiet++
      else quiet = 0
      seen = this.#activity
      if (quiet < this.#quietTurns) return void setImmediate(tick)
      this.#armed = false
      this.#lastActive = performance.now()
      if (!this.#stopped) this.#onQuiet()
    }
    setImmediate(tick)
  }

  /**
   * Whether everything that runs waits for time alone: invocations by their runs, and what has none by its key. Of
   * `bystanders` only what goes on outside holds time still: nobody has to wait for them.
   */
  waitsForTime(runs: Iterable<Run>, calls: Iterable<string>, bystanders: Iterable<string>): boolean {
    if (this.openRequests > 0 || this.scheduler.queued) return false
    const asleep = new Set([...this.#clock.asleep, ...this.awaiting])
    const byUnit = this.#fibersByUnit()
    let doubt: Doubt = "none"
    const waits = (fibers: ReadonlyArray<AnyFiber>, run: Run | undefined): boolean => {
      const blocked = run?.blocked ?? []
      const others = fibers.filter((fiber) => !asleep.has(fiber) && !blocked.includes(fiber))
      if (others.length === 0) return true
      const isParent = (fiber: AnyFiber): boolean => !this.tree.isLeaf(fiber)
      if (!others.every(isParent)) doubt = "large"
      else if (doubt === "none") doubt = "small"
      return others.every(isParent) || fibers.some((fiber) => asleep.has(fiber))
    }
    for (const run of runs) {
      if (run.supervisor.scheduler.queued) return false
      const units = [...run.supervisor.units].filter((unit) => !unit.context.closed)
      if (units.length === 0 && !this.#idles(run, asleep)) return false
      if (!units.every((unit) => waits(byUnit.get(unit) ?? [], run))) return false
    }
    const fibersOf = (call: string) => [...this.tree.live].filter((fiber) => fiber.getRef(CurrentCall) === call)
    for (const call of calls) if (!waits(fibersOf(call), undefined)) return false
    for (const call of bystanders) waits(fibersOf(call), undefined)
    return doubt === "none" || this.#isNothingGoingOnOutside(doubt)
  }

  /**
   * Beside one that sleeps, a fibre may wait for another fibre, for ever, or for something outside the process, like a
   * request that a time-out watches. Only the last holds time still, and it shows as a resource of the process. If the
   * fibre has no children that it could be waiting for, time waits a moment for what shows late.
   */
  #isNothingGoingOnOutside(doubt: Doubt): boolean {
    if (this.#unclear?.activity !== this.#activity)
      this.#unclear = { activity: this.#activity, since: performance.now() }
    if (this.#outside.isGoingOn) return this.#lookAgain(recheckMillis)
    const left = recheckMillis - (performance.now() - this.#unclear.since)
    return doubt === "small" || left <= 0 || this.#lookAgain(left)
  }

  #lookAgain(millis: number): false {
    const { activity } = this.#unclear ?? { activity: -1 }
    startTimer(millis, () => {
      if (!this.#stopped && !this.#armed && this.#activity === activity) this.#onQuiet()
    })
    return false
  }

  /** A run without work in flight waits for time before it repeats a request, in a sleep, and for its finalizers. */
  #idles(run: Run, asleep: ReadonlySet<AnyFiber>): boolean {
    if (run.checkpointer.sending) return true
    const sleeping = [...asleep].some((fiber) => executionOf(fiber)?.run === run)
    if (run.phase === "running") return sleeping && !run.supervisor.waits
    return sleeping || this.#hasHadItsGrace(run)
  }

  /** Finalizers may do real I/O, so before their virtual grace period is skipped they get it in real time. */
  #hasHadItsGrace(run: Run): boolean {
    const since = this.#endings.get(run) ?? performance.now()
    this.#endings.set(run, since)
    const left = run.options.grace - (performance.now() - since)
    if (left > 0) startTimer(left, this.touch)
    return left <= 0
  }

  #fibersByUnit(): ReadonlyMap<Unit, ReadonlyArray<AnyFiber>> {
    const byUnit = new Map<Unit, Array<AnyFiber>>()
    for (const fiber of this.tree.live) {
      const unit = fiber.getRef(CurrentUnit)
      if (unit === undefined) continue
      const others = byUnit.get(unit)
      if (others === undefined) byUnit.set(unit, [fiber])
      else others.push(fiber)
    }
    return byUnit
  }
}
