/**
 * What was found in the place of something else, for a message: short, and of one line.
 *
 * Owns: these words. Does not own: what was expected.
 *
 * @since 0.1.0
 */

import { isDate } from "./realm.ts"

const longest = 60

/** A value as people would write it, or what kind of thing it is. For what the source says, such as an option. */
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

/** What kind of thing a value is, and nothing of what is in it. For what people send, which may be secret. */
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

/** An object of a class, by its name. */
export const instanceName = (found: object): string => {
  const name: unknown = found.constructor?.name
  return typeof name === "string" && name !== "" && name !== "Object"
    ? `an instance of ${name}`
    : "an object with a prototype of its own"
}
