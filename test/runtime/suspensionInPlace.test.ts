/**
 * Waits that end while a sibling keeps the invocation alive: the workflow goes on in place, in the same invocation, as soon
 * as the service can know. In virtual time.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { both } from "./harness.ts"

const Slow = DurableFunction.plain("slow", { success: Schema.String })

const Napping = DurableFunction.make("napping", { success: Schema.Array(Schema.String) })

/** Runs a workflow in virtual time, and answers with its result, its invocations, and when each step succeeded. */
const inVirtualTime = (
  workflow: Effect.Effect<ReadonlyArray<string>, never, Durable.Execution>,
  slow: Effect.Effect<string> = Effect.succeed("slow")
) =>
  Effect.gen(function* () {
    const run = yield* TestEngine.start(Napping)
    const result = yield* run.result
    const events = yield* run.history
    const began = events[0]?.EventTimestamp ?? Number.NaN
    const doneAfter = Object.fromEntries(
      events.flatMap(({ EventTimestamp, EventType, Name }) =>
        EventType === "StepSucceeded" ? [[Name ?? "", (EventTimestamp - began) / 1_000]] : []
      )
    )
    return {
      result,
      invocations: events.filter((event) => event.EventType === "InvocationCompleted").length,
      doneAfter
    }
  }).pipe(Effect.provide(TestEngine.layer([Napping.implement(() => workflow), TestEngine.stub(Slow, () => slow)])))

const lasting = (seconds: number) => Durable.step("long", Effect.as(Effect.sleep(seconds * 1_000), "long"))

describe("waits that end while a sibling keeps the invocation alive", () => {
  it.effect("goes on in place at the very time when a wait is due", () =>
    Effect.gen(function* () {
      const { doneAfter, invocations, result } = yield* inVirtualTime(
        Effect.all(
          [
            Effect.andThen(Durable.wait("nap", "3 seconds"), Durable.step("after", Effect.succeed("after"))),
            lasting(20)
          ],
          both
        )
      )
      assert.deepStrictEqual(result, ["after", "long"])
      assert.strictEqual(invocations, 1)
      assert.deepStrictEqual(doneAfter, { after: 3, long: 20 })
    })
  )

  it.effect("polls for an answer whose time nobody knows, less and less often", () =>
    Effect.gen(function* () {
      const { doneAfter, invocations, result } = yield* inVirtualTime(
        Effect.all(
          [
            Effect.flatMap(Effect.orDie(Durable.invoke(Slow)), (answer) =>
              Durable.step("after", Effect.succeed(answer))
            ),
            lasting(60)
          ],
          both
        ),
        Effect.delay(Effect.succeed("slow"), "4500 millis")
      )
      assert.deepStrictEqual(result, ["slow", "long"])
      assert.strictEqual(invocations, 1)
      const after = doneAfter["after"] ?? Number.NaN
      assert.isAtLeast(after, 4.5)
      assert.isAtMost(after, 10)
    })
  )

  it.effect("repeats a step in place when its next attempt is due", () =>
    Effect.gen(function* () {
      const flaky = Effect.gen(function* () {
        const { attempt } = yield* Durable.StepContext
        if (attempt < 3) return yield* Effect.die(new Error("flaky"))
        return `attempt ${attempt}`
      })
      const { doneAfter, invocations, result } = yield* inVirtualTime(
        Effect.all(
          [
            Durable.step("flaky", flaky, { retry: RetryPolicy.fixed({ maxAttempts: 3, delay: "2 seconds" }) }),
            lasting(20)
          ],
          both
        )
      )
      assert.deepStrictEqual(result, ["attempt 3", "long"])
      assert.strictEqual(invocations, 1)
      assert.deepStrictEqual(doneAfter, { flaky: 4, long: 20 })
    })
  )

  it.effect("suspends when the sibling ends before the wait is due", () =>
    Effect.gen(function* () {
      const { invocations, result } = yield* inVirtualTime(
        Effect.all([Effect.as(Durable.wait("nap", "1 hour"), "nap"), lasting(20)], both)
      )
      assert.deepStrictEqual(result, ["nap", "long"])
      assert.strictEqual(invocations, 2)
    })
  )

  it.effect("does not keep the invocation alive for a wait in a hold, all of whose fibers wait", () =>
    Effect.gen(function* () {
      const { invocations, result } = yield* inVirtualTime(
        Durable.hold(Effect.as(Durable.wait("nap", "5 seconds"), ["nap"]))
      )
      assert.deepStrictEqual(result, ["nap"])
      assert.strictEqual(invocations, 2)
    })
  )
})
