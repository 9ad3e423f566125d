/**
 * Sleep: durable time for Effect. `Effect.sleep`, `timeout`, `delay`, `retry` and `repeat` with a schedule use it when the
 * code of a workflow uses them.
 *
 * Owns: the meaning of a sleep in the workflow: a wait of the service from one second on, a nap below that, and nothing for
 * no time; the message for a duration that the service has no wait for.
 * Does not own: the clock of the workflow, which calls it.
 *
 * Invariants:
 * 1. A sleep of a second or more is a WAIT operation named by its length, so that a replay compares the length.
 * 2. Its START is sent with the next request, because nothing depends on the sleep before its end.
 * 3. A sleep begins at a known time.
 * 4. A sleep of more than 366 days never ends and is not recorded.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { cast } from "effect/Function"
import { InvalidDuration } from "../DurableError.ts"
import { graceFrom } from "../execution/Core.ts"
import type { AnyFiber } from "../execution/Fibers.ts"
import type { Namespace } from "../execution/Namespace.ts"
import type { Parts } from "../execution/Parts.ts"
import { isFinalizing } from "../execution/References.ts"
import { stampOf } from "../execution/WorkflowTime.ts"
import * as Limits from "../wire/Limits.ts"
import { operation, type Leaf } from "./Operation.ts"

/** The number of sleeps of a fiber after which a log line reports their cost. */
const manySleeps = 100

const counts = new WeakMap<AnyFiber, number>()

export const sleep = (
  parts: Parts,
  fiber: AnyFiber,
  namespace: Namespace,
  duration: Duration.Duration
): Effect.Effect<void> => {
  const millis = Duration.toMillis(duration)
  if (!(millis > 0)) return Effect.yieldNow
  if (millis < 1_000) return Effect.andThen(untilKnown(parts, fiber, namespace), nap(parts, fiber, namespace, millis))
  const seconds = Math.ceil(millis / 1_000)
  if (seconds > Limits.maxDurationSeconds) return endless(parts, namespace, seconds)
  countSleep(parts, fiber, namespace)
  return Effect.asVoid(cast<unknown, Effect.Effect<unknown>>(operation(`sleep ${seconds}s`, sleepLeaf(seconds))))
}

/**
 * A sleep that is longer than any execution, so that no execution has to wake up for it. As a time-out it does no harm;
 * an execution in which nothing else can continue ends because of it. An infinite one is meant to never end.
 */
const endless = ({ delivery }: Parts, namespace: Namespace, seconds: number): Effect.Effect<never> => {
  if (seconds === Infinity) return Effect.never
  const path = namespace.pathOf(`sleep ${seconds}s`, 0)
  const forget = delivery.noteEndless(invalidDuration(path, `${seconds} s`, inRounds))
  return Effect.onExit(Effect.never, () => Effect.sync(forget))
}

export const invalidDuration = (operation: string, found: string, advice: string): InvalidDuration =>
  new InvalidDuration({
    operation,
    message: `Expected the duration of "${operation}" to be between 1 second and 366 days, found ${found}. ${advice}`
  })

export const inRounds = "For more than 366 days, wait several times."

const sleepLeaf = (seconds: number): Leaf<number> => ({
  kind: { type: "WAIT", subType: "Wait" },
  perform: (claim) => claim.later({ Action: "START", WaitOptions: { WaitSeconds: seconds } }),
  keyOf: (record) => (record.Status === "SUCCEEDED" ? (record.EndTimestamp ?? record.StartTimestamp) : undefined),
  outcome: () => Effect.void
})

const countSleep = (parts: Parts, fiber: AnyFiber, namespace: Namespace): void => {
  const count = (counts.get(fiber) ?? 0) + 1
  counts.set(fiber, count)
  if (count !== manySleeps || parts.history.isReplaying) return
  parts.listener.warned?.(
    `A fiber of ${namespace.path === "" ? "the workflow" : `"${namespace.path}"`} has slept ${manySleeps} times for a second or more. Each sleep is an operation of the execution: ` +
      "wait longer, hand over to a fresh execution with Durable.continueWith, or move sleeps that are not part of the workflow into Durable.local."
  )
}

/** Waits for less than a second. Nothing is recorded; the nap ends in its place among the outcomes. */
const nap = (parts: Parts, fiber: AnyFiber, namespace: Namespace, millis: number): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const { delivery, lifetime } = parts
    if (!lifetime.isOpen) return resume(lifetime.inert)
    const door = delivery.waitUntil({
      // The clock that stamps later events counts whole milliseconds.
      at: Math.max(namespace.time.now, Math.floor(namespace.time.now) + millis),
      namespace,
      fiber,
      path: namespace.pathOf(`sleep ${millis}ms`, 0),
      isFinal: isFinalizing(fiber),
      outcome: () => Effect.void,
      resume: (effect) => resume(cast<unknown, Effect.Effect<void>>(effect))
    })
    delivery.nap(door, millis)
    return Effect.sync(() => delivery.leave(door))
  })

/**
 * Sleeps while the invocation is ending, on the clock of the host. A sleep that nothing would wait for is cut short by an
 * interruption, so that the finalizers around it still run. A sleep of a durable finalizer ends in another invocation.
 */
export const lastSleep = (
  { host, lifetime, settings }: Parts,
  fiber: AnyFiber,
  duration: Duration.Duration
): Effect.Effect<void> => {
  if (isFinalizing(fiber)) return lifetime.inert
  const millis = Duration.toMillis(duration)
  const longest = graceFrom(host.now(), settings) / 2
  return Effect.callback<void>((resume) => {
    const cancel = host.after(Math.min(millis, longest), () =>
      resume(millis > longest ? Effect.interrupt : Effect.void)
    )
    return Effect.sync(cancel)
  })
}

/**
 * Waits until the time of an end or a start is known that the code has not seen yet: in its place among the outcomes, on the
 * first run as on every replay.
 */
export const untilKnown = (parts: Parts, fiber: AnyFiber, namespace: Namespace): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const { delivery, host, lifetime } = parts
    const { unread } = namespace.time
    if (!lifetime.isOpen) return resume(lifetime.inert)
    if (unread === undefined) return resume(Effect.void)
    const known = stampOf(unread)
    const door = delivery.waitUntil({
      at: known ?? Number.NaN,
      namespace,
      fiber,
      path: namespace.pathOf("clock", 0),
      isFinal: isFinalizing(fiber),
      outcome: () => Effect.void,
      resume: (effect) => resume(cast<unknown, Effect.Effect<void>>(effect))
    })
    if (known !== undefined) {
      delivery.reach(door)
      return Effect.sync(() => delivery.leave(door))
    }
    const forget = delivery.whenTold((isLast) => {
      const at = stampOf(unread) ?? (isLast ? host.now() : undefined)
      if (at === undefined) return false
      door.at = at
      delivery.reach(door)
      return true
    })
    return Effect.sync(() => {
      forget()
      delivery.leave(door)
    })
  })
