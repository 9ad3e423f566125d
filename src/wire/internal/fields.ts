/**
 * The building blocks of every schema in this folder: a JSON object that tolerates the omissions of services, emulators and
 * AWS's client, and the kinds of field in it.
 *
 * An optional field may be absent, undefined or null in the input and is absent in the decoded value; none of the three is
 * ever emitted. Unknown fields are dropped. Stripping happens once per object, before its struct is parsed, which is several
 * times cheaper than a transformation per field.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import { learn, learnOptional, listOf, recordOf, quickly, unsure } from "./quick.ts"

/** A JSON object with these fields. */
export const record = <const Fields extends Schema.Struct.Fields>(
  fields: Fields
): Schema.Codec<Schema.Struct<Fields>["Type"], Schema.Struct<Fields>["Encoded"]> =>
  learn(stripped(Schema.Struct(fields)), recordOf(fields))

/** An array. */
export const list = <Type, Encoded>(item: Schema.Codec<Type, Encoded>) => learn(Schema.Array(item), listOf(item))

/** Returns the same codec with a pass that removes the keys whose value is null or undefined, in both directions. */
export const stripped = <S extends Schema.Constraint>(schema: S): Schema.Codec<S["Type"], S["Encoded"]> => {
  const within = Schema.make<Schema.Codec<S["Type"], unknown>>(schema.ast)
  const codec = Schema.Unknown.pipe(Schema.decodeTo(within, { decode: strip, encode: strip }))
  // From outside only the tolerance changes: the types remain those of the inner schema.
  return Schema.make<Schema.Codec<S["Type"], S["Encoded"]>>(codec.ast)
}

/** A JSON object of unknown content: decodes to, and encodes as, the empty object. */
export const nothing: Schema.Codec<{}> = Schema.declare((input): input is {} => isObject(input)).pipe(
  Schema.decodeTo(Schema.Struct({}), {
    decode: SchemaGetter.transform(() => ({})),
    encode: SchemaGetter.transform(() => ({}))
  })
)

/** A field that may be absent, undefined or null on the wire and then decodes as absent or undefined. */
export const maybe = <S extends Schema.Constraint>(schema: S) => learnOptional(Schema.optional(schema), schema)

/** A field that always decodes as an object, an empty one if the sender omitted it. */
export const orEmpty = <Type>(schema: Schema.Codec<Type, {}>) =>
  learn(schema.pipe(Schema.withDecodingDefaultKey<Schema.Codec<Type, {}>>(Effect.succeed({}))), quickly(schema))

/** A field that always decodes as an array, an empty one if the sender omitted it. */
export const orNone = <Type, Encoded>(item: Schema.Codec<Type, Encoded>) =>
  learn(
    Schema.Array(item).pipe(
      Schema.withDecodingDefaultKey<Schema.$Array<Schema.Codec<Type, Encoded>>>(Effect.succeed([]))
    ),
    listOf(item)
  )

/** A text with known values to which the service may add more. */
export const open = <Known extends string>(): Schema.Codec<Known | (string & {}), string> => Schema.String

/** The quick reader of a text in which an empty text counts as absent. */
const someText = learn({}, (input) => (typeof input === "string" ? input || undefined : unsure))

/** The start of the next page. An empty text ends paging like an absent one, and decodes as absent. */
export const marker = learnOptional(
  Schema.optional(Schema.String).pipe(
    Schema.encodeTo(Schema.optional(Schema.String), {
      decode: SchemaGetter.transformOptional(Option.filter((text: string | undefined) => text !== "")),
      encode: SchemaGetter.passthrough()
    })
  ),
  someText
)

const strip = SchemaGetter.transform((input: unknown): unknown =>
  isObject(input) && hasNullish(input) ? withoutNullish(input) : input
)

const isObject = (input: unknown): input is Record<string, unknown> =>
  typeof input === "object" && input !== null && !Array.isArray(input)

const hasNullish = (input: Record<string, unknown>): boolean => {
  for (const key in input) if (input[key] === null || input[key] === undefined) return true
  return false
}

const withoutNullish = (input: Record<string, unknown>): Record<string, unknown> => {
  const output: Record<string, unknown> = {}
  for (const key in input) {
    const value = input[key]
    // Assigning to __proto__ would change the prototype of the object, and no field has that name.
    if (value !== null && value !== undefined && key !== "__proto__") output[key] = value
  }
  return output
}
