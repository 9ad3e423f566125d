/**
 * An operation that the code has asked for.
 *
 * Owns: what an operation may do for itself: know its place and its record, record changes, and convert values.
 * Does not own: when it does so. The kernel of operations and the delivery decide that.
 *
 * Invariants:
 * 1. A claim has its place in the order of all claims from the moment at which its identity was asked for.
 * 2. The fiber that asked waits at one *door*, until the delivery opens it.
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

/** What an operation is on the wire. */
export interface Kind {
  readonly type: ClaimedType
  readonly subType: SubType
}

/**
 * What comes first of one millisecond: the end of a nap, then what the execution did itself, then what the service brought. What
 * follows from a nap is stamped no earlier than the nap ends, and no request is sent in a millisecond of which an outcome is known.
 * So whoever was told of two was told of them in this order.
 */
export type Rank = 0 | 1 | 2

/** The place of an outcome in the stream of all outcomes. */
export interface Key {
  /** When it came, in milliseconds. */
  readonly at: number
  /** Among those that came in the same millisecond: {@link Rank}. */
  readonly rank: Rank
  /** Among those that came at the same time: the place of the claim in the order of all claims. */
  readonly index: number
}

export const isBefore = (a: Key, b: Key): boolean => {
  if (a.at !== b.at) return a.at < b.at
  return a.rank === b.rank ? a.index < b.index : a.rank < b.rank
}

/** Whether the service ends an operation by itself: a wait, a callback, an invoke. */
export const isOfOthers = (type: Operation["Type"]): boolean =>
  type === "WAIT" || type === "CALLBACK" || type === "CHAINED_INVOKE"

/** The rank of the end of an operation. */
export const rankOf = ({ kind }: Pick<Claim, "kind">): Rank => (isOfOthers(kind.type) ? 2 : 1)

/**
 * A door, at which a fiber waits for an outcome. It is closed, or it has a key and waits for its turn, or it is open: its
 * fiber has gone on.
 */
export interface Door extends Key {
  at: number
  readonly claim: Claim | undefined
  readonly namespace: Namespace
  readonly fiber: AnyFiber
  /** What it waits for, for people. */
  readonly path: string
  /** How many outcomes had been delivered when the fiber came here. */
  since: number
  /** Its place among those that came to doors, for those with equal keys. */
  readonly order: number
  /** Whether it waits for the beginning of the operation and not for its end. */
  readonly isForStart?: boolean | undefined
  /** Whether a durable finalizer waits here, which goes on although its branch was let go of. */
  readonly isFinal: boolean
  /** When what it waits for came, if it has come. */
  readonly keyOf: (record: Operation) => number | undefined
  /** The operation has changed, and has no outcome yet. */
  readonly onChange?: ((record: Operation) => void) | undefined
  /** What the fiber goes on with. */
  readonly outcome: () => Effect.Effect<unknown, unknown>
  /** Lets the fiber go on, even where it cannot be interrupted. */
  readonly resume: (effect: Effect.Effect<unknown, unknown>) => void
  isGone: boolean
  /** Ends what goes on only because a fiber waits here. */
  leave: (() => void) | undefined
}

/** What is known of one operation: what the service holds of it, and how the code asked for it. */
export interface Entry {
  readonly id: string
  record: Operation | undefined
  claim: Claim | undefined
  /** Whether it is a mark of ours, which nobody misses. */
  readonly isMark: boolean
  /** Whether nobody will ask for it any more, because who did was called off outside. */
  isExcused: boolean
  /** Whether the record was there, with this outcome, when an earlier invocation ended. */
  readonly isOld: boolean
  /** Whether an earlier invocation knew its outcome, and may have delivered it. */
  readonly wasKnown: boolean
  /** When its outcome was delivered, if that was later than its stamp says. */
  late: number | undefined
  /** The same of its beginning. */
  lateStart: number | undefined
}

const finalStatuses = new Set(["SUCCEEDED", "FAILED", "CANCELLED", "TIMED_OUT", "STOPPED"])
const openStatuses = new Set(["STARTED", "PENDING", "READY"])

/** Whether an operation has its outcome. A status from the future counts when the operation has ended. */
export const isFinal = (record: Operation): boolean =>
  finalStatuses.has(record.Status) || (!openStatuses.has(record.Status) && record.EndTimestamp !== undefined)

