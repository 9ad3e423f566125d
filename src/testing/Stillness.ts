/**
 * Detects when a world is still: when nothing can happen in it unless time passes.
 *
 * Owns: whether all running code waits only for virtual time, and when nothing has happened for long.
 * Does not own: virtual time, and the state of an invocation, which its parts know.
 *
 * Invariants:
 * 1. Time stands still while a fiber is about to run, a request is open, or a fiber of a workflow waits outside.
 * 2. All other active code of an invocation (bodies of steps, holds, values that are read or written) has to sleep on the
 *    virtual clock, or wait for code that does.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
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

/** How long time waits for late signs of external work, in milliseconds of real time. */
const recheckMillis = 30

/** Starts a timer in real time that does not count as work of the program under test. Returns a function that stops it. */
export const startTimer = (millis: number, action: () => void): (() => void) =>
  outside(() => Timer.startTimer(millis, action))

/** Returns the timers of the process that a test framework has replaced by fakes, which do not run by themselves. */
export const fakedTimers = (): ReadonlyArray<string> =>
  Object.entries({ setTimeout, setInterval, setImmediate }).flatMap(([name, own]) => {
    const now: unknown = Reflect.get(globalThis, name)
    const isFake = now !== own || (typeof now === "function" && "clock" in now)
    return isFake ? [name] : []
  })

/** The key of the call that the current fiber belongs to. */
export const CurrentCall: Context.Reference<string | undefined> = Context.Reference<string | undefined>(
  "effect-durable/testing/CurrentCall",
  { defaultValue: () => undefined }
)

/** An invocation whose parts exist. */
export interface Invocation {
  /** The key of its call. */
  readonly key: string
  /** The fiber that drives it. */
  readonly fiber: AnyFiber
  readonly parts: Parts
}

/** A waiting fiber that any work may wake. */
const anybody: Waiter = { id: -1, since: 0, body: 0, isLeaf: true }

/** How uncertain it is whether fibers wait only for time. */
type Doubt = "none" | "small" | "large"

/** One inspection of everything that fibers wait for. */
class Look {
  doubt: Doubt = "none"
  /** The fibers in doubt. */
  readonly inDoubt: Array<AnyFiber> = []
  readonly asleep: ReadonlySet<AnyFiber>
  readonly #isLeaf: (fiber: AnyFiber) => boolean

  constructor(asleep: ReadonlySet<AnyFiber>, isLeaf: (fiber: AnyFiber) => boolean) {
    this.asleep = asleep
    this.#isLeaf = isLeaf
  }

  /** Returns whether related fibers wait only for time: they sleep, or wait for those that do. */
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
  /** Runs the fibers of the world, except those of workflows, and observes all their activity. */
  readonly scheduler: WatchedScheduler
  readonly tree = new FiberTree()
  /** The fibers that wait for an execution of this world, and so wait for time as much as the execution does. */
  readonly awaiting = new Set<AnyFiber>()
  /** The number of requests to the service that are not answered yet. */
  #openRequests = 0
  readonly #clock: VirtualClock
  readonly #quietTurns: number
  readonly #onQuiet: () => void
  readonly #timers = new Set<() => void>()
  /** The subjects that are granted real time, and whether that is over. */
  readonly #patience = new WeakMap<object, { isOver: boolean }>()
  #activity = 0
  #armed = false
  #stopped = false
  /** The state of the world in which it is unclear whether external work is in progress, and whether that had time to show. */
  #unclear = { pulse: -1, hadTime: false }
  readonly #real = new RealWork()

  /** Calls `onQuiet` whenever the event loop has turned a number of times without any activity in the world. */
  constructor(clock: VirtualClock, quietTurns: number, onQuiet: () => void) {
    this.#clock = clock
    this.#quietTurns = quietTurns
    this.#onQuiet = onQuiet
    this.scheduler = new WatchedScheduler(this.touch, this.tree.see, this.tree.goesOn)
  }

