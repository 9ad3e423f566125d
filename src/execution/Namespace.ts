/**
 * A namespace of operations within one execution: the workflow, a child, one branch, one item, a hold.
 *
 * Owns: names and how often each was used, paths, and how the namespace stands.
 * Does not own: records, which the history has, and fibers.
 *
 * Invariants:
 * 1. A namespace is *open*, *rebuilding* (its outcome is known, its body runs only over what is recorded), *abandoned*
 *    (it was let go of, and only its durable finalizers may still do something) or *closed*. It never opens again, and
 *    closes with everything below it.
 * 2. The occurrences of a name are counted in the order in which the fibers of the workflow run, which is the same on
 *    every replay. What comes from outside has no such order, and may use a name only after whoever used it before in every run.
 * 3. A *flat* namespace has ids of its own and no record: on the wire its operations stand in the nearest recorded one.
 *
 * @since 0.1.0
 */
import type * as Random from "effect/Random"
import { seeded } from "./Chance.ts"
import type { Operation } from "../wire/Operation.ts"
import { Users, type User } from "./Users.ts"
import { WorkflowTime } from "./WorkflowTime.ts"

export type Standing = "open" | "rebuilding" | "abandoned" | "closed"

/** How often a name was used, and by whom. */
interface Use {
  count: number
  readonly users: Users
  /** Where it was used first. */
  readonly site: Error | undefined
}

export interface Caller extends User {
  readonly site: Error | undefined
}

/** Somebody else uses the name, and their order is not recorded. */
export interface Clash {
  readonly first: Error | undefined
}

/** What a namespace knows of an operation that was claimed in it. */
export interface Claimed {
  /** Whether the code has learned its outcome. */
  readonly isDelivered: boolean
  readonly record: Operation | undefined
}

export class Namespace {
  readonly parent: Namespace | undefined
  /** The namespace for the ids of its operations; empty for the workflow. */
  readonly id: string
  /** Where it stands, for people; empty for the workflow. */
  readonly path: string
  /** The nearest namespace with a record, or the workflow: itself unless it is flat. */
  readonly recorded: Namespace
  /** The nearest namespace with numbers and identifiers of its own: a recorded one, or a part that may run once more. */
  readonly dice: Namespace
  readonly time: WorkflowTime
  /** Records below it that the code has not asked for; only of recorded ones. The history counts. */
  unclaimed = 0
  /** How many there were when it was closed. */
  missed = 0
  /** Fibers that wait at doors in it. The doors count. */
  parked = 0
  /** Whether it runs once more only to find out what is to be undone: then a block is over when its body is. */
  readonly isForUndo: boolean
  /** Whether its body has to run again on every replay, because something in it may have to be undone. */
  isKept = false
  /** How many identifiers were drawn in it. */
  drawn = 0
  readonly #executionArn: string
  #claims: Array<Claimed> | undefined
  #standing: Standing
  #below: Set<Namespace> | undefined
  #uses: Map<string, Use> | undefined
  #random: Random.Random | undefined
  #drawers: Users | undefined
  #hasToldOfDrawers = false
  #finalizers = 0
  #onFinalized: (() => void) | undefined

  private constructor(
    parent: Namespace | undefined,
    executionArn: string,
    options: {
      readonly id: string
      readonly path: string
      readonly time: WorkflowTime
      readonly isFlat: boolean
      readonly standing: Standing
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
    this.#standing = options.standing
    this.isForUndo = options.isForUndo ?? parent?.isForUndo ?? false
    if (options.isFlat && parent !== undefined) this.#claims = parent.#claims
    if (parent !== undefined) (parent.#below ??= new Set()).add(this)
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

  /** A namespace inside of this one. */
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
      standing: this.#standing === "open" && options.isRebuilding === true ? "rebuilding" : this.#standing
    })
  }

  /** The namespace of what comes after the workflow, which goes on with its time. */
  afterwards(): Namespace {
    const { time } = this
    return new Namespace(undefined, this.#executionArn, { id: "", path: "", time, isFlat: false, standing: "open" })
  }

  /** A namespace like this one, in which a part that was let go of runs once more over what is recorded, from a time on. */
  rebuilt(time: WorkflowTime): Namespace {
    const { id, path } = this
    const parent = this.parent ?? this
    const rebuilt = new Namespace(parent, this.#executionArn, {
      id,
      path,
      time,
      isFlat: true,
      hasDice: this.dice === this,
      standing: "rebuilding",
      isForUndo: true
    })
    rebuilt.listClaims()
    return rebuilt
  }

  get standing(): Standing {
    return this.#standing
  }

  /** The id that its operations carry as their parent on the wire. */
  get wireId(): string | undefined {
    return this.recorded.id === "" ? undefined : this.recorded.id
  }

  /** The random numbers of the code in it. */
  get random(): Random.Random {
    const { dice } = this
    return (dice.#random ??= seeded(`${this.#executionArn}\0${dice.id}`))
  }

  /** Those below it that are not closed. */
  get below(): Iterable<Namespace> {
    return this.#below ?? []
  }

  /** The path of an operation in it. */
  pathOf(name: string, occurrence: number): string {
    const own = occurrence === 0 ? name : `${name}#${occurrence + 1}`
    return this.path === "" ? own : `${this.path}/${own}`
  }

  /** Begins to list what is claimed in it, and in flat namespaces below it. */
  listClaims(): void {
    this.#claims = []
  }

  get claims(): ReadonlyArray<Claimed> {
    return this.#claims ?? []
  }

  noteClaim(claim: Claimed): void {
    this.#claims?.push(claim)
  }

  /** Counts one more use of a name. */
  use(name: string, caller: Caller): number | Clash {
    const uses = (this.#uses ??= new Map())
    const use = uses.get(name)
    if (use === undefined) {
      uses.set(name, { count: 1, users: new Users(caller), site: caller.site })
      return 0
    }
    return use.users.follow(caller) ? use.count++ : { first: use.site }
  }

  /**
   * Somebody draws a number or an identifier. Answers whether two fibers do whose order is not recorded, once: as with
   * names, one of them came from outside.
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

  /** Has its body, and those around it, run again on every replay. */
  keep(): void {
    if (this.isKept) return
    this.isKept = true
    this.parent?.keep()
  }

  /** Lets go of it and of everything below it. */
  abandon(): void {
    if (this.#standing === "closed") return
    this.#standing = "abandoned"
    for (const namespace of this.below) namespace.abandon()
  }

  /** One below it is closed. */
  forget(namespace: Namespace): void {
    this.#below?.delete(namespace)
  }

  /** Closes it and everything below it. Answers with what was closed by that. */
  close(closed: Array<Namespace> = []): ReadonlyArray<Namespace> {
    if (this.#standing === "closed") return closed
    this.#standing = "closed"
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

  /** A durable finalizer stands in it until the returned function is called. */
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
    if (this.#finalizers === 0) this.#onFinalized?.()
    if (this.parent !== undefined) this.parent.#countFinalizer(by)
  }

  /** Calls back once no durable finalizer is left in it. */
  onFinalized(action: () => void): void {
    this.#onFinalized = () => {
      this.#onFinalized = undefined
      action()
    }
  }
}
