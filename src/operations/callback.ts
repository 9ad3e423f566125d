/**
 * Callback: waits until an external system completes the operation, by an id that the service creates.
 *
 * Owns: how a callback is created, and how its answer or its failure is read.
 * Does not own: how the id is passed on, which `waitForCallback` does.
 *
 * Invariants:
 * 1. The fiber that creates a callback continues when the service has created the id. In the order of outcomes this counts
 *    at the time at which the record began. The completion is a separate outcome for any number of fibers, in any namespace,
 *    that wait for it.
 * 2. A deadline that has passed already fails before anything is recorded.
 * 3. An answer is plain JSON or text regardless of the format of the environment, because an external system wrote it. It is
 *    read with the services of the fiber that waits.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import type * as Schema from "effect/Schema"
import { CallbackFailed, CallbackTimedOut, SerdesFailed, StoreRejected } from "../DurableError.ts"
import { isFinal, type Claim, type Kind } from "../execution/Claim.ts"
import * as Contradiction from "../execution/Contradiction.ts"
import type { Execution, Parts } from "../execution/Parts.ts"
import { isFinalizing } from "../execution/References.ts"
import { catchDefectEager, exitOf } from "../internal/effect.ts"
import type { NoOtherOptions, SchemaIn } from "../Plain.ts"
import type * as Serdes from "../Serdes.ts"
import { inPlainJson } from "../values/Failures.ts"
import { readValue, type Conversion, type Recording, type Subject } from "../values/Values.ts"
import type { ErrorObject } from "../wire/ErrorObject.ts"
import type { Operation } from "../wire/Operation.ts"
import type { OperationUpdate } from "../wire/OperationUpdate.ts"
import { declaredError } from "./declared.ts"
import { begin, claimByName, inWorkflow, type Body, type Leaf } from "./Operation.ts"
import { typed, type Timeout } from "./typed.ts"
import { durableSeconds, secondsLeft, whenKnown } from "./wait.ts"

/**
 * The time-outs of a callback.
 *
 * @category models
 * @since 0.1.0
 */
export interface CallbackOptions {
  /**
   * The time-out for the completion: 1 second to 366 days, rounded up to whole seconds; or a point in time, a `Date` or a
   * `DateTime`. Default: as long as the execution.
   */
  readonly timeout?: Timeout | undefined
  /**
   * The time-out from one heartbeat to the next, and to the first: 1 second to 366 days, rounded up to whole seconds. A
   * heartbeat does not extend the `timeout`. Default: no heartbeat is needed.
   */
  readonly heartbeatTimeout?: Duration.Input | undefined
}

/**
 * An open callback. Pass `callbackId` to the system that completes it; `await` waits for the completion and may run any
 * number of times.
 *
 * @category models
 * @since 0.1.0
 */
export interface Callback<out A, out E = never, out R = never> {
  /** The id that the service created. Keep it secret: any holder of the id may complete the callback. */
  readonly callbackId: string
  readonly await: Effect.Effect<A, E | CallbackFailed | CallbackTimedOut, R | Execution>
}

/** How the answer to a callback is read: by a codec, by a Schema, or as text. */
export interface Answer {
  /** The Schema that reads the answer from its JSON. Default: the text as it was sent. */
  readonly success?: Schema.Top
  /**
   * The Schema of the declared failures, which arrive with their types. It reads the JSON of their ErrorData. Default:
   * all failures are `CallbackFailed`.
   */
  readonly error?: Schema.Top
  /** A `Serdes.Reader` that reads the answer in place of `success`. */
  readonly successSerdes?: Serdes.Reader<unknown, unknown>
}

export interface NoOptions {
  readonly timeout?: never
}

/**
 * The type of the answer to a callback, derived from the options.
 *
 * @category models
 * @since 0.1.0
 */
// The Schema is inferred as a whole and inspected afterwards, because the compiler infers nothing from a type parameter.
export type AnswerValue<O> = O extends {
  readonly successSerdes: { readonly deserialize: (...args: never) => infer Read }
}
  ? Read extends Effect.Effect<infer A, unknown, unknown>
    ? A
    : never
  : O extends { readonly success: infer S extends Schema.Top }
    ? S["Type"]
    : string | SchemaIn<O, "success">["Type"]

/**
 * The errors with which a callback may fail, derived from the options.
 *
 * @category models
 * @since 0.1.0
 */
export type AnswerError<O> = SchemaIn<O, "error">["Type"]

/**
 * The services for reading the answer to a callback, derived from the options.
 *
 * @category models
 * @since 0.1.0
 */
