/**
 * The durable execution service as a pure state machine: commands go in with the time, a new state comes out, and with it
 * the answer for the caller and what the host has to do.
 *
 * @since 0.1.0
 */
import type * as Result from "effect/Result"
import type { ErrorObject } from "../wire/ErrorObject.ts"
import type { InvocationEvent } from "../wire/Invocation.ts"
import type { Operation } from "../wire/Operation.ts"
import type { OperationUpdate } from "../wire/OperationUpdate.ts"
import type { Refused } from "./Refused.ts"

/** The state of a whole service: every execution, open or closed. Immutable; see `empty`. */
export interface ServiceState {
  readonly now: number
}

/** What the host knows of a function. `version` is `$LATEST` or digits: aliases are resolved by the host. */
export type FunctionEntry =
  | {
      readonly kind: "durable"
      readonly name: string
      readonly version: string
      readonly executionTimeoutSeconds?: number
    }
  | { readonly kind: "plain"; readonly name: string; readonly version: string }

/** Fixed at the start of a host. Everything but `lookup` has a default. */
export interface Config {
  /** The function at this address, or undefined when there is none. Must be pure. */
  readonly lookup: (name: string, qualifier: string | undefined) => FunctionEntry | undefined
  readonly region?: string
  readonly account?: string
  /** Items and bytes of one page of state: in the invocation event, in a checkpoint's answer and at most from getState. */
  readonly pageItems?: number
  readonly pageBytes?: number
  readonly executionTimeoutSeconds?: number
  /** Back-off between invocations that failed. */
  readonly invocationRetry?: { readonly initialSeconds: number; readonly factor: number; readonly maxSeconds: number }
  readonly maxOperations?: number
  readonly maxStorage?: number
}

/** Handed to every command. */
export interface Env {
  readonly config: Config
  /** Epoch milliseconds. A time before the state's own counts as the state's. */
  readonly now: number
  /** A unique text of `[A-Za-z0-9-]`, at least 128 random bits in a server (a UUID), a seeded counter in tests. */
  readonly freshId: () => string
}

/** What the host has to do, in order. */
export type HostEffect =
  /** Run the handler with this event, then report `invocationEnded`. At most one is in flight per execution. */
  | {
      readonly _tag: "InvokeFunction"
      readonly functionName: string
      readonly version: string
      readonly functionArn: string
      readonly executionArn: string
      readonly invocationId: string
      readonly event: InvocationEvent
      readonly tenantId?: string
      readonly traceHeader?: string
    }
  /** Run a plain function once, then report `targetEnded`. */
  | {
      readonly _tag: "RunTarget"
      readonly functionName: string
      readonly version: string
      readonly executionArn: string
      readonly operationId: string
      readonly payload: string | undefined
      readonly tenantId?: string
      readonly traceHeader?: string
    }
  /** The execution is closed: whoever waits for it can be answered. */
  | { readonly _tag: "ExecutionClosed"; readonly executionArn: string; readonly outcome: ExecutionOutcome }

/** How an execution ended. */
export type ExecutionOutcome =
  | { readonly status: "SUCCEEDED"; readonly result?: string; readonly endTimestamp: number }
  | { readonly status: "FAILED" | "TIMED_OUT" | "STOPPED"; readonly error: ErrorObject; readonly endTimestamp: number }

/** A command that was carried out. */
export interface Applied<A> {
  readonly state: ServiceState
  readonly answer: A
  readonly effects: ReadonlyArray<HostEffect>
}
export type Outcome<A> = Result.Result<Applied<A>, Refused>

export interface StartExecution {
  /** Name, name:qualifier, partial or full ARN. */
  readonly functionName: string
  readonly qualifier?: string
  readonly payload?: string
  /** Idempotent execution name. */
  readonly name?: string
  readonly executionTimeoutSeconds?: number
  readonly tenantId?: string
  readonly traceHeader?: string
  /** Decides how large the payload may be: 6 MB or 1 MB. */
  readonly invocationType?: "RequestResponse" | "Event"
}
export interface Started {
  readonly executionArn: string
  readonly executedVersion: string
  /** True when the name was known and its execution is answered instead of a new one. */
  readonly existing: boolean
  /** Present when that execution is closed already. */
  readonly outcome?: ExecutionOutcome
}

export interface CheckpointRequest {
  readonly DurableExecutionArn: string
  readonly CheckpointToken: string
  readonly Updates?: ReadonlyArray<OperationUpdate>
  readonly ClientToken?: string
}
export interface CheckpointAnswer {
  readonly CheckpointToken?: string
  readonly NewExecutionState: { readonly Operations: ReadonlyArray<Operation>; readonly NextMarker?: string }
}

/** How an invocation ended. `answer` is what the handler answered, parsed from JSON but unchecked. */
export type InvocationEnd =
  | { readonly _tag: "Answered"; readonly answer: unknown }
  | { readonly _tag: "Crashed"; readonly error: ErrorObject }
  | { readonly _tag: "TimedOut"; readonly afterSeconds: number }

/** How a plain target ended. */
export type TargetEnd =
  | { readonly _tag: "Succeeded"; readonly result: string | undefined }
  | { readonly _tag: "Failed"; readonly error: ErrorObject }
  | { readonly _tag: "TimedOut"; readonly error?: ErrorObject }
  | { readonly _tag: "Stopped"; readonly error?: ErrorObject }

/** One timer that is armed. `kind` tells the host which ones it may skip to. */
export interface Timer {
  readonly due: number
  readonly executionArn: string
  readonly kind: "Wait" | "StepRetry" | "CallbackTimeout" | "HeartbeatTimeout" | "ExecutionTimeout" | "InvocationRetry"
  readonly operationId?: string
}

export declare const empty: ServiceState
export declare const startExecution: (state: ServiceState, request: StartExecution, env: Env) => Outcome<Started>
export declare const checkpoint: (
  state: ServiceState,
  request: CheckpointRequest,
  env: Env
) => Outcome<CheckpointAnswer>
export declare const completeCallback: (
  state: ServiceState,
  request: { readonly callbackId: string; readonly result?: string },
  env: Env
) => Outcome<void>
export declare const failCallback: (
  state: ServiceState,
  request: { readonly callbackId: string; readonly error?: ErrorObject },
  env: Env
) => Outcome<void>
export declare const heartbeatCallback: (
  state: ServiceState,
  request: { readonly callbackId: string },
  env: Env
) => Outcome<void>
export declare const stopExecution: (
  state: ServiceState,
  request: { readonly executionArn: string; readonly error?: ErrorObject },
  env: Env
) => Outcome<{ readonly StopTimestamp: number }>
/** These three cannot be refused: what is over already is ignored. */
export declare const invocationEnded: (
  state: ServiceState,
  request: { readonly executionArn: string; readonly invocationId: string; readonly end: InvocationEnd },
  env: Env
) => Applied<void>
export declare const targetEnded: (
  state: ServiceState,
  request: { readonly executionArn: string; readonly operationId: string; readonly end: TargetEnd },
  env: Env
) => Applied<void>
export declare const advanceTo: (state: ServiceState, env: Env) => Applied<void>

/** Armed timers, earliest first. */
export declare const timers: (state: ServiceState) => Iterable<Timer>
/** When the earliest is due, in epoch milliseconds. */
export declare const nextDue: (state: ServiceState) => number | undefined
