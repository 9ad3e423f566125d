/**
 * Invoke: has the service call another function, and waits for its outcome without an invocation.
 *
 * Owns: the payload for the callee, how its outcome is read, and the errors for any other end.
 * Does not own: the contract and its address, and races, which implement an invoke with a time-out.
 *
 * Invariants:
 * 1. An invalid call is found before anything is recorded, and the payload is encoded once.
 * 2. The service calls the function once; this library repeats nothing.
 * 3. The service has no time-out for chained invokes. A time-out is a recorded race of the invoke and a wait, in a context
 *    of their own.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as DurableFunction from "../DurableFunction.ts"
import {
  InvalidTarget,
  InvalidTenantId,
  InvokeFailed,
  InvokeStopped,
  InvokeTimedOut,
  type InvokeError
} from "../DurableError.ts"
import type { Claim, Kind } from "../execution/Claim.ts"
import type { AnyFiber } from "../execution/Fibers.ts"
import type { Execution, ExecutionService, Parts } from "../execution/Parts.ts"
import { describeFound } from "../internal/found.ts"
import type { FromArguments } from "../Plain.ts"
import type * as Serdes from "../Serdes.ts"
import * as Targets from "../Targets.ts"
import {
  isCodec,
  limitSize,
  ofResult,
  readValue,
  writeValue,
  type AnyReader,
  type AnyWriter,
  type Reading,
  type Recording,
  type Writing
} from "../values/Values.ts"
import { isTenantId } from "../wire/Constraints.ts"
import { continuedAs } from "../wire/Continuation.ts"
import type { ErrorObject } from "../wire/ErrorObject.ts"
import * as Limits from "../wire/Limits.ts"
import type { Operation } from "../wire/Operation.ts"
import { unfit } from "./argument.ts"
import { declaredError } from "./declared.ts"
import { claimByName, inWorkflow, operation, type Body, type Leaf } from "./Operation.ts"
import { recordedRace } from "./race.ts"
import { typed, type Timeout } from "./typed.ts"
import { secondsLeft, waitUntil, whenKnown } from "./wait.ts"

/**
 * The options of an {@link invoke}.
 *
 * @category models
 * @since 0.1.0
 */
export interface InvokeOptions<C extends DurableFunction.Any, R = never> {
  /** The name of the operation. Default: the name of the contract. */
  readonly name?: string | undefined
  /**
   * How long to wait for the outcome: 1 second to 366 days, rounded up to whole seconds, or until a `Date` or
   * `DateTime`. It costs two more operations. Default: until the callee has ended.
   */
  readonly timeout?: Timeout | undefined
  /** The tenant for a function with tenant isolation: 1 to 256 letters, digits, spaces and `. _ : / = + - @`. */
  readonly tenantId?: string | undefined
  /** A `Serdes.Writer` of the payload. Default: that of the contract. */
  readonly payloadSerdes?: Serdes.Writer<DurableFunction.Payload<C>, R> | undefined
  /** A `Serdes.Reader` of the result. Default: that of the contract. */
  readonly successSerdes?: Serdes.Reader<DurableFunction.Success<C>, R> | undefined
}

/**
 * Calls another function, and suspends the execution until the callee has ended.
 *
 * The service calls the function once, and a replay returns the recorded outcome. The callee's declared errors arrive
 * with their types; any other failure is one of the three invoke errors. The library does not retry a call.
 *
 * **Errors**: the contract's, `InvokeFailed`, `InvokeTimedOut`, `InvokeStopped`.
 * **Defects**: `InvalidTarget`, `InvalidTenantId`, `InvalidDuration`, `PayloadTooLarge` (more than 1,048,576 bytes of JSON),
 * `SerdesFailed`, `InvalidName`, `NameInUse`, `NestedOperation`.
 *
 * @example
 * ```ts
 * import { Durable, DurableFunction } from "effect-durable"
 * import * as Schema from "effect/Schema"
 *
 * const Charge = DurableFunction.plain("charge", {
 *   payload: Schema.Struct({ cents: Schema.Int }),
 *   success: Schema.Struct({ receipt: Schema.String })
 * })
 *
 * export const charge = Durable.invoke(Charge, { cents: 1_250 }, { timeout: "5 minutes" })
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const invoke = <C extends DurableFunction.Any, R = never>(
  contract: C,
  ...[payload, options]: DurableFunction.PayloadAndOptions<C, InvokeOptions<C, R>>
): Effect.Effect<
  DurableFunction.Success<C>,
  DurableFunction.Error<C> | InvokeError,
  Execution | DurableFunction.CallerServices<C> | FromArguments<R>
> => typed(untypedInvoke(contract, payload, options ?? {}))

// --- Implementation ------------------------------------------------------------------------------------------------------

/** The options of a call, without their types. */
export interface CallRules {
  readonly name?: string | undefined
  readonly timeout?: Timeout | undefined
  readonly tenantId?: string | undefined
  readonly payloadSerdes?: AnyWriter | undefined
  readonly successSerdes?: AnyReader | undefined
}

