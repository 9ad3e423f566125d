/**
 * Which failed calls of the AWS API may succeed when they are repeated.
 *
 * @since 0.1.0
 */

/** Failures that AWS answers as the fault of the client and that pass all the same: too many calls, credentials that have run out, a clock that is off. */
const passing =
  /Throttl|^(TooManyRequests|RequestLimitExceeded|ProvisionedThroughputExceeded|PriorRequestNotComplete|ExpiredToken|RequestExpired|RequestTimeout|RequestTimeTooSkewed|IDPCommunicationError)/

/** Too early, too slow, too much. */
const passingStatuses: ReadonlyArray<number> = [408, 425, 429]

/**
 * Whether the same call may succeed later. Without a status there was no answer; an answer with a good status that could
 * not be read is one that got lost. What a key refuses it refuses for good, whatever the status.
 */
export const mayPass = (name: string | undefined, status: number | undefined): boolean => {
  if (name?.startsWith("KMS")) return false
  const isClientError = status !== undefined && status >= 400 && status < 500 && !passingStatuses.includes(status)
  return !isClientError || passing.test(name ?? "")
}
