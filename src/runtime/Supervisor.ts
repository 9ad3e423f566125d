/**
 * Decides when an invocation has nothing left to do but wait.
 *
 * It counts the work that is in flight (step bodies, holds, serdes, checkpoint requests) and the fibres that are parked
 * on an operation which only the outside world completes. When nothing is in flight, something is parked, and the
 * scheduler has been quiet for two turns of the event loop, the invocation is quiescent. Fibres that compute without
 * durable operations are seen through the scheduler and may finish first, for a bounded time; what waits outside the
 * process (a plain promise) cannot be seen.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { DurableContext } from "./DurableContext.ts"
import type { Run } from "./Run.ts"
import { WatchedScheduler, type OnFiber } from "./WatchedScheduler.ts"

/** A piece of work that keeps the invocation alive while it runs. */
export interface Unit {
  readonly kind: "step" | "hold" | "serdes"
  readonly path: string
  readonly context: DurableContext
  readonly fiber: Fiber.Fiber<unknown, unknown>
}

/** The unit of work that the current fibre belongs to, if any. */
export const CurrentUnit: Context.Reference<Unit | undefined> = Context.Reference<Unit | undefined>(
  "effect-durable/CurrentUnit",
  { defaultValue: () => undefined }
)

/** A fibre that waits for an operation. */
export interface Parked {
  readonly id: string
  readonly path: string
  readonly type: string
  readonly context: DurableContext
  readonly fiber: Fiber.Fiber<unknown, unknown>
  /** Lets the fibre go on with an effect, even where it cannot be interrupted. */
  readonly release: (effect: Effect.Effect<never>) => void
}

/** What a host of many invocations, like the test engine, may want to see of each. */
export interface Probe {
  readonly onStart: (run: Run) => void
  /** A fibre is about to run, or something was put in or taken out of flight. */
  readonly onActivity: () => void
  readonly onFiber: OnFiber
  /** What runs in place of the body of an attempt, if anything does. */
  readonly insteadOf?: ((attempt: Attempt) => Effect.Effect<never, unknown> | undefined) | undefined
  /** A context ended in a way that may depend on timing. With nobody who wants to hear of it, less is looked for. */
  readonly onLooseEnds?: ((advice: string) => void) | undefined
}

/** An attempt of a step, or a look at a condition. */
export interface Attempt {
  readonly name: string
  readonly path: string
  /** Which attempt it is, from 1. */
  readonly number: number
}

export interface SupervisorOptions {
  /** Turns of the event loop that must pass without activity. */
  readonly quietTurns: number
  /** Milliseconds that must pass without activity. */
  readonly quietMillis: number
  /** Milliseconds after which activity outside durable operations no longer counts. */
  readonly patience: number
  readonly probe: Probe | undefined
  readonly onFiber: OnFiber
  /** Whether checkpoints are under way. What waits to be sent is sent when somebody asks. */
  readonly isStoreBusy: () => boolean
  readonly onQuiescent: () => void
  /** Nothing is parked, but open contexts that are only rebuilt wait for operations without an outcome. */
  readonly onStuck: (operations: ReadonlyArray<Parked>) => void
}

export class Supervisor {
  readonly scheduler: WatchedScheduler
  readonly units = new Set<Unit>()
  /** Fibres at operations without an outcome, also those that only have to be let go at the end. */
  readonly parked = new Set<Parked>()
  #activity = 0
  #occupied = 0
  #progress = 0
  #armed = false
  #stopped = false
  readonly #options: SupervisorOptions

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.scheduler = new WatchedScheduler(() => this.touch(), options.onFiber)
  }

  /** Whether work in open contexts is in flight. */
  get busy(): boolean {
    return this.#occupied > 0 || some(this.units, (unit) => !unit.context.closed)
  }

  /** Grows with everything that moves. */
  get activity(): number {
    return this.#activity
  }

  /** Whether a fibre waits for an operation that the outside world completes. */
  get waits(): boolean {
    return some(this.parked, ({ context }) => !context.closed && !context.recorded.finished)
  }

  get #stuck(): ReadonlyArray<Parked> {
    return [...this.parked].filter(({ context }) => context.recorded.finished && !context.abandoned && !context.closed)
  }

  get #waiting(): boolean {
    return !this.#stopped && !this.busy && (this.waits || this.#stuck.length > 0)
  }

  enter(unit: Unit): void {
    this.units.add(unit)
    this.touch()
  }

  leave(unit: Unit): void {
    if (!this.units.delete(unit)) return
    this.touch()
    this.check()
  }

  /** Keeps the invocation alive until the returned function is called. */
  occupy(): () => void {
    this.#occupied++
    return () => {
      this.#occupied--
      this.check()
    }
  }

  park(parked: Parked): void {
    this.parked.add(parked)
    this.touch()
    this.check()
  }

  unpark(parked: Parked): void {
    if (this.parked.delete(parked)) this.touch()
  }

  /** Closes a context: what is in flight or parked below it no longer counts. */
  close(context: DurableContext): void {
    context.close()
    this.touch()
    this.check()
  }

  /** Looks no further: the invocation is ending. */
  stop(): void {
    this.#stopped = true
  }

  /** An operation was asked for: the workflow gets on, so the patience with it starts anew. */
  progress(): void {
    this.#progress++
  }

  touch(): void {
    this.#activity++
    this.#options.probe?.onActivity()
  }

  /** Starts to watch for quiescence, if nothing is in flight and something is parked. */
  check(): void {
    if (this.#armed || !this.#waiting) return
    this.#armed = true
    let waitingSince = performance.now()
    let progress = this.#progress
    let seen = this.#activity
    let turns = 0
    let quiet = 0
    let last = waitingSince
    const tick = (): void => {
      // A busy store calls again when it is idle.
      if (!this.#waiting || this.#options.isStoreBusy()) {
        this.#armed = false
        return
      }
      const now = performance.now()
      if (this.#progress !== progress) {
        progress = this.#progress
        waitingSince = now
      }
      if (this.#activity !== seen || this.scheduler.queued) {
        seen = this.#activity
        turns = 0
        quiet = 0
      } else {
        turns++
        // A long pause between two turns says that the process was held up, not that nothing was going on.
        quiet += Math.min(now - last, longestTurn)
      }
      last = now
      if (
        (turns >= this.#options.quietTurns && quiet >= this.#options.quietMillis) ||
        now - waitingSince >= this.#options.patience
      ) {
        this.#armed = false
        if (this.waits) this.#options.onQuiescent()
        else this.#options.onStuck(this.#stuck)
      } else if (turns < this.#options.quietTurns) {
        setImmediate(tick)
      } else {
        setTimeout(tick, Math.min(this.#options.quietMillis - quiet, longestTurn))
      }
    }
    setImmediate(tick)
  }
}

/** The most that one turn of the event loop counts as quiet time, in milliseconds. */
const longestTurn = 5

const some = <A>(items: Iterable<A>, holds: (item: A) => boolean): boolean => {
  for (const item of items) if (holds(item)) return true
  return false
}
