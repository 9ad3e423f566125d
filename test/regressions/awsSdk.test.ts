/**
 * The known defects of AWS's durable execution SDK for JavaScript, version 2.4.0: each a program that it gets wrong.
 *
 * | Defect | What goes wrong there | What the test shows here |
 * | ---: | --- | --- |
 * | 1 | an abandoned branch in a running step blocks every later suspension | the invocation ends at once |
 * | 2 | a check that fails beside earlier ones is recorded as failed twice | one FAIL |
 * | 3 | a condition takes whatever the history holds in its place | `NonDeterministic`, both ways round |
 * | 4 | a checkpoint that fails after the handler has returned is reported as success | FAILED, or repeated |
 * | 5 | a failed checkpoint of a large result hangs | FAILED, or repeated |
 * | 6 | a retry strategy that throws leaves its step open, and nothing is suspended any more | the step fails |
 * | 7 | an unnamed invoke with a text as payload calls the text; status and type of a failure are lost | a contract is no text; three errors with type, message and data |
 * | 8 | a value that cannot be written or read is tried again until the execution times out | FAILED at once |
 * | 9 | the further pages of an answer to a checkpoint are not read | every wait goes on in its time |
 * | 10 | a refusal to give out the state is tried again | FAILED after one request |
 * | 11 | plain asynchronous work is cut off by a suspension, unseen | stated as a limit: it is reported, and `Durable.hold` or a step is the cure |
 * | 12 | durations of zero and of half a second are sent as they are | `InvalidDuration`, or no wait at all; whole seconds |
 * | 13 | items that had not ended are missing when a large batch is replayed | the same items |
 * | 14 | a child that is entered again tells its replayed part as if it were new | it is logged once |
 * | 15 | an emulator's words for a stale token end the execution | the invocation is repeated |
 * | 16 | the values of a batch lack those that are undefined | as many values as successes |
 * | 17 | the error of a batch that was ended as failed turns into another one | `BatchFailed`, also on replay |
 * | 18 | a condition has a time-out that does nothing | it has none; `Durable.timeout` works |
 */
import { assert, describe, it } from "@effect/vitest"
import { CompletionPolicy, Durable, DurableError, DurableFunction, RetryPolicy, Serdes } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { CheckpointStore, type StoreError } from "../../src/CheckpointStore.ts"
import { addresses, runToEnd, runToValue, spy } from "../invoke/support.ts"
import {
  actions,
  assertSucceeded,
  defectOf,
  deployed,
  errorOf,
  execute,
  failureOf,
  holds,
  valueOf
} from "../operations/support.ts"
import { messages, observe } from "../telemetry/support.ts"
import { both, failing, invocationsEnded, said } from "./support.ts"

const pause = Durable.wait("pause", "1 day")

class Broken extends Schema.TaggedError<Broken>()("Broken", { why: Schema.String }) {}

const quorum = CompletionPolicy.make({ minSuccessful: 1 })

describe("an abandoned branch", () => {
  for (const [how, sleep] of [
    ["can be interrupted", Effect.sleep("1 hour")],
    ["cannot be interrupted", Effect.uninterruptible(Effect.sleep("1 hour"))]
  ] as const) {
    it.effect(`AWS JS SDK 1: an abandoned branch in a step that ${how} does not block later suspensions`, () =>
      Effect.gen(function* () {
        const ran = yield* execute(
          Effect.gen(function* () {
            const batch = yield* Durable.parallel(
              "quorum",
              [Durable.step("quick", Effect.succeed("quick")), Durable.step("slow", Effect.as(sleep, "slow"))],
              { policy: quorum }
            )
            yield* pause
            return batch.values
          })
        )
        assert.deepStrictEqual(valueOf(ran), ["quick"])
        const [first = Infinity, ...others] = invocationsEnded(ran.history)
        assert.isAtMost(first, 1)
        assert.lengthOf(others, 1)
      })
    )
  }
})

