/**
 * How an invocation ends besides a suspension, and how one tells the ways apart: an interruption from outside leaves the
 * execution as it was, one by the program is an ordinary failure, and what others lose in a race is dropped.
 */
import { assert, describe, it } from "@effect/vitest"
import { Durable, DurableFunction, RetryPolicy } from "effect-durable"
import { TestEngine } from "effect-durable/testing"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { StoreUnavailable } from "../../src/CheckpointStore.ts"
import {
  ask,
  assertPending,
  both,
  Declined,
  declined,
  errorOf,
  failing,
  host,
  pause,
  slowly,
  turns,
  valueOf
} from "./harness.ts"

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

describe("an interruption from outside", () => {
  it.live("records nothing, answers nothing and leaves no fibre", () =>
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

  it.live("is repeated by the service, and the interrupted attempt does not count", () =>
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

  it.live("cannot be swallowed by the workflow", () =>
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

  it.live("gives local finalizers their grace, and no more", () =>
    Effect.gen(function* () {
      const { body, running } = endless()
      const execution = yield* host(
        (note) =>
          Effect.all(
            [
              Effect.ensuring(Durable.step("slow", body), Effect.delay(note("closed"), 5)),
              Effect.ensuring(ask("answer"), Effect.never)
            ],
            both
          ),
        { grace: 30 }
      )
      const { ended, fiber } = execution.begin()
      yield* running
      fiber.interruptUnsafe()
      const cut = yield* ended
      assert.strictEqual(cut.answer, undefined)
      assert.deepStrictEqual(execution.log, ["closed"])
      assert.isTrue(cut.run.cuts.graceExpired)
    })
  )
})

describe("requests of an invocation that was cut off", () => {
  /** The time that requests take, and the moment at which the first one is under way. */
  const slowRequests = (millis: number) => {
    const begun = Promise.withResolvers<void>()
    return {
      underWay: Effect.promise(() => begun.promise),
      latency: () => {
        begun.resolve()
        return millis
      }
    }
  }

  /** Records more than fits into one request at its very end, as nobody waits for it before. */
  const manyRecords = Effect.forEach(
    Array.from({ length: 200 }, (_, i) => i),
    (i) => Durable.child(`child-${i}`, Effect.succeed(i)),
    { discard: true }
  )

  it.live("the first one is the last one when it is interrupted while it records its end", () =>
    Effect.gen(function* () {
      const { latency, underWay } = slowRequests(20)
      const execution = yield* host(() => manyRecords, { latency })
      const { ended, fiber } = execution.begin()
      yield* underWay
      fiber.interruptUnsafe()
      const cut = yield* ended
      yield* pause(40)
      assert.strictEqual(cut.answer, undefined)
      assert.strictEqual(cut.sent.length, 250)
      assert.strictEqual(execution.operations.length, 125)
      assert.strictEqual(cut.fibersLeft, 0)
    })
  )

  it.live("the first one is the last one when its deadline comes while it records its end", () =>
    Effect.gen(function* () {
      const execution = yield* host(() => manyRecords, { latency: () => 200 })
      const cut = yield* execution.turn({ deadline: Date.now() + 100 })
      yield* pause(150)
      assert.strictEqual(cut.failure?.reason, "deadline")
      assert.strictEqual(cut.sent.length, 250)
      assert.strictEqual(execution.operations.length, 125)
      assert.strictEqual(cut.fibersLeft, 0)
    })
  )

  it.live("are not repeated", () =>
    Effect.gen(function* () {
      let requests = 0
      const execution = yield* host((note) => Durable.step("step", note("step")), {
        fault: () => {
          requests++
          return new StoreUnavailable({ message: "busy" })
        }
      })
      const cut = yield* execution.turn({ deadline: Date.now() + 100, grace: 10 })
      assert.strictEqual(cut.failure?.reason, "deadline")
      assert.strictEqual(cut.fibersLeft, 0)
      const before = requests
      yield* pause(250)
      assert.strictEqual(requests, before)
    })
  )

  it.live("are not interrupted: what the service accepted is in the next invocation", () =>
    Effect.gen(function* () {
      let runs = 0
      const execution = yield* host(
        () =>
          Durable.step(
            "step",
            Effect.sync(() => ++runs)
          ),
        { latency: () => 15 }
      )
      const { ended, fiber } = execution.begin()
      yield* pause(5)
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
  it.live("fails the invocation, names the step that was running and records nothing of it", () =>
    Effect.gen(function* () {
      const { body } = endless()
      const execution = yield* host((note) =>
        Effect.all([Durable.step("quick", note("quick")), Durable.step("slow", body)], both)
      )
      const cut = yield* execution.turn({ deadline: Date.now() + 100 })
      assert.strictEqual(cut.answer, undefined)
      assert.strictEqual(cut.failure?.reason, "deadline")
      assert.include(cut.failure?.message, `the step "slow"`)
      assert.notInclude(cut.failure?.message, `"quick"`)
      assert.deepStrictEqual(cut.recorded, ["SUCCEED quick"])
      assert.strictEqual(cut.fibersLeft, 0)
    })
  )

  it.live("names a hold and a step in a child, too", () =>
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
      const cut = yield* execution.turn({ deadline: Date.now() + 100 })
      assert.include(cut.failure?.message, `the step "child/slow"`)
      assert.include(cut.failure?.message, `the hold "hold"`)
      assert.strictEqual(cut.fibersLeft, 0)
    })
  )

  it.live("leaves an at-least-once step to be run again, as the same attempt", () =>
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
      const cut = yield* execution.turn({ deadline: Date.now() + 100 })
      assert.strictEqual(cut.failure?.reason, "deadline")
      const { answer } = yield* execution.drive()
      assert.strictEqual(valueOf(answer), 2)
      assert.deepStrictEqual(attempts, [1, 1])
    })
  )

  it.live("makes an at-most-once step fail as interrupted in the next invocation", () =>
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
      const cut = yield* execution.turn({ deadline: Date.now() + 100 })
      assert.strictEqual(cut.failure?.reason, "deadline")
      const { answer } = yield* execution.drive()
      assert.strictEqual(errorOf(answer).type, "StepInterrupted")
      assert.strictEqual(runs, 1)
    })
  )

  it.live("abandons a step that cannot be interrupted, and drops what it comes to later", () =>
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
      const cut = yield* execution.turn({ deadline: Date.now() + 10 })
      assert.strictEqual(cut.failure?.reason, "deadline")
      assert.isTrue(cut.run.cuts.graceExpired)
      slow.resolve()
      yield* pause(5)
      assert.deepStrictEqual(execution.log, ["done"])
      assert.strictEqual(execution.operations.filter((operation) => operation.Status === "SUCCEEDED").length, 0)
    })
  )

  it.live("does not touch a suspension that comes before it", () =>
    Effect.gen(function* () {
      const execution = yield* host(() => ask("answer"))
      const suspended = yield* execution.turn({ deadline: Date.now() + 10_000 })
      assertPending(suspended)
      assert.strictEqual(suspended.fibersLeft, 0)
    })
  )
})

