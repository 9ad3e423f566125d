/**
 * An operation that the code has asked for.
 *
 * Owns: what an operation can do by itself: look up its place and its record, record changes, and convert values.
 * Does not own: when the operation does so. The kernel of operations and the delivery decide that.
 *
 * Invariants:
 * 1. A claim has its place in the order of all claims from the moment the code asks for its identity.
 * 2. The fiber that asked waits at one *door* until the delivery opens it.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import { exitOf } from "../internal/effect.ts"
import { Serdes, type Format } from "../Serdes.ts"
import { NotForNow, type Conversion, type Subject } from "../values/Values.ts"
import type { Operation } from "../wire/Operation.ts"
import type { OperationUpdate } from "../wire/OperationUpdate.ts"
import type { SubType } from "../wire/SubType.ts"
import { placeOf } from "./CallSite.ts"
import type { AnyFiber } from "./Fibers.ts"
import type { Namespace } from "./Namespace.ts"
import type { WorkflowTime } from "./WorkflowTime.ts"

/** The wire types of the operations that a workflow asks for. */
export type ClaimedType = "CONTEXT" | "STEP" | "WAIT" | "CALLBACK" | "CHAINED_INVOKE"

/** The type and sub-type of an operation on the wire. */
export interface Kind {
  readonly type: ClaimedType
  readonly subType: SubType
}

/**
 * The order of outcomes of the same millisecond: first the ends of naps, then the outcomes that the execution itself
 * recorded, then those that the service brought. Whatever follows from a nap is stamped no earlier than the end of the
 * nap, and no request is sent in a millisecond of which an outcome is known. So code that learned of two outcomes
 * learned of them in this order.
 */
export type Rank = 0 | 1 | 2

/** The place of an outcome in the stream of all outcomes. */
export interface Key {
  /** The time of the outcome, in milliseconds. */
  readonly at: number
  /** The order among outcomes of the same time: {@link Rank}. */
  readonly rank: Rank
  /** The order among outcomes of the same time and rank: the place of the claim in the order of all claims. */
  readonly index: number
}

export const isBefore = (a: Key, b: Key): boolean => {
  if (a.at !== b.at) return a.at < b.at
  return a.rank === b.rank ? a.index < b.index : a.rank < b.rank
}

/** Returns whether the service itself ends operations of this type: waits, callbacks, invokes. */
export const isOfOthers = (type: Operation["Type"]): boolean =>
  type === "WAIT" || type === "CALLBACK" || type === "CHAINED_INVOKE"

/** Returns the rank of the end of an operation. */
export const rankOf = ({ kind }: Pick<Claim, "kind">): Rank => (isOfOthers(kind.type) ? 2 : 1)

/**
 * A door, at which a fiber waits for an outcome. At first it is closed. Once it has a key, it waits for its turn. When
 * it opens, its fiber continues.
 */
export interface Door extends Key {
  at: number
  readonly claim: Claim | undefined
  readonly namespace: Namespace
  readonly fiber: AnyFiber
  /** The path of the operation that the fiber waits for, for messages. */
  readonly path: string
  /** How many outcomes had been delivered when the fiber arrived. */
  since: number
  /** The order of arrival. It decides among doors with equal keys. */
  readonly order: number
  /** Whether the fiber waits for the start of the operation instead of its end. */
  readonly isForStart?: boolean | undefined
  /** Whether a durable finalizer waits here. It continues although its branch was cancelled. */
  readonly isFinal: boolean
  /** Returns the time of the event that the fiber waits for, if the event has happened. */
  readonly keyOf: (record: Operation) => number | undefined
  /** Called when the operation has changed but has no outcome yet. */
  readonly onChange?: ((record: Operation) => void) | undefined
  /** Returns the effect with which the fiber continues. */
  readonly outcome: () => Effect.Effect<unknown, unknown>
  /** Makes the fiber continue, even in a region that cannot be interrupted. */
  readonly resume: (effect: Effect.Effect<unknown, unknown>) => void
  isGone: boolean
  /** Releases resources that exist only while the fiber waits here. */
  leave: (() => void) | undefined
}

