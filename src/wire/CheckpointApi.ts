/**
 * The two operations of the API that a running invocation calls: to record what happened, and to read on when the state
 * did not fit the event. They are apart from the rest so that a deployed function carries no more than it uses.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { list, marker, maybe, orEmpty, orNone, record } from "./internal/fields.ts"
import * as Query from "./internal/query.ts"
import { ApiOperation } from "./Operation.ts"
import { OperationUpdate } from "./OperationUpdate.ts"

// --- CheckpointDurableExecution --------------------------------------------------------------------------------------

/**
 * Records changes. Without `Updates` it only asks what has changed meanwhile. A request that is repeated with the same
 * `ClientToken` within 15 minutes is applied once.
 *
 * @since 0.1.0
 * @category schemas
 */
export const CheckpointDurableExecutionBody = record({
  CheckpointToken: Schema.String,
  Updates: maybe(list(OperationUpdate)),
  ClientToken: maybe(Schema.String)
})

/**
 * @since 0.1.0
 * @category models
 */
export type CheckpointDurableExecutionBody = typeof CheckpointDurableExecutionBody.Type

/**
 * The token of the next checkpoint, absent when the execution is over, and the operations that changed.
 *
 * @since 0.1.0
 * @category schemas
 */
export const CheckpointDurableExecutionResponse = record({
  CheckpointToken: maybe(Schema.String),
  NewExecutionState: orEmpty(record({ Operations: orNone(ApiOperation), NextMarker: marker }))
})

/**
 * @since 0.1.0
 * @category models
 */
export type CheckpointDurableExecutionResponse = typeof CheckpointDurableExecutionResponse.Type

// --- GetDurableExecutionState ----------------------------------------------------------------------------------------

/**
 * Asks for a page of operations, in the order in which they started. `MaxItems` is 0..1000, where 0 means 100.
 *
 * @since 0.1.0
 * @category schemas
 */
export const GetDurableExecutionStateQuery = record({
  CheckpointToken: Schema.String,
  Marker: marker,
  MaxItems: maybe(Query.integer)
})

/**
 * @since 0.1.0
 * @category models
 */
export type GetDurableExecutionStateQuery = typeof GetDurableExecutionStateQuery.Type

/**
 * A page of operations. Children of a closed context are left out unless it says `ReplayChildren`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const GetDurableExecutionStateResponse = record({ Operations: list(ApiOperation), NextMarker: marker })

/**
 * @since 0.1.0
 * @category models
 */
export type GetDurableExecutionStateResponse = typeof GetDurableExecutionStateResponse.Type
