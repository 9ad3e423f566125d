/** The logs of executions: once where code is replayed, once per attempt in steps, and each with its place. */
import { assert, describe, it } from "@effect/vitest"
import { Durable, RetryPolicy } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import { operationId } from "../../src/execution/Identity.ts"
import { eventOf, invokeOnce } from "../operations/support.ts"
import { messages, observe, Work, type Line } from "./support.ts"

const unbounded = { concurrency: "unbounded" } as const
const once = RetryPolicy.fixed({ delay: "2 seconds", maxAttempts: 2, jitter: "none" })

class Refused extends Schema.TaggedError<Refused>()("Refused", {}) {}

describe("a log of a workflow", () => {
  it.effect("is written once, whatever is replayed after it", () =>
    Effect.gen(function* () {
      const observed = yield* observe(
        Effect.gen(function* () {
          yield* Effect.log("begin")
          yield* Durable.step("step", Effect.void)
          yield* Effect.log("stepped")
          yield* Durable.wait("nap", "1 hour")
          yield* Effect.log("rested")
          yield* Durable.wait("second nap", "1 hour")
          yield* Effect.log("end")
        })
      )
      assert.strictEqual(observed.invocations, 3)
      assert.deepStrictEqual(messages(observed), ["begin", "stepped", "rested", "end"])
    })
  )

  it.effect("is written once in a child that is entered again", () =>
    Effect.gen(function* () {
      const observed = yield* observe(
        Durable.child(
          "outer",
          Durable.child(
            "inner",
            Effect.gen(function* () {
              yield* Effect.log("begin")
              yield* Durable.wait("nap", "1 hour")
              yield* Effect.log("rested")
              yield* Durable.wait("second nap", "1 hour")
              yield* Effect.log("end")
            })
          )
        )
      )
      assert.deepStrictEqual(messages(observed), ["begin", "rested", "end"])
    })
  )

  it.effect("is written once in a child that is done, also when its result is too large to keep", () =>
    Effect.gen(function* () {
      const large = "x".repeat(300_000)
      for (const result of ["small", large]) {
        const observed = yield* observe(
          Effect.gen(function* () {
            const child = Effect.gen(function* () {
              yield* Effect.log("in")
              yield* Durable.step("step", Effect.void)
              yield* Effect.log("out")
              return result
            })
            yield* Durable.child("child", child)
            yield* Durable.wait("nap", "1 hour")
          })
        )
        assert.deepStrictEqual(messages(observed), ["in", "out"])
      }
    })
  )

  it.effect("is written once in a child that does nothing but log", () =>
    Effect.gen(function* () {
      const observed = yield* observe(
        Effect.andThen(Durable.child("child", Effect.log("hello")), Durable.wait("nap", "1 second"))
      )
      assert.deepStrictEqual(messages(observed), ["hello"])
    })
  )

  it.effect("is written once in each of several concurrent fibers, though they get on at different times", () =>
    Effect.gen(function* () {
      const branch = (name: string, hours: ReadonlyArray<number>) =>
        Effect.gen(function* () {
          yield* Effect.log(`${name} begins`)
          for (const [round, length] of hours.entries()) {
            yield* Durable.wait(`${name} ${round}`, `${length} hours`)
            yield* Effect.log(`${name} ${round}`)
            for (let step = 0; step < 5; step++) yield* Durable.step(`${name} step`, Effect.void)
          }
        })
      const body = Effect.all([branch("a", [1, 1, 1]), branch("b", [2]), branch("c", [1, 3])], unbounded)
      for (const program of [body, Durable.child("child", Effect.asVoid(body))]) {
        const observed = yield* observe(Effect.andThen(program, Effect.log("joined")))
        assert.isAbove(observed.invocations, 3)
        assert.deepStrictEqual(messages(observed).map(String).toSorted(), [
          "a 0",
          "a 1",
          "a 2",
          "a begins",
          "b 0",
          "b begins",
          "c 0",
          "c 1",
          "c begins",
          "joined"
        ])
      }
    })
  )

  it.effect("follows what came in while no invocation ran, and not what another branch did before", () =>
    Effect.gen(function* () {
      const done = { Type: "STEP", SubType: "Step", EndTimestamp: 1, StepDetails: { Result: "null" } } as const
      const idOf = (name: string, occurrence = 0) => operationId("", name, occurrence)
      const event = eventOf([
        { Id: idOf("nap"), Type: "WAIT", SubType: "Wait", Name: "nap", EndTimestamp: 2 },
        ...[0, 1, 2, 3].map((round) => ({ Id: idOf("step", round), Name: "step", ...done }))
      ])
      const program = Effect.all(
        [
          Effect.andThen(Durable.wait("nap", "1 hour"), Effect.log("rested")),
          Effect.forEach([0, 1, 2, 3], (round) =>
            Effect.andThen(Durable.step("step", Effect.succeed(null)), Effect.log(`step ${round}`))
          )
        ],
        unbounded
      )
      const seen = (updated: ReadonlyArray<string>) =>
        Effect.suspend(() => {
          const lines: Array<unknown> = []
          return Effect.map(
            invokeOnce(program, { event: { ...event, UpdatedOperationIds: updated } }).pipe(
              Effect.provide(Logger.layer([Logger.make(({ message }) => lines.push(message))]))
            ),
            () => lines.flat()
          )
        })
      assert.deepStrictEqual(yield* seen([idOf("nap")]), ["rested"])
      // Without news from the service nobody knows whether an earlier invocation got any further.
      assert.deepStrictEqual(yield* seen([]), ["rested"])
    })
  )
})

