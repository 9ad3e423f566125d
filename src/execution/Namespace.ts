/**
 * A namespace of operations within one execution: the workflow, a child, one branch, one item, or a hold.
 *
 * Owns: names and how often each was used, paths, and the state of the namespace (its *standing*).
 * Does not own: records, which the history has, and fibers.
 *
 * Invariants:
 * 1. A namespace is *open*, *abandoned* (its branch was cancelled, and only its durable finalizers may still do
 *    something) or *closed*. A namespace never becomes open again. When it closes, everything below it closes too. A
 *    *rebuilt* namespace runs only over its records, also after it was abandoned.
 * 2. The occurrences of a name are counted in the order in which the fibers of the workflow run, which is the same on every
 *    replay. Fibers that come from outside have no such order. They may use a name only after everything that used it
 *    before in every run.
 * 3. A *flat* namespace has ids of its own and no record. On the wire its operations belong to the nearest recorded
 *    namespace.
 *
 * @since 0.1.0
 */
import type * as Random from "effect/Random"
import { seeded } from "./Chance.ts"
import type { Operation } from "../wire/Operation.ts"
import { Users, type User } from "./Users.ts"
import { WorkflowTime } from "./WorkflowTime.ts"

export type Standing = "open" | "abandoned" | "closed"

/** How often a name was used, and by which users. */
interface Use {
  count: number
  readonly users: Users
  /** Where the name was first used. */
  readonly site: Error | undefined
}

/** The result of a use whose order among the uses of the name is not recorded. */
export interface Clash {
  readonly first: Error | undefined
}

/** The data that a namespace keeps about an operation that was claimed in it. */
export interface Claimed {
  readonly namespace: Namespace
  /** Whether the code has learned the outcome. */
  readonly isDelivered: boolean
  readonly record: Operation | undefined
}

/** The claims in a namespace, and the list around that namespace, which holds them, too. */
interface ClaimList {
  readonly claims: Array<Claimed>
  readonly around: ClaimList | undefined
}

export class Namespace {
  readonly parent: Namespace | undefined
  /** The namespace part of its operations' ids; empty for the workflow. */
  readonly id: string
  /** The path, for messages; empty for the workflow. */
  readonly path: string
  /** The nearest namespace with a record, or the workflow. This is the namespace itself unless it is flat. */
  readonly recorded: Namespace
  /**
   * The nearest namespace with random numbers and identifiers of its own: a recorded one, or a part that may run once more.
   */
  readonly dice: Namespace
  readonly time: WorkflowTime
  /** How many records below it the code has not asked for; only for recorded namespaces. The history counts them. */
  unclaimed = 0
  /** The value of `unclaimed` when the namespace was closed. */
  missed = 0
  /** How many fibers wait at doors in it. `Doors` counts them. */
  parked = 0
  /** It changes only here. */
  standing: Standing
  /** Whether its outcome is known, or may have to be undone, so that its body runs only over records. */
  readonly isRebuilding: boolean
  /**
   * Whether it runs once more only to find out what to undo. In that case a block in it ends together with its body.
   */
  readonly isForUndo: boolean
  /** Whether its body has to run on every replay, because something in it may have to be undone. */
  isKept = false
  /** How many identifiers were drawn in it. */
  drawn = 0
  readonly #executionArn: string
  #claims: ClaimList | undefined
  #below: Set<Namespace> | undefined
  #uses: Map<string, Use> | undefined
  #random: Random.Random | undefined
  #drawers: Users | undefined
  #hasToldOfDrawers = false
  #finalizers = 0
  #onFinalized: Array<() => void> | undefined

  private constructor(
    parent: Namespace | undefined,
    executionArn: string,
    options: {
      readonly id: string
      readonly path: string
      readonly time: WorkflowTime
      readonly isFlat: boolean
      readonly standing: Standing
      readonly isRebuilding?: boolean
      readonly hasDice?: boolean | undefined
      readonly isForUndo?: boolean
    }
  ) {
    this.parent = parent
    this.#executionArn = executionArn
    this.id = options.id
    this.path = options.path
    this.recorded = options.isFlat && parent !== undefined ? parent.recorded : this
    this.dice = options.hasDice === true || !options.isFlat || parent === undefined ? this : parent.dice
    this.time = options.time
    this.standing = options.standing
    this.isRebuilding = options.isRebuilding ?? false
    this.isForUndo = options.isForUndo ?? parent?.isForUndo ?? false
    if (parent === undefined) return
    this.#claims = parent.#claims
    ;(parent.#below ??= new Set()).add(this)
  }

  static root(executionArn: string, start: number): Namespace {
    return new Namespace(undefined, executionArn, {
      id: "",
      path: "",
      time: new WorkflowTime(start),
      isFlat: false,
      standing: "open"
    })
  }

  /** Creates a namespace inside of this one. */
  inside(options: {
    readonly id: string
    readonly path: string
    readonly isFlat?: boolean
    readonly time?: WorkflowTime | undefined
    readonly isRebuilding?: boolean
    readonly hasDice?: boolean | undefined
  }): Namespace {
    return new Namespace(this, this.#executionArn, {
      id: options.id,
      path: options.path,
      time: options.time ?? this.time,
      isFlat: options.isFlat ?? false,
      hasDice: options.hasDice,
      standing: this.standing,
      isRebuilding: this.isRebuilding || options.isRebuilding === true
    })
  }

