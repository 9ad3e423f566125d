/**
 * Durations that people write, and that Effect's Duration does not read: "1h", "30 mins", "1 hour 30 minutes".
 *
 * Owns: which accepted spelling is meant, and how that is said. Does not own: which durations somebody takes.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

/** What people write for a unit; its name in a text, and in a record. */
const units: ReadonlyArray<readonly [written: RegExp, inText: string, inRecord: string]> = [
  [/^(ms|msecs?|millis?|milliseconds?)$/i, "millis", "milliseconds"],
  [/^(s|secs?|seconds?)$/i, "seconds", "seconds"],
  [/^(m|mins?|minutes?)$/i, "minutes", "minutes"],
  [/^(h|hrs?|hours?)$/i, "hours", "hours"],
  [/^(d|days?)$/i, "days", "days"],
  [/^(w|wks?|weeks?)$/i, "weeks", "weeks"]
]

const part = /(-?\d+(?:\.\d+)?)\s*([a-z]+)\.?/gi

/** The accepted spelling of a text, if it can be told what is meant. */
const spellingOf = (text: string): string | undefined => {
  const found = Array.from(text.slice(0, 100).matchAll(part), ([, number = "", unit = ""]) => ({
    number,
    unit: units.find(([written]) => written.test(unit))
  }))
  // Whatever is left over says something that is not understood.
  if (
    text
      .slice(0, 100)
      .replaceAll(part, "")
      .replaceAll(/\band\b|[\s,]/g, "") !== ""
  )
    return undefined
  const names = found.flatMap(({ unit }) => (unit === undefined ? [] : [unit]))
  if (names.length !== found.length || new Set(names).size !== names.length) return undefined
  const [first] = found
  if (first === undefined) return undefined
  return found.length === 1
    ? `"${first.number} ${first.number === "1" ? (names[0]?.[1] ?? "").replace(/s$/, "") : names[0]?.[1]}"`
    : `{ ${found.map(({ number, unit }) => `${unit?.[2]}: ${number}`).join(", ")} }`
}

/** What to write in the place of something that is no duration. */
export const howToWrite = (given: unknown): string => {
  const spelling = typeof given === "string" ? spellingOf(given) : undefined
  return spelling === undefined
    ? 'Write "1 hour", "30 seconds", a Duration or a number of milliseconds.'
    : `Write ${spelling}.`
}

/** Reads a duration, and throws for what is none, in the words of whoever takes it. */
export const readDuration = (what: string, given: Duration.Input): Duration.Duration =>
  Option.getOrThrowWith(Duration.fromInput(given), () => {
    const found = typeof given === "string" ? JSON.stringify(given.slice(0, 40)) : `a value of type ${typeof given}`
    return new Error(`Expected ${what} to be a duration, found ${found}. ${howToWrite(given)}`)
  })
