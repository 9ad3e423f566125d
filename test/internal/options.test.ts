/** Options that make no sense are told where something is made: what they may be, what they are, and what to write. */
import { assert, describe, it } from "@effect/vitest"
import { DurableFunction } from "effect-durable"
import { LambdaHandler } from "effect-durable/lambda"
import { TestEngine } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { cast } from "effect/Function"
import * as Layer from "effect/Layer"
import { describeFound } from "../../src/internal/found.ts"

const Work = DurableFunction.make("work")
const work = Work.implement(() => Effect.void)

/** What is wrong, by the option: what was given, what is expected, what is said to be found, and the advice. */
type Wrong = readonly [option: string, given: unknown, expected: string, found: string, advice: RegExp]

const unit = /A number means milliseconds; "1 minute" says its unit\./
const number = /Give that, or leave the option out for its default\./
const within = "a duration from 0 to 15 minutes"

const ofHandlers: ReadonlyArray<Wrong> = [
  ["margin", -1, within, "-1 milliseconds", unit],
  ["margin", "-3 seconds", within, '"-3 seconds"', unit],
  ["margin", Infinity, within, "Infinity milliseconds", unit],
  ["margin", "16 minutes", within, '"16 minutes"', unit],
  ["margin", Number.NaN, within, "NaN", /Write "1 (hour|minute)"/],
  ["margin", "2s", within, '"2s"', /Write "1 minute"/],
  ["margin", { minute: 1 }, within, '{"minute":1}', /Write "1 minute"/],
  ["margin", {}, within, "{}", /Write "1 (hour|minute)"/],
  ["margin", new Date(0), within, "a Date", /Write "1 (hour|minute)"/],
  ["outsideLimit", -1, within, "-1 milliseconds", unit],
  ["outsideLimit", 3_600_000, within, "3600000 milliseconds", unit],
  ["outsideLimit", true, within, "true", /Write "1 (hour|minute)"/],
  ["outsideLimit", "20", within, '"20"', /Write "1 (hour|minute)"/],
  ["maxPayload", -1, "a whole number of bytes from 1 to 6291456", "-1", number],
  ["maxPayload", 0, "a whole number of bytes from 1 to 6291456", "0", number],
  ["maxPayload", 1.5, "a whole number of bytes from 1 to 6291456", "1.5", number],
  ["maxPayload", 10_000_000, "a whole number of bytes from 1 to 6291456", "10000000", number],
  ["maxPayload", "1 MB", "a whole number of bytes from 1 to 6291456", '"1 MB"', number],
  ["maxOperations", 0, "a whole number of at least 1", "0", number],
  ["maxOperations", -1, "a whole number of at least 1", "-1", number],
  ["maxOperations", 2.5, "a whole number of at least 1", "2.5", number],
  ["maxOperations", Number.NaN, "a whole number of at least 1", "NaN", number],
  ["maxOperations", Infinity, "a whole number of at least 1", "Infinity", number],
  ["onNonDeterminism", "ignore", '"fail" or "retry"', '"ignore"', number]
]

const ofWorlds: ReadonlyArray<Wrong> = [
  ["patience", -1, "a duration of at least 1 millisecond", "-1 milliseconds", unit],
  ["patience", 0, "a duration of at least 1 millisecond", "0 milliseconds", unit],
  ["patience", Number.NaN, "a duration of at least 1 millisecond", "NaN", /Write "1 (hour|minute)"/],
  ["patience", { second: 5 }, "a duration of at least 1 millisecond", '{"second":5}', /Write { seconds: 5 }\./],
  ["outsideLimit", -1, within, "-1 milliseconds", unit],
  ["invocationTimeout", 0, "a duration of at least 1 millisecond", "0 milliseconds", unit],
  ["invocationTimeout", "5 mins", "a duration of at least 1 millisecond", '"5 mins"', /Write "5 minutes"\./],
  ["executionTimeout", 0, "a duration of more than 0, up to 366 days", "0 milliseconds", unit],
  ["executionTimeout", "400 days", "a duration of more than 0, up to 366 days", '"400 days"', unit],
  ["pageItems", 0, "a whole number from 1 to 1000", "0", number],
  ["pageItems", "3", "a whole number from 1 to 1000", '"3"', number],
  ["startTime", "2026", "a whole number of milliseconds from 0 to 8640000000000000", '"2026"', number],
  ["startTime", new Date(0), "a whole number of milliseconds from 0 to 8640000000000000", "a Date", number],
  ["startTime", Number.NaN, "a whole number of milliseconds from 0 to 8640000000000000", "NaN", number]
]

const check = (owner: string, [option, , expected, found, advice]: Wrong, message: string): void => {
  assert.include(message, `Expected the option ${option} of ${owner} to be ${expected}, found ${found}. `)
  assert.match(message, advice)
}

const title = ([option, given]: Wrong): string => `${option}: ${String(given)}`

describe("LambdaHandler.make refuses", () => {
  for (const wrong of ofHandlers) {
    it(title(wrong), () => {
      const [option, given] = wrong
      const make = () =>
        LambdaHandler.make(work, {
          layer: Layer.empty,
          ...cast<unknown, Omit<LambdaHandler.Options<never, never>, "layer">>({ [option]: given })
        })
      const error = Exit.match(Effect.runSyncExit(Effect.sync(make)), {
        onSuccess: () => undefined,
        onFailure: Cause.squash
      })
      assert.instanceOf(error, Error)
      check("LambdaHandler.make", wrong, error.message)
    })
  }

  it("no option at the ends of its range, nor one that is undefined", () => {
    LambdaHandler.make(work, { layer: Layer.empty, margin: 0, outsideLimit: "15 minutes", maxPayload: 1 })
    LambdaHandler.make(work, { layer: Layer.empty, margin: undefined, maxPayload: 6_291_456, maxOperations: 1 })
  })
})

describe("TestEngine.layer refuses", () => {
  for (const wrong of ofWorlds) {
    it.effect(title(wrong), () =>
      Effect.gen(function* () {
        const [option, given] = wrong
        const world = TestEngine.layer([work], cast({ [option]: given }))
        const exit = yield* Effect.exit(Effect.provide(TestEngine.run(Work), world))
        check("TestEngine.layer", wrong, Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "")
      })
    )
  }

  it.effect("no option at the ends of its range, nor one that is undefined", () => {
    const options = {
      patience: "Infinity",
      invocationTimeout: "Infinity",
      executionTimeout: 1,
      pageItems: 1_000
    } as const
    return Effect.provide(TestEngine.run(Work), TestEngine.layer([work], { ...options, outsideLimit: undefined }))
  })
})

describe("What is found in the place of something else is told in one short line", () => {
  const cases: ReadonlyArray<readonly [found: unknown, said: string]> = [
    ["a", '"a"'],
    ["x".repeat(100), `"${"x".repeat(60)}…"`],
    [undefined, "undefined"],
    [null, "null"],
    [-0.5, "-0.5"],
    [10n, "10"],
    [Symbol("a"), "a symbol"],
    [() => 1, "a function"],
    [[1, 2], "an array"],
    [{ a: 1 }, '{"a":1}'],
    [{ a: "x".repeat(100) }, "an object"],
    [new Map(), "an instance of Map"],
    [new Error("a"), "an instance of Error"],
    [Promise.resolve(), "an instance of Promise"],
    [Object.create(null), "{}"]
  ]
  for (const [found, said] of cases) {
    it(said, () => {
      assert.strictEqual(describeFound(found), said)
    })
  }
})