describe("an interruption by the program", () => {
  it.live("ends the execution when the workflow interrupts itself", () =>
    Effect.gen(function* () {
      const execution = yield* host(() => Effect.interrupt)
      const only = yield* execution.turn()
      assert.strictEqual(errorOf(only.answer).type, "Interrupted")
      assert.strictEqual(only.fibersLeft, 0)
    })
  )

  it.live("ends the execution also while something else waits", () =>
    Effect.gen(function* () {
      const execution = yield* host(() => Effect.all([ask("answer"), Effect.interrupt], both))
      const only = yield* execution.turn()
      assert.strictEqual(errorOf(only.answer).type, "Interrupted")
      assert.strictEqual(only.fibersLeft, 0)
    })
  )

  it.live("ends the execution that joins a fibre which was interrupted", () =>
    Effect.gen(function* () {
      const execution = yield* host(() =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(ask("answer"), { startImmediately: true })
          yield* Fiber.interrupt(fiber)
          return yield* Fiber.join(fiber)
        })
      )
      const only = yield* execution.turn()
      assert.strictEqual(errorOf(only.answer).type, "Interrupted")
      assert.strictEqual(only.fibersLeft, 0)
    })
  )

  it.live("fails a child, and is the child's failure on replay as well", () =>
    Effect.gen(function* () {
      const execution = yield* host(() =>
        Effect.gen(function* () {
          const exit = yield* Effect.exit(Durable.child("child", Effect.interrupt))
          yield* ask("answer")
          return exit._tag === "Failure" ? exit.cause.reasons.map((reason) => reason._tag) : exit._tag
        })
      )
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.deepStrictEqual(suspended.recorded, ["FAIL child"])
      assert.strictEqual(
        execution.operations.find((operation) => operation.Name === "child")?.ContextDetails?.Error?.ErrorType,
        "Interrupted"
      )
      const { answer } = yield* execution.drive()
      assert.deepStrictEqual(valueOf(answer), ["Die"])
    })
  )

  it.live("fails an attempt of a step, which its policy sees and may repeat", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const policy: RetryPolicy.RetryPolicy<unknown> = {
        decide: ({ attempt, failure }) => {
          seen.push(failure._tag)
          return Effect.succeed(attempt < 2 ? { _tag: "Retry", delaySeconds: 1 } : { _tag: "Stop" })
        }
      }
      const execution = yield* host(() => Durable.step("step", Effect.interrupt, { retry: policy }))
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.deepStrictEqual(suspended.recorded, ["RETRY step"])
      const { answer } = yield* execution.drive()
      assert.strictEqual(errorOf(answer).type, "Interrupted")
      assert.deepStrictEqual(seen, ["Interrupted", "Interrupted"])
    })
  )

  it.live("records no outcome of a step whose fibre it interrupts, and the workflow goes on", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(Durable.step("cut", Effect.never), { startImmediately: true })
          yield* Fiber.interrupt(fiber)
          yield* Durable.step("after", note("after"))
          return yield* ask("answer")
        })
      )
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.deepStrictEqual(suspended.recorded, ["SUCCEED after"])
      assert.strictEqual(suspended.fibersLeft, 0)
      const { answer } = yield* execution.drive()
      assert.strictEqual(valueOf(answer), "answer")
      assert.deepStrictEqual(execution.log, ["after"])
    })
  )

  it.live("records nothing for a policy that never saw the interruption of a fibre", () =>
    Effect.gen(function* () {
      let asked = 0
      const policy: RetryPolicy.RetryPolicy<unknown> = {
        decide: () => {
          asked++
          return Effect.succeed({ _tag: "Stop" })
        }
      }
      const execution = yield* host(() =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(Durable.step("cut", Effect.never, { retry: policy }), {
            startImmediately: true
          })
          yield* Fiber.interrupt(fiber)
          return "end"
        })
      )
      const only = yield* execution.turn()
      assert.strictEqual(valueOf(only.answer), "end")
      assert.strictEqual(asked, 0)
      assert.deepStrictEqual(only.recorded, [])
    })
  )

  it.live("is handled inside a step like any other outcome of its body", () =>
    Effect.gen(function* () {
      const execution = yield* host(() =>
        Durable.step(
          "step",
          Effect.catchCause(Effect.interrupt, () => Effect.succeed("handled"))
        )
      )
      const only = yield* execution.turn()
      assert.strictEqual(valueOf(only.answer), "handled")
    })
  )
})

