/**
 * Step: run an effect once, record its outcome, and answer with the record ever after.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import * as Random from "effect/Random"
import { StepInterrupted } from "../../DurableError.ts"
import retryByDefault, {
  none,
  wholeDelaySeconds,
  type Decision,
  type Failure,
  type RetryPolicy
} from "../../RetryPolicy.ts"
import type { Info } from "../../Serdes.ts"
import { StepContext } from "../../StepContext.ts"
import type { ErrorObject } from "../../wire/ErrorObject.ts"
import type { Operation } from "../../wire/Operation.ts"
import { contextEnded } from "../DurableContext.ts"
import { claim, Execution, record as recordChange, recordLater, tracked, type Claim } from "../Execution.ts"
import { md5 } from "../Identity.ts"
import { isFinal } from "../Journal.ts"
import { asDefect, limitSize, readFailure, readValue, writeFailure, writeValue } from "../Outcome.ts"
import type { Recording } from "../Recording.ts"
import { realRandom } from "../WorkflowRandom.ts"

export interface StepOptions extends Recording {
  readonly retry?: RetryPolicy<never> | undefined
  readonly semantics?: "at-least-once" | "at-most-once" | undefined
  /** Whether typed errors are recorded as defects, because nobody reads them as what they are. */
  readonly isOpaque?: boolean | undefined
}

type Body = Effect.Effect<unknown, unknown, unknown>

/** One attempt either settles the step, or leaves it waiting for the next one. */
export type Attempted =
  | { readonly _tag: "Settled"; readonly exit: Exit.Exit<unknown, unknown> }
  | { readonly _tag: "Waiting" }

export const step = (name: string, body: Body, options: StepOptions) =>
  Effect.flatMap(claimStep(name), (claimed) => claimedStep(claimed, body, options))

export const claimStep = (name: string) => claim({ type: "STEP", subType: "Step", name })

/** A step that was claimed. */
export const claimedStep = (claimed: Claim, body: Body, options: StepOptions) =>
  attempts(claimed, options, (record) => attempt(claimed, record, body, options))

/** The life of an operation of type STEP: replay its record, or make attempts until one settles it. */
export const attempts = Effect.fnUntraced(function* (
  claimed: Claim,
  recording: Recording,
  attempt: (record: Operation | undefined) => Effect.Effect<Attempted, never, unknown>,
  kind: Info["value"] = "result"
) {
  if (claimed.record !== undefined && isFinal(claimed.record)) {
    yield* Effect.yieldNow
    return yield* yield* replay(claimed, claimed.record, recording, kind)
  }
  let record = claimed.record
  while (true) {
    if (record?.Status === "PENDING") record = yield* claimed.run.waitFor(claimed)
    if (record !== undefined && isFinal(record)) return yield* yield* replay(claimed, record, recording, kind)
    const attempted = yield* tracked(claimed, "step", attempt(record))
    if (attempted._tag === "Settled") return yield* attempted.exit
    record = claimed.run.journal.get(claimed.id)
    // The answer to the request for another attempt may come without the operation.
    if (record?.Status !== "READY") record = yield* claimed.run.waitFor(claimed)
  }
})

const replay = (
  claimed: Claim,
  record: Operation,
  recording: Recording,
  kind: Info["value"]
): Effect.Effect<Exit.Exit<unknown, unknown>> =>
  record.Status === "SUCCEEDED"
    ? Effect.map(readValue(claimed, kind, recording, record.StepDetails?.Result), Exit.succeed)
    : readFailure(claimed, recording, record.StepDetails?.Error)

const attempt = Effect.fnUntraced(function* (
  claimed: Claim,
  record: Operation | undefined,
  body: Body,
  options: StepOptions
): Effect.fn.Return<Attempted, never, unknown> {
  const number = numberOf(record)
  const once = options.semantics === "at-most-once"
  if (once && record?.Status === "STARTED") {
    const error = new StepInterrupted({ operation: claimed.path, attempt: number })
    const decision =
      options.retry === undefined
        ? stop
        : yield* decide(claimed, options.retry, number, claimed.run.now(), { _tag: "Interrupted" })
    return yield* fail(claimed, options, Cause.fail(error), decision)
  }
  if (record?.Status !== "STARTED") {
    yield* (once ? recordChange : recordLater)(claimed, { Action: "START" })
  }
  const began = claimed.run.now()
  const exit = yield* runBody(claimed, number, body)
  if (Exit.isSuccess(exit)) return yield* succeed(claimed, options, exit.value)
  const policy = options.retry ?? (once ? none : retryByDefault)
  return yield* fail(claimed, options, exit.cause, yield* decide(claimed, policy, number, began, failureOf(exit.cause)))
})

/** The number of the attempt that comes after what is recorded. */
export const numberOf = (record: Operation | undefined): number => (record?.StepDetails?.Attempt ?? 0) + 1

/** Runs a body as an attempt. How it ended counts only while its invocation and its context go on. */
export const runBody = (
  claimed: Claim,
  number: number,
  body: Body
): Effect.Effect<Exit.Exit<unknown, unknown>, never, unknown> => {
  const { context, name, path, run } = claimed
  const runs = run.options.probe?.insteadOf?.({ name, path, number }) ?? body
  return Effect.flatMap(Effect.exit(asStepBody(claimed, provideBody(claimed, number, runs))), (exit) => {
    if (run.phase !== "running") return run.inert
    return context.closed ? contextEnded(claimed) : Effect.succeed(exit)
  })
}

/** Notes which fibre runs the body, so that it records nothing even with services from outside of the step. */
const asStepBody = (claimed: Claim, body: Body): Body =>
  Effect.withFiber((fiber) => {
    const { stepBodies } = claimed.run
    return Effect.onExit(
      Effect.suspend(() => {
        stepBodies.set(fiber, claimed.path)
        return body
      }),
      () => Effect.sync(() => stepBodies.delete(fiber))
    )
  })

