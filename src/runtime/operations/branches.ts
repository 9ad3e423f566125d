/**
 * Branches: run blocks side by side, each in a context of its own, until enough of them have ended.
 *
 * Branches start in the order of their indexes. Those that are left when the operation is over are interrupted and not
 * waited for: their contexts are closed, so that nothing of them is recorded any more.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { erase } from "../../internal/erase.ts"
import { Execution } from "../Execution.ts"
import type { DurableContext } from "../DurableContext.ts"
import type { Run } from "../Run.ts"
import { inContext } from "./child.ts"

type Body = Effect.Effect<unknown, unknown, unknown>

export interface Branch {
  readonly context: DurableContext
  readonly body: Body
}

/** How far a branch has come: not started, under way, or how it ended. */
export type State<A = unknown> = "waiting" | "running" | Exit.Exit<A, unknown>

export const isEnded = <A>(state: State<A>): state is Exit.Exit<A, unknown> => typeof state === "object"

export interface Rules {
  /** How many branches run at once. */
  readonly concurrency: number
  /** Whether another branch may be started. */
  readonly mayStart: (states: ReadonlyArray<State>) => boolean
  /** Whether it is over although branches are left. */
  readonly isComplete: (states: ReadonlyArray<State>) => boolean
  /**
   * Whether the other branches get as far as the history takes them before it is over: what was recorded first may be
   * delivered last.
   */
  readonly fair: boolean
}

/** Runs branches by the rules, and answers with how far each has come. */
export const runBranches = (
  run: Run,
  branches: ReadonlyArray<Branch>,
  rules: Rules
): Effect.Effect<ReadonlyArray<State>, never, unknown> =>
  Effect.flatMap(Effect.context<unknown>(), (services) =>
    Effect.callback((resume) => {
      const states: Array<State> = branches.map(() => "waiting")
      const fibers = new Set<Fiber.Fiber<unknown, unknown>>()
      let next = 0
      let isAdvancing = false
      /** Enough branches have ended; the others may still catch up. */
      let isClosing = false
      let isOver = false

      const end = (effect: Effect.Effect<ReadonlyArray<State>>): void => {
        isOver = true
        resume(effect)
      }

      const finish = (outcome: Effect.Effect<ReadonlyArray<State>> = Effect.succeed(states)): void => {
        end(outcome)
        branches.forEach(({ context }, index) => {
          if (!isEnded(states[index]!)) run.supervisor.close(context)
        })
        for (const fiber of fibers) fiber.interruptUnsafe(fiber.id)
        run.releaseClosed()
      }

      const start = (index: number): void => {
        const { body, context } = branches[index]!
        states[index] = "running"
        const own = Context.add(services, Execution, { run, context, step: undefined })
        const fiber = Effect.runForkWith(own)(erase(inContext({ run }, context, body)))
        fibers.add(fiber)
        fiber.addObserver((exit) => {
          fibers.delete(fiber)
          if (isOver) return
          if (run.phase !== "running") return end(run.inert)
          states[index] = exit
          advance()
        })
      }

      const advance = (): void => {
        if (isAdvancing || isClosing) return
        isAdvancing = true
        try {
          startMore()
        } catch (defect) {
          finish(Effect.die(defect))
        }
        isAdvancing = false
      }

      const startMore = (): void => {
        for (;;) {
          if (isOver) return
          if (rules.isComplete(states)) {
            isClosing = true
            return rules.fair ? catchUp(run, branches, states, finish) : finish()
          }
          if (next < branches.length && fibers.size < rules.concurrency && rules.mayStart(states)) start(next++)
          else return fibers.size === 0 ? finish() : undefined
        }
      }

      advance()
      return Fiber.interruptAll(fibers)
    })
  )

/** Lets the other branches get as far as the history takes them. */
const catchUp = (run: Run, branches: ReadonlyArray<Branch>, states: ReadonlyArray<State>, done: () => void): void => {
  const isHeldUp = ({ context }: Branch, index: number): boolean => states[index] !== "running" || run.isHeldUp(context)
  watch(run, () => branches.every(isHeldUp), done)
}

/**
 * Lets the other fibres get as far as the history takes them: until something holds, or they have fallen silent, or for a
 * bounded number of turns. It keeps the invocation alive meanwhile.
 */
export const untilQuiet = (run: Run, holds: () => boolean): Effect.Effect<void> =>
  Effect.callback((resume) =>
    watch(
      run,
      holds,
      () => resume(Effect.void),
      () => resume(run.inert)
    )
  )

/** Looks at every turn of the event loop, as long as the invocation goes on. */
const watch = (run: Run, holds: () => boolean, done: () => void, ended: () => void = () => {}): void => {
  const { supervisor } = run
  if (holds()) return done()
  const leave = supervisor.occupy()
  let seen = -1
  let quiet = 0
  const look = (turns: number): void => {
    if (run.phase !== "running") {
      leave()
      return ended()
    }
    if (supervisor.activity === seen) quiet++
    else quiet = 0
    seen = supervisor.activity
    if (turns < maxTurns && quiet < quietTurns && !holds()) return void setImmediate(look, turns + 1)
    leave()
    done()
  }
  setImmediate(look, 0)
}

/** Turns of the event loop that others get to catch up with the history, and of silence that say they have. */
const maxTurns = 100
const quietTurns = 2

/** The branch that ended first by what is recorded of it: among equals, the one with the lowest index. */
export const firstEnded = (
  branches: ReadonlyArray<Branch>,
  states: ReadonlyArray<State>,
  counts: (exit: Exit.Exit<unknown, unknown>) => boolean
): number | undefined => {
  let first: number | undefined
  states.forEach((state, index) => {
    if (!isEnded(state) || !counts(state)) return
    if (first === undefined || branches[index]!.context.lastOutcome < branches[first]!.context.lastOutcome)
      first = index
  })
  return first
}
