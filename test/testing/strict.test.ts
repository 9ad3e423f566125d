import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableClient, DurableFunction, RetryPolicy } from "effect-durable"
import { Reply, TestEngine } from "effect-durable/testing"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"

const Main = DurableFunction.make("main")
const Sub = DurableFunction.make("sub")
const Never = DurableFunction.plain("never")

type Workflow = Effect.Effect<unknown, unknown, Durable.Execution>

const unbounded = { concurrency: "unbounded" } as const

const exitOf = (workflow: Workflow, options: TestEngine.Options) =>
  Effect.exit(TestEngine.run(Main)).pipe(
    Effect.provide(
      TestEngine.layer(
        [Main.implement(() => Effect.asVoid(Effect.orDie(workflow))), TestEngine.stub(Never, Reply.never)],
        options
      )
    )
  )

/** What a strict test is told about a workflow. */
const adviceOn = (workflow: Workflow) =>
  Effect.map(exitOf(workflow, { strict: true }), (exit) => {
    const defect = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
    assert.instanceOf(defect, TestEngine.TestFailure)
    return defect.message
  })

const hour = Durable.wait("hour", "1 hour")
const quick = Durable.step("quick", Effect.succeed("quick"))

const promise = Effect.promise(() => new Promise<void>((resolve) => setTimeout(resolve, 5)))
const timer = Effect.callback<void>((resume) => {
  const handle = setTimeout(() => resume(Effect.void), 5)
  return Effect.sync(() => clearTimeout(handle))
})

/** What waits for something that no operation records. */
const outside: ReadonlyArray<readonly [string, Workflow]> = [
  ["for a promise", Effect.andThen(promise, quick)],
  ["for a timer of the process", Effect.andThen(timer, quick)],
  ["for a promise beside a wait", Effect.all([hour, promise], unbounded)],
  ["for a promise in a child", Durable.child("block", Effect.andThen(quick, promise))],
  ["for a promise in a branch", Durable.forEach("each", [1, 2], () => promise)],
  ["for a promise in a fork that nobody joins", Effect.andThen(Effect.forkChild(promise), hour)]
]

/** Effect's own constructs over durable operations, which leave some of them behind. */
const raw: ReadonlyArray<readonly [string, Workflow]> = [
  ["Effect.race", Effect.race(hour, quick)],
  ["Effect.raceFirst", Effect.raceFirst(hour, quick)],
  ["Effect.timeout", Effect.timeoutOption(Durable.step("slow", Effect.sleep("1 minute")), "500 millis")],
  [
    "a fork that is interrupted",
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(hour)
      yield* quick
      yield* Fiber.interrupt(fiber)
      yield* Durable.step("more", Effect.void)
    })
  ],
  [
    "a fork that is never joined",
    Effect.gen(function* () {
      yield* Effect.forkDetach(hour)
      yield* quick
      yield* Durable.step("more", Effect.void)
    })
  ],
  ["a race inside of a child", Durable.child("block", Effect.asVoid(Effect.race(hour, quick)))],
  [
    "a race of a child",
    Effect.race(Durable.child("loser", Effect.andThen(hour, quick)), Durable.step("winner", Effect.sleep("1 minute")))
  ],
  ["a sleep", Effect.andThen(Effect.sleep("1 hour"), Effect.sleep("10 millis"))]
]