describe("a log between the making of a callback and the waiting for it", () => {
  it.effect("is written once, and so is one after it", () =>
    Effect.gen(function* () {
      const observed = yield* observe(
        Effect.gen(function* () {
          const approval = yield* Durable.callback("approval", { timeout: "2 hours" })
          yield* Effect.log("made")
          yield* Durable.wait("nap", "1 hour")
          yield* Effect.log("rested")
          yield* Effect.exit(approval.await)
          yield* Effect.log("expired")
          yield* Durable.wait("second nap", "1 hour")
        }).pipe(Effect.orDie)
      )
      assert.strictEqual(observed.invocations, 4)
      assert.deepStrictEqual(messages(observed), ["made", "rested", "expired"])
    })
  )

  it.effect("is written once by concurrent fibers too", () =>
    Effect.gen(function* () {
      const branch = Effect.gen(function* () {
        const approval = yield* Durable.callback("approval", { timeout: "2 hours" })
        yield* Effect.log("made")
        yield* Effect.exit(approval.await)
        yield* Effect.log("expired")
      })
      const steps = Effect.forEach([1, 2, 3, 4, 5], () =>
        Effect.andThen(Durable.step("step", Effect.void), Durable.wait("nap", "1 hour"))
      )
      const observed = yield* observe(Effect.all([branch, steps], unbounded).pipe(Effect.orDie, Effect.asVoid))
      assert.deepStrictEqual(messages(observed), ["made", "expired"])
    })
  )
})

describe("Durable.isReplaying", () => {
  it.effect("says what decides over logs", () =>
    Effect.gen(function* () {
      const seen: Array<readonly [string, boolean]> = []
      const look = (where: string) =>
        Effect.map(Durable.isReplaying, (again) => void seen.push([where, again])).pipe(
          Effect.andThen(Effect.log(where))
        )
      const observed = yield* observe(
        Effect.gen(function* () {
          yield* look("begin")
          yield* Durable.wait("nap", "1 hour")
          yield* look("end")
        })
      )
      assert.deepStrictEqual(seen, [
        ["begin", false],
        ["begin", true],
        ["end", false]
      ])
      assert.deepStrictEqual(messages(observed), ["begin", "end"])
    })
  )
})

describe("a log in the body of a step", () => {
  it.effect("is written by every attempt and by no replay", () =>
    Effect.gen(function* () {
      const attempt = Effect.gen(function* () {
        const { attempt } = yield* Durable.StepContext
        yield* Effect.log(`attempt ${attempt}`)
        if (attempt === 1) return yield* new Refused()
      })
      const observed = yield* observe(
        Effect.gen(function* () {
          yield* Effect.orDie(Durable.step("step", attempt, { error: Refused, retry: once }))
          yield* Durable.wait("nap", "1 hour")
        })
      )
      assert.deepStrictEqual(messages(observed), ["attempt 1", "attempt 2"])
    })
  )
})

