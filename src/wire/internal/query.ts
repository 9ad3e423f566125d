/**
 * The kinds of parameter in a query string. A parameter arrives as text, or as a list of texts when its key is repeated.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaIssue from "effect/SchemaIssue"
import { EventTimestamp } from "../Timestamp.ts"

/** `true` or `false`. */
export const flag: Schema.Codec<boolean, string> = Schema.Literals(["true", "false"]).pipe(
  Schema.decodeTo(Schema.Boolean, {
    decode: SchemaGetter.transform((text) => text === "true"),
    encode: SchemaGetter.transform((value) => (value ? "true" : "false"))
  })
)

/** A whole number, in decimal digits. */
export const integer: Schema.Codec<number, string> = Schema.String.pipe(
  Schema.decodeTo(Schema.Int, {
    decode: SchemaGetter.transformEffect((text: string) =>
      /^-?\d{1,15}$/.test(text)
        ? Effect.succeed(Number(text) + 0)
        : Effect.fail(new SchemaIssue.InvalidValue({ expected: "a whole number" }))
    ),
    encode: SchemaGetter.transform(String)
  })
)

/** ISO-8601 text, written without a fraction when the second is whole, as AWS's client does. */
export const time: Schema.Codec<number, string> = Schema.String.pipe(
  Schema.decodeTo(EventTimestamp, {
    decode: SchemaGetter.passthrough<string | number | Date, string>({ strict: false }),
    encode: SchemaGetter.transform((milliseconds) => new Date(milliseconds).toISOString().replace(".000Z", "Z"))
  })
)

/** A parameter that may be repeated. */
export const list = <Item>(
  item: Schema.Codec<Item, string>
): Schema.Codec<ReadonlyArray<Item>, string | ReadonlyArray<string>> =>
  Schema.Union([Schema.String, Schema.Array(Schema.String)]).pipe(
    Schema.decodeTo(Schema.Array(item), {
      decode: SchemaGetter.transform((input) => (typeof input === "string" ? [input] : input)),
      encode: SchemaGetter.transform((items) => items)
    })
  )
