/**
 * The failures of the checkpoint store, from failed calls of the Lambda API. There is one mapping for every backend,
 * because the engines have to fail as the service does.
 *
 * Owns: which of the three kinds a failure is. Does not own: how the failure was read, and what it does to an invocation.
 * Users import this module from `effect-durable/lambda`.
 *
 * @since 0.1.0
 */
import { StaleCheckpointToken, StoreRefused, StoreUnavailable, type StoreError } from "./CheckpointStore.ts"
import { mayPass } from "./internal/awsFailure.ts"

/**
 * Returns the failure of a `CheckpointStore` for a failed call of the Lambda API: one of three kinds. Use it in a store
 * of your own that calls the API.
 *
 * `status` is the HTTP status, if there was a response; `name` is the name of the exception.
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
  return mayPass(failure) ? new StoreUnavailable({ message }) : new StoreRefused({ message })
}
