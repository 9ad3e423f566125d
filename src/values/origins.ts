/**
 * The `code` and the `cause` of a thrown Error, which it has in addition to its name, message and stack.
 *
 * Owns: how these are written into the data of an error object, and read back.
 * Does not own: the rest of the error object. An Error with neither has no data.
 *
 * @since 0.1.0
 */
import { stringifyPlain } from "../internal/plainJson.ts"
import { isError } from "../internal/realm.ts"
import { propertyAt } from "../wire/internal/properties.ts"

/** How many nested causes are kept. Further ones add no information. */
const deepest = 5

/** The key that marks the data of a defect, so that it cannot be mistaken for an error of a Schema. */
const key = "~defect"

/** The parts of an Error that can be written. */
interface Origin {
  readonly name?: string
  readonly message?: string
  readonly code?: string | number
  readonly cause?: { readonly error: Origin } | { readonly value: unknown }
}

/** Writes the data of a thrown Error, if it has a code or a cause. */
export const writeOrigin = (error: Error, textOf: (value: unknown) => string): string | undefined => {
  try {
    const { cause, code } = originOf(error, textOf, deepest)
    return code === undefined && cause === undefined ? undefined : JSON.stringify({ [key]: { code, cause } })
  } catch {
    // If reading a property throws, the message must not be lost.
    return undefined
  }
}

const originOf = (error: Error, textOf: (value: unknown) => string, depth: number): Origin => {
  const { cause, message, name } = error
  return {
    name: textOf(name),
    message: textOf(message),
    ...codeOf(error),
    ...(cause === undefined || depth === 0 ? undefined : { cause: causeOf(cause, textOf, depth - 1) })
  }
}

const codeOf = (error: Error): { readonly code?: string | number } => {
  const code = propertyAt(error, "code")
  return typeof code === "string" || (typeof code === "number" && Number.isFinite(code)) ? { code } : {}
}

const causeOf = (cause: unknown, textOf: (value: unknown) => string, depth: number): NonNullable<Origin["cause"]> =>
  isError(cause) ? { error: originOf(cause, textOf, depth) } : { value: plainOr(cause, textOf) }

/** Returns a value that is no Error as it is if JSON keeps it, otherwise as text. */
const plainOr = (value: unknown, textOf: (value: unknown) => string): unknown => {
  try {
    return JSON.parse(stringifyPlain(value))
  } catch {
    return textOf(value)
  }
}

/** Checks whether the data of an error object is that of a defect. */
export const isOrigin = (data: string | undefined): data is string => data?.startsWith(`{"${key}":`) === true

/** Gives an Error the code and the cause that its record holds. */
export const readOrigin = (error: Error, data: string | undefined): void => {
  if (!isOrigin(data)) return
  try {
    adopt(error, propertyAt(JSON.parse(data), key))
  } catch {
    // Another party has cut the text. Only the name and the message remain.
  }
}

const adopt = (error: Error, origin: unknown): void => {
  const code = propertyAt(origin, "code")
  const cause = propertyAt(origin, "cause")
  if (code !== undefined) Object.assign(error, { code })
  if (cause === undefined) return
  const inner = propertyAt(cause, "error")
  error.cause = inner === undefined ? propertyAt(cause, "value") : errorOf(inner)
}

const errorOf = (origin: unknown): Error => {
  const error = new Error(String(propertyAt(origin, "message")))
  error.name = String(propertyAt(origin, "name"))
  error.stack = `${error.name}: ${error.message}`
  adopt(error, origin)
  return error
}
