/**
 * The process around a workflow: its clock, its random numbers, its scheduler and its services.
 *
 * Owns: timers and fibers of the runtime itself, which all end with the invocation.
 * Does not own: the fibers of the workflow.
 *
 * Invariants:
 * 1. No timer fires and no fiber runs on after the host is disposed of.
 * 2. An effect that runs for a fiber of the workflow has its services, but the clock, random generator and scheduler of the
 *    host. A random generator that the program itself provides is kept.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { cast } from "effect/Function"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import { InHold } from "./References.ts"
import { startTimer } from "./Timer.ts"
import { WorkflowRandom } from "./WorkflowServices.ts"

export class Host {
  readonly services: Context.Context<never>
  readonly clock: Clock.Clock
  readonly random: Random.Random
  readonly scheduler: Scheduler.Scheduler
  readonly #outside = new WeakMap<object, unknown>()
  #isDisposed = false
  readonly #fibers = new Set<Fiber.Fiber<unknown, unknown>>()
  readonly #timers = new Set<() => void>()

  constructor(options: {
    readonly services: Context.Context<never>
    readonly clock: Clock.Clock
    readonly random: Random.Random
    readonly scheduler: Scheduler.Scheduler
  }) {
    this.services = options.services
    this.clock = options.clock
    this.random = options.random
    this.scheduler = options.scheduler
  }

  now(): number {
    return this.clock.currentTimeMillisUnsafe()
  }

  /** Runs an effect beside the workflow, until the invocation ends. */
  fork<A, E>(effect: Effect.Effect<A, E>): Fiber.Fiber<A, E> {
    return this.#keep(Effect.runForkWith(this.services)(effect))
  }

  #keep<A, E>(fiber: Fiber.Fiber<A, E>): Fiber.Fiber<A, E> {
    if (fiber.pollUnsafe() !== undefined) return fiber
    if (this.#isDisposed) fiber.interruptUnsafe()
    this.#fibers.add(fiber)
    fiber.addObserver(() => this.#fibers.delete(fiber))
    return fiber
  }

  /**
   * Does the same as {@link fork}, with the services that {@link outside} returns for a fiber of the workflow. The effect is a
   * codec or a policy, which is not part of the workflow: the delivery waits for it, so no operation in it could end.
   */
  forkAs<A, E>(fiber: Fiber.Fiber<unknown, unknown>, effect: Effect.Effect<A, E>): Fiber.Fiber<A, E> {
    return this.#keep(
      Effect.runForkWith(Context.add(this.outside(fiber.context), InHold, { path: "", isLocal: true }))(effect)
    )
  }

  /**
   * Adds services of the runtime to those of a fiber of the workflow. The services that {@link outside} returns for the
   * result have the same additions: merging would cost two copies of all services for each block with a step.
   */
  extended<R>(
    services: Context.Context<R>,
    add: (services: Context.Context<R>) => Context.Context<R>
  ): Context.Context<R> {
    const made = add(services)
    this.#outside.set(made, () => add(this.outside(services)))
    return made
  }

  /** Returns the services of a fiber of the workflow, with the clock, random generator and scheduler of the host. */
  outside<R>(services: Context.Context<R>): Context.Context<R> {
    const known = this.#outside.get(services)
    if (known !== undefined && typeof known !== "function") return cast<unknown, Context.Context<R>>(known)
    const made = known === undefined ? this.#merged(services) : cast<unknown, () => Context.Context<R>>(known)()
    this.#outside.set(services, made)
    return made
  }

  #merged<R>(services: Context.Context<R>): Context.Context<R> {
    const ours = Context.make(Clock.Clock, this.clock).pipe(Context.add(Scheduler.Scheduler, this.scheduler))
    // A random generator that the program itself provides is kept.
    const isOurs = Context.get(services, Random.Random) instanceof WorkflowRandom
    // Merging is cheaper: adding to services with many additions copies all of them, once for each step.
    return Context.merge(services, isOurs ? Context.add(ours, Random.Random, this.random) : ours)
  }

  /**
   * Calls `action` after a time on the clock of the host, unless the invocation has ended by then. The returned
   * function cancels the call.
   */
  after(millis: number, action: () => void): () => void {
    if (this.#isDisposed) return () => {}
    if (this.clock !== realClock) {
      const fiber = this.fork(Effect.andThen(this.clock.sleep(durationOf(millis)), Effect.sync(action)))
      return () => fiber.interruptUnsafe()
    }
    const stop = startTimer(millis, () => {
      this.#timers.delete(stop)
      action()
    })
    this.#timers.add(stop)
    return () => {
      this.#timers.delete(stop)
      stop()
    }
  }

  /** Ends everything that belongs to the runtime. */
  dispose(): void {
    this.#isDisposed = true
    for (const fiber of Array.from(this.#fibers)) fiber.interruptUnsafe()
    for (const stop of this.#timers) stop()
    this.#timers.clear()
  }
}

const durationOf = (millis: number) => Duration.millis(Math.max(0, millis))

/** Effect's own clock. A sleep on it can be a plain timer, without a fiber around it. */
const realClock = Context.get(Context.empty(), Clock.Clock)