/** One call of one function, as the code asked for it. */
export interface Call {
  readonly contract: DurableFunction.Any
  readonly payload: unknown
  readonly name: string
  readonly rules: CallRules
}

const kind: Kind = { type: "CHAINED_INVOKE", subType: "ChainedInvoke" }

const untypedInvoke = (contract: DurableFunction.Any, payload: unknown, rules: CallRules): Body => {
  if (!DurableFunction.isDurableFunction(contract)) return noContract("Durable.invoke", contract)
  const call: Call = { contract, payload, name: rules.name ?? contract.name, rules }
  return rules.timeout === undefined ? operation(call.name, callLeaf(call)) : invokeWithin(call, rules.timeout)
}

/** Fails an operation that was not given a contract. */
export const noContract = (operation: string, found: unknown): Effect.Effect<never> =>
  unfit(
    operation,
    "contract",
    "what DurableFunction.make returns",
    found,
    "Pass the contract, not its name or its code."
  )

/** Has the service call the function, and waits for the recorded outcome. */
const callLeaf = (call: Call, prepared?: Prepared): Leaf<Prepared> => ({
  kind,
  prepare: (claim, parts) => (prepared === undefined ? prepare(claim, parts, call) : Effect.succeed(prepared)),
  perform: (claim, parts, ready) => {
    if (ready !== undefined) send(claim, parts, call, ready)
  },
  outcome: (claim, record) => recordedOutcome(claim, call, record)
})

const send = (claim: Claim, parts: Parts, { rules: { tenantId } }: Call, { address, text }: Prepared): void => {
  const traceHeader = parts.surroundings.traceHeader(claim)
  claim.commit({
    Action: "START",
    ...(text === undefined ? undefined : { Payload: text }),
    ChainedInvokeOptions: {
      FunctionName: address,
      ...(tenantId === undefined ? undefined : { TenantId: tenantId }),
      ...(traceHeader === undefined ? undefined : { XAmznTraceId: traceHeader })
    }
  })
}

/** Returns how to write the payload. The codec of the call has precedence over that of the contract. */
const toSend = (contract: DurableFunction.Any, { payloadSerdes = contract.payloadSerdes }: CallRules): Writing => ({
  success: contract.payload,
  successSerdes: payloadSerdes
})

const toRead = (contract: DurableFunction.Any, { successSerdes = contract.successSerdes }: CallRules): Reading => ({
  success: contract.success,
  successSerdes
})

// --- The call --------------------------------------------------------------------------------------------------------

/** A validated call. */
export interface Prepared {
  readonly address: string
  readonly text: string | undefined
}

/** Validates a call before anything is sent. */
export const prepare = Effect.fnUntraced(function* (
  claim: Claim,
  parts: Parts,
  { contract, payload, rules }: Call
): Effect.fn.Return<Prepared> {
  const { path } = claim
  const target = yield* Effect.catch(Targets.resolve(contract), ({ message }) =>
    Effect.die(new InvalidTarget({ operation: path, message }))
  )
  if (target.defaulted && parts.settings.warnAboutTargets) {
    const qualified = contract.kind === "durable" ? ", with a version or alias" : ""
    parts.listener.warned?.(
      `The contract "${contract.name}" has no target, so "${path}" invokes ${target.address}. Give it a target, or an entry in Targets${qualified}.`
    )
  }
  if (rules.tenantId !== undefined && !isTenantId(rules.tenantId)) {
    return yield* Effect.die(
      new InvalidTenantId({
        operation: path,
        message: `Expected the tenant id of "${path}" to be 1 to 256 letters, digits, spaces and . _ : / = + - @, found ${describeFound(rules.tenantId)}.`
      })
    )
  }
  const text = yield* claim.converted(writeValue(claim, "payload", toSend(contract, rules), payload))
  yield* limitSize(claim, "payload", text, Limits.maxInvokePayload)
  return { address: target.address, text }
})

