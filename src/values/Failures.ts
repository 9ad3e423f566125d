/**
 * Failures as records, and records as failures. An error becomes an ErrorObject, whose type is the tag of the error and
 * whose data is the encoded error.
 *
 * Owns: which part of a cause is recorded, under which type, message and data, and how that is read back.
 * Does not own: values, and what an outcome means for an operation.
 *
 * Invariants:
 * 1. A typed error counts before a defect, a defect before an interruption.
 * 2. The service accepts every ErrorObject: if one is too large, its stack is dropped, then its message is cut, then its
 *    data dropped.
 * 3. A failure that cannot be written is replaced by the reason.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Formatter from "effect/Formatter"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { Interrupted, Mistake, OperationError, SerdesFailed } from "../DurableError.ts"
import { byteLength, truncate } from "../internal/bytes.ts"
import { catchDefectEager } from "../internal/effect.ts"
import { stringifyPlain } from "../internal/plainJson.ts"
import { isError } from "../internal/realm.ts"
import { json } from "../Serdes.ts"
import type { ErrorObject } from "../wire/ErrorObject.ts"
import * as Limits from "../wire/Limits.ts"
import { isOrigin, readOrigin, writeOrigin } from "./origins.ts"
import { readValue, writeValue, type Conversion, type Recording, type Subject } from "./Values.ts"

const isOperationError = Schema.is(OperationError)
const isMistake = Schema.is(Mistake)

/** Checks whether a defect is a mistake that this library found. */
export const isOwnMistake = (defect: unknown): defect is Mistake => {
  try {
    return isMistake(defect)
  } catch {
    return false
  }
}

const operationErrorTags = new Set(OperationError.members.map((member) => member.identifier))
const mistakeTags = new Set(Mistake.members.map((member) => member.identifier))

/** Writes a failure, or the reason why it cannot be written. */
export const writeFailureSafely = (
  subject: Subject,
  recording: Recording,
  cause: Cause.Cause<unknown>
): Conversion<ErrorObject> =>
  catchDefectEager(writeFailure(subject, recording, cause), (defect) => writeFailure(subject, {}, Cause.die(defect)))

/** Writes a failure as an ErrorObject. A typed error counts before a defect, a defect before an interruption. */
export const writeFailure = (
  subject: Subject,
  recording: Recording,
  cause: Cause.Cause<unknown>
): Conversion<ErrorObject> => {
  const failure = cause.reasons.find(Cause.isFailReason)
  if (failure !== undefined) {
    return isOperationError(failure.error)
      ? writeOperationError(subject, failure.error)
      : writeDeclaredError(subject, recording, failure.error)
  }
  const die = cause.reasons.find(Cause.isDieReason)
  return die === undefined ? writeDefect(subject, interrupted(subject)) : writeDefect(subject, die.defect)
}

/** Writes an error by its Schema. Of an error that the Schema does not know, only the type and the message are kept. */
const writeDeclaredError = (subject: Subject, recording: Recording, error: unknown): Conversion<ErrorObject> =>
  Effect.mapEager(
    catchDefectEager(writeValue(subject, "error", { success: recording.error }, error), (defect) => {
      if (!(defect instanceof SerdesFailed)) return Effect.die(defect)
      const told = `${typeOf(error)}: ${truncate(textAt(error, "message") ?? textOf(error), 500)}`
      const { ast } = recording.error ?? Schema.Never
      // A caller without types may have given something else than a Schema.
      const message =
        ast?._tag !== "Never"
          ? `${defect.message.replace(/\.$/, "")}. The error was ${told}`
          : `Could not write the error of "${subject.path}": it has no { error: Schema }. Give it one, or handle the error before. The error was ${told}`
      return Effect.die(new SerdesFailed({ operation: subject.path, message }))
    }),
    (data) => errorObject(error, data)
  )

/** Writes an error of the library. If it quotes too much of another error, it quotes less. */
const writeOperationError = (subject: Subject, error: OperationError): Conversion<ErrorObject> =>
  Effect.flatMapEager(writeValue(subject, "error", { success: OperationError }, error), (data) => {
    const written = errorObject(error, data)
    if (written.ErrorData !== droppedData) return Effect.succeed(written)
    const less = quoteLess(error)
    return Effect.mapEager(writeValue(subject, "error", { success: OperationError }, less), (rest) =>
      errorObject(less, rest)
    )
  })

