/** The errors of Effect's own functions: recorded by `DurableError.EffectError`, and caught by their tags at every sight. */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableClient, DurableError, DurableFunction, RetryPolicy } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { everySight } from "./batches.ts"
import { assertSucceeded, execute } from "./support.ts"

const once = { error: DurableError.EffectError, retry: RetryPolicy.none }

const rejecting = (reason: unknown): Effect.Effect<string, Cause.UnknownError> =>
  Effect.tryPromise(async () => await Promise.reject(reason))

/** The error that a step ends with, live and at a replay. */
const caught = Effect.fnUntraced(function* (body: Effect.Effect<unknown, DurableError.EffectError>) {
  const step = Durable.step("call", Effect.asVoid(body), once)
  const { seen } = yield* everySight(Effect.match(step, { onSuccess: () => undefined, onFailure: (error) => error }))
  assert.lengthOf(seen, 2)
  return seen
})

const recordedOf = (body: Effect.Effect<unknown, DurableError.EffectError>) =>
  Effect.map(execute(Effect.exit(Durable.step("call", Effect.asVoid(body), once))), ({ updates }) => {
    const recorded = updates.find(({ Action }) => Action === "FAIL")?.Error
    return [recorded?.ErrorType, recorded?.ErrorMessage]
  })

describe("A step whose promise is rejected", () => {
  const refused = new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED 10.0.0.1:443") })

  it.effect("fails with an UnknownError that has its cause, live and at a replay", () =>
    Effect.gen(function* () {
      for (const error of yield* caught(rejecting(refused))) {
        if (error?._tag !== "UnknownError") assert.fail(`not an UnknownError: ${String(error)}`)
        assert.strictEqual(error.message, "An error occurred in Effect.tryPromise")
        const { cause } = error
        assert.instanceOf(cause, Error)
        assert.deepStrictEqual([cause.name, cause.message], ["TypeError", "fetch failed"])
        assert.strictEqual(String(cause.cause), "Error: connect ECONNREFUSED 10.0.0.1:443")
      }
    })
  )

  it.effect("is recorded with the message of what was thrown", () =>
    Effect.gen(function* () {
      const told = "An error occurred in Effect.tryPromise: "
      assert.deepStrictEqual(yield* recordedOf(rejecting(refused)), ["UnknownError", `${told}fetch failed`])
      assert.deepStrictEqual(yield* recordedOf(rejecting("no line")), ["UnknownError", `${told}no line`])
      assert.deepStrictEqual(yield* recordedOf(rejecting({ status: 503 })), ["UnknownError", `${told}{"status":503}`])
    })
  )

  const hostile = Object.defineProperty(new Error("x"), "message", {
    get: () => {
      throw new Error("private")
    }
  })
  const circular = new Error("round")
  circular.cause = circular
  const causes: Record<string, unknown> = {
    "nothing at all": undefined,
    "a large text": "é".repeat(100_000),
    "a large Error": new RangeError("é".repeat(100_000)),
    "an Error that causes itself": circular,
    "what throws when it is looked at": hostile,
    "a function": () => 1
  }
  for (const [name, reason] of Object.entries(causes)) {
    it.effect(`is caught by its tag when it was ${name}`, () =>
      Effect.gen(function* () {
        const { seen } = yield* everySight(
          Durable.step("call", rejecting(reason), once).pipe(
            Effect.catchTag("UnknownError", () => Effect.succeed("caught"))
          )
        )
        assert.deepStrictEqual(seen, ["caught", "caught"])
      })
    )
  }
})

describe("A step", () => {
  it.effect("fails with the TimeoutError of its body, in virtual time, and is repeated before", () =>
    Effect.gen(function* () {
      let attempts = 0
      const slow = Effect.andThen(
        Effect.sync(() => void attempts++),
        Effect.never
      )
      const step = Durable.step("call", Effect.timeout(slow, "5 seconds"), {
        error: DurableError.EffectError,
        retry: RetryPolicy.fixed({ maxAttempts: 2, while: ({ _tag }: Cause.TimeoutError) => _tag === "TimeoutError" })
      })
      const { seen } = yield* everySight(Effect.flip(step))
      for (const { _tag, message } of seen) {
        assert.deepStrictEqual([_tag, message], ["TimeoutError", "Operation timed out after '5s'"])
      }
      assert.lengthOf(seen, 2)
      assert.strictEqual(attempts, 2)
    })
  )

  it.effect("fails with the NoSuchElementError of an empty Option", () =>
    Effect.gen(function* () {
      for (const error of yield* caught(Effect.fromOption(Option.none()))) {
        assert.strictEqual(error?._tag, "NoSuchElementError")
      }
    })
  )

  it.effect("has them beside errors of one's own, and types say which it may fail with", () =>
    Effect.gen(function* () {
      class Sold extends Schema.TaggedError<Sold>()("Sold", { by: Schema.String }) {}
      const error = Schema.Union([Sold, DurableError.EffectError])
      const body: Effect.Effect<string, Sold | Cause.TimeoutError> = Effect.fail(new Sold({ by: "Ada" }))
      const step: Effect.Effect<string, Sold | Cause.TimeoutError, Durable.Execution> = Durable.step("call", body, {
        error,
        retry: RetryPolicy.none
      })
      const ran = yield* execute(
        Effect.catchTags(step, {
          Sold: ({ by }) => Effect.succeed(`sold by ${by}`),
          TimeoutError: () => Effect.succeed("late")
        })
      )
      assertSucceeded(ran)
    })
  )
})

describe("An execution", () => {
  it.effect("ends with an error of Effect that its contract declares", () =>
    Effect.gen(function* () {
      const Fetch = DurableFunction.make("fetch", { success: Schema.String, error: DurableError.EffectError })
      const fetching = Fetch.implement(() =>
        Effect.catchTag(Durable.step("call", rejecting(new Error("no line")), once), "UnknownError", Effect.fail)
      )
      const error = yield* DurableClient.run(Fetch).pipe(Effect.flip, Effect.provide(TestEngine.layer([fetching])))
      assert.strictEqual(error._tag, "UnknownError")
      assert.strictEqual(error._tag === "UnknownError" && String(error.cause), "Error: no line")
    })
  )
})
