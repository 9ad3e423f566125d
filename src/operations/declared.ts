/**
 * Failures from outside of the execution: of an invoked function, or of the completion of a callback.
 *
 * Owns: whether the code declares such a failure.
 * Does not own: the error for any other failure, which the operation defines.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { errorDataOf, isRecordedAs } from "../values/Failures.ts"
import { readValue, type Conversion, type Recording, type Subject } from "../values/Values.ts"
import type { ErrorObject } from "../wire/ErrorObject.ts"

/** Returns a failure as the declared error, if it is one. An error that the Schema cannot read is not a declared one. */
export const declaredError = (
  subject: Subject,
  schema: Recording["error"],
  failure: ErrorObject
): Conversion<{ readonly error: unknown } | undefined> => {
  const data = errorDataOf(failure)
  return data === undefined || schema === undefined
    ? Effect.succeed(undefined)
    : Effect.matchCauseEffectEager(readValue(subject, "error", { success: schema }, data), {
        onSuccess: (error) => Effect.succeed(isRecordedAs(error, failure.ErrorType) ? { error } : undefined),
        onFailure: (cause) =>
          cause.reasons.some(Cause.isFailReason) ? Effect.failCause(cause) : Effect.succeed(undefined)
      })
}
