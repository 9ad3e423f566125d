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
import * as Fiber from "effect/Fiber"
import { Interrupted } from "../../DurableError.ts"
import { truncate } from "../../internal/bytes.ts"
import { DurableContext } from "../DurableContext.ts"
import { claimAs, claimFlat, Execution } from "../Execution.ts"
import { operationId } from "../Identity.ts"
import { isFinal } from "../Journal.ts"
import { defectObject, isOwnMistake } from "../Outcome.ts"
import type { Run } from "../Run.ts"
import { CurrentUnit } from "../Supervisor.ts"
import { caughtUp } from "./catchUp.ts"
import { inContext, recorded } from "./child.ts"

type Body = Effect.Effect<unknown, unknown, unknown>

/** An undo that waits for its execution to fail. */
export interface Compensation {
  readonly name: string
  /** The namespace of what was done, which belongs to it alone. */
  readonly context: DurableContext
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
      context.listOperations()
      // No interruption comes between what was done and the promise to undo it.
      return yield* Effect.onExit(Effect.provideService(body, Execution, { run, context, step: undefined }), (exit) =>
        Effect.sync(() => {
          if (Exit.isFailure(exit) || context.closed || run.phase !== "running") return
          context.keep()
          const { value } = exit
          run.compensations.push({ name, context, undo: (cause) => as(services, () => undo(value, cause)) })
        })
      )
    })
  )

/** An undo has the services of what it undoes, but a scope of its own: the other may be closed by then. */
const as = (services: Context.Context<unknown>, undo: () => Body): Body =>
  Effect.flatMap(Execution, (execution) =>
    Effect.flatMap(CurrentUnit, (unit) =>
      Effect.provideContext(
        Effect.scoped(Effect.suspend(undo)),
        services.pipe(Context.add(Execution, execution), Context.add(CurrentUnit, unit))
      )
    )
  )

/** Undoes everything that was done, the last first, if the execution fails. The failure stays its outcome. */
export const compensate = (
  run: Run,
  exit: Exit.Exit<unknown, unknown>
): Effect.Effect<Exit.Exit<unknown, unknown>, never, unknown> =>
  Effect.gen(function* () {
    if (Exit.isSuccess(exit) || !isToBeUndone(exit.cause)) return exit
    // Fibres that the workflow left behind may have done something to be undone. They do nothing more then; if there is
    // nothing to be undone, they come to their end as after a success.
    if (run.compensations.length > 0) run.context.abandon()
    if (run.context.fibers.size > 0) yield* caughtUp(run, () => false)
    if (run.phase !== "running") return yield* run.inert
    if (run.compensations.length === 0) return exit
    run.context.abandon()
    const now = run.context.strands.of(Fiber.getCurrent()).now
    run.close()
    const root = DurableContext.root({ executionArn: run.executionArn, start: now })
    for (const compensation of inOrder(run, run.compensations)) {
      const undone = yield* Effect.exit(undo(run, root, compensation, exit.cause))
      if (run.phase !== "running") return yield* run.inert
      if (Exit.isFailure(undone)) run.notUndone.push(describe(compensation, undone.cause))
    }
    return exit
  })

/** Mistakes say that the program is wrong, not that what it did is to be undone; an interruption of its own is none here. */
const isToBeUndone = (cause: Cause.Cause<unknown>): boolean => {
  if (cause.reasons.some(Cause.isFailReason)) return true
  const defect = Cause.squash(cause)
  return defect instanceof Interrupted || !isOwnMistake(defect)
}

/** The last first. What was undone, or begun to be, before this invocation keeps its place before the others. */
const inOrder = (run: Run, compensations: ReadonlyArray<Compensation>): ReadonlyArray<Compensation> => {
  let last = 0
  const keyed = compensations.map((compensation) => {
    const record = run.journal.get(undoId(compensation))
    // What needed no operation was done after what was done before it.
    last = doneAt(run, compensation) ?? last
    return { compensation, doneAt: last, progress: record === undefined ? 0 : isFinal(record) ? 2 : 1 }
  })
  return keyed
    .toReversed()
    .sort((a, b) => b.progress - a.progress || (a.doneAt === b.doneAt ? 0 : b.doneAt - a.doneAt))
    .map(({ compensation }) => compensation)
}

/** When the last operation of what was done ended. A context that did and is not acknowledged is later than all others. */
const doneAt = ({ journal }: Run, { context }: Compensation): number | undefined => {
  let last: number | undefined
  for (const id of context.operations) {
    const record = journal.get(id)
    if (record === undefined || (record.Type === "CONTEXT" && !isFinal(record))) return Infinity
    if (record.EndTimestamp !== undefined) last = Math.max(last ?? 0, record.EndTimestamp)
  }
  return last
}

const undoId = ({ context }: Compensation): string => operationId("", `compensate:${context.id}`, 0)

/** What an undo fails with nobody reads as what it is, so it needs no Schema. */
const undo = (run: Run, root: DurableContext, compensation: Compensation, cause: Cause.Cause<unknown>) =>
  Effect.flatMap(
    claimAs(
      run,
      root,
      { id: undoId(compensation), path: `compensate:${compensation.context.path}` },
      { type: "CONTEXT", subType: "RunInChildContext", name: `compensate:${compensation.name}` }
    ),
    (claimed) =>
      recorded(
        claimed,
        {},
        { body: (context) => inContext(claimed, context, Effect.orDie(Effect.asVoid(compensation.undo(cause)))) }
      )
  )

const describe = ({ context }: Compensation, cause: Cause.Cause<unknown>): string => {
  const { ErrorMessage = "", ErrorType = "Error" } = defectObject(Cause.squash(cause))
  return `"${context.path}" (${ErrorType}: ${truncate(ErrorMessage, 500)})`
}