/** The entry of one operation: the record of the service, and the claim of the code. */
export interface Entry {
  readonly id: string
  record: Operation | undefined
  claim: Claim | undefined
  /** Whether it is a mark of the library. An unclaimed mark is not a contradiction. */
  readonly isMark: boolean
  /**
   * Whether no fiber will ask for it again, because the fiber that asked for it in earlier runs was interrupted
   * outside.
   */
  isExcused: boolean
  /** Whether the record existed in this state when an earlier invocation ended. */
  readonly isOld: boolean
  /** Whether an earlier invocation knew the outcome, and may have delivered it. */
  readonly wasKnown: boolean
  /** When the outcome was delivered, if that was later than its stamp. */
  late: number | undefined
  /** When the start was delivered, if that was later than its stamp. */
  lateStart: number | undefined
}

const finalStatuses = new Set(["SUCCEEDED", "FAILED", "CANCELLED", "TIMED_OUT", "STOPPED"])
const openStatuses = new Set(["STARTED", "PENDING", "READY"])

/** Checks whether an operation has its outcome. An unknown status counts as an outcome if the operation has ended. */
export const isFinal = (record: Operation): boolean =>
  finalStatuses.has(record.Status) || (!openStatuses.has(record.Status) && record.EndTimestamp !== undefined)

/** The parts of the invocation that a claim uses. */
export interface ClaimHost {
  readonly executionArn: string
  /** Returns the place of the next claim in the order of all claims. */
  readonly nextIndex: () => number
  /**
   * Queues an update, and calls `acknowledged` when the service has acknowledged it. A fiber may wait for an awaited
   * update.
   */
  readonly push: (claim: Claim, update: OperationUpdate, isAwaited: boolean, acknowledged: () => void) => void
  /** Called when the service has acknowledged a change. */
  readonly committed: (claim: Claim, change: Change) => void
  /** Runs an asynchronous conversion. */
  readonly convert: <A, E>(claim: Claim, conversion: Effect.Effect<A, E>, done: (exit: Exit.Exit<A, E>) => void) => void
  /** Called when a value cannot be written or read for now. Returns the effect with which the fiber continues. */
  readonly cannotConvert: (error: NotForNow) => Effect.Effect<never>
}

/** A change of an operation: an update without the fields that all updates of the operation share. */
export type Change = Omit<OperationUpdate, "Id" | "ParentId" | "Name" | "Type" | "SubType">

/** Shared, because most claims of an invocation have been delivered and have no door. */
const noDoors: ReadonlyArray<Door> = []

export class Claim implements Subject {
  readonly id: string
  readonly name: string
  readonly kind: Kind
  readonly namespace: Namespace
  /** The fiber that asked for the operation. */
  readonly fiber: AnyFiber
  /** The place of the claim in the order of all claims. */
  readonly index: number
  readonly #site: Error | undefined
  /** Whether the outcome moves the time of the namespace. The outcome of an item does not. */
  readonly movesTime: boolean
  /** The path of the operation, for messages. */
  readonly path: string
  /** What is known of the operation. It is set once, by {@link enter}. */
  entry: Entry | undefined
  /** The doors of the fibers that wait for the operation: one, or several for a callback. */
  doors = noDoors
  /** Whether the code has learned the outcome. */
  isDelivered = false
  /**
   * The number of the last attempt that this invocation makes or is about to make, whatever status the service reports
   * meanwhile.
   */
  attempt = 0
  /** How many outcomes had been delivered when the code asked for the operation. */
  since = Infinity
  /** Whether a fiber has waited for the outcome. */
  wasAwaited = false
  readonly #host: ClaimHost

  constructor(options: {
    readonly id: string
    readonly name: string
    readonly kind: Kind
    readonly namespace: Namespace
    readonly fiber: AnyFiber
    readonly path: string
    readonly site?: Error | undefined
    readonly movesTime?: boolean
    readonly host: ClaimHost
  }) {
    this.id = options.id
    this.name = options.name
    this.kind = options.kind
    this.namespace = options.namespace
    this.fiber = options.fiber
    this.path = options.path
    this.#site = options.site
    this.movesTime = options.movesTime ?? true
    this.#host = options.host
    this.index = options.host.nextIndex()
  }

