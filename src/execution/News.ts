/**
 * What the service tells while an invocation runs, and what follows from it for those who wait.
 *
 * Owns: which doors get their keys from what was told, what is late, when a change counts that was acknowledged without its
 * operation, and who else asked to hear of news.
 * Does not own: records, which the history has, and the order of doors.
 *
 * Invariants:
 * 1. Nothing is delivered of an answer before all of it is taken in.
 * 2. What came after outcomes with later keys is recorded as late before it is delivered, also if nobody waits for it any
 *    more, and if it was an earlier invocation that delivered those: on a replay it must not come sooner.
 * 3. All changes of one request came at the same time, and those of later requests later, as far as nobody told otherwise.
 *
 * @since 0.1.0
 */
import { isBefore, rankOf, type Change, type Claim, type Door } from "./Claim.ts"
import type { Core } from "./Core.ts"
import { latestStamp, type Doors } from "./Doors.ts"
import { startOf, type Mark } from "./Marks.ts"
import type { Naps } from "./Naps.ts"
import { recordMark } from "./recordMark.ts"
import { withChange } from "./records.ts"

/** Hears of news. Answers whether this was it. */
type Told = (isLast: boolean) => boolean

export class News {
  readonly #parts: Core
  readonly #doors: Doors
  readonly #naps: Naps
  readonly #untold = new Set<Told>()
  #isTakingIn = false
  /** The latest time at which a change was taken at its word. */
  #taken = 0
  /** In the answer to which request that was. */
  #takenFrom = -1
  #lateMarks = 0

  constructor(parts: Core, doors: Doors, naps: Naps) {
    this.#parts = parts
    this.#doors = doors
    this.#naps = naps
  }

  /** Whether what the service has told is being taken in. */
  get isTakingIn(): boolean {
    return this.#isTakingIn
  }

  /** Whether it is not acknowledged yet that something was late. */
  get isRecordingLate(): boolean {
    return this.#lateMarks > 0
  }

  /** Operations have changed, all of which the history has taken in. */
  changed(claims: ReadonlyArray<Claim>): void {
    // Whoever tells of it goes on with deliveries when all of it is known.
    this.#isTakingIn = true
    const { count, last } = this.#doors
    for (const claim of claims) {
      const ready = claim.doors.filter((door) => this.#doors.look(door, claim))
      const late = ready.filter((door) => (door.since < count && isBefore(door, last)) || this.#doors.isBehind(door))
      // That it was late is a fact of the operation, and so it is for everybody who waits for it.
      const isLate = (door: Door): boolean => late.some(({ isForStart }) => isForStart === door.isForStart)
      for (const door of ready) if (!isLate(door)) this.#doors.ready(door)
      for (const isForStart of new Set(late.map((door) => door.isForStart === true)))
        this.#recordLate(claim, isForStart)
      if (this.#isMissed(claim)) this.#recordLate(claim, false)
    }
    this.#tell(false)
    this.#naps.look()
    this.#isTakingIn = false
  }

  /** The service has acknowledged a change. One that answers without the operation is taken at its word. */
  acknowledged(claim: Claim, change: Change): void {
    this.#naps.progressed()
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

  /** Somebody asks for an outcome that has no place before what earlier invocations delivered. */
  cameBehind(claim: Claim): void {
    this.#recordLate(claim, false)
  }

  /** Whether an outcome comes late for somebody who does not wait any more. On a replay it must not find him waiting. */
  #isMissed(claim: Claim): boolean {
    const { doors, entry, index, isDelivered, isSettled, record, wasAwaited } = claim
    if (!isSettled || isDelivered || !wasAwaited || doors.length > 0 || entry?.late !== undefined) return false
    return isBefore({ at: latestStamp(record), rank: rankOf(claim), index }, this.#doors.last)
  }

  /** The order in which it is delivered is not that of the stamps: a replay has to know. Nobody goes on before it is told. */
  #recordLate(claim: Claim, isForStart: boolean): void {
    const { history, host } = this.#parts
    const { entry } = claim
    // A service may stamp by several clocks: what is late is after what was delivered, whatever the stamp of its mark.
    const after = Math.max(this.#doors.last.at, history.newestKnown) + 0.001
    const mark: Mark = { kind: "late", of: isForStart ? startOf(claim.id) : claim.id, label: claim.name, time: after }
    this.#lateMarks++
    const waiting = (): ReadonlyArray<Door> => claim.doors.filter((door) => (door.isForStart === true) === isForStart)
    for (const door of waiting()) door.at = NaN
    if (entry !== undefined) entry[isForStart ? "lateStart" : "late"] = Infinity
    recordMark(this.#parts, claim.path, mark, {
      acknowledged: () => {
        this.#lateMarks--
        const at = Math.max(history.stampOf(mark) ?? host.now(), after)
        if (entry !== undefined) entry[isForStart ? "lateStart" : "late"] = at
        for (const door of waiting()) {
          door.at = at
          this.#doors.ready(door)
        }
      }
    })
  }

  // --- Who else hears of it --------------------------------------------------------------------------------------------

  /**
   * Calls back whenever the service has told something, until the callback says that this was it, or the returned function
   * is called; and for the last time once everything that is queued, or about to be, has been told of.
   */
  whenTold(told: Told): () => void {
    this.#untold.add(told)
    this.#parts.fibers.wake()
    return () => void this.#untold.delete(told)
  }

  /** Whether somebody has not heard what he waits for. */
  get isAwaited(): boolean {
    return this.#untold.size > 0
  }

  /** Asks for all the news there is, so that those who wait for some now hear of it, for the last time. */
  ask(): void {
    const untold = Array.from(this.#untold)
    this.#parts.outbox.ask(() => this.#tell(true, untold))
  }

  #tell(isLast: boolean, untold: Iterable<Told> = Array.from(this.#untold)): void {
    for (const told of untold) if (this.#untold.has(told) && told(isLast)) this.#untold.delete(told)
  }
}
