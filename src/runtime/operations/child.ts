/**
 * Child: run a block of operations in a namespace of its own, and record what it ended with.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { byteLength } from "../../internal/bytes.ts"
import type { ErrorObject } from "../../wire/ErrorObject.ts"
import { DurableContext } from "../DurableContext.ts"
import { claim, claimFlat, Execution, record as recordChange, recordLater, type Claim } from "../Execution.ts"
import { isFinal } from "../Journal.ts"
import { readFailure, readValue, writeFailure, writeValue } from "../Outcome.ts"
import { checkReached } from "../Reached.ts"
import type { Recording } from "../Recording.ts"

type Body = Effect.Effect<unknown, unknown, unknown>

export const child = (name: string, body: Body, options: Recording) =>
  Effect.flatMap(claim({ type: "CONTEXT", subType: "RunInChildContext", name }), (claimed) =>
    recorded(claimed, options, {
      acknowledged: false,
      body: (context) => inContext(claimed, context, body)
    })
  )

/** A child without a record: only a namespace, which never ends. Its result is handed through as it is. */
export const flatChild = (name: string, body: Body) =>
  Effect.flatMap(claimFlat(name), (context) =>
    Effect.flatMap(Execution, ({ run }) => Effect.provideService(body, Execution, { run, context, step: undefined }))
  )

/** Runs a block in a context, and closes the context when the block ends in whatever way. */
export const inContext = (claimed: Pick<Claim, "run">, context: DurableContext, body: Body): Body =>
  Effect.onExit(Effect.provideService(body, Execution, { run: claimed.run, context, step: undefined }), () =>
    Effect.sync(() => {
      claimed.run.supervisor.close(context)
      claimed.run.releaseClosed()
    })
  )

/**
 * The life of an operation of type CONTEXT around a body: replay its record, or run the body and record its outcome.
 *
 * An `acknowledged` outcome is in the history before anybody sees it, because it depends on timing; any other rides
 * along with the next checkpoint.
 */
export const recorded = Effect.fnUntraced(function* (
  claimed: Claim,
  recording: Recording,
  options: {
    readonly acknowledged: boolean
    readonly body: (context: DurableContext) => Body
  }
): Effect.fn.Return<unknown, unknown, unknown> {
  const { path, record, run } = claimed
  const done = record !== undefined && isFinal(record)
  if (done && !(record.Status === "SUCCEEDED" && record.ContextDetails?.ReplayChildren)) {
    yield* Effect.yieldNow
    return record.Status === "SUCCEEDED"
      ? yield* readValue(claimed, "result", recording, record.ContextDetails?.Result)
      : yield* yield* readFailure(claimed, recording, record.ContextDetails?.Error)
  }
  const context = new DurableContext({ parent: claimed.context, id: claimed.id, path, finished: done })
  if (record === undefined) yield* recordLater(claimed, { Action: "START" })
  const exit = yield* Effect.exit(options.body(context))
  if (run.phase !== "running") return yield* run.inert
  const written = yield* Effect.exit(write(claimed, recording, exit))
  const outcome: Outcome = Exit.isSuccess(written)
    ? written.value
    : { error: yield* writeFailure(claimed, recording, written.cause) }
  if (!done) {
    yield* checkReached(run, context, exit)
    const change = changeOf(outcome, run.options.maxPayload)
    yield* (options.acknowledged ? recordChange : recordLater)(claimed, change)
  }
  // As on a replay, nobody sees the outcome before those that were forked beside it have begun.
  yield* Effect.yieldNow
  return "error" in outcome
    ? yield* yield* readFailure(claimed, recording, outcome.error)
    : yield* readValue(claimed, "result", recording, outcome.text)
})

type Outcome = { readonly text: string | undefined } | { readonly error: ErrorObject }

const write = (claimed: Claim, recording: Recording, exit: Exit.Exit<unknown, unknown>): Effect.Effect<Outcome> =>
  Exit.isSuccess(exit)
    ? Effect.map(writeValue(claimed, "result", recording, exit.value), (text) => ({ text }))
    : Effect.map(writeFailure(claimed, recording, exit.cause), (error) => ({ error }))

const changeOf = (outcome: Outcome, maxPayload: number) => {
  if ("error" in outcome) return { Action: "FAIL", Error: outcome.error }
  if (outcome.text === undefined) return { Action: "SUCCEED" }
  // A result that is too large to keep is rebuilt: a replay runs the body again over its recorded operations.
  return byteLength(outcome.text) > maxPayload
    ? { Action: "SUCCEED", Payload: "", ContextOptions: { ReplayChildren: true } }
    : { Action: "SUCCEED", Payload: outcome.text }
}
