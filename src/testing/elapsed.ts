/**
 * The check whether an execution took as long as a test expects, and a report of its longest operations if not.
 *
 * Owns: the report. Does not own: stamps. Only their whole milliseconds count here: the engine orders events within one
 * millisecond by a fraction.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type { ExecutionOutcome } from "../engine/Service.ts"
import { readMillis } from "../internal/durations.ts"
import type { Operation } from "../wire/Operation.ts"

/**
 * The expected duration of an execution: exact, or a minimum and a maximum.
 *
 * @category models
 * @since 0.1.0
 */
export type ExpectedDuration =
  | Duration.Input
  | { readonly atLeast: Duration.Input; readonly atMost?: Duration.Input | undefined }
  | { readonly atMost: Duration.Input; readonly atLeast?: Duration.Input | undefined }

/** The start of an execution, in milliseconds, its end, and its operations. */
export interface Course {
  readonly name: string
  readonly start: number
  readonly outcome: ExecutionOutcome
  readonly operations: ReadonlyArray<Operation>
}

/** Returns the error in the time that an execution took, if there is one. */
export const misfit = (course: Course, expected: ExpectedDuration): string | undefined => {
  const { least, most } = rangeOf(expected)
  const millis = millisBetween(course.start, course.outcome.endTimestamp)
  if (least <= millis && millis <= most) return undefined
  const bounds =
    least === most
      ? `exactly ${format(least)}`
      : [least > 0 ? `at least ${format(least)}` : "", most < Infinity ? `at most ${format(most)}` : ""]
          .filter((bound) => bound !== "")
          .join(" and ")
  return `Expected the execution "${course.name}" to take ${bounds}, found ${format(millis)}. ${whereItWent(course)}${failureIn(course)}`
}

/** A failure often explains the time: a step that was cut off, a limit that came first. */
const failureIn = ({ outcome }: Course): string =>
  outcome.status === "SUCCEEDED"
    ? ""
    : ` It ended as ${outcome.status}: ${outcome.error.ErrorType ?? "no error type"}: ${outcome.error.ErrorMessage ?? "no message"}`

const rangeOf = (expected: ExpectedDuration): { readonly least: number; readonly most: number } => {
  if (typeof expected === "object" && ("atLeast" in expected || "atMost" in expected)) {
    return { least: toMillis(expected.atLeast ?? 0), most: toMillis(expected.atMost ?? Infinity) }
  }
  const exactly = toMillis(expected)
  return { least: exactly, most: exactly }
}

/** Returns the whole milliseconds from one stamp to another. */
export const millisBetween = (start: number, end: number): number => Math.floor(end) - Math.floor(start)

const toMillis = (duration: Duration.Input): number => readMillis("the time of an execution", duration)

const format = (millis: number): string => Duration.format(Duration.millis(millis))

/** Returns the operations that took longest. Contexts are omitted: their time is that of the operations in them. */
const whereItWent = ({ operations, outcome }: Course): string => {
  const longest = operations
    .filter(({ Type }) => Type !== "EXECUTION" && Type !== "CONTEXT")
    .map((operation) => ({
      operation,
      millis: millisBetween(operation.StartTimestamp, operation.EndTimestamp ?? outcome.endTimestamp)
    }))
    .filter(({ millis }) => millis > 0)
    .sort((a, b) => b.millis - a.millis)
    .slice(0, 5)
    .map(
      ({ millis, operation }) =>
        `${operation.Type} "${pathOf(operations, operation)}" ${format(millis)}${operation.EndTimestamp === undefined ? " without an outcome" : ""}`
    )
  return longest.length === 0
    ? "None of its operations took any time."
    : `The longest of its operations: ${longest.join(", ")}.`
}

const pathOf = (operations: ReadonlyArray<Operation>, { Id, Name, ParentId }: Operation): string => {
  const parent = ParentId === undefined ? undefined : operations.find((other) => other.Id === ParentId)
  const own = Name ?? Id
  return parent === undefined ? own : `${pathOf(operations, parent)}/${own}`
}
