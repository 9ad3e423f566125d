/**
 * What ends an invocation before its workflow does, and in which words.
 *
 * @since 0.1.0
 */
import type * as Exit from "effect/Exit"
import type { StoreError } from "../CheckpointStore.ts"
import { InvocationFailed, NonDeterministic, StoreRejected, type Mistake } from "../DurableError.ts"
import type { Parked, Unit } from "./Supervisor.ts"

/**
 * Nothing is left to do but wait; the execution goes on as another one; it fails for good; or this invocation ends
 * without an answer.
 */
export type Verdict =
  | { readonly _tag: "Suspended" }
  | { readonly _tag: "Continued"; readonly executionArn: string }
  | { readonly _tag: "Condemned"; readonly mistake: Mistake }
  | { readonly _tag: "Aborted"; readonly error: InvocationFailed }

/** How the workflow of an invocation ended: by itself, or by a verdict. */
export type Ending<A, E> = { readonly _tag: "Ended"; readonly exit: Exit.Exit<A, E> } | Verdict

export const suspended: Verdict = { _tag: "Suspended" }

const aborted = (reason: InvocationFailed["reason"], message: string): Verdict => ({
  _tag: "Aborted",
  error: new InvocationFailed({ reason, message })
})

export const interrupted: Verdict = aborted("interrupted", "The invocation was interrupted from outside.")

/** A contradiction between code and history ends the execution, or only this invocation if the options say so. */
export const contradicted = (mistake: Mistake, onNonDeterminism: "fail" | "retry"): Verdict =>
  onNonDeterminism === "fail" ? { _tag: "Condemned", mistake } : aborted("non-deterministic", mistake.message)

/** A failure of the store: what the service refuses for good ends the execution, anything else only this invocation. */
export const storeFailed = (error: StoreError, executionName: string): Verdict => {
  switch (error._tag) {
    case "StaleCheckpointToken":
      return aborted(
        "stale-token",
        `This invocation no longer owns the execution, so it stops and records nothing more. ${error.message}`
      )
    case "StoreUnavailable":
      return aborted("store-unavailable", `The checkpoint service stayed unavailable. ${error.message}`)
    case "StoreRefused":
      return {
        _tag: "Condemned",
        mistake: new StoreRejected({
          operation: executionName,
          message: `The checkpoint service refused a request for good. ${error.message}`
        })
      }
  }
}

/** The invocation has to end now. */
export const outOfTime = (units: Iterable<Unit>): Verdict => {
  const running = Array.from(units, (unit) => `the ${unit.kind} "${unit.path}"`)
  return aborted(
    "deadline",
    `The invocation ran out of time${running.length === 0 ? "" : ` while running ${running.join(", ")}`}. ` +
      "What was acknowledged is kept; the service invokes the function again. Raise the function's time-out or split the work into smaller steps."
  )
}

/** The code of a context that is only rebuilt waits for operations without an outcome. */
export const waitsInVain = (operations: ReadonlyArray<Parked>, executionName: string): NonDeterministic =>
  new NonDeterministic({
    operation: operations[0]?.path ?? executionName,
    message:
      `The history holds the result of a context whose code now waits for ${operations.map((parked) => `"${parked.path}"`).join(", ")}, which had no outcome when that result was recorded. ` +
      "Run this execution with the version of the code that recorded it, or give the new operation to new executions only."
  })
