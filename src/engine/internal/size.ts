/**
 * How many bytes the parts of an operation take on the wire.
 */
import { byteLength } from "../../internal/bytes.ts"
import type { ErrorObject } from "../../wire/ErrorObject.ts"
import * as Limits from "../../wire/Limits.ts"

/** Bytes of a text that may be absent. */
export const textSize = (text: string | undefined): number => (text === undefined ? 0 : byteLength(text))

/** What Lambda says of an answer of a function that is larger than it may be. */
export const answerTooLarge: ErrorObject = {
  ErrorType: "Function.ResponseSizeTooLarge",
  ErrorMessage: `Response payload size exceeded maximum allowed payload size (${Limits.maxWirePayload} bytes).`
}

/** Whether a function may not answer so much. */
export const isAnswerTooLarge = (text: string | undefined): boolean => textSize(text) > Limits.maxWirePayload

/** Bytes of an error as JSON. */
export const errorSize = (error: ErrorObject | undefined): number =>
  error === undefined ? 0 : byteLength(JSON.stringify(error))
