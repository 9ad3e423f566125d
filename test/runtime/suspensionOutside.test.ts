/**
 * Invocations that are cut off from outside, by an interruption or by their deadline: they answer nothing, record nothing of
 * what was under way, send nothing more, and the service repeats them.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, Serdes } from "effect-durable"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { TestClock } from "effect/testing"
import { CheckpointStore, StoreUnavailable } from "../../src/CheckpointStore.ts"
import { invoke } from "../../src/invocation/Invocation.ts"
import { eventOf } from "../operations/support.ts"
import { ask, both, errorOf, host, slowly, turns, valueOf, type Host, type Turn } from "./harness.ts"
import { assertPending } from "./suspends.ts"

/** A step body that tells when it runs, and then never ends by itself. */
const endless = (): { readonly body: Effect.Effect<never>; readonly running: Effect.Effect<void> } => {
  const begun = Promise.withResolvers<void>()
  return {
    body: Effect.andThen(
      Effect.sync(() => begun.resolve()),
      Effect.never
    ),
    running: Effect.promise(() => begun.promise)
  }
}

/** Runs an invocation until its time is over, which is when something has come about and all else has come to rest. */
const runOutOfTime = (execution: Host, about: Effect.Effect<void> = Effect.void): Effect.Effect<Turn> =>
  Effect.gen(function* () {
    const deadline = (yield* Clock.currentTimeMillis) + 100
    const { ended } = execution.begin({ deadline })
    yield* about
    yield* turns(20)
    yield* TestClock.adjust(100)
    yield* turns(20)
    // Whatever cannot be interrupted is given up after its grace period.
    yield* TestClock.adjust("10 seconds")
    return yield* ended
  })

describe("an interruption from outside", () => {
  it.effect("records nothing, answers nothing and leaves no fiber", () =>
    Effect.gen(function* () {
      const { body, running } = endless()
      const execution = yield* host((note) =>
        Effect.onExit(Durable.step("slow", body), () => Durable.step("clean-up", note("clean-up")))
      )
      const { ended, fiber } = execution.begin()
      yield* running
      fiber.interruptUnsafe()
      const cut = yield* ended
      assert.strictEqual(cut.answer, undefined)
      assert.deepStrictEqual(cut.recorded, [])
      assert.deepStrictEqual(execution.log, [])
      assert.strictEqual(cut.fibersLeft, 0)
    })
  )

  it.effect("is repeated by the service, and the interrupted attempt does not count", () =>
    Effect.gen(function* () {
      const { body, running } = endless()
      let first = true
      const execution = yield* host(() =>
        Durable.step(
          "slow",
          Effect.gen(function* () {
            const { attempt } = yield* Durable.StepContext
            if (first) yield* body
            return attempt
          })
        )
      )
      const { ended, fiber } = execution.begin()
      yield* running
      fiber.interruptUnsafe()
      yield* ended
      first = false
      const { answer } = yield* execution.drive()
      assert.strictEqual(valueOf(answer), 1)
    })
  )

  it.effect("cannot be swallowed by the workflow", () =>
    Effect.gen(function* () {
      const { body, running } = endless()
      const execution = yield* host((note) =>
        Effect.all([ask("answer"), Durable.step("slow", body)], both).pipe(
          Effect.catchCause(() => note("swallowed")),
          Effect.andThen(Durable.step("after", note("after")))
        )
      )
      const { ended, fiber } = execution.begin()
      yield* running
      fiber.interruptUnsafe()
      const cut = yield* ended
      assert.strictEqual(cut.answer, undefined)
      assert.deepStrictEqual(cut.recorded, [])
      assert.notInclude(execution.log, "after")
      assert.strictEqual(cut.fibersLeft, 0)
    })
  )

  it.effect("gives local finalizers their grace, and no more", () =>
    Effect.gen(function* () {
      const { body, running } = endless()
      const execution = yield* host(
        (note) =>
          Effect.all(
            [
              Effect.ensuring(Durable.step("slow", body), slowly(note, "closed")),
              Effect.ensuring(ask("answer"), Effect.never)
            ],
            both
          ),
        { grace: 30 }
      )
      const { ended, fiber } = execution.begin()
      yield* running
      fiber.interruptUnsafe()
      while (execution.log.length === 0) yield* turns(1)
      yield* TestClock.adjust(29)
      yield* turns(20)
      assert.strictEqual(fiber.pollUnsafe(), undefined)
      yield* TestClock.adjust(1)
      const cut = yield* ended
      assert.strictEqual(cut.answer, undefined)
      assert.deepStrictEqual(execution.log, ["closed"])
      assert.isAbove(cut.fibersLeft, 0)
    })
  )
})