/** Cuts the texts of an error, and drops the data and the stack that it quotes. */
const quoteLess = (error: OperationError): OperationError => {
  const {
    errorData: _data,
    stackTrace: _stack,
    ...fields
  } = { errorData: "", stackTrace: "", ...encodeOperationError(error) }
  const cut = Object.entries(fields).map(([key, value]) => [
    key,
    typeof value === "string" ? truncate(value, 2_000) : value
  ])
  return decodeOperationError(Object.fromEntries(cut))
}

const encodeOperationError = Schema.encodeSync(OperationError)
const decodeOperationError = Schema.decodeUnknownSync(OperationError)

const interrupted = (subject: Subject): Interrupted =>
  new Interrupted({
    operation: subject.path,
    message: `"${subject.path}" ended by interrupting itself. Fail with an error of its own instead, or handle the interruption inside.`
  })

const writeDefect = (subject: Subject, defect: unknown): Conversion<ErrorObject> =>
  isOwnMistake(defect)
    ? Effect.mapEager(writeValue(inPlainJson(subject), "error", { success: Mistake }, defect), (data) => ({
        ...errorObject(defect, data),
        StackTrace: []
      }))
    : Effect.succeed(defectObject(defect))

/** Returns the error object of a defect: its name, message and stack. */
export const defectObject = (defect: unknown): ErrorObject => {
  try {
    return fitError(isError(defect) ? describeError(defect) : { ErrorType: "Defect", ErrorMessage: textOf(defect) })
  } catch {
    return { ErrorType: "Defect", ErrorMessage: "A value that throws when it is looked at." }
  }
}

/** Returns a typed error as a defect that is recorded under the same type and message. */
export const asDefect = (error: unknown): unknown => {
  try {
    const type = typeOf(error)
    if (isError(error) && error.name === type) return error
    const defect = new Error(textAt(error, "message") ?? textOf(error))
    defect.name = type
    defect.stack = (isError(error) && error.stack) || ""
    if (isError(error)) readOrigin(defect, writeOrigin(error, textOf))
    return defect
  } catch {
    return error
  }
}

const describeError = (error: Error): ErrorObject => {
  const { message, name, stack } = error
  const data = writeOrigin(error, textOf)
  const lines = typeof stack === "string" ? stack.split("\n").slice(1) : []
  return {
    ErrorType: nonEmpty(name) ?? "Error",
    ErrorMessage: nonEmpty(message) ?? nonEmpty(name) ?? "Error",
    ...(data === undefined ? undefined : { ErrorData: data }),
    ...(lines.length === 0 ? undefined : { StackTrace: lines.map((line) => line.trim()) })
  }
}

const nonEmpty = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined)

const textAt = (value: unknown, key: "_tag" | "name" | "message"): string | undefined =>
  Predicate.hasProperty(value, key) ? nonEmpty(value[key]) : undefined

/** Returns a value as text: as JSON if JSON does not change it, otherwise as Effect shows it. */
const textOf = (value: unknown): string => {
  if (typeof value === "string") return value
  try {
    return stringifyPlain(value)
  } catch {
    return textOfOther(value)
  }
}

const textOfOther = (value: unknown): string => {
  try {
    return Formatter.format(value)
  } catch {
    return Object.prototype.toString.call(value)
  }
}

/** Returns the error object of a typed error: its tag, its message and its encoded form. */
export const errorObject = (error: unknown, data: string | undefined): ErrorObject => {
  const type = typeOf(error)
  const message = toldBy(error) ?? truncate(`${type}: ${data ?? "null"}`, 500)
  return fitError({ ErrorType: type, ErrorMessage: message, ErrorData: data ?? "null" })
}

/**
 * Returns the message of an error. That of an `UnknownError` says only which function failed, so the message of its cause
 * is added.
 */
const toldBy = (error: unknown): string | undefined => {
  const message = textAt(error, "message")
  if (message === undefined || !Cause.isUnknownError(error)) return message
  return `${message}: ${truncate(defectObject(error.cause).ErrorMessage ?? "", 500)}`
}

/** What replaces error data that is too large. The error itself is lost; its type and message are not. */
const droppedData = JSON.stringify({ _tag: "ErrorDataDropped" })

