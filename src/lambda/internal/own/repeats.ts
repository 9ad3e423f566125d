/**
 * Repeats of failed requests: which ones, after which delay, and how many.
 *
 * Owns: the rules, which are those of AWS's clients in their standard mode: kinds of failure, delays, and an allowance. An
 * outage uses up the allowance, so that a service in trouble does not receive three times as many requests.
 * Does not own: sending, and any other meaning of a failure.
 *
 * @since 0.1.0
 */
import type { Failure } from "../failure.ts"
import type { Answer } from "./exchange.ts"

/** The kind of a failure: the service is overloaded, the next try may succeed, or no try will. */
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

/** Node's codes for a failed connection. */
const broken = /^(ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/

const longest = 20_000

/**
 * Returns the milliseconds until the next try, after a number of repeats. A delay that the service asks for is kept, up to
 * five seconds above the computed delay.
 */
export const delayOf = (kind: Failing, repeats: number, answer: Answer | undefined): number => {
  const base = kind === "throttled" ? 1_000 : 50
  const delay = Math.floor(Math.random() * Math.min(base * 2 ** repeats, longest))
  const asked = askedFor(answer)
  return asked === undefined ? delay : Math.max(delay, Math.min(asked, delay + 5_000))
}

/** Returns the milliseconds that an answer asks to wait. */
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

/** The remaining allowance. Repeats use it up, and good answers refill it. */
export class Allowance {
  #left = capacity

  /** Takes the cost of a repeat from the allowance and returns it; returns nothing if too little is left. */
  take(kind: Failing): number | undefined {
    const cost = kind === "throttled" ? 5 : 14
    if (this.#left < cost) return undefined
    this.#left -= cost
    return cost
  }

  /** Gives back the cost of the last repeat of a request, or a little for a request that was not repeated. */
  give(cost = 1): void {
    this.#left = Math.min(capacity, this.#left + cost)
  }
}
