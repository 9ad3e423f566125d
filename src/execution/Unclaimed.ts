/**
 * Records that the code has not asked for, and what has to wait for them.
 *
 * Owns: whether new work may begin despite them, who may still ask for them, and when they contradict the code.
 * Does not own: which records these are, which the history knows.
 *
 * Invariants:
 * 1. Nothing begins while an open namespace holds a record that the code has not asked for. If nothing can move then that
 *    might still ask, history and code contradict each other. Only exempt work may begin all the same, such as an end with
 *    a mistake.
 * 2. While a fiber outside might still ask for such a record, nothing is delivered that came after the record was begun, or
 *    in the same request.
 * 3. A record is excused if the fiber that asked for it before is interrupted outside this time, before it can ask again.
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
   * Adds a function that claims records which would only be asked for later, until the returned function is called. It
   * returns whether it has claimed something.
   */
  addBehind(catchUp: () => boolean): () => void {
    this.#behind.add(catchUp)
    return () => void this.#behind.delete(catchUp)
  }

  /** Called when a fiber that was outside is interrupted. It does not ask again for what it asked for in earlier runs. */
  lose(): void {
    if (this.#parts.history.unclaimed > 0) this.#hasLost = true
  }

  /**
   * Checks whether a fiber outside may still ask for something that was begun before a key. If so, the grace time runs,
   * whose end wakes the fibers.
   */
  isAwaitedBefore(door: Key & Pick<Door, "claim">): boolean {
    return this.#outside.isHolding && this.#wasBegunBefore(door) && this.#mayAsk
  }

  /** Whether a fiber may ask for something without a delivery. A hold that only a delivery can move asks for nothing before. */
  get #mayAsk(): boolean {
    return this.#parts.fibers.outside.size > 0 || this.#running.mayHoldsMove
  }

  /**
   * What has the stamp of an outcome was begun before it: both came with one request. But the code goes on after the end of a
   * context before that is acknowledged, so what it begins then may have the same stamp.
   */
  #wasBegunBefore({ at, claim }: Pick<Door, "at" | "claim">): boolean {
    if (this.#parts.history.unclaimed === 0) return false
    const isContext = claim?.kind.type === "CONTEXT"
    for (const { record } of this.#parts.history.unclaimedEntries()) {
      if (record === undefined) continue
      if (record.StartTimestamp < at || (record.StartTimestamp === at && !isContext)) return true
    }
    return false
  }

  /** Returns what may begin now: the first work, or else a question whose answer claims what is missing. */
  mayBegin(work: Work): Work | undefined {
    const isComplete = this.#parts.history.unclaimed === 0 && (work.ended?.missed ?? 0) === 0
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

  /** Whether something is under way that brings news by itself. */
  get #isMoving(): boolean {
    const { outbox } = this.#parts
    return outbox.isSending || outbox.isAwaited || this.#running.isAtWork
  }
}
