import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"

const Main = DurableFunction.make("main")
const Ask = DurableFunction.plain("ask", { success: Schema.String })
const Sub = DurableFunction.make("sub")
const impatient = { patience: "150 millis" } as const

/** What a test is told about a workflow that goes wrong. */
const reportOf = (
  workflow: Effect.Effect<void, never, Durable.Execution>,
  functions: ReadonlyArray<TestEngine.Stub> = [],
  options: TestEngine.Options = impatient
) =>
  Effect.gen(function* () {
    const exit = yield* Effect.exit(
      TestEngine.run(Main).pipe(
        Effect.provide(TestEngine.layer([Main.implement(() => workflow), ...functions], options))
      )
    )
    const defect = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
    assert.instanceOf(defect, TestEngine.TestFailure, `The execution ended as ${JSON.stringify(exit)}`)
    return defect.message
  })

describe("a test that would hang", () => {
  it.effect("is told for which callback it waits, beside those that are open", () =>
    Effect.gen(function* () {
      const waits = Main.implement(() =>
        Effect.orDie(Effect.flatMap(Durable.callback("approval"), (approval) => Effect.asVoid(approval.await)))
      )
      const test = Effect.flatMap(TestEngine.start(Main), (run) => run.callback("aproval"))
      const defect = yield* Effect.catchDefect(
        Effect.provide(test, TestEngine.layer([waits], impatient)),
        Effect.succeed
      )
      assert.instanceOf(defect, TestEngine.TestFailure)
      assert.match(
        defect.message,
        /^The test waits for a callback "aproval", and none of this name is open\. .*the callback "approval" is open/
      )
    })
  )

  it.effect("is told which invoke has no outcome, and in which function", () =>
    Effect.gen(function* () {
      const message = yield* reportOf(Effect.orDie(Effect.asVoid(Durable.invoke(Ask, undefined, { name: "pay" }))), [
        TestEngine.stub(Ask, Reply.never)
      ])
      assert.include(message, `"pay"`)
      assert.include(message, "invoke")
    })
  )

  it.effect("is told which step is running", () =>
    Effect.gen(function* () {
      const message = yield* reportOf(Durable.child("outer", Durable.step("stuck", Effect.never)))
      assert.include(message, `"outer/stuck"`)
      assert.include(message, "step")
      assert.include(message, `"main"`)
      assert.include(message, "real I/O")
    })
  )

  it.effect("is told which hold is running", () =>
    Effect.gen(function* () {
      const message = yield* reportOf(Durable.hold(Effect.never))
      assert.include(message, "hold")
    })
  )

  it.effect("is told which function is running", () =>
    Effect.gen(function* () {
      const message = yield* reportOf(Effect.orDie(Effect.asVoid(Durable.invoke(Ask))), [
        TestEngine.stub(Ask, () => Effect.never)
      ])
      assert.include(message, `"ask"`)
    })
  )

  it.effect("is told of a workflow that waits for something outside of a step, and where", () =>
    Effect.gen(function* () {
      const message = yield* reportOf(
        Effect.raceFirst(
          Effect.promise(() => new Promise<void>(() => {})),
          Durable.wait("hour", "1 hour")
        )
      )
      assert.include(message, `"main"`)
      assert.match(message, /work outside of steps \(.*reports\.test\.ts/)
    })
  )

  it.effect("is told what a callee of the execution waits for", () =>
    Effect.gen(function* () {
      const sub = Sub.implement(() => Durable.step("deep", Effect.never))
      const exit = yield* Effect.exit(
        TestEngine.run(Main).pipe(
          Effect.provide(TestEngine.layer([Main.implement(() => Durable.invoke(Sub)), sub], impatient))
        )
      )
      const defect = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
      assert.instanceOf(defect, TestEngine.TestFailure)
      assert.include(defect.message, `"deep"`)
      assert.include(defect.message, `"sub"`)
    })
  )

  it.effect("names the execution", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(
        TestEngine.run(Main, undefined, { executionName: "order-7" }).pipe(
          Effect.provide(TestEngine.layer([Main.implement(() => Durable.step("stuck", Effect.never))], impatient))
        )
      )
      assert.include(JSON.stringify(exit), "order-7")
    })
  )

  it.effect("is not bothered while something moves, however long that takes", () =>
    Effect.gen(function* () {
      const busy = Durable.step(
        "busy",
        Effect.forEach(
          Array.from({ length: 8 }, (_, n) => n),
          () => Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 60))),
          { discard: true }
        )
      )
      yield* TestEngine.run(Main).pipe(
        Effect.provide(TestEngine.layer([Main.implement(() => busy)], { patience: "200 millis" }))
      )
    })
  )

  it.effect("is told the same however often it asks", () =>
    Effect.gen(function* () {
      const run = yield* TestEngine.start(Main)
      const exits = yield* Effect.forEach([1, 2], () => Effect.exit(run.result))
      for (const exit of exits) assert.include(JSON.stringify(exit), `\\"stuck\\"`)
      assert.strictEqual(yield* run.status, "RUNNING")
    }).pipe(Effect.provide(TestEngine.layer([Main.implement(() => Durable.step("stuck", Effect.never))], impatient)))
  )
})

