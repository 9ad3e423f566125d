/**
 * The queries of a service, which do not change it.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as SchemaParser from "effect/SchemaParser"
import { byteLength } from "../internal/bytes.ts"
import {
  type ExecutionStatus,
  type ExecutionSummary,
  executionStatuses,
  type GetDurableExecutionHistoryQuery,
  type GetDurableExecutionHistoryResponse,
  type GetDurableExecutionQuery,
  type GetDurableExecutionResponse,
  type GetDurableExecutionStateQuery,
  type GetDurableExecutionStateResponse,
  type ListDurableExecutionsByFunctionQuery,
  type ListDurableExecutionsByFunctionResponse
} from "../wire/Api.ts"
import { HistoryEvent } from "../wire/HistoryEvent.ts"
import * as Limits from "../wire/Limits.ts"
import type { Operation } from "../wire/Operation.ts"
import * as Checkpoint from "./Checkpoint.ts"
import type { FunctionEntry } from "./Config.ts"
import { type Execution, type ExecutionOutcome, isShown, known } from "./Execution.ts"
import * as AppendLog from "./internal/AppendLog.ts"
import * as Paging from "./Paging.ts"
import { invalid, notFound, type Refused } from "./Refused.ts"
import * as Start from "./Start.ts"
import * as State from "./State.ts"
import * as Timers from "./Timers.ts"
import type * as Work from "./Work.ts"

/** The execution of a request, named by the ARN in its path. */
interface AboutExecution {
  readonly DurableExecutionArn: string
}

const find = (state: State.ServiceState, arn: string): Result.Result<Execution, Refused> => {
  const execution = State.execution(state, arn)
  return execution === undefined
    ? Result.fail(notFound(`There is no durable execution ${arn}.`))
    : Result.succeed(execution)
}

// --- State -----------------------------------------------------------------------------------------------------------

/** Returns a page of operations: of the whole state, or of the rest of a checkpoint's answer. Requires the valid token. */
export const getState = (
  state: State.ServiceState,
  query: GetDurableExecutionStateQuery & AboutExecution,
  { config }: Work.Env
): Result.Result<GetDurableExecutionStateResponse, Refused> =>
  Result.gen(function* () {
    const execution = State.execution(state, query.DurableExecutionArn)
    if (execution === undefined) return yield* Result.fail(Checkpoint.unknownExecution(query.DurableExecutionArn))
    if (!Checkpoint.holdsToken(execution, query.CheckpointToken)) return yield* Result.fail(Checkpoint.invalidToken())
    const extent = yield* Paging.askedFor(query.MaxItems, config)
    const changes = query.Marker === undefined ? undefined : Paging.changesAt(query.Marker)
    if (changes !== undefined) return Paging.changesPage(execution, changes, extent)
    return Paging.statePage(execution, yield* Paging.startOf("state", query.Marker, 0), extent)
  })

// --- One execution ---------------------------------------------------------------------------------------------------

/** Returns the start data and the current status of an execution. */
export const getExecution = (
  state: State.ServiceState,
  query: GetDurableExecutionQuery & AboutExecution,
  { config }: Work.Env
): Result.Result<GetDurableExecutionResponse, Refused> =>
  Result.map(find(state, query.DurableExecutionArn), (execution) => {
    const { executionTimeoutSeconds, functionArn, traceHeader, version } = execution.identity
    const included = query.IncludeExecutionData !== false
    return {
      ...summary(execution),
      FunctionArn: functionArn,
      Version: version,
      ExecutionDataIncluded: included,
      DurableConfig: { ExecutionTimeout: executionTimeoutSeconds, RetentionPeriodInDays: config.retentionDays },
      ...(traceHeader !== undefined && { TraceHeader: { XAmznTraceId: traceHeader } }),
      ...(included && dataOf(execution))
    }
  })

