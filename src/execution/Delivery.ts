/**
 * The loop of an invocation: whenever no fiber of the workflow can run, the next outcome is delivered, or else the next
 * piece of new work begins, or else the invocation rests.
 *
 * Owns: the doors at which fibers wait, the order in which they open, the work that waits to begin, and what is running.
 * It is the only judge of whether an invocation can get any further by itself.
 * Does not own: records, requests, and what an operation does.
 *
 * Invariants:
 * 1. Outcomes are delivered in the order of their keys: when they came, and then the order of claims. Exactly one at a
 *    time, when the run queue is empty and no Serdes is at work.
 * 2. Nothing begins while a known outcome waits for delivery, nor while an open namespace holds a record that the code
 *    has not asked for. If nothing else can move then, history and code contradict each other.
 * 3. What came late, after outcomes with later keys, is recorded as late before it is delivered.
 * 4. A wait that is due by the stamps of the service, and not told yet, holds back what came after it.
 * 5. What somebody asked for who is called off outside this time, before he can ask again, is excused.
 * 6. An invocation is never suspended with an outcome to deliver, work to begin, a request under way, or work outside.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { LimitExceeded } from "../DurableError.ts"
import type { Operation } from "../wire/Operation.ts"
import { isBefore, isFinal, type Change, type Claim, type Door, type Entry, type Key } from "./Claim.ts"
import type { Work } from "./Work.ts"
import * as Contradiction from "./Contradiction.ts"
import type { Core } from "./Core.ts"
import type { AnyFiber } from "./Fibers.ts"
import { Heap } from "./Heap.ts"
import { suspended } from "./Lifetime.ts"
import { startOf, updatesOf, type Mark } from "./Marks.ts"
import type { Namespace } from "./Namespace.ts"
import { Naps } from "./Naps.ts"
import { Outside } from "./Outside.ts"
import { describeHold, InFinalizer, InHold, type Hold } from "./References.ts"
import { Poller } from "./Poller.ts"
import { withChange } from "./records.ts"

/**
 * Delivers what is known in the order in which fibers asked for it, as if outcomes had no order of their own: a seam for
 * tests, which have to notice that.
 */
export const InOrderOfClaims: Context.Reference<boolean> = Context.Reference<boolean>(
  "effect-durable/InOrderOfClaims",
  { defaultValue: () => false }
)

/** What keeps an invocation alive while it runs: the body of an attempt. */
export interface Running {
  readonly claim: Claim
  readonly fiber: AnyFiber
  isCancelled?: boolean
}

// Captured early: a test framework may replace the timers of the process later.
const { setImmediate } = globalThis

/** Turns of the event loop that a fiber gets which waits for something that cannot be seen. */
const unseenTurns = 2

export class Delivery {
  readonly doors = new Set<Door>()
  readonly running = new Map<Claim, Running>()
  readonly holds = new Set<Hold>()
  readonly #parts: Core
  readonly #ready: Heap<Door>
  readonly #works = new Heap<Work>((a, b) => a.index < b.index)
  /** Waits without an outcome, by when they are due. */
  readonly #due = new Heap<{ readonly at: number; readonly door: Door }>((a, b) => a.at < b.at)
  readonly #naps: Naps
  readonly #callbacks = new Set<Claim>()
  readonly #poller: Poller
  readonly #outside: Outside
  readonly #behind = new Set<() => boolean>()
  #idle: Array<() => void> = []
  readonly #untold = new Set<(isLast: boolean) => boolean>()
  #workCount = 0
  #last: Key = { at: -Infinity, index: -1 }
  /** Blocks that were not run, because their outcomes are recorded. */
  readonly #skipped: Array<string> = []
  #count = 0
  #ofOthers = 0
  #claimDoors = 0
  #arrivals = 0
  #converting = 0
  #isFlushing = false
  /** Whether what the service has told is being taken in. */
  #isTakingIn = false
  /** Whether a turn of the event loop has passed since there was nothing left to do. */
  #isLeaving = false
  #turns = 0
  /** What waits to begin and may begin before everything recorded has been asked for. */
  readonly #exempt = new Set<Work>()
  /** The latest time at which a change was taken at its word. */
  #taken = 0
  /** In the answer to which request that was. */
  #takenFrom = -1
  /** Whether somebody was called off outside while something recorded was not asked for. */
  #hasLost = false
  /** How many marks say that something was late, and are not acknowledged. Nothing is delivered before they are. */
  #lateMarks = 0

