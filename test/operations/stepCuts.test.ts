/** Steps that never come to their end within an invocation: how often they are begun again, and what that costs. */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableError, RetryPolicy } from "effect-durable"
import { type TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { operationId } from "../../src/execution/Identity.ts"
import {
  actions,
  assertSucceeded,
  crashAt,
  defectOf,
  errorOf,
  eventOf,
  execute,
  failureOf,
  holds,
  invokeOnce,
  valueOf
} from "./support.ts"

const engine: TestEngine.Options = { invocationTimeout: "1 minute", executionTimeout: "1 day" }

/** A body that is longer than an invocation the first times, and the attempts that it was. */
const endless = (times = Infinity) => {
  const attempts: Array<number> = []
  const body = Effect.flatMap(Durable.StepContext, ({ attempt }) =>
    attempts.push(attempt) <= times ? Effect.as(Effect.sleep("1 hour"), "late") : Effect.succeed("done")
  )
  return { attempts, body }
}

/** A step that an earlier invocation began at the time 0. */
const slow = {
  Id: operationId("", "slow", 0),
  Name: "slow",
  Type: "STEP",
  SubType: "Step",
  Status: "STARTED",
  EndTimestamp: undefined
} as const

const again = RetryPolicy.fixed({ maxAttempts: 1_000, delay: "1 second" })

describe("A step that is cut off", () => {
  it.effect("ten times in a row is over as StepInterrupted, which is a defect where no option announces it", () =>
    Effect.gen(function* () {
      const { attempts, body } = endless()
      const ran = yield* execute(Durable.step("slow", body), { engine })
      assert.lengthOf(attempts, 10)
      const error = defectOf(ran.exits.at(-1))
      assert.instanceOf(error, DurableError.StepInterrupted)
      assert.deepStrictEqual([error.operation, error.attempt, error.interruptions], ["slow", 1, 10])
      const failed = failureOf(ran)
      assert.strictEqual(failed.errorType, "StepInterrupted")
      assert.strictEqual(
        failed.errorMessage,
        `The step "slow" was cut off 10 times in a row: its invocation ended before the outcome of attempt 1 was recorded. Find out whether its effect happened, and give it more time or memory, or split it into smaller steps.`
      )
    })
  )

  it.effect("as often as maxInterruptions says fails as StepInterrupted, live and on replay", () =>
    Effect.gen(function* () {
      const { attempts, body } = endless()
      const caught: Array<string> = []
      const ran = yield* execute(
        Durable.step("slow", body, { maxInterruptions: 3 }).pipe(
          Effect.catchTag("StepInterrupted", (error) => Effect.succeed(`cut off ${error.interruptions} times`)),
          Effect.tap((value) => Effect.sync(() => caught.push(value))),
          Effect.tap(Durable.wait("replay", "1 hour"))
        ),
        { engine }
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(caught, ["cut off 3 times", "cut off 3 times"])
      assert.deepStrictEqual(attempts, [1, 1, 1])
    })
  )

  it.effect("soon after its start, and then ends at once, leaves no trace", () =>
    Effect.gen(function* () {
      let attempts = 0
      const body = Effect.suspend(() => Effect.as(Effect.sleep(attempts++ === 0 ? 1_000 : 0), "done"))
      const ran = yield* execute(Durable.step("quick", body), { store: crashAt(holds("SUCCEED", "quick"), "before") })
      assert.strictEqual(valueOf(ran), "done")
      assert.strictEqual(attempts, 2)
      assert.deepStrictEqual(actions(ran.updates), ["START quick", "SUCCEED quick", "SUCCEED quick"])
    })
  )

  it.effect.each([
    { room: 10, recorded: ["START cut:slow", "SUCCEED cut:slow", "SUCCEED slow"] },
    { room: 2, recorded: ["SUCCEED slow"] }
  ])("soon after its start is counted once it has run for a moment, with room for $room operations", (given) =>
    Effect.gen(function* () {
      const turn = Effect.promise(() => new Promise<void>((resolve) => void setImmediate(resolve)))
      const body = Effect.andThen(TestClock.adjust("200 millis"), Effect.repeat(turn, { times: 5 }))
      const ran = yield* invokeOnce(Durable.step("slow", Effect.asVoid(body)), {
        event: eventOf([slow]),
        run: { maxOperations: given.room }
      })
      assert.deepStrictEqual(actions(ran.updates), given.recorded)
    })
  )

  it.effect("long after its start, or under a limit of its own, is counted before its body runs", () =>
    Effect.gen(function* () {
      const counted = ["START cut:slow", "SUCCEED cut:slow", "SUCCEED slow"]
      const old = eventOf([{ ...slow, StartTimestamp: -31_000 }])
      const byDefault = yield* invokeOnce(Durable.step("slow", Effect.void), { event: old })
      assert.deepStrictEqual(actions(byDefault.updates), counted)
      const limited = Durable.step("slow", Effect.void, { maxInterruptions: 10 })
      assert.deepStrictEqual(actions((yield* invokeOnce(limited, { event: eventOf([slow]) })).updates), counted)
    })
  )

  it.effect("costs one operation and one request each time, acknowledged before its body runs", () =>
    Effect.gen(function* () {
      const { body } = endless(2)
      const order: Array<string> = []
      const noted = Effect.andThen(
        Effect.sync(() => void order.push("body")),
        body
      )
      const ran = yield* execute(Durable.step("slow", noted), {
        engine,
        store: (store) => ({
          checkpoint: (request) =>
            Effect.tap(store.checkpoint(request), () =>
              Effect.sync(() => void order.push(actions(request.Updates).join()))
            )
        })
      })
      assert.strictEqual(valueOf(ran), "done")
      const cut = "START cut:slow,SUCCEED cut:slow"
      assert.deepStrictEqual(order, ["body", "START slow", cut, "body", cut, "body", "SUCCEED slow"])
      assert.deepStrictEqual(
        ran.operations.map(({ Name }) => Name),
        ["slow", "cut:slow", "cut:slow"]
      )
      assert.strictEqual(ran.operations[0]?.StepDetails?.Attempt, 1)
    })
  )

  it.effect("only once may be forbidden, which costs nothing", () =>
    Effect.gen(function* () {
      const { attempts, body } = endless()
      const ran = yield* execute(Effect.exit(Durable.step("slow", body, { maxInterruptions: 1 })), { engine })
      assert.instanceOf(errorOf(valueOf(ran)), DurableError.StepInterrupted)
      assert.include(String(errorOf(valueOf(ran))), "cut off once")
      assert.deepStrictEqual(attempts, [1])
      assert.deepStrictEqual(actions(ran.updates), ["START slow", "FAIL slow"])
    })
  )

  it.effect("may be begun again more often", () =>
    Effect.gen(function* () {
      const { attempts, body } = endless(14)
      const ran = yield* execute(Durable.step("slow", body, { maxInterruptions: 100 }), { engine })
      assert.strictEqual(valueOf(ran), "done")
      assert.lengthOf(attempts, 15)
    })
  )

  it.effect("may be begun again without end, which nothing counts", () =>
    Effect.gen(function* () {
      const { attempts, body } = endless(3)
      const ran = yield* execute(Durable.step("slow", body, { maxInterruptions: Infinity }), { engine })
      assert.strictEqual(valueOf(ran), "done")
      assert.lengthOf(attempts, 4)
    })
  )

  it.effect("is counted from the beginning again once an attempt has ended", () =>
    Effect.gen(function* () {
      const attempts: Array<number> = []
      const body = Effect.flatMap(Durable.StepContext, ({ attempt }): Effect.Effect<string> => {
        const count = attempts.push(attempt)
        if (count === 3) return Effect.die("no")
        return count < 6 ? Effect.as(Effect.sleep("1 hour"), "late") : Effect.succeed("done")
      })
      const ran = yield* execute(Durable.step("slow", body, { maxInterruptions: 3, retry: again }), { engine })
      assert.strictEqual(valueOf(ran), "done")
      assert.deepStrictEqual(attempts, [1, 1, 1, 2, 2, 2])
    })
  )

  it.effect("with at most once per attempt is bounded too, whatever its policy says", () =>
    Effect.gen(function* () {
      const { attempts, body } = endless()
      const ran = yield* execute(Effect.exit(Durable.step("slow", body, { semantics: "at-most-once", retry: again })), {
        engine
      })
      const error = errorOf(valueOf(ran))
      assert.instanceOf(error, DurableError.StepInterrupted)
      assert.deepStrictEqual([error.attempt, error.interruptions], [10, 10])
      assert.deepStrictEqual(attempts, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
      assert.notInclude(actions(ran.updates).join(), "cut:")
    })
  )

  it.effect("is one that its policy bounds, with at most once per attempt", () =>
    Effect.gen(function* () {
      const { attempts, body } = endless()
      const retry = RetryPolicy.fixed({ maxAttempts: 3, delay: "1 second" })
      const ran = yield* execute(Effect.exit(Durable.step("slow", body, { semantics: "at-most-once", retry })), {
        engine
      })
      assert.instanceOf(errorOf(valueOf(ran)), DurableError.StepInterrupted)
      assert.deepStrictEqual(attempts, [1, 2, 3])
    })
  )

  it.effect.each(["before", "after"] as const)("is counted when the request that counts it is lost %s", (when) =>
    Effect.gen(function* () {
      const { attempts, body } = endless()
      const ran = yield* execute(Effect.exit(Durable.step("slow", body, { maxInterruptions: 4 })), {
        engine,
        store: crashAt(holds("SUCCEED", "cut:slow"), when)
      })
      assert.strictEqual(errorOf(valueOf(ran)).interruptions, 4)
      assert.lengthOf(attempts, when === "before" ? 4 : 3)
    })
  )

  it.effect("in a child, beside another one: each is counted by itself", () =>
    Effect.gen(function* () {
      const [slow, other] = [endless(3), endless(1)]
      const ran = yield* execute(
        Durable.all(
          "both",
          [
            Durable.step("slow", slow.body, { maxInterruptions: 5 }),
            Durable.child("block", Durable.step("slow", other.body, { maxInterruptions: 2 }), {
              error: DurableError.StepInterrupted
            })
          ],
          { error: DurableError.StepInterrupted }
        ),
        { engine }
      )
      assert.deepStrictEqual(valueOf(ran), ["done", "done"])
      assert.deepStrictEqual([slow.attempts.length, other.attempts.length], [4, 2])
    })
  )

  it.effect("is no work for what is let go of", () =>
    Effect.gen(function* () {
      const { attempts, body } = endless()
      const ran = yield* execute(
        Durable.timeout("limit", Durable.step("slow", body), "150 seconds").pipe(Effect.exit),
        {
          engine
        }
      )
      assert.instanceOf(errorOf(valueOf(ran)), DurableError.DurableTimeout)
      assert.isAtMost(attempts.length, 3)
    })
  )

  it.effect("ends as the limit of operations when nothing more may be recorded, and does not run", () =>
    Effect.gen(function* () {
      const { attempts, body } = endless(0)
      const event = eventOf([slow])
      const step = Durable.step("slow", body, { maxInterruptions: 10 })
      const ran = yield* invokeOnce(step, { event, run: { maxOperations: 2 } })
      assert.strictEqual(ran.answer?.Status === "FAILED" ? ran.answer.Error?.ErrorType : ran.answer, "LimitExceeded")
      assert.lengthOf(attempts, 0)
    })
  )

  it.effect.each([0, -1, 1.5, Number.NaN])("%s times is InvalidOptions, and nothing runs", (maxInterruptions) =>
    Effect.gen(function* () {
      const { attempts, body } = endless(0)
      const ran = yield* execute(Durable.step("slow", body, { maxInterruptions }).pipe(Effect.exit))
      const defect = defectOf(valueOf(ran))
      assert.instanceOf(defect, DurableError.InvalidOptions)
      assert.include(defect.message, `maxInterruptions of "slow"`)
      assert.lengthOf(attempts, 0)
      assert.lengthOf(ran.updates, 0)
    })
  )
})

describe("A look at a condition that is cut off", () => {
  it.effect("ten times in a row is over as StepInterrupted", () =>
    Effect.gen(function* () {
      let looks = 0
      const ran = yield* execute(
        Durable.waitForCondition("ready", {
          initial: 0,
          check: () =>
            Effect.andThen(
              Effect.sync(() => void looks++),
              Effect.as(Effect.sleep("1 hour"), 1)
            ),
          until: (state) => state > 0
        }),
        { engine }
      )
      assert.strictEqual(failureOf(ran).errorType, "StepInterrupted")
      assert.strictEqual(looks, 10)
    })
  )
})

describe("A submitter that is cut off", () => {
  it.effect("ten times in a row is CallbackSubmitFailed", () =>
    Effect.gen(function* () {
      const { attempts, body } = endless()
      const ran = yield* execute(Effect.exit(Durable.waitForCallback("ask", () => body)), { engine })
      const error = errorOf(valueOf(ran))
      assert.instanceOf(error, DurableError.CallbackSubmitFailed)
      assert.strictEqual(error.errorType, "StepInterrupted")
      assert.lengthOf(attempts, 10)
    })
  )
})
