/**
 * New executions: their address, name and ARN, and when a known name returns an existing execution instead.
 *
 * @since 0.1.0
 */
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Constraints from "../wire/Constraints.ts"
import * as Limits from "../wire/Limits.ts"
import type { Config, FunctionEntry } from "./Config.ts"
import * as Events from "./Events.ts"
import * as Execution from "./Execution.ts"
import * as AppendLog from "./internal/AppendLog.ts"
import { invariant } from "./internal/invariant.ts"
import { textSize } from "./internal/size.ts"
import { invalid, notFound, Refused } from "./Refused.ts"
import * as Replies from "./Replies.ts"
import * as State from "./State.ts"
import * as Work from "./Work.ts"

/**
 * A request to start an execution.
 *
 * `functionName` is a name, `name:qualifier`, a partial or a full ARN; a durable function needs a qualifier, there or in
 * `qualifier`. `name` makes the start idempotent. `invocationType` determines the maximum payload: 6 MB when the caller
 * waits for the result, 1 MB when it does not.
 *
 * @since 0.1.0
 * @category models
 */
export interface StartRequest {
  readonly functionName: string
  readonly qualifier?: string
  readonly payload?: string
  readonly executionName?: string
  readonly executionTimeoutSeconds?: number
  readonly tenantId?: string
  readonly traceHeader?: string
  readonly invocationType?: "RequestResponse" | "Event"
}

/**
 * The started execution, or the one that has this name already (`existing`), with its outcome if it is closed.
 *
 * @since 0.1.0
 * @category models
 */
export interface Started {
  readonly executionArn: string
  readonly executedVersion: string
  readonly existing: boolean
  readonly outcome?: Execution.ExecutionOutcome
}

/** Starts an execution, or finds the one with the same name and payload. */
export const start = (work: Work.Work, request: StartRequest): Result.Result<Started, Refused> =>
  Result.gen(function* () {
    const target = yield* durableTarget(work.config, request.functionName, request.qualifier)
    yield* checkFields(request)
    const existing = yield* findByName(work.state, target, request)
    if (existing !== undefined) return answer(existing, true)
    return answer(create(work, target, request), false)
  })

const answer = (execution: Execution.Execution, existing: boolean): Started => ({
  executionArn: execution.identity.arn,
  executedVersion: execution.identity.version,
  existing,
  ...(execution.outcome !== undefined && { outcome: execution.outcome })
})

// --- The function ----------------------------------------------------------------------------------------------------

type DurableEntry = Extract<FunctionEntry, { readonly kind: "durable" }>

/** Returns the function at an address, and whether the address is qualified. */
export const resolve = (
  config: Config,
  address: string,
  qualifier: string | undefined
): Result.Result<{ readonly entry: FunctionEntry; readonly qualified: boolean }, Refused> => {
  const parsed = Constraints.parseFunctionAddress(address)
  if (parsed === undefined) return Result.fail(invalid("FunctionName must be the name or the ARN of a function."))
  if (qualifier !== undefined && !Constraints.isQualifier(qualifier)) {
    return Result.fail(invalid("Qualifier must be $LATEST, a version or an alias."))
  }
  if (qualifier !== undefined && parsed.qualifier !== undefined && qualifier !== parsed.qualifier) {
    return Result.fail(invalid("The qualifier in FunctionName differs from Qualifier."))
  }
  const asked = qualifier ?? parsed.qualifier
  const entry = config.lookup(parsed.name, asked)
  return entry === undefined
    ? Result.fail(
        notFound(`Function not found: ${functionArn(config, parsed.name, asked)}${config.missingAdvice(parsed.name)}`)
      )
    : Result.succeed({ entry, qualified: asked !== undefined })
}

/** Returns the function to invoke at an address, of either kind; a durable one only for a qualified address. */
export const target = (
  config: Config,
  address: string,
  qualifier: string | undefined
): Result.Result<FunctionEntry, Refused> =>
  Result.flatMap(resolve(config, address, qualifier), ({ entry, qualified }) =>
    entry.kind === "durable" && !qualified
      ? Result.fail(invalid("You cannot invoke a durable function using an unqualified ARN."))
      : Result.succeed(entry)
  )

const durableTarget = (config: Config, address: string, qualifier: string | undefined) =>
  Result.flatMap(target(config, address, qualifier), (entry): Result.Result<DurableEntry, Refused> =>
    entry.kind === "durable"
      ? Result.succeed(entry)
      : Result.fail(invalid(`The function ${entry.name} is not a durable function.`))
  )

/** Returns the ARN of a function in this service's region and account. */
export const functionArn = (config: Config, name: string, qualifier: string | undefined): string =>
  `arn:aws:lambda:${config.region}:${config.account}:function:${name}${qualifier === undefined ? "" : `:${qualifier}`}`

// --- The request -----------------------------------------------------------------------------------------------------

