/**
 * Callbacks from outside of the execution: the holder of the id completes, fails or extends one, or its time runs out.
 *
 * An id that was never issued is not found. A callback that is over, for any reason, is answered with
 * CallbackTimeoutException, as the API documents it for expired or closed callbacks.
 *
 * @since 0.1.0
 */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Constraints from "../wire/Constraints.ts"
import type { ErrorObject } from "../wire/ErrorObject.ts"
import * as Limits from "../wire/Limits.ts"
import type { Operation } from "../wire/Operation.ts"
import { change } from "./Change.ts"
import * as Events from "./Events.ts"
import * as Execution from "./Execution.ts"
import { errorSize, textSize } from "./internal/size.ts"
import * as Metering from "./Metering.ts"
import { invalid, notFound, Refused } from "./Refused.ts"
import * as Work from "./Work.ts"

/** Completes a callback. The sender's text is kept unchanged; an empty text means no result. */
export const succeed = (
  work: Work.Work,
  callbackId: string,
  result: string | undefined
): Result.Result<void, Refused> => {
  const payload = result === "" ? undefined : result
  const { maxOperationPayload } = work.config
  if (textSize(payload) > maxOperationPayload) {
    return Result.fail(
      invalid(`CALLBACK output payload size must be less than or equal to ${maxOperationPayload} bytes.`)
    )
  }
  return Result.map(find(work, callbackId), (callback) =>
    end(
      work,
      callback,
      { Status: "SUCCEEDED", details: payload === undefined ? {} : { Result: payload } },
      { EventType: "CallbackSucceeded", CallbackSucceededDetails: { Result: Events.payload(payload) } }
    )
  )
}

/** Fails a callback with the sender's error, which may be empty. */
export const fail = (work: Work.Work, callbackId: string, error: ErrorObject): Result.Result<void, Refused> => {
  if (errorSize(error) > Limits.maxErrorObject) {
    return Result.fail(invalid(`Error object size must be less than ${Limits.maxErrorObject} bytes.`))
  }
  return Result.map(find(work, callbackId), (callback) =>
    end(
      work,
      callback,
      { Status: "FAILED", details: { Error: error } },
      { EventType: "CallbackFailed", CallbackFailedDetails: { Error: Events.failure(error) } }
    )
  )
}

/**
 * Gives a callback another heartbeat interval. A callback without an interval does not change. A heartbeat never wakes the
 * function.
 */
export const heartbeat = (work: Work.Work, callbackId: string): Result.Result<void, Refused> =>
  Result.map(find(work, callbackId), ({ address, entry }) => {
    if (entry.heartbeatSeconds === undefined) return
    Work.arm(work, { kind: "HeartbeatTimeout", ...address }, work.time + entry.heartbeatSeconds * 1_000)
  })

/** Ends an open callback whose time has run out. */
export const timeOut = (work: Work.Work, address: Execution.OperationAddress, error: ErrorObject): void => {
  const execution = Work.execution(work, address.executionArn)
  end(
    work,
    { address, execution, entry: Execution.known(execution, address.operationId) },
    { Status: "TIMED_OUT", details: { Error: error } },
    { EventType: "CallbackTimedOut", CallbackTimedOutDetails: { Error: Events.failure(error) } }
  )
}

interface OpenCallback {
  readonly address: Execution.OperationAddress
  readonly execution: Execution.Execution
  readonly entry: Execution.Entry
}

const find = (work: Work.Work, callbackId: string): Result.Result<OpenCallback, Refused> => {
  if (!Constraints.isCallbackId(callbackId)) return Result.fail(invalid("CallbackId is not valid."))
  const address = Option.getOrUndefined(HashMap.get(work.state.callbacks, callbackId))
  if (address === undefined) return Result.fail(notFound("There is no callback with this id."))
  const execution = Work.execution(work, address.executionArn)
  const entry = Execution.known(execution, address.operationId)
  return execution.outcome === undefined && entry.operation.Status === "STARTED"
    ? Result.succeed({ address, execution, entry })
    : Result.fail(
        new Refused({
          exception: "CallbackTimeoutException",
          message: "The callback has expired or is closed already."
        })
      )
}

const end = (
  work: Work.Work,
  { address, entry, execution }: OpenCallback,
  ending: { readonly Status: string; readonly details: { readonly Result?: string; readonly Error?: ErrorObject } },
  body: Events.EventBody
): void => {
  const operation: Operation = {
    ...entry.operation,
    Status: ending.Status,
    EndTimestamp: Work.stamp(work),
    CallbackDetails: { ...entry.operation.CallbackDetails, ...ending.details }
  }
  const bytes = textSize(ending.details.Result) + errorSize(ending.details.Error)
  change(work, Metering.charge(execution, { operations: 0, bytes }), operation, body)
  Work.disarm(work, { kind: "CallbackTimeout", ...address })
  Work.disarm(work, { kind: "HeartbeatTimeout", ...address })
}
