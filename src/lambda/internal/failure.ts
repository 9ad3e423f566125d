/**
 * The description of a failed call of the Lambda API that is safe to show: status, name and message, without tokens,
 * payloads, signatures, or anything that a proxy answered in place of the service.
 *
 * @since 0.1.0
 */
import { propertyAt, textAt } from "../../wire/internal/properties.ts"

/** A failed call. Without a status there was no answer: the network failed, the time was up, or credentials are missing. */
export interface Failure {
  readonly status?: number | undefined
  /** The name of the exception, or of the kind of error if there was no answer. */
  readonly name?: string | undefined
  readonly message: string
}

/** Describes any value that an AWS client, or an object acting as one, has thrown. Never throws. */
export const describeFailure = (error: unknown, secrets: ReadonlyArray<string> = []): Failure => {
  try {
    const status = numberAt(propertyAt(error, "$metadata"), "httpStatusCode")
    // Exceptions of the service have a fault. The client's error for an unreadable answer has none, and its message quotes
    // the answer.
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

/** Returns the failure for an answer that is not in the form of the API. It shows nothing of the answer. */
export const unreadable = (status: number): Failure => ({
  status,
  message: `The answer, with HTTP status ${status}, is not one of the Lambda API.`
})

/** Names without information. */
const anonymous = new Set(["Error", "AggregateError", "Unknown", "UnknownError", "Object", ""])

const nameOf = (error: unknown): string | undefined => {
  const name = textAt(error, "name")
  if (name !== undefined && !anonymous.has(name)) return name
  // Some emulators put the name into the field in which the service puts the fault; errors of the system have a code.
  const type = textAt(error, "Type")
  return type?.endsWith("Exception") ? type : textAt(error, "code")
}

const messageOf = (error: unknown): string => {
  if (typeof error === "string") return error || noReason
  // A host with several addresses fails with one error for each of them, and no message of its own.
  const messages = [error, propertyAt(propertyAt(error, "errors"), "0")].map(
    (one) => textAt(one, "message") ?? textAt(one, "Message")
  )
  return messages.find((message) => message !== undefined && !anonymous.has(message)) ?? noReason
}

const noReason = "no reason was given"

const longest = 500

/**
 * Returns the first line of a message, without the values that the service repeats when it refuses them. The following lines
 * may hold the signed request, if the service refused that.
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
