/**
 * Changes of the code, attacked where a question stands behind work of an earlier invocation, and where who asked first is
 * gone before there is an answer.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { everywhere, run, valueOf, type Kit } from "../support/host.ts"

/** A step of another fiber that fails once, and is tried again after an hour. */
const triedAgain = Durable.step(
  "tried again",
  Effect.flatMap(Durable.StepContext, ({ attempt }) =>
    attempt === 1 ? Effect.die(new Error("not yet")) : Effect.void
  ),
  { retry: RetryPolicy.fixed({ maxAttempts: 2, delay: "1 hour" }) }
)

/** The code from the second invocation on asks whether a change applies, in the middle of what the first has recorded. */
const changed = (kit: Kit, beside: Effect.Effect<unknown, never, Durable.Execution>) =>
  Effect.gen(function* () {
    const other = yield* Effect.forkChild(Effect.andThen(kit.step("beside"), beside))
    yield* kit.step("a")
    yield* kit.step("a2")
    if (kit.invocation > 1 && (yield* Durable.patched("change"))) yield* kit.step("new")
    yield* kit.step("b")
    yield* Durable.wait("a day", "1 day")
    yield* Fiber.join(other)
    return "as before"
  })

describe("patched", () => {
  it.effect("answers no in front of old records, also when another fiber has an attempt to make", () =>
    Effect.gen(function* () {
      const ran = yield* run((kit) => changed(kit, triedAgain))
      assert.strictEqual(ran.outcome, 'completed with "as before"')
      assert.deepStrictEqual(ran.log, ["a", "beside", "a2", "b"])
    })
  )

  it.effect("answers no in front of old records, also when another fiber has new work", () =>
    Effect.gen(function* () {
      const ran = yield* run((kit) =>
        changed(kit, Effect.andThen(Durable.wait("an hour", "1 hour"), kit.step("later")))
      )
      assert.strictEqual(ran.outcome, 'completed with "as before"')
      assert.deepStrictEqual(ran.log, ["a", "beside", "a2", "b", "later"])
    })
  )

  it.effect("answers every fiber that asks, also when the first one is interrupted while it asks", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere((kit) =>
        Effect.gen(function* () {
          const first = yield* Effect.forkChild(Durable.patched("change"))
          const second = yield* Effect.forkChild(Durable.patched("change"))
          yield* Effect.yieldNow
          yield* Fiber.interrupt(first)
          const answer = yield* Fiber.join(second)
          yield* kit.step("after")
          return answer
        })
      )
      assert.strictEqual(valueOf(ran), true)
    })
  )

  it.effect("answers who asks again after the first was interrupted", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere((kit) =>
        Effect.gen(function* () {
          const first = yield* Effect.forkChild(Durable.patched("change"))
          yield* Effect.yieldNow
          yield* Fiber.interrupt(first)
          yield* kit.step("between")
          return yield* Durable.patched("change")
        })
      )
      assert.strictEqual(valueOf(ran), true)
    })
  )

  it.effect("has one answer for all flat branches, each its own, wherever the execution is killed", () =>
    Effect.gen(function* () {
      const ran = yield* everywhere((kit) =>
        Effect.all(
          ["x", "y", "z"].map((name) =>
            Durable.child(
              name,
              Effect.gen(function* () {
                yield* kit.step("before")
                const answer = yield* Durable.patched("change")
                yield* Durable.wait("an hour", "1 hour")
                yield* kit.tell(`${name} later`, yield* Durable.patched("change"))
                return answer
              }),
              { flat: true }
            )
          ),
          { concurrency: "unbounded" }
        )
      )
      assert.deepStrictEqual(valueOf(ran), [true, true, true])
    })
  )
})
