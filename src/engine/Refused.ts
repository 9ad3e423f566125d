/**
 * How the service says no: a refusal as the API would answer it.
 *
 * A refused command has no other effect: the state before it is the state after it.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import { type ApiErrorName, apiErrors } from "../wire/ApiError.ts"

/**
 * The service refuses a command. `exception` is the name of the API's exception, `message` its text, and `status` the
 * HTTP status that goes with it.
 *
 * @since 0.1.0
 * @category errors
 */
export class Refused extends Data.TaggedError("Refused")<{
  readonly exception: ApiErrorName
  readonly message: string
}> {
  get status(): number {
    return apiErrors[this.exception].status
  }
}

/** Something in the request is not as the service wants it. */
export const invalid = (message: string): Refused =>
  new Refused({ exception: "InvalidParameterValueException", message })

/** What the request is about is not there. */
export const notFound = (message: string): Refused => new Refused({ exception: "ResourceNotFoundException", message })