const dataOf = ({ identity, outcome }: Execution) => ({
  ...(identity.payload !== undefined && { InputPayload: identity.payload }),
  ...(outcome?.status === "SUCCEEDED" && outcome.result !== undefined && { Result: outcome.result }),
  ...(outcome !== undefined && outcome.status !== "SUCCEEDED" && { Error: outcome.error })
})

const summary = (execution: Listed["execution"]): ExecutionSummary => {
  const { identity, outcome } = execution
  return {
    DurableExecutionArn: identity.arn,
    DurableExecutionName: identity.name,
    FunctionArn: identity.functionArn,
    Status: statusOf(execution),
    StartTimestamp: identity.startTimestamp,
    ...(outcome !== undefined && { EndTimestamp: outcome.endTimestamp })
  }
}

const statusOf = ({ outcome }: Listed["execution"]): ExecutionStatus => outcome?.status ?? "RUNNING"

/**
 * An operation that an execution waits for, in the order in which the operations began, and the timers that end it: `dues`
 * is empty for an operation that only an external event can end. Operations left open in an ended context are not awaited.
 *
 * @since 0.1.0
 * @category models
 */
export interface Awaited {
  readonly operation: Operation
  readonly dues: ReadonlyArray<Timers.Timer>
}

/**
 * Returns the operations that an open execution waits for.
 *
 * @since 0.1.0
 * @category queries
 */
export const awaited = (state: State.ServiceState, execution: Execution): ReadonlyArray<Awaited> => {
  if (execution.outcome !== undefined) return []
  const { arn } = execution.identity
  return Array.from(execution.waiting, (id) => known(execution, id))
    .filter(({ operation }) => isShown(execution, operation))
    .toSorted((a, b) => a.order - b.order)
    .map(({ operation }) => ({ operation, dues: Timers.ofOperation(state.timers, arn, operation.Id) }))
}

// --- History ---------------------------------------------------------------------------------------------------------

/** Returns a page of history. By default the oldest event comes first, and payloads are included. */
export const getHistory = (
  state: State.ServiceState,
  query: GetDurableExecutionHistoryQuery & AboutExecution,
  { config }: Work.Env
): Result.Result<GetDurableExecutionHistoryResponse, Refused> =>
  Result.gen(function* () {
    const { events } = yield* find(state, query.DurableExecutionArn)
    const extent = yield* Paging.askedFor(query.MaxItems, config)
    const step = query.ReverseOrder === true ? -1 : 1
    const from = yield* Paging.startOf("history", query.Marker, step === 1 ? 1 : events.size)
    const page = Paging.fill(eventsFrom(events, from, step, query.IncludeExecutionData !== false), extent)
    return {
      Events: page.items,
      ...(page.next !== undefined && { NextMarker: Paging.marker("history", page.next) })
    }
  })

function* eventsFrom(
  events: AppendLog.AppendLog<HistoryEvent>,
  from: number,
  step: 1 | -1,
  withData: boolean
): Generator<Paging.Candidate<HistoryEvent>> {
  for (let eventId = from; ; eventId += step) {
    const stored = AppendLog.get(events, eventId - 1)
    if (stored === undefined) return
    const item = withData ? stored : withoutData(stored)
    yield { position: eventId, bytes: byteLength(JSON.stringify(item)), item }
  }
}

/** Removes the data of an event. Every payload and error is below this key of a wrapper, and nothing else is. */
const withoutData = (event: HistoryEvent): HistoryEvent =>
  decodeEvent(JSON.parse(JSON.stringify(event), (key, value: unknown) => (key === "Payload" ? undefined : value)))

const decodeEvent = SchemaParser.decodeUnknownSync(HistoryEvent)

// --- Lists -----------------------------------------------------------------------------------------------------------

/**
 * The data of an execution that a list needs, and its place in the order in which executions started.
 *
 * @since 0.1.0
 * @category models
 */
