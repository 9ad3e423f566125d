/**
 * Durations in options and arguments: which values count as one, and how to spell one that Effect's Duration does not read,
 * such as "1h", "30 mins", "1 hour 30 minutes" or `{ hour: 1 }`.
 *
 * Owns: which values are durations, which accepted spelling is meant, and the advice that names it. Does not own: which
 * durations a caller accepts.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { describeFound } from "./found.ts"

/** The spellings of each unit; its name in a text, and in a record. */
const units: ReadonlyArray<readonly [written: RegExp, inText: string, inRecord: string]> = [
  [/^(ms|msecs?|millis?|milliseconds?)$/i, "millis", "milliseconds"],
  [/^(s|secs?|seconds?)$/i, "seconds", "seconds"],
  [/^(m|mins?|minutes?)$/i, "minutes", "minutes"],
  [/^(h|hrs?|hours?)$/i, "hours", "hours"],
  [/^(d|days?)$/i, "days", "days"],
  [/^(w|wks?|weeks?)$/i, "weeks", "weeks"]
]

const unitOf = (written: string) => units.find(([pattern]) => pattern.test(written))

// --- Reading -------------------------------------------------------------------------------------------------------------

/**
 * Returns the milliseconds of a duration, and undefined for any other value. Effect reads a `Date`, NaN, and a record
 * without a known unit as no time at all.
 */
export const millisIn = (given: unknown): number | undefined =>
  isWritten(given) ? Option.getOrUndefined(Option.map(Duration.fromInput(given), Duration.toMillis)) : undefined

/** Returns the seconds of a duration that is finite and not negative. */
export const secondsIn = (given: unknown): number | undefined => {
  const millis = millisIn(given)
  return millis !== undefined && millis >= 0 && millis < Infinity ? millis / 1_000 : undefined
}

const isWritten = (given: unknown): given is Duration.Input => {
  if (typeof given !== "object") return given !== undefined && !Number.isNaN(given)
  if (given === null || Duration.isDuration(given)) return given !== null
  const parts: ReadonlyArray<readonly [string, unknown]> = Object.entries(given)
  const isKnown = Array.isArray(given) || parts.every(([unit]) => recordUnit.test(unit))
  const numbers = parts.flatMap(([, part]) => (part === undefined ? [] : [part]))
  return isKnown && numbers.length > 0 && numbers.every((part) => typeof part === "number" && !Number.isNaN(part))
}

const recordUnit = /^(weeks|days|hours|minutes|(milli|micro|nano)?seconds)$/

// --- Spelling ------------------------------------------------------------------------------------------------------------

const part = /(-?\d+(?:\.\d+)?)\s*([a-z]+)\.?/gi

interface Part {
  readonly number: string
  readonly unit: ReturnType<typeof unitOf>
}

/** Returns the accepted spelling of a text or a record, if its meaning is clear. */
const spellingOf = (given: unknown): string | undefined => {
  const found = typeof given === "string" ? partsOfText(given.slice(0, 100)) : partsOfRecord(given)
  const names = found.flatMap(({ unit }) => (unit === undefined ? [] : [unit]))
  if (names.length !== found.length || new Set(names).size !== names.length) return undefined
  const [first] = found
  if (first === undefined) return undefined
  return found.length === 1 && typeof given === "string"
    ? `"${first.number} ${first.number === "1" ? (names[0]?.[1] ?? "").replace(/s$/, "") : names[0]?.[1]}"`
    : `{ ${found.map(({ number, unit }) => `${unit?.[2]}: ${number}`).join(", ")} }`
}

const partsOfText = (text: string): ReadonlyArray<Part> => {
  // A remainder means that part of the text is not understood.
  const rest = text.replaceAll(part, "").replaceAll(/\band\b|[\s,]/g, "")
  if (rest !== "") return []
  return Array.from(text.matchAll(part), ([, number = "", unit = ""]) => ({ number, unit: unitOf(unit) }))
}

const partsOfRecord = (given: unknown): ReadonlyArray<Part> =>
  typeof given !== "object" || given === null || Array.isArray(given)
    ? []
    : Object.entries(given).map(([unit, number]) => ({
        number: String(number),
        unit: typeof number === "number" && Number.isFinite(number) ? unitOf(unit) : undefined
      }))

/** Returns advice on what to write instead of a value that is no duration. */
export const howToWrite = (given: unknown): string => {
  const spelling = spellingOf(given)
  return spelling === undefined
    ? 'Write "1 hour", "30 seconds", a Duration or a number of milliseconds.'
    : `Write ${spelling}.`
}

/**
 * Describes a value that was given as a duration. A number is shown with its unit, because it is often meant in another
 * one.
 */
export const describeDuration = (given: unknown): string =>
  typeof given === "number" && !Number.isNaN(given) ? `${given} milliseconds` : describeFound(given)

/** Reads a duration. Throws for any other value, and calls the duration by the name that the caller gives. */
export const readMillis = (what: string, given: Duration.Input): number => {
  const millis = millisIn(given)
  if (millis !== undefined) return millis
  throw new Error(`Expected ${what} to be a duration, found ${describeDuration(given)}. ${howToWrite(given)}`)
}
