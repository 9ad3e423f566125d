/**
 * Which failed requests are sent again, after how long, and how many of them.
 *
 * Owns: the rules, which are those of AWS's clients in their standard mode: kinds of failure, delays, and an allowance that an
 * outage uses up, so that a service in trouble is not asked three times as often.
 * Does not own: sending, and what else a failure means.
 *
 * @since 0.1.0
 */
import type { Failure } from "../failure.ts"
import type { Answer } from "./exchange.ts"

/** The service has too much to do, the next try may succeed, or none will. */
export type Failing = "throttled" | "transient" | "final"

export const kindOf = ({ message, name = "", status }: Failure): Failing => {
  if (status === 429 || throttling.test(name)) return "throttled"
  const passes =
    (status === undefined ? broken.test(name) : status === 500 || (status >= 502 && status <= 504)) ||
    /^(TimeoutError|RequestTimeout(Exception)?)$/.test(name) ||
    (name === "InvalidSignatureException" && message.includes("Signature expired"))
  return passes ? "transient" : "final"
}

const throttling =
  /^(BandwidthLimitExceeded|EC2ThrottledException|LimitExceededException|PriorRequestNotComplete|ProvisionedThroughputExceededException|RequestLimitExceeded|RequestThrottled(Exception)?|SlowDown|ThrottledException|Throttling(Exception)?|TooManyRequestsException|TransactionInProgressException)$/

/** What Node calls a connection that failed. */
const broken = /^(ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/

const longest = 20_000

/** Milliseconds until the next try, after so many repeats. What the service asks for is kept to, within five seconds. */
export const delayOf = (kind: Failing, repeats: number, answer: Answer | undefined): number => {
  const base = kind === "throttled" ? 1_000 : 50
  const delay = Math.floor(Math.random() * Math.min(base * 2 ** repeats, longest))
  const asked = askedFor(answer)
  return asked === undefined ? delay : Math.max(delay, Math.min(asked, delay + 5_000))
}

/** The milliseconds that an answer asks to wait. */
const askedFor = (answer: Answer | undefined): number | undefined => {
  const seconds = answer?.header("retry-after")
  if (seconds !== undefined) {
    const wait = /^\d+(\.\d+)?$/.test(seconds) ? Number(seconds) * 1_000 : Date.parse(seconds) - Date.now()
    return Number.isNaN(wait) ? undefined : wait
  }
  const milliseconds = Number(answer?.header("x-amz-retry-after") ?? NaN)
  return Number.isNaN(milliseconds) ? undefined : milliseconds
}

const capacity = 500

/** What is left of the allowance. Repeats use it up, and good answers fill it again. */
export class Allowance {
  #left = capacity

  /** Takes what a repeat costs, or nothing if there is not enough. */
  take(kind: Failing): number | undefined {
    const cost = kind === "throttled" ? 5 : 14
    if (this.#left < cost) return undefined
    this.#left -= cost
    return cost
  }

  /** Gives back what the last repeat of a request cost, or a little for one that was not repeated. */
  give(cost = 1): void {
    this.#left = Math.min(capacity, this.#left + cost)
  }
}
