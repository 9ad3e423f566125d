/**
 * How many bytes the parts of an operation take on the wire.
 */
import { byteLength } from "../../internal/bytes.ts"
import type { ErrorObject } from "../../wire/ErrorObject.ts"

/** Bytes of a text that may be absent. */
export const textSize = (text: string | undefined): number => (text === undefined ? 0 : byteLength(text))

/** Bytes of an error as JSON. */
export const errorSize = (error: ErrorObject | undefined): number =>
  error === undefined ? 0 : byteLength(JSON.stringify(error))
