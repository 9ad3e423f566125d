/**
 * Knows when a world stands still: when nothing can happen in it any more unless time passes.
 *
 * Owns: whether everything that runs waits for virtual time alone, and when nothing has happened for long.
 * Does not own: virtual time, and what an invocation is at, which its parts know.
 *
 * Invariants:
 * 1. Time stands still while a fiber is about to run, a request is open, or a fiber of a workflow is outside.
 * 2. Whatever else is at work in an invocation (bodies of steps, holds, values that are read or written) has to be asleep
 *    on the virtual clock, or wait for what is.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type { AnyFiber } from "../execution/Fibers.ts"
import { executionOf, type Parts } from "../execution/Parts.ts"
import { InHold, type Hold } from "../execution/References.ts"
import * as Timer from "../execution/Timer.ts"
import { FiberTree, type Beside } from "./FiberTree.ts"
import { outside, RealWork, type Waiter } from "./RealWork.ts"
import { listenForSilence } from "./Silence.ts"
import type { VirtualClock } from "./VirtualClock.ts"
import { WatchedScheduler } from "./WatchedScheduler.ts"

// Captured early: a test framework may replace the timers of the process later.
const { performance, setImmediate, setInterval, setTimeout } = globalThis

/** How long time waits for something outside to show, in milliseconds of real time. */
const recheckMillis = 30

/** Starts a timer in real time that does not count as work of the program under test. Answers with how to stop it. */
export const startTimer = (millis: number, action: () => void): (() => void) =>
  outside(() => Timer.startTimer(millis, action))

/** The timers of the process that a test framework has replaced by others, which do not run by themselves. */
export const fakedTimers = (): ReadonlyArray<string> =>
  Object.entries({ setTimeout, setInterval, setImmediate }).flatMap(([name, own]) => {
    const now: unknown = Reflect.get(globalThis, name)
    const isFake = now !== own || (typeof now === "function" && "clock" in now)
    return isFake ? [name] : []
  })

/** The key of the call that the current fiber runs for. */
export const CurrentCall: Context.Reference<string | undefined> = Context.Reference<string | undefined>(
  "effect-durable/testing/CurrentCall",
  { defaultValue: () => undefined }
)

/** An invocation whose parts are there. */
export interface Invocation {
  /** The key of its call. */
  readonly key: string
  /** The fiber that drives it. */
  readonly fiber: AnyFiber
  readonly parts: Parts
}

/** A fiber that may have waited for long, for whatever there is. */
const anybody: Waiter = { id: -1, since: 0, body: 0, isLeaf: true }

/** How unclear it is whether fibers wait for time alone. */
type Doubt = "none" | "small" | "large"

/** One look at what all fibers wait for. */
class Look {
  doubt: Doubt = "none"
  /** Those about whom there is doubt. */
  readonly inDoubt: Array<AnyFiber> = []
  readonly asleep: ReadonlySet<AnyFiber>
  readonly #isLeaf: (fiber: AnyFiber) => boolean

  constructor(asleep: ReadonlySet<AnyFiber>, isLeaf: (fiber: AnyFiber) => boolean) {
    this.asleep = asleep
    this.#isLeaf = isLeaf
  }

  /** Whether fibers that belong together wait for time alone: they sleep, or wait for those that do. */
  waits(fibers: ReadonlyArray<AnyFiber>): boolean {
    const others = fibers.filter((fiber) => !this.asleep.has(fiber))
    if (others.length === 0) return true
    this.inDoubt.push(...others)
    const areParents = others.every((fiber) => !this.#isLeaf(fiber))
    if (!areParents) this.doubt = "large"
    else if (this.doubt === "none") this.doubt = "small"
    return areParents || others.length < fibers.length
  }
}

export class Stillness {
  /** Runs the fibers of the world, but for those of workflows, and hears of every move of theirs. */
  readonly scheduler: WatchedScheduler
  readonly tree = new FiberTree()
  /** Fibers that wait for an execution of this very world, and so for time as much as that does. */
  readonly awaiting = new Set<AnyFiber>()
  /** Requests to the service that are not answered yet. */
  openRequests = 0
  readonly #clock: VirtualClock
  readonly #quietTurns: number
  readonly #onQuiet: () => void
  readonly #timers = new Set<() => void>()
  /** What has real time for something, and whether it is over. */
  readonly #patience = new WeakMap<object, { isOver: boolean }>()
  #activity = 0
  #armed = false
  #stopped = false
  /** At which state of the world it is unclear whether something goes on outside, and whether that had time to show. */
  #unclear = { pulse: -1, hadTime: false }
  readonly #real = new RealWork()