describe("a strict test engine", () => {
  for (const [what, workflow] of outside) {
    it.effect(`fails a test in which the workflow waits ${what}`, () =>
      Effect.gen(function* () {
        const advice = yield* adviceOn(workflow)
        assert.include(advice, "waits for a promise or a timer")
        assert.include(advice, "Put it into a Durable.step")
      })
    )
  }

  it.effect("names the block in which the work is", () =>
    Effect.gen(function* () {
      assert.match(yield* adviceOn(Durable.child("outer", Durable.child("inner", promise))), /^"outer\/inner" waits/)
      assert.match(yield* adviceOn(promise), /^The workflow waits/)
    })
  )

  it.effect("tells it to whoever waits for an execution that handed over to one like that", () =>
    Effect.gen(function* () {
      const main = Main.implement(() => Effect.orDie(Durable.continueWith(Sub)))
      const sub = Sub.implement(() => Effect.andThen(promise, hour))
      const world = TestEngine.layer([main, sub], { strict: true })
      const exits = [
        yield* Effect.exit(Effect.provide(TestEngine.run(Main), world)),
        yield* Effect.exit(Effect.provide(DurableClient.run(Main), world))
      ]
      for (const exit of exits) {
        assert.instanceOf(Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined, TestEngine.TestFailure)
      }
    })
  )

  const fine: ReadonlyArray<readonly [string, Workflow]> = [
    ...raw,
    ["a promise in a step", Durable.step("io", promise)],
    ["a promise in a hold", Durable.hold(promise)],
    ["Durable.race", Durable.race("first", [Effect.as(hour, "hour"), quick])],
    ["Durable.timeout", Effect.exit(Durable.timeout("patient", hour, "1 minute"))],
    [
      "Durable.all that fails fast",
      Effect.exit(
        Durable.all(
          "all",
          [Effect.as(hour, 1), Effect.as(Durable.step("bad", Effect.die("bad"), { retry: RetryPolicy.none }), 2)],
          { concurrency: "unbounded" }
        )
      )
    ],
    [
      "Durable.forEach that fails fast",
      Effect.exit(
        Durable.forEach(
          "each",
          [1, 2, 3],
          (n) => (n === 2 ? Effect.die("bad") : Effect.as(Durable.wait("w", n * 3_600_000), n)),
          { concurrency: "unbounded" }
        )
      )
    ],
    ["an invoke with a time-out", Effect.exit(Durable.invoke(Never, undefined, { timeout: "1 minute" }))],
    ["branches that all end", Effect.all([hour, quick, Durable.child("c", Durable.wait("w", "2 hours"))], unbounded)],
    [
      "children that end",
      Effect.forEach([1, 2, 3], (n) => Durable.child(`c-${n}`, Durable.step("s", Effect.succeed(n))))
    ],
    [
      "a callback whose answer came too late",
      Effect.gen(function* () {
        const opened = yield* Durable.callback("approval")
        yield* Durable.race("answer or time", [opened.await, Effect.as(hour, "late")])
      })
    ],
    ["time-outs of plain effects", Effect.andThen(Effect.timeout(Effect.void, "1 minute"), quick)],
    [
      "forks that are joined",
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(hour)
        yield* quick
        yield* Fiber.join(fiber)
      })
    ],
    [
      "Durable.retry",
      Effect.exit(
        Durable.retry(
          "block",
          Effect.andThen(quick, Effect.die("again")),
          RetryPolicy.fixed({ maxAttempts: 3, delay: "1 hour" })
        )
      )
    ]
  ]
  /** A step that its workflow leaves behind, and that a replay would begin again. */
  const slow = Durable.step("slow", Effect.sleep("2 hours"))
  const left: ReadonlyArray<readonly [string, Workflow]> = [
    ["a race that a step has lost", Effect.andThen(Effect.race(slow, hour), Durable.step("more", Effect.void))],
    [
      "a step of a fork that is interrupted",
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(slow)
        yield* hour
        yield* Fiber.interrupt(fiber)
        yield* Durable.step("more", Effect.void)
      })
    ],
    ["a step of a fork that is never joined", Effect.andThen(Effect.forkDetach(slow), hour)]
  ]
  for (const [what, workflow] of left) {
    it.effect(`lets ${what} pass beside a recorded block`, () =>
      Effect.gen(function* () {
        const exit = yield* exitOf(Effect.andThen(Durable.child("block", quick), workflow), { strict: true })
        assert.isTrue(Exit.isSuccess(exit), Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "")
      })
    )
  }

  for (const [what, workflow] of fine) {
    it.effect(`lets ${what} pass`, () =>
      Effect.gen(function* () {
        const exit = yield* exitOf(workflow, { strict: true })
        assert.isTrue(Exit.isSuccess(exit), Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "")
      })
    )
  }

  it.effect("does not compare an invocation with records that it was not told of", () =>
    Effect.gen(function* () {
      const Price = DurableFunction.plain("price")
      const main = Main.implement(() =>
        Effect.gen(function* () {
          yield* Durable.child("block", quick)
          yield* Effect.orDie(Durable.invoke(Price))
          yield* hour
        })
      )
      // The call ends while its start is sent again, and the answer to that is as old as the first one.
      const price = TestEngine.stub(Price, Reply.succeed(undefined))
      const engine = TestEngine.layer([main, price], { strict: true, crash: { lost: "price" } })
      yield* Effect.provide(TestEngine.run(Main), engine)
    })
  )

  it.effect("lets compensations pass, and a failure be a failure", () =>
    Effect.gen(function* () {
      const book = Durable.withCompensation("hotel", quick, () => Durable.step("cancel", Effect.void))
      const exit = yield* exitOf(Effect.andThen(book, Effect.die(new RangeError("no seat"))), { strict: true })
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
      assert.instanceOf(error, TestEngine.ExecutionFailed)
      assert.strictEqual(error.errorType, "RangeError")
    })
  )
})

describe("a test engine that is not strict, as by default,", () => {
  for (const [what, workflow] of outside) {
    it.effect(`lets a workflow pass that waits ${what}`, () =>
      Effect.gen(function* () {
        for (const options of [{}, { strict: false }]) {
          const exit = yield* exitOf(workflow, options)
          assert.isTrue(Exit.isSuccess(exit), Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "")
        }
      })
    )
  }
})