export type AnswerServices<O> =
  | (O extends {
      readonly successSerdes: { readonly deserialize: (...args: never) => Effect.Effect<unknown, unknown, infer R> }
    }
      ? R
      : SchemaIn<O, "success">["DecodingServices"])
  | SchemaIn<O, "error">["DecodingServices"]

/** The error of creating a callback whose deadline may have passed. */
type DeadlineError<O> =
  Extract<O extends { readonly timeout?: infer T } ? T : never, Date | DateTime.DateTime> extends infer Deadline
    ? [Deadline] extends [never]
      ? never
      : CallbackTimedOut
    : never

/**
 * Creates a callback: an operation that an external system completes, with an id that the service creates.
 *
 * The answer is the text as it was sent, or with `success` the JSON value that the Schema reads from it. A failure
 * whose data the `error` Schema reads arrives with its type. Complete the callback with `DurableClient.callback`, or
 * from any language with SendDurableExecutionCallbackSuccess and its siblings in the API of AWS Lambda.
 *
 * **Errors** of `await`: those of the `error` Schema, `CallbackFailed`, `CallbackTimedOut`. If the time-out is a point in
 * time, creating the callback can also fail with `CallbackTimedOut`.
 * **Defects**: `SerdesFailed` for an answer that the Schema cannot read, `InvalidDuration`, `InvalidName`, `NameInUse`,
 * `NestedOperation`.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 *
 * export const approved = Effect.gen(function*() {
 *   const approval = yield* Durable.callback("approval", { timeout: "7 days", success: Schema.Boolean })
 *   yield* Durable.step("ask", Effect.log(`please answer, with an id of ${approval.callbackId.length} characters`))
 *   return yield* approval.await
 * })
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const callback = <O extends CallbackOptions & Answer = NoOptions>(
  name: string,
  options?: O & NoOtherOptions<O, CallbackOptions & Answer>
): Effect.Effect<Callback<AnswerValue<O>, AnswerError<O>, AnswerServices<O>>, DeadlineError<O>, Execution> =>
  typed(untypedCallback(name, cast<unknown, CallbackRules>(options ?? {})))

// --- Implementation ------------------------------------------------------------------------------------------------------

/** The options of a callback without their types. */
export interface CallbackRules extends Recording {
  readonly timeout?: Timeout | undefined
  readonly heartbeatTimeout?: Duration.Input | undefined
}

const kind: Kind = { type: "CALLBACK", subType: "Callback" }

const untypedCallback = (name: string, rules: CallbackRules): Body =>
  created(name, rules, undefined, (open) =>
    Effect.succeed({
      callbackId: open.callbackId,
      await: completed(open, rules, (text) => answer(open.subject, rules, text))
    })
  )

/** A callback that the service has created. */
export interface Open {
  readonly claim: Claim
  readonly callbackId: string
  /** The operation that an answer is read for. */
  readonly subject: Subject
}

/** Creates a callback and continues with it. `path` overrides its path for people. */
export const created = (
  name: string,
  rules: CallbackRules,
  path: string | undefined,
  use: (open: Open) => Body
): Body =>
  inWorkflow(name, (execution, fiber) =>
    whenKnown(rules.timeout, execution, fiber, () => {
      const { parts } = execution
      const claim = claimByName(execution, fiber, kind, name)
      const subject = { ...inPlainJson(claim), path: path ?? claim.path }
      return Effect.flatMap(begin(parts, claim, creation(subject, rules)), () => {
        parts.delivery.noteCallback(claim)
        const callbackId = claim.record?.CallbackDetails?.CallbackId
        return callbackId === undefined ? withoutId(subject) : use({ claim, callbackId, subject })
      })
    })
  )

type Timeouts = NonNullable<OperationUpdate["CallbackOptions"]>

const creation = ({ path }: Subject, rules: CallbackRules): Leaf<Timeouts> => ({
  kind,
  prepare: (claim, parts) => timeoutsOf(claim, parts, rules, path),
  perform: (claim, _, timeouts = {}) => claim.commit({ Action: "START", CallbackOptions: timeouts }),
  keyOf: (record) => record.StartTimestamp,
  isForStart: true,
  outcome: () => Effect.void
})

const withoutId = ({ path }: Subject): Effect.Effect<never> =>
  Effect.die(
    new StoreRejected({
      operation: path,
      message:
        `Expected an id for the callback "${path}" in the answer of the service, found none, so it could not be completed. ` +
        "Check the CheckpointStore, if it is one of your own, and start the execution again."
    })
  )

