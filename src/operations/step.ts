/**
 * Step: runs an effect, records its outcome, and returns the recorded outcome on every replay.
 *
 * Owns: attempts: how a body runs, what its end means, and when another attempt begins.
 * Does not own: when an attempt starts, and the state of a record that no code reads.
 *
 * Invariants:
 * 1. An attempt is recorded before or together with its end. With `semantics: "at-most-once"` it is recorded before its body
 *    runs. `cuts.ts` says when a new start of an attempt that was cut off is recorded.
 * 2. A body runs outside of the workflow: on the host's scheduler, with the host's clock and random numbers. It holds no
 *    operation.
 * 3. The policy is asked once for each failed attempt.
 * 4. The code receives the value that is read from the record, on the first run as on every replay.
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
import { Interrupted, StepInterrupted } from "../DurableError.ts"
import type { Claim, Kind } from "../execution/Claim.ts"
import type { Execution, Parts } from "../execution/Parts.ts"
import { insideStep } from "../execution/References.ts"
import { describeFound } from "../internal/found.ts"
import { md5 } from "../internal/md5.ts"
import { orNone } from "../internal/options.ts"
import type {
  FromArguments,
  OptionOf,
  RecordOptions,
  RecordServices,
  Recordable,
  RecordedError,
  RecordedValue
} from "../Plain.ts"
import { none, standard, wholeDelaySeconds, type Decision, type Failure, type RetryPolicy } from "../RetryPolicy.ts"
import type { Info } from "../Serdes.ts"
import { StepContext } from "../StepContext.ts"
import { asDefect, isOwnMistake, readFailure, writeFailureSafely } from "../values/Failures.ts"
import { limitSize, readValue, writeValue, type Conversion, type Recording } from "../values/Values.ts"
import type { Operation } from "../wire/Operation.ts"
import { noPolicy, unfit } from "./argument.ts"
import { checkCuts, cutsByDefault, cutsInErrors, cutsOf, isYoung, noteCut, noteCutLater } from "./cuts.ts"
import {
  inBothForms,
  type Sensed,
  type FirstArguments,
  type Given,
  type InPipe,
  type LastArguments,
  type LastOptions
} from "./forms.ts"
import { operation, type Body, type Leaf } from "./Operation.ts"
import { typed, type InsideStep, type PolicyFor } from "./typed.ts"

/**
 * The options of a {@link step}, except those for recording its outcome.
 *
 * @category models
 * @since 0.1.0
 */
export interface StepOptions<E> {
  /**
   * When a failed attempt is repeated: a `RetryPolicy`, with delays of whole seconds, at least 1. Default: up to 6 attempts,
   * the first retry after 5 s and each further delay twice as long up to 60 s, with full jitter; none with `semantics:
   * "at-most-once"`.
   */
  readonly retry?: RetryPolicy<E> | undefined
  /**
   * What an invocation does if it finds the step started but without an outcome: `"at-least-once"` runs it again,
   * `"at-most-once"` fails the attempt as `StepInterrupted`; a `retry` may then start another one. Default:
   * `"at-least-once"`.
   */
  readonly semantics?: "at-least-once" | "at-most-once" | undefined
  /**
   * The number of times in a row that the end of an invocation may cut the step off; then the step fails as
   * `StepInterrupted`. A whole number of at least 1, or `Infinity`. With a number every restart of the body is
   * recorded, with `Infinity` none. Default: 10, and `StepInterrupted` is then a defect.
   */
  readonly maxInterruptions?: number | undefined
}

type StepError<O> = AtMostOnce<O> | Bounded<O>

type Bounded<O> = [Extract<OptionOf<O, "maxInterruptions">, number>] extends [never] ? never : StepInterrupted

type AtMostOnce<O> = "at-most-once" extends OptionOf<O, "semantics"> ? StepInterrupted : never