describe("losers", () => {
  it.live("a step that loses a race is interrupted, and its result is dropped", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.raceFirst(
          Durable.step("fast", slowly(note, "fast")),
          Durable.step(
            "slow",
            Effect.onInterrupt(Effect.never, () => note("interrupted"))
          )
        )
      )
      const only = yield* execution.turn()
      assert.strictEqual(valueOf(only.answer), "fast")
      assert.deepStrictEqual(only.recorded, ["SUCCEED fast"])
      assert.deepStrictEqual(execution.log, ["fast", "interrupted"])
      assert.strictEqual(only.fibersLeft, 0)
    })
  )

  it.live("an invoke that loses against its time-out is not waited for", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Durable.invoke(Slow, undefined, { name: "slow", timeout: "1 second" }).pipe(
          Effect.catchTag("InvokeTimedOut", () => Durable.step("instead", note("instead")))
        )
      )
      assertPending(yield* execution.turn())
      execution.complete("timeout")
      const ended = yield* execution.turn()
      assert.strictEqual(valueOf(ended.answer), "instead")
      assert.strictEqual(ended.fibersLeft, 0)
      assert.isTrue(execution.closed)
    })
  )

  it.live("a fibre that is never joined is let go when the workflow ends", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.gen(function* () {
          yield* Effect.forkDetach(ask("forgotten"), { startImmediately: true })
          yield* Effect.forkDetach(Durable.step("endless", Effect.never), { startImmediately: true })
          return yield* Durable.step("step", note("done"))
        })
      )
      const only = yield* execution.turn()
      assert.strictEqual(valueOf(only.answer), "done")
      assert.deepStrictEqual(only.recorded, ["SUCCEED step"])
      assert.strictEqual(only.fibersLeft, 0)
    })
  )
})