/** A step body sees the real clock and its own place, and no execution in which it could record anything. */
const provideBody = (claimed: Claim, number: number, body: Body): Body => {
  const { context, id, name, path, run: invocation } = claimed
  const { deadline } = invocation.options
  return Effect.updateContext(
    invocation.observer.attempt(claimed, number, body),
    (services: Context.Context<unknown>) =>
      services.pipe(
        Context.add(Execution, { run: invocation, context, step: path }),
        Context.add(Clock.Clock, invocation.clock),
        Context.add(StepContext, {
          executionArn: invocation.executionArn,
          executionName: invocation.executionName,
          operationId: id,
          name,
          attempt: number,
          idempotencyKey: `${md5(invocation.executionArn)}-${id}`,
          remaining: Effect.sync(() =>
            deadline === undefined ? Duration.infinity : Duration.millis(Math.max(0, deadline - invocation.now()))
          )
        })
      )
  )
}

const succeed = Effect.fnUntraced(function* (claimed: Claim, options: StepOptions, value: unknown) {
  const written = yield* Effect.exit(
    writeValue(claimed, "result", options, value).pipe(
      Effect.tap((text) => limitSize(claimed, "result", text, claimed.run.options.maxPayload))
    )
  )
  if (Exit.isFailure(written)) return yield* fail(claimed, options, written.cause, stop)
  yield* recordChange(claimed, {
    Action: "SUCCEED",
    ...(written.value === undefined ? undefined : { Payload: written.value })
  })
  return settled(yield* Effect.exit(readValue(claimed, "result", options, written.value)))
})

const fail = Effect.fnUntraced(function* (
  claimed: Claim,
  options: StepOptions,
  cause: Cause.Cause<unknown>,
  decision: Decided
): Effect.fn.Return<Attempted> {
  if (decision._tag === "Died") return yield* failForGood(claimed, options, decision.cause)
  const failure = options.isOpaque ? opaque(cause) : cause
  if (decision._tag === "Stop") return yield* failForGood(claimed, options, failure)
  yield* recordChange(claimed, {
    Action: "RETRY",
    Error: yield* writeFailureSafely(claimed, options, failure),
    StepOptions: { NextAttemptDelaySeconds: decision.delaySeconds }
  })
  return waiting
})

/** Records the failure that settles an operation. */
export const failForGood = Effect.fnUntraced(function* (
  claimed: Claim,
  recording: Recording,
  cause: Cause.Cause<unknown>
): Effect.fn.Return<Attempted> {
  const error = yield* writeFailureSafely(claimed, recording, cause)
  yield* recordChange(claimed, { Action: "FAIL", Error: error })
  return settled(yield* readFailure(claimed, recording, error))
})

const opaque = (cause: Cause.Cause<unknown>): Cause.Cause<never> =>
  Cause.fromReasons(
    cause.reasons.map((reason) => (Cause.isFailReason(reason) ? Cause.makeDieReason(asDefect(reason.error)) : reason))
  )

/** An error that cannot be written is replaced by the reason why. */
const writeFailureSafely = (
  claimed: Claim,
  recording: Recording,
  cause: Cause.Cause<unknown>
): Effect.Effect<ErrorObject> =>
  Effect.catchCause(writeFailure(claimed, recording, cause), (unwritable) =>
    writeFailure(claimed, recording, unwritable)
  )

const stop: Decision = { _tag: "Stop" }

/** Another attempt has been recorded. */
export const waiting: Attempted = { _tag: "Waiting" }

/** The operation has its outcome. */
export const settled = (exit: Exit.Exit<unknown, unknown>): Attempted => ({ _tag: "Settled", exit })

type Decided = Decision | { readonly _tag: "Died"; readonly cause: Cause.Cause<never> }

/** Asks the policy. One that dies takes the place of the failure: it is a defect of the workflow. */
export const decide = Effect.fnUntraced(function* (
  claimed: Claim,
  policy: RetryPolicy<never>,
  number: number,
  began: number,
  failure: Failure<never>
): Effect.fn.Return<Decided> {
  // A decision is made once, so it may see the real time, and draws nothing that a replay would not draw.
  const random = realRandom(yield* Random.Random)
  const started = claimed.run.journal.get(claimed.id)?.StartTimestamp ?? began
  const decided = yield* Effect.exit(
    Effect.suspend(() =>
      policy.decide({
        attempt: number,
        failure,
        elapsed: Math.max(0, claimed.run.now() - started),
        random: random.nextDoubleUnsafe()
      })
    ).pipe(Effect.provideService(Clock.Clock, claimed.run.clock), Effect.provideService(Random.Random, random))
  )
  if (Exit.isFailure(decided)) return { _tag: "Died", cause: decided.cause }
  const decision = decided.value
  if (decision._tag === "Stop") return decision
  const { delaySeconds } = decision
  return typeof delaySeconds !== "number" || Number.isNaN(delaySeconds)
    ? {
        _tag: "Died",
        cause: Cause.die(new TypeError(`The retry policy of "${claimed.path}" gave no number as its delay.`))
      }
    : { _tag: "Retry", delaySeconds: wholeDelaySeconds(delaySeconds) }
})

export const failureOf = (cause: Cause.Cause<unknown>): Failure<never> => {
  const fail = cause.reasons.find(Cause.isFailReason)
  if (fail !== undefined) return { _tag: "Fail", error: cast<unknown, never>(fail.error) }
  const die = cause.reasons.find(Cause.isDieReason)
  return die === undefined ? { _tag: "Interrupted" } : { _tag: "Die", defect: die.defect }
}
