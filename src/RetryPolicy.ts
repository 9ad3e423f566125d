/**
 * Retry policies: whether a failed attempt of a step is repeated, and after how long.
 *
 * A policy decides once for each failed attempt, from the number of the attempt, its failure, and the time since the
 * operation was started. The service records the delay and waits for it, so no decision is made twice. Use {@link
 * exponential}, {@link linear} or {@link fixed} for the usual cases, and {@link fromSchedule} for an existing
 * `Schedule`.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { cast, dual } from "effect/Function"
import { Class as PipeableClass, type Pipeable } from "effect/Pipeable"
import * as Pull from "effect/Pull"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import { describeDuration, howToWrite, millisIn, secondsIn } from "./internal/durations.ts"
import { describeFound } from "./internal/found.ts"
import * as Limits from "./wire/Limits.ts"

/**
 * The failure of an attempt: a typed error, a defect, or an interruption by the attempt itself.
 *
 * @category models
 * @since 0.1.0
 */
export type Failure<E = unknown> =
  | { readonly _tag: "Fail"; readonly error: E }
  | { readonly _tag: "Die"; readonly defect: unknown }
  | { readonly _tag: "Interrupted" }

/**
 * The facts from which a policy decides.
 *
 * @category models
 * @since 0.1.0
 */
export interface Attempt<E = unknown> {
  /** The number of the attempt that just failed, from 1. */
  readonly attempt: number
  readonly failure: Failure<E>
  /** Milliseconds since the operation was started, including waiting. */
  readonly elapsed: number
  /** A random number, at least 0 and less than 1, for the jitter. */
  readonly random: number
}

/**
 * The decision of a policy. `delaySeconds` is a whole number of seconds from 1 to 31,622,400 (366 days).
 *
 * @category models
 * @since 0.1.0
 */
export type Decision = { readonly _tag: "Stop" } | { readonly _tag: "Retry"; readonly delaySeconds: number }

/**
 * A policy for errors of type `E`. A policy that ignores the error is a `RetryPolicy<unknown>` and fits every step.
 *
 * `decide` has no error channel. If it dies, for instance because a predicate throws, the operation dies with that
 * defect.
 *
 * @category models
 * @since 0.1.0
 */
export interface RetryPolicy<in E = unknown> extends Pipeable {
  readonly decide: (attempt: Attempt<E>) => Effect.Effect<Decision>
}

class Policy<in E> extends PipeableClass implements RetryPolicy<E> {
  readonly decide: (attempt: Attempt<E>) => Effect.Effect<Decision>

  constructor(decide: (attempt: Attempt<E>) => Effect.Effect<Decision>) {
    super()
    this.decide = decide
  }
}

/**
 * Creates a policy from a function that makes the decisions.
 *
 * @example
 * ```ts
 * import { RetryPolicy } from "effect-durable"
 * import * as Effect from "effect/Effect"
 *
 * export const twice = RetryPolicy.make(({ attempt }) =>
 *   Effect.succeed(attempt < 2 ? { _tag: "Retry", delaySeconds: 30 } : { _tag: "Stop" })
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <E = unknown>(decide: (attempt: Attempt<E>) => Effect.Effect<Decision>): RetryPolicy<E> =>
  new Policy(decide)

/**
 * The random spread of a delay, so that attempts that failed together are not repeated together: `"full"` takes a
 * random delay between zero and the computed one, `"half"` one between half and all of it, `"none"` the computed delay
 * itself.
 *
 * @category models
 * @since 0.1.0
 */
export type Jitter = "full" | "half" | "none"

/**
 * The failures that a policy repeats.
 *
 * @category models
 * @since 0.1.0
 */
export interface Filter<E> {
  /**
   * A predicate for typed errors. The policy stops at an error for which it returns `false`. Default: every typed error
   * is repeated.
   */
  readonly while?: ((error: E) => boolean) | undefined
  /** Whether attempts that died, or interrupted themselves, are also repeated. Default: true. */
  readonly retryDefects?: boolean | undefined
}

const stop: Decision = { _tag: "Stop" }
const stopNow = Effect.succeed(stop)