describe("fibres that outlive their child", () => {
  it.live("record nothing of a step that ends later, and the execution goes on", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.gen(function* () {
          const child = yield* Durable.child(
            "child",
            Effect.as(Effect.forkChild(Durable.step("late", slowly(note, "late")), { startImmediately: true }), "early")
          )
          yield* Durable.step("after", Effect.as(Effect.sleep(20), child))
          return yield* ask("answer")
        })
      )
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.deepStrictEqual(suspended.recorded, ["SUCCEED child", "SUCCEED after"])
      assert.strictEqual(suspended.fibersLeft, 0)
      const { answer } = yield* execution.drive()
      assert.strictEqual(valueOf(answer), "answer")
    })
  )

  it.live("record nothing of a step that they begin later, and do not hold a suspension", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.gen(function* () {
          yield* Durable.child(
            "child",
            Effect.asVoid(Effect.forkChild(Effect.delay(Durable.step("late", note("late")), 3)))
          )
          yield* Durable.hold(Effect.sleep(10))
          return yield* ask("answer")
        })
      )
      const suspended = yield* execution.turn()
      assertPending(suspended)
      assert.deepStrictEqual(suspended.recorded, ["SUCCEED child"])
      assert.deepStrictEqual(execution.log, [])
      assert.strictEqual(suspended.fibersLeft, 0)
    })
  )

  it.live("do not hang an execution that waits for them: it is told why", () =>
    Effect.gen(function* () {
      const execution = yield* host((note) =>
        Effect.flatMap(
          Durable.child("child", Effect.forkDetach(Effect.delay(Durable.step("late", note("late")), 3)), {
            flat: true
          }),
          Fiber.join
        )
      )
      const only = yield* execution.turn({ deadline: Date.now() + 500 })
      assert.strictEqual(only.failure, undefined)
      assert.include(errorOf(only.answer).message, "late")
    })
  )
})

describe("typed errors after a suspension", () => {
  it.live("arrive as themselves, with their fields", () =>
    Effect.gen(function* () {
      const execution = yield* host(() =>
        ask("answer").pipe(Effect.catchTag("Declined", (error) => Effect.succeed(`declined: ${error.code}`)))
      )
      assertPending(yield* execution.turn())
      execution.complete("answer", { error: { code: "limit" } })
      const ended = yield* execution.turn()
      assert.strictEqual(valueOf(ended.answer), "declined: limit")
      assert.strictEqual(ended.fibersLeft, 0)
    })
  )

  it.live("arrive through a child that was suspended, again on every replay", () =>
    Effect.gen(function* () {
      const caught: Array<boolean> = []
      const execution = yield* host(() =>
        Durable.child("child", ask("answer"), { error: Declined }).pipe(
          Effect.catch((error) =>
            Effect.andThen(
              Effect.sync(() => caught.push(error instanceof Declined)),
              ask("second")
            )
          )
        )
      )
      assertPending(yield* execution.turn())
      execution.complete("answer", { error: { code: "limit" } })
      const { answer } = yield* execution.drive()
      assert.strictEqual(valueOf(answer), "second")
      assert.deepStrictEqual(caught, [true, true])
    })
  )

  it.live("end the execution when nobody handles them", () =>
    Effect.gen(function* () {
      const execution = yield* host(() => Effect.all([ask("answer"), ask("other")], both))
      assertPending(yield* execution.turn())
      execution.complete("answer", { error: { code: "limit" } })
      const ended = yield* execution.turn()
      assert.strictEqual(errorOf(ended.answer).type, "Declined")
      assert.strictEqual(ended.fibersLeft, 0)
    })
  )
})

const Slow = DurableFunction.plain("slow", { success: Schema.String })

const Napping = DurableFunction.make("napping", { success: Schema.Array(Schema.String) })

