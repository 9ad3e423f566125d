/**
 * The port to the service that keeps the operations of an execution: two calls, and three kinds of failure.
 *
 * The runtime uses nothing else of the outside world. Each backend (Lambda, the test engine, the local engine) provides
 * this service as a Layer. Implement it yourself to keep executions elsewhere.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Operation } from "./wire/Operation.ts"
import type { OperationUpdate } from "./wire/OperationUpdate.ts"

// Exported here, so that declarations can be written from inferred types that contain them.
export type { Operation, OperationStatus, OperationType } from "./wire/Operation.ts"
export type { OperationAction, OperationUpdate } from "./wire/OperationUpdate.ts"

/**
 * A request to record changes. Without updates it only asks for what has changed since.
 *
 * @category models
 * @since 0.1.0
 */
export interface CheckpointRequest {
  readonly DurableExecutionArn: string
  readonly CheckpointToken: string
  readonly Updates: ReadonlyArray<OperationUpdate>
  /** A token that is the same for every repetition of one request, so that the service applies it once. */
  readonly ClientToken: string
}

/**
 * The response to a checkpoint. `CheckpointToken` is absent only when the execution has ended.
 *
 * `NewExecutionState` has every operation that has changed since the token was issued, those of the request included.
 * If an operation of the request is missing, the library uses the time of the process for it, which may differ on a
 * replay.
 *
 * @category models
 * @since 0.1.0
 */
export interface CheckpointResponse {
  readonly CheckpointToken?: string | undefined
  readonly NewExecutionState: StatePage
}

/**
 * A request for a page of the operations of an execution.
 *
 * @category models
 * @since 0.1.0
 */
export interface StateRequest {
  readonly DurableExecutionArn: string
  readonly CheckpointToken: string
  readonly Marker: string
  /** The maximum number of operations. */
  readonly MaxItems: number
}

/**
 * A page of operations. A `NextMarker` that is not empty leads to the next page.
 *
 * @category models
 * @since 0.1.0
 */
export interface StatePage {
  readonly Operations: ReadonlyArray<Operation>
  readonly NextMarker?: string | undefined
}

/**
 * The invocation no longer owns the execution: a newer invocation, or a repeated request, has used the token.
 *
 * @category errors
 * @since 0.1.0
 */
export class StaleCheckpointToken extends Schema.TaggedError<StaleCheckpointToken>()("StaleCheckpointToken", {
  message: Schema.String
}) {}

/**
 * The service could not be reached or was too busy; the same request may succeed later.
 *
 * @category errors
 * @since 0.1.0
 */
export class StoreUnavailable extends Schema.TaggedError<StoreUnavailable>()("StoreUnavailable", {
  message: Schema.String
}) {}

/**
 * The service refused the request, and would refuse it again.
 *
 * @category errors
 * @since 0.1.0
 */
export class StoreRefused extends Schema.TaggedError<StoreRefused>()("StoreRefused", {
  message: Schema.String
}) {}

/**
 * The three kinds of failure of a {@link CheckpointStore}.
 *
 * @category errors
 * @since 0.1.0
 */
export type StoreError = StaleCheckpointToken | StoreUnavailable | StoreRefused

/**
 * The service that keeps the operations of an execution.
 *
 * @category services
 * @since 0.1.0
 */
export class CheckpointStore extends Context.Service<
  CheckpointStore,
  {
    readonly checkpoint: (request: CheckpointRequest) => Effect.Effect<CheckpointResponse, StoreError>
    readonly loadState: (request: StateRequest) => Effect.Effect<StatePage, StoreError>
    /**
     * Whether the store gives every request a greater stamp than all requests before it. Then no two requests end
     * operations or create callbacks at the same `EndTimestamp` or `StartTimestamp`, and a later request never does at an
     * earlier one. The test engine and the local engine promise that. AWS's service stamps whole milliseconds and does
     * not, so the runtime separates requests whose order matters; with `true` it need not. Absent means false.
     */
    readonly ordered?: boolean | undefined
  }
>()("effect-durable/CheckpointStore") {}
