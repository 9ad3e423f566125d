/**
 * The sizes in bytes of the parts of an operation on the wire.
 */
import { byteLength } from "../../internal/bytes.ts"
import type { ErrorObject } from "../../wire/ErrorObject.ts"
import * as Limits from "../../wire/Limits.ts"

/** Returns the bytes of a text that may be absent. */
export const textSize = (text: string | undefined): number => (text === undefined ? 0 : byteLength(text))

/** Lambda's error for an answer of a function that is too large. */
export const answerTooLarge: ErrorObject = {
  ErrorType: "Function.ResponseSizeTooLarge",
  ErrorMessage: `Response payload size exceeded maximum allowed payload size (${Limits.maxWirePayload} bytes).`
}

/** Returns whether an answer of a function is too large. */
export const isAnswerTooLarge = (text: string | undefined): boolean => textSize(text) > Limits.maxWirePayload

/** Returns the bytes of an error as JSON. */
export const errorSize = (error: ErrorObject | undefined): number =>
  error === undefined ? 0 : byteLength(JSON.stringify(error))
