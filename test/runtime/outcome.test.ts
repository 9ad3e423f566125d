import { assert, describe, it } from "@effect/vitest"
import { Durable, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { assertSucceeded, execute, failureOf } from "../operations/support.ts"
import { hostile } from "../values/hostile.ts"

describe("A defect", () => {
  it.effect("ends the execution, whatever it is, and never invokes it again and again", () =>
    Effect.gen(function* () {
      for (const thrown of hostile()) {
        for (const program of [
          Effect.die(thrown),
          Durable.step("step", Effect.die(thrown), { retry: RetryPolicy.none }),
          Durable.child("child", Effect.die(thrown))
        ]) {
          const ran = yield* execute(program)
          assert.isNotEmpty(failureOf(ran).errorType)
          assert.strictEqual(ran.invocations, 1)
          for (const { Status } of ran.operations) assert.strictEqual(Status, "FAILED")
        }
      }
    })
  )
})

describe("An error of a user", () => {
  const tags = [
    "InvalidPayload",
    "Interrupted",
    "LimitExceeded",
    "NonDeterministic",
    "InvokeFailed",
    "StepInterrupted",
    "Error"
  ]
  for (const tag of tags) {
    it.effect(`is itself, live and on replay, though the library has one of the same tag: ${tag}`, () =>
      Effect.gen(function* () {
        const Own = Schema.TaggedStruct(tag, { code: Schema.Int })
        const seen: Array<unknown> = []
        const ran = yield* execute(
          Effect.gen(function* () {
            for (const operation of [
              Durable.step("step", Effect.fail(Own.make({ code: 7 })), { error: Own, retry: RetryPolicy.none }),
              Durable.child("child", Effect.fail(Own.make({ code: 7 })), { error: Own })
            ]) {
              seen.push(yield* Effect.flip(operation))
            }
            yield* Durable.wait("replay", "1 second")
          }).pipe(Effect.orDie)
        )
        assertSucceeded(ran)
        assert.deepStrictEqual(
          seen,
          Array.from({ length: 4 }, () => ({ _tag: tag, code: 7 }))
        )
      })
    )
  }
})
