/**
 * The doors at which fibers wait, and the order in which they open.
 *
 * Owns: which fiber waits for what, which doors have a key, which waits are due, how far the stream of outcomes is
 * delivered, and for which callbacks a fiber may still wait.
 * Does not own: when a door opens, which the delivery decides; and what the service reports, which `News.ts` processes.
 *
 * Invariants:
 * 1. Of the doors that have a key, the one with the least key is the first. Among equal keys, the first is the door
 *    that was reached first.
 * 2. A fiber leaves a door once. From then on the door counts nowhere: not for its claim, its namespace, or polling.
 * 3. A late outcome has its key from its mark, and has no key before the mark is recorded.
 * 4. The position up to which the stream is delivered never goes back.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type { Operation } from "../wire/Operation.ts"
import { isBefore, isFinal, isOfOthers, rankOf, type Claim, type Door, type Entry, type Key } from "./Claim.ts"
import type { Core } from "./Core.ts"
import type { AnyFiber } from "./Fibers.ts"
import { Heap } from "./Heap.ts"
import type { Poller } from "./Poller.ts"

/**
 * Whether known outcomes are delivered in the order in which fibers asked for them, as if outcomes had no order of
 * their own. Tests set this to check that they detect the wrong order.
 */
export const InOrderOfClaims: Context.Reference<boolean> = Context.Reference<boolean>(
  "effect-durable/InOrderOfClaims",
  { defaultValue: () => false }
)

/** The fields of a door that `Doors` sets. */
type Made = "index" | "order" | "rank" | "since" | "isGone" | "leave"

/** A door for the outcome of an operation. */
export type DoorOfClaim = Omit<Door, Made | "at"> & { readonly claim: Claim }

/** A door for a point in the stream that no record marks. */
export type DoorInTime = Omit<Door, Made | "claim" | "keyOf">

export class Doors {
  readonly all = new Set<Door>()
  readonly #parts: Core
  readonly #poller: Poller
  readonly #ready: Heap<Door>
  /** Waits without an outcome, ordered by when they are due. */
  readonly #due = new Heap<{ readonly at: number; readonly door: Door }>((a, b) => a.at < b.at)
  readonly #callbacks = new Set<Claim>()
  #last: Key = { at: -Infinity, rank: 0, index: -1 }
  #count = 0
  #arrivals = 0
  #ofClaims = 0
  #ofOthers = 0

  constructor(parts: Core, poller: Poller) {
    this.#parts = parts
    this.#poller = poller
    this.#ready = new Heap(Context.get(parts.host.services, InOrderOfClaims) ? wasAskedBefore : comesBefore)
  }

  /** How many outcomes have been delivered. */
  get count(): number {
    return this.#count
  }

  /** The greatest key delivered so far. */
  get last(): Key {
    return this.#last
  }

  // --- Arriving and leaving --------------------------------------------------------------------------------------------

  /** Registers a fiber at a door of an operation. The door stays closed for now if its outcome {@link isBehind}. */
  wait(door: DoorOfClaim, isBehind = false): Door {
    const { claim } = door
    const { entry, record } = claim
    const rank = door.isForStart === true ? 1 : rankOf(claim)
    const made = this.#make(door, { at: NaN, rank, index: claim.index, claim, keyOf: door.keyOf })
    // A context counts from its claim on, although its fiber waits at a door only for its end.
    if (claim.kind.type === "CONTEXT") made.since = Math.min(made.since, claim.since)
    claim.wait(made)
    if (door.isForStart !== true) claim.wasAwaited = true
    this.#admit(made)
    const key = record === undefined ? undefined : door.keyOf(record)
    if (key === undefined) {
      this.#awaitOutcome(made)
    } else {
      const late = entry === undefined ? undefined : lateOf(made, entry)
      if (late === Infinity || isBehind) return made
      made.at = late ?? key
      if (entry?.isOld === true && record !== undefined && isFinal(record)) made.leave = this.#parts.history.awaitsOld()
      this.#ready.add(made)
    }
    return made
  }

  /**
   * Registers a fiber that waits for a point in the stream that no record marks. Once the point is reached, {@link ready}
   * is called.
   */
  waitUntil(door: DoorInTime): Door {
    const index = this.#parts.history.nextIndex
    const made = this.#make(door, { at: door.at, rank: 0, index, claim: undefined, keyOf: () => undefined })
    this.#admit(made)
    return made
  }

