/**
 * Refusals in the form of the API's answer.
 *
 * A refused command has no other effect: the state before it is the state after it.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import { type ApiErrorName, apiErrors } from "../wire/ApiError.ts"

/**
 * The refusal of a command. `exception` is the name of the API's exception, `message` its text, and `status` its HTTP
 * status.
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

/** Returns the refusal of an invalid request. */
export const invalid = (message: string): Refused =>
  new Refused({ exception: "InvalidParameterValueException", message })

/** Returns the refusal of a request about an unknown resource. */
export const notFound = (message: string): Refused => new Refused({ exception: "ResourceNotFoundException", message })
