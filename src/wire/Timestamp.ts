/**
 * A point in time on the wire. In the library, time is always a number of milliseconds since the epoch.
 *
 * The service counts whole milliseconds. The engine of this library orders events within one millisecond by a fraction,
 * which must return unchanged.
 *
 * The service writes the same fields in two ways: milliseconds in the event of an invocation, seconds with a fraction in the
 * answers of its REST API. A bare number is readable only if its origin is known, so every message with a time in it has an
 * event form and an API form. Text and `Date` mean the same in both.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaIssue from "effect/SchemaIssue"
import { learn, unsure } from "./internal/quick.ts"

/**
 * A codec between some encoding of time and epoch milliseconds.
 *
 * @since 0.1.0
 * @category models
 */
export interface Timestamp extends Schema.Codec<number, number | string | Date> {}

/**
 * A time in the event of an invocation, in any of its forms: epoch milliseconds, ISO-8601 text, `yyyy-MM-dd
 * HH:mm:ss.SSSSSSXXX` text, or a `Date` (AWS's test runner and AWS's client). Text without an offset is UTC, and its
 * fractions of a millisecond are cut off. Encodes as epoch milliseconds, with the fraction if there is one.
 *
 * @since 0.1.0
 * @category schemas
 */
export const EventTimestamp: Timestamp = timestamp(
  "a point in time: epoch milliseconds, ISO-8601 text or a Date",
  (value) => value,
  (milliseconds) => milliseconds
)

/**
 * A time in a request or an answer of the REST API: epoch seconds with a fraction, or a `Date` where AWS's client has
 * converted them already, or ISO-8601 text as AWS's command line prints them. Fractions of a millisecond are rounded in
 * numbers and cut off in this text. Milliseconds are refused here: as seconds they would lie beyond the year 9999.
 *
 * Encodes whole milliseconds as epoch seconds with a fraction of at most three digits. A time between two milliseconds is
 * encoded as text that only this library writes: epoch milliseconds with their fraction, such as `1767225600000.0002`. As
 * seconds it would return as another number, and could not be distinguished from the microseconds of a foreign service.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ApiTimestamp: Timestamp = timestamp(
  "a point in time: epoch seconds, ISO-8601 text or a Date",
  (seconds) => Math.round(seconds * 1000),
  (milliseconds) => (Number.isInteger(milliseconds) ? milliseconds / 1000 : String(milliseconds))
)

function timestamp(
  expected: string,
  toMilliseconds: (value: number) => number,
  fromMilliseconds: (milliseconds: number) => number | string
): Timestamp {
  const refused = Effect.fail(new SchemaIssue.InvalidValue({ expected }))
  // Eager on purpose: a transformation with a finished effect costs next to nothing. Adding 0 turns -0 into 0.
  const schema = Schema.declare(isEncoded, { expected }).pipe(
    Schema.decodeTo(Schema.Number, {
      decode: SchemaGetter.transformEffect((value) => {
        const milliseconds = typeof value === "number" ? toMilliseconds(value) + 0 : parse(value)
        return isTime(milliseconds) ? Effect.succeed(milliseconds) : refused
      }),
      encode: SchemaGetter.transformEffect((milliseconds: number) =>
        isTime(milliseconds) ? Effect.succeed(fromMilliseconds(milliseconds + 0)) : refused
      )
    })
  )
  return learn(schema, (input) => {
    const milliseconds =
      typeof input === "number" ? toMilliseconds(input) + 0 : input instanceof Date ? input.getTime() : undefined
    return isTime(milliseconds) ? milliseconds : unsure
  })
}

/** The last millisecond of the year 9999: text has four digits for a year, and no execution lives longer. */
const latest = 253_402_300_799_999

const isTime = (milliseconds: number | undefined): milliseconds is number =>
  milliseconds !== undefined && Math.abs(milliseconds) <= latest

function isEncoded(value: unknown): value is Timestamp["Encoded"] {
  return typeof value === "number" || typeof value === "string" || isDate(value)
}

/** Returns whether the value is a Date, also one from another realm, which `instanceof` does not recognise. */
function isDate(value: unknown): value is Date {
  try {
    Date.prototype.getTime.call(value)
    return true
  } catch {
    return false
  }
}

const parse = (value: string | Date): number | undefined =>
  typeof value === "string" ? parseText(value) : Date.prototype.getTime.call(value)

const text =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(?:[.,](\d{1,3})\d*)?)?\s?(Z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?)?$/i

const parseText = (value: string): number | undefined => {
  if (value.length > 64) return undefined
  const parts = text.exec(value)
  if (parts === null) return parseFraction(value)
  const [, date = "", minutes = "00:00", seconds = "00", fraction = "0", offset = "Z"] = parts
  const utc = Date.parse(`${date}T${minutes}:${seconds}.${fraction.padEnd(3, "0")}Z`)
  const isRealDay = !Number.isNaN(utc) && (minutes === "24:00" || new Date(utc).toISOString().startsWith(date))
  return isRealDay ? utc - offsetOf(offset) : undefined
}

/** Parses epoch milliseconds with a fraction, in the form that this library writes. */
const parseFraction = (value: string): number | undefined => {
  const milliseconds = /^-?\d+(?:\.\d+)?(?:e-\d+)?$/.test(value) ? Number(value) : undefined
  return Number.isInteger(milliseconds) ? undefined : milliseconds
}

/** Returns the milliseconds that a clock with this offset is ahead of UTC: `Z`, `+01`, `+0130`, `-01:30`. */
const offsetOf = (offset: string): number => {
  if (/^z$/i.test(offset)) return 0
  const hours = Number(offset.slice(1, 3))
  const minutes = Number(offset.slice(3).replace(":", "") || "0")
  return (offset.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * 60_000
}