describe("a workflow that nothing will ever wake", () => {
  const deferred = Effect.flatMap(Deferred.make<void>(), Deferred.await)
  const stuck: Record<string, Effect.Effect<void, never, Durable.Execution>> = {
    "Effect.never": Effect.never,
    "a Deferred that nobody completes": deferred,
    "a Queue to which nobody offers": Effect.asVoid(Effect.flatMap(Queue.unbounded<number>(), Queue.take)),
    "a Latch that nobody opens": Effect.flatMap(Latch.make(), (latch) => latch.await),
    "a permit that it has itself": Effect.flatMap(Semaphore.make(1), (semaphore) =>
      semaphore.withPermit(semaphore.withPermit(Effect.void))
    ),
    "a fiber that waits": Effect.flatMap(Effect.forkChild(deferred), Fiber.join),
    "its branches, all of which wait": Effect.asVoid(Durable.parallel("pair", [deferred, deferred])),
    "a callback that it does not await": Effect.andThen(Durable.callback("approval"), deferred),
    "naps without end": Effect.forever(Effect.sleep("500 millis"))
  }
  for (const [what, workflow] of Object.entries(stuck)) {
    it.effect(`ends as Stuck, and keeps no test waiting: ${what}`, () =>
      Effect.gen(function* () {
        const main = Main.implement(() => Effect.andThen(Durable.wait("pause", "1 hour"), workflow))
        const exit = yield* Effect.exit(
          Effect.provide(TestEngine.run(Main), TestEngine.layer([main], { patience: "1 minute" }))
        )
        const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
        assert.instanceOf(error, TestEngine.ExecutionFailed)
        assert.strictEqual(error.errorType, "Stuck")
      })
    )
  }

  it.effect("ends as Stuck when it loops without waiting for an operation", () =>
    Effect.gen(function* () {
      const main = Main.implement(() => Effect.forever(Effect.yieldNow))
      const error = yield* Effect.flip(Effect.provide(TestEngine.run(Main), TestEngine.layer([main])))
      assert.instanceOf(error, TestEngine.ExecutionFailed)
      assert.strictEqual(error.errorType, "Stuck")
    })
  )

  it.effect("is told of the block that would wake it, and does not run again", () =>
    Effect.gen(function* () {
      const main = Main.implement(() =>
        Effect.gen(function* () {
          const ready = yield* Deferred.make<void>()
          yield* Durable.child("block", Effect.asVoid(Deferred.succeed(ready, undefined)))
          yield* Durable.wait("pause", "1 hour")
          yield* Deferred.await(ready)
        })
      )
      const error = yield* Effect.flip(Effect.provide(TestEngine.run(Main), TestEngine.layer([main])))
      assert.instanceOf(error, TestEngine.ExecutionFailed)
      assert.strictEqual(error.errorType, "Stuck")
      assert.match(error.errorMessage ?? "", /"block".*flat: true/)
    })
  )
})

describe("work that no operation records", () => {
  it.effect("is named when an invocation has waited for it in vain, again and again", () =>
    Effect.gen(function* () {
      const never = Effect.promise(() => new Promise<void>(() => {}))
      const message = yield* reportOf(Durable.child("outer", never), [], { outsideLimit: "10 millis" })
      assert.match(message, /^4 invocations in a row failed/)
      assert.include(message, "has waited 10 ms for work outside of steps")
      assert.include(message, "outsideLimit")
    })
  )
})

describe("a function that the layer does not serve", () => {
  it.effect("fails its caller at once, and the message names it and those that are served", () =>
    Effect.gen(function* () {
      const main = Main.implement(() => Effect.orDie(Effect.asVoid(Durable.invoke(Ask))))
      const error = yield* Effect.flip(TestEngine.run(Main)).pipe(Effect.provide(TestEngine.layer([main])))
      assert.include(error.message, `no function "ask"`)
      assert.include(error.message, `"main"`)
      assert.include(error.message, "TestEngine.stub")
    })
  )

  it.effect("fails its caller at once when it is a durable one", () =>
    Effect.gen(function* () {
      const main = Main.implement(() => Effect.orDie(Effect.asVoid(Durable.invoke(Sub))))
      const error = yield* Effect.flip(TestEngine.run(Main)).pipe(Effect.provide(TestEngine.layer([main])))
      assert.include(error.message, `no function "sub"`)
    })
  )
})

describe("an invocation that fails again and again", () => {
  it.effect("is a test failure that says how the last one failed", () =>
    Effect.gen(function* () {
      const message = yield* reportOf(Durable.hold(Effect.sleep("1 day")), [], { invocationTimeout: "1 minute" })
      assert.match(message, /^4 invocations in a row failed/)
      assert.include(message, "ran out of time")
    })
  )
})

describe("a step that Lambda would never let end", () => {
  it.effect("fails its test, because an invocation has fifteen minutes unless a test says otherwise", () =>
    Effect.gen(function* () {
      const main = Main.implement(() => Durable.step("slow", Effect.sleep("16 minutes")))
      const failure = yield* Effect.flip(TestEngine.run(Main).pipe(Effect.provide(TestEngine.layer([main]))))
      assert.include(failure.message, 'The step "slow" was cut off 10 times in a row')
    })
  )
})

describe("a failed attempt of a step", () => {
  it.effect("is no test failure while there are attempts left", () =>
    Effect.gen(function* () {
      let attempts = 0
      const main = Main.implement(() =>
        Durable.step(
          "flaky",
          Effect.suspend(() => (++attempts < 3 ? Effect.die("not yet") : Effect.void)),
          { retry: RetryPolicy.fixed({ maxAttempts: 3, delay: "1 second" }) }
        )
      )
      yield* TestEngine.run(Main).pipe(Effect.provide(TestEngine.layer([main])))
      assert.strictEqual(attempts, 3)
    })
  )
})
