/**
 * Branches: blocks that run concurrently, each in a namespace of its own, until enough of them have ended.
 *
 * Owns: when branches start, and what happens to the remaining ones when the operation is complete.
 * Does not own: when the operation is complete, which the rules of the operation decide.
 *
 * Invariants:
 * 1. Branches start in index order, at most as many at a time as the rules allow.
 * 2. The operation cancels the remaining branches: it interrupts them, with every fiber that they have forked, and waits
 *    only for their durable finalizers.
 * 3. No branch starts once a context around the operation is over.
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
import { isLetGo } from "../execution/References.ts"
import { forBranches } from "../internal/waits.ts"
import { fibersIn } from "./letGo.ts"
import type { Body } from "./Operation.ts"

export interface Branch {
  readonly namespace: Namespace
  /** Runs in the namespace, and closes it at its end. */
  readonly body: Body
}

/** The state of a branch: not started, running, or its exit. */
export type State<A = unknown> = "waiting" | "running" | Exit.Exit<A, unknown>

export const isEnded = <A>(state: State<A>): state is Exit.Exit<A, unknown> => typeof state === "object"

export interface Rules {
  /** How many branches run at once. */
  readonly concurrency: number
  /** Returns whether another branch may start. */
  readonly mayStart: () => boolean
  /** Returns whether the operation is complete although branches remain. */
  readonly isComplete: () => boolean
  /** Returns whether an earlier invocation began a branch, possibly with another concurrency. */
  readonly isRecorded?: ((index: number) => boolean) | undefined
  /** Receives every change before any other rule is asked. */
  readonly onChange: (index: number, state: State) => void
}

/** Runs branches by the rules, and returns the state of each. */
export const runBranches = (
  parts: Parts,
  branches: ReadonlyArray<Branch>,
  rules: Rules
): Effect.Effect<ReadonlyArray<State>, never, unknown> =>
  Effect.withFiber((caller) =>
    Effect.callback<ReadonlyArray<State>>(
      forBranches((resume: (effect: Effect.Effect<ReadonlyArray<State>>) => void) => {
        const running = new Running(parts, branches, rules, caller, resume)
        running.advance()
        // The fiber that runs the branches is interrupted: no branch starts any more, and the running ones end.
        return Effect.suspend(() => running.interrupt())
      })
    )
  )

class Running {
  readonly #parts: Parts
  readonly #branches: ReadonlyArray<Branch>
  readonly #rules: Rules
  readonly #caller: AnyFiber
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
    this.#caller = caller
    const fork = Effect.runForkWith(caller.context)
    this.#fork = (body) => parts.fibers.forkedBy(caller, () => fork(cast<Body, Effect.Effect<unknown, unknown>>(body)))
    this.#resume = resume
    this.#states = branches.map(() => "waiting")
    if (rules.isRecorded !== undefined && rules.concurrency < branches.length) {
      this.#forget = parts.delivery.addBehind(() => this.#catchUp(rules.isRecorded))
    }
  }

  /** Advances as far as the rules allow. A policy that throws is a defect of the operation. */
  advance(): void {
    if (this.#isAdvancing) return
    this.#isAdvancing = true
    try {
      while (!this.#isOver) {
        if (this.#isLetGo) {
          if (this.#fibers.size === 0) this.#end(Effect.interrupt)
          break
        }
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

  /**
   * Whether a context around the branches is over. In that case no branch starts any more, and no fiber needs the ends
   * of the branches.
   */
  get #isLetGo(): boolean {
    const around = this.#branches[0]?.namespace.parent
    return around !== undefined && (around.standing === "closed" || isLetGo(around, this.#caller))
  }

  get #hasRoom(): boolean {
    return this.#next < this.#branches.length && this.#fibers.size < this.#rules.concurrency
  }

  #start(index: number): void {
    const { body } = this.#branches[index]!
    this.#note(index, "running")
    const fiber = this.#fork(body)
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

  /** Starts the next branch if it is recorded, although the concurrency is used up. */
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

  /** Completes the operation. It first cancels the remaining branches. */
  #finish(outcome: Effect.Effect<ReadonlyArray<State>>): void {
    this.#isOver = true
    this.#forget()
    const left = this.#branches.flatMap(({ namespace }, index) =>
      this.#states[index] === "running" ? [namespace] : []
    )
    if (left.length === 0) return this.#resume(outcome)
    const fibers = new Set([...this.#fibers, ...fibersIn(this.#parts, left)])
    this.#parts.delivery.letGo(left, fibers, () => this.#resume(outcome))
  }

  interrupt(): Effect.Effect<void> {
    this.#isOver = true
    this.#forget()
    return Fiber.interruptAll(this.#fibers)
  }
}