/**
 * Creates a policy whose delays are multiplied each time: `initialDelay * backoffRate ** (attempt - 1)`, at most
 * `maxDelay`.
 *
 * `maxAttempts` includes the first attempt. Throws when an argument is invalid.
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
    /** The number of attempts, including the first: a whole number of at least 1. Default: 3. */
    readonly maxAttempts?: number | undefined
    /** The delay after the first attempt. Default: 5 seconds. */
    readonly initialDelay?: Duration.Input | undefined
    /** The longest delay. Default: 5 minutes. */
    readonly maxDelay?: Duration.Input | undefined
    /** The factor between a delay and the next: at least 1. Default: 2. */
    readonly backoffRate?: number | undefined
    /** The random spread of the delays. Default: `"full"`. */
    readonly jitter?: Jitter | undefined
  } = {}
): RetryPolicy<E> => {
  const argument = argumentsOf("exponential")
  const initial = argument.seconds("initialDelay", options?.initialDelay ?? "5 seconds")
  const most = argument.seconds("maxDelay", options?.maxDelay ?? "5 minutes")
  const rate = argument.atLeastOne("backoffRate", options?.backoffRate ?? 2)
  return counted({
    filter: options ?? {},
    maxAttempts: argument.count("maxAttempts", options?.maxAttempts ?? 3),
    jitter: argument.jitter(options?.jitter ?? "full"),
    // The power may overflow to Infinity, and 0 * Infinity is no number.
    delay: growing(initial, rate, most)
  })
}

/** Returns the delay after an attempt: that of the attempt before times the rate, and at most `most`. */
const growing =
  (initial: number, rate: number, most: number) =>
  (attempt: number): number =>
    initial === 0 ? 0 : Math.min(initial * rate ** (attempt - 1), most)

/**
 * Creates a policy whose delays grow by the same amount each time: `initialDelay + increment * (attempt - 1)`, at most
 * `maxDelay`.
 *
 * `maxAttempts` includes the first attempt. Throws when an argument is invalid.
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
    /** The number of attempts, including the first: a whole number of at least 1. Default: 6. */
    readonly maxAttempts?: number | undefined
    /** The delay after the first attempt. Default: 1 second. */
    readonly initialDelay?: Duration.Input | undefined
    /** The difference between a delay and the next. Default: 1 second. */
    readonly increment?: Duration.Input | undefined
    /** The longest delay. Default: 5 minutes. */
    readonly maxDelay?: Duration.Input | undefined
    /** The random spread of the delays. Default: `"full"`. */
    readonly jitter?: Jitter | undefined
  } = {}
): RetryPolicy<E> => {
  const argument = argumentsOf("linear")
  const initial = argument.seconds("initialDelay", options?.initialDelay ?? "1 second")
  const increment = argument.seconds("increment", options?.increment ?? "1 second")
  const most = argument.seconds("maxDelay", options?.maxDelay ?? "5 minutes")
  return counted({
    filter: options ?? {},
    maxAttempts: argument.count("maxAttempts", options?.maxAttempts ?? 6),
    jitter: argument.jitter(options?.jitter ?? "full"),
    delay: (attempt) => Math.min(initial + increment * (attempt - 1), most)
  })
}

/**
 * Creates a policy with the same delay each time.
 *
 * `maxAttempts` includes the first attempt. Throws when an argument is invalid.
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
    /** The number of attempts, including the first: a whole number of at least 1. Default: 5. */
    readonly maxAttempts?: number | undefined
    /** The delay after each attempt. Default: 5 seconds. */
    readonly delay?: Duration.Input | undefined
    /** The random spread of the delays. Default: `"none"`. */
    readonly jitter?: Jitter | undefined
  } = {}
): RetryPolicy<E> => {
  const argument = argumentsOf("fixed")
  const delay = argument.seconds("delay", options?.delay ?? "5 seconds")
  return counted({
    filter: options ?? {},
    maxAttempts: argument.count("maxAttempts", options?.maxAttempts ?? 5),
    jitter: argument.jitter(options?.jitter ?? "none"),
    delay: () => delay
  })
}

/**
 * The policy that never repeats an attempt.
 *
 * @category policies
 * @since 0.1.0
 */
export const none: RetryPolicy = /* @__PURE__ */ make(() => stopNow)

/**
 * Limits a policy to typed errors for which a predicate holds. The policy still decides about defects, and about bodies
 * that interrupted themselves.
 *
 * @example
 * ```ts
 * import { RetryPolicy } from "effect-durable"
 *
 * export const picky = RetryPolicy.standard.pipe(
 *   RetryPolicy.while((error: { readonly retryable: boolean }) => error.retryable)
 * )
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
const whileHolds: {
  <E>(predicate: (error: NoInfer<E>) => boolean): (self: RetryPolicy<E>) => RetryPolicy<E>
  <E>(predicate: (error: E) => boolean): <E1>(self: RetryPolicy<E1>) => RetryPolicy<E & E1>
  <E1, E>(self: RetryPolicy<E1>, predicate: (error: E) => boolean): RetryPolicy<E & E1>
} = /* @__PURE__ */ dual(2, <E1, E>(self: RetryPolicy<E1>, predicate: (error: E) => boolean): RetryPolicy<E & E1> => {
  argumentsOf("while").call("predicate", predicate)
  return make((attempt) =>
    Effect.suspend(() => (accepts({ while: predicate }, attempt.failure) ? self.decide(attempt) : stopNow))
  )
})

