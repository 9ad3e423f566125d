/**
 * Reads well-formed messages a few times faster than their schemas do.
 *
 * Owns: for a schema built of known parts, a reader that either returns exactly what the schema would decode, or is unsure.
 * Does not own: the errors of a message. If a reader is unsure, the schema decides.
 *
 * Readers are created together with the schemas, from the same parts, so every message has one definition.
 */
import * as Schema from "effect/Schema"

/** A value that only the schema can judge. */
export const unsure: unique symbol = Symbol("unsure")

/** Reads a value, or is unsure about it. Undefined represents a field that counts as absent. */
export type Quick = (input: unknown) => unknown

const known = new WeakMap<object, Quick>()

/** Schemas of fields that may be absent. */
const optional = new WeakSet<object>()

/** Registers the reader of a schema's values. */
export const learn = <S extends object>(schema: S, quick: Quick | undefined): S => {
  if (quick !== undefined) known.set(schema, quick)
  return schema
}

/** Registers a field that may be absent, undefined or null, and is otherwise read like another schema. */
export const learnOptional = <S extends object>(schema: S, within: object): S => {
  optional.add(schema)
  return learn(schema, quickly(within))
}

/** Returns the reader of a schema, if there is one. */
export const quickly = (schema: object): Quick | undefined => known.get(schema)

learn(Schema.String, (input) => (typeof input === "string" ? input : unsure))
learn(Schema.Boolean, (input) => (typeof input === "boolean" ? input : unsure))
learn(Schema.Finite, (input) => (Number.isFinite(input) ? input : unsure))

/** Returns a reader of an array, if its items have a reader. */
export const listOf = (item: object): Quick | undefined => {
  const read = quickly(item)
  if (read === undefined) return undefined
  return (input) => {
    if (!Array.isArray(input)) return unsure
    const output: Array<unknown> = []
    for (let index = 0; index < input.length; index++) {
      const value = read(input[index])
      if (value === unsure) return unsure
      output.push(value)
    }
    return output
  }
}

/** Returns a reader of a plain object with these fields, which drops all others. */
export const recordOf = (fields: Readonly<Record<string, object>>): Quick | undefined => {
  const readers: Array<{ readonly key: string; readonly read: Quick; readonly isOptional: boolean }> = []
  for (const [key, schema] of Object.entries(fields)) {
    const read = quickly(schema)
    if (read === undefined) return undefined
    readers.push({ key, read, isOptional: optional.has(schema) })
  }
  return (input) => {
    if (!isPlain(input)) return unsure
    const output: Record<string, unknown> = {}
    for (const { isOptional, key, read } of readers) {
      const found = input[key]
      if (found === undefined || found === null) {
        if (isOptional) continue
        return unsure
      }
      const value = read(found)
      if (value === unsure) return unsure
      if (value !== undefined) output[key] = value
    }
    return output
  }
}

const isPlain = (input: unknown): input is Record<string, unknown> =>
  typeof input === "object" && input !== null && Object.getPrototypeOf(input) === Object.prototype
