/**
 * Traps that other engines of durable execution have fallen into, each with the issue that tells of it.
 *
 * | Trap | Who fell into it | Test, or why there is none |
 * | --- | --- | --- |
 * | a catch or a finalizer of the user sees a suspension | Vercel's prototype, effect-smol#2075 | "vercel: …" (and `effectWorkflow.test.ts`) |
 * | clean-up does not run when an execution is stopped | Vercel's prototype | a limit: the service stops an execution without running any of its code; the test says so |
 * | ids depend on the order of forks or arrivals | effect#6014, azure-functions-durable-extension#231 | by number |
 * | ids are hashes of source text | decocms/studio#4143 | by number |
 * | a name that is used twice goes unnoticed | azure-functions-durable-extension#231 | by number |
 * | success before the last checkpoint is acknowledged | AWS JS SDK #869 | by number |
 * | code that lost its race waits for ever | AWS JS SDK #871 | by number |
 * | values are encoded on the second run only, or not in tests | inngest-js#1622 | by number |
 * | one fake clock for the process, one flag for all that replays | AWS JS SDK #298, azure-functions-durable-js#47 | by number |
 * | the terminal status of a callee is swallowed | hatchet#4554, inngest-js#1694 | by number, for every status |
 * | a permanent error of the transport is tried again until the execution times out | AWS JS SDK #790 | by number |
 * | promises that nobody can keep: exactly once, a stopped callee, more than 3,000 operations | all of them | "limit: …": what the user is told instead |
 * | further pages of state or of checkpoints are not read | AWS Java SDK #53 | by number |
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableError, DurableFunction, RetryPolicy, Serdes } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import { elapsed, runToError, runToValue } from "../invoke/support.ts"
import { invoked, oneInvocation } from "../invoke/oneInvocation.ts"
import { everySight } from "../operations/batches.ts"
import {
  actions,
  assertSucceeded,
  crashAt,
  deployed,
  execute,
  failureOf,
  holds,
  invokeOnce,
  valueOf
} from "../operations/support.ts"
import { ask, host, turns, valueOf as resultOf } from "../runtime/harness.ts"
import { assertPending } from "../runtime/suspends.ts"
import { both, failing, invocationsEnded, said } from "./support.ts"

const pause = Durable.wait("pause", "1 day")

/** The first seed of this run: SEED, which every test run prints. A failure names the seed that it happened with. */
const firstSeed = Number(process.env["SEED"] ?? 1)
const seeds = Array.from({ length: 12 }, (_, i) => firstSeed + i)

/** The body of a step that takes up to a second. */
const atRandom = <A>(value: A): Effect.Effect<A> =>
  Effect.flatMap(Random.nextIntBetween(1, 1_000), (millis) => Effect.as(Effect.sleep(millis), value))

describe("suspensions and the code of the user", () => {
  it.effect("vercel: a catch round a suspension sees nothing, whatever it catches", () =>
    Effect.gen(function* () {
      const caught: Array<string> = []
      const note = (what: string) => Effect.sync(() => void caught.push(what))
      const ran = yield* execute(
        pause.pipe(
          Effect.catchCause(() => note("cause")),
          Effect.catchDefect(() => note("defect")),
          Effect.onInterrupt(() => Durable.step("interrupt", note("interrupt"))),
          Effect.onError(() => Durable.step("error", note("error"))),
          Effect.exit,
          Effect.map((exit) => exit._tag)
        )
      )
      assert.strictEqual(valueOf(ran), "Success")
      assert.strictEqual(ran.invocations, 2)
      assert.deepStrictEqual(caught, [])
      assert.deepStrictEqual(actions(ran.updates), ["START pause"])
    })
  )

  it.effect("vercel: business clean-up runs at the real end, and once, however often the run is suspended", () =>
    Effect.gen(function* () {
      const cleaned: Array<string> = []
      const clean = (what: string) =>
        Durable.step(
          what,
          Effect.sync(() => void cleaned.push(what))
        )
      const ran = yield* execute(
        Effect.gen(function* () {
          yield* Durable.withCompensation("book", Durable.step("booked", Effect.void), () => clean("undo"))
          yield* Durable.onExit(Effect.andThen(pause, Durable.wait("again", "1 day")), () =>
            Effect.andThen(
              Effect.sync(() => cleaned.push("local")),
              clean("exit")
            )
          )
          return yield* Effect.die("after all")
        })
      )
      assert.strictEqual(failureOf(ran).errorMessage, "after all")
      assert.strictEqual(ran.invocations, 3)
      assert.deepStrictEqual(cleaned, ["local", "exit", "undo"])
    })
  )

  it.effect("vercel: no code runs when an execution is stopped: that is for whoever stops it", () =>
    Effect.gen(function* () {
      const cleaned: Array<string> = []
      const Work = DurableFunction.make("work")
      const work = Work.implement(() =>
        Durable.onExit(
          Effect.flatMap(Durable.callback("never"), (opened) => Effect.orDie(Effect.asVoid(opened.await))),
          () => Effect.sync(() => void cleaned.push("exit"))
        )
      )
      yield* Effect.gen(function* () {
        const run = yield* TestEngine.start(Work)
        while ((yield* run.history).every(({ EventType }) => EventType !== "InvocationCompleted")) yield* turns(1)
        yield* run.stop()
        assert.strictEqual(failureOf({ result: yield* Effect.exit(run.result) }).status, "STOPPED")
        assert.deepStrictEqual(cleaned, [])
      }).pipe(Effect.provide(TestEngine.layer([work])))
    })
  )
})

