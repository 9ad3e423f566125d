/**
 * Every error that this library raises itself, as tagged errors that survive a checkpoint.
 *
 * There are two families. **Operation errors** ({@link OperationError}) are outcomes that a workflow may handle: they
 * arrive in the error channel, need no declaring, and cross every boundary (child, batch, race, execution) as
 * themselves. **Mistakes** ({@link Mistake}) are faults of the program, its configuration or its data: they are carried
 * as defects and end the execution under their own ErrorType unless somebody catches the defect.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

export { EffectError } from "./EffectError.ts"

const optionalText = Schema.optionalKey(Schema.String)

/**
 * What the service said about a chained invoke that did not succeed: the callee's error as it crossed the wire.
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

/** Advice for failures that are caused by the deployment and not by the callee's code. */
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
 * A step was started by an earlier invocation that ended before the outcome was recorded, so whether its effect happened is
 * unknown: once for an at-most-once step, and `maxInterruptions` times in a row for any other.
 *
 * `interruptions` is how often it was cut off in a row, if that was more than once or the end of it.
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
 * The invoked function failed, and the failure is not one of the errors that its contract declares.
 *
 * `status` is the state of the operation on the wire (`FAILED`, or `CANCELLED`, or one that this version does not
 * know); the other fields hold the raw error object.
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
 * The invoked function did not answer in time.
 *
 * `source` is `"caller"` when the `timeout` of the invoke passed, in which case the callee may still be running, and
 * `"service"` when the callee itself reached its time-out.
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
      ? `The function ${this.function}, invoked by "${this.operation}", did not answer before the time-out of the invoke. It may still be running: nothing stops it.`
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
 * The three ways in which an invoke fails, apart from the errors that the callee's contract declares.
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
 * The callback was completed with a failure that is not one of the errors that it declares.
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
 * Nobody completed the callback in time.
 *
 * `reason` says whether its `timeout` or its `heartbeatTimeout` passed.
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
      ? `Nobody completed the callback "${this.operation}" before its time-out. An answer that comes now is refused; ask again with a new callback if it is still needed.`
      : `The callback "${this.operation}" got no heartbeat, and was not completed, before its heartbeat time-out. Whoever works on it has to send heartbeats more often than that, or has died.`
  }
}

/**
 * The submitter of a `Durable.waitForCallback` failed for good, so the id of the callback may have reached nobody.
 *
 * The other fields say what the submitter failed with.
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
    return `The submitter of the callback "${this.operation}" failed: ${because(this)}. Nobody may know of the callback: give the submitter a retry policy, or handle this error.`
  }
}

/**
 * The condition of a `Durable.waitForCondition` did not hold after the last of its attempts.
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
 * The effect of a `Durable.timeout` did not end in time. What it started may go on: an invoked function is not stopped.
 *
 * @category operation errors
 * @since 0.1.0
 */
export class DurableTimeout extends Schema.TaggedError<DurableTimeout>()("DurableTimeout", {
  operation: Schema.String
}) {
  override get message(): string {
    return `"${this.operation}" did not end before its time-out. What it started outside may go on: an invoked function is not stopped.`
  }
}

/**
 * The completion policy of a batch ended it as failed although none of its items had failed.
 *
 * @category operation errors
 * @since 0.1.0
 */
export class BatchFailed extends Schema.TaggedError<BatchFailed>()("BatchFailed", {
  operation: Schema.String,
  completionReason: Schema.String
}) {
  override get message(): string {
    return `The completion policy of "${this.operation}" ended the batch as failed (${this.completionReason}). Look at its items, or let the policy end it otherwise.`
  }
}

