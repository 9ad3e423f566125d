/**
 * What the tests of other people's bugs share: a service that refuses, and when invocations ended.
 */
import type { CheckpointStore } from "effect-durable"
import * as Effect from "effect/Effect"
import { storeError } from "../../src/StoreFailure.ts"
import type { HistoryEvent } from "../../src/wire/HistoryEvent.ts"
import type { Store } from "../operations/support.ts"

/** Branches that all run at once. */
export const both = { concurrency: "unbounded" } as const

/** How the Lambda API says no. */
export const said = {
  invalidParameter: storeError({
    status: 400,
    name: "InvalidParameterValueException",
    message: "Invalid parameter in update."
  }),
  busy: storeError({ status: 503, name: "ServiceException", message: "Try again." }),
  forbidden: storeError({ status: 403, name: "AccessDeniedException", message: "Not allowed." }),
  /** The words of an emulator. The service itself writes them with capitals. */
  staleToken: storeError({
    status: 400,
    name: "InvalidParameterValueException",
    message: "Invalid checkpoint token"
  })
}

/** A service that fails the requests of one kind, for ever or so many times. */
export const failing =
  (
    which: (request: CheckpointStore.CheckpointRequest) => boolean,
    error: CheckpointStore.StoreError,
    times = Infinity
  ) =>
  (store: Store): Partial<Store> => {
    let left = times
    return {
      checkpoint: (request) => (which(request) && left-- > 0 ? Effect.fail(error) : store.checkpoint(request))
    }
  }

/** Seconds of virtual time from the start of an execution to the end of each of its invocations. */
export const invocationsEnded = (history: ReadonlyArray<HistoryEvent>): ReadonlyArray<number> => {
  const began = history[0]?.EventTimestamp ?? 0
  return history.flatMap(({ EventTimestamp, EventType }) =>
    EventType === "InvocationCompleted" ? [(EventTimestamp - began) / 1_000] : []
  )
}