describe("ids", () => {
  /** Two lines of steps that overtake each other, with waits between them. */
  const line = (name: string) =>
    Effect.gen(function* () {
      const first = yield* Durable.step(`${name}-1`, atRandom(`${name}1`))
      yield* Durable.wait(`${name}-nap`, "1 minute")
      return first + (yield* Durable.step(`${name}-2`, atRandom(`${name}2`)))
    })
  const item = (n: number) =>
    Effect.tap(Durable.step("take", atRandom(n)), (taken) => Durable.wait("nap", `${1 + (taken % 2)} minutes`))
  const programs: Record<string, Effect.Effect<unknown, never, Durable.Execution>> = {
    "Effect.all": Effect.all([line("a"), line("b")], both),
    "Durable.all": Durable.all("lines", [line("a"), line("b")], both),
    "Durable.forEach": Durable.forEach("items", [1, 2, 3, 4, 5], item, { concurrency: 3 })
  }
  for (const [what, program] of Object.entries(programs)) {
    it.effect(`effect#6014, azure-functions-durable-extension#231: ${what} has the same ids in whatever order`, () =>
      Effect.gen(function* () {
        const seen = new Set<string>()
        const orders = new Set<string>()
        for (const seed of seeds) {
          const ran = yield* execute(program, { engine: { seed } })
          const ids = ran.operations.map(({ Id, Name, ParentId }) => `${Id} ${Name} in ${ParentId ?? "the root"}`)
          seen.add(JSON.stringify([valueOf(ran), ids.toSorted()]))
          assert.strictEqual(seen.size, 1, `seed ${seed}: ${[...seen].join("\n")}`)
          orders.add(JSON.stringify(actions(ran.updates)))
        }
        // Else nothing was tried.
        assert.isAbove(orders.size, 1)
      })
    )
  }

  it.effect(
    "azure-functions-durable-extension#231: one name in two concurrent branches gives each its own result",
    () =>
      Effect.gen(function* () {
        const charge = (n: number) => Durable.step("charge", atRandom(n))
        for (const seed of seeds) {
          const { ran, seen } = yield* everySight(Effect.all([charge(1), charge(2)], both), { engine: { seed } })
          assertSucceeded(ran)
          assert.deepStrictEqual(
            seen,
            [
              [1, 2],
              [1, 2]
            ],
            `seed ${seed}`
          )
        }
      })
  )

  it.effect("decocms/studio#4143: code that is written differently, and does the same, replays", () =>
    Effect.gen(function* () {
      let charges = 0
      const charge = Effect.sync(() => ++charges)
      const before = Effect.gen(function* () {
        const price = yield* Durable.step("price", Effect.succeed(10))
        const charged = yield* Durable.step("charge", charge)
        yield* pause
        return price + charged
      })
      // Another order of what does not depend on each other, another style, and a new operation.
      const after = Durable.step("charge", charge).pipe(
        Effect.zip(Durable.step("price", Effect.succeed(99))),
        Effect.tap(() => pause),
        Effect.tap(() => Durable.step("report", Effect.void)),
        Effect.map(([charged, price]) => charged + price)
      )
      const ran = yield* execute(deployed(before, after))
      assert.strictEqual(valueOf(ran), 11)
      assert.strictEqual(charges, 1)
    })
  )
})

