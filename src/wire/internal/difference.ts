/**
 * Decoding of untrusted input: it never throws, and reports where the input differs from its schema without repeating any of
 * it, because inputs hold tokens and payloads.
 */
import { cast } from "effect/Function"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import { quickly, unsure } from "./quick.ts"

/**
 * The place where an input differs from its schema (`A.B[3].C`, empty for the input itself), and the difference. Both are
 * short.
 */
export interface Difference {
  readonly path: string
  readonly problem: string
}

/** Returns a decoder of the schema, compiled once. No input can make it throw. */
export const decoder = <Type>(
  schema: Schema.Codec<Type, unknown>
): ((input: unknown) => Result.Result<Type, Difference>) => {
  const decode = SchemaParser.decodeUnknownResult(schema)
  const quick = quickly(schema)
  return (input) => {
    try {
      const read = quick?.(input) ?? unsure
      if (read !== unsure) return Result.succeed(cast<unknown, Type>(read))
      return Result.mapError(decode(input), (issue) => difference(issue, input))
    } catch {
      // An accessor or a proxy in the input threw while it was read.
      return Result.fail({ path: "", problem: "it could not be read" })
    }
  }
}

/** Returns the kind of a value in words for a message, without its content. */
export const kindOf = (value: unknown): string => {
  if (value === undefined) return "nothing"
  if (value === null) return "null"
  if (Array.isArray(value)) return "an array"
  return typeof value === "object" ? "an object" : `a ${typeof value}`
}

const longest = 300

const difference = (issue: SchemaIssue.Issue, input: unknown): Difference => {
  const { message, path } = deepest(format(issue).issues)
  const expected = message === "Missing key" ? "it is missing" : lowerFirst(message).replace(" | undefined", "")
  const holder = valueAt(input, path.slice(0, -1))
  // A value inside of a text is not visible here.
  const isSeen = path.length === 0 || (typeof holder === "object" && holder !== null)
  const found = isSeen && message.startsWith("Expected") ? `, found ${kindOf(valueAt(input, path))}` : ""
  return { path: cut(path.map(segment).join("").replace(/^\./, "")), problem: cut(expected) + found }
}

const format = SchemaIssue.makeFormatterStandardSchemaV1()

interface Leaf {
  readonly message: string
  readonly path: ReadonlyArray<PropertyKey>
}

/**
 * Returns the most specific issue: a union reports one per member, and the member with the longest path is the intended one.
 */
const deepest = (issues: ReturnType<typeof format>["issues"]): Leaf =>
  issues
    .map((issue) => ({ message: issue.message, path: (issue.path ?? []).map(keyOf) }))
    .reduce((a, b) => (b.path.length > a.path.length ? b : a))

const keyOf = (segment: PropertyKey | { readonly key: PropertyKey }): PropertyKey =>
  typeof segment === "object" ? segment.key : segment

const segment = (key: PropertyKey): string => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)

const valueAt = (input: unknown, path: ReadonlyArray<PropertyKey>): unknown =>
  path.reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined),
    input
  )

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)

const cut = (text: string): string => (text.length <= longest ? text : `${text.slice(0, longest)}…`)