describe("conditions", () => {
  it.effect("AWS JS SDK 2: a check that fails in the invocation of an earlier one is recorded as failed once", () =>
    Effect.gen(function* () {
      let checks = 0
      const ready = Durable.waitForCondition("ready", {
        initial: 0,
        check: (n) => (++checks === 2 ? Effect.fail(new Broken({ why: "gone" })) : Effect.succeed(n + 1)),
        until: (n) => n === 3,
        delay: "2 seconds",
        error: Broken
      })
      const ran = yield* execute(Effect.all([Effect.exit(ready), Durable.step("long", Effect.sleep("1 minute"))], both))
      assert.deepInclude(errorOf(valueOf(ran)[0]), { _tag: "Broken", why: "gone" })
      assert.strictEqual(ran.invocations, 1)
      assert.deepStrictEqual(actions(ran.updates.filter((update) => update.Name === "ready")), [
        "START ready",
        "RETRY ready",
        "START ready",
        "FAIL ready"
      ])
    })
  )

  const condition = Durable.waitForCondition("x", { initial: 1, check: Effect.succeed, until: () => true })
  const operations: ReadonlyArray<readonly [string, Effect.Effect<unknown, never, Durable.Execution>]> = [
    ["a step", Durable.step("x", Effect.succeed(1))],
    ["a wait", Durable.wait("x", "1 second")],
    ["a child", Durable.child("x", Effect.succeed(1))]
  ]
  for (const [kind, other] of operations) {
    for (const [change, before, after] of [
      [`${kind} for a condition`, condition, other],
      [`a condition for ${kind}`, other, condition]
    ] as const) {
      it.effect(`AWS JS SDK 3: a replay that asks for ${change} is NonDeterministic`, () =>
        Effect.gen(function* () {
          const ran = yield* execute(deployed(Effect.andThen(before, pause), Effect.andThen(after, pause)))
          const failed = failureOf(ran)
          assert.strictEqual(failed.errorType, "NonDeterministic")
          assert.include(failed.errorMessage, "WaitForCondition")
        })
      )
    }
  }
})

describe("the last checkpoint", () => {
  // Nobody waits for the end of a child to be recorded: it leaves after the workflow has returned.
  const last = Durable.child("last", Effect.succeed("done"))

  it.effect("AWS JS SDK 4: a last checkpoint that is refused after the workflow has returned is no success", () =>
    Effect.gen(function* () {
      const ran = yield* execute(last, { store: failing(holds("SUCCEED", "last"), said.invalidParameter) })
      assert.deepStrictEqual(valueOf(ran), "done")
      assert.strictEqual(failureOf(ran).errorType, "StoreRejected")
      assert.include(failureOf(ran).errorMessage, "Invalid parameter in update.")
    })
  )

  it.effect("AWS JS SDK 4: a last checkpoint that does not get through fails the invocation, which is repeated", () =>
    Effect.gen(function* () {
      const ran = yield* execute(last, { store: failing(holds("SUCCEED", "last"), said.busy, 7) })
      assertSucceeded(ran)
      assert.strictEqual(ran.invocations, 2)
      assert.strictEqual(ran.operations[0]?.Status, "SUCCEEDED")
    })
  )
})

