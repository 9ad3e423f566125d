/**
 * The checkpoint store over any client that takes requests of the Lambda API and returns its answers: the connection of this
 * folder, or a client in the event.
 *
 * An answer that does not match the API model counts as *unavailable*: a proxy or a cut connection may have caused it. The
 * service applies a repeated checkpoint once, so asking again is safe and ending the execution is not.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import {
  StoreUnavailable,
  type CheckpointRequest,
  type CheckpointStore,
  type StateRequest,
  type StoreError
} from "../../CheckpointStore.ts"
import { CheckpointDurableExecutionResponse, GetDurableExecutionStateResponse } from "../../wire/CheckpointApi.ts"
import { reader } from "../../wire/Malformed.ts"
import { decodedOr } from "./decoded.ts"

/** The two calls, which have their answers read. */
export interface RawStore {
  readonly checkpoint: <A>(request: CheckpointRequest, read: Reader<A>) => Effect.Effect<A, StoreError>
  readonly loadState: <A>(request: StateRequest, read: Reader<A>) => Effect.Effect<A, StoreError>
}

/** Reads an unchecked answer. */
export type Reader<A> = (answer: unknown) => Effect.Effect<A, StoreError>

const decoded = decodedOr(({ message }) => new StoreUnavailable({ message }))

export const makeStore = (raw: RawStore): CheckpointStore["Service"] => ({
  checkpoint: (request) => raw.checkpoint(request, decoded(readCheckpoint)),
  loadState: (request) => raw.loadState(request, decoded(readState))
})

const readCheckpoint = reader("answer to CheckpointDurableExecution", CheckpointDurableExecutionResponse)
const readState = reader("answer to GetDurableExecutionState", GetDurableExecutionStateResponse)
