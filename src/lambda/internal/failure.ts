/**
 * What a failed call of the Lambda API was, in a form that may be shown: status, name and message, without tokens,
 * payloads, signatures, or anything that a proxy answered in the service's place.
 *
 * @since 0.1.0
 */
import { propertyAt, textAt } from "../../wire/internal/properties.ts"

/** A failed call. Without a status there was no answer: a network, a time-out, or missing credentials. */
export interface Failure {
  readonly status?: number | undefined
  /** The name of the exception, or of the kind of error when there was no answer. */
  readonly name?: string | undefined
  readonly message: string
}

/** Describes whatever an AWS client, or something that acts as one, has thrown. Never throws. */
export const describeFailure = (error: unknown, secrets: ReadonlyArray<string> = []): Failure => {
  try {
    const status = numberAt(propertyAt(error, "$metadata"), "httpStatusCode")
    // The client's error for an answer that it could not read has no fault, as exceptions of the service have. Its message
    // quotes the answer.
    if (
      status !== undefined &&
      propertyAt(error, "$fault") === undefined &&
      propertyAt(error, "$response") !== undefined
    ) {
      return unreadable(status)
    }
    const name = nameOf(error)
    return {
      ...(status === undefined ? undefined : { status }),
      ...(name === undefined ? undefined : { name: showable(name, secrets) }),
      message: showable(messageOf(error), secrets)
    }
  } catch {
    return { message: "The call failed with a value that cannot be looked at." }
  }
}

/** An answer that is not as the API writes them, of which nothing is shown. */
export const unreadable = (status: number): Failure => ({
  status,
  message: `The answer, with HTTP status ${status}, is none of the Lambda API.`
})

/** Names that say nothing. */
const anonymous = new Set(["Error", "AggregateError", "Unknown", "UnknownError", "Object", ""])

const nameOf = (error: unknown): string | undefined => {
  const name = textAt(error, "name")
  if (name !== undefined && !anonymous.has(name)) return name
  // Some emulators put the name where the service says whose fault it is; the system's errors have a code.
  const type = textAt(error, "Type")
  return type?.endsWith("Exception") ? type : textAt(error, "code")
}

const messageOf = (error: unknown): string => {
  if (typeof error === "string") return error || noReason
  const message = textAt(error, "message") ?? textAt(error, "Message")
  return message === undefined || anonymous.has(message) ? noReason : message
}

const noReason = "no reason was given"

const longest = 500

/**
 * The first line of a message, without the values that the service repeats when it refuses them. The lines after it hold
 * the signed request, when that is what the service refused.
 */
export const showable = (message: string, secrets: ReadonlyArray<string>): string => {
  let text = message.replace(/Value '.*' at '/s, "Value '…' at '")
  for (const secret of secrets) {
    if (secret.length < 8) continue
    for (const form of [secret, encodeURIComponent(secret.toWellFormed())]) text = text.replaceAll(form, "…")
  }
  const line = text.trimStart().split("\n", 1)[0]?.trimEnd() || noReason
  return line.length <= longest ? line : `${line.slice(0, longest)}…`
}

const numberAt = (value: unknown, key: string): number | undefined => {
  const number = propertyAt(value, key)
  return typeof number === "number" ? number : undefined
}