describe("a large result", () => {
  const Large = DurableFunction.make("large", { success: Schema.String })
  // With its quotes a little more than fits into the answer of an invocation.
  const text = "x".repeat(6_291_440)
  const large = Large.implement(() => Effect.sync(() => text))

  /** Runs it, where the first requests to record the result fail. */
  const recording = (error: StoreError, times: number) =>
    Effect.gen(function* () {
      const store = yield* CheckpointStore
      Object.assign(
        store,
        failing(({ Updates }) => Updates.some(({ Type }) => Type === "EXECUTION"), error, times)({ ...store })
      )
      const run = yield* TestEngine.start(Large)
      const exit = yield* Effect.exit(run.result)
      return { exit, history: yield* run.history }
    }).pipe(Effect.provide(TestEngine.layer([large])))

  it.effect("is recorded by an update with an id of its own, which is the same whenever it is repeated", () =>
    Effect.gen(function* () {
      const store = yield* CheckpointStore
      const inner = { ...store }
      const ids: Array<string> = []
      Object.assign(store, {
        checkpoint: (request: Parameters<typeof inner.checkpoint>[0]) => {
          ids.push(...request.Updates.flatMap(({ Id, Type }) => (Type === "EXECUTION" ? [Id] : [])))
          return ids.length === 1 ? Effect.fail(said.busy) : inner.checkpoint(request)
        }
      })
      const run = yield* TestEngine.start(Large)
      assert.strictEqual(yield* run.result, text)
      const [execution] = yield* run.operations()
      assert.lengthOf(new Set(ids), 1)
      assert.match(ids[0] ?? "", /^[0-9a-f]{16}$/)
      assert.notStrictEqual(ids[0], execution?.Id)
      assert.notInclude(run.executionArn, ids[0] ?? "")
    }).pipe(Effect.provide(TestEngine.layer([large])))
  )

  it.effect("AWS JS SDK 5: a large result whose checkpoint is refused fails the execution", () =>
    Effect.gen(function* () {
      const { exit, history } = yield* recording(said.invalidParameter, Infinity)
      assert.strictEqual(failureOf({ result: exit }).errorType, "StoreRejected")
      assert.deepStrictEqual(invocationsEnded(history), [0])
    })
  )

  it.effect(
    "AWS JS SDK 5: a large result whose checkpoint does not get through is recorded by another invocation",
    () =>
      Effect.gen(function* () {
        const { exit, history } = yield* recording(said.busy, 7)
        assert.isTrue(Exit.isSuccess(exit) && exit.value === text)
        // The one that failed, in a few seconds. That which records the result is still about to answer.
        const [failed = Infinity, ...others] = invocationsEnded(history)
        assert.isBelow(failed, 60)
        assert.deepStrictEqual(others, [])
      })
  )
})

describe("a broken retry policy", () => {
  const policies: Record<string, RetryPolicy.RetryPolicy> = {
    throws: RetryPolicy.make(() => {
      throw new RangeError("no such delay")
    }),
    dies: RetryPolicy.make(() => Effect.die(new RangeError("no such delay")))
  }
  for (const [how, retry] of Object.entries(policies)) {
    it.effect(`AWS JS SDK 6: a step whose retry policy ${how} has failed, and the next wait suspends`, () =>
      Effect.gen(function* () {
        const ran = yield* execute(
          Effect.gen(function* () {
            const exit = yield* Effect.exit(Durable.step("bad", Effect.die("bad"), { retry }))
            yield* pause
            return String(defectOf(exit))
          })
        )
        assert.strictEqual(valueOf(ran), "RangeError: no such delay")
        assert.deepStrictEqual(
          ran.operations.map(({ Name, Status }) => `${Name} ${Status}`),
          ["bad FAILED", "pause SUCCEEDED"]
        )
        assert.deepStrictEqual(invocationsEnded(ran.history), [0, 86_400])
      })
    )
  }
})

describe("invokes", () => {
  const Echo = DurableFunction.plain("echo", { payload: Schema.String, success: Schema.String })

  it.effect("AWS JS SDK 7: an unnamed invoke with a text as payload calls the function with the text", () =>
    Effect.gen(function* () {
      const { calls, stub } = spy(Echo, (text) => Effect.succeed(text))
      const { exit, history } = yield* runToEnd(Durable.invoke(Echo, "greet:1"), [stub])
      assert.isTrue(Exit.isSuccess(exit) && exit.value === "greet:1")
      assert.deepStrictEqual(addresses(history), ["echo"])
      assert.deepStrictEqual(
        calls.map(({ payload }) => payload),
        ["greet:1"]
      )
    })
  )

  const error = { ErrorType: "QuotaExceeded", ErrorMessage: "none left", ErrorData: `{"left":0}` }
  const kept = { errorType: "QuotaExceeded", errorMessage: "none left", errorData: `{"left":0}` }
  for (const [status, outcome, tag] of [
    ["failed", Reply.fail(error), "InvokeFailed"],
    ["timed out", Reply.timeOut(error), "InvokeTimedOut"],
    ["was stopped", Reply.stop(error), "InvokeStopped"]
  ] as const) {
    it.effect(`AWS JS SDK 7: a callee that ${status} is ${tag} with its type, live and on replay`, () =>
      Effect.gen(function* () {
        const seen: Array<DurableError.InvokeError> = []
        yield* runToValue(
          Effect.gen(function* () {
            seen.push(errorOf(yield* Effect.exit(Durable.invoke(Echo, "hello"))))
            yield* pause
          }),
          [TestEngine.stub(Echo, outcome)]
        )
        assert.lengthOf(seen, 2)
        for (const error of seen) assert.deepInclude(error, { _tag: tag, ...kept })
        assert.deepStrictEqual(seen[0], seen[1])
      })
    )
  }
})

