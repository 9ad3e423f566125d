/**
 * When a failed attempt of a step is repeated, and after how long.
 *
 * A policy decides once per failed attempt, from facts that are in the history: how many attempts there were, how this
 * one failed and how long the operation has been going on. Its delay is written to the history, where the service waits
 * for it, so a decision is never made twice. Use {@link exponential}, {@link linear} or {@link fixed} for the usual
 * cases, and {@link fromSchedule} for a `Schedule` that you have already.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import * as Pull from "effect/Pull"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Limits from "./wire/Limits.ts"

/**
 * How an attempt failed: with a typed error, with a defect, or by interrupting itself.
 *
 * @category models
 * @since 0.1.0
 */
export type Failure<E = unknown> =
  | { readonly _tag: "Fail"; readonly error: E }
  | { readonly _tag: "Die"; readonly defect: unknown }
  | { readonly _tag: "Interrupted" }

/**
 * What a policy knows when it decides.
 *
 * @category models
 * @since 0.1.0
 */
export interface Attempt<E = unknown> {
  /** The number of the attempt that failed just now, from 1. */
  readonly attempt: number
  readonly failure: Failure<E>
  /** Milliseconds since the operation was started, waiting included. */
  readonly elapsed: number
  /** A random number, at least 0 and less than 1, for the jitter. */
  readonly random: number
}

/**
 * What a policy decides. `delaySeconds` is a whole number of seconds from 1 to 31,622,400 (366 days).
 *
 * @category models
 * @since 0.1.0
 */
export type Decision = { readonly _tag: "Stop" } | { readonly _tag: "Retry"; readonly delaySeconds: number }

/**
 * A policy for errors of type `E`. A policy that ignores the error is a `RetryPolicy<unknown>` and fits everywhere.
 *
 * `decide` has no error channel: when it dies, for instance because a predicate throws, that is a defect of the workflow.
 *
 * @category models
 * @since 0.1.0
 */
export interface RetryPolicy<in E = unknown> {
  readonly decide: (attempt: Attempt<E>) => Effect.Effect<Decision>
}

/**
 * How a delay is spread, so that many failures at one time do not come back at one time: `"full"` takes a random delay
 * between nothing and the computed one, `"half"` between one half and all of it, `"none"` takes it as it is.
 *
 * @category models
 * @since 0.1.0
 */
export type Jitter = "full" | "half" | "none"

/**
 * Which failures are repeated at all.
 *
 * @category models
 * @since 0.1.0
 */
export interface Filter<E> {
  /** Asked about typed errors only. An error that it does not hold for stops at once. All of them are repeated without it. */
  readonly while?: (error: E) => boolean
  /** Whether attempts that died, or interrupted themselves, are repeated as well. Default: true. */
  readonly retryDefects?: boolean
}

const stop: Decision = { _tag: "Stop" }
const stopNow = Effect.succeed(stop)

/**
 * Repeats with delays that are multiplied each time: `initialDelay * backoffRate ** (attempt - 1)`, at most `maxDelay`.
 *
 * `maxAttempts` counts the first attempt too. Throws when an argument makes no sense.
 *
 * @example
 * ```ts
 * import { RetryPolicy } from "effect-durable"
 *
 * export const patient = RetryPolicy.exponential({ maxAttempts: 8, initialDelay: "2 seconds", jitter: "half" })
 * export const picky = RetryPolicy.exponential({ while: (error: { readonly retryable: boolean }) => error.retryable })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const exponential = <E = unknown>(
  options: Filter<E> & {
    /** Default: 3. */
    readonly maxAttempts?: number
    /** Default: 5 seconds. */
    readonly initialDelay?: Duration.Input
    /** Default: 5 minutes. */
    readonly maxDelay?: Duration.Input
    /** Default: 2. */
    readonly backoffRate?: number
    /** Default: `"full"`. */
    readonly jitter?: Jitter
  } = {}
): RetryPolicy<E> => {
  const argument = argumentsOf("exponential")
  const initial = argument.seconds("initialDelay", options.initialDelay ?? "5 seconds")
  const most = argument.seconds("maxDelay", options.maxDelay ?? "5 minutes")
  const rate = argument.atLeastOne("backoffRate", options.backoffRate ?? 2)
  return counted({
    filter: options,
    maxAttempts: argument.count("maxAttempts", options.maxAttempts ?? 3),
    jitter: argument.jitter(options.jitter ?? "full"),
    // The power may overflow to Infinity, and 0 * Infinity is no number.
    delay: (attempt) => (initial === 0 ? 0 : Math.min(initial * rate ** (attempt - 1), most))
  })
}

