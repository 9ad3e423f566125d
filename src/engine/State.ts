/**
 * The state of a whole service: every execution, open or closed, the ways to find them, and the armed timers.
 *
 * It is a value: a command makes a new one that shares whatever did not change with the old one.
 *
 * @since 0.1.0
 */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type { Execution, OperationAddress } from "./Execution.ts"
import * as AppendLog from "./internal/AppendLog.ts"
import * as Timers from "./Timers.ts"

/**
 * The state of a service. Hosts keep it and hand it to the next command; they read it through the functions of
 * `Service`.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServiceState {
  /** The time of the last command, in epoch milliseconds. It never goes back. */
  readonly now: number
  /**
   * The last time that was given to the end of an operation or the creation of a callback. No two commands give the
   * same, so that these are in order, whichever executions they belong to; it may be ahead of `now` by a little.
   */
  readonly lastStamp: number
  readonly executions: HashMap.HashMap<string, Execution>
  /** ARNs in the order in which their executions started. */
  readonly starts: AppendLog.AppendLog<string>
  readonly arnByName: HashMap.HashMap<string, string>
  readonly callbacks: HashMap.HashMap<string, OperationAddress>
  readonly timers: Timers.Timers
}

/**
 * A service on which nothing was ever started.
 *
 * @since 0.1.0
 * @category constructors
 */
export const empty: ServiceState = {
  now: 0,
  lastStamp: 0,
  executions: HashMap.empty(),
  starts: AppendLog.empty(),
  arnByName: HashMap.empty(),
  callbacks: HashMap.empty(),
  timers: Timers.empty
}

/** The execution with this ARN. */
export const execution = (state: ServiceState, arn: string): Execution | undefined =>
  Option.getOrUndefined(HashMap.get(state.executions, arn))

/**
 * Whether an execution in this state has the name.
 *
 * @since 0.1.0
 * @category getters
 */
export const hasName = (state: ServiceState, name: string): boolean => HashMap.has(state.arnByName, name)

/** The execution with this name. */
export const named = (state: ServiceState, name: string): Execution | undefined => {
  const arn = Option.getOrUndefined(HashMap.get(state.arnByName, name))
  return arn === undefined ? undefined : execution(state, arn)
}

/**
 * Whether an execution in this state has given this id to a callback.
 *
 * @since 0.1.0
 * @category getters
 */
export const hasCallback = (state: ServiceState, callbackId: string): boolean =>
  HashMap.has(state.callbacks, callbackId)