describe("values that cannot be written or read", () => {
  const unwritable = Serdes.make<string>({
    serialize: () => Effect.fail("no ink"),
    deserialize: (text) => text ?? ""
  })

  it.effect("AWS JS SDK 8: a value that cannot be written fails the execution in its first invocation", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Durable.step("write", Effect.succeed("text"), { successSerdes: unwritable }))
      assert.strictEqual(failureOf(ran).errorType, "SerdesFailed")
      assert.include(failureOf(ran).errorMessage, "no ink")
      assert.deepStrictEqual(invocationsEnded(ran.history), [0])
    })
  )

  it.effect("AWS JS SDK 8: a record that cannot be read fails the execution in the invocation that finds it", () =>
    Effect.gen(function* () {
      const text = Durable.step("read", Effect.succeed("one"), { success: Schema.String })
      const number = Durable.step("read", Effect.succeed(1), { success: Schema.Int })
      const ran = yield* execute(deployed(Effect.andThen(text, pause), Effect.andThen(number, pause)))
      assert.strictEqual(failureOf(ran).errorType, "SerdesFailed")
      assert.include(failureOf(ran).errorMessage, `"read"`)
      assert.deepStrictEqual(invocationsEnded(ran.history), [0, 86_400])
    })
  )
})

describe("pages of state", () => {
  it.effect("AWS JS SDK 9: the answer to a checkpoint is read to its last page", () =>
    Effect.gen(function* () {
      const naps = [1, 2, 3, 4, 5, 6].map((n) => Durable.wait(`nap-${n}`, "10 seconds"))
      let rested = 0
      const ran = yield* execute(
        Effect.all(
          [
            Durable.step("long", Effect.sleep("1 minute")),
            ...naps.map((nap) => Effect.tap(nap, () => Effect.sync(() => ++rested)))
          ],
          both
        ),
        { engine: { pageItems: 1 } }
      )
      assertSucceeded(ran)
      assert.strictEqual(rested, 6)
      assert.strictEqual(ran.invocations, 1)
    })
  )

  it.effect("AWS JS SDK 10: a state that the service refuses to give out fails the execution after one request", () =>
    Effect.gen(function* () {
      let loads = 0
      const ran = yield* execute(Effect.andThen(Durable.step("a", Effect.succeed(1)), pause), {
        engine: { pageItems: 1 },
        store: () => ({
          loadState: () => {
            loads++
            return Effect.fail(said.forbidden)
          }
        })
      })
      assert.strictEqual(failureOf(ran).errorType, "StoreRejected")
      assert.include(failureOf(ran).errorMessage, "AccessDeniedException")
      assert.strictEqual(loads, 1)
      assert.deepStrictEqual(invocationsEnded(ran.history), [0, 86_400])
    })
  )
})

describe("plain asynchronous work", () => {
  /** A wait that nobody has asked for yet, a step, and then plain work. */
  const program = (work: Effect.Effect<unknown, never, Durable.Execution>) =>
    Effect.gen(function* () {
      yield* Effect.forkChild(Durable.wait("nap", "5 seconds"), { startImmediately: true })
      yield* Durable.step("begin", Effect.succeed(1))
      yield* work
      return "done"
    })

  it.effect("AWS JS SDK 11: plain work that outlasts its limit is cut off with a warning, and goes on later", () =>
    Effect.gen(function* () {
      let isReady = false
      const work = Effect.promise(() => (isReady ? Promise.resolve() : new Promise<void>(() => (isReady = true))))
      const ran = yield* execute(program(work), { engine: { outsideLimit: "20 millis" } })
      assert.strictEqual(valueOf(ran), "done")
      assert.deepStrictEqual(invocationsEnded(ran.history), [0, 5])
      const cut = ran.logs.find((line) => line.includes("has waited 20 ms")) ?? ""
      for (const cure of ["Durable.step", "Durable.hold"]) assert.include(cut, cure)
    })
  )

  for (const [where, work] of [
    ["outside of any operation", Effect.sleep("200 millis")],
    ["in Durable.hold", Durable.hold(Effect.sleep("200 millis"))],
    ["in a step", Durable.step("work", Effect.sleep("200 millis"))]
  ] as const) {
    it.effect(`AWS JS SDK 11: plain work ${where} is not cut off`, () =>
      Effect.gen(function* () {
        const ran = yield* execute(program(work))
        assert.strictEqual(valueOf(ran), "done")
        assert.deepStrictEqual(invocationsEnded(ran.history), [0.2])
      })
    )
  }
})

