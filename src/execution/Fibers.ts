/**
 * The fibers of a workflow: the queue on which they all run, and the state of each.
 *
 * Owns: the run queue, which is the scheduler of the workflow; which fibers live and which fiber forked them; which of them
 * are *outside*, waiting for something of the host that no operation records; and what fibers failed with.
 * Does not own: what is delivered to fibers. The delivery decides that whenever the queue is empty.
 *
 * Invariants:
 * 1. All fibers of the workflow run on one first-in-first-out queue. No fiber yields because of what it has computed:
 *    after a while the whole workflow pauses, and the same fiber continues first. A fiber pauses only where no other
 *    fiber could observe the pause: in a task of its own, in which nothing else remains to be done once the fiber
 *    stops.
 * 2. The queue runs in *slices*: all tasks that run because of one delivered outcome, or of one result from outside,
 *    until the queue is empty again. A result from outside enters only when the queue is empty, as a slice of its own.
 * 3. A fiber that waits for a promise or a timer of the host is outside from the moment at which it asks for the
 *    promise or timer until it runs again. A fiber that only another fiber can wake is never outside.
 * 4. Bodies of steps and Serdes run on the scheduler of the host. Their fibers do not count as fibers of the workflow.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Fiber from "effect/Fiber"
import { isObjectKeyword } from "effect/Predicate"
import type * as Scheduler from "effect/Scheduler"
import { failureIn } from "../internal/cause.ts"
import { hearWaits, isOfEffect, isPromise, type OnWait, type Register } from "../internal/waits.ts"
import type { User } from "./Users.ts"

export type AnyFiber = Fiber.Fiber<unknown, unknown>

/** The state of one fiber of the workflow. */
interface Member {
  readonly parent: AnyFiber | undefined
  /** The number of its live child fibers. */
  children: number
  /** The function with which it last waited to be called back, if it has ever waited. */
  wait: Register | undefined
  /** The last slice that precedes, in every run, the moment when it began to wait or went outside. */
  after: number
  /** The slices from outside that precede it in every run. */
  known: bigint
  /** Whether it has begun to wait to be called back and has not run since. */
  isWaiting: boolean
}

export interface FibersHost {
  /**
   * Called when nothing is left to run. Delivers or performs the next action; returns false when there is nothing to do
   * now.
   */
  readonly onIdle: () => boolean
  /** Called when fibers spin without asking for an operation, repeatedly as long as they do. */
  readonly onSpin: () => void
  /** Called when a fiber runs. */
  readonly onActivity: () => void
  /** Called when a fiber that was outside is interrupted, and does not come back. */
  readonly onLost: () => void
}

/**
 * How many operations a fiber runs between two readings of the time, and how long one turn of the event loop may take,
 * in milliseconds.
 */
const opsBetweenLooks = 2_048
const turnBudget = 20

/**
 * How many consecutive tasks may run without a delivery, and without a moment in which all fibers wait while the event
 * loop turns. More tasks mean a loop that never waits. The queue checks for such a moment after every 25,000 tasks.
 */
const maxTasks = 250_000
const tasksBetweenLooks = 25_000

// Captured early: a test framework may replace the timers of the process later.
const { performance, setImmediate } = globalThis
// oxlint-disable-next-line typescript/unbound-method -- it is applied to the promise that it belongs to
const { then } = Promise.prototype
const done = Promise.resolve()

/** Calls `action` in a microtask. With `queueMicrotask`, Node makes and follows a resource for each call. */
const soon = (action: () => void): void => void Reflect.apply(then, done, [action])