const checkFields = (request: StartRequest): Result.Result<void, Refused> => {
  const { executionName, executionTimeoutSeconds } = request
  if (executionName !== undefined && !Constraints.isExecutionName(executionName)) {
    return Result.fail(
      invalid(
        `DurableExecutionName must have 1 to ${Limits.maxExecutionNameLength} letters, digits, hyphens or underscores.`
      )
    )
  }
  if (executionTimeoutSeconds !== undefined && !Constraints.isDurationSeconds(executionTimeoutSeconds)) {
    return Result.fail(
      invalid(`ExecutionTimeout must be a whole number of seconds between 1 and ${Limits.maxDurationSeconds}.`)
    )
  }
  return checkInvoke(request)
}

/** Checks the parts of an Invoke that functions of either kind have. */
export const checkInvoke = ({
  invocationType,
  payload,
  tenantId
}: {
  readonly invocationType?: "RequestResponse" | "Event" | undefined
  readonly payload?: string | undefined
  readonly tenantId?: string | undefined
}): Result.Result<void, Refused> => {
  if (tenantId !== undefined && !Constraints.isTenantId(tenantId)) return Result.fail(invalid("TenantId is not valid."))
  const most = invocationType === "Event" ? Limits.maxInvokePayload : Limits.maxWirePayload
  if (textSize(payload) > most) {
    return Result.fail(
      new Refused({
        exception: "RequestTooLargeException",
        message: `Request must be smaller than ${most} bytes for the InvokeFunction operation`
      })
    )
  }
  return Result.succeed(undefined)
}

/** Returns the execution with the same name. A name belongs to one function and one payload. */
const findByName = (
  state: State.ServiceState,
  entry: DurableEntry,
  { executionName, payload }: StartRequest
): Result.Result<Execution.Execution | undefined, Refused> => {
  const arn =
    executionName === undefined ? undefined : Option.getOrUndefined(HashMap.get(state.arnByName, executionName))
  const existing = arn === undefined ? undefined : State.execution(state, arn)
  if (existing === undefined) return Result.succeed(undefined)
  const { identity } = existing
  if (identity.functionName === entry.name && identity.payload === payload) return Result.succeed(existing)
  return Result.fail(
    new Refused({
      exception: "DurableExecutionAlreadyStartedException",
      message: `A durable execution named ${executionName} was started already with another payload or function: ${arn}`
    })
  )
}

// --- The execution ---------------------------------------------------------------------------------------------------

/** Stores a new execution that is ready to be invoked. */
export const create = (
  work: Work.Work,
  entry: DurableEntry,
  request: Pick<StartRequest, "payload" | "executionName" | "executionTimeoutSeconds" | "tenantId" | "traceHeader">,
  parent?: Execution.OperationAddress
): Execution.Execution => {
  const identity = identify(work, entry, request, parent)
  invariant(Constraints.isDurableExecutionArn(identity.arn), `${identity.arn} is not the ARN of an execution`)
  invariant(State.execution(work.state, identity.arn) === undefined, `${identity.arn} is given twice`)
  const execution = Events.appendOwn(newExecution(identity), work.time, {
    EventType: "ExecutionStarted",
    ExecutionStartedDetails: {
      Input: Events.payload(identity.payload),
      ExecutionTimeout: identity.executionTimeoutSeconds
    }
  })
  Work.store(work, execution)
  work.state = {
    ...work.state,
    starts: AppendLog.append(work.state.starts, identity.arn),
    arnByName: HashMap.set(work.state.arnByName, identity.name, identity.arn)
  }
  Work.arm(
    work,
    { kind: "ExecutionTimeout", executionArn: identity.arn },
    work.time + identity.executionTimeoutSeconds * 1_000
  )
  return execution
}

const identify = (
  work: Work.Work,
  entry: DurableEntry,
  { executionName: given, executionTimeoutSeconds, payload, tenantId, traceHeader }: StartRequestWithoutAddress,
  parent: Execution.OperationAddress | undefined
): Execution.Identity => {
  const named = given === undefined ? undefined : `${entry.name} ${given}`
  const owner = parent === undefined ? named : Execution.ownerOf(parent)
  const id = work.freshId(owner)
  const executionName = given ?? work.freshId(owner)
  return {
    id,
    name: executionName,
    arn: Constraints.formatDurableExecutionArn({
      partition: "aws",
      region: work.config.region,
      account: work.config.account,
      functionName: entry.name,
      version: entry.version,
      executionName,
      executionId: id
    }),
    functionName: entry.name,
    version: entry.version,
    functionArn: functionArn(work.config, entry.name, entry.version),
    startTimestamp: work.time,
    executionTimeoutSeconds:
      executionTimeoutSeconds ?? entry.executionTimeoutSeconds ?? work.config.executionTimeoutSeconds,
    ...(payload !== undefined && { payload }),
    ...(tenantId !== undefined && { tenantId }),
    ...(traceHeader !== undefined && { traceHeader }),
    ...(parent !== undefined && { parent })
  }
}

type StartRequestWithoutAddress = Parameters<typeof create>[2]

const newExecution = (identity: Execution.Identity): Execution.Execution => ({
  identity,
  operations: HashMap.empty(),
  started: AppendLog.empty(),
  changes: AppendLog.empty(),
  delivered: 0,
  waiting: HashSet.empty(),
  events: AppendLog.empty(),
  gate: { _tag: "Ready" },
  failures: { inARow: 0, withNothingPending: 0 },
  usage: { operations: 1, bytes: textSize(identity.payload) },
  replies: Replies.empty
})
