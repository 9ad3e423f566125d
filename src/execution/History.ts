/**
 * The history of one execution, as one invocation knows it.
 *
 * Owns: the records by id, which of them the code has claimed, and whether the code is replaying.
 * Does not own: the order in which outcomes are delivered, and what happens when code and history contradict each other.
 *
 * Invariants:
 * 1. Each operation has one entry: the record of the service, and the claim of the code.
 * 2. A response is applied as a whole before any other part sees it.
 * 3. A record is *unclaimed* while its namespace is open and the code has not asked for it. Marks and pauses never count.
 * 4. The code is replaying while a record from before this invocation is unclaimed, or its outcome undelivered. What the
 *    service has reported since the last invocation is no replay.
 *
 * @since 0.1.0
 */
import type { Operation } from "../wire/Operation.ts"
import { isFinal, isOfOthers, type Claim, type Entry } from "./Claim.ts"
import { idOf, readMark, readPause, startOf, type Mark } from "./Marks.ts"
import type { Namespace } from "./Namespace.ts"

export class History {
  readonly execution: Operation | undefined
  /** How often invocations have paused the execution near their end. */
  pauses = 0
  /** The greatest stamp that the service has reported. */
  newestStamp = 0
  /** The greatest stamp of an outcome that the service brought: the end of a wait, a callback or an invoke. */
  newestBrought = -Infinity
  /** The latest time of anything that earlier invocations may have delivered, in milliseconds. */
  newestKnown = -Infinity
  /** Whether the service brought the outcome of that time. */
  #isBrought = false
  /** Whether nothing was recorded when this invocation began. */
  readonly isFirst: boolean
  readonly #entries = new Map<string, Entry>()
  readonly #marks = new Map<string, Mark>()
  /** The stamps of the marks of this invocation. */
  readonly #stamps = new Map<string, number>()
  #below: Map<string | undefined, Array<Entry>> | undefined
  readonly #excused: Array<Entry> = []
  #open = new Set<Namespace>()
  #claims = 0
  #unclaimed = 0
  #oldUndelivered = 0
  /** Outcomes that the service has reported since the last invocation and that are not delivered yet. */
  readonly #news = new Set<string>()
  /** Whether the last invocation paused the execution, and nothing has begun since. */
  #isPaused = false
  /** Whether an earlier invocation, too, delivered what was delivered last. */
  #isBehind = true

  /**
   * Takes the records of an invocation, the ids of those that changed while no invocation ran, how many of the records
   * belong to the moment at which the service listed those ids, and the time on the host's clock at which the
   * invocation began. Later pages may contain operations that the service has ended since then; they will be news for
   * the next invocation.
   */
  constructor(
    initial: ReadonlyArray<Operation>,
    news: ReadonlySet<string>,
    atOnce = initial.length,
    beganAt = -Infinity
  ) {
    this.execution = initial.find(({ Type }) => Type === "EXECUTION")
    const late: Array<readonly [string, number]> = []
    for (const record of initial) {
      if (record.Type === "EXECUTION") continue
      this.noteStamp(record)
      const pause = readPause(record)
      if (pause !== undefined) {
        this.pauses = Math.max(this.pauses, pause)
        if (news.has(record.Id)) this.#isPaused = true
        continue
      }
      const mark = readMark(record)
      if (mark?.kind === "late") late.push([mark.of, Math.max(record.EndTimestamp ?? 0, mark.time ?? 0)])
      if (mark?.kind === "patch") {
        const wasKnown = isFinal(record)
        this.#entries.set(record.Id, { ...entryOf(record.Id, record), isMark: true, isOld: true, wasKnown })
      } else if (mark !== undefined) this.#marks.set(record.Id, mark)
      else this.#add(record, !news.has(record.Id))
      if (news.has(record.Id) && isFinal(record)) this.#news.add(record.Id)
    }
    for (const [of, at] of late) {
      const isForStart = of.endsWith(startOf(""))
      const entry = this.#entries.get(isForStart ? of.slice(0, -startOf("").length) : of)
      if (entry !== undefined) entry[isForStart ? "lateStart" : "late"] = at
    }
    this.isFirst = this.#entries.size === 0
    initial.forEach(({ EndTimestamp = Infinity, Id, Type }, index) => {
      // Operations that the execution ends itself cannot have ended later. If the host's clock is ahead, the only cost
      // is a mark for a late outcome.
      this.#noteKnown(this.#entries.get(Id), index < atOnce || !isOfOthers(Type) || EndTimestamp < beganAt)
    })
  }