/**
 * Runs an effect and records its outcome; a replay returns the recorded outcome and does not run the effect.
 *
 * The body may use any service and has access to a {@link StepContext}. The retry policy decides whether a failed
 * attempt is repeated. The delays between attempts pass without an invocation. After the last attempt the step fails
 * with the error of the body, or dies with its defect. A value or an error that is not plain data needs its Schema in
 * the options.
 *
 * In a pipe the options come before the effect, so a policy that reads the errors, or a codec, has to annotate its
 * type.
 *
 * A body runs at least once: if the end of its invocation cuts the body off, it runs again. After 10 times in a row the
 * step ends as `StepInterrupted`. Each restart costs one operation and one request, except in the first 30 seconds
 * after the start of the step, if the body then ends within a fifth of a second.
 *
 * **Errors**: those of the body, and with `semantics: "at-most-once"` or `maxInterruptions` also `StepInterrupted`.
 * **Defects**: `StepInterrupted` without these, `InvalidOptions`, `InvalidName`, `NameInUse`, `NestedOperation`,
 * `SerdesFailed`, `PayloadTooLarge` (more than 262,144 bytes of JSON).
 *
 * @example
 * ```ts
 * import { Durable, RetryPolicy } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const draw = Durable.step("draw", Effect.sync(() => Math.ceil(Math.random() * 6)), {
 *   retry: RetryPolicy.fixed({ maxAttempts: 3, delay: "2 seconds" })
 * })
 *
 * export const twice = Effect.sync(() => Math.ceil(Math.random() * 6)).pipe(
 *   Effect.map((eyes) => eyes * 2),
 *   Durable.step("draw twice", { semantics: "at-most-once" })
 * )
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const step: {
  <
    A = never,
    E = never,
    R = never,
    O extends RecordOptions<A, StepOptions<NoInfer<E>>> = Required<RecordOptions<A, StepOptions<NoInfer<E>>>>,
    V = never,
    W = unknown
  >(
    name: string,
    body: Effect.Effect<A, E, R> & InsideStep<R> & Sensed<V, W>,
    ...options: FirstArguments<V, W, A, E, O, StepOptions<NoInfer<E>>>
  ): Given<
    V,
    W,
    Effect.Effect<
      RecordedValue<A, O>,
      RecordedError<E, O> | StepError<O>,
      FromArguments<Exclude<R, StepContext>> | Execution | RecordServices<O>
    >
  >
  <O extends LastOptions<StepOptions<never>> = Required<RecordOptions<never, StepOptions<never>>>>(
    name: string,
    ...options: LastArguments<O, StepOptions<never>>
  ): InPipe<O, PipedStep<O>>
} = /* @__PURE__ */ inBothForms(1, "object undefined", (name: string, body: Body, rules?: StepRules) =>
  typed(untypedStep(name, body, rules ?? {}))
)

/**
 * A {@link step} that takes its effect in a pipe.
 *
 * @category models
 * @since 0.1.0
 */
export interface PipedStep<O> {
  <A, E, R>(
    body: Effect.Effect<A, E, R> &
      InsideStep<R> &
      Recordable<A, E, O, StepOptions<E>> &
      PolicyFor<E, OptionOf<O, "retry">>
  ): Effect.Effect<
    RecordedValue<A, O>,
    RecordedError<E, O> | StepError<O>,
    FromArguments<Exclude<R, StepContext>> | Execution | RecordServices<O>
  >
}

// --- Implementation ------------------------------------------------------------------------------------------------------

/** The options of a step, without their types. */
export interface StepRules extends Recording {
  readonly retry?: RetryPolicy<never> | undefined
  readonly semantics?: "at-least-once" | "at-most-once" | undefined
  readonly maxInterruptions?: number | undefined
  /** Whether typed errors are recorded as defects, because no code reads them as typed errors. */
  readonly isOpaque?: boolean | undefined
}

const kind: Kind = { type: "STEP", subType: "Step" }

export const untypedStep = (name: string, body: Body, rules: StepRules): Body => operation(name, stepLeaf(body, rules))

export const stepLeaf = (body: Body, rules: StepRules, prepare?: Leaf["prepare"]): Leaf => ({
  kind,
  prepare:
    rules.maxInterruptions === undefined && rules.retry === undefined && rules.semantics === undefined
      ? prepare
      : (claim, parts) => Effect.flatMapEager(checkRules(claim, rules), () => prepare?.(claim, parts) ?? Effect.void),
  perform: (claim, parts) => attempt(claim, parts, body, rules),
  isUnfinished: isAttempted,
  outcome: (claim, record) => {
    const outcome = attemptedOutcome(claim, record, rules, "result")
    return record.Status === "FAILED" && !isAnnounced(rules) ? unannounced(outcome) : outcome
  },
  cancel: cancelAttempt
})

