/**
 * One command in progress. It holds the newest state and collects what the host has to do; it lives as long as the
 * command and no longer. Everything inside it is a persistent value, so whoever keeps the state from before sees no
 * change.
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
 * What every command is given.
 *
 * @since 0.1.0
 * @category models
 */
export interface Env {
  readonly config: Config
  /** The time in epoch milliseconds, of which only whole ones count. A time before the state's own counts as the state's. */
  readonly now: number
  /**
   * A text of 1..64 letters, digits and `-` that is given once only: from at least 128 random bits in a server, because
   * checkpoint tokens and callback ids are made of it; from a counter in a test.
   */
  readonly freshId: () => string
}

/**
 * What the host has to do after a command, in this order.
 *
 * - `InvokeFunction`: run the durable handler with this event, then report its end with `invocationEnded`. Never more
 *   than one of an execution is in flight.
 * - `RunTarget`: run the plain function once, then report its end with `targetEnded`.
 * - `ExecutionClosed`: answer whoever waits for this execution.
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
 * A command that was carried out: the state after it, the answer for whoever sent it, and what the host has to do.
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
 * Which parts of the state a command made anew, for a host that stores them. What a part holds now is in the state.
 *
 * @since 0.1.0
 * @category models
 */
export interface Changed {
  /** ARNs, in the order of their first change. */
  readonly executions: ReadonlySet<string>
  /** Timers that were armed, moved or removed. */
  readonly timers: ReadonlyArray<Timers.TimerKey>
}

export interface Work {
  state: State.ServiceState
  /** The moment of what is happening: the command's, or that of a timer which fell due before it. */
  time: number
  /** The stamp of what is happening, once something of it needed one. */
  stamped: number | undefined
  readonly config: Config
  readonly freshId: () => string
  readonly effects: Array<HostEffect>
  /** Executions that this command changed, in the order of their first change. */
  readonly touched: Set<string>
  /** Timers that this command armed, moved or removed, one as often as that happened. */
  readonly timed: Array<Timers.TimerKey>
}

export const begin = (state: State.ServiceState, env: Env): Work => {
  invariant(Number.isFinite(env.now), "the time is not a number of milliseconds")
  // Stamps put what happens in one millisecond in order, and leave everything else that tells the time to whole ones.
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

// --- When things happen ----------------------------------------------------------------------------------------------

/** Goes on to the next thing that happens, a timer or the command itself: a moment and a stamp of its own. */
export const moveTo = (work: Work, time: number): void => {
  work.time = time
  work.stamped = undefined
}

/**
 * When what is happening happened, for those who want to know what came first: later than everything that happened
 * before it, also in the same millisecond, and the same for all that happens with it.
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

/** Later by this step, or by so many of it that the sum is another number: the larger they are, the sparser. */
const later = (stamp: number, step: number): number => (stamp + step > stamp ? stamp + step : later(stamp, 2 * step))

// --- What it works with ----------------------------------------------------------------------------------------------

/** A checkpoint token or the id of a callback: base64, never seen before, and nothing can be read out of it. */
export const freshToken = (work: Work): string => Base64.encode(work.freshId())

/** The execution with this ARN, which must be there. */
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