/** Cuts an error object to what the service accepts: first the stack, then the message, then the data. */
export const fitError = (error: ErrorObject): ErrorObject => {
  const fits = (candidate: ErrorObject): boolean => byteLength(JSON.stringify(candidate)) < Limits.maxErrorObject
  if (fits(error)) return error
  const { StackTrace: _, ...withoutStack } = error
  if (fits(withoutStack)) return withoutStack
  const shortened = {
    ...withoutStack,
    ErrorType: truncate(error.ErrorType ?? "Error", 256),
    ErrorMessage: truncate(error.ErrorMessage ?? "", 2_000)
  }
  return fits(shortened) ? shortened : { ...shortened, ErrorData: droppedData }
}

/**
 * Reads a failure back. An error of the Schema or of the library is read as itself, anything else as a defect with the
 * recorded type and message. A record with a stack holds a defect.
 */
export const readFailure = (
  subject: Subject,
  recording: Recording,
  recorded: ErrorObject | undefined
): Conversion<Exit.Exit<never, unknown>> => {
  const error = recorded ?? {}
  const { ErrorType: type = "" } = error
  const data = errorDataOf(error)
  if (data === undefined) return Effect.succeed(Exit.die(defectOf(error)))
  if (error.StackTrace !== undefined && mistakeTags.has(type)) return readMistake(subject, data)
  const declared = Effect.mapEager(readValue(subject, "error", { success: recording.error }, data), (value) => ({
    value
  }))
  if (!isOwnType(type)) return Effect.mapEager(declared, ({ value }) => Exit.fail(value))
  const own = operationErrorTags.has(type)
    ? Effect.mapEager(readValue(subject, "error", { success: OperationError }, data), Exit.fail)
    : readMistake(subject, data)
  if (recording.error === undefined) return own
  return Effect.flatMapEager(
    catchDefectEager(declared, () => Effect.succeed(undefined)),
    (found) => (found !== undefined && isRecordedAs(found.value, type) ? Effect.succeed(Exit.fail(found.value)) : own)
  )
}

/** Returns the data of an error: nothing if there is only that of a defect, or what replaced data that was too large. */
export const errorDataOf = ({ ErrorData: data }: ErrorObject): string | undefined =>
  data === droppedData || isOrigin(data) ? undefined : data

const isOwnType = (type: string): boolean => operationErrorTags.has(type) || mistakeTags.has(type)

/**
 * Checks whether a declared error may be what was recorded under an ErrorType. Under the type of an error of the library it
 * must have that type itself, because a loose Schema also reads what is none of its errors.
 */
export const isRecordedAs = (error: unknown, type = ""): boolean => !isOwnType(type) || typeOf(error) === type

/** Returns the ErrorType under which a typed error is recorded. */
const typeOf = (error: unknown): string => textAt(error, "_tag") ?? textAt(error, "name") ?? "Error"

/** Returns the ErrorType under which a failure is recorded. */
export const errorTypeOf = (cause: Cause.Cause<unknown>): string => {
  const failure = cause.reasons.find(Cause.isFailReason)
  if (failure !== undefined) return typeOf(failure.error)
  const die = cause.reasons.find(Cause.isDieReason)
  return die === undefined ? "Interrupted" : (defectObject(die.defect).ErrorType ?? "Defect")
}

const readMistake = (subject: Subject, data: string): Conversion<Exit.Exit<never>> =>
  Effect.mapEager(readValue(inPlainJson(subject), "error", { success: Mistake }, data), Exit.die)

/**
 * Returns the subject with plain JSON as its format. What other parties read or write is plain JSON, whatever the format of
 * the environment.
 */
export const inPlainJson = ({ executionArn, id, path }: Subject): Subject => ({ executionArn, id, path, format: json })

/** Returns the defect of a record: an Error with the recorded name, message and stack. */
const defectOf = (recorded: ErrorObject): Error => {
  const defect = new Error(recorded.ErrorMessage ?? "")
  defect.name = recorded.ErrorType ?? "Error"
  defect.stack = [
    `${defect.name}: ${defect.message}`,
    ...(recorded.StackTrace ?? []).map((line) => `    ${line}`)
  ].join("\n")
  readOrigin(defect, recorded.ErrorData)
  return defect
}
