import * as Schema from "effect/Schema"

/** A field that may be absent, undefined or null on the wire and is then absent or undefined for us. */
export const maybe = <S extends Schema.Top>(schema: S) => Schema.optional(schema)
