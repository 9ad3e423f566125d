/**
 * Failures that come from outside of the execution: from a function that was invoked, or from the completion of a callback.
 *
 * Owns: whether such a failure is one that the code declares.
 * Does not own: what any other failure is called, which the operation says.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { isRecordedAs } from "../values/Failures.ts"
import { isOrigin } from "../values/origins.ts"
import { readValue, type Conversion, type Recording, type Subject } from "../values/Values.ts"
import type { ErrorObject } from "../wire/ErrorObject.ts"

/** A failure as an error that the Schema declares, if it is one of those. What its Schema cannot read is none. */
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
