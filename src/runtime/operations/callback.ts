/**
 * Callback: wait for somebody outside to complete an operation, by an id that the service makes.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { CallbackFailed, CallbackSubmitFailed, CallbackTimedOut, StoreRejected } from "../../DurableError.ts"
import type { RetryPolicy } from "../../RetryPolicy.ts"
import * as Serdes from "../../Serdes.ts"
import type { ErrorObject } from "../../wire/ErrorObject.ts"
import type { Operation } from "../../wire/Operation.ts"
import { claim, inWorkflow, record as recordChange, type Claim } from "../Execution.ts"
import { isFinal } from "../Journal.ts"
import { defectObject, isOwnMistake, isRecordedAs, readValue } from "../Outcome.ts"
import type { Recording } from "../Recording.ts"
import { inContext, recorded } from "./child.ts"
import { step } from "./step.ts"
import { secondsLeft, type Timeout } from "./wait.ts"

type Body = Effect.Effect<unknown, unknown, unknown>

export interface CallbackOptions extends Recording {
  readonly timeout?: Timeout | undefined
  readonly heartbeatTimeout?: Timeout | undefined
}

/** An open callback: the id for those who complete it, and how to wait for that. */
export interface Opened {
  readonly callbackId: string
  readonly await: Body
}

export const callback = (name: string, options: CallbackOptions): Effect.Effect<Opened, CallbackTimedOut, unknown> =>
  Effect.flatMap(
    claim({ type: "CALLBACK", subType: "Callback", name }),
    Effect.fnUntraced(function* (claimed) {
      if (claimed.record === undefined) {
        const CallbackOptions = yield* timeoutsOf(claimed, options)
        yield* recordChange(claimed, { Action: "START", CallbackOptions })
      } else {
        yield* Effect.yieldNow
      }
      const callbackId = claimed.run.journal.get(claimed.id)?.CallbackDetails?.CallbackId
      return callbackId === undefined
        ? yield* Effect.die(
            new StoreRejected({
              operation: claimed.path,
              message: `The service accepted the callback "${claimed.path}" without giving it an id, so nobody could complete it.`
            })
          )
        : { callbackId, await: outcome(claimed, options) }
    })
  )

const timeoutsOf = Effect.fnUntraced(function* (
  claimed: Claim,
  { heartbeatTimeout, timeout }: CallbackOptions
): Effect.fn.Return<{ readonly TimeoutSeconds?: number; readonly HeartbeatTimeoutSeconds?: number }, CallbackTimedOut> {
  const seconds = Effect.fnUntraced(function* (limit: Timeout | undefined, reason: CallbackTimedOut["reason"]) {
    if (limit === undefined) return undefined
    const left = yield* secondsLeft(claimed, limit)
    return left ?? (yield* new CallbackTimedOut({ operation: claimed.path, reason }))
  })
  const total = yield* seconds(timeout, "timeout")
  const heartbeat = yield* seconds(heartbeatTimeout, "heartbeat")
  return {
    ...(total === undefined ? undefined : { TimeoutSeconds: total }),
    ...(heartbeat === undefined ? undefined : { HeartbeatTimeoutSeconds: heartbeat })
  }
})

/** Waits for the outcome, as often as it is asked for. */
const outcome = (claimed: Claim, options: CallbackOptions): Body =>
  Effect.flatMap(
    inWorkflow(claimed.name, () => Effect.void),
    Effect.fnUntraced(function* () {
      const known = claimed.run.journal.get(claimed.id)
      if (known !== undefined && isFinal(known)) yield* Effect.yieldNow
      return yield* read(claimed, options, yield* claimed.run.waitFor(claimed))
    })
  )

const read = Effect.fnUntraced(function* (
  claimed: Claim,
  options: CallbackOptions,
  record: Operation
): Effect.fn.Return<unknown, unknown> {
  const { Error: error = {}, Result: text } = record.CallbackDetails ?? {}
  switch (record.Status) {
    case "SUCCEEDED":
      return options.success === undefined && options.serdes === undefined
        ? (text ?? "")
        : yield* fromOutside(readValue(claimed, "result", options, text))
    case "TIMED_OUT":
      return yield* new CallbackTimedOut({
        operation: claimed.path,
        reason: error.ErrorType === "Callback.Heartbeat" ? "heartbeat" : "timeout"
      })
    default: {
      const declared = yield* declaredError(claimed, options, error)
      if (declared !== undefined) return yield* Effect.fail(declared.error)
      return yield* new CallbackFailed({
        operation: claimed.path,
        ...reported(error, record.Status),
        ...(error.ErrorData === undefined ? undefined : { errorData: error.ErrorData }),
        ...(error.StackTrace === undefined ? undefined : { stackTrace: error.StackTrace })
      })
    }
  }
})

/** Those outside write plain JSON, whatever the format of the execution is. */
const fromOutside = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.provideService(effect, Serdes.Serdes, Serdes.json)

const reported = ({ ErrorMessage: message, ErrorType: type }: ErrorObject, status: string) => ({
  ...(type === undefined ? (status === "FAILED" ? undefined : { errorType: status }) : { errorType: type }),
  ...(message === undefined ? undefined : { errorMessage: message })
})

/** The sender's failure as an error that the callback declares, if it is one of those. */
const declaredError = (claimed: Claim, options: CallbackOptions, { ErrorData: data, ErrorType: type }: ErrorObject) =>
  data === undefined || options.error === undefined
    ? Effect.succeed(undefined)
    : Effect.map(Effect.exit(fromOutside(readValue(claimed, "error", { success: options.error }, data))), (exit) =>
        Exit.isSuccess(exit) && isRecordedAs(exit.value, type) ? { error: exit.value } : undefined
      )

// --- With a submitter ------------------------------------------------------------------------------------------------

export interface SubmittedOptions extends CallbackOptions {
  readonly retry?: RetryPolicy<never> | undefined
}

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
      return yield* recorded(claimed, options, {
        body: (context) =>
          inContext(
            claimed,
            context,
            Effect.gen(function* () {
              const opened = yield* callback(name, options)
              yield* submitted(
                claimed,
                Effect.suspend(() => submit(opened.callbackId)),
                retry
              )
              return yield* opened.await
            })
          )
      })
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
