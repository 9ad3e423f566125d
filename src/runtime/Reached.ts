/**
 * Finds what the history holds and the code no longer asks for.
 *
 * Before a context records its result, every operation that was recorded in it should have been claimed again. One that
 * was not proves a contradiction only if nothing but a change of the code can explain it; where fibres were interrupted
 * or still run, timing can, and then it is only worth a warning.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { NonDeterministic } from "../DurableError.ts"
import { truncate } from "../internal/bytes.ts"
import type { Operation } from "../wire/Operation.ts"
import type { DurableContext } from "./DurableContext.ts"
import { isFinal, isPatchMark } from "./Journal.ts"
import { warn } from "./Logging.ts"
import { defectObject, isOwnMistake } from "./Outcome.ts"
import type { Run } from "./Run.ts"

/** Whether a context has recorded operations that its code has not asked for yet. */
export const isReplaying = (run: Run, context: DurableContext): boolean =>
  context.recorded.finished ||
  run.journal
    .recordedIn(context.wireId)
    .some((operation) => !run.journal.isClaimed(operation.Id) && !isPatchMark(operation))

/** A context that ended with a mistake has a reason of its own for not having gone on. */
export const checkReached = (
  run: Run,
  context: DurableContext,
  exit: Exit.Exit<unknown, unknown>,
  turns = 0,
  wasTimed = false
): Effect.Effect<void> =>
  Effect.suspend(() => {
    const failed = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
    if (isOwnMistake(failed)) return Effect.void
    const missed = unreached(run, context.wireId)
    if (missed.length === 0) return Effect.sync(() => tellLooseEnds(run, context))
    // A fibre that runs now may be interrupted in the next turn, and take that for its own end.
    const timed = wasTimed || isTimed(context)
    // A fibre that was just forked may still ask for it, and shows only once it has begun.
    if (run.supervisor.scheduler.queued && turns < maxTurns) {
      return Effect.andThen(Effect.yieldNow, checkReached(run, context, exit, turns + 1, timed))
    }
    const where = placeOf(context)
    const names = list(missed)
    if (timed) {
      const warning =
        `The history holds operations that ${where} did not ask for this time: ${names}. ` +
        `Fibres were interrupted or still run, so this may be timing. ${recordWhoWon}`
      run.options.probe?.onLooseEnds?.(warning)
      return warn(warning)
    }
    run.contradict(
      new NonDeterministic({
        operation: missed[0]?.Name ?? context.path,
        message:
          `The history holds ${names}, but the code of ${where} ended without asking for ${missed.length === 1 ? "it" : "them"}${endOf(exit)}. ` +
          "Run this execution with the version of the code that recorded it, or keep the operation in the code until the executions that hold it are over."
      })
    )
    return run.inert
  })

/** Whether fibres of a context were interrupted or still run. */
const isTimed = ({ cutShort, fibers }: DurableContext): boolean => cutShort || fibers.size > 0

const recordWhoWon = "Use Durable.race, Durable.timeout, Durable.all or Durable.forEach, which record who won."

/** Tells whoever wants to hear of it what a context began and waits for no more: another run may see it end. */
const tellLooseEnds = (run: Run, context: DurableContext): void => {
  const { onLooseEnds } = run.options.probe ?? {}
  if (onLooseEnds === undefined) return
  const isOfThisRun = ({ Id }: Operation): boolean => isTimed(context) || run.journal.isClaimed(Id)
  const left = leftBehind(run, context.wireId).filter(isOfThisRun)
  if (left.length === 0) return
  onLooseEnds(
    `When ${placeOf(context)} ended, operations that it had begun had no outcome: ${list(left)}. ` +
      `Fibres were interrupted or still run, so what happens may depend on timing. ${recordWhoWon} Join what is forked.`
  )
}

/** Operations without an outcome. A callback may be created for others to wait for, and contexts count by what is in them. */
const leftBehind = (run: Run, contextId: string | undefined): Array<Operation> =>
  run.journal.openIn(contextId).flatMap((operation) => {
    if (operation.Type === "CONTEXT") return leftBehind(run, operation.Id)
    return operation.Type === "CALLBACK" ? [] : [operation]
  })

const placeOf = ({ path }: DurableContext): string => (path === "" ? "the workflow" : `"${path}"`)

const list = (operations: ReadonlyArray<Operation>): string =>
  operations.slice(0, 5).map(describe).join(", ") + (operations.length > 5 ? `, and ${operations.length - 5} more` : "")

/** How many turns of the event loop new fibres get to begin. */
const maxTurns = 10

/** Operations with an outcome that nobody claimed, also inside contexts that are still open and that nobody claimed. */
const unreached = (run: Run, contextId: string | undefined): Array<Operation> => {
  const missed: Array<Operation> = []
  for (const operation of run.journal.recordedIn(contextId)) {
    if (run.journal.isClaimed(operation.Id) || isPatchMark(operation)) continue
    if (isFinal(operation)) missed.push(operation)
    else if (operation.Type === "CONTEXT") missed.push(...unreached(run, operation.Id))
  }
  return missed
}

const endOf = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return ""
  const { ErrorMessage, ErrorType } = defectObject(Cause.squash(exit.cause))
  return `, because it failed this time (${ErrorType}: ${truncate(ErrorMessage ?? "", 500)})`
}

const describe = (operation: Operation): string => `${operation.Type} "${operation.Name ?? operation.Id}"`
