/**
 * An execution with those that it invoked and those that it handed over to, read through `DurableClient`.
 *
 * Owns: which executions belong together, and which data is read.
 * Does not own: the content of their histories.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { DurableClient, events, type ClientError } from "../DurableClient.ts"
import type { GetDurableExecutionResponse } from "../wire/Api.ts"
import type { HistoryEvent } from "../wire/HistoryEvent.ts"
import { isOpen, make, type Timeline } from "./Timeline.ts"
import type { Family } from "./Tree.ts"

/** The families that cannot change any more, for repeated reads. */
export type Settled = Map<string, Family>

/** Reads an execution and all executions that it led to. */
export const read = (
  executionArn: string,
  settled: Settled = new Map()
): Effect.Effect<Family, ClientError, DurableClient> => {
  const known = settled.get(executionArn)
  if (known !== undefined) return Effect.succeed(known)
  return Effect.gen(function* () {
    const client = yield* DurableClient
    const execution = yield* client.get(executionArn, { includeExecutionData: true })
    const timeline = make(execution, yield* Stream.runCollect(events(executionArn)))
    const invoked = new Map<string, Family>()
    for (const [operationId, arn] of calleesOf(timeline)) {
      const callee = yield* readIfAllowed(arn, settled)
      if (callee !== undefined) invoked.set(operationId, callee)
    }
    const { continuedAs } = timeline.execution
    const successor = continuedAs === undefined ? undefined : yield* readIfAllowed(continuedAs, settled)
    const family: Family = { timeline, invoked, successor }
    if (isSettled(family)) settled.set(executionArn, family)
    return family
  })
}

const calleesOf = ({ rows }: Timeline): ReadonlyArray<readonly [operationId: string, arn: string]> =>
  rows.flatMap(({ detail, id }) =>
    detail._tag === "Invoke" && detail.executionArn !== undefined ? [[id, detail.executionArn] as const] : []
  )

/** Reads an execution. One of another account, or one that is no longer kept, is omitted. */
const readIfAllowed = (arn: string, settled: Settled): Effect.Effect<Family | undefined, ClientError, DurableClient> =>
  Effect.catchTag(read(arn, settled), ["NotFound", "ClientRefused"], () => Effect.undefined)

const isSettled = ({ invoked, successor, timeline }: Family): boolean =>
  !isOpen(timeline.execution) &&
  Array.from(invoked.values()).every(isSettled) &&
  (successor === undefined || isSettled(successor))

/** Returns an execution of which only the events are known. */
export const ofHistory = (history: ReadonlyArray<HistoryEvent>): Family => {
  const [first] = history.toSorted((a, b) => a.EventId - b.EventId)
  const execution: GetDurableExecutionResponse = {
    DurableExecutionArn: "",
    DurableExecutionName: "execution",
    FunctionArn: "",
    Status: "RUNNING",
    StartTimestamp: first?.EventTimestamp ?? 0
  }
  return { timeline: make(execution, history), invoked: new Map() }
}
