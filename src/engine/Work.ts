/**
 * One command in progress. It holds the newest state and collects the effects for the host; it lives as long as the command.
 * Its content is persistent values, so an earlier state never changes.
 *
 * @since 0.1.0
 */
import * as Base64 from "effect/encoding/Base64"
import * as HashMap from "effect/HashMap"
import type { InvocationEvent } from "../wire/Invocation.ts"
import type { Config } from "./Config.ts"
import type { Execution, ExecutionOutcome } from "./Execution.ts"
import { invariant } from "./internal/invariant.ts"
import * as State from "./State.ts"
import * as Timers from "./Timers.ts"

/**
 * The inputs of every command.
 *
 * @since 0.1.0
 * @category models
 */
export interface Env {
  readonly config: Config
  /** The time in epoch milliseconds, rounded down. A time before the state's own counts as the state's. */
  readonly now: number
  /**
   * Returns a new unique text of 1..64 letters, digits and `-`: in a server from at least 128 random bits, because
   * checkpoint tokens and callback ids contain it. A test computes it from `owner`, which names what the id belongs to, and
   * from the number of ids that this owner has had. So the id is the same whatever other owners did before.
   */
  readonly freshId: (owner?: string) => string
}

/**
 * The effects that the host has to perform after a command, in this order.
 *
 * - `InvokeFunction`: run the durable handler with this event, then report its end with `invocationEnded`. At most one
 *   invocation of an execution is in flight.
 * - `RunTarget`: run the plain function once, then report its end with `targetEnded`.
 * - `ExecutionClosed`: answer the clients that wait for this execution.
 *
 * @since 0.1.0
 * @category models
 */
export type HostEffect =
  | {
      readonly _tag: "InvokeFunction"
      readonly functionName: string
      readonly version: string
      readonly functionArn: string
      readonly executionArn: string
      readonly invocationId: string
      readonly event: InvocationEvent
      readonly tenantId?: string
      readonly traceHeader?: string
    }
  | {
      readonly _tag: "RunTarget"
      readonly functionName: string
      readonly version: string
      readonly functionArn: string
      readonly executionArn: string
      readonly operationId: string
      readonly payload?: string
      readonly tenantId?: string
      readonly traceHeader?: string
    }
  | { readonly _tag: "ExecutionClosed"; readonly executionArn: string; readonly outcome: ExecutionOutcome }

/**
 * The result of a command: the state after it, the answer for its sender, and the effects for the host.
 *
 * @since 0.1.0
 * @category models
 */
export interface Applied<out A> {
  readonly state: State.ServiceState
  readonly answer: A
  readonly effects: ReadonlyArray<HostEffect>
  readonly changed: Changed
}

/**
 * The parts of the state that a command changed, for a host that stores them. The state holds their current values.
 *
 * @since 0.1.0
 * @category models
 */
export interface Changed {
  /** The ARNs, in the order of their first change. */
  readonly executions: ReadonlySet<string>
  /** The timers that were armed, moved or removed. */
  readonly timers: ReadonlyArray<Timers.TimerKey>
}

export interface Work {
  state: State.ServiceState
  /** The time of the current event: the command's, or that of a timer that fell due before it. */
  time: number
  /** The stamp of the current event, once it needed one. */
  stamped: number | undefined
  readonly config: Config
  readonly freshId: Env["freshId"]
  readonly effects: Array<HostEffect>
  /** The executions that this command changed, in the order of their first change. */
  readonly touched: Set<string>
  /** The timers that this command armed, moved or removed, one entry for each change. */
  readonly timed: Array<Timers.TimerKey>
}

export const begin = (state: State.ServiceState, env: Env): Work => {
  invariant(Number.isFinite(env.now), "the time is not a number of milliseconds")
  // Stamps order the events within one millisecond; all other times are whole milliseconds.
  const now = Math.max(state.now, Math.floor(env.now))
  return {
    state: { ...state, now },
    time: now,
    stamped: undefined,
    config: env.config,
    freshId: env.freshId,
    effects: [],
    touched: new Set(),
    timed: []
  }
}

// --- The time of events ----------------------------------------------------------------------------------------------

/** Moves on to the next event, a timer or the command itself, with a time and a stamp of its own. */
export const moveTo = (work: Work, time: number): void => {
  work.time = time
  work.stamped = undefined
}

/**
 * Returns the stamp of the current event, which defines the order of events: it is later than every earlier event, also
 * within the same millisecond, and the same for all changes of the event.
 */
export const stamp = (work: Work): number => {
  if (work.stamped === undefined) {
    const { lastStamp } = work.state
    const stamped = Math.max(work.time, later(lastStamp, work.config.stampStep))
    invariant(stamped > lastStamp, "a stamp is not later than the one before it")
    work.stamped = stamped
    work.state = { ...work.state, lastStamp: stamped }
  }
  return work.stamped
}

/** Returns a later stamp, by this step or, for large and so sparser numbers, by the step doubled until the sum changes. */
const later = (stamp: number, step: number): number => (stamp + step > stamp ? stamp + step : later(stamp, 2 * step))

// --- Access ----------------------------------------------------------------------------------------------------------

/** Returns a new checkpoint token or callback id of an owner: unique, base64 and opaque. */
export const freshToken = (work: Work, owner: string): string => Base64.encode(work.freshId(owner))

/** Returns the execution with this ARN, which has to exist. */
export const execution = (work: Work, arn: string): Execution => {
  const found = State.execution(work.state, arn)
  invariant(found !== undefined, `there is no execution ${arn}`)
  return found
}

/** Stores a new version of an execution. */
export const store = (work: Work, changed: Execution): void => {
  const { arn } = changed.identity
  work.touched.add(arn)
  work.state = { ...work.state, executions: HashMap.set(work.state.executions, arn, changed) }
}

export const arm = (work: Work, key: Timers.TimerKey, due: number): void => {
  work.timed.push(key)
  work.state = { ...work.state, timers: Timers.arm(work.state.timers, key, due) }
}

export const disarm = (work: Work, key: Timers.TimerKey): void => {
  const timers = Timers.disarm(work.state.timers, key)
  if (timers === work.state.timers) return
  work.timed.push(key)
  work.state = { ...work.state, timers }
}
