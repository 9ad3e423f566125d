/** Options of the local engine that make no sense are told when it is made, before it listens. */
import { assert, describe, it } from "@effect/vitest"
import { LocalEngine } from "effect-durable/local"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import * as Layer from "effect/Layer"

const messageOf = (options: object) =>
  LocalEngine.layer(cast({ functions: [], port: 0, database: ":memory:", ...options })).pipe(
    Layer.build,
    Effect.scoped,
    Effect.exit,
    Effect.map((exit) => (Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "it is made"))
  )

const command = (options: object) => ({ functions: [LocalEngine.command("a", ["true"], options)] })

const cases: Record<string, readonly [options: object, expected: RegExp]> = {
  "a negative port": [
    { port: -1 },
    /option port of LocalEngine\.layer to be a whole number from 0 to 65535, found -1\./
  ],
  "a port beyond all": [{ port: 70_000 }, /from 0 to 65535, found 70000\./],
  "a text as the port": [{ port: "80" }, /option port .* found "80"\./],
  "a host that others reach": [
    { host: "0.0.0.0" },
    /option host .* to be "127\.0\.0\.1" or "::1", found "0\.0\.0\.0"\./
  ],
  "no day of retention": [
    { retentionDays: 0 },
    /retentionDays .* to be a whole number of days from 1 to 90, found 0\./
  ],
  "a year of retention": [{ retentionDays: 365 }, /from 1 to 90, found 365\./],
  "a negative size": [{ maxDatabaseBytes: -1 }, /maxDatabaseBytes .* whole number of bytes of at least 1, found -1\./],
  "no region": [{ region: "" }, /option region .* to be a region such as eu-west-1, found ""\./],
  "a short account": [{ account: "12" }, /option account .* to be a number of 12 digits in a text, found "12"\./],
  "a pause before now": [
    { retry: { initial: -1 } },
    /retry\.initial .* from 1 millisecond to 1 day, found -1 milliseconds\./
  ],
  "a pause that is none": [{ retry: { max: "1h" } }, /retry\.max .* found "1h"\. Write "1 hour"\./],
  "no lane": [command({ concurrency: 0 }), /concurrency of a function of LocalEngine .* from 1 to 1000, found 0\./],
  "an invocation without time": [command({ timeout: -5 }), /option timeout .* up to 366 days, found -5 milliseconds\./],
  "an execution without end": [
    command({ executionTimeout: Infinity }),
    /executionTimeout .* found Infinity milliseconds\./
  ]
}

describe("LocalEngine.layer refuses", () => {
  for (const [title, [options, expected]] of Object.entries(cases)) {
    it.effect(title, () =>
      Effect.gen(function* () {
        assert.match(yield* messageOf(options), expected)
      })
    )
  }
})
