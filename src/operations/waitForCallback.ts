/**
 * Wait for a callback: creates it, passes its id on in a step, and waits for the answer, as one operation.
 *
 * Owns: the order of the three parts, and the effect of a final failure of the submitter on the operation.
 * Does not own: callbacks, steps and contexts, of which it consists.
 *
 * Invariants:
 * 1. A deadline that has passed already fails before anything is recorded.
 * 2. The sent text is recorded, so that a Schema or a codec only reads it, and reads the same on the first run and on a
 *    replay.
 * 3. An answer is visible only when the submitter has ended.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import { CallbackSubmitFailed, type CallbackFailed, type CallbackTimedOut } from "../DurableError.ts"
import type { Claim, Kind } from "../execution/Claim.ts"
import type { Execution } from "../execution/Parts.ts"
import type { FromArguments, NoOtherOptions, RecordServices } from "../Plain.ts"
import type { RetryPolicy } from "../RetryPolicy.ts"
import type { StepContext } from "../StepContext.ts"
import { defectObject, inPlainJson, isOwnMistake } from "../values/Failures.ts"
import { effectIn, unfit } from "./argument.ts"
import {
  answer,
  completed,
  created,
  reported,
  timeoutsOf,
  type Answer,
  type AnswerError,
  type AnswerServices,
  type AnswerValue,
  type CallbackOptions,
  type CallbackRules,
  type NoOptions
} from "./callback.ts"
import { context, inNamespace } from "./child.ts"
import { claimByName, inWorkflow, type Body } from "./Operation.ts"
import { untypedStep } from "./step.ts"
import { whenKnown } from "./wait.ts"
import { typed, type InsideStep } from "./typed.ts"

/**
 * The options of a {@link waitForCallback}, except those for reading the answer.
 *
 * @category models
 * @since 0.1.0
 */
export interface WaitForCallbackOptions<E> extends CallbackOptions {
  /**
   * When a failed attempt to submit is repeated: a `RetryPolicy`, which sees the original errors of the submitter. The
   * time-outs count from the creation of the callback and continue meanwhile. Default: as for a `Durable.step`.
   */
  readonly retry?: RetryPolicy<E> | undefined
}

/**
 * Creates a callback, passes its id on in a step, and waits for the answer.
 *
 * `submit` is the body of a step: it takes the id of the callback and may use any service. If its last attempt fails, the
 * operation fails with `CallbackSubmitFailed`, even if there is an answer already. The service keeps an answer that comes
 * before the submitter has ended. The operation costs three operations and one for each further attempt to submit.
 *
 * **Errors**: those of the `error` Schema, `CallbackFailed`, `CallbackTimedOut`, `CallbackSubmitFailed`.
 * **Defects**: those of `Durable.callback`.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 *
 * declare const sendMail: (text: string) => Effect.Effect<void>
 *
 * export const approved = Durable.waitForCallback(
 *   "approval",
 *   (callbackId) => sendMail(`Answer at https://example.com/approve?id=${encodeURIComponent(callbackId)}`),
 *   { timeout: "7 days", success: Schema.Boolean }
 * )
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const waitForCallback = <
  E = never,
  R = never,
  const O extends WaitForCallbackOptions<NoInfer<E>> & Answer = NoOptions
>(
  name: string,
  submit: (callbackId: string) => Effect.Effect<unknown, E, R> & InsideStep<R>,
  options?: O & NoOtherOptions<O, WaitForCallbackOptions<E> & Answer>
): Effect.Effect<
  AnswerValue<O>,
  AnswerError<O> | CallbackFailed | CallbackTimedOut | CallbackSubmitFailed,
  | FromArguments<Exclude<R, StepContext>>
  | Execution
  | AnswerServices<O>
  | RecordServices<readonly [Pick<O, keyof O & "error">]>
> => typed(untypedWaitForCallback(name, submit, cast<unknown, SubmittedRules>(options ?? {})))

// --- Implementation ------------------------------------------------------------------------------------------------------

/** The options of a callback with a submitter, without their types. */
interface SubmittedRules extends CallbackRules {
  readonly retry?: RetryPolicy<never> | undefined
}

const kind: Kind = { type: "CONTEXT", subType: "WaitForCallback" }

const untypedWaitForCallback = (
  name: string,
  submit: (callbackId: string) => Body,
  { retry, ...rules }: SubmittedRules
): Body =>
  inWorkflow(name, (execution, fiber) => {
    if (typeof submit !== "function") return unfit(name, "submit", "a function", submit, submitAdvice)
    return whenKnown(rules.timeout, execution, fiber, () => {
      const claim = claimByName(execution, fiber, kind, name)
      const text = context(execution.parts, claim, {
        recording: { error: rules.error },
        prepare: (_, parts) => timeoutsOf(claim, parts, rules, claim.path),
        body: (namespace, parts) =>
          inNamespace(
            parts,
            namespace,
            created(name, rules, claim.path, (open) =>
              Effect.andThen(
                submitted(
                  claim,
                  Effect.suspend(() => effectIn(submit(open.callbackId), name)),
                  retry
                ),
                completed(open, rules, Effect.succeed)
              )
            )
          )
      })
      return Effect.flatMapEager(text, (sent) =>
        claim.converted(answer(inPlainJson(claim), rules, typeof sent === "string" ? sent : undefined))
      )
    })
  })

const submitAdvice = "It takes the id of the callback, and returns an Effect."

/** Passes the id of the callback on. The workflow sees a final failure of the submitter as one error. */
const submitted = (claim: Claim, submit: Body, retry: RetryPolicy<never> | undefined): Body =>
  Effect.catchCause(untypedStep("submit", Effect.asVoid(submit), { retry, isOpaque: true }), (cause) => {
    const defect = cause.reasons.find(Cause.isDieReason)?.defect
    if (defect === undefined || isOwnMistake(defect)) return Effect.failCause(cause)
    return Effect.fail(new CallbackSubmitFailed({ operation: claim.path, ...reported(defectObject(defect), "FAILED") }))
  })
