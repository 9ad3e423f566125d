/**
 * What a failed call of the Lambda API means to the store of checkpoints: one list for every backend, because the engines have
 * to fail as the service does.
 *
 * Owns: which of the three kinds a failure is. Does not own: how the failure was read, nor what it does to an invocation.
 * Users find it in `effect-durable/lambda`.
 *
 * @since 0.1.0
 */
import { StaleCheckpointToken, StoreRefused, StoreUnavailable, type StoreError } from "./CheckpointStore.ts"
import { mayPass } from "./internal/awsFailure.ts"

/**
 * Sorts a failed call of the Lambda API into the three kinds of failure of a `CheckpointStore`. It is for a store of your own
 * that calls the API.
 *
 * `status` is the HTTP status when there was an answer, `name` the exception's name.
 *
 * @example
 * ```ts
 * import { LambdaCheckpoints } from "effect-durable/lambda"
 *
 * export const throttled = LambdaCheckpoints.storeError({
 *   status: 429,
 *   name: "TooManyRequestsException",
 *   message: "Rate exceeded"
 * }) // StoreUnavailable
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const storeError = (failure: {
  readonly status?: number | undefined
  readonly name?: string | undefined
  readonly message: string
}): StoreError => {
  const { name, status } = failure
  const message = name === undefined ? failure.message : `${name}: ${failure.message}`
  if (status === 400 && /^invalid checkpoint token/i.test(failure.message)) {
    return new StaleCheckpointToken({ message })
  }
  return mayPass(name, status) ? new StoreUnavailable({ message }) : new StoreRefused({ message })
}
