/**
 * The actions of the page on executions and callbacks.
 *
 * Owns: how a form becomes a command of the engine, and the message after it.
 * Does not own: who may submit a form.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Service from "../../engine/Service.ts"
import { parseJson } from "../../internal/json.ts"
import type { ErrorObject } from "../../wire/ErrorObject.ts"
import type { Machine } from "../Machine.ts"
import * as links from "./links.ts"

/** The result of an action in a sentence, and the next address of the page. */
export interface Done {
  readonly said: string
  readonly go?: string | undefined
}

type Action = (machine: Machine, form: Form, execution: Service.Execution) => Result.Result<Done, Service.Refused>

interface Form {
  /** Returns a field; an empty text counts as absent. */
  readonly field: (name: string) => string | undefined
  /** The callback in the address. */
  readonly operationId: string | undefined
}

/** An action, with its execution and operation. */
export interface Order {
  readonly what: string
  readonly name?: string | undefined
  readonly operationId?: string | undefined
}

const invalid = (message: string): Service.Refused =>
  new Service.Refused({ exception: "InvalidParameterValueException", message })

const missing = (message: string): Service.Refused =>
  new Service.Refused({ exception: "ResourceNotFoundException", message })

/** Performs an action, if it exists. Throws `StorageError`. */
export const carryOut = (
  machine: Machine,
  { name, operationId, what }: Order,
  body: string
): Result.Result<Done, Service.Refused> | undefined => {
  const fields = new URLSearchParams(body)
  const form: Form = { field: (field) => fields.get(field) || undefined, operationId }
  if (name === undefined) return what === "start" ? start(machine, form) : undefined
  const all = operationId === undefined ? ofExecutions : ofCallbacks
  const action = Object.hasOwn(all, what) ? all[what] : undefined
  if (action === undefined) return undefined
  const execution = machine.query((state, { executionName }) => Result.succeed(Service.named(state, executionName)), {
    executionName: name
  })
  return Result.flatMap(execution, (found) =>
    found === undefined ? Result.fail(missing(`There is no execution named ${name}.`)) : action(machine, form, found)
  )
}

const errorIn = ({ field }: Form, fallback: string): ErrorObject => {
  const [type, message, data] = [field("type"), field("message"), field("data")]
  return {
    ErrorMessage: message ?? fallback,
    ...(type !== undefined && { ErrorType: type }),
    ...(data !== undefined && { ErrorData: data })
  }
}

const ofExecutions: Readonly<Record<string, Action>> = {
  stop: (machine, form, { identity: { arn } }) =>
    Result.map(
      machine.command(Service.stopExecution, { executionArn: arn, error: errorIn(form, "Stopped on the page") }),
      () => ({ said: "The execution has been stopped." })
    ),
  skip: (machine, _, { identity: { arn } }) =>
    Result.map(machine.command(Service.skipTimer, { executionArn: arn }), ({ kind }) => ({
      said: kind === "Wait" ? "The wait has been skipped." : "The pause has been skipped."
    })),
  rerun: (machine, _, { identity: { executionTimeoutSeconds, functionName, payload, tenantId, version } }) =>
    started(
      machine.command(Service.startExecution, {
        functionName,
        qualifier: version,
        invocationType: "Event",
        executionTimeoutSeconds,
        ...(payload !== undefined && { payload }),
        ...(tenantId !== undefined && { tenantId })
      })
    )
}

const started = (outcome: Result.Result<Service.Started, Service.Refused>): Result.Result<Done, Service.Refused> =>
  Result.map(outcome, ({ executionArn }) => ({
    said: "The execution has been started.",
    go: links.execution(executionArn.split("/").at(-2) ?? "")
  }))

const start = (machine: Machine, { field }: Form): Result.Result<Done, Service.Refused> => {
  const [functionName, name, payload] = [field("function"), field("name"), field("payload")]
  if (functionName === undefined) return Result.fail(invalid("Choose a function."))
  if (payload !== undefined && parseJson(payload) === undefined) return Result.fail(invalid("The payload is not JSON."))
  return started(
    machine.command(Service.startExecution, {
      functionName,
      qualifier: "$LATEST",
      invocationType: "Event",
      ...(name !== undefined && { executionName: name }),
      ...(payload !== undefined && { payload })
    })
  )
}

// --- Callbacks -----------------------------------------------------------------------------------------------------------

/** Performs an action on the callback of the address, which names its operation and never contains the callback's id. */
const ofCallback =
  (
    act: (machine: Machine, callbackId: string, form: Form) => Result.Result<void, Service.Refused>,
    said: string
  ): Action =>
  (machine, form, { identity: { arn } }) => {
    const id = machine.query(
      (state, { executionArn }) =>
        Result.succeed(
          Service.operations(state, executionArn).find(({ Id }) => Id === form.operationId)?.CallbackDetails?.CallbackId
        ),
      { executionArn: arn }
    )
    return Result.flatMap(id, (callbackId) =>
      callbackId === undefined
        ? Result.fail(missing("There is no such callback."))
        : Result.map(act(machine, callbackId, form), () => ({ said }))
    )
  }

const ofCallbacks: Readonly<Record<string, Action>> = {
  succeed: ofCallback((machine, callbackId, { field }) => {
    const result = field("result")
    return machine.command(Service.succeedCallback, { callbackId, ...(result !== undefined && { result }) })
  }, "The callback has succeeded."),
  fail: ofCallback(
    (machine, callbackId, form) =>
      machine.command(Service.failCallback, { callbackId, error: errorIn(form, "Failed on the page") }),
    "The callback has failed."
  ),
  heartbeat: ofCallback(
    (machine, callbackId) => machine.command(Service.heartbeatCallback, { callbackId }),
    "The heartbeat has been taken."
  )
}