/**
 * Stops a policy after a number of attempts, including the first, or when the next attempt would begin later than a
 * duration after the first one began. Throws when an argument is invalid.
 *
 * @example
 * ```ts
 * import { RetryPolicy } from "effect-durable"
 *
 * export const forAnHour = RetryPolicy.fixed({ maxAttempts: 1000, delay: "1 minute" }).pipe(
 *   RetryPolicy.upTo({ duration: "1 hour" })
 * )
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const upTo: {
  (limits: UpTo): <E>(self: RetryPolicy<E>) => RetryPolicy<E>
  <E>(self: RetryPolicy<E>, limits: UpTo): RetryPolicy<E>
} = /* @__PURE__ */ dual(2, <E>(self: RetryPolicy<E>, limits: UpTo): RetryPolicy<E> => {
  const argument = argumentsOf("upTo")
  const attempts = limits?.attempts === undefined ? Infinity : argument.count("attempts", limits.attempts)
  const seconds = limits?.duration === undefined ? Infinity : argument.seconds("duration", limits.duration)
  return make((attempt) =>
    attempt.attempt >= attempts
      ? stopNow
      : Effect.map(self.decide(attempt), (decision) =>
          decision._tag === "Retry" && attempt.elapsed / 1000 + decision.delaySeconds > seconds ? stop : decision
        )
  )
})

/**
 * The limits of {@link upTo}.
 *
 * @category models
 * @since 0.1.0
 */
export interface UpTo {
  /** The number of attempts, including the first. */
  readonly attempts?: number | undefined
  /** The longest time from the beginning of the first attempt to the beginning of the last one, as a duration. */
  readonly duration?: Duration.Input | undefined
}

/**
 * Changes the delays of a policy, but not when it stops. A delay can come from the error, such as the `Retry-After` of
 * a response.
 *
 * The function receives the attempt and the delay of the policy in seconds. It returns another delay, or `undefined` to
 * keep the delay. The delay is rounded to whole seconds, at least 1 second and at most 366 days; an invalid delay is a
 * defect.
 *
 * @example
 * ```ts
 * import { RetryPolicy } from "effect-durable"
 * import * as Schema from "effect/Schema"
 *
 * class Throttled extends Schema.TaggedError<Throttled>()("Throttled", { retryAfterSeconds: Schema.Number }) {}
 *
 * export const polite = RetryPolicy.standard.pipe(
 *   RetryPolicy.withDelay<Throttled>(({ failure }) =>
 *     failure._tag === "Fail" ? { seconds: failure.error.retryAfterSeconds } : undefined
 *   )
 * )
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const withDelay: {
  <E>(delay: DelayOf<NoInfer<E>>): (self: RetryPolicy<E>) => RetryPolicy<E>
  <E>(delay: DelayOf<E>): <E1>(self: RetryPolicy<E1>) => RetryPolicy<E & E1>
  <E1, E>(self: RetryPolicy<E1>, delay: DelayOf<E>): RetryPolicy<E & E1>
} = /* @__PURE__ */ dual(2, <E1, E>(self: RetryPolicy<E1>, delay: DelayOf<E>): RetryPolicy<E & E1> => {
  const argument = argumentsOf("withDelay")
  argument.call("delay", delay)
  return make((attempt) =>
    Effect.map(self.decide(attempt), (decision) => {
      if (decision._tag === "Stop") return decision
      const own = delay({ ...attempt, delaySeconds: decision.delaySeconds })
      return own === undefined ? decision : retryAfter(argument.seconds("delay", own))
    })
  )
})

type DelayOf<E> = (attempt: Attempt<E> & { readonly delaySeconds: number }) => Duration.Input | undefined

export { whileHolds as while }

