/**
 * Why a value does not fit its Schema, in one sentence: what was expected, where, and what kind of value was found.
 *
 * Owns: this sentence. Does not own: what fits, which the Schema decides.
 *
 * Invariant: the sentence shows nothing of the value but the keys that lead to the place, because payloads may be secret.
 *
 * @since 0.1.0
 */
import { kindOf, shortened } from "./found.ts"

export interface Misfit {
  /** `Expected string at ["customer"], found a number`, without a full stop. */
  readonly message: string
  /** The path at which the value does not fit, and what was found there. */
  readonly path: ReadonlyArray<string | number>
  readonly found: unknown
}

/**
 * Returns what is wrong with a value, from the message of its Schema: a sentence, and below it the path of the part that
 * does not fit.
 */
export const misfitOf = (message: string, value: unknown): Misfit => {
  const [, said = message, place = ""] = /^([^\n]*)\n\s+at (\[[^\n]*\])$/.exec(message) ?? []
  const sentence = said.replaceAll(jsonNumber, "number")
  const path = Array.from(place.matchAll(keys), ([, key = ""]): string | number => JSON.parse(key))
  const holder = path.slice(0, -1).reduce<unknown>(memberOf, value)
  const found = path.slice(-1).reduce<unknown>(memberOf, holder)
  // A path into a text leads nowhere here. The message for a missing key says so itself. If there are several sentences,
  // the one that applies is not known.
  const isSeen = path.length === 0 || (typeof holder === "object" && holder !== null)
  const kind = isSeen && /^Expected [^\n]*$/.test(sentence) ? `, found ${kindOf(found)}` : ""
  return {
    message: `${sentence}${place === "" ? "" : ` at ${shortened(place)}`}${kind}`,
    path,
    found
  }
}

/** What Effect expects of the JSON of a number. Of a text it expects only the last three. */
const jsonNumber = /(?:number \| )?"Infinity" \| "-Infinity" \| "NaN"/g

const keys = /\[("(?:[^"\\]|\\.)*"|\d+)\]/g

/** Returns a member of a value, and undefined if reading it throws. */
const memberOf = (value: unknown, key: string | number): unknown => {
  if (value === null || value === undefined) return undefined
  try {
    return Reflect.get(Object(value), key)
  } catch {
    return undefined
  }
}
