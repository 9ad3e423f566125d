/**
 * Wait: lets time pass without an invocation.
 *
 * Owns: which durations the service can wait for, and how much time is left until a point in time.
 * Does not own: the sleeps of Effect, which are waits too.
 *
 * Invariants:
 * 1. A wait lasts whole seconds, at least 1 and at most 366 days. A wait for no time, or until a time that has passed,
 *    records nothing; an invalid duration fails before anything is recorded.
 * 2. Whether a point in time has passed is decided by the time of the workflow, once that is known, so that a replay decides
 *    the same. The remaining time is counted from the newest stamp of the service; the clock of the host is never used.
 * 3. A wait that was cancelled never ends.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Claim, Kind } from "../execution/Claim.ts"
import type { AnyFiber } from "../execution/Fibers.ts"
import type { Execution, ExecutionService, Parts } from "../execution/Parts.ts"
import { describeDuration, howToWrite, millisIn } from "../internal/durations.ts"
import { isDate } from "../internal/realm.ts"
import * as Limits from "../wire/Limits.ts"
import { begin, claimByName, inWorkflow, operation, type Body, type Leaf } from "./Operation.ts"
import { inRounds, invalidDuration, untilKnown } from "./sleep.ts"
import { typed, type Timeout } from "./typed.ts"

/**
 * Lets time pass without an invocation: the execution is suspended meanwhile and costs no compute.
 *
 * Takes a duration of at most 366 days, which is rounded up to whole seconds, or a `Date` or `DateTime` to wait for. A
 * number means milliseconds, as everywhere in Effect. A duration of zero or less, or a time that has passed, continues at
 * once and records nothing, so the sign of a time difference need not be checked. A recorded wait keeps its duration, so
 * newer code may use another one; `Effect.sleep`, which is durable as well, is named by its length.
 *
 * **Defects**: `InvalidDuration`, `InvalidName`, `NameInUse`, `NestedOperation`.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 *
 * export const coolOff = Durable.wait("cool-off", "3 days")
 * export const newYear = Durable.wait("new-year", new Date("2030-01-01T00:00:00Z"))
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const wait = (
  name: string,
  until: Duration.Input | Date | DateTime.DateTime
): Effect.Effect<void, never, Execution> => typed(untypedWait(name, until))

// --- Implementation ------------------------------------------------------------------------------------------------------

const kind: Kind = { type: "WAIT", subType: "Wait" }

export const untypedWait = (name: string, until: Timeout): Body =>
  inWorkflow(name, (execution, fiber) =>
    whenKnown(until, execution, fiber, () => wanted(execution, fiber, name, until))
  )

/**
 * Begins a wait. A wait for no time records nothing, but has used its name. A recorded wait is awaited whatever the code
 * passes.
 */
const wanted = (execution: ExecutionService, fiber: AnyFiber, name: string, until: Timeout): Body => {
  const { parts } = execution
  const claim = claimByName(execution, fiber, kind, name)
  const isOver = parts.history.get(claim.id) === undefined && millisUntil(claim, until) <= 0
  return isOver ? Effect.yieldNow : begin(parts, claim, waitLeaf(until))
}

/** Waits until a time-out. If it has passed meanwhile, the wait is as short as possible. */
export const waitUntil = (name: string, timeout: Timeout): Body => operation(name, waitLeaf(timeout))

/** Defines a wait of whole seconds, at least 1. A wait that was cancelled never ends. */
const waitLeaf = (until: Timeout): Leaf<number> => ({
  kind,
  prepare: (claim) => wholeSeconds(claim.path, shortest(millisUntil(claim, until)), until),
  perform: (claim, parts, seconds = 1) =>
    claim.commit({
      Action: "START",
      WaitOptions: { WaitSeconds: isPoint(until) ? secondsNow(claim, parts, until) : seconds }
    }),
  keyOf: (record) => (record.Status === "SUCCEEDED" ? (record.EndTimestamp ?? record.StartTimestamp) : undefined),
  outcome: () => Effect.void
})

const shortest = (millis: number): number => (millis < 1_000 ? 1_000 : millis)

/** Continues with code that compares a point in time with the time of the workflow, once that time is known. */
export const whenKnown = (
  timeout: Timeout | undefined,
  execution: ExecutionService,
  fiber: AnyFiber,
  body: () => Body
): Body => {
  const { namespace, parts } = execution
  return isPoint(timeout) && namespace.time.unread !== undefined
    ? Effect.flatMap(untilKnown(parts, fiber, namespace), body)
    : body()
}

/** Returns the whole seconds left until a time-out, at least 1; nothing if a point in time has passed. */
export const secondsLeft = (claim: Claim, parts: Parts, timeout: Timeout): Effect.Effect<number | undefined> => {
  if (!isPoint(timeout)) return durableSeconds(claim.path, timeout)
  const left = millisUntil(claim, timeout)
  if (left <= 0) return Effect.succeed(undefined)
  return Effect.mapEager(wholeSeconds(claim.path, shortest(left), timeout), () => secondsNow(claim, parts, timeout))
}

/** Returns the whole seconds until a point in time by the newest stamp of the service, at least 1. */
const secondsNow = (claim: Claim, { history }: Parts, point: Date | DateTime.DateTime): number =>
  Math.ceil(shortest(millisOf(point) - Math.max(claim.time.now, history.newestStamp)) / 1_000)

const millisUntil = (claim: Claim, until: Timeout): number =>
  isPoint(until) ? millisOf(until) - claim.time.now : toMillis(until)

const isPoint = (timeout: Timeout | undefined): timeout is Date | DateTime.DateTime =>
  isDate(timeout) || DateTime.isDateTime(timeout)

const millisOf = (point: Date | DateTime.DateTime): number =>
  isDate(point) ? point.getTime() : DateTime.toEpochMillis(point)

/** Converts a durable duration to whole seconds, rounded up: at least 1 second and at most 366 days. */
export const durableSeconds = (operation: string, duration: Duration.Input): Effect.Effect<number> =>
  wholeSeconds(operation, toMillis(duration), duration)

const wholeSeconds = (operation: string, millis: number, given: Timeout): Effect.Effect<number> => {
  const seconds = Math.ceil(millis / 1_000)
  return millis >= 1_000 && seconds <= Limits.maxDurationSeconds
    ? Effect.succeed(seconds)
    : Effect.die(invalidDuration(operation, describe(given, millis), adviceFor(given, millis)))
}

const adviceFor = (given: unknown, millis: number): string => {
  if (Number.isNaN(millis)) return howToWrite(given)
  return millis < 1_000 ? "Use at least 1 second, or for less Effect.timeout, which then records nothing." : inRounds
}

/** Converts a duration to milliseconds; NaN for an invalid one. */
const toMillis = (duration: Duration.Input): number => millisIn(duration) ?? Number.NaN

const describe = (given: unknown, millis: number): string => {
  if (isDate(given) || DateTime.isDateTime(given))
    return Number.isNaN(millis) ? "a point in time" : `a point in time that is ${millis / 1_000} s away`
  if (!Number.isNaN(millis)) return millis === Infinity ? "an infinite duration" : `${millis / 1_000} s`
  return `${describeDuration(given)}, which is not a duration`
}
