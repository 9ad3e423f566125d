/**
 * What is in flight, what is parked and what is left behind: nothing is counted twice, nothing stays counted, and code that
 * outlives its invocation does nothing any more.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable, RetryPolicy } from "effect-durable"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import { ask, both, declined, errorOf, failing, host, slowly, turns, valueOf } from "./harness.ts"
import { assertPending } from "./suspends.ts"

/** How to record a child whose body asks. */
const declaredAsk = { error: failing.error }

describe("accounting", () => {
  it.live("survives an interruption at every place where a fiber may yield", () =>
    Effect.gen(function* () {
      for (let operations = 3; operations <= 60; operations++) {
        const execution = yield* host(() =>
          Effect.gen(function* () {
            const step = yield* Effect.forkChild(Durable.step("a", Effect.forever(Effect.sync(() => {}))), {
              startImmediately: true
            })
            yield* Fiber.interrupt(step)
            const wait = yield* Effect.forkChild(ask("never"), { startImmediately: true })
            yield* Fiber.interrupt(wait)
            const held = yield* Effect.forkChild(Durable.hold(Effect.never), { startImmediately: true })
            yield* Fiber.interrupt(held)
            const child = yield* Effect.forkChild(Durable.child("c", ask("never"), declaredAsk), {
              startImmediately: true
            })
            yield* Fiber.interrupt(child)
            return yield* ask("A")
          }).pipe(Effect.provideService(Scheduler.MaxOpsBeforeYield, operations))
        )
        const suspended = yield* execution.turn()
        assert.deepStrictEqual(suspended.answer, { Status: "PENDING" }, `${operations} operations before a yield`)
        assert.strictEqual(suspended.fibersLeft, 0, `${operations} operations before a yield`)
      }
    })
  )

  it.live("counts no step twice that ends while its fiber is interrupted", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(
            Durable.step("stubborn", Effect.uninterruptible(slowly(note, "stubborn"))),
            { startImmediately: true }
          )
          yield* Effect.forkChild(Fiber.interrupt(fiber))
          return yield* ask("A")
        })
      )
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.strictEqual(suspended.fibersLeft, 0)
      const { answer } = yield* execution.drive()
      assert.strictEqual(valueOf(answer), "A")
    })
  )

  it.live("is not confused by a branch that completes another from its finalizer", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.gen(function* () {
          const done = yield* Deferred.make<string>()
          yield* Effect.all(
            [
              Effect.ensuring(Durable.step("first", slowly(note, "first")), Deferred.succeed(done, "done")),
              Effect.flatMap(Deferred.await(done), () => Durable.step("second", note("second"))),
              ask("A")
            ],
            both
          )
          return "end"
        })
      )
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.deepStrictEqual(suspended.recorded, ["SUCCEED first", "SUCCEED second"])
      assert.strictEqual(valueOf((yield* execution.drive()).answer), "end")
    })
  )
})

describe("failures that must not be suspensions", () => {
  it.live("a workflow that throws synchronously fails with what it threw", () =>
    Effect.gen(function* () {
      const execution = yield* host(() => {
        throw new RangeError("out of range")
      })
      const only = yield* execution.turn()
      assert.deepStrictEqual(errorOf(only.answer), { type: "RangeError", message: "out of range" })
      assert.strictEqual(only.fibersLeft, 0)
    })
  )

  it.live("a step body that throws synchronously fails its attempt", () =>
    Effect.gen(function* () {
      const execution = yield* host(() =>
        Durable.step(
          "bad",
          Effect.sync(() => {
            throw new RangeError("out of range")
          }),
          { retry: RetryPolicy.none }
        )
      )
      const only = yield* execution.turn()
      assert.deepStrictEqual(only.recorded, ["FAIL bad"])
      assert.strictEqual(errorOf(only.answer).type, "RangeError")
    })
  )

  it.live("a workflow that waits for what nobody can bring is stuck, and says so", () =>
    Effect.gen(function* () {
      const execution = yield* host(() => Effect.never)
      const only = yield* execution.turn()
      assert.strictEqual(errorOf(only.answer).type, "Stuck")
      assert.strictEqual(only.fibersLeft, 0)
    })
  )
})

describe("abandonment", () => {
  it.live("code that outlives its invocation records nothing, in whatever it does", () =>
    Effect.gen(function* () {
      const released = Promise.withResolvers<void>()
      const execution = yield* host(
        (note) =>
          Effect.uninterruptible(
            Effect.gen(function* () {
              yield* Effect.exit(ask("A"))
              yield* Effect.promise(() => released.promise)
              yield* note("outlived")
              yield* Effect.exit(Durable.step("step", note("step")))
              yield* Effect.exit(Durable.wait("wait", "1 second"))
              yield* Effect.exit(Durable.child("child", note("child")))
              yield* Effect.exit(ask("B"))
            })
          ),
        { grace: 10 }
      )
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.strictEqual(suspended.fibersLeft, 1)
      released.resolve()
      while (execution.log.length === 0) yield* turns(1)
      yield* turns(5)
      assert.deepStrictEqual(execution.log, ["outlived"])
      assert.deepStrictEqual(
        execution.operations.map((operation) => operation.Name),
        ["A"]
      )
    })
  )
})

describe("interruption by the program", () => {
  it.live("keeps every failure of its branches when one of them is interrupted", () =>
    Effect.gen(function* () {
      const execution = yield* host(() =>
        Effect.gen(function* () {
          const exits = yield* Effect.all(
            [
              Effect.exit(Durable.step("bad", declined, failing)),
              Effect.exit(Effect.all([Effect.interrupt, ask("A")], both))
            ],
            both
          )
          return exits.map((exit) =>
            Exit.isSuccess(exit) ? "Success" : Cause.hasFails(exit.cause) ? "Fail" : "Interrupt"
          )
        })
      )
      const only = yield* execution.turn()
      assert.deepStrictEqual(valueOf(only.answer), ["Fail", "Interrupt"])
    })
  )
})
