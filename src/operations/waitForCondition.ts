/**
 * Wait for a condition: checks a state repeatedly until it meets a condition, without an invocation between two checks.
 *
 * Owns: the definition of a check, the state that it begins with, and when another check follows.
 * Does not own: attempts. Each check is an attempt, as in a step.
 *
 * Invariants:
 * 1. Each check is an attempt of one operation, and begins with the recorded state of the previous check.
 * 2. Whether a state meets the condition, and how long to wait if not, is decided once for each check, from the state as it
 *    is read back.
 * 3. A check that fails settles the operation: it is not repeated.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import type * as Schema from "effect/Schema"
import { ConditionExhausted, InvalidDuration } from "../DurableError.ts"
import type { Claim, Kind } from "../execution/Claim.ts"
import type { Execution, Parts } from "../execution/Parts.ts"
import type {
  FromArguments,
  RecordableError,
  RecordableValue,
  RecordedError,
  RecordedValue,
  RecordServices
} from "../Plain.ts"
import { describeDuration, howToWrite, secondsIn } from "../internal/durations.ts"
import { describeFound } from "../internal/found.ts"
import { wholeDelaySeconds } from "../RetryPolicy.ts"
import type * as Serdes from "../Serdes.ts"
import type { StepContext } from "../StepContext.ts"
import { limitSize, readValue, writeValue, type AnyCodec, type Conversion, type Recording } from "../values/Values.ts"
import { effectIn, unfit } from "./argument.ts"
import { unlimited } from "./cuts.ts"
import { operation, type Body } from "./Operation.ts"
import { attemptedOutcome, beginAgain, cancelAttempt, failForGood, isAttempted, runBody, unannounced } from "./step.ts"
import { typed, type InsideStep } from "./typed.ts"

/**
 * The values that the delay of a {@link waitForCondition} may depend on.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConditionAttempt<S> {
  /** The number of the check that has just run, from 1. */
  readonly attempt: number
  /** The state that the check returned. */
  readonly state: S
  /** A random number of at least 0 and less than 1, for jitter. */
  readonly random: number
}

/**
 * The check of a {@link waitForCondition} and its condition.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConditionOptions<S, A extends S = S, E = never, R = never> {
  /** The state that the first check begins with. */
  readonly initial: S
  /** Returns the current state: the body of a step, without retries. */
  readonly check: (state: S) => Effect.Effect<A, E, R> & Effect.Effect<S, E, R> & InsideStep<R>
  /** Returns whether the state meets the condition. */
  readonly until: (state: NoInfer<S>) => boolean
  /**
   * The time from one check to the next, rounded to whole seconds and kept between 1 second and 366 days: a duration,
   * or a function of `{ attempt, state, random }` that returns one, where `random` is a number from 0 to 1 for jitter.
   * Default: 5 seconds, each further delay 1.5 times as long, up to 5 minutes, with full jitter.
   */
  readonly delay?: (Duration.Input | ((look: ConditionAttempt<NoInfer<S>>) => Duration.Input)) | undefined
  /** The maximum number of checks: a whole number of at least 1, or `Infinity`. Default: 60. */
  readonly maxAttempts?: number | undefined
}

/**
 * How the state of a {@link waitForCondition} and its errors are recorded.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConditionRecording<State, Error, Codec> {
  /** The Schema of the state, required when the state is not plain data. Default: plain data, as JSON. */
  readonly state?: State
  /** The Schema of the errors of `check`, required when it has any. Default: only the library's own errors. */
  readonly error?: Error
  /** A `Serdes.Codec` that writes and reads the state in place of `state`. Default: the format of the layer. */
  readonly stateSerdes?: Codec
}

/** The checks of `Recordable` for the state. */
type StateRecordable<A, E, State, Error, Codec> = (IsGiven<Codec> extends false
  ? IsGiven<State> extends false
    ? RecordableValue<A, object, "state">
    : RecordableValue<A, { readonly success: State }, "state">
  : RecordableValue<A, { readonly successSerdes: Codec }, "state">) &
  (IsGiven<Error> extends false ? RecordableError<E, object> : RecordableError<E, { readonly error: Error }>)

/** Whether a type was given: `never` was not given. A type parameter was given: the compiler tries `any` in its place. */
type IsGiven<T> = [0] extends [1 & T] ? true : [T] extends [never] ? false : true

/**
 * The result type of a {@link waitForCondition}.
 *
 * @category models
 * @since 0.1.0
 */
