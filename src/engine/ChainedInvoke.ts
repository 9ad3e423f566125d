/**
 * Chained invokes: one execution invokes another function and waits for it.
 *
 * A durable target becomes an execution of its own, which notifies its parent when it closes. A plain target runs once, on
 * the host. A missing target, or one that may not be called in this way, fails the operation and not the caller.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import type { ErrorObject } from "../wire/ErrorObject.ts"
import type { OperationUpdate } from "../wire/OperationUpdate.ts"
import { change, subject } from "./Change.ts"
import type { FunctionEntry } from "./Config.ts"
import * as Events from "./Events.ts"
import * as Execution from "./Execution.ts"
import { invariant } from "./internal/invariant.ts"
import { answerTooLarge, errorSize, isAnswerTooLarge, textSize } from "./internal/size.ts"
import * as Metering from "./Metering.ts"
import * as Start from "./Start.ts"
import * as State from "./State.ts"
import * as Work from "./Work.ts"

/** The end of an execution or a target, without its time. */
export type Ending =
  | { readonly status: "SUCCEEDED"; readonly result?: string }
  | { readonly status: "FAILED" | "TIMED_OUT" | "STOPPED"; readonly error: ErrorObject }

/**
 * The end of a plain target, as the host reports it. An undefined result reaches the caller as `null`.
 *
 * @since 0.1.0
 * @category models
 */
export type TargetEnd =
  | { readonly _tag: "Succeeded"; readonly result: string | undefined }
  | { readonly _tag: "Failed"; readonly error: ErrorObject }
  | { readonly _tag: "TimedOut"; readonly error?: ErrorObject }
  | { readonly _tag: "Stopped"; readonly error?: ErrorObject }

/** Converts the end of a target to the end of the caller's operation. */
export const endingOf = (end: TargetEnd): Ending => {
  switch (end._tag) {
    case "Succeeded":
      if (isAnswerTooLarge(end.result)) return { status: "FAILED", error: answerTooLarge }
      return { status: "SUCCEEDED", ...(end.result !== undefined && { result: end.result }) }
    case "Failed":
      return { status: "FAILED", error: end.error }
    case "TimedOut":
      return { status: "TIMED_OUT", error: end.error ?? { ErrorMessage: "The invoked function timed out." } }
    default:
      return { status: "STOPPED", error: end.error ?? { ErrorMessage: "The invoked function was stopped." } }
  }
}

/** Starts the target of a CHAINED_INVOKE. */
export const start = (work: Work.Work, arn: string, update: OperationUpdate): void => {
  const options = update.ChainedInvokeOptions
  invariant(options !== undefined, "a chained invoke without a target was let through")
  const address: Execution.OperationAddress = { executionArn: arn, operationId: update.Id }
  const target = Start.target(work.config, options.FunctionName, undefined)
  const childArn = Result.isSuccess(target) ? run(work, address, target.success, update) : undefined
  const execution = Work.execution(work, arn)
  change(
    work,
    execution,
    { ...subject(work, execution, update), ChainedInvokeDetails: {} },
    {
      EventType: "ChainedInvokeStarted",
      ChainedInvokeStartedDetails: {
        FunctionName: options.FunctionName,
        ...(options.TenantId !== undefined && { TenantId: options.TenantId }),
        Input: Events.payload(update.Payload),
        ...(Result.isSuccess(target) && { ExecutedVersion: target.success.version }),
        // The service always sets the field; a plain function has no execution.
        DurableExecutionArn: childArn ?? ""
      }
    },
    childArn === undefined ? {} : { childArn }
  )
  if (Result.isFailure(target)) {
    const { exception, message } = target.failure
    end(work, address, { status: "FAILED", error: { ErrorType: exception, ErrorMessage: message } })
  }
}

/** Runs the target. Returns the ARN of its execution if it is durable. */
const run = (
  work: Work.Work,
  address: Execution.OperationAddress,
  entry: FunctionEntry,
  { ChainedInvokeOptions: options, Payload }: OperationUpdate
): string | undefined => {
  const traceHeader = options?.XAmznTraceId ?? Work.execution(work, address.executionArn).identity.traceHeader
  const request = {
    ...(Payload !== undefined && { payload: Payload }),
    ...(options?.TenantId !== undefined && { tenantId: options.TenantId }),
    ...(traceHeader !== undefined && { traceHeader })
  }
  if (entry.kind === "durable") return Start.create(work, entry, request, address).identity.arn
  work.effects.push({
    _tag: "RunTarget",
    functionName: entry.name,
    version: entry.version,
    functionArn: Start.functionArn(work.config, entry.name, entry.version),
    ...address,
    ...request
  })
  return undefined
}

/** Records the end of the target. Does nothing if no operation waits for it any more. */
export const end = (
  work: Work.Work,
  { executionArn, operationId }: Execution.OperationAddress,
  ending: Ending
): void => {
  const execution = State.execution(work.state, executionArn)
  if (execution === undefined || execution.outcome !== undefined) return
  const operation = Execution.entry(execution, operationId)?.operation
  if (operation?.Type !== "CHAINED_INVOKE" || operation.Status !== "STARTED") return
  const bytes = ending.status === "SUCCEEDED" ? textSize(resultOf(ending)) : errorSize(ending.error)
  change(
    work,
    Metering.charge(execution, { operations: 0, bytes }),
    {
      ...operation,
      Status: ending.status,
      EndTimestamp: Work.stamp(work),
      ChainedInvokeDetails: ending.status === "SUCCEEDED" ? { Result: resultOf(ending) } : { Error: ending.error }
    },
    endEvent(ending)
  )
}

const endEvent = (ending: Ending): Events.EventBody => {
  switch (ending.status) {
    case "SUCCEEDED":
      return {
        EventType: "ChainedInvokeSucceeded",
        ChainedInvokeSucceededDetails: { Result: Events.payload(resultOf(ending)) }
      }
    case "FAILED":
      return { EventType: "ChainedInvokeFailed", ChainedInvokeFailedDetails: { Error: Events.failure(ending.error) } }
    case "TIMED_OUT":
      return {
        EventType: "ChainedInvokeTimedOut",
        ChainedInvokeTimedOutDetails: { Error: Events.failure(ending.error) }
      }
    default:
      return { EventType: "ChainedInvokeStopped", ChainedInvokeStoppedDetails: { Error: Events.failure(ending.error) } }
  }
}

/** Returns the result for the caller: `null` from a function that returns nothing. */
const resultOf = (ending: { readonly result?: string }): string => ending.result ?? "null"
