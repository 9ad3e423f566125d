/**
 * Callback: wait for somebody outside to complete an operation, by an id that the service makes.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import {
  CallbackFailed,
  CallbackSubmitFailed,
  CallbackTimedOut,
  SerdesFailed,
  StoreRejected
} from "../../DurableError.ts"
import type { RetryPolicy } from "../../RetryPolicy.ts"
import { inPlainJson } from "../../Serdes.ts"
import type { ErrorObject } from "../../wire/ErrorObject.ts"
import type { Operation } from "../../wire/Operation.ts"
import { claim, inWorkflow, record as recordChange, type Claim, type Execution } from "../Execution.ts"
import { isFinal } from "../Journal.ts"
import { defectObject, isOwnMistake, isRecordedAs, readValue } from "../Outcome.ts"
import type { Recording } from "../Recording.ts"
import { inContext, recorded } from "./child.ts"
import { step } from "./step.ts"
import { durableSeconds, secondsLeft, type Timeout } from "./wait.ts"

type Body = Effect.Effect<unknown, unknown, unknown>

export interface CallbackOptions extends Recording {
  readonly timeout?: Timeout | undefined
  readonly heartbeatTimeout?: Duration.Input | undefined
}

/** An open callback: the id for those who complete it, and how to wait for that. */
export interface Opened {
  readonly callbackId: string
  readonly await: Body
}

export const callback = (name: string, options: CallbackOptions): Effect.Effect<Opened, CallbackTimedOut, unknown> =>
  Effect.map(opened(name, options), (claimed) => ({
    callbackId: claimed.callbackId,
    await: Effect.flatMap(completed(claimed, options), (text) => answer(claimed, options, text))
  }))

/** An operation that the service knows by an id of its own. */
interface OpenClaim extends Claim {
  readonly callbackId: string
}

/** Claims a callback and has it created. `path` is where it stands for people, unless that is its own place. */
const opened = Effect.fnUntraced(function* (
  name: string,
  options: CallbackOptions,
  path?: string
): Effect.fn.Return<OpenClaim, CallbackTimedOut, Execution> {
  const own = yield* claim({ type: "CALLBACK", subType: "Callback", name })
  const claimed = path === undefined ? own : { ...own, path }
  if (claimed.record === undefined) {
    const CallbackOptions = yield* timeoutsOf(claimed, options)
    yield* recordChange(claimed, { Action: "START", CallbackOptions })
  } else {
    yield* Effect.yieldNow
  }
  const callbackId = claimed.run.journal.get(claimed.id)?.CallbackDetails?.CallbackId
  if (callbackId !== undefined) return { ...claimed, callbackId }
  return yield* Effect.die(
    new StoreRejected({
      operation: claimed.path,
      message:
        `Expected an id for the callback "${claimed.path}" in the answer of the service, found none, so nobody could complete it. ` +
        "Check the CheckpointStore, if it is one of your own, and start the execution again."
    })
  )
})

const timeoutsOf = Effect.fnUntraced(function* (
  claimed: Claim,
  { heartbeatTimeout, timeout }: CallbackOptions
): Effect.fn.Return<{ readonly TimeoutSeconds?: number; readonly HeartbeatTimeoutSeconds?: number }, CallbackTimedOut> {
  const heartbeat = heartbeatTimeout === undefined ? undefined : yield* durableSeconds(claimed.path, heartbeatTimeout)
  const total = timeout === undefined ? undefined : yield* secondsLeft(claimed, timeout)
  if (timeout !== undefined && total === undefined) {
    return yield* new CallbackTimedOut({ operation: claimed.path, reason: "timeout" })
  }
  return {
    ...(total === undefined ? undefined : { TimeoutSeconds: total }),
    ...(heartbeat === undefined ? undefined : { HeartbeatTimeoutSeconds: heartbeat })
  }
})

/** The text that a callback was completed with. It waits for that as often as it is asked to. */
const completed = (
  claimed: OpenClaim,
  options: CallbackOptions
): Effect.Effect<string | undefined, unknown, Execution> =>
  Effect.flatMap(
    // The context that waits may be another than that of the callback.
    inWorkflow(claimed.name, ({ context }) => Effect.succeed(context)),
    Effect.fnUntraced(function* (context) {
      const known = claimed.run.journal.get(claimed.id)
      if (known !== undefined && isFinal(known)) yield* Effect.yieldNow
      const record = yield* claimed.run.waitFor(claimed)
      context.noteOutcome(record.EndTimestamp)
      return record.Status === "SUCCEEDED"
        ? record.CallbackDetails?.Result
        : yield* Effect.flatMap(failureOf(claimed, options, record), Effect.fail)
    })
  )

