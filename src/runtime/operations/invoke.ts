/**
 * Invoke: let the service call another function, and wait for its outcome without an invocation.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Contract from "../../Contract.ts"
import { InvalidTarget, InvalidTenantId, InvokeFailed, InvokeStopped, InvokeTimedOut } from "../../DurableError.ts"
import * as Targets from "../../Targets.ts"
import { isTenantId } from "../../wire/Constraints.ts"
import { continuedAs } from "../../wire/Continuation.ts"
import type { ErrorObject } from "../../wire/ErrorObject.ts"
import * as Limits from "../../wire/Limits.ts"
import type { Operation } from "../../wire/Operation.ts"
import { claim, record as recordChange, type Claim } from "../Execution.ts"
import { isFinal } from "../Journal.ts"
import { warn } from "../Logging.ts"
import { isRecordedAs, limitSize, readValue, writeValue } from "../Outcome.ts"
import { ofPayload, ofResult, type AnyCodec } from "../Recording.ts"
import { recordedRace } from "./race.ts"
import { secondsLeft, waitUntil, type Timeout } from "./wait.ts"

export interface InvokeOptions {
  readonly name?: string | undefined
  readonly timeout?: Timeout | undefined
  readonly tenantId?: string | undefined
  readonly payloadSerdes?: AnyCodec | undefined
  readonly resultSerdes?: AnyCodec | undefined
}

/** One call of one function, as the operation was asked for. */
export interface Call {
  readonly contract: Contract.Any
  readonly payload: unknown
  readonly name: string
  readonly options: InvokeOptions
}

export const invoke = (contract: Contract.Any, payload: unknown, options: InvokeOptions) => {
  const call: Call = { contract, payload, name: options.name ?? contract.name, options }
  return options.timeout === undefined ? invokeOnce(call) : invokeWithin(call, options.timeout)
}

/** Lets the service call the function, and waits for the record of how that ended. */
const invokeOnce = (call: Call, prepared?: Prepared): Effect.Effect<unknown, unknown, unknown> =>
  Effect.flatMap(
    claim({ type: "CHAINED_INVOKE", subType: "ChainedInvoke", name: call.name }),
    Effect.fnUntraced(function* (claimed) {
      if (claimed.record === undefined) {
        const { address, text } = prepared ?? (yield* prepare(claimed, call))
        const { tenantId } = call.options
        const traceHeader = claimed.run.observer.traceHeader(claimed)
        yield* recordChange(claimed, {
          Action: "START",
          ...(text === undefined ? undefined : { Payload: text }),
          ChainedInvokeOptions: {
            FunctionName: address,
            ...(tenantId === undefined ? undefined : { TenantId: tenantId }),
            ...(traceHeader === undefined ? undefined : { XAmznTraceId: traceHeader })
          }
        })
      } else if (isFinal(claimed.record)) {
        yield* Effect.yieldNow
      }
      return yield* outcome(claimed, call, yield* claimed.run.waitFor(claimed))
    })
  )

export interface Prepared {
  readonly address: string
  readonly text: string | undefined
}

const resolveTarget = (claimed: Claim, contract: Contract.Any): Effect.Effect<Targets.ResolvedTarget> =>
  Effect.catch(Targets.resolve(contract), ({ message }) =>
    Effect.die(new InvalidTarget({ operation: claimed.path, message }))
  )

/** Everything that can be wrong with a call, found before anything is sent. */
export const prepare = Effect.fnUntraced(function* (claimed: Claim, call: Call): Effect.fn.Return<Prepared> {
  const { contract, options, payload } = call
  const target = yield* resolveTarget(claimed, contract)
  if (target.defaulted && claimed.run.options.warnAboutTargets) {
    yield* warn(
      `The contract "${contract.name}" has no target, so "${claimed.path}" invokes ${target.address}. Give it a target, or an entry in Targets, with a version or alias.`
    )
  }
  if (options.tenantId !== undefined && !isTenantId(options.tenantId)) {
    return yield* Effect.die(
      new InvalidTenantId({
        operation: claimed.path,
        message: `Expected the tenant id of "${claimed.path}" to be 1 to 256 letters, digits, spaces and . _ : / = + - @, found ${JSON.stringify(options.tenantId.slice(0, 40))}.`
      })
    )
  }
  const text = yield* writeValue(claimed, "payload", ofPayload(contract, options.payloadSerdes), payload)
  yield* limitSize(claimed, "payload", text, Limits.maxInvokePayload)
  return { address: target.address, text }
})

