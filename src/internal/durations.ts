/**
 * Durations that people give: what counts as one, and how one is written that Effect's Duration does not read, such as "1h",
 * "30 mins", "1 hour 30 minutes" or `{ hour: 1 }`.
 *
 * Owns: which values are durations, which accepted spelling is meant, and how that is said. Does not own: which durations
 * somebody takes.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { describeFound } from "./found.ts"

/** What people write for a unit; its name in a text, and in a record. */
const units: ReadonlyArray<readonly [written: RegExp, inText: string, inRecord: string]> = [
  [/^(ms|msecs?|millis?|milliseconds?)$/i, "millis", "milliseconds"],
  [/^(s|secs?|seconds?)$/i, "seconds", "seconds"],
  [/^(m|mins?|minutes?)$/i, "minutes", "minutes"],
  [/^(h|hrs?|hours?)$/i, "hours", "hours"],
  [/^(d|days?)$/i, "days", "days"],
  [/^(w|wks?|weeks?)$/i, "weeks", "weeks"]
]

const unitOf = (written: string) => units.find(([pattern]) => pattern.test(written))

// --- What is a duration --------------------------------------------------------------------------------------------------

/**
 * The milliseconds of a duration, and nothing for what is none. Effect reads a `Date`, NaN, and a record without a unit that it
 * knows, as no time at all.
 */
export const millisIn = (given: unknown): number | undefined =>
  isWritten(given) ? Option.getOrUndefined(Option.map(Duration.fromInput(given), Duration.toMillis)) : undefined

/** The seconds of a duration that is finite and not negative. */
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

// --- How it is written ---------------------------------------------------------------------------------------------------

const part = /(-?\d+(?:\.\d+)?)\s*([a-z]+)\.?/gi

interface Part {
  readonly number: string
  readonly unit: ReturnType<typeof unitOf>
}

/** The accepted spelling of a text or a record, if it can be told what is meant. */
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
  // Whatever is left over says something that is not understood.
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

/** What to write in the place of something that is no duration. */
export const howToWrite = (given: unknown): string => {
  const spelling = spellingOf(given)
  return spelling === undefined
    ? 'Write "1 hour", "30 seconds", a Duration or a number of milliseconds.'
    : `Write ${spelling}.`
}

/** What was found in the place of a duration: a number says its unit, because people mean another one. */
export const describeDuration = (given: unknown): string =>
  typeof given === "number" && !Number.isNaN(given) ? `${given} milliseconds` : describeFound(given)

/** Reads a duration, and throws for what is none, in the words of whoever takes it. */
export const readMillis = (what: string, given: Duration.Input): number => {
  const millis = millisIn(given)
  if (millis !== undefined) return millis
  throw new Error(`Expected ${what} to be a duration, found ${describeDuration(given)}. ${howToWrite(given)}`)
}
