/**
 * What the engine knows of the functions that it runs, and how it takes their ends.
 *
 * Owns: the words between the engine and whoever runs functions.
 * Does not own: processes, and what a function does.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Service from "../engine/Service.ts"
import { parseJson } from "../internal/json.ts"
import type { ErrorObject } from "../wire/ErrorObject.ts"

/** One call of a function: an invocation of a durable one, or of any other. */
export interface FunctionCall {
  readonly requestId: string
  readonly functionName: string
  readonly version: string
  readonly functionArn: string
  /** JSON. */
  readonly payload: string
  readonly tenantId?: string | undefined
  readonly traceHeader?: string | undefined
  /** Base64 of JSON, as it came with the request. */
  readonly clientContext?: string | undefined
}

/**
 * How a call ended: with a text, which is JSON if the function keeps its word; with an error that its code threw; because
 * its process ended; or because its time ran out.
 */
export type FunctionEnd =
  | { readonly _tag: "Returned"; readonly body: string }
  | { readonly _tag: "Threw"; readonly error: ErrorObject }
  | { readonly _tag: "Exited"; readonly error: ErrorObject }
  | { readonly _tag: "TimedOut"; readonly afterSeconds: number }

/** Functions that can be run. */
export interface Functions {
  /** The function of this name, or undefined when there is none. Says the same as long as the engine runs. */
  readonly find: (
    name: string
  ) => { readonly kind: "durable" | "plain"; readonly executionTimeoutSeconds?: number | undefined } | undefined
  readonly names: ReadonlyArray<string>
  readonly run: (call: FunctionCall) => Effect.Effect<FunctionEnd>
}

/** What becomes of a call of a function that an engine before this one has served. */
export const gone = ({ functionName }: FunctionCall): FunctionEnd => ({
  _tag: "Exited",
  error: {
    ErrorType: "ResourceNotFoundException",
    ErrorMessage: `This engine does not serve the function ${functionName}.`
  }
})

/** All of these functions, each in its own way. */
export const together = (all: ReadonlyArray<Functions>): Functions => ({
  names: all.flatMap(({ names }) => names),
  find: (name) => all.map(({ find }) => find(name)).find((found) => found !== undefined),
  run: (call) =>
    Effect.suspend(
      () => all.find(({ find }) => find(call.functionName) !== undefined)?.run(call) ?? Effect.succeed(gone(call))
    )
})

/** The function at an address. Aliases lead to version 1: on one machine a function has one version. */
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

/** What is said about a function that is not there. */
export const adviceIn =
  ({ names }: Functions): Service.Config["missingAdvice"] =>
  () =>
    names.length === 0
      ? ". This engine serves no functions. Give it some."
      : `. This engine serves ${names.join(", ")}. It never calls functions in AWS.`

/** What the end of a call means for a durable execution. */
export const invocationEnd = (end: FunctionEnd): Service.InvocationEnd => {
  switch (end._tag) {
    case "Returned":
      // The engine refuses an answer that is no object of the right shape, so what is no JSON need only not be one.
      return { _tag: "Answered", answer: parseJson(end.body) }
    case "TimedOut":
      return end
    default:
      return { _tag: "Crashed", error: end.error }
  }
}

/** What the end of a call means for whoever waits for its result. */
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
