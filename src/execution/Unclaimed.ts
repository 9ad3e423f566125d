/**
 * Records that the code has not asked for, and the work that has to wait for them.
 *
 * Owns: whether new work may begin despite them, which fibers may still ask for them, and when they contradict the
 * code.
 * Does not own: the list of these records, which the history has.
 *
 * Invariants:
 * 1. Nothing begins while an open namespace holds a record that the code has not asked for. If no fiber that might
 *    still ask can continue, history and code contradict each other. Only exempt work, such as an end with a mistake,
 *    may begin despite such a record.
 * 2. While a fiber outside might still ask for such a record, nothing is delivered that came after the record was begun, or
 *    in the same request.
 * 3. A record is excused if the fiber that asked for it in earlier runs is interrupted outside in this run, before it
 *    can ask again.
 *
 * @since 0.1.0
 */
import type { Door, Key } from "./Claim.ts"
import * as Contradiction from "./Contradiction.ts"
import type { Core } from "./Core.ts"
import type { Naps } from "./Naps.ts"
import type { Outside } from "./Outside.ts"
import type { Running } from "./Running.ts"
import type { Work, Works } from "./Work.ts"

export class Unclaimed {
  readonly #parts: Core
  readonly #works: Works
  readonly #running: Running
  readonly #naps: Naps
  readonly #outside: Outside
  readonly #behind = new Set<() => boolean>()
  /** Whether a fiber was interrupted outside while a record was unclaimed. */
  #hasLost = false

  constructor(
    parts: Core,
    others: { readonly works: Works; readonly running: Running; readonly naps: Naps; readonly outside: Outside }
  ) {
    this.#parts = parts
    this.#works = others.works
    this.#running = others.running
    this.#naps = others.naps
    this.#outside = others.outside
  }

  /**
   * Adds a function that claims records for which the code would ask only later, until the returned function is called.
   * The added function returns whether it has claimed something.
   */
  addBehind(catchUp: () => boolean): () => void {
    this.#behind.add(catchUp)
    return () => void this.#behind.delete(catchUp)
  }

  /**
   * Called when a fiber that was outside is interrupted. This fiber does not ask again for the operations of earlier
   * runs.
   */
  lose(): void {
    if (this.#parts.history.unclaimed > 0) this.#hasLost = true
  }

  /**
   * Returns whether a fiber outside may still ask for an operation that was begun before a key. If so, the grace time
   * is running, and its end wakes the fibers.
   */
  isAwaitedBefore(door: Key & Pick<Door, "claim">): boolean {
    return this.#outside.isHolding && this.#wasBegunBefore(door) && this.#mayAsk
  }

  /**
   * Whether a fiber may ask for an operation without a delivery. A hold that only a delivery can wake asks for nothing
   * before that.
   */
  get #mayAsk(): boolean {
    return this.#parts.fibers.outside.size > 0 || this.#running.mayHoldsMove
  }

  /**
   * An operation whose start has the stamp of an outcome was begun before that outcome: both came with one request. The
   * exception is the end of a context: the code continues before that end is acknowledged, so an operation that it
   * begins after the end may have the same stamp.
   */
  #wasBegunBefore({ at, claim }: Pick<Door, "at" | "claim">): boolean {
    return this.#lacks((start) => start < at || (start === at && claim?.kind.type !== "CONTEXT"))
  }

  /**
   * Returns whether the code has not asked for an operation that was begun before an outcome, and so not because of it:
   * in an earlier millisecond, because starts have no finer stamps.
   */
  precedes({ at }: Key): boolean {
    return this.#lacks((start) => start < Math.floor(at))
  }

  /** Returns whether the code has not asked for an operation that was begun at such a time. */
  #lacks(isSuch: (start: number) => boolean): boolean {
    const { history } = this.#parts
    if (history.unclaimed === 0) return false
    for (const { record } of history.unclaimedEntries())
      if (record !== undefined && isSuch(record.StartTimestamp)) return true
    return false
  }

  /**
   * Returns the work that may begin now: the first work, or else a question (`Durable.patched`) whose answer makes the
   * code claim the missing records.
   */
  mayBegin(work: Work): Work | undefined {
    const isComplete = this.#parts.history.unclaimed === 0 && (work.ended?.missed ?? 0) === 0
    if (work.index < 0 && this.#isSending) return undefined
    if (isComplete || work.isExempt) return work
    if (this.#outside.isLenient) {
      this.#outside.passOver(work)
      return work
    }
    if (this.#outside.isHolding || this.#isMoving || this.#naps.size > 0) return undefined
    for (const catchUp of this.#behind) {
      if (!catchUp()) continue
      this.#parts.fibers.wake()
      return undefined
    }
    const question = this.#works.firstExempt
    if (question === undefined && this.#hasLost) {
      this.#hasLost = false
      this.#parts.history.excuse(work.ended)
      if (work.ended !== undefined) work.ended.missed = 0
      return work
    }
    if (question === undefined) Contradiction.tell(this.#parts, Contradiction.unclaimed(this.#parts, work))
    return question
  }

  /** Whether something is in progress that will bring news by itself. */
  get #isMoving(): boolean {
    return this.#isSending || this.#running.isAtWork
  }

  get #isSending(): boolean {
    const { outbox } = this.#parts
    return outbox.isSending || outbox.isAwaited
  }
}
