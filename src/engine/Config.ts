/**
 * What a host decides once, when it starts its service: which functions there are, and where the limits are.
 *
 * @since 0.1.0
 */
import * as Limits from "../wire/Limits.ts"
import { invariant } from "./internal/invariant.ts"

/**
 * What the host knows of a function.
 *
 * `version` is `$LATEST` or a number: the host resolves aliases, because an execution stays on the version that it
 * started on. `executionTimeoutSeconds` is the durable function's own; without it the configuration's holds.
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
 * How long the service waits before it invokes a function again whose invocation failed. How often it does so only the
 * execution's time-out limits.
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
  /** The function at this address, or undefined when there is none. Must answer the same for the same question. */
  readonly lookup: (name: string, qualifier: string | undefined) => FunctionEntry | undefined
  /** What a host adds to the message about a function that it does not know. */
  readonly missingAdvice: (name: string) => string
  /** Region and account of every ARN. */
  readonly region: string
  readonly account: string
  /** Time-out of an execution when neither its start nor its function gives one, in seconds. */
  readonly executionTimeoutSeconds: number
  /** Days for which the service says that it keeps a closed execution. The engine itself forgets none. */
  readonly retentionDays: number
  readonly invocationRetry: InvocationRetry
  /**
   * By how many milliseconds the time at which an operation ends or a callback is created is later than the one before,
   * at least, even if both happen in the same millisecond. A host whose answers leave the process gives a whole number,
   * because nothing smaller crosses the wire of AWS.
   */
  readonly stampStep: number
  /** Largest page of operations or events, in items and bytes: in an invocation's event and in every answer. */
  readonly pageItems: number
  readonly pageBytes: number
  /** Largest result of a step, a poll, a context or a callback, in bytes. */
  readonly maxOperationPayload: number
  /** Operations that one execution may use, as the service meters them. */
  readonly maxOperations: number
  /** Bytes that one execution may write. */
  readonly maxStorage: number
}

/**
 * What a host says; everything but `lookup` has the service's value by default.
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
  // The intervals that Lambda documents for asynchronous invocations that fail by its own fault.
  invocationRetry: { initialSeconds: 1, factor: 2, maxSeconds: 300 },
  // The distance between two neighbours among the numbers that stand for the times of the years 2004 to 2039.
  stampStep: 2 ** -12,
  pageItems: Limits.maxPageItems,
  // Leaves room for the rest of a response of six megabytes.
  pageBytes: 5 * 1_024 * 1_024,
  maxOperationPayload: Limits.maxOperationPayload,
  maxOperations: Limits.maxOperations,
  maxStorage: Limits.maxStorage
}

/**
 * The configuration with these options.
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
