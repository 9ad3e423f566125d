/**
 * The configuration that a host sets when it starts its service: the functions and the limits.
 *
 * @since 0.1.0
 */
import * as Limits from "../wire/Limits.ts"
import { invariant } from "./internal/invariant.ts"

/**
 * A function as the host knows it.
 *
 * `version` is `$LATEST` or a number. The host resolves aliases, because an execution stays on the version on which it
 * started. `executionTimeoutSeconds` is set by the durable function; without it the default of the configuration applies.
 *
 * @since 0.1.0
 * @category models
 */
export type FunctionEntry =
  | {
      readonly kind: "durable"
      readonly name: string
      readonly version: string
      readonly executionTimeoutSeconds?: number
    }
  | { readonly kind: "plain"; readonly name: string; readonly version: string }

/**
 * The delays before the service invokes a function again after a failed invocation. Only the execution's time-out limits the
 * number of retries.
 *
 * @since 0.1.0
 * @category models
 */
export interface InvocationRetry {
  readonly initialSeconds: number
  readonly factor: number
  readonly maxSeconds: number
}

/**
 * The whole configuration of a service.
 *
 * @since 0.1.0
 * @category models
 */
export interface Config {
  /** Returns the function at this address, or undefined if there is none. Must return the same for the same address. */
  readonly lookup: (name: string, qualifier: string | undefined) => FunctionEntry | undefined
  /** Returns advice for the message about a function that the host does not know. */
  readonly missingAdvice: (name: string) => string
  /** Region and account of every ARN. */
  readonly region: string
  readonly account: string
  /** The time-out of an execution in seconds, if neither its start nor its function sets one. */
  readonly executionTimeoutSeconds: number
  /** The number of days for which the service claims to keep a closed execution. The engine itself deletes none. */
  readonly retentionDays: number
  readonly invocationRetry: InvocationRetry
  /**
   * The minimum distance in milliseconds between the times at which two operations end or callbacks are created, even within
   * the same millisecond. A host whose answers leave the process sets a whole number, because AWS's wire format holds
   * nothing smaller.
   */
  readonly stampStep: number
  /** The largest page of operations or events, in items and bytes: in an invocation's event and in every answer. */
  readonly pageItems: number
  readonly pageBytes: number
  /** The largest result of a step, a poll, a context or a callback, in bytes. */
  readonly maxOperationPayload: number
  /** The number of operations that one execution may use, as the service meters them. */
  readonly maxOperations: number
  /** The number of bytes that one execution may write. */
  readonly maxStorage: number
}

/**
 * The options of a host. All but `lookup` default to the values of the service.
 *
 * @since 0.1.0
 * @category models
 */
export type Options = Pick<Config, "lookup"> & Partial<Config>

const defaults = {
  missingAdvice: () => "",
  region: "us-east-1",
  account: "123456789012",
  executionTimeoutSeconds: Limits.maxDurationSeconds,
  retentionDays: Limits.defaultRetentionDays,
  // The intervals that Lambda documents for asynchronous invocations that failed because of Lambda itself.
  invocationRetry: { initialSeconds: 1, factor: 2, maxSeconds: 300 },
  // The distance between two neighbouring floating-point numbers for the times of the years 2004 to 2039.
  stampStep: 2 ** -12,
  pageItems: Limits.maxPageItems,
  // Leaves room for the rest of a response of six megabytes.
  pageBytes: 5 * 1_024 * 1_024,
  maxOperationPayload: Limits.maxOperationPayload,
  maxOperations: Limits.maxOperations,
  maxStorage: Limits.maxStorage
}

/**
 * Returns the configuration with these options.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Config => {
  const config = { ...defaults, ...options }
  invariant(Number.isInteger(config.pageItems) && config.pageItems >= 1, "a page holds at least one item")
  invariant(config.stampStep > 0 && config.stampStep < Infinity, "a stamp is later than the one before it")
  return config
}
