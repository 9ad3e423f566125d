/**
 * The loop of an invocation. Whenever no fiber of the workflow can run, it delivers the next outcome, or else begins the
 * next piece of new work, or else lets the invocation rest.
 *
 * Owns: the choice of the next action, and its execution. Operations reach doors, work, running bodies, news, release,
 * rest and the pause only through this class.
 * Does not own: any of these parts, each in its own file; records, requests, and what an operation does.
 *
 * Invariants:
 * 1. Outcomes are delivered in the order of their keys, exactly one at a time, when the run queue is empty and no
 *    conversion runs.
 * 2. Nothing new begins while a known outcome waits for delivery, except what follows when work outside ends a block.
 * 3. A wait that is due by the stamps of the service, but has not been reported as ended yet, holds back everything after
 *    it.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { LimitExceeded, type Mistake } from "../DurableError.ts"
import type { Change, Claim, Door } from "./Claim.ts"
import type { Core } from "./Core.ts"
import { Doors, type DoorInTime, type DoorOfClaim } from "./Doors.ts"
import type { AnyFiber } from "./Fibers.ts"
import type { Namespace } from "./Namespace.ts"
import { Naps } from "./Naps.ts"
import { News } from "./News.ts"
import { Outside } from "./Outside.ts"
import { Pause } from "./Pause.ts"
import { Poller } from "./Poller.ts"
import type { Hold } from "./References.ts"
import { Release } from "./Release.ts"
import { Rest } from "./Rest.ts"
import { Running, type Body } from "./Running.ts"
import { Unclaimed } from "./Unclaimed.ts"
import { Works, type Work } from "./Work.ts"

export class Delivery {
  readonly #parts: Core
  readonly #doors: Doors
  readonly #works = new Works()
  readonly #running: Running
  readonly #naps: Naps
  readonly #news: News
  readonly #outside: Outside
  readonly #unclaimed: Unclaimed
  readonly #rest: Rest
  readonly #release: Release
  readonly #pause: Pause

  constructor(parts: Core) {
    this.#parts = parts
    const poller = new Poller({
      now: () => parts.host.now(),
      after: (millis, action) => void parts.host.after(millis, action),
      latest: (parts.settings.deadline ?? Infinity) - 1_000,
      poll: () => {
        if (parts.lifetime.isOpen) parts.outbox.poll()
      }
    })
    const works = this.#works
    const doors = new Doors(parts, poller)
    const running = new Running(parts, doors)
    const naps = new Naps(parts, {
      reach: (reached) => this.reach(...reached),
      isAlone: () => !doors.hasClaims && works.isEmpty && !running.hasBodies
    })
    const news = new News(parts, doors, naps)
    const outside = new Outside(parts, {
      wake: () => parts.fibers.wake(),
      hasDurable: () => doors.hasDurable,
      isHeldBack: () => works.isHeldBack
    })
    this.#doors = doors
    this.#running = running
    this.#naps = naps
    this.#news = news
    this.#outside = outside
    const unclaimed = new Unclaimed(parts, { works, running, naps, outside })
    this.#unclaimed = unclaimed
    this.#release = new Release(parts, { doors, works, running })
    const movers = { doors, works, running, news, naps, outside, unclaimed, poller }
    this.#rest = new Rest(parts, movers)
    this.#pause = new Pause(parts, movers, this.#rest)
  }

  // --- The loop --------------------------------------------------------------------------------------------------------

  /**
   * Performs the next action. Returns false when nothing can be done now. In that case something is in progress that
   * will call this again.
   */
  next(): boolean {
    const { fibers, lifetime } = this.#parts
    if (!lifetime.isOpen || this.#running.isConverting) return false
    if (this.#pause.isRecorded) {
      this.#rest.suspend()
      return false
    }
    this.#outside.certain()
    this.#outside.look(fibers.outside.size > 0 || this.#running.holds.size > 0)
    const door = this.#doors.first
    const work = this.#works.first
    if (door !== undefined) {
      if (this.#isHeldBack(door)) {
        this.#rest.begin(door)
        return false
      }
      if (work === undefined || work.index >= 0 || !this.#unclaimed.precedes(door)) {
        this.#deliver(door)
        return true
      }
    }
    const begun = work === undefined ? undefined : this.#unclaimed.mayBegin(work)
    if (begun === undefined) {
      if (work === undefined && this.#works.isHeldBack) return this.#pause.begin()
      this.#rest.begin(undefined)
      return false
    }
    if (this.#pause.holdsBack(begun)) {
      this.#works.holdBack()
      return true
    }
    this.#outside.moved()
    this.#works.drop(begun)
    this.#parts.history.begins()
    begun.run()
    return true
  }

  /** Returns whether something that precedes this outcome may still appear. */
  #isHeldBack(door: Door): boolean {
    return this.#news.isRecordingLate || this.#doors.isDue(door.at) || this.#unclaimed.isAwaitedBefore(door)
  }

  #deliver(door: Door): void {
    const { claim } = door
    this.#doors.open(door)
    this.#outside.moved()
    this.#moveTime(door)
    this.#rest.delivered(door)
    this.#parts.fibers.own(door.fiber)
    if (claim === undefined) return door.resume(door.outcome())
    this.#naps.progressed()
    if (claim.entry !== undefined && door.isForStart !== true) {
      claim.isDelivered = true
      this.#parts.history.delivered(claim.entry)
    }
    this.#parts.listener.delivered?.(claim)
    claim.convert(door.outcome(), door.resume, door.resume)
  }

  /**
   * Moves the time of the namespace. If no code can observe when a context ended, its end counts only when code asks
   * for the time, as in the first run.
   */
  #moveTime({ at, claim, namespace }: Door): void {
    this.#parts.outbox.prepare()
    if (claim === undefined) return namespace.time.advanceTo(at)
    if (!claim.movesTime) return
    if (claim.kind.type === "CONTEXT" && this.isAlone(at)) {
      namespace.time.leaveUnread({ claim, of: "end" }, this.#parts.history.shown(claim))
    } else namespace.time.advanceTo(at)
  }

  /**
   * Returns whether nothing else of the workflow is in progress at a time. In that case no code can observe when a
   * context ended.
   */
  isAlone(at: number): boolean {
    return (
      this.#doors.size === 0 &&
      this.#works.isEmpty &&
      !this.#running.hasBodies &&
      !this.#doors.awaitsCallback(at) &&
      !this.#parts.fibers.queued
    )
  }

  // --- Doors -----------------------------------------------------------------------------------------------------------

  /** The doors at which fibers wait. */
  get doors(): ReadonlySet<Door> {
    return this.#doors.all
  }

  /** Registers a fiber at a door. */
  wait(door: DoorOfClaim): Door {
    const isBehind = this.#doors.isBehind(door)
    const made = this.#doors.wait(door, isBehind)
    if (isBehind) this.#news.cameBehind(door.claim)
    return made
  }

  /** Removes a fiber from its door, for whatever reason. */
  leave(door: Door): void {
    this.#doors.leave(door)
  }

  /** Notes that a context has begun. A fiber will wait for its end. */
  noteBegin(claim: Claim): void {
    claim.since = this.#doors.count
  }

  /** Notes that a callback has been created. A fiber may wait for it later. */
  noteCallback(claim: Claim): void {
    this.#doors.expect(claim)
  }

  /** Whether a fiber waits for something that this invocation does not cause itself. */
  get awaitsOthers(): boolean {
    return this.#doors.awaitsOthers
  }

  /**
   * Returns whether something stamped in this millisecond could appear to precede an outcome that was known before.
   * This is the case if the service brought that outcome, if more than one fiber waits, or if a context ends that no
   * fiber waits for.
   */
  isTaken(millis: number, endsContext: () => boolean): boolean {
    const { newestBrought, newestStamp } = this.#parts.history
    if (Math.floor(newestBrought) === millis) return true
    // A late outcome counts from the time at which its mark was recorded.
    const newest = Math.max(newestStamp, this.#doors.last.at)
    return Math.floor(newest) === millis && (this.#doors.isContested || endsContext())
  }

  // --- Points in time --------------------------------------------------------------------------------------------------

  /** Registers a fiber that waits for a point in the stream that no record marks. */
  waitUntil(door: DoorInTime): Door {
    return this.#doors.waitUntil(door)
  }

  /**
   * Readies the doors of points in the stream before which everything is known. All of them count before anything is
   * delivered.
   */
  reach(...doors: ReadonlyArray<Door>): void {
    for (const door of doors) this.#doors.ready(door)
    if (!this.#news.isTakingIn) this.#parts.fibers.wake()
  }

  /** Registers a fiber that sleeps for less than a second at a door. */
  nap(door: Door, millis: number): void {
    this.#naps.add(door, millis)
  }

  /** See {@link Rest.noteEndless}. */
  noteEndless(mistake: Mistake): () => void {
    return this.#rest.noteEndless(mistake)
  }

  get isNapping(): boolean {
    return this.#naps.size > 0
  }

  // --- Work ------------------------------------------------------------------------------------------------------------

  /** Queues new work. It begins once all known outcomes are delivered. */
  perform(claim: Claim, run: () => void, isBegun = false): Work {
    return this.#works.add({ claim, index: claim.index, isEnd: false, isBegun, isExempt: false, run })
  }

  /**
   * Queues the start of a context. The start is recorded once all known outcomes are delivered, unless the context is
   * abandoned before that and leaves nothing behind.
   */
  performStart(claim: Claim, begun: Namespace, run: () => void, isMoot: () => boolean): Work {
    return this.#works.add({ claim, index: claim.index, isEnd: false, isExempt: false, begun, isMoot, run })
  }

  /**
   * Queues the end of a context or of the execution, which is recorded once all known outcomes are delivered. When work
   * outside ends a block, no record tells at which place. Such an end has a negative index: it comes before all other
   * work, once everything is acknowledged that fibers wait for, and before those outcomes that came after the beginning
   * of something for which the code has not asked. Without the end, it would have asked. So the fibers beside the block
   * get the same outcomes in every replay.
   */
  performEnd(
    work: Pick<Work, "claim" | "run" | "isExempt" | "ended" | "free">,
    index = this.#parts.history.nextIndex
  ): Work {
    return this.#works.add({ ...work, index, isEnd: true })
  }

  /** Removes work that has not begun. Updates that the work has queued stay queued. */
  drop(work: Work): void {
    this.#works.drop(work)
  }

  /** See {@link Unclaimed.addBehind}. */
  addBehind(catchUp: () => boolean): () => void {
    return this.#unclaimed.addBehind(catchUp)
  }

  /** Called when a fiber that was outside is interrupted. */
  lose(): void {
    this.#unclaimed.lose()
  }

  // --- What runs -------------------------------------------------------------------------------------------------------

  /** The bodies that run. */
  get running(): ReadonlyMap<Claim, Body> {
    return this.#running.bodies
  }

  get holds(): Set<Hold> {
    return this.#running.holds
  }

  /** Whether fibers of a hold may run on the queue of the workflow. Local work does not run on the queue. */
  get isHeld(): boolean {
    for (const { isLocal } of this.holds) if (!isLocal) return true
    return false
  }

  /** Runs the work of an operation: see {@link Running.run}. */
  run<A, E>(claim: Claim, fork: () => Fiber.Fiber<A, E>, ended: (exit: Exit.Exit<A, E>) => void): void {
    this.#running.run(claim, fork, ended)
  }

  /** Interrupts the work of an operation whose fiber no longer waits. The outcome is ignored. */
  cancel(claim: Claim): Effect.Effect<void> {
    return this.#running.cancel(claim)
  }

  /** Runs a conversion on the scheduler of the host. Nothing is delivered meanwhile. */
  whileConverting<A, E>(claim: Claim, conversion: Effect.Effect<A, E>, done: (exit: Exit.Exit<A, E>) => void): void {
    this.#running.convert(claim, conversion, done)
  }

  // --- News and rest ---------------------------------------------------------------------------------------------------

  /** Processes changes of operations. The history already contains all of them. */
  changed(claims: ReadonlyArray<Claim>): void {
    this.#news.changed(claims)
  }

  /** Processes a change that the service has acknowledged. */
  acknowledged(claim: Claim, change: Change): void {
    this.#news.acknowledged(claim, change)
  }

  /** See {@link News.whenTold}. */
  whenTold(told: (isLast: boolean) => boolean): () => void {
    return this.#news.whenTold(told)
  }

  /** Calls `action` once nothing more can be delivered and everything that was queued is acknowledged. */
  whenIdle(action: () => void): void {
    this.#rest.whenIdle(action)
  }

  // --- Letting go ------------------------------------------------------------------------------------------------------

  /** Records a change of an operation. If the quotas leave no room for it, see {@link Release.refuse}. */
  record(claim: Claim, record: () => void): void {
    try {
      record()
    } catch (mistake) {
      if (!(mistake instanceof LimitExceeded)) throw mistake
      this.#release.refuse(claim, mistake)
    }
  }

  /** See {@link Release.close}. */
  close(namespace: Namespace, isInterrupted = false): void {
    this.#release.close(namespace, isInterrupted)
  }

  /** See {@link Release.letGo}. */
  letGo(namespaces: ReadonlyArray<Namespace>, fibers: Iterable<AnyFiber>, done: () => void): void {
    this.#release.letGo(namespaces, fibers, done)
  }

  /** See {@link Release.abandon}. */
  abandon(namespaces: ReadonlyArray<Namespace>, fibers: Iterable<AnyFiber>, done: () => void): void {
    this.#release.abandon(namespaces, fibers, done)
  }

  /** See {@link Release.stop}. */
  stop(): ReadonlyArray<AnyFiber> {
    this.#outside.stop()
    return this.#release.stop()
  }

  /** Describes what runs and what fibers wait for, for messages and reports. */
  describe(): ReadonlyArray<string> {
    return [...this.#running.describe(), ...this.#doors.describe(), ...this.#outside.describe()]
  }
}
