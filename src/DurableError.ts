/**
 * Every error that this library raises itself, as a tagged error that keeps its type in a checkpoint.
 *
 * There are two families. **Operation errors** ({@link OperationError}) are outcomes that a workflow may handle: they
 * appear in the error channel, need no declaration, and cross every boundary (child, batch, race, execution) unchanged.
 * **Mistakes** ({@link Mistake}) are faults of the program, its configuration or its data: they are defects, and end the
 * execution with their own ErrorType unless the workflow catches the defect. `NonDeterministic`, `Stuck` and
 * `StoreRejected` cannot be caught.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

export { EffectError } from "./EffectError.ts"

const optionalText = Schema.optionalKey(Schema.String)

/**
 * The fields of the error of a chained invoke that did not succeed: the callee's error as the service reported it.
 *
 * `operation` is the path of the invoke, `function` the address that was called.
 */
const invokeFields = {
  operation: Schema.String,
  function: Schema.String,
  errorType: optionalText,
  errorMessage: optionalText,
  errorData: optionalText
}

const because = (error: { readonly errorType?: string; readonly errorMessage?: string }): string => {
  const parts = [error.errorType, error.errorMessage].filter((part) => part !== undefined && part !== "")
  return parts.length === 0 ? "it gave no reason" : parts.join(": ").replace(/\.$/, "")
}

/** The advice for failures that the deployment causes, not the callee's code. */
const adviceFor = (errorType: string | undefined, address: string): string => {
  switch (errorType) {
    case "AccessDeniedException":
    case "AccessDenied":
      return ` Allow lambda:InvokeFunction on ${address} in the role of the calling function; a callee in another account or region cannot be invoked.`
    case "ResourceNotFoundException":
      return ` Check that ${address} exists in this account and region, with this version or alias.`
    case "TooManyRequestsException":
      return " The callee was throttled: raise its concurrency, or wait and invoke it again."
    default:
      return ""
  }
}

/**
 * A step was started, but its invocation ended before the outcome was recorded, so it is unknown whether its effect
 * happened. One such end fails an attempt of an at-most-once step; `maxInterruptions` of them in a row fail any other
 * step. Find out whether the effect happened before you repeat it; give the step more time or memory, or split it.
 *
 * `interruptions` is the number of such ends in a row. It is present when there was more than one, or when the number
 * reached the maximum.
 *
 * @category operation errors
 * @since 0.1.0
 */
export class StepInterrupted extends Schema.TaggedError<StepInterrupted>()("StepInterrupted", {
  operation: Schema.String,
  attempt: Schema.Int,
  interruptions: Schema.optionalKey(Schema.Int)
}) {
  override get message(): string {
    if (this.interruptions !== undefined) {
      const times = this.interruptions === 1 ? "once" : `${this.interruptions} times in a row`
      return `The step "${this.operation}" was cut off ${times}: its invocation ended before the outcome of attempt ${this.attempt} was recorded. Find out whether its effect happened, and give it more time or memory, or split it into smaller steps.`
    }
    return `Attempt ${this.attempt} of the at-most-once step "${this.operation}" was started, and its invocation ended before the outcome was recorded. Find out whether its effect happened before you repeat it.`
  }
}

/**
 * The invoked function failed with an error that its contract does not declare. Declare the error in the contract to
 * receive it typed.
 *
 * `status` is the state of the operation on the wire (`FAILED`, `CANCELLED`, or a state that this version does not know);
 * the other fields hold the raw error object.
 *
 * @category operation errors
 * @since 0.1.0
 */
export class InvokeFailed extends Schema.TaggedError<InvokeFailed>()("InvokeFailed", {
  ...invokeFields,
  status: Schema.String,
  stackTrace: Schema.optionalKey(Schema.Array(Schema.String))
}) {
  override get message(): string {
    return `The function ${this.function}, invoked by "${this.operation}", ended as ${this.status}: ${because(this)}.${adviceFor(this.errorType, this.function)}`
  }
}

/**
 * The invoked function did not answer in time. Nothing stops a callee that may still be running.
 *
 * `source` is `"caller"` when the `timeout` of the invoke passed, and `"service"` when the callee itself reached its
 * time-out. `calleeMayStillRun` is false for the latter, and when the `timeout` had passed before the function was
 * called.
 *
 * @category operation errors
 * @since 0.1.0
 */
