/**
 * The action of an invocation that has nothing left to deliver or to begin.
 *
 * Owns: the choice of this action: send something, poll the service, wait for work, or end the invocation as suspended
 * or stuck. Only the limit of work outside also suspends an invocation.
 * Does not own: whether anything is left to deliver or to begin. The delivery determines that before.
 *
 * Invariants:
 * 1. Unless the execution is paused, this part never suspends an invocation that has work to begin, a request in
 *    flight, updates to send, a running body or a fiber outside; nor one that has an outcome to deliver, unless
 *    something that only the service can bring has to come before that outcome.
 * 2. An invocation is reported as stuck only if no operation is open, and after everything that the runtime cannot see
 *    had enough time to act.
 * 3. Whenever it neither ends the invocation nor sends anything, something is in progress that will wake the fibers.
 *
 * @since 0.1.0
 */
import type { Mistake } from "../DurableError.ts"
import type { Door } from "./Claim.ts"
import * as Contradiction from "./Contradiction.ts"
import type { Core } from "./Core.ts"
import type { Doors } from "./Doors.ts"
import type { AnyFiber } from "./Fibers.ts"
import { suspended } from "./Lifetime.ts"
import type { Naps } from "./Naps.ts"
import type { News } from "./News.ts"
import type { Outside } from "./Outside.ts"
import type { Poller } from "./Poller.ts"
import type { Running } from "./Running.ts"
import type { Unclaimed } from "./Unclaimed.ts"
import type { Works } from "./Work.ts"

// Captured early: a test framework may replace the timers of the process later.
const { setImmediate } = globalThis

/** How many turns of the event loop a fiber gets that waits for something the runtime cannot see. */
const unseenTurns = 2

/** The parts that may still make progress. */
export interface Movers {
  readonly doors: Doors
  readonly works: Works
  readonly running: Running
  readonly news: News
  readonly naps: Naps
  readonly outside: Outside
  readonly unclaimed: Unclaimed
  readonly poller: Poller
}

export class Rest {
  readonly #parts: Core
  readonly #movers: Movers
  #idle: Array<() => void> = []
  #isFlushing = false
  /** Whether a turn of the event loop has passed since nothing was left to do. */
  #isLeaving = false
  #turns = 0
  /** Blocks that did not run, because their outcomes are recorded. */
  readonly #skipped: Array<string> = []
  /** The mistakes of fibers that sleep longer than any execution lasts. */
  readonly #endless = new Set<Mistake>()

  constructor(parts: Core, movers: Movers) {
    this.#parts = parts
    this.#movers = movers
  }

  /** Calls `action` once nothing more can be delivered and everything that was queued is acknowledged. */
  whenIdle(action: () => void): void {
    this.#idle.push(action)
    this.#parts.fibers.wake()
  }

  /** Notes that an outcome is delivered. */
  delivered({ claim }: Door): void {
    this.#turns = 0
    if (claim?.kind.type === "CONTEXT" && claim.entry?.isOld === true) this.#skipped.push(claim.path)
  }

  /**
   * Notes that a fiber sleeps longer than any execution lasts, until the returned function is called. If nothing else
   * can continue, the execution ends with this mistake.
   */
  noteEndless(mistake: Mistake): () => void {
    this.#endless.add(mistake)
    return () => void this.#endless.delete(mistake)
  }