describe("ends", () => {
  it.effect("aws-durable-execution-sdk-js#869: no answer before the last checkpoint is acknowledged", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const acknowledged = yield* Deferred.make<void>()
      const invocation = yield* Effect.forkChild(
        invokeOnce(Durable.child("last", Effect.void), {
          store: {
            checkpoint: () =>
              Deferred.succeed(asked, undefined).pipe(
                Effect.andThen(Deferred.await(acknowledged)),
                Effect.as({ CheckpointToken: "token-1", NewExecutionState: { Operations: [] } })
              )
          }
        })
      )
      yield* Deferred.await(asked)
      yield* turns(50)
      assert.isUndefined(invocation.pollUnsafe())
      yield* Deferred.succeed(acknowledged, undefined)
      const { answer, updates } = yield* Fiber.join(invocation)
      assert.deepStrictEqual(answer, { Status: "SUCCEEDED" })
      assert.deepStrictEqual(actions(updates), ["START last", "SUCCEED last"])
    })
  )

  it.effect("aws-durable-execution-sdk-js#871: a branch that lost its race ends, and holds nothing back", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.gen(function* () {
          const loser = ask("A").pipe(Effect.orDie, Effect.andThen(note("went on")), Effect.ensuring(note("let go")))
          const won = yield* Durable.race("race", [loser, Durable.step("quick", Effect.succeed("quick"))])
          yield* Durable.step("after", note("after"))
          yield* ask("B")
          return won
        })
      )
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.deepStrictEqual(execution.log, ["let go", "after"])
      assert.strictEqual(suspended.fibersLeft, 0)
      const { answer } = yield* execution.drive()
      assert.strictEqual(resultOf(answer), "quick")
      assert.deepStrictEqual(execution.log, ["let go", "after"])
    })
  )

  for (const [what, error] of [
    ["a refused update", said.invalidParameter],
    ["missing permissions", said.forbidden]
  ] as const) {
    it.effect(`aws-durable-execution-sdk-js#790: ${what} ends the execution at once, after one request`, () =>
      Effect.gen(function* () {
        const ran = yield* execute(Durable.step("work", Effect.void), { store: failing(() => true, error) })
        assert.strictEqual(failureOf(ran).errorType, "StoreRejected")
        assert.lengthOf(ran.requests, 1)
        assert.deepStrictEqual(invocationsEnded(ran.history), [0])
      })
    )
  }
})

describe("values", () => {
  it.effect("inngest-js#1622: a Date is a Date, live and on replay", () =>
    Effect.gen(function* () {
      const seen: Array<Date> = []
      const ran = yield* execute(
        Effect.gen(function* () {
          const now = Effect.sync(() => new Date(Date.UTC(2026, 1, 3)))
          seen.push(yield* Durable.step("now", now, { success: Schema.Date }))
          yield* pause
        })
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(seen, [new Date(Date.UTC(2026, 1, 3)), new Date(Date.UTC(2026, 1, 3))])
    })
  )

  it.effect("inngest-js#1622: what a codec loses is lost on the first run as well", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const shouting = Serdes.make<string>({
        serialize: (text) => text.toUpperCase(),
        deserialize: (text = "") => `${text}!`
      })
      const ran = yield* execute(
        Effect.gen(function* () {
          seen.push(yield* Durable.step("say", Effect.succeed("hello"), { successSerdes: shouting }))
          yield* pause
        })
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(seen, ["HELLO!", "HELLO!"])
    })
  )

  it.effect("inngest-js#1622: payloads, results and errors cross the codec in tests, too", () =>
    Effect.gen(function* () {
      const Tags = DurableFunction.plain("tags", {
        payload: Schema.Array(Schema.String),
        success: Schema.Array(Schema.String)
      })
      const payload = ["a"]
      const result = ["b"]
      const seen: Array<ReadonlyArray<string>> = []
      const tags = TestEngine.stub(Tags, (given) => {
        seen.push(given)
        return Effect.succeed(result)
      })
      yield* runToValue(
        Effect.map(Durable.invoke(Tags, payload), (answer) => seen.push(answer)),
        [tags]
      )
      assert.deepStrictEqual(seen, [["a"], ["b"]])
      assert.notStrictEqual(seen[0], payload)
      assert.notStrictEqual(seen[1], result)
      // What does not fit its Schema fails in the test, and not only when it is deployed.
      const Count = DurableFunction.plain("count", { success: Schema.Int })
      const error = yield* runToError(Durable.invoke(Count), [TestEngine.stub(Count, () => Effect.succeed(1.5))])
      assert.instanceOf(error, DurableError.InvokeFailed)
    })
  )
})