  /** Sets the entry in the history. This happens once. */
  enter(entry: Entry): void {
    this.entry = entry
  }

  /** Adds the door of a fiber that waits for the operation. */
  wait(door: Door): void {
    this.doors = [...this.doors, door]
  }

  /** Removes the door of a fiber that no longer waits. */
  leave(door: Door): void {
    this.doors = this.doors.length === 1 ? noDoors : this.doors.filter((one) => one !== door)
  }

  /** The record that the service holds of the operation. */
  get record(): Operation | undefined {
    return this.entry?.record
  }

  set record(record: Operation | undefined) {
    if (this.entry !== undefined) this.entry.record = record
  }

  /** Whether the operation has an outcome. */
  get isSettled(): boolean {
    const { record } = this
    return record !== undefined && isFinal(record)
  }

  /** The number of the attempt after the recorded ones. */
  get nextAttempt(): number {
    return (this.record?.StepDetails?.Attempt ?? 0) + 1
  }

  /** Whether the claim is that of the workflow itself. */
  get isRoot(): boolean {
    return this.id === ""
  }

  /** The place in the code where the operation was asked for, if it was captured. */
  get place(): string | undefined {
    return placeOf(this.#site)
  }

  get executionArn(): string {
    return this.#host.executionArn
  }

  /** The time that the code which asked for the operation sees. */
  get time(): WorkflowTime {
    return this.namespace.time
  }

  /** The format in which the code that asked for the operation writes values. */
  get format(): Format {
    return Context.get(this.fiber.context, Serdes)
  }

  // --- Recording changes ---------------------------------------------------------------------------------------------

  /**
   * Records a change with the next request. No fiber waits for it. It takes effect when the service has acknowledged it.
   */
  later(change: Change): void {
    this.#host.push(this, this.#update(change), false, () => this.#host.committed(this, change))
  }

  /** Records a change. When the service has acknowledged it, the change takes effect and `then` is called. */
  commit(change: Change, then?: () => void): void {
    this.#host.push(this, this.#update(change), true, () => {
      this.#host.committed(this, change)
      then?.()
    })
  }

  #update(change: Change): OperationUpdate {
    const { id: Id, kind, name: Name } = this
    const { wireId: ParentId } = this.namespace
    const { subType: SubType, type: Type } = kind
    return ParentId === undefined
      ? { Id, Name, Type, SubType, ...change }
      : { Id, ParentId, Name, Type, SubType, ...change }
  }

  // --- Values ----------------------------------------------------------------------------------------------------------

  /**
   * Calls `then` with the exit of a conversion, at once if the exit is known already. A failed conversion that may
   * succeed later fails the invocation, which the service then repeats; `refused` is called with the effect with which
   * the fiber continues.
   */
  convert<A, E>(
    conversion: Conversion<A, E>,
    then: (exit: Exit.Exit<A, E>) => void,
    refused?: (effect: Effect.Effect<never>) => void
  ): void {
    const done = (exit: Exit.Exit<A, E | NotForNow>): void => {
      const reason = Exit.isSuccess(exit) ? undefined : exit.cause.reasons.find(Cause.isFailReason)
      if (reason?.error instanceof NotForNow) {
        const inert = this.#host.cannotConvert(reason.error)
        refused?.(inert)
      } else then(cast<Exit.Exit<A, E | NotForNow>, Exit.Exit<A, E>>(exit))
    }
    const exit = exitOf(conversion)
    if (exit === undefined) this.#host.convert(this, conversion, done)
    else done(exit)
  }

  /** Returns a conversion as an effect of the fiber that asked. */
  converted<A, E>(conversion: Conversion<A, E>): Effect.Effect<A, E> {
    const exit = exitOf(conversion)
    return exit !== undefined && Exit.isSuccess(exit)
      ? Effect.succeed(exit.value)
      : Effect.callback<A, E>((resume) => this.convert(conversion, resume, resume))
  }
}
