/**
 * One invocation of a program: what the parts of the interpreter share.
 */
import { Durable } from "effect-durable"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { executionOf } from "../../src/execution/Parts.ts"
import { digest, mix, Oops, type Failure } from "./digest.ts"
import { contains, holds, isFork, pure, type Attempt, type Node, type Program } from "./program.ts"
import type { Tally, Tell } from "./tally.ts"

export type Workflow<A = number> = Effect.Effect<A, Failure, Durable.Execution>

/** Where a node runs. */
export interface Place {
  /** The context around it that is recorded as a whole. */
  readonly context: string
  /** What tells its fiber from the other ones of its context. */
  readonly fork: string
  /** The rounds of the loops that it is in. */
  readonly round: string
  /** What the fibers of its context share. */
  readonly state: { count: number }
}

/** What a node means: what it does with a number. */
export type Run = (node: Node, input: number, place: Place) => Workflow

export class Scene {
  readonly tally: Tally
  readonly isSteady: boolean
  readonly #sharesNames: boolean
  readonly #hasForks: boolean
  readonly #isInOrder: boolean
  readonly #tell: Tell
  readonly run: Run

  constructor(program: Program, tally: Tally, run: (scene: Scene) => Run) {
    this.tally = tally
    this.isSteady = program.isSteady
    this.#sharesNames = program.sharesNames
    this.#hasForks = contains(program.root, isFork)
    this.#isInOrder = !holds(program.root)
    this.#tell = this.#isInOrder ? tally.begin() : tally.beginWithoutOrder()
    this.run = run(this)
  }

  /** The name of an operation: the fibers of a context share names, or each of them marks its own. */
  name({ fork }: Place, name: string): string {
    return this.#sharesNames ? name : fork + name
  }

  /** Whether what is drawn in the order in which fibers come by depends on timing. */
  get isOrderDrawn(): boolean {
    return this.isSteady && this.#hasForks
  }

  /** Runs a body of a node. */
  body(node: Node, index: number, input: number, place: Place): Workflow {
    return Effect.suspend(() => this.run(node.bodies[index] ?? pure(), input, place))
  }

  /** The body of a node in a context of its own. */
  within(node: Node, index: number, input: number, place: Place, round = ""): Workflow {
    return Effect.suspend(() => this.run(node.bodies[index] ?? pure(), input, inside(place, node, `${index}${round}`)))
  }

  /** Every body of a node, each in a context of its own. */
  bodiesWithin(node: Node, input: number, place: Place): Array<Workflow> {
    return node.bodies.map((_, index) => this.within(node, index, mix(input, index), place))
  }

  /** Bodies of a node as fibers of one context, which may be told apart. */
  forks(node: Node, input: number, place: Place, from = 0, to = node.bodies.length): Array<Workflow> {
    return node.bodies
      .slice(from, to)
      .map((_, index) => this.body(node, from + index, mix(input, from + index), forked(place, node, from + index)))
  }

  /**
   * Notes how a node ended for whoever waits for it. Where time or chance has a hand in the order, only what is recorded has
   * to end in the same way.
   */
  watched(node: Node, place: Place, input: number, effect: Workflow): Workflow {
    if (!this.#isInOrder && !recorded.has(node.op)) return effect
    const where = `${node.op} ${node.id}${place.fork}${place.round}`
    const told = this.#isInOrder ? where : `${where} of ${input}`
    return Effect.flatMap(Effect.exit(effect), (exit) =>
      Effect.andThen(isOutcome(exit) ? this.#tellOf(place, told, digest(exit)) : Effect.void, exit)
    )
  }

  /** Notes what code sees. */
  see(node: Node, place: Place, digest: number): Effect.Effect<void> {
    return this.#isInOrder ? this.#tellOf(place, `${node.op} ${node.id} sees`, digest) : Effect.void
  }

  /** Notes where code sees something else than what it has recorded of it. */
  compare(node: Node, { context, fork, round }: Place, seen: number, recorded: number): void {
    if (!this.#isInOrder || seen === recorded) return
    this.tally.changed.push(
      `${node.op} ${node.id}${fork}${round} sees ${seen}, and has recorded ${recorded} in "${context}"`
    )
  }

  /** While an invocation ends, and in a branch that was let go of, code sees nothing that a replay could see. */
  #tellOf({ context }: Place, where: string, digest: number): Effect.Effect<void> {
    return Effect.withFiber((fiber) => {
      const execution = executionOf(fiber)
      const isOpen = execution?.namespace.standing === "open"
      if (isOpen && execution.parts.lifetime.isOpen) this.#tell(context, where, digest)
      return Effect.void
    })
  }
}

/** What ends as timing decides, once and for all. */
const recorded = new Set(["batch", "durableAll", "durableRace", "timeout", "patched"])

/** Not when its fiber was interrupted, or had outlived the context that it belongs to: that is how the fiber ends. */
const isOutcome = (exit: Exit.Exit<number, Failure>): boolean => {
  if (Exit.isSuccess(exit)) return true
  const defect = exit.cause.reasons.find(Cause.isDieReason)?.defect
  return !Cause.hasInterrupts(exit.cause) && !(defect instanceof Error && defect.name === "ContextEnded")
}

/** The place of the workflow itself. */
export const outermost = (): Place => ({ context: "", fork: "", round: "", state: { count: 0 } })

/** A place in a context of its own. */
const inside = ({ context, fork, round }: Place, node: Node, which: string): Place => ({
  ...outermost(),
  context: `${context}/${node.op} ${node.id}.${which}${fork}${round}`
})

/** A place in another fiber of the same context. */
export const forked = (place: Place, node: Node, which: number | string): Place => ({
  ...place,
  fork: `${place.fork}${node.id}.${which}.`
})

/** The same place, in a later round of a loop. */
export const again = (place: Place, round: number): Place => ({ ...place, round: `${place.round}/${round}` })

// --- Steps -------------------------------------------------------------------------------------------------------------

/** Notes an attempt whose body begins to run, and takes its time. */
export const began = Effect.fnUntraced(function* (tally: Tally, maxAttempts: number, once: boolean, millis: number) {
  const { attempt, executionArn, operationId } = yield* Durable.StepContext
  tally.bodies.push({ executionArn, operationId, attempt, once, maxAttempts })
  if (millis > 0) yield* Effect.sleep(millis)
  return attempt
})

export const endOf = (attempt: Attempt, value: number): Effect.Effect<number, Oops> => {
  switch (attempt) {
    case "ok":
      return Effect.succeed(value)
    case "fail":
      return Effect.fail(new Oops({ code: value % 100 }))
    case "die":
      return Effect.die(new RangeError(`out of ${value % 100}`))
    case "interrupt":
      return Effect.interrupt
  }
}

export { mix }