/**
 * Repeats with delays that grow by the same amount each time: `initialDelay + increment * (attempt - 1)`, at most `maxDelay`.
 *
 * `maxAttempts` counts the first attempt too. Throws when an argument makes no sense.
 *
 * @example
 * ```ts
 * import { RetryPolicy } from "effect-durable"
 *
 * export const policy = RetryPolicy.linear({ maxAttempts: 4, increment: "10 seconds", jitter: "none" }) // 1 s, 11 s, 21 s
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const linear = <E = unknown>(
  options: Filter<E> & {
    /** Default: 6. */
    readonly maxAttempts?: number
    /** Default: 1 second. */
    readonly initialDelay?: Duration.Input
    /** Default: 1 second. */
    readonly increment?: Duration.Input
    /** Default: 5 minutes. */
    readonly maxDelay?: Duration.Input
    /** Default: `"full"`. */
    readonly jitter?: Jitter
  } = {}
): RetryPolicy<E> => {
  const argument = argumentsOf("linear")
  const initial = argument.seconds("initialDelay", options.initialDelay ?? "1 second")
  const increment = argument.seconds("increment", options.increment ?? "1 second")
  const most = argument.seconds("maxDelay", options.maxDelay ?? "5 minutes")
  return counted({
    filter: options,
    maxAttempts: argument.count("maxAttempts", options.maxAttempts ?? 6),
    jitter: argument.jitter(options.jitter ?? "full"),
    delay: (attempt) => Math.min(initial + increment * (attempt - 1), most)
  })
}

/**
 * Repeats with the same delay each time.
 *
 * `maxAttempts` counts the first attempt too. Throws when an argument makes no sense.
 *
 * @example
 * ```ts
 * import { RetryPolicy } from "effect-durable"
 *
 * export const policy = RetryPolicy.fixed({ maxAttempts: 10, delay: "1 minute" })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const fixed = <E = unknown>(
  options: Filter<E> & {
    /** Default: 5. */
    readonly maxAttempts?: number
    /** Default: 5 seconds. */
    readonly delay?: Duration.Input
    /** Default: `"none"`. */
    readonly jitter?: Jitter
  } = {}
): RetryPolicy<E> => {
  const argument = argumentsOf("fixed")
  const delay = argument.seconds("delay", options.delay ?? "5 seconds")
  return counted({
    filter: options,
    maxAttempts: argument.count("maxAttempts", options.maxAttempts ?? 5),
    jitter: argument.jitter(options.jitter ?? "none"),
    delay: () => delay
  })
}

/**
 * Never repeats.
 *
 * @category policies
 * @since 0.1.0
 */
export const none: RetryPolicy = { decide: () => stopNow }

/**
 * Uses a `Schedule` as a policy.
 *
 * A schedule has state, and an invocation that decides may not be the one that decided before. So the schedule is driven
 * from its start for every decision: once for each attempt so far, each time with the error of the present attempt as its
 * input, the last time with the time since the operation was started as the elapsed time (as everywhere in Effect, no time
 * has elapsed for the first step of a schedule). Delays become whole seconds, at least 1. A schedule that fails is a defect.
 *
 * A schedule that takes any input sees attempts that died, or interrupted themselves, as well: the input is the defect,
 * or undefined. To a schedule that reads typed errors you say what a defect is, with `defect`, or that it stops.
 *
 * @example
 * ```ts
 * import { RetryPolicy } from "effect-durable"
 * import * as Schedule from "effect/Schedule"
 *
 * export const policy = RetryPolicy.fromSchedule(Schedule.exponential("2 seconds").pipe(Schedule.upTo({ duration: "1 hour" })))
 *
 * export const limited = RetryPolicy.fromSchedule(
 *   Schedule.spaced("10 seconds").pipe(
 *     Schedule.setInputType<{ readonly retryable: boolean }>(),
 *     Schedule.while(({ input, attempt }) => input.retryable && attempt <= 5)
 *   ),
 *   { retryDefects: false }
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromSchedule: {
  (schedule: Schedule.Schedule<unknown, unknown, unknown>, options?: { readonly retryDefects?: boolean }): RetryPolicy
  <E>(
    schedule: Schedule.Schedule<unknown, E, unknown>,
    options: { readonly retryDefects: false } | { readonly defect: (defect: unknown) => E }
  ): RetryPolicy<E>
} = <E>(
  schedule: Schedule.Schedule<unknown, E, unknown>,
  options: { readonly retryDefects?: boolean; readonly defect?: (defect: unknown) => E } = {}
): RetryPolicy<E> => {
  // The first overload makes sure that a schedule without `defect` takes any input.
  const fromDefect = options.defect ?? cast<unknown, E>
  return {
    decide: Effect.fnUntraced(function* ({ attempt, failure, elapsed, random }) {
      if (failure._tag !== "Fail" && options.retryDefects === false) return stop
      const input =
        failure._tag === "Fail" ? failure.error : fromDefect(failure._tag === "Die" ? failure.defect : undefined)
      const now = yield* Clock.currentTimeMillis
      const redrive = replayed(schedule, input, { attempt, start: now - Math.max(0, elapsed), now })
      return yield* Random.withSeed(redrive, `${attempt}:${random}`)
    })
  }
}

/** Steps a fresh copy of the schedule once per attempt. Between two steps passes the delay that the first one gave. */
const replayed = Effect.fnUntraced(function* <E>(
  schedule: Schedule.Schedule<unknown, E, unknown>,
  input: E,
  at: { readonly attempt: number; readonly start: number; readonly now: number }
) {
  const step = yield* Schedule.toStep(schedule)
  let decision: Decision = stop
  let time = at.start
  for (let n = 1; n <= at.attempt; n++) {
    decision = yield* Pull.matchEffect(step(n === at.attempt ? at.now : time, input), {
      onSuccess: ([, delay]) => Effect.succeed(retryAfter(Duration.toSeconds(delay))),
      onFailure: (cause) => Effect.orDie(Effect.failCause(cause)),
      onDone: () => stopNow
    })
    if (decision._tag === "Stop") return decision
    time = Math.min(time + decision.delaySeconds * 1000, at.now)
  }
  return decision
})

