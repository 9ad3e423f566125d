/**
 * The answer of Lambda's Invoke, after its headers and its body are combined as in the AWS client.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { parseJson } from "../../internal/json.ts"
import type { ErrorObject } from "../../wire/ErrorObject.ts"
import { maybe, record } from "../../wire/internal/fields.ts"
import { propertyAt, textAt } from "../../wire/internal/properties.ts"
import { reader, type MalformedMessage } from "../../wire/Malformed.ts"

/** An answer of Invoke. Without an ARN no execution was started; an empty body means no payload. */
export interface Invoked {
  readonly executionArn: string | undefined
  readonly failed: boolean
  readonly payload: string | undefined
}

export const readInvoked = (input: unknown): Result.Result<Invoked, MalformedMessage> =>
  Result.map(readAnswer(input), ({ DurableExecutionArn, FunctionError, Payload }) => ({
    executionArn: DurableExecutionArn || undefined,
    failed: FunctionError !== undefined,
    payload: textOf(Payload)
  }))

const readAnswer = reader(
  "answer to Invoke",
  record({
    DurableExecutionArn: maybe(Schema.String),
    FunctionError: maybe(Schema.String),
    Payload: maybe(Schema.Union([Schema.Uint8Array, Schema.String]))
  })
)

const textOf = (payload: Uint8Array | string | undefined): string | undefined =>
  (typeof payload === "object" ? new TextDecoder().decode(payload) : payload) || undefined

/**
 * Returns the error in the body of a failed invocation: `{ errorType, errorMessage, trace }` as Lambda writes it, or an
 * ErrorObject, or any text.
 */
export const functionError = (payload: string | undefined): ErrorObject => {
  const body = payload === undefined ? undefined : parseJson(payload)
  const first = (...keys: ReadonlyArray<string>): string | undefined =>
    keys.map((key) => textAt(body, key)).find(Boolean)
  const type = first("errorType", "ErrorType")
  const message = first("errorMessage", "ErrorMessage")
  const data = first("errorData", "ErrorData")
  const stack = [linesAt(body, "trace"), linesAt(body, "stackTrace"), linesAt(body, "StackTrace")].find(Boolean)
  return {
    ErrorType: type ?? "Unhandled",
    ErrorMessage: message ?? "The function failed, and its answer does not say why.",
    ...(data === undefined ? undefined : { ErrorData: data }),
    ...(stack === undefined ? undefined : { StackTrace: stack })
  }
}

const linesAt = (value: unknown, key: string): ReadonlyArray<string> | undefined => {
  const lines = propertyAt(value, key)
  return Array.isArray(lines) && lines.every((line) => typeof line === "string") ? lines : undefined
}