export type StateValue<A, State, Codec> = [Codec] extends [never]
  ? [State] extends [never]
    ? FromArguments<A>
    : RecordedValue<A, readonly [{ readonly success: State }]>
  : FromArguments<A>

/**
 * The error type of the check of a {@link waitForCondition}.
 *
 * @category models
 * @since 0.1.0
 */
export type StateError<E, Error> = [Error] extends [never]
  ? FromArguments<E>
  : RecordedError<E, readonly [{ readonly error: Error }]>

/**
 * The services for recording the state of a {@link waitForCondition}.
 *
 * @category models
 * @since 0.1.0
 */
export type StateServices<State, Error, Codec> =
  | RecordServices<readonly [{ readonly success: State; readonly error: Error }]>
  | ([Codec] extends [never] ? never : RecordServices<readonly [{ readonly successSerdes: Codec }]>)

/** The constraint that the next check accepts the state that the Schema reads. */
interface Readable<S> {
  readonly state?: { readonly Type: S }
}

/**
 * Checks a state repeatedly, without an invocation between two checks, until it meets a condition.
 *
 * Each check is an attempt of one operation: `check` takes the state of the previous check and returns a new one, which
 * is recorded; the last state is the result. A check that fails is not repeated. Each check costs one operation.
 *
 * **Errors**: those of `check`, `ConditionExhausted`.
 * **Defects**: those of `Durable.step`, `InvalidOptions`, `InvalidDuration`.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * declare const statusOf: (job: string) => Effect.Effect<"RUNNING" | "DONE" | "BROKEN">
 *
 * export const finished = Durable.waitForCondition("job-finished", {
 *   initial: "RUNNING",
 *   check: () => statusOf("job-1"),
 *   until: (status) => status !== "RUNNING",
 *   delay: ({ attempt }) => `${Math.min(attempt * 10, 120)} seconds`
 * })
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const waitForCondition = <
  S,
  A extends S = S,
  E = never,
  R = never,
  State extends Schema.Top = never,
  Error extends Schema.Top = never,
  Codec extends Serdes.Codec<A, unknown> = never
>(
  name: string,
  options: ConditionOptions<S, A, E, R> &
    ConditionRecording<State, Error, Codec> &
    Readable<S> &
    NoInfer<StateRecordable<A, E, State, Error, Codec>>
): Effect.Effect<
  StateValue<A, State, Codec>,
  StateError<E, Error> | ConditionExhausted,
  FromArguments<Exclude<R, StepContext>> | Execution | StateServices<State, Error, Codec>
> => typed(untypedWaitForCondition(name, cast<unknown, ConditionRules>(options)))

// --- Implementation ------------------------------------------------------------------------------------------------------

/** The options of a condition, without their types. */
interface ConditionRules {
  readonly initial: unknown
  readonly check: (state: unknown) => Body
  readonly until: (state: unknown) => boolean
  readonly delay?: Duration.Input | ((look: ConditionAttempt<unknown>) => Duration.Input) | undefined
  readonly maxAttempts?: number | undefined
  readonly state?: Recording["success"]
  readonly error?: Recording["error"]
  readonly stateSerdes?: AnyCodec | undefined
}

const kind: Kind = { type: "STEP", subType: "WaitForCondition" }

/** The default delay, as in AWS's SDKs: 5 seconds, half as long again each time, up to 5 minutes, with full jitter. */
const delayByDefault = ({ attempt, random }: ConditionAttempt<unknown>): Duration.Input =>
  Duration.seconds(random * Math.min(5 * 1.5 ** (attempt - 1), 300))

const attemptsByDefault = 60

const untypedWaitForCondition = (name: string, rules: ConditionRules): Body => {
  const wrong = wrongRules(name, rules)
  if (wrong !== undefined) return wrong
  const recording: Recording = { success: rules.state, error: rules.error, successSerdes: rules.stateSerdes }
  return operation(name, {
    kind,
    prepare: (claim) => checkAttempts(claim, rules),
    perform: (claim, parts) => look(claim, parts, rules, recording),
    isUnfinished: isAttempted,
    outcome: (claim, record) => unannounced(attemptedOutcome(claim, record, recording, "state")),
    cancel: cancelAttempt
  })
}

