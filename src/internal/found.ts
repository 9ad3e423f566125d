/**
 * Descriptions of a value that was found where another was expected, for a message: short, and on one line.
 *
 * Owns: the words for what was found. Does not own: what was expected.
 *
 * @since 0.1.0
 */

import { truncate } from "./bytes.ts"
import { isDate } from "./realm.ts"

const longest = 60

/** Returns a value as it would be written in code, or its kind. Use it for what the source says, such as an option. */
export const describeFound = (found: unknown): string => {
  if (typeof found === "string") return quoted(found)
  if (typeof found === "number" || typeof found === "bigint" || typeof found === "boolean") return String(found)
  return isRecord(found) ? plainText(found) : kindOf(found)
}

const quoted = (text: string): string => JSON.stringify(text.length > longest ? `${text.slice(0, longest)}…` : text)

const plainText = (found: object): string => {
  try {
    const text = JSON.stringify(found)
    return text.length > longest ? "an object" : text
  } catch {
    return "an object"
  }
}

/** Returns the kind of a value, and nothing of its content. Use it for what people send, which may be secret. */
export const kindOf = (found: unknown): string => {
  if (found === null || found === undefined) return String(found)
  if (typeof found === "number" && !Number.isFinite(found)) return String(found)
  if (typeof found !== "object") return `a ${typeof found}`
  if (isDate(found)) return "a Date"
  if (Array.isArray(found)) return "an array"
  return isRecord(found) ? "an object" : instanceName(found)
}

const isRecord = (found: unknown): found is object => {
  if (typeof found !== "object" || found === null || Array.isArray(found)) return false
  const prototype: unknown = Object.getPrototypeOf(found)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** Describes an instance of a class by the name of the class. */
export const instanceName = (found: object): string => {
  const name: unknown = found.constructor?.name
  return typeof name === "string" && name !== "" && name !== "Object"
    ? `an instance of ${name}`
    : "an object with a prototype of its own"
}

/** Returns the beginning of a path: the sender of a value chooses the length of its keys and its depth. */
export const shortened = (path: string): string => {
  const beginning = truncate(path, 200)
  return beginning === path ? path : `${beginning}…`
}
