/**
 * All armed timers, in the order in which they are due.
 *
 * A timer is identified by its purpose, so arming it again moves it and disarming it removes it. Of timers that are due at
 * the same time, the one armed first comes first.
 *
 * @since 0.1.0
 */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as OrderedSet from "./internal/OrderedSet.ts"

/**
 * The purpose of a timer. The last two belong to the execution and not to one of its operations.
 *
 * @since 0.1.0
 * @category models
 */
export type TimerKind =
  | "Wait"
  | "StepRetry"
  | "CallbackTimeout"
  | "HeartbeatTimeout"
  | "InvocationRetry"
  | "ExecutionTimeout"

/** The kinds that belong to an operation. */
export const operationKinds: ReadonlyArray<TimerKind> = ["Wait", "StepRetry", "CallbackTimeout", "HeartbeatTimeout"]

/**
 * Returns whether an execution can wait for a timer of this kind. The other kinds are limits.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isWait = (kind: TimerKind): boolean =>
  kind === "Wait" || kind === "StepRetry" || kind === "InvocationRetry"

/**
 * An armed timer. `due` is in epoch milliseconds; `armed` numbers the timers of a service in the order in which they were
 * armed.
 *
 * @since 0.1.0
 * @category models
 */
export interface Timer {
  readonly due: number
  readonly armed: number
  readonly kind: TimerKind
  readonly executionArn: string
  /** The operation; absent for the kinds that belong to the execution. */
  readonly operationId?: string
}

/** The purpose of a timer, which identifies it. */
export type TimerKey = Pick<Timer, "kind" | "executionArn" | "operationId">

/** All armed timers of a service. */
export interface Timers {
  readonly queue: OrderedSet.OrderedSet<Timer>
  readonly byKey: HashMap.HashMap<string, Timer>
  readonly armings: number
}

export const empty: Timers = {
  queue: OrderedSet.empty((a: Timer, b: Timer) => a.due - b.due || a.armed - b.armed),
  byKey: HashMap.empty(),
  armings: 0
}

/** Arms the timer, or moves it if it is armed already. */
export const arm = (timers: Timers, key: TimerKey, due: number): Timers => {
  const { byKey, queue } = disarm(timers, key)
  const timer: Timer = { ...key, due, armed: timers.armings }
  return {
    queue: OrderedSet.add(queue, timer),
    byKey: HashMap.set(byKey, keyText(key), timer),
    armings: timers.armings + 1
  }
}

/** Arms a timer again with its original place among those that are due at the same time. */
export const restore = (timers: Timers, timer: Timer): Timers => {
  const { byKey, queue } = disarm(timers, timer)
  return {
    queue: OrderedSet.add(queue, timer),
    byKey: HashMap.set(byKey, keyText(timer), timer),
    armings: Math.max(timers.armings, timer.armed + 1)
  }
}

/** Changes the order of the timers that are due first, all at the same time. */
export const rearrange = (timers: Timers, arrange: (due: ReadonlyArray<Timer>) => ReadonlyArray<Timer>): Timers => {
  const due: Array<Timer> = []
  for (const timer of inOrder(timers)) {
    if (due[0] !== undefined && timer.due > due[0].due) break
    due.push(timer)
  }
  // No two timers may share a place, not even temporarily.
  const without = due.reduce(disarm, timers)
  return arrange(due).reduce((all, timer, place) => restore(all, { ...timer, armed: due[place]!.armed }), without)
}

/** Returns the timer if it is armed. */
export const get = (timers: Timers, key: TimerKey): Timer | undefined =>
  Option.getOrUndefined(HashMap.get(timers.byKey, keyText(key)))

/** Returns the timers of an operation in the order in which they are due. */
export const ofOperation = (timers: Timers, executionArn: string, operationId: string): ReadonlyArray<Timer> =>
  operationKinds
    .flatMap((kind) => get(timers, { kind, executionArn, operationId }) ?? [])
    .toSorted((a, b) => a.due - b.due || a.armed - b.armed)

/** Removes the timer if it is armed. */
export const disarm = (timers: Timers, key: TimerKey): Timers => {
  const text = keyText(key)
  const timer = HashMap.get(timers.byKey, text)
  if (Option.isNone(timer)) return timers
  return {
    queue: OrderedSet.remove(timers.queue, timer.value),
    byKey: HashMap.remove(timers.byKey, text),
    armings: timers.armings
  }
}

/** Returns the timer that is due first. */
export const first = (timers: Timers): Timer | undefined => OrderedSet.first(timers.queue)

/** Returns the first timer that an execution waits for. */
export const firstWait = (timers: Timers, executionArn: string): Timer | undefined => {
  for (const timer of inOrder(timers)) if (timer.executionArn === executionArn && isWait(timer.kind)) return timer
  return undefined
}

/** Returns all timers in the order in which they are due. */
export const inOrder = (timers: Timers): Iterable<Timer> => OrderedSet.items(timers.queue)

// Neither an ARN nor the id of an operation can contain a space.
const keyText = (key: TimerKey): string => `${key.kind} ${key.executionArn} ${key.operationId ?? ""}`