  /** Calls `onQuiet` whenever the event loop has turned a number of times without any activity in the world. */
  constructor(clock: VirtualClock, quietTurns: number, onQuiet: () => void) {
    this.#clock = clock
    this.#quietTurns = quietTurns
    this.#onQuiet = onQuiet
    this.scheduler = new WatchedScheduler(this.touch, this.tree.see, this.tree.goesOn)
  }

  /** Calls back when nothing has happened for so many milliseconds of real time. Answers with how to listen no longer. */
  listen(patience: number, onSilence: () => void): () => void {
    const isComputing = (): boolean => this.#real.isComputing
    return listenForSilence({ pulse: () => this.#pulse, isComputing, startTimer }, patience, onSilence)
  }

  get #pulse(): number {
    return this.#activity + this.#real.events
  }

  /** Runs what belongs to the world. */
  within<A>(run: () => A): A {
    return this.#real.within(run)
  }

  stop(): void {
    this.#stopped = true
    this.#real.stop()
    for (const stop of this.#timers) stop()
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
      if (!this.#stopped) this.#onQuiet()
    }
    setImmediate(tick)
  }

  /**
   * Whether everything that runs waits for time alone: invocations by their parts, and what has none by its key. Of
   * `bystanders` only what goes on outside holds time still: nobody has to wait for them.
   */
  waitsForTime(invocations: Iterable<Invocation>, calls: Iterable<string>, bystanders: Iterable<string>): boolean {
    if (this.openRequests > 0 || this.scheduler.queued) return false
    const look = new Look(new Set([...this.#clock.asleep, ...this.awaiting]), (fiber) => this.#isLeaf(fiber))
    const beside = this.tree.beside()
    for (const invocation of invocations) {
      if (!this.#waits(invocation, beside.get(invocation.parts), look)) return false
    }
    for (const call of calls) if (!look.waits(this.#fibersOf(call))) return false
    for (const call of bystanders) look.waits(this.#fibersOf(call))
    this.#real.look()
    return look.doubt === "none" || this.#isNothingGoingOnOutside(look)
  }

  #fibersOf(call: string): ReadonlyArray<AnyFiber> {
    return [...this.tree.live].filter((fiber) => fiber.getRef(CurrentCall) === call)
  }

  /** Fibers of a workflow are known to their own queue, and all others to the tree. */
  #isLeaf(fiber: AnyFiber): boolean {
    const member = executionOf(fiber)?.parts.fibers.live.get(fiber)
    return member === undefined ? this.tree.isLeaf(fiber) : member.children === 0
  }

  // --- One invocation --------------------------------------------------------------------------------------------------

  #waits(invocation: Invocation, beside: Beside | undefined, look: Look): boolean {
    const { parts } = invocation
    if (parts.fibers.queued || (parts.lifetime.isOpen && this.#isOutside(parts, look))) return false
    const atWork = [...(beside?.others.values() ?? []), ...bodiesOf(parts, beside), ...holdsOf(parts)]
    return atWork.length === 0 ? this.#idles(invocation, look) : atWork.every((fibers) => look.waits(fibers))
  }

  /**
   * Whether a fiber of a workflow waits for real I/O outside of a step: time stands still until it is back, but no longer
   * than its invocation would wait for it.
   */
  #isOutside({ delivery, fibers, settings }: Parts, { asleep }: Look): boolean {
    const awake = Array.from(fibers.outside.keys()).filter(
      (fiber) => !asleep.has(fiber) && !delivery.holds.has(fiber.getRef(InHold)!)
    )
    return awake.map((fiber) => this.#hasWaited(fiber, settings.outsideLimit)).includes(false)
  }

  /** Where nothing is at work, something sleeps: before a request is repeated, in a nap, or outside of any step. */
  #idles({ fiber, key, parts }: Invocation, look: Look): boolean {
    const { delivery, fibers, lifetime, outbox, settings } = parts
    if (outbox.isSending) return true
    const sleeps = Array.from(look.asleep).some((sleeper) => fibers.live.has(sleeper))
    if (lifetime.isOpen) {
      // Before the workflow begins, its payload is read.
      return fibers.live.size === 0 ? look.waits(this.#fibersOf(key)) : sleeps || delivery.isNapping
    }
    if (sleeps || look.asleep.has(fiber)) return true
    // Finalizers may do real I/O, so before their virtual grace period is skipped they get it in real time.
    look.doubt = fibers.live.size === 0 ? "large" : look.doubt
    return this.#hasWaited(parts, settings.grace)
  }

  /** Whether so much real time has passed since somebody asked that first. */
  #hasWaited(subject: object, millis: number): boolean {
    const known = this.#patience.get(subject)
    if (known !== undefined) return known.isOver
    const wait = { isOver: millis <= 0 }
    this.#patience.set(subject, wait)
    if (wait.isOver) return true
    const stop = startTimer(millis, () => {
      this.#timers.delete(stop)
      wait.isOver = true
      this.touch()
    })
    this.#timers.add(stop)
    return false
  }

  /** Calls back once nothing has gone on for a moment, outside or as somebody else says, or after so much real time. */
  whenQuiet(limit: number, isElsewhere: () => boolean, action: (isQuiet: boolean) => void): () => void {
    const ends = performance.now() + limit
    const isGoingOn = (): boolean => isElsewhere() || this.#real.signs(anybody).length > 0
    const look = (): (() => void) =>
      startTimer(Math.min(recheckMillis, ends - performance.now()), () => {
        if (isGoingOn() && performance.now() < ends) stop = look()
        else action(!isGoingOn())
      })
    let stop = look()
    return () => stop()
  }

  // --- Outside of the process ------------------------------------------------------------------------------------------

  /**
   * Beside one that sleeps, a fiber may wait for another fiber, for ever, or for something outside the process, like a
   * request that a time-out watches. Only the last holds time still, and it shows as real work. If the fiber has no children
   * that it could be waiting for, time waits a moment for what shows late.
   */
  #isNothingGoingOnOutside({ doubt, inDoubt }: Look): boolean {
    const pulse = this.#pulse
    if (this.#unclear.pulse !== pulse) this.#unclear = { pulse, hadTime: false }
    if (this.signsFor(inDoubt).length > 0) return this.#lookAgain()
    return doubt === "small" || this.#unclear.hadTime || this.#lookAgain()
  }

  /** What goes on outside that may wake some fibers. */
  signsFor(fibers: Iterable<AnyFiber>): ReadonlyArray<string> {
    return [...new Set(Array.from(fibers).flatMap((fiber) => this.#real.signs(this.tree.waiter(fiber))))]
  }

  #lookAgain(): false {
    const unclear = this.#unclear
    const stop = startTimer(recheckMillis, () => {
      this.#timers.delete(stop)
      // What has become ready meanwhile has its turn before.
      setImmediate(() => {
        unclear.hadTime = true
        if (!this.#stopped && !this.#armed && this.#unclear === unclear) this.#onQuiet()
      })
    })
    this.#timers.add(stop)
    return false
  }
}

/** The fibers of each body that counts. */
const bodiesOf = ({ delivery }: Parts, beside: Beside | undefined): ReadonlyArray<ReadonlyArray<AnyFiber>> =>
  Array.from(delivery.running.values()).flatMap(({ claim }) =>
    claim.namespace.standing === "closed" ? [] : [beside?.bodies.get(claim.path) ?? []]
  )

/** The fibers of each hold of which one is at work: it waits for no operation, and for no fiber that it forked. */
const holdsOf = ({ delivery, fibers }: Parts): ReadonlyArray<ReadonlyArray<AnyFiber>> => {
  if (delivery.holds.size === 0) return []
  const parked = new Set(Array.from(delivery.doors, ({ fiber }) => fiber))
  const byHold = new Map<Hold, Array<AnyFiber>>()
  for (const fiber of fibers.live.keys()) {
    const hold = fiber.getRef(InHold)
    if (hold === undefined || !delivery.holds.has(hold) || parked.has(fiber)) continue
    const others = byHold.get(hold)
    if (others === undefined) byHold.set(hold, [fiber])
    else others.push(fiber)
  }
  const isLeaf = (fiber: AnyFiber): boolean => fibers.live.get(fiber)?.children === 0
  return Array.from(byHold.values()).filter((held) => held.some(isLeaf))
}