export class InvokeTimedOut extends Schema.TaggedError<InvokeTimedOut>()("InvokeTimedOut", {
  ...invokeFields,
  source: Schema.Literals(["caller", "service"]),
  calleeMayStillRun: Schema.Boolean
}) {
  override get message(): string {
    return this.source === "caller"
      ? `The function ${this.function}, invoked by "${this.operation}", did not answer before the time-out of the invoke. ${
          this.calleeMayStillRun
            ? "It may still be running: nothing stops it."
            : "It was not called: the time-out had passed before that."
        }`
      : `The function ${this.function}, invoked by "${this.operation}", reached its own time-out: ${because(this)}.`
  }
}

/**
 * The invoked durable execution was stopped from outside.
 *
 * @category operation errors
 * @since 0.1.0
 */
export class InvokeStopped extends Schema.TaggedError<InvokeStopped>()("InvokeStopped", invokeFields) {
  override get message(): string {
    return `The execution of ${this.function}, invoked by "${this.operation}", was stopped: ${because(this)}.`
  }
}

/**
 * The three errors of an invoke, apart from those that the callee's contract declares.
 *
 * @category operation errors
 * @since 0.1.0
 */
export const InvokeError = Schema.Union([InvokeFailed, InvokeTimedOut, InvokeStopped])

/**
 * @category operation errors
 * @since 0.1.0
 */
export type InvokeError = typeof InvokeError.Type

/**
 * Checks whether a value is one of the three invoke errors.
 *
 * @example
 * ```ts
 * import { Durable, DurableError, DurableFunction } from "effect-durable"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 *
 * class Sold extends Schema.TaggedError<Sold>()("Sold", {}) {}
 *
 * const Reserve = DurableFunction.plain("reserve", { payload: Schema.String, error: Sold })
 *
 * export const reserved = Durable.invoke(Reserve, "seat-7").pipe(
 *   Effect.as("reserved"),
 *   Effect.catchIf(DurableError.isInvokeError, () => Effect.succeed("ask again later"))
 * ) // fails with Sold only
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isInvokeError: (value: unknown) => value is InvokeError = Schema.is(InvokeError)

const reportedFields = { errorType: optionalText, errorMessage: optionalText, errorData: optionalText }

/**
 * The callback was completed with an error that it does not declare. Declare the error in the options of the callback to
 * receive it typed.
 *
 * The other fields hold the error object that was sent.
 *
 * @category operation errors
 * @since 0.1.0
 */
export class CallbackFailed extends Schema.TaggedError<CallbackFailed>()("CallbackFailed", {
  operation: Schema.String,
  ...reportedFields,
  stackTrace: Schema.optionalKey(Schema.Array(Schema.String))
}) {
  override get message(): string {
    return `The callback "${this.operation}" was completed with a failure: ${because(this)}.`
  }
}

/**
 * The callback was not completed in time. A later answer is refused: create a new callback if you still need one.
 *
 * `reason` is `"timeout"` when its `timeout` passed, and `"heartbeat"` when its `heartbeatTimeout` passed.
 *
 * @category operation errors
 * @since 0.1.0
 */
export class CallbackTimedOut extends Schema.TaggedError<CallbackTimedOut>()("CallbackTimedOut", {
  operation: Schema.String,
  reason: Schema.Literals(["timeout", "heartbeat"])
}) {
  override get message(): string {
    return this.reason === "timeout"
      ? `The callback "${this.operation}" was not completed before its time-out. An answer that comes now is refused; ask again with a new callback if it is still needed.`
      : `The callback "${this.operation}" got no heartbeat, and was not completed, before its heartbeat time-out. The worker must send heartbeats more often, or has died.`
  }
}

/**
 * The submitter of a `Durable.waitForCallback` failed for good, so the callback id may have reached no other system. Give
 * the submitter a retry policy, or handle this error.
 *
 * The other fields hold the type and the message of the submitter's error.
 *
 * @category operation errors
 * @since 0.1.0
 */
export class CallbackSubmitFailed extends Schema.TaggedError<CallbackSubmitFailed>()("CallbackSubmitFailed", {
  operation: Schema.String,
  errorType: optionalText,
  errorMessage: optionalText
}) {
  override get message(): string {
    return `The submitter of the callback "${this.operation}" failed: ${because(this)}. No other system may know of the callback: give the submitter a retry policy, or handle this error.`
  }
}