  /**
   * Calls back when nothing has happened for `patience` milliseconds of real time. Returns a function that stops listening.
   */
  listen(patience: number, onSilence: () => void): () => void {
    const isComputing = (): boolean => this.#real.isComputing
    return listenForSilence({ pulse: () => this.#pulse, isComputing, startTimer }, patience, onSilence)
  }

  get #pulse(): number {
    return this.#activity + this.#real.events
  }

  /** Runs a request to the service. Time stands still until it is answered. */
  whileOpen<A, E>(request: Effect.Effect<A, E>): Effect.Effect<A, E> {
    return Effect.acquireUseRelease(
      Effect.sync(() => void this.#openRequests++),
      () => request,
      () =>
        Effect.sync(() => {
          this.#openRequests--
          this.touch()
        })
    )
  }

  /** Runs code that belongs to the world. */
  within<A>(run: () => A): A {
    return this.#real.within(run)
  }

  stop(): void {
    this.#stopped = true
    this.#real.stop()
    for (const stop of this.#timers) stop()
  }

  /** Records activity. */
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
   * Returns whether all running code waits only for time: invocations by their parts, and code without parts by its key. Of
   * `bystanders` only external work holds time still: time does not wait for the fibers themselves.
   */
  waitsForTime(invocations: Iterable<Invocation>, calls: Iterable<string>, bystanders: Iterable<string>): boolean {
    if (this.#openRequests > 0 || this.scheduler.queued) return false
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

  /** Returns whether a fiber is a leaf. The queue of a workflow knows its fibers, and the tree knows all others. */
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
   * Returns whether a fiber of a workflow waits for real I/O outside of a step. Time then stands still until it is back, but
   * no longer than the invocation would wait for it.
   */
  #isOutside({ delivery, fibers, settings }: Parts, { asleep }: Look): boolean {
    const awake = Array.from(fibers.outside.keys()).filter(
      (fiber) => !asleep.has(fiber) && !delivery.holds.has(fiber.getRef(InHold)!)
    )
    return awake.map((fiber) => this.#hasWaited(fiber, settings.outsideLimit)).includes(false)
  }

  /**
   * Returns whether an invocation without active work sleeps: before it repeats a request, in a nap, or outside of any step.
   */
  #idles({ fiber, key, parts }: Invocation, look: Look): boolean {
    const { delivery, fibers, lifetime, outbox, settings } = parts
    if (outbox.isSending) return true
    const sleeps = Array.from(look.asleep).some((sleeper) => fibers.live.has(sleeper))
    if (lifetime.isOpen) {
      // Before the workflow begins, its payload is read.
      return fibers.live.size === 0 ? look.waits(this.#fibersOf(key)) : sleeps || delivery.isNapping
    }
    if (sleeps || look.asleep.has(fiber)) return true
    // Finalizers may do real I/O, so they get their grace period in real time before it is skipped in virtual time.
    look.doubt = fibers.live.size === 0 ? "large" : look.doubt
    return this.#hasWaited(parts, settings.grace)
  }

  /** Returns whether this much real time has passed since the first call for the subject. */
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

  /**
   * Calls back once nothing has been in progress for a moment, outside or by `isElsewhere`, or after the limit in real time.
   */
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
   * Returns whether no external work is in progress. Besides fibers that sleep, a fiber may wait for another fiber, forever,
   * or for something outside the process, such as a request with a time-out. Only the last holds time still, and it shows as
   * real work. If the fiber has no children that it could be waiting for, time waits a moment for late signs.
   */
  #isNothingGoingOnOutside({ doubt, inDoubt }: Look): boolean {
    const pulse = this.#pulse
    if (this.#unclear.pulse !== pulse) this.#unclear = { pulse, hadTime: false }
    if (this.signsFor(inDoubt).length > 0) return this.#lookAgain()
    return doubt === "small" || this.#unclear.hadTime || this.#lookAgain()
  }

  /** Returns the external work in progress that may wake some fibers. */
  signsFor(fibers: Iterable<AnyFiber>): ReadonlyArray<string> {
    return [...new Set(Array.from(fibers).flatMap((fiber) => this.#real.signs(this.tree.waiter(fiber))))]
  }

  #lookAgain(): false {
    const unclear = this.#unclear
    const stop = startTimer(recheckMillis, () => {
      this.#timers.delete(stop)
      // Fibers that have become ready meanwhile run first.
      setImmediate(() => {
        unclear.hadTime = true
        if (!this.#stopped && !this.#armed && this.#unclear === unclear) this.#onQuiet()
      })
    })
    this.#timers.add(stop)
    return false
  }
}

/** Returns the fibers of each body that counts. */
const bodiesOf = ({ delivery }: Parts, beside: Beside | undefined): ReadonlyArray<ReadonlyArray<AnyFiber>> =>
  Array.from(delivery.running.values()).flatMap(({ claim }) =>
    claim.namespace.standing === "closed" ? [] : [beside?.bodies.get(claim.path) ?? []]
  )

/** Returns the fibers of each active hold: one of them waits neither for an operation nor for a fiber that it forked. */
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