const outcome = Effect.fnUntraced(function* (
  claimed: Claim,
  call: Call,
  record: Operation
): Effect.fn.Return<unknown, unknown, unknown> {
  const details = record.ChainedInvokeDetails
  const successor = record.Status === "SUCCEEDED" ? continuedAs(details?.Result) : undefined
  if (successor !== undefined) return yield* handedOver(claimed, yield* addressOf(call), successor)
  if (record.Status === "SUCCEEDED")
    return yield* readValue(claimed, "result", ofResult(call.contract, call.options.resultSerdes), details?.Result)
  if (record.Status === "FAILED") {
    const declared = yield* declaredError(claimed, call, details?.Error)
    if (declared !== undefined) return yield* Effect.fail(declared.error)
  }
  const address = yield* addressOf(call)
  return yield* transportError(claimed, address, record.Status, details?.Error ?? {})
})

/** The callee's error as its contract declares it, if it is one of those. */
const declaredError = (
  claimed: Claim,
  call: Call,
  error: ErrorObject | undefined
): Effect.Effect<{ readonly error: unknown } | undefined> =>
  error?.ErrorData === undefined
    ? Effect.succeed(undefined)
    : Effect.map(Effect.exit(readValue(claimed, "error", { success: call.contract.error }, error.ErrorData)), (exit) =>
        Exit.isSuccess(exit) && isRecordedAs(exit.value, error.ErrorType) ? { error: exit.value } : undefined
      )

const transportError = (
  claimed: Claim,
  address: string,
  status: string,
  error: ErrorObject
): InvokeFailed | InvokeTimedOut | InvokeStopped => {
  const fields = {
    operation: claimed.path,
    function: address,
    ...(error.ErrorType === undefined ? undefined : { errorType: error.ErrorType }),
    ...(error.ErrorMessage === undefined ? undefined : { errorMessage: error.ErrorMessage }),
    ...(error.ErrorData === undefined ? undefined : { errorData: error.ErrorData })
  }
  switch (status) {
    case "TIMED_OUT":
      return new InvokeTimedOut({ ...fields, source: "service", calleeMayStillRun: false })
    case "STOPPED":
      return new InvokeStopped(fields)
    default:
      return new InvokeFailed({
        ...fields,
        status,
        ...(error.StackTrace === undefined ? undefined : { stackTrace: error.StackTrace })
      })
  }
}

/** The callee has no result of its own, and an invoke follows nobody. */
const handedOver = (claimed: Claim, address: string, successor: string): InvokeFailed =>
  new InvokeFailed({
    operation: claimed.path,
    function: address,
    status: "SUCCEEDED",
    errorType: "ExecutionContinued",
    errorMessage: `It handed over to the execution ${successor}. Start a function that continues with Durable.start, and have it complete a callback`
  })

/** The address for messages: what is configured today, or the contract's name if that is no address. */
const addressOf = ({ contract }: Call): Effect.Effect<string> =>
  Effect.match(Targets.resolve(contract), {
    onSuccess: (target) => target.address,
    onFailure: () => contract.name
  })

/**
 * An invoke with a time-out: a recorded race of the invoke and a wait in a context of their own, because the service
 * knows no time-out for chained invokes.
 */
const invokeWithin = (call: Call, timeout: NonNullable<InvokeOptions["timeout"]>) =>
  Effect.flatMap(
    claim({ type: "CONTEXT", subType: "RunInChildContext", name: call.name }),
    Effect.fnUntraced(function* (claimed): Effect.fn.Return<unknown, unknown, unknown> {
      const { path, record } = claimed
      const timedOut = Effect.map(
        addressOf(call),
        (address) => (calleeMayStillRun: boolean) =>
          new InvokeTimedOut({ operation: path, function: address, source: "caller", calleeMayStillRun })
      )
      let prepared: Prepared | undefined
      if (record === undefined) {
        if ((yield* secondsLeft(claimed, timeout)) === undefined) return yield* (yield* timedOut)(false)
        prepared = yield* prepare(claimed, call)
      }
      const expired = Effect.flatMap(waitUntil("timeout", timeout), () =>
        Effect.flatMap(timedOut, (error) => Effect.fail(error(true)))
      )
      return yield* recordedRace(
        claimed,
        [invokeOnce(call, prepared), expired],
        { until: "end", pathOf: () => path },
        ofResult(call.contract, call.options.resultSerdes)
      )
    })
  )
