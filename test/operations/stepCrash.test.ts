import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, Durable, DurableError, RetryPolicy } from "effect-durable"
import * as Effect from "effect/Effect"
import { actions, assertSucceeded, crashAt, errorOf, execute, failureOf, holds, valueOf } from "./support.ts"

const counted = () => {
  const attempts: Array<number> = []
  const body = Effect.gen(function* () {
    attempts.push((yield* Durable.StepContext).attempt)
    return attempts.length
  })
  return { attempts, body }
}

/** The process dies while the body runs: after the service has heard of the start, before it hears of the end. */
const crashInBody = (name: string) => crashAt(holds("SUCCEED", name), "before")

describe("An at-least-once step", () => {
  it.effect("runs again after a crash in its body, as the same attempt and without a second START", () =>
    Effect.gen(function* () {
      const { attempts, body } = counted()
      const ran = yield* execute(Durable.step("charge", Effect.tap(body, Effect.sleep("1 second"))), {
        store: crashInBody("charge")
      })
      assert.deepStrictEqual(attempts, [1, 1])
      assert.strictEqual(valueOf(ran), 2)
      assert.deepStrictEqual(actions(ran.updates), [
        "START charge",
        "SUCCEED charge",
        "START cut:charge",
        "SUCCEED cut:charge",
        "SUCCEED charge"
      ])
      assert.lengthOf(
        ran.history.filter((event) => event.EventType === "StepStarted" && event.Name === "charge"),
        1
      )
      assert.strictEqual(ran.operations[0]!.StepDetails?.Attempt, 1)
    })
  )

  it.effect("runs again after a crash before anything of it was recorded", () =>
    Effect.gen(function* () {
      const { attempts, body } = counted()
      const ran = yield* execute(Durable.step("charge", body), { store: crashInBody("charge") })
      assert.deepStrictEqual(attempts, [1, 1])
      assert.strictEqual(valueOf(ran), 2)
      assert.deepStrictEqual(actions(ran.updates), ["START charge", "SUCCEED charge", "START charge", "SUCCEED charge"])
      assert.lengthOf(ran.operations, 1)
    })
  )

  it.effect("does not run again after a crash that lost only the answer to its outcome", () =>
    Effect.gen(function* () {
      const { attempts, body } = counted()
      const ran = yield* execute(Durable.step("charge", body), { store: crashAt(holds("SUCCEED", "charge"), "after") })
      assert.deepStrictEqual(attempts, [1])
      assert.strictEqual(valueOf(ran), 1)
      assert.strictEqual(ran.invocations, 2)
    })
  )

  it.effect("keeps the number of its attempt over a crash in a later attempt", () =>
    Effect.gen(function* () {
      const attempts: Array<number> = []
      const body = Effect.gen(function* () {
        const { attempt } = yield* Durable.StepContext
        attempts.push(attempt)
        if (attempt === 1) return yield* Effect.die("first")
      })
      const ran = yield* execute(Durable.step("charge", Effect.tap(body, Effect.sleep("1 second"))), {
        store: crashInBody("charge")
      })
      assertSucceeded(ran)
      assert.deepStrictEqual(attempts, [1, 2, 2])
    })
  )

  it.effect("is not interrupted by a lost answer: the request is repeated", () =>
    Effect.gen(function* () {
      const { attempts, body } = counted()
      let lost = 0
      const ran = yield* execute(Durable.step("charge", body), {
        store: (store) => ({
          checkpoint: (request) =>
            lost++ < 3
              ? Effect.andThen(
                  store.checkpoint(request),
                  Effect.fail(new CheckpointStore.StoreUnavailable({ message: "connection reset" }))
                )
              : store.checkpoint(request)
        })
      })
      assert.deepStrictEqual(attempts, [1])
      assert.strictEqual(valueOf(ran), 1)
      assert.strictEqual(ran.invocations, 1)
      assert.lengthOf(new Set(ran.requests.slice(0, 4).map((request) => request.ClientToken)), 1)
    })
  )

  it.effect("keeps what parallel steps had recorded when one of them crashes the process", () =>
    Effect.gen(function* () {
      const quick = counted()
      const slow = counted()
      const ran = yield* execute(
        Effect.all(
          [Durable.step("quick", quick.body), Durable.step("slow", Effect.tap(slow.body, Effect.sleep("10 seconds")))],
          { concurrency: "unbounded" }
        ),
        { store: crashInBody("slow") }
      )
      assert.deepStrictEqual(valueOf(ran), [1, 2])
      assert.deepStrictEqual(quick.attempts, [1])
      assert.deepStrictEqual(slow.attempts, [1, 1])
    })
  )
})

