/**
 * The pause of an execution whose invocation is near its end.
 *
 * Owns: when no more attempts begin, and the wait that makes the service invoke the function again.
 * Does not own: running work, which may still end, and the answer.
 *
 * Invariants:
 * 1. The first attempt of an invocation begins in any case, so that every invocation makes progress.
 * 2. An attempt that is recorded as begun is never held back, because that would cut it off.
 * 3. The wait is recorded once nothing runs any more except work outside whose limit has passed, and is acknowledged
 *    before the invocation is suspended.
 *
 * @since 0.1.0
 */
import type { Core } from "./Core.ts"
import { pause } from "./Marks.ts"
import type { Movers, Rest } from "./Rest.ts"
import type { Work } from "./Work.ts"

/**
 * The longest time before its end in which an invocation begins no more attempts, in milliseconds. It is a tenth of its
 * time if that is shorter.
 */
const longestLastCall = 5_000

export class Pause {
  readonly #parts: Core
  readonly #movers: Movers
  readonly #rest: Rest
  readonly #lastCall: number
  #hasWorked = false
  #state: "none" | "sent" | "recorded" = "none"

  constructor(parts: Core, movers: Movers, rest: Rest) {
    this.#parts = parts
    this.#movers = movers
    this.#rest = rest
    const { deadline = Infinity } = parts.settings
    this.#lastCall =
      deadline === Infinity ? Infinity : deadline - Math.min(longestLastCall, (deadline - parts.host.now()) / 10)
  }

  /** Whether the pause is recorded, so that only the invocation has to end. */
  get isRecorded(): boolean {
    return this.#state === "recorded"
  }

  /** Checks whether work has to wait for another invocation. */
  holdsBack(work: Work): boolean {
    if (!isAttempt(work)) return false
    const { host, usage } = this.#parts
    if (this.#hasWorked && host.now() >= this.#lastCall && usage.hasRoom) return true
    this.#hasWorked = true
    return false
  }

  /**
   * Pauses the execution once nothing runs, because work is held back. Returns whether that work may begin after all,
   * because the quota leaves no operation for the pause.
   */
  begin(): boolean {
    const { fibers, history, outbox, usage } = this.#parts
    const { outside, running, works } = this.#movers
    const isOutside = fibers.isOutside && !outside.isOver
    if (this.#state === "none" && !usage.hasRoom) {
      works.release()
      return true
    }
    if (running.isAtWork || isOutside) this.#rest.begin(undefined)
    else if (this.#state !== "none") return false
    else if (outbox.isBusy) outbox.flush()
    else {
      this.#state = "sent"
      history.pauses++
      const update = pause(history.pauses)
      usage.addOperation(update.Name ?? "")
      outbox.push("", update, () => {
        this.#state = "recorded"
      })
      outbox.flush()
    }
    return false
  }
}

/** Returns whether work begins an attempt of a step, or a check of a condition. */
const isAttempt = ({ claim, isBegun, isEnd }: Work): boolean => claim.kind.type === "STEP" && !isEnd && isBegun !== true
