/**
 * Invocations of a world that failed, one after the other.
 *
 * Owns: the end of an invocation in the words of the engine, and when failures in a row are a fault of the test.
 * Does not own: what follows from that.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import type { InvocationFailed } from "../DurableError.ts"
import type { InvocationEnd } from "../engine/Service.ts"
import type { ErrorObject } from "../wire/ErrorObject.ts"
import type { InvocationAnswer } from "../wire/Invocation.ts"

/** How an invocation ended in the process. */
export type InvocationExit = Exit.Exit<{ readonly answer: InvocationAnswer }, InvocationFailed>

/** The maximum number of consecutive failed invocations of one execution before the test fails. */
const maxFailures = 100

/** The maximum number of consecutive invocations that wait in vain without progress. */
const maxStuck = 3

export class FailedInvocations {
  readonly #counts = new Map<string, { count: number; stuck: number; operations: number }>()

  /**
   * Counts the end of an invocation, given the number of operations of the execution. Returns the problem if the
   * execution would repeat this forever: invocations run out of time repeatedly at the same place.
   */
  count(executionArn: string, exit: InvocationExit, end: InvocationEnd, operations: number): string | undefined {
    if (end._tag !== "Crashed") {
      this.#counts.delete(executionArn)
      return undefined
    }
    const counts = this.#counts.get(executionArn) ?? { count: 0, stuck: 0, operations: 0 }
    counts.count++
    counts.stuck = gotNowhere(exit) && operations === counts.operations ? counts.stuck + 1 : 0
    counts.operations = operations
    this.#counts.set(executionArn, counts)
    if (counts.count !== maxFailures && counts.stuck !== maxStuck) return undefined
    const last = `${end.error.ErrorType ?? "Error"}: ${end.error.ErrorMessage ?? ""}`
    return `${counts.count} invocations in a row failed. The last one: ${last}`
  }
}

/** Returns whether an invocation ran out of time, or waited too long for work that no operation records. */
const gotNowhere = (exit: InvocationExit): boolean =>
  Exit.isFailure(exit) &&
  exit.cause.reasons.some(
    (reason) => Cause.isFailReason(reason) && (reason.error.reason === "deadline" || reason.error.reason === "outside")
  )

/** Returns the end of an invocation in the form that the engine accepts. Its answer crosses the wire. */
export const invocationEnd = (
  exit: InvocationExit,
  crossed: (answer: InvocationAnswer) => InvocationAnswer
): InvocationEnd => {
  if (Exit.isSuccess(exit)) return { _tag: "Answered", answer: crossed(exit.value.answer) }
  const error = exit.cause.reasons.find(Cause.isFailReason)?.error
  const crash: ErrorObject =
    error === undefined
      ? { ErrorType: "Runtime.ExitError", ErrorMessage: Cause.pretty(exit.cause) }
      : { ErrorType: error._tag, ErrorMessage: error.message }
  return { _tag: "Crashed", error: crash }
}
