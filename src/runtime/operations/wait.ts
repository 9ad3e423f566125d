/**
 * Wait: let time pass without an invocation.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { InvalidDuration } from "../../DurableError.ts"
import * as Limits from "../../wire/Limits.ts"
import { claim, record, type Claim } from "../Execution.ts"
import { isFinal } from "../Journal.ts"

export const wait = (name: string, duration: Duration.Input) =>
  Effect.flatMap(claim({ type: "WAIT", subType: "Wait", name }), (claimed) =>
    run(claimed, durableSeconds(claimed.path, duration))
  )

const run = Effect.fnUntraced(function* (claimed: Claim, seconds: Effect.Effect<number>) {
  if (claimed.record === undefined) {
    yield* record(claimed, { Action: "START", WaitOptions: { WaitSeconds: yield* seconds } })
  }
  if (claimed.record !== undefined && isFinal(claimed.record)) yield* Effect.yieldNow
  else yield* claimed.run.waitFor(claimed)
})

/** How long something may take: a duration, or until a point in time. */
export type Timeout = Duration.Input | Date | DateTime.DateTime

/** The whole seconds that are left until a time-out, at least 1; none when a point in time is over already. */
export const secondsLeft = (
  { path, run }: Pick<Claim, "path" | "run">,
  timeout: Timeout
): Effect.Effect<number | undefined> => {
  if (!(timeout instanceof Date || DateTime.isDateTime(timeout))) return durableSeconds(path, timeout)
  const deadline = timeout instanceof Date ? timeout.getTime() : DateTime.toEpochMillis(timeout)
  const left = deadline - run.now()
  return left <= 0 ? Effect.succeed(undefined) : durableSeconds(path, Math.max(1_000, left))
}

/** A wait until a time-out, which has not passed yet. */
export const waitUntil = (name: string, timeout: Timeout) =>
  Effect.flatMap(claim({ type: "WAIT", subType: "Wait", name }), (claimed) =>
    run(
      claimed,
      Effect.map(secondsLeft(claimed, timeout), (seconds) => seconds ?? 1)
    )
  )

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
    ? "For less than a second use Effect.sleep inside a step."
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