describe("durations", () => {
  const Other = DurableFunction.plain("other")
  const none = 0
  const operations: Record<string, Effect.Effect<unknown, DurableError.OperationError, Durable.Execution>> = {
    callback: Durable.callback("x", { timeout: none }),
    heartbeat: Durable.callback("x", { heartbeatTimeout: none }),
    invoke: Durable.invoke(Other, undefined, { name: "x", timeout: none }),
    timeout: Durable.timeout("x", Effect.void, none)
  }
  for (const [kind, operation] of Object.entries(operations)) {
    it.effect(`AWS JS SDK 12: no time at all is InvalidDuration, and nothing is sent: ${kind}`, () =>
      Effect.gen(function* () {
        const ran = yield* execute(operation)
        assert.strictEqual(failureOf(ran).errorType, "InvalidDuration")
        assert.deepStrictEqual(ran.updates, [])
      })
    )
  }

  it.effect("AWS JS SDK 12: a wait for no time goes on at once, and nothing is sent", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Durable.wait("x", none))
      assertSucceeded(ran)
      assert.deepStrictEqual(ran.updates, [])
    })
  )

  it.effect("AWS JS SDK 12: whatever the service is told of time are whole seconds, at least one", () =>
    Effect.gen(function* () {
      let checks = 0
      const retry = RetryPolicy.make(({ attempt }: { readonly attempt: number }) =>
        Effect.succeed(attempt < 2 ? again : stop)
      )
      const again: RetryPolicy.Decision = { _tag: "Retry", delaySeconds: 0.2 }
      const stop: RetryPolicy.Decision = { _tag: "Stop" }
      const ran = yield* execute(
        Effect.gen(function* () {
          yield* Durable.wait("nap", "1.5 seconds")
          yield* Durable.callback("callback", { timeout: "10.2 seconds", heartbeatTimeout: "1001 millis" })
          yield* Durable.waitForCondition("condition", {
            initial: 0,
            check: () => Effect.sync(() => ++checks),
            until: (n) => n === 2,
            delay: "1300 millis"
          })
          yield* Effect.exit(Durable.step("flaky", Effect.die("flaky"), { retry }))
        })
      )
      assertSucceeded(ran)
      const told = ran.updates.flatMap(({ CallbackOptions, StepOptions, WaitOptions }) => [
        ...Object.values(WaitOptions ?? {}),
        ...Object.values(CallbackOptions ?? {}),
        ...Object.values(StepOptions ?? {})
      ])
      assert.deepStrictEqual(told, [2, 11, 2, 1, 1])
    })
  )
})