/**
 * The condition of a `Durable.waitForCondition` did not hold after the last attempt. Raise `maxAttempts` or the delay if
 * it needs more time.
 *
 * @category operation errors
 * @since 0.1.0
 */
export class ConditionExhausted extends Schema.TaggedError<ConditionExhausted>()("ConditionExhausted", {
  operation: Schema.String,
  attempts: Schema.Int
}) {
  override get message(): string {
    return `The condition of "${this.operation}" did not hold after ${this.attempts} ${this.attempts === 1 ? "attempt" : "attempts"}. Raise maxAttempts or the delay if it needs more time.`
  }
}

/**
 * The effect of a `Durable.timeout` did not end in time. Work that it started outside may continue: an invoked function
 * is not stopped.
 *
 * @category operation errors
 * @since 0.1.0
 */
export class DurableTimeout extends Schema.TaggedError<DurableTimeout>()("DurableTimeout", {
  operation: Schema.String
}) {
  override get message(): string {
    return `"${this.operation}" did not end before its time-out. Work that it started outside the workflow may continue: an invoked function is not stopped.`
  }
}

/**
 * The completion policy of a batch ended it as failed although no item had failed. Inspect the items, or change the
 * policy.
 *
 * @category operation errors
 * @since 0.1.0
 */
export class BatchFailed extends Schema.TaggedError<BatchFailed>()("BatchFailed", {
  operation: Schema.String,
  completionReason: Schema.String
}) {
  override get message(): string {
    return `The completion policy of "${this.operation}" ended the batch as failed (${this.completionReason}). Look at its items, or change the policy.`
  }
}

/**
 * All operation errors: the errors that an operation itself may add to the error channel.
 *
 * @category operation errors
 * @since 0.1.0
 */
export const OperationError = Schema.Union([
  StepInterrupted,
  InvokeFailed,
  InvokeTimedOut,
  InvokeStopped,
  CallbackFailed,
  CallbackTimedOut,
  CallbackSubmitFailed,
  ConditionExhausted,
  DurableTimeout,
  BatchFailed
])

/**
 * @category operation errors
 * @since 0.1.0
 */
export type OperationError = typeof OperationError.Type

const mistakeFields = { operation: Schema.String, message: Schema.String }