describe("requests of an invocation that was cut off", () => {
  /** How many turns of the event loop requests take, and the moment at which the first one is under way. */
  const slowRequests = (count: number) => {
    const begun = Promise.withResolvers<void>()
    return {
      underWay: Effect.promise(() => begun.promise),
      latency: () => {
        begun.resolve()
        return count
      }
    }
  }

  /** Records more than fits into one request at its very end, as nobody waits for it before. */
  const manyRecords = Effect.forEach(
    Array.from({ length: 200 }, (_, i) => i),
    (i) => Durable.child(`child-${i}`, Effect.succeed(i)),
    { discard: true }
  )

  it.effect("the first one is the last one when it is interrupted while it records its end", () =>
    Effect.gen(function* () {
      const { latency, underWay } = slowRequests(20)
      const execution = yield* host(() => manyRecords, { latency })
      const { ended, fiber } = execution.begin()
      yield* underWay
      fiber.interruptUnsafe()
      const cut = yield* ended
      yield* turns(40)
      assert.strictEqual(cut.answer, undefined)
      assert.strictEqual(cut.parts.outbox.counts.requests, 1)
      assert.isAtMost(cut.sent.length, 250)
      assert.strictEqual(cut.fibersLeft, 0)
    })
  )

  it.effect("the first one is the last one when its deadline comes while it records its end", () =>
    Effect.gen(function* () {
      const { latency, underWay } = slowRequests(40)
      const execution = yield* host(() => manyRecords, { latency })
      const cut = yield* runOutOfTime(execution, underWay)
      yield* turns(80)
      assert.strictEqual(cut.failure?.reason, "deadline")
      assert.strictEqual(cut.parts.outbox.counts.requests, 1)
      assert.isAtMost(cut.sent.length, 250)
      assert.strictEqual(cut.fibersLeft, 0)
    })
  )

  it.effect("are not repeated", () =>
    Effect.gen(function* () {
      let requests = 0
      const begun = Promise.withResolvers<void>()
      const execution = yield* host((note) => Durable.step("step", note("step")), {
        fault: () => {
          requests++
          begun.resolve()
          return new StoreUnavailable({ message: "busy" })
        }
      })
      const deadline = (yield* Clock.currentTimeMillis) + 10
      const { ended } = execution.begin({ deadline })
      yield* Effect.promise(() => begun.promise)
      yield* TestClock.adjust(10)
      yield* turns(20)
      yield* TestClock.adjust("1 minute")
      yield* turns(20)
      const cut = yield* ended
      assert.strictEqual(cut.failure?.reason, "deadline")
      assert.strictEqual(cut.fibersLeft, 0)
      assert.strictEqual(requests, 1)
    })
  )

  it.effect("are not interrupted: what the service accepted is in the next invocation", () =>
    Effect.gen(function* () {
      let runs = 0
      const { latency, underWay } = slowRequests(15)
      const execution = yield* host(
        () =>
          Durable.step(
            "step",
            Effect.sync(() => ++runs)
          ),
        { latency }
      )
      const { ended, fiber } = execution.begin()
      yield* underWay
      fiber.interruptUnsafe()
      const cut = yield* ended
      assert.strictEqual(cut.answer, undefined)
      assert.deepStrictEqual(cut.recorded, ["SUCCEED step"])
      const { answer } = yield* execution.drive()
      assert.strictEqual(valueOf(answer), 1)
      assert.strictEqual(runs, 1)
    })
  )
})

