/**
 * Branches: blocks that run side by side, each in a namespace of its own, until enough of them have ended.
 *
 * Owns: when branches start, and what becomes of those that are left when the operation is over.
 * Does not own: when it is over, which the rules of the operation say.
 *
 * Invariants:
 * 1. Branches start in the order of their indexes, never more at once than the rules allow.
 * 2. Those that are left are let go of: they are interrupted, and only their durable finalizers are waited for.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import * as Fiber from "effect/Fiber"
import type { AnyFiber } from "../execution/Fibers.ts"
import type { Namespace } from "../execution/Namespace.ts"
import type { Parts } from "../execution/Parts.ts"
import { inNamespace } from "./child.ts"
import type { Body } from "./Operation.ts"

export interface Branch {
  readonly namespace: Namespace
  readonly body: Body
}

/** How far a branch has come: not started, under way, or how it ended. */
export type State<A = unknown> = "waiting" | "running" | Exit.Exit<A, unknown>

export const isEnded = <A>(state: State<A>): state is Exit.Exit<A, unknown> => typeof state === "object"

export interface Rules {
  /** How many branches run at once. */
  readonly concurrency: number
  /** Whether another branch may be started. */
  readonly mayStart: () => boolean
  /** Whether it is over although branches are left. */
  readonly isComplete: () => boolean
  /** Whether a branch was begun by an earlier invocation, maybe with another concurrency. */
  readonly isRecorded?: ((index: number) => boolean) | undefined
  /** Hears of every change, before it asks anything. */
  readonly onChange: (index: number, state: State) => void
}

/** Runs branches by the rules, and returns how far each has come. */
export const runBranches = (
  parts: Parts,
  branches: ReadonlyArray<Branch>,
  rules: Rules
): Effect.Effect<ReadonlyArray<State>, never, unknown> =>
  Effect.withFiber((caller) =>
    Effect.callback<ReadonlyArray<State>>((resume) => {
      const running = new Running(parts, branches, rules, caller, resume)
      running.advance()
      // Who asked for the branches is interrupted: none is started any more, and those that run come to their end.
      return Effect.suspend(() => running.interrupt())
    })
  )

class Running {
  readonly #parts: Parts
  readonly #branches: ReadonlyArray<Branch>
  readonly #rules: Rules
  readonly #fork: (body: Body) => AnyFiber
  readonly #resume: (effect: Effect.Effect<ReadonlyArray<State>>) => void
  readonly #states: Array<State>
  readonly #fibers = new Set<AnyFiber>()
  #forget = (): void => {}
  #next = 0
  #isAdvancing = false
  #isOver = false

  constructor(
    parts: Parts,
    branches: ReadonlyArray<Branch>,
    rules: Rules,
    caller: AnyFiber,
    resume: (effect: Effect.Effect<ReadonlyArray<State>>) => void
  ) {
    this.#parts = parts
    this.#branches = branches
    this.#rules = rules
    const fork = Effect.runForkWith(caller.context)
    this.#fork = (body) => parts.fibers.forkedBy(caller, () => fork(cast<Body, Effect.Effect<unknown, unknown>>(body)))
    this.#resume = resume
    this.#states = branches.map(() => "waiting")
    if (rules.isRecorded !== undefined && rules.concurrency < branches.length) {
      this.#forget = parts.delivery.addBehind(() => this.#catchUp(rules.isRecorded))
    }
  }

  /** Goes on as far as the rules allow. A policy that throws is a defect of the operation. */
  advance(): void {
    if (this.#isAdvancing) return
    this.#isAdvancing = true
    try {
      while (!this.#isOver) {
        if (this.#rules.isComplete()) this.#finish(Effect.succeed(this.#states))
        else if (this.#hasRoom && this.#rules.mayStart()) this.#start(this.#next++)
        else if (this.#fibers.size === 0) this.#finish(Effect.succeed(this.#states))
        else break
      }
    } catch (defect) {
      if (!this.#isOver) this.#finish(Effect.die(defect))
    }
    this.#isAdvancing = false
  }

  get #hasRoom(): boolean {
    return this.#next < this.#branches.length && this.#fibers.size < this.#rules.concurrency
  }

  #start(index: number): void {
    const { body, namespace } = this.#branches[index]!
    this.#note(index, "running")
    const fiber = this.#fork(inNamespace(this.#parts, namespace, body))
    this.#fibers.add(fiber)
    fiber.addObserver((exit) => {
      this.#fibers.delete(fiber)
      if (this.#isOver) return
      const { lifetime } = this.#parts
      if (!lifetime.isOpen) return this.#end(lifetime.inert)
      this.#note(index, exit)
      this.advance()
    })
  }

  /** Starts the next branch if it is recorded, although there is no room. */
  #catchUp(isRecorded: Rules["isRecorded"]): boolean {
    if (this.#isOver || this.#next >= this.#branches.length || isRecorded?.(this.#next) !== true) return false
    this.#start(this.#next++)
    return true
  }

  #note(index: number, state: State): void {
    this.#states[index] = state
    this.#rules.onChange(index, state)
  }

  #end(effect: Effect.Effect<ReadonlyArray<State>>): void {
    this.#isOver = true
    this.#forget()
    this.#resume(effect)
  }

  /** It is over: what is left is let go of first. */
  #finish(outcome: Effect.Effect<ReadonlyArray<State>>): void {
    this.#isOver = true
    this.#forget()
    const left = this.#branches.filter((_, index) => this.#states[index] === "running")
    if (left.length === 0) return this.#resume(outcome)
    this.#parts.delivery.letGo(
      left.map(({ namespace }) => namespace),
      this.#fibers,
      () => this.#resume(outcome)
    )
  }

  interrupt(): Effect.Effect<void> {
    this.#isOver = true
    this.#forget()
    return Fiber.interruptAll(this.#fibers)
  }
}