/** Returns the defect for rules that a caller without types got wrong. */
const wrongRules = (name: string, rules: Partial<ConditionRules> | undefined): Effect.Effect<never> | undefined => {
  if (typeof rules !== "object" || rules === null)
    return unfit(name, "options", "an object", rules, "It has initial, check and until.")
  const { check, until } = rules
  if (typeof check !== "function")
    return unfit(name, "check", "a function", check, "It takes the state, and returns an Effect of the next one.")
  return typeof until === "function"
    ? undefined
    : unfit(name, "until", "a function", until, "It takes the state, and returns whether the wait is over.")
}

const checkAttempts = ({ path }: Claim, { maxAttempts = attemptsByDefault }: ConditionRules): Effect.Effect<void> =>
  typeof maxAttempts === "number" && maxAttempts >= 1 && (Number.isSafeInteger(maxAttempts) || maxAttempts === Infinity)
    ? Effect.void
    : unfit(path, "maxAttempts", unlimited, maxAttempts, "Use Infinity for no limit.", describeFound)

/** Runs one check: it settles the operation, or has the service wait for the next check. */
const look = (claim: Claim, parts: Parts, rules: ConditionRules, recording: Recording): void => {
  if (claim.record?.Status === "STARTED") {
    return beginAgain(claim, parts, recording, () => lookNow(claim, parts, rules, recording))
  }
  claim.later({ Action: "START" })
  lookNow(claim, parts, rules, recording)
}

const lookNow = (claim: Claim, parts: Parts, rules: ConditionRules, recording: Recording): void => {
  const { attempt, record } = claim
  const before: Conversion<unknown> =
    attempt === 1 ? Effect.succeed(rules.initial) : readValue(claim, "state", recording, record?.StepDetails?.Result)
  const body = Effect.flatMap(claim.converted(before), (state) => effectIn(rules.check(state), claim.path))
  runBody(claim, parts, attempt, body, (exit) => {
    if (Exit.isFailure(exit)) return failForGood(claim, recording, exit.cause)
    claim.convert(rewritten(claim, parts, recording, exit.value), (written) => {
      if (Exit.isFailure(written)) return failForGood(claim, recording, written.cause)
      settle(claim, recording, written.value, nextLook(claim, parts, rules, { attempt, state: written.value.state }))
    })
  })
}

/** A state in its recorded form, and as it is read back from that. */
interface Written {
  readonly text: string | undefined
  readonly state: unknown
}

const rewritten = (claim: Claim, parts: Parts, recording: Recording, state: unknown): Conversion<Written> =>
  Effect.flatMapEager(writeValue(claim, "state", recording, state), (text) =>
    Effect.flatMapEager(limitSize(claim, "state", text, parts.settings.maxPayload), () =>
      Effect.mapEager(readValue(claim, "state", recording, text), (read) => ({ text, state: read }))
    )
  )

/** The seconds until the next check, or nothing if there is no other check. */
type Next = Exit.Exit<number | undefined, ConditionExhausted>

const nextLook = (
  claim: Claim,
  parts: Parts,
  { delay = delayByDefault, maxAttempts = attemptsByDefault, until }: ConditionRules,
  { attempt, state }: Pick<ConditionAttempt<unknown>, "attempt" | "state">
): Next => {
  try {
    if (until(state)) return Exit.succeed(undefined)
    if (attempt >= maxAttempts) return Exit.fail(new ConditionExhausted({ operation: claim.path, attempts: attempt }))
    const random = parts.host.random.nextDoubleUnsafe()
    return delaySecondsOf(claim, typeof delay === "function" ? delay({ attempt, state, random }) : delay)
  } catch (defect) {
    return Exit.die(defect)
  }
}

const settle = (claim: Claim, recording: Recording, { text }: Written, next: Next): void => {
  if (Exit.isFailure(next)) return failForGood(claim, recording, next.cause)
  const payload = text === undefined ? undefined : { Payload: text }
  claim.commit(
    next.value === undefined
      ? { Action: "SUCCEED", ...payload }
      : { Action: "RETRY", ...payload, StepOptions: { NextAttemptDelaySeconds: next.value } }
  )
}

const delaySecondsOf = ({ path }: Claim, delay: Duration.Input): Exit.Exit<number> => {
  const seconds = secondsIn(delay)
  if (seconds !== undefined) return Exit.succeed(wholeDelaySeconds(seconds))
  return Exit.die(
    new InvalidDuration({
      operation: path,
      message:
        `Expected the delay of "${path}" to be a finite duration that is not negative, found ${describeDuration(delay)}. ` +
        howToWrite(delay)
    })
  )
}
