/**
 * The errors that a client outside of a workflow can distinguish. There is one mapping for every client, because the
 * engines have to fail as the service does.
 *
 * Owns: the mapping from a refusal of the service to an error of the client. Does not own: how the refusal was read.
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
} from "./ClientPort.ts"
import { mayPass, type Refusal } from "./internal/awsFailure.ts"

export const clientError = (failure: Refusal): ClientError => {
  const message = failure.name === undefined ? failure.message : `${failure.name}: ${failure.message}`
  switch (failure.name) {
    case "DurableExecutionAlreadyStartedException":
      return new ExecutionAlreadyStarted({ message: failure.message })
    case "ResourceNotFoundException":
      return new NotFound({ message: failure.message })
    case "CallbackTimeoutException":
      return new CallbackClosed({ message: failure.message })
    default:
      return passingStates.has(failure.name ?? "") || mayPass(failure)
        ? new ClientUnavailable({ message })
        : new ClientRefused({ message })
  }
}

/** The temporary states of a function: it is being created, changed, or restored from a snapshot. */
const passingStates = new Set(["ResourceConflictException", "SnapStartNotReadyException", "SnapStartTimeoutException"])
