/**
 * Refusals of the Lambda API: a status, the name of an exception in a header, and a message in a JSON body.
 *
 * Clients and servers disagree about the place of the name, and exceptions about the spelling of `message`, so this file
 * holds both directions.
 *
 * @since 0.1.0
 */
import { textAt } from "./internal/properties.ts"

/**
 * The exceptions of the durable operations, each with its HTTP status and the spelling of the message in its body.
 *
 * The names are those of Lambda's API model. Clients retry 429, 500 and 502.
 *
 * @since 0.1.0
 * @category models
 */
export const apiErrors = {
  InvalidParameterValueException: { status: 400, messageKey: "message" },
  InvalidRequestContentException: { status: 400, messageKey: "message" },
  CallbackTimeoutException: { status: 400, messageKey: "Message" },
  ResourceNotFoundException: { status: 404, messageKey: "Message" },
  DurableExecutionAlreadyStartedException: { status: 409, messageKey: "Message" },
  RequestTooLargeException: { status: 413, messageKey: "message" },
  TooManyRequestsException: { status: 429, messageKey: "message" },
  ServiceException: { status: 500, messageKey: "Message" },
  KMSAccessDeniedException: { status: 502, messageKey: "Message" },
  KMSDisabledException: { status: 502, messageKey: "Message" },
  KMSInvalidStateException: { status: 502, messageKey: "Message" },
  KMSNotFoundException: { status: 502, messageKey: "Message" }
} as const

/**
 * The name of an exception of the durable operations.
 *
 * @since 0.1.0
 * @category models
 */
export type ApiErrorName = keyof typeof apiErrors

/**
 * Returns whether the text is the name of an exception of the durable operations.
 *
 * @since 0.1.0
 * @category guards
 */
export const isApiErrorName = (text: string): text is ApiErrorName => Object.hasOwn(apiErrors, text)

/**
 * The parts of an HTTP answer in addition to its standard headers.
 *
 * @since 0.1.0
 * @category models
 */
export interface ApiErrorResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Readonly<Record<string, string>>
}

/**
 * Returns the answer that refuses a request, in the form of the service. `retryAfterSeconds` and `reason` belong to
 * TooManyRequestsException.
 *
 * @since 0.1.0
 * @category writing
 */
export const encodeApiError = (error: {
  readonly name: ApiErrorName
  readonly message: string
  readonly retryAfterSeconds?: number | undefined
  readonly reason?: string | undefined
}): ApiErrorResponse => {
  const { messageKey, status } = apiErrors[error.name]
  return {
    status,
    headers: {
      "x-amzn-errortype": error.name,
      ...(error.retryAfterSeconds !== undefined && { "retry-after": String(error.retryAfterSeconds) })
    },
    body: {
      Type: status === 500 ? "Service" : "User",
      [messageKey]: error.message,
      ...(error.reason !== undefined && { Reason: error.reason })
    }
  }
}

/**
 * A decoded refusal. `name` is undefined if the answer names no exception.
 *
 * @since 0.1.0
 * @category models
 */
export interface ApiFailure {
  readonly status: number
  readonly name: string | undefined
  readonly message: string
  readonly retryAfterSeconds: number | undefined
}

/**
 * Reads a refusal. Header names are in lower case; `body` is the parsed JSON of the answer, or any other value if it was not
 * JSON (a proxy's page, an empty body). Never throws.
 *
 * The name is taken from the header, without the address that may follow it, else from `code` or `__type` in the body,
 * without the namespace that may precede it, else from `Type`, which an emulator uses.
 *
 * @since 0.1.0
 * @category reading
 */
export const decodeApiError = (response: {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: unknown
}): ApiFailure => {
  const field = (key: string): string | undefined => textAt(response.body, key)
  const type = field("Type")
  return {
    status: response.status,
    name:
      bareName(response.headers["x-amzn-errortype"]) ??
      bareName(field("code")) ??
      bareName(field("__type")) ??
      (type?.endsWith("Exception") === true ? type : undefined),
    message: field("message") ?? field("Message") ?? `HTTP status ${response.status}`,
    retryAfterSeconds: wholeSeconds(response.headers["retry-after"])
  }
}

/** Reduces `com.amazonaws.lambda#SomeException:http://…` to `SomeException`. A comma joins headers that came twice. */
const bareName = (text: string | undefined): string | undefined => {
  const name = text?.split(/[:,]/)[0]?.split("#").at(-1)?.trim()
  return name === "" ? undefined : name
}

const wholeSeconds = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined
