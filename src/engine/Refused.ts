/**
 * How the engine says no: the refusal as the API would answer it.
 *
 * A refused command has no other effect: the state before it is the state after it.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"

/**
 * The exceptions that the engine answers, by the names of Lambda's API model, each with its HTTP status.
 *
 * @since 0.1.0
 * @category models
 */
export const httpStatus = {
  InvalidParameterValueException: 400,
  CallbackTimeoutException: 400,
  ResourceNotFoundException: 404,
  DurableExecutionAlreadyStartedException: 409,
  RequestTooLargeException: 413
} as const

/**
 * The name of an exception of the API.
 *
 * @since 0.1.0
 * @category models
 */
export type ExceptionName = keyof typeof httpStatus

/**
 * A command that the service refuses. `exception` is the name of the API's exception and `message` its text.
 *
 * @since 0.1.0
 * @category errors
 */
export class Refused extends Data.TaggedError("Refused")<{
  readonly exception: ExceptionName
  readonly message: string
}> {
  /** The HTTP status that goes with the exception. */
  get status(): number {
    return httpStatus[this.exception]
  }
}
