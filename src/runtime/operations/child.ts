/**
 * Child: run a block of operations in a namespace of its own, and record what it ended with.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { byteLength } from "../../internal/bytes.ts"
import type { ErrorObject } from "../../wire/ErrorObject.ts"
import type { Operation } from "../../wire/Operation.ts"
import { DurableContext } from "../DurableContext.ts"
import { claim, claimFlat, Execution, record as recordChange, recordLater, type Claim } from "../Execution.ts"
import { isFinal } from "../Journal.ts"
import { readFailure, readValue, writeFailure, writeValue, type Subject } from "../Outcome.ts"
import { checkReached } from "../Reached.ts"
import type { Recording } from "../Recording.ts"
import type { Run } from "../Run.ts"

type Body = Effect.Effect<unknown, unknown, unknown>

export const child = (name: string, body: Body, options: Recording) =>
  Effect.flatMap(claim({ type: "CONTEXT", subType: "RunInChildContext", name }), (claimed) =>
    recorded(claimed, options, { body: (context) => inContext(claimed, context, body) })
  )

/** A child without a record: only a namespace, which never ends. Its result is handed through as it is. */
export const flatChild = (name: string, body: Body) =>
  Effect.flatMap(claimFlat(name), (context) =>
    Effect.flatMap(Execution, ({ run }) => Effect.provideService(body, Execution, { run, context, step: undefined }))
  )

/** Runs a block in a context, and closes the context when the block ends in whatever way. */
export const inContext = (claimed: Pick<Claim, "run">, context: DurableContext, body: Body): Body =>
  Effect.onExit(
    Effect.provideService(claimed.run.observer.within(context, body), Execution, {
      run: claimed.run,
      context,
      step: undefined
    }),
    () =>
      Effect.sync(() => {
        claimed.run.supervisor.close(context)
        claimed.run.releaseClosed()
      })
  )

/** How an operation of type CONTEXT ended, as it is written. */
export type Outcome = { readonly text: string | undefined } | { readonly error: ErrorObject }

export interface ContextOptions {
  /**
   * The block. It runs again in a context that has its outcome already when that was too large to keep, or when the block
   * has to be run for what it does besides; `summary` is what was kept of it then.
   */
  readonly body: (context: DurableContext, summary: string | undefined) => Body
  /**
   * Whether the outcome depends on timing: then it is in the history before anybody sees it, and what the block asked for
   * says nothing. Any other outcome rides along with the next checkpoint.
   */
  readonly isTimed?: () => boolean
  /** What to keep of an outcome that is not kept itself. */
  readonly summary?: () => string
}

/** The life of an operation of type CONTEXT around a body: replay its record, or run the body and record its outcome. */
export const recorded = (
  claimed: Claim,
  recording: Recording,
  options: ContextOptions
): Effect.Effect<unknown, unknown, unknown> =>
  Effect.flatMap(outcomeOf(claimed, recording, options), (outcome) => deliver(claimed, recording, outcome))

/** The outcome as those see it who asked for the operation. */
export const deliver = (
  subject: Subject,
  recording: Recording,
  outcome: Outcome
): Effect.Effect<unknown, unknown, unknown> =>
  "error" in outcome
    ? Effect.flatten(readFailure(subject, recording, outcome.error))
    : readValue(subject, "result", recording, outcome.text)

/** As {@link recorded}, but what it ends with is left as it is written. */
export const outcomeOf = Effect.fnUntraced(function* (
  claimed: Claim,
  recording: Recording,
  options: ContextOptions
): Effect.fn.Return<Outcome, never, unknown> {
  const { path, record, run } = claimed
  const done = record !== undefined && isFinal(record)
  const details = record?.ContextDetails
  const known = done ? knownOutcome(record, options) : undefined
  if (known !== undefined && !details?.ReplayChildren) {
    yield* Effect.yieldNow
    return known
  }
  const context = new DurableContext({ parent: claimed.context, id: claimed.id, path, finished: done })
  if (record === undefined) yield* recordLater(claimed, { Action: "START" })
  const exit = yield* Effect.exit(options.body(context, done ? details?.Result : undefined))
  if (run.phase !== "running") return yield* run.inert
  if (!done && context.finished) return yield* run.idle(claimed)
  const outcome = known ?? (yield* write(claimed, recording, exit))
  if (!done) {
    const isTimed = options.isTimed?.() ?? false
    if (!isTimed) yield* checkReached(run, context, exit)
    yield* (isTimed ? recordChange : recordLater)(claimed, changeOf(outcome, context.kept, options, run))
  }
  // As on a replay, nobody sees the outcome before those that were forked beside it have begun.
  yield* Effect.yieldNow
  return outcome
})

/** The outcome that a record holds; none if it holds only what is left of a result, which is to be rebuilt. */
const knownOutcome = (
  { ContextDetails: details, Status }: Operation,
  { summary }: ContextOptions
): Outcome | undefined => {
  if (Status !== "SUCCEEDED") return { error: details?.Error ?? {} }
  const isWhole = !details?.ReplayChildren || (summary === undefined && !!details.Result)
  return isWhole ? { text: details?.Result } : undefined
}

/** Writes how a body ended. What cannot be written is replaced by the reason why. */
export const write = (
  subject: Subject,
  recording: Recording,
  exit: Exit.Exit<unknown, unknown>
): Effect.Effect<Outcome> =>
  (Exit.isSuccess(exit)
    ? Effect.map(writeValue(subject, "result", recording, exit.value), (text): Outcome => ({ text }))
    : Effect.map(writeFailure(subject, recording, exit.cause), (error): Outcome => ({ error }))
  ).pipe(Effect.catchCause((cause) => Effect.map(writeFailure(subject, recording, cause), (error) => ({ error }))))

const changeOf = (outcome: Outcome, kept: boolean, { summary }: ContextOptions, run: Run) => {
  const again = { ContextOptions: { ReplayChildren: true } }
  if ("error" in outcome) return { Action: "FAIL", Error: outcome.error, ...(kept ? again : undefined) }
  const { text } = outcome
  const fits = text === undefined || byteLength(text) <= run.options.maxPayload
  if (fits && !kept) return { Action: "SUCCEED", ...(text === undefined ? undefined : { Payload: text }) }
  // A result that is too large to keep is rebuilt: a replay runs the body again over its recorded operations.
  return { Action: "SUCCEED", Payload: summary?.() ?? (fits ? (text ?? "") : ""), ...again }
}
