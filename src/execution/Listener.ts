/**
 * What an invocation tells those who only watch: telemetry, and the test engine.
 *
 * Owns: the few words in which it is told. Does not own: what is made of them. Nothing that a listener does has an effect
 * on the invocation.
 *
 * Invariants:
 * 1. All that watch are told the same, in the same order.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import type * as Exit from "effect/Exit"
import type { Operation } from "../wire/Operation.ts"
import type { OperationUpdate } from "../wire/OperationUpdate.ts"
import type { Claim } from "./Claim.ts"
import type { Namespace } from "./Namespace.ts"

/** An update, and when it was queued, in milliseconds. */
export interface Sent {
  readonly update: OperationUpdate
  readonly since: number
}

/** An attempt of a step, or a look at a condition. */
export interface Attempt {
  readonly id: string
  readonly name: string
  readonly path: string
  /** Which attempt it is, from 1. */
  readonly number: number
}

export interface Listener {
  /** The code asked for an operation. */
  readonly claimed?: ((claim: Claim) => void) | undefined
  /** The code learned how an operation ended. */
  readonly delivered?: ((claim: Claim) => void) | undefined
  /** The service acknowledged updates after so many milliseconds. */
  readonly acknowledged?: ((sent: ReadonlyArray<Sent>, millis: number) => void) | undefined
  /** The service told how operations stand. */
  readonly told?: ((records: ReadonlyArray<Operation>) => void) | undefined
  /** A request is repeated. */
  readonly repeated?: (() => void) | undefined
  /** A fiber of the workflow waits for something that no operation records, at a place in the code if that is noted. */
  readonly outside?: ((place: string | undefined, message: string) => void) | undefined
  /** Something moved. */
  readonly moved?: (() => void) | undefined
  /** Something should be told to people, also when it is about a replay. */
  readonly warned?: ((message: string) => void) | undefined
}

/** What telemetry wants of the body of an attempt. */
export interface Watched<R> {
  readonly services: Context.Context<R>
  /** The body has ended, in whatever way. */
  readonly ended?: ((exit: Exit.Exit<unknown, unknown>) => void) | undefined
}

/** What telemetry puts around code of the user. */
export interface Surroundings {
  /** The services of the workflow: its loggers pass over what is replayed, and tell the time of the host. */
  readonly services: <R>(services: Context.Context<R>) => Context.Context<R>
  /** The services of the body of a context. */
  readonly within: <R>(namespace: Namespace, services: Context.Context<R>) => Context.Context<R>
  /** An attempt begins: the services of its body, and who hears of its end. */
  readonly attempt: <R>(claim: Claim, number: number, services: Context.Context<R>) => Watched<R>
  /** The X-Ray header for a function that an operation calls, if the invocation belongs to a trace. */
  readonly traceHeader: (claim: Claim) => string | undefined
}

/** Tells several listeners. */
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