/** A policy with a number of attempts and a delay in seconds that depends on nothing but the attempt. */
const counted = <E>(rule: {
  readonly filter: Filter<E>
  readonly maxAttempts: number
  readonly jitter: Jitter
  readonly delay: (attempt: number) => number
}): RetryPolicy<E> => ({
  decide: ({ attempt, failure, random }) =>
    Effect.sync(() => {
      if (attempt >= rule.maxAttempts || !accepts(rule.filter, failure)) return stop
      return retryAfter(spread(rule.delay(attempt), rule.jitter, random))
    })
})

const accepts = <E>(filter: Filter<E>, failure: Failure<E>): boolean =>
  failure._tag === "Fail" ? (filter.while?.(failure.error) ?? true) : (filter.retryDefects ?? true)

const spread = (seconds: number, jitter: Jitter, random: number): number => {
  if (jitter === "none") return seconds
  return jitter === "full" ? random * seconds : seconds / 2 + (random * seconds) / 2
}

const retryAfter = (seconds: number): Decision => ({ _tag: "Retry", delaySeconds: wholeDelaySeconds(seconds) })

/** @internal A delay as the service accepts it: whole seconds, at least 1 and at most 366 days. */
export const wholeDelaySeconds = (seconds: number): number =>
  Math.min(Math.max(1, Math.round(seconds)), Limits.maxDurationSeconds)

/** Reads the arguments of one constructor and throws for those that make no sense. */
const argumentsOf = (constructor: string) => {
  const refuse = (name: string, expected: string, found: unknown): never => {
    throw new Error(`RetryPolicy.${constructor}: ${name} must be ${expected}, found ${describe(found)}`)
  }
  return {
    count: (name: string, value: number): number =>
      Number.isSafeInteger(value) && value >= 1 ? value : refuse(name, "a whole number of at least 1", value),
    atLeastOne: (name: string, value: number): number =>
      Number.isFinite(value) && value >= 1 ? value : refuse(name, "a finite number of at least 1", value),
    jitter: (value: Jitter): Jitter =>
      value === "full" || value === "half" || value === "none"
        ? value
        : refuse("jitter", `"full", "half" or "none"`, value),
    seconds: (name: string, value: Duration.Input): number =>
      secondsOf(value) ?? refuse(name, "a finite duration that is not negative", value)
  }
}

/** @internal The seconds of a duration, or undefined unless it is finite and not negative. Effect reads NaN as zero. */
export const secondsOf = (value: Duration.Input): number | undefined => {
  if (!isDurationInput(value) || [value, ...Object.values(value)].some(Number.isNaN)) return undefined
  const duration = Duration.fromInput(value)
  if (duration._tag === "None") return undefined
  const seconds = Duration.toSeconds(duration.value)
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined
}

/** Effect reads any object as a duration, most of them as zero. */
const isDurationInput = (value: unknown): value is Duration.Input => {
  if (typeof value !== "object") return value !== undefined
  if (value === null || Duration.isDuration(value) || Array.isArray(value)) return value !== null
  const units = Object.keys(value)
  return units.length > 0 && units.every((unit) => /^(weeks|days|hours|minutes|(milli|micro|nano)?seconds)$/.test(unit))
}

const describe = (value: unknown): string => (typeof value === "string" ? `"${value}"` : String(value))

/**
 * The policy of a step that names none: 6 attempts, 5 seconds doubled up to 60 seconds, with full jitter. It is the one
 * of AWS's own SDKs. Used as `RetryPolicy.default`.
 *
 * @category policies
 * @since 0.1.0
 */
const standard: RetryPolicy = exponential({ maxAttempts: 6, maxDelay: "1 minute" })
export default standard
