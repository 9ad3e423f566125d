/**
 * The time that code of a workflow sees.
 *
 * Owns: the time of one *domain*: the workflow with its children and branches, or one item of a batch.
 * Does not own: who asks for it. The clock of the workflow does, and moves it through the delivery.
 *
 * Invariants:
 * 1. The time is the greatest key that was delivered in the domain. It never goes back, and is the same on every replay.
 * 2. A stamp that the service has not told yet (of the end of a context that nobody waited for, of the start of an item)
 *    is *unread*: it counts from when code asks for the time. A delivery that comes after it has it forgotten.
 * 3. Code that cannot wait for an unread stamp is shown a time of the host, which is recorded before anything that may
 *    depend on it. Every later replay shows the same, and leaves the stamp unread until then.
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
  /** What an earlier invocation has recorded that code was shown of it, before it was known. */
  #recorded: number | undefined
  #shown: number | undefined
  #glances = 0

  constructor(now: number) {
    this.#now = now
  }

  /** The same moment, from which something else goes on. */
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

  /** Something was delivered. A stamp that is later, or may be because it was not known, stays unread. */
  advanceTo(time: number): void {
    if (this.#glances > 0) this.read(this.#shown)
    else if (this.#recorded === undefined && (stampOf(this.#unread) ?? Infinity) <= time) this.#forget()
    if (time > this.#now) this.#now = time
  }

  /** A stamp counts from now on, although code may not know it yet, or has been shown something else, which is recorded. */
  leaveUnread(unread: Unread, recorded?: number): void {
    // A stamp before it that nobody has read is not later, and may not be known.
    this.read(this.#glances > 0 ? this.#shown : undefined)
    this.#unread = unread
    this.#recorded = recorded
  }

  /** The unread stamp is read. */
  read(time: number | undefined): void {
    this.#forget()
    if (time !== undefined && time > this.#now) this.#now = time
  }

  /** Code looks at the time without waiting. `guess` is what the host would say. */
  glance(guess: () => number): number {
    const unread = this.#unread
    if (unread === undefined) return this.#now
    this.#glances++
    this.#shown ??= Math.max(this.#now, this.#recorded ?? stampOf(unread) ?? Math.floor(guess()))
    return this.#shown
  }

  /** The last glance was that of a log line. */
  disregard(): void {
    if (this.#glances > 0) this.#glances--
  }

  /** What has to be recorded of glances, before anything else is. The stamp that was unread is read by that. */
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

/** The time of an unread stamp, if the service has told it. */
export const stampOf = (unread: Unread | undefined): number | undefined =>
  unread?.of === "start" ? unread.claim.record?.StartTimestamp : unread?.claim.record?.EndTimestamp