describe("results of batches", () => {
  it.effect("AWS JS SDK 13: items that had not ended are there when a large batch is replayed", () =>
    Effect.gen(function* () {
      const seen: Array<ReadonlyArray<string>> = []
      const large = (name: string) => Durable.step(name, Effect.succeed(name.repeat(150_000)))
      const ran = yield* execute(
        Effect.gen(function* () {
          const batch = yield* Durable.parallel(
            "batch",
            [large("a"), Effect.as(Durable.wait("never", "300 days"), "b"), large("c")],
            { policy: CompletionPolicy.make({ minSuccessful: 2 }) }
          )
          seen.push([batch.completionReason, ...batch.all.map(({ index, status }) => `${index} ${status}`)])
          yield* pause
        })
      )
      assertSucceeded(ran)
      assert.isTrue(ran.operations.find(({ Name }) => Name === "batch")?.ContextDetails?.ReplayChildren)
      const items = ["MIN_SUCCESSFUL_REACHED", "0 SUCCEEDED", "1 STARTED", "2 SUCCEEDED"]
      assert.deepStrictEqual(seen, [items, items])
    })
  )

  it.effect("AWS JS SDK 16: the values of a batch hold undefined ones, live and on replay", () =>
    Effect.gen(function* () {
      const seen: Array<ReadonlyArray<void>> = []
      const ran = yield* execute(
        Effect.gen(function* () {
          const batch = yield* Durable.map("batch", [1, 2, 3], () => Effect.void)
          assert.strictEqual(batch.successCount, 3)
          seen.push(batch.values, yield* batch.orFail)
          yield* pause
        })
      )
      assertSucceeded(ran)
      const values = [undefined, undefined, undefined]
      assert.deepStrictEqual(seen, [values, values, values, values])
    })
  )

  it.effect("AWS JS SDK 17: the error of a batch that was ended as failed crosses a child as itself", () =>
    Effect.gen(function* () {
      const policy = CompletionPolicy.custom(({ successCount }) => (successCount === 1 ? "FAILED" : "continue"))
      const seen: Array<unknown> = []
      const ran = yield* execute(
        Effect.gen(function* () {
          const child = Durable.child(
            "child",
            Effect.flatMap(
              Durable.parallel("batch", [Durable.step("one", Effect.succeed(1))], { policy }),
              (batch) => batch.orFail
            )
          )
          seen.push(errorOf(yield* Effect.exit(child)))
          yield* pause
          return yield* child
        })
      )
      assert.lengthOf(seen, 2)
      for (const error of [...seen, errorOf(ran.exits.at(-1))]) {
        assert.instanceOf(error, DurableError.BatchFailed)
        assert.strictEqual(error.completionReason, "CUSTOM_COMPLETION_FAILED")
      }
    })
  )
})

describe("a child that is entered again", () => {
  it.effect("AWS JS SDK 14: a child that is entered again logs its replayed part once", () =>
    Effect.gen(function* () {
      const observed = yield* observe(
        Durable.child(
          "child",
          Effect.gen(function* () {
            yield* Effect.log("begin")
            yield* Durable.step("step", Effect.log("in the step"))
            yield* Effect.log("stepped")
            yield* pause
            yield* Effect.log("rested")
            yield* Durable.wait("again", "1 day")
            yield* Effect.log("end")
          })
        )
      )
      assert.strictEqual(observed.invocations, 3)
      assert.deepStrictEqual(messages(observed), ["begin", "in the step", "stepped", "rested", "end"])
    })
  )
})

describe("a stale token", () => {
  it.effect("AWS JS SDK 15: an emulator's stale token fails the invocation only, and the execution goes on", () =>
    Effect.gen(function* () {
      const ran = yield* execute(Effect.andThen(Durable.step("a", Effect.succeed(1)), pause), {
        store: failing(holds("SUCCEED", "a"), said.staleToken, 1)
      })
      assertSucceeded(ran)
      assert.strictEqual(ran.invocations, 3)
    })
  )
})

describe("the time-out of a condition", () => {
  const never = { initial: 0, check: Effect.succeed<number>, until: () => false, delay: "1 minute" } as const

  it("AWS JS SDK 18: a condition has no time-out that would do nothing", () => {
    // @ts-expect-error there is no such option
    Durable.waitForCondition("ready", { ...never, timeout: "10 minutes" })
    // @ts-expect-error there is no such option
    Durable.waitForCondition("ready", { ...never, timeoutSeconds: 600 })
  })

  it.effect("AWS JS SDK 18: Durable.timeout ends a condition in time", () =>
    Effect.gen(function* () {
      const ran = yield* execute(
        Effect.exit(Durable.timeout("limit", Durable.waitForCondition("ready", never), "10 minutes"))
      )
      assert.instanceOf(errorOf(valueOf(ran)), DurableError.DurableTimeout)
      assert.strictEqual(invocationsEnded(ran.history).at(-1), 600)
    })
  )
})
