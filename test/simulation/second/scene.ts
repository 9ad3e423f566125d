/**
 * What the parts of the interpreter share.
 */
import { Durable, type DurableError } from "effect-durable"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import * as Ref from "effect/Ref"
import { hash, mix } from "../digest.ts"
import { Oops, type Kit, type Workflow } from "../kit/world.ts"
import type { Node, Program } from "./program.ts"
import type { Tell, Trace } from "./trace.ts"

/** Where in a run of a program something happens. */
export interface Place {
  /** The context around it that is recorded as a whole. */
  readonly context: string
  /** Tells the rounds, items and attempts of one node apart, as `.0.2`. */
  readonly round: string
  readonly state: State
  /** Whether the context around it was let go of: what still runs in it then sees the time and the numbers of the host. */
  readonly isLetGo: () => boolean
}

/** What the fibers of one context share. */
interface State {
  readonly count: Ref.Ref<number>
  readonly board: Queue.Queue<number>
}

export const inRound = (place: Place, round: number | string): Place => ({ ...place, round: `${place.round}.${round}` })

/** The interpreter of a node: what it does with a number. */
export type Run = (node: Node, input: number, place: Place) => Workflow<number>

/** One invocation of a program. */
export class Scene {
  readonly kit: Kit
  readonly #program: Program
  readonly #trace: Trace
  readonly #tell: Tell
  readonly #run: Run

  constructor(program: Program, trace: Trace, kit: Kit, run: (scene: Scene) => Run) {
    this.kit = kit
    this.#program = program
    this.#trace = trace
    this.#tell = trace.begin(kit.invocation, kit.applied)
    this.#run = run(this)
  }

  nameOf({ id, kind }: Node): string {
    return `${kind} ${this.#program.sharesNames ? "abc".charAt(id % 3) : id}`
  }

  /** Runs a body of a node. */
  body(node: Node, index: number, input: number, place: Place): Workflow<number> {
    const body = node.bodies[index]
    return body === undefined ? Effect.succeed(input) : Effect.suspend(() => this.#run(body, input, place))
  }

  /** Runs all bodies of a node, each with a number of its own. */
  bodies(node: Node, input: number, place: Place): ReadonlyArray<Workflow<number>> {
    return node.bodies.map((_, index) => this.body(node, index, mix(input, index), place))
  }

  /** A context that is recorded as a whole, with a state of its own. */
  within(
    node: Node,
    place: Place,
    round: number | "batch",
    body: (place: Place) => Workflow<number>
  ): Workflow<number> {
    const context = `${place.context}/${node.kind} ${node.id}${place.round}.${round}`
    return Effect.flatMap(newState, (state) =>
      this.branch({ context, round: `${place.round}.${round}`, state, isLetGo: place.isLetGo }, body)
    )
  }

  /** What may be let go of. */
  branch(place: Place, body: (place: Place) => Workflow<number>): Workflow<number> {
    return Effect.suspend(() => {
      let isInterrupted = false
      const inside = { ...place, isLetGo: () => isInterrupted || place.isLetGo() }
      return Effect.onInterrupt(body(inside), () => Effect.sync(() => void (isInterrupted = true)))
    })
  }

  /** Ends with a number whatever happens. */
  settled(effect: Workflow<number>, place: Place): Effect.Effect<number, never, Durable.Execution> {
    return Effect.flatMap(Effect.exit(effect), (exit) => Effect.as(this.#seeMistakes(exit, place), digest(exit)))
  }

  /**
   * Code has seen something. What finalizers see while an invocation ends is nothing that a replay could see, nor is what
   * code sees that was let go of.
   */
  see(node: Node, place: Place, what: string, mayBeLost = false): Effect.Effect<void, never, Durable.Execution> {
    return Effect.map(Durable.isSuspending, (isSuspending) => {
      if (!isSuspending && !place.isLetGo())
        this.#tell(place.context, `${node.kind} ${node.id}${place.round}: ${what}`, mayBeLost)
    })
  }

  /** What a branch does that was let go of, or code while an invocation ends, may come too late for its context. */
  #seeMistakes(exit: Exit.Exit<number, Oops>, place: Place): Effect.Effect<void, never, Durable.Execution> {
    const defects = Exit.isFailure(exit) ? exit.cause.reasons.filter(Cause.isDieReason).map(({ defect }) => defect) : []
    const late = place.context === "" ? [] : ["ContextEnded"]
    const mistakes = defects.filter(
      (defect) => !(defect instanceof Error && [...expected, ...late].includes(defect.name))
    )
    return Effect.map(Durable.isSuspending, (isSuspending) => {
      if (!isSuspending) this.#trace.mistakes.push(...mistakes.map(String))
    })
  }

  /** Code has been given a record, and knows what must be in it. */
  seeRecord(node: Node, place: Place, found: string, expected: string): Effect.Effect<void, never, Durable.Execution> {
    if (found !== expected) {
      const where = `${node.kind} ${node.id}${place.round}`
      this.#trace.contradictions.push(
        `"${where}" is recorded as ${found}, and the code would have made ${expected} of it.`
      )
    }
    return this.see(node, place, found)
  }
}

/** The names of the defects that programs have. Effect makes an error a defect when it stands beside one. */
const expected: ReadonlyArray<string> = ["AtFirst", "Oops"]

/** What steps die of that fail at first. */
export class AtFirst extends Error {
  override readonly name = "AtFirst"
}

/** A number for how something ended. */
export const digest = (exit: Exit.Exit<number, Oops>): number => {
  if (Exit.isSuccess(exit)) return mix(1, exit.value)
  const [reason] = exit.cause.reasons
  if (reason === undefined || Cause.isInterruptReason(reason)) return hash("interrupted")
  if (Cause.isFailReason(reason)) return hash(`failed ${reason.error.code}`)
  return hash(reason.defect instanceof Error ? `died of ${reason.defect.name}` : "died")
}

const newState: Effect.Effect<State> = Effect.all({ count: Ref.make(0), board: Queue.unbounded<number>() })

export const rootPlace: Effect.Effect<Place> = Effect.map(newState, (state) => ({
  context: "",
  round: "",
  state,
  isLetGo: () => false
}))

/** Errors of operations as the one that programs fail with. */
export const oneError = <A>(
  effect: Effect.Effect<A, Oops | DurableError.OperationError, Durable.Execution>
): Workflow<A> => Effect.mapError(effect, (error) => (error._tag === "Oops" ? error : new Oops({ code: error._tag })))

export const combine = (values: Iterable<number>): number => [...values].reduce(mix, 11)

export const indexes = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, index) => index)
