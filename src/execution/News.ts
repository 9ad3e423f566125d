/**
 * Reports of the service while an invocation runs, and their effect on waiting fibers.
 *
 * Owns: which doors get their keys from a report, which outcomes are late, the time of a change that was acknowledged
 * without its operation, and the other subscribers to news.
 * Does not own: records, which the history has, and the order of doors.
 *
 * Invariants:
 * 1. No part of an answer is delivered before all of it is processed.
 * 2. An outcome that came after outcomes with later keys were delivered is recorded as late before it is delivered.
 *    This also holds if no fiber waits for the outcome any more, and if an earlier invocation delivered the other
 *    outcomes: on a replay the late outcome must not come sooner.
 * 3. All changes of one request came at the same time, and those of later requests no earlier, unless the service reports
 *    otherwise.
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

/** Called with news. Returns whether this was the awaited news. */
type Told = (isLast: boolean) => boolean

export class News {
  readonly #parts: Core
  readonly #doors: Doors
  readonly #naps: Naps
  readonly #untold = new Set<Told>()
  #isTakingIn = false
  /** The latest time that was given to a change which was acknowledged without its operation. */
  #taken = 0
  /** The number of the request whose answer that was. */
  #takenFrom = -1
  #lateMarks = 0

  constructor(parts: Core, doors: Doors, naps: Naps) {
    this.#parts = parts
    this.#doors = doors
    this.#naps = naps
  }

  /** Whether a report of the service is being processed. */
  get isTakingIn(): boolean {
    return this.#isTakingIn
  }

  /** Whether the mark of a late outcome is not acknowledged yet. */
  get isRecordingLate(): boolean {
    return this.#lateMarks > 0
  }

  /** Processes changes of operations. The history already contains all of them. */
  changed(claims: ReadonlyArray<Claim>): void {
    // The caller continues with deliveries once the whole report is known.
    this.#isTakingIn = true
    const { count, last } = this.#doors
    for (const claim of claims) {
      const ready = claim.doors.filter((door) => this.#doors.look(door, claim))
      const late = ready.filter((door) => (door.since < count && isBefore(door, last)) || this.#doors.isBehind(door))
      if (late.length === 0) for (const door of ready) this.#doors.ready(door)
      else this.#cameLate(claim, ready, late)
      if (this.#isMissed(claim)) this.#recordLate(claim, false)
    }
    this.#tell(false)
    this.#naps.look()
    this.#isTakingIn = false
  }

  /** Processes the outcome of an operation that comes late for some of the fibers that wait for it. */
  #cameLate(claim: Claim, ready: ReadonlyArray<Door>, late: ReadonlyArray<Door>): void {
    // Lateness is a property of the operation, so it applies to every fiber that waits for the operation.
    const isLate = (door: Door): boolean => late.some(({ isForStart }) => isForStart === door.isForStart)
    for (const door of ready) if (!isLate(door)) this.#doors.ready(door)
    for (const isForStart of new Set(late.map((door) => door.isForStart === true))) this.#recordLate(claim, isForStart)
  }

  /**
   * Processes a change that the service has acknowledged. If the answer lacks the operation, the change itself
   * determines the state of the operation.
   */
  acknowledged(claim: Claim, change: Change): void {
    this.#naps.progressed()
    const told = claim.record
    const { host, outbox } = this.#parts
    const { requests } = outbox.counts
    // As the service stamps: all changes of one request have the same time, and those of later requests no earlier
    // time.
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

  /**
   * Called when a fiber asks for an outcome that arrived too late for its place before the outcomes that earlier
   * invocations delivered.
   */
  cameBehind(claim: Claim): void {
    this.#recordLate(claim, false)
  }

  /**
   * Returns whether an outcome comes late although no fiber waits for it any more. On a replay a fiber might still wait
   * when the outcome comes at its stamp.
   */
  #isMissed(claim: Claim): boolean {
    const { doors, entry, index, isDelivered, isSettled, record, wasAwaited } = claim
    if (!isSettled || isDelivered || !wasAwaited || doors.length > 0 || entry?.late !== undefined) return false
    return isBefore({ at: latestStamp(record), rank: rankOf(claim), index }, this.#doors.last)
  }

  /**
   * Records that the order of delivery differs from that of the stamps, which a replay has to know. No fiber continues
   * before this record is acknowledged.
   */
  #recordLate(claim: Claim, isForStart: boolean): void {
    const { history, host } = this.#parts
    const { entry } = claim
    // A service may use several clocks for its stamps: a late outcome comes after everything that was delivered,
    // whatever the stamp of its mark.
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

  // --- Other subscribers -----------------------------------------------------------------------------------------------

  /**
   * Calls `told` whenever the service has reported something, until it returns true or the returned function is called. The
   * last call comes once the service has reported on everything that is queued or about to be.
   */
  whenTold(told: Told): () => void {
    this.#untold.add(told)
    this.#parts.fibers.wake()
    return () => void this.#untold.delete(told)
  }

  /** Whether a subscriber still waits for its news. */
  get isAwaited(): boolean {
    return this.#untold.size > 0
  }

  /** Requests all available news, so that the current subscribers get their last call. */
  ask(): void {
    const untold = Array.from(this.#untold)
    this.#parts.outbox.ask(() => this.#tell(true, untold))
  }

  #tell(isLast: boolean, untold: Iterable<Told> = Array.from(this.#untold)): void {
    for (const told of untold) if (this.#untold.has(told) && told(isLast)) this.#untold.delete(told)
  }
}
