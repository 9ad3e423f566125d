/**
 * Which failed calls of the AWS API may succeed when they are repeated.
 *
 * @since 0.1.0
 */

/** A refusal of the service: its HTTP status and the name of its exception, if they are known. */
export interface Refusal {
  readonly status?: number | undefined
  readonly name?: string | undefined
  readonly message: string
}

/**
 * Failures that AWS reports as the fault of the client but that pass: too many calls, credentials that have expired, a
 * clock that is off.
 */
const passing =
  /Throttl|^(TooManyRequests|RequestLimitExceeded|ProvisionedThroughputExceeded|PriorRequestNotComplete|ExpiredToken|RequestExpired|RequestTimeout|RequestTimeTooSkewed|IDPCommunicationError)/

/** The beginnings of the refusals of a signature that was made at the wrong time. A wrong key has another message. */
const clockIsOff = /^Signature (expired|not yet current)/

/** The statuses for too early, too slow, too much. */
const passingStatuses: ReadonlyArray<number> = [408, 425, 429]

/**
 * Checks whether the same call may succeed later. Without a status there was no answer. A good status whose answer could
 * not be read means that the answer was lost. What a KMS key refuses, it refuses for good, whatever the status.
 */
export const mayPass = ({ message, name = "", status }: Refusal): boolean => {
  if (name.startsWith("KMS")) return false
  const isClientError = status !== undefined && status >= 400 && status < 500 && !passingStatuses.includes(status)
  return !isClientError || passing.test(name) || clockIsOff.test(message)
}