export class Fibers implements Scheduler.Scheduler {
  readonly executionMode: "sync" | "async"
  readonly live = new Map<AnyFiber, Member>()
  /** The fibers that wait for something of the host, with the place in the code if it was captured. */
  readonly outside = new Map<AnyFiber, string | undefined>()
  /** Returns the place in the code where a fiber goes outside. */
  placeOf: (() => string | undefined) | undefined
  /** The number of pending promises to which fibers of the workflow have subscribed. */
  #promises = 0
  readonly #failures = new WeakSet<object>()
  #host: FibersHost | undefined
  #tasks: Array<{ readonly task: () => void; readonly spawner: AnyFiber | undefined }> = []
  #next = 0
  /** The index of the first task after the paused ones: that after the running task, if one runs. */
  #waiting = 0
  #slices: Array<{ readonly task: () => void; readonly spawner: AnyFiber | undefined }> = []
  #isRunning = false
  #isUnwatched = false
  /** The fiber of the host that runs the queue, if there is one. */
  #caller: AnyFiber | undefined
  #isPaused = false
  #isWoken = false
  /**
   * The current slice, and the last slice that precedes it in every run, which is the current slice itself if an
   * outcome began it.
   */
  #slice = 1
  #after = 1
  /** The number of slices from outside, and the current one of them: one bit, or none. */
  #returns = 0
  #bit = 0n
  /**
   * The slices from outside that precede the current slice in every run, and those that precede the last slice that an
   * outcome began.
   */
  #known = 0n
  #delivered = 0n
  /** Whether the fiber that an outcome has woken has not run yet. */
  #isFirst = true
  #isStopped = false
  #turnBegan = 0
  #unwatch = (): void => {}
  #count = 0
  #last: AnyFiber | undefined
  #spawner: AnyFiber | undefined
  #entering: AnyFiber | undefined
  #pausing: AnyFiber | undefined
  /** The fiber to which the current task belongs, if it is the task of one fiber. */
  #owner: AnyFiber | undefined
  /** The operation count of the owner when the time was read last. */
  #looked = 0
  /** Whether no fiber has run in the task yet. */
  #isUntouched = false
  /** The fiber that came back from outside last. */
  #returning: AnyFiber | undefined
  /** Where in the code the running fiber had the host create something. */
  #made: string | undefined

  /** In the mode of `Effect.runSync`, nothing pauses: the caller of the workflow does not wait. */
  constructor(executionMode: "sync" | "async" = "async") {
    this.executionMode = executionMode
  }

  attach(host: FibersHost): void {
    this.#host = host
  }

  /** Whether a fiber is about to run. */
  get queued(): boolean {
    return this.#next < this.#tasks.length || this.#slices.length > 0 || this.#isPaused
  }

  /** Whether fibers of the workflow run now. */
  get isRunning(): boolean {
    return this.#isRunning
  }

  /** The fiber that runs now or has just ended: observers of its end run on its behalf. */
  get current(): AnyFiber | undefined {
    const fiber = Fiber.getCurrent()
    return fiber === this.#caller && this.#isRunning && !this.#isUnwatched ? this.#last : fiber
  }