describe("clocks and replays", () => {
  it.effect("aws-durable-execution-sdk-js#298: each test has a time of its own, and the process keeps its own", () =>
    Effect.gen(function* () {
      const now = Date.now()
      const napOf = (days: number, startTime: number) =>
        execute(Durable.wait("nap", `${days} days`), { engine: { startTime } })
      const [one, other] = yield* Effect.all([napOf(300, 0), napOf(3, Date.UTC(2030, 0, 1))], both)
      assert.strictEqual(elapsed(one.history), 300 * 86_400_000)
      assert.strictEqual(elapsed(other.history), 3 * 86_400_000)
      assert.strictEqual(one.history[0]?.EventTimestamp, 0)
      assert.isBelow(Date.now() - now, 86_400_000)
    })
  )

  it.effect("azure-functions-durable-js#47: one context replays while another goes on for the first time", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const see = (place: string) =>
        Effect.map(Durable.isReplaying, (again) => void seen.push(`${place}${again ? " again" : ""}`))
      const ran = yield* execute(
        Effect.all(
          [
            Durable.child(
              "quick",
              Effect.gen(function* () {
                yield* Durable.wait("one hour", "1 hour")
                yield* see("quick goes on")
              })
            ),
            Durable.child(
              "slow",
              Effect.gen(function* () {
                for (const n of [1, 2, 3]) yield* Durable.step(`step ${n}`, Effect.void)
                yield* see("slow has worked")
                yield* Durable.wait("three hours", "3 hours")
                yield* see("slow goes on")
              })
            )
          ],
          both
        )
      )
      assertSucceeded(ran)
      assert.deepStrictEqual(seen, [
        "slow has worked",
        // The second invocation goes on in the order in which things happened.
        "slow has worked again",
        "quick goes on",
        "slow has worked again",
        "slow goes on"
      ])
    })
  )
})

describe("the end of a callee", () => {
  const Callee = DurableFunction.plain("callee", { success: Schema.String })
  const error = { ErrorType: "Why", ErrorMessage: "because" }
  const payload = { Result: `{"internal":"state"}`, Error: error }
  const statuses = {
    FAILED: "InvokeFailed",
    TIMED_OUT: "InvokeTimedOut",
    STOPPED: "InvokeStopped",
    CANCELLED: "InvokeFailed"
  } as const

  for (const [Status, tag] of Object.entries(statuses)) {
    // The record has a result as well: nobody may take that for a success.
    it.effect(`hatchet#4554, inngest-js#1694: a callee that is ${Status} is ${tag} on replay, and no success`, () =>
      Effect.gen(function* () {
        const { answer, updates } = yield* oneInvocation(
          Effect.map(Effect.exit(Durable.invoke(Callee)), (exit) => exit._tag),
          [invoked("callee", { Status, EndTimestamp: 2_000, ChainedInvokeDetails: payload })]
        )
        assert.deepStrictEqual(answer, { Status: "SUCCEEDED", Result: `"Failure"` })
        const failed = yield* oneInvocation(Durable.invoke(Callee), [
          invoked("callee", { Status, EndTimestamp: 2_000, ChainedInvokeDetails: payload })
        ])
        assert.isTrue(failed.answer?.Status === "FAILED" && failed.answer.Error?.ErrorType === tag)
        assert.include(JSON.stringify(failed.answer), "because")
        assert.deepStrictEqual(updates, [])
      })
    )
  }

  it.effect("hatchet#4554: a child that failed, and a step, have failed on replay", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const ran = yield* execute(
        Effect.gen(function* () {
          const bad = Durable.step("bad", Effect.die(new RangeError("bad")), { retry: RetryPolicy.none })
          for (const operation of [Durable.child("child", Effect.die(new RangeError("bad"))), bad]) {
            const exit = yield* Effect.exit(operation)
            seen.push(Exit.isFailure(exit) ? String(exit.cause) : "success")
          }
          yield* pause
        })
      )
      assertSucceeded(ran)
      assert.lengthOf(seen, 4)
      for (const text of seen) assert.include(text, "RangeError: bad")
    })
  )
})

