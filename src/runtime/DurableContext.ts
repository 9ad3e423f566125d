/**
 * A namespace of operations within one execution: the root, a child, or one branch.
 *
 * A context knows who it is, counts how often each name was used, and remembers which fibres used it. A *flat* context
 * has ids of its own but no record: its operations belong, on the wire, to the nearest recorded context around it.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { ContextEnded, NameInUse } from "../DurableError.ts"
import { Strands, type Origin } from "./Strand.ts"

interface Use {
  readonly fiber: number
  readonly place: string | undefined
  count: number
}

export class DurableContext {
  readonly parent: DurableContext | undefined
  /** The namespace for the ids of its operations; empty for the root. */
  readonly id: string
  /** Where it stands, for people; empty for the root. */
  readonly path: string
  /** The nearest context with a record, or the root: itself unless it is flat. */
  readonly recorded: DurableContext
  /** What its fibres see of time and chance. */
  readonly strands: Strands
  /** Fibres that were forked in it, or in flat contexts below it, and have not ended. */
  readonly fibers = new Set<Fiber.Fiber<unknown, unknown>>()
  /** Whether such a fibre was interrupted. */
  cutShort = false
  /** When the last outcome that was delivered in it, or below it, was recorded; 0 before the first. */
  lastOutcome = 0
  /** The changes of the code that were asked for in it, and whether they apply. */
  readonly patches = new Map<string, boolean>()
  #operations: Array<string> | undefined
  #kept = false
  #uses: Map<string, Use> | undefined
  #finished: boolean
  #abandoned: boolean
  #closed = false

  constructor(options: {
    readonly parent: DurableContext | Origin
    readonly id: string
    readonly path: string
    readonly flat?: boolean
    readonly finished?: boolean
    readonly abandoned?: boolean
  }) {
    const { parent } = options
    this.parent = parent instanceof DurableContext ? parent : undefined
    this.strands = parent instanceof DurableContext ? parent.strands.inside(options.id) : new Strands(parent, "")
    this.id = options.id
    this.path = options.path
    this.recorded = options.flat && this.parent ? this.parent.recorded : this
    this.#finished = options.finished ?? false
    this.#abandoned = options.abandoned ?? false
  }

  static root(origin: Origin): DurableContext {
    return new DurableContext({ parent: origin, id: "", path: "" })
  }

  /** The id that its operations carry as their parent on the wire. */
  get wireId(): string | undefined {
    return this.recorded.id === "" ? undefined : this.recorded.id
  }

  /** Whether its outcome is decided, and its body, or one around it, only runs again to get as far as it had come. */
  get finished(): boolean {
    return this.#finished || (this.parent?.finished ?? false)
  }

  /** Whether it, or one around it, is rebuilt although it was given up: its code goes no further than it had come. */
  get abandoned(): boolean {
    return this.#abandoned || (this.parent?.abandoned ?? false)
  }

  /** Its code goes no further than it had come in earlier invocations. */
  abandon(): void {
    this.#finished = true
    this.#abandoned = true
  }

  /** Whether its body has ended or was given up: operations that are still attempted in it do nothing. */
  get closed(): boolean {
    return this.#closed || (this.parent?.closed ?? false)
  }

  close(): void {
    this.#closed = true
  }

  /** Whether its body has to run again on every replay, for what it does besides its result. */
  get kept(): boolean {
    return this.#kept
  }

  /** Has its body, and those around it, run again on every replay. */
  keep(): void {
    this.#kept = true
    this.parent?.keep()
  }

  /** Begins to list what is claimed in it. */
  listOperations(): void {
    this.#operations ??= []
  }

  /** The ids of the operations that were claimed in it, and in flat contexts below it, since somebody wants to know. */
  get operations(): ReadonlyArray<string> {
    return this.#operations ?? []
  }

  /** Notes that an operation was claimed in this context. */
  noteClaim(id: string): void {
    this.#operations?.push(id)
    if (this.recorded !== this) this.parent?.noteClaim(id)
  }

  /** Notes the time of an outcome that was delivered in this context. */
  noteOutcome(endTimestamp: number | undefined): void {
    if (endTimestamp === undefined || endTimestamp <= this.lastOutcome) return
    this.lastOutcome = endTimestamp
    this.parent?.noteOutcome(endTimestamp)
  }

  /** Notes that a fibre was forked in this context. */
  adopt(fiber: Fiber.Fiber<unknown, unknown>): void {
    const { recorded } = this
    if (recorded.fibers.has(fiber)) return
    this.strands.adopt(fiber)
    recorded.fibers.add(fiber)
    fiber.addObserver((exit) => {
      recorded.fibers.delete(fiber)
      if (exit._tag === "Failure" && Cause.hasInterrupts(exit.cause)) recorded.cutShort = true
    })
  }

  /** The path of an operation in this context. */
  pathOf(name: string, occurrence: number): string {
    const own = occurrence === 0 ? name : `${name}#${occurrence + 1}`
    return this.path === "" ? own : `${this.path}/${own}`
  }

  /** Counts one more use of a name, which belongs to the first fibre that uses it. */
  use(name: string, fiber: Fiber.Fiber<unknown, unknown>, place: string | undefined): number {
    const uses = (this.#uses ??= new Map())
    const use = uses.get(name)
    if (use === undefined) {
      uses.set(name, { fiber: fiber.id, place, count: 1 })
      return 0
    }
    if (use.fiber !== fiber.id) throw this.#inUse(name, use.place, place)
    return use.count++
  }

  #inUse(name: string, first: string | undefined, second: string | undefined): NameInUse {
    const places =
      first === undefined
        ? ""
        : first === second
          ? ` Both are at ${first}.`
          : ` First used at ${first}, now at ${second ?? "an unknown place"}.`
    return new NameInUse({
      operation: this.pathOf(name, 0),
      message:
        `The operation name "${name.replace("\0", "")}" is used by two fibres in ${this.path === "" ? "the workflow" : `"${this.path}"`}, ` +
        `so which of them gets which record would depend on timing.${places} ` +
        `If a block runs in a loop, give each round a namespace with Durable.child(name, block, { flat: true }) or put a key in the name; ` +
        `if Effect.timeout or Effect.race forked it, use Durable.timeout or Durable.race; ` +
        `if the fibres are concurrent branches, use Durable.forEach or Durable.all.`
    })
  }
}

/** What an operation is told that belongs to a context which has ended. */
export const contextEnded = (operation: {
  readonly context: DurableContext
  readonly path: string
}): Effect.Effect<never> =>
  // Made only for a fibre that sees it: most of those that are told are interrupted already.
  Effect.suspend(() =>
    Effect.die(
      new ContextEnded({
        operation: operation.path,
        message:
          `The operation "${operation.path}" belongs to "${operation.context.path}", which has ended, so nothing can be recorded in it any more. ` +
          "Join what a block forks before the block ends."
      })
    )
  )
