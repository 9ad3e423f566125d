/**
 * Why a value does not fit its Schema, in one sentence: what was expected, where, and what kind of thing was found.
 *
 * Owns: these words. Does not own: what fits, which the Schema says.
 *
 * Invariant: nothing of the value itself is told, because payloads may be secret.
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
  const [, sentence = message, place = ""] = /^([^\n]*)\n\s+at (\[[^\n]*\])$/.exec(message) ?? []
  const path = Array.from(place.matchAll(keys), ([, key = ""]): string | number => JSON.parse(key))
  const found = path.reduce<unknown>(memberOf, value)
  // A key that is missing says so itself, and of several sentences nobody knows which one is meant.
  const kind = /^Expected [^\n]*$/.test(sentence) ? `, found ${kindOf(found)}` : ""
  return { message: `${sentence}${place === "" ? "" : ` at ${place}`}${kind}`, path, found }
}

const keys = /\[("(?:[^"\\]|\\.)*"|\d+)\]/g

const memberOf = (value: unknown, key: string | number): unknown =>
  value === null || value === undefined ? undefined : Reflect.get(Object(value), key)