describe("An at-most-once step", () => {
  it.effect("has its START acknowledged before its body runs", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      const ran = yield* execute(
        Durable.step(
          "charge",
          Effect.sync(() => void order.push("body")),
          { semantics: "at-most-once" }
        ),
        {
          store: (store) => ({
            checkpoint: (request) =>
              Effect.tap(store.checkpoint(request), () =>
                Effect.sync(() => void order.push(...actions(request.Updates)))
              )
          })
        }
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(order, ["START charge", "body", "SUCCEED charge"])
    })
  )

  it.effect("is StepInterrupted at once after a crash in its body, and not run again", () =>
    Effect.gen(function* () {
      const { attempts, body } = counted()
      const ran = yield* execute(Durable.step("charge", body, { semantics: "at-most-once" }), {
        store: crashInBody("charge")
      })
      assert.deepStrictEqual(attempts, [1])
      const error = errorOf(ran.exits[0])
      assert.instanceOf(error, DurableError.StepInterrupted)
      assert.strictEqual(error.operation, "charge")
      assert.strictEqual(error.attempt, 1)
      assert.deepStrictEqual(actions(ran.updates), ["START charge", "SUCCEED charge", "FAIL charge"])
      assert.strictEqual(ran.operations[0]!.StepDetails?.Error?.ErrorType, "StepInterrupted")
    })
  )

  it.effect("can be handled when it was interrupted, live and on replay", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const ran = yield* execute(
        Effect.gen(function* () {
          seen.push(
            yield* Durable.step("charge", Effect.succeed("charged"), { semantics: "at-most-once" }).pipe(
              Effect.catchTag("StepInterrupted", (error) => Effect.succeed(`ask the bank about ${error.operation}`))
            )
          )
          yield* Durable.wait("replay", "1 second")
        }),
        { store: crashInBody("charge") }
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(seen, ["ask the bank about charge", "ask the bank about charge"])
    })
  )

  it.effect("ends the execution as StepInterrupted when nobody handles it", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Durable.step("charge", Effect.succeed(1), { semantics: "at-most-once" }), {
        store: crashInBody("charge")
      })
      assert.instanceOf(errorOf(ran.result), DurableError.StepInterrupted)
    })
  )

  it.effect("with a retry policy is scheduled again as RETRY after a crash, once per attempt", () =>
    Effect.gen(function* () {
      const { attempts, body } = counted()
      const ran = yield* execute(
        Durable.step("charge", body, {
          semantics: "at-most-once",
          retry: RetryPolicy.fixed({ maxAttempts: 3, delay: "9 seconds" })
        }),
        { store: crashInBody("charge") }
      )
      assert.deepStrictEqual(attempts, [1, 2])
      assert.strictEqual(valueOf(ran), 2)
      assert.deepStrictEqual(actions(ran.updates), [
        "START charge",
        "SUCCEED charge",
        "RETRY charge",
        "START charge",
        "SUCCEED charge"
      ])
      const retry = ran.updates.find((update) => update.Action === "RETRY")
      assert.strictEqual(retry?.Error?.ErrorType, "StepInterrupted")
      assert.strictEqual(retry?.StepOptions?.NextAttemptDelaySeconds, 9)
    })
  )

  it.effect("with a policy that does not repeat interruptions is StepInterrupted", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Durable.step("charge", Effect.succeed(1), {
          semantics: "at-most-once",
          retry: RetryPolicy.fixed({ retryDefects: false })
        }),
        { store: crashInBody("charge") }
      )
      assert.instanceOf(errorOf(ran.exits[0]), DurableError.StepInterrupted)
    })
  )

  it.effect("runs when the crash came before its START was recorded", () =>
    Effect.gen(function* () {
      const { attempts, body } = counted()
      const ran = yield* execute(Durable.step("charge", body, { semantics: "at-most-once" }), {
        store: crashAt(holds("START", "charge"), "before")
      })
      assert.deepStrictEqual(attempts, [1])
      assert.strictEqual(valueOf(ran), 1)
    })
  )

  it.effect("is StepInterrupted when only the answer to its START was lost", () =>
    Effect.gen(function* () {
      const { attempts, body } = counted()
      const ran = yield* execute(Durable.step("charge", body, { semantics: "at-most-once" }), {
        store: crashAt(holds("START", "charge"), "after")
      })
      assert.deepStrictEqual(attempts, [])
      assert.instanceOf(errorOf(ran.exits[0]), DurableError.StepInterrupted)
    })
  )

  it.effect("does not repeat an attempt that failed by itself unless a policy says so", () =>
    Effect.gen(function* () {
      let runs = 0
      const ran = yield* execute(
        Durable.step(
          "charge",
          Effect.suspend(() => Effect.die(`run ${++runs}`)),
          { semantics: "at-most-once" }
        )
      )
      assert.strictEqual(runs, 1)
      assert.strictEqual(failureOf(ran).errorMessage, "run 1")
    })
  )
})
