/**
 * The parts of one invocation that do not depend on the order in which outcomes are delivered.
 *
 * Owns: the list of these parts, and the settings of an invocation.
 * Does not own: the parts themselves, each in its own file, and how they are put together.
 *
 * Invariants:
 * 1. None of these parts imports the delivery or knows any operation.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { Beside } from "./Beside.ts"
import type { AnyFiber, Fibers } from "./Fibers.ts"
import type { History } from "./History.ts"
import type { Host } from "./Host.ts"
import type { Lifetime } from "./Lifetime.ts"
import type { Attempt, Listener, Surroundings } from "./Listener.ts"
import type { Outbox } from "./Outbox.ts"
import type { Usage } from "./Usage.ts"

/** How one invocation behaves. Times are milliseconds. */
export interface Settings {
  /** How long local finalizers may run when the invocation ends, if its function has that much time. */
  readonly grace: number
  /** The time on the host's clock at which the function is cut off. */
  readonly end: number
  /** How long work that no operation records may keep an invocation alive. */
  readonly outsideLimit: number
  /** Calls `action` after `millis` of real time. The returned function cancels the call. */
  readonly startTimer: (millis: number, action: () => void) => () => void
  /**
   * Calls `action` after `limit` of real time, or earlier with `true` once the host knows that nothing in the process
   * can still wake the workflow. The returned function cancels the call.
   */
  readonly whenQuiet: (limit: number, action: (isQuiet?: boolean) => void) => () => void
  /** How long recorded outcomes are held back for a fiber that waits for such work and may still ask for them. */
  readonly outsideGrace: number
  /** The time on the host's clock at which the invocation must have ended, if there is one. */
  readonly deadline: number | undefined
  /** Whether a contradiction between code and history ends the execution, or only this invocation. */
  readonly onNonDeterminism: "fail" | "retry"
  /** The largest result of a step or context, in bytes, that is kept as it is. */
  readonly maxPayload: number
  /** Whether to warn about contracts without a target. */
  readonly warnAboutTargets: boolean
  /** Returns the effect that runs in place of the body of an attempt, if there is one. */
  readonly insteadOf: ((attempt: Attempt) => Effect.Effect<never, unknown> | undefined) | undefined
}

/** Returns how long local finalizers may run from now on, so that the invocation still answers. */
export const graceFrom = (now: number, { end, grace }: Settings): number =>
  Math.max(0, Math.min(grace, (end - now) * 0.8))

export interface Core {
  readonly executionArn: string
  readonly executionName: string
  readonly settings: Settings
  readonly lifetime: Lifetime
  readonly history: History
  readonly usage: Usage
  readonly outbox: Outbox
  readonly fibers: Fibers
  readonly beside: Beside
  readonly host: Host
  readonly listener: Listener
  readonly surroundings: Surroundings
  /** The path of the namespace in which a fiber runs, if it runs in one. */
  readonly placeOf: (fiber: AnyFiber) => string | undefined
}
