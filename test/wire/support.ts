/**
 * What the tests of the wire share: fixtures, one round trip, the seed of the property tests, and small shorthands.
 */
import { assert } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import type { ApiOperationName } from "../../src/wire/Api.ts"
import type { decodeApiError } from "../../src/wire/ApiError.ts"

/** A message as it crosses the wire, and what it is an example of. */
export interface Sample {
  readonly name: string
  readonly wire: unknown
}

/** The fixtures that are not plain messages. */
export interface Fixtures {
  readonly requests: {
    readonly operation: ApiOperationName
    readonly label: string
    readonly target: string
    readonly query?: Record<string, unknown>
  }
  readonly "invoke-headers": Sample & { readonly decoded: unknown }
  readonly "invoke-response-headers": Sample & { readonly decoded: unknown }
  readonly "api-errors": {
    readonly name: string
    readonly response: Parameters<typeof decodeApiError>[0]
    readonly failure: Record<string, unknown>
  }
}

/** The fixtures of one kind, from test/golden/wire. */
export const golden = <K extends string>(kind: K): ReadonlyArray<K extends keyof Fixtures ? Fixtures[K] : Sample> =>
  JSON.parse(readFileSync(new URL(`../golden/wire/${kind}.json`, import.meta.url), "utf8"))

/** What the schema makes of the input. Throws when it refuses. */
export const decode = <Type>(schema: Schema.Codec<Type, unknown>, input: unknown): Type =>
  Schema.decodeUnknownSync(schema)(input)

/** What the schema writes. Throws when it refuses. */
export const encode = <Type>(schema: Schema.Codec<Type, unknown>, value: Type): unknown =>
  Schema.encodeSync(schema)(value)

/** Whether the schema refuses the input. */
export const refuses = (schema: Schema.Codec<unknown, unknown>, input: unknown): boolean =>
  Result.isFailure(Schema.decodeUnknownResult(schema)(input))

/** Asserts that decoding and encoding gives the same JSON, and returns what was decoded. */
export const roundTrip = <Type>(schema: Schema.Codec<Type, unknown>, wire: unknown): Type => {
  const decoded = decode(schema, wire)
  assert.deepStrictEqual(encode(schema, decoded), wire)
  return decoded
}

/** The failure of a result that must be one. */
export const failureOf = <A, E>(result: Result.Result<A, E>): E => {
  assert.isTrue(Result.isFailure(result), "expected a failure")
  return Result.getOrThrow(Result.flip(result))
}

/** The seed of this run: SEED, or the time. Printed, so that a failure can be repeated. */
export const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31)
