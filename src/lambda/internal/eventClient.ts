/**
 * The client that may come with the event of an invocation, as AWS's test runner sends it, behind the port.
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

/** An object with the two calls of a running invocation: requests and answers as the AWS client has them. */
export interface DurableExecutionClient {
  // Methods, because the parameters are mutable in the clients of others.
  checkpoint(params: CheckpointRequest): Promise<unknown>
  getExecutionState(params: StateRequest): Promise<unknown>
}

/** A store of such a client. Its failures are sorted by what they say themselves, else as failures of the AWS client. */
export const fromDurableExecutionClient = (client: DurableExecutionClient): CheckpointStore["Service"] =>
  makeStore({
    checkpoint: (request, read) => call(request.CheckpointToken, async () => client.checkpoint(request), read),
    loadState: (request, read) => call(request.CheckpointToken, async () => client.getExecutionState(request), read)
  })

/** One wait and no more: every checkpoint passes here. */
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

/** How far a failure reaches, when it carries AWS's marker for that. */
const scopeOf = (error: unknown): unknown => {
  try {
    const isMarked =
      Predicate.hasProperty(error, "isDurableExecutionClientError") && error.isDurableExecutionClientError === true
    return isMarked && Predicate.hasProperty(error, "scope") ? error.scope : undefined
  } catch {
    return undefined
  }
}
