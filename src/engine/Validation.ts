/**
 * The checks of a checkpoint. The checks, their order and most of their messages are those that AWS's own emulators share;
 * the ranges and patterns are those of the API model.
 *
 * The whole batch is checked before any of it is applied. A refusal is always an InvalidParameterValueException.
 *
 * @since 0.1.0
 */
import * as Constraints from "../wire/Constraints.ts"
import * as Limits from "../wire/Limits.ts"
import type { Operation } from "../wire/Operation.ts"
import type { OperationUpdate } from "../wire/OperationUpdate.ts"
import type { Config } from "./Config.ts"
import * as Execution from "./Execution.ts"
import { errorSize, textSize } from "./internal/size.ts"
import * as Metering from "./Metering.ts"

type Updates = ReadonlyArray<OperationUpdate>

/** The message of a failed check in the service's wording, or undefined. */
type Problem = string | undefined

/** Returns the first problem with these updates of this execution. */
export const problemWith = (execution: Execution.Execution, updates: Updates, config: Config): Problem =>
  executionUpdateProblem(updates) ??
  structureProblem(execution, updates) ??
  updateProblem(execution, updates, config) ??
  quotaProblem(execution, updates, config)

// --- The batch as a whole --------------------------------------------------------------------------------------------

const executionUpdateProblem = (updates: Updates): Problem => {
  const first = updates.findIndex((update) => update.Type === "EXECUTION")
  if (first < 0) return undefined
  if (updates.findLastIndex((update) => update.Type === "EXECUTION") !== first) {
    return "Cannot checkpoint multiple EXECUTION updates."
  }
  return first === updates.length - 1 ? undefined : "EXECUTION checkpoint must be the last update."
}

/** Checks ids, repeated ids and parents. */
const structureProblem = (execution: Execution.Execution, updates: Updates): Problem => {
  const lastOf = new Map<string, OperationUpdate>()
  const startedAs = new Map<string, string>()
  for (const update of updates) {
    if (update.Id === "") return "Operation update must have an Id."
    const before = lastOf.get(update.Id)
    if (before !== undefined && !mayFollow(before, update)) {
      return "Cannot update the same operation twice in a single request."
    }
    if (update.ParentId !== undefined) {
      const parentType = startedAs.get(update.ParentId) ?? Execution.operation(execution, update.ParentId)?.Type
      if (parentType !== "CONTEXT") return "Invalid parent operation id."
    }
    if (update.Action === "START") startedAs.set(update.Id, update.Type)
    lastOf.set(update.Id, update)
  }
  return undefined
}

/** Returns whether one update may follow another. A step or context may start and continue in one request. */
const mayFollow = (before: OperationUpdate, update: OperationUpdate): boolean =>
  (before.Type === "STEP" || before.Type === "CONTEXT") && before.Action === "START" && update.Action !== "START"

const quotaProblem = (execution: Execution.Execution, updates: Updates, config: Config): Problem => {
  const cost = Metering.costOf(execution, updates)
  if (cost.operations > 0 && execution.usage.operations + cost.operations > config.maxOperations) {
    return `The execution cannot have more than ${config.maxOperations} operations.`
  }
  if (cost.bytes > 0 && execution.usage.bytes + cost.bytes > config.maxStorage) {
    return `The execution cannot write more than ${config.maxStorage} bytes.`
  }
  return undefined
}

// --- Update by update ------------------------------------------------------------------------------------------------

/** The state of an operation after an earlier update of the same batch, for the checks of later updates. */
type Known = Pick<Operation, "Type" | "SubType" | "Name" | "ParentId" | "Status">

const updateProblem = (execution: Execution.Execution, updates: Updates, config: Config): Problem => {
  const changed = new Map<string, Known>()
  for (const [index, update] of updates.entries()) {
    const current = changed.get(update.Id) ?? Execution.operation(execution, update.Id)
    const problem =
      labelProblem(current, update) ??
      fieldProblem(update, `updates.${index + 1}.member`) ??
      sizeProblem(update, config) ??
      actionProblem(update) ??
      transitionProblem(current?.Status, update)
    if (problem !== undefined) return problem
    changed.set(update.Id, { ...update, ...current, Status: statusAfter[update.Action] ?? "STARTED" })
  }
  return undefined
}

const statusAfter: Readonly<Record<string, string>> = {
  START: "STARTED",
  RETRY: "PENDING",
  SUCCEED: "SUCCEEDED",
  FAIL: "FAILED",
  CANCEL: "CANCELLED"
}

/**
 * Checks labels. An operation keeps its labels; an update need not repeat them. The id of an EXECUTION update is arbitrary.
 */
const labelProblem = (current: Known | undefined, update: OperationUpdate): Problem => {
  if (current === undefined) return undefined
  if (update.Type !== current.Type) return "Inconsistent operation type."
  if (update.Type === "EXECUTION") return undefined
  if (update.SubType !== undefined && update.SubType !== current.SubType) return "Inconsistent operation subtype."
  if (update.Name !== undefined && update.Name !== current.Name) return "Inconsistent operation name."
  if (update.ParentId !== undefined && update.ParentId !== current.ParentId) return "Inconsistent parent operation id."
  return undefined
}

const duration = `Member must have value between 1 and ${Limits.maxDurationSeconds}`
const timeout = `Member must have value between 0 and ${Limits.maxCallbackTimeoutSeconds}`
const identifier = (maxLength: number) =>
  `Member must have 1 to ${maxLength} characters and satisfy regular expression pattern: [a-zA-Z0-9-_]+`
const printable = `Member must have 1 to ${Limits.maxNameLength} characters and satisfy regular expression pattern: [\\x20-\\x7E]+`