/** Fails if an option is invalid. A wrong word for the semantics would mean that a step may run twice. */
const checkRules = (claim: Claim, { maxInterruptions, retry = none, semantics = "at-most-once" }: StepRules) => {
  const { path } = claim
  if (semantics === "at-most-once" || semantics === "at-least-once")
    return noPolicy(retry, path, "retry") ?? checkCuts(claim, maxInterruptions)
  return unfit(path, "semantics", words, semantics, orNone, describeFound)
}

const words = `"at-least-once" or "at-most-once"`

/** Returns whether the types of a step declare that it may be interrupted. */
const isAnnounced = ({ maxInterruptions, semantics }: StepRules): boolean =>
  semantics === "at-most-once" || maxInterruptions !== undefined

/** Turns `StepInterrupted` into a defect, for a step whose types do not declare it. */
export const unannounced = (
  outcome: Conversion<unknown> | Effect.Effect<unknown, unknown>
): Effect.Effect<unknown, unknown> =>
  Effect.catchEager(outcome, (error) => (error instanceof StepInterrupted ? Effect.die(error) : Effect.fail(error)))

/** Returns whether a record requires an attempt now. */
export const isAttempted = ({ Status }: Operation): boolean => Status === "STARTED" || Status === "READY"

export const cancelAttempt: Leaf["cancel"] = (claim, parts) => parts.delivery.cancel(claim)

/** Reads the outcome from the record of an operation of type STEP. */
export const attemptedOutcome = (
  claim: Claim,
  record: Operation,
  recording: Recording,
  value: Info["value"]
): Conversion<unknown> | Effect.Effect<unknown, unknown> =>
  record.Status === "SUCCEEDED"
    ? readValue(claim, value, recording, record.StepDetails?.Result)
    : Effect.flatMapEager(readFailure(claim, recording, record.StepDetails?.Error), (exit) => exit)

/** Runs one attempt: it settles the step, or has the service wait for the next attempt. */
const attempt = (claim: Claim, parts: Parts, body: Body, rules: StepRules): void => {
  const { record } = claim
  const number = claim.attempt
  const run = (): void =>
    runBody(claim, parts, number, body, (exit, began) => settle(claim, parts, rules, exit, { number, began }))
  if (record?.Status === "STARTED") {
    if (rules.semantics === "at-most-once") interrupted(claim, parts, rules, number)
    else beginAgain(claim, parts, rules, run)
  } else if (rules.semantics === "at-most-once") {
    claim.commit({ Action: "START" }, () => whenWanted(claim, parts, run))
  } else {
    claim.later({ Action: "START" })
    run()
  }
}

// --- The body ------------------------------------------------------------------------------------------------------------

/** Runs a body as an attempt. Its exit counts only while its invocation and its namespace continue. */
export const runBody = (
  claim: Claim,
  parts: Parts,
  number: number,
  body: Body,
  ended: (exit: Exit.Exit<unknown, unknown>, began: number) => void
): void => {
  const { delivery, host, settings, surroundings } = parts
  const began = host.now()
  const instead = settings.insteadOf?.({ id: claim.id, name: claim.name, path: claim.path, number })
  const attempt = surroundings.attempt(claim, number, servicesOf(claim, parts, number))
  const fork = Effect.runForkWith(attempt.services)
  delivery.run(
    claim,
    () => {
      const fiber = fork(cast<Body, Effect.Effect<unknown, unknown>>(instead ?? body))
      if (attempt.ended !== undefined) fiber.addObserver(attempt.ended)
      return fiber
    },
    (exit) => ended(exit, began)
  )
}

/**
 * Returns the services of a body: the host's clock and its own place. A service that the body provides itself cannot remove
 * the marker of the step.
 */