describe("the deadline", () => {
  it.effect("fails the invocation, names the step that was running and records nothing of it", () =>
    Effect.gen(function* () {
      const { body } = endless()
      const execution = yield* host((note) =>
        Effect.all([Durable.step("quick", note("quick")), Durable.step("slow", body)], both)
      )
      const cut = yield* runOutOfTime(execution)
      assert.strictEqual(cut.answer, undefined)
      assert.strictEqual(cut.failure?.reason, "deadline")
      assert.include(cut.failure?.message, `the step "slow"`)
      assert.notInclude(cut.failure?.message, `"quick"`)
      assert.deepStrictEqual(cut.recorded, ["SUCCEED quick"])
      assert.strictEqual(cut.fibersLeft, 0)
    })
  )

  it.effect("names a hold and a step in a child, too", () =>
    Effect.gen(function* () {
      const execution = yield* host(() =>
        Effect.all(
          [
            Durable.hold(Effect.never),
            Durable.child("child", Durable.step("slow", endless().body), { success: Schema.Void })
          ],
          both
        )
      )
      const cut = yield* runOutOfTime(execution)
      assert.include(cut.failure?.message, `the step "child/slow"`)
      assert.include(cut.failure?.message, `the hold "hold"`)
      assert.strictEqual(cut.fibersLeft, 0)
    })
  )

  it.effect("leaves an at-least-once step to be run again, as the same attempt", () =>
    Effect.gen(function* () {
      const attempts: Array<number> = []
      const execution = yield* host(() =>
        Durable.step(
          "slow",
          Effect.gen(function* () {
            const { attempt } = yield* Durable.StepContext
            attempts.push(attempt)
            if (attempts.length === 1) yield* Effect.never
            return attempts.length
          })
        )
      )
      const cut = yield* runOutOfTime(execution)
      assert.strictEqual(cut.failure?.reason, "deadline")
      const { answer } = yield* execution.drive()
      assert.strictEqual(valueOf(answer), 2)
      assert.deepStrictEqual(attempts, [1, 1])
    })
  )

  it.effect("makes an at-most-once step fail as interrupted in the next invocation", () =>
    Effect.gen(function* () {
      let runs = 0
      const execution = yield* host(() =>
        Durable.step(
          "once",
          Effect.andThen(
            Effect.sync(() => ++runs),
            Effect.never
          ),
          { semantics: "at-most-once" }
        )
      )
      const cut = yield* runOutOfTime(execution)
      assert.strictEqual(cut.failure?.reason, "deadline")
      const { answer } = yield* execution.drive()
      assert.strictEqual(errorOf(answer).type, "StepInterrupted")
      assert.strictEqual(runs, 1)
    })
  )

  it.effect("abandons a step that cannot be interrupted, and drops what it comes to later", () =>
    Effect.gen(function* () {
      const slow = Promise.withResolvers<void>()
      const execution = yield* host(
        (note) =>
          Durable.step(
            "stubborn",
            Effect.uninterruptible(
              Effect.andThen(
                Effect.promise(() => slow.promise),
                note("done")
              )
            )
          ),
        { grace: 10 }
      )
      const cut = yield* runOutOfTime(execution)
      assert.strictEqual(cut.failure?.reason, "deadline")
      assert.isAtLeast(cut.fibersLeft, 1)
      slow.resolve()
      while (execution.log.length === 0) yield* turns(1)
      yield* turns(5)
      assert.deepStrictEqual(execution.log, ["done"])
      assert.strictEqual(execution.operations.filter((operation) => operation.Status === "SUCCEEDED").length, 0)
    })
  )

  it.effect("does not touch a suspension that comes before it", () =>
    Effect.gen(function* () {
      const execution = yield* host(() => ask("answer"))
      const suspended = yield* execution.turn({ deadline: 10_000 })
      assertPending(suspended)
      assert.strictEqual(suspended.fibersLeft, 0)
    })
  )
})

describe("a codec that does not come to an end", () => {
  const stuck = { serialize: () => Effect.never, deserialize: () => Effect.never }
  const codec = Serdes.make<void>(stuck)
  const reads = DurableFunction.make("work", { payloadSerdes: codec })
  const writes = DurableFunction.make("work", { successSerdes: codec })

  it.effect.each([
    ["reads the payload", "read its payload", reads.implement(() => Effect.void)],
    ["writes the result", "wrote its result", writes.implement(() => Effect.void)]
  ] as const)("and %s is cut off at the deadline as well", ([, said, implementation]) =>
    Effect.gen(function* () {
      const service = { checkpoint: () => Effect.never, loadState: () => Effect.never }
      const deadline = (yield* Clock.currentTimeMillis) + 100
      const invocation = yield* invoke(implementation, eventOf([]), { deadline }).pipe(
        Effect.provideService(CheckpointStore, service),
        Effect.flip,
        Effect.forkChild
      )
      yield* turns(20)
      yield* TestClock.adjust(100)
      const { message, reason } = yield* Fiber.join(invocation)
      assert.strictEqual(reason, "deadline")
      assert.include(message, `while it ${said}`)
    })
  )
})

describe("fibers that nobody waits for", () => {
  it.effect("do not turn a deadline into the end of the execution, when the workflow waits for something else", () =>
    Effect.gen(function* () {
      const slow = Promise.withResolvers<string>()
      const execution = yield* host((note) =>
        Effect.gen(function* () {
          const fork = Effect.forkDetach(Effect.andThen(turns(3), Durable.step("late", note("late"))))
          yield* Durable.child("child", Effect.asVoid(fork))
          return yield* Effect.promise(() => slow.promise)
        })
      )
      const cut = yield* runOutOfTime(execution)
      assert.strictEqual(cut.answer, undefined)
      assert.strictEqual(cut.failure?.reason, "deadline")
      slow.resolve("at last")
      const { answer } = yield* execution.drive()
      assert.strictEqual(valueOf(answer), "at last")
    })
  )
})