  /** Makes sure that something can be done later, or ends the invocation, because nothing can be done now. */
  begin(held: Door | undefined): void {
    const { fibers, lifetime, outbox } = this.#parts
    const { doors, naps, news, outside, poller, running, unclaimed, works } = this.#movers
    if (!lifetime.isOpen) return
    if (outbox.isAwaited && !outbox.isSending) return this.#flush()
    if (news.isAwaited && works.isEmpty && !outbox.isSending) return news.ask()
    const isFree = !running.hasBodies && !outbox.isSending && held === undefined
    if (isFree && this.#idle.length > 0) return this.#tellIdle()
    if (running.isAtWork) {
      outside.moved()
      return poller.arm(held !== undefined)
    }
    if (outbox.isSending) return
    if (held !== undefined && unclaimed.isAwaitedBefore(held)) return
    if (fibers.isOutside) {
      poller.arm(held !== undefined)
      return outside.wait()
    }
    if (held !== undefined) return this.suspend()
    if (naps.size > 0 && !naps.isTiring(doors.hasDurable)) return poller.arm(false)
    if (!works.isEmpty) return
    if (this.#turns < unseenTurns && this.#unseen().length > 0) {
      this.#turns++
      setImmediate(() => fibers.wake())
      return
    }
    if (doors.hasDurable) this.suspend()
    else this.#stick()
  }

  /** Sends the queue: at once if no other update can be added, otherwise when this turn of the event loop is over. */
  #flush(): void {
    const { outbox } = this.#parts
    const { doors, running } = this.#movers
    if (doors.size <= 1 && !running.hasBodies) return outbox.flush()
    if (this.#isFlushing) return
    this.#isFlushing = true
    setImmediate(() => {
      this.#isFlushing = false
      outbox.flush()
    })
  }

  #tellIdle(): void {
    const { fibers, outbox } = this.#parts
    if (outbox.isBusy) return outbox.flush()
    const idle = this.#idle
    this.#idle = []
    fibers.enqueue(() => {
      for (const action of idle) action()
    })
  }

  /** Ends the invocation as suspended, once nothing is left to send. */
  suspend(): void {
    const { fibers, lifetime, outbox } = this.#parts
    if (outbox.isBusy) outbox.flush()
    else if (this.#isLeaving) {
      this.#isLeaving = false
      lifetime.end(suspended)
    } else {
      // The answer of the invocation must not arrive before the service has finished, in this turn, the request that it
      // has just answered.
      setImmediate(() => {
        this.#isLeaving = true
        fibers.wake()
        this.#isLeaving = false
      })
    }
  }

  #stick(): void {
    const { outbox } = this.#parts
    const { doors, naps, outside } = this.#movers
    const vain = Array.from(doors.all).flatMap(({ namespace, path }) => (namespace.isRebuilding ? [path] : []))
    if (outbox.isBusy) outbox.flush()
    else if (vain.length > 0) Contradiction.tell(this.#parts, Contradiction.inVain(this.#parts, vain))
    // Each nap would cancel the doubt, and a row of naps has lasted longer than that anyway.
    else if (naps.size > 0) this.#judge(false)
    else outside.doubt((isQuiet) => this.#judge(isQuiet))
  }

  #judge(isQuiet: boolean): void {
    const unseen = this.#unseen()
    if (isQuiet || unseen.every((fiber) => this.#parts.fibers.isOfEffect(fiber))) this.#tellStuck(unseen)
    else this.#movers.outside.fail()
  }

  /**
   * Ends the execution, because nothing will ever wake it. The message names the records that the code should have
   * asked for, unless a block that did not run is a better explanation; otherwise it names a sleep that is too long or
   * too short.
   */
  #tellStuck(unseen: ReadonlyArray<AnyFiber>): void {
    Contradiction.tell(this.#parts, this.#mistakeOf(unseen))
  }

  #mistakeOf(unseen: ReadonlyArray<AnyFiber>): Mistake {
    const { executionName, history } = this.#parts
    if (history.unclaimed > 0 && this.#skipped.length === 0) return Contradiction.unclaimed(this.#parts, undefined)
    const [endless] = this.#endless
    if (endless !== undefined) return endless
    return this.#movers.naps.size > 0
      ? Contradiction.spinning(executionName)
      : Contradiction.stuck(this.#parts, unseen, this.#skipped)
  }

  /** Lists the fibers that wait neither for an operation nor for a fiber that they forked. */
  #unseen(): ReadonlyArray<AnyFiber> {
    const parked = this.#movers.doors.fibers
    return Array.from(this.#parts.fibers.leaves()).filter((fiber) => !parked.has(fiber))
  }
}