/**
 * Every operation error: what an operation may add to the error channel by itself.
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
 * The code asks for something that contradicts the recorded history, or no longer asks for something that is in it. It is
 * found before any new effect runs, and cannot be caught.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class NonDeterministic extends Schema.TaggedError<NonDeterministic>()("NonDeterministic", mistakeFields) {}

/**
 * Two fibers use the same operation name in one context, and one of them gets there after work that no operation records,
 * such as a promise, so that the identity of the operations would depend on timing.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class NameInUse extends Schema.TaggedError<NameInUse>()("NameInUse", mistakeFields) {}

/**
 * The execution can never go on: the fibers of the workflow wait for each other and no operation is open, or a loop never
 * waits. It cannot be caught.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class Stuck extends Schema.TaggedError<Stuck>()("Stuck", mistakeFields) {}

/**
 * An operation's name is not 1 to 256 characters of printable ASCII.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class InvalidName extends Schema.TaggedError<InvalidName>()("InvalidName", mistakeFields) {}

/**
 * A durable duration is not between 1 second and 366 days.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class InvalidDuration extends Schema.TaggedError<InvalidDuration>()("InvalidDuration", mistakeFields) {}

/**
 * An option of an operation is not what it has to be, such as a concurrency of 0.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class InvalidOptions extends Schema.TaggedError<InvalidOptions>()("InvalidOptions", mistakeFields) {}

/**
 * The payload of an execution does not fit the contract of its function.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class InvalidPayload extends Schema.TaggedError<InvalidPayload>()("InvalidPayload", mistakeFields) {}

/**
 * The address of a function cannot be invoked: malformed, or a durable function without version or alias.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class InvalidTarget extends Schema.TaggedError<InvalidTarget>()("InvalidTarget", mistakeFields) {}

/**
 * A tenant id is not 1 to 256 of the characters that Lambda allows.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class InvalidTenantId extends Schema.TaggedError<InvalidTenantId>()("InvalidTenantId", mistakeFields) {}

/**
 * A value is larger than the service accepts. `bytes` and `limit` are bytes of UTF-8.
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
 * The execution reached a limit that is not the size of one value: one of the service, or the `maxOperations` of its handler.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class LimitExceeded extends Schema.TaggedError<LimitExceeded>()("LimitExceeded", {
  ...mistakeFields,
  limit: Schema.Int
}) {}

/**
 * A value cannot be written to, or read from, a checkpoint.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class SerdesFailed extends Schema.TaggedError<SerdesFailed>()("SerdesFailed", mistakeFields) {}

/**
 * A durable operation was used inside the body of a step, where it cannot be recorded.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class NestedOperation extends Schema.TaggedError<NestedOperation>()("NestedOperation", mistakeFields) {}

/**
 * A fiber asks for an operation of a context that has ended, where nothing can be recorded any more.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class ContextEnded extends Schema.TaggedError<ContextEnded>()("ContextEnded", mistakeFields) {}

/**
 * A step, a child or the whole workflow ended by interrupting itself.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class Interrupted extends Schema.TaggedError<Interrupted>()("Interrupted", mistakeFields) {}

/**
 * The service refused a checkpoint or the state of the execution for good.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class StoreRejected extends Schema.TaggedError<StoreRejected>()("StoreRejected", mistakeFields) {}

/**
 * The layer of a handler cannot be built, because a value that its `Config` asks for is missing or malformed. Building it
 * again changes nothing, so the execution ends; what a value is never stands in the message.
 *
 * @category mistakes
 * @since 0.1.0
 */
export class InvalidConfiguration extends Schema.TaggedError<InvalidConfiguration>()(
  "InvalidConfiguration",
  mistakeFields
) {}

/**
 * Every mistake: what ends an execution as a defect under its own ErrorType.
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
 * This invocation ends without an outcome, and the service will invoke the function again.
 *
 * It is never recorded: the handler throws it. `reason` says whether the invocation lost its ownership of the execution
 * (`"stale-token"`), could not reach the service (`"store-unavailable"`), ran out of time (`"deadline"`), was interrupted
 * from outside (`"interrupted"`), could not write or read a value for now (`"serdes"`), was configured to retry on a contradiction
 * or a stuck workflow (`"non-deterministic"`), waited too long for work that no operation records (`"outside"`), has no
 * configuration to run with (`"configuration"`), or came to a handler that was disposed (`"disposed"`).
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
