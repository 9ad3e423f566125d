/**
 * One invocation of one execution, while it runs: the journal, the queue of checkpoints and the supervisor, and the one
 * verdict that ends it before the workflow itself does.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import { CheckpointStore } from "../CheckpointStore.ts"
import type { Mistake } from "../DurableError.ts"
import * as Limits from "../wire/Limits.ts"
import type { Operation } from "../wire/Operation.ts"
import type { OperationUpdate } from "../wire/OperationUpdate.ts"
import { Checkpointer } from "./Checkpointer.ts"
import { contextEnded, DurableContext } from "./DurableContext.ts"
import { observe, executionOf } from "./Execution.ts"
import { isFinal, Journal } from "./Journal.ts"
import type { Compensation } from "./operations/compensation.ts"
import { Observer } from "./Observer.ts"
import { Poller } from "./Poller.ts"
import { CurrentUnit, Supervisor, type Parked, type Probe } from "./Supervisor.ts"
import { Usage, type Quotas } from "./Usage.ts"
import {
  contradicted,
  interrupted,
  outOfTime,
  storeFailed,
  suspended,
  waitsInVain,
  type Ending,
  type Verdict
} from "./Verdict.ts"
import type { Sleep } from "./WorkflowClock.ts"

/** How one invocation behaves. Times are milliseconds of the runtime's clock. */
export interface RunOptions extends Quotas {
  /** Quiet time before a suspension, besides the two quiet turns of the event loop. */
  readonly settle: number
  /** How long fibres that compute without durable operations may delay a suspension. */
  readonly patience: number
  /** How long local finalizers may take when the invocation ends. */
  readonly grace: number
  /** The time at which the invocation must have ended, if there is one. */
  readonly deadline: number | undefined
  /** What a contradiction between code and history does: end the execution, or only this invocation. */
  readonly onNonDeterminism: "fail" | "retry"
  /** The largest result of a step or context that is kept as it is, in bytes. */
  readonly maxPayload: number
  /** Whether to note where in the code operations are used. */
  readonly captureSources: boolean
  /** Whether to warn about contracts without a target. */
  readonly warnAboutTargets: boolean
  /** The X-Ray header of the trace to which the invocation belongs. */
  readonly traceHeader: string | undefined
  readonly probe: Probe | undefined
}

export const defaultOptions: RunOptions = {
  settle: 0,
  patience: 1_000,
  grace: 500,
  deadline: undefined,
  onNonDeterminism: "fail",
  maxOperations: Limits.maxOperations,
  maxStorage: Limits.maxStorage,
  maxPayload: Limits.maxOperationPayload,
  captureSources: false,
  warnAboutTargets: true,
  traceHeader: undefined,
  probe: undefined
}

/** What suspending or ending the invocation cut short, for a report. */
export interface Cuts {
  /** Sleeps outside of steps and holds, in milliseconds. */
  readonly sleeps: ReadonlyArray<number>
  /** Whether finalizers were still running when the grace period ended. */
  readonly graceExpired: boolean
  /** What finalizers failed with while unwinding. */
  readonly unwound: Cause.Cause<unknown> | undefined
}

/** What a fibre can wait for. */
type Waiting = Omit<Parked, "fiber" | "release">

export class Run {
  readonly executionArn: string
  readonly executionName: string
  readonly journal: Journal
  readonly checkpointer: Checkpointer
  readonly supervisor: Supervisor
  readonly observer: Observer
  readonly context: DurableContext
  readonly options: RunOptions
  /** What the execution has used up of the quotas of the service. */
  readonly usage: Usage
  /** The clock and the randomness of the host. */
  readonly clock: Clock.Clock
  readonly random: Random.Random
  /** The steps whose bodies run now, by the fibres that run them. */
  readonly stepBodies = new Map<Fiber.Fiber<unknown, unknown>, string>()
  /** Sleeps of the workflow outside of steps and holds that are under way. */
  readonly sleeps = new Set<Sleep>()
  /** What is to be undone if the execution fails. */
  readonly compensations: Array<Compensation> = []
  /** The compensations that failed, and why, for the outcome of the execution. */
  readonly notUndone: Array<string> = []
  phase: "running" | "ending" | "abandoned" = "running"
  cuts: Cuts = { sleeps: [], graceExpired: false, unwound: undefined }
  readonly #services: Context.Context<CheckpointStore>
  readonly #poller: Poller
  readonly #timers = new Set<Fiber.Fiber<void>>()
  #root: Fiber.Fiber<unknown, unknown> | undefined
  readonly #seen = new WeakSet<Fiber.Fiber<unknown, unknown>>()
  readonly #unacknowledged = new Set<Pick<Parked, "id" | "fiber" | "release">>()
  #onVerdict: ((verdict: Verdict) => void) | undefined
  #onDrained: (() => void) | undefined
  #onSent: (() => void) | undefined
  #onEnd: ((verdict: Verdict) => void) | undefined
  #verdict: Verdict | undefined
  #inert = 0
  #isLettingGo = false