  /** Returns the position of a fiber that uses a name or a random number now. */
  userOf(fiber: AnyFiber): User {
    const known = this.#returns === 0 ? 0n : (this.live.get(fiber)?.known ?? this.#known)
    return { slice: this.#slice, after: this.#after, bit: this.#bit, known }
  }

  /** Whether what runs now came back from outside, at a place in the order of outcomes that nothing records. */
  get isBack(): boolean {
    return this.#bit !== 0n
  }

  /**
   * Whether a promise or a timer of the host is pending for which a fiber waits, or to which a fiber has subscribed.
   */
  get isOutside(): boolean {
    return this.outside.size > 0 || this.#promises > 0
  }

  /** Returns whether a fiber waits for something that only Effect can complete. */
  isOfEffect(fiber: AnyFiber): boolean {
    const wait = this.live.get(fiber)?.wait
    return wait === undefined || isOfEffect(wait)
  }

  /** Lists the fibers that wait for no fiber that they forked. */
  *leaves(): Iterable<AnyFiber> {
    for (const [fiber, { children }] of this.live) if (children === 0) yield fiber
  }

  // --- The scheduler ---------------------------------------------------------------------------------------------------

  shouldYield(fiber: AnyFiber): boolean {
    if (fiber.currentOpCount === 1) {
      const spawner = this.#spawner
      this.#spawner = undefined
      const member = this.live.get(fiber)
      this.#findOwner(fiber, spawner, member)
      if (member === undefined) this.#see(fiber, spawner ?? this.#last)
      if (this.#returns > 0) this.#learn(fiber)
      if (this.#isRunning && fiber !== this.#returning && this.outside.has(fiber)) this.#host?.onLost()
    }
    if (!this.#isRunning && !this.#isStopped) {
      // The fiber continues as a slice of its own.
      this.#entering = fiber
      return true
    }
    this.#last = fiber
    this.#made = undefined
    if (this.outside.size > 0) this.outside.delete(fiber)
    if (!this.#isRunning) return false
    // Once a fiber pauses, whatever the same task wakes after it waits as well. No other fiber than the owner of the task
    // pauses: what runs around it would overtake it.
    if (!this.#isPaused && (fiber !== this.#owner || !this.#isTurnOver(fiber))) return false
    this.#pausing = fiber
    return true
  }

  /** Checks whether the owner of the task has to wait for the next turn of the event loop. */
  #isTurnOver(owner: AnyFiber): boolean {
    // The count may skip any number: some operations count twice.
    if (owner.currentOpCount - this.#looked < opsBetweenLooks) return false
    this.#looked = owner.currentOpCount
    return performance.now() - this.#turnBegan >= turnBudget
  }

  /**
   * Makes a fiber that begins to run the owner of the task if the task is its own: the task begins the fiber, or
   * continues it after a yield. Other tasks may wake several fibers and, between two of them, depend on what the first
   * one has done by then. If the owner succeeds, the fibers that wait for its end take its place. If it fails, its end
   * interrupts others.
   */
  #findOwner(fiber: AnyFiber, spawner: AnyFiber | undefined, member: Member | undefined): void {
    const isOwn = this.#isUntouched && (member === undefined || (fiber === spawner && !member.isWaiting))
    this.#isUntouched = false
    if (member !== undefined) member.isWaiting = false
    if (isOwn || this.#owner?.pollUnsafe()?._tag === "Success") this.#owner = fiber
    if (fiber === this.#owner) this.#looked = 0
  }

  /** Notes that this task resumes only one fiber; or, without a fiber, that it resumes several. */
  own(fiber: AnyFiber | undefined): void {
    this.#owner = fiber
  }

  makeDispatcher(): Scheduler.SchedulerDispatcher {
    return {
      scheduleTask: (task) => this.#schedule(task),
      flush: () => this.run()
    }
  }

  #schedule(task: () => void): void {
    const spawner = Fiber.getCurrent()
    const entry = { task, spawner }
    if (spawner !== undefined && spawner === this.#entering) {
      this.#entering = undefined
      this.#slices.push(entry)
      // The fiber is still on the stack, and interrupting a running fiber comes too late.
      if (!this.#isRunning) return soon(() => this.wake())
    } else if (spawner !== undefined && spawner === this.#pausing) {
      this.#pausing = undefined
      this.#isPaused = true
      this.#tasks.splice(this.#waiting++, 0, entry)
    } else {
      this.#tasks.push(entry)
    }
    if (this.#isStopped && !this.#isRunning) setImmediate(() => this.run())
    else this.wake()
  }

  /** Runs a task of the workflow, before anything that comes from outside. */
  enqueue(task: () => void): void {
    this.#tasks.push({ task, spawner: undefined })
    this.wake()
  }

  /** Runs the queue, because something may have become possible. */
  wake(): void {
    this.#isWoken = true
    if (!this.#isRunning && !this.#isPaused) this.run()
  }

  /** Stops looking for outcomes to deliver, because the invocation is ending. Fibers still run. */
  stop(): void {
    this.#isStopped = true
    this.outside.clear()
  }

  // --- Running ---------------------------------------------------------------------------------------------------------

  run(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    this.#isPaused = false
    this.#turnBegan = this.executionMode === "sync" ? Infinity : performance.now()
    this.#caller = Fiber.getCurrent()
    this.#unwatch = watchHost(this.#sight)
    try {
      while (this.#runNext());
    } finally {
      this.#unwatch()
      this.#isRunning = false
      this.#caller = undefined
      this.#last = undefined
      if (this.#isPaused) setImmediate(() => this.run())
    }
  }

  #runNext(): boolean {
    if (this.#isPaused) return false
    if (this.#next < this.#tasks.length) {
      this.#waiting = this.#next + 1
      this.#perform(this.#tasks[this.#next]!)
      this.#next++
      if (this.#next > 1_024 && this.#next * 2 > this.#tasks.length) {
        this.#tasks = this.#tasks.slice(this.#next)
        this.#next = 0
      }
      return this.#isInTime()
    }
    this.#tasks = []
    this.#next = 0
    this.#waiting = 0
    const slice = this.#slices.shift()
    if (slice !== undefined) {
      const { spawner } = slice
      this.#slice++
      const member = spawner === undefined ? undefined : this.live.get(spawner)
      this.#after = member?.after ?? 0
      this.#bit = 1n << BigInt(this.#returns++)
      this.#known = (member?.known ?? 0n) | this.#bit
      this.#returning = spawner
      this.#perform(slice)
      return true
    }
    this.#isWoken = false
    this.#after = ++this.#slice
    this.#bit = 0n
    this.#known = this.#delivered
    this.#isFirst = true
    this.#owner = undefined
    this.#isUntouched = false
    if (this.#isStopped || this.#host === undefined || !this.#host.onIdle()) return this.#isWoken
    this.#count = 0
    return true
  }

  #perform({ spawner, task }: { readonly task: () => void; readonly spawner: AnyFiber | undefined }): void {
    this.#spawner = spawner
    this.#last = undefined
    this.#owner = undefined
    this.#isUntouched = true
    this.#host?.onActivity()
    if (++this.#count % maxTasks === 0) this.#host?.onSpin()
    else if (this.#count % tasksBetweenLooks === 0) setImmediate(() => this.#lookForRest())
    task()
    this.#spawner = undefined
  }

  /** Fibers that all wait while the event loop turns are not in an endless loop, whatever wakes them. */
  #lookForRest(): void {
    if (!this.queued) this.#count = 0
  }

  /**
   * Returns whether this turn of the event loop has time left. If not, it pauses so that the process can do other
   * things. It reads the time once in 256 tasks, and never between two outcomes: records must not depend on the speed
   * of the machine.
   */
  #isInTime(): boolean {
    if ((this.#count & 255) !== 255 || performance.now() - this.#turnBegan < turnBudget) return true
    this.#isPaused = true
    return false
  }

  /** Starts a fiber at once, as a child of another one. */
  forkedBy<A>(parent: AnyFiber, fork: () => A): A {
    this.#spawner = parent
    return fork()
  }

  /** Runs code that does not belong to the workflow, without watching the host. */
  unwatched<A>(run: () => A): A {
    if (!this.#isRunning || this.#isUnwatched) return run()
    this.#unwatch()
    this.#isUnwatched = true
    try {
      return run()
    } finally {
      this.#isUnwatched = false
      this.#unwatch = watchHost(this.#sight)
    }
  }

  // --- Living fibers -----------------------------------------------------------------------------------------------------

  /** Notes that a new fiber runs. Its parent queued it, or the fiber that ran last forks it. */
  #see(fiber: AnyFiber, candidate: AnyFiber | undefined): void {
    const parent = candidate === fiber ? undefined : candidate
    const own = parent === undefined ? undefined : this.live.get(parent)
    this.live.set(fiber, { parent, children: 0, wait: undefined, after: 0, known: own?.known ?? 0n, isWaiting: false })
    if (own !== undefined) own.children++
    fiber.addObserver((exit) => {
      this.live.delete(fiber)
      this.outside.delete(fiber)
      if (own !== undefined) own.children--
      if (exit._tag === "Failure") this.#noteFailures(exit.cause)
    })
  }

  /** Notes that the fiber comes after everything that precedes its cause. Outcomes come in one order. */
  #learn(fiber: AnyFiber): void {
    const member = this.live.get(fiber)
    if (member === undefined || !this.#isRunning) return
    member.known |= this.#known
    if (this.#isFirst && this.#bit === 0n) this.#delivered = this.#known = member.known
    this.#isFirst = false
  }

  /** Returns whether a fiber had failed with this value, or was failing with it, before the workflow was stopped. */
  hasFailedWith(failure: unknown): boolean {
    return isObjectKeyword(failure) && this.#failures.has(failure)
  }

  #noteFailures({ reasons }: Cause.Cause<unknown>): void {
    const cut = reasons.findLastIndex(Cause.isInterruptReason)
    for (const reason of this.#isStopped ? reasons.slice(0, Math.max(0, cut)) : reasons) {
      const failure = failureIn(reason)
      if (isObjectKeyword(failure)) this.#failures.add(failure)
    }
  }

  /** Notes that a fiber continues outside of the run queue. Returns whether it is a fiber of the workflow. */
  goOutside(fiber: AnyFiber): boolean {
    if (!this.live.has(fiber)) return false
    this.#noteOutside(fiber)
    return true
  }

  readonly #sight: Sight = {
    asks: (fiber, promise) => {
      if (!this.live.has(fiber)) return
      this.#noteOutside(fiber)
      // Code beside the workflow may leave promises behind that no fiber waits for.
      if (promise !== undefined && fiber.cache.scheduler === this) this.#countPromise(promise)
    },
    makes: () => {
      if (this.placeOf !== undefined) this.#made ??= this.placeOf()
    },
    waits: (fiber, register) => {
      const member = this.live.get(fiber)
      if (member === undefined) return
      member.wait = register
      member.isWaiting = true
      member.after = this.#after
      // The thenable of a library may do work that the runtime cannot see.
      if (isPromise(register)) this.#noteOutside(fiber)
    }
  }

  #noteOutside(fiber: AnyFiber): void {
    const member = this.live.get(fiber)
    if (member !== undefined) member.after = this.#after
    if (this.outside.get(fiber) !== undefined) return
    this.outside.set(fiber, this.placeOf?.() ?? this.#made)
  }

  #countPromise(promise: Promise<unknown>): void {
    this.#promises++
    const answered = (): void => {
      // The fibers that the promise wakes run first.
      soon(() => {
        this.#promises--
        if (this.#promises === 0) this.wake()
      })
    }
    void Reflect.apply(then, promise, [answered, answered])
  }
}

// --- Watching the host ---------------------------------------------------------------------------------------------------

interface Sight {
  /** Called when a fiber asks the host for something: a promise, or a timer. */
  readonly asks: (fiber: AnyFiber, promise: Promise<unknown> | undefined) => void
  /** Called when the host creates something that will call back. */
  readonly makes: () => void
  /** Called when a fiber begins to wait to be called back. */
  readonly waits: OnWait
}

let sight: Sight | undefined

const note = (asked: unknown): void => {
  const fiber = Fiber.getCurrent()
  if (fiber !== undefined) sight?.asks(fiber, asked instanceof Promise ? asked : undefined)
}

/**
 * Notes that the host has created something that will call back. A caller that sees this in the whole process reports it
 * here, so that messages can name the place in the code.
 */
export const noteMade = (): void => sight?.makes()

/**
 * Wraps functions of the host so that they note their caller. Keeps the last wrapper, because the function is nearly always
 * the same.
 */
const noting = <F extends (...args: never) => unknown>() => {
  let known: F | undefined
  let noted: F | undefined
  return (call: F): F => {
    if (noted !== undefined && known === call) return noted
    known = call
    return (noted = new Proxy(call, {
      apply: (target, self, args) => {
        note(self)
        return Reflect.apply(target, self, args)
      }
    }))
  }
}

const notedThen = noting<typeof Promise.prototype.then>()
const notedInterval = noting<typeof setInterval>()
const notedTimeout = noting<typeof setTimeout>()
const notedImmediate = noting<typeof setImmediate>()

/**
 * Notes, until the returned function is called, which fiber asks the host for something (a promise that it waits for,
 * or a timer), and the function with which each fiber waits. Outside of the run queue of a workflow nothing is
 * replaced.
 */
const watchHost = (see: Sight): (() => void) => {
  const before = sight
  sight = see
  const stopHearing = hearWaits(see.waits)
  if (before !== undefined) {
    return () => {
      stopHearing()
      sight = before
    }
  }
  const { prototype } = Promise
  // oxlint-disable-next-line typescript/unbound-method -- it is put back as it was
  const { then: asked } = prototype
  const { setImmediate: setTurn, setInterval: setTimers, setTimeout: setTimer } = globalThis
  // oxlint-disable-next-line unicorn/no-thenable -- the watched function is the one of all promises
  prototype.then = notedThen(asked)
  globalThis.setTimeout = notedTimeout(setTimer)
  globalThis.setInterval = notedInterval(setTimers)
  globalThis.setImmediate = notedImmediate(setTurn)
  return () => {
    // oxlint-disable-next-line unicorn/no-thenable -- as above
    prototype.then = asked
    globalThis.setTimeout = setTimer
    globalThis.setInterval = setTimers
    globalThis.setImmediate = setTurn
    stopHearing()
    sight = before
  }
}