export interface Listed {
  readonly place: number
  readonly execution: Pick<Execution, "identity"> & {
    readonly outcome?: Pick<ExecutionOutcome, "status" | "endTimestamp">
  }
}

/** Returns a page of a function's executions. By default the newest comes first. */
export const listExecutions = (
  state: State.ServiceState,
  query: ListDurableExecutionsByFunctionQuery & { readonly FunctionName: string },
  env: Work.Env
): Result.Result<ListDurableExecutionsByFunctionResponse, Refused> =>
  listFrom((_, from, step) => startedFrom(state, from, step), query, env)

/**
 * Returns such a page over executions that a host stores elsewhere. `source` iterates over those of a function, upwards or
 * downwards from a place (without one from the first or the last); it may also return executions of other functions.
 *
 * @since 0.1.0
 * @category queries
 */
export const listFrom = (
  source: (functionName: string, from: number | undefined, step: 1 | -1) => Iterable<Listed>,
  query: ListDurableExecutionsByFunctionQuery & { readonly FunctionName: string },
  { config }: Work.Env
): Result.Result<ListDurableExecutionsByFunctionResponse, Refused> =>
  Result.gen(function* () {
    const { entry, qualified } = yield* Start.resolve(config, query.FunctionName, query.Qualifier)
    yield* checkStatuses(query.Statuses)
    const extent = yield* Paging.askedFor(query.MaxItems, config)
    const step = query.ReverseOrder === true ? 1 : -1
    const from = yield* Paging.startOf("executions", query.Marker, undefined)
    const matches = (execution: Listed["execution"]) =>
      isOf(execution, entry, qualified) && isAskedFor(execution, query)
    const page = Paging.fill(matching(source(entry.name, from, step), matches), extent)
    return {
      DurableExecutions: page.items,
      ...(page.next !== undefined && { NextMarker: Paging.marker("executions", page.next) })
    }
  })

const checkStatuses = (statuses: ListDurableExecutionsByFunctionQuery["Statuses"]): Result.Result<void, Refused> => {
  if (statuses === undefined) return Result.succeed(undefined)
  const known: ReadonlyArray<string> = executionStatuses
  const isValid =
    statuses.length >= 1 && statuses.length <= Limits.maxStatuses && statuses.every((status) => known.includes(status))
  return isValid
    ? Result.succeed(undefined)
    : Result.fail(invalid(`Statuses must be 1 to ${Limits.maxStatuses} of ${known.join(", ")}.`))
}

const isOf = ({ identity }: Listed["execution"], entry: FunctionEntry, qualified: boolean): boolean =>
  identity.functionName === entry.name && (!qualified || identity.version === entry.version)

const isAskedFor = (execution: Listed["execution"], query: ListDurableExecutionsByFunctionQuery): boolean => {
  const { name, startTimestamp } = execution.identity
  return (
    (query.DurableExecutionName === undefined || query.DurableExecutionName === name) &&
    (query.Statuses === undefined || query.Statuses.includes(statusOf(execution))) &&
    (query.StartedAfter === undefined || startTimestamp > query.StartedAfter) &&
    (query.StartedBefore === undefined || startTimestamp < query.StartedBefore)
  )
}

function* matching(
  executions: Iterable<Listed>,
  matches: (execution: Listed["execution"]) => boolean
): Generator<Paging.Candidate<ExecutionSummary>> {
  for (const { execution, place } of executions) {
    if (!matches(execution)) continue
    const item = summary(execution)
    yield { position: place, bytes: byteLength(JSON.stringify(item)), item }
  }
}

function* startedFrom(state: State.ServiceState, from: number | undefined, step: 1 | -1): Generator<Listed> {
  for (let place = from ?? (step === 1 ? 0 : state.starts.size - 1); ; place += step) {
    const arn = AppendLog.get(state.starts, place)
    if (arn === undefined) return
    const execution = State.execution(state, arn)
    if (execution !== undefined) yield { place, execution }
  }
}