// --- The outcome -----------------------------------------------------------------------------------------------------

const recordedOutcome = (claim: Claim, call: Call, record: Operation): Effect.Effect<unknown, unknown> => {
  const { contract, rules } = call
  const { Error: error = {}, Result: text } = record.ChainedInvokeDetails ?? {}
  if (record.Status === "SUCCEEDED") {
    const successor = continuedAs(text)
    return successor === undefined
      ? readValue(claim, "result", toRead(contract, rules), text)
      : failAt(contract, (address) => handedOver(claim, address, successor))
  }
  const failed = failAt(contract, (address) => transportError(claim, address, record.Status, error))
  if (record.Status !== "FAILED") return failed
  return Effect.flatMapEager(declaredError(claim, contract.error, error), (declared) =>
    declared === undefined ? failed : Effect.fail(declared.error)
  )
}

/** Fails with an error that names the address: the one configured today, or the contract's name if that cannot be resolved. */
const failAt = (
  contract: DurableFunction.Any,
  error: (address: string) => InvokeError
): Effect.Effect<never, InvokeError> =>
  Effect.matchEffect(Targets.resolve(contract), {
    onSuccess: ({ address }) => Effect.fail(error(address)),
    onFailure: () => Effect.fail(error(contract.name))
  })

const transportError = (claim: Claim, address: string, status: string, error: ErrorObject): InvokeError => {
  const fields = {
    operation: claim.path,
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

/** The error of a callee that continued as another execution and has no result of its own. An invoke does not follow it. */
const handedOver = (claim: Claim, address: string, successor: string): InvokeFailed =>
  new InvokeFailed({
    operation: claim.path,
    function: address,
    status: "SUCCEEDED",
    errorType: "ExecutionContinued",
    errorMessage: `It handed over to the execution ${successor}. Start a function that continues with Durable.start, and have it complete a callback`
  })

// --- With a time-out -------------------------------------------------------------------------------------------------------

const raceKind: Kind = { type: "CONTEXT", subType: "RunInChildContext" }

/** Races the invoke with a wait. For people both branches have the path of the invoke. The call is not prepared again. */
const invokeWithin = (call: Call, timeout: Timeout): Body =>
  inWorkflow(call.name, (execution, fiber) =>
    whenKnown(timeout, execution, fiber, () => raceWith(execution, fiber, call, timeout))
  )

/** Returns how to record the race. A codec that can only read cannot record it. */
const ofWinner = ({ contract, rules: { successSerdes } }: Call): Recording => ({
  ...ofResult(contract),
  ...(successSerdes !== undefined && isCodec(successSerdes) ? { successSerdes } : undefined)
})

const raceWith = (execution: ExecutionService, fiber: AnyFiber, call: Call, timeout: Timeout): Body => {
  const { parts } = execution
  const claim = claimByName(execution, fiber, raceKind, call.name)
  const timedOut = (calleeMayStillRun: boolean) =>
    failAt(
      call.contract,
      (address) => new InvokeTimedOut({ operation: claim.path, function: address, source: "caller", calleeMayStillRun })
    )
  let prepared: Prepared | undefined
  const called = Effect.suspend(() => operation(call.name, callLeaf(call, prepared)))
  const expired = Effect.andThen(waitUntil("timeout", timeout), timedOut(true))
  return recordedRace(parts, claim, [called, expired], {
    until: "end",
    pathOf: () => claim.path,
    recording: ofWinner(call),
    prepare: Effect.fnUntraced(function* () {
      if ((yield* secondsLeft(claim, parts, timeout)) === undefined) return yield* timedOut(false)
      prepared = yield* prepare(claim, parts, call)
    })
  })
}
