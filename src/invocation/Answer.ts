/**
 * The answer of an invocation.
 *
 * Owns: the content of the answer: the result of the workflow, its failure, or the reason why there is neither.
 * Does not own: when the answer is given.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as DurableFunction from "../DurableFunction.ts"
import { CallbackFailed, InvalidPayload, InvocationFailed, type Mistake } from "../DurableError.ts"
import { markId } from "../execution/Identity.ts"
import type { Ending } from "../execution/Lifetime.ts"
import type { Parts } from "../execution/Parts.ts"
import { byteLength, jsonSize } from "../internal/bytes.ts"
import { catchDefectEager, exitOf } from "../internal/effect.ts"
import type { Format } from "../Serdes.ts"
import { fitError, writeFailureSafely } from "../values/Failures.ts"
import {
  limitSize,
  ofPayload,
  ofResult,
  readValue,
  takesNothing,
  writeValue,
  type Conversion,
  type Recording,
  type Subject
} from "../values/Values.ts"
import { continuation } from "../wire/Continuation.ts"
import type { ErrorObject } from "../wire/ErrorObject.ts"
import type { InvocationAnswer } from "../wire/Invocation.ts"
import * as Limits from "../wire/Limits.ts"

/** Returns the execution itself as the subject whose values are read and written. */
export const subjectOf = (parts: Parts, contract: DurableFunction.Any, format: Format): Subject => ({
  executionArn: parts.executionArn,
  id: parts.history.execution?.Id ?? parts.executionArn,
  path: contract.name,
  format
})

/** Runs a conversion. One that may succeed later fails the invocation. */
const convert = <A>(conversion: Conversion<A>): Effect.Effect<A, InvocationFailed> =>
  Effect.mapErrorEager(conversion, ({ message }) => new InvocationFailed({ reason: "serdes", message }))

/** Reads the payload of the execution. If it cannot be read, returns the answer that says so. */
export const readPayload = (
  parts: Parts,
  self: Subject,
  contract: DurableFunction.Any
): Effect.Effect<{ readonly value: unknown } | { readonly answer: InvocationAnswer }, InvocationFailed> => {
  if (takesNothing(contract)) return Effect.succeed({ value: undefined })
  const text = parts.history.execution?.ExecutionDetails?.InputPayload
  const read = convert(readValue(self, "payload", ofPayload(contract), text))
  const value = Effect.mapEager(read, (found) => ({ value: found }))
  return catchDefectEager(value, (defect) => {
    const message = `The payload does not fit the contract "${contract.name}". ${defect instanceof Error ? defect.message : String(defect)}`
    return Effect.mapEager(failedAs(self, new InvalidPayload({ operation: self.path, message })), (answer) => ({
      answer
    }))
  })
}

const failedAs = (self: Subject, mistake: Mistake): Effect.Effect<InvocationAnswer, InvocationFailed> =>
  Effect.mapEager(convert(writeFailureSafely(self, {}, Cause.die(mistake))), (error) => ({
    Status: "FAILED",
    Error: error
  }))

/** Returns the answer for an ending of the workflow. */
export const answerEnding = (
  parts: Parts,
  self: Subject,
  contract: DurableFunction.Any,
  ending: Ending
): Effect.Effect<InvocationAnswer, InvocationFailed> => {
  switch (ending._tag) {
    case "Suspended":
      return Effect.succeed({ Status: "PENDING" })
    case "Continued":
      return Effect.succeed({ Status: "SUCCEEDED", Result: continuation(ending.executionArn) })
    case "Aborted":
      return Effect.fail(ending.error)
    case "Condemned":
      return failedAs(self, ending.mistake)
    case "Ended":
      return answerExit(parts, self, contract, ending.exit)
  }
}

const answerExit = (
  parts: Parts,
  self: Subject,
  contract: DurableFunction.Any,
  exit: Exit.Exit<unknown, unknown>
): Effect.Effect<InvocationAnswer, InvocationFailed> => {
  const recording = ofResult(contract)
  const failed = (cause: Cause.Cause<unknown>): Effect.Effect<InvocationAnswer, InvocationFailed> =>
    Effect.mapEager(convert(writeFailureSafely(self, recording, cause)), (error) => ({
      Status: "FAILED",
      Error: withNotUndone(asSent(error, cause), parts)
    }))
  if (Exit.isFailure(exit)) return failed(exit.cause)
  const result = resultOf(parts, self, recording, exit.value)
  const done = exitOf(result)
  if (done !== undefined && Exit.isSuccess(done)) return result
  return Effect.catchCause(result, (cause) => {
    const passing = cause.reasons.find(Cause.isFailReason)
    return passing === undefined ? failed(cause) : Effect.fail(passing.error)
  })
}

/**
 * The id of the update of the execution. It differs from the id of the execution, because the update is not an
 * operation of the program. AWS's SDKs send an id of their own, too.
 */
const resultId = markId("execution-result", "", "")

/** Returns the answer with the result. A result that is too large for it goes through an update of the execution. */
const resultOf = (
  parts: Parts,
  self: Subject,
  recording: Recording,
  value: unknown
): Effect.Effect<InvocationAnswer, InvocationFailed> =>
  Effect.flatMapEager(
    convert(writeValue(self, "result", recording, value)),
    (text): Effect.Effect<InvocationAnswer> => {
      if (text === undefined) return Effect.succeed({ Status: "SUCCEEDED" })
      // Lambda measures the answer as JSON, in which the text is escaped once more.
      if (byteLength(text) <= Limits.maxInlineResult && jsonSize(text) <= Limits.maxWirePayload)
        return Effect.succeed({ Status: "SUCCEEDED", Result: text })
      return Effect.flatMapEager(limitSize(self, "result", text, Limits.maxWirePayload), () => {
        try {
          parts.outbox.push(self.path, { Id: resultId, Type: "EXECUTION", Action: "SUCCEED", Payload: text })
        } catch (mistake) {
          return Effect.die(mistake)
        }
        return Effect.succeed<InvocationAnswer>({ Status: "SUCCEEDED", Result: "" })
      })
    }
  )

/**
 * Returns the error of the execution. A failed callback that the workflow has not handled keeps the message that was sent.
 */
const asSent = (error: ErrorObject, cause: Cause.Cause<unknown>): ErrorObject => {
  const failure = cause.reasons.find(Cause.isFailReason)?.error
  const message = failure instanceof CallbackFailed ? failure.errorMessage : undefined
  return message === undefined || message === "" ? error : fitError({ ...error, ErrorMessage: message })
}

/** Adds the work that could not be undone to the failure that caused the compensation. */
const withNotUndone = (error: ErrorObject, { history, notUndone }: Parts): ErrorObject => {
  const { forsaken } = history
  const told = [
    ...(notUndone.length === 0
      ? []
      : [`The compensation failed as well, so it is still done: ${notUndone.join(", ")}.`]),
    ...(forsaken.length === 0
      ? []
      : [
          `Work outside of steps did not come back, so this was not asked for again, and is not undone: ${forsaken.map((name) => JSON.stringify(name)).join(", ")}.`
        ])
  ]
  return told.length === 0 ? error : fitError({ ...error, ErrorMessage: [error.ErrorMessage ?? "", ...told].join(" ") })
}