/**
 * The code asks for an operation that contradicts the recorded history, or no longer asks for a recorded one. The library
 * detects this before any new effect runs, and it cannot be caught. Keep an execution on the version on which it began,
 * or guard the change with `Durable.patched`.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class NonDeterministic extends Schema.TaggedError<NonDeterministic>()("NonDeterministic", mistakeFields) {}

/**
 * Two fibers use the same operation name in one context, and one of them uses it after work that no operation records,
 * such as a promise. The identity of the operations would then depend on timing. Put the work into a step, or give each
 * fiber its own names or its own context.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class NameInUse extends Schema.TaggedError<NameInUse>()("NameInUse", mistakeFields) {}

/**
 * The execution can never continue: the fibers of the workflow wait for each other while no operation is open, or a loop
 * never waits. It cannot be caught.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class Stuck extends Schema.TaggedError<Stuck>()("Stuck", mistakeFields) {}

/**
 * The name of an operation is not 1 to 256 characters of printable ASCII.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class InvalidName extends Schema.TaggedError<InvalidName>()("InvalidName", mistakeFields) {}

/**
 * A duration is outside of the range of its operation: 1 second to 366 days for waits and time-outs, finite and not
 * negative for the delay of a condition. Or an execution waits for nothing but a sleep of more than 366 days.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class InvalidDuration extends Schema.TaggedError<InvalidDuration>()("InvalidDuration", mistakeFields) {}

/**
 * An option or an argument of an operation is invalid, such as a concurrency of 0, or a function in place of an effect. The
 * message states what is expected.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class InvalidOptions extends Schema.TaggedError<InvalidOptions>()("InvalidOptions", mistakeFields) {}

/**
 * The payload with which an execution was started does not fit the contract of its function.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class InvalidPayload extends Schema.TaggedError<InvalidPayload>()("InvalidPayload", mistakeFields) {}

/**
 * The address of a function cannot be invoked: it is malformed, or it is that of a durable function and lacks a version
 * or an alias. Correct it in `Targets` or in the contract.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class InvalidTarget extends Schema.TaggedError<InvalidTarget>()("InvalidTarget", mistakeFields) {}

/**
 * A tenant id is not 1 to 256 of the characters that Lambda allows: letters, digits, spaces and `. _ : / = + - @`.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class InvalidTenantId extends Schema.TaggedError<InvalidTenantId>()("InvalidTenantId", mistakeFields) {}

/**
 * A value is larger than the service accepts. `bytes` and `limit` are bytes of UTF-8. Keep large values elsewhere, and
 * record a reference.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class PayloadTooLarge extends Schema.TaggedError<PayloadTooLarge>()("PayloadTooLarge", {
  ...mistakeFields,
  bytes: Schema.Int,
  limit: Schema.Int
}) {}

/**
 * The execution reached a limit other than the size of one value: a limit of the service, or the `maxOperations` of its
 * handler.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class LimitExceeded extends Schema.TaggedError<LimitExceeded>()("LimitExceeded", {
  ...mistakeFields,
  limit: Schema.Int
}) {}

/**
 * A value cannot be written to a checkpoint, or read from one.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class SerdesFailed extends Schema.TaggedError<SerdesFailed>()("SerdesFailed", mistakeFields) {}

/**
 * The body of a step, a codec or a retry policy uses a durable operation, which cannot be recorded there. Move the operation
 * out of it; a `Durable.child` may have operations inside.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class NestedOperation extends Schema.TaggedError<NestedOperation>()("NestedOperation", mistakeFields) {}

/**
 * A fiber asks for an operation in a context that has ended and records nothing any more.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class ContextEnded extends Schema.TaggedError<ContextEnded>()("ContextEnded", mistakeFields) {}

/**
 * A step, a child or the whole workflow ended because it interrupted itself.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class Interrupted extends Schema.TaggedError<Interrupted>()("Interrupted", mistakeFields) {}

/**
 * The service refused a checkpoint, or a request for the state of the execution, for good. It cannot be caught.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class StoreRejected extends Schema.TaggedError<StoreRejected>()("StoreRejected", mistakeFields) {}

/**
 * The layer of a handler cannot be built, because a value that its `Config` requires is missing or malformed. Another
 * attempt would change nothing, so the execution ends. The message never contains the value.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class InvalidConfiguration extends Schema.TaggedError<InvalidConfiguration>()(
  "InvalidConfiguration",
  mistakeFields
) {}

/**
 * All mistakes: the defects that end an execution with their own ErrorType.
 *
 * @category mistakes
 * @since 0.1.0
 */
export const Mistake = Schema.Union([
  NonDeterministic,
  NameInUse,
  Stuck,
  InvalidName,
  InvalidDuration,
  InvalidOptions,
  InvalidPayload,
  InvalidTarget,
  InvalidTenantId,
  PayloadTooLarge,
  LimitExceeded,
  SerdesFailed,
  NestedOperation,
  ContextEnded,
  Interrupted,
  StoreRejected,
  InvalidConfiguration
])

/**
 * @category mistakes
 * @since 0.1.0
 */
export type Mistake = typeof Mistake.Type

/**
 * The invocation ended without an outcome, and the service invokes the function again.
 *
 * The handler throws this error, which is never recorded. `reason` is the cause:
 *
 * - `"stale-token"`: the invocation lost its ownership of the execution.
 * - `"store-unavailable"`: it could not reach the service.
 * - `"deadline"`: it ran out of time.
 * - `"interrupted"`: it was interrupted from outside.
 * - `"serdes"`: it could not write or read a value for now.
 * - `"non-deterministic"`: it is configured to retry on a contradiction or a stuck workflow.
 * - `"outside"`: it waited too long for work that no operation records.
 * - `"configuration"`: the configuration that it needs is missing or malformed.
 * - `"disposed"`: its handler was disposed.
 *
 * @category invocation errors
 * @since 0.1.0
 */
export class InvocationFailed extends Schema.TaggedError<InvocationFailed>()("InvocationFailed", {
  reason: Schema.Literals([
    "stale-token",
    "store-unavailable",
    "deadline",
    "interrupted",
    "serdes",
    "non-deterministic",
    "outside",
    "configuration",
    "disposed"
  ]),
  message: Schema.String
}) {}
