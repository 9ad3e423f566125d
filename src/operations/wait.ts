/**
 * Wait: let time pass without an invocation.
 *
 * Owns: which durations the service can wait for, and how much is left until a point in time.
 * Does not own: the sleeps of Effect, which are waits too.
 *
 * Invariants:
 * 1. A wait lasts whole seconds, at least 1 and at most 366 days. What is no such duration fails before anything is
 *    recorded.
 * 2. A point in time is compared with the time of the code that asks, so that a replay finds the same.
 * 3. A wait that was cancelled never ends.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { InvalidDuration } from "../DurableError.ts"
import type { Claim, Kind } from "../execution/Claim.ts"
import type { Execution } from "../execution/Parts.ts"
import * as Limits from "../wire/Limits.ts"
import { operation, type Body, type Leaf } from "./Operation.ts"
import { typed } from "./typed.ts"

/**
 * Lets time pass without an invocation: the execution is suspended meanwhile and costs no compute.
 *
 * The duration is at least 1 second and at most 366 days, and is rounded up to whole seconds. A number means
 * milliseconds, as everywhere in Effect. What was recorded stays, so newer code may have another duration; `Effect.sleep`,
 * which is durable as well, is named by its length.
 *
 * **Defects**: `InvalidDuration`, `InvalidName`, `NameInUse`, `NestedOperation`.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-durable"
 *
 * export const coolOff = Durable.wait("cool-off", "3 days")
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const wait = (name: string, duration: Duration.Input): Effect.Effect<void, never, Execution> =>
  typed(untypedWait(name, duration))

// --- How it is done ------------------------------------------------------------------------------------------------------

/** How long something may take: a duration, or until a point in time. */
export type Timeout = Duration.Input | Date | DateTime.DateTime

const kind: Kind = { type: "WAIT", subType: "Wait" }

export const untypedWait = (name: string, duration: Duration.Input): Body =>
  operation(
    name,
    waitLeaf((claim) => durableSeconds(claim.path, duration))
  )

/** A wait until a time-out, which has not passed yet. */
export const waitUntil = (name: string, timeout: Timeout): Body =>
  operation(
    name,
    waitLeaf((claim) => Effect.mapEager(secondsLeft(claim, timeout), (seconds) => seconds ?? 1))
  )

/** A wait of whole seconds, which are found out before it begins. One that was cancelled never ends. */
export const waitLeaf = (secondsOf: (claim: Claim) => Effect.Effect<number>): Leaf<number> => ({
  kind,
  prepare: secondsOf,
  perform: (claim, _, seconds = 1) => claim.commit({ Action: "START", WaitOptions: { WaitSeconds: seconds } }),
  keyOf: (record) => (record.Status === "SUCCEEDED" ? (record.EndTimestamp ?? record.StartTimestamp) : undefined),
  outcome: () => Effect.void
})

/** The whole seconds that are left until a time-out, at least 1; none when a point in time is over already. */
export const secondsLeft = (claim: Claim, timeout: Timeout): Effect.Effect<number | undefined> => {
  if (!(timeout instanceof Date || DateTime.isDateTime(timeout))) return durableSeconds(claim.path, timeout)
  const deadline = timeout instanceof Date ? timeout.getTime() : DateTime.toEpochMillis(timeout)
  const left = deadline - claim.time.now
  return left <= 0 ? Effect.succeed(undefined) : durableSeconds(claim.path, Math.max(1_000, left))
}

/** A durable duration in whole seconds, rounded up: at least 1 second and at most 366 days. */
export const durableSeconds = (operation: string, duration: Duration.Input): Effect.Effect<number> => {
  const millis = toMillis(duration)
  const seconds = Math.ceil(millis / 1_000)
  return millis >= 1_000 && seconds <= Limits.maxDurationSeconds
    ? Effect.succeed(seconds)
    : Effect.die(
        new InvalidDuration({
          operation,
          message:
            `Expected the duration of "${operation}" to be between 1 second and 366 days, found ${describe(duration, millis)}. ` +
            adviceFor(millis)
        })
      )
}

const adviceFor = (millis: number): string => {
  if (Number.isNaN(millis)) return 'Write "1 hour", "30 seconds", a Duration or a number of milliseconds.'
  return millis < 1_000
    ? "For less than a second use Effect.sleep, which records nothing then."
    : "For more than 366 days wait in rounds."
}

/** Milliseconds, or NaN for what is no duration. Dates are points in time and not durations. */
const toMillis = (duration: Duration.Input): number => {
  if (duration instanceof Date || DateTime.isDateTime(duration)) return Number.NaN
  try {
    return Duration.toMillis(Duration.fromInputUnsafe(duration))
  } catch {
    return Number.NaN
  }
}

const describe = (duration: unknown, millis: number): string => {
  if (duration instanceof Date || DateTime.isDateTime(duration)) return "a point in time"
  if (!Number.isNaN(millis)) return millis === Infinity ? "an infinite duration" : `${millis / 1_000} s`
  return typeof duration === "string" ? `${JSON.stringify(duration.slice(0, 40))}, which is no duration` : "no duration"
}