const fieldProblem = (update: OperationUpdate, at: string): Problem => {
  const check = <A>(field: string, value: A | undefined, isValid: (value: A) => boolean, constraint: string): Problem =>
    value === undefined || isValid(value)
      ? undefined
      : `1 validation error detected: Value at '${at}.${field}' failed to satisfy constraint: ${constraint}`
  const { CallbackOptions: callback, ChainedInvokeOptions: invoke } = update
  return (
    check("id", update.Id, Constraints.isOperationId, identifier(Limits.maxIdLength)) ??
    check("parentId", update.ParentId, Constraints.isOperationId, identifier(Limits.maxIdLength)) ??
    check("name", update.Name, Constraints.isOperationName, printable) ??
    check("subType", update.SubType, Constraints.isSubType, identifier(Limits.maxSubTypeLength)) ??
    check(
      "stepOptions.nextAttemptDelaySeconds",
      update.StepOptions?.NextAttemptDelaySeconds,
      Constraints.isDurationSeconds,
      duration
    ) ??
    check("waitOptions.waitSeconds", update.WaitOptions?.WaitSeconds, Constraints.isDurationSeconds, duration) ??
    check("callbackOptions.timeoutSeconds", callback?.TimeoutSeconds, Constraints.isCallbackTimeoutSeconds, timeout) ??
    check(
      "callbackOptions.heartbeatTimeoutSeconds",
      callback?.HeartbeatTimeoutSeconds,
      Constraints.isCallbackTimeoutSeconds,
      timeout
    ) ??
    check(
      "chainedInvokeOptions.functionName",
      invoke?.FunctionName,
      Constraints.isFunctionAddress,
      "Member must be the name or the ARN of a function"
    ) ??
    check(
      "chainedInvokeOptions.tenantId",
      invoke?.TenantId,
      Constraints.isTenantId,
      `Member must have 1 to ${Limits.maxTenantIdLength} characters and satisfy regular expression pattern: [a-zA-Z0-9\\._:\\/=+\\-@ ]+`
    )
  )
}

const sizeProblem = (update: OperationUpdate, config: Config): Problem => {
  if (errorSize(update.Error) > Limits.maxErrorObject) {
    return `Error object size must be less than ${Limits.maxErrorObject} bytes.`
  }
  const [direction, most] = payloadLimit(update.Type, config)
  if (textSize(update.Payload) <= most) return undefined
  return `${update.Type} ${direction} payload size must be less than or equal to ${most} bytes.`
}

const payloadLimit = (type: string, config: Config): readonly [string, number] => {
  if (type === "CHAINED_INVOKE") return ["input", Limits.maxInvokePayload]
  return ["output", type === "EXECUTION" ? Limits.maxWirePayload : config.maxOperationPayload]
}

const actionsOf: Readonly<Record<string, ReadonlyArray<string>>> = {
  STEP: ["START", "SUCCEED", "FAIL", "RETRY"],
  CONTEXT: ["START", "SUCCEED", "FAIL"],
  WAIT: ["START", "CANCEL"],
  CALLBACK: ["START"],
  CHAINED_INVOKE: ["START", "CANCEL"],
  EXECUTION: ["SUCCEED", "FAIL"]
}

const actionProblem = ({ Action, Type }: OperationUpdate): Problem => {
  const actions = Object.hasOwn(actionsOf, Type) ? actionsOf[Type] : undefined
  if (actions === undefined) return "Unknown operation type."
  return actions.includes(Action) ? undefined : "Invalid action for the given operation type."
}

// --- Status transitions ----------------------------------------------------------------------------------------------

const transitionProblem = (status: string | undefined, update: OperationUpdate): Problem => {
  switch (update.Action) {
    case "START":
      return update.Type === "STEP" ? stepStartProblem(status) : startProblem(status, update)
    case "SUCCEED":
    case "FAIL":
      return closeProblem(status, update)
    case "RETRY":
      return retryProblem(status, update)
    default:
      return status === "STARTED"
        ? undefined
        : `Cannot cancel a ${update.Type} that does not exist or has already completed.`
  }
}

const stepStartProblem = (status: string | undefined): Problem =>
  status === undefined || status === "READY" ? undefined : "Invalid current STEP state to start."

const startProblem = (status: string | undefined, update: OperationUpdate): Problem => {
  if (status !== undefined) return `Cannot start a ${update.Type} that already exists.`
  if (update.Type === "WAIT" && update.WaitOptions?.WaitSeconds === undefined) {
    return "Invalid WaitOptions for the given action."
  }
  if (update.Type === "CHAINED_INVOKE" && update.ChainedInvokeOptions === undefined) {
    return "Invalid ChainedInvokeOptions for the given action."
  }
  return undefined
}

const closeProblem = (status: string | undefined, update: OperationUpdate): Problem => {
  const isOpen = status === undefined || status === "STARTED" || (status === "READY" && update.Type === "STEP")
  if (!isOpen) return `Invalid current ${update.Type} state to close.`
  if (update.Action === "FAIL" && update.Payload !== undefined) return "Cannot provide a Payload for FAIL action."
  if (update.Action === "SUCCEED" && update.Error !== undefined) return "Cannot provide an Error for SUCCEED action."
  return undefined
}

const retryProblem = (status: string | undefined, update: OperationUpdate): Problem => {
  if (status !== undefined && status !== "STARTED" && status !== "READY") {
    return "Invalid current STEP state to re-attempt."
  }
  if (update.StepOptions?.NextAttemptDelaySeconds === undefined) return "Invalid StepOptions for the given action."
  if (update.Error !== undefined && update.Payload !== undefined) {
    return "Cannot provide both error and payload to RETRY a STEP."
  }
  return undefined
}