  /**
   * Creates a door. All doors have the same fields, written out one by one: copying the fields of another object would
   * cost more.
   */
  #make(
    { fiber, isFinal, isForStart, namespace, onChange, outcome, path, resume }: DoorOfClaim | DoorInTime,
    { at, claim, index, keyOf, rank }: Pick<Door, "at" | "rank" | "index" | "claim" | "keyOf">
  ): Door {
    return {
      at,
      rank,
      index,
      claim,
      namespace,
      fiber,
      path,
      since: this.#count,
      order: this.#arrivals++,
      isForStart,
      isFinal,
      keyOf,
      onChange,
      outcome,
      resume,
      isGone: false,
      leave: undefined
    }
  }

  #admit(door: Door): void {
    this.all.add(door)
    if (door.claim !== undefined) this.#ofClaims++
    if (door.claim !== undefined && isOfOthers(door.claim.kind.type)) this.#ofOthers++
    door.namespace.parked++
    if (door.claim !== undefined && door.claim.namespace !== door.namespace) door.claim.namespace.parked++
    this.#parts.listener.moved?.()
  }

  #awaitOutcome(door: Door): void {
    const { claim, namespace } = door
    if (namespace.isRebuilding || claim === undefined) return
    const due = claim.record?.WaitDetails?.ScheduledEndTimestamp
    if (due !== undefined) this.#due.add({ at: due, door })
    if (isOfOthers(claim.kind.type) || claim.record?.Status === "PENDING") this.#poller.watch(door)
  }

  /** Removes a fiber from its door, for whatever reason. */
  leave(door: Door): void {
    if (door.isGone) return
    door.isGone = true
    door.leave?.()
    this.all.delete(door)
    if (door.claim !== undefined) this.#ofClaims--
    if (door.claim !== undefined && isOfOthers(door.claim.kind.type)) this.#ofOthers--
    door.namespace.parked--
    const { claim } = door
    if (claim !== undefined && claim.namespace !== door.namespace) claim.namespace.parked--
    if (claim !== undefined) claim.leave(door)
    this.#poller.forget(door)
    this.#parts.listener.moved?.()
  }

  /** Notes that a callback has been created. A fiber may wait for it later. */
  expect(callback: Claim): void {
    this.#callbacks.add(callback)
  }

  /** Forgets the callbacks of closed namespaces, for which no fiber can wait any more. */
  forgetClosed(): void {
    for (const claim of this.#callbacks) if (claim.namespace.standing === "closed") this.#callbacks.delete(claim)
  }

  // --- Order -----------------------------------------------------------------------------------------------------------

  /** Gives a door its key, if its operation has one now. Returns whether it has one. */
  look(door: Door, claim: Claim): boolean {
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

  /**
   * Returns whether an outcome arrived too late for its place before the outcomes that earlier invocations delivered.
   * The end of a wait is never too late: nothing stamped after it is delivered before the service has reported it.
   */
  isBehind({
    claim,
    isForStart,
    keyOf,
    namespace
  }: Pick<Door, "claim" | "isForStart" | "keyOf" | "namespace">): boolean {
    if (claim === undefined || isForStart === true || claim.kind.type === "WAIT" || !isOfOthers(claim.kind.type))
      return false
    const { entry, record } = claim
    if (record === undefined || entry?.late !== undefined || namespace.isRebuilding) return false
    const key = keyOf(record)
    return key !== undefined && this.#parts.history.isBehind(key, entry)
  }

  /** Queues a door that has its key. */
  ready(door: Door): void {
    if (!door.isGone) this.#ready.add(door)
  }

  /** The door that opens next. */
  get first(): Door | undefined {
    let { first } = this.#ready
    while (first?.isGone === true) {
      this.#ready.take()
      first = this.#ready.first
    }
    return first
  }

  /** Opens the {@link first} door, which delivers its outcome. */
  open(door: Door): void {
    this.#ready.take()
    this.leave(door)
    this.#count++
    if (isBefore(this.#last, door)) this.#last = { at: door.at, rank: door.rank, index: door.index }
    if (door.claim?.isSettled === true && door.isForStart !== true) this.#callbacks.delete(door.claim)
  }

  /** Returns whether a wait is due by a time, and has not been reported as ended yet. */
  isDue(at: number): boolean {
    let { first } = this.#due
    while (first !== undefined && (first.door.isGone || !Number.isNaN(first.door.at))) {
      this.#due.take()
      first = this.#due.first
    }
    return first !== undefined && first.at <= at
  }

  // --- Waiting fibers --------------------------------------------------------------------------------------------------

  get size(): number {
    return this.all.size
  }

  /** Whether a fiber waits for an operation, and not only for a point in time. */
  get hasClaims(): boolean {
    return this.#ofClaims > 0
  }

  /** Whether a fiber waits for something that this invocation does not cause itself. */
  get awaitsOthers(): boolean {
    return this.#ofOthers > 0 || this.#callbacks.size > 0
  }

  /** Returns whether a callback has no outcome at a time. */
  awaitsCallback(at: number): boolean {
    for (const { isSettled, record } of this.#callbacks) if (!isSettled || latestStamp(record) > at) return true
    return false
  }

  /**
   * Whether the order of outcomes matters, because more than one fiber waits, may wait at this time, or waited when the
   * last outcome was delivered.
   */
  get isContested(): boolean {
    if (this.all.size > 1) return true
    const { fibers, host } = this.#parts
    if (Math.floor(this.#last.at) !== Math.floor(host.now())) return false
    for (const { since } of this.all) if (since < this.#count) return true
    return fibers.live.size > 1
  }

  /** Whether the service will wake the execution. */
  get hasDurable(): boolean {
    for (const { claim, namespace } of this.all) {
      const isOpen = namespace.standing !== "closed" && !namespace.isRebuilding
      if (claim !== undefined && isOpen && !claim.isSettled) return true
    }
    return false
  }

  /** The fibers that wait at doors. */
  get fibers(): ReadonlySet<AnyFiber> {
    return new Set(Array.from(this.all, ({ fiber }) => fiber))
  }

  /** Describes, for messages, what fibers wait for. */
  describe(): ReadonlyArray<string> {
    return Array.from(this.all, ({ claim, path }) => `"${path}" (${claim?.kind.type ?? "nap"}) has no outcome`)
  }
}

const wasAskedBefore = (a: Door, b: Door): boolean => a.order < b.order

const comesBefore = (a: Door, b: Door): boolean => isBefore(a, b) || (!isBefore(b, a) && wasAskedBefore(a, b))

/**
 * Returns when an outcome was delivered, if that was later than its stamp; `Infinity` until its mark is recorded.
 */
const lateOf = ({ isForStart }: Door, { late, lateStart }: Entry): number | undefined =>
  isForStart === true ? lateStart : late

/** Returns the latest stamp of a record; `Infinity` if the record has no stamp yet. */
export const latestStamp = (record: Operation | undefined): number =>
  record?.EndTimestamp ?? record?.StartTimestamp ?? Infinity
