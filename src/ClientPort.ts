/**
 * The port to the service for programs outside of workflows. Each backend provides it as a Layer.
 *
 * Requests and responses are those of the Lambda API, with times in milliseconds since the epoch. They contain no
 * contracts, which the functions of `DurableClient` add. Users import everything here from `DurableClient`.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { ExecutionSummary, GetDurableExecutionResponse } from "./wire/Api.ts"
import { isExecutionName } from "./wire/Constraints.ts"
import type { ErrorObject } from "./wire/ErrorObject.ts"
import type { HistoryEvent } from "./wire/HistoryEvent.ts"

/**
 * A request to start an execution.
 *
 * @category models
 * @since 0.1.0
 */
export interface StartRequest {
  /** The name, or the partial or full ARN, of the function, with the version or alias that a durable function needs. */
  readonly functionName: string
  readonly qualifier?: string | undefined
  /** The payload as text; absent for none. */
  readonly payload?: string | undefined
  /** A name of 1 to 64 letters, digits, `-` and `_`. Repeated starts with one name start one execution. */
  readonly executionName?: string | undefined
  readonly tenantId?: string | undefined
  /** Whether to wait for the end of the execution (`"RequestResponse"`, at most 15 minutes) or not (`"Event"`). */
  readonly type: "RequestResponse" | "Event"
}

/**
 * The execution that was started, or that already has the name. `outcome` is present when the service waited until the
 * execution ended.
 *
 * @category models
 * @since 0.1.0
 */
export interface StartResponse {
  readonly executionArn: string
  readonly outcome?: Outcome | undefined
}

/**
 * The end of an execution. `result` is the text that the function returned.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome =
  | { readonly status: "SUCCEEDED"; readonly result?: string | undefined }
  | { readonly status: "FAILED" | "TIMED_OUT" | "STOPPED"; readonly error: ErrorObject }

/**
 * A page of a list. `nextMarker`, if present, leads to the next page.
 *
 * @category models
 * @since 0.1.0
 */
export interface Page<A> {
  readonly items: ReadonlyArray<A>
  readonly nextMarker?: string | undefined
}

/**
 * The page to read, its size and its order. The service returns 100 items by default and at most 1,000.
 *
 * @category models
 * @since 0.1.0
 */
export interface PageRequest {
  readonly marker?: string | undefined
  /** The maximum number of items. Default: 100. */
  readonly maxItems?: number | undefined
  readonly reverseOrder?: boolean | undefined
}

/**
 * The name belongs to an execution that was started with another payload. Use another name, or the same payload.
 *
 * @category errors
 * @since 0.1.0
 */
export class ExecutionAlreadyStarted extends Schema.TaggedError<ExecutionAlreadyStarted>()("ExecutionAlreadyStarted", {
  message: Schema.String
}) {}

/**
 * The execution, the function or the callback does not exist.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotFound extends Schema.TaggedError<NotFound>()("NotFound", { message: Schema.String }) {}

/**
 * The callback already has its outcome, or timed out. The outcome may be the one that was just sent, if the response to
 * it was lost and the request repeated.
 *
 * @category errors
 * @since 0.1.0
 */
export class CallbackClosed extends Schema.TaggedError<CallbackClosed>()("CallbackClosed", {
  message: Schema.String
}) {}

/**
 * The service could not be reached, or was too busy, or the client has no region or credentials.
 *
 * @category errors
 * @since 0.1.0
 */
export class ClientUnavailable extends Schema.TaggedError<ClientUnavailable>()("ClientUnavailable", {
  message: Schema.String
}) {}

/**
 * The service refused the request for good, or the client refused an invalid name of an execution without a request.
 *
 * @category errors
 * @since 0.1.0
 */
export class ClientRefused extends Schema.TaggedError<ClientRefused>()("ClientRefused", { message: Schema.String }) {}

/**
 * All errors with which a call of the client fails.
 *
 * @category errors
 * @since 0.1.0
 */
export const ClientError = Schema.Union([
  ExecutionAlreadyStarted,
  NotFound,
  CallbackClosed,
  ClientUnavailable,
  ClientRefused
])

/**
 * @category errors
 * @since 0.1.0
 */
export type ClientError = typeof ClientError.Type

/**
 * The service that starts, inspects and stops executions, and answers callbacks.
 *
 * @category services
 * @since 0.1.0
 */
export class DurableClient extends Context.Service<
  DurableClient,
  {
    readonly start: (request: StartRequest) => Effect.Effect<StartResponse, ClientError>
    /** Returns the service's data about an execution. */
    readonly get: (
      executionArn: string,
      options?: { readonly includeExecutionData?: boolean | undefined }
    ) => Effect.Effect<GetDurableExecutionResponse, ClientError>
    /**
     * Returns a page of the executions of a function. `startedAfter` and `startedBefore` are milliseconds since the
     * epoch.
     */
    readonly list: (
      functionName: string,
      options?: PageRequest & {
        readonly qualifier?: string | undefined
        readonly executionName?: string | undefined
        readonly statuses?: ReadonlyArray<string> | undefined
        readonly startedAfter?: number | undefined
        readonly startedBefore?: number | undefined
      }
    ) => Effect.Effect<Page<ExecutionSummary>, ClientError>
    /** Returns a page of the events of an execution. */
    readonly history: (
      executionArn: string,
      options?: PageRequest & { readonly includeExecutionData?: boolean | undefined }
    ) => Effect.Effect<Page<HistoryEvent>, ClientError>
    /** Stops an execution for good, without running any of its code. Returns the time at which it ended. */
    readonly stop: (executionArn: string, error?: ErrorObject) => Effect.Effect<number, ClientError>
    /** Completes a callback with a text, or without a result. */
    readonly succeedCallback: (callbackId: string, result?: string) => Effect.Effect<void, ClientError>
    /** Fails a callback. */
    readonly failCallback: (callbackId: string, error?: ErrorObject) => Effect.Effect<void, ClientError>
    /** Sends a heartbeat of a callback, which restarts its heartbeat time-out. */
    readonly heartbeatCallback: (callbackId: string) => Effect.Effect<void, ClientError>
  }
>()("effect-durable/DurableClient") {}

/** @internal Fails when a name of an execution is invalid, without a request. */
export const checkName = (contract: { readonly name: string }, name: unknown): Effect.Effect<void, ClientRefused> => {
  if (name === undefined || (typeof name === "string" && isExecutionName(name))) return Effect.void
  const found = typeof name === "string" ? `${name.length} characters` : `a value of type ${typeof name}`
  // The message does not quote the name, which may contain confidential data.
  return Effect.fail(
    new ClientRefused({
      message: `Expected the name of an execution of "${contract.name}" to be 1 to 64 letters, digits, - and _, found ${found}. Name it in the options, or correct the idempotencyKey of the contract.`
    })
  )
}
