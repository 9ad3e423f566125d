/**
 * The clock and the random generator that code of a workflow sees.
 *
 * Owns: which fibers see the time and the numbers of the workflow, and which see those of the host: bodies of steps,
 * holds, fibers of ended namespaces, and fibers that belong to no workflow.
 * Does not own: the times and numbers themselves, and the meaning of a sleep.
 *
 * Invariants:
 * 1. A fiber of the workflow sees only times that are recorded, and numbers that are the same on every replay.
 * 2. Bodies of steps, holds, fibers of ended namespaces, and all fibers once the invocation is closed see the time and
 *    numbers of the host.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Random from "effect/Random"
import type { AnyFiber } from "./Fibers.ts"
import type { Lifetime } from "./Lifetime.ts"
import type { Namespace } from "./Namespace.ts"
import { InHold, isLocal, stepAround } from "./References.ts"
import type { WorkflowTime } from "./WorkflowTime.ts"

export interface ServicesHost {
  readonly clock: Clock.Clock
  readonly random: Random.Random
  readonly lifetime: Lifetime
  /** Returns the fiber on whose behalf code runs now. */
  readonly current: () => AnyFiber | undefined
  /** Returns the namespace in which a fiber runs, if it runs in one. */
  readonly namespaceOf: (fiber: AnyFiber) => Namespace | undefined
  /** Waits until the service has reported when something ended or began that code has not seen yet. */
  readonly known: (fiber: AnyFiber, namespace: Namespace) => Effect.Effect<void>
  /** Reads the time for code that cannot wait until the time is known. */
  readonly glance: (time: WorkflowTime) => number
  /** Called when a fiber draws a number in a namespace. */
  readonly drawn: (fiber: AnyFiber, namespace: Namespace) => void
  readonly sleep: (fiber: AnyFiber, namespace: Namespace, duration: Duration.Duration) => Effect.Effect<void>
  /** Sleeps while the invocation is ending. The sleep does not outlast the invocation. */
  readonly lastSleep: (fiber: AnyFiber, duration: Duration.Duration) => Effect.Effect<void>
}

/** Returns where a fiber of the workflow runs, unless it sees the clock and random generator of the host. */
const placeIn = (host: ServicesHost, fiber: AnyFiber | undefined): Namespace | undefined => {
  if (fiber === undefined || !host.lifetime.isOpen) return undefined
  if (stepAround(fiber) !== undefined || fiber.getRef(InHold) !== undefined) return undefined
  const namespace = host.namespaceOf(fiber)
  return namespace?.standing === "closed" ? undefined : namespace
}

export class WorkflowClock implements Clock.Clock {
  readonly #host: ServicesHost
  readonly currentTimeMillis: Effect.Effect<number>
  readonly currentTimeNanos: Effect.Effect<bigint>
  readonly monotonicTimeNanos: Effect.Effect<bigint>

  constructor(host: ServicesHost) {
    this.#host = host
    this.currentTimeMillis = this.#read((clock) => clock.currentTimeMillisUnsafe(), Math.floor)
    this.currentTimeNanos = this.#read((clock) => clock.currentTimeNanosUnsafe(), nanosOf)
    this.monotonicTimeNanos = this.#read((clock) => clock.monotonicTimeNanosUnsafe(), nanosOf)
  }

  /** Reads the time in an effect, which can wait until the time is known. */
  #read<A>(ofHost: (clock: Clock.Clock) => A, ofTime: (now: number) => A): Effect.Effect<A> {
    const host = this.#host
    return Effect.withFiber((fiber) => {
      const namespace = placeIn(host, fiber)
      if (namespace === undefined) return Effect.succeed(ofHost(host.clock))
      const { time } = namespace
      if (time.unread === undefined) return Effect.succeed(ofTime(time.now))
      return Effect.map(host.known(fiber, namespace), () => ofTime(time.now))
    })
  }

  currentTimeMillisUnsafe(): number {
    const time = this.#time
    return time === undefined ? this.#host.clock.currentTimeMillisUnsafe() : Math.floor(this.#host.glance(time))
  }

  /** Only spans read this, and spans use the host's clock, so a reading has no effect. */
  currentTimeNanosUnsafe(): bigint {
    const time = this.#time
    return time === undefined ? this.#host.clock.currentTimeNanosUnsafe() : nanosOf(time.now)
  }

  /** The time of a workflow never goes back, so it is monotonic as it is. */
  monotonicTimeNanosUnsafe(): bigint {
    const time = this.#time
    return time === undefined ? this.#host.clock.monotonicTimeNanosUnsafe() : nanosOf(this.#host.glance(time))
  }

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return Effect.withFiber((fiber) => {
      const host = this.#host
      const namespace = placeIn(host, fiber)
      if (namespace !== undefined) return host.sleep(fiber, namespace, duration)
      const isOthers = stepAround(fiber) !== undefined || (host.namespaceOf(fiber) === undefined && !isLocal(fiber))
      return host.lifetime.isOpen || isOthers ? host.clock.sleep(duration) : host.lastSleep(fiber, duration)
    })
  }

  get #time(): WorkflowTime | undefined {
    return this.timeOf(this.#host.current())
  }

  /** Returns the time that the clock shows to a fiber, unless the fiber sees the host's. */
  timeOf(fiber: AnyFiber | undefined): WorkflowTime | undefined {
    return placeIn(this.#host, fiber)?.time
  }
}

const nanosOf = (millis: number): bigint => BigInt(Math.round(millis * 1_000)) * 1_000n

export class WorkflowRandom implements Random.Random {
  readonly #host: ServicesHost

  constructor(host: ServicesHost) {
    this.#host = host
  }

  nextDoubleUnsafe(): number {
    return this.#current.nextDoubleUnsafe()
  }

  nextIntUnsafe(): number {
    return this.#current.nextIntUnsafe()
  }

  get #current(): Random.Random {
    const fiber = this.#host.current()
    const namespace = placeIn(this.#host, fiber)
    if (namespace === undefined || fiber === undefined) return this.#host.random
    this.#host.drawn(fiber, namespace)
    return namespace.random
  }
}