  #noteKnown(entry: Entry | undefined, isEndKnown: boolean): void {
    if (entry?.record === undefined || !entry.isOld) return
    const { late, lateStart, record, wasKnown } = entry
    const { EndTimestamp, StartTimestamp, Type } = record
    // The code learns that a callback has begun, too.
    if (Type === "CALLBACK") this.#noteKnownAt(lateStart ?? StartTimestamp, false)
    if (isEndKnown && wasKnown && EndTimestamp !== undefined) this.#noteKnownAt(late ?? EndTimestamp, isOfOthers(Type))
  }

  #noteKnownAt(at: number, isBrought: boolean): void {
    if (at < this.newestKnown) return
    this.#isBrought = isBrought || (at === this.newestKnown && this.#isBrought)
    this.newestKnown = at
  }

  /**
   * Returns whether an outcome that the service brought is stamped before outcomes that earlier invocations may have
   * delivered, although none of them knew of it: it was reported late, or stamped by a clock that is behind.
   */
  isBehind(at: number, entry: Entry | undefined): boolean {
    return entry?.wasKnown !== true && (at < this.newestKnown || (at === this.newestKnown && this.#isBrought))
  }

  #add(record: Operation, isOld: boolean): void {
    const entry: Entry = { ...entryOf(record.Id, record), isOld, wasKnown: isOld && isFinal(record) }
    this.#entries.set(record.Id, entry)
    const below = (this.#below ??= new Map())
    const siblings = below.get(record.ParentId)
    if (siblings === undefined) below.set(record.ParentId, [entry])
    else siblings.push(entry)
  }

  /** Notes the stamps of a record that the service has reported, or whose change it has acknowledged. */
  noteStamp({ EndTimestamp = 0, StartTimestamp, Type }: Operation): void {
    this.newestStamp = Math.max(this.newestStamp, StartTimestamp, EndTimestamp)
    if (EndTimestamp > this.newestBrought && isOfOthers(Type)) this.newestBrought = EndTimestamp
  }

  /** When the execution began, or the first of its operations if the service does not list the execution itself. */
  get start(): number | undefined {
    if (this.execution !== undefined) return this.execution.StartTimestamp
    let first = Infinity
    for (const { record } of this.#entries.values()) first = Math.min(first, record?.StartTimestamp ?? Infinity)
    return first === Infinity ? undefined : first
  }

  get(id: string): Operation | undefined {
    return this.#entries.get(id)?.record
  }

  /** Returns a mark that was recorded, in this invocation or before. */
  mark(wanted: Mark): Mark | undefined {
    return this.#marks.size === 0 ? undefined : this.#marks.get(idOf(wanted))
  }

  /** Returns the time that code was shown before the stamp of an operation was known, if that was recorded. */
  shown({ id, name }: { readonly id: string; readonly name: string }): number | undefined {
    return this.mark({ kind: "reading", of: id, label: name })?.time
  }

  addMark(mark: Mark): void {
    this.#marks.set(idOf(mark), mark)
  }

  /** Returns when a mark of this invocation was recorded, if the service has reported that. */
  stampOf(mark: Mark): number | undefined {
    return this.#stamps.get(idOf(mark))
  }

  /** Returns how many operations of a namespace were recorded before this invocation. */
  countIn(wireId: string | undefined): number {
    return this.#below?.get(wireId)?.length ?? 0
  }

  // --- Claims ------------------------------------------------------------------------------------------------------------

  /** The next place in the order of all claims. Each read takes one. */
  get nextIndex(): number {
    return this.#claims++
  }

  /**
   * Claims an operation and returns its entry. An entry that another claim holds stays with that claim, because two
   * claims would share a record.
   */
  claim(claim: Claim): Entry {
    const known = this.#entries.get(claim.id)
    if (known === undefined) {
      const entry: Entry = { ...entryOf(claim.id, undefined), claim }
      this.#entries.set(claim.id, entry)
      return entry
    }
    if (known.claim !== undefined) return known
    known.claim = claim
    const { recorded } = claim.namespace
    if (known.record !== undefined && !known.isMark && !known.isExcused && this.#open.has(recorded)) {
      recorded.unclaimed--
      this.#unclaimed--
    }
    return known
  }

  /** How many records in open namespaces the code has not asked for. */
  get unclaimed(): number {
    return this.#unclaimed
  }

  /** Lists the operations that the code has not asked for, in the order in which they were recorded. */
  *unclaimedEntries(): Iterable<Entry> {
    for (const { wireId } of this.#open) {
      for (const entry of this.#below?.get(wireId) ?? []) if (isMissed(entry)) yield entry
    }
  }

  /**
   * Excuses the operations that the code has not asked for by now, in open namespaces and in one that has ended. No
   * fiber will ask for them any more, and this is not a contradiction.
   */
  excuse(ended: Namespace | undefined): void {
    const missed = ended === undefined ? [] : this.missedIn(ended)
    for (const entry of new Set([...this.unclaimedEntries(), ...missed])) {
      entry.isExcused = true
      this.#excused.push(entry)
    }
    for (const namespace of this.#open) namespace.unclaimed = 0
    this.#unclaimed = 0
  }

  /** The names of excused operations that had succeeded. If one of them needed to be undone, no code has undone it. */
  get forsaken(): ReadonlyArray<string> {
    return this.#excused.flatMap(({ claim, record }) =>
      claim === undefined && record?.Status === "SUCCEEDED" && record.Type !== "WAIT" ? [record.Name ?? record.Id] : []
    )
  }

  /** Lists the operations that the code of a closed namespace has not asked for. */
  missedIn({ wireId }: Namespace): ReadonlyArray<Entry> {
    return (this.#below?.get(wireId) ?? []).filter(isMissed)
  }

  /** Begins to count the unclaimed records of a recorded namespace, because its code begins. */
  open(namespace: Namespace): void {
    const count = this.countIn(namespace.wireId)
    if (count === 0 || this.#open.has(namespace)) return
    let unclaimed = 0
    for (const entry of this.#below?.get(namespace.wireId) ?? []) if (isMissed(entry)) unclaimed++
    this.#open.add(namespace)
    namespace.unclaimed = unclaimed
    this.#unclaimed += unclaimed
  }

  /** Stops counting the unclaimed records of a namespace, because its code has ended. */
  close(namespace: Namespace): void {
    if (!this.#open.delete(namespace)) return
    this.#unclaimed -= namespace.unclaimed
    namespace.unclaimed = 0
  }

  // --- Replaying ---------------------------------------------------------------------------------------------------------

  /**
   * Whether the code runs over the records of earlier invocations. Those invocations also ran the code after the last
   * record, if there is news that they waited for, or if they paused the execution before the next attempt.
   */
  get isReplaying(): boolean {
    return (
      this.#unclaimed > 0 || this.#oldUndelivered > 0 || (this.#isBehind && (this.#news.size > 0 || this.#isPaused))
    )
  }

  /** Notes that something new begins. */
  begins(): void {
    this.#isPaused = false
  }

  /** Notes that the code learns how an operation ended. */
  delivered({ id, isOld }: Entry): void {
    this.#isBehind = isOld
    this.#news.delete(id)
  }

  /**
   * Counts a fiber that waits for an outcome which an earlier invocation delivered, until the returned function is called.
   */
  awaitsOld(): () => void {
    this.#oldUndelivered++
    let isLeft = false
    return () => {
      if (isLeft) return
      isLeft = true
      this.#oldUndelivered--
    }
  }

  // --- Reports of the service ------------------------------------------------------------------------------------------

  /** Takes in records that the service reports. Returns the claims of these operations. */
  apply(records: ReadonlyArray<Operation>): ReadonlyArray<Claim> {
    const changed: Array<Claim> = []
    for (const record of records) {
      this.noteStamp(record)
      const entry = this.#entries.get(record.Id)
      if (entry === undefined) {
        if (readPause(record) !== undefined) continue
        if (this.#marks.has(record.Id)) this.#stamps.set(record.Id, record.EndTimestamp ?? record.StartTimestamp)
        else if (record.Type !== "EXECUTION") this.#addLater(record)
        continue
      }
      entry.record = record
      if (entry.claim !== undefined) changed.push(entry.claim)
    }
    return changed
  }

  /** Adds an operation that this invocation did not ask for, but another invocation that owns the execution did. */
  #addLater(record: Operation): void {
    this.#entries.set(record.Id, entryOf(record.Id, record))
  }
}

const isMissed = ({ claim, isExcused }: Entry): boolean => claim === undefined && !isExcused

const entryOf = (id: string, record: Operation | undefined): Entry => ({
  id,
  record,
  claim: undefined,
  isMark: false,
  isExcused: false,
  isOld: false,
  wasKnown: false,
  late: undefined,
  lateStart: undefined
})
