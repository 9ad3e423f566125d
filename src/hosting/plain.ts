/**
 * The call of a plain function that is written as an Effect: from the text of a payload to the text of a result, or to an
 * error object.
 *
 * Owns: the text of a contract's values and errors for the caller of the function.
 * Does not own: when the function is called, and what it does.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import type * as DurableFunction from "../DurableFunction.ts"
import type { TargetEnd } from "../engine/Service.ts"
import { erase } from "../internal/erase.ts"
import { SerdesError, type Info } from "../Serdes.ts"
import { defectObject, errorObject } from "../values/Failures.ts"
import { ofPayload, ofResult, takesNothing } from "../values/Values.ts"
import type { ErrorObject } from "../wire/ErrorObject.ts"
import { read, write } from "./values.ts"

/** The end of a call. The script of a stub can end it in more ways than an implementation. */
export type Ending = TargetEnd

/** Calls an implementation of a plain contract. The environment must provide the other services that it requires. */
export const callPlain = (
  { contract, handler }: DurableFunction.AnyImplementation,
  text: string | undefined
): Effect.Effect<Ending> =>
  readPayload(contract, text).pipe(
    Effect.flatMap((payload) => Effect.exit(Effect.suspend(() => erase(handler(cast<unknown, never>(payload)))))),
    Effect.flatMap((exit) => (Exit.isSuccess(exit) ? succeeded(contract, exit.value) : failed(contract, exit.cause))),
    Effect.catchCause((cause) => Effect.succeed<Ending>({ _tag: "Failed", error: squash(cause) }))
  )

/** Reads the payload of a call. */
export const readPayload = (
  contract: DurableFunction.Any,
  text: string | undefined
): Effect.Effect<unknown, SerdesError> =>
  takesNothing(contract)
    ? Effect.succeed(undefined)
    : Effect.mapError(
        read(ofPayload(contract), text, infoOf(contract, "payload")),
        misfit(contract, "read the payload")
      )

/** Writes a result for the caller. */
export const succeeded = (contract: DurableFunction.Any, value: unknown): Effect.Effect<Ending, SerdesError> =>
  write(ofResult(contract), value, infoOf(contract, "result")).pipe(
    Effect.mapError(misfit(contract, "write the result")),
    Effect.map((result) => ({ _tag: "Succeeded", result }))
  )

/** Writes a failure for the caller: a declared error with its data, any other failure by its name and message. */
export const failed = (
  contract: DurableFunction.Any,
  cause: Cause.Cause<unknown>
): Effect.Effect<Ending, SerdesError> => {
  const failure = cause.reasons.find(Cause.isFailReason)
  return failure === undefined
    ? Effect.succeed({ _tag: "Failed", error: squash(cause) })
    : write({ success: contract.error }, failure.error, infoOf(contract, "error")).pipe(
        Effect.mapError(misfit(contract, "write the error")),
        Effect.map((data) => ({ _tag: "Failed", error: errorObject(failure.error, data) }))
      )
}

/** Adds the function and the value to the message of an error, because its receiver knows only that a call has failed. */
const misfit = (contract: DurableFunction.Any, action: string) => (error: SerdesError) =>
  new SerdesError({
    message: `Could not ${action} of "${contract.name}", as its contract has it: ${error.message}`,
    transient: error.transient
  })

/** Returns the identity of a value of a call, which is not an operation of an execution. */
export const infoOf = (contract: DurableFunction.Any, value: Info["value"]): Info => ({
  executionArn: contract.name,
  operationId: contract.name,
  operation: contract.name,
  value
})

/** Returns the error object of the one failure to which a cause is reduced. */
export const squash = (cause: Cause.Cause<unknown>): ErrorObject => defectObject(Cause.squash(cause))
