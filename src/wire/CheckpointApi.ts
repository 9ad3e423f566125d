/**
 * The two API operations that a running invocation calls: to record changes, and to read the rest of a state that did not
 * fit the event. They are separate from the other operations, so that a deployed function loads no more than it uses.
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
 * The request that records changes. Without `Updates` it only reads the changes since the last one. A request that is
 * repeated with the same `ClientToken` within 15 minutes is applied once.
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
 * The token of the next checkpoint, absent when the execution is over, and the changed operations.
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
 * The request of a page of operations, in start order. `MaxItems` is 0..1000, where 0 means 100.
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
 * A page of operations. Children of a closed context are omitted unless it has `ReplayChildren`.
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
