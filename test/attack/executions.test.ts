/**
 * Executions that hand over or call executions, and many of them at once.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import { Refused } from "../support/host.ts"
import { attacks, both, hours, part } from "./everyWay.ts"

const Next = DurableFunction.make("next", { payload: Schema.Unknown, success: Schema.Unknown, target: "next:live" })
const next = Next.implement((n) => Effect.succeed(n))

describe("the same in every way: handing over", () => {
  attacks({
    "of two at once, whose exits are looked at": {
      program: (kit) =>
        Effect.gen(function* () {
          yield* Effect.exit(
            Effect.all(
              [
                Effect.andThen(hours("w", 1), Durable.continueWith(Next, "one")),
                Effect.andThen(hours("v", 1), Durable.continueWith(Next, "two"))
              ],
              both
            )
          )
          return yield* kit.step("after")
        }),
      parts: [next],
      ends: "one",
      bare: true,
      log: []
    },
    "beside finalizers that take days, and parts that stay done": {
      program: (kit) =>
        Effect.gen(function* () {
          yield* part(kit, "a")
          yield* Effect.forkChild(
            Durable.onExit(hours("x", 99), () => Effect.andThen(hours("tidy", 30), kit.step("tidy")))
          )
          yield* Durable.race("race", [
            Effect.andThen(hours("w", 1), Durable.continueWith(Next, "next")),
            hours("v", 50)
          ])
          return yield* kit.step("after")
        }),
      parts: [next],
      ends: "next",
      bare: true,
      log: ["do a", "tidy"]
    },
    "from a branch that loses before it is there": {
      program: (kit) =>
        Effect.gen(function* () {
          yield* Effect.raceFirst(Effect.andThen(hours("w", 2), Durable.continueWith(Next, "next")), hours("v", 1))
          yield* hours("u", 3)
          return yield* kit.step("after")
        }),
      parts: [next],
      ends: "after",
      bare: true,
      log: ["after"]
    },
    "in the instant in which a sibling fails": {
      program: (kit) =>
        Effect.gen(function* () {
          yield* part(kit, "a")
          return yield* Effect.all(
            [
              Effect.andThen(hours("w", 1), kit.failing("fails")),
              Effect.andThen(hours("v", 1), Durable.continueWith(Next, "next"))
            ],
            both
          )
        }),
      parts: [next],
      ends: "failed as Refused: ",
      bare: true
    },
    "from a durable finalizer of a failure": {
      program: (kit) =>
        Effect.gen(function* () {
          yield* part(kit, "a")
          return yield* Durable.onExit(Effect.andThen(hours("w", 1), kit.failing("fails")), () =>
            Durable.continueWith(Next, "next")
          )
        }),
      parts: [next],
      ends: "next",
      bare: true
    }
  })
})

const Sum = DurableFunction.make("sum", {
  payload: Schema.Int,
  success: Schema.Int,
  error: Refused,
  target: "sum:live"
})

/** Adds up numbers by calling itself, and does a part on each level; the call of number three asks for what is refused. */
const summing = (log: Array<string>) => {
  const noted = (verb: string, n: number) =>
    Durable.step(
      verb,
      Effect.sync(() => void log.push(`${verb} ${n}`))
    )
  return Sum.implement(
    Effect.fn("sum")(function* (n) {
      if (n === 0) return 0
      yield* Durable.withCompensation("part", noted("do", n), () => noted("undo", n))
      yield* Durable.wait("w", `${n} hours`)
      if (n === 99) return yield* new Refused({ why: "99" })
      const rest: number = yield* Durable.invoke(Sum, n === 3 ? 99 : n - 1, { timeout: "9 days" }).pipe(
        Effect.catchTag(["InvokeFailed", "InvokeTimedOut", "InvokeStopped"], Effect.die)
      )
      return rest + n
    })
  )
}

describe("executions of executions", () => {
  it.effect("undo on each level, from the inside out", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const error = yield* Effect.flip(TestEngine.run(Sum, 5)).pipe(Effect.provide(TestEngine.layer([summing(log)])))
      assert.strictEqual(error._tag, "Refused")
      assert.deepStrictEqual(log, ["do 5", "do 4", "do 3", "do 99", "undo 99", "undo 3", "undo 4", "undo 5"])
    })
  )
})

const Job = DurableFunction.make("job", { payload: Schema.Int, success: Schema.Unknown, target: "job:live" })

/** Three workers, two at a time, with a queue, sleeps and steps. */
const job = Job.implement(
  Effect.fn("job")(function* (n) {
    const order: Array<string | number> = []
    const queue = yield* Queue.unbounded<string>()
    yield* Effect.forkChild(
      Effect.forEach([1, 2, 3], (k) => Effect.andThen(hours("p", ((k * n) % 5) + 1), Queue.offer(queue, `q${k}`)))
    )
    const worker = (k: number) =>
      Effect.gen(function* () {
        order.push(yield* Queue.take(queue))
        yield* Effect.sleep(`${((k * 7 + n) % 4) + 1} hours`)
        order.push(yield* Durable.step(`s${k}`, Effect.as(Effect.sleep("1 minute"), `s${k}`)))
      })
    yield* Effect.forEach([1, 2, 3], worker, { concurrency: 2 })
    order.push(Math.round((yield* Clock.currentTimeMillis) / 3_600_000))
    return order
  })
)

describe("many executions at once", () => {
  it.effect("do as each would alone", () =>
    Effect.gen(function* () {
      const numbers = [1, 2, 3, 4, 5, 6, 7, 8]
      const world = TestEngine.layer([job])
      const result = (n: number) =>
        Effect.flatMap(TestEngine.start(Job, n, { executionName: `job-${n}` }), (started) => started.result)
      const alone = yield* Effect.forEach(numbers, (n) => Effect.provide(result(n), world))
      const together = yield* Effect.provide(Effect.forEach(numbers, result, both), world)
      assert.deepStrictEqual(together, alone)
    })
  )
})