/** What a claim needs of the invocation. */
export interface ClaimHost {
  readonly executionArn: string
  /** The place of the next claim in the order of all claims. */
  readonly nextIndex: () => number
  /** Queues an update, for which somebody may wait, and calls back when it is acknowledged. */
  readonly push: (claim: Claim, update: OperationUpdate, isAwaited: boolean, acknowledged: () => void) => void
  /** A change was acknowledged. */
  readonly committed: (claim: Claim, change: Change) => void
  /** Does a conversion that takes its time. */
  readonly convert: <A, E>(claim: Claim, conversion: Effect.Effect<A, E>, done: (exit: Exit.Exit<A, E>) => void) => void
  /** A value could not be written or read for now. */
  readonly cannotConvert: (error: NotForNow) => Effect.Effect<never>
}

/** A change of an operation: an update without what every update of it has. */
export type Change = Omit<OperationUpdate, "Id" | "ParentId" | "Name" | "Type" | "SubType">

export class Claim implements Subject {
  readonly id: string
  readonly name: string
  readonly kind: Kind
  readonly namespace: Namespace
  /** The fiber that asked. */
  readonly fiber: AnyFiber
  /** Its place in the order of all claims. */
  readonly index: number
  readonly #site: Error | undefined
  /** Whether its outcome moves the time of its namespace: that of an item does not. */
  readonly movesTime: boolean
  /** Whether the code has learned its outcome. */
  isDelivered = false
  /** The number of the last attempt that is made here, or about to be, whatever status the service gives meanwhile. */
  attempt = 0
  /** How many outcomes had been delivered when the code asked for it. */
  since = Infinity
  /** Whether a fiber has waited for its outcome. */
  wasAwaited = false
  /** The fibers that wait for it: one, or several for a callback. */
  readonly doors: Array<Door> = []
  readonly #host: ClaimHost
  #entry: Entry | undefined
  #path: string | undefined
  readonly #occurrence: number

  constructor(options: {
    readonly id: string
    readonly name: string
    readonly kind: Kind
    readonly namespace: Namespace
    readonly fiber: AnyFiber
    readonly occurrence: number
    readonly path?: string | undefined
    readonly site?: Error | undefined
    readonly movesTime?: boolean
    readonly host: ClaimHost
  }) {
    this.id = options.id
    this.name = options.name
    this.kind = options.kind
    this.namespace = options.namespace
    this.fiber = options.fiber
    this.#occurrence = options.occurrence
    this.#path = options.path
    this.#site = options.site
    this.movesTime = options.movesTime ?? true
    this.#host = options.host
    this.index = options.host.nextIndex()
  }

  /** Takes its entry in the history, once. */
  enter(entry: Entry): void {
    this.#entry = entry
  }

  /** What the service holds of it. */
  get record(): Operation | undefined {
    return this.#entry?.record
  }

  set record(record: Operation | undefined) {
    if (this.#entry !== undefined) this.#entry.record = record
  }

  get entry(): Entry | undefined {
    return this.#entry
  }

  /** Whether it has an outcome. */
  get isSettled(): boolean {
    const { record } = this
    return record !== undefined && isFinal(record)
  }

  /** The number of the attempt that comes after those that are recorded. */
  get nextAttempt(): number {
    return (this.record?.StepDetails?.Attempt ?? 0) + 1
  }

  /** Whether it stands for the workflow itself. */
  get isRoot(): boolean {
    return this.id === ""
  }

  /** Where it stands, for people. */
  get path(): string {
    return (this.#path ??= this.namespace.pathOf(this.name, this.#occurrence))
  }

  /** Where in the code it was asked for, if that is noted. */
  get place(): string | undefined {
    return placeOf(this.#site)
  }

  get executionArn(): string {
    return this.#host.executionArn
  }

  /** The time of the code that asked for it. */
  get time(): WorkflowTime {
    return this.namespace.time
  }

  /** The format in which the code that asked for it has values written. */
  get format(): Format {
    return Context.get(this.fiber.context, Serdes)
  }

  // --- What it records -----------------------------------------------------------------------------------------------

  /** Records a change with the next request. Nobody waits for it, but it counts when the service has acknowledged it. */
  later(change: Change): void {
    this.#host.push(this, this.#update(change), false, () => this.#host.committed(this, change))
  }

  /** Records a change. It counts, and something may be done then, when the service has acknowledged it. */
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
   * Does something with a conversion when it is done: at once where it is done at once. One that may succeed later fails
   * the invocation, which the service then repeats; what waits for it is told with what to do instead.
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

  /** A conversion as an effect of the fiber that asked. */
  converted<A, E>(conversion: Conversion<A, E>): Effect.Effect<A, E> {
    const exit = exitOf(conversion)
    return exit !== undefined && Exit.isSuccess(exit)
      ? Effect.succeed(exit.value)
      : Effect.callback<A, E>((resume) => this.convert(conversion, resume, resume))
  }
}
