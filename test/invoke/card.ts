/**
 * A function that may decline a card, and what a workflow sees of its failures before and after a replay.
 */
import { assert } from "@effect/vitest"
import { Durable, DurableFunction } from "effect-durable"
import type { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { runToEnd } from "./support.ts"

export class CardDeclined extends Schema.TaggedError<CardDeclined>()("CardDeclined", { code: Schema.String }) {}
export class OutOfStock extends Schema.TaggedError<OutOfStock>()("OutOfStock", {
  since: Schema.Date,
  left: Schema.BigInt
}) {}

export const Charge = DurableFunction.make("charge", {
  payload: Schema.Int,
  success: Schema.String,
  error: CardDeclined,
  target: "charge:live"
})
export const Reserve = DurableFunction.plain("reserve", {
  payload: Schema.Int,
  success: Schema.String,
  error: Schema.Union([CardDeclined, OutOfStock])
})

export const rawError = {
  ErrorType: "BusinessError",
  ErrorMessage: "the till is shut",
  ErrorData: '{"till":7}',
  StackTrace: ["at till (till.js:1:1)"]
}

/** Fails with what is given, and the same again after a replay. */
export const seenTwice = <E>(failing: Effect.Effect<unknown, E, Durable.Execution>) => {
  const seen: Array<E> = []
  return {
    seen,
    workflow: Effect.gen(function* () {
      const error = yield* Effect.flip(failing)
      seen.push(error)
      yield* Durable.wait("afterwards", "1 minute")
    }).pipe(Effect.orDie)
  }
}

/** The errors that a failing invoke shows before and after a replay. */
export const errorsOf = <E>(failing: Effect.Effect<unknown, E, Durable.Execution>, stub: TestEngine.Stub) =>
  Effect.gen(function* () {
    const { seen, workflow } = seenTwice(failing)
    const { exit } = yield* runToEnd(workflow, [stub])
    yield* Effect.orDie(exit)
    assert.strictEqual(seen.length, 2)
    assert.deepStrictEqual(seen[1], seen[0])
    assert.deepStrictEqual(JSON.stringify(seen[1]), JSON.stringify(seen[0]))
    return seen[0]!
  })
