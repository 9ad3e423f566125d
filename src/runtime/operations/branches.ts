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
  readonly mayStart: () => boolean
  /** Whether it is over although branches are left. */
  readonly isComplete: () => boolean
  /** Hears of every change, before it asks anything. */
  readonly onChange: (index: number, state: State) => void
  /**
   * Whether the other branches get as far as the history takes them before it is over: what was recorded first may be
   * delivered last.
   */
  readonly fair: boolean
  /**
   * Whether the history holds what only branches can ask for that are still to be started: then they had begun. It is told
   * how to find out whether those that run have asked for all that is theirs.
   */
  readonly isBehind: (isCaughtUp: () => boolean) => boolean
}

/** Runs branches by the rules, and answers with how far each has come. */
export const runBranches = (
  run: Run,
  branches: ReadonlyArray<Branch>,
  rules: Rules
): Effect.Effect<ReadonlyArray<State>, never, unknown> =>
  Effect.flatMap(Effect.context<unknown>(), (services) =>
    Effect.callback((resume) => {
      const { supervisor } = run
      const states: Array<State> = branches.map(() => "waiting")
      const fibers = new Set<Fiber.Fiber<unknown, unknown>>()
      let next = 0
      let changes = 0
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
        const left = branches.flatMap(({ context }, index) => (isEnded(states[index]!) ? [] : [context]))
        if (left.length > 0) run.letGo(left, fibers)
      }

      const note = (index: number, state: State): void => {
        states[index] = state
        changes++
        rules.onChange(index, state)
      }

      const start = (index: number): void => {
        const { body, context } = branches[index]!
        note(index, "running")
        const own = Context.add(services, Execution, { run, context, step: undefined })
        const fiber = Effect.runForkWith(own)(erase(inContext({ run }, context, body)))
        fibers.add(fiber)
        fiber.addObserver((exit) => {
          fibers.delete(fiber)
          if (isOver) return
          if (run.phase !== "running") return end(run.inert)
          note(index, exit)
          advance()
        })
      }

      const advance = (): void => {
        if (isAdvancing) return
        isAdvancing = true
        try {
          startMore()
        } catch (defect) {
          if (!isOver) finish(Effect.die(defect))
        }
        isAdvancing = false
      }

      const hasRoom = (): boolean => next < branches.length && fibers.size < rules.concurrency

      const startThoseBehind = (): void => {
        // A branch may end all of it while it is started.
        const mayGoOn = (): boolean => !isOver && hasRoom() && rules.isBehind(isCaughtUp)
        while (mayGoOn()) start(next++)
      }

      const startMore = (): void => {
        for (;;) {
          startThoseBehind()
          if (isOver || isClosing) return
          if (rules.isComplete()) {
            if (!rules.fair || isCaughtUp()) return finish()
            isClosing = true
            return catchUp()
          }
          if (hasRoom() && rules.mayStart()) start(next++)
          else return fibers.size === 0 ? finish() : undefined
        }
      }

      const isCaughtUp = (): boolean => {
        if (fibers.size === 0) return true
        const heldUp = run.heldUp()
        return branches.every(({ context }, index) => states[index] !== "running" || heldUp.has(context))
      }

      const isConverting = (): boolean => {
        const converting = run.converting()
        return branches.some(({ context }, index) => states[index] === "running" && converting.has(context))
      }

      /** Lets the other branches get as far as the history takes them. It keeps the invocation alive meanwhile. */
      const catchUp = (): void => {
        const leave = supervisor.occupy()
        let seen = -1
        let changed = changes
        let quiet = 0
        const look = (turns: number): void => {
          if (!isOver && run.phase === "running") {
            quiet = supervisor.activity === seen ? quiet + 1 : 0
            seen = supervisor.activity
            // A serdes is silent while it takes its time, which says nothing.
            if (isConverting()) return void setTimeout(look, 1, maxTurns)
            const left = changes === changed ? turns : maxTurns
            changed = changes
            if (left > 0 && quiet < quietTurns && !isCaughtUp()) return void setImmediate(look, left - 1)
          }
          leave()
          if (isOver) return
          if (run.phase !== "running") return end(run.inert)
          // Nobody else would catch what a policy throws in this turn.
          try {
            const started = next
            startThoseBehind()
            // Those that caught up may have changed the mind of a policy.
            if (!isOver && next === started && rules.isComplete()) finish()
          } catch (defect) {
            if (!isOver) finish(Effect.die(defect))
          }
          if (isOver) return
          isClosing = false
          advance()
        }
        setImmediate(look, maxTurns)
      }

      advance()
      // Whoever asked for the branches is interrupted: none is started any more, and those that run come to their end.
      return Effect.suspend(() => {
        isOver = true
        return Fiber.interruptAll(fibers)
      })
    })
  )

/** Turns of the event loop in which a branch has to end while they catch up, and of silence that say they have. */
const maxTurns = 100
const quietTurns = 2

/** The branch that ended first by what is recorded of it: among equals, the one with the lowest index. */
export const firstEnded = (
  branches: ReadonlyArray<Branch>,
  states: ReadonlyArray<State>,
  counts: (state: Exit.Exit<unknown, unknown>) => boolean
): number | undefined => {
  let first: number | undefined
  states.forEach((state, index) => {
    if (!isEnded(state) || !counts(state)) return
    if (first === undefined || branches[index]!.context.lastOutcome < branches[first]!.context.lastOutcome)
      first = index
  })
  return first
}