/** Runs a workflow in virtual time, and answers with its result, its invocations, and when each step succeeded. */
const inVirtualTime = (
  workflow: Effect.Effect<ReadonlyArray<string>, never, Durable.Execution>,
  slow: Effect.Effect<string> = Effect.succeed("slow")
) =>
  Effect.gen(function* () {
    const run = yield* TestEngine.start(Napping)
    const result = yield* run.result
    const events = yield* run.history
    const began = events[0]?.EventTimestamp ?? Number.NaN
    const doneAfter = Object.fromEntries(
      events.flatMap(({ EventTimestamp, EventType, Name }) =>
        EventType === "StepSucceeded" ? [[Name ?? "", (EventTimestamp - began) / 1_000]] : []
      )
    )
    return {
      result,
      invocations: events.filter((event) => event.EventType === "InvocationCompleted").length,
      doneAfter
    }
  }).pipe(Effect.provide(TestEngine.layer([Napping.implement(() => workflow), TestEngine.stub(Slow, () => slow)])))

const lasting = (seconds: number) => Durable.step("long", Effect.as(Effect.sleep(seconds * 1_000), "long"))

describe("waits that end while a sibling keeps the invocation alive", () => {
  it.effect("goes on in place at the very time when a wait is due", () =>
    Effect.gen(function* () {
      const { doneAfter, invocations, result } = yield* inVirtualTime(
        Effect.all(
          [
            Effect.andThen(Durable.wait("nap", "3 seconds"), Durable.step("after", Effect.succeed("after"))),
            lasting(20)
          ],
          both
        )
      )
      assert.deepStrictEqual(result, ["after", "long"])
      assert.strictEqual(invocations, 1)
      assert.deepStrictEqual(doneAfter, { after: 3, long: 20 })
    })
  )

  it.effect("polls for an answer whose time nobody knows, less and less often", () =>
    Effect.gen(function* () {
      const { doneAfter, invocations, result } = yield* inVirtualTime(
        Effect.all(
          [
            Effect.flatMap(Effect.orDie(Durable.invoke(Slow)), (answer) =>
              Durable.step("after", Effect.succeed(answer))
            ),
            lasting(60)
          ],
          both
        ),
        Effect.delay(Effect.succeed("slow"), "4500 millis")
      )
      assert.deepStrictEqual(result, ["slow", "long"])
      assert.strictEqual(invocations, 1)
      const after = doneAfter["after"] ?? Number.NaN
      assert.isAtLeast(after, 4.5)
      assert.isAtMost(after, 10)
    })
  )

  it.effect("repeats a step in place when its next attempt is due", () =>
    Effect.gen(function* () {
      const flaky = Effect.gen(function* () {
        const { attempt } = yield* Durable.StepContext
        if (attempt < 3) return yield* Effect.die(new Error("flaky"))
        return `attempt ${attempt}`
      })
      const { doneAfter, invocations, result } = yield* inVirtualTime(
        Effect.all(
          [
            Durable.step("flaky", flaky, { retry: RetryPolicy.fixed({ maxAttempts: 3, delay: "2 seconds" }) }),
            lasting(20)
          ],
          both
        )
      )
      assert.deepStrictEqual(result, ["attempt 3", "long"])
      assert.strictEqual(invocations, 1)
      assert.deepStrictEqual(doneAfter, { flaky: 4, long: 20 })
    })
  )

  it.effect("suspends when the sibling ends before the wait is due", () =>
    Effect.gen(function* () {
      const { invocations, result } = yield* inVirtualTime(
        Effect.all([Effect.as(Durable.wait("nap", "1 hour"), "nap"), lasting(20)], both)
      )
      assert.deepStrictEqual(result, ["nap", "long"])
      assert.strictEqual(invocations, 2)
    })
  )

  it.effect("keeps the invocation alive for a wait in a hold", () =>
    Effect.gen(function* () {
      const { invocations, result } = yield* inVirtualTime(
        Durable.hold(Effect.as(Durable.wait("nap", "5 seconds"), ["nap"]))
      )
      assert.deepStrictEqual(result, ["nap"])
      assert.strictEqual(invocations, 1)
    })
  )
})

describe("a failure beside a suspension", () => {
  it.live("that comes after a grace period of another invocation is still the outcome", () =>
    Effect.gen(function* () {
      const execution = yield* host(() =>
        Effect.all([ask("answer"), Effect.andThen(ask("gate"), Durable.step("bad", declined, failing))], both)
      )
      assertPending(yield* execution.turn())
      execution.complete("gate")
      const ended = yield* execution.turn()
      assert.strictEqual(errorOf(ended.answer).type, "Declined")
      yield* turns(3)
      assert.isTrue(execution.closed)
    })
  )
})
