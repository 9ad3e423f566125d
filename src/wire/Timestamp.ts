/**
 * A point in time as it crosses the wire. Inside, time is always a number of whole milliseconds since the epoch.
 *
 * The service writes the same fields in two ways: milliseconds in the event of an invocation, seconds with a fraction in
 * the answers of its REST API. A bare number can therefore only be read by somebody who knows where it came from, and
 * every message with a time in it has an event form and an API form. Text and `Date` mean the same in both.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaIssue from "effect/SchemaIssue"

/**
 * A codec between some encoding of time and epoch milliseconds.
 *
 * @since 0.1.0
 * @category models
 */
export interface Timestamp extends Schema.Codec<number, number | string | Date> {}

/**
 * Time in the event of an invocation, and whatever else may arrive in its place: whole epoch milliseconds, ISO-8601 text,
 * `yyyy-MM-dd HH:mm:ss.SSSSSSXXX` text, or a `Date` (AWS's test runner and AWS's client). Text without an offset is UTC;
 * fractions of a millisecond are cut off in text and rounded in numbers. Encodes as whole epoch milliseconds.
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
 * Time in a request or an answer of the REST API: epoch seconds with a fraction, or a `Date` where AWS's client has
 * converted them already, or ISO-8601 text as AWS's command line prints them. Encodes as epoch seconds with a fraction of
 * at most three digits. Milliseconds in this place are refused: as seconds they would lie beyond the year 9999.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ApiTimestamp: Timestamp = timestamp(
  "a point in time: epoch seconds, ISO-8601 text or a Date",
  (value) => value * 1000,
  (milliseconds) => milliseconds / 1000
)

function timestamp(
  expected: string,
  toMilliseconds: (value: number) => number,
  fromMilliseconds: (milliseconds: number) => number
): Timestamp {
  const refused = Effect.fail(new SchemaIssue.InvalidValue({ expected }))
  // Eager on purpose: a transformation that answers with a finished effect costs next to nothing.
  return Schema.declare(isEncoded, { expected }).pipe(
    Schema.decodeTo(Schema.Number, {
      decode: SchemaGetter.transformEffect((value) => {
        const milliseconds = typeof value === "number" ? whole(toMilliseconds(value)) : parse(value)
        return isTime(milliseconds) ? Effect.succeed(milliseconds) : refused
      }),
      encode: SchemaGetter.transformEffect((value: number) => {
        const milliseconds = whole(value)
        return isTime(milliseconds) ? Effect.succeed(fromMilliseconds(milliseconds)) : refused
      })
    })
  )
}

/** The last millisecond of the year 9999: text has four digits for a year, and no execution lives longer. */
const latest = 253_402_300_799_999

const isTime = (milliseconds: number | undefined): milliseconds is number =>
  milliseconds !== undefined && Math.abs(milliseconds) <= latest

/** The nearest whole number; never the negative zero that rounding can give. */
const whole = (value: number): number => Math.round(value) + 0

function isEncoded(value: unknown): value is Timestamp["Encoded"] {
  return typeof value === "number" || typeof value === "string" || isDate(value)
}

/** Whether the value is a Date, also one from another realm, which `instanceof` does not know. */
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
  if (parts === null) return undefined
  const [, date = "", minutes = "00:00", seconds = "00", fraction = "0", offset = "Z"] = parts
  const utc = Date.parse(`${date}T${minutes}:${seconds}.${fraction.padEnd(3, "0")}Z`)
  const isRealDay = !Number.isNaN(utc) && (minutes === "24:00" || new Date(utc).toISOString().startsWith(date))
  return isRealDay ? utc - offsetOf(offset) : undefined
}

/** Milliseconds that a clock with this offset is ahead of UTC: `Z`, `+01`, `+0130`, `-01:30`. */
const offsetOf = (offset: string): number => {
  if (/^z$/i.test(offset)) return 0
  const hours = Number(offset.slice(1, 3))
  const minutes = Number(offset.slice(3).replace(":", "") || "0")
  return (offset.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * 60_000
}
