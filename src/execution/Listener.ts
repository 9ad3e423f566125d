/**
 * The events of an invocation for parts that only watch: telemetry, and the test engine.
 *
 * Owns: the list of events. Does not own: how listeners use them. Nothing that a listener does affects the invocation.
 *
 * Invariants:
 * 1. All listeners get the same events, in the same order.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import type * as Exit from "effect/Exit"
import type { Operation } from "../wire/Operation.ts"
import type { OperationUpdate } from "../wire/OperationUpdate.ts"
import type { Claim } from "./Claim.ts"
import type { Namespace } from "./Namespace.ts"

/** An update, and the time at which it was queued, in milliseconds. */
export interface Sent {
  readonly update: OperationUpdate
  readonly since: number
}

/** An attempt of a step, or a check of a condition. */
export interface Attempt {
  readonly id: string
  readonly name: string
  readonly path: string
  /** The number of the attempt, from 1. */
  readonly number: number
}

export interface Listener {
  /** Called when the code asked for an operation. */
  readonly claimed?: ((claim: Claim) => void) | undefined
  /** Called when the code learned how an operation ended. */
  readonly delivered?: ((claim: Claim) => void) | undefined
  /** Called when the service acknowledged updates, with the milliseconds that this took. */
  readonly acknowledged?: ((sent: ReadonlyArray<Sent>, millis: number) => void) | undefined
  /** Called when the service reported the states of operations. */
  readonly told?: ((records: ReadonlyArray<Operation>) => void) | undefined
  /** Called when a request is repeated. */
  readonly repeated?: (() => void) | undefined
  /**
   * Called when a fiber of the workflow waits for something that no operation records, with the place in the code if
   * captured.
   */
  readonly outside?: ((place: string | undefined, message: string) => void) | undefined
  /** Called when the invocation has made progress. */
  readonly moved?: (() => void) | undefined
  /** Called with a warning for people, also if it is about a replay. */
  readonly warned?: ((message: string) => void) | undefined
}

/** The services that telemetry provides for the body of an attempt, and the call at its end. */
export interface Watched<R> {
  readonly services: Context.Context<R>
  /** Called when the body has ended, in whatever way. */
  readonly ended?: ((exit: Exit.Exit<unknown, unknown>) => void) | undefined
}

/** The services that telemetry provides for code of the program. */
export interface Surroundings {
  /** Returns the services of the workflow. Their loggers skip what is replayed, and show the time of the host. */
  readonly services: <R>(services: Context.Context<R>) => Context.Context<R>
  /** Returns the services of the body of a context. */
  readonly within: <R>(namespace: Namespace, services: Context.Context<R>) => Context.Context<R>
  /** Begins an attempt. Returns the services of its body, and what to call at its end. */
  readonly attempt: <R>(claim: Claim, number: number, services: Context.Context<R>) => Watched<R>
  /** Returns the X-Ray header for a function that an operation calls, if the invocation belongs to a trace. */
  readonly traceHeader: (claim: Claim) => string | undefined
}

/** Combines several listeners into one. */
export const listeners = (all: ReadonlyArray<Listener>): Listener => ({
  claimed: (claim) => {
    for (const one of all) one.claimed?.(claim)
  },
  delivered: (claim) => {
    for (const one of all) one.delivered?.(claim)
  },
  acknowledged: (sent, millis) => {
    for (const one of all) one.acknowledged?.(sent, millis)
  },
  told: (records) => {
    for (const one of all) one.told?.(records)
  },
  repeated: () => {
    for (const one of all) one.repeated?.()
  },
  outside: (place, message) => {
    for (const one of all) one.outside?.(place, message)
  },
  moved: () => {
    for (const one of all) one.moved?.()
  },
  warned: (message) => {
    for (const one of all) one.warned?.(message)
  }
})
