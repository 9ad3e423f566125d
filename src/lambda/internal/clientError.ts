/**
 * The kinds of failure that somebody outside of a workflow can tell apart.
 *
 * @since 0.1.0
 */
import {
  CallbackClosed,
  ClientRefused,
  ClientUnavailable,
  ExecutionAlreadyStarted,
  NotFound,
  type ClientError
} from "../../DurableClient.ts"
import { mayPass } from "../../internal/awsFailure.ts"
import type { Failure } from "./failure.ts"

export const clientError = (failure: Failure): ClientError => {
  const message = failure.name === undefined ? failure.message : `${failure.name}: ${failure.message}`
  switch (failure.name) {
    case "DurableExecutionAlreadyStartedException":
      return new ExecutionAlreadyStarted({ message: failure.message })
    case "ResourceNotFoundException":
      return new NotFound({ message: failure.message })
    case "CallbackTimeoutException":
      return new CallbackClosed({ message: failure.message })
    default:
      return passingStates.has(failure.name ?? "") || mayPass(failure.name, failure.status)
        ? new ClientUnavailable({ message })
        : new ClientRefused({ message })
  }
}

/** States of a function that pass: it is being created, changed, or restored from a snapshot. */
const passingStates = new Set(["ResourceConflictException", "SnapStartNotReadyException", "SnapStartTimeoutException"])
