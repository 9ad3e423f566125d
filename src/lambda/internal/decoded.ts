/**
 * Reads an answer of the Lambda API. Fails with the caller's error if the answer does not match the API model.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { MalformedMessage } from "../../wire/Malformed.ts"

export const decodedOr =
  <E>(failure: (malformed: MalformedMessage) => E) =>
  <A>(read: (input: unknown) => Result.Result<A, MalformedMessage>) =>
  (answer: unknown): Effect.Effect<A, E> => {
    const result = read(answer)
    return Result.isSuccess(result) ? Effect.succeed(result.success) : Effect.fail(failure(result.failure))
  }
