/**
 * The causes of an error that a program threw without having declared it.
 *
 * Owns: the causes in the order in which one led to the other. Does not own: how they are recorded.
 *
 * @since 0.1.0
 */
import { isOrigin, readOrigin } from "../values/origins.ts"
import type { ErrorObject } from "../wire/ErrorObject.ts"

export interface Cause {
  readonly type: string
  readonly message: string
  /** The code, such as `ECONNREFUSED`. */
  readonly code?: string | undefined
}

/** The origin of an error: its own code, and its causes, the nearest first. */
export interface Origin {
  readonly code?: string | undefined
  readonly causes: ReadonlyArray<Cause>
}

/** Returns the origin of an error, if its data holds one. */
export const originOf = ({ ErrorData: data }: ErrorObject): Origin | undefined => {
  if (!isOrigin(data)) return undefined
  const error = new Error("thrown")
  readOrigin(error, data)
  const causes: Array<Cause> = []
  for (let { cause } = error; cause !== undefined; cause = cause instanceof Error ? cause.cause : undefined) {
    causes.push(causeOf(cause))
  }
  return { code: codeOf(error), causes }
}

const causeOf = (cause: unknown): Cause =>
  cause instanceof Error
    ? { type: cause.name, message: cause.message, code: codeOf(cause) }
    : { type: "Value", message: JSON.stringify(cause) ?? String(cause) }

const codeOf = (error: Error): string | undefined =>
  "code" in error && (typeof error.code === "string" || typeof error.code === "number") ? String(error.code) : undefined
