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
import { isRecordedAs } from "../values/Failures.ts"
import { isOrigin } from "../values/origins.ts"
import { readValue, type Conversion, type Recording, type Subject } from "../values/Values.ts"
import type { ErrorObject } from "../wire/ErrorObject.ts"

/** Returns a failure as the declared error, if it is one. An error that the Schema cannot read is not a declared one. */
export const declaredError = (
  subject: Subject,
  schema: Recording["error"],
  { ErrorData: data, ErrorType: type }: ErrorObject
): Conversion<{ readonly error: unknown } | undefined> =>
  data === undefined || schema === undefined || isOrigin(data)
    ? Effect.succeed(undefined)
    : Effect.matchCauseEffectEager(readValue(subject, "error", { success: schema }, data), {
        onSuccess: (error) => Effect.succeed(isRecordedAs(error, type) ? { error } : undefined),
        onFailure: (cause) =>
          cause.reasons.some(Cause.isFailReason) ? Effect.failCause(cause) : Effect.succeed(undefined)
      })
