/**
 * The checkpoint store over the client in the event of an invocation, which AWS's test runner sends.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import {
  StoreRefused,
  StoreUnavailable,
  type CheckpointRequest,
  type CheckpointStore,
  type StateRequest,
  type StoreError
} from "../../CheckpointStore.ts"
import { storeError } from "../../StoreFailure.ts"
import { describeFailure } from "./failure.ts"
import { makeStore, type Reader } from "./store.ts"

/** An object with the two calls of a running invocation. Requests and answers have the form of the AWS client. */
export interface DurableExecutionClient {
  // Methods, because other clients declare mutable parameters.
  checkpoint(params: CheckpointRequest): Promise<unknown>
  getExecutionState(params: StateRequest): Promise<unknown>
}

/** Creates a store over such a client. Its failures are classified by their own scope, else as failures of the AWS client. */
export const fromDurableExecutionClient = (client: DurableExecutionClient): CheckpointStore["Service"] =>
  makeStore({
    checkpoint: (request, read) => call(request.CheckpointToken, async () => client.checkpoint(request), read),
    loadState: (request, read) => call(request.CheckpointToken, async () => client.getExecutionState(request), read)
  })

/** Calls the client with a single suspension, because every checkpoint takes this path. */
const call = <A>(token: string, run: () => Promise<unknown>, read: Reader<A>): Effect.Effect<A, StoreError> =>
  Effect.callback((resume) => {
    run().then(
      (answer) => resume(read(answer)),
      (error: unknown) => resume(Effect.fail(classify(error, token)))
    )
  })

const classify = (error: unknown, token: string): StoreError => {
  const failure = describeFailure(error, [token])
  const sorted = storeError(failure)
  if (sorted._tag === "StaleCheckpointToken") return sorted
  switch (scopeOf(error)) {
    case "EXECUTION":
      return new StoreRefused({ message: sorted.message })
    case "INVOCATION":
      return new StoreUnavailable({ message: sorted.message })
    default:
      return sorted
  }
}

/** Returns the scope of a failure that has AWS's marker for it. */
const scopeOf = (error: unknown): unknown => {
  try {
    const isMarked =
      Predicate.hasProperty(error, "isDurableExecutionClientError") && error.isDurableExecutionClientError === true
    return isMarked && Predicate.hasProperty(error, "scope") ? error.scope : undefined
  } catch {
    return undefined
  }
}