const servicesOf = (claim: Claim, parts: Parts, number: number): Context.Context<never> => {
  const { executionArn, executionName, host, settings } = parts
  return insideStep(host.outside(claim.fiber.context), claim.path).pipe(
    Context.add(StepContext, {
      executionArn,
      executionName,
      operationId: claim.id,
      name: claim.name,
      attempt: number,
      idempotencyKey: `${digestOf(parts)}-${claim.id}`,
      remaining: Effect.sync(() =>
        settings.deadline === undefined
          ? Duration.infinity
          : Duration.millis(Math.max(0, settings.deadline - host.now()))
      )
    })
  )
}

const digests = new WeakMap<Parts, string>()

/** Returns the digest of the execution, which is the same for all of its steps. */
const digestOf = (parts: Parts): string => {
  let digest = digests.get(parts)
  if (digest === undefined) digests.set(parts, (digest = md5(parts.executionArn)))
  return digest
}

// --- The outcome -----------------------------------------------------------------------------------------------------------

interface Attempted {
  readonly number: number
  /** When the attempt began, in milliseconds. */
  readonly began: number
}

const settle = (
  claim: Claim,
  parts: Parts,
  rules: StepRules,
  exit: Exit.Exit<unknown, unknown>,
  attempted: Attempted
): void => {
  if (Exit.isFailure(exit)) {
    // Another attempt would repeat the mistake.
    if (isMistaken(exit.cause)) return failForGood(claim, rules, exit.cause)
    return decideAndFail(claim, parts, rules, exit.cause, failureOf(exit.cause), attempted)
  }
  const written = Effect.flatMapEager(writeValue(claim, "result", rules, exit.value), (text) =>
    Effect.mapEager(limitSize(claim, "result", text, parts.settings.maxPayload), () => text)
  )
  claim.convert(written, (done) => {
    if (Exit.isFailure(done)) return failForGood(claim, rules, done.cause)
    const text = done.value
    claim.commit({ Action: "SUCCEED", ...(text === undefined ? undefined : { Payload: text }) })
  })
}

/** Returns whether a body failed with a mistake of the program. */
const isMistaken = (cause: Cause.Cause<unknown>): boolean => {
  const defect = cause.reasons.find(Cause.isDieReason)?.defect
  return !cause.reasons.some(Cause.isFailReason) && isOwnMistake(defect) && !(defect instanceof Interrupted)
}

/** Begins an attempt again that an earlier invocation left cut off, unless that has happened too often. */
export const beginAgain = (claim: Claim, parts: Parts, rules: StepRules, run: () => void): void => {
  // Without a limit there is nothing to count.
  if (rules.maxInterruptions === Infinity) return whenWanted(claim, parts, run)
  const cuts = cutsOf(claim, parts)
  const { attempt: number, path } = claim
  if (cuts >= (rules.maxInterruptions ?? cutsByDefault)) {
    const error = new StepInterrupted({ operation: path, attempt: number, interruptions: cuts })
    return failForGood(claim, rules, Cause.fail(error))
  }
  const isCounted = rules.maxInterruptions !== undefined || !isYoung(claim, parts)
  if (isCounted) return noteCut(claim, parts, cuts, () => whenWanted(claim, parts, run))
  whenWanted(claim, parts, () => {
    run()
    noteCutLater(claim, parts, cuts)
  })
}

/** Runs an attempt if a fiber still waits for it. Everything that is known by then is delivered before the body runs. */
const whenWanted = (claim: Claim, { delivery }: Parts, run: () => void): void => {
  const begin = (): void => {
    if (claim.doors.length > 0) run()
  }
  delivery.perform(claim, begin, true)
}

/** Fails an attempt that an earlier invocation started and whose progress is unknown. */
const interrupted = (claim: Claim, parts: Parts, rules: StepRules, number: number): void => {
  const cuts = cutsInErrors(claim)
  const isOver = rules.retry !== undefined && cuts >= (rules.maxInterruptions ?? cutsByDefault)
  const cause = Cause.fail(
    new StepInterrupted({
      operation: claim.path,
      attempt: number,
      ...(cuts > 1 || isOver ? { interruptions: cuts } : undefined)
    })
  )
  if (rules.retry === undefined || isOver) return failForGood(claim, rules, cause)
  decideAndFail(claim, parts, rules, cause, { _tag: "Interrupted" }, { number, began: parts.host.now() })
}

