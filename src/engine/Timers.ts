/**
 * Everything that will happen by the passing of time alone, in the order in which it will happen.
 *
 * A timer is known by what it is for, so arming it again moves it and disarming it removes it. Of timers that are due
 * at the same moment the one that was armed first comes first.
 *
 * @since 0.1.0
 */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as OrderedSet from "./internal/OrderedSet.ts"

/**
 * What a timer is for. The last two belong to the execution and not to one of its operations.
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
 * Whether an execution does nothing but wait for a timer of this kind. The others are limits, which nobody waits for.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isWait = (kind: TimerKind): boolean =>
  kind === "Wait" || kind === "StepRetry" || kind === "InvocationRetry"

/**
 * An armed timer. `due` is in epoch milliseconds; `armed` numbers the timers of a service in the order of their arming.
 *
 * @since 0.1.0
 * @category models
 */
export interface Timer {
  readonly due: number
  readonly armed: number
  readonly kind: TimerKind
  readonly executionArn: string
  /** Absent for the kinds that belong to the execution. */
  readonly operationId?: string
}

/** What a timer is for, and so which one it is. */
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

/** Arms the timer, or moves it when it is armed already. */
export const arm = (timers: Timers, key: TimerKey, due: number): Timers => {
  const { byKey, queue } = disarm(timers, key)
  const timer: Timer = { ...key, due, armed: timers.armings }
  return {
    queue: OrderedSet.add(queue, timer),
    byKey: HashMap.set(byKey, keyText(key), timer),
    armings: timers.armings + 1
  }
}

/** Arms a timer again as it was armed once, with its place among those that are due at the same moment. */
export const restore = (timers: Timers, timer: Timer): Timers => {
  const { byKey, queue } = disarm(timers, timer)
  return {
    queue: OrderedSet.add(queue, timer),
    byKey: HashMap.set(byKey, keyText(timer), timer),
    armings: Math.max(timers.armings, timer.armed + 1)
  }
}

/** Has those that are due first, all at the same moment, come in another order. */
export const rearrange = (timers: Timers, arrange: (due: ReadonlyArray<Timer>) => ReadonlyArray<Timer>): Timers => {
  const due: Array<Timer> = []
  for (const timer of inOrder(timers)) {
    if (due[0] !== undefined && timer.due > due[0].due) break
    due.push(timer)
  }
  // No two may have one place, not even for a moment.
  const without = due.reduce(disarm, timers)
  return arrange(due).reduce((all, timer, place) => restore(all, { ...timer, armed: due[place]!.armed }), without)
}

/** The timer if it is armed. */
export const get = (timers: Timers, key: TimerKey): Timer | undefined =>
  Option.getOrUndefined(HashMap.get(timers.byKey, keyText(key)))

/** The timers of an operation, the one that is due first coming first. */
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

/** The timer that is due first. */
export const first = (timers: Timers): Timer | undefined => OrderedSet.first(timers.queue)

/** The timer that an execution waits for first. */
export const firstWait = (timers: Timers, executionArn: string): Timer | undefined => {
  for (const timer of inOrder(timers)) if (timer.executionArn === executionArn && isWait(timer.kind)) return timer
  return undefined
}

/** All timers, the one that is due first coming first. */
export const inOrder = (timers: Timers): Iterable<Timer> => OrderedSet.items(timers.queue)

// Neither an ARN nor the id of an operation can hold a space.
const keyText = (key: TimerKey): string => `${key.kind} ${key.executionArn} ${key.operationId ?? ""}`
