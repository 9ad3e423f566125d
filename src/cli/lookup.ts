/**
 * The lookup of executions and callbacks by the references that users type.
 *
 * Owns: how names become ARNs and ids.
 * Does not own: their use.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { DurableClient, events, type ClientError } from "../DurableClient.ts"
import type { ExecutionSummary } from "../wire/Api.ts"
import { isCallbackId, isDurableExecutionArn, isExecutionName, parseDurableExecutionArn } from "../wire/Constraints.ts"
import type { HistoryEvent, HistoryEventOf } from "../wire/HistoryEvent.ts"
import { failed, misused, type CommandFailed } from "./CommandFailed.ts"
import { Endpoint } from "./connection.ts"
import { durableFunctions } from "./control.ts"
import { Output } from "./Output.ts"

type Looking<A> = Effect.Effect<A, ClientError | CommandFailed, DurableClient | Endpoint | Output>

/** Returns the functions to search: the given one, or all that an engine on this machine serves. */
export const functionsToList = (functionName: string | undefined, wanted: string): Looking<ReadonlyArray<string>> =>
  Effect.gen(function* () {
    if (functionName !== undefined) return [functionName]
    const { url } = yield* Endpoint
    const served = url === undefined ? undefined : yield* durableFunctions(url)
    if (served !== undefined) return served
    return yield* misused(`This service lists executions by function only: ${wanted}.`)
  })

/** Returns the ARN of an execution. A name that several executions have had refers to the newest of them. */
export const findExecution = (reference: string, functionName: string | undefined): Looking<string> =>
  Effect.gen(function* () {
    if (isDurableExecutionArn(reference)) return reference
    if (!isExecutionName(reference)) {
      return yield* misused(
        `"${reference}" is neither the ARN of an execution nor a name of one, which has 1 to 64 letters, digits, - and _.`
      )
    }
    const client = yield* DurableClient
    const functions = yield* functionsToList(functionName, "add --function NAME, or give the ARN")
    const pages = yield* Effect.forEach(
      functions,
      (name) => client.list(name, { executionName: reference, maxItems: 10 }),
      { concurrency: 4 }
    )
    const found = newestFirst(pages.flatMap(({ items }) => items))
    const [newest] = found
    if (newest === undefined) {
      const where = functionName === undefined ? "" : ` of the function ${functionName}`
      return yield* failed(`There is no execution${where} called "${reference}".`)
    }
    if (found.length > 1) {
      const { say } = yield* Output
      say(`${found.length} executions are called "${reference}". This is the newest: ${newest.DurableExecutionArn}`)
    }
    return newest.DurableExecutionArn
  })

/** Sorts executions by their start, the newest first. */
export const newestFirst = (executions: ReadonlyArray<ExecutionSummary>): ReadonlyArray<ExecutionSummary> =>
  executions.toSorted((a, b) => b.StartTimestamp - a.StartTimestamp)

// --- Callbacks -----------------------------------------------------------------------------------------------------------

/** An open callback. */
export interface FoundCallback {
  readonly callbackId: string
  /** The name for people. */
  readonly name: string
}

/**
 * Returns the callback of `NAME`, `NAME/OPERATION`, or of an ARN in place of the name. Without the operation it is the only
 * open one.
 */
export const findCallback = (reference: string, functionName: string | undefined): Looking<FoundCallback> =>
  Effect.gen(function* () {
    const { execution, operation } = parts(reference)
    const arn = yield* findExecution(execution, functionName)
    const open = yield* openCallbacks(arn)
    const fitting = operation === undefined ? open : called(open, operation)
    const [first, ...others] = fitting
    const listed = open.map(({ name }) => name).join(", ")
    if (first === undefined) {
      return yield* failed(
        open.length === 0
          ? `No callback of ${execution} is open.`
          : `No open callback of ${execution} is called "${operation}". These are open: ${listed}.`
      )
    }
    if (others.length > 0) {
      return yield* misused(
        `${fitting.length} callbacks of ${execution} fit: ${fitting.map(({ name }) => name).join(", ")}. Name one of them, as in ${execution}/${first.name}, or give its id.`
      )
    }
    return { callbackId: first.callbackId, name: `${execution}/${first.name}` }
  })

/** Returns whether a reference can be the id of a callback. A name can look like one, so the id has to be tried. */
export const maybeCallbackId = (reference: string): boolean => reference.length >= 20 && isCallbackId(reference)

/** Splits a reference. An ARN has slashes of its own. */
const parts = (reference: string): { readonly execution: string; readonly operation: string | undefined } => {
  const [, execution = reference, operation] =
    /^(arn:[^/]+\/durable-execution\/[^/]+\/[^/]+)(?:\/(.+))?$/.exec(reference) ??
    /^([^/]+)(?:\/(.+))?$/.exec(reference) ??
    []
  return { execution, operation: operation || undefined }
}

interface OpenCallback extends FoundCallback {
  readonly path: ReadonlyArray<string>
}

/** Returns the unanswered callbacks of an execution, by their paths. */
const openCallbacks = (arn: string): Looking<ReadonlyArray<OpenCallback>> =>
  Effect.map(Stream.runCollect(events(arn, { includeExecutionData: true })), (history) => {
    const byId = new Map(history.flatMap((event) => (event.Id === undefined ? [] : [[event.Id, event] as const])))
    const over = new Set(history.filter(isAnswer).map(({ Id }) => Id))
    return history.filter(isCallbackStarted).flatMap((event) => {
      if (over.has(event.Id)) return []
      const path = pathOf(event, byId)
      return [{ callbackId: event.CallbackStartedDetails.CallbackId, path, name: path.join("/") }]
    })
  })

const isCallbackStarted = (event: HistoryEvent): event is HistoryEventOf<"CallbackStarted"> =>
  event.EventType === "CallbackStarted"

const isAnswer = ({ EventType }: HistoryEvent): boolean => /^Callback(Succeeded|Failed|TimedOut)$/.test(EventType)

/**
 * Returns the names of an operation and of those around it. The callback of a `waitForCallback` has the name of that
 * operation.
 */
const pathOf = (event: HistoryEvent, byId: ReadonlyMap<string, HistoryEvent>): ReadonlyArray<string> => {
  const parent = event.ParentId === undefined ? undefined : byId.get(event.ParentId)
  const above = parent === undefined ? [] : pathOf(parent, byId)
  return parent?.SubType === "WaitForCallback" ? above : [...above, event.Name ?? event.Id ?? ""]
}

/** Returns the callbacks with this path, or else with this end of it. A name may contain a slash. */
const called = (open: ReadonlyArray<OpenCallback>, operation: string): ReadonlyArray<OpenCallback> => {
  const whole = open.filter(({ name }) => name === operation)
  return whole.length > 0
    ? whole
    : open.filter(({ path }) => path.some((_, from) => path.slice(from).join("/") === operation))
}

/** Returns the name of an execution, for people. */
export const nameOf = (arn: string): string => parseDurableExecutionArn(arn)?.executionName ?? arn
