/**
 * Compensation: undo what has been done, as durable operations, when the execution fails for good.
 *
 * Every replay registers the same undos again. A context in which one was registered is run again on every replay for
 * that reason, even if its outcome is recorded.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { Interrupted } from "../../DurableError.ts"
import { truncate } from "../../internal/bytes.ts"
import { claimAs, claimFlat, Execution } from "../Execution.ts"
import { operationId } from "../Identity.ts"
import { defectObject, isOwnMistake } from "../Outcome.ts"
import type { Run } from "../Run.ts"
import { inContext, recorded } from "./child.ts"

type Body = Effect.Effect<unknown, unknown, unknown>

/** An undo that waits for its execution to fail. */
export interface Compensation {
  /** The namespace of the effect that it undoes, which no other has. */
  readonly id: string
  readonly name: string
  readonly path: string
  /** When the effect was recorded as done. */
  readonly doneAt: number
  readonly undo: (cause: Cause.Cause<unknown>) => Body
}

export const withCompensation = (
  name: string,
  body: Body,
  undo: (value: unknown, cause: Cause.Cause<unknown>) => Body
): Body =>
  Effect.flatMap(claimFlat(name), (context) =>
    Effect.gen(function* () {
      const { run } = yield* Execution
      const services = yield* Effect.context<unknown>()
      const value = yield* Effect.provideService(body, Execution, { run, context, step: undefined })
      context.keep()
      const { id, lastOutcome: doneAt, path } = context
      run.compensations.set(id, {
        id,
        name,
        path,
        doneAt,
        undo: (cause) =>
          Effect.flatMap(Execution, (own) =>
            Effect.provideContext(
              Effect.suspend(() => undo(value, cause)),
              Context.add(services, Execution, own)
            )
          )
      })
      return value
    })
  )

/** Undoes everything that was done, the last first, if the execution fails. The failure stays its outcome. */
export const compensate = (
  run: Run,
  exit: Exit.Exit<unknown, unknown>
): Effect.Effect<Exit.Exit<unknown, unknown>, never, unknown> =>
  Effect.gen(function* () {
    if (Exit.isSuccess(exit) || run.phase !== "running" || !isToBeUndone(exit.cause)) return exit
    for (const compensation of lastFirst(run.compensations.values())) {
      const undone = yield* Effect.exit(undo(run, compensation, exit.cause))
      if (run.phase !== "running") return yield* run.inert
      if (Exit.isFailure(undone)) run.notUndone.push(describe(compensation, undone.cause))
    }
    return exit
  })

/** Mistakes say that the program is wrong, not that what it did is to be undone; that it interrupted itself is no mistake here. */
const isToBeUndone = (cause: Cause.Cause<unknown>): boolean => {
  if (cause.reasons.some(Cause.isFailReason)) return true
  const defect = Cause.squash(cause)
  return defect instanceof Interrupted || !isOwnMistake(defect)
}

/** Among equals, the later path goes first: an order is needed that no timing decides. */
const lastFirst = (compensations: Iterable<Compensation>): ReadonlyArray<Compensation> =>
  [...compensations].sort((a, b) => b.doneAt - a.doneAt || (a.path < b.path ? 1 : -1))

/** What an undo fails with nobody reads as what it is, so it needs no Schema. */
const undo = (run: Run, { id, name, path, undo }: Compensation, cause: Cause.Cause<unknown>) =>
  Effect.flatMap(
    claimAs(
      run,
      run.context,
      { id: operationId(run.context.id, `compensate:${id}`, 0), path: `compensate:${path}` },
      { type: "CONTEXT", subType: "RunInChildContext", name: `compensate:${name}` }
    ),
    (claimed) =>
      recorded(
        claimed,
        {},
        { body: (context) => inContext(claimed, context, Effect.orDie(Effect.asVoid(undo(cause)))) }
      )
  )

const describe = ({ path }: Compensation, cause: Cause.Cause<unknown>): string => {
  const { ErrorMessage = "", ErrorType = "Error" } = defectObject(Cause.squash(cause))
  return `"${path}" (${ErrorType}: ${truncate(ErrorMessage, 500)})`
}
