/**
 * Why a value does not fit its Schema, in one sentence: what was expected, where, and what kind of thing was found.
 *
 * Owns: these words. Does not own: what fits, which the Schema says.
 *
 * Invariant: nothing of the value is told but the keys that lead to the place, because payloads may be secret.
 *
 * @since 0.1.0
 */
import { kindOf } from "./found.ts"

export interface Misfit {
  /** `Expected string at ["customer"], found a number`, without a full stop. */
  readonly message: string
  /** Where the value does not fit, and what stands there. */
  readonly path: ReadonlyArray<string | number>
  readonly found: unknown
}

/** What is wrong with a value, by the message of its Schema: a sentence, and below it the path of what it is about. */
export const misfitOf = (message: string, value: unknown): Misfit => {
  const [, said = message, place = ""] = /^([^\n]*)\n\s+at (\[[^\n]*\])$/.exec(message) ?? []
  const sentence = said.replaceAll(jsonNumber, "number")
  const path = Array.from(place.matchAll(keys), ([, key = ""]): string | number => JSON.parse(key))
  const holder = path.slice(0, -1).reduce<unknown>(memberOf, value)
  const found = path.slice(-1).reduce<unknown>(memberOf, holder)
  // What stands inside of a text is not seen here. A key that is missing says so itself, and of several sentences nobody knows
  // which one is meant.
  const isSeen = path.length === 0 || (typeof holder === "object" && holder !== null)
  const kind = isSeen && /^Expected [^\n]*$/.test(sentence) ? `, found ${kindOf(found)}` : ""
  return {
    message: `${sentence}${place === "" ? "" : ` at ${place.slice(0, longest)}${place.length > longest ? "…" : ""}`}${kind}`,
    path,
    found
  }
}

/** What Effect expects of the JSON of a number; of a text it expects the last three only. */
const jsonNumber = /(?:number \| )?"Infinity" \| "-Infinity" \| "NaN"/g

const keys = /\[("(?:[^"\\]|\\.)*"|\d+)\]/g

/** Characters of a place that are told: who sent a value chose how long its keys are and how deep it goes. */
const longest = 200

/** A value may throw when it is looked at. */
const memberOf = (value: unknown, key: string | number): unknown => {
  if (value === null || value === undefined) return undefined
  try {
    return Reflect.get(Object(value), key)
  } catch {
    return undefined
  }
}