describe("a record", () => {
  it.effect("has the execution, the operation, its parent and the attempt at the top level", () =>
    Effect.gen(function* () {
      const observed = yield* observe(
        Effect.gen(function* () {
          yield* Effect.log("root")
          yield* Durable.step("alone", Effect.log("step"))
          yield* Durable.child(
            "child",
            Effect.gen(function* () {
              yield* Effect.annotateLogs(Effect.log("child"), { mine: true })
              yield* Durable.child("flat", Durable.step("inner", Effect.log("inner")), { flat: true })
            })
          )
        })
      )
      const idOf = (name: string) => observed.operations.find(({ Name }) => Name === name)?.Id
      const varying = ["level", "message", "spanId", "timestamp", "traceId"]
      const place = (line: Line) => Object.fromEntries(Object.entries(line).filter(([key]) => !varying.includes(key)))
      const { executionArn } = observed
      assert.deepStrictEqual(
        observed.lines.map((line) => [line["message"], place(line)]),
        [
          ["root", { executionArn }],
          ["step", { executionArn, operation: "alone", operationId: idOf("alone"), attempt: 1 }],
          ["child", { executionArn, operation: "child", operationId: idOf("child"), mine: true }],
          [
            "inner",
            {
              executionArn,
              operation: "child/flat/inner",
              operationId: idOf("inner"),
              parentId: idOf("child"),
              attempt: 1
            }
          ]
        ]
      )
    })
  )
})

describe("a warning of the runtime", () => {
  it.effect("is written with the execution, and is nothing that the workflow says", () =>
    Effect.gen(function* () {
      const outside = Effect.promise(() => new Promise<void>((resolve) => setTimeout(resolve, 5)))
      const observed = yield* observe(Durable.child("child", Effect.andThen(outside, Durable.wait("nap", "1 hour"))))
      const [warning, ...others] = observed.lines
      assert.deepStrictEqual(others, [])
      assert.deepInclude(warning, { level: "WARN", executionArn: observed.executionArn })
      assert.notProperty(warning, "operation")
      assert.match(String(warning?.["message"]), /^"child" waits for a promise or a timer/)
    })
  )
})

describe("a log", () => {
  const lines: Array<unknown> = []
  const loggers = [
    Logger.make<unknown, void>(({ message }) => void lines.push(message)),
    Logger.make<unknown, void>(() => {})
  ]

  /** The names of what is recorded of a workflow that does something after each of two blocks, with several loggers. */
  const recordedBy = (then: Effect.Effect<unknown>) => {
    const block = (number: number) => Effect.andThen(Durable.child(`block ${number}`, Effect.void), then)
    const work = Work.implement(() =>
      Effect.forEach([1, 2], block, { discard: true }).pipe(
        Effect.andThen(Durable.wait("nap", "1 hour")),
        Effect.andThen(Durable.step("last", Effect.succeed(null)))
      )
    )
    return Effect.gen(function* () {
      lines.length = 0
      const run = yield* TestEngine.start(Work, null)
      yield* run.result
      return (yield* run.operations()).map(({ Name }) => Name)
    }).pipe(Effect.provide(Layer.provide(TestEngine.layer([work]), Logger.layer(loggers))), Effect.orDie)
  }

  const look = Effect.clockWith((clock) => Effect.sync(() => clock.currentTimeMillisUnsafe()))

  it.effect("is no look at the clock of the workflow, also when it is silenced", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* recordedBy(Effect.log("hello")), ["block 1", "block 2", "nap", "last"])
      assert.lengthOf(lines, 2)
    })
  )

  it.effect("does not undo a look at the clock beside it", () =>
    Effect.gen(function* () {
      const looked = yield* recordedBy(look)
      assert.include(looked, "reading:block 1")
      assert.deepStrictEqual(yield* recordedBy(Effect.andThen(look, Effect.log("hello"))), looked)
      assert.deepStrictEqual(yield* recordedBy(Effect.andThen(Effect.log("hello"), look)), looked)
    })
  )
})