  constructor(parts: Core) {
    this.#parts = parts
    this.#ready = new Heap(Context.get(parts.host.services, InOrderOfClaims) ? wasAskedBefore : comesBefore)
    this.#poller = new Poller({
      now: () => parts.host.now(),
      after: (millis, action) => void parts.host.after(millis, action),
      latest: (parts.settings.deadline ?? Infinity) - 1_000,
      poll: () => {
        if (parts.lifetime.isOpen) parts.outbox.poll()
      }
    })
    this.#naps = new Naps(parts, {
      reach: (doors) => this.reach(...doors),
      isAlone: () => this.#claimDoors === 0 && this.#workCount === 0 && this.running.size === 0
    })
    this.#outside = new Outside(parts, {
      wake: () => parts.fibers.wake(),
      hasDurable: () => this.#hasDurable()
    })
  }

  // --- Doors -----------------------------------------------------------------------------------------------------------

  /** A fiber comes to a door. */
  wait(door: Omit<Door, "at" | "index" | "order" | "since" | "isGone" | "leave"> & { readonly claim: Claim }): Door {
    const { claim } = door
    const { entry, record } = claim
    const made: Door = { ...door, at: NaN, index: claim.index, ...this.#arrival() }
    // A context is there from its claim on, and waits at a door only for its end.
    if (claim.kind.type === "CONTEXT") made.since = Math.min(made.since, claim.since)
    claim.doors.push(made)
    if (door.isForStart !== true) claim.wasAwaited = true
    this.#admit(made)
    const key = record === undefined ? undefined : door.keyOf(record)
    if (key === undefined) {
      this.#awaitOutcome(made)
    } else {
      const late = entry === undefined ? undefined : lateOf(made, entry)
      if (late === Infinity) return made
      made.at = late ?? key
      if (entry?.isOld === true && record !== undefined && isFinal(record)) made.leave = this.#parts.history.awaitsOld()
      this.#ready.add(made)
    }
    return made
  }

  #arrival(): Pick<Door, "order" | "since" | "isGone" | "leave"> {
    return { order: this.#arrivals++, since: this.#count, isGone: false, leave: undefined }
  }

  #admit(door: Door): void {
    this.doors.add(door)
    if (door.claim !== undefined) this.#claimDoors++
    if (isOfOthers(door)) this.#ofOthers++
    door.namespace.parked++
    if (door.claim !== undefined && door.claim.namespace !== door.namespace) door.claim.namespace.parked++
    this.#parts.listener.moved?.()
  }

  #awaitOutcome(door: Door): void {
    const { claim, namespace } = door
    if (namespace.standing === "rebuilding" || claim === undefined) return
    const due = claim.record?.WaitDetails?.ScheduledEndTimestamp
    if (due !== undefined) this.#due.add({ at: due, door })
    if (isOfOthers(door) || claim.record?.Status === "PENDING") this.#poller.watch(door)
  }

  /** A fiber leaves a door, in whatever way. */
  leave(door: Door): void {
    if (door.isGone) return
    door.isGone = true
    door.leave?.()
    this.doors.delete(door)
    if (door.claim !== undefined) this.#claimDoors--
    if (isOfOthers(door)) this.#ofOthers--
    door.namespace.parked--
    const { claim } = door
    if (claim !== undefined && claim.namespace !== door.namespace) claim.namespace.parked--
    if (claim !== undefined) claim.doors.splice(claim.doors.indexOf(door), 1)
    this.#poller.forget(door)
    this.#naps.forget(door)
    this.#parts.listener.moved?.()
  }

  /** Lets a fiber go on without an outcome, even where it cannot be interrupted. */
  release(door: Door, effect: Effect.Effect<never>): void {
    if (door.isGone) return
    this.leave(door)
    if (door.claim !== undefined) this.#cutOff(door.claim)
    door.resume(effect)
  }

  // --- Work ------------------------------------------------------------------------------------------------------------

  /** Something new may begin once the past is delivered. */
  perform(claim: Claim, run: () => void): Work {
    return this.#addWork({ claim, index: claim.index, isEnd: false, isExempt: false, run, isGone: false })
  }

  /** A context may be recorded once the past is delivered, unless it is let go of before that, and leaves nothing behind. */
  performStart(claim: Claim, begun: Namespace, run: () => void, isMoot: () => boolean): Work {
    return this.#addWork({
      claim,
      index: claim.index,
      isEnd: false,
      isExempt: false,
      begun,
      isMoot,
      run,
      isGone: false
    })
  }

  /** A context, or the execution, may end once the past is delivered. */
  performEnd(claim: Claim, run: () => void, isExempt: boolean, ended?: Namespace): Work {
    const index = this.#parts.history.nextIndex
    return this.#addWork({ claim, index, isEnd: true, isExempt, ended, run, isGone: false })
  }

  #addWork(work: Work): Work {
    this.#works.add(work)
    this.#workCount++
    if (work.isExempt) this.#exempt.add(work)
    return work
  }

  /** It does not begin any more. What was queued because of it stays queued. */
  drop(work: Work): void {
    if (work.isGone) return
    work.isGone = true
    this.#workCount--
    this.#exempt.delete(work)
  }

  /** Runs what an operation does, outside of the run queue, and calls back when it has ended and still counts. */
  run<A, E>(claim: Claim, fork: () => Fiber.Fiber<A, E>, ended: (exit: Exit.Exit<A, E>) => void): void {
    const { fibers, lifetime, listener } = this.#parts
    const fiber = fibers.unwatched(fork)
    const running: Running = { claim, fiber }
    this.running.set(claim, running)
    fiber.addObserver((exit) => {
      if (this.running.get(claim) === running) this.running.delete(claim)
      listener.moved?.()
      if (running.isCancelled || !lifetime.isOpen || claim.namespace.standing === "closed") return
      ended(exit)
      fibers.wake()
    })
  }

  /** Ends what runs for an operation whose fiber does not wait any more. Its outcome does not count. */
  cancel(claim: Claim): Effect.Effect<void> {
    const running = this.#forget(claim)
    return running === undefined ? Effect.void : Fiber.interrupt(running.fiber)
  }

  #cutOff(claim: Claim): void {
    const running = claim.doors.length === 0 ? this.#forget(claim) : undefined
    running?.fiber.interruptUnsafe(running.fiber.id)
  }

  #forget(claim: Claim): Running | undefined {
    const running = this.running.get(claim)
    if (running === undefined) return undefined
    this.running.delete(claim)
    running.isCancelled = true
    return running
  }

  /** Does a conversion on the scheduler of the host. Nothing is delivered meanwhile. */
  whileConverting<A, E>(claim: Claim, conversion: Effect.Effect<A, E>, done: (exit: Exit.Exit<A, E>) => void): void {
    this.#converting++
    const { fibers, host } = this.#parts
    const fiber = fibers.unwatched(() => host.forkAs(claim.fiber, conversion))
    fiber.addObserver((exit) => {
      fibers.enqueue(() => {
        this.#converting--
        if (this.#parts.lifetime.isOpen) done(exit)
      })
    })
  }

  get isConverting(): boolean {
    return this.#converting > 0
  }

  /** A context has begun, whose end somebody will wait for. */
  noteBegin(claim: Claim): void {
    claim.since = this.#count
  }

  /** A callback has been created, and somebody may wait for it later. */
  noteCallback(claim: Claim): void {
    this.#callbacks.add(claim)
  }

  /** An operation cannot be recorded: its fiber gets the mistake in the place of an outcome. */
  refuse(claim: Claim, mistake: LimitExceeded): void {
    const doors = Array.from(claim.doors)
    for (const door of doors) this.release(door, Effect.die(mistake))
    if (doors.length === 0) this.#parts.lifetime.end({ _tag: "Condemned", mistake })
  }

  /** Whether nothing else of the workflow is under way at a time: then nobody can tell when a context ended. */
  isAlone(at: number): boolean {
    return (
      this.doors.size === 0 &&
      this.#workCount === 0 &&
      this.running.size === 0 &&
      !this.#awaitsCallback(at) &&
      !this.#parts.fibers.queued
    )
  }

  #awaitsCallback(at: number): boolean {
    for (const { isSettled, record } of this.#callbacks) if (!isSettled || endOf(record) > at) return true
    return false
  }

  /** Whether something is awaited that others than this invocation bring. */
  get awaitsOthers(): boolean {
    return this.#ofOthers > 0 || this.#callbacks.size > 0
  }

  /** Whether more than one fiber waits, or may at this time, so that the order of outcomes matters. */
  get isContested(): boolean {
    if (this.doors.size > 1) return true
    const { fibers, host } = this.#parts
    return fibers.live.size > 1 && Math.floor(this.#last.at) === Math.floor(host.now())
  }

  /**
   * Asks somebody to claim what is recorded and would only be asked for later, until the returned function is called. It
   * answers whether it did.
   */
  addBehind(catchUp: () => boolean): () => void {
    this.#behind.add(catchUp)
    return () => void this.#behind.delete(catchUp)
  }

  /**
   * Calls back whenever the service has told something, until the callback says that this was it, or the returned function
   * is called; and for the last time once everything that is queued, or about to be, has been told of.
   */
  whenTold(told: (isLast: boolean) => boolean): () => void {
    this.#untold.add(told)
    this.#parts.fibers.wake()
    return () => void this.#untold.delete(told)
  }

  /** Calls back when nothing can be delivered any more and everything that was queued is acknowledged. */
  whenIdle(action: () => void): void {
    this.#idle.push(action)
    this.#parts.fibers.wake()
  }

  // --- Naps and readings -----------------------------------------------------------------------------------------------

  /** A fiber waits for a point in the stream that no record marks. */
  waitUntil(door: Omit<Door, "index" | "order" | "since" | "isGone" | "leave" | "claim" | "keyOf">): Door {
    const made: Door = {
      ...door,
      claim: undefined,
      keyOf: () => undefined,
      index: this.#parts.history.nextIndex,
      ...this.#arrival()
    }
    this.#admit(made)
    return made
  }

  /** Everything before some points in the stream is known: all of them count before anything is delivered. */
  reach(...doors: ReadonlyArray<Door>): void {
    for (const door of doors) if (!door.isGone) this.#ready.add(door)
    if (!this.#isTakingIn) this.#parts.fibers.wake()
  }

  /** A fiber sleeps for less than a second at a door. */
  nap(door: Door, millis: number): void {
    this.#naps.add(door, millis)
  }

  get isNapping(): boolean {
    return this.#naps.size > 0
  }

  // --- What the service tells ------------------------------------------------------------------------------------------

  /** Operations have changed, all of which the history has taken in. */
  changed(claims: ReadonlyArray<Claim>): void {
    // Whoever tells of it goes on with deliveries when all of it is known.
    this.#isTakingIn = true
    for (const claim of claims) {
      const ready = claim.doors.filter((door) => this.#look(door, claim))
      const late = ready.filter((door) => door.since < this.#count && isBefore(door, this.#last))
      // That it was late is a fact of the operation, and so it is for everybody who waits for it.
      const isLate = (door: Door): boolean => late.some(({ isForStart }) => isForStart === door.isForStart)
      for (const door of ready) if (!isLate(door)) this.#ready.add(door)
      for (const isForStart of new Set(late.map((door) => door.isForStart === true)))
        this.#recordLate(claim, isForStart)
      if (this.#isMissed(claim)) this.#recordLate(claim, false)
    }
    this.#tellUntold(false)
    this.#naps.look()
    this.#isTakingIn = false
  }

  #tellUntold(isLast: boolean, untold: Iterable<(isLast: boolean) => boolean> = Array.from(this.#untold)): void {
    for (const told of untold) if (this.#untold.has(told) && told(isLast)) this.#untold.delete(told)
  }

  /** The service has acknowledged a change. One that answers without the operation is taken at its word. */
  acknowledged(claim: Claim, change: Change): void {
    const told = claim.record
    const { host, outbox } = this.#parts
    const { requests } = outbox.counts
    // As services stamp: all changes of one request came at the same time, and later ones later.
    if (requests !== this.#takenFrom) {
      this.#takenFrom = requests
      this.#taken = outbox.isOrdered
        ? Math.max(host.now(), this.#taken + 0.001)
        : Math.max(Math.floor(host.now()), this.#taken)
    }
    const record = withChange(told, claim, change, this.#taken)
    if (record !== told) {
      claim.record = record
      if (claim.entry !== undefined) this.#parts.history.noteStamp(record)
    }
    // The next attempt may be ready by now.
    if (record !== told || change.Action === "RETRY") this.changed([claim])
  }

  /** Whether an outcome comes late for somebody who does not wait any more. On a replay it must not find him waiting. */
  #isMissed({ entry, index, isDelivered, isSettled, record, wasAwaited, doors }: Claim): boolean {
    if (!isSettled || isDelivered || !wasAwaited || doors.length > 0 || entry?.late !== undefined) return false
    return isBefore({ at: endOf(record), index }, this.#last)
  }

  /** Whether a door has its key now. */
  #look(door: Door, claim: Claim): boolean {
    const { entry, record } = claim
    if (record === undefined || !Number.isNaN(door.at)) return false
    const key = door.keyOf(record)
    if (key === undefined) {
      if (claim.kind.type === "STEP" && record.Status !== "PENDING") this.#poller.forget(door)
      this.#awaitOutcome(door)
      door.onChange?.(record)
      return false
    }
    this.#poller.forget(door)
    const late = entry === undefined ? undefined : lateOf(door, entry)
    if (late === Infinity) return false
    door.at = late ?? key
    return true
  }

  /** The order in which it is delivered is not that of the stamps: a replay has to know. Nobody goes on before it is told. */
  #recordLate(claim: Claim, isForStart: boolean): void {
    const { history, host, outbox } = this.#parts
    const { entry } = claim
    // A service may stamp by several clocks: what is late is after what was delivered, whatever the stamp of its mark.
    const after = this.#last.at + 0.001
    const mark: Mark = { kind: "late", of: isForStart ? startOf(claim.id) : claim.id, label: claim.name, time: after }
    this.#lateMarks++
    const waiting = (): ReadonlyArray<Door> => claim.doors.filter((door) => (door.isForStart === true) === isForStart)
    for (const door of waiting()) door.at = NaN
    if (entry !== undefined) entry[isForStart ? "lateStart" : "late"] = Infinity
    history.addMark(mark)
    const [start, end] = updatesOf(mark, undefined)
    if (start === undefined || end === undefined) return
    this.#parts.usage.addOperation(claim.path)
    outbox.push(claim.path, start)
    outbox.push(claim.path, end, () => {
      this.#lateMarks--
      const at = Math.max(history.stampOf(mark) ?? host.now(), after)
      if (entry !== undefined) entry[isForStart ? "lateStart" : "late"] = at
      for (const door of waiting()) {
        door.at = at
        this.#ready.add(door)
      }
    })
  }

  // --- The loop --------------------------------------------------------------------------------------------------------

  /** Does the next thing. False when nothing can be done now; then it has seen to it that somebody calls again. */
  next(): boolean {
    const { fibers, lifetime } = this.#parts
    if (!lifetime.isOpen || this.#converting > 0) return false
    this.#outside.certain()
    this.#outside.look(fibers.outside.size > 0 || this.holds.size > 0)
    const door = this.#firstReady()
    if (door !== undefined) {
      if (!this.#isHeldBack(door)) {
        this.#deliver(door)
        return true
      }
      return this.#rest(door)
    }
    const work = this.#firstWork()
    const begun = work === undefined ? undefined : this.#mayBegin(work)
    if (begun === undefined) return this.#rest(undefined)
    this.#outside.moved()
    this.drop(begun)
    begun.run()
    return true
  }

  #firstReady(): Door | undefined {
    while (this.#ready.first?.isGone === true) this.#ready.take()
    return this.#ready.first
  }

  #firstWork(): Work | undefined {
    for (let work = this.#works.first; work !== undefined; work = this.#works.first) {
      if (!work.isGone && !isMoot(work)) return work
      this.drop(work)
      this.#works.take()
    }
    return undefined
  }

  #deliver(door: Door): void {
    this.#ready.take()
    const { claim } = door
    this.leave(door)
    this.#count++
    this.#turns = 0
    this.#outside.moved()
    if (isBefore(this.#last, door)) this.#last = { at: door.at, index: door.index }
    this.#moveTime(door)
    if (claim !== undefined) {
      this.#naps.delivered()
      if (claim.kind.type === "CONTEXT" && claim.entry?.isOld === true) this.#skipped.push(claim.path)
      if (claim.isSettled && door.isForStart !== true) this.#callbacks.delete(claim)
      if (claim.entry !== undefined && door.isForStart !== true) {
        claim.isDelivered = true
        this.#parts.history.delivered(claim.entry)
      }
      this.#parts.listener.delivered?.(claim)
    }
    const outcome = door.outcome()
    if (claim === undefined) door.resume(outcome)
    else claim.convert(outcome, door.resume, door.resume)
  }

  /** The end of a context that nobody can tell the time of counts when somebody asks for it, as it did on the first run. */
  #moveTime({ at, claim, namespace }: Door): void {
    this.#parts.outbox.prepare()
    if (claim === undefined) return namespace.time.advanceTo(at)
    if (!claim.movesTime) return
    if (claim.kind.type === "CONTEXT" && this.isAlone(at)) namespace.time.leaveUnread({ claim, of: "end" })
    else namespace.time.advanceTo(at)
  }

  /** Whether something that comes before it may still show. */
  #isHeldBack(door: Door): boolean {
    if (this.#lateMarks > 0) return true
    while (this.#due.first !== undefined && (this.#due.first.door.isGone || !Number.isNaN(this.#due.first.door.at))) {
      this.#due.take()
    }
    if (this.#due.first !== undefined && this.#due.first.at <= door.at) return true
    return this.#outside.isHolding && this.#hasUnclaimedBefore(door)
  }

  /** Somebody who was outside was called off. What he asked for before, at other times, is not asked for again. */
  lose(): void {
    if (this.#parts.history.unclaimed > 0) this.#hasLost = true
  }

  /** Whether an operation that the code has not asked for was begun before a key: somebody has asked for it by then. */
  #hasUnclaimedBefore(key: Key): boolean {
    if (this.#parts.history.unclaimed === 0) return false
    for (const { record } of this.#parts.history.unclaimedEntries()) {
      if (record !== undefined && record.StartTimestamp < key.at) return true
    }
    return false
  }

  /** What may begin now: the first work, or else a question that asks what is missing. */
  #mayBegin(work: Work): Work | undefined {
    const isComplete = this.#parts.history.unclaimed === 0 && (work.ended?.missed ?? 0) === 0
    if (isComplete || work.isExempt || this.#outside.isLenient) return work
    if (this.#outside.isHolding || this.#isMoving || this.#naps.size > 0) return undefined
    for (const catchUp of this.#behind) {
      if (!catchUp()) continue
      this.#parts.fibers.wake()
      return undefined
    }
    const question = this.#firstExempt()
    if (question === undefined && this.#hasLost) {
      this.#hasLost = false
      this.#parts.history.excuse(work.ended)
      if (work.ended !== undefined) work.ended.missed = 0
      return work
    }
    if (question === undefined) Contradiction.tell(this.#parts, Contradiction.unclaimed(this.#parts, work))
    return question
  }

  #firstExempt(): Work | undefined {
    let first: Work | undefined
    for (const work of this.#exempt) if (!isMoot(work) && work.index < (first?.index ?? Infinity)) first = work
    return first
  }

  /** Whether something is under way that brings news by itself. */
  get #isMoving(): boolean {
    const { outbox } = this.#parts
    return this.running.size > 0 || outbox.isSending || outbox.isAwaited || this.#holdsAreAtWork
  }

  /** Whether a hold has a fiber that waits for no operation. */
  get #holdsAreAtWork(): boolean {
    if (this.holds.size === 0) return false
    const parked = new Set(Array.from(this.doors, ({ fiber }) => fiber))
    for (const fiber of this.#parts.fibers.leaves()) {
      const hold = fiber.getRef(InHold)
      if (hold !== undefined && this.holds.has(hold) && !parked.has(fiber)) return true
    }
    return false
  }

  // --- Resting ---------------------------------------------------------------------------------------------------------

  /** Nothing can be done now: sees to it that something can be done later, or ends the invocation. */
  #rest(held: Door | undefined): false {
    const { fibers, lifetime, outbox } = this.#parts
    if (!lifetime.isOpen) return false
    if (outbox.isAwaited && !outbox.isSending) return this.#flush()
    if (this.#untold.size > 0 && this.#workCount === 0 && !outbox.isSending) return this.#ask()
    const isFree = this.running.size === 0 && !outbox.isSending && held === undefined
    if (isFree && this.#idle.length > 0) return this.#tellIdle()
    const isBusy = this.running.size > 0 || this.#holdsAreAtWork
    if (isBusy || outbox.isSending) {
      if (isBusy) {
        this.#outside.moved()
        this.#poller.arm(held !== undefined)
      }
      return false
    }
    if (held !== undefined && this.#outside.isHolding) return false
    if (held !== undefined) return this.#suspend()
    if (fibers.isOutside) {
      this.#poller.arm(false)
      this.#outside.wait()
      return false
    }
    if (this.#naps.size > 0 && !this.#naps.isTiring(this.#hasDurable())) {
      this.#poller.arm(false)
      return false
    }
    if (this.#workCount > 0) return false
    if (this.#turns < unseenTurns && this.#hasUnseen()) {
      this.#turns++
      setImmediate(() => fibers.wake())
      return false
    }
    return this.#hasDurable() ? this.#suspend() : this.#stick()
  }

  /** Sends what is queued: at once if nobody can join, else when this turn of the event loop is over. */
  #flush(): false {
    const { outbox } = this.#parts
    if (this.doors.size <= 1 && this.running.size === 0) {
      outbox.flush()
      return false
    }
    if (this.#isFlushing) return false
    this.#isFlushing = true
    setImmediate(() => {
      this.#isFlushing = false
      outbox.flush()
    })
    return false
  }

  /** Sends what is queued, so that the service tells when it began or ended. */
  #ask(): false {
    const untold = Array.from(this.#untold)
    this.#parts.outbox.ask(() => this.#tellUntold(true, untold))
    return false
  }

  #suspend(): false {
    const { fibers, lifetime, outbox } = this.#parts
    if (outbox.isBusy) outbox.flush()
    else if (this.#isLeaving) {
      this.#isLeaving = false
      lifetime.end(suspended)
    } else {
      // The answer must not overtake what the service does in this turn with the request that it has just answered.
      setImmediate(() => {
        this.#isLeaving = true
        fibers.wake()
        this.#isLeaving = false
      })
    }
    return false
  }

  #tellIdle(): false {
    const { fibers, outbox } = this.#parts
    if (outbox.isBusy) {
      outbox.flush()
      return false
    }
    const idle = this.#idle
    this.#idle = []
    fibers.enqueue(() => {
      for (const action of idle) action()
    })
    return false
  }

  #stick(): false {
    const { fibers, lifetime, outbox } = this.#parts
    const vain = Array.from(this.doors).flatMap(({ namespace, path }) =>
      namespace.standing === "rebuilding" ? [path] : []
    )
    if (outbox.isBusy) outbox.flush()
    else if (vain.length > 0) Contradiction.tell(this.#parts, Contradiction.inVain(this.#parts, vain))
    else {
      this.#outside.doubt((isQuiet) => {
        const unseen = this.#unseen()
        if (!lifetime.isOpen) return
        if (isQuiet || unseen.every((fiber) => fibers.isOfEffect(fiber))) {
          Contradiction.tell(this.#parts, Contradiction.stuck(this.#parts, unseen, this.#skipped))
        } else this.#outside.fail()
      })
    }
    return false
  }

  /** Whether the service will wake the execution. */
  #hasDurable(): boolean {
    for (const { claim, namespace } of this.doors) {
      const isOpen = namespace.standing === "open" || namespace.standing === "abandoned"
      if (claim !== undefined && isOpen && !claim.isSettled) return true
    }
    return false
  }

  /** Fibers that wait for what is neither an operation nor a fiber that they forked. */
  #unseen(): ReadonlyArray<AnyFiber> {
    const parked = new Set(Array.from(this.doors, ({ fiber }) => fiber))
    return Array.from(this.#parts.fibers.leaves()).filter((fiber) => !parked.has(fiber))
  }

  #hasUnseen(): boolean {
    return this.#unseen().length > 0
  }

  // --- Letting go ------------------------------------------------------------------------------------------------------

  /** Closes a namespace: nothing in it is awaited or begins any more. */
  close(namespace: Namespace): void {
    const closed = namespace.close()
    let parked = 0
    for (const one of closed) {
      one.missed = one.unclaimed
      this.#parts.history.close(one)
      parked += one.parked
    }
    for (const claim of this.#callbacks) if (claim.namespace.standing === "closed") this.#callbacks.delete(claim)
    if (parked === 0) return
    for (const door of Array.from(this.doors)) {
      const ended = [door.namespace, door.claim?.namespace].find((one) => one?.standing === "closed")
      if (ended !== undefined) this.release(door, Contradiction.contextEnded(ended, door.path))
    }
  }

  /**
   * Lets go of branches: their fibers are interrupted, and only their durable finalizers may still do something. Calls
   * back when those have ended and the namespaces are closed, at once where there are none. Plain work is not waited for.
   */
  letGo(namespaces: ReadonlyArray<Namespace>, branches: Iterable<AnyFiber>, done: () => void): void {
    this.abandon(namespaces, branches, () => {
      for (const namespace of namespaces) this.close(namespace)
      done()
    })
  }

  /** As {@link letGo}, but the namespaces are not closed. */
  abandon(namespaces: ReadonlyArray<Namespace>, branches: Iterable<AnyFiber>, done: () => void): void {
    for (const namespace of namespaces) namespace.abandon()
    for (const fiber of Array.from(branches)) fiber.interruptUnsafe(fiber.id)
    for (const door of Array.from(this.doors)) {
      if (door.namespace.standing === "abandoned" && !door.isFinal) this.release(door, Effect.interrupt)
    }
    let left = 1
    const finalized = (): void => {
      if (--left === 0) done()
    }
    for (const namespace of namespaces) {
      if (!namespace.hasFinalizers) continue
      left++
      namespace.onFinalized(finalized)
    }
    finalized()
  }

  /** Interrupts everything that waits or runs, because the invocation is ending. Answers with the fibers. */
  stop(): ReadonlyArray<AnyFiber> {
    this.#outside.stop()
    const fibers = new Set<AnyFiber>()
    for (const { fiber } of this.running.values()) fibers.add(fiber)
    for (const door of Array.from(this.doors)) {
      fibers.add(door.fiber)
      door.fiber.interruptUnsafe(door.fiber.id)
      this.release(door, Effect.interrupt)
    }
    for (const { fiber } of Array.from(this.running.values())) fiber.interruptUnsafe(fiber.id)
    return Array.from(fibers)
  }

  /** What waits, in words: for messages and reports. */
  describe(): ReadonlyArray<string> {
    const running = Array.from(this.running.values(), ({ claim }) => `the step "${claim.path}" is running`)
    const holds = Array.from(this.holds, (hold) => `${describeHold(hold)} is running`)
    const parked = Array.from(
      this.doors,
      ({ claim, path }) => `"${path}" (${claim?.kind.type ?? "nap"}) has no outcome`
    )
    return [...running, ...holds, ...parked]
  }

  /** The operations at whose doors fibers wait, with the records that they have. */
  get waiting(): ReadonlyArray<{ readonly path: string; readonly record: Operation | undefined }> {
    return Array.from(this.doors, ({ claim, path }) => ({ path, record: claim?.record }))
  }
}

const wasAskedBefore = (a: Door, b: Door): boolean => a.order < b.order

const comesBefore = (a: Door, b: Door): boolean => isBefore(a, b) || (!isBefore(b, a) && wasAskedBefore(a, b))

/** Whether nobody wants a piece of work any more, because it belongs to what has ended or was let go of. */
const isMoot = ({ begun, claim, isMoot: isMootItself }: Work): boolean => {
  const { standing } = claim.namespace
  if (standing === "closed" && !claim.isRoot) return true
  if (begun?.hasFinalizers === true) return false
  return (standing === "abandoned" && !claim.isRoot && !claim.fiber.getRef(InFinalizer)) || isMootItself?.() === true
}

/** When something was delivered later than its stamp says, if it was; never as long as that is not recorded yet. */
const lateOf = ({ isForStart }: Door, { late, lateStart }: Entry): number | undefined =>
  isForStart === true ? lateStart : late

const endOf = (record: Operation | undefined): number => record?.EndTimestamp ?? record?.StartTimestamp ?? Infinity

const isOfOthers = ({ claim }: Door): boolean =>
  claim !== undefined && claim.kind.type !== "STEP" && claim.kind.type !== "CONTEXT"