const failureOf = Effect.fnUntraced(function* (claimed: Claim, options: CallbackOptions, record: Operation) {
  const error = record.CallbackDetails?.Error ?? {}
  if (record.Status === "TIMED_OUT") {
    const reason = error.ErrorType === "Callback.Heartbeat" ? "heartbeat" : "timeout"
    return new CallbackTimedOut({ operation: claimed.path, reason })
  }
  const declared = yield* declaredError(claimed, options, error)
  if (declared !== undefined) return declared.error
  return new CallbackFailed({
    operation: claimed.path,
    ...reported(error, record.Status),
    ...(error.ErrorData === undefined ? undefined : { errorData: error.ErrorData }),
    ...(error.StackTrace === undefined ? undefined : { stackTrace: error.StackTrace })
  })
})

/** What was sent, as those see it who wait: text, unless the options say how to read it. */
const answer = (claimed: Claim, options: CallbackOptions, text: string | undefined): Effect.Effect<unknown> =>
  options.success === undefined && options.serdes === undefined
    ? Effect.succeed(text ?? "")
    : Effect.catchDefect(inPlainJson(readValue(claimed, "result", options, text)), (defect) =>
        Effect.die(
          defect instanceof SerdesFailed && options.serdes === undefined
            ? new SerdesFailed({
                operation: defect.operation,
                message:
                  `${defect.message.replace(/\.$/, "")}. Whoever completes the callback has to send JSON that its success Schema reads; ` +
                  "without that Schema the answer is the text as it was sent."
              })
            : defect
        )
      )

const reported = ({ ErrorMessage: message, ErrorType: type }: ErrorObject, status: string) => ({
  ...(type === undefined ? (status === "FAILED" ? undefined : { errorType: status }) : { errorType: type }),
  ...(message === undefined ? undefined : { errorMessage: message })
})

/** The sender's failure as an error that the callback declares, if it is one of those. */
const declaredError = (claimed: Claim, options: CallbackOptions, { ErrorData: data, ErrorType: type }: ErrorObject) =>
  data === undefined || options.error === undefined
    ? Effect.succeed(undefined)
    : Effect.map(Effect.exit(inPlainJson(readValue(claimed, "error", { success: options.error }, data))), (exit) =>
        Exit.isSuccess(exit) && isRecordedAs(exit.value, type) ? { error: exit.value } : undefined
      )

// --- With a submitter ------------------------------------------------------------------------------------------------

export interface SubmittedOptions extends CallbackOptions {
  readonly retry?: RetryPolicy<never> | undefined
}

/**
 * What is recorded is the text that was sent, so that a Schema or a codec only has to read it, and reads the same live and
 * on replay.
 */
export const waitForCallback = (
  name: string,
  submit: (callbackId: string) => Body,
  { retry, ...options }: SubmittedOptions
): Body =>
  Effect.flatMap(
    claim({ type: "CONTEXT", subType: "WaitForCallback", name }),
    Effect.fnUntraced(function* (claimed) {
      // A time-out that has passed already fails here, before anything is recorded.
      if (claimed.record === undefined) yield* timeoutsOf(claimed, options)
      const text = yield* recorded(
        claimed,
        { error: options.error },
        {
          body: (context) =>
            inContext(
              claimed,
              context,
              Effect.gen(function* () {
                const callback = yield* opened(name, options, claimed.path)
                yield* submitted(
                  claimed,
                  Effect.suspend(() => submit(callback.callbackId)),
                  retry
                )
                return yield* completed(callback, options)
              })
            )
        }
      )
      return yield* answer(claimed, options, typeof text === "string" ? text : undefined)
    })
  )

/** Tells somebody of the callback. Whatever that fails with for good, those who wait for the callback learn as one error. */
const submitted = (claimed: Claim, submit: Body, retry: RetryPolicy<never> | undefined): Body =>
  Effect.catchCause(step("submit", Effect.asVoid(submit), { retry, isOpaque: true }), (cause) => {
    const defect = cause.reasons.find(Cause.isDieReason)?.defect
    if (defect === undefined || isOwnMistake(defect)) return Effect.failCause(cause)
    return Effect.fail(
      new CallbackSubmitFailed({ operation: claimed.path, ...reported(defectObject(defect), "FAILED") })
    )
  })
