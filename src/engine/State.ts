/**
 * The state of a whole service: every execution, open or closed, the indexes, and the armed timers.
 *
 * It is an immutable value: a command creates a new one that shares all unchanged parts with the old one.
 *
 * @since 0.1.0
 */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type { Execution, OperationAddress } from "./Execution.ts"
import * as AppendLog from "./internal/AppendLog.ts"
import * as Timers from "./Timers.ts"

/**
 * The state of a service. Hosts keep it and pass it to the next command; they read it through the functions of `Service`.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServiceState {
  /** The time of the last command, in epoch milliseconds. It never goes back. */
  readonly now: number
  /**
   * The last time that was assigned to the end of an operation or the creation of a callback. No two commands assign the
   * same time, so these events are ordered across all executions. It may be slightly ahead of `now`.
   */
  readonly lastStamp: number
  readonly executions: HashMap.HashMap<string, Execution>
  /** The ARNs in the order in which their executions started. */
  readonly starts: AppendLog.AppendLog<string>
  readonly arnByName: HashMap.HashMap<string, string>
  readonly callbacks: HashMap.HashMap<string, OperationAddress>
  readonly timers: Timers.Timers
}

/**
 * The state of a service without executions.
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

/** Returns the execution with this ARN. */
export const execution = (state: ServiceState, arn: string): Execution | undefined =>
  Option.getOrUndefined(HashMap.get(state.executions, arn))

/**
 * Returns whether an execution in this state has the name.
 *
 * @since 0.1.0
 * @category getters
 */
export const hasName = (state: ServiceState, name: string): boolean => HashMap.has(state.arnByName, name)

/** Returns the execution with this name. */
export const named = (state: ServiceState, name: string): Execution | undefined => {
  const arn = Option.getOrUndefined(HashMap.get(state.arnByName, name))
  return arn === undefined ? undefined : execution(state, arn)
}

/**
 * Returns whether an execution in this state has issued this callback id.
 *
 * @since 0.1.0
 * @category getters
 */
export const hasCallback = (state: ServiceState, callbackId: string): boolean =>
  HashMap.has(state.callbacks, callbackId)
