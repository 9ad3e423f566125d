/**
 * An error in a line, its type first.
 *
 * Owns: the form of the line. Does not own: how it is shortened, and what stands for an error without words.
 *
 * @since 0.1.0
 */
import type { ErrorObject } from "../wire/ErrorObject.ts"

/**
 * Returns the type and the message. The message of an error with a Schema may begin with its tag, which is not said
 * twice.
 */
export const headline = ({ ErrorMessage: message = "", ErrorType: type = "" }: ErrorObject): string =>
  type === "" || message.startsWith(`${type}: `) ? message : message === "" ? type : `${type}: ${message}`