  /** Creates the namespace for operations after the end of the workflow. It continues the time of the workflow. */
  afterwards(): Namespace {
    const { time } = this
    return new Namespace(undefined, this.#executionArn, { id: "", path: "", time, isFlat: false, standing: "open" })
  }

  /**
   * Creates a namespace like this one, in which a cancelled part runs once more over its records, starting at a
   * given time.
   */
  rebuilt(time: WorkflowTime): Namespace {
    const { id, path } = this
    const parent = this.parent ?? this
    const rebuilt = new Namespace(parent, this.#executionArn, {
      id,
      path,
      time,
      isFlat: true,
      hasDice: this.dice === this,
      standing: "open",
      isRebuilding: true,
      isForUndo: true
    })
    rebuilt.listClaims()
    return rebuilt
  }

  /** The id that its operations carry as their parent on the wire. */
  get wireId(): string | undefined {
    return this.recorded.id === "" ? undefined : this.recorded.id
  }

  /** The random numbers that its code sees. */
  get random(): Random.Random {
    const { dice } = this
    return (dice.#random ??= seeded(`${this.#executionArn}\0${dice.id}`))
  }

  /** The namespaces below it that are not closed. */
  get below(): Iterable<Namespace> {
    return this.#below ?? []
  }

  /** Checks whether it is one of these namespaces, or below one of them. */
  isWithin(namespaces: ReadonlySet<Namespace>): boolean {
    return namespaces.has(this) || this.parent?.isWithin(namespaces) === true
  }

  /** Returns the path of an operation in it. */
  pathOf(name: string, occurrence: number): string {
    const own = occurrence === 0 ? name : `${name}#${occurrence + 1}`
    return this.path === "" ? own : `${this.path}/${own}`
  }

  /** Begins to list the claims in it, and in namespaces below it. */
  listClaims(): void {
    this.#claims = { claims: [], around: this.#claims }
  }

  get claims(): ReadonlyArray<Claimed> {
    return this.#claims?.claims ?? []
  }

  noteClaim(claim: Claimed): void {
    for (let list = this.#claims; list !== undefined; list = list.around) list.claims.push(claim)
  }

  /** Counts one more use of a name. */
  use(name: string, user: User, site: Error | undefined): number | Clash {
    const uses = (this.#uses ??= new Map())
    const use = uses.get(name)
    if (use === undefined) {
      uses.set(name, { count: 1, users: new Users(user), site })
      return 0
    }
    return use.users.follow(user) ? use.count++ : { first: use.site }
  }

  /**
   * Notes that a fiber draws a number or an identifier. Returns true, once, if two fibers draw in an order that is not
   * recorded: as with names, one of them came from outside.
   */
  draws(user: User): boolean {
    const { dice } = this
    if (dice.#drawers === undefined) {
      dice.#drawers = new Users(user)
      return false
    }
    if (dice.#drawers.follow(user) || dice.#hasToldOfDrawers) return false
    return (dice.#hasToldOfDrawers = true)
  }

  /** Has its body, and the bodies around it, run on every replay. */
  keep(): void {
    if (this.isKept) return
    this.isKept = true
    this.parent?.keep()
  }

  /** Abandons the namespace and everything below it. */
  abandon(): void {
    if (this.standing === "closed") return
    this.standing = "abandoned"
    for (const namespace of this.below) namespace.abandon()
  }

  /** Removes a namespace below it that is closed. */
  forget(namespace: Namespace): void {
    this.#below?.delete(namespace)
  }

  /** Closes the namespace and everything below it. Returns the closed namespaces. */
  close(closed: Array<Namespace> = []): ReadonlyArray<Namespace> {
    if (this.standing === "closed") return closed
    this.standing = "closed"
    const { parent } = this
    if (parent !== undefined) parent.forget(this)
    closed.push(this)
    for (const namespace of Array.from(this.below)) namespace.close(closed)
    this.#uses = undefined
    return closed
  }

  // --- Durable finalizers ----------------------------------------------------------------------------------------------

  /** Whether a durable finalizer in it, or below it, has not ended. */
  get hasFinalizers(): boolean {
    return this.#finalizers > 0
  }

  /** Adds a durable finalizer, until the returned function is called. */
  addFinalizer(): () => void {
    this.#countFinalizer(1)
    let isLeft = false
    return () => {
      if (isLeft) return
      isLeft = true
      this.#countFinalizer(-1)
    }
  }

  #countFinalizer(by: 1 | -1): void {
    this.#finalizers += by
    if (this.#finalizers === 0) for (const action of this.#onFinalized?.splice(0) ?? []) action()
    if (this.parent !== undefined) this.parent.#countFinalizer(by)
  }

  /** Calls `action` once no durable finalizer is left in it. */
  onFinalized(action: () => void): void {
    ;(this.#onFinalized ??= []).push(action)
  }
}
