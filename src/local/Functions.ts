/**
 * The functions of the engine, and the meaning of their ends.
 *
 * Owns: the interface between the engine and the code that runs functions.
 * Does not own: processes, and the code of a function.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Service from "../engine/Service.ts"
import { parseJson } from "../internal/json.ts"
import type { ErrorObject } from "../wire/ErrorObject.ts"

/** One call of a function: an invocation of a durable function, or a call of a plain one. */
export interface FunctionCall {
  readonly requestId: string
  readonly functionName: string
  readonly version: string
  readonly functionArn: string
  /** The payload as JSON. */
  readonly payload: string
  readonly tenantId?: string | undefined
  readonly traceHeader?: string | undefined
  /** The context of the client, as JSON. */
  readonly clientContext?: string | undefined
}

/**
 * The end of a call: a returned text, which should be JSON; an error that the code threw; the end of the process; or a
 * time-out.
 */
export type FunctionEnd =
  | { readonly _tag: "Returned"; readonly body: string }
  | { readonly _tag: "Threw"; readonly error: ErrorObject }
  | { readonly _tag: "Exited"; readonly error: ErrorObject }
  | { readonly _tag: "TimedOut"; readonly afterSeconds: number }

/** Functions that can run. */
export interface Functions {
  /** Returns the function of this name, or undefined if there is none. The result is the same as long as the engine runs. */
  readonly find: (
    name: string
  ) => { readonly kind: "durable" | "plain"; readonly executionTimeoutSeconds?: number | undefined } | undefined
  readonly names: ReadonlyArray<string>
  readonly run: (call: FunctionCall) => Effect.Effect<FunctionEnd>
}

/** Returns the end of a call of a function that only an earlier engine served. */
export const gone = ({ functionName }: FunctionCall): FunctionEnd => ({
  _tag: "Exited",
  error: {
    ErrorType: "ResourceNotFoundException",
    ErrorMessage: `This engine does not serve the function ${functionName}.`
  }
})

/** Combines functions; each call goes to the functions that have the name. */
export const together = (all: ReadonlyArray<Functions>): Functions => ({
  names: all.flatMap(({ names }) => names),
  find: (name) => all.map(({ find }) => find(name)).find((found) => found !== undefined),
  run: (call) =>
    Effect.suspend(
      () => all.find(({ find }) => find(call.functionName) !== undefined)?.run(call) ?? Effect.succeed(gone(call))
    )
})

/** Returns the lookup of functions by address. Aliases lead to version 1: on one machine a function has one version. */
export const lookupIn =
  ({ find }: Functions): Service.Config["lookup"] =>
  (name, qualifier) => {
    const found = find(name)
    if (found === undefined) return undefined
    const version =
      qualifier === undefined || qualifier.startsWith("$") ? "$LATEST" : /^\d+$/.test(qualifier) ? qualifier : "1"
    const { executionTimeoutSeconds, kind } = found
    return kind === "plain"
      ? { kind, name, version }
      : { kind, name, version, ...(executionTimeoutSeconds !== undefined && { executionTimeoutSeconds }) }
  }

/** Returns advice for the message about a missing function. */
export const adviceIn =
  ({ names }: Functions): Service.Config["missingAdvice"] =>
  () =>
    names.length === 0
      ? ". This engine serves no functions. Give it some."
      : `. This engine serves ${names.join(", ")}. It never calls functions in AWS.`

/** Converts the end of a call to the end of an invocation of a durable execution. */
export const invocationEnd = (end: FunctionEnd): Service.InvocationEnd => {
  switch (end._tag) {
    case "Returned":
      // Invalid JSON becomes undefined, which the engine refuses like any answer of the wrong shape.
      return { _tag: "Answered", answer: parseJson(end.body) }
    case "TimedOut":
      return end
    default:
      return { _tag: "Crashed", error: end.error }
  }
}

/** Converts the end of a call to the result for its caller. */
export const targetEnd = (end: FunctionEnd): Service.TargetEnd => {
  switch (end._tag) {
    case "Returned":
      return { _tag: "Succeeded", result: end.body === "" ? undefined : end.body }
    case "TimedOut":
      return {
        _tag: "TimedOut",
        error: {
          ErrorType: "Sandbox.Timedout",
          ErrorMessage: `Task timed out after ${end.afterSeconds.toFixed(2)} seconds`
        }
      }
    default:
      return { _tag: "Failed", error: end.error }
  }
}