describe("limits", () => {
  it.effect("limit: a step is not exactly once: a crash repeats it, with the same key for whoever it calls", () =>
    Effect.gen(function* () {
      const keys: Array<string> = []
      const charge = Effect.map(Durable.StepContext, ({ idempotencyKey }) => keys.push(idempotencyKey))
      const ran = yield* execute(Durable.step("charge", charge), {
        store: crashAt(holds("SUCCEED", "charge"), "before")
      })
      assertSucceeded(ran)
      assert.lengthOf(keys, 2)
      assert.lengthOf(new Set(keys), 1)
    })
  )

  it.effect("limit: an at-most-once step that a crash interrupts says that nobody knows what it did", () =>
    Effect.gen(function* () {
      let runs = 0
      const charge = Effect.sync(() => ++runs)
      const ran = yield* execute(Effect.exit(Durable.step("charge", charge, { semantics: "at-most-once" })), {
        store: crashAt(holds("SUCCEED", "charge"), "before")
      })
      assert.strictEqual(runs, 1)
      const exit = valueOf(ran)
      assert.include(String(exit), "StepInterrupted")
      assert.include(String(exit), "Find out whether its effect happened before you repeat it.")
    })
  )

  it.effect("limit: the time-out of an invoke does not stop the callee, and says so", () =>
    Effect.gen(function* () {
      const Slow = DurableFunction.plain("slow", { success: Schema.String })
      let ended = false
      const slow = TestEngine.stub(Slow, () =>
        Effect.as(
          Effect.tap(Effect.sleep("1 hour"), () => Effect.sync(() => (ended = true))),
          "done"
        )
      )
      const seen = yield* runToValue(
        Effect.gen(function* () {
          const error = yield* Effect.flip(
            Effect.catchTag(Durable.invoke(Slow, undefined, { timeout: "1 minute" }), "InvokeFailed", Effect.die)
          )
          yield* Durable.wait("meanwhile", "2 hours")
          return {
            message: error.message,
            calleeMayStillRun: error._tag === "InvokeTimedOut" && error.calleeMayStillRun
          }
        }).pipe(Effect.catch(() => Effect.die("no time-out"))),
        [slow]
      )
      assert.deepInclude(seen, { calleeMayStillRun: true })
      assert.include(JSON.stringify(seen), "It may still be running: nothing stops it.")
      assert.isTrue(ended)
    })
  )

  it.effect("limit: operation 3,001 is refused before it is sent, with what to do instead", () =>
    Effect.gen(function* () {
      const children = Effect.forEach(
        Array.from({ length: 3_001 }, (_, i) => i),
        (i) => Durable.child(`child-${i}`, Effect.void),
        { discard: true }
      )
      const ran = yield* execute(children)
      const failed = failureOf(ran)
      assert.strictEqual(failed.errorType, "LimitExceeded")
      assert.include(failed.errorMessage, "Durable.continueWith")
      // The execution itself is one of the 3,000.
      assert.lengthOf(ran.operations, 2_999)
    })
  )
})

describe("pages", () => {
  it.effect("aws-durable-execution-sdk-java#53: pages of one operation end as one large page does", () =>
    Effect.gen(function* () {
      const branch = (n: number) =>
        Effect.gen(function* () {
          const first = yield* Durable.step("first", Effect.succeed(n))
          yield* Durable.wait("nap", "1 minute")
          return first + (yield* Durable.step("second", Effect.as(Effect.sleep("2 minutes"), n)))
        })
      const program = Effect.gen(function* () {
        const sums = yield* Durable.forEach("branches", [1, 2, 3, 4], branch, both)
        yield* pause
        return sums
      })
      const whole = yield* execute(program)
      const paged = yield* execute(program, { engine: { pageItems: 1 } })
      assert.deepStrictEqual(valueOf(paged), [2, 4, 6, 8])
      assert.deepStrictEqual(invocationsEnded(paged.history), invocationsEnded(whole.history))
      assert.deepStrictEqual(
        paged.operations.map(({ Id, Status }) => [Id, Status]),
        whole.operations.map(({ Id, Status }) => [Id, Status])
      )
    })
  )
})