const decideAndFail = (
  claim: Claim,
  parts: Parts,
  rules: StepRules,
  cause: Cause.Cause<unknown>,
  failure: Failure<never>,
  attempted: Attempted
): void => {
  const policy = rules.retry ?? (rules.semantics === "at-most-once" ? none : standard)
  const decision = decide(claim, parts, policy, attempted, failure)
  parts.delivery.run(
    claim,
    () => parts.host.forkAs(claim.fiber, decision),
    (decided) => {
      if (Exit.isFailure(decided)) return failForGood(claim, rules, decided.cause)
      const failed = rules.isOpaque === true ? opaque(cause) : cause
      if (decided.value._tag === "Stop") return failForGood(claim, rules, failed)
      const { delaySeconds } = decided.value
      claim.convert(writeFailureSafely(claim, rules, failed), (error) => {
        if (Exit.isFailure(error)) return failForGood(claim, rules, error.cause)
        claim.commit({
          Action: "RETRY",
          Error: error.value,
          StepOptions: { NextAttemptDelaySeconds: delaySeconds }
        })
      })
    }
  )
}

/** Records the failure that settles an operation. */
export const failForGood = (claim: Claim, recording: Recording, cause: Cause.Cause<unknown>): void =>
  claim.convert(writeFailureSafely(claim, recording, cause), (error) => {
    claim.commit({ Action: "FAIL", Error: Exit.isSuccess(error) ? error.value : {} })
  })

const opaque = (cause: Cause.Cause<unknown>): Cause.Cause<never> =>
  Cause.fromReasons(
    cause.reasons.map((reason) => (Cause.isFailReason(reason) ? Cause.makeDieReason(asDefect(reason.error)) : reason))
  )

// --- Retries ---------------------------------------------------------------------------------------------------------------

/**
 * Asks the policy once per decision. No replay asks it again, so it may use real time and random numbers. A policy that dies
 * is a defect.
 */
export const decide = (
  claim: Claim,
  { host }: Parts,
  policy: RetryPolicy<never>,
  { began, number }: Attempted,
  failure: Failure<never>
): Effect.Effect<Decision> =>
  Effect.gen(function* () {
    const random = (yield* Random.Random).nextDoubleUnsafe()
    const elapsed = Math.max(0, (yield* Clock.currentTimeMillis) - (claim.record?.StartTimestamp ?? began))
    // A caller without types may have written a policy that decides something else.
    const answer: unknown = policy.decide({ attempt: number, failure, elapsed, random })
    const decision: unknown = Effect.isEffect(answer) ? yield* cast<unknown, Effect.Effect<unknown>>(answer) : answer
    if (!isDecision(decision)) {
      return yield* Effect.die(
        new TypeError(
          `Expected the retry policy of "${claim.path}" to decide { _tag: "Stop" } or { _tag: "Retry", delaySeconds: a number }, found ${describeFound(decision)}.`
        )
      )
    }
    if (decision._tag === "Stop") return decision
    const retry: Decision = { _tag: "Retry", delaySeconds: wholeDelaySeconds(decision.delaySeconds) }
    return retry
  }).pipe(Effect.provideService(Clock.Clock, host.clock))

const isDecision = (found: unknown): found is Decision => {
  const { _tag, delaySeconds } = cast<unknown, { readonly _tag?: unknown; readonly delaySeconds?: unknown }>(
    Object(found)
  )
  return _tag === "Stop" || (_tag === "Retry" && typeof delaySeconds === "number" && !Number.isNaN(delaySeconds))
}

export const failureOf = (cause: Cause.Cause<unknown>): Failure<never> => {
  const fail = cause.reasons.find(Cause.isFailReason)
  if (fail !== undefined) return { _tag: "Fail", error: cast<unknown, never>(fail.error) }
  const die = cause.reasons.find(Cause.isDieReason)
  return die === undefined ? { _tag: "Interrupted" } : { _tag: "Die", defect: die.defect }
}