/** Returns the time-outs of a callback in whole seconds. */
export const timeoutsOf = Effect.fnUntraced(function* (
  claim: Claim,
  parts: Parts,
  { heartbeatTimeout, timeout }: CallbackRules,
  operation: string
): Effect.fn.Return<Timeouts, CallbackTimedOut> {
  const heartbeat = heartbeatTimeout === undefined ? undefined : yield* durableSeconds(operation, heartbeatTimeout)
  const total = timeout === undefined ? undefined : yield* secondsLeft(claim, parts, timeout)
  if (timeout !== undefined && total === undefined) {
    return yield* Effect.fail(new CallbackTimedOut({ operation, reason: "timeout" }))
  }
  return {
    ...(total === undefined ? undefined : { TimeoutSeconds: total }),
    ...(heartbeat === undefined ? undefined : { HeartbeatTimeoutSeconds: heartbeat })
  }
})

// --- The completion ------------------------------------------------------------------------------------------------------

/** Waits until a callback has ended, each time that it runs. `read` converts the sent text to the result of the fiber. */
export const completed = (
  open: Open,
  rules: CallbackRules,
  read: (text: string | undefined) => Conversion<unknown>
): Body =>
  // The waiting fiber and its namespace may differ from those that created the callback.
  inWorkflow(open.claim.name, ({ namespace, parts }, fiber) =>
    Effect.callback<unknown, unknown>((resume) => {
      const { delivery, host } = parts
      const { claim, subject } = open
      if (claim.namespace.standing === "closed" && !claim.isSettled) {
        return resume(Contradiction.contextEnded(claim.namespace, subject.path))
      }
      const door = delivery.wait({
        claim,
        namespace,
        fiber,
        path: subject.path,
        isFinal: isFinalizing(fiber),
        keyOf: (record) => (isFinal(record) ? (record.EndTimestamp ?? record.StartTimestamp) : undefined),
        outcome: () => {
          const outcome = recordedOutcome(open, rules, read)
          return exitOf(outcome) ?? Effect.provideContext(outcome, host.outside(fiber.context))
        },
        resume
      })
      return Effect.sync(() => delivery.leave(door))
    })
  )

const recordedOutcome = (
  { claim, subject }: Open,
  rules: CallbackRules,
  read: (text: string | undefined) => Conversion<unknown>
): Effect.Effect<unknown, unknown> => {
  const { record } = claim
  return record?.Status === "SUCCEEDED"
    ? read(record.CallbackDetails?.Result)
    : Effect.flatMapEager(failureOf(subject, rules, record), Effect.fail)
}

const failureOf = (subject: Subject, rules: CallbackRules, record: Operation | undefined): Conversion<unknown> => {
  const { path: operation } = subject
  const error = record?.CallbackDetails?.Error ?? {}
  if (record?.Status === "TIMED_OUT") {
    const reason = error.ErrorType === "Callback.Heartbeat" ? "heartbeat" : "timeout"
    return Effect.succeed(new CallbackTimedOut({ operation, reason }))
  }
  return Effect.mapEager(declaredError(subject, rules.error, error), (declared) =>
    declared === undefined
      ? new CallbackFailed({
          operation,
          ...reported(error, record?.Status),
          ...(error.ErrorData === undefined ? undefined : { errorData: error.ErrorData }),
          ...(error.StackTrace === undefined ? undefined : { stackTrace: error.StackTrace })
        })
      : declared.error
  )
}

/** Returns the type and message of a failure. The status replaces a missing type, unless it is `FAILED`. */
export const reported = ({ ErrorMessage: message, ErrorType: type }: ErrorObject, status: string | undefined) => ({
  ...errorType(type ?? (status === "FAILED" ? undefined : status)),
  ...(message === undefined ? undefined : { errorMessage: message })
})

const errorType = (type: string | undefined) => (type === undefined ? undefined : { errorType: type })

/** Returns the answer: the sent text, unless the options define how to read it. */
export const answer = (subject: Subject, rules: CallbackRules, text: string | undefined): Conversion<unknown> => {
  if (rules.success === undefined && rules.successSerdes === undefined) return Effect.succeed(text ?? "")
  const read = readValue(subject, "result", rules, text)
  if (rules.successSerdes !== undefined) return read
  return catchDefectEager(read, (defect) => Effect.die(defect instanceof SerdesFailed ? explained(defect) : defect))
}

const explained = ({ message, operation }: SerdesFailed): SerdesFailed =>
  new SerdesFailed({
    operation,
    message:
      `${message.replace(/\.$/, "")}. The completion must be JSON that its success Schema reads; ` +
      "without that Schema the answer is the text as it was sent."
  })