  constructor(options: {
    readonly executionArn: string
    readonly executionName: string
    readonly token: string
    readonly operations: ReadonlyArray<Operation>
    /** The operations that changed while no invocation ran. */
    readonly news: ReadonlyArray<string>
    readonly beganAt: number
    readonly services: Context.Context<CheckpointStore>
    readonly clock: Clock.Clock
    readonly store: CheckpointStore["Service"]
    readonly random: Random.Random
    readonly options: RunOptions
  }) {
    this.executionArn = options.executionArn
    this.executionName = options.executionName
    this.options = options.options
    this.clock = options.clock
    this.random = options.random
    this.#services = options.services
    this.journal = new Journal(options.operations)
    this.context = DurableContext.root({
      executionArn: options.executionArn,
      start: this.journal.start ?? this.now()
    })
    this.usage = new Usage(options.operations, this.options, (message) => void this.fork(Effect.logWarning(message)))
    this.observer = new Observer({
      executionArn: options.executionArn,
      services: options.services,
      journal: this.journal,
      clock: options.clock,
      beganAt: options.beganAt,
      news: options.news,
      traceHeader: this.options.traceHeader
    })
    this.checkpointer = new Checkpointer(options.token, {
      executionArn: options.executionArn,
      store: options.store,
      now: () => this.clock.currentTimeMillisUnsafe(),
      random: () => this.random.nextDoubleUnsafe(),
      fork: (effect) => this.fork(effect),
      after: (millis, action) => this.after(millis, action),
      onState: (operations) => {
        this.observer.reported(operations)
        this.journal.apply(operations)
      },
      onAcknowledged: (sent, millis) => this.observer.acknowledged(sent, millis),
      onRepeat: () => this.observer.repeated(),
      onFailure: (error) => this.end(storeFailed(error, this.executionName)),
      onTokenMissing: () => {
        this.checkpointer.close()
        this.end(suspended)
      },
      onIdle: () => {
        this.supervisor.touch()
        this.supervisor.check()
        this.#onDrained?.()
        this.#onSent?.()
      }
    })
    this.supervisor = new Supervisor({
      quietTurns: 2,
      quietMillis: this.options.settle,
      patience: this.options.patience,
      probe: this.options.probe,
      onFiber: (fiber, spawner) => {
        this.#adopt(fiber)
        this.options.probe?.onFiber(fiber, spawner)
      },
      onQuiescent: () => this.end(suspended),
      onStuck: (stuck) => this.contradict(waitsInVain(stuck, this.executionName)),
      isStoreBusy: () => {
        if (!this.checkpointer.sending) this.checkpointer.flush()
        return this.checkpointer.busy
      }
    })
    this.#poller = new Poller({
      now: () => this.now(),
      after: (millis, action) => this.after(millis, action),
      latest: this.options.deadline ?? Infinity,
      poll: () => {
        if (this.phase === "running" && (this.supervisor.busy || this.checkpointer.sending)) this.checkpointer.poll()
      }
    })
    this.options.probe?.onStart(this)
  }

  /** Makes a run with the clock, the randomness and the store of the current environment. */
  static make(options: {
    readonly executionArn: string
    readonly executionName: string
    readonly token: string
    readonly operations: ReadonlyArray<Operation>
    readonly news: ReadonlyArray<string>
    readonly beganAt: number
    readonly options: RunOptions
  }): Effect.Effect<Run, never, CheckpointStore> {
    return Effect.gen(function* () {
      const services = yield* Effect.context<CheckpointStore>()
      const store = yield* CheckpointStore
      const clock = yield* Clock.Clock
      const random = yield* Random.Random
      return new Run({ ...options, services, store, clock, random })
    })
  }

  now(): number {
    return this.clock.currentTimeMillisUnsafe()
  }

  /** Runs an effect beside the workflow, with the services of the host. */
  fork(effect: Effect.Effect<void>): Fiber.Fiber<void> {
    return Effect.runForkWith(this.#services)(effect)
  }

  /** Calls back after a time on the runtime's clock, unless the invocation has ended by then. */
  after(millis: number, action: () => void): void {
    const sleep = Effect.provideService(Effect.sleep(Math.max(0, millis)), Clock.Clock, this.clock)
    const timer = this.fork(Effect.andThen(sleep, Effect.sync(action)))
    this.#timers.add(timer)
    timer.addObserver(() => this.#timers.delete(timer))
  }

  /**
   * Runs the workflow until it ends or a verdict ends it, and then lets go of every fibre that is still at a durable
   * operation.
   */
  supervise<A, E, R>(workflow: Effect.Effect<A, E, R>): Effect.Effect<Ending<A, E>, never, R> {
    return Effect.flatMap(Effect.context<R>(), (services) =>
      Effect.callback<Ending<A, E>>((resume) => {
        let ended: (() => void) | undefined
        let finished = false
        const finish = (ending: Ending<A, E>): void => {
          finished = true
          resume(Effect.succeed(ending))
          ended?.()
        }
        // It starts in a later turn, so that a verdict in its very first operation finds somebody to interrupt.
        const root = Effect.runForkWith(services)(Effect.andThen(Effect.yieldNow, workflow), {
          scheduler: this.supervisor.scheduler
        })
        this.#root = root
        root.addObserver((exit) => {
          if (this.phase !== "running") return
          this.phase = "ending"
          this.supervisor.stop()
          this.#release()
          finish({ _tag: "Ended", exit })
        })
        this.#onVerdict = (verdict) => this.#unwind(() => finish(verdict))
        this.#armDeadline()
        return Effect.callback<void>((done) => {
          if (finished) return done(Effect.void)
          ended = () => done(Effect.void)
          this.end(interrupted)
        })
      })
    )
  }

  /** Sends what is left to send once the workflow has ended. A verdict says why that was not possible. */
  readonly drain: Effect.Effect<Verdict | undefined> = Effect.callback((resume) => {
    this.#onDrained = () => {
      const verdict = this.#verdict
      if (verdict === undefined && this.checkpointer.busy) return
      this.#onDrained = undefined
      this.#afterRequests(() => resume(Effect.succeed(verdict)))
    }
    this.checkpointer.flush()
    this.#onDrained()
    return Effect.callback<void>((done) => {
      this.#onDrained = undefined
      this.end(interrupted)
      this.#afterRequests(() => done(Effect.void))
    })
  })

  /** Calls back when no request is under way any more, at the latest when the grace period is over. */
  #afterRequests(done: () => void): void {
    const finish = (): void => {
      this.#onSent = undefined
      done()
    }
    if (!this.checkpointer.sending) return finish()
    this.#onSent = finish
    this.after(this.options.grace, () => {
      if (this.#onSent !== finish) return
      this.checkpointer.abort()
      finish()
    })
  }

  /** Waits for a verdict, which nothing but the end of the invocation brings. */
  readonly verdict: Effect.Effect<Verdict> = Effect.callback((resume) => {
    if (this.#verdict !== undefined) return resume(Effect.succeed(this.#verdict))
    this.#onEnd = (verdict) => resume(Effect.succeed(verdict))
    return Effect.sync(() => void (this.#onEnd = undefined))
  })

  /** Stops the timers of this invocation. */
  dispose(): void {
    this.checkpointer.close()
    for (const timer of this.#timers) timer.interruptUnsafe()
  }

  /** Ends the invocation with a verdict. The first one counts. */
  end(verdict: Verdict): void {
    if (this.#verdict !== undefined) return
    this.#verdict = verdict
    if (verdict._tag === "Condemned" || verdict._tag === "Aborted") this.checkpointer.close()
    if (this.phase === "running") {
      this.phase = "ending"
      this.supervisor.stop()
      this.#onVerdict?.(verdict)
    }
    this.#onDrained?.()
    this.#onEnd?.(verdict)
  }

  /** Ends the execution because of a contradiction, or only this invocation if the options say so. */
  contradict(mistake: Mistake): void {
    this.end(contradicted(mistake, this.options.onNonDeterminism))
  }

  /**
   * Interrupts the workflow from the root down, so that no handler takes the end for a failure, and waits for local
   * finalizers as long as the grace period lasts.
   */
  #unwind(done: () => void): void {
    const root = this.#root
    if (root === undefined) return
    this.cuts = { ...this.cuts, sleeps: this.#cutSleeps() }
    // What was given up before is not waited for.
    const isGivenUp = (fiber: Fiber.Fiber<unknown, unknown>): boolean => executionOf(fiber)?.context.closed ?? false
    const fibers = new Set([root, ...this.#operationFibers().filter((fiber) => !isGivenUp(fiber))])
    let left = fibers.size
    let ended = false
    const finish = (): void => {
      if (ended) return
      ended = true
      this.#afterRequests(done)
    }
    root.interruptUnsafe(root.id)
    this.#release()
    for (const fiber of fibers) {
      fiber.addObserver((exit) => {
        if (fiber === root && exit._tag === "Failure") {
          const others = exit.cause.reasons.filter((reason) => !Cause.isInterruptReason(reason))
          if (others.length > 0) this.cuts = { ...this.cuts, unwound: Cause.fromReasons(others) }
        }
        if (--left === 0) finish()
      })
    }
    if (ended) return
    this.after(this.options.grace, () => {
      if (ended) return
      this.phase = "abandoned"
      this.cuts = { ...this.cuts, graceExpired: true }
      finish()
    })
  }

  /** Fibres that wait for the service: for an operation to complete, or for a checkpoint to be acknowledged. */
  get blocked(): ReadonlyArray<Fiber.Fiber<unknown, unknown>> {
    return [...this.supervisor.parked, ...this.#unacknowledged].map((entry) => entry.fiber)
  }

  /**
   * The contexts in which a fibre is at a durable operation that is not over, or asleep, and those around them. What the
   * service has just reported goes on in a moment, and so does what a serdes reads or writes.
   */
  heldUp(): ReadonlySet<DurableContext> {
    const isDelivered = ({ id }: { readonly id: string }): boolean => {
      const record = this.journal.get(id)
      return record !== undefined && isSettled(record)
    }
    const waiting = [...this.supervisor.parked, ...this.#unacknowledged].filter((entry) => !isDelivered(entry))
    const working = [...this.supervisor.units].filter(({ kind }) => kind !== "serdes")
    return contextsOf([...waiting, ...working, ...this.sleeps])
  }

  /** The contexts in which a serdes reads or writes, and those around them: what it takes its time for comes all the same. */
  converting(): ReadonlySet<DurableContext> {
    return contextsOf([...this.supervisor.units].filter(({ context, kind }) => kind === "serdes" && !context.closed))
  }

  /** Sleeps that no hold keeps alive; one whose context has ended is a hold that the user gave up. */
  #cutSleeps(): ReadonlyArray<number> {
    const isHeld = (fiber: Fiber.Fiber<unknown, unknown>): boolean => {
      const unit = fiber.getRef(CurrentUnit)
      return unit !== undefined && this.supervisor.units.has(unit)
    }
    return [...this.sleeps].flatMap(({ duration, fiber }) => (isHeld(fiber) ? [] : [Duration.toMillis(duration)]))
  }

  #operationFibers(): Array<Fiber.Fiber<unknown, unknown>> {
    const { parked, units } = this.supervisor
    return [...parked, ...units, ...this.#unacknowledged, ...this.sleeps].map((entry) => entry.fiber)
  }

  /** Interrupts every fibre at a durable operation, also below uninterruptible regions and in detached fibres. */
  #release(): void {
    const blocked = [...this.supervisor.parked, ...this.#unacknowledged]
    for (const fiber of new Set(this.#operationFibers())) {
      if (fiber !== this.#root) fiber.interruptUnsafe(fiber.id)
    }
    for (const entry of blocked) entry.release(Effect.interrupt)
  }

  /** Notes a new fibre with the context in which it was forked, unless it belongs to a step. */
  #adopt(fiber: Fiber.Fiber<unknown, unknown>): void {
    if (this.#seen.has(fiber)) return
    this.#seen.add(fiber)
    if (fiber.getRef(CurrentUnit)?.kind !== "step") executionOf(fiber)?.context.adopt(fiber)
  }

  /** Lets go of every fibre that the workflow has left behind: nothing that they do counts any more. */
  close(): void {
    if (this.context.fibers.size > 0) this.context.cutShort = true
    this.supervisor.close(this.context)
    this.releaseClosed()
  }

  /** Closes contexts with fibres in them, which are interrupted and not waited for. */
  letGo(contexts: ReadonlyArray<DurableContext>, fibers: Iterable<Fiber.Fiber<unknown, unknown>>): void {
    for (const context of contexts) context.close()
    this.supervisor.touch()
    this.#isLettingGo = true
    for (const fiber of Array.from(fibers)) fiber.interruptUnsafe(fiber.id)
    this.#isLettingGo = false
    this.releaseClosed()
    this.supervisor.check()
  }

  /** Tells the fibres that still wait for operations of closed contexts that those never complete. */
  releaseClosed(): void {
    // Each of many fibres that are let go of at once would look at all the others.
    if (this.#isLettingGo) return
    for (const entry of Array.from(this.supervisor.parked)) {
      if (entry.context.closed) entry.release(contextEnded(entry))
    }
  }

  #armDeadline(): void {
    const { deadline } = this.options
    if (deadline === undefined) return
    this.after(deadline - this.now(), () => this.end(outOfTime(this.supervisor.units)))
  }

  /** Sends an update and waits until the service has acknowledged it and its new state is in place. */
  acknowledge(update: OperationUpdate): Effect.Effect<void> {
    return this.#block((fiber, release) => {
      const entry = { id: update.Id, fiber, release }
      this.#unacknowledged.add(entry)
      const leave = (): void => void this.#unacknowledged.delete(entry)
      this.checkpointer.submit(update, () => {
        leave()
        release(Effect.void)
      })
      return leave
    })
  }

  /** Parks the current fibre until the operation has its outcome, or is ready for its next attempt. */
  waitFor(operation: Waiting): Effect.Effect<Operation> {
    return Effect.map(this.#settled(operation), (record) => {
      observe(operation, record)
      return record
    })
  }

  #settled(operation: Waiting): Effect.Effect<Operation> {
    return Effect.suspend(() => {
      if (operation.context.closed) return contextEnded(operation)
      this.journal.await(operation.id)
      const record = this.journal.get(operation.id)
      const noted = (settled: Operation): Effect.Effect<Operation> => {
        operation.context.noteOutcome(settled.EndTimestamp)
        return Effect.withFiber((fiber) => {
          this.observer.delivered(operation.id, fiber)
          return Effect.succeed(settled)
        })
      }
      if (record !== undefined && isSettled(record)) return noted(record)
      return this.#block<Operation>((fiber, release) => {
        const parked = { ...operation, fiber, release }
        const watch = this.#poller.watch(record)
        const unwatch = this.journal.watch(operation.id, (changed) => {
          if (!isSettled(changed)) return watch.update(changed)
          leave()
          release(noted(changed))
        })
        const leave = (): void => {
          unwatch()
          watch.stop()
          this.supervisor.unpark(parked)
        }
        this.supervisor.park(parked)
        return leave
      })
    })
  }

  /** Parks the current fibre for good: its context is only rebuilt, and its operation had no outcome then. */
  idle(operation: Waiting): Effect.Effect<never> {
    return this.#block<never>((fiber, release) => {
      const parked = { ...operation, fiber, release }
      this.supervisor.park(parked)
      return () => this.supervisor.unpark(parked)
    })
  }

  /**
   * Blocks the current fibre on something that this invocation can always let go of, even where the fibre cannot be
   * interrupted. `block` says how, and returns what to do when the fibre leaves before that.
   */
  #block<A>(
    block: (fiber: Fiber.Fiber<unknown, unknown>, release: (effect: Effect.Effect<A>) => void) => () => void
  ): Effect.Effect<A> {
    return Effect.callback<A>((resume) => {
      const fiber = Fiber.getCurrent()
      if (fiber === undefined || this.phase !== "running") return resume(this.inert)
      return Effect.sync(block(fiber, resume))
    })
  }

  /** What a durable operation does once the invocation is ending: nothing, and at last not even that. */
  get inert(): Effect.Effect<never> {
    this.#inert++
    return this.phase === "abandoned" || this.#inert > maxInert ? Effect.never : Effect.interrupt
  }
}

/** Operations that code may still attempt while the invocation ends, before its fibre is left where it is. */
const maxInert = 1_000

/** The contexts that fibres are in, and those around them. */
const contextsOf = (
  entries: ReadonlyArray<{ readonly fiber: Fiber.Fiber<unknown, unknown> }>
): ReadonlySet<DurableContext> => {
  const found = new Set<DurableContext>()
  for (const { fiber } of entries) {
    let context = executionOf(fiber)?.context
    for (; context !== undefined && !found.has(context); context = context.parent) found.add(context)
  }
  return found
}

const isSettled = (record: Operation): boolean => isFinal(record) || record.Status === "READY"