/**
 * Creates a policy from a `Schedule`.
 *
 * A schedule has state, and successive decisions may happen in different invocations. So each decision runs the schedule
 * from its start: one step for each attempt so far, each with the error of the present attempt as its input. The last
 * step has the time since the operation was started as its elapsed time (as everywhere in Effect, no time has elapsed for
 * the first step of a schedule). Delays become whole seconds, at least 1. A schedule that fails is a defect.
 *
 * A schedule that takes any input also sees attempts that died, or interrupted themselves: its input is the defect, or
 * undefined. For a schedule that reads typed errors, either convert defects with `defect`, or pass `retryDefects: false`
 * to stop at them.
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
  (
    schedule: Schedule.Schedule<unknown, unknown, unknown>,
    options?: { readonly retryDefects?: boolean | undefined }
  ): RetryPolicy
  <E>(
    schedule: Schedule.Schedule<unknown, E, unknown>,
    options: { readonly retryDefects: false } | { readonly defect: (defect: unknown) => E }
  ): RetryPolicy<E>
} = <E>(
  schedule: Schedule.Schedule<unknown, E, unknown>,
  options: { readonly retryDefects?: boolean | undefined; readonly defect?: ((defect: unknown) => E) | undefined } = {}
): RetryPolicy<E> => {
  // The first overload makes sure that a schedule without `defect` takes any input.
  const { defect: fromDefect = cast<unknown, E>, retryDefects } = options ?? {}
  if (!Schedule.isSchedule(schedule))
    throw new Error(`RetryPolicy.fromSchedule: expected a Schedule, found ${describeFound(schedule)}`)
  return make(
    Effect.fnUntraced(function* ({ attempt, failure, elapsed, random }) {
      if (failure._tag !== "Fail" && retryDefects === false) return stop
      const input =
        failure._tag === "Fail" ? failure.error : fromDefect(failure._tag === "Die" ? failure.defect : undefined)
      const now = yield* Clock.currentTimeMillis
      const redrive = replayed(schedule, input, { attempt, start: now - Math.max(0, elapsed), now })
      return yield* Random.withSeed(redrive, `${attempt}:${random}`)
    })
  )
}

/** Runs a new copy of the schedule, one step per attempt. The delay of a step passes before the next step. */
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

/** Creates a policy from a number of attempts and a delay in seconds that depends only on the attempt. */
const counted = <E>(rule: {
  readonly filter: Filter<E>
  readonly maxAttempts: number
  readonly jitter: Jitter
  readonly delay: (attempt: number) => number
}): RetryPolicy<E> =>
  make(({ attempt, failure, random }) =>
    Effect.sync(() => {
      if (attempt >= rule.maxAttempts || !accepts(rule.filter, failure)) return stop
      return retryAfter(spread(rule.delay(attempt), rule.jitter, random))
    })
  )

const accepts = <E>(filter: Filter<E>, failure: Failure<E>): boolean =>
  failure._tag === "Fail" ? (filter.while?.(failure.error) ?? true) : (filter.retryDefects ?? true)

const spread = (seconds: number, jitter: Jitter, random: number): number => {
  if (jitter === "none") return seconds
  return jitter === "full" ? random * seconds : seconds / 2 + (random * seconds) / 2
}

const retryAfter = (seconds: number): Decision => ({ _tag: "Retry", delaySeconds: wholeDelaySeconds(seconds) })

/** @internal Returns a delay as the service accepts it: whole seconds, at least 1 and at most 366 days. */
export const wholeDelaySeconds = (seconds: number): number =>
  Math.min(Math.max(1, Math.round(seconds)), Limits.maxDurationSeconds)

/** Reads the arguments of one constructor, and throws for invalid ones. */
const argumentsOf = (constructor: string) => {
  const refuse = (name: string, expected: string, found: string, advice?: string): never => {
    const told = advice === undefined ? "" : `. ${advice}`
    throw new Error(`RetryPolicy.${constructor}: ${name} must be ${expected}, found ${found}${told}`)
  }
  return {
    count: (name: string, value: number): number =>
      Number.isSafeInteger(value) && value >= 1
        ? value
        : refuse(name, "a whole number of at least 1", describeFound(value)),
    atLeastOne: (name: string, value: number): number =>
      Number.isFinite(value) && value >= 1
        ? value
        : refuse(name, "a finite number of at least 1", describeFound(value)),
    call: (name: string, value: unknown): void => {
      if (typeof value !== "function") refuse(name, "a function", describeFound(value))
    },
    jitter: (value: Jitter): Jitter =>
      value === "full" || value === "half" || value === "none"
        ? value
        : refuse("jitter", `"full", "half" or "none"`, describeFound(value)),
    seconds: (name: string, value: Duration.Input): number =>
      secondsIn(value) ??
      refuse(
        name,
        "a finite duration that is not negative",
        describeDuration(value),
        millisIn(value) === undefined ? howToWrite(value) : undefined
      )
  }
}

/**
 * The policy of an at-least-once step without `retry`: 6 attempts, 5 seconds doubled up to 60 seconds, with full jitter.
 * AWS's own SDKs use the same policy.
 *
 * @category policies
 * @since 0.1.0
 */
// Created without the constructor, so that bundles that use no other policy do not contain the checks of arguments.
export const standard: RetryPolicy = /* @__PURE__ */ counted({
  filter: {},
  maxAttempts: 6,
  jitter: "full",
  delay: /* @__PURE__ */ growing(5, 2, 60)
})
