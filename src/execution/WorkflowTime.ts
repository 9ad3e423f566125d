/**
 * The time that code of a workflow sees.
 *
 * Owns: the time of one *domain*: the workflow with its children and branches, or one item of a batch.
 * Does not own: readings, which the clock of the workflow makes, and advances, which the delivery makes.
 *
 * Invariants:
 * 1. The time is the greatest key that was delivered in the domain. It never goes back, and is the same on every replay.
 * 2. A stamp that the service has not reported yet (of the end of a context that no fiber waited for, of the start of an
 *    item) is *unread*: it counts only when code asks for the time. A delivery that comes after the stamp makes it
 *    obsolete.
 * 3. Code that cannot wait for an unread stamp is shown a time that the service has reached. So whatever ends later is not
 *    stamped before it, although the host's clock may be ahead. That time is recorded before anything that may depend on it.
 *    Every later replay shows the same time, and leaves the stamp unread until then.
 *
 * @since 0.1.0
 */
/** An operation with stamps of the service. */
export interface Stamped {
  readonly id: string
  readonly name: string
  readonly record: { readonly StartTimestamp: number; readonly EndTimestamp?: number | undefined } | undefined
}

/** A stamp that code has not seen yet. */
export interface Unread {
  readonly claim: Stamped
  readonly of: "start" | "end"
}

export class WorkflowTime {
  #now: number
  #unread: Unread | undefined
  /** The time that an earlier invocation showed to code before the unread stamp was known, if that time is recorded. */
  #recorded: number | undefined
  #shown: number | undefined
  #glances = 0

  constructor(now: number) {
    this.#now = now
  }

  /** Copies this time, so that another domain can continue from the same moment. */
  copy(): WorkflowTime {
    const copy = new WorkflowTime(this.#now)
    copy.#unread = this.#unread
    copy.#recorded = this.#recorded
    return copy
  }

  /** Milliseconds since the epoch. */
  get now(): number {
    return this.#now
  }

  get unread(): Unread | undefined {
    return this.#unread
  }

  /**
   * Moves the time because an outcome was delivered. A stamp that is later, or that may be later because it was not
   * known, stays unread.
   */
  advanceTo(time: number): void {
    if (this.#glances > 0) this.read(this.#shown)
    else if (this.#recorded === undefined && (stampOf(this.#unread) ?? Infinity) <= time) this.#forget()
    if (time > this.#now) this.#now = time
  }

  /**
   * Leaves a stamp unread. The stamp counts from now on, although it may not be known yet, or although code was shown
   * another time, which is recorded.
   */
  leaveUnread(unread: Unread, recorded?: number): void {
    // An earlier unread stamp is not later than this one, and may not be known.
    this.read(this.#glances > 0 ? this.#shown : undefined)
    this.#unread = unread
    this.#recorded = recorded
  }

  /** Reads the unread stamp, which moves the time if it is known. */
  read(time: number | undefined): void {
    this.#forget()
    if (time !== undefined && time > this.#now) this.#now = time
  }

  /** Returns the time for code that does not wait, given the newest stamp that the service has reported. */
  glance(newest: number): number {
    const unread = this.#unread
    if (unread === undefined) return this.#now
    this.#glances++
    this.#shown ??= Math.max(this.#now, this.#recorded ?? stampOf(unread) ?? Math.floor(newest))
    return this.#shown
  }

  /** Takes back the last glance, because a log line made it. */
  disregard(): void {
    if (this.#glances > 0 && --this.#glances === 0) this.#shown = undefined
  }

  /** Returns the time that glances require to be recorded before anything else is. This reads the unread stamp. */
  settle(): { readonly unread: Unread; readonly time: number } | undefined {
    const { unread } = this
    if (unread === undefined || this.#glances === 0 || this.#shown === undefined) return undefined
    const time = this.#shown
    const isKnown = this.#recorded !== undefined || stampOf(unread) === time
    this.read(time)
    return isKnown ? undefined : { unread, time }
  }

  #forget(): void {
    this.#unread = undefined
    this.#recorded = undefined
    this.#shown = undefined
    this.#glances = 0
  }
}

/** Returns the time of an unread stamp, if the service has reported it. */
export const stampOf = (unread: Unread | undefined): number | undefined =>
  unread?.of === "start" ? unread.claim.record?.StartTimestamp : unread?.claim.record?.EndTimestamp
